//! The HTTP clients that all providers share: one connection pool for the world, one for this
//! machine.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Url, redirect};
use tracing::warn;

const CONNECT: Duration = Duration::from_secs(10);
const IDLE_CONNECTION: Duration = Duration::from_secs(90);

/// A cheap handle of the shared clients.
#[derive(Clone, Debug)]
pub struct Http {
    world: Client,
    /// Never through a proxy: `HTTP_PROXY` of the environment means the world.
    machine: Client,
}

impl Http {
    pub fn new() -> Self {
        // Another part of the process may have installed a provider already; either will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { world: build(Client::builder), machine: build(|| Client::builder().no_proxy()) }
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
            .user_agent(concat!("unbroken/", env!("CARGO_PKG_VERSION")))
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
