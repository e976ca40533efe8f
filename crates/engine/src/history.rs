//! Reading back: the list of conversations, history, and logs by their owner.

use std::sync::Arc;

use unbroken_protocol::{
    ConversationEvent, ConversationId, ConversationList, ConversationOp, ConversationPage,
    ConversationSummary, Event, GenerationId, MessageId, MessageView, PrincipalId,
};
use unbroken_store::{ConversationCursor, ConversationRow, HistoryMessage, Shelf};

use crate::Engine;
use crate::error::Refusal;
use crate::going_on::goes_on_in_a_sibling;
use crate::log::Log;

/// Conversations in one page of the list at most.
const LIST_LIMIT: u32 = 200;
/// Conversations in a page of the list when nobody says.
const LIST_DEFAULT: u32 = 50;

/// Which part of a conversation's branch is wanted.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// That many messages from the end; all when absent.
    pub limit: Option<u32>,
    /// Only what comes before this message.
    pub before: Option<String>,
    /// The way to this message instead of the selected branch.
    pub leaf: Option<String>,
}

impl Engine {
    /// The log of a generation of this principal, from memory or the store.
    pub async fn log(&self, principal: PrincipalId, id: GenerationId) -> Result<Arc<Log>, Refusal> {
        let log = self.inner.logs.get(id, self.store()).await?;
        log.filter(|log| log.identity.principal_id == principal)
            .filter(|log| !self.inner.hidden.contains(log.identity.conversation_id))
            .ok_or(Refusal::NotFound("generation"))
    }

    /// A page of a list of a person's conversations, the one that changed last first.
    pub async fn conversations(
        &self,
        principal: PrincipalId,
        list: Shelf,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<ConversationList, Refusal> {
        let limit = limit.unwrap_or(LIST_DEFAULT).clamp(1, LIST_LIMIT);
        let cursor = cursor
            .map(str::parse::<ConversationCursor>)
            .transpose()
            .map_err(|why| Refusal::BadRequest(format!("The cursor is unusable: {why}.")))?;
        let mut rows = self.store().conversations(principal, list, limit + 1, cursor).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next_cursor = rows.last().filter(|_| more).map(|row| {
            let conversation = &row.conversation;
            ConversationCursor {
                updated_at: conversation.updated_at,
                conversation_id: conversation.conversation_id,
            }
            .encode()
        });
        Ok(ConversationList {
            conversations: rows.iter().map(Self::summary).collect(),
            total: self.store().conversation_count(principal, list).await?,
            owner_type: "device_session".into(),
            owner_id: principal.to_string(),
            next_cursor,
        })
    }

    /// One line of the list of conversations.
    pub async fn conversation_summary(
        &self,
        principal: PrincipalId,
        id: ConversationId,
    ) -> Result<ConversationSummary, Refusal> {
        let row = self.store().conversation(principal, id).await?;
        row.as_ref().map(Self::summary).ok_or(Refusal::NotFound("conversation"))
    }

    /// A conversation's selected branch, or a page of it. The text of an answer that is being
    /// written is the text so far, with the position that it covers.
    pub async fn conversation(
        &self,
        principal: PrincipalId,
        id: ConversationId,
        page: Page,
    ) -> Result<ConversationPage, Refusal> {
        let missing = || Refusal::NotFound("conversation");
        let mut row = self.store().conversation(principal, id).await?.ok_or_else(missing)?;
        let no_message = || Refusal::NotFound("message");
        if let Some(leaf) = page.leaf {
            let leaf = leaf.parse().map_err(|_| no_message())?;
            if !self.store().is_in(leaf, id).await? {
                return Err(no_message());
            }
            row.conversation.selected_message_id = leaf;
        }
        let before: Option<MessageId> =
            page.before.map(|id| id.parse().map_err(|_| no_message())).transpose()?;
        let history = self.store().history(&row.conversation, page.limit, before).await?;
        let history = history.ok_or_else(no_message)?;
        let mut messages = Vec::with_capacity(history.messages.len());
        for message in history.messages {
            messages.push(self.view(principal, message).await?);
        }
        Ok(ConversationPage {
            conversation_id: id,
            title: row.conversation.title,
            messages,
            total: history.total,
            temporary: row.conversation.temporary,
        })
    }

    async fn view(
        &self,
        principal: PrincipalId,
        stored: HistoryMessage,
    ) -> Result<MessageView, Refusal> {
        let HistoryMessage { message, sibling_ids, generation } = stored;
        let mut view = MessageView {
            message_id: message.message_id,
            role: message.role,
            content: message.content,
            timestamp: message.created_at,
            tokens_used: None,
            model: None,
            parent_id: message.parent_id,
            sibling_ids,
            generation_id: None,
            sources: self.source_views(principal, &message.sources).await?,
            state: None,
            epoch: None,
            seq: None,
            finish_reason: None,
            citations: Vec::new(),
            reasoning: String::new(),
            reasoning_ms: None,
            tool_events: Vec::new(),
            seams: Vec::new(),
            can_continue: false,
            error: None,
            code: None,
        };
        let Some(generation) = generation else { return Ok(view) };
        view.generation_id = Some(generation.generation_id);
        view.model = Some(generation.model);
        view.finish_reason = generation.finish_reason;
        view.error = generation.error;
        view.code = generation.error_code;
        if generation.state.is_sealed() {
            view.tokens_used = Some(generation.input_tokens + generation.output_tokens);
            view.state = Some(generation.state);
            view.epoch = Some(generation.epoch);
            view.seq = Some(generation.head_seq);
            view.citations = generation.citations;
            view.reasoning = generation.reasoning;
            view.reasoning_ms = generation.reasoning_ms;
            view.tool_events = generation.tool_events;
            view.can_continue =
                goes_on_in_a_sibling(generation.finish_reason, !view.content.is_empty());
            if generation.epoch > 1 {
                // Only its log knows where the runs met.
                let log = self.inner.logs.get(generation.generation_id, self.store()).await?;
                view.seams = log.map(|log| log.summary().seams).unwrap_or_default();
            }
            return Ok(view);
        }
        // The log knows more than the row, and knows it at one moment.
        let log = self.inner.logs.get(generation.generation_id, self.store()).await?;
        let Some(log) = log else { return Ok(view) };
        let summary = log.summary();
        let broke = summary.interruption;
        view.can_continue = broke.as_ref().is_some_and(|broke| broke.can_continue);
        (view.code, view.error) =
            broke.map(|broke| (broke.code, broke.message)).unwrap_or_default();
        view.seams = summary.seams;
        view.content = summary.content;
        view.reasoning = summary.reasoning;
        view.reasoning_ms = summary.reasoning_ms;
        view.tool_events = summary.tool_events;
        view.citations = summary.citations;
        view.state = Some(summary.state);
        view.epoch = Some(summary.position.epoch);
        view.seq = Some(summary.position.seq);
        Ok(view)
    }

    pub(crate) fn summary(row: &ConversationRow) -> ConversationSummary {
        let conversation = &row.conversation;
        ConversationSummary {
            conversation_id: conversation.conversation_id,
            title: conversation.title.clone(),
            topic: None,
            model: conversation.model.clone(),
            created_at: conversation.created_at,
            updated_at: conversation.updated_at,
            message_count: conversation.message_count,
            total_tokens: conversation.total_tokens,
            session_type: "chat".into(),
            selected_message_id: Some(conversation.selected_message_id),
            running: row.running,
            pinned: conversation.pinned,
            archived: conversation.archived,
            folder: conversation.folder.clone(),
            temporary: conversation.temporary,
        }
    }

    pub(crate) fn conversation_event(op: ConversationOp, row: &ConversationRow) -> Event {
        let conversation = Self::summary(row);
        Event::Conversation(Box::new(ConversationEvent { op, conversation }))
    }

    /// How many answers a person has asked for.
    pub async fn usage_count(&self, principal: PrincipalId) -> Result<u64, Refusal> {
        Ok(self.store().usage_count(principal).await?)
    }
}
