//! The same events over HTTP, for whom a socket does not open: as a stream or as a long poll
//! (PROTOCOL B4).
//!
//! A stream is pulled: nothing is read from a log before the connection has taken what came before.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{Notify, futures::Notified};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};
use unbroken_engine::{Follower, Speaker, View};
use unbroken_protocol::{
    Draining, Epoch, Event, EventBatch, Following, GenerationId, Heartbeat, Position, Seq,
    Timestamp, limits,
};

use crate::App;
use crate::auth::{self, Pair};
use crate::error::{ApiError, PathId, Query};

/// The longest that a long poll waits. Many proxies give a silent request up after a minute.
const WAIT_LIMIT: Duration = Duration::from_secs(30);
/// About how many bytes one answer to a long poll holds; a snapshot or an end may be larger.
const BATCH: usize = limits::SERVER_FRAME_BYTES;
/// Clients are told to come back spread over this time, so that they do not come at once.
const SPREAD_MS: u64 = 5_000;
/// Everything that there is: an HTTP reader cannot say `hello`.
const VIEW: View = View { hello: true, reasoning: true, tools: true };
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// From where to read, and how long to wait for more.
#[derive(Debug, Deserialize)]
pub(crate) struct Window {
    /// `seq` or `epoch.seq`
    after: Option<String>,
    /// Seconds that a long poll waits for something new.
    wait: Option<u64>,
}

/// `GET /ai/generations/{id}/events`
pub(crate) async fn of_generation(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(pair): Query<Pair>,
    Query(window): Query<Window>,
) -> Result<Response, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    let id: GenerationId = id.parse().map_err(|_| ApiError::not_found("generation"))?;
    let log = app.engine.log(speaker.principal, id).await?;
    let after = After::of(&headers, &window)?;
    let (follower, following) = Follower::new(log, VIEW, after.seq, after.epoch);
    let at_end = after.is_end(&following);
    let answer = Answer::new(app.clone(), speaker, follower, following);
    Ok(match (wants_json(&headers), at_end) {
        (true, true) => json(&after.end()),
        (true, false) => answer.poll(window.wait()).await,
        (false, true) => StatusCode::NO_CONTENT.into_response(),
        (false, false) => Stream::new(app, Source::Answer(Box::new(answer))).into_response(),
    })
}

/// `GET /ai/events`: what happens to the principal's conversations.
///
/// There is no cursor: a notice is gone when nobody was there to hear it. Whoever comes again after
/// a gap, and there is one between two long polls, reads the list afresh.
pub(crate) async fn of_principal(
    State(app): State<App>,
    headers: HeaderMap,
    Query(pair): Query<Pair>,
    Query(window): Query<Window>,
) -> Result<Response, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    let notices = app.engine.notices(speaker.principal);
    Ok(if wants_json(&headers) {
        json(&poll_notices(&app, notices, window.wait()).await)
    } else {
        Stream::new(app, Source::Notices(notices)).into_response()
    })
}

impl Window {
    fn wait(&self) -> Duration {
        Duration::from_secs(self.wait.unwrap_or_default()).min(WAIT_LIMIT)
    }
}

/// A place in a log, as a client names it.
#[derive(Clone, Copy, Debug, Default)]
struct After {
    seq: Seq,
    epoch: Option<Epoch>,
}

impl After {
    /// What an `EventSource` saw last counts more than the address that it was opened with.
    fn of(headers: &HeaderMap, window: &Window) -> Result<Self, ApiError> {
        let seen = headers.get(LAST_EVENT_ID).map(|value| value.to_str().unwrap_or("?"));
        let named = seen.filter(|id| !id.is_empty()).or(window.after.as_deref());
        named.filter(|after| !after.is_empty()).map_or(Ok(Self::default()), Self::parse)
    }

    fn parse(text: &str) -> Result<Self, ApiError> {
        let parsed = match text.parse::<Position>() {
            Ok(position) => Some(Self { seq: position.seq, epoch: Some(position.epoch) }),
            Err(_) => text.parse().ok().map(|seq| Self { seq, epoch: None }),
        };
        parsed.ok_or_else(|| {
            ApiError::bad_request("The field after is a seq, or an epoch and a seq as in 1.41.")
        })
    }

    /// Whether nothing lies after this place and nothing ever will. A place that names an epoch
    /// in which the log has no such record is one of another history, and is put right instead.
    fn is_end(self, following: &Following) -> bool {
        following.state.is_sealed()
            && self.seq >= following.head_seq
            && (following.recovered || self.epoch.is_none())
    }

    /// The answer to a long poll from the end.
    fn end(self) -> EventBatch {
        let next_after = match self.epoch {
            Some(epoch) => Position::new(epoch, self.seq).to_string(),
            None => self.seq.to_string(),
        };
        EventBatch { events: Vec::new(), next_after, up_to_date: true, closed: true }
    }
}

/// `*/*` is a stream: it is what `curl` sends.
fn wants_json(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok());
    accepted.any(|line| line.contains("application/json") && !line.contains("text/event-stream"))
}

/// One log, read for one request.
struct Answer {
    app: App,
    speaker: Speaker,
    /// Sent first.
    following: Option<Box<Following>>,
    follower: Follower,
    waker: Arc<Notify>,
}

impl Answer {
    fn new(app: App, speaker: Speaker, follower: Follower, following: Box<Following>) -> Self {
        let waker = Arc::new(Notify::new());
        follower.watch(&waker);
        Self { app, speaker, following: Some(following), follower, waker }
    }

    /// What there is now.
    fn ready(&mut self) -> Option<Event> {
        match self.following.take() {
            Some(following) => Some(Event::Following(*following)),
            None => self.follower.next_event(),
        }
    }

    /// The next event; `None` after the last one, which it remembers as sent. Cancel safe.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready() {
                return Some(event);
            }
            if self.follower.has_ended() {
                self.remember().await;
                return None;
            }
            self.woken().await;
        }
    }

    fn woken(&self) -> Notified<'_> {
        self.waker.notified()
    }

    async fn remember(&self) {
        let generation = self.follower.log().identity.generation_id;
        self.app.engine.deliver(generation, &self.speaker).await;
    }

    /// One step of a long poll: it begins as a stream does, and one that waited in vain is empty.
    async fn poll(mut self, wait: Duration) -> Response {
        let start = self.follower.held();
        let resync = self.following.as_ref().is_some_and(|following| !following.recovered);
        let until = Instant::now() + wait;
        let (mut events, mut bytes) = (Vec::new(), 0);
        let mut over = wait.is_zero();
        loop {
            while bytes < BATCH
                && let Some(event) = self.ready()
            {
                bytes += weight(&event);
                events.push(event);
            }
            // Frames alone would come again at once with the next poll.
            if resync || over || self.follower.held() != start {
                break;
            }
            let lifecycle = &self.app.lifecycle;
            tokio::select! {
                () = self.woken() => {}
                () = sleep_until(until) => over = true,
                () = lifecycle.closed() => over = true,
            }
        }
        if !wait.is_zero() && !resync && self.follower.held() == start {
            events.clear();
        }
        let held = self.follower.held();
        let closed = self.follower.has_ended();
        let up_to_date = closed || held.seq >= self.follower.log().head();
        let batch = EventBatch { events, next_after: held.to_string(), up_to_date, closed };
        if !closed {
            return json(&batch);
        }
        let batch = serde_json::to_vec(&batch).expect("a batch is plain data").into();
        // After the batch, and no bytes of its own.
        let remembered = stream::once(async move {
            self.remember().await;
            Bytes::new()
        });
        let pieces = stream::iter([batch]).chain(remembered).map(Ok::<_, Infallible>);
        respond("application/json", Body::from_stream(pieces))
    }
}

/// About how many bytes an event takes.
fn weight(event: &Event) -> usize {
    let text = match event {
        Event::ContentChunk(chunk) => chunk.content.len(),
        Event::ReasoningChunk(chunk) => chunk.content.len(),
        _ => 0,
    };
    512 + text
}

/// What comes during the wait, and what came with it.
async fn poll_notices(
    app: &App,
    mut notices: broadcast::Receiver<Arc<Event>>,
    wait: Duration,
) -> EventBatch {
    let first = tokio::select! {
        notice = notices.recv() => notice.ok(),
        () = tokio::time::sleep(wait) => None,
        () = app.lifecycle.closed() => None,
    };
    let mut events: Vec<_> = first.iter().map(|event| Event::clone(event)).collect();
    // As many as the channel holds at most.
    while let Ok(event) = notices.try_recv() {
        events.push(Event::clone(&event));
    }
    // What comes between two polls is missed, so nobody is up to date.
    let next_after = Position::default().to_string();
    EventBatch { events, next_after, up_to_date: false, closed: false }
}

/// What a stream shows.
enum Source {
    Answer(Box<Answer>),
    Notices(broadcast::Receiver<Arc<Event>>),
}

impl Source {
    /// The next event; `None` at the end. Cancel safe.
    async fn next(&mut self) -> Option<Event> {
        match self {
            Self::Answer(answer) => answer.next().await,
            Self::Notices(notices) => match notices.recv().await {
                Ok(event) => Some(Event::clone(&event)),
                // It missed some: whoever comes again reads the list afresh.
                Err(RecvError::Lagged(_) | RecvError::Closed) => None,
            },
        }
    }

    fn heads(&self) -> BTreeMap<GenerationId, Seq> {
        match self {
            Self::Answer(answer) => {
                let log = answer.follower.log();
                BTreeMap::from([(log.identity.generation_id, log.head())])
            }
            Self::Notices(_) => BTreeMap::new(),
        }
    }
}

/// Server-sent events, one for each time that the connection asks for more.
struct Stream {
    app: App,
    source: Source,
    greeted: bool,
    told_draining: bool,
    signs_of_life: Interval,
}

impl Stream {
    fn new(app: App, source: Source) -> Self {
        let mut signs_of_life = interval_at(Instant::now() + limits::HEARTBEAT, limits::HEARTBEAT);
        // A reader that did not read is owed one, not all of them.
        signs_of_life.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { app, source, greeted: false, told_draining: false, signs_of_life }
    }

    fn into_response(self) -> Response {
        let pieces = stream::unfold(self, async |mut stream| {
            let piece = stream.next().await?;
            Some((Ok::<_, Infallible>(Bytes::from(piece)), stream))
        });
        respond("text/event-stream", Body::from_stream(pieces))
    }

    async fn next(&mut self) -> Option<String> {
        if !self.greeted {
            self.greeted = true;
            // A reader that does not see this within 3 s sits behind a proxy that gathers.
            return Some(": here\n\n".into());
        }
        tokio::select! {
            biased;
            () = self.app.lifecycle.drained(), if !self.told_draining => {
                self.told_draining = true;
                let reconnect_after_ms = getrandom::u64().unwrap_or_default() % SPREAD_MS;
                Some(written(&Event::Draining(Draining { reconnect_after_ms })))
            }
            // What there is goes out before the server closes.
            event = self.source.next() => event.as_ref().map(written),
            () = self.app.lifecycle.closed() => None,
            _ = self.signs_of_life.tick() => {
                let t = Timestamp::now().as_millis();
                let heartbeat = Event::Heartbeat(Heartbeat { t, heads: self.source.heads() });
                Some(format!(": still here\n\n{}", written(&heartbeat)))
            }
        }
    }
}

/// An event as a stream carries it. JSON has no line breaks outside of texts, and escapes them
/// there.
fn written(event: &Event) -> String {
    let id = event.record().map(|position| format!("id: {position}\n")).unwrap_or_default();
    let data = serde_json::to_string(event).expect("an event is plain data");
    format!("{id}event: {}\ndata: {data}\n\n", event.kind())
}

fn json(batch: &EventBatch) -> Response {
    let body = serde_json::to_vec(batch).expect("a batch is plain data");
    respond("application/json", body.into())
}

fn respond(content_type: &'static str, body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // A proxy that gathers the answer would hold back every word.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, body).into_response()
}
