//! Files made to hurt parsers: each ends in a verdict, and costs no more than its own time.

use std::time::{Duration, Instant};

use stackmill_tests::{Sandbox, Tree};

/// Two megabytes of JavaScript on one line, as bundlers write it.
fn minified() -> String {
    let unit = |i: usize| {
        format!("function a{i}(b,c){{return b?c({i},b[{i}]||{{d:[b,c]}}):c&&b.e.f(function(g){{return g+{i}}})}}")
    };
    (0..20_000).map(unit).collect()
}

fn deep_indentation() -> String {
    (0..900)
        .map(|depth| format!("{}if x{depth}:\n", " ".repeat(depth)))
        .chain([format!("{}pass\n", " ".repeat(900))])
        .collect()
}

/// Mutation: parse in the run's own process, or take the limit of work out of `filters::syntax`.
#[test]
fn every_file_that_hurts_parsers_gets_a_verdict() {
    let nested = |open: &str, close: &str| format!("x = {}1{}\n", open.repeat(20_000), close.repeat(20_000));
    let tree = Tree::of("-- plain.py\nx = 1\n")
        .with("nested.py", nested("[", "]"))
        .with("nested.js", nested("[", "]"))
        .with(
            "nested.rs",
            format!("fn f() {{ let {} }}", nested("(", ")").trim_end().to_owned() + ";"),
        )
        .with("open.py", "(".repeat(20_000))
        .with("open.js", "{".repeat(20_000))
        .with("open.rs", "<".repeat(20_000))
        .with(
            "generics.rs",
            format!("type T = {}u8{};", "Vec<".repeat(20_000), ">".repeat(20_000)),
        )
        .with("minified.js", minified())
        .with("indented.py", deep_indentation())
        .with("operators.js", format!("x = {}1", "1 + ".repeat(100_000)))
        .with("ternary.js", format!("x = {}1", "a ? b : ".repeat(50_000)))
        .with("lambdas.py", format!("x = {}1\n", "lambda: ".repeat(20_000)))
        .with("strings.py", "'''".repeat(33_333))
        .with(
            "formatted.py",
            format!("x = {}1{}\n", "f'{".repeat(3_000), "}'".repeat(3_000)),
        )
        .with(
            "templates.js",
            format!("x = {}1{}", "`${".repeat(20_000), "}`".repeat(20_000)),
        )
        .with("comments.rs", "/*".repeat(50_000))
        .with("raw.rs", format!("let x = r{}\"", "#".repeat(60_000)))
        .with("tabs.py", "\t".repeat(1_000_000))
        .with("lines.py", "\n".repeat(1_000_000))
        .with("zeros.py", "a\u{0}b = 1\n".repeat(100))
        .with("marks.py", "\u{202e}\u{feff}x = 1\n".repeat(100));
    let files = tree.files().count() as u64;
    let sandbox = Sandbox::new();
    tree.write(&sandbox.path("in"));
    let rules = "[rules]\nparse-error-share = { limit = 1.0 }\ndefinitions-per-line = true\n";
    sandbox.write(
        "recipe.toml",
        format!(
            "name = \"hostile\"\n[[source]]\ndirectory = \"in\"\n{rules}[near]\n[redact]\n[decontaminate]\n[tokenize]\n"
        ),
    );
    let start = Instant::now();
    let data = sandbox.built("recipe.toml", &[]);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    assert_eq!(data.total("listed"), files);
    data.adds_up();
    assert_eq!(data.end("plain.py"), "kept");
    let lines: Vec<String> = data
        .rows("ledger")
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            format!(
                "{}: {} {} {}",
                text("path"),
                text("verdict"),
                text("rule"),
                text("trouble")
            )
            .trim_end()
            .to_owned()
        })
        .collect();
    insta::assert_snapshot!("hostile_sources", lines.join("\n"));
}

/// The worker answers frames; what is no frame ends it without harm.
/// Mutation: believe a frame's length and reserve as much.
#[test]
fn a_parse_worker_survives_no_nonsense() {
    use std::io::Write as _;
    use std::process::Stdio;
    let sandbox = Sandbox::new();
    for input in [&b"\xff\xff\xff\xff"[..], b"\x04\0\0\0abcd", b"\x01", b"\0\0\0\0", b""] {
        let mut command = sandbox.command(&["parse-worker"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut stdin = child.stdin.take().expect("it was asked for");
        // A worker that has left already is as good as one that reads on.
        let _ = stdin.write_all(input);
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.code().is_some(), "{input:?}: {:?}", output.status);
        assert!(
            !String::from_utf8_lossy(&output.stderr).contains("panicked"),
            "{input:?}"
        );
    }
}
