//! Test support: runs Exchanges in one process, in any order of rows, batch size and number of partitions.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::RecordBatch;
use proptest::prelude::*;
use stackmill_schemas::context::{Answer, Batches, Homes, Interrupt, Isolate, Progress, SideFiles};
use stackmill_schemas::stage::{Emit, Exchange, Partition, Scatter};
use stackmill_schemas::{Decision, Error, Result, TaskContext, fingerprint};

/// How an Exchange is run; must never show in what it says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// Partitions of those Exchanges whose partitions are no homes.
    pub(crate) partitions: u32,
    /// Rows of a batch, on the way in and between scatter and gather.
    pub(crate) rows: usize,
    /// Seed of the order of rows.
    pub(crate) order: u64,
}

impl Arbitrary for Run {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let parts = (1u32..6, 1usize..20, any::<u64>());
        parts
            .prop_map(|(partitions, rows, order)| Self {
                partitions,
                rows,
                order,
            })
            .boxed()
    }
}

/// Homes and their side files.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) homes: Homes,
    pub(crate) sides: Vec<Vec<RecordBatch>>,
}

struct Silent;

impl Progress for Silent {
    fn advance(&self, _: u64, _: u64) {}
}

impl Interrupt for Silent {
    fn is_raised(&self) -> bool {
        false
    }
}

impl Isolate for Silent {
    fn call(&self, _: &[u8]) -> Result<Answer> {
        Err(Error::bug("no worker in this test"))
    }
}

impl SideFiles for World {
    fn shingles(&self, home: u32) -> Result<Batches<'_>> {
        Ok(Box::new(self.sides[home as usize].iter().cloned().map(Ok)))
    }
}

impl World {
    pub(crate) fn context(&self) -> TaskContext {
        TaskContext {
            progress: Arc::new(Silent),
            interrupt: Arc::new(Silent),
            isolate: Arc::new(Silent),
            side: Arc::new(self.clone()),
            homes: Arc::new(self.homes.clone()),
            cache: PathBuf::new(),
        }
    }
}

/// Scatters `input`, then gathers every partition; the rows that come out, in partition order.
pub(crate) fn run(exchange: &dyn Exchange, input: &[RecordBatch], world: &World, shape: Run) -> Vec<RecordBatch> {
    let cx = world.context();
    let routed_home = ["-attach", "-verify", "-runs"]
        .iter()
        .any(|end| exchange.name().ends_with(end));
    let partitions = match exchange.name() {
        _ if routed_home => world.homes.count().max(1),
        name if name.ends_with("-keepers") => 1,
        _ => shape.partitions,
    };
    let mut routed = vec![Vec::new(); partitions as usize];
    for batch in shuffled(input, shape) {
        let mut send = |rows: RecordBatch, to: &[u32]| {
            assert_eq!((rows.num_rows(), rows.schema()), (to.len(), exchange.keyed()));
            (0..rows.num_rows()).for_each(|i| routed[to[i] as usize].push(rows.slice(i, 1)));
            Ok(())
        };
        let homes = &world.homes;
        let send = &mut send;
        let mut scatter = Scatter {
            send,
            partitions,
            homes,
        };
        exchange.scatter(&batch, &mut scatter, &cx).expect("scatter");
    }
    let mut out = Vec::new();
    for (index, rows) in (0..).zip(&routed) {
        let batches = Box::new(shuffled(rows, shape).into_iter().map(Ok));
        let mut emit = |batch: RecordBatch| {
            assert_eq!(batch.schema(), exchange.schema());
            out.push(batch);
            Ok(())
        };
        let partition = Partition { index, batches };
        exchange.gather(partition, &mut Emit(&mut emit), &cx).expect("gather");
    }
    out
}

/// The rows of `batches` in another order, in batches of another size.
fn shuffled(batches: &[RecordBatch], shape: Run) -> Vec<RecordBatch> {
    let rows = |batch: &RecordBatch| -> Vec<RecordBatch> { (0..batch.num_rows()).map(|i| batch.slice(i, 1)).collect() };
    let mut rows: Vec<RecordBatch> = batches.iter().flat_map(rows).collect();
    let place = |i: usize| fingerprint::seeded(shape.order, &i.to_le_bytes());
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|i| place(*i));
    rows = order.iter().map(|i| rows[*i].clone()).collect();
    rows.chunks(shape.rows).map(joined).collect()
}

/// Batches of one schema as one.
pub(crate) fn joined(batches: &[RecordBatch]) -> RecordBatch {
    arrow_select::concat::concat_batches(&batches[0].schema(), batches).expect("one schema")
}

/// The decisions of all partitions, in file order; each partition's are checked to be in file order already.
pub(crate) fn decisions_of(batches: &[RecordBatch]) -> Vec<Decision> {
    let mut decisions: Vec<Decision> = Vec::new();
    for batch in batches {
        let found = Decision::from_record(batch).expect("decisions");
        assert!(found.is_sorted_by_key(|decision| decision.file_id));
        decisions.extend(found);
    }
    decisions.sort_by_key(|decision| decision.file_id);
    decisions
}
