//! Hostile and broken input: nothing is lost, one line says what is wrong, and the exit code is the documented one.

mod archives;
mod disk;
mod network;
mod parsers;
mod recipes;
mod repositories;
mod shortages;
mod tables;

use stackmill_tests::{Dataset, Row, Sandbox, Tree};

/// A good repository that must come through whatever lies beside it.
fn good(sandbox: &Sandbox) {
    Tree::of("-- ok.py\nanswer = 42\n").write(&sandbox.path("good"));
}

/// Runs over the source `settings` and the good one; any number of repositories may be unreadable.
#[track_caller]
fn beside_good(sandbox: &Sandbox, settings: &str) -> Dataset {
    good(sandbox);
    let recipe = "name = \"bad\"\n[run]\nmax-failed-repositories = \"100%\"\n[[source]]\nname = \"good\"\ndirectory = \"good\"\n";
    sandbox.write("bad.toml", format!("{recipe}[[source]]\nname = \"bad\"\n{settings}\n"));
    let data = sandbox.built("bad.toml", &[]);
    assert_eq!(data.end("ok.py"), "kept");
    data.adds_up();
    data
}

/// The ledger's rows of the bad source.
fn bad_rows(data: &Dataset) -> Vec<Row> {
    data.rows("ledger")
        .into_iter()
        .filter(|row| row["source"] == "bad")
        .collect()
}

/// The trouble of a source that cannot be read at all: one row without a path.
#[track_caller]
fn unreadable(data: &Dataset) -> String {
    let rows = bad_rows(data);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(rows[0]["path"].is_null(), "{rows:?}");
    assert_eq!(
        (&rows[0]["verdict"], &rows[0]["rule"]),
        (&"failed".into(), &"unreadable-repository".into())
    );
    assert_eq!(data.total("repositories_failed"), 1);
    let trouble = rows[0]["trouble"].as_str().expect("trouble has words").to_owned();
    assert!(
        !trouble.contains(char::is_control),
        "trouble is one line, safe to print: {trouble:?}"
    );
    trouble
}

/// Path, end and trouble of every row of the bad source.
fn told(data: &Dataset) -> String {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let short = |path: String| {
        if path.len() > 60 {
            format!("{}… ({} bytes)", &path[..40], path.len())
        } else {
            path
        }
    };
    let line = |row: &Row| {
        let end = format!(
            "{} {}/{}",
            text(&row["verdict"]),
            text(&row["stage"]),
            text(&row["rule"])
        );
        let words = format!(
            "{}: {} {}",
            short(text(&row["path"])),
            end.trim_end_matches([' ', '/']),
            text(&row["trouble"])
        );
        words.trim_end().to_owned()
    };
    bad_rows(data).iter().map(line).collect::<Vec<_>>().join("\n")
}
