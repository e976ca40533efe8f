//! Calls by reqwest.

use std::sync::OnceLock;
use std::time::Duration;

use super::{Answer, Method, RestError};
use crate::native::tls;

/// Silence after which a call is given up. The blocking call sends white space every 15 s.
const SILENCE: Duration = Duration::from_mins(1);
const CONNECT: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub(super) struct Transport(reqwest::Client);

impl Transport {
    /// All share one pool of connections.
    pub(super) fn new() -> Self {
        static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
        Self(CLIENT.get_or_init(client).clone())
    }

    pub(super) async fn call(
        &self,
        method: Method,
        url: &str,
        body: Option<String>,
    ) -> Result<Answer, RestError> {
        let method = reqwest::Method::from_bytes(method.as_str().as_bytes())
            .expect("a method of the protocol is one of HTTP");
        let mut request = self.0.request(method, url).header("accept", "application/json");
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let response = request.send().await.map_err(|e| unreachable(&e))?;
        let status = response.status().as_u16();
        let body = response.text().await.map_err(|e| unreachable(&e))?;
        Ok(Answer { status, body })
    }

    /// Opens a stream of events: the status, and what follows.
    pub(super) async fn open(&self, url: &str) -> Result<(u16, Pieces), RestError> {
        let request = self.0.get(url).header("accept", "text/event-stream");
        let response = request.send().await.map_err(|e| unreachable(&e))?;
        Ok((response.status().as_u16(), Pieces(response)))
    }
}

/// A body, as it arrives. Dropping it ends the request.
pub(super) struct Pieces(reqwest::Response);

impl Pieces {
    /// The next piece; `None` at the end. Cancel safe.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, RestError> {
        let piece = self.0.chunk().await.map_err(|e| unreachable(&e))?;
        Ok(piece.map(Vec::from))
    }
}

fn client() -> reqwest::Client {
    tls::install();
    reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .build()
        .expect("a client with these options can be built")
}

/// The innermost cause: reqwest's own words repeat the address, and with it the secret.
fn unreachable(error: &reqwest::Error) -> RestError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    RestError::Unreachable(cause.to_string())
}
