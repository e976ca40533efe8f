//! HTTP to what an operator names: a search engine, a server of embeddings, a reranker.

use std::error::Error as _;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, RequestBuilder, StatusCode, redirect};
use tracing::{debug, warn};
use url::{Host, Url};

use crate::Secret;
use crate::fetch::body::{self, Excess};
use crate::fetch::{USER_AGENT, is_public};

/// Why a server that was named did not answer with success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Unreachable,
    Key,
    TooMany,
    Status(u16),
    /// Its answer is larger than it may be, or not whole.
    Unread,
}

/// What the server answers, `limit` bytes at most.
pub(crate) async fn answer(call: RequestBuilder, limit: usize) -> Result<Vec<u8>, Trouble> {
    let response = call.send().await.map_err(|error| {
        // The address may hold a password.
        let error = error.without_url();
        debug!(%error, cause = error.source(), "a server that was named cannot be reached");
        Trouble::Unreachable
    })?;
    match response.status() {
        status if status.is_success() => {}
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(Trouble::Key),
        StatusCode::TOO_MANY_REQUESTS => return Err(Trouble::TooMany),
        status => return Err(Trouble::Status(status.as_u16())),
    }
    body::read(response, limit, Excess::Refused).await.map_err(|_| Trouble::Unread)
}

/// Where requests go: `base`, with `path` after it unless it has that already. `None` for what is no
/// address of the web.
pub(crate) fn address(base: &str, path: &str) -> Option<Url> {
    let base = base.trim().trim_end_matches('/');
    let url = format!("{}{path}", base.strip_suffix(path).unwrap_or(base));
    Url::parse(&url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// The headers that carry a key, if there is one. `None` for one that cannot be sent.
pub(crate) fn bearer(key: Option<&Secret>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    if let Some(key) = key {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", key.reveal())).ok()?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Some(headers)
}

/// No redirects: they would carry the key elsewhere.
pub(crate) fn build(url: &Url) -> Client {
    // Another part of the process may have installed a provider already; either will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let configured = || {
        let client = Client::builder().user_agent(USER_AGENT).redirect(redirect::Policy::none());
        // A proxy of the environment means the world.
        if is_nearby(url) { client.no_proxy() } else { client }
    };
    configured().build().unwrap_or_else(|error| {
        warn!(%error, "no certificates of the system: nothing over https can be reached");
        configured().tls_certs_only([]).build().expect("a client without certificates builds")
    })
}

/// The beginning of a text: so many Unicode scalar values.
pub(crate) fn first(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(end, _)| &text[..end])
}

fn is_nearby(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(host)) => host == "localhost",
        Some(Host::Ipv4(address)) => !is_public(address.into()),
        Some(Host::Ipv6(address)) => !is_public(address.into()),
        None => false,
    }
}
