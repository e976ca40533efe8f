//! Vectors of passages.

use unbroken_protocol::PrincipalId;
use unbroken_store::{ContentHash, File, Store, Terms, Vector, VectorStep, Whose, Writer};

use crate::sources::{attempt, delete, drop_all, made, new_file, read};
use crate::{Home, begin, for_every_store};

for_every_store!(
    vectors_are_put_in_order_and_none_twice,
    the_nearest_passages_of_the_chosen_documents_are_found,
    a_passage_that_leads_nowhere_is_not_found_and_not_tried_again,
    vectors_go_with_their_document,
    vectors_of_an_earlier_reading_are_not_put_in,
    another_model_has_vectors_of_its_own,
    the_newest_document_is_embedded_first,
    many_documents_are_looked_through,
);

const MODEL: &str = "meanings";

fn vector(numbers: &[f32]) -> Option<Vector> {
    let vector = Vector::of(numbers);
    assert!(vector.is_some(), "it leads somewhere");
    vector
}

async fn put(writer: &mut Writer, step: &VectorStep) -> bool {
    let mut transaction = begin(writer).await;
    let put = transaction.put_vectors(step).await.unwrap();
    transaction.commit().await.unwrap();
    put
}

/// The next vectors of a document, in this order.
async fn embed(store: &Store, writer: &mut Writer, content: ContentHash, numbers: &[[f32; 2]]) {
    let most = u32::try_from(numbers.len()).unwrap();
    let next = store.to_embed(content, MODEL, most).await.unwrap().unwrap();
    let vectors: Vec<_> = numbers.iter().map(|of| vector(of)).collect();
    let from = next.passages[0].ordinal;
    assert!(put(writer, &VectorStep::new(content, next.attempt, MODEL, from, &vectors)).await);
}

async fn document(writer: &mut Writer, number: u8, texts: &[&str]) -> File {
    let (file, _) = made(writer, &new_file(PrincipalId::new(), number)).await;
    read(writer, file.content, texts).await;
    file
}

async fn nearest(store: &Store, among: &[ContentHash], to: [f32; 2], most: u32) -> Vec<String> {
    let to = Vector::of(&to).unwrap();
    let found = store.nearest(among, MODEL, &to, most).await.unwrap();
    assert!(found.is_sorted_by(|one, other| one.score >= other.score));
    found.into_iter().map(|found| found.passage.text).collect()
}

async fn vectors_are_put_in_order_and_none_twice(home: Home) {
    let (store, mut writer) = home.open().await;
    assert_eq!(store.unembedded(MODEL, None).await.unwrap(), None);
    let (file, _) = made(&mut writer, &new_file(PrincipalId::new(), 1)).await;
    let content = file.content;
    assert_eq!(store.to_embed(content, MODEL, 9).await.unwrap(), None, "it is not ready");
    read(&mut writer, content, &["a", "b", "c"]).await;
    assert_eq!(store.unembedded(MODEL, None).await.unwrap(), Some(content));
    let next = store.to_embed(content, MODEL, 2).await.unwrap().unwrap();
    let texts: Vec<_> = next.passages.iter().map(|passage| passage.text.as_str()).collect();
    assert_eq!(texts, ["a", "b"]);
    let two = vec![vector(&[1.0, 0.0]); 2];
    let step = |from, count| VectorStep::new(content, next.attempt, MODEL, from, &two[..count]);
    assert!(!put(&mut writer, &step(1, 1)).await, "there would be a gap");
    assert!(put(&mut writer, &step(0, 2)).await);
    assert!(!put(&mut writer, &step(0, 2)).await, "they are there");
    assert!(!put(&mut writer, &step(2, 2)).await, "there are three passages");
    let last = store.to_embed(content, MODEL, 2).await.unwrap().unwrap();
    assert_eq!((last.passages.len(), last.passages[0].text.as_str()), (1, "c"));
    assert!(put(&mut writer, &step(2, 1)).await);
    assert_eq!(store.to_embed(content, MODEL, 2).await.unwrap(), None);
    assert_eq!(store.unembedded(MODEL, None).await.unwrap(), None);
    assert_eq!(nearest(&store, &[content], [1.0, 0.0], 9).await, ["a", "b", "c"]);
}

async fn the_nearest_passages_of_the_chosen_documents_are_found(home: Home) {
    let (store, mut writer) = home.open().await;
    let first = document(&mut writer, 1, &["east", "north", "west"]).await.content;
    let second = document(&mut writer, 2, &["north-east", "not embedded"]).await.content;
    embed(&store, &mut writer, first, &[[1.0, 0.0]]).await;
    embed(&store, &mut writer, first, &[[0.0, 1.0], [-1.0, 0.0]]).await;
    embed(&store, &mut writer, second, &[[1.0, 1.0]]).await;
    let both = [second, first];
    let east = [5.0, 0.0];
    assert_eq!(nearest(&store, &both, east, 9).await, ["east", "north-east", "north", "west"]);
    assert_eq!(nearest(&store, &both, east, 2).await, ["east", "north-east"]);
    assert_eq!(nearest(&store, &both[1..], east, 9).await, ["east", "north", "west"]);
    assert_eq!(nearest(&store, &[], east, 9).await, [""; 0]);
    let to = Vector::of(&east).unwrap();
    let found = store.nearest(&both, MODEL, &to, 1).await.unwrap();
    assert_eq!((found[0].content, found[0].passage.ordinal), (first, 0));
    assert!((found[0].score - 1.0).abs() < 1e-9, "{}", found[0].score);
    assert_eq!(store.nearest(&both, "another", &to, 9).await.unwrap(), []);
    let longer = Vector::of(&[1.0, 0.0, 0.0]).unwrap();
    assert_eq!(store.nearest(&both, MODEL, &longer, 9).await.unwrap(), []);
}

async fn a_passage_that_leads_nowhere_is_not_found_and_not_tried_again(home: Home) {
    let (store, mut writer) = home.open().await;
    let content = document(&mut writer, 1, &["nowhere", "east", "nowhere"]).await.content;
    let attempt = store.to_embed(content, MODEL, 1).await.unwrap().unwrap().attempt;
    let some = [None, vector(&[1.0, 0.0])];
    assert!(put(&mut writer, &VectorStep::new(content, attempt, MODEL, 0, &some)).await);
    assert!(put(&mut writer, &VectorStep::new(content, attempt, MODEL, 2, &[None])).await);
    assert_eq!(store.unembedded(MODEL, None).await.unwrap(), None);
    assert_eq!(nearest(&store, &[content], [1.0, 0.0], 9).await, ["east"]);
}

async fn vectors_go_with_their_document(home: Home) {
    let (store, mut writer) = home.open().await;
    let file = document(&mut writer, 1, &["east", "north"]).await;
    let content = file.content;
    embed(&store, &mut writer, content, &[[1.0, 0.0]]).await;
    embed(&store, &mut writer, content, &[[0.0, 1.0]]).await;
    delete(&mut writer, &file).await;
    assert_eq!(nearest(&store, &[content], [1.0, 0.0], 9).await, [""; 0]);
    let mut transaction = begin(&mut writer).await;
    assert!(transaction.drop_passages(content, Whose::Deleted, 1).await.unwrap());
    assert!(!transaction.remove_document(content).await.unwrap());
    assert!(!transaction.drop_passages(content, Whose::Deleted, 1).await.unwrap());
    assert!(transaction.remove_document(content).await.unwrap());
    transaction.commit().await.unwrap();
    // Who brings it again has it embedded anew.
    document(&mut writer, 1, &["east", "north"]).await;
    assert_eq!(nearest(&store, &[content], [1.0, 0.0], 9).await, [""; 0]);
    let next = store.to_embed(content, MODEL, 9).await.unwrap().unwrap();
    assert_eq!(next.passages.len(), 2);
}

async fn vectors_of_an_earlier_reading_are_not_put_in(home: Home) {
    let (store, mut writer) = home.open().await;
    let file = document(&mut writer, 1, &["east"]).await;
    let content = file.content;
    let earlier = store.to_embed(content, MODEL, 9).await.unwrap().unwrap();
    delete(&mut writer, &file).await;
    made(&mut writer, &new_file(PrincipalId::new(), 1)).await;
    let again = attempt(&mut writer, content).await.unwrap();
    let one = [vector(&[1.0, 0.0])];
    let step = VectorStep::new(content, earlier.attempt, MODEL, 0, &one);
    assert!(!put(&mut writer, &step).await);
    drop_all(&mut writer, content, Whose::Reading(again)).await;
    read(&mut writer, content, &["west"]).await;
    assert!(!put(&mut writer, &step).await);
    assert_eq!(nearest(&store, &[content], [1.0, 0.0], 9).await, [""; 0]);
    assert_eq!(store.unembedded(MODEL, None).await.unwrap(), Some(content));
}

async fn another_model_has_vectors_of_its_own(home: Home) {
    let (store, mut writer) = home.open().await;
    let content = document(&mut writer, 1, &["east"]).await.content;
    embed(&store, &mut writer, content, &[[1.0, 0.0]]).await;
    assert_eq!(store.unembedded("another", None).await.unwrap(), Some(content));
    let next = store.to_embed(content, "another", 9).await.unwrap().unwrap();
    let longer = [vector(&[1.0, 0.0, 0.0])];
    let step = VectorStep::new(content, next.attempt, "another", 0, &longer);
    assert!(put(&mut writer, &step).await);
    let mut transaction = begin(&mut writer).await;
    assert!(transaction.drop_other_vectors("another", 1).await.unwrap());
    assert!(!transaction.drop_other_vectors("another", 1).await.unwrap());
    transaction.commit().await.unwrap();
    assert_eq!(store.unembedded(MODEL, None).await.unwrap(), Some(content));
    assert_eq!(store.unembedded("another", None).await.unwrap(), None);
}

async fn the_newest_document_is_embedded_first(home: Home) {
    let (store, mut writer) = home.open().await;
    let first = document(&mut writer, 2, &["east"]).await.content;
    let second = document(&mut writer, 1, &["north"]).await.content;
    assert_eq!(store.unembedded(MODEL, None).await.unwrap(), Some(second));
    assert_eq!(store.unembedded(MODEL, Some(second)).await.unwrap(), Some(first));
    assert_eq!(store.unembedded(MODEL, Some(first)).await.unwrap(), None);
    let gone = ContentHash::new([9; 32]);
    assert_eq!(store.unembedded(MODEL, Some(gone)).await.unwrap(), None);
    embed(&store, &mut writer, second, &[[0.0, 1.0]]).await;
    assert_eq!(store.unembedded(MODEL, None).await.unwrap(), Some(first));
}

async fn many_documents_are_looked_through(home: Home) {
    let (store, mut writer) = home.open().await;
    let mut contents = Vec::new();
    for number in 1..=70 {
        let content = document(&mut writer, number, &["west", "east"]).await.content;
        let angle = f32::from(number) / 70.0;
        embed(&store, &mut writer, content, &[[-1.0, 0.0], [1.0, angle]]).await;
        contents.push(content);
    }
    let found = store.nearest(&contents, MODEL, &Vector::of(&[1.0, 0.0]).unwrap(), 70).await;
    let found = found.unwrap();
    assert!(found.iter().all(|found| found.passage.text == "east"));
    let order: Vec<_> = found.iter().map(|found| found.content).collect();
    assert_eq!(order, contents);
    // Full text is as it was.
    let terms = Terms::of("east").unwrap();
    assert_eq!(store.find_passages(&contents, &terms, 99).await.unwrap().len(), 70);
}
