//! Pages of the internet, fetched without ever touching this machine or a private network.
//!
//! Every request goes through `Fetcher::step`, which asks the `guard`; redirects are followed by
//! hand, so each of their targets is checked as the first address was. No proxy, no cookies, no
//! referer; what the page may be and how large is checked before it is read.

mod address;
pub(crate) mod body;
mod error;
mod guard;
mod robots;
mod settings;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use encoding_rs::Encoding;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Client, Response, redirect};
use tracing::warn;
use url::Url;

pub use address::is_public;
pub use error::{FetchError, SettingsError};
pub use guard::{Lookup, SystemLookup};
pub use settings::FetchSettings;

use body::{Excess, NoBody};
use guard::{Guard, NoAddress, host_of};
use robots::Sites;

/// How this program names itself to sites.
pub(crate) const USER_AGENT: &str =
    concat!("unbroken/", env!("CARGO_PKG_VERSION"), " (reads a page that a person asked about)");

const CONNECT: Duration = Duration::from_secs(5);
const REDIRECTS: usize = 5;
const ACCEPTED: &str = "text/html, application/xhtml+xml, text/*;q=0.9, application/pdf;q=0.8";

/// What a site sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Where it was in the end.
    pub url: Url,
    pub media: Media,
    /// Unpacked, and in UTF-8 when the site names another character encoding.
    pub bytes: Vec<u8>,
}

/// The kinds of what can be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    Html,
    /// Every other `text/*`.
    Text,
    Pdf,
}

/// Fetches pages. It keeps connections and what sites ask of programs; one serves all.
pub struct Fetcher {
    client: Client,
    guard: Guard,
    sites: Sites,
    patience: Duration,
    max_bytes: usize,
}

/// What one request led to.
enum Step {
    Onward(Url),
    There(Response),
}

impl Fetcher {
    pub fn new(settings: &FetchSettings) -> Result<Self, SettingsError> {
        Self::with_lookup(settings, Arc::new(SystemLookup))
    }

    /// With another way to find the addresses of hosts.
    pub fn with_lookup(
        settings: &FetchSettings,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, SettingsError> {
        let guard = Guard::new(settings, lookup)?;
        Ok(Self {
            client: build(&guard),
            guard,
            sites: Sites::default(),
            patience: Duration::from_secs(settings.seconds),
            max_bytes: settings.max_bytes,
        })
    }

    /// Fetches a page, a text or a PDF. Ends within the time of the settings.
    pub async fn fetch(&self, address: &str) -> Result<Fetched, FetchError> {
        let url = Url::parse(address).map_err(|_| FetchError::BadAddress)?;
        let host = host_of(&url);
        let fetched = tokio::time::timeout(self.patience, self.follow(url)).await;
        fetched.unwrap_or(Err(FetchError::TooSlow { host }))
    }

    async fn follow(&self, mut url: Url) -> Result<Fetched, FetchError> {
        for _ in 0..=REDIRECTS {
            self.guard.check(&url)?;
            self.ask_robots(&url).await?;
            match self.step(&url).await? {
                Step::Onward(next) => url = next,
                Step::There(response) => return self.read(url, response).await,
            }
        }
        Err(FetchError::TooManyRedirects)
    }

    /// One request, to where the guard lets it go.
    async fn step(&self, url: &Url) -> Result<Step, FetchError> {
        self.guard.check(url)?;
        let sent = self.client.get(url.clone()).send().await;
        let response = sent.map_err(|error| unanswered(&error, url))?;
        let leads_on = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
        match response.headers().get(LOCATION) {
            Some(place) if leads_on => Ok(Step::Onward(resolve(url, place)?)),
            _ => Ok(Step::There(response)),
        }
    }

    async fn read(&self, url: Url, response: Response) -> Result<Fetched, FetchError> {
        let status = response.status();
        if !status.is_success() {
            return Err(FetchError::Status { host: host_of(&url), status: status.as_u16() });
        }
        let (media, charset) = media(response.headers())?;
        let read = body::read(response, self.max_bytes, Excess::Refused).await;
        let bytes = read.map_err(|error| match error {
            NoBody::TooLarge => FetchError::TooLarge { limit: self.max_bytes },
            NoBody::Damaged => FetchError::Damaged,
            NoBody::Broken => FetchError::Unreachable { host: host_of(&url) },
        })?;
        let bytes = match charset {
            // Whatever the site says, what is UTF-8 is hardly anything else.
            Some(charset) if str::from_utf8(&bytes).is_err() => {
                charset.decode(&bytes).0.into_owned().into_bytes()
            }
            _ => bytes,
        };
        Ok(Fetched { url, media, bytes })
    }
}

/// Bodies are unpacked here, by [`body`], which knows the limit.
fn build(guard: &Guard) -> Client {
    // Another part of the process may have installed a provider already; either will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let headers = HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static(ACCEPTED)),
        (ACCEPT_ENCODING, HeaderValue::from_static("gzip")),
    ]);
    let configured = || {
        Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(headers.clone())
            .dns_resolver(guard.clone())
            .no_proxy()
            .referer(false)
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
    };
    configured().build().unwrap_or_else(|error| {
        warn!(%error, "no certificates of the system: pages over https cannot be fetched");
        configured().tls_certs_only([]).build().expect("a client without certificates builds")
    })
}

fn resolve(url: &Url, place: &HeaderValue) -> Result<Url, FetchError> {
    let place = str::from_utf8(place.as_bytes()).map_err(|_| FetchError::BadAddress)?;
    url.join(place).map_err(|_| FetchError::BadAddress)
}

fn unanswered(error: &reqwest::Error, url: &Url) -> FetchError {
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref() {
            Some(NoAddress::NotPublic) => return FetchError::NotPublic { host: host_of(url) },
            Some(NoAddress::Unknown) => return FetchError::NoSuchHost { host: host_of(url) },
            None => cause = error.source(),
        }
    }
    FetchError::Unreachable { host: host_of(url) }
}

/// What is sent, and the character encoding that the site names for it.
fn media(headers: &HeaderMap) -> Result<(Media, Option<&'static Encoding>), FetchError> {
    let value = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let value = String::from_utf8_lossy(value).to_ascii_lowercase();
    let mut parts = value.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    let media = match media_type {
        "text/html" | "application/xhtml+xml" => Media::Html,
        "application/pdf" => Media::Pdf,
        _ if media_type.starts_with("text/") => Media::Text,
        _ => return Err(FetchError::MediaType { media_type: media_type.to_owned() }),
    };
    let charset = parts.find_map(|part| part.strip_prefix("charset="));
    let charset = charset.filter(|_| media != Media::Pdf);
    Ok((
        media,
        charset.and_then(|name| Encoding::for_label(name.trim_matches(['"', '\'']).as_bytes())),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Result<(Media, Option<&'static Encoding>), FetchError> {
        media(&HeaderMap::from_iter([(CONTENT_TYPE, value.parse().unwrap())]))
    }

    #[test]
    fn pages_texts_and_pdfs_are_taken_and_nothing_else() {
        assert_eq!(of("text/html"), Ok((Media::Html, None)));
        let named = Some(encoding_rs::WINDOWS_1252);
        assert_eq!(of("Text/HTML; charset=\"Windows-1252\""), Ok((Media::Html, named)));
        assert_eq!(of("application/xhtml+xml;x=y"), Ok((Media::Html, None)));
        assert_eq!(of("text/markdown"), Ok((Media::Text, None)));
        assert_eq!(of("application/pdf"), Ok((Media::Pdf, None)));
        for refused in ["image/png", "application/octet-stream", "", "textual/html", "video/mp4"] {
            assert!(of(refused).is_err(), "{refused}");
        }
        assert!(media(&HeaderMap::new()).is_err());
    }

    #[test]
    fn an_error_is_one_sentence() {
        let host = || "a.example".to_owned();
        for error in [
            FetchError::BadAddress,
            FetchError::Port { port: 22 },
            FetchError::NotPublic { host: host() },
            FetchError::Status { host: host(), status: 404 },
            FetchError::Robots { host: host() },
        ] {
            let text = error.to_string();
            assert!(text.ends_with('.') && !text.contains(". "), "{text}");
        }
    }
}
