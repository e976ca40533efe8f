//! A network that fails: forwards TCP connections, and cuts, stalls or swallows them.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of the bytes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Open,
    /// They wait.
    Stalled,
    /// They are gone, and nobody is told.
    Swallowed,
    /// Both sides get a RST.
    Cut,
}

/// A listener on loopback whose connections go to a server. Clones are handles of the same proxy.
#[derive(Clone)]
pub struct Proxy {
    address: SocketAddr,
    connections: Arc<Mutex<Connections>>,
}

#[derive(Default)]
struct Connections {
    last: u64,
    open: BTreeMap<u64, watch::Sender<Mode>>,
}

impl Proxy {
    /// Listens on a free port; `server` is `host:port`.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(server: String) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let proxy = Self { address: listener.local_addr()?, connections: Arc::default() };
        tokio::spawn(proxy.clone().accept(listener, server));
        Ok(proxy)
    }

    /// Where clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the mode of one connection, chosen by any number; its own number.
    pub fn set_one(&self, chosen: u64, mode: Mode) -> Option<u64> {
        let connections = self.connections();
        let count = connections.open.len() as u64;
        let nth = usize::try_from(chosen.checked_rem(count)?).ok()?;
        let (id, connection) = connections.open.iter().nth(nth)?;
        connection.send_replace(mode);
        Some(*id)
    }

    /// Sets the mode of a connection that may be gone.
    pub fn set(&self, id: u64, mode: Mode) {
        if let Some(connection) = self.connections().open.get(&id) {
            connection.send_replace(mode);
        }
    }

    /// Sets the mode of every connection that is open now.
    pub fn set_all(&self, mode: Mode) {
        for connection in self.connections().open.values() {
            connection.send_replace(mode);
        }
    }

    /// Ends all faults: what swallows is cut, what waits goes on.
    pub fn heal(&self) {
        for connection in self.connections().open.values() {
            let mode = *connection.borrow();
            let healed = if mode == Mode::Swallowed { Mode::Cut } else { Mode::Open };
            connection.send_replace(healed);
        }
    }

    async fn accept(self, listener: TcpListener, server: String) {
        while let Ok((client, _)) = listener.accept().await {
            let (mode, told) = watch::channel(Mode::Open);
            let id = {
                let mut connections = self.connections();
                connections.last += 1;
                let id = connections.last;
                connections.open.insert(id, mode);
                id
            };
            let (proxy, server) = (self.clone(), server.clone());
            tokio::spawn(async move {
                forward(client, &server, told).await;
                proxy.connections().open.remove(&id);
            });
        }
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn forward(mut client: TcpStream, server: &str, mut told: watch::Receiver<Mode>) {
    let Ok(mut server) = TcpStream::connect(server).await else {
        drop(client.set_zero_linger());
        return;
    };
    drop((client.set_nodelay(true), server.set_nodelay(true)));
    let cut = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let (up, down) = (told.clone(), told.clone());
        tokio::select! {
            _ = told.wait_for(|mode| *mode == Mode::Cut) => true,
            ended = async {
                tokio::try_join!(
                    carry(from_client, to_server, up),
                    carry(from_server, to_client, down),
                )
            } => ended.is_err(),
        }
    };
    if cut {
        drop((client.set_zero_linger(), server.set_zero_linger()));
    }
}

/// The other direction has to end at once as well.
struct Broken;

/// Carries bytes in one direction until its end.
async fn carry(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut told: watch::Receiver<Mode>,
) -> Result<(), Broken> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut buffer).await.map_err(|_| Broken)?;
        let flows = told.wait_for(|mode| *mode != Mode::Stalled).await;
        let mode = *flows.map_err(|_| Broken)?;
        if mode == Mode::Swallowed {
            if count == 0 {
                // The other side is not told that this one went away.
                std::future::pending::<()>().await;
            }
            continue;
        }
        if count == 0 {
            return to.shutdown().await.map_err(|_| Broken);
        }
        to.write_all(&buffer[..count]).await.map_err(|_| Broken)?;
    }
}
