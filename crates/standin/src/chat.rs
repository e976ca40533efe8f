//! `POST /v1/chat/completions`.

use std::time::SystemTime;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{Html, IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    answer::{Answer, End, Pace, Whole},
    calls::Asked,
    continuation::{GoingOn, Turn},
    error::ApiError,
    plan::Plan,
    server::Shared,
    spec::Spec,
    sse::Events,
    streams,
};

#[derive(Deserialize)]
struct Request {
    model: String,
    messages: Vec<Message>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    max_completion_tokens: Option<usize>,
    #[serde(default)]
    max_tokens: Option<usize>,
    #[serde(default)]
    continue_final_message: bool,
    #[serde(default)]
    add_generation_prompt: Option<bool>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    #[serde(default)]
    content: Value,
}

impl Message {
    /// The text of a content that is a string or a list of parts.
    fn text(&self) -> String {
        match &self.content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
            _ => String::new(),
        }
    }
}

impl Request {
    fn turns(&self) -> Vec<Turn> {
        let turn = |message: &Message| Turn { role: message.role.clone(), text: message.text() };
        self.messages.iter().map(turn).collect()
    }

    /// vLLM's two flags.
    fn has_flags(&self) -> Result<bool, ApiError> {
        let asks_for_a_turn = self.add_generation_prompt.unwrap_or(true);
        if self.continue_final_message && asks_for_a_turn {
            let message =
                "Cannot set both `continue_final_message` and `add_generation_prompt` to True.";
            return Err(ApiError::bad_request(message));
        }
        Ok(self.continue_final_message)
    }

    /// Four bytes are a token, roughly.
    fn prompt_tokens(&self) -> usize {
        self.messages.iter().map(|message| message.text().len().div_ceil(4)).sum()
    }

    fn most_tokens(&self) -> usize {
        self.max_completion_tokens.or(self.max_tokens).unwrap_or(usize::MAX)
    }

    fn includes_usage(&self) -> bool {
        self.stream_options.as_ref().is_some_and(|options| options.include_usage)
    }
}

pub(crate) async fn complete(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(&shared, &headers, &body).await.unwrap_or_else(IntoResponse::into_response)
}

async fn answer(shared: &Shared, headers: &HeaderMap, body: &[u8]) -> Result<Response, ApiError> {
    let request: Request = serde_json::from_slice(body)
        .map_err(|error| ApiError::bad_request(format!("The body is not a request: {error}.")))?;
    let going_on = GoingOn::read(&request.turns());
    let last_user = going_on.last_user.clone();
    let call = shared.calls.begin(Asked {
        model: request.model.clone(),
        last_user: last_user.clone(),
        messages: request.messages.len(),
        continued: going_on.continued(),
    });
    let mut spec = match shared.scripts.spec(&request.model) {
        Ok(spec) => spec,
        Err(error) => {
            call.finish();
            return Err(error.into());
        }
    };
    if spec.fail_times.is_some_and(|times| call.repeats() >= times) {
        spec = spec.healed();
    }
    if let Some(response) = refusal(&spec) {
        call.finish();
        return Ok(response);
    }
    let text = request.has_flags().and_then(|has_flags| going_on.text(&spec, has_flags));
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            call.finish();
            return Err(error);
        }
    };

    let id = format!("chatcmpl-standin-{}", call.n());
    let answer = Answer {
        plan: Plan::new(&spec, &last_user, request.most_tokens(), text),
        pace: Pace::new(spec.rate, spec.first),
        gates: shared.gates.clone(),
        call,
        prompt_tokens: request.prompt_tokens(),
        stamped: spec.stamp,
    };
    if request.stream == Some(true) && !spec.json {
        let events =
            Events::new(&spec, &id, unix_seconds(), &request.model, request.includes_usage());
        let body = match streams::name(headers).filter(|_| spec.streams) {
            Some(name) => shared.streams.keep(name, answer, events, spec.split),
            None => Body::from_stream(answer.stream(events, spec.split)),
        };
        return Ok(([(CONTENT_TYPE, "text/event-stream")], body).into_response());
    }
    Ok(whole(&spec, &id, &request.model, answer.whole().await))
}

/// What a model's name asks for instead of an answer.
fn refusal(spec: &Spec) -> Option<Response> {
    if spec.html {
        let status = spec.status.and_then(|status| StatusCode::from_u16(status).ok());
        let page = Html("<!doctype html><title>Sign in</title><h1>Please sign in</h1>\n");
        return Some((status.unwrap_or(StatusCode::OK), page).into_response());
    }
    spec.status.map(|status| ApiError::asked_for(status, spec.retry_after).into_response())
}

fn whole(spec: &Spec, id: &str, model: &str, whole: Whole) -> Response {
    let finish_reason = match whole.end {
        End::Finish => Some(spec.finish),
        End::Eof => None,
        End::Error(message) => return ApiError::failed(message).into_response(),
        End::Cut => {
            let cut = std::io::Error::other("cut on purpose");
            return Body::from_stream(stream::iter([Err::<Bytes, _>(cut)])).into_response();
        }
    };
    let mut message = json!({ "role": "assistant", "content": whole.text });
    if !whole.reasoning.is_empty() {
        message["reasoning_content"] = json!(whole.reasoning);
    }
    Json(json!({
        "id": id,
        "object": "chat.completion",
        "created": unix_seconds(),
        "model": model,
        "choices": [{
            "index": 0,
            "message": message,
            "logprobs": null,
            "finish_reason": finish_reason,
        }],
        "usage": whole.used.map(crate::sse::Used::json),
    }))
    .into_response()
}

fn unix_seconds() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs())
}
