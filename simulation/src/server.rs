//! The server's end of a connection: what `unbroken-server` does with frames and followers, without
//! a socket.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use unbroken_engine::{Bell, Engine, Follower, Heard, Listener, Refusal, View};
use unbroken_protocol::{
    ClientFrame, ConnectionEstablished, Done, ErrorFrame, Event, GenerationId, Heartbeat, HelloOk,
    Incoming, Noticed, Pong, PrincipalId, Timestamp, limits,
};

use crate::link::End;

/// Timestamps of frames that are no records; nobody reads them.
const NO_TIME: Timestamp = Timestamp::from_millis(0);

const VIEW: View = View { hello: true, reasoning: true, tools: true };

pub(crate) struct Connection {
    engine: Engine,
    principal: PrincipalId,
    end: End<Event, Incoming>,
    followers: VecDeque<Follower>,
    started: BTreeSet<GenerationId>,
    notices: Option<Listener>,
    bell: Arc<Bell>,
    last_sent: Instant,
}

impl Connection {
    pub(crate) fn new(engine: Engine, principal: PrincipalId, end: End<Event, Incoming>) -> Self {
        Self {
            engine,
            principal,
            end,
            followers: VecDeque::new(),
            started: BTreeSet::new(),
            notices: None,
            bell: Arc::default(),
            last_sent: Instant::now(),
        }
    }

    /// Serves until either end is gone, or the process is.
    pub(crate) async fn run(mut self, dies: CancellationToken) {
        let established = ConnectionEstablished { timestamp: NO_TIME };
        self.send(Event::ConnectionEstablished(established));
        let lost = self.engine.lost().clone();
        let mut pending = false;
        loop {
            let heartbeat_at = self.last_sent + limits::HEARTBEAT;
            tokio::select! {
                biased;
                () = dies.cancelled() => return,
                () = lost.cancelled() => return,
                frame = self.end.rx.recv() => match frame {
                    Some(frame) => self.handle(frame).await,
                    None => return,
                },
                heard = next_notice(&mut self.notices) => self.pass_on(heard),
                () = sleep_until(heartbeat_at), if self.notices.is_some() => self.heartbeat(),
                () = ready_or_woken(pending, &self.bell) => pending = self.pump(),
            }
        }
    }

    /// Sends one frame of every follower that has one. `true` when there may be more.
    fn pump(&mut self) -> bool {
        let mut more = false;
        for _ in 0..self.followers.len() {
            let Some(mut follower) = self.followers.pop_front() else { break };
            if let Some(event) = follower.next_event() {
                more = true;
                let first = match &event {
                    Event::StreamStart(start) => self.started.insert(start.at.generation_id),
                    _ => true,
                };
                if first {
                    self.send(event);
                }
            }
            if !follower.has_ended() {
                self.followers.push_back(follower);
            }
        }
        more
    }

    async fn handle(&mut self, Incoming { req, frame }: Incoming) {
        let done = match frame {
            ClientFrame::Hello(hello) => {
                let place = hello.notices_after.filter(|after| !after.is_empty());
                let place = place.map(|place| place.parse().unwrap_or_default());
                self.notices = Some(self.engine.notices(self.principal, place));
                self.send(Event::HelloOk(HelloOk {
                    version: 1,
                    node: String::new(),
                    heartbeat_ms: 15_000,
                    max_frame: 1 << 18,
                    req,
                }));
                return self.tell_place(false);
            }
            ClientFrame::Ping(ping) => return self.send(Event::Pong(Pong { t: ping.t, req })),
            ClientFrame::Follow(follow) => match self.follow(&follow).await {
                Ok((follower, mut following)) => {
                    following.req = req;
                    self.send(Event::Following(*following));
                    self.add(follower);
                    return;
                }
                Err(refusal) => Err(refusal),
            },
            ClientFrame::Unfollow(target) => {
                let id = parse(&target.generation_id);
                id.map(|id| self.followers.retain(|follower| of(follower) != id))
            }
            ClientFrame::Stop(target) => match parse(&target.generation_id) {
                Ok(id) => self.engine.stop(self.principal, id).await.map(drop),
                Err(refusal) => Err(refusal),
            },
            ClientFrame::Continue(target) => match parse(&target.generation_id) {
                Ok(id) => {
                    let key = target.client_message_id;
                    self.engine.go_on(self.principal, id, key).await.map(drop)
                }
                Err(refusal) => Err(refusal),
            },
            ClientFrame::StreamChat(_) => Err(Refusal::NotFound("frame")),
        };
        match done {
            Ok(()) => self.send(Event::Ok(Done { req })),
            Err(refusal) => {
                let code = refusal.code();
                self.send(Event::Error(ErrorFrame {
                    req,
                    generation_id: None,
                    code,
                    message: refusal.to_string(),
                    retryable: code.retryable(),
                }));
            }
        }
    }

    async fn follow(
        &self,
        follow: &unbroken_protocol::Follow,
    ) -> Result<(Follower, Box<unbroken_protocol::Following>), Refusal> {
        let id = match (&follow.generation_id, &follow.conversation_id) {
            (Some(id), _) => parse(id)?,
            (None, Some(id)) => self.engine.newest(self.principal, id).await?.generation_id,
            (None, None) => return Err(Refusal::NotFound("generation")),
        };
        let log = self.engine.log(self.principal, id).await?;
        Ok(Follower::new(log, VIEW, follow.after_seq, follow.epoch))
    }

    fn add(&mut self, follower: Follower) {
        let id = of(&follower);
        self.followers.retain(|other| of(other) != id);
        follower.watch(&self.bell);
        self.followers.push_back(follower);
        self.bell.ring();
    }

    fn pass_on(&mut self, heard: Heard) {
        match heard {
            Heard::Notice(event) => {
                self.send((*event).clone());
                self.tell_place(false);
            }
            Heard::Missed => self.tell_place(true),
        }
    }

    fn tell_place(&mut self, missed: bool) {
        if let Some(notices) = &self.notices {
            let after = notices.held().to_string();
            self.send(Event::Noticed(Noticed { after, missed }));
        }
    }

    fn heartbeat(&mut self) {
        let heads = self.followers.iter().map(|follower| (of(follower), follower.log().head()));
        let heads = heads.collect();
        self.send(Event::Heartbeat(Heartbeat { t: 0, heads }));
    }

    fn send(&mut self, event: Event) {
        self.last_sent = Instant::now();
        // Who is gone is noticed by the receiving half.
        self.end.tx.send(event);
    }
}

fn of(follower: &Follower) -> GenerationId {
    follower.log().identity.generation_id
}

fn parse(id: &str) -> Result<GenerationId, Refusal> {
    id.parse().map_err(|_| Refusal::NotFound("generation"))
}

async fn next_notice(notices: &mut Option<Listener>) -> Heard {
    match notices {
        Some(notices) => notices.next().await,
        None => std::future::pending().await,
    }
}

async fn ready_or_woken(ready: bool, bell: &Bell) {
    if !ready {
        bell.rung().await;
    }
}
