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
            console.say(&format!(
                "stage `{}`, rank {} of {}: {count} tasks done",
                args.stage, args.rank, args.world
            ));
        }
        Shared::Complete(manifest) if args.run.json => print_json(&manifest)?,
        Shared::Complete(manifest) => print(&report::tables(&manifest))?,
    }
    Ok(0)
}
