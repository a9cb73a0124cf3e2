//! The program: parses the command line, runs the command, prints the error, gives the exit code.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use stackmill::{cli, cmd, exit, failpoint};

fn main() -> ExitCode {
    if let Some(point) = stackmill::environment::variable("STACKMILL_FAIL_AT") {
        failpoint::arm(&point);
    }
    // One TLS stack; it is there already only if somebody installed the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let command = cli::Cli::parse().command;
    match cmd::run(command) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _ = writeln!(std::io::stderr().lock(), "error: {error}");
            ExitCode::from(exit::code(&error))
        }
    }
}
