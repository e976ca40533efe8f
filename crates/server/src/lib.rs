//! The server: routes, the socket, sessions, configuration, and the web app inside the binary.
//!
//! Everything that matters happens in the engine; here it gets an address.

mod arrivals;
pub mod assets;
mod auth;
pub mod config;
mod crowd;
pub mod doctor;
mod error;
pub mod exchange;
pub mod guard;
mod highlight;
mod lifecycle;
mod limit;
pub mod patience;
mod preamble;
mod providers;
mod routes;
mod serving;
mod socket;
mod written;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, patch, post, put};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use unbroken_documents::reader::Reader;
use unbroken_engine::{Engine, Files, Refusal, Settings, Web};
use unbroken_protocol::{ErrorCode, limits, path};
use unbroken_sources::embed::{Embedder, EmbeddingsConfigError};
use unbroken_sources::fetch::Fetcher;
use unbroken_sources::rerank::{Reranker, RerankerConfigError};
use unbroken_sources::search::{SearchConfig, SearchConfigError};
use unbroken_store::Store;

use arrivals::Arrivals;
use config::{Config, Durability};
use crowd::Crowd;
use error::ApiError;
use guard::{HostRules, OriginRules, SecurityHeaders};
use highlight::Highlighter;
use lifecycle::Lifecycle;
use limit::StartLimit;
use patience::Patience;
use routes::exports::Exports;

/// Bytes of a body in which no long text is, and of what stands around one.
const BODY_LIMIT: usize = 64 << 10;
/// Shares that one address may open in a minute.
const SHARES_PER_MINUTE: u32 = 120;
/// Wrong access codes that one address may try in a minute.
const GUESSES_PER_MINUTE: u32 = 20;
/// How long connections may take to close at the end.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// What every route works with. Clones are cheap.
#[derive(Clone)]
pub(crate) struct App {
    engine: Engine,
    config: Arc<Config>,
    origins: Arc<Origins>,
    lifecycle: Lifecycle,
    starts: Arc<StartLimit>,
    /// Pages of shares, which nobody needs a session for.
    shares: Arc<StartLimit>,
    /// Wrong access codes.
    guesses: Arc<StartLimit>,
    crowd: Arc<Crowd>,
    exports: Arc<Exports>,
    patience: Patience,
    highlighter: Arc<Highlighter>,
    /// Sockets and blocking calls, which outlive their requests.
    tasks: TaskTracker,
    /// The name of this run of the server.
    node: Arc<str>,
}

/// Whose pages may act for a person.
struct Origins(OriginRules);

impl Origins {
    /// See [`guard::origin_allowed`].
    fn allow(&self, headers: &HeaderMap, cookie_identifies: bool) -> bool {
        guard::origin_allowed(headers, cookie_identifies, &self.0)
    }
}

impl App {
    fn access_code(&self) -> Option<&str> {
        self.config.auth.access_code.as_ref().map(config::Secret::reveal)
    }

    /// Whether a new turn is taken from this address now.
    fn check_start(&self, peer: IpAddr) -> Result<(), Refusal> {
        if self.lifecycle.is_draining() {
            return Err(Refusal::Draining);
        }
        self.starts.take(peer, Instant::now()).map_err(|wait| Refusal::TooMany { wait })
    }

    /// Whether people reach this server by TLS only.
    fn secure_cookies(&self) -> bool {
        self.config.http.public_url.as_ref().is_some_and(config::Origin::is_https)
    }
}

/// Why a server does not start, or ends early.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("failed to listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error(
        "the socket that was handed over listens at {0}, which other machines may reach: set \
         auth.access_code, or auth.open = true on purpose"
    )]
    Exposed(SocketAddr),
    #[error("failed to open the store: {0}")]
    Store(#[from] unbroken_store::StoreError),
    #[error("failed to recover the store: {0}")]
    Recover(#[from] Refusal),
    #[error("failed to use a provider: {0}")]
    Provider(#[from] unbroken_providers::ConfigError),
    #[error("failed to use the web: {0}")]
    Web(String),
    #[error("failed to use embeddings: {0}")]
    Embeddings(#[from] EmbeddingsConfigError),
    #[error("failed to use the reranker: {0}")]
    Reranker(#[from] RerankerConfigError),
    #[error("failed to serve: {0}")]
    Serve(#[from] std::io::Error),
    #[error("another process took the data folder over")]
    OwnerLost,
}

/// A server that has its address and its data folder, and serves once [`Self::run`] is called.
pub struct Server {
    app: App,
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Takes address and data folder, and recovers what a dead process left.
    ///
    /// Connections wait in the backlog until [`Self::run`].
    pub async fn open(config: Config) -> Result<Self, ServerError> {
        let wanted = config.http.listen;
        let refused = |source| ServerError::Listen { address: wanted, source };
        let listener = TcpListener::bind(wanted).await.map_err(refused)?;
        Self::open_at(config, listener, None).await
    }

    /// As [`Self::open`], in another program than the server's: `reader` is the one that reads
    /// files ([`unbroken_documents::worker`]).
    pub async fn open_with_reader(config: Config, reader: &Path) -> Result<Self, ServerError> {
        let wanted = config.http.listen;
        let refused = |source| ServerError::Listen { address: wanted, source };
        let listener = TcpListener::bind(wanted).await.map_err(refused)?;
        Self::open_at(config, listener, Some(reader)).await
    }

    /// As [`Self::open`], at a socket that listens already: whoever connected to it is served.
    pub async fn open_on(
        config: Config,
        socket: std::net::TcpListener,
    ) -> Result<Self, ServerError> {
        socket.set_nonblocking(true)?;
        let listener = TcpListener::from_std(socket)?;
        let (address, wanted) = (listener.local_addr()?, config.http.listen);
        let known = config.auth.access_code.is_some() || config.auth.open;
        if !known && !address.ip().to_canonical().is_loopback() {
            return Err(ServerError::Exposed(address));
        }
        if address.ip() != wanted.ip() || ![0, address.port()].contains(&wanted.port()) {
            tracing::warn!(
                "http.listen says {wanted}, but the socket that was handed over listens at {address}"
            );
        }
        Self::open_at(config, listener, None).await
    }

    async fn open_at(
        mut config: Config,
        listener: TcpListener,
        reader: Option<&Path>,
    ) -> Result<Self, ServerError> {
        let address = listener.local_addr()?;
        config.http.listen = address;
        let catalogue = Arc::new(providers::catalogue(&config, address).await?);
        let (store, writer) = Store::open(&config.store.data_dir).await?;
        let run = writer.run();
        let imports = config.store.data_dir.join("imports");
        std::fs::create_dir_all(&imports)?;
        let files = files(&config, reader)?;
        let web = web(&config, &files)?;
        let settings = Settings {
            power_durability: config.store.durability == Durability::Power,
            message_bytes: config.limits.message_bytes.get(),
            clock: unbroken_engine::Clock::System,
            imports: Some(imports),
            files: Some(files),
            web,
            embedder: embedder(&config)?,
            reranker: reranker(&config)?,
        };
        let engine = Engine::open(store, writer, Arc::clone(&catalogue), settings).await?;
        let lifecycle = Lifecycle::new(config.shutdown.drain());
        let tasks = TaskTracker::new();
        let ended = lifecycle.clone();
        tasks.spawn(async move {
            tokio::select! {
                () = catalogue.run() => {}
                () = ended.closed() => {}
            }
        });
        let app = App {
            engine,
            origins: Arc::new(Origins(OriginRules::new(&config.http))),
            starts: Arc::new(StartLimit::new(config.limits.starts_per_minute)),
            shares: Arc::new(StartLimit::new(SHARES_PER_MINUTE)),
            guesses: Arc::new(StartLimit::new(GUESSES_PER_MINUTE)),
            crowd: Arc::default(),
            exports: Arc::default(),
            highlighter: Arc::default(),
            patience: Patience {
                readers: config.limits.readers_per_person.get(),
                ..Patience::default()
            },
            config: Arc::new(config),
            lifecycle,
            tasks,
            node: hex::encode(run).into(),
        };
        Ok(Self { app, listener, address })
    }

    /// Bears more or less from who connects.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.app.patience = patience;
        self
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A second handle of the listening socket. While it is open, whoever connects waits in the
    /// backlog, also after [`Self::run`].
    pub fn socket(&self) -> std::io::Result<std::net::TcpListener> {
        std::os::fd::AsFd::as_fd(&self.listener).try_clone_to_owned().map(Into::into)
    }

    /// Serves until `shutdown` is done and running answers have had their time, then brings
    /// everything to the disk.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), ServerError> {
        let Self { app, listener, .. } = self;
        let lifecycle = app.lifecycle.clone();
        let arrivals = Arrivals::new(listener, lifecycle.clone(), app.patience.stall);
        let router = router(app.clone());
        let head = app.patience.head;
        let mut serving = tokio::spawn(serving::serve(arrivals, router, lifecycle.clone(), head));
        tokio::select! {
            served = &mut serving => served.map_err(std::io::Error::other)?,
            () = shutdown => {}
            () = app.engine.lost().cancelled() => return Err(ServerError::OwnerLost),
        }
        let idle = app.engine.clone();
        lifecycle.end(async move { idle.idle().await }).await;
        app.tasks.close();
        let App { engine, tasks, .. } = app;
        let closed = tokio::time::timeout(CLOSE_WITHIN, async {
            tasks.wait().await;
            let _ = serving.await;
            engine.close().await;
        });
        if closed.await.is_err() {
            tracing::warn!("closing took too long; everything committed is safe");
        }
        Ok(())
    }
}

/// Pages of the web that are read at the same time, by all answers.
const PAGES_READ: usize = 4;

/// How files are kept and read: by this program itself, unless another is named.
fn files(config: &Config, program: Option<&Path>) -> std::io::Result<Files> {
    let folder = config.store.data_dir.join("files");
    std::fs::create_dir_all(&folder)?;
    let limits = config.sources.limits();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    // Answers come first.
    let at_once = processors.saturating_sub(1).clamp(1, 4);
    let reader = match program {
        Some(program) => Reader::with_program(program.to_owned(), limits, at_once),
        None => Reader::new(limits, at_once)?,
    };
    Ok(Files { folder, quota_bytes: config.sources.quota_bytes(), reader })
}

/// How the web is searched and its pages are fetched, if they are.
fn web(config: &Config, files: &Files) -> Result<Option<Web>, ServerError> {
    if !config.web.enabled {
        return Ok(None);
    }
    let fetcher = Fetcher::new(&config.web.fetch()).map_err(|error| wrong(&error))?;
    let open = |config: &SearchConfig| {
        let mut config = config.clone();
        config.read_key(|name| std::env::var(name).ok())?;
        config.open()
    };
    let search = config.web.search.iter().map(open).collect::<Result<_, SearchConfigError>>();
    let search = search.map_err(|error| wrong(&error))?;
    Ok(Some(Web::new(fetcher, search, files.reader.beside(PAGES_READ))))
}

/// What makes vectors of texts, if anything does.
fn embedder(config: &Config) -> Result<Option<Embedder>, EmbeddingsConfigError> {
    let Some(mut config) = config.sources.embeddings.clone() else { return Ok(None) };
    config.read_key(|name| std::env::var(name).ok())?;
    config.open().map(Some)
}

/// What orders passages, if anything does.
fn reranker(config: &Config) -> Result<Option<Reranker>, RerankerConfigError> {
    let Some(mut config) = config.sources.reranker.clone() else { return Ok(None) };
    config.read_key(|name| std::env::var(name).ok())?;
    config.open().map(Some)
}

fn wrong(error: &impl std::fmt::Display) -> ServerError {
    ServerError::Web(error.to_string())
}

/// The limit of a body with a text of so many bytes, which may grow sixfold when JSON escapes it.
fn text_of(bytes: usize) -> DefaultBodyLimit {
    DefaultBodyLimit::max(bytes.saturating_mul(6).saturating_add(BODY_LIMIT))
}

/// Every address of the server, on one screen.
fn router(app: App) -> Router {
    use routes::{
        chat, collections, conversations, events, exports, files, generations, health, highlight,
        imports, models, prompts, queue, search, session, shares, uploads,
    };
    let http = app.config.http.clone();
    let (lifecycle, patience) = (app.lifecycle.clone(), app.patience);
    let file_bytes = usize::try_from(app.config.sources.limits().bytes).unwrap_or(usize::MAX);
    // With fields before it and behind it.
    let a_file = DefaultBodyLimit::max(file_bytes.saturating_add(2 * BODY_LIMIT));
    let urls = limits::SOURCES.max(limits::COLLECTION_URLS) * limits::URL_BYTES;
    let a_message = text_of(app.config.limits.message_bytes.get().saturating_add(urls));
    let (a_prompt, some_urls) = (text_of(limits::PROMPT_BYTES), text_of(urls));
    let some_code = text_of(limits::HIGHLIGHT_BYTES);
    Router::new()
        .route(path::DEVICE_SESSION, post(session::open))
        .route(path::DEVICE_SESSION_VALIDATE, get(session::validate))
        .route(path::LINK, post(session::link))
        .route(path::START, post(chat::start).layer(a_message))
        .route(path::CHAT, post(chat::chat).layer(a_message))
        .route(path::CHAT_ALIAS, post(chat::chat).layer(a_message))
        .route(path::CONVERSATIONS, get(conversations::list).delete(conversations::delete_all))
        .route(
            path::CONVERSATION,
            get(conversations::get).patch(conversations::patch).delete(conversations::delete),
        )
        .route(path::EXPORT_ONE, get(exports::one))
        .route(path::EXPORT_ALL, get(exports::all))
        .route(path::IMPORTS, post(imports::begin).get(imports::list))
        .route(path::IMPORT, get(imports::get))
        .route(path::SHARES_OF, post(shares::create))
        .route(path::SHARES, get(shares::list))
        .route(path::SHARE, axum::routing::delete(shares::revoke))
        .route(path::PROMPTS, get(prompts::list))
        .route(path::PROMPT, put(prompts::put).layer(a_prompt).delete(prompts::remove))
        .route(path::FILES, post(files::upload).layer(a_file).get(files::list))
        .route(path::FILE, get(files::get).delete(files::remove))
        .route(path::FILE_CONTENT, get(files::content))
        .route(path::FILE_PASSAGES, get(files::passages))
        .route(path::UPLOAD, get(uploads::get).put(uploads::put).delete(uploads::remove))
        .route(path::COLLECTIONS, post(collections::make).layer(some_urls).get(collections::list))
        .route(
            path::COLLECTION,
            patch(collections::change)
                .layer(some_urls)
                .get(collections::get)
                .delete(collections::remove),
        )
        .route(path::COLLECTED, put(collections::add).delete(collections::take_out))
        .route(path::RESTORE, post(conversations::restore))
        .route(path::SEARCH, get(search::search))
        .route(path::HIGHLIGHT, post(highlight::highlight).layer(some_code))
        .route(path::QUEUE, get(queue::list))
        .route(path::QUEUED, patch(queue::patch).layer(a_message).delete(queue::remove))
        .route(path::REGENERATE, post(generations::regenerate))
        .route(path::GENERATION_STOP, post(generations::stop))
        .route(path::GENERATION_CONTINUE, post(generations::go_on))
        .route(path::GENERATION_EVENTS, get(events::of_generation))
        .route(path::EVENTS, get(events::of_principal))
        .route(path::MODELS, get(models::list))
        .route(path::MODELS_ALIAS, get(models::list))
        .route(path::STATS, get(models::stats))
        .route(path::PREFERENCES, post(models::prefer).delete(models::clear))
        .route(path::SOCKET, any(socket::upgrade))
        .route_layer(from_fn_with_state(app.clone(), refuse_foreign_pages))
        .route(path::SHARED_STYLE, get(shares::style))
        .route(path::SHARED, get(shares::page))
        .route(path::HEALTH, get(health::alive))
        .route(path::READY, get(health::ready))
        .fallback(page)
        .method_not_allowed_fallback(wrong_method)
        .with_state(app)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(patience, serving::hurry))
        .layer(from_fn(error::render_errors))
        .layer(guard::cors(&http))
        .layer(from_fn_with_state(HostRules::new(&http), guard::host))
        .layer(from_fn_with_state(SecurityHeaders::new(&http), guard::security_headers))
        .layer(from_fn(guard::request_id))
        .layer(from_fn_with_state(lifecycle, part))
}

/// While draining a connection ends with its answer: who keeps it would lose what is sent next.
async fn part(State(lifecycle): State<Lifecycle>, request: Request, next: Next) -> Response {
    let keeps = request.version() == Version::HTTP_11;
    let mut response = next.run(request).await;
    let upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    if keeps && !upgraded && lifecycle.is_draining() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A page of another origin does not call for a person, whatever it carries.
async fn refuse_foreign_pages(State(app): State<App>, request: Request, next: Next) -> Response {
    if app.origins.allow(request.headers(), false) {
        return next.run(request).await;
    }
    ApiError::new(
        ErrorCode::Forbidden,
        "Pages of another origin may not call this server. The operator can allow one in \
         http.cors_origins.",
    )
    .into_response()
}

/// The web app, or a refusal that says that nothing is there.
async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    assets::serve(&method, uri.path(), &headers)
        .unwrap_or_else(|| ApiError::not_found("address").into_response())
}

async fn wrong_method(method: Method) -> ApiError {
    ApiError {
        status: StatusCode::METHOD_NOT_ALLOWED,
        ..ApiError::bad_request(format!("This address does not answer {method}."))
    }
}
