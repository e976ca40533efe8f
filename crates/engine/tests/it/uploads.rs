//! Files that come in several goes, when they are forgotten and when the store refuses them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use unbroken_documents::Limits;
use unbroken_documents::reader::Reader;
use unbroken_engine::{Engine, Files, Going, Piece, Refusal, Settings};
use unbroken_protocol::{PrincipalId, UploadId, limits};
use unbroken_providers::{Catalogue, CatalogueSettings};
use unbroken_store::Memory;

const BYTES: &[u8] = b"Whales sing.";
const TOTAL: u64 = BYTES.len() as u64;

async fn open(memory: &Memory, folder: &Path) -> Engine {
    let settings = CatalogueSettings { default_model: None, refresh: Duration::from_hours(1) };
    let (store, writer) = memory.open();
    let catalogue = Arc::new(Catalogue::new(Vec::new(), settings));
    // Nothing is read here.
    let reader = Reader::with_program("/nowhere/at/all".into(), Limits::default(), 1);
    let files = Files { folder: folder.to_owned(), quota_bytes: 1000, reader };
    let settings = Settings { files: Some(files), ..Settings::default() };
    Engine::open(store, writer, catalogue, settings).await.unwrap()
}

/// A file of which so much is there.
async fn at(engine: &Engine, me: PrincipalId, id: UploadId, at: u64) -> Piece {
    match engine.go_on_with_upload(me, id, at, TOTAL).await.unwrap() {
        Going::On(piece) => piece,
        Going::There(stored) => panic!("{stored:?}"),
    }
}

async fn finish(engine: &Engine, piece: Piece) -> Result<(), Refusal> {
    engine.finish_upload(piece, "a.txt", |_, _| "text/plain".into()).await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn an_unfinished_file_is_forgotten_while_the_server_runs() {
    let (memory, folder, me) = (Memory::default(), TempDir::new().unwrap(), PrincipalId::new());
    let engine = open(&memory, folder.path()).await;
    let (old, new) = (UploadId::new(), UploadId::new());
    for id in [old, new] {
        at(&engine, me, id, 0).await.write(BYTES[..5].into()).await.unwrap();
    }
    let path = folder.path().join(format!("coming/{me}/{old}"));
    let file = std::fs::File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - limits::UPLOAD_KEPT - Duration::from_mins(1)).unwrap();
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_secs(10)).await;
        engine.received(me, new).await.unwrap();
    }
    assert!(matches!(engine.received(me, old).await, Err(Refusal::NotFound(_))));
}

#[tokio::test]
async fn what_arrived_stays_when_the_store_refuses_it() {
    let (memory, folder) = (Memory::default(), TempDir::new().unwrap());
    let (me, other) = (PrincipalId::new(), PrincipalId::new());
    let engine = open(&memory, folder.path()).await;
    // At first nobody has these bytes, then somebody has.
    for me in [me, other] {
        let id = UploadId::new();
        let mut piece = at(&engine, me, id, 0).await;
        piece.write(BYTES.into()).await.unwrap();
        memory.refuse(true);
        assert!(matches!(finish(&engine, piece).await, Err(Refusal::Storage)));
        let back = async {
            while engine.received(me, id).await.ok() != Some(TOTAL) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(crate::DEADLINE, back).await.unwrap();
        memory.refuse(false);
        let stored = async {
            // Refused once more, it may go on all the same.
            while let Going::On(piece) =
                engine.go_on_with_upload(me, id, TOTAL, TOTAL).await.unwrap()
            {
                let _ = finish(&engine, piece).await;
            }
        };
        tokio::time::timeout(crate::DEADLINE, stored).await.unwrap();
        assert_eq!(engine.files(me).await.unwrap().used, TOTAL);
        assert_eq!(engine.files(me).await.unwrap().files.len(), 1);
    }
}
