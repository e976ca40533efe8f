//! A person's own prompts, on every tab and device at once (PROTOCOL B5).

use unbroken_protocol::{Event, PrincipalId, Prompt, PromptEvent, PromptId, limits};

use crate::Engine;
use crate::command::Command;
use crate::error::Refusal;

impl Engine {
    /// All prompts of a person, the oldest first.
    pub async fn prompts(&self, principal: PrincipalId) -> Result<Vec<Prompt>, Refusal> {
        Ok(self.store().prompts(principal).await?)
    }

    /// Makes a prompt, or changes it.
    ///
    /// # Errors
    /// `bad_request` for a name or a text that is empty or too long, `conflict` when there are too
    /// many.
    pub async fn put_prompt(
        &self,
        principal: PrincipalId,
        id: PromptId,
        name: &str,
        text: &str,
    ) -> Result<Prompt, Refusal> {
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.is_empty() || name.chars().count() > limits::PROMPT_NAME_CHARS {
            return Err(Refusal::BadRequest(format!(
                "A prompt's name has 1 to {} characters.",
                limits::PROMPT_NAME_CHARS
            )));
        }
        if text.trim().is_empty() || text.len() > limits::PROMPT_BYTES {
            return Err(Refusal::BadRequest(format!(
                "A prompt's text has 1 to {} bytes.",
                limits::PROMPT_BYTES
            )));
        }
        let updated_at = self.clock().now();
        let prompt = Prompt { prompt_id: id, name, text: text.to_owned(), updated_at };
        let engine = self.clone();
        self.carry_out_while_storing(async move {
            let stored = prompt.clone();
            let put = engine.command(|reply| Command::PutPrompt(principal, stored, reply)).await?;
            if !put {
                return Err(Refusal::Conflict(
                    "You have 200 prompts, and more are not kept. Delete one that you do not use.",
                ));
            }
            engine.tell_prompt(principal, id).await;
            Ok(prompt)
        })
        .await
    }

    /// Deletes a prompt.
    ///
    /// # Errors
    /// `not_found` when the person has no such prompt.
    pub async fn delete_prompt(&self, principal: PrincipalId, id: PromptId) -> Result<(), Refusal> {
        let engine = self.clone();
        self.carry_out_while_storing(async move {
            if !engine.command(|reply| Command::DeletePrompt(principal, id, reply)).await? {
                return Err(Refusal::NotFound("prompt"));
            }
            engine.tell_prompt(principal, id).await;
            Ok(())
        })
        .await
    }

    async fn tell_prompt(&self, principal: PrincipalId, id: PromptId) {
        self.tell(principal, async {
            let prompts = self.store().prompts(principal).await.ok()?;
            let prompt = prompts.into_iter().find(|prompt| prompt.prompt_id == id);
            Some(Event::Prompt(PromptEvent { prompt_id: id, prompt }))
        })
        .await;
    }
}
