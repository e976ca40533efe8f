//! Providers against a real model server over TCP.

mod answers;
mod catalogue;
mod continuation;
mod failures;
mod support;
