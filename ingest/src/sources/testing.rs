//! What the tests of the sources share: a context, repositories made by git itself, rows as plain values.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use arrow_array::builder::UInt64Builder;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use arrow_select::concat::concat_batches;
use stackmill_schemas::columns::{self, binaries, fixed, strings, u32s, u64s};
use stackmill_schemas::context::{Answer, Batches, Homes, Interrupt, Isolate, Progress, SideFiles};
use stackmill_schemas::ids::hex;
use stackmill_schemas::lock::Unit;
use stackmill_schemas::stage::{Emit, Source};
use stackmill_schemas::{Error, Result, TaskContext};

use super::{Setup, SourceConfig};
use crate::network::Network;
use crate::store::Stores;

struct Nothing;

impl Progress for Nothing {
    fn advance(&self, _files: u64, _bytes: u64) {}
}

impl Interrupt for Nothing {
    fn is_raised(&self) -> bool {
        false
    }
}

impl Isolate for Nothing {
    fn call(&self, _request: &[u8]) -> Result<Answer> {
        Err(Error::bug("sources need no worker"))
    }
}

impl SideFiles for Nothing {
    fn shingles(&self, _home: u32) -> Result<Batches<'_>> {
        Err(Error::bug("sources need no side files"))
    }
}

/// A context whose clone cache is `cache`.
pub(super) fn context(cache: &Path) -> TaskContext {
    TaskContext {
        progress: Arc::new(Nothing),
        interrupt: Arc::new(Nothing),
        isolate: Arc::new(Nothing),
        side: Arc::new(Nothing),
        homes: Arc::new(Homes::default()),
        cache: cache.to_owned(),
    }
}

/// The configuration `{key: value}`.
pub(super) fn config(key: &str, value: &str) -> SourceConfig {
    serde_json::from_value(serde_json::json!({ key: value })).expect("a valid source")
}

/// What a source is built from.
pub(super) fn setup(folder: &Path, key: &'static str, value: &str) -> Setup {
    Setup {
        config: config(key, value),
        folder: folder.to_owned(),
        stores: Stores::default(),
        network: Network::default(),
        key,
        patterns: vec![value.to_owned()],
    }
}

/// Writes a file and the folders above it.
pub(super) fn write(path: &Path, content: &[u8]) {
    let folder = path.parent().expect("a folder");
    std::fs::create_dir_all(folder).expect("a new folder");
    std::fs::write(path, content).expect("a new file");
}

/// Runs git in `folder`, without the settings of whoever runs the tests; its output.
pub(super) fn git(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("git")
        .current_dir(folder)
        .args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_AUTHOR_DATE", "2020-01-01T00:00:00Z")
        .env("GIT_COMMITTER_DATE", "2020-01-01T00:00:00Z")
        .output()
        .expect("git runs");
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// A repository `name` in `folder` with one commit of `files`.
pub(super) fn repository(folder: &Path, name: &str, files: &[(&str, &[u8])]) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(&path).expect("a new folder");
    git(&path, &["init", "-q"]);
    for (file, content) in files {
        write(&path.join(file), content);
    }
    git(&path, &["add", "-A"]);
    git(&path, &["commit", "-q", "--allow-empty", "-m", "one"]);
    path
}

/// One listing row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Listed {
    pub(super) repo_name: String,
    pub(super) path: String,
    pub(super) mode: u32,
    pub(super) length: u64,
    pub(super) blob: Option<String>,
    pub(super) locator: u64,
    pub(super) trouble: Option<String>,
}

/// Everything that the source lists of `unit`, as one batch with file ids.
pub(super) fn list_batch(source: &dyn Source, unit: &Unit, cx: &TaskContext) -> Result<RecordBatch> {
    let mut batches = Vec::new();
    let mut push = |batch: RecordBatch| {
        assert_eq!(batch.schema(), columns::listed());
        assert!(batch.num_rows() <= 4096);
        batches.push(batch);
        Ok(())
    };
    source.list(unit, &mut Emit(&mut push), cx)?;
    let batch = concat_batches(&columns::listed(), &batches)?;
    let mut fields = vec![Arc::new(Field::new(columns::FILE_ID, DataType::UInt64, false))];
    fields.extend(batch.schema().fields().iter().cloned());
    let mut ids = UInt64Builder::new();
    (0..batch.num_rows() as u64).for_each(|id| ids.append_value(id));
    let mut arrays: Vec<arrow_array::ArrayRef> = vec![Arc::new(ids.finish())];
    arrays.extend(batch.columns().iter().cloned());
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

/// A batch of listing rows as values.
pub(super) fn rows(batch: &RecordBatch) -> Vec<Listed> {
    let text = |name: &str| strings(batch, name).expect("a text column");
    let blob = fixed(batch, columns::BLOB_ID).expect("ids");
    let trouble = text(columns::TROUBLE);
    (0..batch.num_rows())
        .map(|i| Listed {
            repo_name: text(columns::REPO_NAME).value(i).to_owned(),
            path: text(columns::PATH).value(i).to_owned(),
            mode: u32s(batch, columns::MODE).expect("modes").value(i),
            length: u64s(batch, columns::LENGTH_BYTES).expect("lengths").value(i),
            blob: blob.is_valid(i).then(|| hex(blob.value(i))),
            locator: u64s(batch, columns::LOCATOR).expect("locators").value(i),
            trouble: trouble.is_valid(i).then(|| trouble.value(i).to_owned()),
        })
        .collect()
}

/// Everything that the source lists of `unit`.
pub(super) fn list(source: &dyn Source, unit: &Unit, cx: &TaskContext) -> Result<Vec<Listed>> {
    list_batch(source, unit, cx).map(|batch| rows(&batch))
}

/// Content or trouble of every row of a listing, in its order.
pub(super) fn read(
    source: &dyn Source,
    unit: &Unit,
    wanted: &RecordBatch,
    cx: &TaskContext,
) -> Vec<Result<Vec<u8>, String>> {
    let mut found = vec![None; wanted.num_rows()];
    let mut push = |batch: RecordBatch| {
        assert_eq!(batch.schema(), columns::contents());
        let (content, trouble) = (binaries(&batch, columns::CONTENT)?, strings(&batch, columns::TROUBLE)?);
        for i in 0..batch.num_rows() {
            assert_ne!(content.is_valid(i), trouble.is_valid(i));
            let id = u64s(&batch, columns::FILE_ID)?.value(i) as usize;
            let result = match content.is_valid(i) {
                true => Ok(content.value(i).to_vec()),
                false => Err(trouble.value(i).to_owned()),
            };
            assert!(found[id].replace(result).is_none(), "row {id} was read twice");
        }
        Ok(())
    };
    source.read(unit, wanted, &mut Emit(&mut push), cx).expect("readable");
    found
        .into_iter()
        .map(|result| result.expect("every row is read"))
        .collect()
}

/// The units of the source `{key: value}` and the source.
pub(super) fn opened(folder: &Path, key: &str, value: &str) -> (Arc<dyn Source>, Vec<Unit>) {
    let source = super::open(&config(key, value), folder).expect("a valid source");
    let units = source.resolve(&context(&folder.join("cache"))).expect("resolved");
    (source, units)
}
