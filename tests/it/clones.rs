//! Clones from git's own servers, in good days and bad: what is read is what is read from the repository itself.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use serde_json::Value;
use stackmill_tests::{Daemon, Dataset, Fault, HttpBackend, Sandbox, Tree, git};

/// A sandbox with `served/one.git`.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let text: String = (0..300).map(|i| format!("-- f{i}.py\nvalue_{i} = {i}\n")).collect();
    Tree::of(&text).commit(&sandbox.path("served/one.git"), true);
    sandbox
}

/// Writes a recipe that reads `location`, with further settings of its source.
fn recipe(sandbox: &Sandbox, name: &str, location: &str, more: &str) {
    let text = format!(
        "name = \"net\"\n[run]\nmax-failed-repositories = \"100%\"\n[[source]]\ngit = \"{location}\"\nrepo-name = \"o/n\"\n{more}\n"
    );
    sandbox.write(name, text);
}

/// SHA-256 of the corpus shards.
fn corpus(data: &Dataset) -> BTreeMap<String, String> {
    let mut hashes = data.hashes();
    hashes.retain(|name, _| name.starts_with("corpus/"));
    assert!(!hashes.is_empty());
    hashes
}

/// The corpus of `served/one.git`, read in place.
fn local(sandbox: &Sandbox) -> BTreeMap<String, String> {
    recipe(sandbox, "local.toml", "served/one.git", "");
    corpus(&sandbox.built("local.toml", &["--out", "local"]))
}

/// The lines of `clones.jsonl`.
fn clones(data: &Dataset) -> Vec<Value> {
    let text = std::fs::read_to_string(data.path("clones.jsonl")).expect("a report of clones");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// Mutation: count no bytes, or one attempt whatever happened.
#[test]
fn trouble_that_passes_leaves_the_same_bytes() {
    let sandbox = sandbox();
    let server = HttpBackend::start(sandbox.path("served"));
    let expected = local(&sandbox);
    let url = format!("{}/one.git", server.url);
    recipe(&sandbox, "recipe.toml", &url, "timeout-seconds = 2\nattempts = 2");
    let busy = Fault::Status("429 Too Many Requests", "retry-after: 1\r\n");
    let faults = [
        Fault::None,
        busy,
        Fault::Status("503 Service Unavailable", ""),
        Fault::Reset,
        Fault::Truncated,
        Fault::Silent,
    ];
    for (i, fault) in faults.into_iter().enumerate() {
        server.sends(&[fault]);
        let (out, cache) = (format!("out{i}"), format!("cache{i}"));
        let data = sandbox.built("recipe.toml", &["--out", &out, "--cache", &cache]);
        assert_eq!(corpus(&data), expected, "{fault:?}");
        let report = &clones(&data)[0];
        let attempts = if fault == Fault::None { 1 } else { 2 };
        assert_eq!(
            (&report["outcome"], &report["attempts"]),
            (&"cloned".into(), &attempts.into()),
            "{report}"
        );
        assert_eq!(
            (&report["url"], report["host"].as_str()),
            (&Value::from(url.as_str()), server.url.strip_prefix("http://"))
        );
        let pack = std::fs::metadata(sandbox.path("served/one.git")).map(|_| report["bytes_received"].as_u64());
        assert!(pack.expect("served").is_some_and(|bytes| bytes > 1000), "{report}");
    }
}

/// Mutation: forget what the server asks for.
#[test]
fn retry_after_is_waited_for() {
    let sandbox = sandbox();
    let server = HttpBackend::start(sandbox.path("served"));
    recipe(&sandbox, "recipe.toml", &format!("{}/one.git", server.url), "");
    server.greets(&[Fault::Status("429 Too Many Requests", "retry-after: 3\r\n")]);
    let start = Instant::now();
    sandbox.built("recipe.toml", &[]);
    assert!(start.elapsed() >= Duration::from_secs(3), "{:?}", start.elapsed());
}

/// Mutation: follow redirects to the same place for ever, or take any page for the protocol.
#[test]
fn trouble_that_stays_is_a_row_with_its_reason() {
    let sandbox = sandbox();
    let server = HttpBackend::start(sandbox.path("served"));
    let limit = "timeout-seconds = 1\nattempts = 2\nmax-repository-bytes = 2000000";
    recipe(&sandbox, "recipe.toml", &format!("{}/one.git", server.url), limit);
    let loops = [Fault::RedirectLoop; 6];
    let cases: [(&[Fault], &[Fault], &str); 7] = [
        (&loops, &[], "redirects without an end"),
        (&[Fault::WrongType], &[], "application/x-git-upload-pack-advertisement"),
        (&[Fault::Garbage], &[], "hex bytes"),
        (&[], &[Fault::WrongType], "application/x-git-upload-pack-result"),
        (&[], &[Fault::Garbage], ""),
        (&[], &[Fault::Endless], ""),
        (&[Fault::Status("403 Forbidden", "")], &[], "403 Forbidden"),
    ];
    for (i, (greetings, packs, words)) in cases.into_iter().enumerate() {
        server.greets(greetings);
        server.sends(packs);
        let (out, cache) = (format!("out{i}"), format!("cache{i}"));
        let data = sandbox.built("recipe.toml", &["--out", &out, "--cache", &cache]);
        assert_eq!(
            (data.total("listed"), data.total("repositories_failed")),
            (0, 1),
            "{greetings:?} {packs:?}"
        );
        let trouble = data.rows("ledger")[0]["trouble"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(
            !trouble.is_empty() && trouble.contains(words),
            "{greetings:?} {packs:?}: {trouble}"
        );
        let report = &clones(&data)[0];
        assert_eq!(
            (report["outcome"].as_str(), report["reason"].as_str()),
            (Some("failed"), Some(trouble.as_str()))
        );
        let left = std::fs::read_dir(sandbox.path(&cache)).expect("a cache").flatten();
        assert!(
            left.into_iter().all(|entry| entry.file_name() == "reports"),
            "half a clone is left"
        );
    }
}

/// Mutation: look at the silence between two bytes alone.
#[test]
fn a_server_that_drips_is_given_up() {
    let sandbox = sandbox();
    let server = HttpBackend::start(sandbox.path("served"));
    recipe(
        &sandbox,
        "recipe.toml",
        &format!("{}/one.git", server.url),
        "timeout-seconds = 1\nattempts = 1",
    );
    server.sends(&[Fault::Drip]);
    let data = sandbox.built("recipe.toml", &[]);
    assert!(trouble(&data).contains("less than 1024 bytes a second"));
    let data = sandbox.built("recipe.toml", &["--update", "--replace"]);
    assert_eq!(data.total("kept"), 300);
}

/// The trouble of the repository that could not be read.
fn trouble(data: &Dataset) -> String {
    let rows = data.rows("ledger");
    let failed: Vec<_> = rows.iter().filter(|row| row["path"].is_null()).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(
        (&failed[0]["verdict"], &failed[0]["rule"]),
        (&"failed".into(), &"unreadable-repository".into())
    );
    failed[0]["trouble"].as_str().unwrap_or_default().to_owned()
}

/// Mutation: end the run where a server is not there, or leave the attempts out.
#[test]
fn a_dead_host_is_trouble_of_its_repositories_alone() {
    let sandbox = sandbox();
    let daemon = Daemon::start(&sandbox.path("served"));
    let expected = {
        recipe(&sandbox, "alone.toml", &format!("{}/one.git", daemon.url), "");
        corpus(&sandbox.built("alone.toml", &["--out", "alone"]))
    };
    for (i, (dead, words)) in [
        ("git://127.0.0.1:1/none", "Connection refused"),
        ("http://127.0.0.1:1/none", "Connection refused"),
        ("https://no-such-host.invalid/none", "no-such-host.invalid"),
        ("git://no-such-host.invalid/none", "the server cannot be reached"),
    ]
    .into_iter()
    .enumerate()
    {
        let text = format!(
            "name = \"net\"\n[run]\nmax-failed-repositories = 0.5\n[[source]]\ngit = [\"{dead}\"]\nattempts = 2\n\
             [[source]]\nname = \"good\"\ngit = \"{}/one.git\"\nrepo-name = \"o/n\"\n",
            daemon.url
        );
        sandbox.write("recipe.toml", text);
        let out = format!("out{i}");
        let data = sandbox.built("recipe.toml", &["--out", &out]);
        data.adds_up();
        assert!(trouble(&data).contains(words), "{dead}: {}", trouble(&data));
        assert_eq!((data.total("kept"), data.total("repositories_failed")), (300, 1));
        assert_eq!(corpus(&data), expected, "{dead}");
        let reports = clones(&data);
        let report = reports.iter().find(|report| report["url"] == dead).expect("a line");
        assert_eq!(
            (&report["outcome"], &report["attempts"], report["reason"].as_str()),
            (&"failed".into(), &2.into(), Some(trouble(&data).as_str()))
        );
        let strict = ["--out", "strict", "--set", "run.max-failed-repositories=0.4"];
        sandbox.run("recipe.toml", &strict).fails(7, words).hints("--update");
        assert!(!sandbox.path("strict/manifest.json").exists());
    }
}

/// A commit in the recipe is not asked for while sources are resolved: the listing finds the host dead.
/// Mutation: take the trouble of an earlier attempt for that of the sources, or ask a dead host as often for each of its
/// repositories.
#[test]
fn a_host_that_comes_back_is_asked_again() {
    let sandbox = sandbox();
    Tree::of("-- a.py\na = 1\n").commit(&sandbox.path("served/two.git"), true);
    let server = HttpBackend::start(sandbox.path("served"));
    let ids = ["one", "two"].map(|name| git(&sandbox.path(format!("served/{name}.git")), &["rev-parse", "HEAD"], b""));
    let list = |url: &str| {
        let line = |(name, id): (&str, &String)| {
            format!("{{\"url\": \"{url}/{name}.git\", \"revision\": \"{}\"}}\n", id.trim())
        };
        ["one", "two"].into_iter().zip(&ids).map(line).collect::<String>()
    };
    sandbox.write(
        "recipe.toml",
        "name = \"net\"\n[[source]]\ngit = \"repos.jsonl\"\nattempts = 3\n",
    );
    sandbox.write("repos.jsonl", list(&server.url));
    server.greets(&[Fault::Status("503 Service Unavailable", ""); 6]);
    let all = ["--set", "run.max-failed-repositories=100%"];
    sandbox
        .run("recipe.toml", &["--threads", "1"])
        .fails(7, "503 Service Unavailable")
        .hints("--update");
    assert_eq!(sandbox.built("recipe.toml", &[]).total("kept"), 301);
    sandbox.write("repos.jsonl", list("git://127.0.0.1:1"));
    let alone = [&all[..], &["--threads", "1", "--out", "dead"]].concat();
    let data = sandbox.built("recipe.toml", &alone);
    assert_eq!((data.total("listed"), data.total("repositories_failed")), (0, 2));
    let attempts: Vec<_> = clones(&data).iter().map(|clone| clone["attempts"].clone()).collect();
    assert_eq!(attempts, [3, 1], "the second one knows");
    let ran = sandbox.run("recipe.toml", &alone).succeeds();
    assert!(
        ran.stderr.contains("2 repositories could not be read"),
        "{}",
        ran.stderr
    );
}

/// Mutation: stay at the first address.
#[test]
fn a_repository_that_moved_is_found() {
    let sandbox = sandbox();
    let server = HttpBackend::start(sandbox.path("served"));
    recipe(&sandbox, "recipe.toml", &format!("{}/one.git", server.url), "");
    server.greets(&[Fault::Redirect, Fault::None, Fault::Redirect]);
    assert_eq!(corpus(&sandbox.built("recipe.toml", &[])), local(&sandbox));
}

/// Mutation: wait for the server first.
#[test]
fn an_interrupt_ends_a_clone_at_once_and_finished_clones_stay() {
    let sandbox = sandbox();
    let server = HttpBackend::start(sandbox.path("served"));
    Tree::of("-- a.py\na = 1\n").commit(&sandbox.path("served/two.git"), true);
    let list = format!("{0}/one.git\n{0}/two.git\n", server.url);
    sandbox.write("repos.txt", list);
    sandbox.write(
        "recipe.toml",
        "name = \"net\"\n[[source]]\ngit = \"repos.txt\"\ntimeout-seconds = 600\n",
    );
    server.sends(&[Fault::None, Fault::Silent]);
    let arguments = [
        "run",
        "recipe.toml",
        "--out",
        "out",
        "--cache",
        "cache",
        "--threads",
        "1",
    ];
    let mut child = sandbox.start(&arguments);
    let clone_there = || {
        let entries = std::fs::read_dir(sandbox.path("cache")).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("git-"))
            .count()
            == 1
    };
    assert!((0..600).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        clone_there() && server.requests() >= 8
    }));
    let id = rustix::process::Pid::from_child(&child);
    let start = Instant::now();
    rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it runs");
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130), "{}", sandbox.log());
    assert!(start.elapsed() < Duration::from_secs(60), "it waited for the server");
    let asked = server.requests();
    let data = sandbox.built("recipe.toml", &["--cache", "cache"]);
    assert_eq!(data.total("kept"), 301);
    assert_eq!(
        server.requests() - asked,
        2,
        "one greeting and one pack: of the second alone"
    );
}

/// Mutation: open a connection for each repository at once.
#[test]
fn a_host_sees_no_more_connections_than_it_should() {
    let sandbox = Sandbox::new();
    let server = HttpBackend::start(sandbox.path("served"));
    let mut list = String::new();
    for i in 0..24 {
        let text = format!("-- f.py\nvalue = {i}\n");
        Tree::of(&text).commit(&sandbox.path(format!("served/r{i}.git")), true);
        list.push_str(&format!("{}/r{i}.git\n", server.url));
    }
    sandbox.write("repos.txt", list);
    let recipe = |most: u32| {
        let text = format!("name = \"net\"\n[[source]]\ngit = \"repos.txt\"\nhost-connections = {most}\n");
        sandbox.write("recipe.toml", text);
    };
    recipe(1);
    let data = sandbox.built("recipe.toml", &["--threads", "4"]);
    assert_eq!((data.total("kept"), server.most_open()), (24, 1));
    recipe(3);
    let data = sandbox.built(
        "recipe.toml",
        &["--threads", "4", "--cache", "other", "--replace", "--update"],
    );
    assert_eq!(data.total("kept"), 24);
    assert!((2..=3).contains(&server.most_open()), "{}", server.most_open());
    assert_eq!(clones(&data).len(), 24);
}

/// Mutation: ask for no filter, or drop what was not sent without a row.
#[test]
fn large_files_are_not_sent_and_have_a_row() {
    let sandbox = Sandbox::new();
    let noise: String = (0..40_000_u32)
        .map(|i| format!("{:x}", i.wrapping_mul(2_654_435_761)))
        .collect();
    let folder = sandbox.path("served/one.git");
    Tree::of("-- small.py\na = 1\n")
        .with("large.py", noise)
        .commit(&folder, true);
    let server = HttpBackend::start(sandbox.path("served"));
    recipe(
        &sandbox,
        "recipe.toml",
        &format!("{}/one.git", server.url),
        "max-entry-bytes = 100000",
    );
    let run = |name: &str| {
        let data = sandbox.built("recipe.toml", &["--out", name, "--cache", &format!("{name}-cache")]);
        data.adds_up();
        let (rows, report) = (data.rows("ledger"), clones(&data));
        let received = report[0]["bytes_received"].as_u64().expect("a number");
        (rows, received, corpus(&data))
    };
    let (rows, all, kept) = run("unfiltered");
    git(&folder, &["config", "uploadpack.allowFilter", "true"], b"");
    let (same_rows, some, same_kept) = run("filtered");
    assert!(some * 10 < all, "{some} of {all} bytes");
    assert_eq!((&rows, &kept), (&same_rows, &same_kept));
    let large = rows.iter().find(|row| row["path"] == "large.py").expect("a row");
    assert_eq!(large["verdict"], "failed");
    assert!(
        large["trouble"]
            .as_str()
            .is_some_and(|words| words.contains("not cloned")),
        "{large:?}"
    );
    let id = git(&folder, &["rev-parse", "HEAD:large.py"], b"");
    assert_eq!(large["blob_id"].as_str(), Some(id.trim()));
}

/// Mutation: always ask for one commit.
#[test]
fn depth_brings_history() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("work");
    for i in 0..5 {
        Tree::of(&format!("-- f.py\nvalue = {i}\n")).commit(&folder, false);
    }
    let commits = git(&folder, &["rev-list", "--count", "HEAD"], b"");
    let commits: u32 = commits.trim().parse().expect("a number");
    git(
        &sandbox.path("."),
        &["clone", "-q", "--bare", "work", "served/one.git"],
        b"",
    );
    let server = HttpBackend::start(sandbox.path("served"));
    for (depth, expected) in [(1, 1), (2, commits.min(2)), (0, commits)] {
        recipe(
            &sandbox,
            "recipe.toml",
            &format!("{}/one.git", server.url),
            &format!("depth = {depth}"),
        );
        let cache = format!("cache{depth}");
        sandbox.built("recipe.toml", &["--out", &format!("out{depth}"), "--cache", &cache]);
        let clone = std::fs::read_dir(sandbox.path(&cache))
            .expect("a cache")
            .flatten()
            .map(|entry| entry.path());
        let clone = clone
            .into_iter()
            .find(|path| !path.ends_with("reports"))
            .expect("a clone");
        let head = git(&folder, &["rev-parse", "HEAD"], b"");
        let found = git(&clone, &["rev-list", "--count", head.trim()], b"");
        assert_eq!(found.trim().parse::<u32>().ok(), Some(expected), "depth {depth}");
    }
}

/// Mutation: speak HTTP only.
#[test]
fn a_daemon_gives_the_same_bytes() {
    let sandbox = sandbox();
    let daemon = Daemon::start(&sandbox.path("served"));
    recipe(&sandbox, "recipe.toml", &format!("{}/one.git", daemon.url), "");
    let data = sandbox.built("recipe.toml", &[]);
    assert_eq!(corpus(&data), local(&sandbox));
    assert_eq!(clones(&data)[0]["outcome"], "cloned");
    recipe(&sandbox, "recipe.toml", &format!("{}/none.git", daemon.url), "");
    let data = sandbox.built("recipe.toml", &["--out", "none"]);
    assert_eq!(data.total("repositories_failed"), 1);
}

/// Puts a program called `ssh` into the sandbox, and gives the run's command with it in its path.
fn with_ssh(sandbox: &Sandbox, script: &str, arguments: &[&str]) -> std::process::Command {
    let path = sandbox.write("bin/ssh", format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("the sandbox is ours");
    let mut command = sandbox.command(arguments);
    let own = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{own}", sandbox.path("bin").display()));
    command
}

/// Mutation: leave out `BatchMode`, or ask a shell to start `ssh`.
#[test]
fn ssh_is_the_users_own_program() {
    let sandbox = sandbox();
    let url = format!("ssh://me@host.example:2222{}", sandbox.path("served/one.git").display());
    recipe(&sandbox, "recipe.toml", &url, "timeout-seconds = 7");
    let script = "printf '%s\\n' \"$@\" > arguments\nprintf '%s' \"$GIT_PROTOCOL\" > protocol\nfor last; do :; done\nexec sh -c \"$last\"";
    let arguments = ["run", "recipe.toml", "--out", "out", "--threads", "2"];
    sandbox.wait(&mut with_ssh(&sandbox, script, &arguments)).succeeds();
    assert_eq!(corpus(&sandbox.dataset("out")), local(&sandbox));
    let said = std::fs::read_to_string(sandbox.path("arguments")).expect("it ran");
    let said: Vec<&str> = said.lines().collect();
    for setting in ["BatchMode=yes", "PermitLocalCommand=no", "ConnectTimeout=7"] {
        let at = said.iter().position(|word| *word == setting).expect(setting);
        assert_eq!(said[at - 1], "-o");
    }
    let rest = format!("git-upload-pack '{}'", sandbox.path("served/one.git").display());
    assert_eq!(
        said[said.len() - 4..],
        ["-p2222", "--", "me@host.example", rest.as_str()]
    );
    assert_eq!(
        std::fs::read_to_string(sandbox.path("protocol")).ok().as_deref(),
        Some("version=2")
    );
}

/// Mutation: throw away what `ssh` says, or take a refusal for an outage.
#[test]
fn ssh_says_why_it_failed() {
    let sandbox = sandbox();
    recipe(&sandbox, "recipe.toml", "me@host.example:o/n", "attempts = 2");
    let run = |script: &str, out: &str| {
        let arguments = ["run", "recipe.toml", "--out", out, "--threads", "2"];
        sandbox.wait(&mut with_ssh(
            &sandbox,
            &format!("echo x >> tries\n{script}"),
            &arguments,
        ))
    };
    run(
        "echo 'ssh: connect to host h port 22: Connection refused' >&2; exit 255",
        "away",
    )
    .succeeds();
    assert!(trouble(&sandbox.dataset("away")).contains("Connection refused"));
    let tries = std::fs::read_to_string(sandbox.path("tries")).expect("it ran");
    assert_eq!(tries.lines().count(), 2);
    run("echo 'me@h: Permission denied (publickey).' >&2; exit 255", "denied").succeeds();
    assert!(trouble(&sandbox.dataset("denied")).contains("Permission denied"));
    let tries = std::fs::read_to_string(sandbox.path("tries")).expect("it ran");
    assert_eq!(tries.lines().count(), 3, "a refusal is asked once");
}

/// Mutation: put a login into a message, or send it to whoever asks.
#[test]
fn a_login_reaches_its_host_and_nothing_else() {
    let sandbox = sandbox();
    let server = HttpBackend::start(sandbox.path("served"));
    recipe(&sandbox, "recipe.toml", &format!("{}/one.git", server.url), "");
    let host = server.url.strip_prefix("http://").expect("a URL").to_owned();
    let run = |names: &str, out: &str| {
        let mut command = sandbox.command(&["run", "recipe.toml", "--out", out, "--cache", &format!("{out}-cache")]);
        command
            .env("STACKMILL_GIT_LOGINS", names)
            .env("MY_TOKEN", "s3cret-token");
        sandbox.wait(&mut command).succeeds()
    };
    run("other.example=MY_TOKEN", "without");
    assert!(server.logins().is_empty());
    let ran = run(&format!("{host}=me:MY_TOKEN"), "with");
    let logins = server.logins();
    assert_eq!(logins.len(), 4, "two greetings, one question, one pack");
    assert!(
        logins.iter().all(|login| login == "Basic bWU6czNjcmV0LXRva2Vu"),
        "{logins:?}"
    );
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("s3cret"));
    let found = std::process::Command::new("grep")
        .args(["-rlE", "s3cret-token|bWU6czNjcmV0"])
        .args([sandbox.path("with"), sandbox.path("with-cache")])
        .output()
        .expect("grep runs");
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
    sandbox.write("netrc", "machine 127.0.0.1 login me password s3cret-token\n");
    let mut command = sandbox.command(&["run", "recipe.toml", "--out", "netrc-out", "--cache", "netrc-cache"]);
    command.env("STACKMILL_NETRC", sandbox.path("netrc"));
    sandbox.wait(&mut command).succeeds();
    assert_eq!(server.logins().len(), 8);
    recipe(&sandbox, "recipe.toml", "https://me:s3cret-token@host.example/o/n", "");
    let ran = sandbox
        .run("recipe.toml", &["--out", "refused"])
        .fails(3, "holds a password");
    assert!(!ran.stderr.contains("s3cret"));
}

/// Mutation: list what the cache has, clone first and leave out afterwards, or count such a repository as failed.
#[test]
fn who_has_opted_out_is_not_cloned() {
    let sandbox = Sandbox::new();
    for name in ["ada/one", "ada/two", "bob/one"] {
        let text = format!("-- a.py\nname = '{name}'\n");
        Tree::of(&text).commit(&sandbox.path(format!("served/{name}.git")), true);
    }
    let server = HttpBackend::start(sandbox.path("served"));
    let all: Vec<String> = ["ada/one", "ada/two", "bob/one"]
        .map(|name| format!("{}/{name}.git\n", server.url))
        .into();
    sandbox.write("repos.txt", all.concat());
    let sources = "name = \"net\"\n[[source]]\ngit = \"repos.txt\"\n";
    sandbox.write("all.toml", sources);
    sandbox.write("some.toml", format!("{sources}[opt-out]\nlists = \"gone.csv\"\n"));
    sandbox.write("gone.csv", "user,repository\nADA,\n,bob/two\n");
    for (out, cache, before) in [("fresh", "empty", false), ("cached", "full", true)] {
        if before {
            sandbox.built("all.toml", &["--out", "all", "--cache", cache]);
        }
        let data = sandbox.built("some.toml", &["--out", out, "--cache", cache]);
        data.adds_up();
        assert_eq!(data.ends()[2..], ["bob/one:a.py kept".to_owned()], "{:?}", data.ends());
        let rows = data.rows("ledger");
        let gone: Vec<_> = rows.iter().filter(|row| row["path"].is_null()).collect();
        let told = |key: &str| gone.iter().map(|row| row[key].clone()).collect::<Vec<Value>>();
        assert_eq!(told("repo_name"), ["ada/one", "ada/two"]);
        assert_eq!(
            (told("verdict"), told("rule")),
            (vec!["dropped".into(); 2], vec!["user".into(); 2])
        );
        assert_eq!(told("because"), ["gone.csv line 2", "gone.csv line 2"]);
        let totals = data.manifest().totals;
        assert_eq!(
            (totals["repositories_opted_out"], totals["repositories_failed"]),
            (2, 0)
        );
        let outcomes: Vec<_> = clones(&data).iter().map(|clone| clone["outcome"].clone()).collect();
        assert_eq!(outcomes, ["opted-out", "opted-out", "cloned"]);
        assert_eq!(clones(&data)[0]["reason"], "gone.csv line 2");
        sandbox.stackmill(&["verify", out]).succeeds();
    }
    let reports = std::fs::read_dir(sandbox.path("empty/reports"))
        .expect("a cache")
        .count();
    assert_eq!(reports, 1, "one clone was made");
}
