//! The steps of a run in order, and what the reports of earlier ones say that later ones are built from.
//!
//! ```text
//!   list ─► repository-keys ─► … ─► repository-files ─► keys ─► exact ─► cut ─► content ─► near-buckets ─► near-attach ─► near-verify ─► near-components ─►
//!   near-keepers ─► structural-sketch ─► structural-buckets ─► … ─► structural-keepers ─► syntax ─► pack ─► ledger
//! ```
//! Steps whose stage is off are left out; `list` and `cut` say how many tasks the others have. `near-components` stands
//! for no step at all where one task can hold all edges, as `near-verify` counts them; else for turns `near-star-1`,
//! `near-star-2`, … until one moves nothing, and one step more; `structural-components` likewise.

use stackmill_schemas::{Error, Result};

use crate::exchange::Spills;
use crate::job::{EXACT_DECISIONS, Job};
use crate::lock;
use crate::passes::blocks;
use crate::passes::comparison::{self, NEAR, Names, STRUCTURAL, Targets};
use crate::passes::components::{Component, Share, TurnStep};
use crate::passes::content::Content;
use crate::passes::cut::{Cut, Layout};
use crate::passes::gather::{Elsewhere, Gather, Next};
use crate::passes::keys::Keys;
use crate::passes::ledger::Ledger;
use crate::passes::listing::{self, Listed, Listing};
use crate::passes::pack::Packing;
use crate::passes::previous;
use crate::passes::recall::{self, Recall};
use crate::passes::repositories;
use crate::passes::sketch::Sketching;
use crate::passes::syntax::Syntax;
use crate::passes::{Step, TaskReport};
use crate::publish::Parts;
use crate::stages::Stages;

/// The first step: its reports tell whether too many repositories cannot be read.
pub const LIST: &str = "list";
const KEYS: &str = "keys";
const EXACT: &str = "exact";
const CUT: &str = "cut";
const CONTENT: &str = "content";
const SKETCH: &str = "structural-sketch";
const SYNTAX: &str = "syntax";
const PACK: &str = "pack";
const LEDGER: &str = "ledger";

/// Whether later steps are built from the reports of a step.
pub fn is_telling(step: &str) -> bool {
    let is_edges = |names: &Names| step == names.verify() || names.turn_number(step).is_some();
    [LIST, CUT].contains(&step) || comparison::ALL.into_iter().any(is_edges)
}

/// Whether a stage may stand for several steps, one after the other.
pub fn is_again(stage: &str) -> bool {
    comparison::ALL.iter().any(|names| stage == names.components())
}

/// The stages of a recipe, in order: each stands for the step of its name, but for [`is_again`].
pub fn steps(stages: &Stages) -> Vec<&'static str> {
    let mut steps = vec![LIST];
    if stages.repositories.is_some() {
        steps.extend(repositories::STEPS);
    }
    if stages.exact.is_some() {
        steps.extend([KEYS, EXACT]);
    }
    steps.push(CUT);
    if stages.previous.is_some() {
        steps.extend(previous::STEPS);
    }
    steps.push(CONTENT);
    if stages.near.is_some() {
        let (buckets, rest) = NEAR.steps.split_at(1);
        steps.extend(buckets);
        if stages.previous.is_some() {
            steps.extend(recall::STEPS);
        }
        steps.extend(rest);
    }
    if stages.structural.is_some() {
        steps.push(SKETCH);
        steps.extend(STRUCTURAL.steps);
    }
    if stages.blocks.is_some() {
        steps.extend(blocks::STEPS);
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
    turns: [Turns; comparison::COUNT],
}

/// Turns of one comparison's components.
#[derive(Clone, Copy, Default)]
struct Turns {
    /// How many so far.
    count: u32,
    /// Whether the last of them moved nothing.
    is_settled: bool,
}

impl Graph {
    /// The step of a stage that is not learned yet, once the stages before it have none left.
    pub fn next(&self, job: &Job, stage: &str) -> Option<String> {
        let again = comparison::ALL.into_iter().find(|names| names.components() == stage);
        let name = match again {
            Some(names) if self.fits(job, names)? => return None,
            Some(names) if !self.turns[names.index].is_settled => names.turn_name(self.turns[names.index].count + 1),
            _ => stage.to_owned(),
        };
        let is_there = steps(&job.stages).contains(&stage) && !self.has_learned(&name);
        is_there.then_some(name)
    }

    /// Whether one task can hold all edges of a comparison, if that is on.
    fn fits(&self, job: &Job, names: &Names) -> Option<bool> {
        let components = comparison::components(&job.stages, names)?;
        Some(components.fit(self.layout.edges[names.index]))
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
                name: KEYS,
                without_copies: job.stages.repositories.is_some().then_some(listed),
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
            SKETCH => Box::new(self.sketching(job).ok_or_else(off)?),
            name if previous::STEPS.contains(&name) => self.previous(job, name).ok_or_else(off)?,
            name if recall::STEPS.contains(&name) => self.recall(job, name).ok_or_else(off)?,
            name if repositories::STEPS.contains(&name) => self.repositories(job, name).ok_or_else(off)?,
            name if blocks::STEPS.contains(&name) => self.blocks(job, name).ok_or_else(off)?,
            compared => self.compared(job, compared).ok_or_else(off)?,
        })
    }

    fn exact<'a>(&'a self, job: &'a Job) -> Option<Gather<'a>> {
        Some(Gather {
            job,
            target: job.exact_target(&self.listed)?,
            elsewhere: None,
            next: Next::Decisions {
                name: EXACT_DECISIONS,
                homes: &self.listed.pages,
            },
            side: &[],
            reads: None,
        })
    }

    fn repositories<'a>(&'a self, job: &'a Job, name: &str) -> Option<Box<dyn Step + 'a>> {
        let listed = &self.listed;
        let targets = job.repositories(listed)?;
        let gather = |target, next, side| Gather {
            job,
            target,
            elsewhere: None,
            next,
            side,
            reads: Some(repositories::reads(job, listed)),
        };
        Some(match repositories::STEPS.iter().position(|step| *step == name)? {
            0 => Box::new(Keys {
                job,
                name: repositories::STEPS[0],
                target: targets.files,
                without_copies: None,
            }),
            1 => Box::new(repositories::Gathering { job, targets }),
            2 => Box::new(gather(targets.anchors, Next::Exchange(targets.attach), &[])),
            3 => Box::new(gather(targets.attach, Next::Exchange(targets.verify), &[])),
            4 => Box::new(gather(targets.verify, Next::Exchange(targets.keepers), &[])),
            5 => Box::new(gather(
                targets.keepers,
                Next::Decisions {
                    name: repositories::VERDICTS,
                    homes: &listed.repositories,
                },
                &[],
            )),
            _ => Box::new(repositories::Files { job, listed }),
        })
    }

    fn blocks<'a>(&'a self, job: &'a Job, name: &str) -> Option<Box<dyn Step + 'a>> {
        let layout = &self.layout;
        let targets = job.blocks(layout)?;
        let gather = |target, next| Gather {
            job,
            target,
            elsewhere: None,
            next,
            side: &[],
            reads: Some(blocks::reads(job, layout)),
        };
        Some(match blocks::STEPS.iter().position(|step| *step == name)? {
            0 => Box::new(Sketching {
                job,
                layout,
                name: blocks::STEPS[0],
                sketch: targets.sketch,
                side: blocks::SIDE,
                target: targets.anchors,
                after: &comparison::ALL,
            }),
            1 => Box::new(gather(targets.anchors, Next::Exchange(targets.attach))),
            2 => Box::new(gather(targets.attach, Next::Exchange(targets.runs))),
            _ => Box::new(blocks::Report {
                job,
                layout,
                target: targets.runs,
            }),
        })
    }

    fn previous<'a>(&'a self, job: &'a Job, name: &str) -> Option<Box<dyn Step + 'a>> {
        let (layout, previous) = (&self.layout, job.stages.previous.as_ref()?);
        Some(match name == previous::STEPS[0] {
            true => Box::new(previous::Scattered { job, layout, previous }),
            false => Box::new(previous::Meeting { job, layout, previous }),
        })
    }

    fn recall<'a>(&'a self, job: &'a Job, name: &str) -> Option<Box<dyn Step + 'a>> {
        Some(Box::new(Recall {
            job,
            layout: &self.layout,
            targets: job.compared(&NEAR, &self.layout)?,
            place: recall::STEPS.iter().position(|step| *step == name)?,
        }))
    }

    fn sketching<'a>(&'a self, job: &'a Job) -> Option<Sketching<'a>> {
        Some(Sketching {
            job,
            layout: &self.layout,
            name: SKETCH,
            sketch: &job.stages.structural.as_ref()?.sketch,
            side: STRUCTURAL.side,
            target: job.compared(&STRUCTURAL, &self.layout)?.buckets,
            after: &comparison::ALL[..1],
        })
    }

    fn compared<'a>(&'a self, job: &'a Job, name: &str) -> Option<Box<dyn Step + 'a>> {
        let (names, place) = Names::of(name)?;
        let targets = job.compared(names, &self.layout)?;
        let component = targets.component;
        let gather = |target, next, side| Gather {
            job,
            target,
            elsewhere: None,
            next,
            side,
            reads: Some(job.sets(names, &self.layout)),
        };
        let is_recalled = names.index == NEAR.index && job.stages.previous.is_some();
        let unknown = || Spills::new(&job.workdir, recall::PAIRS, self.layout.homes.count());
        Some(match place {
            Some(0) => Box::new(gather(targets.buckets, Next::Exchange(targets.attach), &[])),
            Some(1) if is_recalled => Box::new(Gather {
                elsewhere: Some(Elsewhere::Parts(unknown())),
                side: &[recall::PAIRS],
                ..gather(targets.attach, Next::Exchange(targets.verify), &[])
            }),
            Some(1) => Box::new(gather(targets.attach, Next::Exchange(targets.verify), &[])),
            Some(2) if is_recalled => Box::new(gather(
                targets.verify,
                Next::Edges(component),
                &[recall::STEPS[2], recall::KNOWN],
            )),
            Some(2) => Box::new(gather(
                targets.verify,
                Next::Edges(component),
                std::slice::from_ref(&names.side),
            )),
            Some(3) => Box::new(Share {
                component,
                turns: self.turns[names.index].count,
                deciders: targets.keepers.partitions,
            }),
            Some(_) => Box::new(self.keepers(job, names, targets)),
            None => Box::new(TurnStep {
                component,
                name: name.to_owned(),
                turn: names.turn_number(name)?,
            }),
        })
    }

    /// Where components were not needed, edges still lie where they were found.
    fn keepers<'a>(&'a self, job: &'a Job, names: &'static Names, targets: Targets<'a>) -> Gather<'a> {
        let Component { components, .. } = targets.component;
        let is_whole = components.fit(self.layout.edges[names.index]);
        Gather {
            job,
            target: targets.keepers,
            elsewhere: is_whole.then(|| Elsewhere::Whole(targets.component.edges())),
            next: Next::Decisions {
                name: names.decisions,
                homes: &self.layout.homes,
            },
            side: if is_whole {
                std::slice::from_ref(&names.edges)
            } else {
                &[]
            },
            reads: None,
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
                self.listed.repositories = repositories::homes(job, self.listed.size);
                self.parts.commits = reports.into_iter().flat_map(|report| report.published).collect();
            }
            CUT => self.layout = Layout::of(reports),
            name if previous::STEPS.contains(&name) || recall::STEPS.contains(&name) => self.parts.remember(&reports),
            SYNTAX => {
                self.parts.remember(&reports);
                self.parts.kept = reports;
            }
            PACK => self.parts.tokens = reports,
            LEDGER => self.parts.ledgers = reports,
            name if name == blocks::STEPS[3] => self.parts.blocks = reports,
            compared => self.learn_compared(compared, &reports),
        }
        self.pass(name);
        Ok(())
    }

    fn learn_compared(&mut self, name: &str, reports: &[TaskReport]) {
        let Some((names, place)) = Names::of(name) else { return };
        if name == names.verify() {
            self.layout.edges[names.index] = reports.iter().map(|report| report.input.files).sum();
        }
        // Of pairs, and of what was decided about them.
        reports.iter().for_each(|report| self.parts.found.add(&report.found));
        if place.is_none() {
            let turns = &mut self.turns[names.index];
            turns.count += 1;
            // Small stars do not look.
            turns.is_settled = turns.count.is_multiple_of(2) && reports.iter().all(|report| report.moved == 0);
        }
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
