//! Answers that are kept running under a name, and can be read again from any byte, as llama.cpp
//! does it: at its newer addresses (`?conv_id=`) and at its older ones.

use std::{
    collections::HashMap,
    io,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{sync::watch, task::yield_now};
use tokio_util::sync::CancellationToken;

use crate::{
    answer::Answer,
    calls::{Asked, Continuation},
    error::ApiError,
    server::Shared,
    sse::Events,
};

/// The name of an answer, in the head of the call that begins it.
pub(crate) fn name(headers: &HeaderMap) -> Option<String> {
    let name = headers.get("x-conversation-id")?.to_str().ok()?;
    (!name.is_empty()).then(|| name.to_owned())
}

pub(crate) struct Streams {
    kept: Mutex<HashMap<String, Kept>>,
    stop: CancellationToken,
}

#[derive(Clone)]
struct Kept {
    model: String,
    body: watch::Receiver<Bodied>,
    end: CancellationToken,
}

/// The body so far.
#[derive(Default)]
struct Bodied {
    bytes: Vec<u8>,
    /// Where the connection that began the answer is cut.
    cut: Option<usize>,
    done: bool,
}

/// How a reader takes a cut.
#[derive(Clone, Copy, PartialEq)]
enum Reader {
    /// The one that began the answer: it is cut there.
    First,
    Later,
}

impl Streams {
    pub(crate) fn new(stop: CancellationToken) -> Self {
        Self { kept: Mutex::default(), stop }
    }

    /// Keeps the answer running, whether or not anybody reads the body that is returned.
    pub(crate) fn keep(
        &self,
        name: String,
        answer: Answer,
        events: Events,
        split: Option<usize>,
    ) -> Body {
        let (sender, body) = watch::channel(Bodied::default());
        let end = self.stop.child_token();
        let model = answer.call.model().to_owned();
        let kept = Kept { model, body, end: end.clone() };
        if let Some(before) = self.kept().insert(name, kept.clone()) {
            before.end.cancel();
        }
        let pieces = answer.stream_beyond_cuts(events, split);
        tokio::spawn(end.run_until_cancelled_owned(write(pieces, sender)));
        Body::from_stream(follow(kept.body, 0, Reader::First))
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write(pieces: impl Stream<Item = io::Result<Bytes>>, body: watch::Sender<Bodied>) {
    let mut pieces = pin!(pieces);
    while let Some(piece) = pieces.next().await {
        body.send_modify(|body| match &piece {
            Ok(bytes) => body.bytes.extend(bytes),
            Err(_) => body.cut = body.cut.or(Some(body.bytes.len())),
        });
    }
    body.send_modify(|body| body.done = true);
}

/// A reader's place in a body.
struct Reading {
    body: watch::Receiver<Bodied>,
    at: usize,
    reader: Reader,
}

fn follow(
    body: watch::Receiver<Bodied>,
    from: usize,
    reader: Reader,
) -> impl Stream<Item = io::Result<Bytes>> {
    let reading = Some(Reading { body, at: from, reader });
    stream::unfold(reading, async |reading| reading?.piece().await)
}

impl Reading {
    /// What is there, once there is something; nothing follows a cut.
    async fn piece(mut self) -> Option<(io::Result<Bytes>, Option<Self>)> {
        let (at, is_first) = (self.at, self.reader == Reader::First);
        let limit = |body: &Bodied| body.cut.filter(|_| is_first);
        let has_news = |body: &Bodied| {
            body.done || body.bytes.len() > at || limit(body).is_some_and(|cut| at >= cut)
        };
        // An answer that was ended leaves its body without an end.
        let was_ended = self.body.wait_for(has_news).await.is_err();
        let (piece, is_cut) = {
            let body = self.body.borrow();
            let until = limit(&body).unwrap_or(body.bytes.len());
            let piece = Bytes::copy_from_slice(body.bytes.get(at..until).unwrap_or_default());
            (piece, was_ended || limit(&body).is_some())
        };
        if !piece.is_empty() {
            self.at += piece.len();
            return Some((Ok(piece), Some(self)));
        }
        if !is_cut {
            return None;
        }
        // What was sent before goes out first.
        yield_now().await;
        Some((Err(io::Error::other("cut on purpose")), None))
    }
}

#[derive(Deserialize)]
pub(crate) struct Place {
    #[serde(default)]
    conv_id: String,
    #[serde(default)]
    from: usize,
}

pub(crate) async fn read_newer(
    State(shared): State<Shared>,
    Query(place): Query<Place>,
) -> Result<Response, ApiError> {
    read(&shared, &place.conv_id, place.from)
}

pub(crate) async fn read_older(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Query(place): Query<Place>,
) -> Result<Response, ApiError> {
    read(&shared, &name, place.from)
}

fn read(shared: &Shared, name: &str, from: usize) -> Result<Response, ApiError> {
    let kept = shared.streams.kept().get(name).cloned();
    let kept = kept.ok_or_else(|| ApiError::not_found("Stream not found or expired"))?;
    let call = shared.calls.begin(Asked {
        model: kept.model,
        continued: Some((Continuation::Reattach, from)),
        ..Asked::default()
    });
    // The reading runs as long as the reader stays.
    let body = follow(kept.body, from, Reader::Later);
    let end = stream::once(async move {
        call.finish();
        Ok(Bytes::new())
    });
    let body = Body::from_stream(body.chain(end));
    Ok(([(CONTENT_TYPE, "text/event-stream")], body).into_response())
}

pub(crate) async fn end_newer(
    State(shared): State<Shared>,
    Query(place): Query<Place>,
) -> StatusCode {
    end(&shared, &place.conv_id)
}

pub(crate) async fn end_older(
    State(shared): State<Shared>,
    Path(name): Path<String>,
) -> StatusCode {
    end(&shared, &name)
}

/// Idempotent.
fn end(shared: &Shared, name: &str) -> StatusCode {
    if let Some(kept) = shared.streams.kept().remove(name) {
        kept.end.cancel();
    }
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
pub(crate) struct Names {
    #[serde(default)]
    conversation_ids: Vec<String>,
}

pub(crate) async fn look_up(
    State(shared): State<Shared>,
    Json(names): Json<Names>,
) -> Json<Vec<Value>> {
    Json(listed(&shared, |name| names.conversation_ids.iter().any(|asked| asked == name)))
}

pub(crate) async fn list(State(shared): State<Shared>) -> Json<Vec<Value>> {
    Json(listed(&shared, |_| true))
}

fn listed(shared: &Shared, is_asked: impl Fn(&str) -> bool) -> Vec<Value> {
    let streams = shared.streams.kept();
    let asked = streams.iter().filter(|(name, _)| is_asked(name));
    let shown = asked.map(|(name, kept)| {
        let body = kept.body.borrow();
        json!({
            "conversation_id": name,
            "is_done": body.done,
            "total_bytes": body.bytes.len(),
        })
    });
    shown.collect()
}
