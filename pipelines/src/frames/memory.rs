//! Exchanges in memory: scatter, then gather each partition, with the rows of one home.

use std::sync::Arc;

use arrow_array::{RecordBatch, UInt32Array};
use arrow_select::take::take_record_batch;
use stackmill_schemas::context::{Batches, SideFiles};
use stackmill_schemas::stage::{Emit, Exchange, InputSize, Partition, Scatter};
use stackmill_schemas::{Error, Result, TaskContext};

/// Side files at hand: the shingle sets of one home, in file order.
#[derive(Debug, Default)]
pub struct Sets {
    /// The home; none: there are no sets.
    pub home: Option<u32>,
    /// Its batches: `file_id`, `blob_id`, `shingles`.
    pub batches: Vec<RecordBatch>,
}

impl SideFiles for Sets {
    fn shingles(&self, home: u32) -> Result<Batches<'_>> {
        if self.home != Some(home) {
            return Err(Error::input(format!("the shingle sets of home {home} are needed"))
                .hint("give gather the sets of the home that is its partition"));
        }
        Ok(Box::new(self.batches.iter().cloned().map(Ok)))
    }
}

/// The context `cx` with side files at hand.
pub fn with_sets(cx: &TaskContext, sets: Sets) -> TaskContext {
    TaskContext {
        side: Arc::new(sets),
        ..cx.clone()
    }
}

/// Where a batch's rows go: rows, and the partition of each.
pub type Scattered = Vec<(RecordBatch, Vec<u32>)>;

/// The scatter half, for a number of partitions.
pub fn scatter(exchange: &dyn Exchange, batch: &RecordBatch, partitions: u32, cx: &TaskContext) -> Result<Scattered> {
    let mut scattered = Vec::new();
    let mut send = |rows: RecordBatch, to: &[u32]| {
        scattered.push((rows, to.to_vec()));
        Ok(())
    };
    let mut to = Scatter {
        send: &mut send,
        partitions,
        homes: &cx.homes,
    };
    exchange.scatter(batch, &mut to, cx)?;
    Ok(scattered)
}

/// The gather half, of one whole partition.
pub fn gather(
    exchange: &dyn Exchange,
    index: u32,
    rows: Vec<RecordBatch>,
    cx: &TaskContext,
) -> Result<Vec<RecordBatch>> {
    let mut gathered = Vec::new();
    let mut keep = |batch: RecordBatch| {
        gathered.push(batch);
        Ok(())
    };
    let batches: Batches<'_> = Box::new(rows.into_iter().map(Ok));
    exchange.gather(Partition { index, batches }, &mut Emit(&mut keep), cx)?;
    Ok(gathered)
}

/// Both halves over all rows.
pub fn exchanged(
    exchange: &dyn Exchange,
    rows: &[RecordBatch],
    size: InputSize,
    cx: &TaskContext,
) -> Result<Vec<RecordBatch>> {
    let partitions = exchange.partitions(size).max(1);
    let mut sent: Vec<Vec<RecordBatch>> = vec![Vec::new(); partitions as usize];
    for batch in rows {
        cx.check()?;
        for (rows, to) in scatter(exchange, batch, partitions, cx)? {
            split(&rows, &to, &mut sent)?;
        }
    }
    let mut gathered = Vec::new();
    for (index, rows) in (0..).zip(sent) {
        gathered.extend(gather(exchange, index, rows, cx)?);
    }
    Ok(gathered)
}

fn split(rows: &RecordBatch, to: &[u32], sent: &mut [Vec<RecordBatch>]) -> Result<()> {
    let mut order: Vec<u32> = (0..to.len() as u32).collect();
    order.sort_by_key(|&row| to[row as usize]);
    for run in order.chunk_by(|&a, &b| to[a as usize] == to[b as usize]) {
        let rows = take_record_batch(rows, &UInt32Array::from(run.to_vec()))?;
        let partition = sent.get_mut(to[run[0] as usize] as usize);
        partition
            .ok_or_else(|| Error::bug("a row was sent beyond the last partition"))?
            .push(rows);
    }
    Ok(())
}
