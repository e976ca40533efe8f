//! Asking: a person's message becomes a turn, durably, and the caller gets its ids at once.

use std::sync::Arc;

use unbroken_protocol::{
    ClientMessageId, ConversationId, Event, GenerationId, GenerationStarted, GenerationState,
    MessageId, Options, PrincipalId, QueueItem, Source, limits,
};
use unbroken_providers::catalogue::{BEST, is_best};
use unbroken_store::{Body, Generation, NewTurn, Place, Record, SecretHash, Turn, TurnOutcome};

use crate::Engine;
use crate::command::Command;
use crate::error::Refusal;
use crate::log::Log;
use crate::session::Speaker;

/// What a person asks, as it came: ids are text until they are known to be ids.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    pub message: String,
    pub conversation_id: Option<String>,
    pub parent_id: Option<String>,
    pub model_id: Option<String>,
    pub client_message_id: Option<String>,
    pub options: Options,
    /// What the answers to the message may look things up in.
    pub sources: Vec<Source>,
    /// A new conversation is in no list, and erased a day after its last message.
    pub temporary: bool,
}

/// A turn that was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Started {
    pub turn: Turn,
    /// The client sent it before; nothing new was made.
    pub repeated: bool,
}

/// What a `stream_chat` frame came to (PROTOCOL A3): the generation to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chatted {
    pub conversation_id: ConversationId,
    pub generation_id: GenerationId,
    pub message_id: MessageId,
}

impl From<Turn> for Chatted {
    fn from(turn: Turn) -> Self {
        Self {
            conversation_id: turn.conversation_id,
            generation_id: turn.generation_id,
            message_id: turn.message_id,
        }
    }
}

impl Engine {
    /// Stores a message and the generation that answers it, and lets it run or wait. Never waits
    /// for a model and never fails for one (PROTOCOL A2).
    pub async fn start(&self, principal: PrincipalId, ask: Ask) -> Result<Started, Refusal> {
        let client_message = keyed(ask.client_message_id.as_deref(), || fingerprint(&ask))?;
        let turn = match self.new_turn(principal, ask).await {
            Ok(turn) => NewTurn { client_message, ..turn },
            // What was taken once stays so, whatever became of its sources since.
            Err(refusal) => {
                return self.repeated(principal, client_message).await?.ok_or(refusal);
            }
        };
        let engine = self.clone();
        self.carry_out(async move { engine.take(turn).await }).await
    }

    /// What a client's key has started before.
    async fn repeated(
        &self,
        principal: PrincipalId,
        client_message: Option<(ClientMessageId, SecretHash)>,
    ) -> Result<Option<Started>, Refusal> {
        let Some((key, body)) = client_message else { return Ok(None) };
        let repeated = self.store().repeated(principal, key, body).await?;
        Ok(match repeated {
            Some(TurnOutcome::Repeated(turn)) => Some(Started { turn, repeated: true }),
            _ => None,
        })
    }

    /// The generation that a `stream_chat` only watches (PROTOCOL A3, rules 2 and 3). `None` when
    /// it asks for a new turn.
    pub async fn watched(&self, speaker: &Speaker, ask: &Ask) -> Result<Option<Chatted>, Refusal> {
        let Some(conversation) = &ask.conversation_id else { return Ok(None) };
        let newest = self.newest(speaker.principal, conversation).await?;
        let watches =
            ask.message.is_empty() || self.repeats(speaker, &newest, &ask.message).await?;
        Ok(watches.then_some(Chatted {
            conversation_id: newest.conversation_id,
            generation_id: newest.generation_id,
            message_id: newest.message_id,
        }))
    }

    /// Rule 3: the newest message again, whose answer's end this device was not sent yet.
    async fn repeats(
        &self,
        speaker: &Speaker,
        newest: &Generation,
        message: &str,
    ) -> Result<bool, Refusal> {
        let answer = self.store().message(newest.message_id).await?;
        let Some(asked) = answer.and_then(|answer| answer.parent_id) else { return Ok(false) };
        let asked = self.store().message(asked).await?;
        Ok(asked.is_some_and(|asked| asked.content == message)
            && !self.store().delivered(newest.generation_id, &speaker.device).await?)
    }

    /// The newest generation of a principal's conversation.
    pub async fn newest(
        &self,
        principal: PrincipalId,
        conversation: &str,
    ) -> Result<Generation, Refusal> {
        let missing = || Refusal::NotFound("conversation");
        let id: ConversationId = conversation.parse().map_err(|_| missing())?;
        self.store().conversation(principal, id).await?.ok_or_else(missing)?;
        self.store().newest_generation(id).await?.ok_or_else(missing)
    }

    /// Changes the text of a turn that waits.
    pub async fn edit_queued(
        &self,
        principal: PrincipalId,
        id: GenerationId,
        message: &str,
    ) -> Result<(), Refusal> {
        check_message(message, self.inner.settings.message_bytes)?;
        let log = self.log(principal, id).await?;
        let text = message.to_owned();
        let edited = self.command(|reply| Command::EditQueued(id, text, reply)).await?;
        self.queue_changed(&log, edited).await
    }

    /// Takes a turn that waits out of its conversation.
    pub async fn remove_queued(
        &self,
        principal: PrincipalId,
        id: GenerationId,
    ) -> Result<(), Refusal> {
        let log = self.log(principal, id).await?;
        let removed = self.command(|reply| Command::RemoveQueued(id, reply)).await?;
        self.queue_changed(&log, removed).await
    }

    async fn queue_changed(&self, log: &Log, changed: bool) -> Result<(), Refusal> {
        if !changed {
            return Err(Refusal::Conflict("This message does not wait any more."));
        }
        let identity = &log.identity;
        self.announce_queue(&identity.principal_id, identity.conversation_id).await;
        self.announce(identity.principal_id, identity.conversation_id).await;
        Ok(())
    }

    /// The turns that wait in a principal's conversation.
    pub async fn queue_of(
        &self,
        principal: PrincipalId,
        id: ConversationId,
    ) -> Result<Vec<QueueItem>, Refusal> {
        let row = self.store().conversation(principal, id).await?;
        row.ok_or(Refusal::NotFound("conversation"))?;
        self.queue(id).await
    }

    /// The turns that wait in a conversation.
    pub(crate) async fn queue(&self, id: ConversationId) -> Result<Vec<QueueItem>, Refusal> {
        let waiting = self.store().queue(id).await?;
        let items = waiting.into_iter().zip(1..).map(|((queue_id, message), position)| QueueItem {
            queue_id,
            position,
            message: message.content,
            message_id: message.message_id,
        });
        Ok(items.collect())
    }

    async fn new_turn(&self, principal: PrincipalId, ask: Ask) -> Result<NewTurn, Refusal> {
        check_message(&ask.message, self.inner.settings.message_bytes)?;
        let place = self.place(&ask)?;
        let sources = self.check_sources(principal, ask.sources).await?;
        let content = Some(ask.message);
        let turn = self
            .answer_by(principal, place, self.clock().id(MessageId::from_bytes), ask.model_id)
            .await?;
        Ok(NewTurn { content, sources, options: ask.options, ..turn })
    }

    /// Another answer to a person's message: a sibling of those that it has (PROTOCOL B5). The same
    /// key makes it once.
    pub async fn regenerate(
        &self,
        principal: PrincipalId,
        user_message: MessageId,
        model: Option<String>,
        key: Option<&str>,
    ) -> Result<Started, Refusal> {
        let again = || SecretHash::of(&format!("regenerate {user_message} {model:?}"));
        let client_message = keyed(key, again)?;
        self.another(principal, Place::Again, (user_message, model), client_message).await
    }

    /// The same at once, also while one other answer to that message is being written.
    pub async fn answer_beside(
        &self,
        principal: PrincipalId,
        user_message: MessageId,
        model: Option<String>,
        key: Option<&str>,
    ) -> Result<Started, Refusal> {
        let beside = || SecretHash::of(&format!("beside {user_message} {model:?}"));
        let client_message = keyed(key, beside)?;
        self.another(principal, Place::Beside, (user_message, model), client_message).await
    }

    async fn another(
        &self,
        principal: PrincipalId,
        place: Place,
        (user_message, model): (MessageId, Option<String>),
        client_message: Option<(ClientMessageId, SecretHash)>,
    ) -> Result<Started, Refusal> {
        let turn = self.answer_by(principal, place, user_message, model).await?;
        let turn = NewTurn { client_message, ..turn };
        let engine = self.clone();
        self.carry_out(async move { engine.take(turn).await }).await
    }

    /// A sibling of a sealed answer that begins with its text and goes on from there.
    pub(crate) async fn sibling(&self, log: &Log, key: Option<&str>) -> Result<Started, Refusal> {
        let identity = &log.identity;
        let on = || SecretHash::of(&format!("continue {}", identity.generation_id));
        let client_message = keyed(key, on)?;
        let answer = self.store().message(identity.message_id).await?;
        let asked = answer.and_then(|answer| answer.parent_id);
        let asked = asked.ok_or(Refusal::NotFound("message"))?;
        let (principal, model) = (identity.principal_id, Some(identity.model.clone()));
        let turn = self.answer_by(principal, Place::Again, asked, model).await?;
        let summary = log.summary();
        // Its marks point to the same passages.
        let sources = summary.citations.into_iter().map(|citation| Body::Source(citation.into()));
        let bodies = sources.chain([Body::Content(summary.content)]);
        let record = |(body, seq)| Record { epoch: 1, seq, at: turn.at, body };
        let begins_with = bodies.zip(1..).map(record).collect();
        self.take(NewTurn { begins_with, client_message, ..turn }).await
    }

    /// A turn without a message of its own, answered by the model that is wanted.
    async fn answer_by(
        &self,
        principal: PrincipalId,
        place: Place,
        user_message_id: MessageId,
        model: Option<String>,
    ) -> Result<NewTurn, Refusal> {
        let requested = model.as_deref().unwrap_or(BEST);
        let preference = if is_best(requested) { self.preference(principal).await? } else { None };
        let choice = self.catalogue().resolve(requested, preference.as_deref());
        Ok(NewTurn {
            principal_id: principal,
            place,
            user_message_id,
            content: None,
            sources: Vec::new(),
            begins_with: Vec::new(),
            generation_id: self.clock().id(GenerationId::from_bytes),
            message_id: self.clock().id(MessageId::from_bytes),
            model: choice.info.id,
            model_name: choice.info.name,
            routing: choice.routing,
            options: Options::default(),
            client_message: None,
            at: self.clock().now(),
        })
    }

    /// Where a message goes. `parent_id` is an answer, or `root` for a message beside the first.
    fn place(&self, ask: &Ask) -> Result<Place, Refusal> {
        let Some(conversation) = &ask.conversation_id else {
            if ask.parent_id.is_some() {
                return Err(Refusal::BadRequest(
                    "A parent_id needs the conversation_id that it belongs to.".into(),
                ));
            }
            let conversation_id = self.clock().id(ConversationId::from_bytes);
            return Ok(Place::New {
                conversation_id,
                title: title(&ask.message),
                temporary: ask.temporary,
            });
        };
        let id = conversation.parse().map_err(|_| Refusal::NotFound("conversation"))?;
        Ok(match ask.parent_id.as_deref() {
            None => Place::Next(id),
            Some("root") => Place::Root(id),
            Some(parent) => {
                Place::After(id, parent.parse().map_err(|_| Refusal::NotFound("message"))?)
            }
        })
    }

    async fn take(&self, turn: NewTurn) -> Result<Started, Refusal> {
        let principal = turn.principal_id;
        let key = turn.client_message.map(|(key, _)| key);
        let new = Arc::new(turn);
        let turn = Arc::clone(&new);
        match self.command(|reply| Command::CreateTurn(turn, reply)).await? {
            TurnOutcome::Repeated(turn) => Ok(Started { turn, repeated: true }),
            TurnOutcome::NotFound => Err(Refusal::NotFound("conversation or message")),
            TurnOutcome::Busy => Err(Refusal::Busy),
            TurnOutcome::Conflict => Err(Refusal::Conflict(
                "This client_message_id was used before for something else. Make a new one.",
            )),
            TurnOutcome::Created(turn) => {
                if turn.state == GenerationState::Running {
                    let generation = new.generation(turn.conversation_id, turn.state);
                    self.spawn_new_run(generation, &new).await;
                }
                // Who asked does not wait until everybody is told.
                let (engine, told) = (self.clone(), turn.clone());
                self.inner.tasks.spawn(async move {
                    engine.tell_started(principal, &told, key).await;
                });
                Ok(Started { turn, repeated: false })
            }
        }
    }

    async fn tell_started(
        &self,
        principal: PrincipalId,
        turn: &Turn,
        key: Option<ClientMessageId>,
    ) {
        let started = Event::GenerationStarted(GenerationStarted {
            conversation_id: turn.conversation_id,
            generation_id: turn.generation_id,
            message_id: turn.message_id,
            client_message_id: key,
        });
        self.tell(principal, std::future::ready(Some(started))).await;
        self.announce(principal, turn.conversation_id).await;
        if turn.state == GenerationState::Queued {
            self.announce_queue(&principal, turn.conversation_id).await;
        }
    }
}

fn check_message(message: &str, limit: usize) -> Result<(), Refusal> {
    if message.len() > limit {
        return Err(Refusal::TooLong { bytes: message.len(), limit });
    }
    if message.trim().is_empty() {
        return Err(Refusal::BadRequest("The message is empty. Type something first.".into()));
    }
    Ok(())
}

/// The first line of the first message, at most [`limits::TITLE_CHARS`] long.
fn title(message: &str) -> String {
    let line = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    if line.chars().count() <= limits::TITLE_CHARS {
        return line.to_owned();
    }
    let mut title: String = line.chars().take(limits::TITLE_CHARS - 1).collect();
    title.truncate(title.trim_end().len());
    title.push('…');
    title
}

/// A client's key with what it stands for.
fn keyed(
    key: Option<&str>,
    body: impl FnOnce() -> SecretHash,
) -> Result<Option<(ClientMessageId, SecretHash)>, Refusal> {
    let key = key.map(str::parse::<ClientMessageId>).transpose();
    let key = key.map_err(|_| Refusal::BadRequest("A client_message_id is a UUID.".into()))?;
    Ok(key.map(|key| (key, body())))
}

/// What a client's key stands for: the same key with anything else is a conflict.
fn fingerprint(ask: &Ask) -> SecretHash {
    let Ask {
        message,
        conversation_id,
        parent_id,
        model_id,
        client_message_id: _,
        options,
        sources,
        temporary,
    } = ask;
    let fields = (message, conversation_id, parent_id, model_id, options);
    let mut text = serde_json::to_string(&fields).expect("a request is plain data");
    if *temporary {
        // Keys from before there were temporary conversations stand for the same as ever.
        text.push_str("temporary");
    }
    if !sources.is_empty() {
        text.push_str(&serde_json::to_string(sources).expect("sources are plain data"));
    }
    SecretHash::of(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_first_line_cut_at_sixty_characters() {
        assert_eq!(title("\n  How do I add a model?  \nmore"), "How do I add a model?");
        let long = "ü".repeat(200);
        assert_eq!(title(&long).chars().count(), 60);
        assert!(title(&long).ends_with('…'));
    }
}
