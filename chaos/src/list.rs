//! A device's list of conversations, kept by what the server tells a connection that stays, as an
//! app does: read anew at every connect, and changed by notices from then on (PROTOCOL B3).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use unbroken_client::native::Connection;
use unbroken_client::{Hint, Output, RestError, Status};
use unbroken_protocol::{
    ConversationId, ConversationOp, ConversationPatch, ConversationSummary, Event,
};

use crate::native;
use crate::reader::Device;
use crate::world::{Refused, World};

/// How long after the last change a notice may take.
const LATE: Duration = Duration::from_secs(20);
/// Conversations in a page of the list.
const PAGE: u32 = 200;

type Conversations = BTreeMap<ConversationId, ConversationSummary>;

pub(crate) struct List {
    pub(crate) device: Device,
    shown: Mutex<Conversations>,
}

impl List {
    pub(crate) fn new(device: Device) -> Arc<Self> {
        Arc::new(Self { device, shown: Mutex::default() })
    }

    fn shown(&self) -> MutexGuard<'_, Conversations> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps it as long as it is polled.
    pub(crate) async fn keep(self: Arc<Self>, world: Arc<World>, seed: u64) {
        let config = native::config(&self.device, seed);
        let mut connection = Connection::open(&world.socket(), config);
        let mut calm = world.calm.subscribe();
        loop {
            tokio::select! {
                output = connection.recv() => match output {
                    Some(Output::Status(Status::Live)) => self.read(&world).await,
                    Some(Output::Notice(Event::Conversation(event))) => {
                        world.tally.add("notices", 1);
                        let id = event.conversation.conversation_id;
                        match event.op {
                            ConversationOp::Upsert => {
                                self.shown().insert(id, event.conversation);
                            }
                            ConversationOp::Delete => drop(self.shown().remove(&id)),
                        }
                    }
                    Some(_) => {}
                    None => return world.fail_run("a client that keeps a list ended by itself"),
                },
                Ok(()) = calm.changed() => connection.hint(Hint::Online).await,
            }
        }
    }

    async fn read(&self, world: &World) {
        match self.fetch(world).await {
            Ok(list) => *self.shown() = list,
            Err(error) => world.fail_run(&format!("a list cannot be read: {error}")),
        }
    }

    /// All that the server has of it.
    pub(crate) async fn fetch(&self, world: &World) -> Result<Conversations, Refused> {
        world.insist(|| self.all()).await
    }

    async fn all(&self) -> Result<Conversations, RestError> {
        let mut list = Conversations::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = self.device.rest.conversations(Some(PAGE), cursor.as_deref()).await?;
            let ids = page.conversations.into_iter().map(|line| (line.conversation_id, line));
            list.extend(ids);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(list);
            }
        }
    }

    /// Changes something, and waits until the list shows what the server has.
    pub(crate) async fn check(&self, world: &World) -> Result<(), String> {
        let changed = self.change(world).await;
        changed.map_err(|refused| format!("nothing can be changed: {refused}"))?;
        let until = Instant::now() + LATE;
        loop {
            let stored = self.fetch(world).await.map_err(|refused| refused.to_string())?;
            let differs = difference(&self.shown(), &stored);
            match differs {
                None => return Ok(()),
                Some(differs) if Instant::now() > until => return Err(differs),
                Some(_) => sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// Something new, and something old that gets another name: after the last connect of most.
    async fn change(&self, world: &World) -> Result<(), Refused> {
        let rest = &self.device.rest;
        let first = self.fetch(world).await?.into_keys().next();
        if let Some(id) = first {
            let title = Some("another title".to_owned());
            let patch = ConversationPatch { title, ..ConversationPatch::default() };
            world.insist(|| rest.patch(id, &patch)).await?;
        }
        let question = self.device.ask("something new", "vllm-numbers:tokens=5,rate=0,first=0");
        world.insist(|| rest.start(question.clone())).await?;
        Ok(())
    }
}

/// The first line in which two lists differ.
fn difference(shown: &Conversations, stored: &Conversations) -> Option<String> {
    let ids = shown.keys().chain(stored.keys());
    let differs = ids.map(|id| (shown.get(id), stored.get(id))).find(|(a, b)| a != b);
    differs.map(|(shown, stored)| format!("the list shows {shown:?} in place of {stored:?}"))
}
