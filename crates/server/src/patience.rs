//! How long and how much the server bears from who connects (PROTOCOL B6). Not for operators, but
//! for [`Patience::readers`]: no value but these is needed, and tests do not wait that long.

use std::net::IpAddr;
use std::time::Duration;

use unbroken_protocol::limits;

/// See each field. The default is what holds.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the head of a request, and for a connection without one. Longer than proxies keep
    /// connections that they use again: one must not close while a request is under way to it.
    pub head: Duration,
    /// For the body of a request, beside what its length earns it.
    pub body: Duration,
    /// How many bytes of a body earn it another second.
    pub body_rate: u32,
    /// For a reader that takes nothing: of a frame on a socket.
    pub frame: Duration,
    /// For a reader that takes nothing: of any connection.
    pub stall: Duration,
    /// Between two pings of a socket.
    pub ping: Duration,
    /// For a socket that sends nothing whole, pongs too.
    pub silence: Duration,
    /// Sockets, streams and long polls that one principal may have open at once
    /// (`limits.readers_per_person`).
    pub readers: usize,
    /// Sockets of one address that have not said who they are.
    pub strangers: usize,
    /// Frames of one socket at once, and how many more each second.
    pub frames: Frames,
    /// Whether addresses and frames of this machine count too.
    pub count_loopback: bool,
}

/// How many frames a socket may send.
#[derive(Clone, Copy, Debug)]
pub struct Frames {
    pub at_once: u32,
    pub per_second: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(75),
            body: Duration::from_secs(20),
            body_rate: 4096,
            frame: limits::SEND_TIMEOUT,
            stall: Duration::from_secs(30),
            ping: Duration::from_secs(20),
            silence: Duration::from_secs(45),
            readers: 256,
            strangers: 256,
            frames: Frames { at_once: 1000, per_second: 100 },
            count_loopback: false,
        }
    }
}

impl Patience {
    /// Whether this address is counted.
    pub(crate) fn counts(&self, peer: IpAddr) -> bool {
        self.count_loopback || !peer.to_canonical().is_loopback()
    }
}
