//! Conversations that come in from files and go out again: whole trees, imports, shares.

use std::collections::HashSet;

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row as _};
use unbroken_protocol::{
    ConversationId, GenerationId, ImportId, MessageId, PrincipalId, Timestamp,
};

use super::row::{self, signed, to_word};
use super::script::Script;
use super::{Sqlite, Transaction};
use crate::{
    Generation, Import, ImportStep, Imported, ImportedMessage, Message, Share, StoreError, Which,
};

/// Ids in one question.
const IDS: usize = 400;
/// Messages that are read at once.
const PIECE: i64 = 500;

impl Sqlite {
    pub(crate) async fn conversation_ids(
        &self,
        principal: PrincipalId,
        which: Which,
        after: Option<ConversationId>,
        limit: u32,
    ) -> Result<Vec<ConversationId>, StoreError> {
        let rows = sqlx::query(
            "SELECT conversation_id FROM conversations WHERE principal_id = ? \
             AND conversation_id > ? AND (? OR shelf <> 2) ORDER BY conversation_id LIMIT ?",
        )
        .bind(principal.as_bytes().as_slice())
        .bind(after.map(|id| id.as_bytes().to_vec()).unwrap_or_default())
        .bind(which == Which::All)
        .bind(limit)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let id = |found| Ok(ConversationId::from_bytes(row::bytes(found, "conversation_id")?));
        rows.iter().map(id).collect()
    }

    pub(crate) async fn tree(
        &self,
        conversation: ConversationId,
    ) -> Result<Vec<(Message, Option<Generation>)>, StoreError> {
        let query = format!(
            "SELECT {}, m.rowid AS place, m.message_id, m.parent_id, m.role, m.content, \
               m.created_at, m.sources \
             FROM messages m LEFT JOIN generations g ON g.message_id = m.message_id \
             LEFT JOIN conversations c ON c.conversation_id = g.conversation_id \
             WHERE m.conversation_id = ? AND m.rowid > ? ORDER BY m.rowid LIMIT ?",
            row::GENERATION
        );
        let (mut all, mut place) = (Vec::new(), 0_i64);
        loop {
            let rows = sqlx::query(AssertSqlSafe(query.clone()))
                .bind(conversation.as_bytes().as_slice())
                .bind(place)
                .bind(PIECE)
                .fetch_all(&mut *self.reader().await?)
                .await?;
            let Some(last) = rows.last() else { return Ok(all) };
            place = last.try_get("place")?;
            for found in &rows {
                let answered: Option<&[u8]> = found.try_get("generation_id")?;
                let generation = answered.map(|_| row::generation(found)).transpose()?;
                all.push((row::message(found)?, generation));
            }
        }
    }

    pub(crate) async fn is_taken(
        &self,
        principal: PrincipalId,
        conversation: ConversationId,
        messages: &[MessageId],
        generations: &[(GenerationId, MessageId)],
    ) -> Result<bool, StoreError> {
        let of = sqlx::query("SELECT principal_id FROM conversations WHERE conversation_id = ?")
            .bind(conversation.as_bytes().as_slice())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        if let Some(of) = of
            && row::bytes(&of, "principal_id")? != *principal.as_bytes()
        {
            return Ok(true);
        }
        for ids in messages.chunks(IDS) {
            let ids: Vec<_> = ids.iter().map(|id| *id.as_bytes()).collect();
            let query = format!(
                "SELECT 1 FROM messages WHERE conversation_id <> ? AND message_id IN ({})",
                places(ids.len())
            );
            let mut query =
                sqlx::query(AssertSqlSafe(query)).bind(conversation.as_bytes().as_slice());
            for id in &ids {
                query = query.bind(id.as_slice());
            }
            if query.fetch_optional(&mut *self.reader().await?).await?.is_some() {
                return Ok(true);
            }
        }
        for pairs in generations.chunks(IDS) {
            let query = format!(
                "SELECT generation_id, message_id FROM generations WHERE generation_id IN ({})",
                places(pairs.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(query));
            for (id, _) in pairs {
                query = query.bind(id.as_bytes().as_slice());
            }
            for found in query.fetch_all(&mut *self.reader().await?).await? {
                let id = GenerationId::from_bytes(row::bytes(&found, "generation_id")?);
                let message = MessageId::from_bytes(row::bytes(&found, "message_id")?);
                if !pairs.contains(&(id, message)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    pub(crate) async fn import(&self, id: ImportId) -> Result<Option<Import>, StoreError> {
        let found = sqlx::query("SELECT * FROM imports WHERE import_id = ?")
            .bind(id.as_bytes().as_slice())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        found.as_ref().map(import).transpose()
    }

    pub(crate) async fn imports(&self, principal: PrincipalId) -> Result<Vec<Import>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM imports WHERE principal_id = ? ORDER BY import_id DESC LIMIT 50",
        )
        .bind(principal.as_bytes().as_slice())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().map(import).collect()
    }

    pub(crate) async fn open_imports(&self) -> Result<Vec<Import>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM imports WHERE state IN ('waiting', 'running') ORDER BY import_id",
        )
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().map(import).collect()
    }

    pub(crate) async fn shares(&self, principal: PrincipalId) -> Result<Vec<Share>, StoreError> {
        let rows = sqlx::query(
            "SELECT share_id, principal_id, conversation_id, title, created_at, keep FROM shares \
             WHERE principal_id = ? ORDER BY created_at DESC, share_id LIMIT 1000",
        )
        .bind(principal.as_bytes().as_slice())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().map(share).collect()
    }

    pub(crate) async fn shared(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let found = sqlx::query(
            "SELECT s.page FROM shares s LEFT JOIN conversations c USING (conversation_id) \
             WHERE s.share_id = ? AND (s.keep OR (c.conversation_id IS NOT NULL AND c.deleted_at IS NULL))",
        )
        .bind(id)
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        Ok(found.map(|found| found.try_get("page")).transpose()?)
    }
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("it is plain data")
}

/// `?, ?, ?`
fn places(count: usize) -> String {
    vec!["?"; count].join(", ")
}

fn import(found: &SqliteRow) -> Result<Import, StoreError> {
    Ok(Import {
        import_id: ImportId::from_bytes(row::bytes(found, "import_id")?),
        principal_id: PrincipalId::from_bytes(row::bytes(found, "principal_id")?),
        state: row::word(found.try_get("state")?)?,
        created_at: Timestamp::from_millis(found.try_get("created_at")?),
        done: row::count(found, "done")?,
        total: row::count(found, "total")?,
        conversations: row::count(found, "conversations")?,
        messages: row::count(found, "messages")?,
        unchanged: row::count(found, "unchanged")?,
        notes: found.try_get("notes")?,
        error: found.try_get("error")?,
    })
}

fn share(found: &SqliteRow) -> Result<Share, StoreError> {
    Ok(Share {
        share_id: found.try_get("share_id")?,
        principal_id: PrincipalId::from_bytes(row::bytes(found, "principal_id")?),
        conversation_id: ConversationId::from_bytes(row::bytes(found, "conversation_id")?),
        title: found.try_get("title")?,
        created_at: Timestamp::from_millis(found.try_get("created_at")?),
        keep: found.try_get("keep")?,
    })
}

impl Transaction<'_> {
    pub(crate) async fn import_step(&mut self, step: &ImportStep) -> Result<bool, StoreError> {
        let here = sqlx::query("SELECT adds FROM imports WHERE import_id = ?")
            .bind(step.import_id.as_bytes().as_slice())
            .fetch_optional(self.now().await?)
            .await?;
        let Some(here) = here else { return Ok(false) };
        let mut adds: bool = here.try_get("adds")?;
        let (mut conversations, mut messages, mut unchanged) = (0, 0, 0);
        for slice in &step.slices {
            let (is_new, added) = self.import_slice(step.principal_id, slice).await?;
            conversations += i64::from(is_new);
            messages += added;
            adds |= added > 0;
            if slice.is_last {
                unchanged += i64::from(!adds);
                adds = false;
            }
        }
        sqlx::query(
            "UPDATE imports SET state = 'running', done = ?, notes = ?, \
             conversations = conversations + ?, messages = messages + ?, \
             unchanged = unchanged + ?, adds = ? WHERE import_id = ?",
        )
        .bind(signed(step.done))
        .bind(&step.notes)
        .bind(conversations)
        .bind(messages)
        .bind(unchanged)
        .bind(adds)
        .bind(step.import_id.as_bytes().as_slice())
        .execute(self.now().await?)
        .await?;
        Ok(true)
    }

    /// Whether the conversation is new, and how many of the messages are.
    async fn import_slice(
        &mut self,
        principal: PrincipalId,
        slice: &Imported,
    ) -> Result<(bool, i64), StoreError> {
        let here = sqlx::query(
            "SELECT principal_id, selected_message_id, deleted_at IS NOT NULL AS deleted \
             FROM conversations \
             WHERE conversation_id = ?",
        )
        .bind(slice.conversation_id.as_bytes().as_slice())
        .fetch_optional(self.now().await?)
        .await?;
        let mut script = Script::default();
        let mut selects = true;
        if let Some(here) = &here {
            if row::bytes(here, "principal_id")? != *principal.as_bytes() {
                return Ok((false, 0));
            }
            let selected = MessageId::from_bytes(row::bytes(here, "selected_message_id")?);
            selects = slice.known.contains(&selected);
            if here.try_get("deleted")? {
                // Who brings it in wants it back.
                script
                    .step("UPDATE conversations SET deleted_at = NULL WHERE conversation_id = ?")
                    .id(slice.conversation_id.as_bytes())
                    .count(slice.conversation_id);
                script.run(self.now().await?).await?;
                script = Script::default();
            }
        }
        let stored = self.stored(slice).await?;
        let new: Vec<_> = slice
            .messages
            .iter()
            .filter(|message| !stored.contains(&message.message.message_id))
            .collect();
        let Some(newest) = new.last() else { return Ok((false, 0)) };
        if here.is_none() {
            script.imported_conversation(principal, slice, newest.message.message_id);
        }
        for message in &new {
            script.imported_message(slice.conversation_id, message);
        }
        script.imported_into(principal, slice, &new, here.is_none(), selects);
        script.run(self.now().await?).await?;
        Ok((here.is_none(), new.len().try_into().unwrap_or(i64::MAX)))
    }

    /// Which messages of a slice are in the store already, or have an answer whose id is.
    async fn stored(&mut self, slice: &Imported) -> Result<HashSet<MessageId>, StoreError> {
        let ids: Vec<_> = slice.messages.iter().map(|m| m.message.message_id).collect();
        let query =
            format!("SELECT message_id FROM messages WHERE message_id IN ({})", places(ids.len()));
        let mut query = sqlx::query(AssertSqlSafe(query));
        for id in &ids {
            query = query.bind(id.as_bytes().as_slice());
        }
        let mut stored = HashSet::new();
        for found in query.fetch_all(self.now().await?).await? {
            stored.insert(MessageId::from_bytes(row::bytes(&found, "message_id")?));
        }
        let answers: Vec<_> = slice
            .messages
            .iter()
            .filter(|m| !stored.contains(&m.message.message_id))
            .filter_map(|m| Some((m.message.answer.as_ref()?.generation_id, m.message.message_id)))
            .collect();
        if answers.is_empty() {
            return Ok(stored);
        }
        let query = format!(
            "SELECT generation_id FROM generations WHERE generation_id IN ({})",
            places(answers.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(query));
        for (id, _) in &answers {
            query = query.bind(id.as_bytes().as_slice());
        }
        for found in query.fetch_all(self.now().await?).await? {
            let id = GenerationId::from_bytes(row::bytes(&found, "generation_id")?);
            stored.extend(answers.iter().filter(|(answer, _)| *answer == id).map(|(_, m)| *m));
        }
        Ok(stored)
    }

    pub(crate) async fn put_import(&mut self, import: &Import) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO imports (import_id, principal_id, state, created_at, done, total, \
             conversations, messages, unchanged, notes, error) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (import_id) DO NOTHING",
        )
        .bind(import.import_id.as_bytes().as_slice())
        .bind(import.principal_id.as_bytes().as_slice())
        .bind(import.state.as_str())
        .bind(import.created_at.as_millis())
        .bind(signed(import.done))
        .bind(signed(import.total))
        .bind(signed(import.conversations))
        .bind(signed(import.messages))
        .bind(signed(import.unchanged))
        .bind(&import.notes)
        .bind(&import.error)
        .execute(self.now().await?)
        .await?;
        Ok(())
    }

    pub(crate) async fn count_import(
        &mut self,
        id: ImportId,
        total: u64,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE imports SET state = 'running', total = ? WHERE import_id = ?")
            .bind(signed(total))
            .bind(id.as_bytes().as_slice())
            .execute(self.now().await?)
            .await?;
        Ok(())
    }

    pub(crate) async fn end_import(
        &mut self,
        id: ImportId,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE imports SET state = ?, error = ? WHERE import_id = ?")
            .bind(if error.is_some() { "failed" } else { "done" })
            .bind(error)
            .bind(id.as_bytes().as_slice())
            .execute(self.now().await?)
            .await?;
        Ok(())
    }

    pub(crate) async fn put_share(
        &mut self,
        share: &Share,
        page: &[u8],
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO shares \
             (share_id, principal_id, conversation_id, title, created_at, keep, page) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 FROM conversations \
             WHERE principal_id = ?2 AND conversation_id = ?3 AND deleted_at IS NULL)",
        )
        .bind(&share.share_id)
        .bind(share.principal_id.as_bytes().as_slice())
        .bind(share.conversation_id.as_bytes().as_slice())
        .bind(&share.title)
        .bind(share.created_at.as_millis())
        .bind(share.keep)
        .bind(page)
        .execute(self.now().await?)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    pub(crate) async fn revoke(
        &mut self,
        principal: PrincipalId,
        share: &str,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM shares WHERE principal_id = ? AND share_id = ?")
            .bind(principal.as_bytes().as_slice())
            .bind(share)
            .execute(self.now().await?)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// What a person has beside conversations. Never in the same transaction as many of them.
    pub(crate) async fn forget_moves(&mut self, principal: PrincipalId) -> Result<(), StoreError> {
        let mut script = Script::default();
        script
            .step("DELETE FROM shares WHERE principal_id = ?")
            .id(principal.as_bytes())
            .step("DELETE FROM imports WHERE principal_id = ?")
            .id(principal.as_bytes());
        script.run(self.now().await?).await
    }
}

impl Script {
    /// A conversation that shows as much as is in, until all of it is.
    fn imported_conversation(
        &mut self,
        principal: PrincipalId,
        slice: &Imported,
        newest: MessageId,
    ) {
        self.step(
            "INSERT INTO conversations (conversation_id, principal_id, title, model, created_at, \
             updated_at, selected_message_id, message_count, total_tokens, pinned, archived, \
             folder) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?)",
        )
        .id(slice.conversation_id.as_bytes())
        .id(principal.as_bytes())
        .bind(slice.title.clone())
        .bind(slice.model.clone())
        .bind(slice.created_at.as_millis())
        .bind(slice.updated_at.as_millis())
        .id(newest.as_bytes())
        .bind(slice.pinned)
        .bind(slice.archived)
        .bind(slice.folder.clone())
        .due(slice.conversation_id, None);
    }

    fn imported_message(&mut self, conversation: ConversationId, imported: &ImportedMessage) {
        let message = &imported.message;
        let parent = message.parent_id.map(|parent| parent.as_bytes().to_vec());
        self.step(
            "INSERT INTO messages \
             (message_id, conversation_id, parent_id, role, content, created_at, sources, depth) \
             VALUES (?, ?, ?, ?, ?, ?, ?, \
               1 + coalesce((SELECT depth FROM messages WHERE message_id = ?), 0))",
        )
        .id(message.message_id.as_bytes())
        .id(conversation.as_bytes())
        .bind(parent.clone())
        .bind(to_word(message.role))
        .bind(message.content.clone())
        .bind(message.created_at.as_millis())
        .bind(row::sources(&message.sources))
        .bind(parent)
        .due(conversation, Some(message.message_id));
        let (Some(answer), Some(log)) = (&message.answer, &imported.log) else { return };
        let citations = (!answer.citations.is_empty()).then(|| json(&answer.citations));
        self.step(
            "INSERT INTO generations (generation_id, message_id, conversation_id, state, epoch, \
             head_seq, model, model_name, routing, options, created_at, ended_at, finish_reason, \
             input_tokens, output_tokens, citations, reasoning, reasoning_ms, tool_events, \
             error_code, error) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .id(answer.generation_id.as_bytes())
        .id(message.message_id.as_bytes())
        .id(conversation.as_bytes())
        .bind(answer.state.as_str())
        .bind(log.epoch)
        .bind(signed(log.head_seq))
        .bind(answer.model.clone())
        .bind(answer.model_name.clone())
        .bind(answer.routing.as_ref().map(json))
        .bind(json(&answer.options))
        .bind(answer.created_at.as_millis())
        .bind(answer.state.is_sealed().then_some(answer.created_at.as_millis()))
        .bind(answer.finish_reason.map(to_word))
        .bind(signed(answer.input_tokens))
        .bind(signed(answer.output_tokens))
        .bind(citations)
        .bind(answer.reasoning.clone())
        .bind(answer.reasoning_ms.map(signed))
        .bind((!answer.tool_events.is_empty()).then(|| json(&answer.tool_events)))
        .bind(answer.code.map(unbroken_protocol::ErrorCode::as_str))
        .bind(answer.error.clone())
        .step("INSERT INTO packs (generation_id, first_seq, last_seq, records) VALUES (?, 1, ?, ?)")
        .id(answer.generation_id.as_bytes())
        .bind(signed(log.head_seq))
        .bind(log.pack.clone());
    }

    /// What new messages change in their conversation, and in what its owner has.
    fn imported_into(
        &mut self,
        principal: PrincipalId,
        slice: &Imported,
        new: &[&ImportedMessage],
        is_new: bool,
        selects: bool,
    ) {
        let answers = new.iter().filter_map(|message| message.message.answer.as_ref());
        let sealed = answers.clone().filter(|answer| answer.state.is_sealed());
        let tokens: u64 = sealed
            .map(|answer| answer.input_tokens.saturating_add(answer.output_tokens))
            .fold(0, u64::saturating_add);
        self.step(
            "UPDATE conversations SET message_count = message_count + ?, \
             total_tokens = total_tokens + ?, updated_at = max(updated_at, ?), \
             selected_message_id = coalesce((SELECT message_id FROM messages \
               WHERE ? AND message_id = ? AND conversation_id = ?), selected_message_id), \
             model = CASE WHEN ? THEN ? ELSE model END WHERE conversation_id = ?",
        )
        .bind(i64::try_from(new.len()).unwrap_or(i64::MAX))
        .bind(signed(tokens))
        .bind(slice.updated_at.as_millis())
        .bind(selects)
        .id(slice.selected_message_id.as_bytes())
        .id(slice.conversation_id.as_bytes())
        .bind(selects)
        .bind(slice.model.clone())
        .id(slice.conversation_id.as_bytes())
        .step(
            "INSERT INTO counts (principal_id, conversations, answers) VALUES (?, ?, ?) \
             ON CONFLICT (principal_id) DO UPDATE SET answers = answers + excluded.answers, \
             conversations = conversations + excluded.conversations",
        )
        .id(principal.as_bytes())
        .bind(i64::from(is_new && !slice.archived))
        .bind(i64::try_from(answers.count()).unwrap_or(i64::MAX));
    }
}
