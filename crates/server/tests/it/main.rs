//! The server as its clients meet it: real TCP, the real client, and a scripted model server.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

mod bad_frames;
mod bad_requests;
mod beside;
mod blocking;
mod conversations;
mod crash;
mod disk;
mod doctor;
mod events;
mod exchange;
mod failures;
mod follow;
mod going_on;
mod hello;
mod highlight;
mod hostile;
mod keep;
mod models;
mod moving;
mod notices;
mod old_client;
mod origin;
mod page;
mod prompts;
mod search;
mod sessions;
mod shutdown;
mod slow_readers;
mod sources;
mod start;
mod stop;
mod stream_chat;
mod tools;
