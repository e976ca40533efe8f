use unbroken_store::{Durability, Store, StoreError};

#[tokio::test]
async fn a_second_process_does_not_get_the_folder() {
    let (folder, _store, _writer) = super::open().await;
    let second = Store::open(folder.path()).await;
    assert!(matches!(second, Err(StoreError::Locked(_))));
}

#[tokio::test]
async fn the_folder_is_free_when_its_owner_is_gone() {
    let (folder, store, writer) = super::open().await;
    writer.close().await.unwrap();
    store.close().await;
    drop(store);
    Store::open(folder.path()).await.unwrap();
}

/// B8.6: a paused process that wakes up cannot write.
#[tokio::test]
async fn a_process_that_lost_the_folder_cannot_write() {
    let (folder, _store, mut writer) = super::open().await;
    // The lock is on the file, not on its name: like a copy on another host's disk.
    std::fs::remove_file(folder.path().join("lock")).unwrap();
    let (_other_store, mut other) = Store::open(folder.path()).await.unwrap();
    assert!(matches!(writer.begin(Durability::Power).await, Err(StoreError::OwnerLost)));
    other.begin(Durability::Power).await.unwrap();
}
