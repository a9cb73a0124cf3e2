//! `stackmill check`

use stackmill_schemas::Result;

use super::{print, print_json};
use crate::Recipe;
use crate::cli::CheckArgs;
use crate::job::open_sources;
use crate::stages::Stages;

pub(super) fn check(args: &CheckArgs) -> Result<u8> {
    let recipe = Recipe::read(&args.recipe, &args.set)?;
    let place = |error: stackmill_schemas::Error| error.context(args.recipe.display().to_string());
    let stages = Stages::build(&recipe).map_err(place)?;
    open_sources(&recipe).map_err(place)?;
    if args.json {
        print_json(&stages.config(&recipe)?)?;
    } else {
        let tests = match recipe.tests.len() {
            0 => String::new(),
            count => format!("; {count} tests: `stackmill recipe test` runs them"),
        };
        let place = args.recipe.display();
        print(&format!("{place}: recipe `{}` is valid{tests}\n", recipe.name))?;
    }
    Ok(0)
}
