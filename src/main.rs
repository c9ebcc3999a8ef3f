//! The binary: hands the command line to `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    elastane::cli::run(std::env::args_os())
}
