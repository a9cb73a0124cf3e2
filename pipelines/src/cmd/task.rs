//! `stackmill task`

use stackmill_schemas::Result;

use super::run::options;
use super::{print, print_json};
use crate::cli::TaskArgs;
use crate::console::Console;
use crate::ranks::{Rank, Shared};
use crate::{Recipe, ranks, report};

pub(super) fn task(args: &TaskArgs) -> Result<u8> {
    let console = Console::new(false);
    let recipe = Recipe::read(&args.run.recipe, &args.run.source.set)?;
    let rank = Rank {
        rank: args.rank,
        world: args.world,
    };
    match ranks::task(recipe, options(&args.run)?, &args.stage, rank, &console)? {
        Shared::Tasks(count) => {
            let (stage, rank, world) = (&args.stage, args.rank, args.world);
            console.say(&format!("stage `{stage}`, rank {rank} of {world}: tasks done: {count}"));
        }
        Shared::Nothing => console.say("nothing to do: this run is complete"),
        Shared::Published(manifest) if args.run.json => print_json(&manifest)?,
        Shared::Published(manifest) => print(&report::tables(&manifest))?,
    }
    Ok(0)
}
