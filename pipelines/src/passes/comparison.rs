//! Comparisons of files, near and structural: which steps and folders each has, and where its rows go.

use std::sync::Arc;

use stackmill_dedup::near::Components;
use stackmill_schemas::stage::Exchange;

use super::components::Component;
use super::cut::Layout;
use super::gather::Reads;
use super::recall;
use crate::exchange::{Spills, Target};
use crate::job::{Job, partitions};
use crate::runner::SideSets;
use crate::stages::Stages;

/// How many comparisons there are.
pub const COUNT: usize = 2;

/// The names of a comparison's steps, which are those of its exchanges, and of its folders.
#[derive(Debug)]
pub struct Names {
    /// Its place among the comparisons.
    pub index: usize,
    /// Its steps in order: buckets, attach, verify, components, keepers.
    pub steps: [&'static str; 5],
    /// What turns of components begin with.
    pub turn: &'static str,
    /// Folder of edges.
    pub edges: &'static str,
    /// Folder of decisions.
    pub decisions: &'static str,
    /// Folder of shingle sets.
    pub side: &'static str,
}

/// Near-duplicates.
pub static NEAR: Names = Names {
    index: 0,
    steps: [
        "near-buckets",
        "near-attach",
        "near-verify",
        "near-components",
        "near-keepers",
    ],
    turn: "near-star-",
    edges: "near-edges",
    decisions: "near-decisions",
    side: "side",
};

/// Structural near-duplicates.
pub static STRUCTURAL: Names = Names {
    index: 1,
    steps: [
        "structural-buckets",
        "structural-attach",
        "structural-verify",
        "structural-components",
        "structural-keepers",
    ],
    turn: "structural-star-",
    edges: "structural-edges",
    decisions: "structural-decisions",
    side: "structural-side",
};

/// All comparisons, in running order.
pub static ALL: [&Names; COUNT] = [&NEAR, &STRUCTURAL];

impl Names {
    /// The comparison that has a step of that name, and which of its steps it is; none for a turn.
    pub fn of(step: &str) -> Option<(&'static Self, Option<usize>)> {
        ALL.iter().find_map(|names| {
            let place = names.steps.iter().position(|name| *name == step);
            let is_turn = names.turn_number(step).is_some();
            (place.is_some() || is_turn).then_some((*names, place))
        })
    }

    /// The step that counts edges.
    pub fn verify(&self) -> &'static str {
        self.steps[2]
    }

    /// The stage that all turns belong to.
    pub fn components(&self) -> &'static str {
        self.steps[3]
    }

    /// Name of a turn, and the folder that it reads; counted from 1.
    pub fn turn_name(&self, turn: u32) -> String {
        format!("{}{turn}", self.turn)
    }

    /// The turn of that name.
    pub fn turn_number(&self, name: &str) -> Option<u32> {
        name.strip_prefix(self.turn)?.parse().ok()
    }
}

/// The parts of a comparison, whichever it is.
#[derive(Clone, Copy)]
struct Parts<'a> {
    buckets: &'a dyn Exchange,
    attach: &'a dyn Exchange,
    verify: &'a dyn Exchange,
    components: &'a Components,
    keepers: &'a dyn Exchange,
    several_keepers: &'a dyn Exchange,
}

macro_rules! parts {
    ($of:expr) => {{
        let of = $of;
        Some(Parts {
            buckets: &of.buckets,
            attach: &of.attach,
            verify: &of.verify,
            components: &of.components,
            keepers: &of.keepers,
            several_keepers: &of.several_keepers,
        })
    }};
}

fn parts<'a>(stages: &'a Stages, names: &Names) -> Option<Parts<'a>> {
    match names.index {
        0 => parts!(stages.near.as_ref()?),
        _ => parts!(stages.structural.as_ref()?),
    }
}

/// How many edges one task may hold, if the comparison is on.
pub fn components<'a>(stages: &'a Stages, names: &Names) -> Option<&'a Components> {
    parts(stages, names).map(|parts| parts.components)
}

/// The exchanges of a comparison.
#[derive(Clone, Copy)]
pub struct Targets<'a> {
    /// Bucket hashes.
    pub buckets: Target<'a>,
    /// Pairs, to the home of the first.
    pub attach: Target<'a>,
    /// Pairs with a set, to the home of the second.
    pub verify: Target<'a>,
    /// Edges, and how they hang together.
    pub component: Component<'a>,
    /// Edges by component, once all were counted.
    pub keepers: Target<'a>,
}

impl Job {
    /// Where the rows of a comparison go, if it is on.
    pub fn compared<'a>(&'a self, names: &'static Names, layout: &'a Layout) -> Option<Targets<'a>> {
        let parts = parts(&self.stages, names)?;
        let homes = layout.homes.as_ref();
        let target = |exchange: &'a dyn Exchange, feeders| Target {
            exchange,
            partitions: partitions(exchange, layout.size),
            homes,
            feeders,
        };
        let buckets = target(parts.buckets, homes.count());
        let attach = target(parts.attach, buckets.partitions);
        let verify = target(parts.verify, attach.partitions);
        let deciders = parts.components.deciders(layout.edges[names.index]);
        let decider = match deciders {
            1 => parts.keepers,
            _ => parts.several_keepers,
        };
        let component = Component {
            job: self,
            names,
            components: parts.components,
            keepers: decider,
            partitions: parts.components.partitions(layout.size.files),
            verified: verify.partitions,
        };
        let keepers = Target {
            exchange: decider,
            partitions: deciders,
            homes,
            feeders: component.partitions,
        };
        Some(Targets {
            buckets,
            attach,
            verify,
            component,
            keepers,
        })
    }

    /// What a comparison decided, by chunk.
    pub fn decisions(&self, names: &'static Names, layout: &Layout) -> Spills {
        let files = self
            .compared(names, layout)
            .map_or(0, |targets| targets.keepers.partitions);
        Spills::new(&self.workdir, names.decisions, files)
    }

    /// The sets that a comparison reads.
    pub fn sets(&self, names: &Names, layout: &Layout) -> Reads {
        let folder = match names.index == NEAR.index && self.stages.previous.is_some() {
            true => recall::STEPS[2],
            false => names.side,
        };
        Reads {
            side: Arc::new(SideSets::new(&self.workdir.place, &layout.chunks, folder)),
            homes: layout.homes.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_told_by_their_names() {
        let found = |step| Names::of(step).map(|(names, place)| (names.index, place));
        assert_eq!(found("near-verify"), Some((0, Some(2))));
        assert_eq!(found("structural-star-12"), Some((1, None)));
        assert_eq!(found("structural-star-"), None);
        assert_eq!(found("syntax"), None);
        for (index, names) in ALL.iter().enumerate() {
            assert_eq!(names.index, index);
        }
    }
}
