//! The engine on a real disk with scripted models.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod followers;
mod going_on;
mod imports;
mod keep;
mod recovery;
mod turns;
mod uploads;

use std::path::Path;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tempfile::TempDir;
use unbroken_engine::{Ask, Bell, Engine, Follower, Log, Settings, Started, View};
use unbroken_protocol::{Event, GenerationId, PrincipalId};
use unbroken_providers::scripted::{Scripted, Step};
use unbroken_providers::{Catalogue, CatalogueSettings};
use unbroken_store::Store;

/// Only a broken test waits this long.
const DEADLINE: Duration = Duration::from_secs(20);

struct World {
    engine: Engine,
    model: Arc<Scripted>,
    principal: PrincipalId,
    folder: TempDir,
}

/// An engine on a new folder whose model `m` follows the script.
async fn world(script: Vec<Step>) -> World {
    world_of(Scripted::new("scripted").script("m", script)).await
}

async fn world_of(model: Scripted) -> World {
    let folder = TempDir::new().unwrap();
    let model = Arc::new(model);
    let engine = open(folder.path(), &model).await;
    World { engine, model, principal: PrincipalId::new(), folder }
}

async fn open(folder: &Path, model: &Arc<Scripted>) -> Engine {
    let settings =
        CatalogueSettings { default_model: Some("m".into()), refresh: Duration::from_hours(1) };
    let catalogue = Arc::new(Catalogue::new(vec![Arc::clone(model) as _], settings));
    catalogue.refresh().await;
    let (store, writer) = Store::open(folder).await.unwrap();
    Engine::open(store, writer, catalogue, Settings::default()).await.unwrap()
}

/// A client that asks and goes away at once.
async fn go_away(asked: impl Future) {
    let mut asked = std::pin::pin!(asked);
    std::future::poll_fn(|context| {
        assert!(asked.as_mut().poll(context).is_pending(), "it was there already");
        Poll::Ready(())
    })
    .await;
}

fn ask(message: &str) -> Ask {
    Ask { message: message.into(), ..Ask::default() }
}

impl World {
    async fn start(&self, message: &str) -> Started {
        self.engine.start(self.principal, ask(message)).await.unwrap()
    }

    async fn next_turn(&self, first: &Started, message: &str) -> Started {
        let conversation_id = Some(first.turn.conversation_id.to_string());
        let ask = Ask { conversation_id, ..ask(message) };
        self.engine.start(self.principal, ask).await.unwrap()
    }

    async fn log(&self, id: GenerationId) -> Arc<Log> {
        self.engine.log(self.principal, id).await.unwrap()
    }

    async fn reader(&self, id: GenerationId) -> Reader {
        Reader::new(self.log(id).await)
    }

    /// The process dies and another one starts on the same folder.
    async fn restart(self) -> World {
        let Self { engine, model, principal, folder } = self;
        engine.close().await;
        let engine = open(folder.path(), &model).await;
        World { engine, model, principal, folder }
    }
}

/// A connection that said hello, from the beginning of a log.
struct Reader {
    follower: Follower,
    bell: Arc<Bell>,
    text: String,
}

impl Reader {
    fn new(log: Arc<Log>) -> Self {
        let view = View { hello: true, reasoning: true, tools: true };
        let (follower, _) = Follower::new(log, view, 0, None);
        let bell = Arc::new(Bell::default());
        follower.watch(&bell);
        Self { follower, bell, text: String::new() }
    }

    async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.follower.next_event() {
                if let Event::ContentChunk(chunk) = &event {
                    self.text.push_str(&chunk.content);
                }
                return event;
            }
            tokio::time::timeout(DEADLINE, self.bell.rung()).await.expect("an event in time");
        }
    }

    /// Reads until the text so far is this.
    async fn until_text(&mut self, text: &str) {
        while self.text != text {
            self.next().await;
        }
    }

    /// Reads until nothing more comes: the terminal event, or an interruption.
    async fn end(&mut self) -> Event {
        loop {
            let event = self.next().await;
            if matches!(
                event,
                Event::StreamComplete(_) | Event::StreamError(_) | Event::GenerationState(_)
            ) {
                return event;
            }
        }
    }
}
