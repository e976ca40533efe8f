//! Files, what can be read in them, and collections.

use std::sync::atomic::{AtomicU32, Ordering};

use unbroken_protocol::{CollectionId, FileId, FileState, PrincipalId, Source, Timestamp, limits};
use unbroken_store::{
    Collected, Collection, CollectionChange, ContentHash, File, FileOutcome, NewFile, Passage,
    ReadStep, Ready, Store, Terms, Whose, Writer,
};

use crate::{Home, begin, created, for_every_store, new_conversation, new_turn};

for_every_store!(
    the_same_bytes_are_one_file_and_one_document,
    a_person_has_no_more_bytes_than_allowed,
    a_document_is_ready_with_its_last_passages,
    an_earlier_reading_writes_nothing_more,
    a_document_goes_with_its_last_file,
    who_brings_deleted_bytes_again_has_them_read_anew,
    a_reading_of_deleted_bytes_puts_nothing_into_the_next,
    a_reading_of_deleted_bytes_writes_nothing_when_they_are_brought_again,
    what_the_machine_failed_to_read_is_read_anew_when_it_is_brought_again,
    a_person_has_no_more_files_than_allowed,
    passages_are_found_by_any_word_in_the_chosen_documents_only,
    many_documents_can_be_looked_into_at_once,
    collections_hold_files_of_one_person,
    forgetting_takes_files_and_collections,
    a_message_keeps_its_sources,
);

pub(crate) fn new_file(principal_id: PrincipalId, content: u8) -> NewFile {
    NewFile {
        file_id: FileId::new(),
        principal_id,
        name: "whales.txt".into(),
        media_type: "application/octet-stream".into(),
        bytes: 100,
        content: ContentHash::new([content; 32]),
        at: Timestamp::from_millis(7),
    }
}

async fn put(writer: &mut Writer, new: &NewFile) -> FileOutcome {
    let mut transaction = begin(writer).await;
    let outcome = transaction.put_file(new, 1000).await.unwrap();
    transaction.commit().await.unwrap();
    outcome
}

pub(crate) async fn made(writer: &mut Writer, new: &NewFile) -> (File, bool) {
    match put(writer, new).await {
        FileOutcome::Created { file, is_new } => (file, is_new),
        other => panic!("not created: {other:?}"),
    }
}

pub(crate) async fn attempt(writer: &mut Writer, content: ContentHash) -> Option<u32> {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let attempt = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    let mut transaction = begin(writer).await;
    let begun = transaction.begin_reading(content, attempt).await.unwrap();
    transaction.commit().await.unwrap();
    begun.then_some(attempt)
}

fn passages(from: u32, texts: &[&str]) -> Vec<Passage> {
    let passage = |(ordinal, text): (u32, &&str)| Passage {
        ordinal,
        page: Some(ordinal + 1),
        heading: "The sea > Whales".into(),
        text: (*text).to_owned(),
    };
    (from..).zip(texts).map(passage).collect()
}

fn ready() -> Ready {
    Ready { title: Some("Moby".into()), media_type: "text/plain".into(), pages: Some(3) }
}

async fn step(writer: &mut Writer, step: ReadStep) -> bool {
    let mut transaction = begin(writer).await;
    let done = transaction.put_passages(&step).await.unwrap();
    transaction.commit().await.unwrap();
    done
}

pub(crate) async fn read(writer: &mut Writer, content: ContentHash, texts: &[&str]) {
    let attempt = attempt(writer, content).await.unwrap();
    let whole = ReadStep::new(content, attempt, passages(0, texts), Some(ready()));
    assert!(step(writer, whole).await);
}

pub(crate) async fn drop_all(writer: &mut Writer, content: ContentHash, whose: Whose) {
    let mut transaction = begin(writer).await;
    while transaction.drop_passages(content, whose, 2).await.unwrap() {}
    transaction.commit().await.unwrap();
}

pub(crate) async fn delete(writer: &mut Writer, file: &File) {
    let mut transaction = begin(writer).await;
    let deleted = transaction.delete_file(file.principal_id, file.file_id).await.unwrap();
    assert_eq!(deleted, Some(file.content));
    transaction.commit().await.unwrap();
}

async fn found(store: &Store, among: &[ContentHash], question: &str) -> Vec<String> {
    let terms = Terms::of(question).unwrap();
    let found = store.find_passages(among, &terms, 10).await.unwrap();
    found.into_iter().map(|found| found.passage.text).collect()
}

async fn the_same_bytes_are_one_file_and_one_document(home: Home) {
    let (store, mut writer) = home.open().await;
    let (me, other) = (PrincipalId::new(), PrincipalId::new());
    let (mine, is_new) = made(&mut writer, &new_file(me, 1)).await;
    assert!(is_new);
    assert_eq!(put(&mut writer, &new_file(me, 1)).await, FileOutcome::Repeated(mine.clone()));
    let (theirs, is_new) = made(&mut writer, &new_file(other, 1)).await;
    assert!(!is_new, "it is read once");
    assert_eq!(store.files(me).await.unwrap(), std::slice::from_ref(&mine));
    assert_eq!(store.file(other, mine.file_id).await.unwrap(), None);
    assert_eq!(store.files_with(mine.content).await.unwrap(), [mine.clone(), theirs]);
    assert_eq!(store.unread().await.unwrap(), [mine.content]);
}

async fn a_person_has_no_more_bytes_than_allowed(home: Home) {
    let (_, mut writer) = home.open().await;
    let me = PrincipalId::new();
    let large = |content| NewFile { bytes: 600, ..new_file(me, content) };
    let (first, _) = made(&mut writer, &large(1)).await;
    assert_eq!(put(&mut writer, &large(2)).await, FileOutcome::Full);
    assert_eq!(put(&mut writer, &large(1)).await, FileOutcome::Repeated(first.clone()));
    made(&mut writer, &NewFile { principal_id: PrincipalId::new(), ..large(2) }).await;
    delete(&mut writer, &first).await;
    made(&mut writer, &large(2)).await;
}

async fn a_document_is_ready_with_its_last_passages(home: Home) {
    let (store, mut writer) = home.open().await;
    let me = PrincipalId::new();
    let (file, _) = made(&mut writer, &new_file(me, 1)).await;
    let content = file.content;
    let attempt = attempt(&mut writer, content).await.unwrap();
    let first = ReadStep::new(content, attempt, passages(0, &["one"]), None);
    assert!(step(&mut writer, first).await);
    assert_eq!(store.passages(content, 0, 9).await.unwrap(), []);
    let last = ReadStep::new(content, attempt, passages(1, &["two", "ä"]), Some(ready()));
    assert!(step(&mut writer, last).await);
    let read = store.file(me, file.file_id).await.unwrap().unwrap();
    let expected = File {
        state: FileState::Ready,
        media_type: "text/plain".into(),
        title: Some("Moby".into()),
        pages: Some(3),
        passages: 3,
        chars: 7,
        ..file
    };
    assert_eq!(read, expected);
    assert_eq!(store.passages(content, 1, 1).await.unwrap(), passages(1, &["two"]));
    assert_eq!(store.passages(content, 0, 9).await.unwrap().len(), 3);
    assert_eq!(store.unread().await.unwrap(), []);
}

async fn an_earlier_reading_writes_nothing_more(home: Home) {
    let (store, mut writer) = home.open().await;
    let (file, _) = made(&mut writer, &new_file(PrincipalId::new(), 1)).await;
    let content = file.content;
    let first = attempt(&mut writer, content).await.unwrap();
    let part = |attempt, texts: &[&str]| ReadStep::new(content, attempt, passages(0, texts), None);
    assert!(step(&mut writer, part(first, &["one", "two", "three"])).await);
    let second = attempt(&mut writer, content).await.unwrap();
    assert!(!step(&mut writer, part(first, &["late"])).await);
    drop_all(&mut writer, content, Whose::Reading(first)).await;
    drop_all(&mut writer, content, Whose::Reading(second)).await;
    let whole = ReadStep::new(content, second, passages(0, &["whole"]), Some(ready()));
    assert!(step(&mut writer, whole).await);
    assert_eq!(store.passages(content, 0, 9).await.unwrap(), passages(0, &["whole"]));
    let mut transaction = begin(&mut writer).await;
    assert!(!transaction.refuse_document(content, second, "empty").await.unwrap());
    assert!(!transaction.begin_reading(content, 7).await.unwrap());
}

async fn a_document_goes_with_its_last_file(home: Home) {
    let (store, mut writer) = home.open().await;
    let (mine, _) = made(&mut writer, &new_file(PrincipalId::new(), 1)).await;
    let (theirs, _) = made(&mut writer, &new_file(PrincipalId::new(), 1)).await;
    let content = mine.content;
    read(&mut writer, content, &["one", "two", "three"]).await;
    delete(&mut writer, &mine).await;
    assert_eq!(store.deleted_documents().await.unwrap(), []);
    drop_all(&mut writer, content, Whose::Deleted).await;
    assert_eq!(store.passages(content, 0, 9).await.unwrap().len(), 3, "somebody has it");
    delete(&mut writer, &theirs).await;
    assert_eq!(store.deleted_documents().await.unwrap(), [content]);
    assert_eq!(found(&store, &[content], "two").await, [""; 0]);
    let mut transaction = begin(&mut writer).await;
    assert!(!transaction.remove_document(content).await.unwrap(), "its passages go first");
    transaction.commit().await.unwrap();
    drop_all(&mut writer, content, Whose::Deleted).await;
    let mut transaction = begin(&mut writer).await;
    assert!(transaction.remove_document(content).await.unwrap());
    assert!(!transaction.remove_document(content).await.unwrap());
    transaction.commit().await.unwrap();
    assert_eq!(store.documents().await.unwrap(), []);
}

async fn who_brings_deleted_bytes_again_has_them_read_anew(home: Home) {
    let (store, mut writer) = home.open().await;
    let me = PrincipalId::new();
    let (file, _) = made(&mut writer, &new_file(me, 1)).await;
    let content = file.content;
    read(&mut writer, content, &["old", "old"]).await;
    delete(&mut writer, &file).await;
    let (again, is_new) = made(&mut writer, &new_file(me, 1)).await;
    assert!(is_new);
    assert_eq!((again.state, again.passages, again.title), (FileState::Processing, 0, None));
    drop_all(&mut writer, content, Whose::Deleted).await;
    let attempt = attempt(&mut writer, content).await.unwrap();
    drop_all(&mut writer, content, Whose::Reading(attempt)).await;
    let mut transaction = begin(&mut writer).await;
    assert!(!transaction.remove_document(content).await.unwrap());
    assert!(transaction.refuse_document(content, attempt, "empty").await.unwrap());
    transaction.commit().await.unwrap();
    let refused = store.file(me, again.file_id).await.unwrap().unwrap();
    assert_eq!((refused.state, refused.reason.as_deref()), (FileState::Refused, Some("empty")));
}

async fn a_reading_of_deleted_bytes_puts_nothing_into_the_next(home: Home) {
    let (store, mut writer) = home.open().await;
    let me = PrincipalId::new();
    let (file, _) = made(&mut writer, &new_file(me, 1)).await;
    let content = file.content;
    let slow = attempt(&mut writer, content).await.unwrap();
    delete(&mut writer, &file).await;
    drop_all(&mut writer, content, Whose::Deleted).await;
    let mut transaction = begin(&mut writer).await;
    assert!(transaction.remove_document(content).await.unwrap());
    transaction.commit().await.unwrap();
    made(&mut writer, &new_file(me, 1)).await;
    let next = attempt(&mut writer, content).await.unwrap();
    let late = ReadStep::new(content, slow, passages(0, &["late"]), Some(ready()));
    assert!(!step(&mut writer, late).await);
    let whole = ReadStep::new(content, next, passages(0, &["whole"]), Some(ready()));
    assert!(step(&mut writer, whole).await);
    assert_eq!(store.passages(content, 0, 9).await.unwrap(), passages(0, &["whole"]));
}

async fn a_reading_of_deleted_bytes_writes_nothing_when_they_are_brought_again(home: Home) {
    let (store, mut writer) = home.open().await;
    let me = PrincipalId::new();
    let (file, _) = made(&mut writer, &new_file(me, 1)).await;
    let content = file.content;
    let slow = attempt(&mut writer, content).await.unwrap();
    delete(&mut writer, &file).await;
    // Before its row was removed, and before the next reading begins.
    let (again, is_new) = made(&mut writer, &new_file(me, 1)).await;
    assert!(is_new);
    let late = ReadStep::new(content, slow, passages(0, &["late"]), Some(ready()));
    assert!(!step(&mut writer, late).await);
    let mut transaction = begin(&mut writer).await;
    assert!(!transaction.refuse_document(content, slow, "empty").await.unwrap());
    transaction.commit().await.unwrap();
    let file = store.file(me, again.file_id).await.unwrap().unwrap();
    assert_eq!((file.state, file.passages), (FileState::Processing, 0));
}

async fn what_the_machine_failed_to_read_is_read_anew_when_it_is_brought_again(home: Home) {
    let (_, mut writer) = home.open().await;
    for (number, reason, anew) in [
        (1, "unreadable", true),
        (2, "out_of_time", true),
        (3, "out_of_memory", true),
        (4, "empty", false),
    ] {
        let (file, _) = made(&mut writer, &new_file(PrincipalId::new(), number)).await;
        let attempt = attempt(&mut writer, file.content).await.unwrap();
        let mut transaction = begin(&mut writer).await;
        assert!(transaction.refuse_document(file.content, attempt, reason).await.unwrap());
        transaction.commit().await.unwrap();
        let (again, is_new) = made(&mut writer, &new_file(PrincipalId::new(), number)).await;
        assert_eq!(is_new, anew, "{reason}");
        let state = if anew { FileState::Processing } else { FileState::Refused };
        assert_eq!(again.state, state, "{reason}");
    }
}

async fn a_person_has_no_more_files_than_allowed(home: Home) {
    let (_, mut writer) = home.open().await;
    let me = PrincipalId::new();
    let numbered = |number: usize| NewFile {
        content: ContentHash::new(std::array::from_fn(|at| number.to_be_bytes()[at % 8])),
        bytes: 0,
        ..new_file(me, 0)
    };
    let mut transaction = begin(&mut writer).await;
    for number in 0..limits::FILES {
        transaction.put_file(&numbered(number), 1000).await.unwrap();
    }
    let more = transaction.put_file(&numbered(limits::FILES), 1000).await.unwrap();
    assert_eq!(more, FileOutcome::TooMany);
    let known = transaction.put_file(&numbered(0), 1000).await.unwrap();
    assert!(matches!(known, FileOutcome::Repeated(_)));
    transaction.commit().await.unwrap();
}

async fn passages_are_found_by_any_word_in_the_chosen_documents_only(home: Home) {
    let (store, mut writer) = home.open().await;
    let mut contents = Vec::new();
    for (number, texts) in [(1, ["white whale", "a ship"]), (2, ["the WHALE again", "Zoë 北京市"])]
    {
        let (file, _) = made(&mut writer, &new_file(PrincipalId::new(), number)).await;
        read(&mut writer, file.content, &texts).await;
        contents.push(file.content);
    }
    assert_eq!(found(&store, &contents[..1], "Where is the whale?").await[0], "white whale");
    let all = found(&store, &contents, "white whale").await;
    assert_eq!(all[0], "white whale");
    assert!(all.contains(&"the WHALE again".to_owned()), "{all:?}");
    assert_eq!(found(&store, &contents, "zoe").await, ["Zoë 北京市"]);
    assert_eq!(found(&store, &contents, "北京").await, ["Zoë 北京市"]);
    assert_eq!(found(&store, &contents, "京北").await, [""; 0]);
    assert_eq!(found(&store, &contents, "\" OR d1 document:d2").await, [""; 0]);
    assert_eq!(found(&store, &contents, "sea").await.len(), 4, "a heading counts");
    assert_eq!(found(&store, &[], "whale").await, [""; 0]);
}

/// More than an expression of FTS5 may be deep.
async fn many_documents_can_be_looked_into_at_once(home: Home) {
    let (store, mut writer) = home.open().await;
    let mut contents = Vec::new();
    let mut transaction = begin(&mut writer).await;
    for number in 0..300_u32 {
        let content = ContentHash::new(std::array::from_fn(|at| number.to_be_bytes()[at % 4]));
        let new = NewFile { content, bytes: 1, ..new_file(PrincipalId::new(), 0) };
        transaction.put_file(&new, 1000).await.unwrap();
        let attempt = 1_000_000;
        assert!(transaction.begin_reading(content, attempt).await.unwrap());
        let step = ReadStep::new(content, attempt, passages(0, &["whale"]), Some(ready()));
        assert!(transaction.put_passages(&step).await.unwrap());
        contents.push(content);
    }
    transaction.commit().await.unwrap();
    let terms = Terms::of("whale").unwrap();
    assert_eq!(store.find_passages(&contents, &terms, 1000).await.unwrap().len(), 300);
    assert_eq!(store.find_passages(&contents[7..9], &terms, 1000).await.unwrap().len(), 2);
}

fn collection(name: &str) -> Collection {
    Collection {
        collection_id: CollectionId::new(),
        name: name.into(),
        created_at: Timestamp::from_millis(5),
        files: Vec::new(),
        urls: Vec::new(),
    }
}

async fn collections_hold_files_of_one_person(home: Home) {
    let (store, mut writer) = home.open().await;
    let (me, other) = (PrincipalId::new(), PrincipalId::new());
    let (mine, _) = made(&mut writer, &new_file(me, 1)).await;
    let (second, _) = made(&mut writer, &new_file(me, 2)).await;
    let (theirs, _) = made(&mut writer, &new_file(other, 3)).await;
    let new = collection("Whales");
    let id = new.collection_id;
    let mut transaction = begin(&mut writer).await;
    assert!(transaction.put_collection(me, &new, 1).await.unwrap());
    assert!(!transaction.put_collection(me, &collection("One more"), 1).await.unwrap());
    for (person, file, outcome) in [
        (me, &mine, Collected::Done),
        (me, &mine, Collected::Done),
        (me, &second, Collected::Full),
        (me, &theirs, Collected::NotFound),
        (other, &theirs, Collected::NotFound),
    ] {
        assert_eq!(transaction.collect(person, id, file.file_id, 1).await.unwrap(), outcome);
    }
    let name = |name: &str| CollectionChange { name: Some(name.into()), ..Default::default() };
    let urls = vec!["https://a.example/".to_owned()];
    let other_urls = CollectionChange { urls: Some(urls.clone()), ..Default::default() };
    assert!(!transaction.change_collection(other, id, &name("Mine")).await.unwrap());
    assert!(transaction.change_collection(me, id, &other_urls).await.unwrap());
    assert!(transaction.change_collection(me, id, &name("Ships")).await.unwrap());
    transaction.commit().await.unwrap();
    let expected = Collection { name: "Ships".into(), files: vec![mine.file_id], urls, ..new };
    assert_eq!(store.collections(me).await.unwrap(), std::slice::from_ref(&expected));
    assert_eq!(store.collection(me, id).await.unwrap(), Some(expected));
    assert_eq!(store.collection(other, id).await.unwrap(), None);
    delete(&mut writer, &mine).await;
    assert_eq!(store.collection(me, id).await.unwrap().unwrap().files, []);
    let mut transaction = begin(&mut writer).await;
    transaction.collect(me, id, second.file_id, 1).await.unwrap();
    assert!(!transaction.uncollect(other, id, second.file_id).await.unwrap());
    assert!(transaction.uncollect(me, id, second.file_id).await.unwrap());
    assert!(!transaction.delete_collection(other, id).await.unwrap());
    assert!(transaction.delete_collection(me, id).await.unwrap());
    assert!(!transaction.delete_collection(me, id).await.unwrap());
}

async fn forgetting_takes_files_and_collections(home: Home) {
    let (store, mut writer) = home.open().await;
    let (me, other) = (PrincipalId::new(), PrincipalId::new());
    let (mine, _) = made(&mut writer, &new_file(me, 1)).await;
    made(&mut writer, &new_file(me, 2)).await;
    made(&mut writer, &new_file(other, 2)).await;
    let mut transaction = begin(&mut writer).await;
    transaction.put_collection(me, &collection("Mine"), 9).await.unwrap();
    transaction.put_collection(other, &collection("Theirs"), 9).await.unwrap();
    transaction.forget_files(me).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(
        (store.files(me).await.unwrap(), store.collections(me).await.unwrap()),
        (vec![], vec![])
    );
    assert_eq!(store.files(other).await.unwrap().len(), 1);
    assert_eq!(store.collections(other).await.unwrap().len(), 1);
    assert_eq!(store.deleted_documents().await.unwrap(), [mine.content]);
}

async fn a_message_keeps_its_sources(home: Home) {
    let (store, mut writer) = home.open().await;
    let me = PrincipalId::new();
    let sources = vec![Source::File { file_id: "f".into() }, Source::Web];
    let mut turn = new_turn(me, new_conversation(), "asked");
    turn.sources.clone_from(&sources);
    let turn = created(&mut writer, &turn).await;
    let branch = store.branch(turn.message_id).await.unwrap();
    assert_eq!((&branch[0].sources, &branch[1].sources), (&sources, &vec![]));
    let row = store.conversation(me, turn.conversation_id).await.unwrap().unwrap();
    let history = store.history(&row.conversation, None, None).await.unwrap().unwrap();
    assert_eq!(history.messages[0].message.sources, sources);
    assert_eq!(store.tree(turn.conversation_id).await.unwrap()[0].0.sources, sources);
    assert_eq!(store.message(turn.user_message_id).await.unwrap().unwrap().sources, sources);
}
