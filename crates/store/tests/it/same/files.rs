//! Steps with files, documents and collections.

use unbroken_protocol::{CollectionId, FileId, Timestamp};
use unbroken_store::{
    Collection, CollectionChange, ContentHash, NewFile, Passage, ReadStep, Ready, Store, Terms,
    Transaction, Vector, VectorStep, Whose,
};

use super::{Do, Known, said, scattered};

fn hash(content: u8) -> ContentHash {
    ContentHash::new([content; 32])
}

pub(super) async fn act(
    transaction: &mut Transaction<'_>,
    known: &Known,
    step: &Do,
    found: &Store,
) -> String {
    match *step {
        Do::File { person, content } => {
            let new = NewFile {
                file_id: FileId::from_bytes(scattered(&known.now)),
                principal_id: known.person(person),
                name: format!("file {content}"),
                media_type: "text/plain".into(),
                bytes: u64::from(content) * 10,
                content: hash(content),
                at: Timestamp::from_millis(known.now),
            };
            said(transaction.put_file(&new, 50).await)
        }
        Do::DeleteFile { person, file } => {
            let files = found.files(known.person(person)).await.unwrap();
            match files.get(file % files.len().max(1)) {
                Some(file) => said(transaction.delete_file(file.principal_id, file.file_id).await),
                None => String::new(),
            }
        }
        Do::Read { content, how } => read(transaction, hash(content), how).await,
        Do::Drop { content, deleted } => {
            let whose = if deleted { Whose::Deleted } else { Whose::Reading(2) };
            let dropped = said(transaction.drop_passages(hash(content), whose, 1).await);
            dropped + &said(transaction.remove_document(hash(content)).await)
        }
        Do::Embed { content, how } => embed(transaction, hash(content), how, found).await,
        Do::Collect { person, file, at } => {
            collect(transaction, known, found, (person, file, at)).await
        }
        Do::Forget { person } => said(transaction.forget_files(known.person(person)).await),
        _ => String::new(),
    }
}

/// A whole reading, a part of one, one that is too late, or one that is refused.
async fn read(transaction: &mut Transaction<'_>, content: ContentHash, how: usize) -> String {
    let attempt = u32::try_from(how).unwrap() + 2;
    if !transaction.begin_reading(content, attempt).await.unwrap() {
        return String::new();
    }
    while transaction.drop_passages(content, Whose::Reading(attempt), 1).await.unwrap() {}
    let attempt = attempt - u32::from(how.is_multiple_of(5));
    if how.is_multiple_of(3) {
        return said(transaction.refuse_document(content, attempt, "empty").await);
    }
    let passages =
        ["the whale", "a ship at sea", "Ahab"].into_iter().zip(0..).map(|(text, n)| Passage {
            ordinal: n,
            page: (n > 0).then_some(n),
            heading: "Chapter".into(),
            text: format!("{text} {content}"),
        });
    let ready = Ready { title: Some("t".into()), media_type: "text/csv".into(), pages: Some(2) };
    let ready = (!how.is_multiple_of(4)).then_some(ready);
    said(
        transaction.put_passages(&ReadStep::new(content, attempt, passages.collect(), ready)).await,
    )
}

const MODELS: [&str; 2] = ["one", "other"];

fn vector(number: usize) -> Option<Vector> {
    Vector::of(&[[1.0, 0.0], [0.5, -1.0], [0.0, 0.0], [-0.3, 0.2]][number % 4])
}

/// The next vectors of a document, or some that do not fit.
async fn embed(
    transaction: &mut Transaction<'_>,
    content: ContentHash,
    how: usize,
    found: &Store,
) -> String {
    let model = MODELS[how % 2];
    if how.is_multiple_of(9) {
        return said(transaction.drop_other_vectors(model, 99).await);
    }
    let next = found.to_embed(content, model, 1 + u32::from(how.is_multiple_of(3))).await.unwrap();
    let Some(next) = next else { return String::new() };
    let attempt = next.attempt.saturating_sub(u32::from(how.is_multiple_of(7)));
    let from = next.passages[0].ordinal + u32::from(how.is_multiple_of(11));
    let vectors: Vec<_> = (how..how + next.passages.len()).map(vector).collect();
    let step = VectorStep::new(content, attempt, model, from, &vectors);
    said(transaction.put_vectors(&step).await)
}

async fn collect(
    transaction: &mut Transaction<'_>,
    known: &Known,
    found: &Store,
    (person, file, at): (usize, usize, i64),
) -> String {
    let me = known.person(person);
    let files = found.files(known.people[0]).await.unwrap();
    let own = found.collections(known.people[0]).await.unwrap();
    let (Some(file), Some(collection)) =
        (files.get(file % files.len().max(1)), own.get(file % own.len().max(1)))
    else {
        let new = Collection {
            collection_id: CollectionId::from_bytes(scattered(&known.now)),
            name: "c".into(),
            created_at: Timestamp::from_millis(at),
            files: Vec::new(),
            urls: vec!["https://a.example/".into()],
        };
        return said(transaction.put_collection(me, &new, 2).await);
    };
    let id = collection.collection_id;
    match at % 7 {
        0 => said(transaction.delete_collection(me, id).await),
        1 => {
            let urls = Some(vec![format!("https://a.example/{person}")]);
            let change = CollectionChange { name: Some("renamed".into()), urls };
            said(transaction.change_collection(me, id, &change).await)
        }
        2 => said(transaction.uncollect(me, id, file.file_id).await),
        _ => said(transaction.collect(me, id, file.file_id, 2).await),
    }
}

/// What can be read of files, as text.
pub(super) async fn everything(store: &Store, known: &Known) -> Vec<String> {
    let mut all = vec![
        said(store.unread().await),
        said(store.deleted_documents().await),
        said(store.documents().await),
    ];
    let contents = [0, 1, 2, 3].map(hash);
    for content in contents {
        all.push(said(store.files_with(content).await));
        all.push(said(store.passages(content, 1, 2).await));
    }
    for question in ["whale", "a ship", "Chapter", "nothing"] {
        let terms = Terms::of(question).unwrap();
        let mut found = store.find_passages(&contents[..3], &terms, 99).await.unwrap();
        // Each has its own idea of what fits best.
        found.sort_by_key(|found| (found.content, found.passage.ordinal));
        all.extend(found.iter().map(|found| format!("{:?} {:?}", found.content, found.passage)));
        all.push(found.len().to_string());
    }
    for model in MODELS {
        all.push(said(store.unembedded(model, None).await));
        for content in contents {
            all.push(said(store.to_embed(content, model, 2).await));
        }
        let mut found =
            store.nearest(&contents[..3], model, &vector(1).unwrap(), 99).await.unwrap();
        found.sort_by_key(|found| (found.content, found.passage.ordinal));
        all.push(format!("{found:?}"));
    }
    for person in known.people {
        all.push(said(store.files(person).await));
        all.push(said(store.collections(person).await));
    }
    all
}
