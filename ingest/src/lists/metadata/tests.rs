//! Tables of every form, joined to listings.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int64Type};
use parquet::arrow::ArrowWriter;

use super::super::testing::tables;
use super::*;
use crate::store::Stores;

fn load(config: &str, files: &[(&str, &[u8])]) -> Result<Metadata> {
    let folder = tempfile::tempdir().expect("a folder");
    let config: MetadataConfig = serde_json::from_str(config).expect("settings");
    let (tables, stores) = (&tables(folder.path(), files), &Stores::default());
    Metadata::load(&config, Place { tables, stores })
}

/// A listing of one file in each repository; `stars` of the last are known.
fn listing(repositories: &[&str]) -> RecordBatch {
    let count = repositories.len();
    let listed = columns::listed();
    let arrays = listed.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            columns::REPO_NAME => Arc::new(StringArray::from(repositories.to_vec())),
            columns::STARS => Arc::new(
                (0..count)
                    .map(|i| (i + 1 == count).then_some(77))
                    .collect::<arrow_array::Int64Array>(),
            ),
            _ => arrow_array::new_null_array(field.data_type(), count),
        }
    });
    let fields = listed
        .fields()
        .iter()
        .map(|field| field.as_ref().clone().with_nullable(true))
        .collect::<Vec<_>>();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays.collect()).expect("a listing")
}

const CONFIG: &str = r#"{"columns": {"archived": "is_archived", "pushed_at": "pushed", "size": "kilobytes"}, "types": {"size": "number"}}"#;

/// The joined columns of one repository, as text.
fn joined(metadata: &Metadata, repository: &str) -> String {
    let joined = metadata.join(&listing(&[repository, "other"])).expect("joined");
    assert_eq!(joined.schema(), metadata.schema(&listing(&[]).schema()));
    let column = |name: &str| joined.column_by_name(name).expect("a column").clone();
    let int = |name: &str| column(name).as_primitive::<Int64Type>().iter().next().flatten();
    let text = |name: &str| {
        column(name)
            .as_string::<i32>()
            .iter()
            .next()
            .flatten()
            .unwrap_or("–")
            .to_owned()
    };
    assert_eq!(
        column("stars").as_primitive::<Int64Type>().value(1),
        77,
        "what a source knows stays"
    );
    format!(
        "{:?} {:?} {} {} {:?} {} {:?}",
        int("stars"),
        int("forks"),
        text("inherited_license"),
        text("license_evidence"),
        column("archived").as_boolean().iter().next().flatten(),
        text("pushed_at"),
        column("size").as_primitive::<Float64Type>().iter().next().flatten(),
    )
}

fn parquet() -> Vec<u8> {
    let texts = |values: &[Option<&str>]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("full_name", texts(&[Some("Owner/Name")]), true),
        (
            "stargazers_count",
            Arc::new(arrow_array::Float64Array::from(vec![Some(12.0)])) as ArrayRef,
            true,
        ),
        (
            "forks_count",
            Arc::new(arrow_array::Int32Array::from(vec![Some(3)])) as ArrayRef,
            true,
        ),
        ("license", texts(&[Some("mit")]), true),
        (
            "is_archived",
            Arc::new(BooleanArray::from(vec![Some(true)])) as ArrayRef,
            true,
        ),
        ("pushed", texts(&[Some("2024-05-06")]), true),
        (
            "kilobytes",
            Arc::new(arrow_array::Float64Array::from(vec![Some(1.5)])) as ArrayRef,
            true,
        ),
    ]);
    let batch = batch.expect("columns of one length");
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
    bytes
}

#[test]
fn tables_of_every_form_say_the_same() {
    let csv = "\u{feff}full_name,stargazers_count,forks_count,license,is_archived,pushed,kilobytes\r\n\
               Owner/Name,12.0,3,mit,TRUE,2024-05-06,1.5\r\n";
    let tsv = csv
        .replace(',', "\t")
        .replace("Owner/Name", "\"https://h/Owner/Name.git\"");
    let json = br#"
        {"nameWithOwner": "owner/name", "stars": 12, "forkCount": 3, "license": "MIT", "is_archived": true, "pushed": "2024-05-06", "kilobytes": 1.5}
    "#;
    let gzip = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, csv.as_bytes()).expect("written");
        encoder.finish().expect("closed")
    };
    let parquet = parquet();
    let forms: [(&str, &[u8]); 5] = [
        ("a.csv", csv.as_bytes()),
        ("a.tsv", tsv.as_bytes()),
        ("a.jsonl", json),
        ("a.CSV.gz", &gzip),
        ("a.parquet", &parquet),
    ];
    for form in forms {
        let metadata = load(CONFIG, &[form]).unwrap_or_else(|error| panic!("{}: {error}", form.0));
        let expected = "Some(12) Some(3) MIT metadata Some(true) 2024-05-06 Some(1.5)";
        assert_eq!(joined(&metadata, "oWNER/nAME"), expected, "{}", form.0);
        assert_eq!(
            joined(&metadata, "owner/names"),
            "None None – – None – None",
            "{}",
            form.0
        );
    }
}

#[test]
fn the_first_row_of_a_repository_counts() {
    let first: (&str, &[u8]) = ("a.csv", b"repo,stars\na/b,1\nA/B,2\nc/d,\n");
    let second: (&str, &[u8]) = (
        "b.jsonl",
        b"{\"repo\": \"a/b\", \"stars\": 3}\n{\"repo\": 17, \"stars\": 4}\n",
    );
    let metadata = load("{}", &[first, second]).expect("tables");
    assert_eq!((metadata.repositories(), metadata.duplicates), (3, 2));
    let joined = metadata.join(&listing(&["a/b", "c/d", "17", "x"])).expect("joined");
    let stars: Vec<_> = joined
        .column_by_name("stars")
        .expect("stars")
        .as_primitive::<Int64Type>()
        .iter()
        .collect();
    assert_eq!(stars, [Some(1), None, Some(4), Some(77)]);
    assert!(metadata.knows("17") && !metadata.knows("1"));
}

#[test]
fn keys_inside_objects_are_reached_with_a_dot() {
    let config = r#"{"columns": {"key": "repo.id", "license": "license.spdx_id", "fork_of": "parent.full_name"}}"#;
    let json = br#"{"repo": {"id": 5}, "license": {"spdx_id": "ISC"}, "parent": {"full_name": "x/y"}}"#;
    let other = br#"{"repo": {"id": 6}, "license": null, "parent": {"full_name": null}}"#;
    let metadata = load(config, &[("a.jsonl", &[&json[..], b"\n", other].concat())]).expect("a table");
    let joined = metadata.join(&listing(&["5", "6"])).expect("joined");
    let texts = |name: &str| {
        joined
            .column_by_name(name)
            .expect("a column")
            .as_string::<i32>()
            .iter()
            .map(|t| t.map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert_eq!(texts("inherited_license"), [Some("ISC".to_owned()), None]);
    assert_eq!(texts("fork_of"), [Some("x/y".to_owned()), None]);
}

#[test]
fn what_makes_no_sense_says_where() {
    let long = format!("repo\n\"{}", "x".repeat(3 << 20));
    for (config, file, words) in [
        ("{}", ("a.csv", "stars\n1\n"), "there is no column `repo_name`"),
        ("{}", ("a.jsonl", "{\"stars\": 1}\n"), "line 1"),
        ("{}", ("a.jsonl", "{\"repo\": \"a\"}\nnonsense\n"), "line 2"),
        (
            "{}",
            ("a.csv", "repo,stars\na,many\n"),
            "line 2: `stars` is `many`, not a whole number",
        ),
        ("{}", ("a.csv", "repo\n\"\"\n"), "names no repository"),
        ("{}", ("a.csv", long.as_str()), "longer than"),
        ("{}", ("a.jsonl", &long[5..]), "longer than"),
        ("{}", ("a.parquet", "PAR1"), "cannot be read"),
        ("{}", ("a.txt", "a/b\n"), "no table with columns"),
        ("{}", ("a.xls", ""), "does not say what it is"),
        (
            r#"{"max-bytes": 50}"#,
            ("a.csv", "repo\na\nb\nc\n"),
            "more than 50 bytes",
        ),
        (
            r#"{"columns": {"archived": "dead"}}"#,
            ("a.csv", "repo\na\n"),
            "there is no column `dead`",
        ),
        (
            r#"{"columns": {"archived": "dead"}}"#,
            ("a.csv", "repo,dead\na,perhaps\n"),
            "not true or false",
        ),
        (
            r#"{"columns": {"path": "p"}}"#,
            ("a.csv", "repo,p\n"),
            "`path`, which every data set has already",
        ),
        (r#"{"columns": {"Size": "p"}}"#, ("a.csv", "repo,p\n"), "lower case"),
        (r#"{"types": {"size": "number"}}"#, ("a.csv", "repo\n"), "`types.size`"),
    ] {
        let error = load(config, &[(file.0, file.1.as_bytes())])
            .expect_err(words)
            .to_string()
            .replace("\n  in ", ": ");
        assert!(
            error.contains(words) || words.split(": ").all(|part| error.contains(part)),
            "{words}: {error}"
        );
    }
}

#[test]
fn given_values_take_the_place_of_tables() {
    let metadata = load(CONFIG, &[("a.csv", b"repo,is_archived,pushed,kilobytes\na,0,,1\n")]).expect("a table");
    let values = [
        ("archived", Value::from(true)),
        ("size", Value::from(7)),
        ("stars", Value::from(5)),
    ];
    let values = values.map(|(name, value)| (name.to_owned(), value)).into();
    let joined = metadata.given(&listing(&["a"]), &values).expect("joined");
    assert!(joined.column_by_name("archived").expect("added").as_boolean().value(0));
    assert!(
        (joined
            .column_by_name("size")
            .expect("added")
            .as_primitive::<Float64Type>()
            .value(0)
            - 7.0)
            .abs()
            < 1e-9
    );
    assert_eq!(
        joined
            .column_by_name("stars")
            .expect("listed")
            .as_primitive::<Int64Type>()
            .value(0),
        77
    );
}
