//! The steps of a run in order, and what the reports of earlier ones say that later ones are built from.
//!
//! ```text
//!   list ─► keys ─► exact ─► cut ─► content ─► near-buckets ─► near-attach ─► near-verify ─► near-keepers ─► syntax ─►
//!   pack ─► ledger           steps whose stage is off are left out; `list` and `cut` say how many tasks the others have
//! ```

use stackmill_schemas::{Error, Result};

use crate::job::{EXACT_DECISIONS, Job, NEAR_DECISIONS, Stages};
use crate::lock;
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
const NEAR: [&str; 4] = ["near-buckets", "near-attach", "near-verify", KEEPERS];
/// The step that is one task, however large the input.
pub const KEEPERS: &str = "near-keepers";
const SYNTAX: &str = "syntax";
const PACK: &str = "pack";
const LEDGER: &str = "ledger";

/// Steps whose reports later steps are built from.
pub const TELLING: [&str; 2] = [LIST, CUT];

/// The steps of a recipe, in order.
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
}

impl Graph {
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
            near => Box::new(self.near(job, near).ok_or_else(off)?),
        })
    }

    fn exact<'a>(&'a self, job: &'a Job) -> Option<Gather<'a>> {
        Some(Gather {
            job,
            target: job.exact_target(&self.listed)?,
            next: Next::Decisions {
                name: EXACT_DECISIONS,
                homes: &self.listed.pages,
            },
            side: &[],
        })
    }

    fn near<'a>(&'a self, job: &'a Job, name: &str) -> Option<Gather<'a>> {
        let targets = job.near_targets(&self.layout)?;
        let decisions = Next::Decisions {
            name: NEAR_DECISIONS,
            homes: &self.layout.homes,
        };
        let chain: [(_, _, &[&str]); 4] = [
            (targets.buckets, Next::Exchange(targets.attach), &[]),
            (targets.attach, Next::Exchange(targets.verify), &[]),
            (targets.verify, Next::Exchange(targets.keepers), &["side"]),
            (targets.keepers, decisions, &[]),
        ];
        let at = NEAR.iter().position(|near| *near == name)?;
        let (target, next, side) = chain.into_iter().nth(at)?;
        Some(Gather {
            job,
            target,
            next,
            side,
        })
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
            }
            CUT => self.layout = Layout::of(reports),
            SYNTAX => self.parts.kept = reports,
            PACK => self.parts.tokens = reports,
            LEDGER => self.parts.ledgers = reports,
            _ => {}
        }
        Ok(())
    }

    /// What a manifest is made of, once every step was learned.
    pub fn parts(self) -> Parts {
        self.parts
    }
}
