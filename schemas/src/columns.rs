//! Names and types of every column, and how to reach one in a batch.
//!
//! ```text
//!   listing    file_id … trouble             what `Source::list` emits, plus what the listing phase adds
//!   content    + content, encoding, …        added in the content phase; `content` is Binary until decoded, then Utf8
//!   published  corpus, ledger, clusters, tokens: see `docs/formats.md`
//! ```

use std::sync::Arc;

use arrow_array::{
    Array, BinaryArray, BooleanArray, FixedSizeBinaryArray, Float64Array, Int64Array, RecordBatch, StringArray,
    UInt32Array, UInt64Array,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use crate::error::{Error, Result};

/// Version of the published tables; a change of name, type or meaning raises it.
pub const VERSION: u32 = 1;

macro_rules! names {
    ($($(#[$doc:meta])* $const:ident = $name:literal;)*) => {
        $($(#[$doc])* pub const $const: &str = $name;)*

        /// Every name above.
        pub const ALL: &[&str] = &[$($name),*];
    };
}
names! {
    /// UInt64: [`crate::FileId`].
    FILE_ID = "file_id";
    /// Utf8: the source's name in the recipe.
    SOURCE = "source";
    /// Utf8: the repository, as the source names it.
    REPO_NAME = "repo_name";
    /// Utf8: commit id, or the hash that stands for it.
    REVISION_ID = "revision_id";
    /// Utf8, null in the one row of a repository that cannot be read: escaped as [`crate::path`] says.
    PATH = "path";
    /// UInt32: git file mode (`0o100644`, `0o120000` symlink, `0o160000` submodule); 0 of a row that the source's settings
    /// do not ask for.
    MODE = "mode";
    /// UInt64: length of the raw bytes.
    LENGTH_BYTES = "length_bytes";
    /// FixedSizeBinary(20), nullable: git blob id.
    BLOB_ID = "blob_id";
    /// UInt64: where the source finds the row again (entry of an archive, row of a table); 0 where ids or paths do.
    LOCATOR = "locator";
    /// Int64, nullable: stars of the repository.
    STARS = "stars";
    /// Int64, nullable: forks of the repository.
    FORKS = "forks";
    /// Float64, nullable: what somebody's model thinks of the file: a column of the source's own table.
    SCORE = "score";
    /// Int64, nullable: characters of what people wrote in an issue; those of bots and quoted mail left out.
    CONVERSATION_CHARACTERS = "conversation_characters";
    /// Int64, nullable: events of an issue; those of bots left out.
    CONVERSATION_EVENTS = "conversation_events";
    /// Int64, nullable: people that take part in an issue.
    CONVERSATION_USERS = "conversation_users";
    /// Int64, nullable: 1 where a bot opened a pull request, else 0.
    PULL_BY_BOT = "pull_by_bot";
    /// Int64, nullable: 1 where a pull request was merged or approved, else 0.
    PULL_ACCEPTED = "pull_accepted";
    /// Int64, nullable: how often the base of a pull request changed before it was merged.
    PULL_REBASES = "pull_rebases";
    /// Int64, nullable: comments and reviews of a pull request that are of no bot.
    PULL_COMMENTS = "pull_comments";
    /// Int64, nullable: changed files of a pull request that are written.
    PULL_FILES = "pull_files";
    /// Int64, nullable: pull requests of the same repository in the same table.
    PULL_SIBLINGS = "pull_siblings";
    /// Utf8, nullable: the title of a pull request, or its first 16 KiB.
    PULL_TITLE = "pull_title";
    /// Utf8, nullable: the description of a pull request without quoted mail and hidden comments, or its first 16 KiB.
    PULL_DESCRIPTION = "pull_description";
    /// Int64, nullable: characters of a file before a commit.
    CHANGE_OLD_CHARACTERS = "change_old_characters";
    /// Int64, nullable: characters of a file after a commit.
    CHANGE_NEW_CHARACTERS = "change_new_characters";
    /// Int64, nullable: lines of the old file before the first one that a commit changes.
    CHANGE_FIRST_LINE = "change_first_line";
    /// Int64, nullable: lines of the old file up to the last one that a commit changes.
    CHANGE_LAST_LINE = "change_last_line";
    /// Utf8, nullable: the first line of a commit's message, or its first 16 KiB.
    CHANGE_SUBJECT = "change_subject";
    /// Utf8, nullable: SPDX expression that the file inherits from license files, manifests or metadata above it.
    INHERITED_LICENSE = "inherited_license";
    /// Utf8, nullable: where that expression was found (a path, or `metadata`).
    LICENSE_EVIDENCE = "license_evidence";
    /// Boolean, nullable: `linguist-vendored` of `.gitattributes`.
    ATTRIBUTE_VENDORED = "attribute_vendored";
    /// Boolean, nullable: `linguist-generated` of `.gitattributes`.
    ATTRIBUTE_GENERATED = "attribute_generated";
    /// Utf8, nullable: `linguist-language` of `.gitattributes`.
    ATTRIBUTE_LANGUAGE = "attribute_language";
    /// Boolean: a third party's copy, by Linguist's paths.
    IS_VENDOR = "is_vendor";
    /// Struct, nullable, see [`history`]: when a file was in its repository, and where.
    HISTORY = "history";
    /// Utf8, nullable: what went wrong with this one row.
    TROUBLE = "trouble";
    /// Binary, then Utf8 once decoded: the file.
    CONTENT = "content";
    /// FixedSizeBinary(16): xxh3-128 of the raw bytes.
    CONTENT_HASH = "content_hash";
    /// Utf8: WHATWG name of the encoding that the raw bytes had.
    ENCODING = "encoding";
    /// Utf8, nullable: Linguist's name of the language that a notebook became a script of.
    NOTEBOOK_LANGUAGE = "notebook_language";
    /// Utf8, nullable: Linguist's name of the language.
    LANGUAGE = "language";
    /// Boolean: written by a program, as in Linguist.
    IS_GENERATED = "is_generated";
    /// UInt64, nullable: tokens of the decoded text; there where a rule asks for it.
    TOKEN_COUNT = "token_count";
    /// Utf8, nullable: SPDX expression of the file.
    LICENSE_EXPRESSION = "license_expression";
    /// Utf8: [`crate::license::LicenseType`].
    LICENSE_TYPE = "license_type";
    /// Binary: band hashes of the sketch, u64 little endian, one a band; then the hash of the whole set.
    BANDS = "bands";
    /// Binary: sorted set of shingles, u64 little endian; goes to a side file.
    SHINGLES = "shingles";
    /// UInt64: bytes of UTF-8 that stripping headers took out of the text.
    HEADER_BYTES = "header_bytes";
    /// Binary, nullable: lines that an earlier file has, too; internal.
    BLOCK_SPANS = "block_spans";
    /// UInt32: lines that were taken out, because an earlier file has them, too.
    CUT_LINES = "cut_lines";
    /// Utf8, nullable: what of benchmarks was found in the file, as JSON: an array of [`crate::benchmark::Found`].
    FINDINGS = "findings";
    /// Struct of Int32: how often each kind was replaced.
    REDACTIONS = "redactions";
    /// Utf8, nullable: blob id of the cluster's keeper.
    CLUSTER_ID = "cluster_id";
    /// Utf8, nullable: blob id of the keeper of the file's structural cluster; there where the stage is on.
    STRUCTURAL_CLUSTER = "structural_cluster";
}

/// Numbers that a table of issues, pull requests or commits tells of each row: Int64, nullable.
pub const TOLD_NUMBERS: [&str; 13] = [
    CONVERSATION_CHARACTERS,
    CONVERSATION_EVENTS,
    CONVERSATION_USERS,
    PULL_BY_BOT,
    PULL_ACCEPTED,
    PULL_REBASES,
    PULL_COMMENTS,
    PULL_FILES,
    PULL_SIBLINGS,
    CHANGE_OLD_CHARACTERS,
    CHANGE_NEW_CHARACTERS,
    CHANGE_FIRST_LINE,
    CHANGE_LAST_LINE,
];

/// Texts that such a table tells: Utf8, nullable.
pub const TOLD_TEXTS: [&str; 3] = [PULL_TITLE, PULL_DESCRIPTION, CHANGE_SUBJECT];

/// What every `Source::list` emits, in this order. `file_id` is given by the runner.
pub fn listed() -> SchemaRef {
    use DataType::{Boolean, FixedSizeBinary, Int64, UInt32, UInt64, Utf8};
    let field = |name: &str, data_type, nullable| Field::new(name, data_type, nullable);
    let mut fields = vec![
        field(REPO_NAME, Utf8, false),
        field(REVISION_ID, Utf8, false),
        field(PATH, Utf8, true),
        field(MODE, UInt32, false),
        field(LENGTH_BYTES, UInt64, false),
        field(BLOB_ID, FixedSizeBinary(20), true),
        field(LOCATOR, UInt64, false),
        field(STARS, Int64, true),
        field(FORKS, Int64, true),
        field(SCORE, DataType::Float64, true),
        field(INHERITED_LICENSE, Utf8, true),
        field(LICENSE_EVIDENCE, Utf8, true),
        field(ATTRIBUTE_VENDORED, Boolean, true),
        field(ATTRIBUTE_GENERATED, Boolean, true),
        field(ATTRIBUTE_LANGUAGE, Utf8, true),
        field(HISTORY, history(), true),
        field(TROUBLE, Utf8, true),
    ];
    fields.extend(TOLD_NUMBERS.map(|name| field(name, Int64, true)));
    fields.extend(TOLD_TEXTS.map(|name| field(name, Utf8, true)));
    Arc::new(Schema::new(fields))
}

/// The type of [`HISTORY`]: commits as hexadecimal ids, times in seconds since 1970, paths as [`crate::path`] says.
///
/// ```text
///   first_commit, first_time, first_author_time   the first commit that holds the file; committer's and author's date
///   last_commit, last_time                        the last one
///   path_count, paths                             how many paths it had, and these (the first 1,000 by their bytes)
///   renames (commit, from, to)                    commits that moved it unchanged (the first 1,000)
/// ```
pub fn history() -> DataType {
    use DataType::{Int64, UInt32, Utf8};
    let field = |name: &str, data_type| Field::new(name, data_type, false);
    DataType::Struct(
        vec![
            field("first_commit", Utf8),
            field("first_time", Int64),
            field("first_author_time", Int64),
            field("last_commit", Utf8),
            field("last_time", Int64),
            field("path_count", UInt32),
            field("paths", list(Field::new_list_field(Utf8, false))),
            field("renames", list(Field::new_list_field(rename(), false))),
        ]
        .into(),
    )
}

/// One of the `renames` of [`history`].
pub fn rename() -> DataType {
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    DataType::Struct(vec![text("commit"), text("from"), text("to")].into())
}

/// What every `Source::commits` emits: one row for each commit, as published.
pub fn commits() -> SchemaRef {
    use DataType::{Int32, Int64, Utf8};
    let field = |name: &str, data_type| Field::new(name, data_type, false);
    Arc::new(Schema::new(vec![
        field(REPO_NAME, Utf8),
        field(REVISION_ID, Utf8),
        field("commit_id", Utf8),
        field("parents", list(Field::new_list_field(Utf8, false))),
        field("author_name", Utf8),
        field("author_email", Utf8),
        field("author_time", Int64),
        field("author_offset", Int32),
        field("committer_name", Utf8),
        field("committer_email", Utf8),
        field("committer_time", Int64),
        field("committer_offset", Int32),
        field("message", Utf8),
        field("changes", list(Field::new_list_field(change(), false))),
    ]))
}

/// One of the `changes` of [`commits`]; ids in hexadecimal. What there is not, before or after, is null.
pub fn change() -> DataType {
    use DataType::{UInt32, Utf8};
    let field = |name: &str, data_type, nullable| Field::new(name, data_type, nullable);
    DataType::Struct(
        vec![
            field("old_path", Utf8, true),
            field("new_path", Utf8, true),
            field("old_mode", UInt32, true),
            field("new_mode", UInt32, true),
            field("old_blob_id", Utf8, true),
            field("new_blob_id", Utf8, true),
            field(TROUBLE, Utf8, true),
        ]
        .into(),
    )
}

fn list(of: Field) -> DataType {
    DataType::List(Arc::new(of))
}

/// What every `Source::read` emits: `content` is null exactly where `trouble` is not.
pub fn contents() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new(FILE_ID, DataType::UInt64, false),
        Field::new(CONTENT, DataType::Binary, true),
        Field::new(TROUBLE, DataType::Utf8, true),
    ]))
}

/// Column `name` of `record` as array type `A`, or a schema error that names it.
pub fn typed<'a, A: Array + 'static>(record: &'a RecordBatch, name: &str) -> Result<&'a A> {
    let array = record
        .column_by_name(name)
        .ok_or_else(|| Error::schema(format!("column `{name}` is missing")))?;
    array.as_any().downcast_ref::<A>().ok_or_else(|| {
        Error::schema(format!(
            "column `{name}` has type {}, which is not what it is declared as",
            array.data_type()
        ))
    })
}

macro_rules! typed_columns {
    ($($(#[$doc:meta])* $name:ident: $array:ty;)*) => {$(
        $(#[$doc])*
        pub fn $name<'a>(record: &'a RecordBatch, name: &str) -> Result<&'a $array> {
            typed(record, name)
        }
    )*};
}
typed_columns! {
    /// A Utf8 column.
    strings: StringArray;
    /// A Binary column.
    binaries: BinaryArray;
    /// A Boolean column.
    booleans: BooleanArray;
    /// A UInt32 column.
    u32s: UInt32Array;
    /// A UInt64 column.
    u64s: UInt64Array;
    /// An Int64 column.
    i64s: Int64Array;
    /// A Float64 column.
    f64s: Float64Array;
    /// A FixedSizeBinary column.
    fixed: FixedSizeBinaryArray;
}
