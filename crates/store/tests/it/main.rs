//! The store on a real disk.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod journal;
mod owner;
mod turns;

use tempfile::TempDir;
use unbroken_protocol::{ConversationId, GenerationId, MessageId, Options, PrincipalId, Timestamp};
use unbroken_store::{Durability, NewTurn, Place, Store, Transaction, Turn, TurnOutcome, Writer};

async fn open() -> (TempDir, Store, Writer) {
    let folder = TempDir::new().unwrap();
    let (store, writer) = Store::open(folder.path()).await.unwrap();
    (folder, store, writer)
}

fn new_turn(principal_id: PrincipalId, place: Place, content: &str) -> NewTurn {
    NewTurn {
        principal_id,
        place,
        user_message_id: MessageId::new(),
        content: Some(content.into()),
        begins_with: None,
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
    Place::New { conversation_id: ConversationId::new(), title: "A title".into() }
}

async fn begin(writer: &mut Writer) -> Transaction<'_> {
    writer.begin(Durability::Power).await.unwrap()
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
