//! Packing: each partition of tokens becomes one shard of training sequences.

use arrow_array::RecordBatch;
use stackmill_schemas::stage::{Emit, Partition};
use stackmill_schemas::{Result, TaskContext};

use super::{Meter, Step, TaskReport};
use crate::exchange::Target;
use crate::job::Job;
use crate::shard::ShardWriter;

/// One task a partition.
pub struct Packing<'a> {
    /// The run.
    pub job: &'a Job,
    /// The exchange.
    pub target: Target<'a>,
}

impl Step for Packing<'_> {
    fn name(&self) -> &'static str {
        "pack"
    }

    fn tasks(&self) -> u32 {
        self.target.partitions
    }

    fn run(&self, task: u32, cx: &TaskContext) -> Result<TaskReport> {
        let exchange = self.target.exchange;
        let partition = Partition {
            index: task,
            batches: self.job.gathered(self.target, task)?,
        };
        let path = format!("tokens/part-{task:05}.parquet");
        let mut shard: Option<ShardWriter> = None;
        let meter = Meter::default();
        let mut emit = |batch: RecordBatch| {
            let shard = match &mut shard {
                Some(shard) => shard,
                None => shard.insert(ShardWriter::create(&self.job.workdir, &path, &batch.schema())?),
            };
            shard.write(&batch)
        };
        meter.charge("pack", 0, || exchange.gather(partition, &mut Emit(&mut emit), cx))?;
        let published = shard.map(ShardWriter::commit).transpose()?.into_iter().collect();
        Ok(TaskReport {
            published,
            costs: meter.costs(),
            ..TaskReport::default()
        })
    }

    fn spent(&self) -> Vec<String> {
        vec![self.target.exchange.name().to_owned()]
    }
}
