//! Which providers there are: from the configuration, the environment, this machine, and the
//! built-in one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use unbroken_providers::discover::{from_environment, local_candidates, not_yet_configured};
use unbroken_providers::{
    Catalogue, CatalogueSettings, ConfigError, Http, Provider, ProviderConfig, Quotes,
};

use crate::config::Config;

/// How often providers are asked for their models.
const REFRESH: Duration = Duration::from_secs(30);
/// How long a start waits for the first answers: model servers near by are in the catalogue before
/// the first person is.
const FIRST_LOOK: Duration = Duration::from_millis(500);

/// The catalogue of all providers, after a first short look at them.
pub(crate) async fn catalogue(config: &Config, own: SocketAddr) -> Result<Catalogue, ConfigError> {
    let env = |name: &str| std::env::var(name).ok();
    let http = Http::new();
    let mut configured = config.providers.clone();
    for provider in &mut configured {
        provider.read_key(env)?;
    }
    let mut candidates = Vec::new();
    if config.models.discover {
        configured.extend(not_yet_configured(from_environment(env), &configured));
        candidates = not_yet_configured(local_candidates(Some(own)), &configured);
    }
    let open = |providers: Vec<ProviderConfig>| -> Result<Vec<Arc<dyn Provider>>, ConfigError> {
        providers.into_iter().map(|provider| provider.open(&http)).collect()
    };
    let mut providers = open(configured)?;
    providers.push(Arc::new(Quotes::new()));
    let settings =
        CatalogueSettings { default_model: config.models.default.clone(), refresh: REFRESH };
    let catalogue = Catalogue::new(providers, settings).with_candidates(open(candidates)?);
    let _ = tokio::time::timeout(FIRST_LOOK, catalogue.refresh()).await;
    Ok(catalogue)
}
