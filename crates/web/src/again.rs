//! What a person does with messages that are there: another answer, going on, another branch,
//! another text.

use leptos::prelude::{Notify as _, WithUntracked as _};
use leptos::task::spawn_local;
use unbroken_chat_view::transcript::{Kind, Transcript};
use unbroken_client::RestError;
use unbroken_protocol::{ClientMessageId, GenerationId, MessageId};

use crate::calls::ask;
use crate::conversation::Waiting;
use crate::dom;
use crate::state::{self, App};
use crate::writing::Editing;

/// Which model answers again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    TheSame,
    /// The one that the person prefers now.
    Preferred,
}

impl App {
    /// Lets an answer go on; one that has ended goes on in a sibling.
    pub(crate) fn go_on(self, key: u64) {
        let id = self.open.message(key, |message| message.answer()?.generation_id).flatten();
        let (Some(rest), Some(id)) = (self.rest(), id) else { return };
        let key = ClientMessageId::new();
        self.change_tree(async move {
            let reply = ask(async || rest.go_on(id, key).await).await?;
            dom::focus_composer();
            Ok(reply.generation_id != id)
        });
    }

    /// Asks for another answer beside this one.
    pub(crate) fn regenerate(self, key: u64, by: By) {
        let model = self.open.message(key, |message| message.answer()?.model_id.clone()).flatten();
        let model = model.filter(|_| by == By::TheSame);
        self.ask_again(key, model.or_else(|| self.unsaved_model()));
    }

    fn ask_again(self, key: u64, model: Option<String>) {
        let question = self.open.with(|transcript| transcript.question_of(key)?.id);
        let (Some(rest), Some(question)) = (self.rest(), question) else { return };
        let key = ClientMessageId::new();
        self.change_tree(async move {
            ask(async || rest.regenerate(question, model.as_deref(), key).await).await?;
            dom::focus_composer();
            Ok(true)
        });
    }

    /// Asks another model the same, now, and shows both answers side by side.
    pub(crate) fn ask_beside(self, key: u64, model: String) {
        let asked = self.open.with(|transcript| {
            let (answer, question) = (transcript.get(key)?.id?, transcript.question_of(key)?.id?);
            Some((transcript.conversation_id?, answer, question))
        });
        let (Some(rest), Some((id, answer, question))) = (self.rest(), asked) else { return };
        let key = ClientMessageId::new();
        self.change_tree(async move {
            ask(async || rest.answer_beside(question, Some(&model), key).await).await?;
            // Before the branch changes: what streams is kept.
            self.open.hold_beside(self, Some(answer));
            self.go(&format!("/chat?conversation_id={id}&beside={answer}"));
            self.open.to_end.notify();
            dom::focus_composer();
            Ok(true)
        });
    }

    /// Goes on with that one of two answers; the other is stopped, and stays a version.
    pub(crate) fn use_answer(self, key: u64, other: u64) {
        let chosen = self.open.message(key, |message| message.id).flatten();
        let (Some(rest), Some(id), Some(chosen)) = (self.rest(), self.open.id(), chosen) else {
            return;
        };
        self.open.stop_one(self, other);
        self.change_tree(async move {
            rest.select_branch(id, chosen).await?;
            self.go(&format!("/chat?conversation_id={id}"));
            dom::focus_composer();
            Ok(true)
        });
    }

    /// Asks that model for another answer instead of this one.
    pub(crate) fn ask_instead(self, key: u64, model: String) {
        self.ask_again(key, Some(model));
    }

    /// Shows the branch through that message.
    pub(crate) fn select_branch(self, message: MessageId) {
        let (Some(rest), Some(id)) = (self.rest(), self.open.id()) else { return };
        self.change_tree(async move {
            rest.select_branch(id, message).await?;
            Ok(true)
        });
    }

    /// Takes a message that waits out of the queue.
    pub(crate) fn remove_queued(self, queued: GenerationId) {
        let (Some(rest), Some(id)) = (self.rest(), self.open.id()) else { return };
        self.change_tree(async move {
            rest.remove_queued(id, queued).await?;
            Ok(true)
        });
    }

    /// Puts a message of the person's into the composer; sending it makes a branch.
    pub(crate) fn edit(self, key: u64) {
        let message = self.open.message(key, |message| {
            let Kind::You(text) = &message.kind else { return None };
            let _ = message.id?;
            let parent = message.parent_id.or_else(|| self.open.with(|all| before(all, key)));
            let parent = parent.map_or_else(|| "root".to_owned(), |id| id.to_string());
            Some((text.clone(), message.sources.clone(), parent))
        });
        if let Some(Some((text, sources, parent))) = message {
            self.begin_edit(&text, sources, Editing::Branch { parent });
        }
    }

    /// Puts the person's last message into the composer.
    pub(crate) fn edit_last(self) {
        let waiting = self.open.queue.with_untracked(|queue| queue.last().cloned());
        if let Some(Waiting { text, id }) = waiting {
            // One that the server does not have yet cannot be changed.
            if let Some(id) = id {
                self.begin_edit(&text, Vec::new(), Editing::Queued { id });
            }
            return;
        }
        let key = self.open.with(|transcript| transcript.last_of_yours().map(|last| last.key));
        if let Some(key) = key {
            self.edit(key);
        }
    }

    /// Makes a call that changes which messages are shown, one at a time; `true` asks for them.
    fn change_tree(self, call: impl Future<Output = Result<bool, RestError>> + 'static) {
        if !self.open.take_turn() {
            return;
        }
        self.complain(None);
        spawn_local(async move {
            let outcome = call.await;
            self.open.end_turn();
            match outcome {
                Ok(true) => self.open.switch(self),
                Ok(false) => {}
                Err(error) => {
                    self.complain(Some(state::sentence(&error)));
                    self.open.switch(self);
                }
            }
        });
    }
}

/// What stands before a message: its parent, when history has not said so yet.
fn before(transcript: &Transcript, key: u64) -> Option<MessageId> {
    let at = transcript.messages().iter().position(|message| message.key == key)?;
    transcript.messages().get(at.checked_sub(1)?)?.id
}
