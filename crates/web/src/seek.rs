//! Going to one message of a conversation: on its branch, as far back as it is.

use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_protocol::{ConversationId, MessageId};

use crate::state::App;

impl App {
    /// Opens a conversation at a message; the branch that it is on is shown then.
    pub(crate) fn go_to(self, id: ConversationId, message: MessageId) {
        self.drawer.set(false);
        let Some(rest) = self.rest() else { return };
        spawn_local(async move {
            // A page that ends before a message is there only when the message is on the branch.
            let is_here = self.open.holds(message);
            if !is_here && rest.conversation(id, Some(1), Some(message)).await.is_err() {
                let chosen = rest.select_branch(id, message).await.is_ok();
                if chosen && self.open.id() == Some(id) {
                    self.open.switch(self);
                }
            }
            self.open.sought.set(Some((id, message)));
            self.go(&format!("/chat/{id}"));
            self.open.seek(self);
        });
    }
}
