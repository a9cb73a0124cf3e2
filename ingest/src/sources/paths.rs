//! Everything that a walk found in one unit, a few dozen bytes an entry: repositories have millions.
//!
//! ```text
//!   bytes    src/·src/detect/·lib.rs·mod.rs·…    folders once each, with their slash; names of entries
//!   folders  (start, length)
//!   entries  (folder, start, length; mode, trouble, bytes; what the source adds)   24 bytes and what it adds
//! ```
//! Nothing here holds a whole path: it is put together where it is needed.

use std::cmp::Ordering;
use std::io;

use super::SourceConfig;
use super::listing::Row;

/// Bytes that names and folders may take together, for each entry that a unit may have: three times what is usual.
const NAME_BYTES_PER_ENTRY: u64 = 64;

/// Bytes that they may take in any case: a limit of few entries is no limit of their lengths.
const LEAST_NAME_BYTES: u64 = 1 << 20;

/// Longest name that is kept; beyond what any path may have, so that the rest does not matter.
const LONGEST_NAME: usize = 8192;

/// Why there is more or less at a path than there seems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    BlobBroken,
    BlobMissing,
    BlobTooLarge,
    ChangedMeanwhile,
    Collision,
    EntryNotRegular,
    EntrySparse,
    FolderTooDeep,
    NameHasSlash,
    NotBlob,
    NotCloned,
    NotRegular,
    NotTree,
    Shadowed,
    TreeBroken,
    TreeMissing,
    TreeTooLarge,
    /// The system says so.
    Unreadable(io::ErrorKind),
}

impl Trouble {
    /// In words.
    pub(super) fn words(self) -> String {
        match self {
            Self::BlobBroken => "the blob is broken",
            Self::BlobMissing => "the blob is missing",
            Self::BlobTooLarge => "the blob is longer than it was when it was listed",
            Self::ChangedMeanwhile => "it changed while it was read",
            Self::Collision => "its hash shows a collision attack",
            Self::EntryNotRegular => "the entry is not a regular file",
            Self::EntrySparse => "the entry is a sparse file",
            Self::FolderTooDeep => "the folder lies too deep",
            Self::NameHasSlash => "the name of an entry holds a slash",
            Self::NotBlob => "the object is not a blob",
            Self::NotCloned => "not cloned, as longer than `max-entry-bytes`",
            Self::NotRegular => "it is not a regular file",
            Self::NotTree => "the object is not a tree",
            Self::Shadowed => "shadowed by a later entry of the same path",
            Self::TreeBroken => "the tree is broken",
            Self::TreeMissing => "the tree is missing",
            Self::TreeTooLarge => "the tree is too large",
            Self::Unreadable(kind) => return kind.to_string(),
        }
        .to_owned()
    }
}

/// A folder of [`Paths`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FolderId(u32);

/// The folder that a unit is.
pub(super) const ROOT: FolderId = FolderId(0);

/// One path, and what is known of it; `T` is what its source adds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<T> {
    folder: FolderId,
    start: u32,
    length: u16,
    mode: u16,
    bytes: [u32; 2],
    trouble: Option<Trouble>,
    /// What the source adds.
    pub(super) more: T,
}

impl<T> Entry<T> {
    /// Git file mode; type bits of what git does not know; that of a folder only where it cannot be entered.
    pub(super) fn mode(&self) -> u32 {
        self.mode.into()
    }

    /// Bytes of the file.
    pub(super) fn bytes(&self) -> u64 {
        let [high, low] = self.bytes.map(u64::from);
        high << 32 | low
    }

    /// Sets the bytes of the file.
    pub(super) fn set_bytes(&mut self, bytes: u64) {
        self.bytes = [(bytes >> 32) as u32, bytes as u32];
    }

    /// Why it cannot be read.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.trouble
    }

    /// Adds trouble, unless there is some already.
    pub(super) fn refuse(&mut self, trouble: Trouble) {
        self.trouble.get_or_insert(trouble);
    }

    /// Puts trouble in the place of what there was.
    pub(super) fn replace_trouble(&mut self, trouble: Trouble) {
        self.trouble = Some(trouble);
    }
}

/// What there is at a path, on its way into [`Paths`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<T> {
    /// As [`Entry::mode`].
    pub(super) mode: u32,
    /// As [`Entry::bytes`].
    pub(super) bytes: u64,
    /// As [`Entry::trouble`].
    pub(super) trouble: Option<Trouble>,
    /// As [`Entry::more`].
    pub(super) more: T,
}

/// The paths of one unit.
pub(super) struct Paths<T> {
    bytes: Vec<u8>,
    folders: Vec<(u32, u32)>,
    entries: Vec<Entry<T>>,
    most_bytes: u64,
}

/// The unit is larger than its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

impl<T> Paths<T> {
    /// No paths yet.
    pub(super) fn new(config: &SourceConfig) -> Self {
        let most_bytes = config.max_entries.saturating_mul(NAME_BYTES_PER_ENTRY);
        Self {
            bytes: Vec::new(),
            folders: vec![(0, 0)],
            entries: Vec::new(),
            most_bytes: most_bytes.clamp(LEAST_NAME_BYTES, u32::MAX.into()),
        }
    }

    /// Adds the folder `name` in `parent`.
    pub(super) fn folder(&mut self, parent: FolderId, name: &[u8]) -> Result<FolderId, TooLarge> {
        let parent = self.folder_range(parent);
        let start = self.spend(parent.len() + name.len() + 1)?;
        self.bytes.extend_from_within(parent);
        self.bytes.extend_from_slice(name);
        self.bytes.push(b'/');
        self.folders.push((start, self.bytes.len() as u32 - start));
        Ok(FolderId(self.folders.len() as u32 - 1))
    }

    /// Adds the path `name` in `folder`.
    pub(super) fn push(&mut self, folder: FolderId, name: &[u8], found: Found<T>) -> Result<(), TooLarge> {
        let name = &name[..name.len().min(LONGEST_NAME)];
        let start = self.spend(name.len() + 1)?;
        self.bytes.extend_from_slice(name);
        // Entries are told apart by where their names start, also where these are empty.
        self.bytes.push(b'/');
        let mut entry = Entry {
            folder,
            start,
            length: name.len() as u16,
            mode: found.mode as u16,
            bytes: [0, 0],
            trouble: found.trouble,
            more: found.more,
        };
        entry.set_bytes(found.bytes);
        self.entries.push(entry);
        Ok(())
    }

    /// Adds a whole path; neighbours that share a folder share its bytes.
    pub(super) fn push_path(&mut self, path: &[u8], found: Found<T>) -> Result<(), TooLarge> {
        let (folder, name) = path.split_at(memchr::memrchr(b'/', path).map_or(0, |slash| slash + 1));
        let last = self.entries.last().map_or(ROOT, |entry| entry.folder);
        let folder = match folder {
            b"" => ROOT,
            same if same == &self.bytes[self.folder_range(last)] => last,
            other => self.folder(ROOT, &other[..other.len() - 1])?,
        };
        self.push(folder, name, found)
    }

    /// Notes that the folder itself cannot be read.
    pub(super) fn refuse(&mut self, folder: FolderId, found: Found<T>) -> Result<(), TooLarge> {
        let path = self.bytes[self.folder_range(folder)].to_vec();
        self.push_path(path.strip_suffix(b"/").unwrap_or_default(), found)
    }

    /// Sorts the entries by path bytes; those of the same path stay in the order in which they came.
    pub(super) fn sort(&mut self) {
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_unstable_by(|a, b| self.compare(a, b).then(a.start.cmp(&b.start)));
        self.entries = entries;
    }

    /// Order of two paths.
    pub(super) fn compare(&self, a: &Entry<T>, b: &Entry<T>) -> Ordering {
        if a.folder == b.folder {
            return self.name(a).cmp(self.name(b));
        }
        let (above_a, above_b) = (
            &self.bytes[self.folder_range(a.folder)],
            &self.bytes[self.folder_range(b.folder)],
        );
        let shared = above_a.len().min(above_b.len());
        above_a[..shared].cmp(&above_b[..shared]).then_with(|| {
            let below_a = above_a[shared..].iter().chain(self.name(a));
            below_a.cmp(above_b[shared..].iter().chain(self.name(b)))
        })
    }

    /// The entries, in order once they are sorted.
    pub(super) fn entries(&self) -> &[Entry<T>] {
        &self.entries
    }

    /// As [`Paths::entries`], to be changed.
    pub(super) fn entries_mut(&mut self) -> &mut [Entry<T>] {
        &mut self.entries
    }

    /// The path of an entry, in `buffer`.
    pub(super) fn path<'a>(&self, entry: &Entry<T>, buffer: &'a mut Vec<u8>) -> &'a [u8] {
        self.folder_path(entry.folder, buffer);
        buffer.extend_from_slice(self.name(entry));
        buffer
    }

    /// The path of a folder, in `buffer`; with a slash at its end, but for the root.
    pub(super) fn folder_path<'a>(&self, folder: FolderId, buffer: &'a mut Vec<u8>) -> &'a [u8] {
        buffer.clear();
        buffer.extend_from_slice(&self.bytes[self.folder_range(folder)]);
        buffer
    }

    /// The listing row of an entry whose path is `path`; blob and locator are the source's business.
    pub(super) fn row<'a>(&self, entry: &Entry<T>, path: &'a [u8]) -> Row<'a> {
        Row {
            path,
            mode: entry.mode(),
            length: entry.bytes(),
            blob: None,
            locator: 0,
            trouble: entry.trouble.map(Trouble::words),
        }
    }

    fn name(&self, entry: &Entry<T>) -> &[u8] {
        &self.bytes[entry.start as usize..][..entry.length.into()]
    }

    fn folder_range(&self, folder: FolderId) -> std::ops::Range<usize> {
        let (start, length) = self.folders[folder.0 as usize];
        start as usize..(start + length) as usize
    }

    /// Where the next `bytes` bytes go.
    fn spend(&mut self, bytes: usize) -> Result<u32, TooLarge> {
        let start = self.bytes.len();
        match (start + bytes) as u64 > self.most_bytes {
            true => Err(TooLarge),
            false => Ok(start as u32),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: Found<()> = Found {
        mode: 0o100_644,
        bytes: 0,
        trouble: None,
        more: (),
    };

    fn all(paths: &Paths<()>) -> Vec<Vec<u8>> {
        let mut buffer = Vec::new();
        let entries = paths.entries().iter();
        entries.map(|entry| paths.path(entry, &mut buffer).to_vec()).collect()
    }

    #[test]
    fn an_entry_takes_few_bytes() {
        assert_eq!(size_of::<Entry<()>>(), 24);
        assert_eq!(size_of::<Entry<[u8; 20]>>(), 44);
    }

    #[test]
    fn lengths_and_modes_come_back() {
        let mut paths = Paths::new(&SourceConfig::default());
        for (mode, bytes) in [
            (0o160_000, 0),
            (0o100_755, u64::from(u32::MAX)),
            (0o010_000, u64::MAX - 1),
        ] {
            let folder = paths.folder(ROOT, b"a").expect("fits");
            paths.push(folder, b"b", Found { mode, bytes, ..FILE }).expect("fits");
            let entry = paths.entries().last().expect("pushed");
            assert_eq!((entry.mode(), entry.bytes(), entry.trouble()), (mode, bytes, None));
        }
        let entry = &mut paths.entries_mut()[0];
        entry.refuse(Trouble::NotBlob);
        entry.refuse(Trouble::Shadowed);
        assert_eq!(entry.trouble(), Some(Trouble::NotBlob));
    }

    #[test]
    fn names_are_limited_together() {
        let config = SourceConfig {
            max_entries: 1,
            ..SourceConfig::default()
        };
        let mut paths = Paths::new(&config);
        let most = LEAST_NAME_BYTES as usize;
        let rest = most % (LONGEST_NAME + 1);
        for _ in 0..most / (LONGEST_NAME + 1) {
            paths.push(ROOT, &[b'n'; LONGEST_NAME + 9], FILE).expect("fits");
        }
        assert_eq!(paths.push(ROOT, &[b'n'; LONGEST_NAME][..rest], FILE), Err(TooLarge));
        assert_eq!(paths.push(ROOT, &[b'n'; LONGEST_NAME][..rest - 1], FILE), Ok(()));
        assert_eq!(paths.push(ROOT, b"", FILE), Err(TooLarge));
        assert_eq!(paths.folder(ROOT, b""), Err(TooLarge));
    }

    proptest! {
        #[test]
        fn paths_are_sorted_as_their_bytes_are(mut expected in prop::collection::vec("[ab/!]{0,6}", 0..40)) {
            let mut paths = Paths::new(&SourceConfig::default());
            for (i, path) in expected.iter().enumerate() {
                paths.push_path(path.as_bytes(), Found { bytes: i as u64, ..FILE }).expect("fits");
            }
            paths.sort();
            expected.sort();
            prop_assert_eq!(all(&paths), expected.iter().map(|path| path.as_bytes().to_vec()).collect::<Vec<_>>());
            for pair in paths.entries().windows(2) {
                let ordered = paths.compare(&pair[0], &pair[1]).then(pair[0].bytes().cmp(&pair[1].bytes()));
                prop_assert_eq!(ordered, Ordering::Less);
            }
        }
    }
}
