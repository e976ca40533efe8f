use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use unbroken_protocol::{ClientMessageId, GenerationState, PrincipalId, Timestamp};
use unbroken_store::{NewTurn, Place, Sealed, SecretHash, Settled, Shelf, Turn, TurnOutcome};

use crate::Home;

crate::for_every_store! {
    the_same_key_makes_one_turn_and_with_another_body_a_conflict,
    turns_run_in_the_order_in_which_they_were_asked_whatever_their_ids_say,
    ten_turns_wait_and_the_next_is_refused,
    two_answers_to_one_message_run_at_once_and_what_waits_comes_after_both,
    ends_that_are_written_together_are_each_as_if_written_alone,
    what_ends_with_the_answer_before_it_does_not_run_after_it,
    turns_that_are_written_together_are_each_as_if_written_alone,
    a_foreign_conversation_is_not_there,
    history_pages_from_the_end_and_names_siblings,
    branches_can_be_shown_again_and_go_to_their_newest_leaf,
    a_turn_that_waits_can_be_changed_and_taken_out,
    a_first_message_that_is_taken_out_leaves_the_newest_branch_on_the_screen,
}

/// B8.11, where it is enforced.
async fn the_same_key_makes_one_turn_and_with_another_body_a_conflict(home: Home) {
    let (_store, mut writer) = home.open().await;
    let principal = PrincipalId::new();
    let key = ClientMessageId::new();
    let turn = |body: &str| {
        let mut turn = super::new_turn(principal, super::new_conversation(), body);
        turn.client_message = Some((key, SecretHash::of(body)));
        turn
    };
    let first = super::created(&mut writer, &turn("a")).await;
    match super::create(&mut writer, &turn("a")).await {
        TurnOutcome::Repeated(again) => assert_eq!(again.generation_id, first.generation_id),
        other => panic!("{other:?}"),
    }
    assert_eq!(super::create(&mut writer, &turn("b")).await, TurnOutcome::Conflict);
}

async fn ten_turns_wait_and_the_next_is_refused(home: Home) {
    let (store, mut writer) = home.open().await;
    let principal = PrincipalId::new();
    let first =
        super::created(&mut writer, &super::new_turn(principal, super::new_conversation(), "0"))
            .await;
    let conversation = first.conversation_id;
    for n in 1..=10 {
        let next = super::new_turn(principal, Place::Next(conversation), &n.to_string());
        let turn = super::created(&mut writer, &next).await;
        assert_eq!((turn.state, turn.waiting_behind), (GenerationState::Queued, n));
    }
    let more = super::new_turn(principal, Place::Next(conversation), "11");
    assert_eq!(super::create(&mut writer, &more).await, TurnOutcome::Busy);
    let waiting = store.queue(conversation).await.unwrap();
    let texts: Vec<_> = waiting.iter().map(|(_, message)| message.content.as_str()).collect();
    assert_eq!(texts, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
}

async fn two_answers_to_one_message_run_at_once_and_what_waits_comes_after_both(home: Home) {
    let (store, mut writer) = home.open().await;
    let principal = PrincipalId::new();
    let first =
        super::created(&mut writer, &super::new_turn(principal, super::new_conversation(), "1"))
            .await;
    let again = |place| NewTurn {
        user_message_id: first.user_message_id,
        content: None,
        ..super::new_turn(principal, place, "")
    };
    assert_eq!(super::create(&mut writer, &again(Place::Again)).await, TurnOutcome::Busy);
    let second = super::created(&mut writer, &again(Place::Beside)).await;
    assert_eq!((second.state, second.waiting_behind), (GenerationState::Running, 0));
    assert_eq!(super::create(&mut writer, &again(Place::Beside)).await, TurnOutcome::Busy);
    let next = super::new_turn(principal, Place::Next(first.conversation_id), "2");
    let next = super::created(&mut writer, &next).await;
    assert_eq!((next.state, next.waiting_behind), (GenerationState::Queued, 1));

    for (turn, runs) in [(&first, None), (&second, Some(next.generation_id))] {
        let mut transaction = super::begin(&mut writer).await;
        let sealed = super::settle(&mut transaction, &settled(turn)).await;
        transaction.commit().await.unwrap();
        assert_eq!(sealed, Sealed::Done { next: runs });
    }
    // What waits behind an answer would be on another branch than what is shown.
    assert_eq!(super::create(&mut writer, &again(Place::Beside)).await, TurnOutcome::Busy);
    let row = store.conversation(principal, first.conversation_id).await.unwrap().unwrap();
    assert!(row.running);
    assert!(store.is_in(second.message_id, first.conversation_id).await.unwrap());
}

async fn ends_that_are_written_together_are_each_as_if_written_alone(home: Home) {
    let (store, mut writer) = home.open().await;
    let principal = PrincipalId::new();
    let mut turns = Vec::new();
    let mut waiting = Vec::new();
    for n in 0..21 {
        let new = super::new_turn(principal, super::new_conversation(), "first");
        let turn = super::created(&mut writer, &new).await;
        let next = super::new_turn(principal, Place::Next(turn.conversation_id), "next");
        waiting.push(match n % 3 {
            0 => Some(super::created(&mut writer, &next).await.generation_id),
            _ => None,
        });
        turns.push(turn);
    }
    let texts: Vec<String> = (0..21).map(|n| format!("answer {n}")).collect();
    let end = |n: usize| Settled {
        // Every fifth is another run's.
        epoch: if n % 5 == 4 { 2 } else { 1 },
        content: &texts[n],
        ..settled(&turns[n])
    };
    let ends: Vec<Settled<'_>> = (0..21).map(end).collect();
    let mut transaction = super::begin(&mut writer).await;
    let sealed = transaction.settle(&ends).await.unwrap();
    transaction.commit().await.unwrap();

    for (n, sealed) in sealed.iter().enumerate() {
        let is_stale = n % 5 == 4;
        let expected = if is_stale { Sealed::Stale } else { Sealed::Done { next: waiting[n] } };
        assert_eq!(*sealed, expected, "{n}");
        let content = store.message(turns[n].message_id).await.unwrap().unwrap().content;
        assert_eq!(content, if is_stale { "" } else { &texts[n] });
    }
}

async fn what_ends_with_the_answer_before_it_does_not_run_after_it(home: Home) {
    let (store, mut writer) = home.open().await;
    let principal = PrincipalId::new();
    let new = super::new_turn(principal, super::new_conversation(), "1");
    let first = super::created(&mut writer, &new).await;
    let next = |text| super::new_turn(principal, Place::Next(first.conversation_id), text);
    let second = super::created(&mut writer, &next("2")).await;
    let third = super::created(&mut writer, &next("3")).await;
    let stopped = Settled { state: GenerationState::Stopped, ..settled(&second) };
    let mut transaction = super::begin(&mut writer).await;
    let sealed = transaction.settle(&[settled(&first), stopped]).await.unwrap();
    transaction.commit().await.unwrap();
    let next = Some(third.generation_id);
    assert_eq!(sealed, [Sealed::Done { next }, Sealed::Done { next: None }]);
    for (turn, state) in [(&second, GenerationState::Stopped), (&third, GenerationState::Running)] {
        let found = store.generation(turn.generation_id).await.unwrap().unwrap();
        assert_eq!(found.state, state);
    }
}

async fn turns_that_are_written_together_are_each_as_if_written_alone(home: Home) {
    let (store, mut writer) = home.open().await;
    let principal = PrincipalId::new();
    let keyed = |key: ClientMessageId, text: &str| NewTurn {
        client_message: Some((key, SecretHash::of(text))),
        ..super::new_turn(principal, super::new_conversation(), text)
    };
    let [used, new, other] = [(); 3].map(|()| ClientMessageId::new());
    let before = super::created(&mut writer, &keyed(used, "before")).await;
    let text = "a \u{0} \"quote\", a \\, a \n and an ä🦀";
    let turns = [
        keyed(new, text),
        // A person may press twice, and say the same key for something else.
        keyed(new, text),
        keyed(new, "something else"),
        keyed(used, "before"),
        super::new_turn(principal, super::new_conversation(), "without a key"),
        keyed(other, "2"),
        super::new_turn(principal, super::new_conversation(), "3"),
        super::new_turn(principal, super::new_conversation(), "4"),
        super::new_turn(principal, Place::Next(before.conversation_id), "next"),
    ];
    let mut transaction = super::begin(&mut writer).await;
    transaction.look_up_keys(turns.iter()).await.unwrap();
    let mut outcomes = Vec::new();
    for turn in &turns {
        outcomes.push(transaction.create_turn(turn).await.unwrap());
    }
    transaction.commit().await.unwrap();

    let said: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            TurnOutcome::Created(turn) => ("created", Some(turn.generation_id)),
            TurnOutcome::Repeated(turn) => ("repeated", Some(turn.generation_id)),
            TurnOutcome::Conflict => ("conflict", None),
            TurnOutcome::NotFound | TurnOutcome::Busy => ("refused", None),
        })
        .collect();
    let made = |n: usize| Some(turns[n].generation_id);
    let expected = [
        ("created", made(0)),
        ("repeated", made(0)),
        ("conflict", None),
        ("repeated", Some(before.generation_id)),
        ("created", made(4)),
        ("created", made(5)),
        ("created", made(6)),
        ("created", made(7)),
        ("created", made(8)),
    ];
    assert_eq!(said, expected);
    let asked = store.message(turns[0].user_message_id).await.unwrap().unwrap();
    assert_eq!(asked.content, text);
    let count = store.usage_count(principal).await.unwrap();
    assert_eq!(count, 7);
}

fn settled(turn: &Turn) -> Settled<'_> {
    Settled {
        generation_id: turn.generation_id,
        conversation_id: turn.conversation_id,
        message_id: turn.message_id,
        epoch: turn.epoch,
        state: GenerationState::Completed,
        head_seq: 0,
        content: "",
        reasoning: "",
        reasoning_ms: None,
        tool_events: &[],
        citations: &[],
        finish_reason: None,
        input_tokens: 0,
        output_tokens: 0,
        error: None,
        records: &[],
        at: Timestamp::from_millis(2_000),
    }
}

/// B8.18, where it is enforced.
async fn a_foreign_conversation_is_not_there(home: Home) {
    let (store, mut writer) = home.open().await;
    let (owner, stranger) = (PrincipalId::new(), PrincipalId::new());
    let turn =
        super::created(&mut writer, &super::new_turn(owner, super::new_conversation(), "hi")).await;
    assert!(store.conversation(stranger, turn.conversation_id).await.unwrap().is_none());
    let intruder = super::new_turn(stranger, Place::Next(turn.conversation_id), "mine");
    assert_eq!(super::create(&mut writer, &intruder).await, TurnOutcome::NotFound);
}

async fn history_pages_from_the_end_and_names_siblings(home: Home) {
    let (store, mut writer) = home.open().await;
    let owner = PrincipalId::new();
    let first =
        super::created(&mut writer, &super::new_turn(owner, super::new_conversation(), "1")).await;
    let existing = Place::Next(first.conversation_id);
    let mut last = first.clone();
    for text in ["2", "3"] {
        last = super::created(&mut writer, &super::new_turn(owner, existing.clone(), text)).await;
    }
    let beside = Place::After(first.conversation_id, first.message_id);
    let branch = super::new_turn(owner, beside, "2, edited");
    let edited = super::created(&mut writer, &branch).await;

    let row = store.conversation(owner, first.conversation_id).await.unwrap().unwrap();
    assert!(row.running);
    let page = store.history(&row.conversation, Some(3), None).await.unwrap().unwrap();
    assert_eq!(page.total, 4);
    assert_eq!(page.messages.len(), 3);
    assert_eq!(page.messages[0].message.message_id, first.message_id);
    assert_eq!(page.messages[1].sibling_ids.len(), 2);
    assert_eq!(page.messages[2].message.message_id, edited.message_id);

    let older =
        store.history(&row.conversation, None, Some(first.message_id)).await.unwrap().unwrap();
    assert_eq!(older.messages.len(), 1);
    let off_branch = store.history(&row.conversation, None, Some(last.message_id)).await.unwrap();
    assert!(off_branch.is_none());
}

async fn branches_can_be_shown_again_and_go_to_their_newest_leaf(home: Home) {
    let (store, mut writer) = home.open().await;
    let owner = PrincipalId::new();
    let first =
        super::created(&mut writer, &super::new_turn(owner, super::new_conversation(), "1")).await;
    let id = first.conversation_id;
    let second = super::created(&mut writer, &super::new_turn(owner, Place::Next(id), "2")).await;
    let root = super::created(&mut writer, &super::new_turn(owner, Place::Root(id), "1b")).await;
    let selected = async || {
        store.conversation(owner, id).await.unwrap().unwrap().conversation.selected_message_id
    };
    assert_eq!(selected().await, root.message_id);
    let mut transaction = super::begin(&mut writer).await;
    assert!(transaction.select_branch(id, first.user_message_id).await.unwrap());
    assert!(!transaction.select_branch(id, unbroken_protocol::MessageId::new()).await.unwrap());
    transaction.commit().await.unwrap();
    assert_eq!(selected().await, second.message_id);
}

async fn a_turn_that_waits_can_be_changed_and_taken_out(home: Home) {
    let (store, mut writer) = home.open().await;
    let owner = PrincipalId::new();
    let first =
        super::created(&mut writer, &super::new_turn(owner, super::new_conversation(), "1")).await;
    let id = first.conversation_id;
    let second = super::created(&mut writer, &super::new_turn(owner, Place::Next(id), "2")).await;
    let third = super::created(&mut writer, &super::new_turn(owner, Place::Next(id), "3")).await;
    let mut transaction = super::begin(&mut writer).await;
    assert!(transaction.edit_queued(third.generation_id, "3, better").await.unwrap());
    assert!(!transaction.edit_queued(first.generation_id, "too late").await.unwrap());
    assert!(transaction.remove_queued(second.generation_id).await.unwrap());
    assert!(!transaction.remove_queued(second.generation_id).await.unwrap());
    transaction.commit().await.unwrap();
    let branch = store.branch(third.message_id).await.unwrap();
    let texts: Vec<_> = branch.iter().map(|message| message.content.as_str()).collect();
    assert_eq!(texts, ["1", "", "3, better", ""]);
    assert_eq!(store.queue(id).await.unwrap().len(), 1);
}

async fn a_first_message_that_is_taken_out_leaves_the_newest_branch_on_the_screen(home: Home) {
    let (store, mut writer) = home.open().await;
    let owner = PrincipalId::new();
    let first =
        super::created(&mut writer, &super::new_turn(owner, super::new_conversation(), "1")).await;
    let id = first.conversation_id;
    let beside = super::created(&mut writer, &super::new_turn(owner, Place::Root(id), "1b")).await;
    assert_eq!(beside.state, GenerationState::Queued);
    let mut transaction = super::begin(&mut writer).await;
    assert!(transaction.remove_queued(beside.generation_id).await.unwrap());
    transaction.commit().await.unwrap();
    let row = store.conversation(owner, id).await.unwrap().unwrap();
    assert_eq!(row.conversation.selected_message_id, first.message_id);
}

/// Ids sort by the clock of the process that made them, and the next process may have another one.
async fn turns_run_in_the_order_in_which_they_were_asked_whatever_their_ids_say(home: Home) {
    let (store, mut writer) = home.open().await;
    let owner = PrincipalId::new();
    let mut later = super::new_turn(owner, super::new_conversation(), "later");
    let first =
        super::created(&mut writer, &super::new_turn(owner, super::new_conversation(), "1")).await;
    let next = Place::Next(first.conversation_id);
    let second = super::created(&mut writer, &super::new_turn(owner, next.clone(), "2")).await;
    later.place = next;
    assert!(later.generation_id < second.generation_id);
    super::created(&mut writer, &later).await;
    let queue = store.queue(first.conversation_id).await.unwrap();
    let waiting: Vec<_> = queue.iter().map(|(id, _)| *id).collect();
    assert_eq!(waiting, [second.generation_id, later.generation_id]);
    let newest = store.newest_generation(first.conversation_id).await.unwrap().unwrap();
    assert_eq!(newest.generation_id, later.generation_id);
    let mut transaction = super::begin(&mut writer).await;
    assert!(transaction.remove_queued(first.generation_id).await.is_ok_and(|removed| !removed));
    assert_eq!(transaction.run_next(first.conversation_id).await.unwrap(), None, "one runs");
}

#[tokio::test]
async fn what_was_stored_before_it_was_counted_is_counted_after_the_next_start() {
    let home = Home::sqlite();
    let owner = PrincipalId::new();
    let (store, mut writer) = home.open().await;
    let first =
        super::created(&mut writer, &super::new_turn(owner, super::new_conversation(), "first"))
            .await;
    let id = first.conversation_id;
    super::created(&mut writer, &super::new_turn(owner, Place::Next(id), "second")).await;
    super::created(&mut writer, &super::new_turn(owner, Place::Root(id), "beside")).await;
    let last =
        super::created(&mut writer, &super::new_turn(owner, Place::Next(id), "after it")).await;
    store.close().await;
    writer.close().await.unwrap();
    drop(store);
    forget_the_counts(&home).await;
    let (store, _writer) = home.open().await;
    assert_eq!(store.conversation_count(owner, Shelf::Listed).await.unwrap(), 1);
    assert_eq!(store.usage_count(owner).await.unwrap(), 4);
    let conversation = store.conversation(owner, id).await.unwrap().unwrap().conversation;
    let page = store.history(&conversation, Some(1), None).await.unwrap().unwrap();
    assert_eq!((page.total, page.messages[0].message.message_id), (4, last.message_id));
}

/// Makes the database what it was before `0003_long_lists.sql`.
async fn forget_the_counts(home: &Home) {
    let Home::Sqlite(folder) = home else { panic!("only a folder has migrations") };
    let options = SqliteConnectOptions::new().filename(folder.path().join("unbroken.db"));
    let mut connection = options.connect().await.unwrap();
    for statement in [
        "DROP TABLE counts",
        "ALTER TABLE messages DROP COLUMN depth",
        "DELETE FROM _sqlx_migrations WHERE version = 3",
    ] {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
}
