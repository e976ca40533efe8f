//! Faults at random against the real binary while many clients read, and an oracle that compares
//! what every reader saw with the store and with what the model said (PROTOCOL B8).
//!
//! One seed chooses everything that is chosen here; when the machine does it is not chosen.

mod answer;
mod audit;
mod blocking;
mod chronicle;
mod client;
mod dice;
mod disk;
mod disturb;
mod http;
mod list;
mod model;
mod native;
mod old;
mod oracle;
mod reader;
mod run;
mod server;
mod socket;
mod tally;
mod track;
mod turn;
mod world;

pub use run::{Options, Report, run};
