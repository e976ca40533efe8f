//! HTTP/1.1 to a model server without TLS and without a proxy (RFC 9112), for the stream of an
//! answer.
//!
//! The task that wants the bytes reads the socket itself. The general client gives each connection
//! a task and two channels, which cost about as much processor time and memory for an answer as
//! everything else in this process; it is there for TLS, HTTP/2 and proxies.

mod body;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use reqwest::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Request, Response, StatusCode, Url};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use self::body::{Body, Framing};

/// The longest head of a response that is taken, in bytes.
const HEAD: usize = 64 * 1024;
const HEADERS: usize = 128;
/// What one read takes at most: about a hundred tokens.
const READ: usize = 4 * 1024;
/// Connections that are kept for one address.
const KEPT: usize = 64;

/// Calls to servers without TLS. Clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct Plain {
    user_agent: HeaderValue,
    connect: Duration,
    /// How long a connection is kept that nobody uses.
    idle: Duration,
    kept: Arc<Kept>,
}

/// Connections that can take another call, by host and port.
#[derive(Debug, Default)]
struct Kept(Mutex<HashMap<String, Vec<(TcpStream, Instant)>>>);

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlainError {
    #[error("failed to connect")]
    Connect(#[source] io::Error),
    #[error("no connection in time")]
    ConnectTimeout,
    #[error("failed to get an answer")]
    Broken(#[from] io::Error),
}

impl Plain {
    pub(crate) fn new(user_agent: &'static str, connect: Duration, idle: Duration) -> Self {
        let user_agent = HeaderValue::from_static(user_agent);
        Self { user_agent, connect, idle, kept: Arc::default() }
    }

    /// Sends a request whose body is in memory and waits for the head of the response.
    pub(crate) async fn send(&self, request: &Request) -> Result<Response, PlainError> {
        let place = place(request.url());
        let mut stream = match self.kept.take(&place, self.idle) {
            Some(stream) => stream,
            None => timeout(self.connect, connect(&place))
                .await
                .map_err(|_| PlainError::ConnectTimeout)?
                .map_err(PlainError::Connect)?,
        };
        stream.write_all(&self.written(request)).await?;
        let mut read = BytesMut::with_capacity(READ);
        let (response, framing, stays) = head(&mut stream, &mut read).await?;
        let kept = stays.then(|| (Arc::clone(&self.kept), place));
        let body = Body::new(stream, read, framing, kept);
        Ok(response.map(|()| reqwest::Body::wrap(body)).into())
    }

    /// Head and body as one write.
    fn written(&self, request: &Request) -> Vec<u8> {
        let url = request.url();
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let mut out = Vec::with_capacity(512 + body.len());
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let line = format!("{} {}{query} HTTP/1.1\r\n", request.method(), url.path());
        out.extend_from_slice(line.as_bytes());
        let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
        put(&mut out, &HOST, host.as_bytes());
        put(&mut out, &reqwest::header::USER_AGENT, self.user_agent.as_bytes());
        put(&mut out, &CONTENT_LENGTH, body.len().to_string().as_bytes());
        for (name, value) in request.headers() {
            put(&mut out, name, value.as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(body);
        out
    }
}

fn put(out: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Host and port, as one connects to them.
fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    format!("{host}:{}", url.port_or_known_default().unwrap_or(80))
}

async fn connect(place: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(place).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Reads until the head of the response is there; what follows it stays in `read`.
async fn head(
    stream: &mut TcpStream,
    read: &mut BytesMut,
) -> io::Result<(http::Response<()>, Framing, bool)> {
    loop {
        if let Some(parsed) = parse(read)? {
            // What is only on the way, as 100 Continue, is followed by the response.
            if !parsed.0.status().is_informational() {
                return Ok(parsed);
            }
            continue;
        }
        if read.len() > HEAD {
            return Err(invalid("the head of the response is too long"));
        }
        if stream.read_buf(read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Takes a head out of what was read, if all of it is there.
fn parse(read: &mut BytesMut) -> io::Result<Option<(http::Response<()>, Framing, bool)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut parsed = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = parsed.parse(read).map_err(invalid)? else {
        return Ok(None);
    };
    let status = StatusCode::from_u16(parsed.code.unwrap_or_default()).map_err(invalid)?;
    let mut map = HeaderMap::new();
    for header in parsed.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(invalid)?;
        map.append(name, HeaderValue::from_bytes(header.value).map_err(invalid)?);
    }
    let is_new = parsed.version == Some(1);
    let framing = Framing::of(status, &map)?;
    let stays = is_new && !names(&map, &CONNECTION, "close") && framing != Framing::UntilClose;
    let mut response = http::Response::new(());
    *response.status_mut() = status;
    *response.headers_mut() = map;
    let _ = read.split_to(length);
    Ok(Some((response, framing, stays)))
}

/// Whether a header's list has that word.
fn names(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|each| each.trim().eq_ignore_ascii_case(word))
}

fn invalid(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<(TcpStream, Instant)>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection on which the server has said nothing since, not even that it ends.
    fn take(&self, place: &str, idle: Duration) -> Option<TcpStream> {
        let mut kept = self.lock();
        let streams = kept.get_mut(place)?;
        while let Some((stream, since)) = streams.pop() {
            let silent = stream
                .try_read(&mut [0])
                .is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
            if silent && since.elapsed() < idle {
                return Some(stream);
            }
        }
        None
    }

    fn keep(&self, place: String, stream: TcpStream) {
        let mut kept = self.lock();
        let streams = kept.entry(place).or_default();
        if streams.len() < KEPT {
            streams.push((stream, Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::net::TcpListener;

    use super::*;

    const IDLE: Duration = Duration::from_secs(90);

    /// A server that answers the requests of each connection with these bytes, one after the
    /// other, then closes it.
    async fn server(answers: &'static [&'static [u8]]) -> (Url, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/x?y=z", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                for answer in answers {
                    let mut request = Vec::new();
                    while !request.ends_with(b"\r\n\r\nhi") {
                        if stream.read_buf(&mut request).await.unwrap() == 0 {
                            break;
                        }
                    }
                    // In small pieces, so that no part comes whole by chance.
                    for piece in answer.chunks(7) {
                        let _ = stream.write_all(piece).await;
                        tokio::task::yield_now().await;
                    }
                }
            }
        });
        (url.parse().unwrap(), connections)
    }

    fn plain() -> Plain {
        Plain::new("unbroken", Duration::from_secs(10), IDLE)
    }

    async fn call(plain: &Plain, url: &Url) -> Result<(u16, reqwest::Result<String>), PlainError> {
        let mut request = Request::new(reqwest::Method::POST, url.clone());
        *request.body_mut() = Some("hi".into());
        let response = plain.send(&request).await?;
        Ok((response.status().as_u16(), response.text().await))
    }

    const CHUNKED: &[u8] =
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n";
    const COUNTED: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone";

    #[tokio::test]
    async fn a_connection_takes_one_call_after_the_other() {
        let (url, connections) = server(&[CHUNKED, COUNTED, CHUNKED]).await;
        let plain = plain();
        for expected in [(200, "abcde"), (404, "none"), (200, "abcde")] {
            let (status, text) = call(&plain, &url).await.unwrap();
            assert_eq!((status, text.unwrap().as_str()), expected);
        }
        assert_eq!(connections.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_connection_that_the_server_ended_is_not_used_again() {
        let (url, connections) = server(&[CHUNKED]).await;
        let plain = plain();
        call(&plain, &url).await.unwrap().1.unwrap();
        // The end of the connection reaches this side at some moment; nothing tells which.
        let kept = plain.kept.lock().values_mut().next().unwrap().pop().unwrap().0;
        kept.readable().await.unwrap();
        plain.kept.keep(place(&url), kept);
        assert_eq!(call(&plain, &url).await.unwrap().1.unwrap(), "abcde");
        assert_eq!(connections.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_body_may_end_with_its_connection_where_nothing_else_says_its_end() {
        let (url, _) = server(&[b"HTTP/1.0 200 OK\r\n\r\nall of it"]).await;
        assert_eq!(call(&plain(), &url).await.unwrap().1.unwrap(), "all of it");
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_an_error() {
        let cut: &[&[u8]] = &[b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nabc"];
        let (url, _) = server(cut).await;
        assert!(call(&plain(), &url).await.unwrap().1.is_err());
        let (url, _) = server(&[b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"]).await;
        assert!(call(&plain(), &url).await.unwrap().1.is_err());
    }

    #[tokio::test]
    async fn what_is_only_on_the_way_is_no_answer() {
        let (url, _) = server(&[
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        ])
        .await;
        assert_eq!(call(&plain(), &url).await.unwrap().1.unwrap(), "ok");
    }

    #[tokio::test]
    async fn an_answer_that_is_no_http_is_an_error() {
        const OTHERS: [&[&[u8]]; 2] = [&[b"SSH-2.0-OpenSSH_9.2\r\n"], &[b""]];
        for answers in OTHERS {
            let (url, _) = server(answers).await;
            let error = call(&plain(), &url).await.unwrap_err();
            assert!(matches!(error, PlainError::Broken(_)), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_head_without_an_end_is_refused() {
        static ENDLESS: [&[u8]; 1] = [&[b'\n'; HEAD + 2]];
        let (url, _) = server(&ENDLESS).await;
        assert!(matches!(call(&plain(), &url).await, Err(PlainError::Broken(_))));
    }
}
