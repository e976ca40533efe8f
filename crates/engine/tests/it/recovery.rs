use unbroken_protocol::{ErrorCode, Event, GenerationState};
use unbroken_providers::scripted::Step;

/// B8.4: what anyone has seen is still there when the process is gone.
#[tokio::test]
async fn what_a_dead_process_had_shown_is_kept_and_marked_as_interrupted() {
    let world = super::world(vec![Step::content("a "), Step::content("b "), Step::Hang]).await;
    let started = world.start("hi").await;
    let id = started.turn.generation_id;
    let mut reader = world.reader(id).await;
    reader.until_text("a b ").await;
    let held = reader.follower.held();
    drop(reader);
    let world = world.restart().await;

    let log = world.log(id).await;
    assert_eq!(log.state(), GenerationState::Interrupted);
    let (_, following) = unbroken_engine::Follower::new(
        log,
        unbroken_engine::View::default(),
        held.seq,
        Some(held.epoch),
    );
    assert!(following.recovered, "the position that was held is valid");
    let mut reader = world.reader(id).await;
    let Event::GenerationState(state) = reader.end().await else { panic!("not interrupted") };
    assert_eq!(state.code, Some(ErrorCode::OwnerLost));
    assert_eq!(reader.text, "a b ");
    assert_eq!(world.model.calls().len(), 1, "B8.17: nobody asked for another call");
}

#[tokio::test]
async fn turns_that_waited_run_after_the_restart() {
    let world = super::world(vec![Step::content("begun"), Step::Hang]).await;
    // The first call hangs for ever; those of the next process answer.
    world.model.add("m", vec![Step::content("late"), Step::stop()]);
    let first = world.start("one").await;
    let second = world.next_turn(&first, "two").await;
    world.reader(first.turn.generation_id).await.until_text("begun").await;
    let world = world.restart().await;
    let mut reader = world.reader(second.turn.generation_id).await;
    assert!(matches!(reader.end().await, Event::StreamComplete(_)));
    assert_eq!(reader.text, "late");
}

#[tokio::test]
async fn a_stop_of_an_interrupted_answer_seals_it() {
    let world = super::world(vec![Step::content("half"), Step::End]).await;
    let started = world.start("hi").await;
    let id = started.turn.generation_id;
    world.reader(id).await.end().await;
    let state = world.engine.stop(world.principal, id).await.unwrap();
    assert_eq!(state, GenerationState::Stopped);
    let world = world.restart().await;
    let log = world.log(id).await;
    assert_eq!(log.state(), GenerationState::Stopped);
    assert_eq!(log.summary().content, "half");
}
