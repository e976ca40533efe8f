//! Whole conversations, as they leave the server.

use unbroken_protocol::{
    ArchivedAnswer, ArchivedConversation, ArchivedMessage, ConversationId, PrincipalId,
};
use unbroken_store::{Generation, Message, Which};

use crate::Engine;
use crate::error::Refusal;

/// Conversations that are asked for at once.
const PAGE: u32 = 200;

impl Engine {
    /// A conversation with all of its branches. An answer that is being written is there so far.
    pub async fn export(
        &self,
        principal: PrincipalId,
        id: ConversationId,
    ) -> Result<ArchivedConversation, Refusal> {
        let row = self.store().conversation(principal, id).await?;
        let found = row.ok_or(Refusal::NotFound("conversation"))?.conversation;
        let mut messages = Vec::new();
        for (message, generation) in self.store().tree(id).await? {
            messages.push(self.archived(message, generation).await?);
        }
        Ok(ArchivedConversation {
            conversation_id: id,
            title: found.title,
            model: found.model,
            created_at: found.created_at,
            updated_at: found.updated_at,
            pinned: found.pinned,
            archived: found.archived,
            folder: found.folder,
            selected_message_id: found.selected_message_id,
            messages,
        })
    }

    /// The conversations of a person after one of them, in an order that nothing changes.
    pub async fn export_page(
        &self,
        principal: PrincipalId,
        after: Option<ConversationId>,
    ) -> Result<Vec<ConversationId>, Refusal> {
        Ok(self.store().conversation_ids(principal, Which::Kept, after, PAGE).await?)
    }

    async fn archived(
        &self,
        message: Message,
        generation: Option<Generation>,
    ) -> Result<ArchivedMessage, Refusal> {
        let mut archived = ArchivedMessage {
            message_id: message.message_id,
            parent_id: message.parent_id,
            role: message.role,
            content: message.content,
            created_at: message.created_at,
            sources: message.sources,
            answer: None,
        };
        let Some(found) = generation else { return Ok(archived) };
        let mut answer = ArchivedAnswer {
            generation_id: found.generation_id,
            state: found.state,
            model: found.model,
            model_name: found.model_name,
            created_at: found.created_at,
            finish_reason: found.finish_reason,
            input_tokens: found.input_tokens,
            output_tokens: found.output_tokens,
            citations: found.citations,
            reasoning: found.reasoning,
            reasoning_ms: found.reasoning_ms,
            tool_events: found.tool_events,
            seams: Vec::new(),
            code: found.error_code,
            error: found.error,
            options: found.options,
            routing: found.routing,
        };
        // Only its log knows what is written now, and where runs met.
        let log = if found.state.is_sealed() && found.epoch == 1 {
            None
        } else {
            self.inner.logs.get(found.generation_id, self.store()).await?
        };
        if let Some(log) = log {
            let summary = log.summary();
            answer.seams = summary.seams;
            if !found.state.is_sealed() {
                archived.content = summary.content;
                answer.reasoning = summary.reasoning;
                answer.reasoning_ms = summary.reasoning_ms;
                answer.tool_events = summary.tool_events;
                answer.citations = summary.citations;
                answer.state = summary.state;
                (answer.code, answer.error) = summary
                    .interruption
                    .map(|broke| (broke.code, broke.message))
                    .unwrap_or_default();
            }
        }
        archived.answer = Some(answer);
        Ok(archived)
    }
}
