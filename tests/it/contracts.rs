//! What every Map promises, tried on all of them at once with whatever a file may hold.

use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::FixedSizeBinaryBuilder;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray, UInt32Array,
    UInt64Array, new_null_array,
};
use arrow_schema::{DataType, SchemaRef};
use proptest::prelude::*;
use stackmill::Recipe;
use stackmill::isolate::Workers;
use stackmill::passes::{cut, left, listing};
use stackmill::stages::Stages;
use stackmill_schemas::context::{Batches, Interrupt, Progress, SideFiles, TaskContext};
use stackmill_schemas::stage::Map;
use stackmill_schemas::{ContentHash, Error, FileBatch, FileId, columns};
use stackmill_tests::program;

/// Every stage that there is, with every rule at its default.
const RECIPE: &str = r#"
name = "everything"
[[source]]
directory = "."
[notebooks]
[near]
[redact]
[decontaminate]
[tokenize]
sequence-length = 64
[rules]
"#;

struct Still;

impl Progress for Still {
    fn advance(&self, _files: u64, _bytes: u64) {}
}

impl Interrupt for Still {
    fn is_raised(&self) -> bool {
        false
    }
}

impl SideFiles for Still {
    fn shingles(&self, home: u32) -> stackmill_schemas::Result<Batches<'_>> {
        Err(Error::bug(format!("no Map reads the side file of home {home}")))
    }
}

fn context() -> TaskContext {
    TaskContext {
        progress: Arc::new(Still),
        interrupt: Arc::new(Still),
        isolate: Arc::new(Workers::new(program())),
        side: Arc::new(Still),
        homes: Arc::default(),
        cache: std::path::PathBuf::new(),
    }
}

fn stages() -> Stages {
    let rules: String = stackmill_filters::RULES
        .iter()
        .filter(|rule| rule.name != "classifier") // which needs a model
        .map(|rule| match rule.name {
            // No source has scores.
            "score" => "score = { keep-unknown = true }\n".to_owned(),
            name => format!("{name} = true\n"),
        })
        .collect();
    let recipe = Recipe::parse(&format!("{RECIPE}{rules}"), Path::new("recipe.toml"), &[]).expect("a valid recipe");
    Stages::build(&recipe).expect("stages that fit together")
}

/// A file as it may come: path, mode, bytes.
type File = (String, u32, Vec<u8>);

fn file() -> impl Strategy<Value = File> {
    let endings = [
        "py", "rs", "js", "md", "json", "html", "min.js", "c", "txt", "", "lock", "ipynb",
    ];
    let folders = ["", "src/", "vendor/", "node_modules/a/", "../", "/", "a//b/"];
    let modes = [0o100_644, 0o100_644, 0o100_644, 0o100_755, 0o120_000, 0o160_000];
    let code = "(def [a-z]{1,8}\\(x\\):\n    return \"[a-z]{1,6}@[a-z]{1,6}\\.org\"\n|fn [a-z]{1,8}\\(\\) \\{ \\}\n|[(\\[{]{1,40}|[ -~]{0,80}\n|é😀\u{feff}?\r\n){0,30}";
    let content = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..400),
        code.prop_map(String::into_bytes),
        "[ -~]{900,1100}".prop_map(String::into_bytes),
        code.prop_map(|text| text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ];
    let path = (
        prop::sample::select(folders.to_vec()),
        "[a-zA-Z.]{1,9}",
        prop::sample::select(endings.to_vec()),
    );
    let path = path.prop_map(|(folder, stem, ending)| format!("{folder}{stem}.{ending}"));
    (path, prop::sample::select(modes.to_vec()), content)
}

/// What a source lists of `files`, numbered.
fn listed(files: &[File]) -> RecordBatch {
    let schema = listing::numbered_schema();
    let count = files.len();
    let column = |name: &str, data_type: &DataType| -> ArrayRef {
        match name {
            columns::FILE_ID => Arc::new(UInt64Array::from_iter_values(
                (0..count).map(|i| FileId::new(3, i as u32).0),
            )),
            columns::SOURCE | columns::REPO_NAME => Arc::new(StringArray::from(vec!["r"; count])),
            columns::REVISION_ID => Arc::new(StringArray::from(vec!["1"; count])),
            columns::PATH => Arc::new(StringArray::from_iter_values(files.iter().map(|file| &file.0))),
            columns::MODE => Arc::new(UInt32Array::from_iter_values(files.iter().map(|file| file.1))),
            listing::UNIT => Arc::new(UInt32Array::from(vec![0; count])),
            columns::LENGTH_BYTES => Arc::new(UInt64Array::from_iter_values(
                files.iter().map(|file| file.2.len() as u64),
            )),
            columns::LOCATOR => Arc::new(UInt64Array::from(vec![0; count])),
            columns::STARS => Arc::new(Int64Array::from(vec![Some(5); count])),
            columns::BLOB_ID => Arc::new(blobs(files)),
            _ => new_null_array(data_type, count),
        }
    };
    let arrays = schema
        .fields()
        .iter()
        .map(|field| column(field.name(), field.data_type()))
        .collect();
    RecordBatch::try_new(schema, arrays).expect("the columns of a listing")
}

fn blobs(files: &[File]) -> FixedSizeBinaryArray {
    let mut builder = FixedSizeBinaryBuilder::new(20);
    for file in files {
        let hash = ContentHash::of(&file.2).0;
        builder
            .append_value([&hash[..], &hash[..4]].concat())
            .expect("20 bytes");
    }
    builder.finish()
}

fn ranks(count: usize) -> FixedSizeBinaryArray {
    let mut builder = FixedSizeBinaryBuilder::new(16);
    (0..count).for_each(|row| builder.append_value([row as u8; 16]).expect("16 bytes"));
    builder.finish()
}

/// The same rows under a schema of a later pass: what is new comes from `fresh`, the rest from `record`.
fn widened(record: &RecordBatch, schema: &SchemaRef, fresh: &dyn Fn(&str, &DataType) -> ArrayRef) -> FileBatch {
    let column = |name: &str, data_type: &DataType| match (name, record.column_by_name(name)) {
        (columns::CONTENT | columns::TROUBLE, _) | (_, None) => fresh(name, data_type),
        (_, Some(column)) => column.clone(),
    };
    let arrays = schema
        .fields()
        .iter()
        .map(|field| column(field.name(), field.data_type()))
        .collect();
    let record = RecordBatch::try_new(schema.clone(), arrays).expect("the columns of a pass");
    FileBatch::new(record).expect("a batch with ids")
}

/// Sends `batch` through `maps` and holds each against its promises.
fn promises(maps: &[Box<dyn Map>], mut batch: FileBatch, cx: &TaskContext) -> FileBatch {
    for map in maps {
        let name = map.name();
        let declared = map
            .schema(&batch.record().schema())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let before = batch.clone();
        batch = map
            .open(cx)
            .and_then(|mut task| task.map(batch))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let after = batch.record();
        assert_eq!(
            after.schema().fields(),
            declared.fields(),
            "{name} has other columns than it declared"
        );
        for (at, (old, new)) in before.record().columns().iter().zip(after.columns()).enumerate() {
            let column = before.record().schema().field(at).name().clone();
            assert_eq!(&column, after.schema().field(at).name(), "{name} moved a column");
            let may = column == columns::CONTENT && ["decode", "notebooks", "redact"].contains(&name);
            assert!(may || old == new, "{name} changed `{column}`");
        }
        assert!(
            after.num_columns() >= before.record().num_columns(),
            "{name} took a column away"
        );
        assert_eq!(before.num_rows(), batch.num_rows(), "{name} changed the number of rows");
        let revived = (0..batch.num_rows()).find(|&row| batch.is_kept(row) && !before.is_kept(row));
        assert_eq!(revived, None, "{name} took a decision back");
        let masked = batch.num_rows() - batch.kept_rows().count();
        assert_eq!(masked, batch.decisions().len(), "{name} masked rows without saying why");
        assert_eq!(
            before.decisions(),
            &batch.decisions()[..before.decisions().len()],
            "{name} changed decisions"
        );
    }
    batch
}

fn all_passes(stages: &Stages, files: &[File], cx: &TaskContext) {
    let listed = promises(&stages.listing, FileBatch::new(listed(files)).expect("ids"), cx);
    let survivors = cut::with_copies(&listing::table_schema(&listed.record().schema()));
    let count = files.len();
    let read = widened(
        listed.record(),
        &left::read_schema(&survivors),
        &|name, data_type| match name {
            columns::CONTENT => Arc::new(BinaryArray::from_iter_values(files.iter().map(|file| &file.2))),
            listing::RANK => Arc::new(ranks(count)),
            cut::HAS_COPIES => Arc::new(BooleanArray::from(vec![false; count])),
            _ => new_null_array(data_type, count),
        },
    );
    let judged = promises(&stages.content, read, cx);
    let (record, kept, _) = judged.into_parts();
    let kept = BooleanArray::from(kept);
    let left = record_of_kept(&record, &kept);
    let cluster = arrow_schema::Field::new(columns::CLUSTER_ID, DataType::Utf8, true);
    let none = new_null_array(&DataType::Utf8, left.num_rows());
    let batch = FileBatch::new(left)
        .and_then(|batch| batch.with_column(cluster, none))
        .expect("a batch");
    promises(&stages.syntax, batch, cx);
}

fn record_of_kept(record: &RecordBatch, kept: &BooleanArray) -> RecordBatch {
    arrow_select::filter::filter_record_batch(record, kept).expect("a mask of the same length")
}

/// Invariant 3: columns are only added, rows only masked, ids never change; only `decode` and `redact` change content.
/// Mutation: `builder.append_value("")` for masked rows in `filters/src/redact/mod.rs`' other columns, or let
/// `Language::map` drop a column.
#[test]
fn maps_only_add_columns_and_mask_rows() {
    let (stages, cx) = (stages(), context());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(96)
    });
    let files = prop::collection::vec(file(), 1..12);
    runner
        .run(&files, |files| {
            all_passes(&stages, &files, &cx);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

/// Masked rows are left alone: a batch in which everything was decided comes through every Map as it was.
/// Mutation: iterate over all rows instead of `kept_rows()` in any rule's stage.
#[test]
fn an_empty_batch_passes_every_map() {
    let (stages, cx) = (stages(), context());
    all_passes(&stages, &[], &cx);
    all_passes(&stages, &[("a.py".to_owned(), 0o120_000, b"x".to_vec())], &cx);
}
