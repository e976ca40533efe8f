//! The person's own prompts, as the server keeps them: asked for when they are first wanted, and
//! from then on as they change on any tab or device.

use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_chat_view::prompts;
use unbroken_protocol::{Prompt, PromptEvent, PromptId};

use crate::calls::ask;
use crate::state::{App, sentence};

#[derive(Clone, Copy)]
pub(crate) struct Prompts {
    pub(crate) all: RwSignal<Vec<Prompt>>,
    /// Why the last change was not taken.
    pub(crate) problem: RwSignal<Option<String>>,
    wanted: RwSignal<bool>,
}

impl Prompts {
    pub(crate) fn new() -> Self {
        let wanted = RwSignal::new(false);
        Self { all: RwSignal::default(), problem: RwSignal::default(), wanted }
    }

    pub(crate) fn changed(self, event: PromptEvent) {
        self.all.update(|all| prompts::apply(all, event));
    }
}

impl App {
    /// Asks for the prompts, unless they are known.
    pub(crate) fn want_prompts(self) {
        if !self.prompts.wanted.get_untracked() {
            self.prompts.wanted.set(true);
            self.load_prompts();
        }
    }

    /// Asks for them again, after a time without notices.
    pub(crate) fn load_prompts(self) {
        let Some(rest) = self.rest().filter(|_| self.prompts.wanted.get_untracked()) else {
            return;
        };
        spawn_local(async move {
            match ask(async || rest.prompts().await).await {
                Ok(list) => self.prompts.all.set(list.prompts),
                Err(_) => self.prompts.wanted.set(false),
            }
        });
    }

    /// Keeps a prompt; calls `kept` when the server has it.
    pub(crate) fn put_prompt(
        self,
        id: PromptId,
        name: String,
        text: String,
        kept: impl FnOnce() + 'static,
    ) {
        let Some(rest) = self.rest() else { return };
        spawn_local(async move {
            match ask(async || rest.put_prompt(id, &name, &text).await).await {
                Ok(prompt) => {
                    self.prompts.problem.set(None);
                    self.prompts.changed(PromptEvent { prompt_id: id, prompt: Some(prompt) });
                    kept();
                }
                Err(error) => self.prompts.problem.set(Some(sentence(&error))),
            }
        });
    }

    pub(crate) fn delete_prompt(self, id: PromptId) {
        let Some(rest) = self.rest() else { return };
        spawn_local(async move {
            match rest.delete_prompt(id).await {
                Ok(left) => {
                    self.prompts.problem.set(None);
                    self.prompts.all.set(left.prompts);
                }
                Err(error) => self.prompts.problem.set(Some(sentence(&error))),
            }
        });
    }
}
