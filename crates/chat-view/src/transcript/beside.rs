//! Two answers to one message, side by side: one is on the branch that is shown, the other is held
//! beside it until the person has chosen.

use unbroken_protocol::{ConversationPage, MessageId};

use super::{Changes, Message, Transcript};

/// The answer that is held beside its sibling.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// Which one, also before it is known.
    pub(super) wanted: Option<MessageId>,
    pub(super) message: Option<Message>,
}

impl Transcript {
    /// Holds that answer beside its sibling from now on, or none. One that leaves the branch is
    /// kept, and what streams into it.
    pub fn hold_beside(&mut self, answer: Option<MessageId>) {
        if self.beside.wanted != answer {
            self.beside.wanted = answer;
            self.beside.message = None;
        }
    }

    /// History says this of the answer that is held.
    pub fn read_beside(&mut self, page: ConversationPage) -> Changes {
        let mut changes = Changes::new();
        let wanted = self.beside.wanted;
        let view = page.messages.into_iter().find(|view| Some(view.message_id) == wanted);
        if self.beside.message.is_none()
            && let Some(view) = view
        {
            self.beside.message = self.read(view, &mut changes);
        }
        changes
    }

    /// The answer that is held and is not on the branch that is shown.
    pub fn beside(&self) -> Option<&Message> {
        let held = self.beside.message.as_ref()?;
        self.messages.iter().all(|message| message.id != held.id).then_some(held)
    }

    /// The message in whose row the other one stands.
    pub fn stands_beside(&self, message: &Message) -> Option<&Message> {
        let held = self.beside()?;
        let is_sibling = message.id.is_some() && message.parent_id == held.parent_id;
        (message.answer().is_some() && is_sibling).then_some(held)
    }

    /// Whether the answer that should be held has to be asked for.
    pub fn lacks_beside(&self) -> Option<MessageId> {
        self.beside.wanted.filter(|_| self.beside.message.is_none())
    }

    /// Every message that is shown: the branch, and what is held beside it.
    pub fn shown(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter().chain(self.beside())
    }

    /// Keeps a message that leaves the branch, if it is the one to be held.
    pub(super) fn keep_beside(&mut self, message: Message) {
        if message.id.is_some() && message.id == self.beside.wanted {
            self.beside.message = Some(message);
        }
    }

    /// The message that comes onto the branch was held until now.
    pub(super) fn take_beside(&mut self, id: MessageId) -> Option<Message> {
        self.beside.message.take_if(|message| message.id == Some(id))
    }
}
