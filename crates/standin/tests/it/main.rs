//! The stand-in over real TCP.

mod continuation;
mod control;
mod failures;
mod shapes;
mod support;
mod texts;
