use tempfile::TempDir;
use unbroken_protocol::{GenerationId, PrincipalId};
use unbroken_store::{Durability, Memory, Shelf, Store, StoreError};

use crate::Home;
use crate::journal::record;

crate::for_every_store! {
    a_process_that_lost_the_store_cannot_write,
    a_transaction_that_is_dropped_changes_nothing,
    what_was_dropped_is_undone_before_records_are_appended,
    what_was_committed_is_there_for_the_next_process,
}

/// B8.6: a paused process that wakes up cannot write.
async fn a_process_that_lost_the_store_cannot_write(home: Home) {
    let (store, mut writer) = home.open().await;
    let (_other_store, mut other) = home.take().await;
    assert_ne!(writer.run(), other.run());
    let record = record(1, "late");
    let change = async {
        let mut transaction = writer.begin(Durability::Power).await?;
        transaction.append(&[(GenerationId::new(), &record)]);
        transaction.commit().await
    };
    assert!(matches!(change.await, Err(StoreError::OwnerLost)));
    for durability in [Durability::Process, Durability::Power] {
        let late = writer.append(durability, &[(GenerationId::new(), &record)]).await;
        assert!(matches!(late, Err(StoreError::OwnerLost)));
    }
    assert_eq!(store.journal(0).await.unwrap(), None);
    let principal = PrincipalId::new();
    super::created(&mut other, &super::new_turn(principal, super::new_conversation(), "hi")).await;
    assert_eq!(store.conversation_count(principal, Shelf::Listed).await.unwrap(), 1);
}

async fn a_transaction_that_is_dropped_changes_nothing(home: Home) {
    let (store, mut writer) = home.open().await;
    let principal = PrincipalId::new();
    let turn = super::new_turn(principal, super::new_conversation(), "hi");
    let mut transaction = super::begin(&mut writer).await;
    transaction.create_turn(&turn).await.unwrap();
    drop(transaction);
    assert_eq!(store.conversation_count(principal, Shelf::Listed).await.unwrap(), 0);
    super::created(&mut writer, &turn).await;
    assert_eq!(store.conversation_count(principal, Shelf::Listed).await.unwrap(), 1);
}

async fn what_was_dropped_is_undone_before_records_are_appended(home: Home) {
    let (store, mut writer) = home.open().await;
    let principal = PrincipalId::new();
    let mut transaction = super::begin(&mut writer).await;
    let turn = super::new_turn(principal, super::new_conversation(), "hi");
    transaction.create_turn(&turn).await.unwrap();
    drop(transaction);
    let record = record(1, "x");
    writer.append(Durability::Process, &[(GenerationId::new(), &record)]).await.unwrap();
    assert_eq!(store.conversation_count(principal, Shelf::Listed).await.unwrap(), 0);
    assert_eq!(store.journal(0).await.unwrap().unwrap().1[0].records, [record]);
}

async fn what_was_committed_is_there_for_the_next_process(home: Home) {
    let (store, mut writer) = home.open().await;
    let principal = PrincipalId::new();
    let turn = super::new_turn(principal, super::new_conversation(), "hi");
    let turn = super::created(&mut writer, &turn).await;
    writer.close().await.unwrap();
    store.close().await;
    drop(store);
    let (store, _writer) = home.open().await;
    let open = store.open_generations().await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].generation_id, turn.generation_id);
}

#[tokio::test]
async fn a_second_process_does_not_get_the_folder() {
    let folder = TempDir::new().unwrap();
    let _first = Store::open(folder.path()).await.unwrap();
    let second = Store::open(folder.path()).await;
    assert!(matches!(second, Err(StoreError::Locked(_))));
}

/// The store in memory fences at the commit too: nothing keeps a second process from opening it.
#[tokio::test]
async fn in_memory_a_transaction_that_was_begun_before_the_loss_is_refused() {
    let memory = Memory::default();
    let (store, mut writer) = memory.open();
    let principal = PrincipalId::new();
    let mut transaction = super::begin(&mut writer).await;
    let turn = super::new_turn(principal, super::new_conversation(), "hi");
    transaction.create_turn(&turn).await.unwrap();
    let _other = memory.open();
    assert!(matches!(transaction.commit().await, Err(StoreError::OwnerLost)));
    assert_eq!(store.conversation_count(principal, Shelf::Listed).await.unwrap(), 0);
}

#[tokio::test]
async fn a_full_store_refuses_a_commit_and_takes_it_when_there_is_room() {
    let memory = Memory::default();
    let (store, mut writer) = memory.open();
    let principal = PrincipalId::new();
    let turn = super::new_turn(principal, super::new_conversation(), "hi");
    memory.refuse(true);
    let mut transaction = super::begin(&mut writer).await;
    transaction.create_turn(&turn).await.unwrap();
    assert!(matches!(transaction.commit().await, Err(StoreError::Full)));
    assert_eq!(store.conversation_count(principal, Shelf::Listed).await.unwrap(), 0);
    memory.refuse(false);
    super::created(&mut writer, &turn).await;
    assert_eq!(store.conversation_count(principal, Shelf::Listed).await.unwrap(), 1);
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_there_for_the_next_process() {
    let memory = Memory::default();
    let (_store, mut writer) = memory.open();
    let principal = PrincipalId::new();
    let turn = super::new_turn(principal, super::new_conversation(), "hi");
    let died = memory.die_after_commit();
    tokio::select! {
        _ = super::create(&mut writer, &turn) => panic!("nobody hears of this commit"),
        died = died => died.unwrap(),
    }
    let (store, _writer) = memory.open();
    assert_eq!(store.conversation_count(principal, Shelf::Listed).await.unwrap(), 1);
}
