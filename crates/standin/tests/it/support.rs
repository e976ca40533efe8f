//! A caller of the stand-in, and a plain reader of its streams.

use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use unbroken_standin::Standin;

pub(crate) fn client() -> Client {
    // Every test of this binary installs it; only the first one can.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder().no_proxy().build().expect("the client needs nothing")
}

pub(crate) fn request(standin: &Standin, body: &Value) -> RequestBuilder {
    client().post(format!("{}/chat/completions", standin.base_url())).json(body)
}

pub(crate) fn question(model: &str) -> Value {
    json!({
        "model": model,
        "stream": true,
        "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": "Count, please." },
        ],
    })
}

/// Starts a streamed answer; `rate` and `first` are 0 unless the model's name says otherwise.
pub(crate) async fn ask(standin: &Standin, model: &str) -> Response {
    request(standin, &question(&quick(model))).send().await.expect("the stand-in answers")
}

fn quick(model: &str) -> String {
    let (base, parameters) = model.split_once(':').unwrap_or((model, ""));
    format!("{base}:rate=0,first=0,{parameters}")
}

/// All that was read of a stream.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) raw: String,
    pub(crate) events: Vec<Value>,
    pub(crate) done: bool,
    /// The body broke off, instead of ending.
    pub(crate) cut: bool,
    pub(crate) pieces: Vec<usize>,
}

impl Read {
    pub(crate) fn text(&self) -> String {
        self.deltas("content")
    }

    pub(crate) fn deltas(&self, field: &str) -> String {
        let deltas = self.events.iter().filter_map(|e| e["choices"][0]["delta"][field].as_str());
        deltas.collect()
    }

    pub(crate) fn finish_reason(&self) -> Option<&str> {
        self.events.iter().find_map(|e| e["choices"][0]["finish_reason"].as_str())
    }
}

pub(crate) async fn read(mut response: Response) -> Read {
    let (mut read, mut bytes) = (Read::default(), Vec::new());
    loop {
        match response.chunk().await {
            Ok(Some(piece)) => {
                read.pieces.push(piece.len());
                bytes.extend(piece);
            }
            Ok(None) => break,
            Err(_) => {
                read.cut = true;
                break;
            }
        }
    }
    read.raw = String::from_utf8(bytes).expect("the whole is UTF-8");
    for line in read.raw.lines() {
        match line.strip_prefix("data: ") {
            Some("[DONE]") => read.done = true,
            Some(data) => read.events.push(data.parse().expect("an event is JSON")),
            None => assert!(line.is_empty() || line.starts_with(':'), "{line}"),
        }
    }
    read
}
