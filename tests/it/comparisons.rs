//! Files and repositories that are compared beyond their words: by structure.

use serde_json::json;
use stackmill_tests::{Sandbox, Tree};

/// Some functions in Python; names and numbers are made of `word` and `number`.
fn functions(word: &str, number: u32) -> String {
    let body = |i: u32| {
        let (a, b, c) = (format!("{word}_{i}"), format!("{word}a{i}"), format!("{word}b{i}"));
        let steps = match i % 3 {
            0 => format!("    for {c} in {b}:\n        {a}_total = {a}_all[{c}] + {number}\n"),
            1 => format!("    while {b} < {number} and not {c}:\n        {b} += len({c}) * {i}\n"),
            _ => format!("    if {b}.{c} is None or {c}({b}):\n        raise {word}Error('{word}', {b}[{i}:])\n"),
        };
        let calls = (0..=i).map(|n| format!("    {c}.append({b}, {word}{n} - {number})\n"));
        format!(
            "def {a}({b}, {c}=None):\n{steps}{}    return {{{b}: [{c}, {number}]}}\n\n",
            calls.collect::<String>()
        )
    };
    (0..9).map(body).collect()
}

/// The same with another layout and a comment in every third line.
fn commented(text: &str) -> String {
    let line = |(number, line): (usize, &str)| match number % 3 {
        0 if line.ends_with(':') => format!("{line}  # {number} words and more words\n\n"),
        _ => format!("{line}\n"),
    };
    text.lines().enumerate().map(line).collect()
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let tree = Tree::of("")
        .with("one.py", functions("price", 3))
        .with("two.py", commented(&functions("weight", 1_000)))
        .with("words.txt", functions("price", 4).replace("price", "colour"))
        .with("short.py", "def a(b):\n    return b\n")
        .with("brief.py", "def c(d):\n    return d\n");
    tree.commit(&sandbox.path("alpha"), false);
    sandbox.write(
        "recipe.toml",
        "name = \"compared\"\n[[source]]\ngit = \"alpha\"\n[near]\n[structural]\n",
    );
    sandbox
}

/// Mutation: give names their own codes in shingles, or take the recipe's action for `drop`.
#[test]
fn renamed_files_are_reported_and_kept() {
    let sandbox = sandbox();
    let data = sandbox.built("recipe.toml", &[]);
    data.adds_up();
    let rows = data.rows("corpus");
    let cluster = |path: &str| {
        let row = rows.iter().find(|row| row["path"] == path).expect("kept");
        (row["structural_cluster"].clone(), row["blob_id"].clone())
    };
    let (keeper, blob) = cluster("one.py");
    assert_eq!(keeper, blob);
    assert_eq!(cluster("two.py").0, blob);
    for path in ["words.txt", "short.py", "brief.py"] {
        assert_eq!(cluster(path).0, json!(null), "{path}");
    }
    let members = data.rows("clusters");
    let found: Vec<_> = members
        .iter()
        .map(|row| (&row["kind"], &row["kept"], &row["path"]))
        .collect();
    let kind = json!("structural");
    assert_eq!(
        found,
        [
            (&kind, &json!(true), &json!("one.py")),
            (&kind, &json!(true), &json!("two.py"))
        ]
    );
    let similarity = members[1]["similarity"].as_f64().expect("a number");
    assert!((0.9..=1.0).contains(&similarity), "{similarity}");
}

/// Mutation: let keepers of `structural` speak in the name of `near`.
#[test]
fn renamed_files_are_dropped_if_asked_for() {
    let sandbox = sandbox();
    let data = sandbox.built("recipe.toml", &["--set", "structural.action=drop"]);
    data.adds_up();
    assert_eq!(data.end("two.py"), "dropped structural/structural-duplicate");
    for path in ["one.py", "words.txt", "short.py", "brief.py"] {
        assert_eq!(data.end(path), "kept", "{path}");
    }
    let (gone, keeper) = (data.ledger("two.py"), data.ledger("one.py"));
    assert_eq!(gone[0]["because_file_id"], keeper[0]["file_id"]);
    assert_eq!(gone[0]["limit"], "0.7");
}

/// Mutation: leave a check out of `StructuralConfig::comparison`.
#[test]
fn settings_that_make_no_sense_are_refused() {
    let sandbox = sandbox();
    for (setting, said) in [
        (
            "structural.threshold=0",
            "stage `structural`: `threshold` is not in (0, 1]",
        ),
        ("structural.recall=1", "stage `structural`: `recall` is not in (0, 1)"),
        ("structural.ngram=65", "stage `structural`: `ngram` is not in 1 to 64"),
        (
            "structural.minimum-shingles=0",
            "stage `structural`: `minimum-shingles`",
        ),
        ("structural.action=keep", "unknown value `keep`"),
    ] {
        sandbox.run("recipe.toml", &["--set", setting]).fails(3, said);
    }
}

/// Twelve files of one project, as (path, content).
fn project() -> Vec<(String, String)> {
    (0..12)
        .map(|i| (format!("lib/part_{i}.py"), format!("def part_{i}():\n    return {i}\n")))
        .collect()
}

fn tree(files: &[(String, String)]) -> Tree {
    files
        .iter()
        .fold(Tree::of(""), |tree, (path, content)| tree.with(path, content.as_str()))
}

fn forks() -> Sandbox {
    let sandbox = Sandbox::new();
    let files = project();
    let commit = |name: &str, tree: Tree| drop(tree.commit(&sandbox.path(name), false));
    commit("upstream", tree(&files));
    commit("fork", tree(&files));
    commit(
        "changed",
        tree(&files).with("lib/part_3.py", "def part_3():\n    return 'another'\n"),
    );
    commit("part", tree(&files[..6]));
    commit("tiny", tree(&files[..2]));
    let own = (0..20).map(|i| (format!("app/own_{i}.py"), format!("OWN_{i} = {i}\n")));
    let vendored = files
        .iter()
        .map(|(path, content)| (format!("vendor/{path}"), content.clone()));
    commit("app", tree(&own.chain(vendored).collect::<Vec<_>>()));
    let line = |(name, stars): (&str, u32)| format!("{{\"repo\": \"{name}\", \"stars\": {stars}}}\n");
    let all = [
        ("upstream", 50),
        ("fork", 3),
        ("changed", 2),
        ("part", 1),
        ("tiny", 1),
        ("app", 0),
    ];
    sandbox.write("repos.jsonl", all.map(line).concat());
    sandbox.write(
        "recipe.toml",
        "name = \"forks\"\n[[source]]\ngit = \"repos.jsonl\"\n[repositories]\n",
    );
    sandbox
}

/// Mutation: compare shares of the larger repository, or let the stage keep the last in rank order.
#[test]
fn copies_of_repositories_are_dropped_as_a_whole() {
    let sandbox = forks();
    let data = sandbox.built("recipe.toml", &[]);
    data.adds_up();
    let rows = data.rows("ledger");
    let ends = |repo: &str| -> Vec<String> {
        let mut ends: Vec<String> = rows
            .iter()
            .filter(|row| row["repo_name"] == repo)
            .map(|row| format!("{} {}", row["verdict"], row["rule"]).replace('"', ""))
            .collect();
        ends.sort();
        ends.dedup();
        ends
    };
    assert_eq!(ends("upstream"), ["kept null"]);
    assert_eq!(ends("fork"), ["dropped duplicate-repository"]);
    assert_eq!(ends("changed"), ["dropped near-repository"]);
    assert_eq!(ends("part"), ["dropped near-repository"]);
    assert_eq!(ends("tiny"), ["dropped exact-duplicate"], "too few files to say");
    assert_eq!(
        ends("app"),
        ["dropped exact-duplicate", "kept null"],
        "it holds more than it has copied"
    );
    let fork = rows.iter().find(|row| row["repo_name"] == "fork").expect("listed");
    let keeper = rows.iter().find(|row| row["repo_name"] == "upstream").expect("listed");
    let name = format!("upstream@{}", keeper["revision_id"].as_str().unwrap_or_default());
    assert_eq!(
        (&fork["because"], &fork["value"], &fork["limit"]),
        (&json!(name), &json!("1"), &json!("0.9"))
    );
    let changed = rows.iter().find(|row| row["repo_name"] == "changed").expect("listed");
    assert!(
        changed["value"]
            .as_str()
            .is_some_and(|value| value.starts_with("0.916")),
        "{changed:?}"
    );
    let row = data.funnel("repositories", "near-repository").expect("in the funnel");
    assert_eq!(row.dropped, 18);
}

/// Mutation: leave a criterion out of the rank.
#[test]
fn the_keep_policy_of_repositories_is_theirs() {
    let sandbox = forks();
    let data = sandbox.built("recipe.toml", &["--set", "repositories.keep=[\"files\", \"stars\"]"]);
    data.adds_up();
    let rows = data.rows("ledger");
    let is_gone = |repo: &str| {
        rows.iter()
            .any(|row| row["repo_name"] == repo && row["stage"] == "repositories")
    };
    assert!(
        !is_gone("app") && is_gone("upstream") && is_gone("part"),
        "the largest comes first"
    );
    sandbox
        .run("recipe.toml", &["--set", "repositories.threshold=2"])
        .fails(3, "stage `repositories`: `threshold` is not in (0, 1]");
}

/// Mutation: count lines from 0, or tell a block from the earlier file's side.
#[test]
fn long_blocks_in_several_files_are_told() {
    let sandbox = Sandbox::new();
    let own = |name: &str, count: u32| {
        (0..count)
            .map(|i| format!("{name} = {name}({i}) - {i}\n"))
            .collect::<String>()
    };
    let block: String = (0..120).map(|i| format!("shared_{i} = [{i}, 'block']\n")).collect();
    let tree = Tree::of("")
        .with("a.py", own("first", 200) + &block)
        .with("b.py", own("second", 300) + &block + &own("third", 30))
        .with("c.py", own("fourth", 150) + &block[..block.len() / 2]);
    tree.commit(&sandbox.path("alpha"), false);
    let recipe = "name = \"blocks\"\n[[source]]\ngit = \"alpha\"\n[blocks]\n";
    sandbox.write("recipe.toml", recipe);
    let data = sandbox.built("recipe.toml", &[]);
    data.adds_up();
    assert_eq!(data.total("kept"), 3, "nothing is dropped for it");
    let (earlier, later) = (&data.ledger("a.py")[0], &data.ledger("b.py")[0]);
    let rows = data.rows("blocks");
    assert_eq!(rows.len(), 1, "half of the block is too short: {rows:?}");
    for (column, value) in [
        ("file_id", &later["file_id"]),
        ("blob_id", &later["blob_id"]),
        ("start_line", &json!(301)),
        ("end_line", &json!(420)),
        ("other_file_id", &earlier["file_id"]),
        ("other_blob_id", &earlier["blob_id"]),
        ("other_start_line", &json!(201)),
        ("lines", &json!(120)),
    ] {
        assert_eq!(&rows[0][column], value, "{column}");
    }
    let cut = sandbox.built("recipe.toml", &["--set", "blocks.action=\"cut\"", "--replace"]);
    cut.adds_up();
    let texts = |path: &str| {
        let rows = cut.rows("corpus").into_iter().filter(|row| row["path"] == path);
        rows.map(|row| (row["content"].clone(), row["cut_lines"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        texts("b.py"),
        [(json!(own("second", 300) + &own("third", 30)), json!(120))]
    );
    assert_eq!(texts("a.py"), [(json!(own("first", 200) + &block), json!(0))]);
    assert_eq!(cut.rows("blocks"), rows);
    sandbox
        .run("recipe.toml", &["--set", "blocks.lines=3"])
        .fails(3, "stage `blocks`: `lines` is not in 4 to 100000");
}
