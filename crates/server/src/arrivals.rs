//! Connections as they arrive: none is taken once the door is shut, and one that was taken is known
//! to be silent until its first byte.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::lifecycle::Lifecycle;

/// The listening socket, as long as the server takes connections.
pub(crate) struct Arrivals {
    listener: TcpListener,
    lifecycle: Lifecycle,
}

/// A connection that was taken.
pub(crate) struct Arrival {
    stream: TcpStream,
    silence: Option<TaskTrackerToken>,
}

impl Arrivals {
    pub(crate) fn new(listener: TcpListener, lifecycle: Lifecycle) -> Self {
        Self { listener, lifecycle }
    }
}

impl Arrival {
    pub(crate) fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.stream.set_nodelay(nodelay)
    }
}

impl Listener for Arrivals {
    type Io = Arrival;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Arrival, SocketAddr) {
        // Before the connection is taken: the server waits for all tokens once the door is shut.
        let silence = self.lifecycle.silence();
        tokio::select! {
            biased;
            () = self.lifecycle.shut() => {}
            (stream, peer) = Listener::accept(&mut self.listener) => {
                return (Arrival { stream, silence: Some(silence) }, peer);
            }
        }
        drop(silence);
        std::future::pending().await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
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
        Pin::new(&mut self.stream).poll_write(cx, buf)
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
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
