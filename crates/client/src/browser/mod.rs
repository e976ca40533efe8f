//! The connection of the web app: a machine around the browser's own `WebSocket` and `fetch`.

mod line;
mod link;
mod page;
mod timer;

pub use link::Link;
