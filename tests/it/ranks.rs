//! A run in shares gives the same bytes as a run at once: whatever the number of ranks, whichever of them die, and
//! whoever submits them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use stackmill_tests::{Ran, Sandbox, program, root, sha256};

use crate::real;

/// Stages of the recipe with one task each, however many ranks there are.
const SINGLE: [&str; 4] = ["prepare", "near-components", "structural-components", "publish"];

/// The recipe of these tests and the SHA-256 of the manifest that one process makes of it, made once.
fn whole() -> &'static str {
    static WHOLE: OnceLock<String> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let sandbox = Sandbox::new();
        let data = sandbox.built(&real::many_recipe(), &[]);
        data.adds_up();
        let listed = data.total("listed");
        assert!(listed >= 5000, "{listed} files are too few to show anything");
        for (stage, rule) in [
            ("exact", "exact-duplicate"),
            ("near", "near-duplicate"),
            ("decontaminate", "invented"),
        ] {
            let row = data.funnel(stage, rule);
            assert!(row.is_some_and(|row| row.dropped > 0), "nothing was dropped by {rule}");
        }
        assert!(data.total("sequences") > 0, "nothing was packed");
        manifest(&sandbox)
    })
}

/// The same of a corpus of some sixty files in several splits and chunks.
fn small() -> &'static str {
    static SMALL: OnceLock<String> = OnceLock::new();
    SMALL.get_or_init(|| {
        let sandbox = Sandbox::new();
        sandbox.built(&real::small_recipe(), &[]);
        manifest(&sandbox)
    })
}

fn manifest(sandbox: &Sandbox) -> String {
    sha256(&fs::read(sandbox.path("out/manifest.json")).unwrap_or_default())
}

/// The stages of a recipe as `plan --stages` names them.
fn stages(sandbox: &Sandbox, recipe: &str) -> Vec<(String, bool)> {
    let lines = sandbox.stackmill(&["plan", recipe, "--stages"]).succeeds().stdout;
    let line = |line: &str| {
        line.split_once('\t')
            .map(|(stage, ranks)| (stage.to_owned(), ranks == "1"))
    };
    lines.lines().filter_map(line).collect()
}

/// The command of one rank of a world of so many; one thread unless `more` says otherwise.
fn rank(sandbox: &Sandbox, recipe: &str, stage: &str, of: (u32, u32), more: &[&str]) -> Command {
    let (rank, world) = (of.0.to_string(), of.1.to_string());
    let share = ["--stage", stage, "--rank", &rank, "--world", &world];
    let threads: &[&str] = if more.contains(&"--threads") {
        &[]
    } else {
        &["--threads", "1"]
    };
    sandbox.command(&[&["task", recipe, "--out", "out"], &share[..], threads, more].concat())
}

/// Starts a rank whose output goes to a file of its own.
fn start(sandbox: &Sandbox, command: &mut Command, name: &str) -> Child {
    let log = fs::File::create(sandbox.path(name)).expect("the sandbox can be written to");
    command.stdout(Stdio::null()).stderr(log);
    command.spawn().expect("the program can be started")
}

/// Runs all ranks of a stage, all at once.
fn stage(sandbox: &Sandbox, recipe: &str, stage: &str, world: u32) {
    let world = if SINGLE.contains(&stage) { 1 } else { world };
    let name = |number| format!("log-{number}");
    let begin = |number| {
        start(
            sandbox,
            &mut rank(sandbox, recipe, stage, (number, world), &[]),
            &name(number),
        )
    };
    let ranks: Vec<Child> = (0..world).map(begin).collect();
    for (number, mut child) in ranks.into_iter().enumerate() {
        let status = child.wait().expect("a child ends");
        let log = fs::read_to_string(sandbox.path(name(number as u32))).unwrap_or_default();
        assert!(status.success(), "stage {stage}, rank {number} of {world}: {log}");
    }
}

/// Runs the stages from the first to the one before `end`.
fn before(sandbox: &Sandbox, recipe: &str, end: &str, world: u32) {
    let all = stages(sandbox, recipe);
    for (name, _) in all.iter().take_while(|(name, _)| name != end) {
        stage(sandbox, recipe, name, world);
    }
}

/// Runs every stage; gives the manifest's SHA-256.
fn all(sandbox: &Sandbox, recipe: &str, world: u32) -> String {
    before(sandbox, recipe, "", world);
    manifest(sandbox)
}

/// Invariant 5. Mutation: let `Rank::tasks` step by `world + 1` (a task is missing), or sort reports by who wrote them.
#[test]
fn one_rank_makes_the_same_data_set() {
    many_ranks(1);
}

/// As above: steps with fewer tasks than ranks.
#[test]
fn sixteen_ranks_make_the_same_data_set() {
    many_ranks(16);
}

#[track_caller]
fn many_ranks(world: u32) {
    let sandbox = Sandbox::new();
    assert_eq!(all(&sandbox, &real::many_recipe(), world), whole());
    assert!(!sandbox.path("out/.work").exists(), "scratch is deleted");
    assert!(!sandbox.path("out/.lock").exists(), "nobody works here any more");
    sandbox.stackmill(&["verify", "out"]).succeeds();
    let run = fs::read_to_string(sandbox.path("out/run.json")).unwrap_or_default();
    assert!(run.contains("\"engine\": \"ranks\""), "{run}");
}

/// Invariant 5. Mutation: let the size of a spill or a row group follow `--memory`.
#[test]
fn unlike_ranks_do_not_show() {
    let (sandbox, recipe) = (Sandbox::new(), real::small_recipe());
    let unlike: [&[&str]; 3] = [
        &["--memory", "512M"],
        &["--threads", "4", "--batch-rows", "7"],
        &["--batch-rows", "1000", "--scratch-budget", "1G"],
    ];
    for (name, single) in stages(&sandbox, &recipe) {
        let world = if single { 1 } else { 3 };
        for number in 0..world {
            let more = unlike[number as usize];
            sandbox
                .wait(&mut rank(&sandbox, &recipe, &name, (number, world), more))
                .succeeds();
        }
    }
    assert_eq!(manifest(&sandbox), small());
}

/// Stages may be cut into other numbers of ranks each, and a scratch folder elsewhere is shared, too.
/// Mutation: number files by rank instead of by task; leave `--scratch` out of `join`.
#[test]
fn each_stage_may_have_its_own_number_of_ranks_and_scratch_may_lie_elsewhere() {
    let (sandbox, recipe) = (Sandbox::new(), real::small_recipe());
    for (at, (name, single)) in stages(&sandbox, &recipe).into_iter().enumerate() {
        let world = if single { 1 } else { 1 + at as u32 % 4 };
        for number in (0..world).rev() {
            let mut command = rank(&sandbox, &recipe, &name, (number, world), &[]);
            sandbox.wait(command.args(["--scratch", "fast"])).succeeds();
        }
        assert!(!sandbox.path("out/.work").exists(), "scratch is elsewhere");
    }
    assert_eq!(manifest(&sandbox), small());
    assert_eq!(fs::read_dir(sandbox.path("fast")).map(Iterator::count).ok(), Some(0));
    let lost = Sandbox::new();
    lost.wait(&mut rank(&lost, &recipe, "prepare", (0, 1), &[])).succeeds();
    lost.wait(rank(&lost, &recipe, "list", (0, 1), &[]).args(["--scratch", "fast"]))
        .fails(4, "no run of this recipe has begun here")
        .hints("--scratch");
}

/// Invariant 6. Mutation: write the report before the task's files, or leave rank 1's tasks out of `reports`.
#[test]
fn three_ranks_killed_at_any_moment_make_the_same_data_set() {
    let (sandbox, recipe) = (Sandbox::new(), real::many_recipe());
    let (mut moment, mut kills) = (0x5eed_u64, 0);
    for (name, single) in stages(&sandbox, &recipe) {
        let world = if single { 1 } else { 3 };
        for number in 0..world {
            moment = moment
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let mut child = start(
                &sandbox,
                &mut rank(&sandbox, &recipe, &name, (number, world), &[]),
                "log",
            );
            std::thread::sleep(Duration::from_millis(20 + (moment >> 33) % 150));
            child.kill().expect("a child can be killed");
            kills += usize::from(child.wait().expect("a child ends").signal().is_some());
        }
        stage(&sandbox, &recipe, &name, world);
    }
    assert!(kills >= 5, "only {kills} ranks were killed");
    assert_eq!(manifest(&sandbox), whole(), "after {kills} kills");
    assert!(!sandbox.path("out/.work").exists(), "nothing half written is left");
}

/// Invariant 6. Mutation: in `Runner::task`, save the report before the task runs; in `join`, leave scratch as it is
/// where the manifest is there already.
#[test]
fn ranks_that_die_at_each_named_point_do_not_show() {
    let (sandbox, recipe) = (Sandbox::new(), real::small_recipe());
    for (name, single) in stages(&sandbox, &recipe) {
        let world = if single { 1 } else { 2 };
        let moments = match &*name {
            // Of components, a recipe with so few files has no step.
            "prepare" | "near-components" | "structural-components" => ["", ""],
            "publish" => ["before", "after"],
            _ => ["written", "done"],
        };
        for moment in moments.into_iter().filter(|moment| !moment.is_empty()) {
            let mut command = rank(&sandbox, &recipe, &name, (0, world), &[]);
            let died = sandbox.wait(command.env("STACKMILL_FAIL_AT", format!("{name}.{moment}")));
            assert_eq!(died.code, None, "{name}.{moment} was never reached:\n{}", died.stderr);
        }
        stage(&sandbox, &recipe, &name, world);
    }
    assert_eq!(manifest(&sandbox), small());
    assert!(!sandbox.path("out/.work").exists(), "scratch is deleted");
    assert_eq!(leftovers(&sandbox.path("out")), Vec::<PathBuf>::new());
}

/// A rank that a scheduler takes for lost may still be at work when its successor begins.
/// Mutation: in `workdir::temporary`, leave the number of the process out and open the file instead of making a new one.
#[test]
fn two_attempts_at_one_rank_at_once_do_not_show() {
    let (sandbox, recipe) = (Sandbox::new(), real::small_recipe());
    for (name, single) in stages(&sandbox, &recipe) {
        if ["prepare", "publish"].contains(&&*name) {
            stage(&sandbox, &recipe, &name, 1);
            continue;
        }
        let world = if single { 1 } else { 2 };
        let begin = |attempt: u32| {
            let mut command = rank(&sandbox, &recipe, &name, (attempt % world, world), &[]);
            start(&sandbox, &mut command, &format!("log-{attempt}"))
        };
        let attempts: Vec<Child> = (0..3 * world).map(begin).collect();
        for (attempt, mut child) in attempts.into_iter().enumerate() {
            let status = child.wait().expect("a child ends");
            let log = fs::read_to_string(sandbox.path(format!("log-{attempt}"))).unwrap_or_default();
            assert!(status.success(), "stage {name}, attempt {attempt}: {log}");
        }
    }
    assert_eq!(manifest(&sandbox), small());
    assert_eq!(leftovers(&sandbox.path("out")), Vec::<PathBuf>::new());
}

/// Files below a folder that have temporary names.
fn leftovers(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let below = paths.flat_map(|path| if path.is_dir() { leftovers(&path) } else { vec![path] });
    below.filter(|path| path.to_string_lossy().contains(".tmp-")).collect()
}

/// Invariant 4. Mutation: in `ranks::reports`, leave missing tasks out instead of naming them.
#[test]
fn a_missing_rank_is_named_by_the_next_stage() {
    let (sandbox, recipe) = (Sandbox::new(), real::small_recipe());
    before(&sandbox, &recipe, "content", 3);
    sandbox
        .wait(&mut rank(&sandbox, &recipe, "content", (0, 3), &[]))
        .succeeds();
    sandbox
        .wait(&mut rank(&sandbox, &recipe, "content", (2, 3), &[]))
        .succeeds();
    // Whichever comes next, and however many of them.
    for (next, of) in [("near-buckets", (0, 1)), ("syntax", (4, 5)), ("publish", (0, 1))] {
        let ran = sandbox
            .wait(&mut rank(&sandbox, &recipe, next, of, &[]))
            .fails(5, "stage `content`: ");
        assert!(ran.stderr.contains("(tasks 1)"), "{}", ran.stderr);
        assert!(ran.stderr.contains("of ranks 1 of 3"), "{}", ran.stderr);
        ran.hints("--stage content --rank RANK --world 3");
    }
    assert!(!sandbox.path("out/manifest.json").exists());
    sandbox
        .wait(&mut rank(&sandbox, &recipe, "content", (1, 3), &[]))
        .succeeds();
    assert_eq!(all(&sandbox, &recipe, 3), small());
}

/// Invariant 7. Mutation: leave `is_identified` out of `join`, or the sample out of `lock::load`.
#[test]
fn ranks_of_another_run_are_refused() {
    let (sandbox, recipe) = (Sandbox::new(), real::small_recipe());
    sandbox
        .wait(&mut rank(&sandbox, &recipe, "list", (0, 1), &[]))
        .fails(4, "no run of this recipe has begun here")
        .hints("run the stage `prepare` first");
    before(&sandbox, &recipe, "cut", 2);
    for stage in ["prepare", "cut", "publish"] {
        let mut other = rank(&sandbox, &recipe, stage, (0, 1), &[]);
        let refused = sandbox
            .wait(other.args(["--set", "near.threshold=0.8"]))
            .fails(3, "another run");
        assert!(
            refused.stderr.contains("near.threshold: 0.7 there, 0.8 now"),
            "{}",
            refused.stderr
        );
        let mut sample = rank(&sandbox, &recipe, stage, (0, 1), &[]);
        sandbox
            .wait(sample.args(["--sample", "50%"]))
            .fails(3, "holds a sample of 1");
    }
    sandbox.run(&real::many_recipe(), &[]).fails(3, "another run");
    let sources = ["--set", "run.split-repositories=2"];
    sandbox
        .wait(rank(&sandbox, &recipe, "cut", (1, 2), &[]).args(sources))
        .fails(3, "another run");
    assert_eq!(
        all(&sandbox, &recipe, 2),
        small(),
        "what was refused has changed nothing"
    );
}

/// Mutation: take a shared claim for `prepare` and `publish`, or one that is alone for all ranks.
#[test]
fn nobody_else_works_in_the_folder_while_ranks_do() {
    let (sandbox, recipe) = (Sandbox::new(), real::many_recipe());
    before(&sandbox, &recipe, "syntax", 2);
    // Each is stopped once it has put its first file: the second did so while the first was at work.
    let ranks = [0, 1].map(|number| {
        let mut command = rank(&sandbox, &recipe, "syntax", (number, 2), &[]);
        let mut child = start(&sandbox, &mut command, &format!("log-{number}"));
        let first = sandbox.path(format!("out/.work/done/syntax-{number:05}"));
        until(|| first.exists());
        kill_process(Pid::from_child(&child), Signal::STOP).expect("a child can be signalled");
        assert!(
            child.try_wait().expect("a child can be asked").is_none(),
            "rank {number} has ended"
        );
        child
    });
    let refused = [
        sandbox.run(&recipe, &[]),
        sandbox.wait(&mut rank(&sandbox, &recipe, "prepare", (0, 1), &[])),
        sandbox.wait(&mut rank(&sandbox, &recipe, "publish", (0, 1), &[])),
    ];
    for mut child in ranks {
        child.kill().expect("a child can be killed");
        child.wait().expect("a child ends");
    }
    for ran in refused {
        ran.fails(6, "another stackmill is working in this folder");
    }
}

fn until(here: impl Fn() -> bool) {
    let start = Instant::now();
    while !here() {
        assert!(start.elapsed() < Duration::from_secs(60), "it never came so far");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Invariant 6. Mutation: in `share`, go on where the stage's own report is there: its inputs are deleted by then.
#[test]
fn a_stage_may_be_run_again_at_any_time() {
    let (sandbox, recipe) = (Sandbox::new(), real::small_recipe());
    let all = stages(&sandbox, &recipe);
    for (at, (name, _)) in all.iter().enumerate() {
        stage(&sandbox, &recipe, name, 2);
        for again in &all[..=at] {
            stage(&sandbox, &recipe, &again.0, 1);
        }
        if name == "near-attach" {
            assert!(!sandbox.path("out/.work/survivors").exists(), "read by nobody any more");
        }
    }
    assert_eq!(manifest(&sandbox), small());
    let again = sandbox
        .wait(&mut rank(&sandbox, &recipe, "publish", (0, 1), &[]))
        .succeeds();
    assert!(
        again.stderr.contains("nothing to do") && again.stdout.is_empty(),
        "{again:?}"
    );
    // Ranks that a script starts where one is enough have nothing to do.
    let fresh = Sandbox::new();
    fresh
        .wait(&mut rank(&fresh, &recipe, "prepare", (1, 2), &[]))
        .succeeds();
    assert!(!fresh.path("out").exists());
}

/// One process may finish what ranks have begun, and ranks what one process has begun.
/// Mutation: let ranks look for single reports alone: a run leaves one for each step.
#[test]
fn ranks_and_runs_go_on_from_each_other() {
    let (ranks, recipe) = (Sandbox::new(), real::small_recipe());
    before(&ranks, &recipe, "near-verify", 3);
    ranks.built(&recipe, &[]);
    assert_eq!(manifest(&ranks), small());
    let run = Sandbox::new();
    let mut command = run.command(&["run", &recipe, "--out", "out", "--threads", "2"]);
    assert_eq!(
        run.wait(command.env("STACKMILL_FAIL_AT", "near-verify.done:2")).code,
        None
    );
    assert_eq!(all(&run, &recipe, 3), small());
}

/// Mutation: leave the hint out of `check_stage`.
#[test]
fn a_stage_or_rank_that_is_not_there_is_refused_with_a_hint() {
    let (sandbox, recipe) = (Sandbox::new(), real::small_recipe());
    let ran = |stage: &str, of| sandbox.wait(&mut rank(&sandbox, &recipe, stage, of, &[]));
    ran("contnt", (0, 1))
        .fails(3, "no stage `contnt`")
        .hints("did you mean `content`?");
    ran("x", (0, 1))
        .fails(3, "no stage `x`")
        .hints("one of prepare, list, ");
    ran("list", (2, 2))
        .fails(3, "there is no rank 2 of 2")
        .hints("counted from 0");
    assert_eq!(ran("list", (0, 0)).code, Some(2));
    let mut off = rank(&sandbox, "plain.toml", "near-attach", (0, 1), &[]);
    sandbox.write("plain.toml", "name = \"plain\"\n[[source]]\ndirectory = \"x\"\n");
    sandbox.wait(&mut off).fails(3, "no stage `near-attach`");
    assert!(!sandbox.path("out").exists(), "nothing was begun");
}

/// Mutation: leave a step out of `graph::steps`, or let `near-components` be shared.
#[test]
fn the_plan_names_the_stages_that_a_scheduler_starts() {
    let (sandbox, recipe) = (Sandbox::new(), real::small_recipe());
    let named = stages(&sandbox, &recipe);
    let single: BTreeSet<&str> = named
        .iter()
        .filter(|(_, single)| *single)
        .map(|(name, _)| &**name)
        .collect();
    assert_eq!(single, BTreeSet::from(SINGLE));
    let plan = sandbox
        .stackmill(&["plan", &recipe, "--tasks", "--out", "out"])
        .succeeds()
        .stdout;
    let plan: Vec<serde_json::Value> = serde_json::from_str(&plan).expect("JSON");
    let names: Vec<&str> = plan.iter().filter_map(|stage| stage["stage"].as_str()).collect();
    assert_eq!(names, named.iter().map(|(name, _)| &**name).collect::<Vec<_>>());
    for (stage, earlier) in plan.iter().skip(1).zip(&names) {
        assert_eq!(stage["after"], serde_json::json!([earlier]));
    }
    // The commands are whole: with numbers for the words in capitals they make the data set.
    for stage in &plan {
        let command = stage["command"].as_str().expect("a command");
        let command = command.replace("RANK", "0").replace("WORLD", "1");
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        sandbox.stackmill(&words).succeeds();
    }
    assert_eq!(manifest(&sandbox), small());
}

/// A scheduler of ours: folders of programs that stand in for the real ones, found before anything else.
struct Scheduler {
    sandbox: Sandbox,
    programs: PathBuf,
}

impl Scheduler {
    /// With the stand-in `name` of `tests/fake`, and a `stackmill` that dies in rank 1 of `content` as long as the file
    /// `broken` is there.
    fn new(name: &str) -> Self {
        let sandbox = Sandbox::new();
        let fake = root().join("tests/fake").join(name);
        let python = stackmill_tests::python();
        let stand_in = match fs::read_to_string(&fake).unwrap_or_default().starts_with("#!/bin/sh") {
            true => format!("#!/bin/sh\nexec sh '{}' \"$@\"\n", fake.display()),
            false => format!("#!/bin/sh\nexec '{}' '{}' \"$@\"\n", python.display(), fake.display()),
        };
        let broken = sandbox.path("broken");
        let stackmill = format!(
            "#!/bin/sh\ncase \"$*\" in *'--stage content --rank 1 '*)\n  if [ -e '{}' ]; then export \
             STACKMILL_FAIL_AT=content.written; fi ;;\nesac\nexec '{}' \"$@\"\n",
            broken.display(),
            program().display()
        );
        for (name, text) in [(name, stand_in), ("stackmill", stackmill)] {
            let path = sandbox.write(&format!("bin/{name}"), text);
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("ours");
        }
        fs::create_dir(sandbox.path("state")).expect("ours");
        let programs = sandbox.path("bin");
        Self { sandbox, programs }
    }

    /// Runs a script of `examples` with three ranks.
    fn submit(&self, script: &str, arguments: &[&str]) -> Ran {
        let mut command = self.sandbox.command(&[]);
        let path = format!("{}:/usr/bin:/bin", self.programs.display());
        let mut shell = Command::new("sh");
        shell.arg(root().join("examples").join(script)).args(arguments);
        shell
            .env_clear()
            .envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
        shell.env("PATH", path).env("RANKS", "3").env("IMAGE", "stackmill:test");
        shell
            .env("FAKE_SLURM", self.sandbox.path("state"))
            .env("FAKE_KUBE", self.sandbox.path("state"));
        shell
            .env("FAKE_SHARED", self.sandbox.path(""))
            .current_dir(self.sandbox.path(""))
            .stdin(Stdio::null());
        command = shell;
        self.sandbox.wait(&mut command)
    }

    fn events(&self) -> String {
        fs::read_to_string(self.sandbox.path("state/events")).unwrap_or_default()
    }

    /// Forgets what happened so far.
    fn forget(&self) {
        fs::remove_file(self.sandbox.path("state/events")).expect("something happened");
    }
}

/// Asserts that all ranks of each stage began only after all of the stage before had ended.
#[track_caller]
fn in_order(events: &str) {
    let at = |line: &str| line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut seen: Vec<String> = events.lines().map(at).collect();
    seen.dedup();
    let distinct: BTreeSet<&String> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "stages overlap:\n{events}");
}

/// Mutation: in submit.sh, leave `--dependency` out, or submit with `afterany`.
#[test]
fn slurm_arrays_make_the_same_data_set_after_a_failure() {
    let slurm = Scheduler::new("sbatch");
    let recipe = real::small_recipe();
    let out = slurm.sandbox.path("out");
    let submit = || {
        let ran = slurm.submit(
            "slurm/submit.sh",
            &[&recipe, &out.to_string_lossy(), "--batch-rows", "50"],
        );
        let jobs = ran.succeeds().stdout;
        let last = jobs
            .lines()
            .last()
            .and_then(|line| line.split_whitespace().nth(1))
            .map(str::to_owned);
        let state = slurm.sandbox.path(format!("state/{}.state", last.expect("a job")));
        until(|| state.exists());
        fs::read_to_string(state).unwrap_or_default().trim().to_owned()
    };
    slurm.sandbox.write("broken", "");
    assert_eq!(submit(), "never", "{}", slurm.events());
    let events = slurm.events();
    in_order(&events);
    assert!(
        events.contains("end content 1 137") && events.contains("end content 2 0"),
        "{events}"
    );
    assert!(
        !events.contains("near-"),
        "a stage began after one that failed:\n{events}"
    );
    assert!(!out.join("manifest.json").exists());
    fs::remove_file(slurm.sandbox.path("broken")).expect("ours");
    slurm.forget();
    assert_eq!(submit(), "ok", "{}", slurm.events());
    let events = slurm.events();
    in_order(&events);
    assert!(
        events.starts_with("begin prepare 0\n") && events.ends_with("end publish 0 0\n"),
        "{events}"
    );
    for line in ["begin list 2\n", "begin ledger 2\n"] {
        assert!(events.contains(line), "arrays have three elements:\n{events}");
    }
    assert!(
        !events.contains("near-components 1"),
        "one rank is enough there:\n{events}"
    );
    assert_eq!(manifest(&slurm.sandbox), small());
}

/// Mutation: in run.sh, go on after a job that failed; in stage.yaml, write the rank without `$(…)`.
#[test]
fn kubernetes_jobs_make_the_same_data_set_after_a_failure() {
    let kubernetes = Scheduler::new("kubectl");
    let recipe = real::small_recipe();
    let submit = || kubernetes.submit("kubernetes/run.sh", &["web", &recipe, &recipe, "/shared/out"]);
    kubernetes.sandbox.write("broken", "");
    let failed = submit();
    let events = kubernetes.events();
    assert_eq!(failed.code, Some(1), "{}\n{events}", failed.stderr);
    assert!(failed.stderr.contains("stage content has failed"), "{}", failed.stderr);
    in_order(&events);
    assert!(
        !events.contains("near-"),
        "a stage began after one that failed:\n{events}"
    );
    fs::remove_file(kubernetes.sandbox.path("broken")).expect("ours");
    kubernetes.forget();
    let ran = submit();
    let events = kubernetes.events();
    ran.succeeds();
    in_order(&events);
    assert!(
        events.contains("begin web-content 2\n"),
        "jobs have three pods:\n{events}"
    );
    assert_eq!(manifest(&kubernetes.sandbox), small());
}
