//! The whole history of a repository: every distinct blob once, with the time it was there and the paths it had.
//!
//! ```text
//!   tips ─► commits     oldest first, none before its parents
//!   forwards            what each commit changes ─► first commit, paths, renames         reads the trees that differ
//!   backwards           trees that no later commit has ─► last commit, path there        reads each tree once
//! ```
//! The first and the last commit that hold a blob follow from that: a commit that holds one and is the first to do so
//! brings it by a change, and walking backwards it is met in the last one first.

mod changes;
mod commits;
mod rows;
#[cfg(test)]
mod tests;
mod trees;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use gix::ObjectId;
use stackmill_schemas::ids::hex;
use stackmill_schemas::lock::Unit;
use stackmill_schemas::stage::Emit;
use stackmill_schemas::{BlobId, Error, Result, TaskContext};

use self::changes::{Change, changes};
use self::commits::{Commit, Commits};
use self::rows::Rows;
use self::trees::{Names, ROOT, Side, Trees};
use super::super::SourceConfig;
use super::super::listing::{Evidence, Listing, Owner, Row, mode};
use super::super::past::{Past, Rename};
use super::super::paths::Trouble;
use super::objects::Objects;
use super::repositories::is_elsewhere;
use super::tree::{DEEPEST, Id};

/// A number that stands for none.
const NONE: u32 = u32::MAX;

/// What the history knows of one blob (or link, submodule commit, or folder that cannot be entered): 40 bytes, beside
/// as much to find it again, and 12 for each further path.
struct Object {
    id: Id,
    first: u32,
    last: u32,
    /// The first path that it had.
    first_path: u32,
    /// The path that it has in its last commit, or in the last one where it is a file.
    path: u32,
    mode: u16,
    trouble: Option<Trouble>,
}

const _: () = assert!(size_of::<Object>() == 40, "documented in `max-entries`");

impl Object {
    /// Whether its path is one of a file that can be read.
    fn is_plain(&self) -> bool {
        self.trouble.is_none() && matches!(u32::from(self.mode), mode::FILE | mode::EXECUTABLE)
    }
}

/// A blob that leaves one path and comes to another in the same commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Move {
    object: u32,
    commit: u32,
    from: u32,
    to: u32,
}

/// The history, as far as it has been walked.
struct History<'a> {
    config: &'a SourceConfig,
    cx: &'a TaskContext,
    commits: Commits,
    names: Names,
    objects: Vec<Object>,
    places: HashMap<Id, u32>,
    /// Object and path, beyond the first path of each.
    further: HashSet<(u32, u32)>,
    moves: Vec<Move>,
}

/// A tree of a commit that cannot be read at all.
fn broken_tree(id: &Id, trouble: Trouble) -> Error {
    Error::input(format!("tree {}: {}", ObjectId::from(*id), trouble.words()))
}

/// Emits one row for each distinct blob that `tips` reach, by path and from the newest on.
pub(super) fn list(
    unit: &Unit,
    source: (&SourceConfig, &Evidence),
    objects: &mut Objects,
    emit: &mut Emit<'_>,
    cx: &TaskContext,
) -> Result<()> {
    let (config, evidence) = source;
    let mut history = History::new(&tips_of(unit)?, config, objects, cx)?;
    history.forwards(objects)?;
    history.backwards(objects)?;
    history.places = HashMap::new();
    let lengths = history.lengths(objects, is_elsewhere(&unit.location))?;
    history.emit(unit, evidence, &lengths, emit)
}

/// Emits one row for each commit that `tips` reach, oldest first, as [`stackmill_schemas::columns::commits`] says.
pub(super) fn list_commits(
    unit: &Unit,
    config: &SourceConfig,
    objects: &mut Objects,
    emit: &mut Emit<'_>,
    cx: &TaskContext,
) -> Result<()> {
    let commits = Commits::reachable(objects, &tips_of(unit)?, config.max_entries, cx)?;
    let mut names = Names::new(config);
    let mut trees = Trees::new(objects, config, cx);
    let mut rows = Rows::new(unit, emit);
    for commit in commits.all() {
        let changed = changes(&mut trees, &mut names, commit.tree, &commits.parent_trees(commit))?;
        let moves = moves(&changed, &names);
        rows.push(commit, trees.objects, &changed, (&moves, &names))?;
    }
    rows.finish()
}

/// The commits that a unit's history starts from: what its lock says.
fn tips_of(unit: &Unit) -> Result<Vec<Id>> {
    let tips = unit
        .metadata
        .get(super::TIPS)
        .map_or(unit.revision_id.as_str(), String::as_str);
    let id =
        |text: &str| match ObjectId::from_hex(text.as_bytes()) {
            Ok(id) => Ok(super::super::listing::blob_of(&id).0),
            Err(_) => Err(Error::input(format!("`{text}` is not the id of a commit"))
                .hint("run with `--update` to write a new lock")),
        };
    tips.split(' ').map(id).collect()
}

impl<'a> History<'a> {
    fn new(tips: &[Id], config: &'a SourceConfig, objects: &mut Objects, cx: &'a TaskContext) -> Result<Self> {
        Ok(Self {
            config,
            cx,
            commits: Commits::reachable(objects, tips, config.max_entries, cx)?,
            names: Names::new(config),
            objects: Vec::new(),
            places: HashMap::new(),
            further: HashSet::new(),
            moves: Vec::new(),
        })
    }

    /// From the oldest commit on: what each brings.
    fn forwards(&mut self, objects: &mut Objects) -> Result<()> {
        let mut trees = Trees::new(objects, self.config, self.cx);
        for number in 0..self.commits.all().len() {
            let commit = &self.commits.all()[number];
            let old = self.commits.parent_trees(commit);
            let changed = changes(&mut trees, &mut self.names, commit.tree, &old)?;
            for change in &changed {
                self.bring(change, number as u32)?;
            }
            for (from, to) in moves(&changed, &self.names) {
                let object = changed[to].after.and_then(|side| self.places.get(&side.id));
                let (from, to) = (changed[from].path, changed[to].path);
                let commit = number as u32;
                self.moves.extend(object.map(|&object| Move {
                    object,
                    commit,
                    from,
                    to,
                }));
            }
            self.refuse_too_many()?;
        }
        Ok(())
    }

    fn bring(&mut self, change: &Change, commit: u32) -> Result<()> {
        let Some(side) = change.after else { return Ok(()) };
        let next = self.objects.len() as u32;
        let place = *self.places.entry(side.id).or_insert(next);
        if place == next {
            self.objects.push(Object {
                id: side.id,
                first: commit,
                last: NONE,
                first_path: change.path,
                path: change.path,
                mode: side.mode as u16,
                trouble: change.trouble,
            });
        } else if self.objects[place as usize].first_path != change.path {
            self.further.insert((place, change.path));
        }
        Ok(())
    }

    fn refuse_too_many(&self) -> Result<()> {
        let most = self.config.max_entries;
        match (self.objects.len() + self.further.len() + self.moves.len()) as u64 > most {
            true => Err(Error::input(format!(
                "the history has more than {most} files, further paths and renames"
            ))
            .hint("raise `max-entries` of the source if it is not hostile")),
            false => Ok(()),
        }
    }

    /// From the newest commit back: where each object was last.
    fn backwards(&mut self, objects: &mut Objects) -> Result<()> {
        let mut walk = Backwards {
            trees: Trees::new(objects, self.config, self.cx),
            history: self,
            seen: HashSet::new(),
            commit: 0,
        };
        for number in (0..walk.history.commits.all().len()).rev() {
            walk.commit = number as u32;
            let tree = walk.history.commits.all()[number].tree;
            walk.folder(ROOT, 0, tree)?;
        }
        Ok(())
    }

    /// Takes note of an object in a commit; later commits were walked before.
    fn met(&mut self, path: u32, side: Side, commit: u32, trouble: Option<Trouble>) {
        let Some(&place) = self.places.get(&side.id) else {
            return;
        };
        let object = &mut self.objects[place as usize];
        let met = Object {
            id: side.id,
            path,
            mode: side.mode as u16,
            trouble,
            ..*object
        };
        let is_new = object.last == NONE;
        if is_new {
            object.last = commit;
        }
        if is_new || met.is_plain() && !object.is_plain() {
            (object.path, object.mode, object.trouble) = (met.path, met.mode, met.trouble);
        }
    }

    /// The length of every blob; blobs that are not there get trouble: a server was asked not to send large ones.
    fn lengths(&mut self, objects: &mut Objects, is_clone: bool) -> Result<Vec<u64>> {
        let mut lengths = vec![0; self.objects.len()];
        for (i, (object, length)) in self.objects.iter_mut().zip(&mut lengths).enumerate() {
            if i % 4096 == 0 {
                self.cx.check()?;
            }
            if matches!(u32::from(object.mode), mode::SUBMODULE | mode::FOLDER) {
                continue;
            }
            match objects.blob_length(&ObjectId::from(object.id))? {
                Ok(found) => *length = found,
                Err(Trouble::BlobMissing) if is_clone => object.trouble = Some(Trouble::NotCloned),
                Err(trouble) => object.trouble = object.trouble.or(Some(trouble)),
            }
        }
        Ok(lengths)
    }

    fn emit(mut self, unit: &Unit, evidence: &Evidence, lengths: &[u64], emit: &mut Emit<'_>) -> Result<()> {
        let mut further: Vec<_> = std::mem::take(&mut self.further).into_iter().collect();
        further.sort_unstable();
        self.moves.sort_unstable();
        let mut listing = Listing::new(self.config, emit, self.cx);
        for number in self.in_order() {
            let object = &self.objects[number as usize];
            let path = self.names.path(object.path);
            let row = Row {
                path: &path,
                mode: object.mode.into(),
                length: lengths[number as usize],
                blob: (object.mode != mode::SUBMODULE as u16).then_some(BlobId(object.id)),
                locator: 0,
                trouble: object.trouble.map(Trouble::words),
            };
            let past = self.past(number, &further);
            listing.push_with(Owner::of(unit), row, &evidence.inherited(&path), Some(&past))?;
        }
        listing.finish()
    }

    /// Objects by the bytes of their paths, those of one path from the newest on.
    fn in_order(&self) -> Vec<u32> {
        let mut used: Vec<u32> = self.objects.iter().map(|object| object.path).collect();
        used.sort_unstable();
        used.dedup();
        let mut paths: Vec<_> = used.iter().map(|&path| (self.names.path(path), path)).collect();
        paths.sort_unstable();
        let mut ranks = vec![NONE; self.names.len()];
        for (rank, (_, path)) in (0..).zip(&paths) {
            ranks[*path as usize] = rank;
        }
        let mut order: Vec<u32> = (0..self.objects.len() as u32).collect();
        order.sort_unstable_by_key(|&number| {
            let object = &self.objects[number as usize];
            let newest = std::cmp::Reverse((object.last, object.first));
            (ranks[object.path as usize], newest, object.id)
        });
        order
    }

    fn past(&self, number: u32, further: &[(u32, u32)]) -> Past {
        let object = &self.objects[number as usize];
        let commit = |number: u32| &self.commits.all()[number as usize];
        let id = |commit: &Commit| hex(&commit.id);
        let first = commit(object.first);
        let last = commit(if object.last == NONE { object.first } else { object.last });
        let start = further.partition_point(|&(object, _)| object < number);
        let others = further[start..].iter().take_while(|&&(object, _)| object == number);
        let mut paths: Vec<_> = others.map(|&(_, path)| self.names.path(path)).collect();
        paths.push(self.names.path(object.first_path));
        paths.sort_unstable();
        let start = self.moves.partition_point(|step| step.object < number);
        let moves = self.moves[start..].iter().take_while(|step| step.object == number);
        let renames = moves.map(|step| Rename {
            commit: id(commit(step.commit)),
            from: self.names.path(step.from),
            to: self.names.path(step.to),
        });
        Past {
            first_commit: id(first),
            first_time: first.time,
            first_author_time: first.author_time,
            last_commit: id(last),
            last_time: last.time,
            paths,
            renames: renames.collect(),
        }
    }
}

/// The walk from the newest commit back, which enters each tree once.
struct Backwards<'h, 'a, 'o> {
    history: &'h mut History<'a>,
    trees: Trees<'o>,
    seen: HashSet<Id>,
    commit: u32,
}

impl Backwards<'_, '_, '_> {
    fn folder(&mut self, path: u32, depth: u32, id: Id) -> Result<()> {
        let side = Side { mode: mode::FOLDER, id };
        if depth > DEEPEST {
            self.met(path, side, Some(Trouble::FolderTooDeep));
            return Ok(());
        }
        if !self.seen.insert(id) {
            return Ok(());
        }
        let tree = match self.trees.tree(&id)? {
            Ok(tree) => tree,
            Err(trouble) => {
                self.met(path, side, Some(trouble));
                return Ok(());
            }
        };
        for entry in tree.entries() {
            let name = tree.name(entry);
            let inner = self.history.names.inner(path, name)?;
            if entry.is_tree() {
                self.folder(inner, depth + 1, entry.id)?;
                continue;
            }
            let trouble = name.contains(&b'/').then_some(Trouble::NameHasSlash);
            self.met(inner, entry.side(), trouble);
        }
        Ok(())
    }

    fn met(&mut self, path: u32, side: Side, trouble: Option<Trouble>) {
        self.history.met(path, side, self.commit, trouble);
    }
}

/// Pairs of changes, by their numbers: the path that loses a file, and the one that gains the same file. Equal names are
/// paired before others, else in order of paths.
fn moves(changed: &[Change], names: &Names) -> Vec<(usize, usize)> {
    let key = |side: Side| match side.mode {
        mode::FILE | mode::EXECUTABLE => Some((side.id, mode::FILE)),
        mode::SYMLINK => Some((side.id, mode::SYMLINK)),
        _ => None,
    };
    let gone = |change: &Change| change.before.filter(|_| change.after.is_none()).and_then(key);
    let come = |change: &Change| change.after.filter(|_| change.before.is_none()).and_then(key);
    let mut sources: Vec<_> = (0..changed.len()).filter(|&i| gone(&changed[i]).is_some()).collect();
    let mut targets: Vec<_> = (0..changed.len()).filter(|&i| come(&changed[i]).is_some()).collect();
    if sources.is_empty() || targets.is_empty() {
        return Vec::new();
    }
    let mut pairs = Vec::new();
    for by_name in [true, false] {
        let name = |i: usize| if by_name { names.name(changed[i].path) } else { b"" };
        let mut waiting: BTreeMap<_, VecDeque<usize>> = BTreeMap::new();
        for &from in &sources {
            waiting
                .entry((gone(&changed[from]), name(from)))
                .or_default()
                .push_back(from);
        }
        targets.retain(|&to| {
            let same = waiting.get_mut(&(come(&changed[to]), name(to)));
            let from = same.and_then(VecDeque::pop_front);
            pairs.extend(from.map(|from| (from, to)));
            from.is_none()
        });
        sources = waiting.into_values().flatten().collect();
        sources.sort_unstable();
    }
    pairs.sort_unstable_by_key(|&(_, to)| to);
    pairs
}
