//! The stand-in as a server: its listener, its connections, its routes.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{StatusCode, header::AUTHORIZATION},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream, ToSocketAddrs, lookup_host},
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

use crate::{
    calls::{Call, Calls},
    chat,
    embed::{self, Texts},
    error::ApiError,
    gates::Gates,
    models,
    script::Scripts,
    search,
    streams::{self, Streams},
};

const LARGEST_BODY: usize = 64 * 1024 * 1024;
/// Thousands of benchmark clients connect at once; the kernel lowers this to its own limit.
const BACKLOG: u32 = 16_384;

/// What a stand-in is started with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub scripts: Scripts,
    /// The key that every call under `/v1` must carry.
    pub api_key: Option<String>,
}

#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) scripts: Arc<Scripts>,
    pub(crate) calls: Arc<Calls>,
    pub(crate) gates: Arc<Gates>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) embedded: Arc<Texts>,
    pub(crate) reranked: Arc<Texts>,
    api_key: Option<Arc<str>>,
}

/// A running stand-in. Dropping it stops it without waiting.
pub struct Standin {
    addr: SocketAddr,
    shared: Shared,
    stop: CancellationToken,
    server: Option<JoinHandle<()>>,
}

impl Standin {
    /// Starts on a free port of 127.0.0.1 with the built-in models.
    pub async fn start() -> Self {
        Self::start_on((Ipv4Addr::LOCALHOST, 0), Options::default())
            .await
            .expect("loopback has a free port")
    }

    /// Starts on this address. An address is free again once `stop` has returned.
    pub async fn start_on(addr: impl ToSocketAddrs, options: Options) -> io::Result<Self> {
        let listener = listen(addr).await?;
        let addr = listener.local_addr()?;
        let stop = CancellationToken::new();
        let shared = Shared {
            scripts: options.scripts.into(),
            calls: Arc::default(),
            gates: Arc::default(),
            streams: Arc::new(Streams::new(stop.clone())),
            embedded: Arc::default(),
            reranked: Arc::default(),
            api_key: options.api_key.map(Into::into),
        };
        let server = tokio::spawn(serve(listener, routes(shared.clone()), stop.clone()));
        Ok(Self { addr, shared, stop, server: Some(server) })
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What goes into `OPENAI_BASE_URL`: `http://127.0.0.1:PORT/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.addr)
    }

    /// The newest 10,000 calls, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls.list()
    }

    /// Forgets all calls; they are counted from 1 again.
    pub fn clear_calls(&self) {
        self.shared.calls.clear();
    }

    /// Returns once this many calls have come in since the start or the last clearing.
    pub async fn wait_for_calls(&self, n: usize) {
        self.shared.calls.wait_for(n).await;
    }

    /// Returns once this holds. It is asked again when a call comes in, ends, or halts at a gate or
    /// a stall, and not at every token.
    pub async fn wait_until(&self, holds: impl Fn(&[Call]) -> bool) {
        self.shared.calls.wait_until(holds).await;
    }

    /// The texts that were embedded, in their order.
    pub fn embedded(&self) -> Vec<String> {
        self.shared.embedded.list()
    }

    /// The questions for which texts were reranked, in their order.
    pub fn reranked(&self) -> Vec<String> {
        self.shared.reranked.list()
    }

    /// Returns once this holds of the texts that were embedded.
    pub async fn wait_until_embedded(&self, holds: impl Fn(&[String]) -> bool) {
        self.shared.embedded.wait_until(holds).await;
    }

    /// Lets every stream pass that waits, or will wait, at the gate of this name.
    pub fn open_gate(&self, name: &str) {
        self.shared.gates.open(name);
    }

    /// Closes the listener and all connections, and returns when they are closed.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(server) = self.server.take() {
            server.await.expect("the server does not panic");
        }
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn listen(addr: impl ToSocketAddrs) -> io::Result<TcpListener> {
    let addr = lookup_host(addr).await?.next().ok_or(io::ErrorKind::AddrNotAvailable)?;
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart on the same address must not wait for the old connections' TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

async fn serve(listener: TcpListener, routes: Router, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, routes.clone()));
                }
                // Out of file descriptors: the backlog keeps the caller until there is one.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, routes: Router) {
    // Pieces of a stream leave one by one, as they are written.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    // An error here is a caller who went away, or a cut on purpose; the call's state tells.
    drop(
        auto::Builder::new(TokioExecutor::new())
            .http1_only()
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes))
            .await,
    );
}

fn routes(shared: Shared) -> Router {
    let openai = Router::new()
        .route("/v1/models", get(list_models))
        .route("/v1/chat/completions", post(chat::complete))
        .route("/v1/embeddings", post(embed::open_ai))
        .route("/v1/rerank", post(embed::rerank))
        .route("/v1/stream", get(streams::read_newer).delete(streams::end_newer))
        .route("/v1/stream/{name}", get(streams::read_older).delete(streams::end_older))
        .route("/v1/streams/lookup", post(streams::look_up))
        .route("/v1/streams", get(streams::list))
        .layer(middleware::from_fn_with_state(shared.clone(), check_key));
    Router::new()
        .route("/standin/calls", get(list_calls).delete(clear_calls))
        .route("/standin/gates/{name}", post(open_gate))
        .route("/api/embed", post(embed::ollama))
        .route("/search", get(search::find))
        .route("/pages/{name}", get(search::page))
        .merge(openai)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(shared)
}

async fn check_key(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer "));
    match shared.api_key.as_deref() {
        Some(key) if given != Some(key) => ApiError::bad_key().into_response(),
        _ => next.run(request).await,
    }
}

async fn list_models(State(shared): State<Shared>) -> Json<Value> {
    Json(models::list(&shared.scripts))
}

async fn list_calls(State(shared): State<Shared>) -> Json<Vec<Call>> {
    Json(shared.calls.list())
}

async fn clear_calls(State(shared): State<Shared>) -> StatusCode {
    shared.calls.clear();
    StatusCode::NO_CONTENT
}

async fn open_gate(State(shared): State<Shared>, Path(name): Path<String>) -> StatusCode {
    shared.gates.open(&name);
    StatusCode::NO_CONTENT
}
