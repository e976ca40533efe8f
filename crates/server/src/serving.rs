//! One task for each connection: requests one after the other, each within its time.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use hyper::body::Body as _;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::arrivals::{Arrival, Arrivals};
use crate::lifecycle::Lifecycle;
use crate::patience::Patience;

/// Serves until the server closes and every request that was taken is answered.
pub(crate) async fn serve(
    mut arrivals: Arrivals,
    router: Router,
    lifecycle: Lifecycle,
    head: Duration,
) {
    let connections = TaskTracker::new();
    loop {
        tokio::select! {
            biased;
            () = lifecycle.closed() => break,
            (arrival, peer) = arrivals.accept() => {
                connections.spawn(serve_one(arrival, peer, router.clone(), lifecycle.clone(), head));
            }
        }
    }
    drop(arrivals);
    connections.close();
    connections.wait().await;
}

async fn serve_one(
    arrival: Arrival,
    peer: SocketAddr,
    router: Router,
    lifecycle: Lifecycle,
    head: Duration,
) {
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .serve_connection(TokioIo::new(arrival), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    // How a connection ends is its own business: readers come and go.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = lifecycle.closed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// Gives a body up that comes too slowly: it has a while, and more with every byte.
pub(crate) async fn hurry(
    State(patience): State<Patience>,
    request: Request,
    next: Next,
) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let until = Instant::now() + patience.body;
    next.run(request.map(|body| Body::from_stream(hurried(body, until, patience.body_rate)))).await
}

fn hurried(
    body: Body,
    until: Instant,
    rate: u32,
) -> impl Stream<Item = Result<Bytes, axum::Error>> + Send {
    stream::unfold((body.into_data_stream(), until, rate), async |(mut body, until, rate)| {
        let piece = match timeout_at(until, body.next()).await {
            Ok(piece) => piece?,
            Err(late) => Err(axum::Error::new(late)),
        };
        let length = piece.as_ref().map_or(0, Bytes::len);
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let earned = Duration::from_secs(1) * length / rate;
        Some((piece, (body, until + earned, rate)))
    })
}
