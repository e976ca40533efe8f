//! The REST calls, one file for each thing that they are about.

pub(crate) mod chat;
pub(crate) mod collections;
pub(crate) mod conversations;
pub(crate) mod events;
pub(crate) mod exports;
pub(crate) mod files;
pub(crate) mod generations;
pub(crate) mod health;
pub(crate) mod highlight;
pub(crate) mod imports;
pub(crate) mod models;
pub(crate) mod prompts;
pub(crate) mod queue;
pub(crate) mod search;
pub(crate) mod session;
pub(crate) mod shares;
pub(crate) mod uploads;
