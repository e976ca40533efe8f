//! The HTTP clients that all providers share: one connection pool for the world, one for this
//! machine, and one for calls without TLS.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Request, RequestBuilder, Response, Url, redirect};
use tracing::warn;

use crate::plain::{Plain, PlainError};

const USER_AGENT: &str = concat!("unbroken/", env!("CARGO_PKG_VERSION"));
const CONNECT: Duration = Duration::from_secs(10);
const IDLE_CONNECTION: Duration = Duration::from_secs(90);

/// A cheap handle of the shared clients.
#[derive(Clone, Debug)]
pub struct Http {
    world: Client,
    /// Never through a proxy: `HTTP_PROXY` of the environment means the world.
    machine: Client,
    plain: Plain,
    /// The environment names a proxy for the world.
    proxied: bool,
}

/// Why a call has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// No connection in time.
    Timeout,
    /// No connection.
    Refused,
    /// The connection ended before the answer's head.
    Broken,
}

impl From<reqwest::Error> for Unanswered {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_connect() {
            Self::Refused
        } else {
            Self::Broken
        }
    }
}

impl From<PlainError> for Unanswered {
    fn from(error: PlainError) -> Self {
        match error {
            PlainError::ConnectTimeout => Self::Timeout,
            PlainError::Connect(_) => Self::Refused,
            PlainError::Broken(_) => Self::Broken,
        }
    }
}

impl Http {
    pub fn new() -> Self {
        // Another part of the process may have installed a provider already; either will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            world: build(Client::builder),
            machine: build(|| Client::builder().no_proxy()),
            plain: Plain::new(USER_AGENT, CONNECT, IDLE_CONNECTION),
            proxied: names_proxy(|name| std::env::var_os(name).is_some_and(|it| !it.is_empty())),
        }
    }

    /// Sends a call of one of the clients that [`Self::for_url`] gives, by the cheapest means.
    pub(crate) async fn send(&self, call: RequestBuilder) -> Result<Response, Unanswered> {
        let (client, request) = call.build_split();
        let request = request?;
        if self.goes_plain(&request) {
            return Ok(self.plain.send(&request).await?);
        }
        Ok(client.execute(request).await?)
    }

    fn goes_plain(&self, request: &Request) -> bool {
        let url = request.url();
        url.scheme() == "http"
            && (is_loopback(url) || !self.proxied)
            && request.body().is_none_or(|body| body.as_bytes().is_some())
    }

    pub(crate) fn for_url(&self, url: &Url) -> &Client {
        if is_loopback(url) { &self.machine } else { &self.world }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

/// No total timeout: an answer may take an hour. No redirects: they would turn a POST into a GET,
/// or carry a key elsewhere.
fn build(builder: impl Fn() -> ClientBuilder) -> Client {
    let configured = || {
        builder()
            .user_agent(USER_AGENT)
            .tcp_nodelay(true)
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE_CONNECTION)
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
    };
    configured().build().unwrap_or_else(|error| {
        // A container without certificates can still speak plain HTTP to a model server.
        warn!(%error, "no certificates of the system: model servers over https cannot be reached");
        configured().tls_certs_only([]).build().expect("a client without certificates builds")
    })
}

/// Whether the environment names a proxy for calls without TLS, as reqwest understands it.
fn names_proxy(is_set: impl Fn(&str) -> bool) -> bool {
    ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"].into_iter().any(is_set)
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

/// The address as a person may see it: without credentials, query and fragment.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Both refuse only addresses that cannot have credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.as_str().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_address_has_no_credentials_and_no_query() {
        let url = Url::parse("https://me:hush@example.org:8443/v1/?key=hush#x").unwrap();
        assert_eq!(shown(&url), "https://example.org:8443/v1");
    }

    #[test]
    fn loopback_is_told_from_the_world() {
        for (address, expected) in [
            ("http://127.0.0.1:1", true),
            ("http://localhost:1", true),
            ("http://[::1]:1", true),
            ("http://127.example.org", false),
            ("https://api.openai.com", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(address).unwrap()), expected, "{address}");
        }
    }
}
