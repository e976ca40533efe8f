//! `unbroken doctor`: looks at everything that an answer needs, and says what to mend.

mod address;
mod files;
mod folder;

use std::fmt;

use unbroken_providers::{Health, ProviderStatus};

use crate::config::{Config, ConfigError, Loaded};
use crate::providers;

/// What a check found, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub outcome: Outcome,
    /// What was looked at: `data folder`.
    pub about: String,
    /// What was found, and where something is to be done, what.
    pub sentence: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    Warning,
    Failed,
}

impl Finding {
    fn new(outcome: Outcome, about: &str, sentence: impl Into<String>) -> Self {
        Self { outcome, about: about.to_owned(), sentence: sentence.into() }
    }

    fn ok(about: &str, sentence: impl Into<String>) -> Self {
        Self::new(Outcome::Ok, about, sentence)
    }

    fn warning(about: &str, sentence: impl Into<String>) -> Self {
        Self::new(Outcome::Warning, about, sentence)
    }

    fn failed(about: &str, sentence: impl Into<String>) -> Self {
        Self::new(Outcome::Failed, about, sentence)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match self.outcome {
            Outcome::Ok => "ok",
            Outcome::Warning => "warning",
            Outcome::Failed => "failed",
        };
        write!(f, "{outcome:<8} {}: {}", self.about, self.sentence)
    }
}

/// Looks at everything. Without a configuration there is nothing else to look at.
pub async fn examine(loaded: Result<Loaded, ConfigError>) -> Vec<Finding> {
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(error) => return vec![Finding::failed("configuration", format!("{error}."))],
    };
    let mut findings = configuration(&loaded);
    let config = &loaded.config;
    let (holder, found) = folder::examine(&config.store.data_dir);
    findings.extend(found);
    findings.push(folder::examine_store(&config.store.data_dir, holder).await);
    findings.push(files::examine(config).await);
    findings.extend(models(config).await);
    findings.extend(address::examine(&config.http, holder).await);
    findings
}

fn configuration(loaded: &Loaded) -> Vec<Finding> {
    let warnings = loaded.check();
    if warnings.is_empty() {
        return vec![Finding::ok("configuration", "It holds.")];
    }
    let finding = |warning| Finding::warning("configuration", format!("{warning}."));
    warnings.into_iter().map(finding).collect()
}

async fn models(config: &Config) -> Vec<Finding> {
    let catalogue = match providers::catalogue(config, config.http.listen).await {
        Ok(catalogue) => catalogue,
        Err(error) => return vec![Finding::failed("providers", format!("{error}."))],
    };
    // The first look is short, for a start that does not wait.
    catalogue.refresh().await;
    catalogue.providers().iter().map(provider).collect()
}

fn provider(status: &ProviderStatus) -> Finding {
    let about = format!("provider {}", status.id);
    let name = &status.name;
    match &status.health {
        Health::Healthy(0) => Finding::warning(
            &about,
            format!("{name} answers but lists no model: load or pull one there."),
        ),
        Health::Healthy(models) => Finding::ok(&about, format!("{name} lists {models} model(s).")),
        Health::Unhealthy(failure) => Finding::failed(&about, failure.message.clone()),
        Health::Unknown => Finding::failed(&about, format!("{name} was not asked.")),
    }
}
