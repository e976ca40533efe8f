//! A connection without a socket: what a machine says becomes requests, and what their answers
//! bring is what a socket would have brought (PROTOCOL B4).
//!
//! It reads one log at a time, that of the newest follow, and the principal's notices.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _, unfold};
use serde_json::Value;
use unbroken_protocol::{
    ClientFrame, ClientMessageId, ConnectionEstablished, ConversationId, Done, Epoch, ErrorCode,
    ErrorFrame, Event, Follow, GenerationId, Hello, HelloOk, Incoming, Noticed, Pong, Position,
    Seq, Timestamp, limits, path,
};

use crate::ladder::Transport;
use crate::rest::{EventStream, Rest, RestError, filled};

/// Seconds that a long poll waits: well within what proxies allow, and within the watchdog.
const WAIT: u64 = 25;

/// How long a stream may take to show anything: behind a proxy that gathers it takes for ever.
pub(crate) const QUIET: Duration = Duration::from_secs(3);

#[cfg(not(target_arch = "wasm32"))]
pub(crate) type Boxed<T> = futures_util::future::BoxFuture<'static, T>;
#[cfg(target_arch = "wasm32")]
pub(crate) type Boxed<T> = futures_util::future::LocalBoxFuture<'static, T>;
#[cfg(not(target_arch = "wasm32"))]
type Reader = futures_util::stream::BoxStream<'static, Result<Event, RestError>>;
#[cfg(target_arch = "wasm32")]
type Reader = futures_util::stream::LocalBoxStream<'static, Result<Event, RestError>>;

/// The connection broke; another one goes on where this one was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lost;

/// One connection by stream or long poll.
pub(crate) struct Http {
    rest: Rest,
    transport: Transport,
    /// The last one is read; the others wait until it has ended.
    follows: Vec<Followed>,
    log: Option<Reader>,
    notices: Reader,
    errands: FuturesUnordered<Boxed<Result<Done, Failure>>>,
    seeks: FuturesUnordered<Boxed<Result<Followed, Failure>>>,
    ready: VecDeque<Event>,
    /// Who waits for the next event.
    waker: Option<Waker>,
}

/// A follow, and how far it came.
struct Followed {
    id: GenerationId,
    req: Option<Value>,
    after: After,
    /// The server took it.
    taken: bool,
}

/// A place in a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct After {
    epoch: Option<Epoch>,
    seq: Seq,
}

/// A request that was made for a frame came to nothing.
struct Failure {
    req: Option<Value>,
    generation_id: Option<GenerationId>,
    error: RestError,
}

impl Http {
    /// Opens one, and returns when the server has been heard on it.
    pub(crate) async fn open(rest: Rest, transport: Transport) -> Result<Self, RestError> {
        let mut notices = reader(&rest, transport, path::EVENTS.to_owned(), After::default());
        match notices.next().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error),
            None => return Err(RestError::Unreachable("the stream ended".to_owned())),
        }
        let timestamp = Timestamp::default();
        Ok(Self {
            rest,
            transport,
            follows: Vec::new(),
            log: None,
            notices,
            errands: FuturesUnordered::new(),
            seeks: FuturesUnordered::new(),
            ready: [Event::ConnectionEstablished(ConnectionEstablished { timestamp })].into(),
            waker: None,
        })
    }

    /// Takes a frame of the machine.
    pub(crate) fn say(&mut self, Incoming { req, frame }: Incoming) {
        self.waker.take().into_iter().for_each(Waker::wake);
        match frame {
            ClientFrame::Hello(hello) => self.hello(&hello, req),
            ClientFrame::Ping(ping) => {
                self.ready.push_back(Event::Pong(Pong { t: ping.t, req }));
            }
            ClientFrame::Follow(follow) => self.follow(&follow, req),
            ClientFrame::Unfollow(target) => {
                if let Ok(id) = target.generation_id.parse() {
                    self.leave(id);
                }
            }
            ClientFrame::Stop(target) => match target.generation_id.parse() {
                Ok(id) => self.stop(id, req),
                Err(_) => self.refuse(req, ErrorCode::NotFound, "There is no such generation."),
            },
            ClientFrame::Continue(frame) => match frame.generation_id.parse() {
                Ok(id) => self.go_on(id, frame.client_message_id, req),
                Err(_) => self.refuse(req, ErrorCode::NotFound, "There is no such generation."),
            },
            ClientFrame::StreamChat(_) => {
                self.refuse(req, ErrorCode::BadRequest, "Only a socket takes this frame.");
            }
        }
    }

    fn hello(&mut self, hello: &Hello, req: Option<Value>) {
        let place = hello.notices_after.as_deref().map(str::parse::<Position>);
        if let Some(Ok(Position { epoch, seq })) = place {
            // What came since another connection heard them, from there on.
            let after = After { epoch: Some(epoch), seq };
            self.notices = reader(&self.rest, self.transport, path::EVENTS.to_owned(), after);
        }
        self.ready.push_back(Event::HelloOk(HelloOk {
            version: 1,
            node: String::new(),
            heartbeat_ms: u64::try_from(limits::HEARTBEAT.as_millis()).unwrap_or(u64::MAX),
            max_frame: limits::SERVER_FRAME_BYTES as u64,
            req,
        }));
    }

    /// The next event. Cancel safe.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) async fn next(&mut self) -> Result<Event, Lost> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    /// The next event.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Event, Lost>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Poll::Ready(Ok(event));
            }
            if let Some(log) = &mut self.log
                && let Poll::Ready(heard) = log.as_mut().poll_next(context)
            {
                self.heard(heard)?;
            } else if let Poll::Ready(heard) = self.notices.as_mut().poll_next(context) {
                self.noticed(heard)?;
            } else if let Poll::Ready(Some(done)) = self.errands.poll_next_unpin(context) {
                match done {
                    Ok(done) => self.ready.push_back(Event::Ok(done)),
                    Err(failure) => self.fail(failure)?,
                }
            } else if let Poll::Ready(Some(sought)) = self.seeks.poll_next_unpin(context) {
                match sought {
                    Ok(followed) => self.read(followed),
                    Err(failure) => self.fail(failure)?,
                }
            } else {
                self.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
        }
    }

    /// Something about the log that is read.
    fn heard(&mut self, heard: Option<Result<Event, RestError>>) -> Result<(), Lost> {
        let followed = self.follows.last_mut().ok_or(Lost)?;
        let mut event = match heard {
            Some(Ok(event)) => event,
            Some(Err(error)) if !followed.taken => {
                let (req, generation_id) = (followed.req.clone(), Some(followed.id));
                self.fail(Failure { req, generation_id, error })?;
                self.end();
                return Ok(());
            }
            Some(Err(_)) | None => return Err(Lost),
        };
        if let Some(position) = position(&event) {
            followed.after = position;
        }
        let ended = event.record().is_some()
            && matches!(event, Event::StreamComplete(_) | Event::StreamError(_));
        match &mut event {
            Event::Following(following) => {
                followed.taken = true;
                following.req.clone_from(&followed.req);
            }
            // Those that wait are not late.
            Event::Heartbeat(heartbeat) => {
                let waiting = self.follows.iter().rev().skip(1);
                heartbeat.heads.extend(waiting.map(|waiting| (waiting.id, waiting.after.seq)));
            }
            _ => {}
        }
        self.ready.push_back(event);
        if ended {
            self.end();
        }
        Ok(())
    }

    /// Something about the principal's conversations.
    fn noticed(&mut self, heard: Option<Result<Event, RestError>>) -> Result<(), Lost> {
        let Some(Ok(event)) = heard else { return Err(Lost) };
        self.ready.push_back(match event {
            // It knows no logs.
            Event::Heartbeat(_) => Event::Unknown,
            event => event,
        });
        Ok(())
    }

    fn follow(&mut self, follow: &Follow, req: Option<Value>) {
        let id = follow.generation_id.as_deref().and_then(|id| id.parse().ok());
        let conversation = follow.conversation_id.as_deref().and_then(|id| id.parse().ok());
        let after = After { epoch: follow.epoch, seq: follow.after_seq };
        match (id, conversation) {
            (Some(id), _) => self.read(Followed { id, req, after, taken: false }),
            (None, Some(conversation)) => {
                self.seeks.push(Box::pin(newest(self.rest.clone(), conversation, req)));
            }
            (None, None) => {
                self.refuse(req, ErrorCode::NotFound, "There is no such generation.");
            }
        }
    }

    fn read(&mut self, followed: Followed) {
        self.follows.retain(|other| other.id != followed.id);
        self.follows.push(followed);
        self.resume();
    }

    fn leave(&mut self, id: GenerationId) {
        let is_read = self.follows.last().is_some_and(|followed| followed.id == id);
        self.follows.retain(|followed| followed.id != id);
        if is_read {
            self.resume();
        }
    }

    /// The log that is read brings nothing more.
    fn end(&mut self) {
        self.follows.pop();
        self.resume();
    }

    fn resume(&mut self) {
        self.log = self.follows.last().map(|followed| {
            let path = filled(path::GENERATION_EVENTS, followed.id);
            reader(&self.rest, self.transport, path, followed.after)
        });
    }

    fn stop(&mut self, id: GenerationId, req: Option<Value>) {
        let rest = self.rest.clone();
        self.errands.push(Box::pin(async move {
            match rest.stop(id).await {
                Ok(_) => Ok(Done { req }),
                Err(error) => Err(Failure { req, generation_id: Some(id), error }),
            }
        }));
    }

    fn go_on(&mut self, id: GenerationId, key: Option<String>, req: Option<Value>) {
        // The default is a new one.
        let key: ClientMessageId = key.and_then(|key| key.parse().ok()).unwrap_or_default();
        let rest = self.rest.clone();
        self.errands.push(Box::pin(async move {
            match rest.go_on(id, key).await {
                Ok(_) => Ok(Done { req }),
                Err(error) => Err(Failure { req, generation_id: Some(id), error }),
            }
        }));
    }

    /// Passes a refusal on; anything else says that the connection is not there.
    fn fail(&mut self, Failure { req, generation_id, error }: Failure) -> Result<(), Lost> {
        let RestError::Refused(body) = error else { return Err(Lost) };
        let (code, message, retryable) = (body.code, body.message, body.retryable);
        let refusal = ErrorFrame { req, generation_id, code, message, retryable };
        self.ready.push_back(Event::Error(refusal));
        Ok(())
    }

    fn refuse(&mut self, req: Option<Value>, code: ErrorCode, message: &str) {
        let (message, retryable) = (message.to_owned(), code.retryable());
        let refusal = ErrorFrame { req, generation_id: None, code, message, retryable };
        self.ready.push_back(Event::Error(refusal));
    }
}

/// How far an event leads, if it leads on.
fn position(event: &Event) -> Option<After> {
    let position = match event {
        Event::Snapshot(snapshot) => snapshot.at.position(),
        event => event.record()?,
    };
    Some(After { epoch: Some(position.epoch), seq: position.seq })
}

/// The newest generation of a conversation, to be followed from its beginning.
async fn newest(
    rest: Rest,
    conversation: ConversationId,
    req: Option<Value>,
) -> Result<Followed, Failure> {
    let after = After::default();
    match rest.conversation(conversation, Some(2), None).await {
        Ok(page) => match page.messages.iter().rev().find_map(|message| message.generation_id) {
            Some(id) => Ok(Followed { id, req, after, taken: false }),
            None => Err(Failure { req, generation_id: None, error: RestError::nothing() }),
        },
        Err(error) => Err(Failure { req, generation_id: None, error }),
    }
}

fn reader(rest: &Rest, transport: Transport, path: String, after: After) -> Reader {
    let rest = rest.clone();
    if transport == Transport::LongPoll {
        let ready = VecDeque::new();
        let polling = Polling { rest, path, after: after.query(), seq: after.seq, wait: 0, ready };
        Box::pin(unfold(polling, async |mut polling| Some((polling.next().await, polling))))
    } else {
        let streaming = Streaming { rest, path, after, stream: None };
        Box::pin(unfold(streaming, async |mut streaming| {
            let heard = streaming.next().await.transpose()?;
            Some((heard, streaming))
        }))
    }
}

impl After {
    fn query(self) -> String {
        match self.epoch {
            Some(epoch) => format!("{epoch}.{}", self.seq),
            None => self.seq.to_string(),
        }
    }

    /// The place before: nothing lies after this one, and the end is wanted again.
    fn back(seq: Seq) -> Self {
        Self { epoch: None, seq: seq.saturating_sub(1) }
    }
}

/// Events by server-sent events.
struct Streaming {
    rest: Rest,
    path: String,
    after: After,
    stream: Option<EventStream>,
}

impl Streaming {
    async fn next(&mut self) -> Result<Option<Event>, RestError> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            stream => {
                let mut opened = self.rest.stream(&self.path, &self.after.query()).await?;
                if opened.is_none() {
                    self.after = After::back(self.after.seq);
                    opened = self.rest.stream(&self.path, &self.after.query()).await?;
                }
                let Some(opened) = opened else { return Ok(None) };
                stream.insert(opened)
            }
        };
        stream.next().await
    }
}

/// Events by long poll.
struct Polling {
    rest: Rest,
    path: String,
    after: String,
    seq: Seq,
    /// The first one asks how things stand.
    wait: u64,
    ready: VecDeque<Event>,
}

impl Polling {
    async fn next(&mut self) -> Result<Event, RestError> {
        if let Some(event) = self.ready.pop_front() {
            return Ok(event);
        }
        let batch = self.rest.poll(&self.path, &self.after, self.wait).await?;
        self.wait = WAIT;
        self.after.clone_from(&batch.next_after);
        if batch.closed && batch.events.is_empty() {
            self.after = After::back(self.seq).query();
        }
        self.ready.extend(batch.events);
        if self.path == path::EVENTS {
            let noticed = Noticed { after: batch.next_after, missed: false };
            self.ready.push_back(Event::Noticed(noticed));
        }
        // That it answered is a sign of life.
        Ok(Event::Unknown)
    }
}
