//! The bytes of a stream's events. What is the same in every chunk of an answer is formatted once.

use std::io::Write as _;

use serde_json::{Map, Value, json};

use crate::{
    error,
    plan::Kind,
    spec::{Field, Spec, Usage},
};

/// Tokens in, tokens out.
#[derive(Clone, Copy)]
pub(crate) struct Used {
    pub(crate) prompt: usize,
    pub(crate) completion: usize,
}

impl Used {
    pub(crate) fn json(self) -> Value {
        json!({
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
        })
    }
}

/// The shape of an answer's events.
pub(crate) struct Events {
    /// From `data: ` up to the choices.
    head: String,
    content: [&'static str; 2],
    reasoning: &'static str,
    /// Where usage goes; none where the caller did not ask for it.
    usage: Option<Usage>,
    finish: &'static str,
    line_end: &'static str,
    comments: bool,
    no_done: bool,
}

impl Events {
    pub(crate) fn new(spec: &Spec, id: &str, created: u64, model: &str, with_usage: bool) -> Self {
        let model = json!(model);
        Self {
            head: format!(
                r#"data: {{"id":"{id}","object":"chat.completion.chunk","created":{created},"model":{model},"choices":["#
            ),
            content: if spec.array {
                [r#""content":[{"type":"text","text":"#, "}]"]
            } else {
                [r#""content":"#, ""]
            },
            reasoning: match spec.field {
                Field::Reasoning => r#""reasoning":"#,
                Field::ReasoningContent | Field::Think => r#""reasoning_content":"#,
            },
            usage: with_usage.then_some(spec.usage),
            finish: spec.finish,
            line_end: if spec.crlf { "\r\n" } else { "\n" },
            comments: spec.comments,
            no_done: spec.no_done,
        }
    }

    /// Room for one chunk with a short text.
    pub(crate) fn usual_len(&self) -> usize {
        self.head.len() + 160
    }

    /// The first chunk, which has a role and no text.
    pub(crate) fn opening(&self, out: &mut Vec<u8>, used: Used) {
        self.chunk(out, used, |out| out.extend(br#""role":"assistant","content":"""#));
    }

    pub(crate) fn delta(&self, out: &mut Vec<u8>, kind: Kind, text: &str, used: Used) {
        let [open, close] = match kind {
            Kind::Text => self.content,
            Kind::Reasoning => [self.reasoning, ""],
        };
        self.chunk(out, used, |out| {
            out.extend(open.as_bytes());
            push_json_string(out, text);
            out.extend(close.as_bytes());
        });
    }

    /// A chunk whose delta has these fields.
    pub(crate) fn fields(&self, out: &mut Vec<u8>, fields: &Map<String, Value>, used: Used) {
        self.chunk(out, used, |out| {
            for (at, (name, value)) in fields.iter().enumerate() {
                let comma = if at > 0 { "," } else { "" };
                write!(out, "{comma}{}:{value}", json!(name)).expect("a Vec takes everything");
            }
        });
    }

    fn chunk(&self, out: &mut Vec<u8>, used: Used, delta: impl FnOnce(&mut Vec<u8>)) {
        self.begin(out);
        out.extend(br#"{"index":0,"delta":{"#);
        delta(out);
        out.extend(br#"},"logprobs":null,"finish_reason":null}]"#);
        self.end(out, (self.usage == Some(Usage::Every)).then_some(used));
    }

    /// The finish reason, the usage and `[DONE]`, as far as the answer has them.
    pub(crate) fn ending(&self, out: &mut Vec<u8>, used: Used) {
        self.begin(out);
        write!(
            out,
            r#"{{"index":0,"delta":{{}},"logprobs":null,"finish_reason":"{}"}}]"#,
            self.finish
        )
        .expect("a Vec takes everything");
        let with_finish = matches!(self.usage, Some(Usage::Finish | Usage::Every));
        self.end(out, with_finish.then_some(used));
        if self.usage == Some(Usage::Last) {
            self.begin(out);
            out.push(b']');
            self.end(out, Some(used));
        }
        if !self.no_done {
            out.extend(b"data: [DONE]");
            self.blank_line(out);
        }
    }

    pub(crate) fn error(&self, out: &mut Vec<u8>, message: &str) {
        let error = error::body(message, "server_error", "server_error");
        write!(out, "data: {error}").expect("a Vec takes everything");
        self.blank_line(out);
    }

    fn begin(&self, out: &mut Vec<u8>) {
        if self.comments {
            out.extend(b": keep-alive");
            self.blank_line(out);
        }
        out.extend(self.head.as_bytes());
    }

    /// Every chunk has a usage where the caller asked for one: null unless it is here.
    fn end(&self, out: &mut Vec<u8>, used: Option<Used>) {
        match (self.usage, used) {
            (None | Some(Usage::None), _) => {}
            (Some(_), None) => out.extend(br#","usage":null"#),
            (Some(_), Some(used)) => {
                write!(out, r#","usage":{}"#, used.json()).expect("a Vec takes everything");
            }
        }
        out.push(b'}');
        self.blank_line(out);
    }

    fn blank_line(&self, out: &mut Vec<u8>) {
        out.extend(self.line_end.as_bytes());
        out.extend(self.line_end.as_bytes());
    }
}

fn push_json_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string is always JSON, and a Vec takes everything");
}
