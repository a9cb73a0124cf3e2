//! Repositories that are copies of others: files meet in their repositories, and decisions about those go to all files.
//!
//! ```text
//!   repository-keys ─► repositories ─► repository-anchors ─► -attach ─► -verify ─► -keepers ─► repository-files
//!   a split            partition       partition             a home     a home     one         a home
//! ```
//! A repository lives in the partition that gathered its files: there are its set of blobs, the numbers of its files, and
//! in the end what was decided about it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_dedup::repositories::{FILES, Repositories};
use stackmill_schemas::context::{Batches, Homes, SideFiles};
use stackmill_schemas::stage::{Emit, Exchange, InputSize, Partition};
use stackmill_schemas::{Decision, Error, FileId, Result, TaskContext, columns};

use super::gather::Reads;
use super::left::{project, side_schema};
use super::listing::Listed;
use super::{Meter, Step, TaskReport};
use crate::exchange::{SpillWriter, Spills, Target};
use crate::job::{Job, partitions};
use crate::place::Place;
use crate::table::TableWriter;

/// The steps in order.
pub const STEPS: [&str; 7] = [
    "repository-keys",
    "repositories",
    "repository-anchors",
    "repository-attach",
    "repository-verify",
    "repository-keepers",
    "repository-files",
];
/// Folder of sets of blobs.
pub const SETS: &str = "repository-sets";
/// Folder of the numbers of files.
const MEMBERS: &str = "repository-members";
/// Folder of what was decided about repositories.
pub const VERDICTS: &str = "repository-verdicts";
/// Folder of what follows for files.
const DECISIONS: &str = "repository-decisions";
/// Decisions of one batch.
const ROWS: usize = 16_384;

/// The exchanges of repositories.
#[derive(Clone, Copy)]
pub struct Targets<'a> {
    /// The stage.
    pub stage: &'a Repositories,
    /// Files, to their repositories.
    pub files: Target<'a>,
    /// Blobs.
    pub anchors: Target<'a>,
    /// Pairs, to the home of the first.
    pub attach: Target<'a>,
    /// Pairs with a set, to the home of the second.
    pub verify: Target<'a>,
    /// Edges, to one task.
    pub keepers: Target<'a>,
}

/// The homes of repositories: the partitions that gather their files.
pub fn homes(job: &Job, size: InputSize) -> Homes {
    let Some(stage) = &job.stages.repositories else {
        return Homes::default();
    };
    let count = partitions(&stage.gathering, size);
    Homes::new((0..count).map(|home| FileId::new(home, 0)).collect())
}

impl Job {
    /// Where the rows of repositories go, if the stage is on.
    pub fn repositories<'a>(&'a self, listed: &'a Listed) -> Option<Targets<'a>> {
        let stage = self.stages.repositories.as_ref()?;
        let homes = &listed.repositories;
        let size = InputSize {
            homes: homes.count(),
            ..listed.size
        };
        let target = |exchange: &'a dyn Exchange, feeders| Target {
            exchange,
            partitions: partitions(exchange, size),
            homes,
            feeders,
        };
        let files = target(&stage.gathering, self.splits.len() as u32);
        let anchors = target(&stage.anchors, files.partitions);
        let attach = target(&stage.attach, anchors.partitions);
        let verify = target(&stage.containment, attach.partitions);
        let keepers = target(&stage.keepers, verify.partitions);
        Some(Targets {
            stage,
            files,
            anchors,
            attach,
            verify,
            keepers,
        })
    }

    /// What was decided about files of copied repositories, by page.
    pub fn repository_decisions(&self, listed: &Listed) -> Spills {
        Spills::new(&self.workdir, DECISIONS, listed.repositories.count())
    }
}

/// What tasks read that compare repositories.
pub fn reads(job: &Job, listed: &Listed) -> Reads {
    Reads {
        side: Arc::new(Sets(job.workdir.place.clone())),
        homes: Arc::new(listed.repositories.clone()),
    }
}

struct Sets(Place);

impl SideFiles for Sets {
    fn shingles(&self, home: u32) -> Result<Batches<'_>> {
        self.0.table(&format!("{SETS}/{home:05}"))
    }
}

fn members_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new(columns::FILE_ID, DataType::UInt64, false),
        Field::new(FILES, DataType::Binary, true),
    ]))
}

/// Files become repositories: one task a partition.
pub struct Gathering<'a> {
    /// The run.
    pub job: &'a Job,
    /// The exchanges.
    pub targets: Targets<'a>,
}

impl Step for Gathering<'_> {
    fn name(&self) -> &str {
        self.targets.files.exchange.name()
    }

    fn tasks(&self) -> u32 {
        self.targets.files.partitions
    }

    fn run(&self, task: u32, cx: &TaskContext) -> Result<TaskReport> {
        let workdir = &self.job.workdir;
        let mut sets = TableWriter::create(workdir, &format!("{SETS}/{task:05}"), &side_schema())?;
        let mut members = TableWriter::create(workdir, &format!("{MEMBERS}/{task:05}"), &members_schema())?;
        let mut anchors = self.job.scatter(self.targets.anchors, task)?;
        let partition = Partition {
            index: task,
            batches: self.job.gathered(self.targets.files, task)?,
        };
        let mut emit = |batch: RecordBatch| {
            sets.write(&project(&batch, &side_schema())?)?;
            members.write(&project(&batch, &members_schema())?)?;
            anchors.scatter(&batch, cx)
        };
        let (meter, exchange) = (Meter::default(), self.targets.files.exchange);
        meter.charge(self.name(), 0, || exchange.gather(partition, &mut Emit(&mut emit), cx))?;
        sets.commit()?;
        members.commit()?;
        anchors.spill.commit()?;
        Ok(TaskReport {
            costs: meter.costs(),
            ..TaskReport::default()
        })
    }

    fn spent(&self) -> Vec<String> {
        vec![self.name().to_owned()]
    }
}

/// What was decided about a repository is decided about its files: one task a home.
pub struct Files<'a> {
    /// The run.
    pub job: &'a Job,
    /// What the listing found.
    pub listed: &'a Listed,
}

impl Step for Files<'_> {
    fn name(&self) -> &'static str {
        STEPS[6]
    }

    fn tasks(&self) -> u32 {
        self.listed.repositories.count()
    }

    fn run(&self, task: u32, cx: &TaskContext) -> Result<TaskReport> {
        let workdir = &self.job.workdir;
        let mut decided = BTreeMap::new();
        for batch in Spills::new(workdir, VERDICTS, 1).partition(task) {
            let decisions = Decision::from_record(&batch?)?.into_iter();
            decided.extend(decisions.map(|decision| (decision.file_id.0, decision)));
        }
        let mut spill = SpillWriter::create(workdir, DECISIONS, task, Decision::schema())?;
        for batch in workdir.place.table(&format!("{MEMBERS}/{task:05}"))? {
            cx.check()?;
            let batch = batch?;
            let ids = columns::u64s(&batch, columns::FILE_ID)?.values();
            let files = columns::binaries(&batch, FILES)?;
            for (row, id) in ids.iter().enumerate() {
                if let Some(decision) = decided.get(id) {
                    self.send(decision, files.value(row), &mut spill)?;
                }
            }
        }
        spill.commit()?;
        Ok(TaskReport::default())
    }

    fn spent(&self) -> Vec<String> {
        [SETS, MEMBERS, VERDICTS].map(str::to_owned).to_vec()
    }
}

impl Files<'_> {
    fn send(&self, decision: &Decision, files: &[u8], spill: &mut SpillWriter) -> Result<()> {
        let (ids, rest) = files.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(Error::bug("a list of files is cut short"));
        }
        for ids in ids.chunks(ROWS) {
            let of = |id: &[u8; 8]| Decision {
                file_id: FileId(u64::from_le_bytes(*id)),
                ..decision.clone()
            };
            let decisions: Vec<Decision> = ids.iter().map(of).collect();
            spill.send_home(Decision::to_record(&decisions)?, &self.listed.pages)?;
        }
        Ok(())
    }
}
