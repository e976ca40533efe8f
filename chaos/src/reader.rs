//! A reader of one answer, whatever it speaks, and what it has seen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use unbroken_client::Rest;
use unbroken_protocol::{ConversationId, DeviceId, Event, GenerationId, Position, SessionId};

use crate::chronicle::Chronicle;
use crate::track::{Log, Track};
use crate::world::World;
use crate::{http, native, old};

/// A person's device.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) id: DeviceId,
    pub(crate) session: SessionId,
    pub(crate) rest: Rest,
}

impl Device {
    pub(crate) fn query(&self) -> [(&'static str, String); 3] {
        [
            ("session_id", self.session.reveal().to_owned()),
            ("device_id", self.id.0.clone()),
            ("request_type", "anonymous".to_owned()),
        ]
    }
}

/// An answer that is read.
pub(crate) struct Watched {
    pub(crate) world: Arc<World>,
    pub(crate) device: Device,
    pub(crate) conversation: ConversationId,
    pub(crate) generation: GenerationId,
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
    Stream,
    Poll,
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
        (conversation, generation): (ConversationId, GenerationId),
        chronicle: Chronicle,
    ) -> Self {
        Self {
            world: Arc::clone(world),
            device,
            conversation,
            generation,
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

    /// Starts a reader at a position, up to which the text is `text`.
    pub(crate) fn read(self: &Arc<Self>, kind: Kind, at: Position, text: &str) {
        let reader = {
            let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
            let track = Track::from(at, text.chars().count() as u64);
            let sight = Sight {
                name: format!("{kind:?} {} from {at}", readers.len() + 1),
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
        let (this, text) = (Arc::clone(self), text.to_owned());
        self.world.tasks.spawn(async move {
            let reading = async {
                match kind {
                    Kind::Native => Box::pin(native::read(&this, &reader, at, &text)).await,
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
