//! A [`Request`] as the JSON body of `POST /chat/completions`. Pure.

use std::borrow::Cow;

use serde::Serialize;
use unbroken_protocol::Role;

use crate::Request;
use crate::continuation::words;
use crate::given::with_sources;

/// Which wishes a server understands beyond the common ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// OpenAI's own service: its newer models refuse `max_tokens`.
    OpenAi,
    /// Everybody else.
    Compatible,
}

/// How a request says that an answer is to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The text is the last message (llama.cpp).
    Trailing,
    /// The same, and two flags say that it is not whole (vLLM, SGLang).
    Flags,
    /// The same, marked as a prefix (Mistral, DeepSeek).
    Prefix,
    /// A request in words follows the text.
    Words,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    stream: bool,
    stream_options: StreamOptions,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    continue_final_message: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    add_generation_prompt: Option<bool>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
    /// False saves the random padding that OpenAI adds to every chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    include_obfuscation: Option<bool>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<bool>,
}

impl<'a> Message<'a> {
    fn new(role: &'static str, content: impl Into<Cow<'a, str>>) -> Self {
        Self { role, content: content.into(), prefix: None }
    }
}

/// The body's bytes; with a text after which the answer is to go on.
pub(crate) fn body(
    request: &Request,
    dialect: Dialect,
    continued: Option<(&str, Form)>,
) -> Vec<u8> {
    let options = &request.options;
    let system = options.system.as_deref().filter(|system| !system.trim().is_empty());
    let system = system.map(|content| Message::new("system", content));
    // In the last question: some models take no other place for what is not theirs.
    let asks = |message: &crate::Message| message.role == Role::User;
    let last = request.messages.iter().rposition(asks).filter(|_| !request.sources.is_empty());
    let spoken = request.messages.iter().enumerate().map(|(at, message)| {
        let content = &message.content;
        let content = match last {
            Some(last) if last == at => with_sources(&request.sources, content).into(),
            _ => Cow::from(content),
        };
        Message::new(role(message.role), content)
    });
    let form = continued.map(|(_, form)| form);
    let partial = continued.map(|(text, form)| Message {
        prefix: (form == Form::Prefix).then_some(true),
        ..Message::new("assistant", text)
    });
    let asked = continued.filter(|(_, form)| *form == Form::Words);
    let asked = asked.map(|(text, _)| Message::new("user", words(text)));
    let flag = |value: bool| (form == Some(Form::Flags)).then_some(value);
    let (max_tokens, max_completion_tokens) = match dialect {
        Dialect::OpenAi => (None, options.max_output_tokens),
        Dialect::Compatible => (options.max_output_tokens, None),
    };
    let body = Body {
        model: &request.model,
        messages: system.into_iter().chain(spoken).chain(partial).chain(asked).collect(),
        stream: true,
        stream_options: StreamOptions {
            include_usage: true,
            include_obfuscation: (dialect == Dialect::OpenAi).then_some(false),
        },
        temperature: options.temperature.filter(|temperature| temperature.is_finite()),
        max_tokens,
        max_completion_tokens,
        reasoning_effort: options.reasoning_effort.as_deref(),
        continue_final_message: flag(true),
        add_generation_prompt: flag(false),
    };
    serde_json::to_vec(&body).expect("a body of text and numbers is JSON")
}

fn role(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::System => "system",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use unbroken_protocol::Options;

    use super::*;
    use crate::Message;

    fn written(options: Options, dialect: Dialect) -> Value {
        continued(options, dialect, None)
    }

    fn continued(options: Options, dialect: Dialect, after: Option<(&str, Form)>) -> Value {
        let messages = [
            Message { role: Role::User, content: "Hi".into() },
            Message { role: Role::Assistant, content: "Hello".into() },
            Message { role: Role::User, content: "Why?".into() },
        ];
        let request =
            Request { model: "m".into(), messages: messages.into(), sources: [].into(), options };
        serde_json::from_slice(&body(&request, dialect, after)).unwrap()
    }

    #[test]
    fn a_plain_request_asks_for_a_stream_with_usage() {
        assert_eq!(
            written(Options::default(), Dialect::Compatible),
            json!({
                "model": "m",
                "messages": [
                    {"role": "user", "content": "Hi"},
                    {"role": "assistant", "content": "Hello"},
                    {"role": "user", "content": "Why?"},
                ],
                "stream": true,
                "stream_options": {"include_usage": true},
            })
        );
    }

    #[test]
    fn wishes_are_passed_on_and_the_system_prompt_comes_first() {
        let options = Options {
            temperature: Some(0.5),
            max_output_tokens: Some(7),
            system: Some("Be brief.".into()),
            reasoning_effort: Some("low".into()),
        };
        let body = written(options.clone(), Dialect::Compatible);
        assert_eq!(body["messages"][0], json!({"role": "system", "content": "Be brief."}));
        assert_eq!(body["temperature"], 0.5);
        assert_eq!(body["max_tokens"], 7);
        assert_eq!(body["reasoning_effort"], "low");
        assert_eq!(body.get("max_completion_tokens"), None);

        let body = written(options, Dialect::OpenAi);
        assert_eq!(body["max_completion_tokens"], 7);
        assert_eq!(body.get("max_tokens"), None);
        assert_eq!(body["stream_options"]["include_obfuscation"], false);
    }

    #[test]
    fn a_text_to_go_on_from_is_given_in_every_form() {
        let after =
            |form: Form| continued(Options::default(), Dialect::Compatible, Some(("Becau", form)));
        let plain = json!({"role": "assistant", "content": "Becau"});
        for form in [Form::Trailing, Form::Flags] {
            let body = after(form);
            assert_eq!(body["messages"][3], plain);
            assert_eq!(body["messages"].as_array().map(Vec::len), Some(4));
            let flags = (form == Form::Flags).then_some((json!(true), json!(false)));
            let sent = body.get("continue_final_message").zip(body.get("add_generation_prompt"));
            assert_eq!(sent.map(|(a, b)| (a.clone(), b.clone())), flags);
        }
        let prefix = json!({"role": "assistant", "content": "Becau", "prefix": true});
        assert_eq!(after(Form::Prefix)["messages"][3], prefix);
        let words = after(Form::Words);
        assert_eq!(words["messages"][3], plain);
        assert_eq!(words["messages"][4]["role"], "user");
        assert!(words["messages"][4]["content"].as_str().unwrap().ends_with("«Becau»"));
    }

    #[test]
    fn an_empty_system_prompt_is_left_out() {
        let options = Options { system: Some(" \n".into()), ..Options::default() };
        assert_eq!(written(options, Dialect::Compatible)["messages"][0]["role"], "user");
    }
}
