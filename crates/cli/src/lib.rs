//! Commands that speak to a running server from outside. The server's binary mounts them.

pub mod load;
