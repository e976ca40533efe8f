//! A person's own prompts.

use unbroken_protocol::{PrincipalId, Prompt, PromptId};

use super::{Memory, Transaction};

impl Memory {
    pub(crate) fn prompts(&self, principal: PrincipalId) -> Vec<Prompt> {
        let state = self.state();
        let own = state.prompts.iter().filter(|((owner, _), _)| *owner == principal);
        own.map(|(_, prompt)| prompt.clone()).collect()
    }
}

impl Transaction<'_> {
    pub(crate) fn put_prompt(
        &mut self,
        principal: PrincipalId,
        prompt: &Prompt,
        most: u32,
    ) -> bool {
        let id = prompt.prompt_id;
        let prompts = &mut self.state().prompts;
        let others = prompts.keys().filter(|(owner, of)| *owner == principal && *of != id).count();
        let has_room = others < most as usize;
        if has_room {
            prompts.insert((principal, id), prompt.clone());
        }
        has_room
    }

    pub(crate) fn delete_prompt(&mut self, principal: PrincipalId, id: PromptId) -> bool {
        self.state().prompts.remove(&(principal, id)).is_some()
    }
}
