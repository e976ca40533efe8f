//! What keeps fetching away from this machine and from private networks.
//!
//! An address is checked where it is written (scheme, port, host), and every address that a name
//! leads to is checked where the connection is made: the client asks this resolver and connects to
//! what it answers, so there is no second look-up that could answer otherwise.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::address::is_public;
use super::settings::{Allowed, name};
use super::{FetchError, FetchSettings, SettingsError};

const PORTS: [u16; 2] = [80, 443];

/// Names that never lead to the public internet (RFC 6761, 6762, 8375, and ICANN for `internal`).
const LOCAL_NAMES: [&str; 4] = ["localhost", "local", "internal", "home.arpa"];

/// Finds the addresses of a host.
pub trait Lookup: Send + Sync + 'static {
    fn lookup(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// As the operating system finds them.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let host = host.to_owned();
        async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        }
        .boxed()
    }
}

/// The one place that says where a connection may go. A cheap handle.
#[derive(Clone)]
pub(super) struct Guard {
    allowed: Arc<Allowed>,
    ports: Arc<[u16]>,
    lookup: Arc<dyn Lookup>,
}

/// A name leads nowhere that may be fetched from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoAddress {
    #[error("the name has no address")]
    Unknown,
    #[error("the name leads to no public address")]
    NotPublic,
}

impl Guard {
    pub(super) fn new(
        settings: &FetchSettings,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, SettingsError> {
        let ports = PORTS.iter().chain(&settings.ports).copied().collect();
        Ok(Self { allowed: Arc::new(Allowed::read(&settings.allow)?), ports, lookup })
    }

    /// Whether this may be asked for at all. Of a name, only its resolution can say more.
    pub(super) fn check(&self, url: &Url) -> Result<(), FetchError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::Credentials);
        }
        let port = url.port_or_known_default().ok_or(FetchError::BadAddress)?;
        if !self.ports.contains(&port) {
            return Err(FetchError::Port { port });
        }
        // The parser has brought every spelling of an address to one of these forms.
        let is_allowed = match url.host().ok_or(FetchError::BadAddress)? {
            Host::Domain(host) => self.allows_name(host),
            Host::Ipv4(address) => self.allows(address.into()),
            Host::Ipv6(address) => self.allows(address.into()),
        };
        if is_allowed { Ok(()) } else { Err(FetchError::NotPublic { host: host_of(url) }) }
    }

    fn allows_name(&self, host: &str) -> bool {
        let bare = name(host);
        let is_local = |local: &str| {
            bare.strip_suffix(local).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        self.allowed.has_host(host) || !LOCAL_NAMES.iter().any(|local| is_local(local))
    }

    fn allows(&self, address: IpAddr) -> bool {
        is_public(address) || self.allowed.has_address(address)
    }

    /// Of the addresses of a host, those that a connection may go to.
    async fn addresses(self, host: String) -> Result<Vec<IpAddr>, NoAddress> {
        let found = self.lookup.lookup(&host).await.map_err(|_| NoAddress::Unknown)?;
        if found.is_empty() {
            return Err(NoAddress::Unknown);
        }
        let is_allowed_host = self.allowed.has_host(&host);
        let may = |address: &IpAddr| is_allowed_host || self.allows(*address);
        let allowed: Vec<_> = found.into_iter().filter(may).collect();
        if allowed.is_empty() { Err(NoAddress::NotPublic) } else { Ok(allowed) }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = self.clone().addresses(name.as_str().to_owned());
        async move {
            // Port 0 stands for the one of the URL.
            let found = addresses.await?.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(found) as Addrs)
        }
        .boxed()
    }
}

/// The host as a person may see it.
pub(super) fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}
