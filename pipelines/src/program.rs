//! The whole program: parses the command line, runs the command, prints the error, gives the exit code.

use std::ffi::OsString;
use std::io::Write as _;

use clap::Parser as _;
use stackmill_schemas::{Error, Result};

use crate::cli::{Cli, Command};
use crate::console::Console;
use crate::job::Options;
use crate::recipe::Recipe;
use crate::run::Outcome;
use crate::{cmd, exit, failpoint};

/// What `main` does, in whatever process: `arguments` begin with the program's name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    prepare();
    let ended = match Cli::try_parse_from(arguments) {
        Ok(cli) => cmd::run(cli.command),
        Err(error) => {
            // Help and version are asked for, and go to standard output; a closed one is no reason to fail.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    ended.unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr().lock(), "error: {error}");
        exit::code(&error)
    })
}

/// Runs one command inside a host; gives what it would print on standard output.
pub fn command(arguments: impl IntoIterator<Item = OsString>) -> Result<String> {
    prepare();
    cmd::captured(parse(arguments)?)
}

/// The command `run` inside a host, which watches through `console`.
pub fn run(arguments: impl IntoIterator<Item = OsString>, console: &Console) -> Result<Outcome> {
    prepare();
    match parse(arguments)? {
        Command::Run(args) => cmd::run::watched(&args, console),
        other => Err(Error::bug(format!("not a run: {other:?}"))),
    }
}

/// What the arguments of the command `run` ask for.
pub fn settings(arguments: impl IntoIterator<Item = OsString>) -> Result<(Recipe, Options)> {
    prepare();
    match parse(arguments)? {
        Command::Run(args) => Ok((Recipe::read(&args.recipe, &args.source.set)?, cmd::run::options(&args)?)),
        other => Err(Error::bug(format!("not a run: {other:?}"))),
    }
}

fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command> {
    let parsed = Cli::try_parse_from(arguments).map(|cli| cli.command);
    parsed.map_err(|error| {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        Error::config(first.trim_start_matches("error: "))
    })
}

fn prepare() {
    if let Some(point) = crate::environment::variable("STACKMILL_FAIL_AT") {
        failpoint::arm(&point);
    }
    // One TLS stack; it is there already only if somebody installed the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
