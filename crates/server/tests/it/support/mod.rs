//! What every test needs: a server, a device that speaks to it, and a socket.

mod device;
mod process;
mod reply;
mod server;
mod talk;

use std::net::SocketAddr;
use std::time::Duration;

pub(crate) use device::{Device, ask};
pub(crate) use process::{Process, prepare, refused_start, unbroken};
pub(crate) use reply::{Reply, assert_sentence};
pub(crate) use server::{Given, TestServer, going_on};
pub(crate) use talk::{Talk, contents, followed, kinds, number};

/// Nothing that a test waits for takes this long.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// A model that counts to `tokens` as fast as it can.
pub(crate) fn fast(tokens: usize) -> String {
    format!("numbers:tokens={tokens},rate=0,first=0")
}

/// A model that counts to `tokens` and waits after `at` of them until the gate `hold` is opened.
pub(crate) fn held(tokens: usize, at: usize) -> String {
    format!("{},gate=hold@{at}", fast(tokens))
}

/// An address at which nobody listens.
pub(crate) fn nobody() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Waits for something that should be quick.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, what).await.expect("it happens before the deadline")
}
