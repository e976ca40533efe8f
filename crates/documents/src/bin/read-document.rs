//! The process that reads a file, alone: for the tests of this crate.

use std::process::ExitCode;

fn main() -> ExitCode {
    unbroken_documents::worker::run_if_asked().unwrap_or(ExitCode::FAILURE)
}
