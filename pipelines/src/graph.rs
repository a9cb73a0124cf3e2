//! The steps of a run in order, and what the reports of earlier ones say that later ones are built from.
//!
//! ```text
//!   list ─► keys ─► exact ─► cut ─► content ─► near-buckets ─► near-attach ─► near-verify ─► near-components ─►
//!   near-keepers ─► syntax ─► pack ─► ledger
//! ```
//! Steps whose stage is off are left out; `list` and `cut` say how many tasks the others have. `near-components` stands
//! for no step at all where one task can hold all edges, as `near-verify` counts them; else for turns `near-star-1`,
//! `near-star-2`, … until one moves nothing, and one step more.

use stackmill_schemas::{Error, Result};

use crate::job::{EXACT_DECISIONS, Job, NEAR_DECISIONS, NearTargets, Stages};
use crate::lock;
use crate::passes::components::{COMPONENTS, Component, EDGES, Share, TurnStep, turn_name, turn_number};
use crate::passes::content::Content;
use crate::passes::cut::{Cut, Layout};
use crate::passes::gather::{Gather, Next};
use crate::passes::keys::Keys;
use crate::passes::ledger::Ledger;
use crate::passes::listing::{self, Listed, Listing};
use crate::passes::pack::Packing;
use crate::passes::syntax::Syntax;
use crate::passes::{Step, TaskReport};
use crate::publish::Parts;

/// The first step: its reports tell whether too many repositories cannot be read.
pub const LIST: &str = "list";
const KEYS: &str = "keys";
const EXACT: &str = "exact";
const CUT: &str = "cut";
const CONTENT: &str = "content";
const VERIFY: &str = "near-verify";
const NEAR: [&str; 5] = ["near-buckets", "near-attach", VERIFY, COMPONENTS, "near-keepers"];
const SYNTAX: &str = "syntax";
const PACK: &str = "pack";
const LEDGER: &str = "ledger";

/// Whether later steps are built from the reports of a step.
pub fn is_telling(step: &str) -> bool {
    [LIST, CUT, VERIFY].contains(&step) || turn_number(step).is_some()
}

/// Whether a stage may stand for several steps, one after the other.
pub fn is_again(stage: &str) -> bool {
    stage == COMPONENTS
}

/// The stages of a recipe, in order: each stands for the step of its name, but for [`is_again`].
pub fn steps(stages: &Stages) -> Vec<&'static str> {
    let mut steps = vec![LIST];
    if stages.exact.is_some() {
        steps.extend([KEYS, EXACT]);
    }
    steps.extend([CUT, CONTENT]);
    if stages.near.is_some() {
        steps.extend(NEAR);
    }
    steps.push(SYNTAX);
    if stages.pack.is_some() {
        steps.push(PACK);
    }
    steps.push(LEDGER);
    steps
}

/// What is known of a run so far.
#[derive(Default)]
pub struct Graph {
    listed: Listed,
    layout: Layout,
    parts: Parts,
    learned: Vec<String>,
    /// Turns so far.
    turns: u32,
    /// Whether the last of them moved nothing.
    is_settled: bool,
}

impl Graph {
    /// The step of a stage that is not learned yet, once the stages before it have none left.
    pub fn next(&self, job: &Job, stage: &str) -> Option<String> {
        let near = job.stages.near.as_ref();
        let name = match stage {
            COMPONENTS if near?.components.fit(self.layout.edges) => return None,
            COMPONENTS if !self.is_settled => turn_name(self.turns + 1),
            stage => stage.to_owned(),
        };
        let is_there = steps(&job.stages).contains(&stage) && !self.has_learned(&name);
        is_there.then_some(name)
    }

    /// Whether a step was learned.
    pub fn has_learned(&self, name: &str) -> bool {
        self.learned.iter().any(|learned| learned == name)
    }

    /// A step, once the reports of all before it were [learned](Self::learn).
    pub fn step<'a>(&'a self, job: &'a Job, name: &str) -> Result<Box<dyn Step + 'a>> {
        let layout = &self.layout;
        let listed = &self.listed;
        let off = || Error::bug(format!("the recipe has no step `{name}`"));
        Ok(match name {
            LIST => Box::new(Listing { job }),
            KEYS => Box::new(Keys {
                job,
                target: job.exact_target(listed).ok_or_else(off)?,
            }),
            EXACT => Box::new(self.exact(job).ok_or_else(off)?),
            CUT => Box::new(Cut { job, listed }),
            CONTENT => Box::new(Content { job, layout }),
            SYNTAX => Box::new(Syntax { job, layout }),
            PACK => Box::new(Packing {
                job,
                target: job.pack_target(layout).ok_or_else(off)?,
            }),
            LEDGER => Box::new(Ledger { job, listed, layout }),
            near => self.near(job, near).ok_or_else(off)?,
        })
    }

    fn exact<'a>(&'a self, job: &'a Job) -> Option<Gather<'a>> {
        Some(Gather {
            job,
            target: job.exact_target(&self.listed)?,
            whole: None,
            next: Next::Decisions {
                name: EXACT_DECISIONS,
                homes: &self.listed.pages,
            },
            side: &[],
        })
    }

    fn near<'a>(&'a self, job: &'a Job, name: &str) -> Option<Box<dyn Step + 'a>> {
        let targets = job.near_targets(&self.layout)?;
        let component = targets.component;
        let gather = |target, next, side| Gather {
            job,
            target,
            whole: None,
            next,
            side,
        };
        Some(match NEAR.iter().position(|near| *near == name) {
            Some(0) => Box::new(gather(targets.buckets, Next::Exchange(targets.attach), &[])),
            Some(1) => Box::new(gather(targets.attach, Next::Exchange(targets.verify), &[])),
            Some(2) => Box::new(gather(targets.verify, Next::Edges(component), &["side"])),
            Some(3) => Box::new(Share {
                component,
                turns: self.turns,
                deciders: targets.keepers.partitions,
            }),
            Some(_) => Box::new(self.keepers(job, targets)),
            None => Box::new(TurnStep {
                component,
                name: name.to_owned(),
                turn: turn_number(name)?,
            }),
        })
    }

    /// Where components were not needed, edges still lie where they were found.
    fn keepers<'a>(&'a self, job: &'a Job, targets: NearTargets<'a>) -> Gather<'a> {
        let Component { near, .. } = targets.component;
        let is_whole = near.components.fit(self.layout.edges);
        Gather {
            job,
            target: targets.keepers,
            whole: is_whole.then(|| targets.component.edges()),
            next: Next::Decisions {
                name: NEAR_DECISIONS,
                homes: &self.layout.homes,
            },
            side: if is_whole { &[EDGES] } else { &[] },
        }
    }

    /// Where files live, as far as that is known.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Takes note of the reports of all tasks of a step, in order.
    pub fn learn(&mut self, job: &Job, name: &str, reports: Vec<TaskReport>) -> Result<()> {
        match name {
            LIST => {
                let troubled = reports.iter().flat_map(|report| &report.troubled);
                let failed = troubled.map(|(repo, trouble)| (repo.as_str(), trouble.as_str()));
                lock::check_failures(failed, job.lock.units.len(), job.recipe.run.max_failed_repositories.0)?;
                self.parts.listed = listing::listed(&reports);
                self.listed = Listed::of(&reports);
                self.parts.commits = reports.into_iter().flat_map(|report| report.published).collect();
            }
            CUT => self.layout = Layout::of(reports),
            VERIFY => self.layout.edges = reports.iter().map(|report| report.input.files).sum(),
            SYNTAX => self.parts.kept = reports,
            PACK => self.parts.tokens = reports,
            LEDGER => self.parts.ledgers = reports,
            turn if turn_number(turn).is_some() => {
                self.turns += 1;
                // Small stars do not look.
                self.is_settled = self.turns.is_multiple_of(2) && reports.iter().all(|report| report.moved == 0);
            }
            _ => {}
        }
        self.pass(name);
        Ok(())
    }

    /// Takes note that a step was there.
    pub fn pass(&mut self, name: &str) {
        self.learned.push(name.to_owned());
    }

    /// What a manifest is made of, once every step was learned.
    pub fn parts(self) -> Parts {
        self.parts
    }
}
