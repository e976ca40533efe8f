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
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};
use unbroken_engine::{Bell, Follower, Heard, Listener, Speaker, View};
use unbroken_protocol::{
    Draining, Epoch, ErrorCode, Event, EventBatch, Following, GenerationId, Heartbeat, Noticed,
    Position, Seq, Timestamp, limits,
};

use crate::App;
use crate::auth::{self, Pair};
use crate::crowd::{Seat, Who};
use crate::error::{ApiError, PathId, Query};
use crate::written::Written;

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
    let seat = take_seat(&app, &speaker)?;
    let id: GenerationId = id.parse().map_err(|_| ApiError::not_found("generation"))?;
    let log = app.engine.log(speaker.principal, id).await?;
    let after = After::of(&headers, &window)?;
    let (follower, following) = Follower::new(log, VIEW, after.seq, after.epoch);
    let at_end = after.is_end(&following);
    let answer = Answer::new(app.clone(), speaker, follower, following);
    Ok(match (wants_json(&headers), at_end) {
        (true, true) => json(&after.end()),
        (true, false) => answer.poll(window.wait(), seat).await,
        (false, true) => StatusCode::NO_CONTENT.into_response(),
        (false, false) => Stream::new(app, Source::Answer(Box::new(answer)), seat).into_response(),
    })
}

/// `GET /ai/events`: what happens to the principal's conversations.
///
/// A place that names no epoch is one from now on.
pub(crate) async fn of_principal(
    State(app): State<App>,
    headers: HeaderMap,
    Query(pair): Query<Pair>,
    Query(window): Query<Window>,
) -> Result<Response, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    let seat = take_seat(&app, &speaker)?;
    let After { seq, epoch } = After::of(&headers, &window)?;
    let place = epoch.map(|epoch| Position::new(epoch, seq));
    let notices = app.engine.notices(speaker.principal, place);
    Ok(if wants_json(&headers) {
        json(&poll_notices(&app, notices, window.wait()).await)
    } else {
        let told_place = false;
        Stream::new(app, Source::Notices { notices, told_place }, seat).into_response()
    })
}

/// A place among the readers of whom it is for.
fn take_seat(app: &App, speaker: &Speaker) -> Result<Seat, ApiError> {
    let seat = app.crowd.enter(Who::Principal(speaker.principal), app.patience.readers);
    seat.ok_or_else(|| {
        let message = "Too many pages read at once. Close some of them.";
        ApiError::new(ErrorCode::RateLimited, message)
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
    bell: Arc<Bell>,
}

impl Answer {
    fn new(app: App, speaker: Speaker, follower: Follower, following: Box<Following>) -> Self {
        let bell = Arc::new(Bell::default());
        follower.watch(&bell);
        Self { app, speaker, following: Some(following), follower, bell }
    }

    /// What there is now.
    fn ready(&mut self) -> Option<Message> {
        match self.following.take() {
            Some(following) => Some(Message::of(None, &Event::Following(*following))),
            None => self.follower.next_frame().map(|frame| Message {
                place: frame.event.record(),
                kind: frame.event.kind(),
                json: Written::new(frame),
            }),
        }
    }

    /// The next event; `None` after the last one, which it remembers as sent. Cancel safe.
    async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.ready() {
                return Some(message);
            }
            if self.follower.has_ended() {
                self.remember().await;
                return None;
            }
            self.bell.rung().await;
        }
    }

    async fn remember(&self) {
        let generation = self.follower.log().identity.generation_id;
        self.app.engine.deliver(generation, &self.speaker).await;
    }

    /// One step of a long poll: it begins as a stream does, and one that waited in vain is empty.
    async fn poll(mut self, wait: Duration, seat: Seat) -> Response {
        let start = self.follower.held();
        let resync = self.following.as_ref().is_some_and(|following| !following.recovered);
        let until = Instant::now() + wait;
        let (mut events, mut bytes) = (Vec::new(), 0);
        let mut over = wait.is_zero();
        loop {
            while bytes < BATCH
                && let Some(Message { json, .. }) = self.ready()
            {
                bytes += json.bytes();
                events.push(json);
            }
            // Frames alone would come again at once with the next poll.
            if resync || over || self.follower.held() != start {
                break;
            }
            let lifecycle = &self.app.lifecycle;
            tokio::select! {
                () = self.bell.rung() => {}
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
        let next_after = held.to_string();
        let batch = EventBatch { events: Vec::new(), next_after, up_to_date, closed };
        // After the batch, and no bytes of its own.
        let remembered = stream::once(async move {
            if closed {
                self.remember().await;
            }
            drop(seat);
            Bytes::new()
        });
        let pieces = stream::iter(filled(&batch, events).map(Bytes::from));
        let pieces = pieces.chain(remembered).map(Ok::<_, Infallible>);
        respond("application/json", Body::from_stream(pieces))
    }
}

/// The JSON of a batch with these events.
fn filled(batch: &EventBatch, events: Vec<Written>) -> impl Iterator<Item = String> + Send + use<> {
    let json = serde_json::to_string(batch).expect("a batch is plain data");
    let (head, tail) = json.split_once("[]").expect("its events come first");
    let (head, tail) = (format!("{head}["), format!("]{tail}"));
    let events = events.into_iter().enumerate().flat_map(|(index, event)| {
        let comma = (index > 0).then(|| ",".to_owned());
        comma.into_iter().chain(event)
    });
    std::iter::once(head).chain(events).chain([tail])
}

/// What came since that place, or else what comes during the wait, and what came with it.
async fn poll_notices(app: &App, mut notices: Listener, wait: Duration) -> EventBatch {
    let mut next = notices.try_next();
    if next.is_none() {
        next = tokio::select! {
            heard = notices.next() => Some(heard),
            () = tokio::time::sleep(wait) => None,
            () = app.lifecycle.closed() => None,
        };
    }
    let (mut events, mut missed) = (Vec::new(), false);
    while let Some(heard) = next {
        missed |= heard == Heard::Missed;
        events.push(notice(heard, &notices));
        next = notices.try_next();
    }
    let next_after = notices.held().to_string();
    EventBatch { events, next_after, up_to_date: !missed, closed: false }
}

fn notice(heard: Heard, notices: &Listener) -> Event {
    match heard {
        Heard::Notice(event) => Event::clone(&event),
        Heard::Missed => noticed(notices, true),
    }
}

fn noticed(notices: &Listener, missed: bool) -> Event {
    Event::Noticed(Noticed { after: notices.held().to_string(), missed })
}

/// One message of a stream.
struct Message {
    /// Where to come back to after it.
    place: Option<Position>,
    kind: &'static str,
    json: Written,
}

impl Message {
    fn of(place: Option<Position>, event: &Event) -> Self {
        Self { place, kind: event.kind(), json: Written::whole(event) }
    }

    /// What stands before its JSON.
    fn head(&self) -> String {
        let id = self.place.map(|place| format!("id: {place}\n")).unwrap_or_default();
        format!("{id}event: {}\ndata: ", self.kind)
    }
}

/// What a stream shows.
enum Source {
    Answer(Box<Answer>),
    Notices {
        notices: Listener,
        /// The client knows where it is, so that it can come back there.
        told_place: bool,
    },
}

impl Source {
    /// The next message; `None` at the end. Cancel safe.
    async fn next(&mut self) -> Option<Message> {
        match self {
            Self::Answer(answer) => answer.next().await,
            Self::Notices { notices, told_place } => {
                let event = match notices.try_next() {
                    Some(heard) => notice(heard, notices),
                    None if !*told_place => noticed(notices, false),
                    None => {
                        let heard = notices.next().await;
                        notice(heard, notices)
                    }
                };
                *told_place = matches!(event, Event::Noticed(_));
                Some(Message::of(told_place.then(|| notices.held()), &event))
            }
        }
    }

    fn heads(&self) -> BTreeMap<GenerationId, Seq> {
        match self {
            Self::Answer(answer) => {
                let log = answer.follower.log();
                BTreeMap::from([(log.identity.generation_id, log.head())])
            }
            Self::Notices { .. } => BTreeMap::new(),
        }
    }
}

/// Server-sent events, one for each time that the connection asks for more.
struct Stream {
    app: App,
    source: Source,
    /// What of a message is still to be sent.
    rest: Option<Written>,
    greeted: bool,
    told_draining: bool,
    signs_of_life: Interval,
    _seat: Seat,
}

impl Stream {
    fn new(app: App, source: Source, seat: Seat) -> Self {
        let mut signs_of_life = interval_at(Instant::now() + limits::HEARTBEAT, limits::HEARTBEAT);
        // A reader that did not read is owed one, not all of them.
        signs_of_life.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (greeted, told_draining) = (false, false);
        Self { app, source, rest: None, greeted, told_draining, signs_of_life, _seat: seat }
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
        if let Some(rest) = self.rest.take() {
            return Some(self.write(String::new(), rest));
        }
        let message = tokio::select! {
            biased;
            () = self.app.lifecycle.drained(), if !self.told_draining => {
                self.told_draining = true;
                let reconnect_after_ms = getrandom::u64().unwrap_or_default() % SPREAD_MS;
                Some(Message::of(None, &Event::Draining(Draining { reconnect_after_ms })))
            }
            // What there is goes out before the server closes.
            message = self.source.next() => message,
            () = self.app.lifecycle.closed() => None,
            _ = self.signs_of_life.tick() => {
                let t = Timestamp::now().as_millis();
                let heartbeat = Event::Heartbeat(Heartbeat { t, heads: self.source.heads() });
                let message = Message::of(None, &heartbeat);
                return Some(self.write(format!(": still here\n\n{}", message.head()), message.json));
            }
        };
        message.map(|message| self.write(message.head(), message.json))
    }

    /// Adds the next piece of a message. JSON has no line breaks outside of texts, and escapes them
    /// there.
    fn write(&mut self, mut text: String, mut json: Written) -> String {
        text.extend(json.next());
        if json.is_done() {
            text.push_str("\n\n");
        } else {
            self.rest = Some(json);
        }
        text
    }
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
