//! What each frame of a client means.

use std::time::Duration;

use serde_json::Value;
use unbroken_engine::{Ask, Follower, Refusal, Speaker, View};
use unbroken_protocol::{
    Capability, ClientFrame, Continue, ConversationStarted, Done, ErrorCode, ErrorFrame, Event,
    Follow, GenerationId, Hello, HelloOk, Incoming, Pong, StreamChat, StreamError, Target,
    Timestamp, limits,
};

use crate::auth::Pair;
use crate::routes::chat::named;
use crate::socket::connection::{Connection, Step};

/// The protocol's version that this server speaks.
const VERSION: u32 = 1;

/// What a client asked for with `hello`.
pub(super) struct Greeting {
    pub(super) view: View,
    pub(super) heartbeat: bool,
    /// How far frames with what is written live lie apart.
    pub(super) interval: Option<Duration>,
}

/// A frame that was refused.
struct Refused {
    code: ErrorCode,
    message: String,
    generation_id: Option<GenerationId>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code(), message: refusal.to_string(), generation_id: None }
    }
}

impl Connection {
    /// Handles one text frame. A bad one is answered and leaves the socket open.
    pub(super) async fn handle(&mut self, text: &str) -> Step {
        let Incoming { req, frame } = match Incoming::parse(text) {
            Ok(incoming) => incoming,
            Err(error) => {
                let refused =
                    Refused { code: error.code, message: error.message, generation_id: None };
                return self.refuse(error.req, refused).await;
            }
        };
        let handled = match frame {
            ClientFrame::StreamChat(chat) => self.stream_chat(*chat, req.clone()).await,
            ClientFrame::Hello(hello) => self.hello(hello, req.clone()).await,
            _ if self.greeting.is_none() => Err(Refused {
                code: ErrorCode::Unauthorized,
                message: "Say hello first: until then only stream_chat is served.".into(),
                generation_id: None,
            }),
            ClientFrame::Follow(follow) => self.follow(follow, req.clone()).await,
            ClientFrame::Unfollow(target) => self.unfollow(&target, req.clone()).await,
            ClientFrame::Stop(target) => self.stop(&target, req.clone()).await,
            ClientFrame::Continue(frame) => self.go_on(frame, req.clone()).await,
            ClientFrame::Ping(ping) => {
                let event = Event::Pong(Pong { t: ping.t, req: req.clone() });
                Ok(self.send(&event).await)
            }
        };
        match handled {
            Ok(step) => step,
            Err(refused) => self.refuse(req, refused).await,
        }
    }

    async fn refuse(&mut self, req: Option<Value>, refused: Refused) -> Step {
        let Refused { code, message, generation_id } = refused;
        let retryable = code.retryable();
        let event = if self.greeting.is_some() {
            Event::Error(ErrorFrame { req, generation_id, code, message, retryable })
        } else {
            Event::StreamError(Box::new(StreamError {
                error: message,
                code,
                retryable,
                status: None,
                retry_after_ms: None,
                timestamp: Timestamp::now(),
                at: None,
                seq_from: None,
                req,
            }))
        };
        self.send(&event).await
    }

    async fn hello(&mut self, hello: Hello, req: Option<Value>) -> Result<Step, Refused> {
        let pair = Pair::new(hello.session_id, hello.device_id);
        // From here on it is a client that knows frames, also to be told that it is not known.
        let wants = |capability| hello.capabilities.contains(&capability);
        let view = View {
            hello: true,
            reasoning: wants(Capability::Reasoning),
            tools: wants(Capability::Tools),
        };
        let heartbeat = wants(Capability::Heartbeat);
        let speaker = match (self.identify(pair).await, self.greeting.is_some()) {
            (Ok(speaker), _) => speaker,
            (Err(refused), true) => return Err(refused),
            (Err(refused), false) => {
                let event = Event::Error(ErrorFrame {
                    req,
                    generation_id: None,
                    code: refused.code,
                    message: refused.message,
                    retryable: refused.code.retryable(),
                });
                return Ok(self.send(&event).await);
            }
        };
        self.listen(&speaker, hello.notices_after.as_deref());
        self.speaker = Some(speaker);
        if let Err(closed) = self.sit_down() {
            return Ok(Err(closed));
        }
        let interval = hello.interval_ms.map(Duration::from_millis);
        let interval = interval.map(|interval| interval.min(limits::LONGEST_INTERVAL));
        self.greeting = Some(Greeting { view, heartbeat, interval });
        let event = Event::HelloOk(HelloOk {
            version: VERSION,
            node: self.app.node.to_string(),
            heartbeat_ms: u64::try_from(limits::HEARTBEAT.as_millis()).unwrap_or(u64::MAX),
            max_frame: limits::SERVER_FRAME_BYTES as u64,
            req,
        });
        if let Err(closed) = self.send(&event).await {
            return Ok(Err(closed));
        }
        Ok(self.tell_place(false).await)
    }

    /// Who a pair names; it must be who speaks on this connection already.
    async fn identify(&mut self, pair: Pair) -> Result<Speaker, Refused> {
        let Some(session_id) = pair.session_id else {
            return self.speaker.clone().ok_or_else(|| Refusal::Unauthorized.into());
        };
        let speaker = self.app.engine.authenticate(&session_id, pair.device_id.as_ref()).await?;
        match &self.speaker {
            Some(known) if known.principal != speaker.principal => Err(Refused {
                code: ErrorCode::Forbidden,
                message: "This connection speaks for somebody else already. Open another one."
                    .into(),
                generation_id: None,
            }),
            _ => Ok(speaker),
        }
    }

    async fn stream_chat(&mut self, chat: StreamChat, req: Option<Value>) -> Result<Step, Refused> {
        let speaker = self.identify(Pair::new(chat.session_id, chat.device_id)).await?;
        let ask = Ask {
            message: chat.message,
            conversation_id: named(chat.conversation_id),
            parent_id: None,
            model_id: named(chat.model_id),
            client_message_id: named(chat.client_message_id),
            options: chat.options.unwrap_or_default(),
            sources: chat.sources.unwrap_or_default(),
            temporary: false,
        };
        let chatted = if let Some(watched) = self.app.engine.watched(&speaker, &ask).await? {
            self.check_room(watched.generation_id)?;
            watched
        } else {
            self.check_room_for_one_more()?;
            self.app.check_start(self.peer)?;
            self.app.engine.start(speaker.principal, ask).await?.turn.into()
        };
        let started = Event::ConversationStarted(ConversationStarted {
            conversation_id: chatted.conversation_id,
            timestamp: Timestamp::now(),
            generation_id: Some(chatted.generation_id),
            message_id: Some(chatted.message_id),
            req,
        });
        if let Err(closed) = self.send(&started).await {
            return Ok(Err(closed));
        }
        if !self.follows(chatted.generation_id) {
            let log = self.app.engine.log(speaker.principal, chatted.generation_id).await?;
            let (follower, _) = Follower::new(log, self.view(), 0, None);
            self.add(follower, speaker);
        }
        Ok(Ok(()))
    }

    async fn follow(&mut self, follow: Follow, req: Option<Value>) -> Result<Step, Refused> {
        let speaker = self.speaker.clone().ok_or(Refusal::Unauthorized)?;
        let id = match (named(follow.generation_id), named(follow.conversation_id)) {
            (Some(id), _) => id.parse().map_err(|_| Refusal::NotFound("generation"))?,
            (None, Some(conversation)) => {
                self.app.engine.newest(speaker.principal, &conversation).await?.generation_id
            }
            (None, None) => {
                return Err(Refused {
                    code: ErrorCode::BadRequest,
                    message: "Name a generation_id or a conversation_id to follow.".into(),
                    generation_id: None,
                });
            }
        };
        let about = |refusal: Refusal| Refused { generation_id: Some(id), ..refusal.into() };
        let log = self.app.engine.log(speaker.principal, id).await.map_err(about)?;
        self.check_room(id)?;
        let (follower, mut following) =
            Follower::new(log, self.view(), follow.after_seq, follow.epoch);
        following.req = req;
        self.add(follower, speaker);
        Ok(self.send(&Event::Following(*following)).await)
    }

    async fn unfollow(&mut self, target: &Target, req: Option<Value>) -> Result<Step, Refused> {
        self.remove(parse(target)?);
        Ok(self.done(req).await)
    }

    async fn stop(&mut self, target: &Target, req: Option<Value>) -> Result<Step, Refused> {
        let speaker = self.speaker.clone().ok_or(Refusal::Unauthorized)?;
        let id = parse(target)?;
        let about = |refusal: Refusal| Refused { generation_id: Some(id), ..refusal.into() };
        self.app.engine.stop(speaker.principal, id).await.map_err(about)?;
        Ok(self.done(req).await)
    }

    /// Lets an answer go on; a sibling is told of by `generation_started`.
    async fn go_on(&mut self, frame: Continue, req: Option<Value>) -> Result<Step, Refused> {
        let speaker = self.speaker.clone().ok_or(Refusal::Unauthorized)?;
        let Continue { generation_id, client_message_id } = frame;
        let id = parse(&Target { generation_id })?;
        let about = |refusal: Refusal| Refused { generation_id: Some(id), ..refusal.into() };
        let key = named(client_message_id);
        self.app.engine.go_on(speaker.principal, id, key).await.map_err(about)?;
        Ok(self.done(req).await)
    }

    async fn done(&mut self, req: Option<Value>) -> Step {
        match req {
            Some(req) => self.send(&Event::Ok(Done { req: Some(req) })).await,
            None => Ok(()),
        }
    }

    fn view(&self) -> View {
        self.greeting.as_ref().map_or(View::default(), |greeting| greeting.view)
    }

    fn check_room(&self, generation: GenerationId) -> Result<(), Refused> {
        if self.follows(generation) {
            return Ok(());
        }
        let about = |refused| Refused { generation_id: Some(generation), ..refused };
        self.check_room_for_one_more().map_err(about)
    }

    fn check_room_for_one_more(&self) -> Result<(), Refused> {
        if self.followers.len() < limits::FOLLOWED_PER_SOCKET {
            return Ok(());
        }
        Err(Refused {
            code: ErrorCode::RateLimited,
            message: format!(
                "One socket follows at most {} answers. Unfollow one, or open another socket.",
                limits::FOLLOWED_PER_SOCKET
            ),
            generation_id: None,
        })
    }
}

fn parse(target: &Target) -> Result<GenerationId, Refusal> {
    target.generation_id.parse().map_err(|_| Refusal::NotFound("generation"))
}
