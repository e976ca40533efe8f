//! The connection of programs: tests, tools, the command line.

mod connection;
mod line;
pub mod raw;
pub(crate) mod tls;

pub use connection::Connection;
