use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use unbroken_engine::{Ask, Delete, Engine, Refusal, Settings};
use unbroken_protocol::{
    ClientMessageId, CompleteStatus, Event, GenerationState, PrincipalId, Role,
};
use unbroken_providers::scripted::Step;
use unbroken_providers::{Catalogue, CatalogueSettings, Usage};
use unbroken_store::{Shelf, Store};

/// B8.11: the same key is one turn and one call, however often it is sent at once.
#[tokio::test]
async fn a_repeated_request_is_one_turn() {
    let world = super::world(vec![Step::content("once"), Step::stop()]).await;
    let key = ClientMessageId::new().to_string();
    let ask = || Ask { client_message_id: Some(key.clone()), ..super::ask("hi") };
    let starts = (0..8).map(|_| world.engine.start(world.principal, ask()));
    let started = futures_util::future::join_all(starts).await;
    let first = started[0].as_ref().unwrap().turn.generation_id;
    for one in &started {
        assert_eq!(one.as_ref().unwrap().turn.generation_id, first);
    }
    world.reader(first).await.end().await;
    assert_eq!(world.model.calls().len(), 1);

    let other = Ask { client_message_id: Some(key), ..super::ask("something else") };
    let refused = world.engine.start(world.principal, other).await;
    assert!(matches!(refused, Err(Refusal::Conflict(_))));
}

#[tokio::test]
async fn tokens_that_a_server_makes_up_stop_no_later_answer() {
    let absurd = Usage { input_tokens: (1 << 63) - 1, output_tokens: u64::MAX };
    let script = vec![Step::content("word"), Step::Usage(absurd), Step::stop()];
    let world = super::world(script).await;
    let first = world.start("one").await;
    world.reader(first.turn.generation_id).await.end().await;
    let second = world.next_turn(&first, "two").await;
    let end = world.reader(second.turn.generation_id).await.end().await;
    let Event::StreamComplete(complete) = end else { panic!("{end:?}") };
    assert_eq!(complete.tokens, 1 << 41);
    let id = first.turn.conversation_id;
    let summary = world.engine.conversation_summary(world.principal, id).await.unwrap();
    assert_eq!(summary.total_tokens, 1 << 42);
}

#[tokio::test]
async fn turns_that_wait_run_in_order_and_see_the_answers_before_them() {
    let gate = Arc::new(Semaphore::new(0));
    let script = vec![Step::Gate(Arc::clone(&gate)), Step::content("answer"), Step::stop()];
    let world = super::world(script).await;
    let first = world.start("one").await;
    let second = world.next_turn(&first, "two").await;
    let third = world.next_turn(&first, "three").await;
    assert_eq!(second.turn.state, GenerationState::Queued);
    assert_eq!((second.turn.waiting_behind, third.turn.waiting_behind), (1, 2));
    gate.add_permits(100);
    world.reader(third.turn.generation_id).await.end().await;

    let calls = world.model.calls();
    let asked: Vec<Vec<_>> = calls
        .iter()
        .map(|call| call.messages.iter().map(|message| message.content.as_str()).collect())
        .collect();
    assert_eq!(
        asked,
        [
            vec!["one"],
            vec!["one", "answer", "two"],
            vec!["one", "answer", "two", "answer", "three"],
        ]
    );
    assert_eq!(calls[1].messages[1].role, Role::Assistant);
}

#[tokio::test]
async fn a_turn_that_waits_can_be_stopped_before_it_runs() {
    let gate = Arc::new(Semaphore::new(0));
    let script = vec![Step::Gate(Arc::clone(&gate)), Step::content("answer"), Step::stop()];
    let world = super::world(script).await;
    let first = world.start("one").await;
    let second = world.next_turn(&first, "two").await;
    let id = second.turn.generation_id;
    let mut reader = world.reader(id).await;
    let state = world.engine.stop(world.principal, id).await.unwrap();
    assert_eq!(state, GenerationState::Stopped);
    assert!(matches!(reader.end().await, Event::StreamComplete(_)));
    gate.add_permits(100);
    world.reader(first.turn.generation_id).await.end().await;
    assert_eq!(world.model.calls().len(), 1, "the stopped one never ran");
}

/// B8.10: also at the moment in which the one ends and the newer one begins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_that_comes_as_its_answer_ends_spares_the_next_one() {
    for _ in 0..40 {
        let gate = Arc::new(Semaphore::new(0));
        let script = vec![Step::Gate(Arc::clone(&gate)), Step::content("answer"), Step::stop()];
        let world = super::world(script).await;
        let first = world.start("one").await;
        let second = world.next_turn(&first, "two").await;
        let mut reader = world.reader(second.turn.generation_id).await;
        let (engine, principal) = (world.engine.clone(), world.principal);
        let old = first.turn.generation_id;
        let stop = tokio::spawn(async move { engine.stop(principal, old).await });
        gate.add_permits(100);
        stop.await.unwrap().unwrap();
        let Event::StreamComplete(end) = reader.end().await else { panic!("it failed") };
        assert_eq!((end.status, reader.text.as_str()), (CompleteStatus::Completed, "answer"));
    }
}

/// B8.18: what belongs to somebody else is not there.
#[tokio::test]
async fn a_stranger_finds_nothing() {
    let world = super::world(vec![Step::content("mine"), Step::Hang]).await;
    let started = world.start("hi").await;
    let stranger = PrincipalId::new();
    let (engine, turn) = (&world.engine, &started.turn);
    let log = engine.log(stranger, turn.generation_id).await;
    assert!(matches!(log, Err(Refusal::NotFound(_))));
    let stopped = engine.stop(stranger, turn.generation_id).await;
    assert!(matches!(stopped, Err(Refusal::NotFound(_))));
    let deleted = engine.delete(stranger, turn.conversation_id, Delete::Hide).await;
    assert!(matches!(deleted, Err(Refusal::NotFound(_))));
    let asked =
        Ask { conversation_id: Some(turn.conversation_id.to_string()), ..super::ask("let me in") };
    assert!(matches!(engine.start(stranger, asked).await, Err(Refusal::NotFound(_))));
}

#[tokio::test]
async fn deleting_a_conversation_stops_what_runs_and_what_waits() {
    let world = super::world(vec![Step::content("so far"), Step::Hang]).await;
    let first = world.start("one").await;
    let second = world.next_turn(&first, "two").await;
    let mut running = world.reader(first.turn.generation_id).await;
    let mut waiting = world.reader(second.turn.generation_id).await;
    running.until_text("so far").await;
    world.engine.delete(world.principal, first.turn.conversation_id, Delete::Hide).await.unwrap();
    running.end().await;
    waiting.end().await;
    world.engine.idle().await;
    assert_eq!(world.model.calls().len(), 1);
    let list =
        world.engine.conversations(world.principal, Shelf::Listed, None, None).await.unwrap();
    assert_eq!(list.total, 0);
}

#[tokio::test(start_paused = true)]
async fn a_person_does_not_wait_for_the_gathering_of_tokens() {
    let settings = CatalogueSettings { default_model: None, refresh: Duration::from_hours(1) };
    let catalogue = Arc::new(Catalogue::new(Vec::new(), settings));
    let (store, writer) = Store::memory();
    let engine = Engine::open(store, writer, catalogue, Settings::default()).await.unwrap();
    let began = Instant::now();
    for model in ["one", "another", "a third"] {
        engine.set_preference(PrincipalId::new(), Some(model.into())).await.unwrap();
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
}
