//! Reading: looking through every text.

use unbroken_protocol::PrincipalId;

use super::Memory;
use crate::{Hit, NEWEST, Query, Shelf, search};

impl Memory {
    pub(crate) fn search(&self, principal: PrincipalId, query: &Query) -> Vec<Hit> {
        let state = self.state();
        let messages = state.messages.values().rev().filter_map(|(of, message)| {
            let conversation =
                state.conversation(principal, *of).filter(|found| !found.temporary)?;
            let known = Some((message.message_id, message.role));
            Some((conversation, known, message.created_at, &message.content))
        });
        let listed = state.shelf(principal, Shelf::Listed);
        let owned = listed.chain(state.shelf(principal, Shelf::Archived));
        let titles = owned.map(|found| (found, None, found.updated_at, &found.title));
        let texts = titles.chain(messages).filter(|(.., text)| query.matches(text));
        let hits = texts.map(|(conversation, message, at, text)| Hit {
            conversation_id: conversation.conversation_id,
            title: conversation.title.clone(),
            message,
            at,
            beginning: text.chars().take(search::BEGINNING).collect(),
        });
        let mut hits: Vec<_> = hits.collect();
        search::sort(&mut hits);
        hits.truncate(NEWEST);
        hits
    }
}
