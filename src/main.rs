//! The binary: hands the command line to `cli`.

use std::process::ExitCode;

/// A message is a tree of hundreds of small values; those of the system's allocator took
/// a seventh of a webhook call.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    elastane::cli::run(std::env::args_os())
}
