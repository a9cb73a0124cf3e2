//! Many objects of one pack, each decoded once: what is wanted and what it is a difference of, walked from the base.
//!
//! ```text
//!   wanted   ●   ●     ●          offsets, sorted
//!            │   │     │          each delta names its base: headers only
//!            ○   └──●──┘  ●
//!            │      │     │
//!            ○      ○     ●       roots are whole objects; walked in order of offsets, depth first:
//!                                 a content is held until the last of its differences is made from it
//! ```
//! What is broken, borrowed, too long, or beyond the limits is not delivered: the caller asks for it one by one.

use std::collections::HashMap;

use gix::odb::pack::Bundle;
use gix::odb::pack::data::entry::Header;
use gix::zlib::Inflate;
use stackmill_schemas::Result;

use super::repository::MOST_OBJECT_BYTES;

/// Most bytes of contents that wait for their differences (32 MiB), beside the one that is being made.
const MOST_WAITING: usize = 32 << 20;

/// Most objects of one forest (about 24 bytes each, and as much to find them): a hostile pack may chain all it has.
const MOST_NODES: usize = 1 << 21;

/// An object that is wanted: its offset in the pack, and the row that wants it.
pub(super) type Wish = (u64, usize);

/// Takes the row and the content of a blob.
pub(super) type Deliver<'a> = &'a mut dyn FnMut(usize, &[u8]) -> Result<()>;

/// Hands on the blobs of `pack` that `wishes` (sorted) name, in the order in which they come to be.
pub(super) fn walk(pack: &Bundle, wishes: &[Wish], deliver: Deliver<'_>) -> Result<()> {
    let forest = Forest::grown(pack, wishes);
    let mut walk = Walk {
        pack,
        wishes,
        forest: &forest,
        deliver,
        inflate: Inflate::default(),
        delta: Vec::new(),
        spare: Vec::new(),
        waiting: 0,
    };
    forest.roots.iter().try_for_each(|&root| walk.tree(root))
}

/// Which objects are needed, and which of them is made from which.
#[derive(Default)]
struct Forest {
    offsets: Vec<u64>,
    /// Number of the base of each; its own where there is none.
    bases: Vec<u32>,
    roots: Vec<u32>,
    /// Objects with a base, by base and offset.
    children: Vec<u32>,
}

/// What an object is made of.
enum Base {
    Nothing,
    At(u64),
    Unknown,
}

impl Forest {
    fn grown(pack: &Bundle, wishes: &[Wish]) -> Self {
        let mut forest = Self::default();
        let mut places = HashMap::new();
        for &(offset, _) in wishes {
            forest.chain(pack, offset, &mut places);
        }
        let Self {
            offsets, bases, roots, ..
        } = &forest;
        let mut children: Vec<u32> = (0..)
            .zip(bases)
            .filter(|(i, base)| i != *base)
            .map(|(i, _)| i)
            .collect();
        children.sort_unstable_by_key(|&i| (bases[i as usize], offsets[i as usize]));
        let mut roots = roots.clone();
        roots.sort_unstable_by_key(|&i| offsets[i as usize]);
        Self {
            roots,
            children,
            ..forest
        }
    }

    /// Adds an object and everything below it that is not there yet.
    fn chain(&mut self, pack: &Bundle, mut offset: u64, places: &mut HashMap<u64, u32>) {
        let mut above = None;
        loop {
            let there = places.get(&offset).copied();
            let number = there.unwrap_or(self.offsets.len() as u32);
            if let Some(above) = above {
                self.bases[above as usize] = number;
            }
            if there.is_some() || self.offsets.len() == MOST_NODES {
                // Beyond the limit the object above keeps a base that never comes to be.
                return;
            }
            places.insert(offset, number);
            self.offsets.push(offset);
            self.bases.push(number);
            match base_of(pack, offset) {
                Base::At(base) => (above, offset) = (Some(number), base),
                Base::Nothing => return self.roots.push(number),
                Base::Unknown => return,
            }
        }
    }

    /// Where the differences of an object stand in `children`.
    fn children_of(&self, number: u32) -> std::ops::Range<usize> {
        let before = |&i: &u32| self.bases[i as usize] < number;
        let upto = |&i: &u32| self.bases[i as usize] <= number;
        self.children.partition_point(before)..self.children.partition_point(upto)
    }
}

fn base_of(pack: &Bundle, offset: u64) -> Base {
    let Ok(entry) = pack.pack.entry(offset) else {
        return Base::Unknown;
    };
    let base = match entry.header {
        Header::Blob => return Base::Nothing,
        Header::OfsDelta { base_distance } => entry.checked_base_pack_offset(base_distance),
        Header::RefDelta { base_id } => {
            let found = pack.index.lookup(base_id);
            found.map(|found| pack.index.pack_offset_at_index(found))
        }
        Header::Commit | Header::Tree | Header::Tag => None,
    };
    base.map_or(Base::Unknown, Base::At)
}

/// A content whose differences are being made.
struct Frame {
    content: Vec<u8>,
    left: std::ops::Range<usize>,
}

struct Walk<'a> {
    pack: &'a Bundle,
    wishes: &'a [Wish],
    forest: &'a Forest,
    deliver: Deliver<'a>,
    inflate: Inflate,
    delta: Vec<u8>,
    spare: Vec<Vec<u8>>,
    waiting: usize,
}

impl Walk<'_> {
    /// Makes everything that rests on one whole object.
    fn tree(&mut self, root: u32) -> Result<()> {
        let mut content = self.spare.pop().unwrap_or_default();
        let mut frames = Vec::new();
        if self.inflated(root, &mut content).is_some() {
            self.made(root, content, &mut frames)?;
        }
        while let Some(mut frame) = frames.pop() {
            let Some(at) = frame.left.next() else {
                self.done(frame.content);
                continue;
            };
            let child = self.forest.children[at];
            let mut content = self.spare.pop().unwrap_or_default();
            let made = self.applied(child, &frame.content, &mut content);
            match frame.left.is_empty() {
                true => self.done(frame.content),
                false => frames.push(frame),
            }
            match made {
                Some(()) => self.made(child, content, &mut frames)?,
                None => self.spare.push(content),
            }
        }
        Ok(())
    }

    /// Delivers a content, and keeps it if something is made from it.
    fn made(&mut self, number: u32, content: Vec<u8>, frames: &mut Vec<Frame>) -> Result<()> {
        let offset = self.forest.offsets[number as usize];
        let first = self.wishes.partition_point(|wish| wish.0 < offset);
        for (_, row) in self.wishes[first..].iter().take_while(|wish| wish.0 == offset) {
            (self.deliver)(*row, &content)?;
        }
        let left = self.forest.children_of(number);
        let fits = frames.is_empty() || self.waiting + content.len() <= MOST_WAITING;
        self.waiting += content.len();
        match fits && !left.is_empty() {
            true => frames.push(Frame { content, left }),
            false => self.done(content),
        }
        Ok(())
    }

    fn done(&mut self, content: Vec<u8>) {
        self.waiting -= content.len();
        if content.capacity() <= MOST_WAITING / 32 && self.spare.len() < 16 {
            self.spare.push(content);
        }
    }

    /// Inflates what stands at an object: its content, or its difference.
    fn inflated(&mut self, number: u32, into: &mut Vec<u8>) -> Option<()> {
        let entry = self.pack.pack.entry(self.forest.offsets[number as usize]).ok()?;
        let length = usize::try_from(entry.decompressed_size).ok()?;
        if length > MOST_OBJECT_BYTES {
            return None;
        }
        into.resize(length, 0);
        self.pack.pack.decompress_entry(&entry, &mut self.inflate, into).ok()?;
        Some(())
    }

    fn applied(&mut self, number: u32, base: &[u8], into: &mut Vec<u8>) -> Option<()> {
        let mut delta = std::mem::take(&mut self.delta);
        let made = self
            .inflated(number, &mut delta)
            .and_then(|()| apply(base, &delta, into));
        self.delta = delta;
        self.delta.truncate(MOST_WAITING);
        made
    }
}

/// Makes a content from its base, as the pack format says; `None` where the difference is not one of this base.
///
/// ```text
///   length of the base │ length of the result │ 1ooo-ssss copy bytes of the base … │ 0nnnnnnn n bytes follow …
/// ```
fn apply(base: &[u8], mut delta: &[u8], into: &mut Vec<u8>) -> Option<()> {
    let (of_base, length) = (varint(&mut delta)?, varint(&mut delta)?);
    if of_base != base.len() as u64 || length > MOST_OBJECT_BYTES as u64 {
        return None;
    }
    into.clear();
    into.reserve(length as usize);
    while let Some((&command, rest)) = delta.split_first() {
        delta = rest;
        let piece = match command {
            0 => return None,
            1..=0x7f => {
                let (piece, rest) = delta.split_at_checked(command.into())?;
                delta = rest;
                piece
            }
            _ => {
                let start = operand(&mut delta, command, 4)?;
                let size = match operand(&mut delta, command >> 4, 3)? {
                    0 => 0x1_0000,
                    size => size,
                };
                base.get(start..)?.get(..size)?
            }
        };
        if into.len() + piece.len() > length as usize {
            return None;
        }
        into.extend_from_slice(piece);
    }
    (into.len() as u64 == length).then_some(())
}

/// A little-endian number of which only those bytes are written that `present` has a bit for.
fn operand(delta: &mut &[u8], present: u8, bytes: u32) -> Option<usize> {
    let mut number = 0;
    for i in (0..bytes).filter(|i| present >> i & 1 == 1) {
        let (&byte, rest) = delta.split_first()?;
        *delta = rest;
        number |= usize::from(byte) << (8 * i);
    }
    Some(number)
}

/// A number in groups of seven bits, the lowest first.
fn varint(delta: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let (&byte, rest) = delta.split_first()?;
        *delta = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
        let mut into = vec![9; 3];
        apply(base, delta, &mut into).map(|()| into)
    }

    #[test]
    fn differences_are_applied_as_the_format_says() {
        // Copy 2 bytes from 1; insert "xy"; copy 1 byte from 0 (no offset byte).
        assert_eq!(
            made(b"abc", b"\x03\x05\x91\x01\x02\x02xy\x90\x01").as_deref(),
            Some(&b"bcxya"[..])
        );
        assert_eq!(made(b"", b"\x00\x00").as_deref(), Some(&b""[..]));
        let long = vec![7; 0x1_0001];
        // No size at all means 65,536.
        assert_eq!(
            made(&long, b"\x81\x80\x04\x80\x80\x04\x80").map(|made| made.len()),
            Some(0x1_0000)
        );
    }

    #[test]
    fn differences_that_are_none_are_refused() {
        for delta in [
            &b""[..],
            b"\x03",
            b"\x03\x80",
            b"\x02\x01\x90\x01",         // another base
            b"\x03\x01\x00",             // no such command
            b"\x03\x02\x90\x01",         // too short a result
            b"\x03\x01\x90\x02",         // too long a result
            b"\x03\x04\x90\x04",         // beyond the base
            b"\x03\x01\x91\x03\x01",     // behind the base
            b"\x03\x01\x91",             // no operand
            b"\x03\x02\x02x",            // too few bytes
            b"\x03\xff\xff\xff\xff\x7f", // more than any object may have
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00",
        ] {
            assert_eq!(made(b"abc", delta), None, "{delta:x?}");
        }
    }
}
