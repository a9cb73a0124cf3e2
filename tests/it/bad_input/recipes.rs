//! Recipes that say something wrong: each mistake is named, with what was probably meant.

use stackmill_tests::{Sandbox, Tree};

const HEAD: &str = "name = \"r\"\n[[source]]\ndirectory = \"in\"\n";

/// What is wrong, the lines that say it, and words that the answer must hold.
const MISTAKES: [(&str, &str, &str); 37] = [
    ("no TOML", "near = [", "not valid TOML"),
    ("unknown table", "[ner]", "did you mean `near`?"),
    ("far from any table", "[quux]", "a recipe has name, run, source"),
    (
        "unknown key of a stage",
        "[near]\ntreshold = 0.7",
        "did you mean `threshold`?",
    ),
    (
        "unknown key of run",
        "[run]\ntask-byte = 7",
        "did you mean `task-bytes`?",
    ),
    ("unknown rule", "[rules]\nline-mx = true", "did you mean `line-max`?"),
    (
        "unknown setting of a rule",
        "[rules]\nline-max = { limt = 3 }",
        "did you mean `limit`?",
    ),
    (
        "unknown preset",
        "[rules]\npreset = \"stack-v3\"",
        "did you mean `stack-v1`?",
    ),
    (
        "value that is its own key",
        "[near]\nwords = \"words\"",
        "hint: one of folded, ascii, unicode\n",
    ),
    (
        "value of another key",
        "[near]\nkeep = \"components\"",
        "hint: one of greedy, one-per-component\n",
    ),
    (
        "value that is almost one",
        "[structural]\naction = \"dropp\"",
        "did you mean `drop`?",
    ),
    (
        "scores without a column",
        "[rules]\nscore = true",
        "columns = { score = \"educational\" }",
    ),
    ("unknown tokenizer", "[tokenize]\ntokenizer = \"o200k\"", "o200k_base"),
    (
        "unknown criterion",
        "[exact]\nkeep = [\"star\"]",
        "did you mean `stars`?",
    ),
    ("unknown policy", "[license]\npolicy = \"stack\"", "stack-v2"),
    ("text for a number", "[near]\nthreshold = \"high\"", "invalid type"),
    ("number for a list", "[exact]\nkeep = 3", "invalid type"),
    ("list for a table", "near = [1]", "near"),
    ("negative number", "[run]\ntask-bytes = -1", "task-bytes"),
    ("rule as a number", "[rules]\nline-max = 3", "line-max = true"),
    (
        "no share",
        "[run]\nmax-failed-repositories = \"150%\"",
        "is not a share",
    ),
    (
        "task of no bytes",
        "[run]\ntask-bytes = 0",
        "`task-bytes` must be at least 1",
    ),
    ("threshold above 1", "[near]\nthreshold = 1.5", "threshold"),
    ("threshold of 0", "[near]\nthreshold = 0.0", "threshold"),
    ("recall of 1", "[near]\nrecall = 1.0", "recall"),
    ("bands without rows", "[near]\nbands = 20", "rows"),
    ("no words in a shingle", "[near]\nngram = 0", "ngram"),
    (
        "sequence of 1 token",
        "[tokenize]\nsequence-length = 1",
        "`sequence-length`",
    ),
    (
        "limit that drops everything",
        "[rules]\nline-max = { limit = 0 }",
        "above 0",
    ),
    (
        "share above 1",
        "[rules]\nalnum-fraction = { limit = 25 }",
        "from 0 to 1",
    ),
    (
        "unknown benchmark",
        "[decontaminate]\nbenchmarks = [\"humanevl\"]",
        "humaneval",
    ),
    ("corpus as a table", "[corpus]\nx = 1", "not `true` or `false`"),
    (
        "tokens without a corpus",
        "corpus = false\ntokenize = true",
        "need the corpus",
    ),
    (
        "structure without languages",
        "language = false\nstructural = true",
        "leave `language = false` out",
    ),
    (
        "two kinds in a source",
        "[[source]]\ngit = \"a\"\njsonl = \"b\"",
        "are set at once",
    ),
    (
        "no kind in a source",
        "[[source]]\nname = \"x\"",
        "nothing says what to read",
    ),
    (
        "limit of a source",
        "[[source]]\ngit = \"a\"\nmax-entries = 0",
        "`max-entries` is 0",
    ),
];

/// Mutation: take `deny_unknown_fields` off any settings, or a range check out of any `build`.
#[test]
fn mistakes_are_named() {
    let sandbox = Sandbox::new();
    Tree::of("-- in/a.py\nx = 1\n").write(&sandbox.path(""));
    let mut all = String::new();
    for (name, lines, words) in MISTAKES {
        let source_only = lines.starts_with("[[source]]");
        let text = if !lines.starts_with('[') {
            format!("{lines}\n{HEAD}")
        } else {
            format!("{HEAD}{lines}\n")
        };
        sandbox.write("recipe.toml", text);
        let ran = sandbox.stackmill(&["check", "recipe.toml"]);
        assert_eq!(ran.code, Some(3), "{name}: {}{}", ran.stdout, ran.stderr);
        let ran = ran.fails(3, "");
        assert!(
            ran.stderr.contains(words),
            "{name}: `{words}` is not said:\n{}",
            ran.stderr
        );
        assert!(
            ran.stderr.contains("recipe.toml"),
            "{name}: the recipe is not named:\n{}",
            ran.stderr
        );
        all.push_str(&format!("# {name}\n{}\n", ran.stderr));
        if !source_only {
            assert_eq!(
                sandbox.run("recipe.toml", &[]).code,
                Some(3),
                "{name}: `run` says the same"
            );
        }
    }
    assert!(
        !sandbox.path("out").exists(),
        "a recipe is checked before anything is touched"
    );
    insta::assert_snapshot!("recipe_mistakes", all);
}

/// Mutation: take a missing recipe for an empty one.
#[test]
fn recipes_that_are_not_there_or_not_whole_are_named() {
    let sandbox = Sandbox::new();
    sandbox
        .run("missing.toml", &[])
        .fails(4, "cannot read the recipe")
        .hints("examples/");
    sandbox.write("empty.toml", "");
    sandbox
        .run("empty.toml", &[])
        .fails(3, "a recipe needs a `name`")
        .hints("my-corpus");
    sandbox.write("bare.toml", "name = \"x\"\n");
    sandbox
        .run("bare.toml", &[])
        .fails(3, "at least one [[source]]")
        .hints("git = ");
    sandbox.write(
        "twins.toml",
        "name = \"x\"\n[[source]]\ndirectory = \"a\"\n[[source]]\ndirectory = \"b\"\n",
    );
    sandbox
        .run("twins.toml", &[])
        .fails(3, "two sources are called `directory`")
        .hints("own `name`");
    sandbox.write("nothing.toml", "name = \"x\"\n[[source]]\narchives = \"*.crate\"\n");
    sandbox
        .run("nothing.toml", &[])
        .fails(4, "matches nothing")
        .hints("the recipe's folder");
    sandbox.write(
        "variable.toml",
        "name = \"x\"\n[[source]]\ndirectory = \"${NO_SUCH_VARIABLE}\"\n",
    );
    sandbox
        .run("variable.toml", &[])
        .fails(3, "`NO_SUCH_VARIABLE` is not set")
        .hints(":-default");
    sandbox.write("pack.toml", format!("{HEAD}[decontaminate]\npacks = [\"no.pack\"]\n"));
    sandbox
        .run("pack.toml", &[])
        .fails(4, "cannot read the pack")
        .hints("stackmill benchmarks build");
}

/// Mutation: ignore `--set`, or take its value for text always.
#[test]
fn settings_of_the_command_line_are_checked_like_the_recipes() {
    let sandbox = Sandbox::new();
    Tree::of("-- in/a.py\nx = 1\n").write(&sandbox.path(""));
    sandbox.write("recipe.toml", HEAD);
    let check = |set: &str| sandbox.stackmill(&["check", "recipe.toml", "--set", set]);
    check("near.treshold=0.8")
        .fails(3, "unknown field `treshold`")
        .hints("did you mean `threshold`?");
    check("near").fails(3, "is not stage.key=value").hints("--set");
    check("near.threshold=high").fails(3, "invalid type");
    let json = sandbox
        .stackmill(&["check", "recipe.toml", "--json", "--set", "near.threshold=0.9"])
        .succeeds()
        .stdout;
    let resolved: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(resolved["near"]["threshold"], 0.9);
    for (arguments, code, words) in [
        (["--memory", "12 parsecs"], 2, "is not a size"),
        (["--memory", "64M"], 6, "which one task needs"),
        (["--threads", "0"], 2, "at least 1"),
        (["--batch-rows", "0"], 2, "at least 1"),
        (["--sample", "200%"], 2, "is not a share"),
        (["--scratch-budget", "much"], 2, "`much` is not a size"),
    ] {
        let ran = sandbox.run("recipe.toml", &arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(words), "{arguments:?}: {}", ran.stderr);
    }
}

/// A benchmark's file that has another layout is refused with the name of what is missing.
/// Mutation: take a missing field for an empty one.
#[test]
fn benchmark_files_of_another_layout_are_refused() {
    let sandbox = Sandbox::new();
    let build = |name: &str, text: &str| {
        sandbox.write("items.jsonl", text);
        sandbox.stackmill(&["benchmarks", "build", name, "--from", "items.jsonl", "--out", "x.pack"])
    };
    build("humaneval", "{\"task_id\": \"HumanEval/0\"}\n").fails(4, "prompt");
    build("humaneval", "no json\n").fails(4, "humaneval");
    build("humaneval", "").fails(4, "");
    build("quux", "")
        .fails(3, "no reader for benchmark `quux`")
        .hints("humaneval");
    assert!(!sandbox.path("x.pack").exists());
    sandbox.write("bad.pack", b"SMPACK\n\0\0garbage");
    sandbox.write(
        "recipe.toml",
        format!("{HEAD}[decontaminate]\npacks = [\"bad.pack\"]\n"),
    );
    sandbox.run("recipe.toml", &[]).fails(4, "bad.pack");
}
