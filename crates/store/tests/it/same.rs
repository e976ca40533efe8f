//! The same commands, drawn at random, on all members at once: every answer and everything that can
//! be read is the same.

use std::fmt::Debug;

use proptest::prelude::*;
use unbroken_protocol::{
    Citation, ClientMessageId, DeviceId, ErrorCode, FinishReason, GenerationId, GenerationState,
    MessageId, PrincipalId, Prompt, PromptId, SessionId, Timestamp, ToolStep,
};
use unbroken_store::{
    Arrangement, Body, Due, Durability, NewTurn, Place, Query, Record, SecretHash, Session,
    Settled, Shelf, Store, Transaction, Turn, TurnOutcome,
};

use crate::Home;

#[path = "same/files.rs"]
mod files;

/// Everything is read again after so many steps: it takes longer than the steps.
const READ_EVERY: usize = 6;

/// What is done; numbers choose among what is there, around and around.
#[derive(Clone, Debug)]
enum Do {
    Start { person: usize, temporary: bool },
    Next { turn: usize, person: usize },
    After { turn: usize, answer: usize },
    Root { turn: usize },
    Again { turn: usize, begins: bool },
    Beside { turn: usize },
    Keyed { key: usize, body: usize },
    Settle { turn: usize, state: GenerationState },
    TakeOver { turn: usize },
    RunNext { turn: usize },
    EditQueued { turn: usize },
    RemoveQueued { turn: usize },
    SelectBranch { turn: usize, of: usize },
    Delete { turn: usize },
    Restore { turn: usize, person: usize },
    Erase { turn: usize },
    EraseDue,
    Arrange { turn: usize, how: usize },
    Rename { turn: usize },
    Journal { turn: usize },
    Trim,
    Deliver { turn: usize },
    Person { person: usize, at: i64 },
    File { person: usize, content: u8 },
    DeleteFile { person: usize, file: usize },
    Read { content: u8, how: usize },
    Drop { content: u8, deleted: bool },
    Embed { content: u8, how: usize },
    Collect { person: usize, file: usize, at: i64 },
    Forget { person: usize },
}

fn step() -> impl Strategy<Value = Do> {
    let n = 0..1000_usize;
    let state = prop::sample::select(vec![
        GenerationState::Completed,
        GenerationState::Stopped,
        GenerationState::Failed,
        GenerationState::Interrupted,
    ]);
    prop_oneof![
        2 => (n.clone(), prop::bool::weighted(0.3))
            .prop_map(|(person, temporary)| Do::Start { person, temporary }),
        6 => (n.clone(), 0..5_usize).prop_map(|(turn, person)| Do::Next { turn, person }),
        2 => (n.clone(), n.clone()).prop_map(|(turn, answer)| Do::After { turn, answer }),
        1 => n.clone().prop_map(|turn| Do::Root { turn }),
        2 => (n.clone(), any::<bool>()).prop_map(|(turn, begins)| Do::Again { turn, begins }),
        3 => n.clone().prop_map(|turn| Do::Beside { turn }),
        2 => (0..3_usize, 0..2_usize).prop_map(|(key, body)| Do::Keyed { key, body }),
        3 => (n.clone(), state).prop_map(|(turn, state)| Do::Settle { turn, state }),
        2 => n.clone().prop_map(|turn| Do::TakeOver { turn }),
        2 => n.clone().prop_map(|turn| Do::RunNext { turn }),
        1 => n.clone().prop_map(|turn| Do::EditQueued { turn }),
        5 => n.clone().prop_map(|turn| Do::RemoveQueued { turn }),
        2 => (n.clone(), n.clone()).prop_map(|(turn, of)| Do::SelectBranch { turn, of }),
        2 => n.clone().prop_map(|turn| Do::Delete { turn }),
        3 => (n.clone(), 0..5_usize).prop_map(|(turn, person)| Do::Restore { turn, person }),
        1 => n.clone().prop_map(|turn| Do::Erase { turn }),
        1 => Just(Do::EraseDue),
        3 => (n.clone(), n.clone()).prop_map(|(turn, how)| Do::Arrange { turn, how }),
        1 => n.clone().prop_map(|turn| Do::Rename { turn }),
        2 => n.clone().prop_map(|turn| Do::Journal { turn }),
        1 => Just(Do::Trim),
        1 => n.clone().prop_map(|turn| Do::Deliver { turn }),
        1 => (n.clone(), 0..100_i64).prop_map(|(person, at)| Do::Person { person, at }),
        3 => (n.clone(), 0..4_u8).prop_map(|(person, content)| Do::File { person, content }),
        1 => (n.clone(), n.clone()).prop_map(|(person, file)| Do::DeleteFile { person, file }),
        4 => (0..4_u8, n.clone()).prop_map(|(content, how)| Do::Read { content, how }),
        1 => (0..4_u8, any::<bool>()).prop_map(|(content, deleted)| Do::Drop { content, deleted }),
        4 => (0..4_u8, n.clone()).prop_map(|(content, how)| Do::Embed { content, how }),
        2 => (n.clone(), n.clone(), 0..100_i64)
            .prop_map(|(person, file, at)| Do::Collect { person, file, at }),
        1 => n.prop_map(|person| Do::Forget { person: person * 5 + 1 }),
    ]
}

/// What was made, so that later steps and reads can name it. Ids are made here, once for all.
struct Known {
    people: [PrincipalId; 2],
    keys: [ClientMessageId; 3],
    turns: Vec<Turn>,
    rows: i64,
    now: i64,
}

impl Known {
    fn person(&self, person: usize) -> PrincipalId {
        self.people[usize::from(person % 5 == 1)]
    }

    fn turn(&self, turn: usize) -> Option<&Turn> {
        self.turns.get(turn % self.turns.len().max(1))
    }

    /// About half of what is there.
    fn due(&self) -> Due {
        let then = Timestamp::from_millis(self.now / 2);
        Due { deleted_until: then, idle_since: then }
    }

    fn new_turn(&self, person: usize, place: Place) -> NewTurn {
        let mut turn = super::new_turn(self.people[usize::from(person % 5 == 1)], place, "asked");
        turn.at = Timestamp::from_millis(self.now);
        // Ids say nothing about the order.
        turn.generation_id = GenerationId::from_bytes(scattered(&turn.generation_id));
        turn.message_id = MessageId::from_bytes(scattered(&turn.message_id));
        turn.user_message_id = MessageId::from_bytes(scattered(&turn.user_message_id));
        turn
    }

    /// The turn that a step would make.
    fn asked(&self, step: &Do) -> Option<NewTurn> {
        let conversation = |turn: &usize| self.turn(*turn).map(|turn| turn.conversation_id);
        Some(match step {
            Do::Start { person, temporary } => {
                let mut place = super::new_conversation();
                if let Place::New { temporary: stored, .. } = &mut place {
                    *stored = *temporary;
                }
                self.new_turn(*person, place)
            }
            Do::Next { turn, person } => self.new_turn(*person, Place::Next(conversation(turn)?)),
            Do::After { turn, answer } => {
                let answer = self.turn(*answer)?.message_id;
                self.new_turn(0, Place::After(conversation(turn)?, answer))
            }
            Do::Root { turn } => self.new_turn(0, Place::Root(conversation(turn)?)),
            Do::Again { turn, begins } => {
                let begins_with = begins.then(|| record(1, 1)).into_iter().collect();
                NewTurn {
                    user_message_id: self.turn(*turn)?.user_message_id,
                    content: None,
                    begins_with,
                    ..self.new_turn(0, Place::Again)
                }
            }
            Do::Beside { turn } => NewTurn {
                user_message_id: self.turn(*turn)?.user_message_id,
                content: None,
                ..self.new_turn(0, Place::Beside)
            },
            Do::Keyed { key, body } => {
                let body = SecretHash::of(&body.to_string());
                let client_message = Some((self.keys[*key], body));
                NewTurn { client_message, ..self.new_turn(0, super::new_conversation()) }
            }
            _ => return None,
        })
    }
}

/// Every change and none, in every combination.
fn arrangement(how: usize) -> Arrangement {
    let flag = |how: usize| [None, Some(true), Some(false)][how % 3];
    let folder = [None, Some(None), Some(Some("Folder".to_owned()))][how / 9 % 3].clone();
    Arrangement { pinned: flag(how), archived: flag(how / 3), folder }
}

fn scattered(id: &impl ToString) -> [u8; 16] {
    SecretHash::of(&id.to_string()).as_bytes()[..16].try_into().unwrap()
}

fn record(epoch: u32, seq: u64) -> Record {
    Record { epoch, seq, at: Timestamp::from_millis(7), body: Body::Content("text".into()) }
}

/// One step on one store; what it answered, as text.
async fn act(
    transaction: &mut Transaction<'_>,
    known: &Known,
    step: &Do,
    new: Option<&NewTurn>,
    found: &Store,
) -> (String, Option<TurnOutcome>) {
    if let Some(new) = new {
        let outcome = transaction.create_turn(new).await.unwrap();
        return (format!("{outcome:?}"), Some(outcome));
    }
    let turn = |turn: &usize| known.turn(*turn);
    let said = match step {
        Do::Trim => {
            transaction.trim_journal(known.rows);
            String::new()
        }
        Do::EraseDue => said(transaction.erase_due(&known.due()).await),
        Do::Restore { turn: of, person } => match turn(of) {
            Some(turn) => {
                let person = known.people[usize::from(person % 5 == 1)];
                said(transaction.restore(person, turn.conversation_id).await)
            }
            None => String::new(),
        },
        Do::Arrange { turn: of, how } => match turn(of) {
            Some(turn) => said(transaction.arrange(turn.conversation_id, &arrangement(*how)).await),
            None => String::new(),
        },
        Do::File { .. }
        | Do::DeleteFile { .. }
        | Do::Read { .. }
        | Do::Drop { .. }
        | Do::Embed { .. }
        | Do::Collect { .. }
        | Do::Forget { .. } => files::act(transaction, known, step, found).await,
        Do::Person { person, at } => {
            said(belongings(transaction, known.people[usize::from(person % 5 == 1)], *at).await)
        }
        Do::Settle { turn: of, state } => match turn(of) {
            Some(turn) => settle(transaction, found, turn, *state).await,
            None => String::new(),
        },
        Do::TakeOver { turn: of } => match turn(of) {
            Some(turn) => take_over(transaction, found, turn.generation_id).await,
            None => String::new(),
        },
        Do::SelectBranch { turn: of, of: other } => match (turn(of), turn(other)) {
            (Some(turn), Some(other)) => {
                let (id, message) = (turn.conversation_id, other.user_message_id);
                said(transaction.select_branch(id, message).await)
            }
            _ => String::new(),
        },
        Do::RunNext { turn: of }
        | Do::EditQueued { turn: of }
        | Do::RemoveQueued { turn: of }
        | Do::Delete { turn: of }
        | Do::Erase { turn: of }
        | Do::Rename { turn: of }
        | Do::Journal { turn: of }
        | Do::Deliver { turn: of } => match turn(of) {
            Some(turn) => change(transaction, step, turn, known.now).await,
            None => String::new(),
        },
        _ => String::new(),
    };
    (said, None)
}

async fn change(transaction: &mut Transaction<'_>, step: &Do, turn: &Turn, now: i64) -> String {
    let (id, conversation) = (turn.generation_id, turn.conversation_id);
    match step {
        Do::RunNext { .. } => said(transaction.run_next(conversation).await),
        Do::EditQueued { .. } => said(transaction.edit_queued(id, "edited").await),
        Do::RemoveQueued { .. } => said(transaction.remove_queued(id).await),
        Do::Delete { .. } => {
            said(transaction.delete(conversation, Timestamp::from_millis(now)).await)
        }
        Do::Erase { .. } => said(transaction.erase(conversation).await),
        Do::Rename { .. } => said(transaction.rename(conversation, "renamed").await),
        Do::Deliver { .. } => {
            transaction.deliver(id, &device());
            String::new()
        }
        _ => format!("{}", transaction.append(&[(id, &record(1, 1))])),
    }
}

async fn settle(
    transaction: &mut Transaction<'_>,
    found: &Store,
    turn: &Turn,
    state: GenerationState,
) -> String {
    let id = turn.generation_id;
    // Mostly its own epoch and head, so that packs fit together.
    let epoch = found.generation(id).await.unwrap().map_or(9, |found| found.epoch);
    let head = found.packed_records(id).await.unwrap().last().map_or(0, |last| last.seq) + 1;
    let interrupted = state == GenerationState::Interrupted;
    let settled = Settled {
        generation_id: id,
        conversation_id: turn.conversation_id,
        message_id: turn.message_id,
        epoch,
        state,
        head_seq: head,
        content: "answered",
        reasoning: "thought",
        reasoning_ms: Some(1_500),
        tool_events: &[tool_step()],
        citations: &[citation()],
        finish_reason: (!interrupted).then_some(FinishReason::Stop),
        input_tokens: 3,
        output_tokens: 4,
        error: interrupted.then_some((ErrorCode::OwnerLost, "lost")),
        records: &[record(epoch, head)],
        at: Timestamp::from_millis(150),
    };
    said(transaction.settle(&[settled]).await)
}

async fn take_over(transaction: &mut Transaction<'_>, found: &Store, id: GenerationId) -> String {
    let Some(generation) = found.generation(id).await.unwrap() else { return String::new() };
    let head = found.packed_records(id).await.unwrap().last().map_or(0, |last| last.seq) + 1;
    let records = [record(generation.epoch, head)];
    said(transaction.take_over(id, generation.epoch, head, &records).await)
}

async fn belongings(
    transaction: &mut Transaction<'_>,
    principal_id: PrincipalId,
    at: i64,
) -> Result<Option<PrincipalId>, unbroken_store::StoreError> {
    let now = Timestamp::from_millis(at);
    let session = Session { device_id: device(), principal_id, expires_at: now };
    transaction.put_session(secret(), &session, now).await?;
    transaction.set_preference(principal_id, (at % 2 == 0).then_some("model")).await?;
    let id = |at: i64| PromptId::from_bytes([u8::try_from(at % 5).unwrap(); 16]);
    let (name, text) = (format!("prompt {at}"), "Sum {{text}} up".into());
    let prompt = Prompt { prompt_id: id(at), name, text, updated_at: now };
    let room = transaction.put_prompt(principal_id, &prompt, 3).await?;
    if at % 3 == 0 || !room {
        transaction.delete_prompt(principal_id, id(at + 1)).await?;
    }
    let code = SecretHash::of(&at.to_string());
    transaction.take_link_code(code, now).await?;
    transaction.put_link_code(code, principal_id, Timestamp::from_millis(50)).await?;
    transaction.take_link_code(code, now).await
}

fn citation() -> Citation {
    serde_json::from_value(serde_json::json!({
        "index": 1, "source_type": "web", "title": "t", "quote": "q"
    }))
    .unwrap()
}

fn tool_step() -> ToolStep {
    serde_json::from_value(serde_json::json!({
        "call_id": "c", "phase": "call", "name": "search", "data": {"arguments": {"query": "q"}}
    }))
    .unwrap()
}

fn device() -> DeviceId {
    DeviceId("device".into())
}

fn secret() -> SecretHash {
    SecretHash::from(&SessionId::new("secret"))
}

fn said<T: Debug, E: Debug>(result: Result<T, E>) -> String {
    format!("{:?}", result.unwrap())
}

/// Everything that can be read, as text.
async fn everything(store: &Store, known: &Known) -> Vec<String> {
    let mut all = vec![
        said(store.open_generations().await),
        said(store.journal(0).await),
        said(store.session(secret()).await),
        said(store.deleted().await),
        said(store.anything_due(&known.due()).await),
    ];
    all.extend(files::everything(store, known).await);
    for person in known.people {
        for shelf in [Shelf::Kept, Shelf::Archived] {
            all.push(said(store.conversations(person, shelf, 9, None).await));
            all.push(said(store.conversation_count(person, shelf).await));
        }
        let list = store.conversations(person, Shelf::Listed, 3, None).await.unwrap();
        let cursor = list.last().map(|row| unbroken_store::ConversationCursor {
            updated_at: row.conversation.updated_at,
            conversation_id: row.conversation.conversation_id,
        });
        all.push(format!("{list:?}"));
        all.push(said(store.conversations(person, Shelf::Listed, 100, cursor).await));
        all.push(said(store.conversation_count(person, Shelf::Listed).await));
        all.push(said(store.usage_count(person).await));
        all.push(said(store.preference(person).await));
        all.push(said(store.prompts(person).await));
        for text in ["ask", "answered", "edit", "\"a title\"", "renamed"] {
            all.push(said(store.search(person, &Query::parse(text).unwrap()).await));
        }
        for row in list {
            all.push(said(store.history(&row.conversation, None, None).await));
        }
    }
    for turn in &known.turns {
        all.extend(about(store, known, turn).await);
    }
    all
}

async fn about(store: &Store, known: &Known, turn: &Turn) -> Vec<String> {
    let conversation = turn.conversation_id;
    let mut all = vec![
        said(store.generation(turn.generation_id).await),
        said(store.packed_records(turn.generation_id).await),
        said(store.message(turn.message_id).await),
        said(store.branch(turn.message_id).await),
        said(store.delivered(turn.generation_id, &device()).await),
        said(store.newest_generation(conversation).await),
        said(store.queue(conversation).await),
    ];
    for person in known.people {
        if let Some(row) = store.conversation(person, conversation).await.unwrap() {
            let before = Some(turn.message_id);
            all.push(said(store.history(&row.conversation, Some(2), before).await));
        }
    }
    all
}

async fn play(steps: Vec<Do>) {
    let homes = [Home::memory(), Home::sqlite()];
    let [(memory, mut first), (sqlite, mut second)] =
        [homes[0].open().await, homes[1].open().await];
    let mut known = Known {
        people: [PrincipalId::new(), PrincipalId::new()],
        keys: [ClientMessageId::new(), ClientMessageId::new(), ClientMessageId::new()],
        turns: Vec::new(),
        rows: 0,
        now: 0,
    };
    for (number, step) in (1..).zip(&steps) {
        known.now += 10;
        let new = known.asked(step);
        let mut transaction = first.begin(Durability::Process).await.unwrap();
        let here = act(&mut transaction, &known, step, new.as_ref(), &memory).await;
        transaction.commit().await.unwrap();
        let mut transaction = second.begin(Durability::Process).await.unwrap();
        let there = act(&mut transaction, &known, step, new.as_ref(), &sqlite).await;
        transaction.commit().await.unwrap();
        assert_eq!(here.0, there.0, "{step:?}");
        known.rows += i64::from(matches!(step, Do::Journal { .. }) && !here.0.is_empty());
        if let Some(TurnOutcome::Created(turn)) = here.1 {
            known.turns.push(turn);
        }
        if number % READ_EVERY == 0 || number == steps.len() {
            super::index(&mut second).await;
            let here = everything(&memory, &known).await;
            let there = everything(&sqlite, &known).await;
            assert_eq!(here.len(), there.len(), "after {step:?}");
            for (here, there) in here.iter().zip(&there) {
                assert_eq!(here, there, "after {step:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_member_answers_the_same(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(steps));
    }
}
