//! What a server like this one exported.

use std::collections::HashMap;

use serde_json::Value;
use unbroken_protocol::{ARCHIVE_VERSION, ArchivedConversation, PrincipalId, Role, limits};

use crate::ids::Ids;
use crate::notes::Notes;
use crate::tree::{TEXT_BYTES, answer, finish};

pub(super) fn read(value: Value, notes: &mut Notes) -> Option<ArchivedConversation> {
    let title = value["title"].as_str().unwrap_or_default().to_owned();
    let is_known = value["version"].as_u64().is_some_and(|v| v <= u64::from(ARCHIVE_VERSION));
    let read = serde_json::from_value::<ArchivedConversation>(value).ok().filter(|_| is_known);
    let fits = |conversation: &ArchivedConversation| {
        conversation.messages.iter().all(|message| message.content.len() <= TEXT_BYTES)
    };
    let whole = read.filter(fits).and_then(|mut conversation| {
        conversation.title = conversation.title.chars().take(limits::TITLE_CHARS).collect();
        for message in &mut conversation.messages {
            if message.role == Role::Assistant && message.answer.is_none() {
                let mut without = answer(&conversation.model, message.created_at);
                let id = *message.message_id.as_bytes();
                without.generation_id = unbroken_protocol::GenerationId::from_bytes(id);
                message.answer = Some(without);
            }
        }
        finish(conversation)
    });
    if whole.is_none() {
        notes.add("unreadable", &title);
    }
    whole.filter(|conversation| !conversation.messages.is_empty())
}

/// Gives everything in a conversation another id: the same for the same person, however often.
pub fn rekey(conversation: &mut ArchivedConversation, principal: PrincipalId) {
    let id = conversation.conversation_id.to_string();
    let ids = Ids { principal, source: "unbroken", conversation: &id };
    conversation.conversation_id = ids.conversation();
    let mut messages = HashMap::new();
    for message in &mut conversation.messages {
        let key = message.message_id.to_string();
        messages.insert(message.message_id, ids.message(&key));
        message.message_id = ids.message(&key);
        message.parent_id = message.parent_id.and_then(|parent| messages.get(&parent).copied());
        if let Some(answer) = &mut message.answer {
            answer.generation_id = ids.generation(&answer.generation_id.to_string());
        }
    }
    let selected = conversation.selected_message_id;
    conversation.selected_message_id = messages.get(&selected).copied().unwrap_or(selected);
}
