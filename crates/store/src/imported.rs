//! A conversation that comes from a file, as the store takes it: with the log that each of its
//! answers would have.

use std::collections::HashSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use unbroken_protocol::{
    ArchivedAnswer, ArchivedConversation, ArchivedMessage, CollectionId, CompleteStatus,
    ConversationId, Epoch, ErrorCode, FileId, FinishReason, GenerationState, ImportId, ImportState,
    MessageId, PrincipalId, Seq, Source, Timestamp, limits,
};

use crate::codec::encode_pack;
use crate::{Body, Record};

/// Messages that go into the store at once.
const SLICE: usize = 48;

/// Some messages of a conversation from a file, parents before children.
#[derive(Clone, Debug)]
pub struct Imported {
    pub conversation_id: ConversationId,
    pub title: String,
    pub model: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub pinned: bool,
    pub archived: bool,
    pub folder: Option<String>,
    pub messages: Vec<ImportedMessage>,
    /// The leaf that is shown when all of the conversation is in.
    pub selected_message_id: MessageId,
    /// All messages of the file's conversation: a branch beyond them was chosen by the person here.
    pub known: Arc<HashSet<MessageId>>,
    /// The last of its conversation: it decides whether the conversation counts as unchanged.
    pub is_last: bool,
}

/// A message, and the log of its answer.
#[derive(Clone, Debug)]
pub struct ImportedMessage {
    pub message: ArchivedMessage,
    pub log: Option<ImportedLog>,
}

/// The log that an answer would have, had it been written here.
#[derive(Clone, Debug)]
pub struct ImportedLog {
    pub epoch: Epoch,
    pub head_seq: Seq,
    pub records: Vec<Record>,
    /// The same as a pack; made before the writer is kept waiting.
    pub pack: Vec<u8>,
}

impl Imported {
    /// A conversation in slices that are small enough for one transaction each.
    ///
    /// The ids in it are unique, and a parent comes before its children.
    pub fn slices(conversation: ArchivedConversation) -> Vec<Self> {
        let known: HashSet<_> = conversation.messages.iter().map(|m| m.message_id).collect();
        let known = Arc::new(known);
        let mut messages = conversation.messages.into_iter().map(ImportedMessage::new).peekable();
        let mut slices = Vec::new();
        while messages.peek().is_some() {
            let slice: Vec<_> = messages.by_ref().take(SLICE).collect();
            let is_last = messages.peek().is_none();
            slices.push(Self {
                conversation_id: conversation.conversation_id,
                title: conversation.title.clone(),
                model: conversation.model.clone(),
                created_at: conversation.created_at,
                updated_at: conversation.updated_at,
                pinned: conversation.pinned,
                archived: conversation.archived,
                folder: conversation.folder.clone(),
                selected_message_id: conversation.selected_message_id,
                messages: slice,
                known: Arc::clone(&known),
                is_last,
            });
        }
        slices
    }
}

impl ImportedMessage {
    fn new(mut message: ArchivedMessage) -> Self {
        message.sources.retain(is_source);
        message.sources.truncate(limits::SOURCES);
        let content = &message.content;
        let log = message.answer.as_mut().map(|answer| {
            settle(answer, !content.is_empty());
            ImportedLog::new(answer, content)
        });
        Self { message, log }
    }
}

/// Whether a message sent here could name it. Whose it is shows when it is looked up.
fn is_source(source: &Source) -> bool {
    match source {
        Source::Web => true,
        Source::File { file_id } => file_id.parse::<FileId>().is_ok(),
        Source::Collection { collection_id } => collection_id.parse::<CollectionId>().is_ok(),
        Source::Url { url } => {
            let is_web = url.starts_with("https://") || url.starts_with("http://");
            is_web && url.len() <= limits::URL_BYTES
        }
    }
}

/// An answer in a file is not being written any more.
fn settle(answer: &mut ArchivedAnswer, has_text: bool) {
    use GenerationState::{Failed, Interrupted, Queued, Running, Stopped};
    match answer.state {
        Queued | Running | Interrupted if !has_text => {
            answer.state = Stopped;
            answer.finish_reason = Some(FinishReason::User);
            (answer.code, answer.error) = (None, None);
        }
        Queued | Running | Interrupted => {
            answer.state = Interrupted;
            answer.finish_reason = None;
            answer.code.get_or_insert(ErrorCode::OwnerLost);
            answer.error.get_or_insert_with(|| "The answer broke off.".into());
        }
        Failed => {
            answer.finish_reason = None;
            answer.code.get_or_insert(ErrorCode::Internal);
            answer.error.get_or_insert_with(|| "The answer failed.".into());
        }
        GenerationState::Completed | Stopped => {
            let by_default =
                if answer.state == Stopped { FinishReason::User } else { FinishReason::Stop };
            answer.finish_reason.get_or_insert(by_default);
            (answer.code, answer.error) = (None, None);
        }
    }
}

impl ImportedLog {
    fn new(answer: &ArchivedAnswer, content: &str) -> Self {
        let mut log = Writing { at: answer.created_at, epoch: 1, records: Vec::new() };
        if !answer.reasoning.is_empty() {
            log.push(Body::Reasoning(answer.reasoning.clone()));
        }
        for step in &answer.tool_events {
            log.push(Body::Tool(Box::new(step.clone())));
        }
        for citation in &answer.citations {
            log.push(Body::Source(Box::new(citation.clone())));
        }
        let (mut rest, mut chars, mut chunks) = (content, 0, 0_u64);
        for seam in &answer.seams {
            let until =
                rest.char_indices().nth(usize::try_from(seam - chars).unwrap_or(usize::MAX));
            let (before, after) = rest.split_at(until.map_or(rest.len(), |(at, _)| at));
            chunks += log.text(before);
            (rest, chars) = (after, *seam);
            log.push(state(GenerationState::Interrupted, Some(ErrorCode::OwnerLost)));
            log.epoch += 1;
            log.push(state(GenerationState::Running, None));
        }
        chunks += log.text(rest);
        log.push(match answer.state {
            GenerationState::Failed => Body::Failed {
                code: answer.code.unwrap_or(ErrorCode::Internal),
                message: answer.error.clone().unwrap_or_default(),
                retry_after_ms: None,
            },
            GenerationState::Completed | GenerationState::Stopped => Body::Complete {
                status: match answer.state {
                    GenerationState::Stopped => CompleteStatus::Stopped,
                    _ => CompleteStatus::Completed,
                },
                finish_reason: answer.finish_reason.unwrap_or(FinishReason::Stop),
                total_chunks: chunks,
                input_tokens: answer.input_tokens,
                output_tokens: answer.output_tokens,
                content_chars: content.chars().count() as u64,
                content_sha256: hex(&Sha256::digest(content.as_bytes())),
                invented_marks: 0,
            },
            _ => Body::State {
                state: GenerationState::Interrupted,
                code: answer.code,
                message: answer.error.clone(),
                can_continue: true,
                means: None,
            },
        });
        let pack = encode_pack(&log.records);
        Self { epoch: log.epoch, head_seq: log.records.len() as Seq, pack, records: log.records }
    }
}

struct Writing {
    at: Timestamp,
    epoch: Epoch,
    records: Vec<Record>,
}

impl Writing {
    fn push(&mut self, body: Body) {
        let seq = self.records.len() as Seq + 1;
        self.records.push(Record { epoch: self.epoch, seq, at: self.at, body });
    }

    /// How many records it made of the text.
    fn text(&mut self, text: &str) -> u64 {
        if !text.is_empty() {
            self.push(Body::Content(text.to_owned()));
        }
        u64::from(!text.is_empty())
    }
}

fn state(state: GenerationState, code: Option<ErrorCode>) -> Body {
    Body::State { state, code, message: None, can_continue: false, means: None }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Which conversations of a person are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that the person sees, in the list or in the archive.
    Kept,
    /// Also what is temporary, and what was deleted and is not erased yet.
    All,
}

/// An import as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub import_id: ImportId,
    pub principal_id: PrincipalId,
    pub state: ImportState,
    pub created_at: Timestamp,
    pub done: u64,
    pub total: u64,
    pub conversations: u64,
    pub messages: u64,
    pub unchanged: u64,
    /// JSON.
    pub notes: String,
    /// The code of an `ImportFault`; a sentence where there is none for it.
    pub error: Option<String>,
}

/// Conversations of a file that go in with one transaction, together with how far the import is.
#[derive(Clone, Debug)]
pub struct ImportStep {
    pub import_id: ImportId,
    pub principal_id: PrincipalId,
    pub slices: Vec<Imported>,
    /// Conversations of the file that are in after this step.
    pub done: u64,
    /// What was left out so far, as JSON.
    pub notes: String,
}

/// A share without what it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    pub share_id: String,
    pub principal_id: PrincipalId,
    pub conversation_id: ConversationId,
    pub title: String,
    pub created_at: Timestamp,
    pub keep: bool,
}

#[cfg(test)]
mod tests {
    use unbroken_protocol::Role;

    use super::*;

    #[test]
    fn sources_that_no_message_could_name_are_left_out() {
        let url = |url: &str| Source::Url { url: url.into() };
        let file = |id: &str| Source::File { file_id: id.into() };
        let collection = |id: &str| Source::Collection { collection_id: id.into() };
        let kept = [
            Source::Web,
            url("https://example.com/"),
            file(&FileId::new().to_string()),
            collection(&CollectionId::new().to_string()),
        ];
        let mut sources = vec![
            url("ftp://example.com/"),
            url(&format!("https://example.com/{}", "a".repeat(limits::URL_BYTES))),
            file("../../etc/passwd"),
            collection(&"1".repeat(1 << 20)),
        ];
        // What is left out takes nobody's place among the first.
        sources = sources.into_iter().cycle().take(100).collect();
        sources.extend(kept.clone());
        let message = ArchivedMessage {
            message_id: MessageId::new(),
            parent_id: None,
            role: Role::User,
            content: "hi".into(),
            created_at: Timestamp::from_millis(1),
            sources,
            answer: None,
        };
        assert_eq!(ImportedMessage::new(message).message.sources, kept);
    }
}
