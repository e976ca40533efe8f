//! A person: asks, stops, asks again, changes what waits, and says it again when no answer comes.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use unbroken_client::Input;
use unbroken_engine::{Ask, Engine, Refusal, Started};
use unbroken_protocol::{
    ClientMessageId, ConversationId, ConversationPatch, GenerationId, GenerationState, MessageId,
};

use crate::chance::Chance;
use crate::model::MODELS;
use crate::world::{Asked, World};

/// A turn as it was told.
#[derive(Clone)]
struct Turn {
    conversation: ConversationId,
    asked: MessageId,
    answer: MessageId,
    generation: GenerationId,
}

pub(crate) struct Person {
    world: Arc<World>,
    chance: Chance,
    turns: Vec<Turn>,
    questions: usize,
}

impl Person {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        let chance = world.chance();
        Self { world: Arc::clone(world), chance, turns: Vec::new(), questions: 0 }
    }

    /// Does what a person does in a minute or two.
    pub(crate) async fn act(mut self) {
        for _ in 0..3 + self.chance.below(6) {
            self.one().await;
            let longest = if self.chance.percent(30) { 8_000 } else { 1_200 };
            tokio::time::sleep(self.chance.millis(0, longest)).await;
        }
    }

    async fn one(&mut self) {
        if self.turns.is_empty() {
            return self.ask(None, None).await;
        }
        let index = self.chance.index(self.turns.len());
        let turn = self.turns[index].clone();
        match self.chance.below(100) {
            0..10 => self.ask(None, None).await,
            10..45 => self.ask(Some(&turn), None).await,
            45..52 => self.ask(Some(&turn), Some(turn.answer.to_string())).await,
            52..56 => self.ask(Some(&turn), Some("root".to_owned())).await,
            56..66 => self.regenerate(&turn).await,
            66..74 => self.stop(&turn).await,
            74..80 => self.tell_one(&Input::Stop(turn.generation)),
            80..90 => self.go_on(&turn).await,
            90..94 => self.change_queued(&turn).await,
            94..97 => self.take_out(&turn).await,
            _ => self.select(&turn).await,
        }
    }

    /// Tells some client.
    fn tell_one(&mut self, input: &Input) {
        let clients = self.world.clients.lock().unwrap_or_else(PoisonError::into_inner).len();
        self.world.tell(Some(self.chance.index(clients)), input);
    }

    async fn ask(&mut self, after: Option<&Turn>, parent_id: Option<String>) {
        self.questions += 1;
        let ask = Ask {
            message: format!("question {}", self.questions),
            conversation_id: after.map(|turn| turn.conversation.to_string()),
            parent_id,
            model_id: Some(MODELS[self.chance.index(MODELS.len())].to_owned()),
            client_message_id: Some(ClientMessageId::from_bytes(self.chance.bytes()).to_string()),
            ..Ask::default()
        };
        let principal = self.world.principal;
        // The same key each time: one turn, however often it is said (B8.11).
        let mut first: Option<GenerationId> = None;
        loop {
            let ask = ask.clone();
            let said = self.request(async |engine: Engine| engine.start(principal, ask).await);
            match said.await {
                Some(Ok(started)) => {
                    let id = started.turn.generation_id;
                    if first.is_some_and(|first| first != id) {
                        self.world.wrong("one key made two generations".to_owned());
                    }
                    if self.chance.percent(10) && first.is_none() {
                        // The answer got lost on its way.
                        first = Some(id);
                        continue;
                    }
                    return self.told(&started);
                }
                Some(Err(refusal)) if !passes(&refusal) => {
                    self.world.say("person", format!("is refused: {refusal}"));
                    return;
                }
                _ => tokio::time::sleep(Duration::from_millis(500)).await,
            }
        }
    }

    /// Notes a turn, and shows it on some device.
    fn told(&mut self, started: &Started) {
        let turn = &started.turn;
        let name = self.world.name(turn.generation_id);
        self.world.say("person", format!("asked for {name}: {:?}", turn.state));
        self.world.know(turn.generation_id);
        self.world.count(|counts| counts.turns += 1);
        self.turns.push(Turn {
            conversation: turn.conversation_id,
            asked: turn.user_message_id,
            answer: turn.message_id,
            generation: turn.generation_id,
        });
        self.world.asked.lock().unwrap_or_else(PoisonError::into_inner).push(Asked {
            conversation: turn.conversation_id,
            generation: turn.generation_id,
            removed: false,
            stopped_at: None,
        });
    }

    async fn regenerate(&mut self, turn: &Turn) {
        let (principal, asked) = (self.world.principal, turn.asked);
        let model = Some(MODELS[self.chance.index(MODELS.len())].to_owned());
        let beside = self.chance.percent(50);
        let said = self
            .request(async |engine: Engine| {
                if beside {
                    engine.answer_beside(principal, asked, model.clone(), None).await
                } else {
                    engine.regenerate(principal, asked, model.clone(), None).await
                }
            })
            .await;
        if let Some(Ok(started)) = said {
            self.told(&started);
        }
    }

    /// B8.9: after the answer nothing is appended.
    async fn stop(&mut self, turn: &Turn) {
        let (principal, id) = (self.world.principal, turn.generation);
        let said = self.request(async |engine: Engine| engine.stop(principal, id).await).await;
        let name = self.world.name(id);
        self.world.say("person", format!("stops {name}: {said:?}"));
        if !matches!(said, Some(Ok(_))) {
            return;
        }
        let head = self.world.records(id).await.len() as u64;
        let stored = self.world.store.generation(id).await.ok().flatten();
        if stored.is_some_and(|stored| !stored.state.is_sealed()) {
            self.world.wrong(format!("{name} is not sealed although its stop was answered"));
        }
        self.note(id, |asked| asked.stopped_at = Some(head));
    }

    async fn go_on(&mut self, turn: &Turn) {
        let key = ClientMessageId::from_bytes(self.chance.bytes());
        if self.chance.percent(50) {
            return self.tell_one(&Input::Continue(turn.generation, key));
        }
        let (principal, id) = (self.world.principal, turn.generation);
        let key = Some(key.to_string());
        let said =
            self.request(async |engine: Engine| engine.go_on(principal, id, key).await).await;
        let name = self.world.name(id);
        self.world.say("person", format!("continues {name}: {}", told(said.as_ref())));
        if let Some(Ok(id)) = said {
            self.world.know(id);
        }
    }

    async fn change_queued(&mut self, turn: &Turn) {
        let (principal, id) = (self.world.principal, turn.generation);
        let said = self
            .request(async |engine: Engine| engine.edit_queued(principal, id, "changed").await)
            .await;
        self.world.say("person", format!("changes what waits: {}", told(said.as_ref())));
    }

    async fn take_out(&mut self, turn: &Turn) {
        let (principal, id) = (self.world.principal, turn.generation);
        // Whether it was carried out is not known when no answer comes.
        let mut before = false;
        self.note(id, |asked| before = std::mem::replace(&mut asked.removed, true));
        let said =
            self.request(async |engine: Engine| engine.remove_queued(principal, id).await).await;
        let name = self.world.name(id);
        self.world.say("person", format!("takes {name} out: {}", told(said.as_ref())));
        if matches!(said, Some(Err(Refusal::Conflict(_) | Refusal::NotFound(_)))) {
            self.note(id, |asked| asked.removed = before);
        }
    }

    async fn select(&mut self, turn: &Turn) {
        let (principal, id) = (self.world.principal, turn.conversation);
        let answer = turn.answer.to_string();
        let said = self
            .request(async |engine: Engine| {
                let selected_message_id = Some(answer.clone());
                let patch = ConversationPatch { selected_message_id, ..Default::default() };
                engine.change(principal, id, patch).await
            })
            .await;
        self.world.say("person", format!("selects a branch: {}", told(said.as_ref())));
    }

    fn note(&self, id: GenerationId, note: impl FnOnce(&mut Asked)) {
        let mut asked = self.world.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asked) = asked.iter_mut().find(|asked| asked.generation == id) {
            note(asked);
        }
    }

    /// A request to the process that runs; `None` when it dies before it has answered.
    async fn request<T>(
        &mut self,
        call: impl AsyncFnOnce(Engine) -> Result<T, Refusal>,
    ) -> Option<Result<T, Refusal>> {
        tokio::time::sleep(self.chance.millis(1, 80)).await;
        let node = self.world.node()?;
        let lost = node.engine.lost().clone();
        tokio::select! {
            biased;
            () = node.dies.cancelled() => None,
            () = lost.cancelled() => None,
            said = call(node.engine) => Some(said),
            // A stop waits as long as the store refuses; a person does not.
            () = tokio::time::sleep(Duration::from_secs(20)) => None,
        }
    }
}

fn passes(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Storage | Refusal::Internal)
}

fn told<T>(said: Option<&Result<T, Refusal>>) -> String {
    match said {
        None => "no answer".to_owned(),
        Some(Ok(_)) => "done".to_owned(),
        Some(Err(refusal)) => refusal.code().to_string(),
    }
}

/// Whether nothing runs or waits in this state.
pub(crate) fn rests(state: GenerationState) -> bool {
    !matches!(state, GenerationState::Queued | GenerationState::Running)
}
