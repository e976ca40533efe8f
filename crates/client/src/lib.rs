//! The client's side of the protocol: one live connection that never loses or doubles a word, and
//! the REST calls.
//!
//! [`Machine`] holds every rule and does no input or output, so it runs the same in a test, in a
//! native program ([`native`]) and in a browser (`browser`).

mod backoff;
mod follow;
mod http;
mod io;
mod ladder;
mod link;
mod machine;
pub mod rest;
mod sse;

#[cfg(target_arch = "wasm32")]
pub mod browser;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;

pub use io::{Config, Hint, Input, Output, Status, Target, Update};
pub use ladder::Transport;
pub use machine::Machine;
pub use rest::{ExportFormat, Rest, RestError, Shelf};
