//! What every member of [`Store`] keeps: each test runs on all of them, but for those that are
//! about a folder or about the faults of the store in memory.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod journal;
mod keep;
mod moving;
mod owner;
mod same;
mod search;
mod sources;
mod turns;
mod vectors;

use tempfile::TempDir;
use unbroken_protocol::{ConversationId, GenerationId, MessageId, Options, PrincipalId, Timestamp};
use unbroken_store::{
    Durability, Memory, NewTurn, Place, Sealed, Settled, Store, Transaction, Turn, TurnOutcome,
    Writer,
};

/// Makes a test of each function, once for every member.
#[macro_export]
macro_rules! for_every_store {
    ($($name:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::Home::memory()).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::Home::sqlite()).await;
            })*
        }
    };
}

/// Where a state lives that survives its processes.
enum Home {
    Memory(Memory),
    Sqlite(TempDir),
}

impl Home {
    fn memory() -> Self {
        Self::Memory(Memory::default())
    }

    fn sqlite() -> Self {
        Self::Sqlite(TempDir::new().unwrap())
    }

    async fn open(&self) -> (Store, Writer) {
        match self {
            Self::Memory(memory) => memory.open(),
            Self::Sqlite(folder) => Store::open(folder.path()).await.unwrap(),
        }
    }

    /// Opens it although somebody has it.
    async fn take(&self) -> (Store, Writer) {
        if let Self::Sqlite(folder) = self {
            // The lock is on the file, not on its name: like a copy on another host's disk.
            std::fs::remove_file(folder.path().join("lock")).unwrap();
        }
        self.open().await
    }
}

fn new_turn(principal_id: PrincipalId, place: Place, content: &str) -> NewTurn {
    NewTurn {
        principal_id,
        place,
        user_message_id: MessageId::new(),
        content: Some(content.into()),
        sources: Vec::new(),
        begins_with: Vec::new(),
        generation_id: GenerationId::new(),
        message_id: MessageId::new(),
        model: "numbers".into(),
        model_name: "numbers".into(),
        routing: None,
        options: Options::default(),
        client_message: None,
        at: Timestamp::from_millis(1_000),
    }
}

fn new_conversation() -> Place {
    Place::New { conversation_id: ConversationId::new(), title: "A title".into(), temporary: false }
}

async fn begin(writer: &mut Writer) -> Transaction<'_> {
    writer.begin(Durability::Power).await.unwrap()
}

/// The end of one run.
async fn settle(transaction: &mut Transaction<'_>, settled: &Settled<'_>) -> Sealed {
    transaction.settle(std::slice::from_ref(settled)).await.unwrap().remove(0)
}

/// Puts all texts that are due into the search index.
async fn index(writer: &mut Writer) {
    let mut transaction = begin(writer).await;
    // In most tests that is not all.
    while transaction.index(1_000).await.unwrap().left > 0 {}
    transaction.commit().await.unwrap();
}

async fn create(writer: &mut Writer, turn: &NewTurn) -> TurnOutcome {
    let mut transaction = begin(writer).await;
    let outcome = transaction.create_turn(turn).await.unwrap();
    transaction.commit().await.unwrap();
    outcome
}

async fn created(writer: &mut Writer, turn: &NewTurn) -> Turn {
    match create(writer, turn).await {
        TurnOutcome::Created(turn) => turn,
        other => panic!("not created: {other:?}"),
    }
}
