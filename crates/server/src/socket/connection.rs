//! One connection: what it is, what it follows, and its loop.

use std::collections::HashSet;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::Data;
use tokio_tungstenite::tungstenite::{self, Message};
use unbroken_engine::{Bell, Follower, Frame, Heard, Listener, Seldom, Speaker};
use unbroken_protocol::limits::{self, close};
use unbroken_protocol::{
    ConnectionEstablished, Draining, Event, GenerationId, Heartbeat, Noticed, Timestamp,
};

use crate::App;
use crate::crowd::{Seat, Who};
use crate::socket::flood::Allowance;
use crate::socket::frames::Greeting;
use crate::socket::stream::{Socket, TextFrame};
use crate::written::Written;

/// How long what followers still have may take before the server closes at its end.
const LAST_WORDS: Duration = Duration::from_secs(3);
/// Rounds of frames after which a connection looks at everything else that may have happened.
const ROUNDS: u32 = 16;
/// Connections are told to come back spread over this time, so that they do not come at once.
const SPREAD_MS: u64 = 5_000;

pub(super) struct Connection {
    pub(super) app: App,
    socket: Socket,
    pub(super) peer: IpAddr,
    /// Who speaks, when upgrade or `hello` said so.
    pub(super) speaker: Option<Speaker>,
    /// What `hello` asked for; before it only the types of PROTOCOL A3 are sent.
    pub(super) greeting: Option<Greeting>,
    pub(super) followers: Vec<Followed>,
    /// Generations whose `stream_start` this connection was sent.
    started: HashSet<GenerationId>,
    notices: Option<Listener>,
    /// The client comes back to its place among the notices.
    knows_places: bool,
    /// Rung by the logs that it follows.
    bell: Arc<Bell>,
    allowance: Allowance,
    /// Its place among the readers of whom it speaks for.
    seat: Option<Seat>,
    last_sent: Instant,
    /// The client wants no more text before.
    rests_until: Option<Instant>,
    /// When the client showed that it is there.
    last_received: Instant,
    told_draining: bool,
}

/// A generation that this connection follows, and for whom.
pub(super) struct Followed {
    pub(super) follower: Follower,
    pub(super) speaker: Speaker,
}

/// What a connection waits for besides records.
struct Waits<'a> {
    closed: Pin<&'a mut (dyn Future<Output = ()> + Send)>,
    drained: Pin<&'a mut (dyn Future<Output = ()> + Send)>,
    timer: Pin<&'a mut Sleep>,
    next_ping: Instant,
}

impl Waits<'_> {
    /// Lets the timer ring for the next ping, or earlier.
    fn ring_at(&mut self, earlier: Option<Instant>) {
        let due = earlier.map_or(self.next_ping, |earlier| earlier.min(self.next_ping));
        if due < self.timer.deadline() {
            self.timer.as_mut().reset(due);
        }
    }
}

enum Happened {
    Closed,
    Drained,
    Received(Option<Result<Message, tungstenite::Error>>),
    Heard(Heard),
    /// A ping or a heartbeat, or soon.
    Due,
}

/// Why a connection ends.
pub(super) enum Closed {
    /// The client is gone.
    Gone,
    /// We close, with this code and reason.
    With(u16, &'static str),
}

pub(super) type Step = Result<(), Closed>;

/// What became of something that was sent.
fn within_patience<E>(sent: &Result<Result<(), E>, Elapsed>) -> Step {
    match sent {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Closed::Gone),
        Err(_) => Err(Closed::With(close::TOO_SLOW, "too slow")),
    }
}

impl Connection {
    pub(super) fn new(app: App, socket: Socket, peer: IpAddr, speaker: Option<Speaker>) -> Self {
        let now = Instant::now();
        let allowance = Allowance::new(app.patience.frames);
        Self {
            app,
            socket,
            peer,
            speaker,
            greeting: None,
            followers: Vec::new(),
            started: HashSet::new(),
            notices: None,
            knows_places: false,
            bell: Arc::default(),
            allowance,
            seat: None,
            last_sent: now,
            rests_until: None,
            last_received: now,
            told_draining: false,
        }
    }

    pub(super) async fn run(mut self) {
        let ended = self.serve().await;
        if let Err(Closed::With(code, reason)) = ended {
            let frame = CloseFrame { code: code.into(), reason: reason.into() };
            let goodbye = async {
                let _ = self.socket.control(Message::Close(Some(frame))).await;
                // What the client still sends is read, else its kernel throws our close away.
                while let Some(Ok(_)) = self.socket.next().await {}
            };
            let _ = timeout(Duration::from_secs(1), goodbye).await;
        }
    }

    async fn serve(&mut self) -> Step {
        self.sit_down()?;
        let timestamp = Timestamp::now();
        self.send(&Event::ConnectionEstablished(ConnectionEstablished { timestamp })).await?;
        let lifecycle = self.app.lifecycle.clone();
        let next_ping = Instant::now() + self.app.patience.ping;
        let mut waits = Waits {
            closed: pin!(lifecycle.closed()),
            drained: pin!(lifecycle.drained()),
            timer: pin!(sleep_until(next_ping)),
            next_ping,
        };
        let (bell, seldom) = (Arc::clone(&self.bell), Seldom::default());
        let mut rounds = 0;
        loop {
            self.rests_until = self.rests_until.filter(|until| *until > Instant::now());
            let rests = self.rests_until.is_some();
            waits.ring_at(self.heartbeat_at().into_iter().chain(self.rests_until).min());
            let happens = poll_fn(|context| {
                seldom.poll(context, |context| self.poll_seldom(&mut waits, context))
            });
            tokio::select! {
                biased;
                // First, as most wakes are of this kind; but nobody else waits for ever.
                () = bell.rung(), if rounds < ROUNDS && !rests => {
                    self.pump_all().await?;
                    rounds += 1;
                }
                happened = happens => self.attend(happened, &mut waits).await?,
                () = std::future::ready(()), if rounds == ROUNDS => rounds = 0,
            }
        }
    }

    /// What happens besides records.
    fn poll_seldom(&mut self, waits: &mut Waits<'_>, context: &mut Context<'_>) -> Poll<Happened> {
        if waits.closed.as_mut().poll(context).is_ready() {
            return Poll::Ready(Happened::Closed);
        }
        if !self.told_draining && waits.drained.as_mut().poll(context).is_ready() {
            return Poll::Ready(Happened::Drained);
        }
        if let Poll::Ready(message) = self.socket.poll_next(context) {
            return Poll::Ready(Happened::Received(message));
        }
        if let Some(notices) = &mut self.notices
            && let Poll::Ready(heard) = notices.poll_next(context)
        {
            return Poll::Ready(Happened::Heard(heard));
        }
        waits.timer.as_mut().poll(context).map(|()| Happened::Due)
    }
    async fn attend(&mut self, happened: Happened, waits: &mut Waits<'_>) -> Step {
        match happened {
            Happened::Closed => {
                self.say_last_words().await?;
                Err(Closed::With(close::RESTART, "the server restarts"))
            }
            Happened::Drained => self.tell_draining().await,
            Happened::Received(message) => self.receive(message).await,
            Happened::Heard(heard) => self.pass_on(heard).await,
            Happened::Due => {
                let now = Instant::now();
                if waits.next_ping <= now {
                    if self.last_received.elapsed() > self.app.patience.silence {
                        return Err(Closed::With(close::NO_PONG, "no pong"));
                    }
                    self.ping().await?;
                    waits.next_ping = now + self.app.patience.ping;
                }
                if self.heartbeat_at().is_some_and(|at| at <= now) {
                    self.heartbeat().await?;
                }
                waits.timer.as_mut().reset(waits.next_ping);
                Ok(())
            }
        }
    }

    /// Sends all that followers have; after a while it leaves the rest for later.
    async fn pump_all(&mut self) -> Step {
        for round in 0..ROUNDS {
            if !self.pump().await? {
                if round > 0 {
                    let interval = self.greeting.as_ref().and_then(|greeting| greeting.interval);
                    self.rests_until = interval.map(|interval| self.last_sent + interval);
                }
                return Ok(());
            }
        }
        self.bell.ring();
        Ok(())
    }

    /// Sends what followers have: the end of an answer is what the server waited for.
    async fn say_last_words(&mut self) -> Step {
        let rest = async {
            while self.pump().await? {}
            Ok(())
        };
        timeout(LAST_WORDS, rest).await.unwrap_or(Ok(()))
    }

    /// Sends one frame of every follower that has one. `true` when there may be more.
    async fn pump(&mut self) -> Result<bool, Closed> {
        let (mut more, mut ended) = (false, false);
        for index in 0..self.followers.len() {
            let follower = &mut self.followers[index].follower;
            let frame = follower.next_frame();
            ended |= follower.has_ended();
            if let Some(frame) = frame {
                self.send_followed(frame).await?;
                more = true;
            }
        }
        if ended {
            self.forget_ended().await;
        }
        Ok(more)
    }

    /// Takes out what has ended. It is remembered as sent before the next frame of the client is
    /// read, which may ask the same again.
    async fn forget_ended(&mut self) {
        let ended = self.followers.extract_if(.., |followed| followed.follower.has_ended());
        let deliveries = ended.map(|Followed { follower, speaker }| {
            let generation = follower.log().identity.generation_id;
            let engine = &self.app.engine;
            async move { engine.deliver(generation, &speaker).await }
        });
        join_all(deliveries).await;
    }

    /// Sends a frame: a long one in fragments, each of which has its time.
    async fn send_followed(&mut self, frame: Frame) -> Step {
        if let Event::StreamStart(start) = &frame.event
            && !self.started.insert(start.at.generation_id)
        {
            // Exactly once per generation and connection.
            return Ok(());
        }
        if frame.left_out.is_empty() {
            return self.send(&frame.event).await;
        }
        let mut pieces = Written::new(frame);
        let mut kind = Data::Text;
        while let Some(piece) = pieces.next() {
            self.transmit(TextFrame::fragment(&piece, kind, pieces.is_done())).await?;
            kind = Data::Continue;
        }
        Ok(())
    }

    /// Adds a follower, in the place of one of the same generation.
    pub(super) fn add(&mut self, follower: Follower, speaker: Speaker) {
        let generation = follower.log().identity.generation_id;
        self.remove(generation);
        follower.watch(&self.bell);
        self.followers.push(Followed { follower, speaker });
        self.bell.ring();
    }

    /// Forgets the follower of a generation, if there is one.
    pub(super) fn remove(&mut self, generation: GenerationId) {
        self.followers
            .retain(|followed| followed.follower.log().identity.generation_id != generation);
    }

    pub(super) fn follows(&self, generation: GenerationId) -> bool {
        self.followers
            .iter()
            .any(|followed| followed.follower.log().identity.generation_id == generation)
    }

    /// Starts to listen to what happens to the speaker's conversations.
    pub(super) fn listen(&mut self, speaker: &Speaker, after: Option<&str>) {
        self.knows_places = after.is_some();
        let place = after.filter(|after| !after.is_empty());
        // What is no place is one of nobody, and the client is told so.
        let place = place.map(|place| place.parse().unwrap_or_default());
        self.notices = Some(self.app.engine.notices(speaker.principal, place));
    }

    /// Sends a notice and those behind it.
    async fn pass_on(&mut self, heard: Heard) -> Step {
        let mut next = Some(heard);
        while let Some(heard) = next {
            match heard {
                Heard::Notice(event) => self.send(&event).await?,
                Heard::Missed if self.knows_places => self.tell_place(true).await?,
                // A new connection reads the list afresh.
                Heard::Missed => return Err(Closed::With(close::TOO_SLOW, "too slow")),
            }
            next = self.notices.as_mut().and_then(Listener::try_next);
        }
        self.tell_place(false).await
    }

    /// Says up to where notices were sent, to whom it says something.
    pub(super) async fn tell_place(&mut self, missed: bool) -> Step {
        match &self.notices {
            Some(notices) if self.knows_places => {
                let after = notices.held().to_string();
                self.send(&Event::Noticed(Noticed { after, missed })).await
            }
            _ => Ok(()),
        }
    }

    /// Takes a place among the readers of whom this connection speaks for now.
    pub(super) fn sit_down(&mut self) -> Step {
        let patience = &self.app.patience;
        let (who, limit) = match &self.speaker {
            Some(speaker) => (Who::Principal(speaker.principal), patience.readers),
            None if patience.counts(self.peer) => (Who::Stranger(self.peer), patience.strangers),
            None => return Ok(()),
        };
        // The old place first: it may be the one that is wanted.
        self.seat = None;
        self.seat = self.app.crowd.enter(who, limit);
        match self.seat {
            Some(_) => Ok(()),
            None => Err(Closed::With(close::TOO_MANY, "too many sockets")),
        }
    }

    async fn receive(&mut self, message: Option<Result<Message, tungstenite::Error>>) -> Step {
        self.last_received = Instant::now();
        if !self.allowance.take() && self.app.patience.counts(self.peer) {
            return Err(Closed::With(close::TOO_MANY, "too many frames"));
        }
        match message {
            Some(Ok(Message::Text(text))) if text.len() > limits::CLIENT_FRAME_BYTES => {
                Err(Closed::With(close::FRAME_TOO_LARGE, "a frame has at most 256 KiB"))
            }
            // In a box, as every connection would keep room for the largest of all requests.
            Some(Ok(Message::Text(text))) => Box::pin(self.handle(text.as_str())).await,
            Some(Ok(Message::Binary(_))) => {
                Err(Closed::With(close::BINARY_FRAME, "frames are JSON texts"))
            }
            Some(Ok(Message::Ping(_))) => {
                within_patience(&timeout(self.app.patience.frame, self.socket.flush()).await)
            }
            Some(Ok(Message::Pong(_) | Message::Frame(_))) => Ok(()),
            Some(Err(tungstenite::Error::Capacity(_))) => {
                Err(Closed::With(close::FRAME_TOO_LARGE, "a frame has at most 256 KiB"))
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Closed::Gone),
        }
    }

    /// Sends one event as a text frame.
    pub(super) async fn send(&mut self, event: &Event) -> Step {
        self.transmit(TextFrame::of(event)).await
    }

    async fn transmit(&mut self, mut frame: TextFrame) -> Step {
        self.last_sent = Instant::now();
        self.socket.begin(&mut frame).map_err(|_| Closed::Gone)?;
        if frame.rest().is_empty() {
            return Ok(());
        }
        let sent = timeout(self.app.patience.frame, self.socket.finish(&frame)).await;
        // It made room: a slow reader is there, even if its pong stands behind what it reads.
        self.last_received = Instant::now();
        within_patience(&sent)
    }

    async fn ping(&mut self) -> Step {
        self.last_sent = Instant::now();
        let ping = self.socket.control(Message::Ping(bytes::Bytes::new()));
        within_patience(&timeout(self.app.patience.frame, ping).await)
    }

    /// When the next heartbeat is due, where the client wants one.
    fn heartbeat_at(&self) -> Option<Instant> {
        let wanted = self.greeting.as_ref().is_some_and(|greeting| greeting.heartbeat);
        wanted.then(|| self.last_sent + limits::HEARTBEAT)
    }

    async fn heartbeat(&mut self) -> Step {
        let heads = self.followers.iter().map(|followed| {
            let log = followed.follower.log();
            (log.identity.generation_id, log.head())
        });
        let heads = heads.collect();
        self.send(&Event::Heartbeat(Heartbeat { t: Timestamp::now().as_millis(), heads })).await
    }

    async fn tell_draining(&mut self) -> Step {
        self.told_draining = true;
        if self.greeting.is_none() {
            return Ok(());
        }
        let reconnect_after_ms = getrandom::u64().unwrap_or_default() % SPREAD_MS;
        self.send(&Event::Draining(Draining { reconnect_after_ms })).await
    }
}
