//! Fixed-width keys in and out of Arrow, and which partition a hash belongs to.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BinaryArray, FixedSizeBinaryArray, RecordBatch};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use stackmill_schemas::{Error, Result, columns};

/// Bytes of a rank on its way between tasks: u128, big endian, so that bytes sort as numbers do.
pub(crate) const RANK_BYTES: usize = 16;

/// A FixedSizeBinary column whose width is known to be `N`.
#[derive(Clone, Copy)]
pub(crate) struct FixedColumn<'a, const N: usize>(&'a FixedSizeBinaryArray);

impl<'a, const N: usize> FixedColumn<'a, N> {
    /// Column `name` of `record`; another width is a schema error.
    pub(crate) fn of(record: &'a RecordBatch, name: &str) -> Result<Self> {
        let array = columns::fixed(record, name)?;
        if array.value_length() != N as i32 {
            let width = array.value_length();
            return Err(Error::schema(format!("column `{name}` is {width} bytes wide, not {N}")));
        }
        Ok(Self(array))
    }

    /// The value of row `i`, or none where it is null.
    pub(crate) fn get(&self, i: usize) -> Option<[u8; N]> {
        self.0.is_valid(i).then(|| self.0.value(i).try_into().ok()).flatten()
    }
}

impl FixedColumn<'_, RANK_BYTES> {
    /// The rank of row `i`; a null is a schema error.
    pub(crate) fn rank(&self, i: usize) -> Result<u128> {
        let bytes = self.get(i).ok_or_else(|| Error::schema("a rank is null"))?;
        Ok(u128::from_be_bytes(bytes))
    }
}

/// A FixedSizeBinary array of values that are all there.
pub(crate) fn fixed_array<const N: usize>(values: impl Iterator<Item = [u8; N]>) -> Result<ArrayRef> {
    let bytes: Vec<u8> = values.flatten().collect();
    let array = FixedSizeBinaryArray::try_new(N as i32, Buffer::from_vec(bytes), None)?;
    Ok(Arc::new(array))
}

/// A FixedSizeBinary array of values that may be absent.
pub(crate) fn optional_fixed_array<const N: usize>(values: &[Option<[u8; N]>]) -> Result<ArrayRef> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.unwrap_or([0; N])).collect();
    let nulls: NullBuffer = values.iter().map(Option::is_some).collect();
    let array = FixedSizeBinaryArray::try_new(N as i32, Buffer::from_vec(bytes), Some(nulls))?;
    Ok(Arc::new(array))
}

/// Ranks as an array.
pub(crate) fn rank_array(ranks: impl Iterator<Item = u128>) -> Result<ArrayRef> {
    fixed_array(ranks.map(u128::to_be_bytes))
}

/// A Binary array in the making. Unlike Arrow's builder it says so when 2 GiB are full, instead of panicking.
#[derive(Default)]
pub(crate) struct BinaryColumn {
    bytes: Vec<u8>,
    ends: Vec<i32>,
    valid: Vec<bool>,
}

impl BinaryColumn {
    /// An empty column with room for this many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            ..Self::default()
        }
    }

    /// Appends the bytes that `write` adds.
    pub(crate) fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        write(&mut self.bytes);
        self.end_row(true)
    }

    /// Appends a null.
    pub(crate) fn push_null(&mut self) -> Result<()> {
        self.end_row(false)
    }

    /// Bytes so far.
    pub(crate) fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The array.
    pub(crate) fn finish(self) -> Result<ArrayRef> {
        let offsets: ScalarBuffer<i32> = std::iter::once(0).chain(self.ends).collect();
        let nulls: NullBuffer = self.valid.into_iter().collect();
        let array = BinaryArray::try_new(OffsetBuffer::new(offsets), Buffer::from_vec(self.bytes), Some(nulls))?;
        Ok(Arc::new(array))
    }

    fn end_row(&mut self, valid: bool) -> Result<()> {
        let end = i32::try_from(self.bytes.len()).map_err(|_| {
            Error::resource("a column of one batch grew beyond 2 GiB").hint("use smaller batches of files")
        })?;
        self.ends.push(end);
        self.valid.push(valid);
        Ok(())
    }
}

/// Appends `values`, 8 bytes each, little endian.
pub(crate) fn write_u64s(bytes: &mut Vec<u8>, values: &[u64]) {
    let start = bytes.len();
    bytes.resize(start + 8 * values.len(), 0);
    let (places, _) = bytes[start..].as_chunks_mut();
    for (place, value) in places.iter_mut().zip(values) {
        *place = value.to_le_bytes();
    }
}

/// Appends `values`, 4 bytes each, little endian.
pub(crate) fn write_u32s(bytes: &mut Vec<u8>, values: &[u32]) {
    let start = bytes.len();
    bytes.resize(start + 4 * values.len(), 0);
    let (places, _) = bytes[start..].as_chunks_mut();
    for (place, value) in places.iter_mut().zip(values) {
        *place = value.to_le_bytes();
    }
}

/// The values written by [`write_u64s`]; trailing bytes that are no whole value are a bug.
pub(crate) fn read_u64s(bytes: &[u8]) -> Result<&[[u8; 8]]> {
    whole(bytes)
}

/// The values written by [`write_u32s`], as [`read_u64s`].
pub(crate) fn read_u32s(bytes: &[u8]) -> Result<&[[u8; 4]]> {
    whole(bytes)
}

fn whole<const N: usize>(bytes: &[u8]) -> Result<&[[u8; N]]> {
    let (values, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(Error::bug(format!(
            "{} bytes are no list of {N}-byte values",
            bytes.len()
        )));
    }
    Ok(values)
}

/// The partition of a well-mixed `hash`: equal ranges of the hash's values.
pub(crate) fn partition_of(hash: u64, partitions: u32) -> u32 {
    ((u128::from(hash) * u128::from(partitions)) >> 64) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_equal_ranges_of_the_hash() {
        assert_eq!([partition_of(0, 3), partition_of(u64::MAX, 3)], [0, 2]);
        assert_eq!([partition_of(u64::MAX / 2, 2), partition_of(1 << 63, 2)], [0, 1]);
        assert_eq!(partition_of(u64::MAX, 1), 0);
    }

    #[test]
    fn lists_of_values_have_whole_values() {
        let mut bytes = Vec::new();
        write_u64s(&mut bytes, &[7, u64::MAX]);
        let values: Vec<u64> = read_u64s(&bytes)
            .expect("whole")
            .iter()
            .map(|v| u64::from_le_bytes(*v))
            .collect();
        assert_eq!(values, [7, u64::MAX]);
        assert!(read_u64s(&bytes[1..]).is_err());
    }

    #[test]
    fn another_width_is_a_schema_error() {
        let array = fixed_array([[1u8; 4]].into_iter()).expect("array");
        let record = RecordBatch::try_from_iter([("rank", array)]).expect("record");
        assert!(FixedColumn::<16>::of(&record, "rank").is_err());
        assert_eq!(
            FixedColumn::<4>::of(&record, "rank").expect("width").get(0),
            Some([1; 4])
        );
    }
}
