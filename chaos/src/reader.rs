//! A reader of one answer, whatever it speaks, and what it has seen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use unbroken_client::Rest;
use unbroken_protocol::{
    ConversationId, DeviceId, Event, GenerationId, MessageId, RequestType, SessionId, StartRequest,
};

use crate::chronicle::Chronicle;
use crate::track::{Joined, Log, Track};
use crate::world::World;
use crate::{blocking, http, native, old, socket};

/// A person's device.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) id: DeviceId,
    pub(crate) session: SessionId,
    pub(crate) rest: Rest,
}

impl Device {
    /// A question, signed.
    pub(crate) fn ask(&self, message: &str, model: &str) -> StartRequest {
        StartRequest {
            message: message.to_owned(),
            session_id: Some(self.session.clone()),
            device_id: Some(self.id.clone()),
            model_id: Some(model.to_owned()),
            request_type: Some(RequestType::Anonymous),
            ..StartRequest::default()
        }
    }

    pub(crate) fn query(&self) -> [(&'static str, String); 3] {
        [
            ("session_id", self.session.reveal().to_owned()),
            ("device_id", self.id.0.clone()),
            ("request_type", "anonymous".to_owned()),
        ]
    }
}

/// Where an answer is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    pub(crate) conversation: ConversationId,
    pub(crate) generation: GenerationId,
    pub(crate) message: MessageId,
}

/// An answer that is read.
pub(crate) struct Watched {
    pub(crate) world: Arc<World>,
    pub(crate) device: Device,
    pub(crate) ids: Ids,
    /// What asked for it, when that may be said again.
    pub(crate) request: Option<StartRequest>,
    pub(crate) chronicle: Chronicle,
    log: Mutex<Log>,
    readers: Mutex<Vec<Reader>>,
    /// All has been read that will be.
    pub(crate) enough: CancellationToken,
}

/// What a reader speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The real client.
    Native,
    /// The real client's algorithm on a bare socket, with an eye on what comes over it.
    Socket,
    Stream,
    Poll,
    /// The blocking call, which begins at the beginning.
    Blocking,
    /// A socket without `hello`. It always begins at the beginning.
    Old,
}

/// What a reader has seen so far.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    pub(crate) name: String,
    pub(crate) track: Track,
    /// The rule that was broken for it.
    pub(crate) broken: Option<String>,
    /// Whether it is there until the end.
    pub(crate) must_be_whole: bool,
}

#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) kind: Kind,
    sight: Arc<Mutex<Sight>>,
    /// It goes away.
    pub(crate) leave: CancellationToken,
}

impl Reader {
    pub(crate) fn sight(&self) -> MutexGuard<'_, Sight> {
        self.sight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn breaks(&self, rule: String) {
        self.sight().broken.get_or_insert(rule);
    }
}

impl Watched {
    pub(crate) fn new(
        world: &Arc<World>,
        device: Device,
        ids: Ids,
        request: Option<StartRequest>,
        chronicle: Chronicle,
    ) -> Self {
        Self {
            world: Arc::clone(world),
            device,
            ids,
            request,
            chronicle,
            log: Mutex::default(),
            readers: Mutex::default(),
            enough: CancellationToken::new(),
        }
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn readers(&self) -> Vec<Reader> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Starts a reader that holds something already.
    pub(crate) fn read(self: &Arc<Self>, kind: Kind, joined: Joined) {
        let reader = {
            let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
            let track = match kind {
                Kind::Blocking | Kind::Old => Track::of_text(),
                _ => Track::from(&joined),
            };
            let sight = Sight {
                name: format!("{kind:?} {} from {}", readers.len() + 1, joined.at),
                track,
                broken: None,
                must_be_whole: true,
            };
            self.chronicle.say(format!("{} reads", sight.name));
            let leave = self.enough.child_token();
            let reader = Reader { kind, sight: Arc::new(Mutex::new(sight)), leave };
            readers.push(reader.clone());
            reader
        };
        self.world.tally.add("readers", 1);
        let this = Arc::clone(self);
        self.world.tasks.spawn(async move {
            let reading = async {
                match kind {
                    Kind::Native => Box::pin(native::read(&this, &reader, &joined)).await,
                    Kind::Socket => Box::pin(socket::read(&this, &reader, &joined)).await,
                    Kind::Blocking => blocking::read(&this, &reader).await,
                    Kind::Stream => http::stream(&this, &reader).await,
                    Kind::Poll => http::poll(&this, &reader).await,
                    Kind::Old => Box::pin(old::read(&this, &reader)).await,
                }
            };
            reader.leave.run_until_cancelled(reading).await;
        });
    }

    /// What an earlier connection of a reader saw, who now begins anew.
    pub(crate) fn keep(&self, sight: Sight) {
        let sight = Arc::new(Mutex::new(Sight { must_be_whole: false, ..sight }));
        let reader = Reader { kind: Kind::Old, sight, leave: CancellationToken::new() };
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
    }

    /// A reader was sent an event of this answer.
    pub(crate) fn take(&self, reader: &Reader, event: &Event) {
        let taken = {
            let mut sight = reader.sight();
            let before = sight.track.ended.clone();
            let taken = sight.track.take(event, &mut self.log());
            if before != sight.track.ended {
                self.chronicle.say(format!(
                    "{} sees {:?} at {}",
                    sight.name, sight.track.ended, sight.track.at
                ));
            }
            taken
        };
        if let Err(rule) = taken {
            self.chronicle.say(format!("broken: {rule}"));
            reader.breaks(rule);
        }
    }

    /// Notes that a reader's connection is gone.
    pub(crate) fn lost_connection(&self, reader: &Reader, why: &str) {
        self.world.tally.add("reconnects", 1);
        let sight = reader.sight();
        self.chronicle.say(format!("{} connects again at {}: {why}", sight.name, sight.track.at));
    }
}
