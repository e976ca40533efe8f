//! What becomes of a conversation, update by update.

use proptest::prelude::*;
use serde_json::{Value, json};
use unbroken_client::{Target, Update};
use unbroken_protocol::{
    At, Citation, CompleteStatus, ConversationId, ConversationPage, Epoch, ErrorCode, FinishReason,
    GenerationId, GenerationState, Means, MessageId, MessageView, Position, Role, StreamComplete,
    StreamError, Timestamp, ToolEvent, ToolStep,
};

use super::*;
use crate::markdown::render;

mod pages;

const CONVERSATION: [u8; 16] = [7; 16];

fn conversation() -> ConversationId {
    ConversationId::from_bytes(CONVERSATION)
}

fn generation(number: u8) -> GenerationId {
    GenerationId::from_bytes([number; 16])
}

fn message(number: u8) -> MessageId {
    MessageId::from_bytes([number; 16])
}

fn text(text: &str) -> Update {
    Update::Text { text: text.to_owned() }
}

fn following(state: GenerationState) -> Update {
    Update::Following {
        conversation_id: conversation(),
        message_id: message(2),
        state,
        head_seq: 0,
    }
}

fn complete(text: &str, status: CompleteStatus) -> Update {
    Update::Complete(StreamComplete {
        full_response: text.to_owned(),
        total_chunks: 1,
        tokens: 0,
        input_tokens: 0,
        output_tokens: 0,
        citations: Vec::new(),
        invented_marks: 0,
        credits: None,
        timestamp: Timestamp::from_millis(0),
        at: At {
            generation_id: generation(1),
            conversation_id: conversation(),
            message_id: message(2),
            epoch: 1,
            seq: 9,
        },
        seq_from: None,
        status,
        finish_reason: FinishReason::Stop,
        content_chars: 0,
        content_sha256: String::new(),
    })
}

fn failed() -> Update {
    Update::Failed(StreamError {
        error: "The model is gone.".to_owned(),
        code: ErrorCode::ModelUnavailable,
        retryable: true,
        status: None,
        retry_after_ms: None,
        timestamp: Timestamp::from_millis(0),
        at: None,
        seq_from: None,
        req: None,
    })
}

fn interrupted() -> Update {
    Update::State {
        epoch: 1,
        state: GenerationState::Interrupted,
        code: Some(ErrorCode::OwnerLost),
        message: None,
        can_continue: true,
        means: Some(Means::Prefill),
    }
}

/// A run of this epoch begins.
fn going_on(epoch: Epoch) -> Update {
    Update::State {
        epoch,
        state: GenerationState::Running,
        code: None,
        message: None,
        can_continue: false,
        means: Some(Means::Prefill),
    }
}

fn citation(index: u32) -> Citation {
    Citation {
        index,
        source_type: "guide".to_owned(),
        title: String::new(),
        url: None,
        file_id: None,
        page: None,
        passage: None,
        quote: String::new(),
        score: None,
    }
}

fn view(number: u8, role: Role, content: &str, state: Option<GenerationState>) -> MessageView {
    MessageView {
        message_id: message(number),
        role,
        content: content.to_owned(),
        timestamp: Timestamp::from_millis(0),
        tokens_used: None,
        model: None,
        parent_id: None,
        sibling_ids: Vec::new(),
        generation_id: state.map(|_| generation(1)),
        sources: Vec::new(),
        state,
        epoch: state.map(|_| 1),
        seq: state.map(|_| 5),
        finish_reason: None,
        citations: Vec::new(),
        reasoning: String::new(),
        reasoning_ms: None,
        tool_events: Vec::new(),
        seams: Vec::new(),
        can_continue: false,
        error: None,
        code: None,
    }
}

fn page(messages: Vec<MessageView>) -> ConversationPage {
    ConversationPage {
        conversation_id: conversation(),
        title: "Title".to_owned(),
        total: messages.len() as u64,
        messages,
        temporary: false,
    }
}

fn running(content: &str) -> ConversationPage {
    page(vec![
        view(1, Role::User, "question", None),
        view(2, Role::Assistant, content, Some(GenerationState::Running)),
    ])
}

/// The server took the turn: its message and the place of its answer have these numbers.
fn taken(number: u8) -> StartResponse {
    StartResponse {
        conversation_id: conversation(),
        model: "m".to_owned(),
        model_name: "M".to_owned(),
        transaction_id: String::new(),
        status: "conversation_created".to_owned(),
        message: String::new(),
        websocket_route: String::new(),
        routing: None,
        generation_id: generation(number + 1),
        message_id: message(number + 1),
        user_message_id: message(number),
        epoch: 1,
        after_seq: 0,
        queued: None,
    }
}

fn apply(transcript: &mut Transcript, update: Update) -> Vec<What> {
    let changes = transcript.apply(generation(1), update);
    changes.into_iter().map(|change| change.what).collect()
}

fn answer(transcript: &Transcript) -> &Answer {
    transcript.messages().last().unwrap().answer().unwrap()
}

#[test]
fn a_pending_message_gets_its_answer_and_then_its_history_without_a_new_key() {
    let mut transcript = Transcript::pending(conversation(), "question");
    let keys: Vec<_> = transcript.messages().iter().map(|message| message.key).collect();
    assert!(transcript.is_running());
    assert_eq!(apply(&mut transcript, following(GenerationState::Running)), []);
    assert_eq!(apply(&mut transcript, text("Hello")), [What::Text, What::State]);
    assert_eq!(answer(&transcript).state(), AnswerState::Streaming);
    assert_eq!(transcript.merge_page(running("Hel")), []);
    let after: Vec<_> = transcript.messages().iter().map(|message| message.key).collect();
    assert_eq!((after, transcript.messages()[0].id), (keys, Some(message(1))));
    assert_eq!((answer(&transcript).text(), transcript.title.as_str()), ("Hello", "Title"));
}

#[test]
fn an_answer_thinks_streams_and_is_done() {
    let mut transcript = Transcript::from_page(running(""));
    assert_eq!(answer(&transcript).state(), AnswerState::Thinking);
    let started = Update::Started { model: "Qwen".to_owned() };
    assert_eq!(apply(&mut transcript, started), [What::Model]);
    let thought = Update::Reasoning { text: "hm".to_owned(), at: Timestamp::from_millis(0) };
    assert_eq!(apply(&mut transcript, thought), [What::Reasoning]);
    assert_eq!(apply(&mut transcript, text("a")), [What::Text, What::State]);
    assert_eq!(apply(&mut transcript, text("b")), [What::Text]);
    assert_eq!(apply(&mut transcript, complete("ab", CompleteStatus::Completed)), [What::State]);
    assert_eq!(answer(&transcript).state(), AnswerState::Done { finish: FinishReason::Stop });
    assert_eq!(apply(&mut transcript, text("late")), []);
    assert_eq!(transcript.messages()[1].plain_text(), "ab");
    assert!(!transcript.is_running());
}

#[test]
fn what_came_while_the_page_was_open_is_new_to_whoever_looks_first() {
    let take = |transcript: &mut Transcript| {
        let key = transcript.messages().last().unwrap().key;
        transcript.answer_mut(key).unwrap().take_fresh()
    };
    let mut asked = Transcript::pending(conversation(), "Hello?");
    asked.started(&taken(1));
    apply(&mut asked, text("All of it, and "));
    apply(&mut asked, complete("All of it, and its end.", CompleteStatus::Completed));
    assert!(take(&mut asked));
    assert!(!take(&mut asked), "it was looked at");
    assert!(!take(&mut Transcript::from_page(running("Some of it"))), "it was there before");
    assert!(take(&mut Transcript::from_page(running(""))));
}

#[test]
fn how_long_a_model_reasoned_goes_on_from_what_history_says() {
    let thought = |at| Update::Reasoning { text: "hm".to_owned(), at: Timestamp::from_millis(at) };
    let mut transcript = Transcript::from_page(running(""));
    apply(&mut transcript, thought(10_000));
    assert_eq!(answer(&transcript).reasoning_ms, Some(0));
    apply(&mut transcript, thought(12_500));
    assert_eq!(answer(&transcript).reasoning_ms, Some(2_500));
    let mut page = running("");
    page.messages.last_mut().unwrap().reasoning_ms = Some(2_500);
    let mut transcript = Transcript::from_page(page);
    apply(&mut transcript, thought(20_000));
    apply(&mut transcript, thought(21_000));
    assert_eq!(answer(&transcript).reasoning_ms, Some(3_500));
}

#[test]
fn the_end_brings_the_whole_text_when_it_differs() {
    let mut transcript = Transcript::from_page(running("a"));
    let changed = apply(&mut transcript, complete("abc", CompleteStatus::Stopped));
    assert_eq!(changed, [What::Replaced, What::State]);
    assert_eq!(answer(&transcript).state(), AnswerState::Stopped);
}

#[test]
fn an_interrupted_answer_says_why_and_goes_on() {
    let mut transcript = Transcript::from_page(running("a"));
    assert_eq!(apply(&mut transcript, interrupted()), [What::State]);
    assert!(answer(&transcript).notice().unwrap().contains("restarted"));
    assert!(!transcript.is_running());
    assert_eq!(apply(&mut transcript, following(GenerationState::Interrupted)), []);
    assert_eq!(apply(&mut transcript, text("b")), [What::Text, What::State]);
    assert_eq!(
        (answer(&transcript).state(), answer(&transcript).notice()),
        (AnswerState::Streaming, None)
    );
}

#[test]
fn a_failed_or_lost_answer_keeps_its_text_and_the_sentence() {
    let mut transcript = Transcript::from_page(running("a"));
    assert_eq!(apply(&mut transcript, failed()), [What::State]);
    assert_eq!(
        (answer(&transcript).text(), answer(&transcript).notice()),
        ("a", Some("The model is gone."))
    );
    let mut transcript = Transcript::from_page(running("a"));
    let lost = Update::Lost { code: ErrorCode::NotFound, message: String::new() };
    assert_eq!(apply(&mut transcript, lost), [What::State]);
    let state = AnswerState::Failed { code: ErrorCode::NotFound, retryable: false };
    assert_eq!(answer(&transcript).state(), state);
    assert!(answer(&transcript).notice().is_some());
}

#[test]
fn a_snapshot_replaces_and_a_source_becomes_a_mark() {
    let mut transcript = Transcript::from_page(running("old"));
    let snapshot = Update::Replace {
        content: "new [1]".to_owned(),
        reasoning: None,
        citations: Vec::new(),
        tool_events: None,
        state: GenerationState::Running,
    };
    let changed = apply(&mut transcript, snapshot);
    assert_eq!(changed, [What::Replaced, What::Reasoning, What::Sources, What::Tools]);
    assert_eq!(apply(&mut transcript, Update::Source(citation(1))), [What::Sources]);
    let key = transcript.messages()[1].key;
    let answer = transcript.answer_mut(key).unwrap();
    answer.render();
    assert!(answer.is_rendered());
    assert!(answer.document().tail().html.contains("data-cite=\"1\""));
}

fn tool(call_id: &str, phase: &str, data: Value) -> ToolStep {
    let [call_id, phase, name] = [call_id, phase, "search"].map(str::to_owned);
    ToolStep { call_id, phase, name, data }
}

fn tool_event(step: ToolStep) -> Update {
    let ToolStep { call_id, phase, name, data } = step;
    let at = At {
        generation_id: generation(1),
        conversation_id: conversation(),
        message_id: message(2),
        epoch: 1,
        seq: 9,
    };
    Update::Tool(ToolEvent { at, seq_from: None, call_id, phase, name, data })
}

fn snapshot_of(steps: &[ToolStep]) -> Update {
    Update::Replace {
        content: String::new(),
        reasoning: None,
        citations: Vec::new(),
        tool_events: Some(steps.to_vec()),
        state: GenerationState::Running,
    }
}

#[test]
fn a_page_that_is_older_takes_no_tool_call_back() {
    let steps =
        [tool("a", "call", json!({"arguments": "x"})), tool("a", "result", json!({"output": "y"}))];
    let page_with = |steps: &[ToolStep], state| {
        let mut view = view(2, Role::Assistant, "", Some(state));
        view.tool_events = steps.to_vec();
        page(vec![view])
    };
    let mut transcript = Transcript::from_page(page_with(&steps[..1], GenerationState::Running));
    assert_eq!(apply(&mut transcript, tool_event(steps[1].clone())), [What::Tools]);
    let known = answer(&transcript).tools.clone();
    assert_eq!((known.len(), known[0].state), (1, CallState::Done));
    transcript.merge_page(page_with(&steps[..1], GenerationState::Running));
    assert_eq!(answer(&transcript).tools, known);
    // What has ended is as history says.
    transcript.merge_page(page_with(&steps, GenerationState::Completed));
    assert_eq!(answer(&transcript).tools, known);
}

#[test]
fn a_generation_from_elsewhere_appears_and_one_of_another_conversation_does_not() {
    let mut transcript = Transcript::from_page(page(vec![view(1, Role::User, "q", None)]));
    assert_eq!(transcript.apply(generation(9), text("stray")), []);
    assert_eq!(
        apply(&mut transcript, following(GenerationState::Queued)),
        [What::Added, What::State]
    );
    assert_eq!(answer(&transcript).state(), AnswerState::Queued);
    let mut other = Transcript::pending(ConversationId::from_bytes([1; 16]), "q");
    assert_eq!(apply(&mut other, following(GenerationState::Running)), []);
}

#[test]
fn what_was_loaded_is_followed_from_its_position() {
    let mut transcript = Transcript::from_page(running("abc"));
    let expected = Target::rest_of(generation(1), Position::new(1, 5), "abc");
    assert_eq!(answer(&transcript).target(), Some(expected));
    apply(&mut transcript, text("d"));
    assert_eq!(answer(&transcript).target(), None, "the connection knows better now");
}

#[test]
fn history_seals_an_answer_and_removes_another_branch() {
    let mut transcript = Transcript::from_page(running("abc"));
    apply(&mut transcript, text("d"));
    let sealed = page(vec![
        view(1, Role::User, "question", None),
        view(2, Role::Assistant, "abcdef", Some(GenerationState::Completed)),
        view(3, Role::User, "more", None),
    ]);
    transcript.merge_page(sealed);
    assert_eq!(transcript.messages()[1].plain_text(), "abcdef");
    let branch =
        page(vec![view(1, Role::User, "question", None), view(3, Role::User, "more", None)]);
    let removed = transcript.merge_page(branch);
    assert_eq!(removed, [Change { key: 1, what: What::Removed }]);
    assert_eq!(transcript.messages().len(), 2);
}

#[test]
fn another_branch_takes_the_place_of_what_is_shown() {
    let mut old = view(2, Role::Assistant, "abc", Some(GenerationState::Completed));
    old.sibling_ids = vec![message(2)];
    let mut transcript = Transcript::from_page(page(vec![view(1, Role::User, "q", None), old]));
    assert_eq!(transcript.messages()[1].branch(), None);
    let mut new = view(3, Role::Assistant, "", Some(GenerationState::Running));
    new.sibling_ids = vec![message(2), message(3)];
    new.generation_id = Some(generation(2));
    let changes = transcript.switch_page(page(vec![view(1, Role::User, "q", None), new]));
    let (removed, added) = (Change { key: 1, what: What::Removed }, What::Added);
    assert!(changes.contains(&removed) && changes.iter().any(|change| change.what == added));
    let shown = &transcript.messages()[1];
    assert_eq!((transcript.messages().len(), shown.branch()), (2, Some((2, 2))));
    assert_eq!((shown.sibling(-1), shown.sibling(1)), (Some(message(2)), None));
}

#[test]
fn an_answer_that_goes_on_by_itself_alarms_nobody() {
    let mut transcript = Transcript::from_page(running("a"));
    let mut broke = interrupted();
    if let Update::State { can_continue, .. } = &mut broke {
        *can_continue = false;
    }
    apply(&mut transcript, broke);
    assert!(answer(&transcript).state().is_running() && answer(&transcript).notice().is_none());
    apply(&mut transcript, going_on(2));
    assert_eq!(answer(&transcript).state(), AnswerState::Streaming);
    assert_eq!(answer(&transcript).seams(), [1]);
}

/// What is seen of a sealed answer's seams, after its last frame.
fn seams(transcript: &mut Transcript) -> (Vec<u64>, Vec<usize>) {
    let key = transcript.messages().last().unwrap().key;
    let answer = transcript.answer_mut(key).unwrap();
    answer.render();
    (answer.seams().to_vec(), answer.seam_blocks())
}

#[test]
fn a_seam_is_the_same_mark_live_and_after_a_reload() {
    let parts = ["One.\r\n\n- a\n- b", "c\n- d\n\nTw", "", "o, ü.", "\n\nThree."];
    let mut live = Transcript::from_page(running(""));
    for (part, epoch) in parts.iter().zip(1..) {
        if epoch > 1 {
            apply(&mut live, interrupted());
            apply(&mut live, going_on(epoch));
        }
        for letter in part.chars() {
            apply(&mut live, text(&letter.to_string()));
            seams(&mut live);
        }
    }
    let whole = parts.concat();
    apply(&mut live, complete(&whole, CompleteStatus::Completed));

    let mut sealed = view(2, Role::Assistant, &whole, Some(GenerationState::Completed));
    sealed.seams = vec![14, 23, 28];
    let mut loaded = Transcript::from_page(page(vec![sealed]));
    // One whole paragraph, one list, and two places in the paragraphs after it.
    let expected = (vec![14, 23, 28], vec![1, 5, 6]);
    assert_eq!(seams(&mut live), expected);
    assert_eq!(seams(&mut loaded), expected);

    // Loaded in the middle, before the second takeover.
    let mut middle = view(2, Role::Assistant, &parts[..2].concat(), Some(GenerationState::Running));
    middle.seams = vec![14];
    let mut transcript = Transcript::from_page(page(vec![middle]));
    for (part, epoch) in parts.iter().zip(1..).skip(2) {
        apply(&mut transcript, going_on(epoch));
        apply(&mut transcript, text(part));
    }
    apply(&mut transcript, complete(&whole, CompleteStatus::Completed));
    assert_eq!(seams(&mut transcript), expected);
}

#[test]
fn text_that_is_another_has_no_seams_and_one_that_goes_on_keeps_them() {
    let mut transcript = Transcript::from_page(running("abc"));
    apply(&mut transcript, going_on(2));
    let replace = |content: &str| Update::Replace {
        content: content.to_owned(),
        reasoning: None,
        citations: Vec::new(),
        tool_events: None,
        state: GenerationState::Running,
    };
    apply(&mut transcript, replace("abcdef"));
    assert_eq!(answer(&transcript).seams(), [3]);
    apply(&mut transcript, replace("other"));
    assert!(answer(&transcript).seams().is_empty());
}

#[test]
fn continue_is_offered_after_a_reload_where_it_was_live() {
    let interrupted_view = |can_continue| {
        let mut view = view(2, Role::Assistant, "abc", Some(GenerationState::Interrupted));
        view.code = Some(ErrorCode::ProviderTimeout);
        view.can_continue = can_continue;
        Transcript::from_page(page(vec![view]))
    };
    assert!(answer(&interrupted_view(true)).can_continue());
    let goes_on = interrupted_view(false);
    assert!(!answer(&goes_on).can_continue());
    assert!(answer(&goes_on).state().is_running(), "it goes on by itself");

    let mut live = Transcript::from_page(running("abc"));
    apply(&mut live, interrupted());
    assert!(answer(&live).can_continue());
    apply(&mut live, going_on(2));
    assert!(!answer(&live).can_continue());
    for (content, can_continue) in [("abc", true), ("", false)] {
        let stopped = view(2, Role::Assistant, content, Some(GenerationState::Stopped));
        let loaded = Transcript::from_page(page(vec![stopped]));
        let mut live = Transcript::from_page(running(content));
        apply(&mut live, complete(content, CompleteStatus::Stopped));
        assert_eq!(answer(&loaded).can_continue(), can_continue);
        assert_eq!(answer(&live).can_continue(), can_continue);
    }
}

#[test]
fn an_earlier_page_goes_before() {
    let mut end = page(vec![view(5, Role::User, "later", None)]);
    end.total = 2;
    let mut transcript = Transcript::from_page(end);
    assert_eq!(transcript.earlier(), Some(message(5)));
    let mut start = page(vec![view(4, Role::User, "before", None)]);
    start.total = 2;
    transcript.add_earlier(start);
    let texts: Vec<_> = transcript.messages().iter().map(Message::plain_text).collect();
    assert_eq!((texts, transcript.earlier()), (vec!["before", "later"], None));
}

#[test]
fn a_refused_turn_gives_its_text_back() {
    let mut transcript = Transcript::from_page(running("abc"));
    transcript.begin_turn("again");
    let (text, changes) = transcript.refused();
    assert_eq!(
        (text.as_deref(), changes.len(), transcript.messages().len()),
        (Some("again"), 2, 2)
    );
}

fn updates() -> impl Strategy<Value = Update> {
    prop_oneof![
        8 => "[-a*` \n]{0,6}".prop_map(|text| Update::Text { text }),
        2 => "[a-z]{1,3}".prop_map(|text| Update::Reasoning { text, at: Timestamp::from_millis(0) }),
        1 => Just(Update::Started { model: "m".to_owned() }),
        1 => Just(interrupted()),
        1 => prop_oneof![Just(GenerationState::Running), Just(GenerationState::Queued)].prop_map(following),
        1 => (1..4_u32).prop_map(|index| Update::Source(citation(index))),
        1 => "[-a \n]{0,9}".prop_map(|content| Update::Replace {
            content, reasoning: None, citations: Vec::new(), tool_events: None, state: GenerationState::Running,
        }),
        1 => "[-a \n]{0,9}".prop_map(|text| complete(&text, CompleteStatus::Completed)),
        1 => Just(failed()),
    ]
}

fn tool_steps() -> impl Strategy<Value = ToolStep> {
    let phases = prop_oneof![Just("call"), Just("result"), Just("error"), Just("newer")];
    let data = prop_oneof![
        Just(json!({"arguments": {"a": [1]}, "output": "found", "message": "Gone."})),
        Just(json!({"arguments": "text", "output": [1, 2], "cut": true})),
        Just(Value::Null),
    ];
    ("[abc]", phases, data).prop_map(|(id, phase, data)| tool(&id, phase, data))
}

proptest! {
    #[test]
    fn tool_calls_are_the_same_however_their_steps_come(
        steps in proptest::collection::vec(tool_steps(), 0..12),
        cut in 0..12_usize,
    ) {
        let mut one_by_one = Transcript::from_page(running(""));
        for step in &steps {
            apply(&mut one_by_one, tool_event(step.clone()));
        }
        let expected = &answer(&one_by_one).tools;
        let cut = cut.min(steps.len());
        let mut view = view(2, Role::Assistant, "", Some(GenerationState::Running));
        view.tool_events = steps[..cut].to_vec();
        let mut from_history = Transcript::from_page(page(vec![view]));
        let mut from_snapshot = Transcript::from_page(running(""));
        apply(&mut from_snapshot, tool_event(tool("d", "call", Value::Null)));
        apply(&mut from_snapshot, snapshot_of(&steps[..cut]));
        for step in &steps[cut..] {
            apply(&mut from_history, tool_event(step.clone()));
            apply(&mut from_snapshot, tool_event(step.clone()));
        }
        prop_assert_eq!(&answer(&from_history).tools, expected);
        prop_assert_eq!(&answer(&from_snapshot).tools, expected);
    }

    #[test]
    fn whatever_comes_the_text_is_right_and_a_sealed_answer_stays(
        updates in proptest::collection::vec((updates(), any::<bool>()), 0..30)
    ) {
        let mut transcript = Transcript::pending(conversation(), "q");
        apply(&mut transcript, following(GenerationState::Running));
        let mut expected = String::new();
        for (update, frame) in updates {
            let sealed = answer(&transcript).is_sealed();
            let before = (answer(&transcript).state(), answer(&transcript).text().to_owned());
            if !sealed {
                match &update {
                    Update::Text { text } => expected.push_str(text),
                    Update::Replace { content, .. } => expected.clone_from(content),
                    Update::Complete(end) => expected.clone_from(&end.full_response),
                    _ => {}
                }
            }
            let changes = apply(&mut transcript, update);
            let after = (answer(&transcript).state(), answer(&transcript).text().to_owned());
            prop_assert!(!sealed || (changes.is_empty() && after == before));
            prop_assert_eq!(&after.1, &expected);
            prop_assert!(after.0 == before.0 || changes.contains(&What::State));
            if after.1.is_empty() {
                prop_assert_ne!(after.0, AnswerState::Streaming);
            }
            if frame {
                let key = transcript.messages()[1].key;
                transcript.answer_mut(key).unwrap().render();
            }
        }
        let key = transcript.messages()[1].key;
        let answer = transcript.answer_mut(key).unwrap();
        if answer.is_sealed() {
            answer.render();
            prop_assert!(answer.is_rendered());
            let html = answer.document().html();
            let citations = answer.citations.clone();
            prop_assert_eq!(html, render(&expected, &format!("m{key}"), &citations));
        }
    }
}
