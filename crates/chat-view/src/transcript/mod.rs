//! The conversation on the screen: its messages, and how each update changes them.
//!
//! Every change names the message and what about it is new, so that a view updates that and no more.
//! Following, sending and storing are left to others.

mod answer;
mod beside;
mod calls;

#[cfg(test)]
mod tests;

use unbroken_client::Update;
use unbroken_protocol::{
    ConversationId, ConversationPage, ErrorCode, GenerationId, MessageId, MessageSource,
    MessageView, QueueEvent, QueueItem, Role, StartResponse,
};

pub use answer::{Answer, AnswerState};
pub use calls::{Call, CallState};

/// One conversation, oldest message first.
#[derive(Debug, Default)]
pub struct Transcript {
    pub conversation_id: Option<ConversationId>,
    pub title: String,
    messages: Vec<Message>,
    /// Messages of the branch that lie before the first one here.
    before: u64,
    queue: Vec<QueueItem>,
    beside: beside::Beside,
    next_key: u64,
}

#[derive(Debug)]
pub struct Message {
    /// Names the message on this page, also before the server has given it an id.
    pub key: u64,
    pub id: Option<MessageId>,
    /// What it answers or follows; `None` of a first message, and before it is known.
    pub parent_id: Option<MessageId>,
    /// The messages in whose place it stands, itself among them, in their order.
    pub sibling_ids: Vec<MessageId>,
    /// What goes along with a person's message.
    pub sources: Vec<MessageSource>,
    pub kind: Kind,
}

#[derive(Debug)]
pub enum Kind {
    You(String),
    Answer(Box<Answer>),
}

impl Message {
    pub fn answer(&self) -> Option<&Answer> {
        match &self.kind {
            Kind::Answer(answer) => Some(answer),
            Kind::You(_) => None,
        }
    }

    /// Where it stands among its siblings, counted from 1, and how many they are; `None` when it is
    /// the only one.
    pub fn branch(&self) -> Option<(usize, usize)> {
        let at = self.sibling_ids.iter().position(|id| Some(*id) == self.id)?;
        (self.sibling_ids.len() > 1).then_some((at + 1, self.sibling_ids.len()))
    }

    /// The sibling `step` places further on, if there is one.
    pub fn sibling(&self, step: isize) -> Option<MessageId> {
        let (at, _) = self.branch()?;
        self.sibling_ids.get((at - 1).checked_add_signed(step)?).copied()
    }

    /// History knows the place of the message in the tree, and what became of its sources.
    fn placed(&mut self, view: &mut MessageView) -> bool {
        self.id = Some(view.message_id);
        self.parent_id = view.parent_id;
        let siblings = std::mem::take(&mut view.sibling_ids);
        let sources = std::mem::take(&mut view.sources);
        let same = self.sibling_ids == siblings && self.sources == sources;
        self.sibling_ids = siblings;
        self.sources = sources;
        !same
    }

    /// Whether it is newer than the page that ends with `leaf`. One that has another parent is of
    /// another branch, even while it is being written.
    fn goes_on_after(&self, leaf: Option<MessageId>) -> bool {
        match self.parent_id {
            Some(parent) => leaf == Some(parent),
            None => self.answer().is_some_and(|answer| !answer.is_sealed()),
        }
    }

    /// What Copy puts into the clipboard: the text as it was written, Markdown included.
    pub fn plain_text(&self) -> &str {
        match &self.kind {
            Kind::You(text) => text,
            Kind::Answer(answer) => answer.text(),
        }
    }
}

/// What became of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub key: u64,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The message is new.
    Added,
    /// The message is gone: another branch is shown.
    Removed,
    /// Text was appended.
    Text,
    /// The text is another one.
    Replaced,
    Reasoning,
    State,
    /// Citations came or changed.
    Sources,
    Tools,
    Model,
}

pub type Changes = Vec<Change>;

/// What becomes of messages that follow the last of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    Kept,
    Gone,
}

impl Transcript {
    /// The chat page before history is there: the message that was just sent, and the place of its
    /// answer.
    pub fn pending(conversation_id: ConversationId, text: impl Into<String>) -> Self {
        let mut transcript = Self { conversation_id: Some(conversation_id), ..Self::default() };
        transcript.add(None, Kind::You(text.into()));
        let key = transcript.next_key;
        transcript.add(None, Kind::Answer(Box::new(Answer::place(key))));
        transcript
    }

    pub fn from_page(page: ConversationPage) -> Self {
        let mut transcript = Self::default();
        transcript.merge_page(page);
        transcript
    }

    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    pub fn get(&self, key: u64) -> Option<&Message> {
        self.shown().find(|message| message.key == key)
    }

    /// An answer, to render it.
    pub fn answer_mut(&mut self, key: u64) -> Option<&mut Answer> {
        let all = self.messages.iter_mut().chain(&mut self.beside.message);
        all.into_iter().find_map(|message| match &mut message.kind {
            Kind::Answer(answer) if message.key == key => Some(&mut **answer),
            _ => None,
        })
    }

    /// The answer that is queued, running or interrupted, if any: the newest.
    pub fn open_answer(&self) -> Option<&Answer> {
        self.messages.iter().rev().filter_map(Message::answer).find(|answer| !answer.is_sealed())
    }

    /// Whether Send is Stop.
    pub fn is_running(&self) -> bool {
        self.shown().filter_map(Message::answer).any(|answer| answer.state().is_running())
    }

    /// The person's newest message.
    pub fn last_of_yours(&self) -> Option<&Message> {
        self.messages.iter().rev().find(|message| matches!(message.kind, Kind::You(_)))
    }

    /// The id to ask for what comes before, while there is more.
    pub fn earlier(&self) -> Option<MessageId> {
        let first = self.messages.first()?.id?;
        (self.before > 0).then_some(first)
    }

    /// Turns that wait in this conversation.
    pub fn queue(&self) -> &[QueueItem] {
        &self.queue
    }

    /// The server's queue, if the event is about this conversation: a text may have been edited.
    pub fn set_queue(&mut self, event: QueueEvent) -> Changes {
        let mut changes = Changes::new();
        if Some(event.conversation_id) != self.conversation_id {
            return changes;
        }
        self.queue = event.items;
        for item in &self.queue {
            let same = |message: &&mut Message| message.id == Some(item.message_id);
            let Some(message) = self.messages.iter_mut().find(same) else { continue };
            if let Kind::You(text) = &mut message.kind
                && *text != item.message
            {
                text.clone_from(&item.message);
                changes.push(Change { key: message.key, what: What::Replaced });
            }
        }
        changes
    }

    /// Whether the queue holds a turn that is not shown, or lacks one that is shown as waiting.
    pub fn queue_differs(&self) -> bool {
        let known = |id| {
            move |message: &Message| {
                message.answer().is_some_and(|answer| answer.generation_id == Some(id))
            }
        };
        let new = self.queue.iter().any(|item| !self.messages.iter().any(known(item.queue_id)));
        let mut waiting = self.messages.iter().filter_map(Message::answer).filter(|answer| {
            answer.state() == AnswerState::Queued
                || matches!(answer.state(), AnswerState::Failed { code: ErrorCode::NotFound, .. })
        });
        new || waiting.any(|answer| {
            answer
                .generation_id
                .is_some_and(|id| !self.queue.iter().any(|item| item.queue_id == id))
        })
    }

    /// The person's message that this answer answers.
    pub fn question_of(&self, key: u64) -> Option<&Message> {
        let beside = self.beside().filter(|held| held.key == key);
        let stands = |message: &Message| match beside {
            Some(held) => message.id == held.parent_id,
            None => message.key == key,
        };
        let at = self.messages.iter().position(stands)? + usize::from(beside.is_some());
        let before = self.messages.get(..at)?;
        before.iter().rev().find(|message| matches!(message.kind, Kind::You(_)))
    }

    /// The person's message is shown at once; [`started`](Self::started) brings its ids.
    pub fn begin_turn(&mut self, text: impl Into<String>) -> Changes {
        let you = self.add(None, Kind::You(text.into()));
        let place = Answer::place(self.next_key);
        vec![you, self.add(None, Kind::Answer(Box::new(place)))]
    }

    /// What goes along with the person's message that waits without ids.
    pub fn attach(&mut self, sources: Vec<MessageSource>) {
        let waits =
            |message: &&mut Message| message.id.is_none() && matches!(message.kind, Kind::You(_));
        if let Some(message) = self.messages.iter_mut().rev().find(waits) {
            message.sources = sources;
        }
    }

    /// The server took the turn that waits without ids.
    pub fn started(&mut self, response: &StartResponse) -> Changes {
        self.conversation_id = Some(response.conversation_id);
        let mut changes = Changes::new();
        let before = self.messages.iter().rev().find_map(|message| message.id);
        for message in self.messages.iter_mut().filter(|message| message.id.is_none()) {
            match &mut message.kind {
                Kind::You(_) => {
                    message.id = Some(response.user_message_id);
                    message.parent_id = before;
                }
                Kind::Answer(answer) => {
                    message.id = Some(response.message_id);
                    message.parent_id = Some(response.user_message_id);
                    let news = answer.started(response);
                    changes.extend(news.into_iter().map(|what| Change { key: message.key, what }));
                }
            }
        }
        changes
    }

    /// The server refused the turn that waits without ids: its text, for the composer.
    pub fn refused(&mut self) -> (Option<String>, Changes) {
        let mut text = None;
        let mut changes = Changes::new();
        self.messages.retain_mut(|message| {
            if message.id.is_some() {
                return true;
            }
            if let Kind::You(written) = &mut message.kind {
                text = Some(std::mem::take(written));
            }
            changes.push(Change { key: message.key, what: What::Removed });
            false
        });
        (text, changes)
    }

    /// Progress of a generation. One of another conversation changes nothing.
    pub fn apply(&mut self, generation_id: GenerationId, update: Update) -> Changes {
        let mut changes = Changes::new();
        if let Some(message) = &mut self.beside.message
            && let Kind::Answer(answer) = &mut message.kind
            && answer.generation_id == Some(generation_id)
        {
            let news = answer.apply(update);
            return news.into_iter().map(|what| Change { key: message.key, what }).collect();
        }
        let Some(at) = self.place_of(generation_id, &update, &mut changes) else { return changes };
        let Some(message) = self.messages.get_mut(at) else { return changes };
        if let Update::Following { message_id, .. } = &update {
            message.id.get_or_insert(*message_id);
        }
        if let Kind::Answer(answer) = &mut message.kind {
            answer.generation_id = Some(generation_id);
            let news = answer.apply(update);
            changes.extend(news.into_iter().map(|what| Change { key: message.key, what }));
        }
        changes
    }

    /// History, loaded or loaded again: what was streamed since is kept, and so are messages that
    /// follow the page's last.
    pub fn merge_page(&mut self, page: ConversationPage) -> Changes {
        self.merge(page, Rest::Kept)
    }

    /// History after another branch was chosen: what it does not hold is gone, but for a message
    /// that is on its way.
    pub fn switch_page(&mut self, page: ConversationPage) -> Changes {
        self.merge(page, Rest::Gone)
    }

    fn merge(&mut self, page: ConversationPage, rest: Rest) -> Changes {
        let kept = page.messages.first().map_or(0, |view| self.up_to(view.parent_id));
        if kept == 0 {
            self.before = page.total.saturating_sub(page.messages.len() as u64);
        }
        let mut leaf = page.messages.last().map(|view| view.message_id);
        self.conversation_id = Some(page.conversation_id);
        self.title = page.title;
        let mut changes = Changes::new();
        let mut old: Vec<_> = std::mem::take(&mut self.messages).into_iter().map(Some).collect();
        let mut merged = Vec::new();
        for mut view in page.messages {
            let known = old.iter().position(|known| is_of(known.as_ref(), &view));
            let mut message = if let Some(at) = known {
                let Some(message) = old[at].take() else { continue };
                message
            } else {
                let Some(message) = self.take_beside(view.message_id) else {
                    merged.extend(self.read(view, &mut changes));
                    continue;
                };
                changes.push(Change { key: message.key, what: What::Added });
                message
            };
            if message.placed(&mut view) {
                changes.push(Change { key: message.key, what: What::State });
            }
            if let Kind::Answer(answer) = &mut message.kind {
                let news = answer.merge(view);
                changes.extend(news.into_iter().map(|what| Change { key: message.key, what }));
            }
            merged.push(message);
        }
        // What is neither before the page, nor in it, nor after it belongs to another branch.
        for (at, message) in old.into_iter().enumerate().filter_map(|(at, old)| Some((at, old?))) {
            if at < kept {
                self.messages.push(message);
            } else if message.id.is_none() || (rest == Rest::Kept && message.goes_on_after(leaf)) {
                leaf = message.id.or(leaf);
                merged.push(message);
            } else {
                changes.push(Change { key: message.key, what: What::Removed });
                self.keep_beside(message);
            }
        }
        self.messages.append(&mut merged);
        changes
    }

    /// How many messages there are up to that one, and with it.
    fn up_to(&self, id: Option<MessageId>) -> usize {
        let is_it = |message: &Message| id.is_some() && message.id == id;
        self.messages.iter().position(is_it).map_or(0, |at| at + 1)
    }

    /// An earlier page goes before what is there.
    pub fn add_earlier(&mut self, page: ConversationPage) -> Changes {
        let mut changes = Changes::new();
        // When nothing comes, there is nothing.
        let came = if page.messages.is_empty() { self.before } else { page.messages.len() as u64 };
        self.before = self.before.saturating_sub(came);
        let mut earlier = Vec::new();
        for view in page.messages {
            if !self.messages.iter().any(|message| message.id == Some(view.message_id)) {
                earlier.extend(self.read(view, &mut changes));
            }
        }
        earlier.append(&mut self.messages);
        self.messages = earlier;
        changes
    }

    /// Where the answer of a generation is. A generation of this conversation that is new takes the
    /// place that waits, or a new one at the end.
    fn place_of(
        &mut self,
        generation_id: GenerationId,
        update: &Update,
        changes: &mut Changes,
    ) -> Option<usize> {
        let named = |id| {
            move |message: &Message| message.answer().is_some_and(|found| found.generation_id == id)
        };
        if let Some(at) = self.messages.iter().position(named(Some(generation_id))) {
            return Some(at);
        }
        let Update::Following { conversation_id, message_id, .. } = update else { return None };
        if Some(*conversation_id) != self.conversation_id {
            return None;
        }
        let same = |message: &Message| message.id == Some(*message_id);
        if let Some(at) = self.messages.iter().position(same) {
            return Some(at);
        }
        if let Some(at) = self.messages.iter().position(named(None)) {
            return Some(at);
        }
        let place = Answer::place(self.next_key);
        changes.push(self.add(Some(*message_id), Kind::Answer(Box::new(place))));
        Some(self.messages.len() - 1)
    }

    /// A message of a page. Notes of the system are not shown.
    fn read(&mut self, mut view: MessageView, changes: &mut Changes) -> Option<Message> {
        let (key, id) = (self.next_key, Some(view.message_id));
        let (parent_id, sibling_ids) = (view.parent_id, std::mem::take(&mut view.sibling_ids));
        let sources = std::mem::take(&mut view.sources);
        let kind = match view.role {
            Role::User => Kind::You(view.content),
            Role::Assistant => Kind::Answer(Box::new(Answer::read(key, view))),
            Role::System => return None,
        };
        self.next_key += 1;
        changes.push(Change { key, what: What::Added });
        Some(Message { key, id, parent_id, sibling_ids, sources, kind })
    }

    fn add(&mut self, id: Option<MessageId>, kind: Kind) -> Change {
        let key = self.next_key;
        self.next_key += 1;
        let (sibling_ids, sources) = (Vec::new(), Vec::new());
        self.messages.push(Message { key, id, parent_id: None, sibling_ids, sources, kind });
        Change { key, what: What::Added }
    }
}

/// Whether a message is the one of the page: by its id; or, before it has one, by its generation or
/// text.
fn is_of(message: Option<&Message>, view: &MessageView) -> bool {
    let Some(message) = message else { return false };
    if message.id.is_some() {
        return message.id == Some(view.message_id);
    }
    match &message.kind {
        Kind::You(text) => view.role == Role::User && *text == view.content,
        Kind::Answer(answer) => {
            view.role == Role::Assistant
                && (answer.generation_id == view.generation_id || answer.generation_id.is_none())
                && view.state.is_some_and(|state| !state.is_sealed() || answer.text().is_empty())
        }
    }
}
