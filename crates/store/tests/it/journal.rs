use crate::Home;
use unbroken_protocol::{GenerationId, GenerationState, PrincipalId, Timestamp};
use unbroken_store::{Body, Durability, Record, Sealed, Settled};

crate::for_every_store! {
    the_journal_gives_back_what_was_appended_in_order,
    a_sealed_generation_and_an_older_epoch_refuse_a_settlement,
}

pub(crate) fn record(seq: u64, text: &str) -> Record {
    Record { epoch: 1, seq, at: Timestamp::from_millis(5), body: Body::Content(text.into()) }
}

async fn the_journal_gives_back_what_was_appended_in_order(home: Home) {
    let (store, mut writer) = home.open().await;
    let generation = GenerationId::new();
    let mut ids = Vec::new();
    for seq in 1..=600 {
        let record = record(seq, "x");
        let records = [(generation, &record)];
        // By both ways, and both durabilities.
        let durability = if seq % 3 == 0 { Durability::Power } else { Durability::Process };
        if seq % 5 == 0 {
            let mut transaction = writer.begin(durability).await.unwrap();
            ids.push(transaction.append(&records));
            transaction.commit().await.unwrap();
        } else {
            ids.push(writer.append(durability, &records).await.unwrap());
        }
    }
    assert!(ids.is_sorted());
    let mut seqs = Vec::new();
    let mut after = 0;
    while let Some((last, entries)) = store.journal(after).await.unwrap() {
        seqs.extend(entries.iter().flat_map(|entry| &entry.records).map(|record| record.seq));
        after = last;
    }
    assert_eq!(seqs, (1..=600).collect::<Vec<_>>());

    let mut transaction = super::begin(&mut writer).await;
    transaction.trim_journal(ids[599]);
    transaction.commit().await.unwrap();
    let (_, rest) = store.journal(0).await.unwrap().unwrap();
    assert_eq!(rest.len(), 1);
}

/// B8.5 and B8.6, where they are enforced last.
async fn a_sealed_generation_and_an_older_epoch_refuse_a_settlement(home: Home) {
    let (store, mut writer) = home.open().await;
    let principal = PrincipalId::new();
    let turn =
        super::created(&mut writer, &super::new_turn(principal, super::new_conversation(), "hi"))
            .await;
    let records = [record(1, "so "), record(2, "it goes")];
    let settled = |epoch, state| Settled {
        generation_id: turn.generation_id,
        conversation_id: turn.conversation_id,
        message_id: turn.message_id,
        epoch,
        state,
        head_seq: 2,
        content: "so it goes",
        reasoning: "",
        reasoning_ms: None,
        tool_events: &[],
        citations: &[],
        finish_reason: None,
        input_tokens: 3,
        output_tokens: 4,
        error: None,
        records: &records,
        at: Timestamp::from_millis(2_000),
    };
    let mut transaction = super::begin(&mut writer).await;
    let stale = super::settle(&mut transaction, &settled(2, GenerationState::Completed)).await;
    assert_eq!(stale, Sealed::Stale, "another epoch");
    let done = super::settle(&mut transaction, &settled(1, GenerationState::Completed)).await;
    assert_eq!(done, Sealed::Done { next: None });
    let again = super::settle(&mut transaction, &settled(1, GenerationState::Failed)).await;
    assert_eq!(again, Sealed::Stale, "sealed before");
    transaction.commit().await.unwrap();

    assert_eq!(store.packed_records(turn.generation_id).await.unwrap(), records);
    let generation = store.generation(turn.generation_id).await.unwrap().unwrap();
    assert_eq!(generation.state, GenerationState::Completed);
    assert_eq!(store.message(turn.message_id).await.unwrap().unwrap().content, "so it goes");
    assert!(store.open_generations().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_write_ahead_log_that_began_anew_grows_no_further() {
    let home = Home::sqlite();
    let (store, mut writer) = home.open().await;
    let mut lengths = Vec::new();
    for seq in 1..=200 {
        let mut transaction = super::begin(&mut writer).await;
        let record = record(seq, &"x".repeat(10_000));
        transaction.append(&[(GenerationId::new(), &record)]);
        transaction.commit().await.unwrap();
        if seq % 50 == 0 {
            lengths.push(store.wal_bytes());
            writer.restart_wal().await.unwrap();
        }
    }
    // Each round needs about as much as the one before it, which is there already.
    assert!(lengths[3] < lengths[0] * 3 / 2, "{lengths:?}");
    assert!(store.checkpoint().await.unwrap() < lengths[0] * 3 / 2);
    assert_eq!(store.journal(0).await.unwrap().unwrap().1[0].records[0].seq, 1);
}
