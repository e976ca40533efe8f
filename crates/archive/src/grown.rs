//! Texts that became others elsewhere after they had been brought in.

use std::collections::{BTreeMap, HashMap};

use unbroken_protocol::{ArchivedConversation, ArchivedMessage, MessageId, PrincipalId};

use crate::ids::Ids;
use crate::notes::Notes;

/// Puts an answer that went on beside the one that is here, as a branch of its own: what is here is
/// never changed. Messages that are new and follow it follow the longer one.
///
/// `here` are the texts of the conversation's messages that are here. Of the same answer, as long as
/// it is then, it makes the same ids; so it comes in once. Other texts that differ are noted.
pub fn put_beside(
    conversation: &mut ArchivedConversation,
    here: &BTreeMap<MessageId, String>,
    principal: PrincipalId,
    notes: &mut Notes,
) {
    let id = conversation.conversation_id.to_string();
    let ids = Ids { principal, source: "grown", conversation: &id };
    let mut longer: HashMap<MessageId, MessageId> = HashMap::new();
    let mut messages = Vec::with_capacity(conversation.messages.len());
    for mut message in std::mem::take(&mut conversation.messages) {
        let Some(text) = here.get(&message.message_id) else {
            let parent = message.parent_id.as_ref().and_then(|parent| longer.get(parent));
            message.parent_id = parent.copied().or(message.parent_id);
            messages.push(message);
            continue;
        };
        let mut beside = None;
        if !text.starts_with(&message.content) {
            if message.answer.is_some() && message.content.starts_with(text) {
                let key = format!("{} {}", message.message_id, message.content);
                longer.insert(message.message_id, ids.message(&key));
                let mut copy = ArchivedMessage { message_id: ids.message(&key), ..message.clone() };
                if let Some(answer) = &mut copy.answer {
                    answer.generation_id = ids.generation(&key);
                }
                beside = Some(copy);
            } else {
                notes.add("changed", &conversation.title);
            }
        }
        messages.push(message);
        messages.extend(beside);
    }
    conversation.messages = messages;
    let selected = &mut conversation.selected_message_id;
    *selected = longer.get(selected).copied().unwrap_or(*selected);
}
