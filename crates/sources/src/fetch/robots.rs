//! What sites ask of programs (RFC 9309), kept for an hour.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::StatusCode;
use robotxt::Robots;
use tokio::time::Instant;
use url::Url;

use super::body::{self, Excess};
use super::guard::host_of;
use super::{FetchError, Fetcher, REDIRECTS, Step};

/// What a site calls this program in its rules.
const PRODUCT: &str = "unbroken";
const KEPT: Duration = Duration::from_hours(1);
/// So many sites are remembered.
const SITES: usize = 1_000;

/// The rules of sites, by origin.
#[derive(Debug, Default)]
pub(super) struct Sites(Mutex<HashMap<String, Site>>);

#[derive(Clone, Debug)]
struct Site {
    rules: Arc<Robots>,
    since: Instant,
}

impl Sites {
    fn get(&self, origin: &str) -> Option<Arc<Robots>> {
        let sites = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let site = sites.get(origin).filter(|site| site.since.elapsed() < KEPT)?;
        Some(site.rules.clone())
    }

    fn keep(&self, origin: String, rules: Arc<Robots>) {
        let mut sites = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sites.len() >= SITES {
            sites.retain(|_, site| site.since.elapsed() < KEPT);
        }
        if sites.len() >= SITES {
            sites.clear();
        }
        sites.insert(origin, Site { rules, since: Instant::now() });
    }
}

impl Fetcher {
    /// Whether the site lets programs read this page. The rules are fetched as pages are.
    pub(super) async fn ask_robots(&self, url: &Url) -> Result<(), FetchError> {
        let origin = url.origin().ascii_serialization();
        let rules = if let Some(rules) = self.sites.get(&origin) {
            rules
        } else {
            let rules = Arc::new(self.robots(url).await?);
            self.sites.keep(origin, rules.clone());
            rules
        };
        if rules.is_url_allowed(url) {
            Ok(())
        } else {
            Err(FetchError::Robots { host: host_of(url) })
        }
    }

    async fn robots(&self, page: &Url) -> Result<Robots, FetchError> {
        let unknown = || FetchError::NoRobots { host: host_of(page) };
        let mut url = page.join("/robots.txt").map_err(|_| FetchError::BadAddress)?;
        for hop in 0..=REDIRECTS {
            let step = self.step(&url).await;
            // Of the site itself, the reason says more.
            match if hop == 0 { step? } else { step.map_err(|_| unknown())? } {
                Step::Onward(next) => url = next,
                Step::There(response) if response.status().is_success() => {
                    let file = body::read(response, robotxt::BYTE_LIMIT, Excess::Cut).await;
                    return Ok(Robots::parse(&file.map_err(|_| unknown())?, PRODUCT));
                }
                Step::There(response) if is_absent(response.status()) => break,
                Step::There(_) => return Err(unknown()),
            }
        }
        Ok(Robots::allow_all())
    }
}

/// The site has no rules, as opposed to being unable to tell them.
fn is_absent(status: StatusCode) -> bool {
    status.is_client_error()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn rules_are_kept_for_an_hour() {
        let sites = Sites::default();
        sites.keep("https://a.example".to_owned(), Arc::new(Robots::allow_all()));
        tokio::time::advance(Duration::from_mins(59)).await;
        assert!(sites.get("https://a.example").is_some());
        assert!(sites.get("http://a.example").is_none());
        tokio::time::advance(Duration::from_mins(1)).await;
        assert!(sites.get("https://a.example").is_none());
    }

    #[test]
    fn no_more_sites_are_remembered_than_the_limit() {
        let sites = Sites::default();
        for i in 0..=SITES * 2 {
            sites.keep(i.to_string(), Arc::new(Robots::allow_all()));
        }
        assert!(sites.0.lock().unwrap().len() <= SITES);
    }
}
