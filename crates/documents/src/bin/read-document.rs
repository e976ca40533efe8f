//! The process that reads a file, alone: for the tests of this crate.

use std::process::ExitCode;

/// That of the server, because limits of memory depend on it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    unbroken_documents::worker::run_if_asked().unwrap_or(ExitCode::FAILURE)
}
