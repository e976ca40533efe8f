//! The life of the connection: when to open it, when to give it up, how long to wait.
//!
//! It knows no generation; what is sent and followed is the machine's.

use std::time::Duration;

use unbroken_protocol::limits::{WATCHDOG, close};
use unbroken_protocol::{ErrorCode, Event};

use crate::backoff::Backoff;
use crate::io::{Hint, Status};

/// How long opening may take, up to the server's first word.
const OPENING: Duration = Duration::from_secs(10);
/// How long a probed connection may stay silent; an attempt older than this when the network comes
/// back began before it and is given up.
const PROBE: Duration = Duration::from_secs(3);
/// A connection that lived so long counts as a success.
const STABLE: Duration = Duration::from_secs(30);

/// What the machine has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Nothing,
    /// There is no transport: open one.
    Connect,
    /// Give the transport up and open another at once.
    Reconnect,
    /// Give the transport up.
    Drop,
    /// The server spoke first: say who we are and what we follow.
    Greet,
    /// Send a ping.
    Probe,
}

#[derive(Debug)]
enum State {
    /// Not started, or closed by the app.
    Idle,
    /// Waits for other credentials.
    Expired,
    Refused,
    Waiting {
        until: Duration,
    },
    Opening {
        since: Duration,
    },
    Open(Open),
}

#[derive(Debug)]
struct Open {
    last_frame: Duration,
    /// Since the server knows us.
    live_since: Option<Duration>,
    /// A sign of life is due by then.
    probe: Option<Duration>,
    /// The server goes away; leave then.
    leave_at: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct Link {
    state: State,
    backoff: Backoff,
    offline: bool,
    was_live: bool,
}

impl Link {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: State::Idle, backoff: Backoff::new(seed), offline: false, was_live: false }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    pub(crate) fn start(&mut self, now: Duration) -> Step {
        match self.state {
            State::Idle => self.connect(now),
            _ => Step::Nothing,
        }
    }

    pub(crate) fn close(&mut self) -> Step {
        self.was_live = false;
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Opening { .. } | State::Open(_) => Step::Drop,
            State::Idle | State::Expired | State::Refused | State::Waiting { .. } => Step::Nothing,
        }
    }

    pub(crate) fn opened(&mut self, now: Duration) {
        if let State::Opening { since } = &mut self.state {
            *since = now;
        }
    }

    pub(crate) fn frame(&mut self, event: &Event, now: Duration) -> Step {
        match &mut self.state {
            State::Opening { .. } if matches!(event, Event::ConnectionEstablished(_)) => {
                self.offline = false;
                let (live_since, probe, leave_at) = (None, None, None);
                self.state = State::Open(Open { last_frame: now, live_since, probe, leave_at });
                Step::Greet
            }
            State::Open(open) => {
                self.offline = false;
                open.last_frame = now;
                open.probe = None;
                match event {
                    Event::HelloOk(_) => {
                        open.live_since = Some(now);
                        self.was_live = true;
                    }
                    Event::Draining(draining) => {
                        let wait = Duration::from_millis(draining.reconnect_after_ms);
                        open.leave_at = Some(now.saturating_add(wait));
                    }
                    _ => {}
                }
                Step::Nothing
            }
            _ => Step::Nothing,
        }
    }

    pub(crate) fn closed(&mut self, code: u16, now: Duration) {
        if !matches!(self.state, State::Opening { .. } | State::Open(_)) {
            return;
        }
        match code {
            close::SESSION_EXPIRED => self.state = State::Expired,
            code if close::reconnects(code) => self.wait(now),
            _ => self.state = State::Refused,
        }
    }

    /// Another transport took the place of whatever there was.
    pub(crate) fn moved(&mut self, now: Duration) {
        if self.is_wanted() {
            self.state = State::Opening { since: now };
        }
    }

    /// Whether there is, or is going to be, a connection.
    pub(crate) fn is_wanted(&self) -> bool {
        matches!(self.state, State::Waiting { .. } | State::Opening { .. } | State::Open(_))
    }

    /// The server refused `hello`, or says later that the session is over.
    pub(crate) fn refused(&mut self, code: ErrorCode, now: Duration) -> Step {
        match code {
            ErrorCode::Unauthorized => self.state = State::Expired,
            code if code.retryable() => self.wait(now),
            _ => self.state = State::Refused,
        }
        Step::Drop
    }

    pub(crate) fn hint(&mut self, hint: Hint, now: Duration) -> Step {
        match hint {
            Hint::Hidden => return Step::Nothing,
            Hint::Offline => {
                self.offline = true;
                return Step::Nothing;
            }
            Hint::Online => self.offline = false,
            Hint::Visible | Hint::Restored => {}
        }
        match &mut self.state {
            State::Waiting { .. } => self.connect(now),
            State::Opening { since } if now.saturating_sub(*since) > PROBE => self.reconnect(now),
            State::Open(open) if open.probe.is_none() => {
                open.probe = Some(now.saturating_add(PROBE));
                Step::Probe
            }
            _ => Step::Nothing,
        }
    }

    /// Who speaks has changed; a connection belongs to one principal.
    pub(crate) fn credentials(&mut self, changed: bool, now: Duration) -> Step {
        match self.state {
            State::Expired | State::Refused => self.connect(now),
            State::Waiting { .. } if changed => self.connect(now),
            State::Open(_) if changed => self.reconnect(now),
            _ => Step::Nothing,
        }
    }

    pub(crate) fn wake(&mut self, now: Duration) -> Step {
        match &self.state {
            State::Waiting { until } if *until <= now => self.connect(now),
            State::Opening { since } if since.saturating_add(OPENING) <= now => self.lose(now),
            State::Open(open) if is_due(open.leave_at, now) || is_due(open.probe, now) => {
                self.reconnect(now)
            }
            State::Open(open) if open.last_frame.saturating_add(WATCHDOG) <= now => self.lose(now),
            _ => Step::Nothing,
        }
    }

    pub(crate) fn next_wake(&self) -> Option<Duration> {
        match &self.state {
            State::Idle | State::Expired | State::Refused => None,
            State::Waiting { until } => Some(*until),
            State::Opening { since } => Some(since.saturating_add(OPENING)),
            State::Open(open) => {
                let watchdog = Some(open.last_frame.saturating_add(WATCHDOG));
                [watchdog, open.probe, open.leave_at].into_iter().flatten().min()
            }
        }
    }

    /// `None` before the start.
    pub(crate) fn status(&self) -> Option<Status> {
        Some(match &self.state {
            State::Idle => return None,
            State::Expired => Status::SessionExpired,
            State::Refused => Status::Refused,
            _ if self.offline => Status::Offline,
            State::Open(Open { live_since: Some(_), .. }) => Status::Live,
            _ if self.was_live => Status::Reconnecting,
            _ => Status::Connecting,
        })
    }

    fn connect(&mut self, now: Duration) -> Step {
        self.state = State::Opening { since: now };
        Step::Connect
    }

    fn reconnect(&mut self, now: Duration) -> Step {
        self.state = State::Opening { since: now };
        Step::Reconnect
    }

    fn lose(&mut self, now: Duration) -> Step {
        self.wait(now);
        Step::Drop
    }

    /// Waits for the next attempt: the back-off, or what a server that restarts asked for, so that
    /// its clients do not all come back in the same moment.
    fn wait(&mut self, now: Duration) {
        if let State::Open(open) = &self.state {
            if open.live_since.is_some_and(|since| now.saturating_sub(since) >= STABLE) {
                self.backoff.reset();
            }
            if let Some(until) = open.leave_at {
                self.state = State::Waiting { until };
                return;
            }
        }
        let until = now.saturating_add(self.backoff.next_delay());
        self.state = State::Waiting { until };
    }
}

fn is_due(at: Option<Duration>, now: Duration) -> bool {
    at.is_some_and(|at| at <= now)
}
