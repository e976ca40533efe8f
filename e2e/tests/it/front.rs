//! A reverse proxy in front of the server, with the bad habits that some have: it refuses sockets,
//! holds streams back, or is not there at all.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::DEADLINE;

const LONGEST_HEAD: usize = 64 * 1024;
const AWAY: &[u8] = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const REFUSAL: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// What it does to connections, those that are open included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    Good,
    /// An upgrade is answered with 400.
    NoSockets,
    /// And of a stream only the head comes through.
    NoStreams,
    /// As before a server that restarts: every request is answered with 502.
    Away,
    /// Every connection is reset.
    Down,
}

/// What a connection carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Socket,
    Stream,
    Poll,
    Other,
}

/// How many connections of each kind are open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) sockets: usize,
    pub(crate) streams: usize,
    pub(crate) polls: usize,
}

/// Clones are handles of the same proxy.
#[derive(Clone)]
pub(crate) struct Front {
    address: SocketAddr,
    habit: watch::Sender<Habit>,
    open: watch::Sender<Open>,
}

impl Front {
    /// Listens on a free port; `server` is `host:port`.
    pub(crate) async fn start(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let front = Self {
            address: listener.local_addr().unwrap(),
            habit: watch::Sender::new(Habit::Good),
            open: watch::Sender::new(Open::default()),
        };
        tokio::spawn(front.clone().accept(listener, server.to_owned()));
        front
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn turn(&self, habit: Habit) {
        self.habit.send_replace(habit);
    }

    /// Returns once such connections are open.
    pub(crate) async fn wait_until(&self, holds: impl FnMut(&Open) -> bool) {
        let mut open = self.open.subscribe();
        let waited = timeout(DEADLINE, open.wait_for(holds)).await.is_ok();
        assert!(waited, "waited in vain for other connections; there are {:?}", self.open.borrow());
    }

    async fn accept(self, listener: TcpListener, server: String) {
        while let Ok((client, _)) = listener.accept().await {
            let (front, server) = (self.clone(), server.clone());
            tokio::spawn(async move { front.serve(client, &server).await });
        }
    }

    /// One request, and what it leads to.
    async fn serve(&self, mut client: TcpStream, server: &str) -> Option<()> {
        let mut habit = self.habit.subscribe();
        let head = tokio::select! {
            // First: nothing gets through any more, not even what is there already.
            biased;
            _ = habit.wait_for(|habit| *habit == Habit::Down) => {
                client.set_zero_linger().ok()?;
                return None;
            }
            head = head(&mut client) => head?,
        };
        let kind = Kind::of(&head);
        if *habit.borrow() == Habit::Away {
            return client.write_all(AWAY).await.ok();
        }
        if kind == Kind::Socket && *habit.borrow() != Habit::Good {
            return client.write_all(REFUSAL).await.ok();
        }
        let mut server = TcpStream::connect(server).await.ok()?;
        client.set_nodelay(true).ok()?;
        server.set_nodelay(true).ok()?;
        server.write_all(&one_request(&head, kind)).await.ok()?;
        let _counted = self.count(kind);
        let holds = kind == Kind::Stream && *habit.borrow() == Habit::NoStreams;
        let is_cut = tokio::select! {
            _ = habit.wait_for(|habit| kind.ends_by(*habit) && !holds) => true,
            () = carry(&mut client, &mut server, holds) => false,
        };
        if is_cut {
            client.set_zero_linger().ok()?;
        }
        Some(())
    }

    fn count(&self, kind: Kind) -> Counted<'_> {
        self.open.send_modify(|open| open.of(kind).into_iter().for_each(|count| *count += 1));
        Counted { front: self, kind }
    }
}

/// A connection that is open.
struct Counted<'a> {
    front: &'a Front,
    kind: Kind,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        let open = &self.front.open;
        open.send_modify(|open| open.of(self.kind).into_iter().for_each(|count| *count -= 1));
    }
}

impl Open {
    fn of(&mut self, kind: Kind) -> Option<&mut usize> {
        match kind {
            Kind::Socket => Some(&mut self.sockets),
            Kind::Stream => Some(&mut self.streams),
            Kind::Poll => Some(&mut self.polls),
            Kind::Other => None,
        }
    }
}

impl Kind {
    fn of(head: &[u8]) -> Self {
        let head = String::from_utf8_lossy(head).to_ascii_lowercase();
        if head.starts_with("get /ws ") {
            Self::Socket
        } else if head.contains("\r\naccept: text/event-stream\r\n") {
            Self::Stream
        } else if head.lines().next().is_some_and(|line| line.contains("&wait=")) {
            Self::Poll
        } else {
            Self::Other
        }
    }

    fn ends_by(self, habit: Habit) -> bool {
        match habit {
            Habit::Good => false,
            Habit::NoSockets => self == Self::Socket,
            Habit::NoStreams => matches!(self, Self::Socket | Self::Stream),
            Habit::Away | Habit::Down => true,
        }
    }
}

/// The head of a request, with whatever of its body came along.
async fn head(client: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while end_of_head(&head).is_none() {
        if client.read_buf(&mut head).await.ok()? == 0 || head.len() > LONGEST_HEAD {
            return None;
        }
    }
    Some(head)
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|end| end == b"\r\n\r\n").map(|at| at + 4)
}

/// Asks the server to close after its answer, so that no second request has to be told apart.
fn one_request(head: &[u8], kind: Kind) -> Vec<u8> {
    if kind == Kind::Socket {
        return head.to_vec();
    }
    let keep: &[u8] = b"\r\nConnection: keep-alive\r\n";
    match head.windows(keep.len()).position(|line| line.eq_ignore_ascii_case(keep)) {
        Some(at) => [&head[..at], b"\r\nConnection: close\r\n", &head[at + keep.len()..]].concat(),
        None => head.to_vec(),
    }
}

/// Carries bytes both ways until one side is at its end.
async fn carry(client: &mut TcpStream, server: &mut TcpStream, holds: bool) {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let answer = async {
        if holds {
            let mut answer = Vec::new();
            while end_of_head(&answer).is_none() {
                if from_server.read_buf(&mut answer).await.unwrap_or(0) == 0 {
                    return;
                }
            }
            answer.truncate(end_of_head(&answer).unwrap_or_default());
            drop(to_client.write_all(&answer).await);
            drop(tokio::io::copy(&mut from_server, &mut tokio::io::sink()).await);
        } else {
            drop(tokio::io::copy(&mut from_server, &mut to_client).await);
            drop(to_client.shutdown().await);
        }
    };
    tokio::select! {
        () = answer => {}
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
    }
}
