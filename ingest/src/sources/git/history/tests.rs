//! Against git itself: `rev-list --objects`, `ls-tree` of every commit, `log -c --raw`, `log -M100%`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch};
use arrow_select::concat::concat_batches;
use proptest::prelude::*;
use stackmill_schemas::columns;
use stackmill_schemas::path::escape;
use stackmill_schemas::stage::Source;

use super::super::super::testing::{Listed, config, context, git, list_batch, read, repository, rows, write};
use super::*;

/// A source of the repository at `location` with all of its history, and its unit.
fn opened(root: &Path, location: &str, history: &str) -> (Arc<dyn Source>, Unit) {
    let mut config = config("git", location);
    config.history = serde_json::from_value(history.into()).expect("a kind of history");
    config.commits = true;
    let source = super::super::super::open(&config, root).expect("valid");
    let mut units = source.resolve(&context(&root.join("cache"))).expect("resolved");
    assert_eq!(units.len(), 1);
    (source, units.remove(0))
}

fn text(folder: &Path, arguments: &[&str]) -> String {
    String::from_utf8(git(folder, arguments)).expect("text")
}

/// What the history says of one blob.
#[derive(Clone, Debug, Default, PartialEq)]
struct Facts {
    path: String,
    first: String,
    first_author_time: i64,
    last: String,
    last_time: i64,
    paths: BTreeSet<String>,
    renames: BTreeSet<(String, String, String)>,
}

fn facts(batch: &RecordBatch) -> BTreeMap<String, Facts> {
    let past = batch.column_by_name(columns::HISTORY).expect("a column").as_struct();
    let texts = |name: &str| past.column_by_name(name).expect("a field").as_string::<i32>().clone();
    let times = |name: &str| {
        past.column_by_name(name)
            .expect("a field")
            .as_primitive::<Int64Type>()
            .clone()
    };
    let lists = |name: &str| past.column_by_name(name).expect("a field").as_list::<i32>().clone();
    let mut found = BTreeMap::new();
    for (i, row) in rows(batch).into_iter().enumerate() {
        let Some(blob) = row.blob.clone() else { continue };
        let paths = lists("paths").value(i);
        let renames = lists("renames").value(i);
        let part = |at: usize, row: usize| renames.as_struct().column(at).as_string::<i32>().value(row).to_owned();
        let facts = Facts {
            path: row.path.clone(),
            first: texts("first_commit").value(i).to_owned(),
            first_author_time: times("first_author_time").value(i),
            last: texts("last_commit").value(i).to_owned(),
            last_time: times("last_time").value(i),
            paths: paths.as_string::<i32>().iter().flatten().map(str::to_owned).collect(),
            renames: (0..renames.len())
                .map(|row| (part(0, row), part(1, row), part(2, row)))
                .collect(),
        };
        assert!(found.insert(blob, facts).is_none(), "{row:?} is there twice");
    }
    found
}

/// A commit as git tells it.
struct Told {
    id: String,
    time: i64,
    author_time: i64,
    parents: Vec<String>,
    /// Path, mode, id.
    files: BTreeMap<String, (String, String)>,
}

fn told(folder: &Path, tips: &[&str]) -> Vec<Told> {
    let log = [&["log", "--format=%H %ct %at %P"], tips].concat();
    let mut left: Vec<Told> = Vec::new();
    for line in text(folder, &log).lines() {
        let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
        let tree = git(folder, &["ls-tree", "-r", "-z", words[0]]);
        let entries = tree.split(|&byte| byte == 0).filter(|line| !line.is_empty());
        let files = entries.map(|line| {
            let tab = line.iter().position(|&byte| byte == b'\t').expect("a tab");
            let meta = String::from_utf8_lossy(&line[..tab]).into_owned();
            let meta: Vec<&str> = meta.split(' ').collect();
            (escape(&line[tab + 1..]), (meta[0].to_owned(), meta[2].to_owned()))
        });
        left.push(Told {
            id: words[0].to_owned(),
            time: words[1].parse().expect("seconds"),
            author_time: words[2].parse().expect("seconds"),
            parents: words[3..].iter().map(|&word| word.to_owned()).collect(),
            files: files.collect(),
        });
    }
    // Again and again the earliest of those whose parents were there: no heap, no counters.
    let mut done: Vec<Told> = Vec::new();
    while !left.is_empty() {
        let ready = |told: &Told| !left.iter().any(|other| told.parents.contains(&other.id));
        let next = (0..left.len())
            .filter(|&i| ready(&left[i]))
            .min_by_key(|&i| (left[i].time, left[i].id.clone()));
        done.push(left.swap_remove(next.expect("no cycle")));
    }
    done
}

/// What the definitions in `docs/formats.md` say of every blob, by brute force.
fn expected(told: &[Told]) -> BTreeMap<String, Facts> {
    let mut found: BTreeMap<String, Facts> = BTreeMap::new();
    let mut plain = BTreeMap::new();
    for commit in told {
        let mut met = BTreeSet::new();
        for (path, (mode, id)) in commit.files.iter().filter(|(_, (mode, _))| mode != "160000") {
            let facts = found.entry(id.clone()).or_insert_with(|| Facts {
                first: commit.id.clone(),
                first_author_time: commit.author_time,
                ..Facts::default()
            });
            facts.paths.insert(path.clone());
            facts.last = commit.id.clone();
            facts.last_time = commit.time;
            // The last commit's first path counts; of a file, if it ever was one.
            let is_plain = mode != "120000";
            let first_here = met.insert((id.clone(), is_plain));
            let was_plain = plain.get(id).copied().unwrap_or(false);
            if first_here && (is_plain || !was_plain) {
                facts.path = path.clone();
                plain.insert(id.clone(), is_plain);
            }
        }
    }
    found
}

/// Renames as git pairs them: commit, from, to, by blob; only those that leave git no choice.
fn git_renames(folder: &Path, tips: &[&str]) -> BTreeMap<String, BTreeSet<(String, String, String)>> {
    let log = [
        &[
            "log",
            "--no-merges",
            "--raw",
            "-z",
            "-M100%",
            "-l0",
            "--no-abbrev",
            "--format=%x01%H",
        ],
        tips,
    ]
    .concat();
    let output = git(folder, &log);
    let mut found: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
    for commit in output.split(|&byte| byte == 1).skip(1) {
        let mut fields = commit
            .split(|&byte| byte == 0 || byte == b'\n')
            .filter(|field| !field.is_empty());
        let id = String::from_utf8_lossy(fields.next().expect("an id")).into_owned();
        while let Some(meta) = fields.next() {
            let meta = String::from_utf8_lossy(meta).into_owned();
            let meta: Vec<&str> = meta.split(' ').collect();
            let path = escape(fields.next().expect("a path"));
            if meta[4].starts_with('R') {
                let to = escape(fields.next().expect("a path"));
                found
                    .entry(meta[3].to_owned())
                    .or_default()
                    .insert((id.clone(), path, to));
            }
        }
    }
    found
}

/// Every object of the history that is a blob.
fn blobs_of(folder: &Path, tips: &[&str]) -> BTreeSet<String> {
    let objects = text(
        folder,
        &[&["rev-list", "--objects", "--no-object-names"], tips].concat(),
    );
    let mut child = Command::new("git")
        .current_dir(folder)
        .args(["cat-file", "--batch-check=%(objecttype) %(objectname)"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git runs");
    let mut pipe = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut pipe, objects.as_bytes()));
    let output = child.wait_with_output().expect("git ends");
    writer.join().expect("no panic").expect("written");
    let kinds = String::from_utf8(output.stdout).expect("text");
    kinds
        .lines()
        .filter_map(|line| line.strip_prefix("blob "))
        .map(str::to_owned)
        .collect()
}

fn commit_rows(source: &dyn Source, unit: &Unit, cx: &TaskContext) -> RecordBatch {
    let mut batches = Vec::new();
    let mut push = |batch: RecordBatch| {
        batches.push(batch);
        Ok(())
    };
    source.commits(unit, &mut Emit(&mut push), cx).expect("commits");
    concat_batches(&columns::commits(), &batches).expect("one batch")
}

/// Holds everything that a history says against git.
fn assert_same_as_git(root: &Path, location: &str, history: &str, tips: &[&str]) -> BTreeMap<String, Facts> {
    let folder = root.join(location);
    let (source, unit) = opened(root, location, history);
    assert_eq!(unit.trouble, None);
    let cx = context(&root.join("cache"));
    let batch = list_batch(source.as_ref(), &unit, &cx).expect("listed");
    let found = facts(&batch);
    assert_eq!(found.keys().cloned().collect::<BTreeSet<_>>(), blobs_of(&folder, tips));
    let told = told(&folder, tips);
    let renames = git_renames(&folder, tips);
    let mut theirs = expected(&told);
    for (blob, facts) in &mut theirs {
        let ours = &found[blob].renames;
        let merges = told.iter().filter(|told| told.parents.len() > 1).map(|told| &told.id);
        let merges: BTreeSet<_> = merges.collect();
        let plain: BTreeSet<_> = ours
            .iter()
            .filter(|rename| !merges.contains(&rename.0))
            .cloned()
            .collect();
        assert_eq!(
            plain,
            renames.get(blob).cloned().unwrap_or_default(),
            "renames of {blob}"
        );
        facts.renames.clone_from(ours);
    }
    assert_eq!(found, theirs);
    assert_contents(&folder, source.as_ref(), &unit, &batch);
    assert_commits(&folder, &commit_rows(source.as_ref(), &unit, &cx), &told);
    found
}

fn assert_contents(folder: &Path, source: &dyn Source, unit: &Unit, batch: &RecordBatch) {
    let contents = read(source, unit, batch, &context(&folder.join("cache")));
    for (row, content) in rows(batch).iter().zip(contents) {
        match &row.blob {
            Some(id) => assert_eq!(content.as_deref(), Ok(&git(folder, &["cat-file", "blob", id])[..])),
            None => assert_eq!(row.mode, mode::SUBMODULE),
        }
    }
}

fn assert_commits(folder: &Path, batch: &RecordBatch, told: &[Told]) {
    let column = |name: &str| batch.column_by_name(name).expect("a column");
    let texts = |name: &str| column(name).as_string::<i32>();
    assert_eq!(batch.num_rows(), told.len());
    for (i, told) in told.iter().enumerate() {
        assert_eq!(texts("commit_id").value(i), told.id);
        let format = "--format=%an%n%ae%n%at%n%cn%n%ce%n%ct%n%B";
        let shown = text(folder, &["show", "-s", format, &told.id]);
        let fields: Vec<&str> = shown.splitn(7, '\n').collect();
        assert_eq!(texts("author_name").value(i), fields[0]);
        assert_eq!(texts("author_email").value(i), fields[1]);
        assert_eq!(
            column("author_time").as_primitive::<Int64Type>().value(i).to_string(),
            fields[2]
        );
        assert_eq!(texts("committer_name").value(i), fields[3]);
        assert_eq!(texts("committer_email").value(i), fields[4]);
        assert_eq!(column("committer_time").as_primitive::<Int64Type>().value(i), told.time);
        assert_eq!(texts("message").value(i).trim_end(), fields[6].trim_end());
        let parents = column("parents").as_list::<i32>().value(i);
        let parents: Vec<_> = parents.as_string::<i32>().iter().flatten().collect();
        let raw = text(folder, &["cat-file", "commit", &told.id]);
        let named: Vec<_> = raw
            .lines()
            .map_while(|line| (!line.is_empty()).then_some(line))
            .filter_map(|line| line.strip_prefix("parent "))
            .collect();
        assert_eq!(parents, named);
        assert_eq!(paths_of_changes(batch, i), git_paths(folder, told), "{}", told.id);
    }
}

/// Old and new path, old and new blob of each change.
type Paths = BTreeSet<(Option<String>, Option<String>, Option<String>, Option<String>)>;

fn paths_of_changes(batch: &RecordBatch, row: usize) -> Paths {
    let changes = batch
        .column_by_name("changes")
        .expect("a column")
        .as_list::<i32>()
        .value(row);
    let changes = changes.as_struct();
    let field = |name: &str, at: usize| {
        let texts = changes.column_by_name(name).expect("a field").as_string::<i32>();
        texts.is_valid(at).then(|| texts.value(at).to_owned())
    };
    let one = |at| {
        (
            field("old_path", at),
            field("new_path", at),
            field("old_blob_id", at),
            field("new_blob_id", at),
        )
    };
    (0..changes.len()).map(one).collect()
}

/// What `git diff-tree -c` says that a commit changes, renames apart.
fn git_paths(folder: &Path, told: &Told) -> Paths {
    let renames = if told.parents.len() > 1 {
        "--no-renames"
    } else {
        "-M100%"
    };
    let arguments = [
        "diff-tree",
        "-r",
        "-c",
        "--root",
        "-z",
        "-l0",
        renames,
        "--no-commit-id",
        "--no-abbrev",
        &told.id,
    ];
    let output = git(folder, &arguments);
    let mut fields = output.split(|&byte| byte == 0).filter(|field| !field.is_empty());
    let mut found = Paths::new();
    while let Some(meta) = fields.next() {
        let meta = String::from_utf8_lossy(meta).into_owned();
        let sides = meta.bytes().take_while(|&byte| byte == b':').count();
        let meta: Vec<&str> = meta[sides..].split(' ').collect();
        let path = escape(fields.next().expect("a path"));
        let is_rename = meta.last().is_some_and(|status| status.starts_with('R'));
        let new_path = if is_rename {
            escape(fields.next().expect("a path"))
        } else {
            path.clone()
        };
        let (old, new) = (meta[sides + 1], meta[2 * sides + 1]);
        let there = |id: &str| id.bytes().any(|byte| byte != b'0');
        let side = |id: &str, text: &str| there(id).then(|| text.to_owned());
        found.insert((side(old, &path), side(new, &new_path), side(old, old), side(new, new)));
    }
    found
}

/// Commits everything in `folder` at a time of its own.
fn commit_at(folder: &Path, time: u64, arguments: &[&str]) {
    git(folder, &["add", "-A"]);
    let date = format!("{time} +0200");
    let output = Command::new("git")
        .current_dir(folder)
        .args([
            "-c",
            "user.name=a b",
            "-c",
            "user.email=a@b",
            "commit",
            "-q",
            "--allow-empty",
        ])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_DATE", format!("{} +0000", time - 7))
        .env("GIT_COMMITTER_DATE", date)
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn merges_renames_reverts_links_and_submodules_are_as_in_git() {
    let root = tempfile::tempdir().expect("tempdir");
    let folder = repository(
        root.path(),
        "one",
        &[("a/x.txt", b"x"), ("a/y.txt", b"y"), ("b.txt", b"b")],
    );
    let head = text(&folder, &["rev-parse", "HEAD"]);
    // A folder is renamed, a file edited, and the edit reverted.
    git(&folder, &["mv", "a", "c"]);
    commit_at(&folder, 1_600_000_000, &["-m", "rename\n\nwith a body"]);
    write(&folder.join("b.txt"), b"edited");
    commit_at(&folder, 1_600_000_100, &["-m", "edit"]);
    git(&folder, &["revert", "--no-edit", "HEAD"]);
    // A link with a file's content, a file that becomes a link, a submodule that moves on.
    std::os::unix::fs::symlink("x", folder.join("link")).expect("a link");
    git(
        &folder,
        &[
            "update-index",
            "--add",
            "--cacheinfo",
            &format!("160000,{},sub", head.trim()),
        ],
    );
    commit_at(&folder, 1_600_000_200, &["-m", "", "--allow-empty-message"]);
    git(&folder, &["checkout", "-q", "-b", "side", "HEAD~2"]);
    write(&folder.join("b.txt"), b"on the side");
    write(&folder.join("new.txt"), b"new");
    commit_at(&folder, 1_500_000_000, &["-m", "a clock that is late"]);
    git(&folder, &["checkout", "-q", "-b", "third", "HEAD~1"]);
    write(&folder.join("third.txt"), b"third");
    commit_at(&folder, 1_600_000_300, &["-m", "third"]);
    git(&folder, &["checkout", "-q", "-b", "fourth", "HEAD~1"]);
    write(&folder.join("fourth.txt"), b"new");
    commit_at(&folder, 1_600_000_300, &["-m", "fourth"]);
    git(&folder, &["merge", "-q", "--no-edit", "third", "main"]);
    // A merge that resolves to what no side has.
    git(&folder, &["merge", "-q", "--no-commit", "-s", "ours", "side"]);
    write(&folder.join("b.txt"), b"resolved");
    commit_at(&folder, 1_600_000_400, &["-m", "evil"]);
    commit_at(&folder, 1_600_000_500, &["-m", "empty"]);
    let found = assert_same_as_git(root.path(), "one", "revision", &["HEAD"]);
    assert!(found.values().any(|facts| facts.renames.len() == 1));
    git(&folder, &["tag", "-a", "-m", "t", "v1", "side"]);
    git(&folder, &["branch", "-q", "-D", "side"]);
    git(&folder, &["checkout", "-q", "main"]);
    let fewer = assert_same_as_git(root.path(), "one", "revision", &["HEAD"]);
    let all = assert_same_as_git(root.path(), "one", "references", &["--branches", "--tags"]);
    assert!(fewer.len() < all.len());
    git(&folder, &["gc", "-q"]);
    assert_eq!(assert_same_as_git(root.path(), "one", "references", &["--all"]), all);
}

#[test]
fn equal_files_that_move_are_paired_by_name_first() {
    let root = tempfile::tempdir().expect("tempdir");
    let folder = repository(
        root.path(),
        "one",
        &[("a/one", b"same"), ("a/two", b"same"), ("a/x", b"same")],
    );
    git(&folder, &["mv", "a/one", "z"]);
    std::fs::create_dir(folder.join("b")).expect("a folder");
    git(&folder, &["mv", "a/two", "b/one"]);
    git(&folder, &["mv", "a/x", "b/x"]);
    git(&folder, &["commit", "-q", "-m", "two"]);
    let (source, unit) = opened(root.path(), "one", "revision");
    let batch = list_batch(source.as_ref(), &unit, &context(root.path())).expect("listed");
    let found = facts(&batch);
    let renames: Vec<_> = found
        .values()
        .flat_map(|facts| &facts.renames)
        .map(|(_, from, to)| (&from[..], &to[..]))
        .collect();
    assert_eq!(renames, [("a/one", "b/one"), ("a/two", "z"), ("a/x", "b/x")]);
}

#[test]
fn a_clone_that_was_cut_off_has_the_history_that_it_has() {
    let root = tempfile::tempdir().expect("tempdir");
    let folder = repository(root.path(), "one", &[("a", b"1")]);
    for (time, content) in [(1_600_000_000, b"2"), (1_600_000_001, b"3")] {
        write(&folder.join("a"), content);
        commit_at(&folder, time, &["-m", "more"]);
    }
    let url = format!("file://{}", folder.display());
    git(root.path(), &["clone", "-q", "--depth", "2", &url, "shallow"]);
    assert_eq!(
        assert_same_as_git(root.path(), "shallow", "revision", &["HEAD"]).len(),
        2
    );
}

#[test]
fn what_cannot_be_read_is_a_row_or_the_units_trouble() {
    let root = tempfile::tempdir().expect("tempdir");
    let folder = repository(root.path(), "one", &[("a/b/c", b"1"), ("d", b"kept")]);
    write(&folder.join("a/b/c"), b"2");
    commit_at(&folder, 1_600_000_000, &["-m", "two"]);
    let remove = |id: &str| {
        let path = folder.join(".git/objects").join(&id[..2]).join(&id[2..]);
        std::fs::remove_file(path).expect("an object");
    };
    let id = |name: &str| text(&folder, &["rev-parse", name]).trim().to_owned();
    let list = || {
        let (source, unit) = opened(root.path(), "one", "revision");
        list_batch(source.as_ref(), &unit, &context(root.path())).map(|batch| rows(&batch))
    };
    let trouble = |rows: &[Listed]| -> Vec<_> {
        let troubled = rows
            .iter()
            .filter_map(|row| Some((row.path.clone(), row.trouble.clone()?)));
        troubled.collect()
    };
    let (old_blob, old_tree) = (id("HEAD~1:a/b/c"), id("HEAD~1:a/b"));
    assert_eq!(list().expect("listed").len(), 3);
    remove(&old_blob);
    let listed = list().expect("listed");
    assert_eq!(
        (listed.len(), trouble(&listed)),
        (3, vec![("a/b/c".to_owned(), "the blob is missing".to_owned())])
    );
    remove(&old_tree);
    let listed = list().expect("listed");
    // Nobody knows any more that there was another blob.
    assert_eq!(
        (listed.len(), trouble(&listed)),
        (3, vec![("a/b".to_owned(), "the tree is missing".to_owned())])
    );
    remove(&id("HEAD~1"));
    let error = list().expect_err("no first commit");
    assert!(error.message().contains("is missing or broken"), "{error}");
}

#[test]
fn limits_are_counted() {
    let root = tempfile::tempdir().expect("tempdir");
    let folder = repository(root.path(), "one", &[("a", b"1"), ("b", b"2")]);
    git(&folder, &["mv", "a", "c"]);
    commit_at(&folder, 1_600_000_000, &["-m", "two"]);
    // Two files, a further path, a rename.
    for (most, fits) in [(4, true), (3, false)] {
        let mut config = config("git", "one");
        config.history = Some(super::super::History::Revision);
        config.max_entries = most;
        let source = super::super::super::open(&config, root.path()).expect("valid");
        let cx = context(root.path());
        let unit = source.resolve(&cx).expect("resolved").remove(0);
        let listed = list_batch(source.as_ref(), &unit, &cx);
        assert_eq!(listed.is_ok(), fits, "{most}");
    }
}

/// What is done to a repository: on which branch, to which file, and how.
#[derive(Clone, Debug)]
enum Step {
    Write(u8, u8, u8),
    Move(u8, u8, u8),
    Remove(u8, u8),
    Merge(u8, Vec<u8>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (branch, file) = (|| 0..3u8, || 0..5u8);
    let step = prop_oneof![
        4 => (branch(), file(), 0..6u8).prop_map(|(branch, file, content)| Step::Write(branch, file, content)),
        2 => (branch(), file(), file()).prop_map(|(branch, from, to)| Step::Move(branch, from, to)),
        1 => (branch(), file()).prop_map(|(branch, file)| Step::Remove(branch, file)),
        2 => (branch(), prop::collection::vec(branch(), 1..3)).prop_map(|(branch, others)| Step::Merge(branch, others)),
    ];
    prop::collection::vec(step, 1..14)
}

/// Files of different depths, some with equal names.
const FILES: [&str; 5] = ["a", "d/a", "d/e/b", "d-/b", "f"];

/// Trees of branches become commits by `commit-tree`, whatever a merge would have to say.
fn build(folder: &Path, steps: &[Step]) {
    let mut branches: Vec<(String, BTreeMap<usize, u8>)> =
        vec![(text(folder, &["rev-parse", "HEAD"]).trim().to_owned(), BTreeMap::new()); 3];
    for (i, step) in steps.iter().enumerate() {
        let mut parents = Vec::new();
        let branch = match step {
            Step::Write(branch, file, content) => {
                branches[*branch as usize].1.insert((*file).into(), *content);
                *branch
            }
            Step::Move(branch, from, to) => {
                let files = &mut branches[*branch as usize].1;
                if let Some(content) = files.remove(&(*from).into()) {
                    files.insert((*to).into(), content);
                }
                *branch
            }
            Step::Remove(branch, file) => {
                branches[*branch as usize].1.remove(&(*file).into());
                *branch
            }
            Step::Merge(branch, others) => {
                for other in others {
                    let (id, files) = branches[*other as usize].clone();
                    parents.push(id);
                    branches[*branch as usize].1.extend(files);
                }
                *branch
            }
        };
        let (head, files) = &branches[branch as usize];
        parents.insert(0, head.clone());
        let id = commit_tree(folder, &parents, files, i as u64);
        git(folder, &["update-ref", &format!("refs/heads/b{branch}"), &id]);
        branches[branch as usize].0 = id;
    }
}

fn commit_tree(folder: &Path, parents: &[String], files: &BTreeMap<usize, u8>, step: u64) -> String {
    git(folder, &["read-tree", "--empty"]);
    for (&file, content) in files {
        write(&folder.join(".git/scratch"), format!("content {content}\n").as_bytes());
        let id = text(folder, &["hash-object", "-w", ".git/scratch"]);
        git(
            folder,
            &[
                "update-index",
                "--add",
                "--cacheinfo",
                &format!("100644,{},{}", id.trim(), FILES[file]),
            ],
        );
    }
    let tree = text(folder, &["write-tree"]);
    let mut arguments: Vec<&str> = vec!["commit-tree", "-m", "m", tree.trim()];
    let mut seen = BTreeSet::new();
    for parent in parents.iter().filter(|parent| seen.insert(parent.as_str())) {
        arguments.extend(["-p", parent]);
    }
    // Clocks that go back now and then.
    let time = format!("{} +0000", 1_600_000_000 + (step * 7) % 5 * 100);
    let output = Command::new("git")
        .current_dir(folder)
        .args(&arguments)
        .env("GIT_AUTHOR_NAME", "a")
        .env("GIT_AUTHOR_EMAIL", "a@b")
        .env("GIT_COMMITTER_NAME", "a")
        .env("GIT_COMMITTER_EMAIL", "a@b")
        .env("GIT_AUTHOR_DATE", &time)
        .env("GIT_COMMITTER_DATE", &time)
        .output()
        .expect("git runs");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("an id").trim().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn any_history_is_as_git_tells_it(steps in steps()) {
        let root = tempfile::tempdir().expect("tempdir");
        let folder = repository(root.path(), "one", &[]);
        build(&folder, &steps);
        let (source, unit) = opened(root.path(), "one", "references");
        let cx = context(root.path());
        let mut found = facts(&list_batch(source.as_ref(), &unit, &cx).expect("listed"));
        found.values_mut().for_each(|facts| facts.renames.clear());
        prop_assert_eq!(found, expected(&told(&folder, &["--branches"])));
    }
}
