//! Inputs and outputs in an object store: the same data set as on a disk, whatever the network does.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use stackmill_schemas::manifest::Manifest;
use stackmill_tests::{Bucket, Dataset, Page, Proxy, Ran, Row, Sandbox, Tree, Trouble, Web, sha256};

use crate::real;

const SECRET: &str = "averysecretkey123";

const BUSY: Trouble = Trouble::Status(503, "SlowDown", None);

/// The program with credentials, which reaches its store at `address`.
fn command(sandbox: &Sandbox, address: &str, arguments: &[&str]) -> Command {
    let mut command = sandbox.command(arguments);
    command
        .env("AWS_ENDPOINT_URL", format!("http://{address}"))
        .env("AWS_ACCESS_KEY_ID", "AKIATESTKEY")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_REGION", "us-east-1");
    command
}

fn stackmill(sandbox: &Sandbox, address: &str, arguments: &[&str]) -> Ran {
    let ran = sandbox.wait(&mut command(sandbox, address, arguments));
    assert!(
        !ran.stderr.contains(SECRET) && !ran.stdout.contains(SECRET),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("AKIATESTKEY"), "{}", ran.stderr);
    ran
}

/// `run` of the small recipe into `out`.
fn small(sandbox: &Sandbox, address: &str, out: &str, more: &[&str]) -> Ran {
    let recipe = real::small_recipe();
    stackmill(
        sandbox,
        address,
        &[&["run", &recipe, "--out", out, "--threads", "2"], more].concat(),
    )
}

/// Hashes of the small recipe's data set on a disk, by file.
fn on_disk() -> &'static BTreeMap<String, String> {
    static HASHES: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    HASHES.get_or_init(|| Sandbox::new().built(&real::small_recipe(), &[]).hashes())
}

/// Hashes of the data set below `prefix`: every object but `run.json`.
fn hashes(bucket: &Bucket, prefix: &str) -> BTreeMap<String, String> {
    let all = bucket.objects();
    let ours = all
        .iter()
        .filter_map(|(key, bytes)| Some((key.strip_prefix(prefix)?.strip_prefix('/')?, bytes)));
    ours.filter(|(name, _)| *name != "run.json")
        .map(|(name, bytes)| (name.to_owned(), sha256(bytes)))
        .collect()
}

/// A copy on the disk of the data set below `prefix`.
fn copied(sandbox: &Sandbox, bucket: &Bucket, prefix: &str) -> Dataset {
    for (key, bytes) in bucket.objects() {
        if key.starts_with(prefix) {
            sandbox.write(&format!("copy/{key}"), bytes);
        }
    }
    sandbox.dataset(&format!("copy/{prefix}"))
}

/// Mutation: name files in a store differently, or leave one out.
#[test]
fn a_data_set_in_a_store_is_that_of_a_disk() {
    let (sandbox, bucket) = (Sandbox::new(), Bucket::new("same"));
    let (address, out) = (bucket.address(), bucket.uri("data/set"));
    small(&sandbox, address, &out, &[]).succeeds();
    assert_eq!(&hashes(&bucket, "data/set"), on_disk());
    assert!(bucket.objects().contains_key("data/set/run.json"));
    let work = sandbox.path("home/.cache/stackmill/work");
    let left: Vec<_> = std::fs::read_dir(work)
        .expect("scratch was there")
        .flatten()
        .map(|e| e.path())
        .collect();
    assert!(left.is_empty(), "scratch is deleted: {left:?}");

    let again = small(&sandbox, address, &out, &[]).succeeds();
    assert!(again.stderr.contains("this run is complete"), "{}", again.stderr);
    let verified = stackmill(&sandbox, address, &["verify", &out]).succeeds();
    assert!(verified.stdout.contains("all as published"), "{}", verified.stdout);
    let status = stackmill(&sandbox, address, &["status", &out]).succeeds();
    assert!(status.stdout.contains("complete, recipe `small`"), "{}", status.stdout);
    let row = copied(&sandbox, &bucket, "data/set").rows("ledger").swap_remove(0);
    let file = format!(
        "{}:{}",
        row["repo_name"].as_str().unwrap_or_default(),
        row["path"].as_str().unwrap_or_default()
    );
    let story = stackmill(&sandbox, address, &["explain", &out, &file]).succeeds();
    assert!(story.stdout.contains("  listed    source"), "{}", story.stdout);

    bucket.put("data/set/corpus/part-00000.parquet", b"bent");
    stackmill(&sandbox, address, &["verify", &out]).fails(4, "corpus/part-00000.parquet: 4 bytes");
    bucket.put("data/set/corpus/part-09999.parquet", b"stray");
    small(&sandbox, address, &out, &["--replace"]).succeeds();
    assert_eq!(&hashes(&bucket, "data/set"), on_disk(), "--replace starts over");
    small(&sandbox, address, &out, &["--set", "near.threshold=0.8"])
        .fails(3, "holds the data of another run")
        .hints("--replace");
}

/// Mutation: make one kind of trouble permanent, or forget to compare after a lost answer.
#[test]
fn a_bad_network_does_not_show() {
    let kinds = [
        BUSY,
        Trouble::Status(429, "TooManyRequests", Some(1)),
        Trouble::HangUp,
        Trouble::LoseAnswer,
        Trouble::CutAt(400),
        Trouble::Late(300),
        Trouble::Status(500, "InternalError", None),
    ];
    let (sandbox, bucket) = (Sandbox::new(), Bucket::new("network"));
    let proxy = Proxy::before(&bucket);
    proxy.every(3, &kinds);
    small(&sandbox, proxy.address(), &bucket.uri("out"), &[]).succeeds();
    assert!(proxy.passed().0 > 30, "{:?}", proxy.passed());
    assert_eq!(&hashes(&bucket, "out"), on_disk());
    stackmill(&sandbox, proxy.address(), &["verify", &bucket.uri("out")]).succeeds();
}

/// Mutation: write the manifest although an upload failed.
#[test]
fn a_store_that_stays_away_is_told_and_resumed() {
    let (sandbox, bucket) = (Sandbox::new(), Bucket::new("away"));
    let (proxy, out) = (Proxy::before(&bucket), bucket.uri("out"));
    proxy.troubles(&vec![("PUT /away/out/ledger", BUSY); 1000]);
    let recipe = real::small_recipe();
    let mut run = command(
        &sandbox,
        proxy.address(),
        &["run", &recipe, "--out", &out, "--threads", "2"],
    );
    let ran = sandbox.wait(run.env("STACKMILL_STORE_ATTEMPTS", "3"));
    ran.fails(5, "cannot be reached: status 503, SlowDown")
        .hints("run the same command again to resume");
    let there = bucket.objects();
    assert!(there.keys().any(|key| key.starts_with("out/corpus/")) && !there.contains_key("out/manifest.json"));
    stackmill(&sandbox, proxy.address(), &["verify", &out]).fails(4, "manifest.json is missing");
    let status = stackmill(&sandbox, proxy.address(), &["status", &out]).succeeds();
    assert!(status.stdout.contains("unfinished"), "{}", status.stdout);
    proxy.troubles(&[]);
    small(&sandbox, proxy.address(), &out, &[]).succeeds();
    assert_eq!(&hashes(&bucket, "out"), on_disk());
}

/// Mutation: upload the manifest before the data card, or skip the comparison with what is there.
#[test]
fn a_death_between_uploads_does_not_show() {
    let recipe = real::small_recipe();
    for (number, point) in [
        "upload.before:2",
        "upload.after:1",
        "upload.before:5",
        "upload.after:7",
        "publish.before",
        "publish.after",
    ]
    .into_iter()
    .enumerate()
    {
        for loses_scratch in [false, true] {
            let (sandbox, bucket) = (Sandbox::new(), Bucket::new(&format!("death-{number}-{loses_scratch}")));
            let (address, out) = (bucket.address(), bucket.uri("out"));
            let mut run = command(&sandbox, address, &["run", &recipe, "--out", &out, "--threads", "2"]);
            let died = sandbox.wait(run.env("STACKMILL_FAIL_AT", point));
            assert_eq!(died.code, None, "{point} was never reached:\n{}", died.stderr);
            let is_visible = bucket.objects().contains_key("out/manifest.json");
            assert_eq!(is_visible, point == "publish.after", "{point}");
            if loses_scratch {
                std::fs::remove_dir_all(sandbox.path("home/.cache/stackmill/work")).expect("scratch is there");
            }
            small(&sandbox, address, &out, &[]).succeeds();
            assert_eq!(&hashes(&bucket, "out"), on_disk(), "{point}");
            stackmill(&sandbox, address, &["verify", &out]).succeeds();
        }
    }
}

/// Mutation: replace what is there, or take equal length for equal content.
#[test]
fn another_content_is_never_replaced() {
    let (sandbox, bucket) = (Sandbox::new(), Bucket::new("taken"));
    bucket.put("out/corpus/part-00000.parquet", b"somebody else's");
    small(&sandbox, bucket.address(), &bucket.uri("out"), &[])
        .fails(4, "corpus/part-00000.parquet` is there already with another content")
        .hints("--replace");
    assert_eq!(bucket.get("out/corpus/part-00000.parquet"), b"somebody else's");
    small(&sandbox, bucket.address(), &bucket.uri("out"), &["--replace"]).succeeds();
    assert_eq!(&hashes(&bucket, "out"), on_disk());
}

/// Two machines, that is, two folders of scratch, may make the same data set at the same time.
/// Mutation: fail where a file is there already.
#[test]
fn two_machines_do_not_harm_each_other() {
    let (sandbox, bucket) = (Sandbox::new(), Bucket::new("machines"));
    let (recipe, out) = (real::small_recipe(), bucket.uri("out"));
    let children = ["one", "two"].map(|scratch| {
        let arguments = ["run", &recipe, "--out", &out, "--threads", "1", "--scratch", scratch];
        command(&sandbox, bucket.address(), &arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts")
    });
    for mut child in children {
        assert!(child.wait().expect("a child ends").success());
    }
    assert_eq!(&hashes(&bucket, "out"), on_disk());
    stackmill(&sandbox, bucket.address(), &["verify", &out]).succeeds();
}

/// Mutation: print the error of the client as it is.
#[test]
fn wrong_credentials_are_told_without_secrets() {
    let (sandbox, bucket) = (Sandbox::new(), Bucket::new("credentials"));
    let proxy = Proxy::before(&bucket);
    let refused = Trouble::Status(403, "InvalidAccessKeyId", None);
    proxy.every(1, &[refused]);
    let out = bucket.uri("out");
    small(&sandbox, proxy.address(), &out, &[])
        .fails(
            4,
            "access to `s3://credentials/out/manifest.json` is refused: status 403",
        )
        .hints("docs/guide/object-stores.md");
    sandbox.write(
        "recipe.toml",
        "name = \"x\"\n[[source]]\nparquet = \"s3://credentials/*.parquet\"\n",
    );
    stackmill(&sandbox, proxy.address(), &["run", "recipe.toml", "--out", "out"]).fails(
        4,
        "access to `s3://credentials` is refused: status 403, InvalidAccessKeyId",
    );
    let asked = proxy.passed().0;
    assert_eq!(asked, 2, "what is refused is not tried again");
    stackmill(
        &sandbox,
        proxy.address(),
        &["run", "recipe.toml", "--out", "https://h/x"],
    )
    .fails(3, "only read");
    stackmill(
        &sandbox,
        proxy.address(),
        &["run", "recipe.toml", "--out", "s3://me:word@b/x"],
    )
    .fails(3, "must not hold a user name or a password");
}

/// Files of code with a repeated one, a license, and one that a rule drops.
fn tree() -> Tree {
    let body = |i: usize| {
        (0..40)
            .map(|line| format!("value_{i}_{line} = {}\n", line * 7 + i))
            .collect::<String>()
    };
    let mut tree = Tree::default().with(
        "LICENSE",
        "MIT License\n\nPermission is hereby granted, free of charge\n",
    );
    for i in 0..60 {
        tree = tree.with(format!("src/f{i}.py"), body(i % 50));
    }
    tree
}

/// The tree as a table: Parquet with a column that nobody wants, or JSON lines.
fn parquet_bytes(sandbox: &Sandbox, padding: usize) -> Vec<u8> {
    let tree = tree();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let noise = |i: usize| {
        (0..padding)
            .map(|j| sha256(&(i * padding + j).to_le_bytes()))
            .collect::<String>()
    };
    let columns: [(&str, ArrayRef); 3] = [
        (
            "noise",
            Arc::new(
                (0..tree.files().count())
                    .map(|i| Some(noise(i)))
                    .collect::<StringArray>(),
            ),
        ),
        (
            "content",
            Arc::new(
                tree.files()
                    .map(|(_, content)| Some(text(content)))
                    .collect::<StringArray>(),
            ),
        ),
        (
            "path",
            Arc::new(tree.files().map(|(path, _)| Some(text(path))).collect::<StringArray>()),
        ),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let place = sandbox.path("made.parquet");
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(25))
        .build();
    let file = File::create(&place).expect("a place");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("row groups");
    writer.close().expect("a footer");
    std::fs::read(place).expect("it was just written")
}

fn jsonl_gz() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for (path, content) in tree().files() {
        let [path, content] = [path, content].map(String::from_utf8_lossy);
        writeln!(encoder, "{}", serde_json::json!({"path": path, "content": content})).expect("in memory");
    }
    encoder.finish().expect("in memory")
}

const SOURCES: &str = r#"
name = "inputs"
[[source]]
archives = "archives/**/*.tar.gz"
[[source]]
parquet = "tables/*.parquet"
[[source]]
jsonl = "lines.jsonl.gz"
[rules]
preset = "stack-v2"
[decontaminate]
packs = ["own.pack"]
"#;

/// Everything that does not follow from how a store calls a version.
fn told(data: &Dataset) -> (Manifest, Vec<Row>) {
    let mut manifest = data.manifest();
    (manifest.files, manifest.fingerprint) = (Vec::new(), String::new());
    let mut rows = data.rows("corpus");
    rows.extend(data.rows("ledger"));
    rows.iter_mut().for_each(|row| drop(row.remove("revision_id")));
    (manifest, rows)
}

/// A recipe in a store with everything that it names beside it.
/// Mutation: read a relative path of such a recipe from the disk, or lose an entry at the end of a stretch.
#[test]
fn inputs_in_a_store_are_those_of_a_disk() {
    let (sandbox, bucket) = (Sandbox::new(), Bucket::new("inputs"));
    let benchmark = br#"{"task_id": "X/1", "prompt": "def one(a):\n    \"\"\"count the blue doors of seven small houses\"\"\"\n", "canonical_solution": "    return a + 1\n", "test": "def check(f):\n    assert f(1) == 2\n", "entry_point": "one"}"#;
    bucket.put("made.jsonl", &[&benchmark[..], b"\n"].concat());
    let made = bucket.uri("made.jsonl");
    let built = [
        "benchmarks",
        "build",
        "humaneval",
        "--name",
        "own",
        "--from",
        &made,
        "--out",
        "disk/own.pack",
    ];
    std::fs::create_dir_all(sandbox.path("disk")).expect("the sandbox can be written to");
    stackmill(&sandbox, bucket.address(), &built).succeeds();
    let pack = std::fs::read(sandbox.path("disk/own.pack")).expect("a pack");
    let files: [(&str, Vec<u8>); 6] = [
        ("archives/one.tar.gz", tree().tar_gz("one-1.0/")),
        ("archives/below/two.tar.gz", tree().tar_gz("")),
        ("tables/code.parquet", parquet_bytes(&sandbox, 1)),
        ("lines.jsonl.gz", jsonl_gz()),
        ("own.pack", pack),
        ("recipe.toml", SOURCES.into()),
    ];
    for (name, bytes) in &files {
        sandbox.write(&format!("disk/{name}"), bytes);
        bucket.put(&format!("in/{name}"), bytes);
    }
    let disk = sandbox.built("disk/recipe.toml", &["--out", "from-disk"]);
    assert!(
        disk.total("kept") > 40 && disk.total("listed") == 4 * 61,
        "{:?}",
        disk.manifest().totals
    );
    let proxy = Proxy::before(&bucket);
    proxy.every(4, &[BUSY, Trouble::HangUp, Trouble::CutAt(700), Trouble::LoseAnswer]);
    let recipe = bucket.uri("in/recipe.toml");
    let run = |out: &str, more: &[&str]| {
        stackmill(
            &sandbox,
            proxy.address(),
            &[&["run", &recipe, "--out", out, "--threads", "2"], more].concat(),
        )
    };
    run("from-store", &[]).succeeds();
    let store = sandbox.dataset("from-store");
    let (there, here) = (told(&store), told(&disk));
    assert_eq!(there.0, here.0);
    assert!(there.1 == here.1, "the rows are the same");
    run("once-more", &[]).succeeds();
    assert_eq!(
        sandbox.dataset("once-more").hashes(),
        store.hashes(),
        "unchanged objects have one revision"
    );

    bucket.put(
        "in/lines.jsonl.gz",
        b"{\"path\": \"a.py\", \"content\": \"a = 1\\n\"}\n",
    );
    run("once-more", &["--replace"])
        .fails(7, "lines.jsonl.gz: changed since the lock was written")
        .hints("--update");
    bucket.put("in/lines.jsonl.gz", &files[3].1);
    run("once-more", &["--replace"]).succeeds();
    assert_eq!(sandbox.dataset("once-more").hashes(), store.hashes());
}

/// Mutation: read Parquet files from front to back.
#[test]
fn columns_that_nobody_wants_stay_where_they_are() {
    let (sandbox, bucket) = (Sandbox::new(), Bucket::new("columns"));
    let bytes = parquet_bytes(&sandbox, 8000);
    assert!(bytes.len() > 16 << 20, "{} bytes", bytes.len());
    bucket.put("a.parquet", &bytes);
    let proxy = Proxy::before(&bucket);
    sandbox.write(
        "recipe.toml",
        "name = \"x\"\n[[source]]\nparquet = \"s3://columns/*.parquet\"\n[run]\n",
    );
    stackmill(
        &sandbox,
        proxy.address(),
        &["run", "recipe.toml", "--out", "out", "--threads", "1"],
    )
    .succeeds();
    assert_eq!(sandbox.dataset("out").total("listed"), 61);
    let passed = proxy.passed().1;
    assert!(passed < bytes.len(), "{passed} of {} bytes, three times", bytes.len());
}

/// Lists of repositories in a store name clones by URL.
/// Mutation: take a list in a store for a repository.
#[test]
fn lists_of_repositories_may_be_in_a_store() {
    let (sandbox, bucket) = (Sandbox::new(), Bucket::new("lists"));
    tree().commit(&sandbox.path("one.git"), true);
    let url = format!("file://{}", sandbox.path("one.git").display());
    bucket.put(
        "repos.jsonl",
        format!("{{\"url\": \"{url}\", \"stars\": 7}}\n").as_bytes(),
    );
    sandbox.write(
        "recipe.toml",
        "name = \"x\"\n[[source]]\ngit = \"s3://lists/repos.jsonl\"\n",
    );
    stackmill(&sandbox, bucket.address(), &["run", "recipe.toml", "--out", "out"]).succeeds();
    assert_eq!(sandbox.dataset("out").total("listed"), 61);
    bucket.put("bad.txt", b"clones/one\n");
    for (list, words) in [
        ("bad.txt", "where no repository is read from"),
        ("none.txt", "is not there"),
        ("x", "no repository"),
    ] {
        sandbox.write(
            "recipe.toml",
            format!("name = \"x\"\n[[source]]\ngit = \"s3://lists/{list}\"\n"),
        );
        stackmill(&sandbox, bucket.address(), &["run", "recipe.toml", "--out", "other"]).fails(4, words);
    }
}

/// What a recipe names beside its sources crosses the network once for each machine and content.
/// Mutation: keep copies by URI alone, or believe what is kept without its hash.
#[test]
fn artefacts_are_fetched_once_and_kept_by_content() {
    let (sandbox, bucket) = (Sandbox::new(), Bucket::new("artefacts"));
    tree().write(&sandbox.path("code"));
    let padding: String = (0..200_000).map(|i| format!("nobody{i}/nothing,\n")).collect();
    let list = |path: &str| format!("repository,path\n{padding}one,src/{path}\n");
    bucket.put("gone.csv", list("f7.py").as_bytes());
    let recipe = "name = \"x\"\n[[source]]\nname = \"one\"\ndirectory = \"code\"\n[opt-out]\nlists = [\"s3://artefacts/gone.csv\"]\n";
    sandbox.write("recipe.toml", recipe);
    let proxy = Proxy::before(&bucket);
    let fetched = |out: &str| {
        let before = proxy.passed().1;
        stackmill(&sandbox, proxy.address(), &["run", "recipe.toml", "--out", out]).succeeds();
        (proxy.passed().1 - before) / padding.len()
    };
    assert_eq!((fetched("a"), fetched("b")), (1, 0), "times that the list was sent");
    assert_eq!(sandbox.dataset("a").hashes(), sandbox.dataset("b").hashes());

    let kept: Vec<_> = glob(&sandbox.path("home/.cache/stackmill/artefacts"), "gone.csv");
    assert_eq!(kept.len(), 1, "{kept:?}");
    std::fs::write(&kept[0], "repository,path\n").expect("the sandbox can be written to");
    assert_eq!(fetched("c"), 1, "a damaged copy is fetched again");
    assert_eq!(sandbox.dataset("c").hashes(), sandbox.dataset("a").hashes());

    bucket.put("gone.csv", list("f8.py").as_bytes());
    assert_eq!((fetched("d"), fetched("e")), (1, 0), "another content");
    assert_ne!(sandbox.dataset("d").hashes(), sandbox.dataset("a").hashes());
}

/// Files called `name` in the folders of `folder`.
fn glob(folder: &std::path::Path, name: &str) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("because it is there");
    let paths = entries.map(|entry| entry.expect("because it is there").path().join(name));
    paths.filter(|path| path.exists()).collect()
}

/// Large files go up in parts; a death between parts leaves nothing.
/// Mutation: give each part the name of the whole.
#[test]
fn large_files_are_uploaded_in_parts() {
    let (sandbox, bucket) = (Sandbox::new(), Bucket::new("parts"));
    let noise = |i: usize| {
        (0..4000)
            .map(|j| sha256(&(i * 4000 + j).to_le_bytes()))
            .fold(String::new(), |a, b| a + &b + "\n")
    };
    let tree = (0..64).fold(Tree::default(), |tree, i| tree.with(format!("f{i}.txt"), noise(i)));
    sandbox.write("one.tar", tree.tar(""));
    sandbox.write("recipe.toml", "name = \"x\"\n[[source]]\narchives = \"one.tar\"\n");
    let proxy = Proxy::before(&bucket);
    let run = || {
        let mut run = command(
            &sandbox,
            proxy.address(),
            &["run", "recipe.toml", "--out", "s3://parts/out"],
        );
        run.env("STACKMILL_STORE_PART", "5M")
            .env("STACKMILL_STORE_ATTEMPTS", "3");
        sandbox.wait(&mut run)
    };
    proxy.troubles(&vec![("partNumber=2", Trouble::HangUp); 1000]);
    run().fails(5, "cannot be reached: the connection failed or broke off");
    assert!(
        !bucket.objects().keys().any(|key| key.contains("corpus")),
        "no half of a file is there"
    );
    proxy.troubles(&[
        ("partNumber=1", BUSY),
        ("partNumber=2", Trouble::LoseAnswer),
        ("uploadId=", Trouble::LoseAnswer),
    ]);
    run().succeeds();
    assert!(proxy.is_calm());
    let data = copied(&sandbox, &bucket, "out");
    assert_eq!(data.hashes(), sandbox.built("recipe.toml", &[]).hashes());
}

/// One rank of three on a machine of its own, which shares nothing with the others but the store.
fn rank_alone(sandbox: &Sandbox, address: &str, (out, stage, number): (&str, &str, u32), more: &[&str]) -> Command {
    let recipe = real::small_recipe();
    let number = number.to_string();
    let share = ["--out", out, "--stage", stage, "--rank", &number, "--world", "3"];
    let arguments = [&["task", &recipe, "--threads", "1"], &share[..], more].concat();
    let mut command = command(sandbox, address, &arguments);
    command.env("HOME", sandbox.path(format!("machine-{number}")));
    command
}

/// The stages of the small recipe.
fn stages(sandbox: &Sandbox) -> Vec<String> {
    let lines = sandbox
        .stackmill(&["plan", &real::small_recipe(), "--stages"])
        .succeeds();
    let names = lines.stdout.lines().filter_map(|line| line.split('\t').next());
    names.map(str::to_owned).collect()
}

/// Runs every stage, three ranks at once.
fn three_machines(sandbox: &Sandbox, address: &str, out: &str, more: &[&str]) {
    for stage in stages(sandbox) {
        let begin = |number| {
            let mut rank = rank_alone(sandbox, address, (out, &stage, number), more);
            rank.stdout(Stdio::null()).stderr(Stdio::piped());
            rank.spawn().expect("the program starts")
        };
        let ranks: Vec<_> = (0..3).map(begin).collect();
        for (number, rank) in ranks.into_iter().enumerate() {
            let ended = rank.wait_with_output().expect("a rank ends");
            let said = String::from_utf8_lossy(&ended.stderr);
            assert!(ended.status.success(), "stage {stage}, rank {number}: {said}");
        }
    }
}

/// Nothing of a run is left beside the data set, on any machine.
fn is_tidy(sandbox: &Sandbox, bucket: &Bucket) {
    let foreign = |key: &String| key.contains("/.work/") || key.starts_with("scratch/");
    let left: Vec<_> = bucket.objects().into_keys().filter(foreign).collect();
    assert_eq!(left, Vec::<String>::new());
    for number in 0..3 {
        let spool = sandbox.path(format!("machine-{number}/.cache/stackmill/work"));
        let staging = std::fs::read_dir(spool).into_iter().flatten().flatten();
        let files = staging.flat_map(|folder| std::fs::read_dir(folder.path().join("spool")));
        let left: Vec<_> = files.flatten().flatten().map(|entry| entry.path()).collect();
        let files: Vec<_> = left.into_iter().filter(|path| path.is_file()).collect();
        assert!(files.is_empty(), "{files:?}");
    }
}

/// Mutation: leave scratch on the machine where nothing is said of it, or count reports in a folder.
#[test]
fn machines_that_share_nothing_but_a_store_make_the_same_data_set() {
    let (sandbox, bucket) = (Sandbox::new(), Bucket::new("alone"));
    let (address, scratch) = (bucket.address(), bucket.uri("scratch"));
    for (out, more) in [("inside", &[][..]), ("beside", &["--scratch", &scratch])] {
        let place = bucket.uri(out);
        three_machines(&sandbox, address, &place, more);
        assert_eq!(&hashes(&bucket, out), on_disk(), "{out}");
        is_tidy(&sandbox, &bucket);
        stackmill(&sandbox, address, &["verify", &place]).succeeds();
    }
}

/// One machine may have its scratch in a store, too: before, it is all there; behind, nothing.
/// Mutation: let `Place::of` make a folder of that name.
#[test]
fn scratch_of_one_machine_may_be_in_a_store() {
    let (sandbox, bucket) = (Sandbox::new(), Bucket::new("onescratch"));
    let (address, scratch) = (bucket.address(), bucket.uri("scratch"));
    let recipe = real::small_recipe();
    let arguments = ["run", &recipe, "--out", "out", "--threads", "2", "--scratch", &scratch];
    let mut run = command(&sandbox, address, &arguments);
    let died = sandbox.wait(run.env("STACKMILL_FAIL_AT", "syntax.written"));
    assert_eq!(died.code, None, "{}", died.stderr);
    let there = bucket.objects();
    assert!(
        there.keys().any(|key| key.contains("/done/content")),
        "{:?}",
        there.keys()
    );
    let status = stackmill(&sandbox, address, &["status", "out", "--scratch", &scratch]).succeeds();
    assert!(status.stdout.contains("content: done"), "{}", status.stdout);
    stackmill(&sandbox, address, &arguments).succeeds();
    assert_eq!(&sandbox.dataset("out").hashes(), on_disk());
    is_tidy(&sandbox, &bucket);
    stackmill(
        &sandbox,
        address,
        &["run", &recipe, "--out", "other", "--scratch", "https://host/x"],
    )
    .fails(3, "--scratch https://host/x is on a web server");
}

/// Mutation: in `Stores::put_file`, fail where another content of scratch is there, or forget to try again.
#[test]
fn a_bad_network_between_machines_does_not_show() {
    let kinds = [BUSY, Trouble::LoseAnswer, Trouble::HangUp, Trouble::CutAt(400)];
    let (sandbox, bucket) = (Sandbox::new(), Bucket::new("badscratch"));
    let proxy = Proxy::before(&bucket);
    proxy.every(5, &kinds);
    three_machines(&sandbox, proxy.address(), &bucket.uri("out"), &[]);
    assert_eq!(&hashes(&bucket, "out"), on_disk());
    is_tidy(&sandbox, &bucket);
}

/// Each stage's first rank dies once its files are there, and once its report is; whoever takes over is on another
/// machine. Mutation: put the report before the files.
#[test]
fn machines_that_die_are_replaced_by_others() {
    let (sandbox, bucket) = (Sandbox::new(), Bucket::new("deadscratch"));
    let (address, out) = (bucket.address(), bucket.uri("out"));
    for stage in stages(&sandbox) {
        if !["prepare", "publish", "near-components", "structural-components"].contains(&&*stage) {
            for moment in ["written", "done"] {
                let mut rank = rank_alone(&sandbox, address, (&out, &stage, 0), &[]);
                let died = sandbox.wait(rank.env("STACKMILL_FAIL_AT", format!("{stage}.{moment}")));
                assert_eq!(died.code, None, "{stage}.{moment}: {}", died.stderr);
            }
        }
        for number in 0..3 {
            let mut rank = rank_alone(&sandbox, address, (&out, &stage, number), &[]);
            rank.env("HOME", sandbox.path(format!("machine-{}", (number + 1) % 3)));
            sandbox.wait(&mut rank).succeeds();
        }
    }
    assert_eq!(&hashes(&bucket, "out"), on_disk());
    is_tidy(&sandbox, &bucket);
}

/// Mutation: do not check the hash of what comes out of a store.
#[test]
fn scratch_that_was_changed_in_a_store_is_refused() {
    let (sandbox, bucket) = (Sandbox::new(), Bucket::new("bentscratch"));
    let (address, out) = (bucket.address(), bucket.uri("out"));
    let all = stages(&sandbox);
    for stage in all.iter().take_while(|stage| *stage != "syntax") {
        for number in 0..3 {
            sandbox
                .wait(&mut rank_alone(&sandbox, address, (&out, stage, number), &[]))
                .succeeds();
        }
    }
    let objects = bucket.objects();
    for folder in ["out/.work/work/", "out/.work/near-decisions/", "out/.work/done/content"] {
        let (key, whole) = objects
            .iter()
            .find(|(key, _)| key.starts_with(folder))
            .expect("a file is there");
        let mut bent = whole.clone();
        bent[whole.len() / 2] ^= 1;
        for bytes in [&bent[..], &whole[..whole.len() - 1]] {
            bucket.put(key, bytes);
            let fails = |number| {
                let ran = sandbox.wait(&mut rank_alone(&sandbox, address, (&out, "syntax", number), &[]));
                ran.code == Some(4) && ran.stderr.contains("scratch is damaged")
            };
            assert!((0..3).any(fails), "{key}");
        }
        bucket.put(key, whole);
    }
}

/// Mutation: end the run or the task where a web server is not there, or count what it gave before it went away.
#[test]
fn a_dead_web_server_is_trouble_of_its_archives_and_tables_alone() {
    let sandbox = Sandbox::new();
    let tar = Tree::of("-- a.py\na = 1\n-- b.py\nb = 2\n").tar_gz("good/");
    let table = b"{\"content\": \"c = 3\\n\", \"path\": \"c.py\"}\n";
    let web = Web::of([
        ("good.tar.gz", Page::Bytes(tar.clone())),
        ("away.tar.gz", Page::HeadOf(tar, 503)),
        ("busy.tar.gz", Page::Status(503)),
        ("refused.jsonl", Page::Status(403)),
        ("away.jsonl", Page::HeadOf(table.to_vec(), 500)),
        ("good.jsonl", Page::Bytes(table.to_vec())),
        ("away.parquet", Page::HeadOf(vec![b'x'; 4096], 502)),
    ]);
    let list = |names: &[&str]| {
        let urls: Vec<String> = names.iter().map(|name| format!("\"{}\"", web.url(name))).collect();
        urls.join(", ")
    };
    let text = format!(
        "name = \"web\"\n[[source]]\nname = \"archives\"\narchives = [{}, \"http://127.0.0.1:1/none.tar.gz\"]\n\
         [[source]]\nname = \"lines\"\njsonl = [{}]\n[[source]]\nname = \"tables\"\nparquet = [{}]\n",
        list(&["good.tar.gz", "away.tar.gz", "busy.tar.gz", "gone.tar.gz"]),
        list(&["good.jsonl", "away.jsonl", "refused.jsonl"]),
        list(&["away.parquet"]),
    );
    sandbox.write("recipe.toml", text);
    let run = |out: &str, more: &[&str]| {
        let arguments = [&["run", "recipe.toml", "--out", out], more].concat();
        sandbox.wait(sandbox.command(&arguments).env("STACKMILL_STORE_ATTEMPTS", "2"))
    };
    let lenient = "run.max-failed-repositories=80%";
    run("one", &["--threads", "1", "--set", lenient]).succeeds();
    run("four", &["--threads", "4", "--set", lenient]).succeeds();
    let data = sandbox.dataset("one");
    data.adds_up();
    assert_eq!(data.hashes(), sandbox.dataset("four").hashes());
    assert_eq!(data.total("repositories_failed"), 7);
    let (good, failed): (Vec<Row>, Vec<Row>) = data.rows("ledger").into_iter().partition(|row| !row["path"].is_null());
    assert_eq!(good.len(), 3);
    for (name, words) in [
        ("away.tar.gz", "503"),
        ("busy.tar.gz", "503"),
        ("gone.tar.gz", "is not there"),
        ("none.tar.gz", "the connection failed"),
        ("away.jsonl", "500"),
        ("refused.jsonl", "403"),
        ("away.parquet", "502"),
    ] {
        let told = |row: &&Row| {
            row["trouble"]
                .as_str()
                .is_some_and(|told| told.contains(name) && told.contains(words))
        };
        let row = failed.iter().find(told);
        assert!(row.is_some_and(|row| row["verdict"] == "failed"), "{name}: {failed:?}");
    }
    run("strict", &[]).fails(7, "5 of 9 repositories").hints("--update");
    assert!(!sandbox.path("strict/manifest.json").exists());
}
