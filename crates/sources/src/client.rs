//! The HTTP client for what an operator names: a search engine, a server of embeddings.

use reqwest::{Client, redirect};
use tracing::warn;
use url::{Host, Url};

use crate::fetch::{USER_AGENT, is_public};

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

fn is_nearby(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(host)) => host == "localhost",
        Some(Host::Ipv4(address)) => !is_public(address.into()),
        Some(Host::Ipv6(address)) => !is_public(address.into()),
        None => false,
    }
}
