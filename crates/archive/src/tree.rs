//! From what another chat calls messages to a tree of messages and answers.

use std::collections::{BTreeMap, HashMap, HashSet};

use unbroken_protocol::{
    ArchivedAnswer, ArchivedConversation, ArchivedMessage, Citation, FinishReason, GenerationState,
    MessageId, Options, PrincipalId, Role, Timestamp, limits,
};

use crate::ids::Ids;
use crate::notes::Notes;

/// Messages of one conversation that are read.
pub(crate) const MESSAGES: usize = 100_000;
/// The longest text of one message, in bytes.
pub(crate) const TEXT_BYTES: usize = 8 << 20;
/// The longest reason of a failure, in characters.
const ERROR_CHARS: usize = 2000;

/// A conversation of another chat, as far as it was understood.
pub(crate) struct Foreign {
    pub(crate) source: &'static str,
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) updated_at: Option<Timestamp>,
    /// The node that was shown last.
    pub(crate) current: Option<String>,
    pub(crate) model: String,
    pub(crate) pinned: bool,
    pub(crate) archived: bool,
    pub(crate) nodes: Vec<Node>,
}

/// One entry of its tree.
#[derive(Default)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) parent: Option<String>,
    pub(crate) who: Who,
    /// What it says; a [`mark`] stands where it refers to a citation.
    pub(crate) text: String,
    pub(crate) reasoning: String,
    /// Of an answer, numbered from 1.
    pub(crate) citations: Vec<Citation>,
    pub(crate) model: Option<String>,
    pub(crate) at: Option<Timestamp>,
    /// Why an answer failed; empty when nothing says so.
    pub(crate) error: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Who {
    User,
    Model,
    /// It holds its children together, and is not shown.
    #[default]
    Nobody,
}

impl Foreign {
    /// The tree, or nothing when nobody said anything. What a model wrote in several entries, one
    /// after the other and with tools between them, is one answer.
    pub(crate) fn build(
        self,
        principal: PrincipalId,
        notes: &mut Notes,
    ) -> Option<ArchivedConversation> {
        let ids = Ids { principal, source: self.source, conversation: &self.id };
        let order = self.order();
        let by_id: HashMap<&str, usize> =
            self.nodes.iter().enumerate().map(|(at, node)| (node.id.as_str(), at)).collect();
        let children = self.child_counts();
        let since = self.created_at.unwrap_or(Timestamp::from_millis(0));
        let mut messages: Vec<ArchivedMessage> = Vec::new();
        // For every entry: the message in which it is, or in which the nearest one above it is.
        let mut kept: HashMap<usize, usize> = HashMap::new();
        for at in order {
            let node = &self.nodes[at];
            let parent = node.parent.as_deref().and_then(|id| by_id.get(id)).copied();
            let above = parent.and_then(|parent| kept.get(&parent)).copied();
            let says = !node.text.trim().is_empty()
                || !node.reasoning.trim().is_empty()
                || node.error.is_some();
            if node.who == Who::Nobody || !says || messages.len() >= MESSAGES {
                kept.extend(above.map(|above| (at, above)));
                continue;
            }
            let goes_on = above.filter(|above| {
                node.who == Who::Model
                    && messages[*above].role == Role::Assistant
                    && parent.is_some_and(|parent| children.get(&parent) == Some(&1))
            });
            let into = goes_on.unwrap_or(messages.len());
            if goes_on.is_none() {
                let before = above.map_or(since, |above| messages[above].created_at);
                let created_at = node.at.unwrap_or(before);
                let model = node.model.clone().unwrap_or_else(|| self.model.clone());
                messages.push(ArchivedMessage {
                    message_id: ids.message(&node.id),
                    parent_id: above.map(|above| messages[above].message_id),
                    role: if node.who == Who::User { Role::User } else { Role::Assistant },
                    content: String::new(),
                    created_at,
                    sources: Vec::new(),
                    answer: (node.who == Who::Model).then(|| ArchivedAnswer {
                        generation_id: ids.generation(&node.id),
                        ..answer(&model, created_at)
                    }),
                });
            }
            join(&mut messages[into], node, &self.title, notes);
            kept.insert(at, into);
        }
        let current = self.current.as_deref().and_then(|id| by_id.get(id));
        let current = current.and_then(|at| kept.get(at)).copied();
        let last = current.or(messages.len().checked_sub(1))?;
        let conversation = ArchivedConversation {
            conversation_id: ids.conversation(),
            title: title(&self.title, &messages),
            model: self.model,
            created_at: self.created_at.unwrap_or(messages[0].created_at),
            updated_at: self.updated_at.unwrap_or(messages[messages.len() - 1].created_at),
            pinned: self.pinned,
            archived: self.archived,
            folder: None,
            selected_message_id: messages[last].message_id,
            messages,
        };
        finish(conversation)
    }

    /// The entries that can be reached from the first ones, parents before children, siblings by
    /// their time.
    fn order(&self) -> Vec<usize> {
        let known: HashSet<&str> = self.nodes.iter().map(|node| node.id.as_str()).collect();
        let mut below: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
        for (at, node) in self.nodes.iter().enumerate() {
            let parent = node.parent.as_deref().filter(|parent| known.contains(parent));
            below.entry(parent).or_default().push(at);
        }
        for siblings in below.values_mut() {
            siblings.sort_by_key(|at| (self.nodes[*at].at, *at));
            siblings.reverse();
        }
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut waiting = below.remove(&None).unwrap_or_default();
        while let Some(at) = waiting.pop() {
            order.push(at);
            // Taken out: what has an id twice is not walked twice.
            waiting.extend(below.remove(&Some(self.nodes[at].id.as_str())).unwrap_or_default());
        }
        order
    }

    fn child_counts(&self) -> HashMap<usize, usize> {
        let by_id: HashMap<&str, usize> =
            self.nodes.iter().enumerate().map(|(at, node)| (node.id.as_str(), at)).collect();
        let mut counts = HashMap::new();
        for node in &self.nodes {
            if let Some(parent) = node.parent.as_deref().and_then(|id| by_id.get(id)) {
                *counts.entry(*parent).or_default() += 1;
            }
        }
        counts
    }
}

/// An answer of which only the model is known.
pub(crate) fn answer(model: &str, created_at: Timestamp) -> ArchivedAnswer {
    ArchivedAnswer {
        generation_id: unbroken_protocol::GenerationId::from_bytes([0; 16]),
        state: GenerationState::Completed,
        model: model.chars().take(200).collect(),
        model_name: model.chars().take(200).collect(),
        created_at,
        finish_reason: Some(FinishReason::Stop),
        input_tokens: 0,
        output_tokens: 0,
        citations: Vec::new(),
        reasoning: String::new(),
        reasoning_ms: None,
        tool_events: Vec::new(),
        seams: Vec::new(),
        code: None,
        error: None,
        options: Options::default(),
        routing: None,
    }
}

/// Adds what an entry says to a message that is empty, or says the beginning.
fn join(message: &mut ArchivedMessage, node: &Node, title: &str, notes: &mut Notes) {
    let add = |whole: &mut String, part: &str| {
        if !part.trim().is_empty() && whole.len() < TEXT_BYTES {
            if !whole.is_empty() {
                whole.push_str("\n\n");
            }
            whole.push_str(part);
        }
    };
    let mut text = cut(&node.text, title, notes).to_owned();
    if let Some(answer) = &mut message.answer {
        add(&mut answer.reasoning, cut(&node.reasoning, title, notes));
        for citation in &node.citations {
            let index = u32::try_from(answer.citations.len() + 1).unwrap_or(u32::MAX);
            text = text.replace(&mark(citation.index), &format!("[{index}]"));
            answer.citations.push(Citation { index, ..citation.clone() });
        }
        if let Some(error) = &node.error {
            let error: String = error.trim().chars().take(ERROR_CHARS).collect();
            answer.state = GenerationState::Failed;
            answer.finish_reason = None;
            answer.error = Some(error).filter(|error| !error.is_empty());
        }
    }
    add(&mut message.content, &text);
}

/// Stands in a text for the number of a citation, which shows when the parts of an answer are put
/// together.
pub(crate) fn mark(index: u32) -> String {
    format!("\u{e200}{index}\u{e201}")
}

fn cut<'a>(text: &'a str, title: &str, notes: &mut Notes) -> &'a str {
    if text.len() <= TEXT_BYTES {
        return text;
    }
    notes.add("shortened", title);
    &text[..text.floor_char_boundary(TEXT_BYTES)]
}

/// The title, or the beginning of what was said first.
fn title(given: &str, messages: &[ArchivedMessage]) -> String {
    let first = messages.iter().find(|message| message.role == Role::User);
    let said = first.and_then(|message| message.content.trim().lines().next());
    let wanted = [given.trim(), said.unwrap_or_default()];
    let title = wanted.into_iter().find(|title| !title.is_empty()).unwrap_or_default();
    title.chars().filter(|char| !char.is_control()).take(limits::TITLE_CHARS).collect()
}

/// Makes of what is selected the newest leaf below it, and keeps times and counts within what can
/// be stored. `None` when the messages are no tree.
pub(crate) fn finish(mut conversation: ArchivedConversation) -> Option<ArchivedConversation> {
    let mut newest: HashMap<MessageId, MessageId> = HashMap::new();
    let (mut seen, mut answers) = (HashSet::new(), HashSet::new());
    for message in &mut conversation.messages {
        if message.parent_id.is_some_and(|parent| !seen.contains(&parent))
            || !seen.insert(message.message_id)
        {
            return None;
        }
        newest.extend(message.parent_id.map(|parent| (parent, message.message_id)));
        message.created_at = within(message.created_at);
        if message.role != Role::Assistant {
            message.answer = None;
        }
        let Some(answer) = &mut message.answer else { continue };
        if !answers.insert(answer.generation_id) {
            return None;
        }
        answer.created_at = within(answer.created_at);
        answer.input_tokens = answer.input_tokens.min(TOKENS);
        answer.output_tokens = answer.output_tokens.min(TOKENS);
        let chars = message.content.chars().count() as u64;
        let mut before = 0;
        answer.seams.retain(|seam| {
            let fits = *seam > before && *seam <= chars;
            before = if fits { *seam } else { before };
            fits
        });
        answer.seams.truncate(SEAMS);
    }
    let folder = conversation.folder.take().unwrap_or_default();
    let folder: String = folder.split_whitespace().collect::<Vec<_>>().join(" ");
    let folder: String = folder.chars().take(limits::TITLE_CHARS).collect();
    conversation.folder = Some(folder).filter(|folder| !folder.is_empty());
    conversation.created_at = within(conversation.created_at);
    conversation.updated_at = within(conversation.updated_at);
    let mut leaf = conversation.selected_message_id;
    if !seen.contains(&leaf) {
        leaf = conversation.messages.last()?.message_id;
    }
    while let Some(below) = newest.get(&leaf) {
        leaf = *below;
    }
    conversation.selected_message_id = leaf;
    (conversation.messages.len() <= MESSAGES).then_some(conversation)
}

/// Tokens that one answer may claim.
const TOKENS: u64 = 1 << 40;
/// Runs that one answer may claim.
const SEAMS: usize = 64;

/// 1970 to 9999: what a time on the wire can be.
fn within(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis().clamp(0, 253_402_300_799_999))
}
