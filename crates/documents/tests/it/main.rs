//! Real files of each kind, files that mean harm, and the process that reads them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod files;
mod formats;
mod hostile;
mod mutated;
mod passages;
mod process;
