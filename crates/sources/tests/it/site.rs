//! A site that pages may be fetched from, a place that must never be reached, and a resolver that
//! keeps to a script.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use unbroken_sources::fetch::{FetchSettings, Fetcher, Lookup, SystemLookup};

/// The host that settings allow; it is on this machine.
pub(crate) const SITE: &str = "site.example";

/// Answers what it is told to; the last answer stays. Other hosts are looked up in earnest.
#[derive(Default)]
pub(crate) struct Script(Mutex<HashMap<String, Vec<Vec<IpAddr>>>>);

impl Script {
    pub(crate) fn with_site() -> Self {
        Self::default().answer(SITE, &[&[Ipv4Addr::LOCALHOST.into()]])
    }

    pub(crate) fn answer(self, host: &str, answers: &[&[IpAddr]]) -> Self {
        let answers = answers.iter().rev().map(|answer| answer.to_vec()).collect();
        self.0.lock().expect("nobody panicked").insert(host.to_owned(), answers);
        self
    }
}

impl Lookup for Script {
    fn lookup(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let mut script = self.0.lock().expect("nobody panicked");
        let Some(answers) = script.get_mut(host) else { return SystemLookup.lookup(host) };
        let next = if answers.len() > 1 { answers.pop() } else { answers.first().cloned() };
        async { Ok(next.unwrap_or_default()) }.boxed()
    }
}

/// Listens on every address of this machine, and must never be connected to.
pub(crate) struct Forbidden(TcpListener);

impl Forbidden {
    pub(crate) async fn listen() -> Self {
        let anywhere = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
        if let Ok(listener) = TcpListener::bind(anywhere).await {
            return Self(listener);
        }
        Self(TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.expect("a port is free"))
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().expect("a socket has an address").port()
    }

    /// The first connection that ever comes is the one made here.
    pub(crate) async fn assert_untouched(self) {
        let own = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port())).await.expect("it listens");
        let (_, first) = self.0.accept().await.expect("somebody connects");
        assert_eq!(
            first.port(),
            own.local_addr().expect("a socket has an address").port(),
            "somebody was here before"
        );
    }
}

/// What was asked of the site: paths, and the heads of the requests.
#[derive(Clone, Default)]
pub(crate) struct Asked(Arc<Mutex<Vec<(String, HeaderMap)>>>);

impl Asked {
    pub(crate) fn paths(&self) -> Vec<String> {
        self.0.lock().expect("nobody panicked").iter().map(|(path, _)| path.clone()).collect()
    }

    pub(crate) fn heads(&self) -> Vec<HeaderMap> {
        self.0.lock().expect("nobody panicked").iter().map(|(_, head)| head.clone()).collect()
    }
}

pub(crate) struct Site {
    pub(crate) asked: Asked,
    port: u16,
    server: JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::with_robots(|| StatusCode::NOT_FOUND.into_response()).await
    }

    pub(crate) async fn with_robots(
        robots: impl Fn() -> Response + Clone + Send + Sync + 'static,
    ) -> Self {
        let asked = Asked::default();
        let routes = Router::new()
            .route("/robots.txt", get(async move || robots()))
            .fallback(answer)
            .layer(axum::middleware::from_fn_with_state(asked.clone(), note));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let port = listener.local_addr().expect("a socket has an address").port();
        let server =
            tokio::spawn(
                async move { axum::serve(listener, routes).await.expect("it never ends") },
            );
        Self { asked, port, server }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{SITE}:{}{path}", self.port)
    }

    /// The address that leads to another one.
    pub(crate) fn leads_to(&self, place: &str) -> String {
        let mut url = url::Url::parse(&self.url("/leads")).expect("it is an address");
        url.query_pairs_mut().append_pair("to", place);
        url.into()
    }

    pub(crate) fn settings(&self) -> FetchSettings {
        FetchSettings {
            allow: vec![SITE.to_owned()],
            ports: vec![self.port],
            ..FetchSettings::default()
        }
    }

    pub(crate) fn fetcher(&self) -> Fetcher {
        fetcher(&self.settings(), Script::with_site())
    }
}

pub(crate) fn fetcher(settings: &FetchSettings, script: Script) -> Fetcher {
    Fetcher::with_lookup(settings, Arc::new(script)).expect("the settings hold")
}

async fn note(
    State(asked): State<Asked>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    let noted = (request.uri().path().to_owned(), request.headers().clone());
    asked.0.lock().expect("nobody panicked").push(noted);
    next.run(request).await
}

async fn answer(uri: Uri, Query(query): Query<HashMap<String, String>>) -> Response {
    let html = [(CONTENT_TYPE, "text/html; charset=utf-8")];
    let text = [(CONTENT_TYPE, "text/plain")];
    let gzip = (CONTENT_ENCODING, "gzip");
    match uri.path() {
        "/page" => (html, "<p>A page").into_response(),
        "/closing" => (html, [(CONNECTION, "close")], "<p>A page").into_response(),
        "/packed" => (html, [gzip], packed(b"<p>A page")).into_response(),
        "/broken-gzip" => (html, [gzip], "no gzip").into_response(),
        "/cut-gzip" => (html, [gzip], packed(b"<p>A page")[..12].to_vec()).into_response(),
        "/brotli" => (html, [(CONTENT_ENCODING, "br")], "?").into_response(),
        "/twice" => (html, [(CONTENT_ENCODING, "gzip, gzip")], "?").into_response(),
        "/image" => ([(CONTENT_TYPE, "image/png")], "?").into_response(),
        "/pdf" => ([(CONTENT_TYPE, "application/pdf")], "%PDF-1.7").into_response(),
        "/large" => (text, "x".repeat(2_000)).into_response(),
        "/unsaid" => (text, Body::from_stream(endless().take(2_000))).into_response(),
        "/endless" => (text, Body::from_stream(endless())).into_response(),
        "/bomb" => (text, [gzip], packed(&vec![0; 50_000_000])).into_response(),
        "/silent" => (text, Body::from_stream(silent())).into_response(),
        "/slow" => std::future::pending().await,
        "/loop" => onward("/loop"),
        "/leads" => onward(&query["to"]),
        path if path.starts_with("/hops/") => match path["/hops/".len()..].parse::<usize>() {
            Ok(0) => onward("/page"),
            left => onward(&format!("/hops/{}", left.expect("a number of hops") - 1)),
        },
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn onward(place: &str) -> Response {
    let place = HeaderValue::from_bytes(place.as_bytes()).expect("a place is a header");
    (StatusCode::FOUND, [(LOCATION, place)]).into_response()
}

fn endless() -> impl stream::Stream<Item = Result<Bytes, Infallible>> {
    stream::repeat_with(|| Ok(Bytes::from_static(b"x")))
}

/// One byte, and then nothing, without an end.
fn silent() -> impl stream::Stream<Item = Result<Bytes, Infallible>> {
    stream::once(async { Ok(Bytes::from_static(b"x")) }).chain(stream::pending())
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    io::Write::write_all(&mut encoder, bytes).expect("a Vec takes everything");
    encoder.finish().expect("a Vec takes everything")
}
