//! Asking: at once with an id (PROTOCOL A2), or blocking until the answer is whole (A4).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json as JsonReply;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::mpsc;
use tokio::time::{self, interval_at};
use unbroken_engine::{Ask, Bell, Follower, Log, Speaker, Started, View};
use unbroken_protocol::{
    ChatRequest, ChatResponse, ErrorCode, Event, Queued, StartRequest, StartResponse, Timestamp,
};
use unbroken_store::Turn;

use crate::App;
use crate::auth::{self, Pair};
use crate::error::{ApiError, Json};

/// White space keeps a blocking call's connection alive this often.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// `POST /ai/chat/start`
pub(crate) async fn start(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Json(request): Json<StartRequest>,
) -> Result<JsonReply<StartResponse>, ApiError> {
    let (_, started) = begin(&app, peer, &headers, request).await?;
    Ok(JsonReply(start_response(started.turn)))
}

pub(crate) fn start_response(turn: Turn) -> StartResponse {
    StartResponse {
        conversation_id: turn.conversation_id,
        model: turn.model,
        model_name: turn.model_name,
        transaction_id: turn.generation_id.to_string(),
        status: "conversation_created".into(),
        message: "The answer is on its way. Follow it on the socket.".into(),
        websocket_route: "stream_chat".into(),
        routing: turn.routing,
        generation_id: turn.generation_id,
        message_id: turn.message_id,
        user_message_id: turn.user_message_id,
        epoch: turn.epoch,
        after_seq: 0,
        queued: (turn.waiting_behind > 0)
            .then_some(Queued { queue_id: turn.generation_id, position: turn.waiting_behind }),
    }
}

/// `POST /ai/chat` and `POST /api/chat`
pub(crate) async fn chat(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Json(request): Json<ChatRequest>,
) -> Result<Response, ApiError> {
    let began = Instant::now();
    let (speaker, started) = begin(&app, peer, &headers, request.start).await?;
    let log = app.engine.log(speaker.principal, started.turn.generation_id).await?;
    let conversation_id = started.turn.conversation_id;
    let (pieces, body) = mpsc::channel(1);
    app.tasks.spawn(write_answer(app.clone(), speaker, log, began, pieces));
    let pieces = stream::unfold(body, async |mut body| {
        let piece: Bytes = body.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(piece), body))
    });
    let mut response = Body::from_stream(pieces).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // A proxy that gathers the answer would swallow the signs of life.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    if let Ok(id) = HeaderValue::try_from(conversation_id.to_string()) {
        headers.insert("x-conversation-id", id);
    }
    Ok(response)
}

async fn begin(
    app: &App,
    peer: SocketAddr,
    headers: &HeaderMap,
    request: StartRequest,
) -> Result<(Speaker, Started), ApiError> {
    let pair = Pair::new(request.session_id, request.device_id);
    let speaker = auth::speaker(app, &Method::POST, headers, pair).await?;
    app.check_start(peer.ip())?;
    let ask = Ask {
        message: request.message,
        conversation_id: named(request.conversation_id),
        parent_id: named(request.parent_id),
        model_id: named(request.model_id),
        client_message_id: named(request.client_message_id),
        options: request.options.unwrap_or_default(),
        sources: request.sources.unwrap_or_default(),
        temporary: request.temporary.unwrap_or(false),
    };
    let started = app.engine.start(speaker.principal, ask).await?;
    Ok((speaker, started))
}

/// Clients that have no id yet send an empty text.
pub(crate) fn named(id: Option<String>) -> Option<String> {
    id.filter(|id| !id.is_empty())
}

/// Waits for the end of an answer and sends it as one JSON document, after white space.
async fn write_answer(
    app: App,
    speaker: Speaker,
    log: Arc<Log>,
    began: Instant,
    pieces: mpsc::Sender<Bytes>,
) {
    let bell = Arc::new(Bell::default());
    let (mut follower, _) = Follower::new(Arc::clone(&log), View::default(), 0, None);
    follower.watch(&bell);
    // Not from the last wake: an answer that grows all the time shows no sign of life by itself.
    let mut keep_alive = interval_at(time::Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
    let end = loop {
        if let Some(event) = follower.next_event() {
            if follower.has_ended() {
                break event;
            }
            continue;
        }
        tokio::select! {
            biased;
            () = bell.rung() => {}
            () = pieces.closed() => return,
            () = app.lifecycle.closed() => return,
            _ = keep_alive.tick() => {
                // The client went away: the answer goes on without it.
                if pieces.send(Bytes::from_static(b" ")).await.is_err() {
                    return;
                }
            }
        }
    };
    let reply = reply(&log, end, began);
    let body = serde_json::to_vec(&reply).expect("a reply is plain data");
    if pieces.send(body.into()).await.is_ok() {
        app.engine.deliver(log.identity.generation_id, &speaker).await;
    }
}

fn reply(log: &Log, end: Event, began: Instant) -> ChatResponse {
    let identity = &log.identity;
    let mut reply = ChatResponse {
        conversation_id: identity.conversation_id,
        generation_id: identity.generation_id,
        response: String::new(),
        tokens_used: 0,
        model: identity.model.clone(),
        model_name: identity.model_name.clone(),
        response_time_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        timestamp: Timestamp::now(),
        citations: Vec::new(),
        credits: None,
        error: None,
        message: None,
        code: None,
        retryable: None,
    };
    match end {
        Event::StreamComplete(complete) => {
            reply.response = complete.full_response;
            reply.tokens_used = complete.tokens;
            reply.citations = complete.citations;
        }
        Event::StreamError(failed) => {
            reply.response = log.summary().content;
            fail(&mut reply, failed.code, failed.error);
        }
        other => unreachable!("not an end: {other:?}"),
    }
    reply
}

fn fail(reply: &mut ChatResponse, code: ErrorCode, message: String) {
    reply.error = Some(code.as_str().into());
    reply.message = Some(message);
    reply.code = Some(code);
    reply.retryable = Some(code.retryable());
}
