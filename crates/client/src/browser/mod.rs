//! The socket of the web app: a machine around the browser's own `WebSocket`.

mod link;
mod page;
mod timer;

pub use link::Link;
