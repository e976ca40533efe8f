//! The address as a browser uses it: first a page, then a socket that speaks.

use std::error::Error as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::{Client, StatusCode, header, redirect};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;
use unbroken_protocol::path;

use super::Finding;
use crate::config::Http;

const ADDRESS: &str = "address";
const SOCKET: &str = "socket";
/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The key of the example in RFC 6455, section 1.3: any will do.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// Opens the address when a server is there to answer.
pub(super) async fn examine(http: &Http, holder: Option<u32>) -> Vec<Finding> {
    if holder.is_none() {
        let sentence = "No server runs on the data folder: start `unbroken serve` and ask again.";
        return vec![Finding::warning(ADDRESS, sentence)];
    }
    let base = match &http.public_url {
        Some(url) => url.to_string(),
        None if http.listen.port() == 0 => {
            let sentence = "The server chose its port itself: ask again with --listen and the \
                            address that it printed at its start.";
            return vec![Finding::warning(ADDRESS, sentence)];
        }
        None => format!("http://{}", reachable(http.listen)),
    };
    let client = match client() {
        Ok(client) => client,
        Err(error) => {
            return vec![Finding::failed(ADDRESS, format!("No HTTP client starts: {error}."))];
        }
    };
    let page = examine_page(&client, &base, http.listen).await;
    if let Err(finding) = page {
        return vec![finding];
    }
    let socket = examine_socket(&client, &base).await;
    let found = [page, socket].into_iter().map(|found| found.unwrap_or_else(|failed| failed));
    found.collect()
}

/// Where a browser on this machine finds a server that listens at `listen`.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn client() -> reqwest::Result<Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        // HTTP/2 has no upgrade.
        .http1_only()
        .redirect(redirect::Policy::none())
        .connect_timeout(PATIENCE)
        .build()
}

type Found = Result<Finding, Finding>;

async fn examine_page(client: &Client, base: &str, listen: SocketAddr) -> Found {
    let failed = |sentence: String| Err(Finding::failed(ADDRESS, sentence));
    let url = format!("{base}{}", path::HEALTH);
    let reply = match client.get(&url).timeout(PATIENCE).send().await {
        Ok(reply) => reply,
        Err(error) => {
            return failed(format!(
                "{base} does not answer ({}): check the name, the certificate and the firewall, \
                 and that a proxy there passes on to {listen}.",
                cause(&error)
            ));
        }
    };
    let status = reply.status();
    let target = reply.headers().get(header::LOCATION).cloned();
    let health: Value = reply.json().await.unwrap_or_default();
    match status {
        StatusCode::OK if health["status"] == "ok" => {
            Ok(Finding::ok(ADDRESS, format!("{base} answers.")))
        }
        StatusCode::OK => failed(format!(
            "Something else than Unbroken answers at {base}: let the proxy pass every path on to \
             {listen}."
        )),
        StatusCode::MISDIRECTED_REQUEST => failed(format!(
            "{base} reaches the server under another name: let the proxy keep the Host header, or \
             set http.public_url to the address that people type."
        )),
        _ if status.is_redirection() => failed(format!(
            "{base} sends browsers on to {}: set http.public_url to the address at the end.",
            target.as_ref().and_then(|target| target.to_str().ok()).unwrap_or("another address")
        )),
        _ if status.is_server_error() => failed(format!(
            "{base} answers with {status}: the proxy does not reach the server, let it pass on to \
             {listen}."
        )),
        _ => failed(format!(
            "{base} answers with {status}: let the proxy pass every path on to {listen}."
        )),
    }
}

async fn examine_socket(client: &Client, base: &str) -> Found {
    let failed = |sentence: String| Err(Finding::failed(SOCKET, sentence));
    let url = format!("{base}{}", path::SOCKET);
    let upgrade = client
        .get(&url)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, KEY)
        .header(header::ORIGIN, base);
    let reply = match timeout(PATIENCE, upgrade.send()).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(error)) => {
            return failed(format!("{url} breaks off ({}). {}", cause(&error), let_through()));
        }
        Err(_) => return failed(format!("{url} does not answer. {}", let_through())),
    };
    match reply.status() {
        StatusCode::SWITCHING_PROTOCOLS => {}
        StatusCode::FORBIDDEN => {
            return failed(format!(
                "{url} refuses its own page: let the proxy keep the Host header (nginx: \
                 proxy_set_header Host $host), and set http.public_url to the address that people \
                 type."
            ));
        }
        status => {
            return failed(format!("{url} answers with {status}, no socket. {}", let_through()));
        }
    }
    let greeting = timeout(PATIENCE, async {
        let mut socket = reply.upgrade().await.ok()?;
        first_text(&mut socket).await
    });
    let greeting = greeting.await.ok().flatten().unwrap_or_default();
    let event: Value = serde_json::from_slice(&greeting).unwrap_or_default();
    if event["type"] == "connection_established" {
        return Ok(Finding::ok(SOCKET, format!("{url} opens and speaks.")));
    }
    failed(format!(
        "{url} opens, but nothing comes through: let the proxy pass frames on without holding them \
         back."
    ))
}

/// What to tell a proxy that blocks the socket.
fn let_through() -> &'static str {
    "People get their answers by slower means. Let the proxy pass WebSockets on (nginx: \
     proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \
     \"upgrade\"; proxy_read_timeout 1h)."
}

/// The first frame of a server, when it is one whole text (RFC 6455, section 5.2).
async fn first_text(socket: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    const WHOLE_TEXT: u8 = 0x81;
    if socket.read_u8().await.ok()? != WHOLE_TEXT {
        return None;
    }
    let length = match socket.read_u8().await.ok()? {
        126 => socket.read_u16().await.ok()?,
        short @ ..126 => short.into(),
        _ => return None,
    };
    let mut text = vec![0; length.into()];
    socket.read_exact(&mut text).await.ok()?;
    Some(text)
}

/// The innermost reason: the outer ones only say that a request failed.
fn cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    cause.map_or_else(|| error.to_string(), ToString::to_string)
}
