//! Files that are brought in, when the process or the client ends in the middle.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use unbroken_engine::{Engine, NewImport, Refusal, Settings};
use unbroken_protocol::{ImportId, ImportState, ImportView, PrincipalId, Timestamp};
use unbroken_providers::{Catalogue, CatalogueSettings};
use unbroken_store::{Durability, Import, Memory, Writer};

use crate::{DEADLINE, go_away};

async fn open(memory: &Memory, folder: &Path) -> Engine {
    let settings = CatalogueSettings { default_model: None, refresh: Duration::from_hours(1) };
    let (store, writer) = memory.open();
    let catalogue = Arc::new(Catalogue::new(Vec::new(), settings));
    let settings = Settings { imports: Some(folder.to_owned()), ..Settings::default() };
    Engine::open(store, writer, catalogue, settings).await.unwrap()
}

/// What a process that was killed left: an import from which nothing came in yet.
async fn leave(writer: &mut Writer, principal_id: PrincipalId, folder: &Path) -> ImportId {
    let import = Import {
        import_id: ImportId::new(),
        principal_id,
        state: ImportState::Waiting,
        created_at: Timestamp::from_millis(1),
        done: 0,
        total: 0,
        conversations: 0,
        messages: 0,
        unchanged: 0,
        notes: "{}".into(),
        error: None,
    };
    let mut transaction = writer.begin(Durability::Power).await.unwrap();
    transaction.put_import(&import).await.unwrap();
    transaction.commit().await.unwrap();
    std::fs::write(folder.join(format!("{}.import", import.import_id)), "[]").unwrap();
    import.import_id
}

async fn over(engine: &Engine, me: PrincipalId, id: ImportId) -> ImportView {
    let over = async {
        loop {
            let import = engine.import(me, id).await.unwrap();
            if import.state.is_over() {
                return import;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, over).await.unwrap()
}

#[tokio::test]
async fn an_import_that_ends_the_process_again_and_again_is_given_up() {
    let (memory, folder, me) = (Memory::default(), TempDir::new().unwrap(), PrincipalId::new());
    let mut left = Vec::new();
    {
        let (_store, mut writer) = memory.open();
        for runs in ["0/0 2", "0/0 3", "1/0 3", "what else"] {
            let id = leave(&mut writer, me, folder.path()).await;
            std::fs::write(folder.path().join(format!("{id}.runs")), runs).unwrap();
            left.push(id);
        }
    }
    let engine = open(&memory, folder.path()).await;
    let mut states = Vec::new();
    for id in left {
        let import = over(&engine, me, id).await;
        let reads_on = import.error.is_none_or(|why| why.contains("does not read it again"));
        states.push((import.state, reads_on));
    }
    let done = (ImportState::Done, true);
    assert_eq!(states, [done, (ImportState::Failed, true), done, done]);
    engine.close().await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left of them");
}

async fn arrived(engine: &Engine, me: PrincipalId) -> NewImport {
    let new = engine.new_import(me).await.unwrap();
    std::fs::write(new.path(), "[]").unwrap();
    new
}

#[tokio::test]
async fn an_import_begins_when_its_client_went_away_during_the_commit() {
    let (memory, folder, me) = (Memory::default(), TempDir::new().unwrap(), PrincipalId::new());
    let engine = open(&memory, folder.path()).await;
    let new = arrived(&engine, me).await;
    go_away(engine.begin_import(new)).await;
    let put = async {
        loop {
            if let [import] = &engine.imports(me).await.unwrap().imports[..] {
                return import.import_id;
            }
            tokio::task::yield_now().await;
        }
    };
    let id = tokio::time::timeout(DEADLINE, put).await.unwrap();
    assert_eq!(over(&engine, me, id).await.state, ImportState::Done);
}

#[tokio::test]
async fn imports_that_are_still_sent_count_as_those_under_way_do() {
    let (memory, folder) = (Memory::default(), TempDir::new().unwrap());
    let (me, other) = (PrincipalId::new(), PrincipalId::new());
    let engine = open(&memory, folder.path()).await;
    let mut coming = Vec::new();
    for _ in 0..3 {
        coming.push(arrived(&engine, me).await);
    }
    assert!(matches!(engine.new_import(me).await, Err(Refusal::Conflict(_))));
    assert!(engine.new_import(other).await.is_ok());
    coming.pop();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "its file went with it");
    let last = arrived(&engine, me).await;
    let begun = engine.begin_import(last).await.unwrap();
    over(&engine, me, begun.import_id).await;
    assert!(engine.new_import(me).await.is_ok(), "what is over does not count");
}
