//! What of a page is taken, and how long it may take.

use axum::http::StatusCode;
use axum::http::header::{COOKIE, REFERER, USER_AGENT};
use axum::response::{IntoResponse, Response};
use unbroken_sources::fetch::{FetchError, FetchSettings, Media};

use crate::site::{SITE, Script, Site, fetcher};

fn host() -> String {
    SITE.to_owned()
}

#[tokio::test]
async fn a_page_comes_with_its_kind_and_where_it_was() {
    let site = Site::start().await;
    let outcome = site.fetcher().fetch(&site.leads_to("/page#part")).await.unwrap();
    assert_eq!(outcome.url.as_str(), site.url("/page#part"));
    assert_eq!(outcome.media, Media::Html);
    assert_eq!(outcome.bytes, b"<p>A page");
    let pdf = site.fetcher().fetch(&site.url("/pdf")).await.unwrap();
    assert_eq!((pdf.media, &pdf.bytes[..]), (Media::Pdf, &b"%PDF-1.7"[..]));
}

#[tokio::test]
async fn a_request_tells_who_asks_and_nothing_else() {
    let site = Site::start().await;
    site.fetcher().fetch(&site.leads_to("/page")).await.unwrap();
    for head in site.asked.heads() {
        assert!(head[USER_AGENT].to_str().unwrap().starts_with("unbroken/"));
        assert!(head.get(REFERER).is_none() && head.get(COOKIE).is_none());
    }
}

#[tokio::test]
async fn five_redirects_are_followed_and_no_more() {
    let site = Site::start().await;
    assert!(site.fetcher().fetch(&site.url("/hops/4")).await.is_ok());
    for path in ["/hops/5", "/loop"] {
        let outcome = site.fetcher().fetch(&site.url(path)).await;
        assert_eq!(outcome, Err(FetchError::TooManyRedirects), "{path}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read_to_its_end() {
    let site = Site::start().await;
    let limit = 1_999;
    let fetcher =
        fetcher(&FetchSettings { max_bytes: limit, ..site.settings() }, Script::with_site());
    for path in ["/large", "/unsaid", "/endless", "/bomb"] {
        let outcome = fetcher.fetch(&site.url(path)).await;
        assert_eq!(outcome, Err(FetchError::TooLarge { limit }), "{path}");
    }
}

#[tokio::test]
async fn a_body_as_large_as_the_limit_is_taken() {
    let site = Site::start().await;
    let settings = FetchSettings { max_bytes: 2_000, ..site.settings() };
    let fetcher = fetcher(&settings, Script::with_site());
    for path in ["/large", "/unsaid"] {
        assert_eq!(fetcher.fetch(&site.url(path)).await.unwrap().bytes.len(), 2_000, "{path}");
    }
}

#[tokio::test]
async fn a_bomb_of_gzip_does_not_go_off() {
    let site = Site::start().await;
    let outcome = site.fetcher().fetch(&site.url("/bomb")).await;
    assert_eq!(outcome, Err(FetchError::TooLarge { limit: 5_000_000 }));
}

#[tokio::test]
async fn gzip_is_unpacked_and_nothing_else_is() {
    let site = Site::start().await;
    let fetcher = site.fetcher();
    assert_eq!(fetcher.fetch(&site.url("/packed")).await.unwrap().bytes, b"<p>A page");
    for path in ["/broken-gzip", "/cut-gzip", "/brotli", "/twice"] {
        assert_eq!(fetcher.fetch(&site.url(path)).await, Err(FetchError::Damaged), "{path}");
    }
}

#[tokio::test]
async fn a_site_that_takes_too_long_is_left() {
    let site = Site::start().await;
    let settings = FetchSettings { seconds: 1, ..site.settings() };
    let fetcher = fetcher(&settings, Script::with_site());
    for path in ["/slow", "/silent"] {
        let outcome = fetcher.fetch(&site.url(path)).await;
        assert_eq!(outcome, Err(FetchError::TooSlow { host: host() }), "{path}");
    }
}

#[tokio::test]
async fn what_is_no_page_is_said() {
    let site = Site::start().await;
    let fetcher = site.fetcher();
    let media_type = "image/png".to_owned();
    let image = fetcher.fetch(&site.url("/image")).await;
    assert_eq!(image, Err(FetchError::MediaType { media_type }));
    let absent = fetcher.fetch(&site.url("/absent")).await;
    assert_eq!(absent, Err(FetchError::Status { host: host(), status: 404 }));
    assert_eq!(fetcher.fetch("example.org").await, Err(FetchError::BadAddress));
}

fn rules(text: &'static str) -> impl Fn() -> Response + Clone + Send + Sync + 'static {
    move || text.into_response()
}

#[tokio::test]
async fn robots_are_obeyed_and_asked_for_once() {
    let site = Site::with_robots(rules(
        "User-agent: *\nDisallow: /\n\nUser-agent: Unbroken\nDisallow: /pdf\nAllow: /",
    ))
    .await;
    let fetcher = site.fetcher();
    assert!(fetcher.fetch(&site.url("/page")).await.is_ok());
    let forbidden = Err(FetchError::Robots { host: host() });
    assert_eq!(fetcher.fetch(&site.url("/pdf")).await, forbidden);
    assert_eq!(fetcher.fetch(&site.leads_to("/pdf")).await, forbidden);
    assert_eq!(site.asked.paths(), ["/robots.txt", "/page", "/leads"]);
}

#[tokio::test]
async fn a_site_that_cannot_tell_its_rules_is_not_read() {
    let site = Site::with_robots(|| StatusCode::BAD_GATEWAY.into_response()).await;
    let fetcher = site.fetcher();
    for _ in 0..2 {
        let outcome = fetcher.fetch(&site.url("/page")).await;
        assert_eq!(outcome, Err(FetchError::NoRobots { host: host() }));
    }
    // It is asked again the next time.
    assert_eq!(site.asked.paths(), ["/robots.txt", "/robots.txt"]);
}

#[tokio::test]
async fn endless_robots_are_read_as_far_as_the_limit() {
    let text = format!("User-agent: *\nDisallow: /pdf\n{}", "#\n".repeat(1_000_000));
    let site = Site::with_robots(move || text.clone().into_response()).await;
    let fetcher = site.fetcher();
    assert!(fetcher.fetch(&site.url("/page")).await.is_ok());
    let outcome = fetcher.fetch(&site.url("/pdf")).await;
    assert_eq!(outcome, Err(FetchError::Robots { host: host() }));
}
