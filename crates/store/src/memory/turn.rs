//! Writing: new turns.

use unbroken_protocol::{
    ClientMessageId, ConversationId, GenerationState, MessageId, PrincipalId, Role, Source, limits,
};

use super::Transaction;
use super::state::State;
use crate::{Conversation, Message, NewTurn, Place, SecretHash, Turn, TurnOutcome};

impl Transaction<'_> {
    pub(crate) fn create_turn(&mut self, turn: &NewTurn) -> TurnOutcome {
        if let Some((key, body)) = turn.client_message
            && let Some(outcome) = repeated(&self.state, turn.principal_id, key, body)
        {
            return outcome;
        }
        let Some((conversation_id, parent_id)) = place(&self.state, turn) else {
            return TurnOutcome::NotFound;
        };
        let waiting_behind = self.state.unsettled(conversation_id);
        let (waiting_behind, most) = match turn.place {
            Place::Again => (waiting_behind, 0),
            Place::Beside => (self.state.in_the_way(conversation_id, turn.user_message_id), 0),
            _ => (waiting_behind, limits::QUEUED_TURNS as u64),
        };
        if waiting_behind > most {
            return TurnOutcome::Busy;
        }
        if let Place::New { conversation_id, title, temporary } = &turn.place {
            let conversation = Conversation {
                temporary: *temporary,
                ..conversation(turn, *conversation_id, title)
            };
            self.state().conversations.insert(*conversation_id, conversation);
        }
        if let Some(content) = &turn.content {
            let id = turn.user_message_id;
            let message = (id, parent_id, Role::User, content.as_str());
            self.insert_message(conversation_id, turn, message, &turn.sources);
        }
        let answer = (turn.message_id, Some(turn.user_message_id), Role::Assistant, "");
        self.insert_message(conversation_id, turn, answer, &[]);
        let state = match waiting_behind {
            0 => GenerationState::Running,
            _ => GenerationState::Queued,
        };
        self.insert_generation(turn, conversation_id, state);
        if let Some(found) = self.state().conversations.get_mut(&conversation_id) {
            found.selected_message_id = turn.message_id;
            found.model.clone_from(&turn.model);
            found.updated_at = found.updated_at.max(turn.at);
            found.message_count += 1 + u64::from(turn.content.is_some());
        }
        TurnOutcome::Created(Turn {
            conversation_id,
            user_message_id: turn.user_message_id,
            generation_id: turn.generation_id,
            message_id: turn.message_id,
            state,
            epoch: 1,
            model: turn.model.clone(),
            model_name: turn.model_name.clone(),
            routing: turn.routing.clone(),
            waiting_behind,
        })
    }

    fn insert_message(
        &mut self,
        conversation: ConversationId,
        turn: &NewTurn,
        (message_id, parent_id, role, content): (MessageId, Option<MessageId>, Role, &str),
        sources: &[Source],
    ) {
        let (content, sources) = (content.to_owned(), sources.to_vec());
        let message =
            Message { message_id, parent_id, role, content, created_at: turn.at, sources };
        self.state().messages.insert(message_id, (conversation, message));
    }

    fn insert_generation(
        &mut self,
        turn: &NewTurn,
        conversation_id: ConversationId,
        state: GenerationState,
    ) {
        let generation = turn.generation(conversation_id, state);
        self.state().generations.insert(turn.generation_id, generation);
        self.pack(turn.generation_id, &turn.begins_with);
        if let Some((key, body)) = turn.client_message {
            let key = (turn.principal_id, key);
            self.state().client_messages.insert(key, (body, turn.generation_id));
        }
    }
}

/// What an earlier use of a client's key made, if there was one.
pub(super) fn repeated(
    state: &State,
    principal: PrincipalId,
    key: ClientMessageId,
    body: SecretHash,
) -> Option<TurnOutcome> {
    let (asked, id) = state.client_messages.get(&(principal, key))?;
    if *asked != body {
        return Some(TurnOutcome::Conflict);
    }
    // The key is used for ever, also when its conversation was deleted since.
    let found = state.generations.get(id);
    let found = found.filter(|found| !state.deleted.contains_key(&found.conversation_id));
    let Some(found) = found else { return Some(TurnOutcome::NotFound) };
    let user_message_id = state.message(found.message_id)?.parent_id?;
    Some(TurnOutcome::Repeated(Turn {
        conversation_id: found.conversation_id,
        user_message_id,
        generation_id: found.generation_id,
        message_id: found.message_id,
        state: found.state,
        epoch: found.epoch,
        model: found.model.clone(),
        model_name: found.model_name.clone(),
        routing: found.routing.clone(),
        waiting_behind: 0,
    }))
}

/// The conversation and the parent of a turn; `None` when they are not the principal's.
fn place(state: &State, turn: &NewTurn) -> Option<(ConversationId, Option<MessageId>)> {
    let own = |id| state.conversation(turn.principal_id, id);
    match &turn.place {
        Place::New { conversation_id, .. } => Some((*conversation_id, None)),
        Place::Next(id) => Some((*id, Some(own(*id)?.selected_message_id))),
        Place::After(id, parent) => {
            own(*id)?;
            let (of, answer) = state.messages.get(parent)?;
            (of == id && answer.role == Role::Assistant).then_some((*id, Some(*parent)))
        }
        Place::Root(id) => own(*id).map(|_| (*id, None)),
        Place::Again | Place::Beside => {
            let (of, asked) = state.messages.get(&turn.user_message_id)?;
            own(*of)?;
            (asked.role == Role::User).then_some((*of, None))
        }
    }
}

fn conversation(turn: &NewTurn, conversation_id: ConversationId, title: &str) -> Conversation {
    Conversation {
        conversation_id,
        principal_id: turn.principal_id,
        title: title.to_owned(),
        model: turn.model.clone(),
        created_at: turn.at,
        updated_at: turn.at,
        selected_message_id: turn.message_id,
        message_count: 0,
        total_tokens: 0,
        pinned: false,
        archived: false,
        folder: None,
        temporary: false,
    }
}
