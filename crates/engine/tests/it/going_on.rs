use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use unbroken_engine::Refusal;
use unbroken_protocol::{
    ClientMessageId, ConversationId, ConversationPatch, ErrorCode, Event, GenerationState, Means,
    MessageView, ToolStep,
};
use unbroken_providers::Failure;
use unbroken_providers::scripted::{Scripted, Step};

use crate::{Reader, World};

/// A model that can be continued by prefill, with one script for each call.
async fn continued(scripts: &[&[Step]]) -> World {
    let model = Scripted::new("scripted").with_means(&[Means::Prefill, Means::Prompt]);
    let model = scripts.iter().fold(model, |model, script| model.script("m", script.to_vec()));
    crate::world_of(model).await
}

/// Reads to the terminal event; returns the states on the way.
async fn whole(reader: &mut Reader) -> (Event, Vec<GenerationState>) {
    let mut states = Vec::new();
    loop {
        match reader.end().await {
            Event::GenerationState(event) => states.push(event.state),
            end => return (end, states),
        }
    }
}

/// B8.16 and B8.17: the answer goes on exactly where it broke off, by a further call.
#[tokio::test]
async fn a_truncated_answer_goes_on_by_itself_and_is_whole() {
    let world = continued(&[
        &[Step::content("one two "), Step::End],
        &[Step::content("three"), Step::stop()],
    ])
    .await;
    let started = world.start("count").await;
    let mut reader = world.reader(started.turn.generation_id).await;
    let (end, states) = whole(&mut reader).await;
    let Event::StreamComplete(complete) = end else { panic!("not complete: {end:?}") };
    assert_eq!(complete.full_response, "one two three");
    assert_eq!(complete.at.epoch, 2);
    assert_eq!(states, [GenerationState::Interrupted, GenerationState::Running]);
    let continuations = world.model.continuations();
    assert_eq!(continuations.len(), 1);
    assert_eq!(continuations[0].0.content, "one two ");
    assert_eq!(continuations[0].1, Means::Prefill);
}

#[tokio::test]
async fn a_refused_means_falls_through_to_the_next() {
    let world = continued(&[
        &[Step::content("one two "), Step::End],
        &[Step::content("three"), Step::stop()],
    ])
    .await;
    world.model.refuse(Means::Prefill);
    let started = world.start("count").await;
    let mut reader = world.reader(started.turn.generation_id).await;
    let (end, _) = whole(&mut reader).await;
    assert!(matches!(end, Event::StreamComplete(_)));
    let (_, means) = world.model.continuations().pop().unwrap();
    assert_eq!(means, Means::Prompt);
}

#[tokio::test]
async fn after_three_further_runs_it_stays_interrupted_until_a_person_asks() {
    let world = continued(&[
        &[Step::content("1 "), Step::End],
        &[Step::content("2 "), Step::End],
        &[Step::content("3 "), Step::End],
        &[Step::content("4 "), Step::End],
        &[Step::content("5"), Step::stop()],
    ])
    .await;
    let started = world.start("count").await;
    let id = started.turn.generation_id;
    let mut reader = world.reader(id).await;
    let last = loop {
        match reader.end().await {
            Event::GenerationState(event) if event.can_continue => break event,
            Event::GenerationState(_) => {}
            end => panic!("it ended: {end:?}"),
        }
    };
    assert_eq!((last.state, last.at.epoch), (GenerationState::Interrupted, 4));
    assert_eq!(reader.text, "1 2 3 4 ");

    assert_eq!(world.engine.go_on(world.principal, id, None).await.unwrap(), id);
    let (end, _) = whole(&mut reader).await;
    assert!(matches!(end, Event::StreamComplete(_)));
    assert_eq!(reader.text, "1 2 3 4 5");
    let again = world.engine.go_on(world.principal, id, None).await;
    assert!(matches!(again, Err(Refusal::Conflict(_))), "a whole answer has nothing to go on");
}

/// B8.7: of all that claim a generation at once exactly one gets it.
#[tokio::test]
async fn an_answer_is_continued_once_however_often_it_is_asked_for() {
    let failure =
        Failure { code: ErrorCode::ProviderTimeout, message: "too slow".into(), retry_after: None };
    let world = continued(&[
        &[Step::content("half "), Step::Fail(failure)],
        &[Step::content("whole"), Step::stop()],
    ])
    .await;
    let started = world.start("count").await;
    let id = started.turn.generation_id;
    let mut reader = world.reader(id).await;
    assert!(matches!(reader.end().await, Event::GenerationState(_)), "a time-out waits for people");
    world.engine.idle().await;
    let asked = (0..8).map(|_| world.engine.go_on(world.principal, id, None));
    let taken = futures_util::future::join_all(asked).await;
    assert_eq!(taken.iter().filter(|one| one.is_ok()).count(), 1);
    whole(&mut reader).await;
    assert_eq!(reader.text, "half whole");
    assert_eq!(world.model.continuations().len(), 1);
}

/// B8.17: before any visible text a call that failed is made again, at most twice.
#[tokio::test]
async fn a_call_that_brought_nothing_is_repeated_twice() {
    let failure = || Failure {
        code: ErrorCode::ProviderOverloaded,
        message: "busy".into(),
        retry_after: Some(Duration::from_millis(1)),
    };
    let fails = [Step::Fail(failure())];
    let world = continued(&[&fails, &fails, &[Step::content("third time"), Step::stop()]]).await;
    let started = world.start("hi").await;
    let mut reader = world.reader(started.turn.generation_id).await;
    let (end, states) = whole(&mut reader).await;
    let Event::StreamComplete(complete) = end else { panic!("not complete: {end:?}") };
    assert_eq!((complete.at.epoch, states.len()), (1, 0), "nobody noticed");
    assert_eq!(world.model.calls().len(), 3);

    let world = continued(&[&fails]).await;
    let started = world.start("hi").await;
    let mut reader = world.reader(started.turn.generation_id).await;
    assert!(matches!(reader.end().await, Event::StreamError(_)));
    assert_eq!(world.model.calls().len(), 3);
}

/// Every further call after visible text is a run of its own, also one that brings nothing.
#[tokio::test]
async fn a_continuation_that_brings_nothing_is_followed_by_another_run() {
    let busy =
        Failure { code: ErrorCode::ProviderOverloaded, message: "busy".into(), retry_after: None };
    let world = continued(&[
        &[Step::content("half "), Step::End],
        &[Step::Fail(busy)],
        &[Step::End],
        &[Step::content("whole"), Step::stop()],
    ])
    .await;
    let started = world.start("count").await;
    let mut reader = world.reader(started.turn.generation_id).await;
    let (end, _) = whole(&mut reader).await;
    let Event::StreamComplete(complete) = end else { panic!("not complete: {end:?}") };
    assert_eq!((complete.full_response.as_str(), complete.at.epoch), ("half whole", 4));
    assert_eq!(world.model.calls().len(), 4, "one call for each epoch");
}

#[tokio::test]
async fn a_restart_takes_an_answer_over_and_finishes_it() {
    let world = continued(&[
        &[Step::content("before "), Step::Hang],
        &[Step::content("after"), Step::stop()],
    ])
    .await;
    let started = world.start("hi").await;
    let id = started.turn.generation_id;
    world.reader(id).await.until_text("before ").await;
    let world = world.restart().await;
    let mut reader = world.reader(id).await;
    let (end, states) = whole(&mut reader).await;
    assert!(matches!(end, Event::StreamComplete(_)));
    assert_eq!(states, [GenerationState::Interrupted, GenerationState::Running]);
    assert_eq!(reader.text, "before after");
    assert_eq!(world.model.calls().len(), 2, "one call, and one takeover");
}

/// What leads up to the text is left out only of a call that repeats it.
#[tokio::test]
async fn an_answer_that_is_taken_over_before_its_first_record_keeps_its_reasoning() {
    let gate = Arc::new(Semaphore::new(0));
    let script =
        [Step::Gate(gate.clone()), Step::reasoning("hm "), Step::content("x"), Step::stop()];
    let world = continued(&[&script]).await;
    let id = world.start("hi").await.turn.generation_id;
    let world = world.restart().await;
    gate.add_permits(1);
    let (end, _) = whole(&mut world.reader(id).await).await;
    let Event::StreamComplete(complete) = end else { panic!("not complete: {end:?}") };
    assert_eq!((complete.full_response.as_str(), complete.at.epoch), ("x", 2));
    assert_eq!(world.log(id).await.summary().reasoning, "hm ");
}

/// Another call may use tools otherwise, and what it does the same is no second step.
#[tokio::test]
async fn a_call_that_is_repeated_tells_the_steps_of_tools_that_are_new() {
    let step = |phase: &str, data| {
        let [call_id, phase, name] = ["call-0", phase, "search"].map(str::to_owned);
        ToolStep { call_id, phase, name, data }
    };
    let call = step("call", serde_json::json!({"arguments": {}}));
    let result = step("result", serde_json::json!({"output": "found"}));
    let tool = |step: &ToolStep| Step::Tool(step.clone().into());
    let world = continued(&[
        &[tool(&call), Step::End],
        &[tool(&call), tool(&result), Step::content("x"), Step::stop()],
    ])
    .await;
    let id = world.start("hi").await.turn.generation_id;
    let mut reader = world.reader(id).await;
    while !matches!(reader.end().await, Event::StreamComplete(_)) {}
    assert_eq!(world.model.calls().len(), 2);
    assert_eq!(world.log(id).await.summary().tool_events, [call, result]);
}

#[tokio::test]
async fn a_stopped_answer_goes_on_as_a_sibling_that_begins_with_its_text() {
    let world = continued(&[
        &[Step::content("so far "), Step::Hang],
        &[Step::content("and on"), Step::stop()],
    ])
    .await;
    let started = world.start("hi").await;
    let id = started.turn.generation_id;
    world.reader(id).await.until_text("so far ").await;
    world.engine.stop(world.principal, id).await.unwrap();
    let sibling = world.engine.go_on(world.principal, id, None).await.unwrap();
    assert_ne!(sibling, id);
    let mut reader = world.reader(sibling).await;
    let (end, _) = whole(&mut reader).await;
    assert!(matches!(end, Event::StreamComplete(_)));
    assert_eq!(reader.text, "so far and on");
    assert_eq!(world.log(id).await.state(), GenerationState::Stopped, "the old one stays");
}

#[tokio::test]
async fn another_answer_is_a_sibling_and_the_first_can_be_shown_again() {
    let world = continued(&[
        &[Step::content("first"), Step::stop()],
        &[Step::content("second"), Step::stop()],
    ])
    .await;
    let first = world.start("hi").await;
    world.reader(first.turn.generation_id).await.end().await;
    let asked = first.turn.user_message_id;
    let second = world.engine.regenerate(world.principal, asked, None, None).await.unwrap();
    world.reader(second.turn.generation_id).await.end().await;
    let conversation = first.turn.conversation_id;
    let shown = async || {
        let page = unbroken_engine::Page::default();
        let page = world.engine.conversation(world.principal, conversation, page).await.unwrap();
        (page.messages[1].content.clone(), page.messages[1].sibling_ids.len())
    };
    assert_eq!(shown().await, ("second".into(), 2));
    let message = first.turn.message_id.to_string();
    let patch =
        ConversationPatch { selected_message_id: Some(message), ..ConversationPatch::default() };
    world.engine.change(world.principal, conversation, patch).await.unwrap();
    assert_eq!(shown().await, ("first".into(), 2));
}

/// B8.11: also for another answer to the same message.
#[tokio::test]
async fn another_answer_under_one_key_is_one_answer_and_one_call() {
    let world = continued(&[
        &[Step::content("first"), Step::stop()],
        &[Step::content("second"), Step::stop()],
    ])
    .await;
    let first = world.start("hi").await;
    world.reader(first.turn.generation_id).await.end().await;
    let (asked, key) = (first.turn.user_message_id, ClientMessageId::new().to_string());
    let again = |model| world.engine.regenerate(world.principal, asked, model, Some(&key));
    let all = futures_util::future::join_all((0..8).map(|_| again(None))).await;
    let second = all[0].as_ref().unwrap().turn.generation_id;
    assert_ne!(second, first.turn.generation_id);
    for one in &all {
        assert_eq!(one.as_ref().unwrap().turn.generation_id, second);
    }
    world.reader(second).await.end().await;
    assert_eq!(again(None).await.unwrap().turn.generation_id, second, "also after its end");
    assert_eq!(world.model.calls().len(), 2);
    assert!(matches!(again(Some("m".into())).await, Err(Refusal::Conflict(_))));
}

/// B8.11: also for the sibling in which a stopped answer goes on.
#[tokio::test]
async fn a_stopped_answer_goes_on_once_under_one_key() {
    let world = continued(&[
        &[Step::content("so far "), Step::Hang],
        &[Step::content("and on"), Step::stop()],
    ])
    .await;
    let id = world.start("hi").await.turn.generation_id;
    world.reader(id).await.until_text("so far ").await;
    world.engine.stop(world.principal, id).await.unwrap();
    let key = ClientMessageId::new().to_string();
    let go_on = || world.engine.go_on(world.principal, id, Some(key.clone()));
    let sibling = go_on().await.unwrap();
    whole(&mut world.reader(sibling).await).await;
    assert_eq!(go_on().await.unwrap(), sibling);
    assert_eq!(world.model.calls().len(), 2);
}

async fn answer(world: &World, id: ConversationId) -> MessageView {
    let page = unbroken_engine::Page::default();
    let page = world.engine.conversation(world.principal, id, page).await.unwrap();
    page.messages.into_iter().next_back().unwrap()
}

#[tokio::test]
async fn history_knows_the_seams_and_where_a_person_can_continue() {
    let busy =
        Failure { code: ErrorCode::ProviderTimeout, message: "too slow".into(), retry_after: None };
    let world = continued(&[
        &[Step::content("zwölf "), Step::End],
        &[Step::End],
        &[Step::content("dreizehn "), Step::Fail(busy)],
        &[Step::content("vierzehn"), Step::stop()],
    ])
    .await;
    let started = world.start("count").await;
    let (id, conversation) = (started.turn.generation_id, started.turn.conversation_id);
    let mut reader = world.reader(id).await;
    while !matches!(reader.end().await, Event::GenerationState(event) if event.can_continue) {}
    let interrupted = answer(&world, conversation).await;
    assert_eq!(interrupted.state, Some(GenerationState::Interrupted));
    assert_eq!(interrupted.seams, [6], "once, although one run brought nothing");
    assert!(interrupted.can_continue);
    assert_eq!(interrupted.code, Some(ErrorCode::ProviderTimeout));

    world.engine.idle().await;
    world.engine.go_on(world.principal, id, None).await.unwrap();
    assert!(matches!(whole(&mut reader).await.0, Event::StreamComplete(_)));
    let sealed = answer(&world, conversation).await;
    assert_eq!((sealed.content.as_str(), &sealed.seams[..]), (&*reader.text, &[6, 15][..]));
    assert!(!sealed.can_continue);
    drop(reader);
    let world = world.restart().await;
    assert_eq!(answer(&world, conversation).await, sealed, "also from the store");
}

#[tokio::test]
async fn history_offers_to_continue_what_the_engine_would_continue() {
    let world = continued(&[&[Step::content("so far "), Step::Hang]]).await;
    let started = world.start("hi").await;
    let (id, conversation) = (started.turn.generation_id, started.turn.conversation_id);
    world.reader(id).await.until_text("so far ").await;
    assert!(!answer(&world, conversation).await.can_continue, "it runs");
    let refused = world.engine.go_on(world.principal, id, None).await;
    assert!(matches!(refused, Err(Refusal::Conflict(_))));
    world.engine.stop(world.principal, id).await.unwrap();
    assert!(answer(&world, conversation).await.can_continue);
    world.engine.go_on(world.principal, id, None).await.unwrap();

    let world = continued(&[&[Step::Hang]]).await;
    let started = world.start("hi").await;
    let (id, conversation) = (started.turn.generation_id, started.turn.conversation_id);
    world.engine.stop(world.principal, id).await.unwrap();
    assert!(!answer(&world, conversation).await.can_continue, "there is no text");
    let refused = world.engine.go_on(world.principal, id, None).await;
    assert!(matches!(refused, Err(Refusal::Conflict(_))));
}
