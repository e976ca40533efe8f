//! The client against a model of the server, against scripted frames, and over real TCP.

#![expect(clippy::unwrap_used, reason = "clippy does not see that helpers are tests too")]

mod connection;
mod follow;
mod frames;
mod native;
mod rest;
mod server;
