//! Deleting with a way back, and what is erased when.

use std::time::Duration;

use unbroken_engine::{Ask, Clock, Delete, Engine, Refusal, Settings};
use unbroken_protocol::{ConversationId, GenerationState, PrincipalId, Timestamp};
use unbroken_providers::scripted::{Scripted, Step};
use unbroken_providers::{Catalogue, CatalogueSettings};
use unbroken_store::Memory;

const MINUTE: Duration = Duration::from_mins(1);

/// An engine on a state that outlives it; time is the runtime's, which is paused.
async fn open(memory: &Memory, clock: &Clock) -> Engine {
    let model = Scripted::new("scripted").script("m", vec![Step::content("word"), Step::stop()]);
    let settings =
        CatalogueSettings { default_model: Some("m".into()), refresh: Duration::from_hours(1) };
    let catalogue =
        std::sync::Arc::new(Catalogue::new(vec![std::sync::Arc::new(model) as _], settings));
    catalogue.refresh().await;
    let (store, writer) = memory.open();
    let settings = Settings { clock: clock.clone(), ..Settings::default() };
    Engine::open(store, writer, catalogue, settings).await.unwrap()
}

async fn answered(engine: &Engine, me: PrincipalId, temporary: bool) -> ConversationId {
    let ask = Ask { message: "hello".into(), temporary, ..Ask::default() };
    let turn = engine.start(me, ask).await.unwrap().turn;
    engine.idle().await;
    assert_eq!(
        engine.log(me, turn.generation_id).await.unwrap().state(),
        GenerationState::Completed
    );
    turn.conversation_id
}

fn clock() -> Clock {
    Clock::simulated(Timestamp::from_millis(1_000_000_000_000), 1)
}

/// Whether it can be restored; it is deleted again.
async fn is_there(engine: &Engine, me: PrincipalId, id: ConversationId) -> bool {
    match engine.restore(me, id).await {
        Ok(()) => true,
        Err(Refusal::NotFound(_)) => false,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_deleted_conversation_is_erased_after_ten_minutes() {
    let (memory, clock, me) = (Memory::default(), clock(), PrincipalId::new());
    let engine = open(&memory, &clock).await;
    let (kept, gone) = (answered(&engine, me, false).await, answered(&engine, me, false).await);
    for id in [kept, gone] {
        engine.delete(me, id, Delete::Hide).await.unwrap();
    }
    tokio::time::sleep(9 * MINUTE).await;
    assert!(is_there(&engine, me, kept).await);
    tokio::time::sleep(3 * MINUTE).await;
    assert!(!is_there(&engine, me, gone).await);
    assert_eq!(engine.conversation_summary(me, kept).await.unwrap().message_count, 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_before_a_restart_is_erased_after_it() {
    let (memory, clock, me) = (Memory::default(), clock(), PrincipalId::new());
    let engine = open(&memory, &clock).await;
    let (early, late) = (answered(&engine, me, false).await, answered(&engine, me, false).await);
    engine.delete(me, early, Delete::Hide).await.unwrap();
    tokio::time::sleep(5 * MINUTE).await;
    engine.delete(me, late, Delete::Hide).await.unwrap();
    engine.close().await;
    tokio::time::sleep(7 * MINUTE).await;
    let engine = open(&memory, &clock).await;
    tokio::time::sleep(MINUTE / 2).await;
    assert!(!is_there(&engine, me, early).await);
    assert!(is_there(&engine, me, late).await);
}

#[tokio::test(start_paused = true)]
async fn a_temporary_conversation_lives_a_day_after_its_last_message() {
    let (memory, clock, me) = (Memory::default(), clock(), PrincipalId::new());
    let engine = open(&memory, &clock).await;
    let id = answered(&engine, me, true).await;
    tokio::time::sleep(20 * 60 * MINUTE).await;
    let conversation_id = Some(id.to_string());
    let more = Ask { message: "more".into(), conversation_id, ..Ask::default() };
    engine.start(me, more).await.unwrap();
    tokio::time::sleep(23 * 60 * MINUTE).await;
    assert!(engine.conversation_summary(me, id).await.unwrap().temporary);
    tokio::time::sleep(62 * MINUTE).await;
    let gone = engine.conversation_summary(me, id).await;
    assert!(matches!(gone, Err(Refusal::NotFound(_))), "{gone:?}");
}

#[tokio::test]
async fn a_restored_conversation_is_shown_when_its_client_went_away_during_the_commit() {
    let (memory, clock, me) = (Memory::default(), clock(), PrincipalId::new());
    let engine = open(&memory, &clock).await;
    let turn = engine.start(me, Ask { message: "hello".into(), ..Ask::default() }).await.unwrap();
    engine.idle().await;
    let (id, answer) = (turn.turn.conversation_id, turn.turn.generation_id);
    engine.delete(me, id, Delete::Hide).await.unwrap();
    assert!(engine.log(me, answer).await.is_err());
    crate::go_away(engine.restore(me, id)).await;
    let shown = async {
        while engine.log(me, answer).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::DEADLINE, shown).await.unwrap();
}
