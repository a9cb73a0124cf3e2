//! The commits that tips reach, oldest first.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use gix::ObjectId;
use gix::objs::{CommitRefIter, Kind};
use stackmill_schemas::{Error, Result, TaskContext};

use super::super::super::listing::blob_of;
use super::super::objects::{HASH, LONGEST_COMMIT, Objects};
use super::super::tree::Id;

/// One commit. With its place among the parents of others it takes about 90 bytes, and as much again while commits
/// are looked for.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub(crate) id: Id,
    pub(crate) tree: Id,
    /// Seconds since 1970, as the committer's date says.
    pub(crate) time: i64,
    /// As `time`, of the author.
    pub(crate) author_time: i64,
    /// Where its parents stand in [`Commits::parents`].
    parents: (u32, u32),
}

/// Commits in order of time: by committer date, then id, but none before its parents.
pub(crate) struct Commits {
    all: Vec<Commit>,
    parents: Vec<u32>,
}

impl Commits {
    /// Everything that `tips` reach; a clone that was cut off ends where its `shallow` file says.
    pub(crate) fn reachable(objects: &mut Objects, tips: &[Id], most: u64, cx: &TaskContext) -> Result<Self> {
        let mut search = Search {
            places: HashMap::new(),
            all: Vec::new(),
            parents: Vec::new(),
            most,
        };
        for tip in tips {
            search.place(*tip)?;
        }
        let cut = objects.shallow()?;
        let mut buffer = Vec::new();
        let mut next = 0;
        while next < search.all.len() {
            cx.check()?;
            let id = search.all[next].id;
            let is_cut = cut.contains(&id);
            search.visit(next, objects, is_cut, &mut buffer)?;
            next += 1;
        }
        Ok(Self {
            all: search.all,
            parents: search.parents,
        }
        .sorted())
    }

    /// The commits, oldest first.
    pub(crate) fn all(&self) -> &[Commit] {
        &self.all
    }

    /// The trees of a commit's parents.
    pub(crate) fn parent_trees(&self, commit: &Commit) -> Vec<Id> {
        let (start, end) = commit.parents;
        let parents = &self.parents[start as usize..end as usize];
        parents.iter().map(|&parent| self.all[parent as usize].tree).collect()
    }

    fn parents_of(&self, number: usize) -> &[u32] {
        let (start, end) = self.all[number].parents;
        &self.parents[start as usize..end as usize]
    }

    fn sorted(self) -> Self {
        let order = self.order();
        let mut places = vec![0; order.len()];
        for (place, &number) in (0..).zip(&order) {
            places[number as usize] = place;
        }
        let parents = self.parents.iter().map(|&parent| places[parent as usize]).collect();
        Self {
            all: order.iter().map(|&number| self.all[number as usize].clone()).collect(),
            parents,
        }
    }

    /// Numbers of the commits in order of time.
    fn order(&self) -> Vec<u32> {
        let count = self.all.len();
        let mut waits_for = vec![0; count];
        let mut edges: Vec<(u32, u32)> = Vec::with_capacity(self.parents.len());
        for (child, waits) in (0..).zip(&mut waits_for) {
            let parents = self.parents_of(child as usize);
            *waits = parents.len();
            edges.extend(parents.iter().map(|&parent| (parent, child)));
        }
        edges.sort_unstable();
        let key = |number: u32| {
            let commit = &self.all[number as usize];
            Reverse((commit.time, commit.id, number))
        };
        let free = (0..count as u32).filter(|&number| waits_for[number as usize] == 0);
        let mut heap: BinaryHeap<_> = free.map(key).collect();
        let mut order = Vec::with_capacity(count);
        while let Some(Reverse((_, _, number))) = heap.pop() {
            order.push(number);
            let first = edges.partition_point(|&(parent, _)| parent < number);
            for &(_, child) in edges[first..].iter().take_while(|&&(parent, _)| parent == number) {
                waits_for[child as usize] -= 1;
                if waits_for[child as usize] == 0 {
                    heap.push(key(child));
                }
            }
        }
        order
    }
}

/// Commits in the order in which they were found.
struct Search {
    places: HashMap<Id, u32>,
    all: Vec<Commit>,
    parents: Vec<u32>,
    most: u64,
}

impl Search {
    /// The number of a commit, which is visited later if it is new.
    fn place(&mut self, id: Id) -> Result<u32> {
        if let Some(&place) = self.places.get(&id) {
            return Ok(place);
        }
        let place = self.all.len() as u32;
        if u64::from(place) >= self.most {
            return Err(Error::input(format!("the history has more than {} commits", self.most))
                .hint("raise `max-entries` of the source if it is not hostile"));
        }
        self.all.push(Commit {
            id,
            tree: [0; 20],
            time: 0,
            author_time: 0,
            parents: (0, 0),
        });
        self.places.insert(id, place);
        Ok(place)
    }

    fn visit(&mut self, number: usize, objects: &mut Objects, is_cut: bool, buffer: &mut Vec<u8>) -> Result<()> {
        let id = ObjectId::from(self.all[number].id);
        let broken = || Error::input(format!("commit {id} is missing or broken"));
        let Ok(Kind::Commit) = objects.object(&id, LONGEST_COMMIT, buffer)? else {
            return Err(broken());
        };
        let fields = || CommitRefIter::from_bytes(buffer, HASH);
        let tree = fields().tree_id().map_err(|_| broken())?;
        let start = self.parents.len() as u32;
        // A commit that names a parent twice has it once.
        let mut parents: Vec<u32> = Vec::new();
        for parent in fields().parent_ids().filter(|_| !is_cut) {
            let parent = self.place(blob_of(&parent).0)?;
            if !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        self.parents.extend(parents);
        let commit = &mut self.all[number];
        commit.tree = blob_of(&tree).0;
        commit.time = fields().committer().map_or(0, |signature| signature.seconds());
        commit.author_time = fields().author().map_or(0, |signature| signature.seconds());
        commit.parents = (start, self.parents.len() as u32);
        Ok(())
    }
}
