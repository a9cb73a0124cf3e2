//! What helps whoever writes a recipe: its own tests, and the difference between two.

use serde_json::Value;
use stackmill_tests::{Sandbox, Tree};

const STAGES: &str = r#"
[rules]
line-max = { limit = 100 }
extension = true
parse-error-share = { limit = 0.2 }

[redact]
"#;

fn recipe(name: &str, stages: &str, rest: &str) -> String {
    format!("name = \"{name}\"\n{stages}\n[[source]]\ndirectory = \"nowhere\"\n{rest}")
}

const PASSING: &str = r##"
[[test]]
path = "src/a.py"
text = "# SPDX-License-Identifier: MIT\nwho = 'some.body@mail-of-somebody.net'\n"
language = "Python"
license = "MIT"
license-type = "permissive"
content = "# SPDX-License-Identifier: MIT\nwho = '<EMAIL>'\n"

[[test]]
name = "long lines"
path = "src/b.py"
file = "long.py"
verdict = "dropped"
stage = "rules"
rule = "line-max"
reason = "value 101, limit 100"

[[test]]
name = "the license of the repository is inherited"
path = "c.py"
text = "x = 1\n"
repository = { name = "a/b", license = "Apache-2.0", stars = 7 }
license = "Apache-2.0"

[[test]]
name = "attributes decide"
path = "d.inc"
text = "int x;\n"
attributes = { language = "C" }
language = "C"

[[test]]
path = "e.py"
text = "def (((:\n   ]] return = = class (\n"
verdict = "dropped"
rule = "parse-error-share"

[[test]]
path = "../f.py"
text = "x"
verdict = "failed"
rule = "hostile-path"
"##;

/// Mutation: leave the Maps of the syntax pass out of `Trial::open`.
#[test]
fn a_recipes_own_tests_go_through_every_stage() {
    let sandbox = Sandbox::new();
    sandbox.write("long.py", format!("{}\n", "x".repeat(101)));
    sandbox.write("recipe.toml", recipe("passing", STAGES, PASSING));
    let ran = sandbox.stackmill(&["recipe", "test", "recipe.toml"]).succeeds();
    assert!(ran.stdout.ends_with("6 of 6 tests pass\n"), "{}", ran.stdout);
    let checked = sandbox.stackmill(&["check", "recipe.toml"]).succeeds();
    assert!(checked.stdout.contains("6 tests"), "{}", checked.stdout);
}

#[test]
fn a_failing_test_says_what_happened_and_why() {
    let tests = r#"
[[test]]
name = "short enough"
path = "a.py"
text = "0123456789\n"
language = "Python"

[[test]]
path = "b.py"
text = "x\n"
verdict = "dropped"
rule = "line-max"
"#;
    let sandbox = Sandbox::new();
    sandbox.write("recipe.toml", recipe("failing", "[rules]\nline-max = { limit = 9 }", tests));
    let ran = sandbox.stackmill(&["recipe", "test", "recipe.toml"]).fails(3, "2 of 2 tests fail");
    assert_eq!(
        ran.stdout,
        "FAIL  short enough\n      verdict: expected \"kept\", found \"dropped\"\n      \
         it was dropped by stage `rules`, rule `line-max`: value 10, limit 9\n\
         FAIL  b.py\n      verdict: expected \"dropped\", found \"kept\"\n      \
         rule: expected \"line-max\", found \"\"\n      it was kept\n0 of 2 tests pass\n"
    );
    let ran = sandbox.stackmill(&["recipe", "test", "recipe.toml", "--json", "--set", "rules.line-max.limit=10"]);
    let tried: Value = serde_json::from_str(&ran.fails(3, "1 of 2").stdout).expect("JSON");
    assert_eq!((&tried[0]["passed"], &tried[1]["passed"]), (&true.into(), &false.into()));
    assert_eq!(tried[1]["happened"]["verdict"], "kept");
}

#[test]
fn tests_that_make_no_sense_are_refused() {
    for (test, words) in [
        ("text = \"x\"", "a test needs a `path`\n  in recipe.toml, test 1"),
        ("path = \"a\"", "either `text` or `file`"),
        ("path = \"a\"\ntext = \"\"\nfile = \"b\"", "either `text` or `file`"),
        ("path = \"a\"\ntext = \"\"\nrule = \"line-max\"", "say why a file is not kept"),
        ("path = \"a\"\ntext = \"\"\nverdict = \"gone\"", "unknown value `gone`"),
        ("path = \"a\"\ntxt = \"\"", "unknown field `txt`"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("recipe.toml", recipe("odd", "", &format!("[[test]]\n{test}\n")));
        sandbox.stackmill(&["check", "recipe.toml"]).fails(3, words);
    }
    let sandbox = Sandbox::new();
    let missing = "[[test]]\npath = \"a\"\nfile = \"missing\"\n";
    sandbox.write("recipe.toml", recipe("odd", "", missing));
    sandbox
        .stackmill(&["recipe", "test", "recipe.toml"])
        .fails(4, "cannot read the test's file");
}

const FILES: &str = "
-- a.py
x = 1
-- long.py
xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
-- longer.py
xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
-- copy.py
x = 1
-- b.min.js
y = 2
";

/// Mutation: compare ends of the first recipe with themselves.
#[test]
fn recipes_are_held_against_each_other_file_by_file() {
    let sandbox = Sandbox::new();
    Tree::of(FILES).write(&sandbox.path("files"));
    sandbox.write("a.toml", recipe("a", "[rules]\nline-max = { limit = 20 }", ""));
    sandbox.write("sub/b.toml", recipe("b", "[rules]\nline-max = { limit = 40 }\nextension = true", ""));
    let ran = sandbox.stackmill(&["recipe", "diff", "a.toml", "sub/b.toml", "files", "--json"]).succeeds();
    let found: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let files = |key: &str| found[key]["files"].as_u64();
    assert_eq!(
        ["both", "only_a", "only_b", "neither"].map(files),
        [Some(1), Some(1), Some(1), Some(2)]
    );
    let ends = |pair: &Value| {
        let text = |key: &str| pair[key].as_str().unwrap_or_default().to_owned();
        (text("a"), text("b"), pair["examples"].clone())
    };
    let pairs: Vec<_> = found["pairs"].as_array().expect("a list").iter().map(ends).collect();
    let extension = pairs.iter().find(|(_, b, _)| b == "rules: extension").expect("only A keeps it");
    assert_eq!((extension.0.as_str(), &extension.2[0]), ("kept", &Value::from("files:b.min.js")));
    assert!(pairs.iter().any(|(a, b, _)| a == "rules: line-max" && b == "kept"));
    assert!(pairs.iter().any(|(a, b, _)| a == "exact: exact-duplicate" && a == b));
    let ran = sandbox.stackmill(&["recipe", "diff", "a.toml", "sub/b.toml", "files"]).succeeds();
    assert!(ran.stdout.contains("kept by A alone"), "{}", ran.stdout);
    assert!(ran.stdout.contains("files:long.py"), "{}", ran.stdout);
    sandbox
        .stackmill(&["recipe", "diff", "a.toml", "sub/b.toml", "nowhere"])
        .fails(4, "there is nothing at `nowhere`")
        .hints("a folder, a clone");
}

/// Inputs of all kinds, of which some cannot be read, in splits of one repository each.
#[test]
fn recipes_are_compared_over_several_inputs() {
    let sandbox = Sandbox::new();
    let tree = Tree::of(FILES);
    tree.commit(&sandbox.path("clones/one"), false);
    tree.write(&sandbox.path("folder"));
    sandbox.write("two.tar.gz", tree.tar_gz("two"));
    sandbox.write("broken.tar.gz", b"no archive");
    sandbox.write("rows.jsonl", "{\"content\": \"z = 3\\n\", \"path\": \"z.py\"}\n");
    let one = "[run]\nsplit-repositories = 1";
    sandbox.write("a.toml", recipe("a", &format!("exact = false\n{one}"), ""));
    sandbox.write("b.toml", recipe("b", "", ""));
    let inputs = ["clones", "folder", "*.tar.gz", "rows.jsonl"];
    let command = [&["recipe", "diff", "a.toml", "b.toml"], &inputs[..], &["--json"]].concat();
    let found: Value = serde_json::from_str(&sandbox.stackmill(&command).succeeds().stdout).expect("JSON");
    assert_eq!(found["both"]["files"].as_u64(), Some(5), "{found}");
    assert_eq!(found["only_a"]["files"].as_u64(), Some(11), "{found}");
    assert_eq!(found["repositories_failed"].as_u64(), Some(1));
}
