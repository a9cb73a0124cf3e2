//! Listing rows: batches without contents, and the facts that files inherit from a few small files above them.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, FixedSizeBinaryBuilder, Float64Builder, Int64Builder, StringBuilder, UInt32Builder, UInt64Builder,
};
use arrow_array::{ArrayRef, RecordBatch};
use stackmill_schemas::lock::Unit;
use stackmill_schemas::path::{escape, hostile};
use stackmill_schemas::stage::Emit;
use stackmill_schemas::{BlobId, Result, TaskContext, columns};

use super::SourceConfig;
use super::past::{Past, PastBuilder};
use super::told::{Told, ToldBuilder};
use crate::detect::flags::{Attributes, FileAttributes};
use crate::detect::license::{LicenseTree, is_license_evidence};

/// A batch of listing rows is handed on when it holds this many.
const BATCH_ROWS: usize = 4096;

/// A batch is handed on when the histories and texts in it take this much (4 MiB).
const MOST_PAST: usize = 4 << 20;

/// License files, manifests and `.gitattributes` beyond this length (256 KiB) are ignored.
const LARGEST_EVIDENCE: u64 = 256 << 10;

/// Most bytes of such files that are read in one unit (1 GiB); a hostile tree may hold millions.
const MOST_READ: u64 = 1 << 30;

/// Most bytes that what they say may take in memory (64 MiB), as [`Evidence::add`] estimates.
const MOST_RETAINED: u64 = 64 << 20;

/// What is kept of a license file or manifest beside its path, up to three times, and its expression.
const RETAINED_OF_LICENSE: usize = 512;

/// Memory for each byte of an SPDX expression, which is kept as a tree of short strings.
const RETAINED_OF_EXPRESSION_BYTE: usize = 16;

/// Memory for each byte of a `.gitattributes` file: a line as short as `a linguist-vendored` is kept as 200 bytes.
const RETAINED_OF_ATTRIBUTE_BYTE: usize = 10;

/// Longest prefix of a path that is recorded: one byte more than [`hostile`] allows.
const LONGEST_RECORDED: usize = 4097;

/// Modes of the entries that a source tells apart.
pub(super) mod mode {
    pub(crate) const FILE: u32 = 0o100644;
    pub(crate) const EXECUTABLE: u32 = 0o100755;
    pub(crate) const SYMLINK: u32 = 0o120000;
    pub(crate) const SUBMODULE: u32 = 0o160000;
    pub(crate) const FOLDER: u32 = 0o040000;
    /// Of a row that the source's settings do not ask for; its trouble says why.
    pub(crate) const NOT_WANTED: u32 = 0;
}

/// The git blob id of `content`; an error where the hash shows a collision attack.
pub(super) fn blob_id(content: &[u8]) -> gix::Result<BlobId> {
    let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, gix::objs::Kind::Blob, content)?;
    Ok(blob_of(&id))
}

/// Our form of git's id; only SHA-1 repositories are read, so all 20 bytes are there.
pub(super) fn blob_of(id: &gix::oid) -> BlobId {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&id.as_bytes()[..20]);
    BlobId(bytes)
}

/// Hashes a blob whose content comes in pieces.
pub(super) struct BlobHasher(gix::hash::Hasher);

impl BlobHasher {
    /// A blob of `length` bytes.
    pub(super) fn new(length: u64) -> Self {
        let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
        hasher.update(format!("blob {length}\0").as_bytes());
        Self(hasher)
    }

    /// More of its content.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Its id; an error where the hash shows a collision attack.
    pub(super) fn finish(self) -> gix::Result<BlobId> {
        self.0.try_finalize().map(|id| blob_of(&id))
    }
}

/// Whose a row is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner<'a> {
    pub(super) repo_name: &'a str,
    pub(super) revision_id: &'a str,
    pub(super) stars: Option<i64>,
    pub(super) forks: Option<i64>,
    /// What a table says of this one file.
    pub(super) score: Option<f64>,
    /// What a table of issues or commits tells of this row.
    pub(super) told: Option<&'a Told>,
}

impl<'a> Owner<'a> {
    /// The repository that a unit is.
    pub(super) fn of(unit: &'a Unit) -> Self {
        Self {
            repo_name: &unit.repo_name,
            revision_id: &unit.revision_id,
            stars: unit.count("stars"),
            forks: unit.count("forks"),
            score: None,
            told: None,
        }
    }
}

/// One path.
#[derive(Clone, Debug)]
pub(super) struct Row<'a> {
    pub(super) path: &'a [u8],
    pub(super) mode: u32,
    pub(super) length: u64,
    pub(super) blob: Option<BlobId>,
    pub(super) locator: u64,
    pub(super) trouble: Option<String>,
}

/// What a path inherits.
#[derive(Default)]
pub(super) struct Inherited {
    /// SPDX expression, and where it was found.
    pub(super) license: Option<(String, String)>,
    /// What `.gitattributes` say.
    pub(super) attributes: Option<FileAttributes>,
}

/// License files, manifests and `.gitattributes` of one unit. Those beyond the limits are ignored, in the order in which
/// the source gives them: what they would have said comes from the folders above.
pub(super) struct Evidence {
    licenses: LicenseTree,
    attributes: Attributes,
    read: u64,
    retained: u64,
}

impl Evidence {
    /// Starts from what the unit's metadata says.
    pub(super) fn new(unit: &Unit) -> Self {
        Self {
            licenses: LicenseTree::new(unit.metadata.get("license").map(String::as_str)),
            attributes: Attributes::new(),
            read: 0,
            retained: 0,
        }
    }

    /// Whether a regular file should be given to [`Evidence::add`].
    pub(super) fn wants(&self, path: &[u8], mode: u32, length: u64) -> bool {
        let regular = mode == mode::FILE || mode == mode::EXECUTABLE;
        let fits = length <= LARGEST_EVIDENCE && self.read + length <= MOST_READ && self.retained < MOST_RETAINED;
        regular && fits && (is_license_evidence(path) || Attributes::is_attributes(path))
    }

    /// Takes note of one file.
    pub(super) fn add(&mut self, path: &[u8], content: &[u8]) {
        self.read += content.len() as u64;
        let retained = if Attributes::is_attributes(path) {
            self.attributes.add(path, content);
            RETAINED_OF_ATTRIBUTE_BYTE * content.len()
        } else {
            self.licenses.add(path, content);
            let expression = self
                .licenses
                .inherited(path)
                .map_or(0, |(expression, _)| expression.len());
            RETAINED_OF_LICENSE + 3 * path.len() + RETAINED_OF_EXPRESSION_BYTE * expression
        };
        self.retained += retained as u64;
    }

    /// What `path` inherits, once every file was added.
    pub(super) fn inherited(&self, path: &[u8]) -> Inherited {
        Inherited {
            license: self.licenses.inherited(path),
            attributes: Some(self.attributes.of(path)),
        }
    }
}

/// Gathers listing rows and hands them on in batches.
pub(super) struct Listing<'a, 'e> {
    emit: &'a mut Emit<'e>,
    cx: &'a TaskContext,
    max_path_bytes: usize,
    columns: Columns,
    rows: usize,
}

#[derive(Default)]
struct Columns {
    repo_name: StringBuilder,
    revision_id: StringBuilder,
    path: StringBuilder,
    mode: UInt32Builder,
    length: UInt64Builder,
    blob: Option<FixedSizeBinaryBuilder>,
    locator: UInt64Builder,
    stars: Int64Builder,
    forks: Int64Builder,
    score: Float64Builder,
    license: StringBuilder,
    evidence: StringBuilder,
    vendored: BooleanBuilder,
    generated: BooleanBuilder,
    language: StringBuilder,
    past: PastBuilder,
    trouble: StringBuilder,
    told: ToldBuilder,
}

impl Columns {
    fn blob(&mut self) -> &mut FixedSizeBinaryBuilder {
        self.blob.get_or_insert_with(|| FixedSizeBinaryBuilder::new(20))
    }

    fn push_blob(&mut self, blob: Option<BlobId>) -> Result<()> {
        match blob {
            Some(BlobId(bytes)) => Ok(self.blob().append_value(bytes)?),
            None => {
                self.blob().append_null();
                Ok(())
            }
        }
    }

    fn push_inherited(&mut self, inherited: &Inherited) {
        let (license, evidence) = inherited
            .license
            .as_ref()
            .map_or((None, None), |(l, e)| (Some(l), Some(e)));
        self.license.append_option(license);
        self.evidence.append_option(evidence);
        let attributes = inherited.attributes.as_ref();
        self.vendored.append_option(attributes.and_then(|a| a.vendored));
        self.generated.append_option(attributes.and_then(|a| a.generated));
        self.language
            .append_option(attributes.and_then(|a| a.language.as_deref()));
    }

    fn finish(&mut self) -> Result<RecordBatch> {
        let blob = self.blob().finish();
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(self.repo_name.finish()),
            Arc::new(self.revision_id.finish()),
            Arc::new(self.path.finish()),
            Arc::new(self.mode.finish()),
            Arc::new(self.length.finish()),
            Arc::new(blob),
            Arc::new(self.locator.finish()),
            Arc::new(self.stars.finish()),
            Arc::new(self.forks.finish()),
            Arc::new(self.score.finish()),
            Arc::new(self.license.finish()),
            Arc::new(self.evidence.finish()),
            Arc::new(self.vendored.finish()),
            Arc::new(self.generated.finish()),
            Arc::new(self.language.finish()),
            self.past.finish()?,
            Arc::new(self.trouble.finish()),
        ];
        arrays.extend(self.told.finish());
        Ok(RecordBatch::try_new(columns::listed(), arrays)?)
    }
}

impl<'a, 'e> Listing<'a, 'e> {
    pub(super) fn new(config: &SourceConfig, emit: &'a mut Emit<'e>, cx: &'a TaskContext) -> Self {
        Self {
            emit,
            cx,
            max_path_bytes: config.max_path_bytes as usize,
            columns: Columns::default(),
            rows: 0,
        }
    }

    /// Adds a row. A path that no repository may hold is trouble, unless there is some already.
    pub(super) fn push(&mut self, owner: Owner<'_>, row: Row<'_>, inherited: &Inherited) -> Result<()> {
        self.push_with(owner, row, inherited, None)
    }

    /// As [`Listing::push`], of a file whose history is known.
    pub(super) fn push_with(
        &mut self,
        owner: Owner<'_>,
        row: Row<'_>,
        inherited: &Inherited,
        past: Option<&Past>,
    ) -> Result<()> {
        let trouble = row.trouble.or_else(|| self.path_trouble(row.path));
        let columns = &mut self.columns;
        columns.repo_name.append_value(owner.repo_name);
        columns.revision_id.append_value(owner.revision_id);
        columns
            .path
            .append_value(escape(&row.path[..row.path.len().min(LONGEST_RECORDED)]));
        columns.mode.append_value(row.mode);
        columns.length.append_value(row.length);
        columns.push_blob(row.blob)?;
        columns.locator.append_value(row.locator);
        columns.stars.append_option(owner.stars);
        columns.forks.append_option(owner.forks);
        columns.score.append_option(owner.score);
        columns.push_inherited(inherited);
        columns.past.append(past)?;
        columns.trouble.append_option(trouble);
        columns.told.append(owner.told);
        self.rows += 1;
        let told = self.columns.past.bytes() + self.columns.told.bytes();
        match self.rows == BATCH_ROWS || told >= MOST_PAST {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn path_trouble(&self, path: &[u8]) -> Option<String> {
        let trouble = hostile(path).map(str::to_owned);
        trouble
            .or_else(|| (path.len() > self.max_path_bytes).then(|| format!("path over {} bytes", self.max_path_bytes)))
    }

    fn flush(&mut self) -> Result<()> {
        let record = self.columns.finish()?;
        self.emit.emit(record)?;
        self.cx.progress.advance(self.rows as u64, 0);
        self.rows = 0;
        self.cx.check()
    }

    /// Hands on what is left.
    pub(super) fn finish(mut self) -> Result<()> {
        match self.rows {
            0 => Ok(()),
            _ => self.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn evidence() -> Evidence {
        Evidence::new(&Unit {
            source: String::new(),
            repo_name: String::new(),
            revision_id: String::new(),
            location: String::new(),
            length_bytes: 0,
            metadata: BTreeMap::new(),
            trouble: None,
        })
    }

    #[test]
    fn evidence_is_wanted_up_to_its_limits() {
        let mut evidence = evidence();
        let wants = |evidence: &Evidence, length| evidence.wants(b"a/LICENSE", mode::FILE, length);
        assert!(wants(&evidence, LARGEST_EVIDENCE) && !wants(&evidence, LARGEST_EVIDENCE + 1));
        assert!(!evidence.wants(b"a/LICENSE", mode::SYMLINK, 1) && !evidence.wants(b"a/b.rs", mode::FILE, 1));
        evidence.read = MOST_READ - 10;
        assert!(wants(&evidence, 10) && !wants(&evidence, 11));
        (evidence.read, evidence.retained) = (0, MOST_RETAINED - 1);
        assert!(wants(&evidence, 1));
        evidence.add(b"a/LICENSE", b"MIT License\n");
        assert!(!wants(&evidence, 1));
    }

    #[test]
    fn what_is_retained_is_counted() {
        let mut evidence = evidence();
        evidence.add(b"a/.gitattributes", b"b linguist-vendored\n");
        assert_eq!(evidence.retained, 20 * RETAINED_OF_ATTRIBUTE_BYTE as u64);
        let manifest = format!("{{\"license\": \"MIT{}\"}}", " OR ISC".repeat(1000));
        evidence.add(b"package.json", manifest.as_bytes());
        assert!(evidence.retained > 512, "{}", evidence.retained);
        assert_eq!(evidence.read as usize, 20 + manifest.len());
    }
}
