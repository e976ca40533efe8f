//! The socket of programs: tests, tools, the command line.

mod connection;
pub mod raw;
pub(crate) mod tls;

pub use connection::Connection;
