//! Notebooks of all ages, and what only looks like one.

use arrow_array::{RecordBatch, UInt64Array};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn script(notebook: &serde_json::Value) -> Converted {
    convert(&notebook.to_string(), &NotebookConfig::default())
}

#[test]
fn cells_become_a_program_of_the_kernels_language() {
    let cells = json!([
        {"cell_type": "markdown", "metadata": {}, "source": ["# Title\n", "\n", "text"]},
        {"cell_type": "code", "source": "import os\r\n%matplotlib inline\n!ls\nx = 1\n\n", "outputs": [], "execution_count": 1},
        {"cell_type": "code", "source": [], "outputs": []},
        {"cell_type": "code", "source": "%%bash\nls", "outputs": []},
        {"cell_type": "raw", "source": "raw"},
    ]);
    let python = json!({"cells": cells, "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}}, "nbformat": 4});
    let text = "# # Title\n#\n# text\n\nimport os\n# %matplotlib inline\n# !ls\nx = 1\n\n# %%bash\n# ls\n\n# raw\n";
    assert_eq!(script(&python), Converted::Text(text.into(), Some("Python")));
    let rust = json!({"cells": [cells[0], {"cell_type": "code", "source": "!x"}], "metadata": {"language_info": {"name": "rust"}}});
    assert_eq!(
        script(&rust),
        Converted::Text("// # Title\n//\n// text\n\n!x\n".into(), Some("Rust"))
    );
    let unknown = json!({"cells": [cells[0], {"cell_type": "code", "source": "x"}]});
    assert_eq!(
        script(&unknown),
        Converted::Text("# # Title\n#\n# text\n\nx\n".into(), None)
    );
    let old = json!({"worksheets": [{"cells": [
        {"cell_type": "heading", "level": 1, "source": "Title"},
        {"cell_type": "code", "input": ["x\n", "y"], "language": "python", "outputs": [{"output_type": "pyout", "text": "1"}]},
    ]}], "nbformat": 3, "metadata": {"name": ""}});
    assert_eq!(
        script(&old),
        Converted::Text("# Title\n\nx\ny\n".into(), Some("Python"))
    );
}

#[test]
fn structured_text_has_its_markers() {
    let notebook = json!({"cells": [
        {"cell_type": "markdown", "source": "one"},
        {"cell_type": "markdown", "source": "two"},
        {"cell_type": "code", "source": "a", "outputs": [{"output_type": "stream", "text": "lost"}]},
        {"cell_type": "code", "source": "b", "outputs": [
            {"output_type": "stream", "text": ["x\n"]},
            {"output_type": "execute_result", "data": {"text/plain": "y", "image/png": "AAAA"}},
            {"output_type": "error", "ename": "E", "evalue": "e", "traceback": ["t"]},
        ]},
        {"cell_type": "markdown", "source": "three"},
        {"cell_type": "code", "source": "c", "outputs": [{"output_type": "stream", "text": "12345"}]},
    ]});
    let with = |most| {
        let config = NotebookConfig {
            style: Style::Structured,
            max_output_characters: most,
            ..NotebookConfig::default()
        };
        convert(&notebook.to_string(), &config)
    };
    let head = "<jupyter_start><jupyter_text>one\ntwo<jupyter_code>a\nb<jupyter_output>x\n\ny<jupyter_text>three<jupyter_code>c<jupyter_output>";
    assert_eq!(with(5), Converted::Text(format!("{head}12345"), None));
    assert_eq!(with(4), Converted::Text(format!("{head}<empty_output>"), None));
}

/// Kaggle's way: what is left of each cell, and where empty lines are.
#[test]
fn cleaned_scripts_hold_code_and_comments_alone() {
    let code = |text: &str| json!({"cell_type": "code", "source": text, "outputs": []});
    let prose = |text: &str| json!({"cell_type": "markdown", "source": text});
    let shown = |text: &str| json!({"cell_type": "code", "source": text, "outputs": [{"text": "1\n"}]});
    let long = "x".repeat(601);
    let cases = [
        (
            vec![prose("a <b>b</b> <\n\n> c\n"), code("x")],
            "\n# a b <\n# > c\n# \nx\n",
        ),
        (vec![prose("Thank You"), prose("a"), code("x")], "x\n"),
        (vec![prose("Thank You"), code(" "), prose("a"), code("x")], "\n# a\nx\n"),
        (vec![code("x"), prose("a")], "x\n"),
        (
            vec![code("x"), prose("a"), json!({"cell_type": "raw", "source": "r"})],
            "x\n\n# a\n",
        ),
        (vec![code("def f(): 1"), code("x")], "def f(): 1\nx\n\n"),
        (vec![shown("def f(): 1"), code("x")], "def f(): 1\n\nx\n"),
        (
            vec![code("%a\n !b\ncd c\npip d\napt e\nwget f\n\n  x\n# Copyright (C) me")],
            "  x\n",
        ),
        (
            vec![code(&format!("{long}\n{}", &long[1..]))],
            &format!("{}\n", &long[1..]),
        ),
        (vec![code("pipe = cdx")], "pipe = cdx\n"),
    ];
    let config = NotebookConfig {
        style: Style::Cleaned,
        ..NotebookConfig::default()
    };
    for (cells, text) in cases {
        let notebook = json!({ "cells": cells }).to_string();
        assert_eq!(
            convert(&notebook, &config),
            Converted::Text(text.into(), Some("Python")),
            "{notebook}"
        );
    }
}

#[test]
fn cells_are_counted_empty_or_not() {
    let notebook = json!({"cells": [
        {"cell_type": "code", "source": "x"}, {"cell_type": "code", "source": ""}, {"cell_type": "markdown", "source": "y"},
    ]})
    .to_string();
    for (min_cells, is_kept) in [(1, true), (3, true), (4, false)] {
        let config = NotebookConfig {
            min_cells,
            ..NotebookConfig::default()
        };
        assert_eq!(
            convert(&notebook, &config) != Converted::FewCells(3),
            is_kept,
            "{min_cells}"
        );
    }
}

#[test]
fn numbers_of_python_are_no_trouble() {
    let text = r#"{"cells": [{"cell_type": "code", "source": "x = NaN # -Infinity \\\" Infinity",
        "outputs": [{"data": {"a": [NaN, -Infinity, Infinity, -1]}}]}]}"#;
    let code = "x = NaN # -Infinity \\\" Infinity\n";
    assert_eq!(
        convert(text, &NotebookConfig::default()),
        Converted::Text(code.into(), None)
    );
    for broken in ["{\"cells\": [NaN]}", "{\"cells\": NaN", "\\é", "\\", "\"NaN"] {
        let converted = convert(broken, &NotebookConfig::default());
        assert!(matches!(converted, Converted::Malformed(_)), "{broken}");
    }
}

#[test]
fn malformed_notebooks_have_a_verdict() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for text in [
        "",
        "{}",
        "[]",
        "{\"cells\": 1}",
        "{\"cells\": [{}]}",
        "{\"cells\": [",
        "\u{0}",
        &deep,
    ] {
        let converted = convert(text, &NotebookConfig::default());
        assert!(matches!(converted, Converted::Malformed(_)), "{converted:?}");
    }
    for cells in [
        json!([]),
        json!([{"cell_type": "code", "source": " \n"}]),
        json!([{"cell_type": "markdown", "source": "x"}]),
    ] {
        assert_eq!(script(&json!({ "cells": cells })), Converted::NoCode);
    }
}

#[test]
fn only_notebooks_are_touched_and_none_is_lost() {
    let notebook =
        json!({"cells": [{"cell_type": "code", "source": "x"}], "metadata": {"language_info": {"name": "julia"}}});
    let contents = [
        notebook.to_string(),
        notebook.to_string(),
        "broken".into(),
        "{\"cells\": []}".into(),
    ];
    let paths = ["a.IPYNB", "a.json", "b.ipynb", "c.ipynb"];
    let ids: arrow_array::ArrayRef = Arc::new(UInt64Array::from_iter_values(0..4));
    let batch = RecordBatch::try_from_iter_with_nullable([
        (columns::FILE_ID, ids, false),
        (columns::PATH, Arc::new(StringArray::from_iter_values(paths)), false),
        (
            columns::CONTENT,
            Arc::new(StringArray::from_iter_values(&contents)),
            true,
        ),
    ]);
    let batch = FileBatch::new(batch.expect("columns of one length")).expect("a batch");
    let mut stage = Notebooks::new(NotebookConfig::default());
    let schema = stage.schema(&batch.record().schema()).expect("a schema");
    let batch = stage.map(batch).expect("mapped");
    assert_eq!(batch.record().schema(), schema);
    let column = |name| {
        columns::strings(batch.record(), name)
            .expect("text")
            .iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        column(columns::CONTENT),
        [Some("x\n"), Some(contents[1].as_str()), None, None]
    );
    assert_eq!(column(columns::NOTEBOOK_LANGUAGE), [Some("Julia"), None, None, None]);
    let rules: Vec<_> = batch
        .decisions()
        .iter()
        .map(|decision| (decision.outcome, decision.rule.as_str()))
        .collect();
    assert_eq!(rules, [(Outcome::Failed, "malformed"), (Outcome::Dropped, "no-code")]);
}

proptest! {
    #[test]
    fn every_line_of_code_is_there_in_order(sources in prop::collection::vec("[a-z =()\n]{1,30}", 1..8)) {
        prop_assume!(sources.iter().any(|source| !source.trim().is_empty()));
        let cells: Vec<_> = sources.iter().map(|source| json!({"cell_type": "code", "source": source})).collect();
        let Converted::Text(text, _) = script(&json!({ "cells": cells })) else { panic!("no text") };
        let lines = |text: &str| text.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        prop_assert_eq!(lines(&text), sources.iter().flat_map(|source| lines(source)).collect::<Vec<_>>());
    }
}
