//! Inputs made by the programs of others: what goes in is accounted for, row by row.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};
use stackmill_tests::{Sandbox, python, skipped};

/// Runs Python in the sandbox, and reads the JSON that it prints; none where it lacks `package`.
fn told(sandbox: &Sandbox, package: &str, script: &str) -> Option<Value> {
    let run = |script: &str| {
        let mut command = Command::new(python());
        command.current_dir(sandbox.path("")).args(["-c", script]);
        command.output().expect("python runs")
    };
    if !run(&format!("import {package}")).status.success() {
        skipped(package, "tests/requirements.txt names it, but it is not installed");
        return None;
    }
    let output = run(script);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

/// Repository and path of every row of the ledger, with what became of it.
fn rows(sandbox: &Sandbox, recipe: &str) -> BTreeMap<(String, String), Value> {
    sandbox.write("recipe.toml", format!("name = \"inputs\"\n{recipe}"));
    let data = sandbox.built("recipe.toml", &[]);
    data.adds_up();
    let rows = data.rows("ledger");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let count = rows.len();
    let found: BTreeMap<_, _> = rows
        .into_iter()
        .map(|row| {
            (
                (text(&row["repo_name"]), text(&row["path"])),
                Value::Object(row.into_iter().collect()),
            )
        })
        .collect();
    assert_eq!(found.len(), count, "no two rows have one path");
    found
}

/// Mutation: stop the central directory one record early, or take the local header's lengths for the data's.
#[test]
fn archives_of_python_are_read_as_python_reads_them() {
    let sandbox = Sandbox::new();
    let script = r#"
import hashlib, io, json, lzma, tarfile, zipfile
names = ["a.py", "b/c.txt", "naïve.md", "empty", "b/long/" + "n" * 150 + ".c"]
data = {n: (n * 40).encode() if n != "empty" else b"" for n in names}
for method, name in [(0, "stored"), (8, "deflated"), (12, "bzipped")]:
    with zipfile.ZipFile(f"{name}.zip", "w", method) as z:
        z.comment = b"made by python"
        for n, d in data.items():
            z.writestr(n, d)
class Tape(io.RawIOBase):
    "A file that cannot seek: sizes come behind the data."
    def __init__(self, f): self.f = f
    def writable(self): return True
    def write(self, b): return self.f.write(b)
with open("streamed.zip", "wb") as f, zipfile.ZipFile(Tape(f), "w", 8) as z:
    for n, d in data.items():
        with z.open(n, "w", force_zip64=True) as e: e.write(d)
for mode, name in [("w:xz", "x.tar.xz"), ("w:bz2", "b.tar.bz2"), ("w:gz", "g.tar.gz")]:
    with tarfile.open(name, mode, format=tarfile.PAX_FORMAT) as t:
        for n, d in data.items():
            i = tarfile.TarInfo(n); i.size = len(d)
            t.addfile(i, io.BytesIO(d))
def blob(d): return hashlib.sha1(b"blob %d\0" % len(d) + d).hexdigest()
print(json.dumps({n: blob(d) for n, d in data.items()}))
"#;
    let Some(expected) = told(&sandbox, "zipfile", script) else {
        return;
    };
    let found = rows(
        &sandbox,
        "exact = false\n[[source]]\narchives = [\"*.zip\", \"*.tar.*\"]\n",
    );
    let expected = expected.as_object().expect("an object");
    let archives = ["stored", "deflated", "bzipped", "streamed", "x", "b", "g"];
    for archive in archives {
        for (path, blob) in expected {
            let row = found
                .get(&(archive.to_owned(), path.clone()))
                .unwrap_or_else(|| panic!("{archive}: {path}"));
            assert_eq!(&row["blob_id"], blob, "{archive}: {path}");
        }
    }
}

/// Mutation: count pages and not records, or lose pages without code.
#[test]
fn every_record_of_a_crawl_is_accounted_for() {
    let sandbox = Sandbox::new();
    let script = r#"
import io, json
from warcio.warcwriter import WARCWriter
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
def http(w, uri, body, kind="text/html", status="200 OK"):
    h = StatusAndHeaders(status, [("Content-Type", kind)], protocol="HTTP/1.1")
    w.write_record(w.create_warc_record(uri, "response", payload=io.BytesIO(body), http_headers=h))
for version in ["1.0", "1.1"]:
    with open(f"crawl-{version}.warc.gz", "wb") as f:
        w = WARCWriter(f, gzip=True, warc_version=version)
        w.write_record(w.create_warcinfo_record("x", {"software": "test"}))
        for i in range(40):
            page = "<html><pre><code class='language-python'>x = %d &lt; 2\n</code></pre>" % i
            http(w, f"https://{version}.org/{i}", page.encode() if i % 3 else b"<p>no code")
        http(w, f"https://{version}.org/image", b"\x89PNG", "image/png")
        http(w, f"https://{version}.org/gone", b"<pre lang=c>x</pre>", status="404 Not Found")
        w.write_record(w.create_warc_record(f"https://{version}.org/text", "conversion", payload=io.BytesIO("é".encode()), warc_content_type="text/plain"))
pages = 0
for version in ["1.0", "1.1"]:
    with open(f"crawl-{version}.warc.gz", "rb") as f:
        pages += sum(r.rec_type in ("response", "conversion") for r in ArchiveIterator(f))
print(json.dumps(pages))
"#;
    let Some(pages) = told(&sandbox, "warcio", script) else {
        return;
    };
    let found = rows(&sandbox, "exact = false\n[[source]]\nwarc = \"*.warc.gz\"\n");
    assert_eq!(found.len() as u64, pages.as_u64().expect("a number"));
    let ends = |verdict: &str| found.values().filter(|row| row["verdict"] == verdict).count();
    assert_eq!((ends("kept"), ends("dropped"), ends("failed")), (2 * 27, 2 * 16, 0));
    let row = &found[&("1.1.org".to_owned(), "1/block-1".to_owned())];
    assert_eq!((&row["language"], &row["length_bytes"]), (&json!("Python"), &json!(10)));
    let none = &found[&("1.0.org".to_owned(), "0".to_owned())];
    assert_eq!((&none["rule"], &none["stage"]), (&json!("not-wanted"), &json!("list")));
}

/// Mutation: take Markdown for code, or leave cells out that hold only spaces before code.
#[test]
fn notebooks_become_the_programs_that_nbconvert_makes() {
    let sandbox = Sandbox::new();
    let script = r##"
import json, re
import nbformat
from nbconvert import PythonExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
cells = []
for i in range(12):
    cells.append(new_markdown_cell("# Part %d\n\nwords" % i))
    cells.append(new_code_cell("def f%d(x):\n    return x * %d\n\nprint(f%d(2))" % (i, i, i)))
notebook = new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "p", "language": "python"}})
text, _ = PythonExporter().from_notebook_node(notebook)
import os
os.makedirs("books", exist_ok=True)
nbformat.write(notebook, "books/a.ipynb")
nbformat.write(nbformat.convert(notebook, 3), "books/old.ipynb")
open("books/broken.ipynb", "w").write("{\"cells\": 1}")
open("books/prose.ipynb", "w").write(json.dumps(new_notebook(cells=cells[:1])))
code = [l for l in text.splitlines() if l.strip() and not l.startswith("#")]
print(json.dumps(code))
"##;
    let Some(code) = told(&sandbox, "nbconvert", script) else {
        return;
    };
    let found = rows(&sandbox, "[notebooks]\n[[source]]\ndirectory = \"books\"\n");
    let verdicts: Vec<_> = found
        .values()
        .map(|row| (&row["path"], &row["verdict"], &row["rule"]))
        .collect();
    let (null, text) = (Value::Null, |text: &str| json!(text));
    let expected = [
        (text("a.ipynb"), text("kept"), null.clone()),
        (text("broken.ipynb"), text("failed"), text("malformed")),
        (text("old.ipynb"), text("kept"), null),
        (text("prose.ipynb"), text("dropped"), text("no-code")),
    ];
    assert_eq!(verdicts, expected.iter().map(|(a, b, c)| (a, b, c)).collect::<Vec<_>>());
    let data = sandbox.dataset("out");
    for path in ["a.ipynb", "old.ipynb"] {
        let script = data.content(path);
        let ours: Vec<&str> = script
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
            .collect();
        assert_eq!(json!(ours), code, "{path}");
    }
    assert!(data.rows("corpus").iter().all(|row| row["language"] == "Python"));
}

/// Mutation: leave rows of other sets out of the listing.
#[test]
fn rows_of_sets_that_are_not_wanted_are_in_the_ledger() {
    let sandbox = Sandbox::new();
    let sets = ["Github", "Pile-CC", "StackExchange"];
    let lines: String = (0..30)
        .map(|i| {
            format!(
                "{}\n",
                json!({"text": format!("x = {i}"), "meta": {"pile_set_name": sets[i % 3]}})
            )
        })
        .collect();
    sandbox.write("00.jsonl.zst", zstd::encode_all(lines.as_bytes(), 3).expect("memory"));
    let found = rows(
        &sandbox,
        "[[source]]\njsonl = \"00.jsonl.zst\"\nformat = \"the-pile\"\n",
    );
    assert_eq!(found.len(), 30);
    let dropped = found.values().filter(|row| row["rule"] == "not-wanted").count();
    assert_eq!((dropped, sandbox.dataset("out").total("kept")), (20, 10));
}

/// A column of scores decides, where the recipe names it.
/// Mutation: read a score under its usual name though another is named, or keep what has none.
#[test]
fn a_column_of_scores_decides() {
    let sandbox = Sandbox::new();
    let rows = [
        ("low", "0.2"),
        ("edge", "0.5"),
        ("high", "3"),
        ("none", "null"),
        ("text", "\"good\""),
    ];
    let line = |(name, quality): (&str, &str)| {
        format!("{{\"content\": \"{name} = 1\\n\", \"path\": \"{name}.py\", \"score\": 9, \"quality\": {quality}}}\n")
    };
    sandbox.write("scored.jsonl", rows.map(line).concat());
    let source = "name = \"s\"\n[[source]]\njsonl = \"scored.jsonl\"\ncolumns = { score = \"quality\" }\n";
    sandbox.write(
        "recipe.toml",
        format!("{source}[rules]\nscore = {{ minimum = 0.5, maximum = 2.5 }}\n"),
    );
    let data = sandbox.built("recipe.toml", &[]);
    data.adds_up();
    let end = |name: &str| data.end(&format!("{name}.py"));
    assert_eq!(end("edge"), "kept");
    for name in ["low", "high", "none"] {
        assert_eq!(end(name), "dropped rules/score", "{name}");
    }
    let odd = data.ledger("row-4").remove(0);
    assert_eq!(odd["verdict"], "failed");
    assert!(odd["trouble"].to_string().contains("not a number"), "{odd:?}");
    let row = data.ledger("low.py").remove(0);
    assert_eq!((&row["value"], &row["limit"]), (&"0.2".into(), &"0.5".into()));
    sandbox.write(
        "lenient.toml",
        format!("{source}[rules]\nscore = {{ minimum = 0.5, keep-unknown = true }}\n"),
    );
    let data = sandbox.built("lenient.toml", &["--out", "lenient"]);
    assert_eq!(data.end("none.py"), "kept");
    assert_eq!(data.end("low.py"), "dropped rules/score");
}
