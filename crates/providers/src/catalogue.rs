//! Which models there are now, and which one answers (PROTOCOL A2).
//!
//! The catalogue asks its providers in the background and remembers what they said, so that a
//! choice never waits for any of them.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, join_all};
use futures_util::stream;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};
use unbroken_protocol::{ErrorCode, ModelInfo, Routing};

use crate::{EventStream, Failure, Provider, QUOTES, Request};

/// What a client sends to leave the choice to the server.
pub const BEST: &str = "best";

/// Whether a request leaves the choice of a model to the catalogue.
pub fn is_best(requested: &str) -> bool {
    matches!(requested.trim(), "" | BEST)
}

/// How long a provider may take to list its models; one that is only guessed at has less.
const LIST: Duration = Duration::from_secs(3);
const PROBE: Duration = Duration::from_secs(1);
/// How often is asked while a configured provider does not answer.
const RETRY: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub struct CatalogueSettings {
    /// `models.default` of the configuration.
    pub default_model: Option<String>,
    /// How often the providers are asked.
    pub refresh: Duration,
}

impl Default for CatalogueSettings {
    fn default() -> Self {
        Self { default_model: None, refresh: Duration::from_secs(30) }
    }
}

/// The model that answers.
#[derive(Clone)]
pub struct Choice {
    pub provider: Arc<dyn Provider>,
    /// As its provider names it.
    pub model: String,
    /// As people see it; its id is the one that was chosen.
    pub info: ModelInfo,
    /// Why this one, where the choice was left to the server.
    pub routing: Option<Routing>,
}

/// What is known of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderStatus {
    pub id: String,
    pub name: String,
    pub health: Health,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Not asked yet.
    Unknown,
    /// Lists this many models.
    Healthy(usize),
    Unhealthy(Failure),
}

/// All providers in order, with what they last said.
pub struct Catalogue {
    entries: Vec<Entry>,
    /// The models that can be chosen now, as of the last answer of any provider.
    offered: RwLock<Arc<[Offered]>>,
    settings: CatalogueSettings,
}

struct Entry {
    provider: Arc<dyn Provider>,
    standing: Standing,
    known: RwLock<Known>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Configured,
    /// May be there or not; while it does not answer nobody hears of it.
    Candidate,
    /// The built-in one, which is chosen when there is no other.
    BuiltIn,
}

#[derive(Clone, Debug)]
struct Known {
    health: Health,
    /// What it listed last, also when it does not answer any more.
    models: Arc<[ModelInfo]>,
}

/// A model with the id under which people choose it.
struct Offered {
    /// Where its provider stands.
    entry: usize,
    model: String,
    info: ModelInfo,
}

impl Catalogue {
    /// Providers in order of preference. The one that is called `quotes` comes last, wherever it
    /// stands. Nothing is known until the first [`Self::refresh`].
    pub fn new(providers: Vec<Arc<dyn Provider>>, settings: CatalogueSettings) -> Self {
        let entries = providers.into_iter().map(|provider| {
            let standing =
                if provider.id() == QUOTES { Standing::BuiltIn } else { Standing::Configured };
            Entry::new(provider, standing)
        });
        Self { entries: sorted(entries.collect()), offered: RwLock::default(), settings }
    }

    /// Adds providers that may be there or not, such as the usual ports of this machine. Nothing is
    /// offered until the next [`Self::refresh`].
    #[must_use]
    pub fn with_candidates(mut self, candidates: Vec<Arc<dyn Provider>>) -> Self {
        let candidates =
            candidates.into_iter().map(|provider| Entry::new(provider, Standing::Candidate));
        self.entries.extend(candidates);
        Self { entries: sorted(self.entries), offered: RwLock::default(), ..self }
    }

    /// Asks every provider for its models, all at once; takes at most 3 s.
    pub async fn refresh(&self) {
        let refreshed = self.entries.iter().map(|entry| async {
            entry.refresh().await;
            self.offer();
        });
        join_all(refreshed).await;
    }

    /// Refreshes for ever: as often as the settings say, every 5 s while a configured provider does
    /// not answer.
    pub async fn run(&self) {
        loop {
            self.refresh().await;
            let all_there = self.entries.iter().all(|entry| {
                entry.standing != Standing::Configured || entry.known().health.is_healthy()
            });
            let refresh = self.settings.refresh;
            sleep(if all_there { refresh } else { refresh.min(RETRY) }).await;
        }
    }

    /// The models that can be chosen now: those of the first healthy provider first, `quotes` last.
    pub fn models(&self) -> Vec<ModelInfo> {
        self.offered().iter().map(|offered| offered.info.clone()).collect()
    }

    /// What is known of the providers; candidates only while they are there.
    pub fn providers(&self) -> Vec<ProviderStatus> {
        let status = |entry: &Entry| ProviderStatus {
            id: entry.provider.id().to_owned(),
            name: entry.provider.name().to_owned(),
            health: entry.known().health,
        };
        self.entries.iter().filter(|entry| entry.counts()).map(status).collect()
    }

    /// The model that answers a request for `requested`, with the person's own preference for
    /// [`BEST`]. Always finds something that can be asked; what cannot answer says so in its stream.
    pub fn resolve(&self, requested: &str, preference: Option<&str>) -> Choice {
        let offered = self.offered();
        if !is_best(requested) {
            return self.named(&offered, requested.trim());
        }
        let wishes = [
            (preference, "your preference"),
            (self.settings.default_model.as_deref(), "the default model of this server"),
        ];
        let found = wishes.into_iter().find_map(|(id, reason)| {
            let id = id.filter(|id| !is_best(id))?.trim();
            Some((self.wished(&offered, id)?, reason.to_owned(), 1.0))
        });
        let (choice, reason, confidence) = found.unwrap_or_else(|| match offered.first() {
            Some(first) if self.entries[first.entry].standing == Standing::BuiltIn => {
                (self.choose(first), "no language model is connected".to_owned(), 1.0)
            }
            Some(first) => {
                let reason = format!("the first model of {}", first.info.provider);
                (self.choose(first), reason, 0.5)
            }
            None => (self.unlisted(BEST), "no language model is connected".to_owned(), 1.0),
        });
        let routing = Routing { selected_model: choice.info.id.clone(), reason, confidence };
        Choice { routing: Some(routing), ..choice }
    }

    /// The model of that id, wherever it is; else as [`Self::unlisted`].
    fn named(&self, offered: &[Offered], id: &str) -> Choice {
        self.listed(offered, id).unwrap_or_else(|| self.unlisted(id))
    }

    /// A preference or a default, unless it is certain that nobody has it.
    fn wished(&self, offered: &[Offered], id: &str) -> Option<Choice> {
        let may_have = |entry: &Entry| {
            let known = entry.known();
            let never_listed = !known.health.is_healthy() && known.models.is_empty();
            entry.standing == Standing::Configured && never_listed
        };
        self.listed(offered, id)
            .or_else(|| self.entries.iter().any(may_have).then(|| self.unlisted(id)))
    }

    /// The model of that id: one that is offered, `provider/model`, or one that a provider listed
    /// before it stopped to answer.
    fn listed(&self, offered: &[Offered], id: &str) -> Option<Choice> {
        if let Some(found) = offered.iter().find(|offered| offered.info.id == id) {
            return Some(self.choose(found));
        }
        let prefixed = |entry: &Entry| {
            let model = id.strip_prefix(entry.provider.id())?.strip_prefix('/')?;
            entry.model(model).map(|info| ModelInfo { id: id.to_owned(), ..info })
        };
        let with_prefix = self.entries.iter().find_map(|entry| Some((entry, prefixed(entry)?)));
        let plain = || self.entries.iter().find_map(|entry| Some((entry, entry.model(id)?)));
        with_prefix.or_else(plain).map(|(entry, info)| {
            let prefix = format!("{}/", entry.provider.id());
            let model = match entry.model(id) {
                Some(_) => id,
                None => id.strip_prefix(&prefix).unwrap_or(id),
            };
            entry.choose(model, info)
        })
    }

    /// An id that nobody lists goes as it is to the first provider.
    fn unlisted(&self, id: &str) -> Choice {
        let first =
            self.entries.iter().find(|entry| entry.standing != Standing::BuiltIn && entry.counts());
        match first {
            Some(entry) => {
                let provider = entry.provider.name().to_owned();
                entry.choose(id, ModelInfo { provider, ..bare(id) })
            }
            None => Choice {
                provider: Arc::new(Nobody),
                model: id.to_owned(),
                info: bare(id),
                routing: None,
            },
        }
    }

    fn offered(&self) -> Arc<[Offered]> {
        Arc::clone(&self.offered.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn choose(&self, offered: &Offered) -> Choice {
        self.entries[offered.entry].choose(&offered.model, offered.info.clone())
    }

    /// Offers what providers list now: a choice does not put the list together anew.
    fn offer(&self) {
        // While nobody else does: the last one knows what all have said.
        let mut now = self.offered.write().unwrap_or_else(PoisonError::into_inner);
        let mut taken = HashSet::new();
        let mut offered = Vec::new();
        for (at, entry) in self.entries.iter().enumerate() {
            let known = entry.known();
            if !known.health.is_healthy() {
                continue;
            }
            for info in known.models.iter().filter(|info| chats(&info.id)) {
                let prefixed = format!("{}/{}", entry.provider.id(), info.id);
                let Some(id) =
                    [info.id.clone(), prefixed].into_iter().find(|id| taken.insert(id.clone()))
                else {
                    continue;
                };
                let model = info.id.clone();
                offered.push(Offered { entry: at, model, info: ModelInfo { id, ..info.clone() } });
            }
        }
        *now = offered.into();
    }
}

impl Entry {
    fn new(provider: Arc<dyn Provider>, standing: Standing) -> Self {
        let known = Known { health: Health::Unknown, models: Arc::new([]) };
        Self { provider, standing, known: RwLock::new(known) }
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it is configured, or a candidate that turned out to be there.
    fn counts(&self) -> bool {
        self.standing != Standing::Candidate || self.known().health.is_healthy()
    }

    fn model(&self, id: &str) -> Option<ModelInfo> {
        self.known().models.iter().find(|info| info.id == id).cloned()
    }

    fn choose(&self, model: &str, info: ModelInfo) -> Choice {
        let provider = Arc::clone(&self.provider);
        Choice { provider, model: model.to_owned(), info, routing: None }
    }

    async fn refresh(&self) {
        let limit = if self.standing == Standing::Candidate { PROBE } else { LIST };
        let answer = timeout(limit, self.provider.models()).await.unwrap_or_else(|_| {
            Err(Failure {
                code: ErrorCode::ProviderTimeout,
                message: format!(
                    "{} did not list its models within {} s.",
                    self.provider.name(),
                    limit.as_secs()
                ),
                retry_after: None,
            })
        });
        let before = self.known();
        let now = match answer {
            Ok(models) => Known { health: Health::Healthy(models.len()), models: models.into() },
            Err(failure) => {
                Known { health: Health::Unhealthy(failure), models: Arc::clone(&before.models) }
            }
        };
        self.log(&before.health, &now.health);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Says once what changed. A candidate that was never there is no news.
    fn log(&self, before: &Health, now: &Health) {
        let provider = self.provider.id();
        match now {
            Health::Healthy(models) if !before.is_healthy() => {
                info!(provider, models, "provider answers");
            }
            Health::Unhealthy(failure)
                if before.is_healthy()
                    || (self.standing == Standing::Configured && *before == Health::Unknown) =>
            {
                warn!(provider, code = %failure.code, "provider does not answer: {failure}");
            }
            _ => {}
        }
    }
}

impl Health {
    fn is_healthy(&self) -> bool {
        matches!(self, Self::Healthy(_))
    }
}

fn sorted(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by_key(|entry| match entry.standing {
        Standing::Configured => 0,
        Standing::Candidate => 1,
        Standing::BuiltIn => 2,
    });
    entries
}

fn bare(id: &str) -> ModelInfo {
    ModelInfo { id: id.to_owned(), name: id.to_owned(), ..ModelInfo::default() }
}

/// Whether a model chats, as far as its name tells.
fn chats(id: &str) -> bool {
    const ANYWHERE: [&str; 7] =
        ["embed", "whisper", "dall-e", "moderation", "rerank", "transcribe", "gpt-image"];
    const WORDS: [&str; 3] = ["tts", "bge", "minilm"];
    let id = id.to_lowercase();
    let is_word = |word: &str| WORDS.contains(&word);
    !ANYWHERE.iter().any(|part| id.contains(part))
        && !id.split(|char: char| !char.is_alphanumeric()).any(is_word)
}

/// Stands where no provider could be asked.
struct Nobody;

impl Provider for Nobody {
    fn id(&self) -> &'static str {
        "none"
    }

    fn name(&self) -> &'static str {
        "none"
    }

    fn models(&self) -> BoxFuture<'_, Result<Vec<ModelInfo>, Failure>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn generate(&self, request: Request) -> EventStream {
        let model: String = request.model.chars().take(100).collect();
        let failure = Failure {
            code: ErrorCode::ModelUnavailable,
            message: format!("There is no model «{model}» here. Choose another one."),
            retry_after: None,
        };
        stream::iter([Err(failure)]).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use unbroken_protocol::Options;

    use super::*;
    use crate::scripted::{Scripted, Step};

    fn provider(id: &str, models: &[&str]) -> Arc<Scripted> {
        let provider = Scripted::new(id);
        for model in models {
            provider.add(*model, vec![Step::stop()]);
        }
        Arc::new(provider)
    }

    fn gone() -> Failure {
        Failure { code: ErrorCode::ModelUnavailable, message: "gone".into(), retry_after: None }
    }

    fn with_default(default: Option<&str>) -> CatalogueSettings {
        CatalogueSettings { default_model: default.map(String::from), ..Default::default() }
    }

    async fn catalogue(providers: &[&Arc<Scripted>], default: Option<&str>) -> Catalogue {
        let providers = providers.iter().map(|one| Arc::clone(one) as Arc<dyn Provider>).collect();
        let catalogue = Catalogue::new(providers, with_default(default));
        catalogue.refresh().await;
        catalogue
    }

    fn ids(catalogue: &Catalogue) -> Vec<String> {
        catalogue.models().into_iter().map(|info| info.id).collect()
    }

    fn chosen(choice: &Choice) -> (&str, &str, &str) {
        (choice.provider.id(), &choice.model, &choice.info.id)
    }

    #[tokio::test]
    async fn models_come_in_the_providers_order_and_quotes_last() {
        let (quotes, a, b) =
            (provider(QUOTES, &[QUOTES]), provider("a", &["m"]), provider("b", &["n"]));
        assert_eq!(ids(&catalogue(&[&quotes, &a, &b], None).await), ["m", "n", QUOTES]);
    }

    #[tokio::test]
    async fn the_same_id_at_two_providers_is_offered_twice_under_two_names() {
        let (a, b) = (provider("a", &["m"]), provider("b", &["m", "n"]));
        let catalogue = catalogue(&[&a, &b], None).await;
        assert_eq!(ids(&catalogue), ["m", "b/m", "n"]);
        assert_eq!(chosen(&catalogue.resolve("m", None)), ("a", "m", "m"));
        assert_eq!(chosen(&catalogue.resolve("b/m", None)), ("b", "m", "b/m"));
        assert_eq!(chosen(&catalogue.resolve("a/m", None)), ("a", "m", "a/m"));
    }

    #[tokio::test]
    async fn what_does_not_chat_is_left_out() {
        let a = provider(
            "a",
            &["nomic-embed-text", "whisper-1", "tts-1", "dall-e-3", "omni-moderation", "cutts"],
        );
        assert_eq!(ids(&catalogue(&[&a], None).await), ["cutts"]);
    }

    #[tokio::test]
    async fn best_is_preference_then_default_then_the_first_model_then_quotes() {
        let (a, quotes) = (provider("a", &["m", "n", "o"]), provider(QUOTES, &[QUOTES]));
        let full = catalogue(&[&a, &quotes], Some("n")).await;
        for (requested, preference, model) in
            [("best", Some("o"), "o"), ("", None, "n"), (" best ", Some("best"), "n")]
        {
            let choice = full.resolve(requested, preference);
            assert_eq!(choice.model, model);
            assert_eq!(choice.routing.unwrap().selected_model, model);
        }
        assert_eq!(catalogue(&[&a, &quotes], None).await.resolve("best", None).model, "m");
        a.set_down(Some(gone()));
        let choice = catalogue(&[&a, &quotes], None).await.resolve("best", None);
        assert_eq!(choice.model, QUOTES);
        assert_eq!(full.resolve("m", None).routing.map(|routing| routing.reason), None);
    }

    #[tokio::test]
    async fn a_preference_that_nobody_has_any_more_is_passed_over() {
        let (a, quotes) = (provider("a", &["m"]), provider(QUOTES, &[QUOTES]));
        let full = catalogue(&[&a, &quotes], None).await;
        assert_eq!(full.resolve("best", Some("gone")).model, "m");
        let bare = catalogue(&[&quotes], Some("gone")).await;
        assert_eq!(bare.resolve("best", None).model, QUOTES);
    }

    #[tokio::test]
    async fn a_default_is_asked_for_before_its_provider_listed_anything() {
        let a = provider("a", &["m"]);
        let catalogue = Catalogue::new(vec![a as Arc<dyn Provider>], with_default(Some("m")));
        assert_eq!(chosen(&catalogue.resolve("best", None)), ("a", "m", "m"));
    }

    #[tokio::test]
    async fn an_unhealthy_provider_is_not_offered_but_still_answers_for_its_models() {
        let (a, b) = (provider("a", &["m"]), provider("b", &["n"]));
        let catalogue = catalogue(&[&a, &b], None).await;
        b.set_down(Some(gone()));
        catalogue.refresh().await;
        assert_eq!(ids(&catalogue), ["m"]);
        assert_eq!(chosen(&catalogue.resolve("n", None)), ("b", "n", "n"));
        assert!(matches!(catalogue.providers()[1].health, Health::Unhealthy(_)));
        b.set_down(None);
        catalogue.refresh().await;
        assert_eq!(ids(&catalogue), ["m", "n"]);
    }

    #[tokio::test]
    async fn an_unknown_id_goes_to_the_first_configured_provider() {
        let (quotes, a) = (provider(QUOTES, &[QUOTES]), provider("a", &["m"]));
        a.set_down(Some(gone()));
        let catalogue = catalogue(&[&quotes, &a], None).await;
        let choice = catalogue.resolve("vendor/new", None);
        assert_eq!(chosen(&choice), ("a", "vendor/new", "vendor/new"));
        assert_eq!(choice.info.name, "vendor/new");
    }

    #[tokio::test]
    async fn without_a_provider_an_unknown_id_is_unavailable() {
        let catalogue = catalogue(&[&provider(QUOTES, &[QUOTES])], None).await;
        let choice = catalogue.resolve("x", None);
        let request = Request {
            model: choice.model,
            messages: Arc::new([]),
            sources: Arc::new([]),
            options: Options::default(),
        };
        let events: Vec<_> = choice.provider.generate(request).collect().await;
        let failure = events[0].as_ref().unwrap_err();
        assert_eq!(failure.code, ErrorCode::ModelUnavailable);
        assert_eq!(failure.message, "There is no model «x» here. Choose another one.");
    }

    #[tokio::test]
    async fn a_candidate_counts_only_while_it_is_there() {
        let (quotes, local) = (provider(QUOTES, &[QUOTES]), provider("local", &["m"]));
        local.set_down(Some(gone()));
        let catalogue = catalogue(&[&quotes], None)
            .await
            .with_candidates(vec![Arc::clone(&local) as Arc<dyn Provider>]);
        catalogue.refresh().await;
        assert_eq!(ids(&catalogue), [QUOTES]);
        assert_eq!(catalogue.providers().len(), 1);
        assert_eq!(catalogue.resolve("x", None).provider.id(), "none");
        local.set_down(None);
        catalogue.refresh().await;
        assert_eq!(ids(&catalogue), ["m", QUOTES]);
        assert_eq!(catalogue.resolve("x", None).provider.id(), "local");
        assert_eq!(catalogue.resolve("best", None).model, "m");
    }

    struct Slow;

    impl Provider for Slow {
        fn id(&self) -> &'static str {
            "slow"
        }

        fn name(&self) -> &'static str {
            "Slow"
        }

        fn models(&self) -> BoxFuture<'_, Result<Vec<ModelInfo>, Failure>> {
            Box::pin(std::future::pending())
        }

        fn generate(&self, _: Request) -> EventStream {
            stream::pending().boxed()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_does_not_answer_holds_nobody_up() {
        let a = provider("a", &["m"]);
        let catalogue = Catalogue::new(vec![Arc::new(Slow), a], CatalogueSettings::default());
        let begin = tokio::time::Instant::now();
        catalogue.refresh().await;
        assert_eq!(begin.elapsed(), LIST);
        assert_eq!(ids(&catalogue), ["m"]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_catalogue_is_refreshed_sooner_while_a_provider_is_away() {
        let a = provider("a", &["m"]);
        a.set_down(Some(gone()));
        let catalogue = catalogue(&[&a], None).await;
        let mut run = pin!(catalogue.run());
        let mut pass = async |seconds| {
            let passed = timeout(Duration::from_secs(seconds), run.as_mut()).await;
            assert!(passed.is_err(), "it runs for ever");
            ids(&catalogue)
        };
        assert_eq!(pass(1).await, [""; 0]);
        a.set_down(None);
        assert_eq!(pass(5).await, ["m"], "5 s later while it is away");
        a.set_down(Some(gone()));
        assert_eq!(pass(28).await, ["m"]);
        assert_eq!(pass(2).await, [""; 0], "30 s later when all are there");
    }
}
