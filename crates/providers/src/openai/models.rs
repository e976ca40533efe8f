//! The list of models, `GET /models`, with the extras that several engines give.

use serde::Deserialize;
use unbroken_protocol::ModelInfo;

use super::wire::{Count, Text};

/// A model as its server lists it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    pub info: ModelInfo,
    /// Who the server says owns it; engines give their own name here (`vllm`, `llamacpp`).
    pub owned_by: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum List<'a> {
    #[serde(borrow)]
    Page(Page<'a>),
    /// Some services give the bare list.
    Bare(Vec<Entry<'a>>),
}

#[derive(Deserialize)]
struct Page<'a> {
    /// Ollama writes null when it has no models.
    #[serde(borrow)]
    data: Option<Vec<Entry<'a>>>,
    #[serde(borrow, default)]
    object: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    description: Text<'a>,
    #[serde(borrow)]
    owned_by: Text<'a>,
    context_length: Count,
    max_model_len: Count,
    max_context_length: Count,
    context_window: Count,
    meta: Option<Meta>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Meta {
    n_ctx_train: Count,
}

/// The models of an answer, in its order; none when it is no such list.
pub(crate) fn read(body: &[u8], provider: &str) -> Option<Vec<Listed>> {
    let entries = match serde_json::from_slice(body).ok()? {
        List::Page(Page { data: Some(entries), .. }) | List::Bare(entries) => entries,
        List::Page(Page { data: None, object }) if object.0 == "list" => Vec::new(),
        List::Page(_) => return None,
    };
    let claimed = entries.len();
    let models: Vec<Listed> =
        entries.into_iter().filter(|entry| !entry.id.0.is_empty()).map(listed(provider)).collect();
    (claimed == 0 || !models.is_empty()).then_some(models)
}

fn listed(provider: &str) -> impl Fn(Entry<'_>) -> Listed {
    move |entry| {
        let trained = entry.meta.unwrap_or_default().n_ctx_train;
        let context = [
            entry.context_length,
            entry.max_model_len,
            entry.max_context_length,
            entry.context_window,
            trained,
        ];
        let id = entry.id.0.into_owned();
        let name = if entry.name.0.is_empty() { id.clone() } else { entry.name.0.into_owned() };
        Listed {
            info: ModelInfo {
                id,
                name,
                description: entry.description.0.into_owned(),
                provider: provider.to_owned(),
                context_length: context.into_iter().map(|count| count.0).find(|n| *n > 0),
                ..ModelInfo::default()
            },
            owned_by: entry.owned_by.0.into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(entry: &str) -> Listed {
        let body = format!(r#"{{"object":"list","data":[{entry}]}}"#);
        read(body.as_bytes(), "Here").unwrap().remove(0)
    }

    #[test]
    fn a_model_without_a_name_is_called_by_its_id() {
        let model = one(r#"{"id":"m","object":"model","created":1,"owned_by":"vllm"}"#);
        assert_eq!((model.info.id.as_str(), model.info.name.as_str()), ("m", "m"));
        assert_eq!(model.owned_by, "vllm");
        assert_eq!(model.info.provider, "Here");
        assert_eq!(model.info.context_length, None);
    }

    #[test]
    fn context_is_read_from_the_field_of_each_engine() {
        for extra in [
            r#""context_length":4096"#,
            r#""max_model_len":4096"#,
            r#""context_window":4096,"context_length":null"#,
            r#""meta":{"n_ctx_train":4096,"n_vocab":5}"#,
        ] {
            let model = one(&format!(r#"{{"id":"m",{extra}}}"#));
            assert_eq!(model.info.context_length, Some(4096), "{extra}");
        }
    }

    #[test]
    fn an_empty_list_is_a_list() {
        for body in [r#"{"data":[]}"#, r#"{"object":"list","data":null}"#, "[]"] {
            assert_eq!(read(body.as_bytes(), ""), Some(Vec::new()), "{body}");
        }
    }

    #[test]
    fn what_is_no_list_of_models_is_refused() {
        for body in ["", "<html>", "{}", r#"{"data":{}}"#, r#"{"data":[{"title":"x"}]}"#, "[1]"] {
            assert_eq!(read(body.as_bytes(), ""), None, "{body}");
        }
    }
}
