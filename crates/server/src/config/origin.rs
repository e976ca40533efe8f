//! A web origin: what a browser puts into `Origin`, and what `http.public_url` names (RFC 6454).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;
use http::uri::Authority;

/// Scheme, host and port. The host is in lower case; an IPv6 address keeps its brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: Scheme,
    host: String,
    port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected scheme and host without a path, such as \"https://chat.example.com\"")]
pub struct BadOrigin;

impl Origin {
    /// The origin of a page that this server, which speaks no TLS, gives for that `Host`.
    pub fn plain(host: &Host) -> Self {
        Self { scheme: Scheme::Http, host: host.name.clone(), port: host.port.unwrap_or(80) }
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn is_https(&self) -> bool {
        self.scheme == Scheme::Https
    }

    pub fn is_loopback(&self) -> bool {
        Host { name: self.host.clone(), port: Some(self.port) }.is_loopback()
    }
}

impl FromStr for Origin {
    type Err = BadOrigin;

    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        // `Uri` drops a fragment in silence.
        let uri: Uri = text.parse().ok().filter(|_| !text.contains('#')).ok_or(BadOrigin)?;
        let (scheme, default_port) = match uri.scheme_str() {
            Some("http") => (Scheme::Http, 80),
            Some("https") => (Scheme::Https, 443),
            _ => return Err(BadOrigin),
        };
        let host = uri.authority().and_then(Host::new).ok_or(BadOrigin)?;
        if uri.path() != "/" || uri.query().is_some() {
            return Err(BadOrigin);
        }
        Ok(Self { scheme, port: host.port.unwrap_or(default_port), host: host.name })
    }
}

/// As a browser writes it: without the port that the scheme implies.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.scheme, self.port) {
            (Scheme::Http, 80) => write!(f, "http://{}", self.host),
            (Scheme::Https, 443) => write!(f, "https://{}", self.host),
            (Scheme::Http, port) => write!(f, "http://{}:{port}", self.host),
            (Scheme::Https, port) => write!(f, "https://{}:{port}", self.host),
        }
    }
}

/// What a request says that it was sent to: the value of `Host` or `:authority`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// In lower case, without a final dot.
    pub name: String,
    pub port: Option<u16>,
}

impl Host {
    /// `None` for user information, an empty name or a port that is no port.
    pub fn new(authority: &Authority) -> Option<Self> {
        let name = authority.host();
        let port = match authority.as_str().strip_prefix(name)? {
            "" => None,
            rest => Some(rest.strip_prefix(':')?.parse().ok()?),
        };
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        (!name.is_empty()).then_some(Self { name, port })
    }

    /// The address, when the name is one and needs no resolver.
    pub fn ip(&self) -> Option<IpAddr> {
        let bare = self.name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        let ip: IpAddr = bare.unwrap_or(&self.name).parse().ok()?;
        Some(ip.to_canonical())
    }

    /// Names and addresses of this machine alone (RFC 6761, section 6.3).
    pub fn is_loopback(&self) -> bool {
        self.name == "localhost"
            || self.name.ends_with(".localhost")
            || self.ip().is_some_and(|ip| ip.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_the_scheme_is_implied() {
        for (text, written) in [
            ("https://Chat.Example.com:443/", "https://chat.example.com"),
            ("http://chat.example.com:80", "http://chat.example.com"),
            ("http://[::1]:8484", "http://[::1]:8484"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "null",
            "*",
            "chat.example.com",
            "ftp://chat.example.com",
            "https://",
            "https://u:p@chat.example.com",
            "https://chat.example.com/app",
            "https://chat.example.com?a",
            "https://chat.example.com#a",
            "https://chat.example.com:",
            "https://chat.example.com:99999",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(BadOrigin), "{text}");
        }
    }

    #[test]
    fn loopback_is_told_by_name_and_by_address() {
        let is_loopback = |text: &str| Host::new(&text.parse().unwrap()).unwrap().is_loopback();
        for text in ["localhost", "LOCALHOST.:1", "a.localhost:80", "127.9.9.9", "[::1]:8484"] {
            assert!(is_loopback(text), "{text}");
        }
        assert!(is_loopback("[::ffff:127.0.0.1]"));
        for text in ["localhost.example.com", "notlocalhost", "10.0.0.1", "[::2]", "127.0.0.1.x"] {
            assert!(!is_loopback(text), "{text}");
        }
    }
}
