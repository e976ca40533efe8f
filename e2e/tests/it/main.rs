//! The app in a real browser, against the real binary and a model server over real TCP.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod again;
mod axe;
mod browser;
mod citations;
mod everywhere;
mod faults;
mod flow;
mod front;
mod keep;
mod keyboard;
mod languages;
mod later;
mod long_blocks;
mod long_history;
mod long_texts;
mod looks;
mod moving;
mod notify;
mod offline;
mod page_speed;
mod picker;
mod rich;
mod sending;
mod server;
mod side_by_side;
mod sources;
mod tools;
mod write;

use std::time::Duration;

/// Only a broken test waits this long.
const DEADLINE: Duration = Duration::from_secs(30);
