//! Where a server is.

use std::io;

use tokio::net::TcpStream;

use super::LoadError;

/// `http://host:port/path`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// `host:port`
    pub(super) host: String,
    pub(super) port: u16,
    /// What stands before every path; without a slash at its end.
    pub(super) path: String,
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, LoadError> {
        let bad = || LoadError::Address(url.to_owned());
        let rest = url.strip_prefix("http://").ok_or_else(bad)?;
        let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let port = match host.rsplit_once(':') {
            Some((name, port)) if !name.is_empty() => port.parse().map_err(|_| bad())?,
            None if !host.is_empty() => 80,
            _ => return Err(bad()),
        };
        let host = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
        Ok(Self { host, port, path: path.trim_end_matches('/').to_owned() })
    }

    pub(super) async fn connect(&self) -> Result<TcpStream, LoadError> {
        let stream = async {
            let stream = TcpStream::connect(&self.host).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        };
        let to = || self.host.clone();
        stream.await.map_err(|error: io::Error| LoadError::Connect { to: to(), error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_or_refused() {
        let address = |host: &str, port, path: &str| {
            Ok(Address { host: host.into(), port, path: path.into() })
        };
        for (url, expected) in [
            ("http://127.0.0.1:8484", address("127.0.0.1:8484", 8484, "")),
            ("http://127.0.0.1:9100/v1/", address("127.0.0.1:9100", 9100, "/v1")),
            ("http://localhost", address("localhost:80", 80, "")),
            ("https://chat.example", Err(())),
            ("http://host:many", Err(())),
            ("http://:80", Err(())),
            ("http://", Err(())),
        ] {
            assert_eq!(Address::parse(url).map_err(drop), expected, "{url}");
        }
    }
}
