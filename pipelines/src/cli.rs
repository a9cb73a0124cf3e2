//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::units::{Share, parse_bytes};

const EXITS: &str = "Exit codes:
  0 done · 1 bug · 2 usage · 3 recipe invalid · 4 inputs do not match · 5 some tasks failed, run again to resume
  6 out of disk, memory or a budget · 7 source unreachable · 8 denied by an audit · 130 interrupted, run again to resume";

/// Turns git repositories into corpora for code models.
#[derive(Debug, Parser)]
#[command(name = "stackmill", version, after_help = EXITS)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

fn size(text: &str) -> Result<u64, String> {
    parse_bytes(text).map_err(|error| explained(&error))
}

fn share(text: &str) -> Result<Share, String> {
    Share::parse(text).map_err(|error| explained(&error))
}

fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .map_err(|_| "it must be a whole number and at least 1".to_owned())
}

fn explained(error: &stackmill_schemas::Error) -> String {
    let hint = error.hint_text().map_or(String::new(), |hint| format!(": {hint}"));
    format!("{}{hint}", error.message())
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a recipe; resumes by itself, refuses another run's folder
    #[command(after_long_help = "Example:\n  stackmill run examples/demo.toml --out out/demo --memory 4G")]
    Run(RunArgs),
    /// Run one share of one stage, for schedulers; see `plan --stages`
    #[command(
        after_long_help = "Example:\n  stackmill task recipe.toml --out /shared/out --stage content --rank 3 --world 16"
    )]
    Task(TaskArgs),
    /// Show stages, passes, tasks and expected sizes; nothing runs
    #[command(after_long_help = "Example:\n  stackmill plan examples/demo.toml")]
    Plan(PlanArgs),
    /// Check a recipe without touching its sources
    #[command(after_long_help = "Example:\n  stackmill check examples/demo.toml")]
    Check(CheckArgs),
    /// Try a recipe on its own tests, or hold two against each other
    #[command(subcommand)]
    Recipe(RecipeCommand),
    /// Remove exact and near-duplicates of tables, folders, archives and repositories; needs no recipe
    #[command(
        after_long_help = "Example:\n  stackmill dedup files.parquet more.jsonl.zst --content text --id hexsha --out out/dedup"
    )]
    Dedup(DedupArgs),
    /// Explain a rule, or tell the whole story of one file
    #[command(
        after_long_help = "Examples:\n  stackmill explain line-max\n  stackmill explain out/demo serde-1.0.0:src/lib.rs"
    )]
    Explain(ExplainArgs),
    /// Find items of benchmarks in corpora, with evidence
    #[command(
        after_long_help = "Examples:\n  stackmill audit corpus.parquet --out audit\n  stackmill audit repositories/ --history --out audit \
        --benchmark humaneval --deny\n  stackmill audit generations.jsonl --content completion --out audit"
    )]
    Audit(AuditArgs),
    /// Show how far a run has come
    Status(DirArgs),
    /// Hash every file of a data set again and hold it against the manifest
    Verify(DirArgs),
    /// List rules or benchmarks
    List(ListArgs),
    /// Build and look at benchmark packs
    #[command(subcommand)]
    Benchmarks(BenchmarksCommand),
    /// Parse what comes on standard input (started by `run`)
    #[command(hide = true)]
    ParseWorker,
}

/// `run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The recipe, a TOML file
    pub recipe: PathBuf,
    /// Folder of the data set
    #[arg(long)]
    pub out: PathBuf,
    #[command(flatten)]
    /// Sources.
    pub source: SourceArgs,
    /// Most memory of all processes together
    #[arg(long, default_value = "4G", value_name = "SIZE", value_parser = size)]
    pub memory: u64,
    /// Threads [default: processors]; --memory may allow fewer
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub threads: Option<NonZeroUsize>,
    /// Scratch: a folder, or a place in an object store [default: OUT/.work; `run` into a store: a folder here]
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
    /// Most bytes in the scratch folder [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub scratch_budget: Option<u64>,
    /// Files of a batch at most; never shows in the output
    #[arg(long, default_value = "256", value_name = "N", value_parser = at_least_one)]
    pub batch_rows: NonZeroUsize,
    /// Start over where another run's data is
    #[arg(long)]
    pub replace: bool,
    /// Print the manifest as JSON instead of tables
    #[arg(long)]
    pub json: bool,
}

/// `task`
#[derive(Debug, Args)]
pub struct TaskArgs {
    #[command(flatten)]
    /// As for `run`; --out and --scratch are seen by all ranks. --update and --replace are for `prepare`.
    pub run: RunArgs,
    /// The stage: `prepare`, a step, or `publish`
    #[arg(long)]
    pub stage: String,
    /// Number of this share, from 0
    #[arg(long, value_name = "I")]
    pub rank: u32,
    /// Number of shares
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub world: u32,
}

/// `audit`
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// What to read: Parquet or JSON-lines tables, folders, archives, git repositories, URLs
    #[arg(required = true)]
    pub inputs: Vec<String>,
    /// Folder of what is found
    #[arg(long)]
    pub out: PathBuf,
    /// Benchmarks to look for: names of shipped packs, files of packs, or NAME=FILE, where NAME may be a TOML
    /// file that maps columns [default: all that ship and are not made of ordinary code]
    #[arg(long, value_name = "NAME|PACK|NAME=FILE")]
    pub benchmark: Vec<String>,
    /// Column of a table that holds the text [default: content, text, code, …]
    #[arg(long, value_name = "COLUMN")]
    pub content: Option<String>,
    /// Column of a table that holds the documents' ids [default: id]
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// Read the whole history of git repositories: every file that ever was, and the commit that brought it
    #[arg(long)]
    pub history: bool,
    /// Folder of an earlier audit with the same benchmarks: git blobs that it found clean are not read again
    #[arg(long, value_name = "DIR")]
    pub previous: Option<PathBuf>,
    /// A benchmark's own file, to show its text beside findings in audit.html
    #[arg(long, value_name = "NAME=FILE")]
    pub text: Vec<String>,
    /// Exit with 8 if anything of these tiers is found [default: verbatim normalised derivative]
    #[arg(long, value_name = "TIER", num_args = 0.., value_delimiter = ',')]
    pub deny: Option<Vec<String>>,
    /// Most memory of all processes together
    #[arg(long, default_value = "4G", value_name = "SIZE", value_parser = size)]
    pub memory: u64,
    /// Threads [default: processors]; --memory may allow fewer
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub threads: Option<NonZeroUsize>,
    /// Where clones and copies of what recipes name in stores are kept [default: the user's cache folder]
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Start over where another audit is
    #[arg(long)]
    pub replace: bool,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
}

/// What decides what is read.
#[derive(Debug, Args)]
pub struct SourceArgs {
    /// Change a setting: stage.key=value, again and again
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Take a share of the repositories, by hash of their names
    #[arg(long, default_value = "100%", value_name = "SHARE", value_parser = share)]
    pub sample: Share,
    /// Resolve the sources anew instead of using sources.lock
    #[arg(long)]
    pub update: bool,
    /// Where clones and copies of what recipes name in stores are kept [default: the user's cache folder]
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
}

/// `plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The recipe, a TOML file
    pub recipe: PathBuf,
    /// Plan for this data set: uses its sources.lock
    #[arg(long)]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    /// Sources.
    pub source: SourceArgs,
    /// Refuse near-duplicates that do not fit into so much memory
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory: Option<u64>,
    /// Refuse near-duplicates that do not fit into so much scratch
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub scratch_budget: Option<u64>,
    /// Print the stages for a scheduler as JSON: tasks, what each waits for, its command
    #[arg(long)]
    pub tasks: bool,
    /// Print the names of the stages, one a line, with `1` where one rank is enough; asks no source
    #[arg(long, conflicts_with = "tasks")]
    pub stages: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The recipe, a TOML file
    pub recipe: PathBuf,
    /// Change a setting: stage.key=value
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Print the recipe with every default filled in, as JSON
    #[arg(long)]
    pub json: bool,
}

/// `recipe`
#[derive(Debug, Subcommand)]
pub enum RecipeCommand {
    /// Run the recipe's own [[test]] rows; ends with 3 if one fails
    #[command(after_long_help = "Example:\n  stackmill recipe test examples/the-stack-v2.toml")]
    Test(TestArgs),
    /// Show what two recipes keep of the same input, by rule
    #[command(
        after_long_help = "Example:\n  stackmill recipe diff mine.toml examples/the-stack-v2.toml checkouts/ crates/*.crate"
    )]
    Diff(DiffArgs),
}

/// `recipe test`
#[derive(Debug, Args)]
pub struct TestArgs {
    /// The recipe, a TOML file
    pub recipe: PathBuf,
    /// Change a setting: stage.key=value
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Print what became of each test's file, as JSON
    #[arg(long)]
    pub json: bool,
}

/// `recipe diff`
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The first recipe; its `[run]` table holds for both
    pub a: PathBuf,
    /// The second recipe
    pub b: PathBuf,
    /// What both read in place of their sources: folders, clones, URLs, archives, tables, patterns
    #[arg(required = true)]
    pub inputs: Vec<String>,
    /// Paths shown for each pair of ends
    #[arg(long, default_value = "3", value_name = "N")]
    pub examples: usize,
    /// Take a share of the repositories, by hash of their names
    #[arg(long, default_value = "100%", value_name = "SHARE", value_parser = share)]
    pub sample: Share,
    /// Most memory of all processes together
    #[arg(long, default_value = "4G", value_name = "SIZE", value_parser = size)]
    pub memory: u64,
    /// Threads [default: processors]; --memory may allow fewer
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub threads: Option<NonZeroUsize>,
    /// Folder for both runs, which are deleted at the end [default: the system's for temporary files]
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
    /// Where clones and copies of what recipes name in stores are kept [default: the user's cache folder]
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `dedup`
#[derive(Debug, Args)]
pub struct DedupArgs {
    /// Parquet and JSON-lines files, folders, archives, clones, URLs, patterns
    #[arg(required = true)]
    pub inputs: Vec<String>,
    /// Folder of the results
    #[arg(long)]
    pub out: PathBuf,
    /// Column of tables that holds the text [default: content, text, code, …]
    #[arg(long, value_name = "COLUMN")]
    pub content: Option<String>,
    /// Column of tables that names a row [default: path, …, else the number of the row]
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// Jaccard index from which on two texts are near-duplicates
    #[arg(long, default_value = "0.7", value_name = "NUMBER")]
    pub threshold: f64,
    /// Which of several is kept, criteria in order: license, stars, forks, archived, fork, vendored, depth, hash, path
    #[arg(long, value_name = "CRITERION", value_delimiter = ',')]
    pub keep: Vec<String>,
    /// Save what was found out about each row, for --previous of a later call
    #[arg(long)]
    pub index: bool,
    /// Results of an earlier call with --index: rows that are in both are not compared again
    #[arg(long, value_name = "DIR")]
    pub previous: Option<PathBuf>,
    /// Copy the rows of tables that were not removed as they are, all columns, into OUT/kept
    #[arg(long)]
    pub write_kept: bool,
    /// Write the text of what is kept into OUT/data/corpus, with languages and licenses
    #[arg(long)]
    pub write_corpus: bool,
    /// Most memory of all processes together
    #[arg(long, default_value = "4G", value_name = "SIZE", value_parser = size)]
    pub memory: u64,
    /// Threads [default: processors]; --memory may allow fewer
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub threads: Option<NonZeroUsize>,
    /// Where clones are kept [default: the user's cache folder]
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Start over where another run's data is
    #[arg(long)]
    pub replace: bool,
    /// Print the figures as JSON
    #[arg(long)]
    pub json: bool,
}

/// `explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A rule, or the folder of a data set
    pub what: String,
    /// With a data set: REPO:PATH
    pub file: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `status`, `verify`
#[derive(Debug, Args)]
pub struct DirArgs {
    /// Folder of a data set
    pub dir: PathBuf,
    /// Scratch, if the run was given one
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// What to list
    #[arg(value_enum)]
    pub what: Listed,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What `list` knows.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Listed {
    /// Rules, in running order
    Rules,
    /// Rules of published recipes
    Presets,
    /// Benchmarks with a reader, and packs that ship
    Benchmarks,
    /// Grammars that this program was built with
    Grammars,
}

/// `benchmarks`
#[derive(Debug, Subcommand)]
pub enum BenchmarksCommand {
    /// Build a pack of hashes from a benchmark's own files
    #[command(
        after_long_help = "Examples:\n  stackmill benchmarks build humaneval --out humaneval.pack\n  \
        stackmill benchmarks build multipl-e --from multipl_e/ --out multipl-e.pack\n  \
        stackmill benchmarks build ours.toml --from ours.parquet --out ours.pack"
    )]
    Build {
        /// The benchmark whose layout the file has: see `stackmill list benchmarks`; or a TOML file that says which
        /// columns are which fields
        layout: String,
        /// Name of the pack, and of the rule in verdicts [default: the layout's]
        #[arg(long)]
        name: Option<String>,
        /// The benchmark's own files, or a folder of them [default: fetched from where they are published]
        #[arg(long, num_args = 1..)]
        from: Vec<PathBuf>,
        /// Where the pack goes
        #[arg(long)]
        out: PathBuf,
        /// Make control items of every tenth item instead: what an audit finds of them, chance finds
        #[arg(long)]
        control: bool,
        /// Write the texts of the control items too, as JSON lines
        #[arg(long, value_name = "FILE", requires = "control")]
        items: Option<PathBuf>,
    },
    /// Show what a pack holds
    Show {
        /// A pack's file, or the name of one that ships
        pack: String,
    },
}
