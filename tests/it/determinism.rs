//! Same inputs, same bytes: whatever the threads, the memory, the batches, and however often a run was killed.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use stackmill_tests::Sandbox;

use crate::real;

type Hashes = BTreeMap<String, String>;

/// SHA-256 of every file of the real corpus' data set, made once.
fn baseline() -> &'static Hashes {
    static BASELINE: OnceLock<Hashes> = OnceLock::new();
    BASELINE.get_or_init(|| {
        let sandbox = Sandbox::new();
        let data = sandbox.built(&real::recipe(), &[]);
        data.adds_up();
        let listed = data.total("listed");
        assert!(listed >= 2000, "{listed} files are too few to show anything");
        assert!(
            data.shards("corpus").len() > 3 && data.shards("ledger").len() > 3,
            "several shards of each"
        );
        for (stage, rule) in [
            ("exact", "exact-duplicate"),
            ("near", "near-duplicate"),
            ("structural", "structural-duplicate"),
        ] {
            assert!(
                data.funnel(stage, rule).is_some_and(|row| row.dropped > 0),
                "nothing was dropped by {rule}"
            );
        }
        assert!(!data.rows("blocks").is_empty(), "no block stands in two files");
        data.hashes()
    })
}

/// Invariant 5. Mutation: number corpus shards by finishing order, or seed the shuffle with the thread's number.
#[test]
fn threads_do_not_show() {
    for threads in ["1", "4"] {
        let hashes = Sandbox::new().built(&real::recipe(), &["--threads", threads]).hashes();
        assert_eq!(&hashes, baseline(), "--threads {threads}");
    }
}

/// Invariant 5. Mutation: take a batch's or a spill's size from `--memory` and let row groups follow it.
#[test]
fn memory_and_batches_do_not_show() {
    for arguments in [["--memory", "512M"], ["--batch-rows", "64"], ["--batch-rows", "1000"]] {
        let hashes = Sandbox::new().built(&real::recipe(), &arguments).hashes();
        assert_eq!(&hashes, baseline(), "{arguments:?}");
    }
}

/// Edges that do not fit one task are shared out by component: nothing but the setting shows, whoever runs the tasks.
/// Mutation: share edges out by file b instead of by component.
#[test]
fn edges_that_do_not_fit_one_task_do_not_show() {
    let sandbox = Sandbox::new();
    let ran = sandbox
        .run(
            &real::recipe(),
            &["--set", "near.edges-at-once=40", "--set", "structural.edges-at-once=4"],
        )
        .succeeds();
    for turn in ["near-star-2 ", "structural-star-2 "] {
        assert!(ran.stderr.contains(turn), "{}", ran.stderr);
    }
    assert_eq!(
        published(sandbox.dataset("out").hashes()),
        published(baseline().clone())
    );
}

/// All but the manifest, which has the settings.
fn published(mut hashes: Hashes) -> Hashes {
    hashes.remove("manifest.json");
    hashes
}

/// Of the ranks of `near-components`, the first takes all turns, and goes on where it died.
/// Mutation: run `near-keepers` although the last turn has moved rows.
#[test]
fn ranks_contract_stars() {
    let (sandbox, recipe) = (Sandbox::new(), real::recipe());
    let setting = ["--out", "out", "--set", "near.edges-at-once=40"];
    let arguments = |stage, rank| {
        let share = ["task", &recipe, "--stage", stage, "--rank", rank, "--world", "2"];
        [&share[..], &setting[..]].concat()
    };
    let task = |stage, rank| sandbox.stackmill(&arguments(stage, rank));
    let stages = sandbox.stackmill(&["plan", &recipe, "--stages"]).succeeds().stdout;
    for line in stages.lines() {
        match line.split_once('\t').expect("because a line is a stage and its ranks") {
            ("near-keepers", _) => {
                task("near-keepers", "1").fails(5, "stage `near-components`, step `near-star-1`");
                task("near-components", "1").succeeds();
                task("near-keepers", "1").fails(5, "stage `near-components`, step `near-star-1`");
                let mut dies = sandbox.command(&arguments("near-components", "0"));
                let died = sandbox.wait(dies.env("STACKMILL_FAIL_AT", "near-star-2.done"));
                assert_eq!(died.code, None, "{}", died.stderr);
                task("near-components", "0").succeeds();
                task("near-components", "0").succeeds();
                drop(["0", "1"].map(|rank| task("near-keepers", rank).succeeds()));
            }
            ("near-components", _) => {}
            (stage, _) => drop(["0", "1"].map(|rank| task(stage, rank).succeeds())),
        }
    }
    assert_eq!(
        published(sandbox.dataset("out").hashes()),
        published(baseline().clone())
    );
}

/// Invariant 6. Mutation: write task markers before the task's files, or leave `remove_strays` out.
#[test]
fn twenty_kills_at_any_moment_do_not_show() {
    let sandbox = Sandbox::new();
    let (mut moment, mut kills) = (0x5eed_u64, 0);
    while kills < 20 {
        moment = moment
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let mut child = sandbox.start(&["run", &real::recipe(), "--out", "out", "--threads", "2"]);
        std::thread::sleep(Duration::from_millis(50 + (moment >> 33) % 700));
        child.kill().expect("a child can be killed");
        let status = child.wait().expect("a child ends");
        if status.signal().is_some() {
            kills += 1;
            continue;
        }
        assert!(status.success(), "{}", sandbox.log());
        assert_eq!(
            &sandbox.dataset("out").hashes(),
            baseline(),
            "finished after {kills} kills"
        );
        std::fs::remove_dir_all(sandbox.path("out")).expect("the sandbox can be written to");
    }
    assert_eq!(
        &sandbox.built(&real::recipe(), &[]).hashes(),
        baseline(),
        "after {kills} kills"
    );
}

/// Workers die by other hands, too: memory pressure, an administrator. A file is parsed again and nothing shows.
/// Mutation: give up on a request at the first death of its worker.
#[test]
fn killed_parse_workers_do_not_show() {
    let sandbox = Sandbox::new();
    let mut child = sandbox.start(&["run", &real::recipe(), "--out", "out", "--threads", "2"]);
    let (parent, done) = (Pid::from_child(&child), AtomicBool::new(false));
    let killed = std::thread::scope(|scope| {
        let killer = scope.spawn(|| {
            let mut killed = 0;
            while !done.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(250));
                let workers = children(parent);
                killed += workers
                    .into_iter()
                    .filter(|worker| kill_process(*worker, Signal::KILL).is_ok())
                    .count();
            }
            killed
        });
        let status = child.wait().expect("a child ends");
        done.store(true, Ordering::SeqCst);
        assert!(status.success(), "{}", sandbox.log());
        killer.join().expect("the killer ends")
    });
    assert!(killed > 0, "no worker was there to be killed");
    assert_eq!(
        &sandbox.dataset("out").hashes(),
        baseline(),
        "{killed} workers were killed"
    );
}

/// The processes that any thread of `parent` has started.
fn children(parent: Pid) -> Vec<Pid> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", parent.as_raw_nonzero()))
        .into_iter()
        .flatten()
        .flatten();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let numbers = lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    numbers
        .filter_map(|number| Pid::from_raw(number.parse().ok()?))
        .collect()
}

/// A first signal lets running tasks finish and says how to go on; going on gives the same bytes.
/// Mutation: drop finished tasks' markers when interrupted, or exit with 0.
#[test]
fn an_interrupt_can_be_resumed() {
    let sandbox = Sandbox::new();
    let mut child = sandbox.start(&["run", &real::recipe(), "--out", "out", "--threads", "1"]);
    wait_until(|| sandbox.path("out/.work/work").exists(), &sandbox);
    kill_process(Pid::from_child(&child), Signal::INT).expect("a child can be signalled");
    let status = child.wait().expect("a child ends");
    let log = sandbox.log();
    assert_eq!(status.code(), Some(130), "{log}");
    assert!(
        log.contains("tasks of step `content` left") && log.contains("hint: run the same command again to resume"),
        "{log}"
    );
    let status = sandbox.stackmill(&["status", "out"]).succeeds().stdout;
    assert!(
        status.contains("content: 1 tasks done"),
        "the running task was finished: {status}"
    );
    assert_eq!(&sandbox.built(&real::recipe(), &[]).hashes(), baseline());
}

/// A second signal ends the program at once.
/// Mutation: register only the flag, not the shutdown.
#[test]
fn a_second_interrupt_stops_at_once() {
    let sandbox = Sandbox::new();
    let mut child = sandbox.start(&["run", &real::recipe(), "--out", "out", "--threads", "1"]);
    wait_until(|| sandbox.path("out/.work/work").exists(), &sandbox);
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::INT).expect("a child can be signalled");
    std::thread::sleep(Duration::from_millis(30));
    kill_process(pid, Signal::INT).expect("a child can be signalled");
    let second = Instant::now();
    let status = child.wait().expect("a child ends");
    assert_eq!(status.code(), Some(130), "{}", sandbox.log());
    assert!(second.elapsed() < Duration::from_millis(250), "{:?}", second.elapsed());
    let done = sandbox.stackmill(&["status", "out"]).succeeds().stdout;
    assert!(
        !done.contains("content:"),
        "the running task was not waited for: {done}"
    );
    assert_eq!(&sandbox.built(&real::recipe(), &[]).hashes(), baseline());
}

fn wait_until(here: impl Fn() -> bool, sandbox: &Sandbox) {
    let start = Instant::now();
    while !here() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "it never came so far:\n{}",
            sandbox.log()
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The steps of a run, in order.
const STEPS: [&str; 28] = [
    "list",
    "repository-keys",
    "repositories",
    "repository-anchors",
    "repository-attach",
    "repository-verify",
    "repository-keepers",
    "repository-files",
    "exact",
    "cut",
    "content",
    "near-buckets",
    "near-attach",
    "near-verify",
    "near-keepers",
    "structural-sketch",
    "structural-buckets",
    "structural-attach",
    "structural-verify",
    "structural-keepers",
    "block-sketch",
    "block-anchors",
    "block-attach",
    "block-runs",
    "syntax",
    "pack",
    "ledger",
    "publish",
];

/// Invariant 6. Mutation: in `Run::task`, save the report before the task runs.
#[test]
fn a_death_at_each_named_point_does_not_show() {
    let whole = Sandbox::new().built(&real::small_recipe(), &[]).hashes();
    for step in STEPS {
        let moments = if step == "publish" {
            ["before", "after"]
        } else {
            ["written", "done"]
        };
        for moment in moments {
            let (sandbox, recipe) = (Sandbox::new(), real::small_recipe());
            let point = format!("{step}.{moment}");
            let mut command = sandbox.command(&["run", &recipe, "--out", "out", "--threads", "2"]);
            let died = sandbox.wait(command.env("STACKMILL_FAIL_AT", &point));
            assert_eq!(died.code, None, "{point} was never reached:\n{}", died.stderr);
            assert_eq!(
                sandbox.path("out/manifest.json").exists(),
                point == "publish.after",
                "{point}"
            );
            assert_eq!(sandbox.built(&recipe, &[]).hashes(), whole, "{point}");
            sandbox.stackmill(&["verify", "out"]).succeeds();
        }
    }
}

/// Invariant 6. Mutation: let a resumed run forget the reports of finished steps' tasks.
#[test]
fn deaths_at_later_tasks_do_not_show() {
    let whole = Sandbox::new().built(&real::small_recipe(), &[]).hashes();
    let (sandbox, recipe) = (Sandbox::new(), real::small_recipe());
    let mut died = 0;
    for point in [
        "list.done:2",
        "list.written:1",
        "content.done:2",
        "content.written:1",
        "syntax.written:2",
        "ledger.done:2",
    ] {
        let mut command = sandbox.command(&["run", &recipe, "--out", "out", "--threads", "1"]);
        died += usize::from(sandbox.wait(command.env("STACKMILL_FAIL_AT", point)).code.is_none());
    }
    assert!(died >= 4, "only {died} points were reached");
    assert_eq!(sandbox.built(&recipe, &[]).hashes(), whole);
}

/// Invariant 7. Mutation: compare names of recipes instead of fingerprints.
#[test]
fn another_runs_folder_is_refused() {
    let (sandbox, recipe) = (Sandbox::new(), real::small_recipe());
    let first = sandbox.built(&recipe, &[]).hashes();
    let refused = sandbox
        .run(&recipe, &["--set", "near.threshold=0.8"])
        .fails(3, "holds the data of another run");
    assert!(
        refused.stderr.contains("near.threshold: 0.7 there, 0.8 now"),
        "{}",
        refused.stderr
    );
    refused.hints("--replace");
    assert_eq!(sandbox.dataset("out").hashes(), first, "a refused run changes nothing");
    let replaced = sandbox
        .built(&recipe, &["--set", "near.threshold=0.8", "--replace"])
        .hashes();
    assert_ne!(replaced, first);
    let elsewhere = Sandbox::new().built(&recipe, &["--set", "near.threshold=0.8"]).hashes();
    assert_eq!(replaced, elsewhere, "nothing of the first run is left");
    let unfinished = Sandbox::new();
    let mut command = unfinished.command(&["run", &recipe, "--out", "out"]);
    assert_eq!(
        unfinished.wait(command.env("STACKMILL_FAIL_AT", "content.done")).code,
        None
    );
    unfinished
        .run(&recipe, &["--set", "rules.line-max.limit=7"])
        .fails(3, "another run")
        .hints("--replace");
    assert_eq!(unfinished.built(&recipe, &["--replace"]).hashes(), first);
}

/// Two programs never work in one folder.
/// Mutation: leave `try_lock` out of `claim`.
#[test]
fn a_second_program_is_turned_away() {
    let sandbox = Sandbox::new();
    let mut child = sandbox.start(&["run", &real::recipe(), "--out", "out", "--threads", "1"]);
    wait_until(|| sandbox.path("out/.work/listing").exists(), &sandbox);
    sandbox
        .run(&real::recipe(), &[])
        .fails(6, "another stackmill is working in this folder")
        .hints("another --out");
    child.kill().expect("a child can be killed");
    child.wait().expect("a child ends");
}
