//! By which means the answers of a server's models go on: as it is configured, as it is recognised
//! by its address and by its list of models, and as it was learned from refusals.

use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

use reqwest::Url;
use unbroken_protocol::Means;

use super::models::Listed;
use super::request::Form;
use crate::discover::Continuation;

/// What runs a model, as far as it names itself in `owned_by`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Vllm,
    SgLang,
    LlamaCpp,
}

impl Engine {
    fn named(owned_by: &str) -> Option<Self> {
        match owned_by {
            "vllm" => Some(Self::Vllm),
            "sglang" => Some(Self::SgLang),
            "llamacpp" => Some(Self::LlamaCpp),
            // `library` is Ollama: a trailing message works with some templates only, and nothing
            // documents it.
            _ => None,
        }
    }

    fn form(self) -> Form {
        match self {
            // vllm: ChatCompletionRequest; both flags together, they exclude each other.
            Self::Vllm | Self::SgLang => Form::Flags,
            // llama.cpp: `--prefill-assistant` is its default.
            Self::LlamaCpp => Form::Trailing,
        }
    }
}

/// What is known of one server.
#[derive(Debug)]
pub(crate) struct Known {
    setting: Continuation,
    /// What the service at this address documents.
    service: Option<Form>,
    facts: RwLock<Facts>,
}

#[derive(Debug, Default)]
struct Facts {
    engines: HashMap<String, Engine>,
    /// The one engine behind every model that is listed; it may serve others too.
    only: Option<Engine>,
    /// It keeps answers running and gives them again.
    streams: bool,
    /// Models that do not continue a beginning.
    refused: HashSet<String>,
}

impl Known {
    pub(crate) fn new(setting: Continuation, base: &Url) -> Self {
        Self { setting, service: service(base), facts: RwLock::default() }
    }

    /// Takes what the server lists. Returns whether to ask if it keeps answers running: its
    /// engine may, and has not shown it yet.
    pub(crate) fn list(&self, models: &[Listed]) -> bool {
        let engine = |model: &Listed| Engine::named(&model.owned_by);
        let engines =
            models.iter().filter_map(|model| Some((model.info.id.clone(), engine(model)?)));
        let first = models.first().and_then(engine);
        let only = first.filter(|first| models.iter().all(|model| engine(model) == Some(*first)));
        let engines: HashMap<String, Engine> = engines.collect();
        let may_stream = self.setting == Continuation::Auto
            && engines.values().any(|engine| *engine == Engine::LlamaCpp);
        self.with(|facts| {
            facts.engines = engines;
            facts.only = only;
            facts.streams &= may_stream;
        });
        may_stream && !self.streams()
    }

    /// The server has shown that it keeps answers running.
    pub(crate) fn learn_streams(&self) {
        self.with(|facts| facts.streams = true);
    }

    /// Whether the server keeps an answer of this model running when it is given a name.
    pub(crate) fn keeps(&self, model: &str) -> bool {
        self.read(|facts| facts.streams && facts.engine(model) == Some(Engine::LlamaCpp))
    }

    pub(crate) fn streams(&self) -> bool {
        self.read(|facts| facts.streams)
    }

    /// How this model is given a beginning; `None` when it is not known to continue one.
    pub(crate) fn prefill(&self, model: &str) -> Option<Form> {
        let recognised = self.read(|facts| {
            if facts.refused.contains(model) {
                return None;
            }
            let form = facts.engine(model).map(Engine::form).or(self.service);
            // A server that does not know the flags still sees how the conversation ends.
            Some(form.or((self.setting == Continuation::Prefill).then_some(Form::Flags)))
        });
        match self.setting {
            Continuation::Auto | Continuation::Prefill => recognised.flatten(),
            Continuation::Prompt | Continuation::None => None,
        }
    }

    pub(crate) fn means(&self, model: &str) -> Means {
        match self.setting {
            Continuation::None => Means::None,
            Continuation::Auto if self.keeps(model) => Means::Reattach,
            _ => self.after(model, Means::Reattach),
        }
    }

    /// What is left once `means` was refused.
    pub(crate) fn after(&self, model: &str, means: Means) -> Means {
        match means {
            _ if self.setting == Continuation::None => Means::None,
            Means::Reattach if self.prefill(model).is_some() => Means::Prefill,
            Means::Reattach | Means::Prefill => Means::Prompt,
            Means::Prompt | Means::None => Means::None,
        }
    }

    /// This model does not continue a beginning.
    pub(crate) fn learn_refusal(&self, model: &str) {
        self.with(|facts| facts.refused.insert(model.to_owned()));
    }

    fn read<T>(&self, act: impl FnOnce(&Facts) -> T) -> T {
        act(&self.facts.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Facts) -> T) -> T {
        act(&mut self.facts.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Facts {
    /// A variant such as `model:free` runs where its model does.
    fn engine(&self, model: &str) -> Option<Engine> {
        let base = || self.engines.get(model.split_once(':')?.0);
        self.engines.get(model).or_else(base).copied().or(self.only)
    }
}

/// Services that document how they continue a beginning. OpenAI and Gemini start a new turn;
/// OpenRouter passes it on to who knows whom.
fn service(base: &Url) -> Option<Form> {
    let is_beta = base.path().trim_start_matches('/').starts_with("beta");
    match base.host_str()? {
        "api.mistral.ai" | "codestral.mistral.ai" => Some(Form::Prefix),
        "api.deepseek.com" if is_beta => Some(Form::Prefix),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use unbroken_protocol::ModelInfo;

    use super::*;

    fn known(setting: Continuation, base: &str, models: &[(&str, &str)]) -> Known {
        let known = Known::new(setting, &Url::parse(base).unwrap());
        let listed = models.iter().map(|(id, owner)| Listed {
            info: ModelInfo { id: (*id).to_owned(), ..ModelInfo::default() },
            owned_by: (*owner).to_owned(),
        });
        known.list(&listed.collect::<Vec<_>>());
        known
    }

    const LOCAL: &str = "http://127.0.0.1:8000/v1";

    #[test]
    fn an_engine_is_known_by_its_models() {
        let models = [("v", "vllm"), ("s", "sglang"), ("l", "llamacpp"), ("o", "library")];
        let known = known(Continuation::Auto, LOCAL, &models);
        for (model, form) in [
            ("v", Some(Form::Flags)),
            ("v:free", Some(Form::Flags)),
            ("s", Some(Form::Flags)),
            ("l", Some(Form::Trailing)),
            ("o", None),
            ("x", None),
        ] {
            assert_eq!(known.prefill(model), form, "{model}");
            let means = if form.is_some() { Means::Prefill } else { Means::Prompt };
            assert_eq!(known.means(model), means, "{model}");
        }
    }

    #[test]
    fn a_server_of_one_engine_runs_what_it_does_not_list_too() {
        let known = known(Continuation::Auto, LOCAL, &[("a", "llamacpp"), ("b", "llamacpp")]);
        assert_eq!(known.means("other"), Means::Prefill);
        known.learn_streams();
        assert_eq!(known.means("other"), Means::Reattach);
        assert_eq!(known.after("other", Means::Reattach), Means::Prefill);
    }

    #[test]
    fn a_service_is_known_by_its_address() {
        for (base, means) in [
            ("https://api.mistral.ai/v1", Means::Prefill),
            ("https://api.deepseek.com/beta", Means::Prefill),
            ("https://api.deepseek.com/v1", Means::Prompt),
            ("https://openrouter.ai/api/v1", Means::Prompt),
            ("https://api.openai.com/v1", Means::Prompt),
        ] {
            assert_eq!(known(Continuation::Auto, base, &[]).means("m"), means, "{base}");
        }
    }

    #[test]
    fn the_setting_wins() {
        let models = [("v", "vllm"), ("o", "library")];
        for (setting, v, o) in [
            (Continuation::Prefill, Means::Prefill, Means::Prefill),
            (Continuation::Prompt, Means::Prompt, Means::Prompt),
            (Continuation::None, Means::None, Means::None),
        ] {
            let known = known(setting, LOCAL, &models);
            assert_eq!((known.means("v"), known.means("o")), (v, o));
        }
        let off = known(Continuation::None, LOCAL, &models);
        assert_eq!(off.after("v", Means::Reattach), Means::None);
    }

    #[test]
    fn a_refusal_is_remembered_for_its_model() {
        let known = known(Continuation::Auto, LOCAL, &[("a", "vllm"), ("b", "vllm")]);
        known.learn_refusal("a");
        assert_eq!((known.means("a"), known.means("b")), (Means::Prompt, Means::Prefill));
    }
}
