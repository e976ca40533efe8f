//! Nothing that fetches a page reaches this machine or a private network. Each test has a listener
//! on every address of this machine, and ends with the proof that nobody connected to it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::net::TcpListener;
use unbroken_sources::fetch::{FetchError, FetchSettings, Fetcher};

use crate::site::{Forbidden, SITE, Script, Site, fetcher};
use crate::spellings::{NAMES, TARGETS, addresses, hosts};

/// It may go to the site and ask for the port of the forbidden place.
fn guarded(site: &Site, forbidden: &Forbidden) -> Fetcher {
    let settings =
        FetchSettings { ports: vec![site.port(), forbidden.port()], seconds: 2, ..site.settings() };
    fetcher(&settings, Script::with_site())
}

fn is_refusal(error: &FetchError) -> bool {
    use FetchError::{BadAddress, Credentials, NotPublic};
    matches!(error, BadAddress | Credentials | NotPublic { .. })
}

#[tokio::test]
async fn no_spelling_of_a_private_address_is_fetched() {
    let (site, forbidden) = (Site::start().await, Forbidden::listen().await);
    let fetcher = guarded(&site, &forbidden);
    let mut tried = 0;
    for host in TARGETS.into_iter().flat_map(hosts).chain(NAMES.map(str::to_owned)) {
        for address in addresses(&host, forbidden.port()) {
            let error = fetcher.fetch(&address).await.expect_err(&address);
            assert!(is_refusal(&error), "{address}: {error:?}");
            tried += 1;
        }
    }
    assert!(tried > 10_000, "{tried}");
    assert!(site.asked.paths().is_empty());
    forbidden.assert_untouched().await;
}

#[tokio::test]
async fn no_redirect_leads_to_a_private_address() {
    let (site, forbidden) = (Site::start().await, Forbidden::listen().await);
    let fetcher = guarded(&site, &forbidden);
    let loopback = hosts(Ipv4Addr::LOCALHOST).into_iter().chain(NAMES.map(str::to_owned));
    let mut tried = 0;
    for host in loopback {
        for place in [
            format!("http://{host}:{}/", forbidden.port()),
            format!("//{host}:{}/", forbidden.port()),
            format!("\\\\{host}:{}/", forbidden.port()),
        ] {
            let error = fetcher.fetch(&site.leads_to(&place)).await.expect_err(&place);
            assert!(is_refusal(&error), "{place}: {error:?}");
            tried += 1;
        }
    }
    assert_eq!(site.asked.paths().iter().filter(|path| *path == "/leads").count(), tried);
    forbidden.assert_untouched().await;
}

#[tokio::test]
async fn a_redirect_to_another_scheme_or_port_is_not_followed() {
    let (site, forbidden) = (Site::start().await, Forbidden::listen().await);
    let fetcher = site.fetcher();
    for place in [
        "file:///etc/passwd",
        "ftp://site.example/",
        "gopher://127.0.0.1:70/_x",
        "data:text/html,x",
        "javascript:alert(1)",
        "ws://site.example/",
        "unix:/run/docker.sock",
        "mailto:a@site.example",
    ] {
        for address in [place.to_owned(), site.leads_to(place)] {
            assert_eq!(fetcher.fetch(&address).await, Err(FetchError::Scheme), "{address}");
        }
    }
    let port = forbidden.port();
    let place = format!("http://{SITE}:{port}/");
    assert_eq!(fetcher.fetch(&site.leads_to(&place)).await, Err(FetchError::Port { port }));
    forbidden.assert_untouched().await;
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_not_connected_to() {
    let (site, forbidden) = (Site::start().await, Forbidden::listen().await);
    let inside: [&[IpAddr]; 5] = [
        &[Ipv4Addr::LOCALHOST.into()],
        &[Ipv6Addr::LOCALHOST.into()],
        &[Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(10, 0, 0, 1).into()],
        &[Ipv4Addr::LOCALHOST.to_ipv6_mapped().into()],
        &["64:ff9b::7f00:1".parse().unwrap(), "2002:7f00:1::".parse().unwrap()],
    ];
    let settings = FetchSettings { ports: vec![forbidden.port()], ..FetchSettings::default() };
    for answer in inside {
        let script = Script::default().answer("inside.example", &[answer]);
        let host = "inside.example".to_owned();
        let address = format!("http://{host}:{}/", forbidden.port());
        let outcome = fetcher(&settings, script).fetch(&address).await;
        assert_eq!(outcome, Err(FetchError::NotPublic { host }), "{answer:?}");
    }
    drop(site);
    forbidden.assert_untouched().await;
}

#[tokio::test]
async fn a_name_that_changes_its_address_is_checked_at_every_connection() {
    let site = Site::start().await;
    // The same port, at the other address of this machine.
    let Ok(forbidden) = TcpListener::bind((Ipv6Addr::LOCALHOST, site.port())).await else { return };
    let settings = FetchSettings { allow: vec!["127.0.0.1".to_owned()], ..site.settings() };
    let script = Script::default().answer(
        "changing.example",
        &[&[Ipv4Addr::LOCALHOST.into()], &[Ipv6Addr::LOCALHOST.into()]],
    );
    let fetcher = fetcher(&settings, script);
    let host = "changing.example".to_owned();
    let address = |path: &str| format!("http://{host}:{}{path}", site.port());
    // The connection is closed after it, so that the next page needs another one.
    assert!(fetcher.fetch(&address("/closing")).await.is_ok());
    let outcome = fetcher.fetch(&address("/page")).await;
    assert_eq!(outcome, Err(FetchError::NotPublic { host: host.clone() }));
    assert_eq!(site.asked.paths(), ["/robots.txt", "/closing"]);
    let own = tokio::net::TcpStream::connect(forbidden.local_addr().unwrap()).await.unwrap();
    assert_eq!(forbidden.accept().await.unwrap().1, own.local_addr().unwrap());
}

#[tokio::test]
async fn robots_are_fetched_through_the_same_guard() {
    let forbidden = Forbidden::listen().await;
    let place = format!("http://127.0.0.1:{}/robots.txt", forbidden.port());
    let site = Site::with_robots(move || {
        let place = place.clone();
        axum::response::IntoResponse::into_response(axum::response::Redirect::to(&place))
    })
    .await;
    let outcome = guarded(&site, &forbidden).fetch(&site.url("/page")).await;
    assert_eq!(outcome, Err(FetchError::NoRobots { host: SITE.to_owned() }));
    assert_eq!(site.asked.paths(), ["/robots.txt"]);
    forbidden.assert_untouched().await;
}
