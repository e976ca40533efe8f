use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use unbroken_engine::Page;
use unbroken_protocol::{CompleteStatus, Event, FinishReason, GenerationState};
use unbroken_providers::scripted::Step;

/// B8.2: the contents in order, `full_response` and the stored message are the same text.
#[tokio::test]
async fn the_stored_message_is_what_was_streamed() {
    let script = vec![
        Step::reasoning("hm"),
        Step::content("Grüße "),
        Step::content("aus 漢字"),
        Step::stop(),
    ];
    let world = super::world(script).await;
    let started = world.start("hi").await;
    let mut reader = world.reader(started.turn.generation_id).await;
    let Event::StreamComplete(complete) = reader.end().await else { panic!("not complete") };
    assert_eq!(reader.text, "Grüße aus 漢字");
    assert_eq!(complete.full_response, reader.text);
    assert_eq!(complete.content_chars, reader.text.chars().count() as u64);
    assert_eq!(complete.content_sha256, hex::encode(Sha256::digest(reader.text.as_bytes())));
    assert_eq!((complete.total_chunks, complete.finish_reason), (2, FinishReason::Stop));

    let world = world.restart().await;
    let page = world
        .engine
        .conversation(world.principal, started.turn.conversation_id, Page::default())
        .await
        .unwrap();
    assert_eq!(page.messages[1].content, reader.text);
    assert_eq!(page.messages[1].reasoning, "hm");
    let mut again = world.reader(started.turn.generation_id).await;
    again.end().await;
    assert_eq!(again.text, reader.text, "record by record, after a restart");
}

/// B8.8: closing every follower changes nothing.
#[tokio::test]
async fn an_answer_goes_on_without_readers() {
    let gate = Arc::new(Semaphore::new(0));
    let script = vec![
        Step::content("one "),
        Step::Gate(Arc::clone(&gate)),
        Step::content("two"),
        Step::stop(),
    ];
    let world = super::world(script).await;
    let started = world.start("hi").await;
    let mut reader = world.reader(started.turn.generation_id).await;
    reader.until_text("one ").await;
    drop(reader);
    gate.add_permits(1);
    let mut reader = world.reader(started.turn.generation_id).await;
    reader.end().await;
    assert_eq!(reader.text, "one two");
    assert_eq!(world.model.calls().len(), 1);
}

/// B8.9 and B8.10: stop is idempotent, keeps what was written, and touches only its generation.
#[tokio::test]
async fn a_stop_keeps_the_text_and_changes_nothing_the_second_time() {
    let world = super::world(vec![Step::content("so far"), Step::Hang]).await;
    let first = world.start("hi").await;
    let id = first.turn.generation_id;
    let mut reader = world.reader(id).await;
    reader.until_text("so far").await;
    for _ in 0..2 {
        let state = world.engine.stop(world.principal, id).await.unwrap();
        assert_eq!(state, GenerationState::Stopped);
    }
    let Event::StreamComplete(complete) = reader.end().await else { panic!("not complete") };
    assert_eq!(complete.status, CompleteStatus::Stopped);
    assert_eq!(complete.finish_reason, FinishReason::User);

    let second = world.next_turn(&first, "again").await;
    let mut reader = world.reader(second.turn.generation_id).await;
    reader.until_text("so far").await;
    world.engine.stop(world.principal, id).await.unwrap();
    assert_eq!(world.log(second.turn.generation_id).await.state(), GenerationState::Running);
}

/// B8.15: a stream that ends without saying so is never complete.
#[tokio::test]
async fn a_stream_without_an_end_is_interrupted_and_before_any_text_it_failed() {
    let world = super::world(vec![Step::content("half"), Step::End]).await;
    let started = world.start("hi").await;
    let mut reader = world.reader(started.turn.generation_id).await;
    let Event::GenerationState(state) = reader.end().await else { panic!("not interrupted") };
    assert_eq!(state.state, GenerationState::Interrupted);
    assert_eq!(reader.text, "half");

    let world = super::world(vec![Step::End]).await;
    let started = world.start("hi").await;
    let mut reader = world.reader(started.turn.generation_id).await;
    assert!(matches!(reader.end().await, Event::StreamError(_)));
}
