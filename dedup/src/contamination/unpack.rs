//! Reading packs: every length, number and order is checked, and nothing grows but by what was read.

use stackmill_schemas::error::{Error, Result};

use super::build::MAX_FIELD_UNITS;
use super::grams::{Channel, HASH_BITS};
use super::packs::{
    FAMILY_AS_BEFORE, FAMILY_IS_ID, FIELDS, HASH_BYTES, NGRAMS, NO_LANGUAGE, PackField, PackItem, VERSION,
};
use super::words::SEED;

pub(super) fn check_version(reader: &mut Reader<'_>) -> Result<()> {
    let version = reader.u32()?;
    if version != VERSION {
        return Err(
            Error::input(format!("the pack has version {version}, this program reads {VERSION}"))
                .hint("build it again with `stackmill benchmarks build`"),
        );
    }
    let ngrams: [u8; 5] = reader.array()?;
    if (ngrams, reader.u32()?, reader.u64()?) != (NGRAMS, HASH_BITS, SEED) {
        return Err(damaged(
            "n-gram length, hash width or seed are not those of its version",
        ));
    }
    Ok(())
}

pub(super) fn check_sum(bytes: &[u8]) -> Result<()> {
    let Some((body, sum)) = bytes.split_last_chunk::<8>() else {
        return Err(damaged("it ends too early"));
    };
    if xxhash_rust::xxh3::xxh3_64(body) != u64::from_le_bytes(*sum) {
        return Err(damaged("its checksum does not fit"));
    }
    Ok(())
}

/// Everything between the languages and the checksum. Tables grow only by what has been read, so a count that lies
/// costs nothing.
pub(super) fn read_items(reader: &mut Reader<'_>, languages: &[String]) -> Result<Vec<PackItem>> {
    let (items, fields, hashes) = (reader.u32()?, reader.u32()?, reader.u32()?);
    let mut out: Vec<PackItem> = Vec::new();
    let mut sizes = Vec::new();
    for _ in 0..items {
        let item = read_item(reader, out.last(), languages)?;
        sizes.push(usize::from(reader.u8()?));
        out.push(item);
    }
    let table = (0..fields).map(|_| read_field(reader)).collect::<Result<Vec<_>>>()?;
    let total: usize = table.iter().map(|(_, count)| count).sum();
    if sizes.iter().sum::<usize>() != table.len() || total as u64 != u64::from(hashes) {
        return Err(damaged("its counts contradict each other"));
    }
    let mut table = table.into_iter();
    for (item, size) in out.iter_mut().zip(sizes) {
        for (mut field, count) in table.by_ref().take(size) {
            field.hashes = read_hashes(reader, count)?;
            item.fields.push(field);
        }
    }
    if reader.rest.len() != 8 {
        return Err(damaged("something follows the hashes"));
    }
    Ok(out)
}

fn read_item(reader: &mut Reader<'_>, before: Option<&PackItem>, languages: &[String]) -> Result<PackItem> {
    let id = reader.text8()?;
    let family = match reader.u8()? {
        FAMILY_IS_ID => id.clone(),
        FAMILY_AS_BEFORE => before
            .map(|item| item.family.clone())
            .ok_or_else(|| damaged("no item is before the first"))?,
        length => reader.text(usize::from(length))?,
    };
    let language = match reader.u8()? {
        NO_LANGUAGE => None,
        number => {
            let language = languages.get(usize::from(number));
            Some(
                language
                    .ok_or_else(|| damaged("an item has an unknown language"))?
                    .clone(),
            )
        }
    };
    Ok(PackItem {
        id,
        family,
        language,
        fields: Vec::new(),
    })
}

/// A field without its hashes, and their number.
fn read_field(reader: &mut Reader<'_>) -> Result<(PackField, usize)> {
    let (kind, channel) = (usize::from(reader.u8()?), usize::from(reader.u8()?));
    let (units, ngrams) = (reader.u32()? as usize, reader.u32()? as usize);
    let count = usize::from(reader.u16()?);
    let field = *FIELDS.get(kind).ok_or_else(|| damaged("a field has an unknown kind"))?;
    let channel = *Channel::ALL
        .get(channel)
        .ok_or_else(|| damaged("a field has an unknown channel"))?;
    if count == 0 || count > ngrams || units > MAX_FIELD_UNITS || ngrams + channel.ngram() > units + 1 {
        return Err(damaged("a field has more n-grams than its length allows, or none"));
    }
    let hashes = Vec::new();
    let field = PackField {
        field,
        channel,
        units,
        ngrams,
        hashes,
    };
    Ok((field, count))
}

fn read_hashes(reader: &mut Reader<'_>, count: usize) -> Result<Vec<u64>> {
    let bytes = reader.take(count * HASH_BYTES)?;
    let hashes: Vec<u64> = bytes
        .chunks_exact(HASH_BYTES)
        .map(|chunk| chunk.iter().rev().fold(0, |hash, &byte| hash << 8 | u64::from(byte)))
        .collect();
    if !hashes.is_sorted_by(|a, b| a < b) {
        return Err(damaged("the hashes of a field are out of order"));
    }
    Ok(hashes)
}

pub(super) fn damaged(how: &str) -> Error {
    Error::input(format!("the pack is damaged: {how}")).hint("build it again with `stackmill benchmarks build`")
}

/// Takes bytes off the front, never more than there are.
pub(super) struct Reader<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (head, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| damaged("it ends too early"))?;
        self.rest = rest;
        Ok(head)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self
            .rest
            .split_first_chunk()
            .ok_or_else(|| damaged("it ends too early"))?;
        self.rest = rest;
        Ok(*head)
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn text(&mut self, length: usize) -> Result<String> {
        let bytes = self.take(length)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| damaged("a name is no UTF-8"))
    }

    pub(super) fn text8(&mut self) -> Result<String> {
        let length = usize::from(self.u8()?);
        self.text(length)
    }

    pub(super) fn text16(&mut self) -> Result<String> {
        let length = usize::from(self.u16()?);
        self.text(length)
    }
}
