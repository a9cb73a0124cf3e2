//! What a commit changes: the paths at which it has something that none of its parents has there.
//!
//! A merge changes what it resolves, not what it brings together; a first commit changes everything. So every blob of
//! every commit was brought by a change somewhere, and trees that any parent has are never entered.

use std::rc::Rc;

use stackmill_schemas::Result;

use super::super::super::listing::mode;
use super::super::super::paths::Trouble;
use super::super::tree::{DEEPEST, Id};
use super::trees::{Entry, Names, ROOT, Side, Tree, Trees};

/// A path that a commit changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) path: u32,
    /// What the first parent has there.
    pub(crate) before: Option<Side>,
    /// What the commit has there.
    pub(crate) after: Option<Side>,
    /// Why nobody knows what lies below.
    pub(crate) trouble: Option<Trouble>,
}

/// The changes of a commit whose tree is `new` and whose parents have the trees `old`, in order of their paths.
pub(crate) fn changes(trees: &mut Trees<'_>, names: &mut Names, new: Id, old: &[Id]) -> Result<Vec<Change>> {
    let mut walk = Walk {
        trees,
        names,
        found: Vec::new(),
    };
    let nothing = [None];
    let old: Vec<_> = old.iter().copied().map(Some).collect();
    walk.folder(ROOT, 0, Some(new), if old.is_empty() { &nothing } else { &old })?;
    Ok(walk.found)
}

struct Walk<'a, 'o> {
    trees: &'a mut Trees<'o>,
    names: &'a mut Names,
    found: Vec<Change>,
}

impl Walk<'_, '_> {
    fn folder(&mut self, folder: u32, depth: u32, new: Option<Id>, old: &[Option<Id>]) -> Result<()> {
        if old.contains(&new) {
            return Ok(());
        }
        if depth > DEEPEST {
            return self.troubled(folder, depth, new, Trouble::FolderTooDeep);
        }
        let mut sides = Vec::with_capacity(1 + old.len());
        sides.push(match self.tree(new)? {
            Ok(tree) => tree,
            Err(trouble) => return self.troubled(folder, depth, new, trouble),
        });
        for id in old {
            // What a parent cannot tell is new.
            sides.push(self.tree(*id)?.unwrap_or_default());
        }
        let mut at = vec![0; sides.len()];
        while let Some(next) = least(&sides, &at) {
            let slots = slots(&sides, &mut at, &next);
            let most = slots.iter().map(|slot| slot.len()).max().unwrap_or_default();
            let inner = self.names.inner(folder, next.0.name(&next.1))?;
            for number in 0..most {
                // Hostile trees have several entries of one name: the first is compared with the first.
                let entry = |slot: &&[Entry]| slot.get(number).copied();
                let entries: Vec<_> = slots.iter().map(entry).collect();
                self.entry(inner, depth, &entries)?;
            }
        }
        Ok(())
    }

    /// One path, as the commit and its parents have it.
    fn entry(&mut self, path: u32, depth: u32, entries: &[Option<Entry>]) -> Result<()> {
        let Some((new, old)) = entries.split_first() else {
            return Ok(());
        };
        if entries.iter().flatten().any(Entry::is_tree) {
            let id = |entry: &Option<Entry>| entry.map(|entry| entry.id);
            return self.folder(path, depth + 1, id(new), &old.iter().map(id).collect::<Vec<_>>());
        }
        let side = |entry: &Option<Entry>| entry.as_ref().map(Entry::side);
        if old.iter().all(|old| side(old) != side(new)) {
            let before = old.first().and_then(side);
            self.found.push(Change {
                path,
                before,
                after: side(new),
                trouble: None,
            });
        }
        Ok(())
    }

    fn tree(&mut self, id: Option<Id>) -> Result<Result<Rc<Tree>, Trouble>> {
        match id {
            Some(id) => self.trees.tree(&id),
            None => Ok(Ok(Rc::default())),
        }
    }

    fn troubled(&mut self, path: u32, depth: u32, new: Option<Id>, trouble: Trouble) -> Result<()> {
        let Some(id) = new else { return Ok(()) };
        if depth == 0 {
            return Err(super::broken_tree(&id, trouble));
        }
        let after = Some(Side { mode: mode::FOLDER, id });
        self.found.push(Change {
            path,
            before: None,
            after,
            trouble: Some(trouble),
        });
        Ok(())
    }
}

/// The next entry in git's order, with its tree.
fn least(sides: &[Rc<Tree>], at: &[usize]) -> Option<(Rc<Tree>, Entry)> {
    let next = sides
        .iter()
        .zip(at)
        .filter_map(|(side, &at)| Some((side, *side.entries().get(at)?)));
    let least = next.min_by(|(a, x), (b, y)| a.order(x, b, y))?;
    Some((Rc::clone(least.0), least.1))
}

/// The entries of every tree that have the name and kind of `next`; `at` goes on behind them.
fn slots<'a>(sides: &'a [Rc<Tree>], at: &mut [usize], next: &(Rc<Tree>, Entry)) -> Vec<&'a [Entry]> {
    let take = |(side, at): (&'a Rc<Tree>, &mut usize)| {
        let rest = &side.entries()[*at..];
        let same = rest
            .iter()
            .take_while(|entry| side.order(entry, &next.0, &next.1).is_eq())
            .count();
        *at += same;
        &rest[..same]
    };
    sides.iter().zip(at).map(take).collect()
}
