//! Connections as they arrive: none is taken once the door is shut, one that was taken is known to be
//! silent until its first byte, and one that takes nothing from us is given up.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use rustix::net::sockopt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::lifecycle::Lifecycle;

/// What the kernel keeps for a reader that is slow, in bytes; it doubles this for its own needs.
/// Left to itself it keeps up to 4 MiB for one that was fast before.
const SEND_BUFFER: usize = 128 * 1024;
/// How long the other side may leave what was sent unacknowledged, in milliseconds: a machine that
/// vanished says nothing, and the kernel alone waits for a quarter of an hour.
const VANISHED: u32 = 60_000;

/// The listening socket, as long as the server takes connections.
pub(crate) struct Arrivals {
    listener: TcpListener,
    lifecycle: Lifecycle,
    /// How long a reader may take nothing.
    stall: Duration,
}

/// A connection that was taken.
pub(crate) struct Arrival {
    stream: TcpStream,
    silence: Option<TaskTrackerToken>,
    patience: Duration,
    /// Runs while there is something to send that is not taken.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Arrivals {
    pub(crate) fn new(listener: TcpListener, lifecycle: Lifecycle, stall: Duration) -> Self {
        Self { listener, lifecycle, stall }
    }

    /// The next connection; none ever once the door is shut. Cancel safe.
    pub(crate) async fn accept(&mut self) -> (Arrival, SocketAddr) {
        // Before the connection is taken: the server waits for all tokens once the door is shut.
        let silence = self.lifecycle.silence();
        tokio::select! {
            biased;
            () = self.lifecycle.shut() => {}
            (stream, peer) = Listener::accept(&mut self.listener) => {
                return (Arrival::new(stream, silence, self.stall), peer);
            }
        }
        drop(silence);
        std::future::pending().await
    }
}

impl Arrival {
    fn new(stream: TcpStream, silence: TaskTrackerToken, patience: Duration) -> Self {
        // A connection for which the kernel refuses one of these works without it.
        let _ = stream.set_nodelay(true);
        let _ = sockopt::set_socket_send_buffer_size(&stream, SEND_BUFFER);
        let _ = sockopt::set_tcp_user_timeout(&stream, VANISHED);
        Self { stream, silence: Some(silence), patience, stalled: None }
    }

    /// Writes what fits without waiting.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.try_write(bytes)
    }

    /// Fails a write that has been waiting for too long.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        write: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if write.is_ready() {
            self.stalled = None;
            return write;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Arrival {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if read.is_ready() {
            self.silence = None;
        }
        read
    }
}

impl AsyncWrite for Arrival {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch(cx, write)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch(cx, write)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
