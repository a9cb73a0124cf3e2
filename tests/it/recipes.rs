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
    sandbox.write(
        "recipe.toml",
        recipe("failing", "[rules]\nline-max = { limit = 9 }", tests),
    );
    let ran = sandbox
        .stackmill(&["recipe", "test", "recipe.toml"])
        .fails(3, "2 of 2 tests fail");
    assert_eq!(
        ran.stdout,
        "FAIL  short enough\n      verdict: expected \"kept\", found \"dropped\"\n      \
         it was dropped by stage `rules`, rule `line-max`: value 10, limit 9\n\
         FAIL  b.py\n      verdict: expected \"dropped\", found \"kept\"\n      \
         rule: expected \"line-max\", found \"\"\n      it was kept\n0 of 2 tests pass\n"
    );
    let ran = sandbox.stackmill(&[
        "recipe",
        "test",
        "recipe.toml",
        "--json",
        "--set",
        "rules.line-max.limit=10",
    ]);
    let tried: Value = serde_json::from_str(&ran.fails(3, "1 of 2").stdout).expect("JSON");
    assert_eq!(
        (&tried[0]["passed"], &tried[1]["passed"]),
        (&true.into(), &false.into())
    );
    assert_eq!(tried[1]["happened"]["verdict"], "kept");
}

#[test]
fn tests_that_make_no_sense_are_refused() {
    for (test, words) in [
        ("text = \"x\"", "a test needs a `path`\n  in recipe.toml, test 1"),
        ("path = \"a\"", "either `text` or `file`"),
        ("path = \"a\"\ntext = \"\"\nfile = \"b\"", "either `text` or `file`"),
        (
            "path = \"a\"\ntext = \"\"\nrule = \"line-max\"",
            "say why a file is not kept",
        ),
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
    sandbox.write("recipe.toml", recipe("none", "", ""));
    sandbox
        .stackmill(&["recipe", "test", "recipe.toml"])
        .fails(3, "the recipe has no tests")
        .hints("[[test]]");
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
    sandbox.write(
        "sub/b.toml",
        recipe("b", "[rules]\nline-max = { limit = 40 }\nextension = true", ""),
    );
    let ran = sandbox
        .stackmill(&["recipe", "diff", "a.toml", "sub/b.toml", "files", "--json"])
        .succeeds();
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
    let extension = pairs
        .iter()
        .find(|(_, b, _)| b == "rules: extension")
        .expect("only A keeps it");
    assert_eq!(
        (extension.0.as_str(), &extension.2[0]),
        ("kept", &Value::from("files:b.min.js"))
    );
    assert!(pairs.iter().any(|(a, b, _)| a == "rules: line-max" && b == "kept"));
    assert!(pairs.iter().any(|(a, b, _)| a == "exact: exact-duplicate" && a == b));
    let ran = sandbox
        .stackmill(&["recipe", "diff", "a.toml", "sub/b.toml", "files"])
        .succeeds();
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

const OWNED: &str = "
-- LICENSE
MIT License
-- main.py
shared = 'the same in two repositories'
-- own.py
own = 1
-- sub/secret.py
secret = 2
";

/// Two repositories with one file in common; the first would be its keeper.
fn two_repositories(sandbox: &Sandbox) -> String {
    Tree::of(OWNED).commit(&sandbox.path("ada/tool"), false);
    Tree::of(OWNED)
        .with("own.py", "own = 3\n")
        .commit(&sandbox.path("bob/tool"), false);
    sandbox.write(
        "repos.jsonl",
        "{\"path\": \"ada/tool\", \"name\": \"Ada/tool\", \"stars\": 1}\n{\"path\": \"bob/tool\", \"name\": \"bob/tool\"}\n",
    );
    "name = \"two\"\n[[source]]\ngit = \"repos.jsonl\"\n".to_owned()
}

/// Mutation: put the Map `opt-out` behind the others, or ask for its decisions after `exact`.
#[test]
fn who_has_opted_out_is_left_out_before_anything_else() {
    let sandbox = Sandbox::new();
    let sources = two_repositories(&sandbox);
    sandbox.write("a.csv", "user,repository,path\nADA,,\n,bob/tool,sub/\n");
    sandbox.write("b.txt", "nobody/here\n");
    let recipe = format!("{sources}[opt-out]\nlists = [\"a.csv\", \"b.txt\"]\n[rules]\nextension = true\n");
    sandbox.write("recipe.toml", &recipe);
    let data = sandbox.built("recipe.toml", &[]);
    data.adds_up();
    let ends = data.ends();
    for gone in ["LICENSE", "main.py", "own.py", "sub/secret.py"] {
        assert!(
            ends.contains(&format!("Ada/tool:{gone} dropped opt-out/user")),
            "{ends:?}"
        );
    }
    assert!(
        ends.contains(&"bob/tool:main.py kept".to_owned()),
        "the copy that nobody minds is kept: {ends:?}"
    );
    assert!(
        ends.contains(&"bob/tool:sub/secret.py dropped opt-out/path".to_owned()),
        "{ends:?}"
    );
    let row = data.ledger("sub/secret.py").remove(1);
    assert_eq!(row["because"], "a.csv line 3");
    assert!(
        data.rows("clusters").is_empty(),
        "nobody is a keeper of what was left out"
    );
    let manifest = data.manifest();
    assert_eq!(
        manifest.opt_outs,
        [("a.csv".to_owned(), 5), ("b.txt".to_owned(), 0)].into()
    );
    let card = std::fs::read_to_string(data.path("README.md")).expect("a card");
    assert!(card.contains("opt-out list"), "{card}");
    // Another list is another data set.
    sandbox.write("b.txt", "bob\n");
    sandbox.run("recipe.toml", &[]).fails(3, "artefacts.b.txt");
}

/// Mutation: join metadata after ranks are made, or leave its columns out of the corpus.
#[test]
fn metadata_decides_about_copies_and_rules_and_is_published() {
    let sandbox = Sandbox::new();
    let sources = two_repositories(&sandbox);
    let table = "full_name,stargazers_count,license,is_archived,pushed\nADA/Tool,9,,true,2020-01-01\nbob/tool,5,MIT,false,2024-01-01\nbob/tool,6,,true,\n";
    sandbox.write("m.csv", table);
    let metadata = "[metadata]\ntables = \"m.csv\"\ncolumns = { archived = \"is_archived\", pushed_at = \"pushed\" }\n";
    let recipe = format!("{sources}{metadata}[exact]\nkeep = [\"archived\", \"stars\"]\n");
    sandbox.write("recipe.toml", &recipe);
    let data = sandbox.built("recipe.toml", &[]);
    let ends = data.ends();
    assert!(
        ends.contains(&"bob/tool:main.py kept".to_owned()),
        "archived repositories come last: {ends:?}"
    );
    assert!(
        ends.contains(&"Ada/tool:main.py dropped exact/exact-duplicate".to_owned()),
        "{ends:?}"
    );
    let rows = data.rows("corpus");
    let row = |repo: &str, path: &str| {
        rows.iter()
            .find(|row| row["repo_name"] == repo && row["path"] == path)
            .expect("kept")
    };
    let bob = row("bob/tool", "main.py");
    assert_eq!(
        (&bob["archived"], &bob["pushed_at"], &bob["stars"]),
        (&false.into(), &"2024-01-01".into(), &5.into())
    );
    assert_eq!(
        row("Ada/tool", "own.py")["stars"],
        1,
        "what the list of repositories says stays"
    );
    let totals = data.manifest().totals;
    let total = |name: &str| totals[name];
    assert_eq!(
        (
            total("metadata_repositories"),
            total("metadata_duplicates"),
            total("repositories_with_metadata")
        ),
        (2, 1, 2)
    );
    let rules = "[rules]\nmetadata = { forbid = { archived = true }, minimum = { stars = 5, pushed_at = \"2022\" } }\n";
    sandbox.write("strict.toml", format!("{sources}{metadata}{rules}"));
    let data = sandbox.built("strict.toml", &["--out", "strict"]);
    data.adds_up();
    let row = data.ledger("own.py").remove(0);
    assert_eq!(
        (&row["rule"], &row["value"], &row["because"]),
        (&"metadata".into(), &"2020-01-01".into(), &"pushed_at".into())
    );
    for (rest, words) in [
        (
            "[rules]\nmetadata = { minimum = { starz = 5 } }\n",
            "needs column `starz`",
        ),
        ("[exact]\nkeep = [\"fork\"]\n", "names `fork`, which nobody knows"),
    ] {
        sandbox.write("odd.toml", format!("{sources}{metadata}{rest}"));
        sandbox.stackmill(&["check", "odd.toml"]).fails(3, words);
    }
    let test = "[[test]]\npath = \"a.py\"\ntext = \"x\"\nrepository = { archived = true, stars = 7 }\nverdict = \"dropped\"\nrule = \"metadata\"\nreason = \"archived\"\n";
    sandbox.write("tested.toml", format!("{sources}{metadata}{rules}{test}"));
    sandbox.stackmill(&["recipe", "test", "tested.toml"]).succeeds();
}

/// Mutation: leave what a list of repositories says in the lock, or give every repository what the first one has.
#[test]
fn what_a_list_of_repositories_says_is_in_the_rows() {
    let sandbox = Sandbox::new();
    two_repositories(&sandbox);
    sandbox.write(
        "repos.csv",
        "path,name,is_archived,pushed_at,size\nada/tool,Ada/tool,true,2020-01-01,7\nbob/tool,bob/tool,,2024-01-01,\n",
    );
    sandbox.write("files/c.py", "plain = 1\n");
    let listed = "[[source]]\ngit = \"repos.csv\"\nrepositories = { archived = \"is_archived\" }\n";
    let riding = "metadata = [\"archived\", \"pushed_at\", \"size\"]\ntypes = { size = \"integer\" }\n";
    let sources = format!("name = \"riding\"\n{listed}{riding}[[source]]\ndirectory = \"files\"\n");
    sandbox.write("recipe.toml", format!("{sources}[exact]\nkeep = [\"archived\"]\n"));
    let data = sandbox.built("recipe.toml", &[]);
    data.adds_up();
    let rows = data.rows("corpus");
    let told = |repo: &str, path: &str| {
        let row = rows
            .iter()
            .find(|row| row["repo_name"] == repo && row["path"] == path)
            .expect("kept");
        ["archived", "pushed_at", "size"].map(|name| row[name].clone())
    };
    let ada = [serde_json::Value::from(true), "2020-01-01".into(), 7.into()];
    assert_eq!(told("Ada/tool", "own.py"), ada);
    let null = serde_json::Value::Null;
    assert_eq!(
        told("bob/tool", "main.py"),
        [null.clone(), "2024-01-01".into(), null.clone()],
        "the copy in the repository that is not archived is kept"
    );
    assert_eq!(told("files", "c.py"), [null.clone(), null.clone(), null]);

    let rules = "[rules]\nmetadata = { forbid = { archived = true }, minimum = { pushed_at = \"2022\" } }\n";
    let test = "[[test]]\npath = \"a.py\"\ntext = \"x\"\nrepository = { archived = true }\nverdict = \"dropped\"\nrule = \"metadata\"\n";
    sandbox.write("strict.toml", format!("{sources}{rules}{test}"));
    sandbox.stackmill(&["recipe", "test", "strict.toml"]).succeeds();
    let data = sandbox.built("strict.toml", &["--out", "strict"]);
    let row = data.ledger("own.py").remove(0);
    assert_eq!(
        (&row["repo_name"], &row["rule"]),
        (&"Ada/tool".into(), &"metadata".into())
    );

    for (odd, (code, words)) in [
        ("types = { size = \"flag\" }\n", (4, "line 2")),
        ("types = { depth = \"flag\" }\n", (3, "types.depth")),
    ] {
        let riding = riding.split_once("types").map_or("", |(names, _)| names);
        sandbox.write("odd.toml", format!("name = \"odd\"\n{listed}{riding}{odd}"));
        sandbox.run("odd.toml", &["--out", "odd"]).fails(code, words);
    }
    sandbox.write("m.csv", "name,archived\nbob/tool,true\n");
    let twice = "[metadata]\ntables = \"m.csv\"\ncolumns = { archived = \"archived\" }\n";
    sandbox.write("twice.toml", format!("{sources}{twice}"));
    sandbox
        .stackmill(&["check", "twice.toml"])
        .fails(3, "comes from a source and from [metadata]");
}

/// Mutation: strip headers before the license is looked for.
#[test]
fn headers_are_stripped_once_their_license_is_known() {
    let sandbox = Sandbox::new();
    let header = "# Copyright 2020 Somebody\n# SPDX-License-Identifier: ISC\n\n";
    sandbox.write("files/a.py", format!("#!/usr/bin/env python\n{header}x = 1\n"));
    sandbox.write("files/b.py", "# Turns apples into pears.\ny = 2\n");
    let sources = "name = \"headers\"\n[[source]]\ndirectory = \"files\"\n";
    sandbox.write("recipe.toml", format!("{sources}[headers]\nstrip = true\n"));
    let data = sandbox.built("recipe.toml", &[]);
    assert_eq!(data.content("a.py"), "#!/usr/bin/env python\nx = 1\n");
    let rows = data.rows("corpus");
    let bytes = |path: &str| {
        rows.iter()
            .find(|row| row["path"] == path)
            .map(|row| row["header_bytes"].clone())
    };
    assert_eq!(
        (bytes("a.py"), bytes("b.py")),
        (Some((header.len() as u64).into()), Some(0.into()))
    );
    let row = rows.iter().find(|row| row["path"] == "a.py").expect("kept");
    assert_eq!(row["license_expression"], "ISC");
}
