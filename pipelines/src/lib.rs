//! stackmill: git repositories in, corpora for code models out; every file accounted for.
//!
//! ```text
//!   recipe.toml + sources.lock ─► job (every stage built and checked) ─► run: steps of tasks on one pool
//!   graph      list ─► keys ─► exact ─► cut ─► content ─► near-* ─► syntax ─► pack ─► ledger; one file each in passes
//!   between    table (Arrow IPC), exchange (spill files), workdir (temporary name, sync, one final name)
//!   kept       artefact (what a recipe names in stores, by content, for all processes of a machine)
//!   out        output (folder or object store), shard (canonical Parquet), publish (manifest last), report (funnel)
//! ```
//! This is the only crate that writes data sets, prints, reads the environment or the clock, makes threads or
//! processes.

pub mod artefact;
pub mod audit;
pub mod budget;
pub mod claim;
pub mod cli;
pub mod clock;
pub mod cmd;
pub mod compare;
pub mod console;
pub mod duplicates;
pub mod environment;
pub mod exchange;
pub mod exit;
pub mod failpoint;
pub mod frames;
pub mod graph;
pub mod identity;
pub mod interrupt;
pub mod isolate;
pub mod job;
pub mod known;
pub mod local;
pub mod lock;
pub mod output;
pub mod passes;
pub mod place;
pub mod previous;
pub mod program;
pub mod publish;
pub mod ranks;
pub mod recipe;
pub mod report;
pub mod run;
pub mod runner;
mod settings;
pub mod shard;
pub mod ssh;
pub mod stages;
pub mod table;
pub mod trial;
pub mod units;
pub mod workdir;
pub mod worker;

pub use job::Options;
pub use recipe::Recipe;
pub use run::run;
pub use stackmill_ingest::store::Uri;
