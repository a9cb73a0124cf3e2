//! The program.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(stackmill::program::main(std::env::args_os()))
}
