//! Why a load cannot be put on a server, or an answer could not be read to its end.

use std::io;

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("`{0}` is not an address such as http://127.0.0.1:8484")]
    Address(String),
    #[error("{0}")]
    Plan(&'static str),
    #[error("cannot connect to {to}: {error}")]
    Connect { to: String, error: io::Error },
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    #[error("the server answered {path} with {status}: {body}")]
    Refused { path: String, status: u16, body: String },
    #[error("the server refused: {0}")]
    Said(String),
    #[error("the server closed the socket with {0}")]
    Closed(u16),
    #[error("the answer ended without its end")]
    NoEnd,
    #[error("the server sent something that is not understood: {0}")]
    Strange(&'static str),
    #[error("nothing came for {0} seconds")]
    Silence(u64),
    #[error("failed to start: {0}")]
    Start(io::Error),
}
