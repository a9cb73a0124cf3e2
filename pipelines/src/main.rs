//! The program.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(stackmill::program::main(stackmill::environment::arguments()))
}
