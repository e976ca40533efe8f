use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use unbroken_protocol::{ConversationId, MessageId, PrincipalId, Timestamp};
use unbroken_store::{Indexed, Place, Query, Store, Turn, Writer};

use crate::Home;

crate::for_every_store! {
    a_search_finds_what_holds_every_word_and_phrase,
    a_foreign_text_is_never_found,
    what_is_changed_or_deleted_is_found_as_it_is_now,
    a_query_of_signs_is_no_error,
    of_many_texts_the_newest_are_found,
}

/// What a search finds: messages by their id, titles by their conversation's.
async fn found(store: &Store, owner: PrincipalId, text: &str) -> Vec<String> {
    let Some(query) = Query::parse(text) else { return Vec::new() };
    let hits = store.search(owner, &query).await.unwrap();
    let name = |hit: unbroken_store::Hit| match hit.message {
        Some((id, _)) => name_of(id),
        None => title_of(hit.conversation_id),
    };
    let mut names: Vec<_> = hits.into_iter().map(name).collect();
    names.sort();
    names
}

fn name_of(message: MessageId) -> String {
    format!("message {message}")
}

fn title_of(conversation: ConversationId) -> String {
    format!("title {conversation}")
}

async fn said(writer: &mut Writer, owner: PrincipalId, text: &str) -> Turn {
    let turn = super::new_turn(owner, super::new_conversation(), text);
    let turn = super::created(writer, &turn).await;
    super::index(writer).await;
    turn
}

async fn a_search_finds_what_holds_every_word_and_phrase(home: Home) {
    let (store, mut writer) = home.open().await;
    let owner = PrincipalId::new();
    let turn = said(&mut writer, owner, "The Überfahrt of the white whale, 去北京").await;
    let other = said(&mut writer, owner, "A whale that is not white").await;
    let [one, two] = [&turn, &other].map(|turn| name_of(turn.user_message_id));
    assert_eq!(found(&store, owner, "white whale").await, [one.clone(), two]);
    for text in ["\"white whale\"", "WHALE uberf", "whale of", "北京", "\"whale 去\""] {
        assert_eq!(found(&store, owner, text).await, [one.as_str()], "{text}");
    }
    for text in ["\"whale white\"", "uberf whale", "\"white wha\"", "京北", "hale"] {
        assert!(found(&store, owner, text).await.is_empty(), "{text}");
    }
    let titles = [&turn, &other].map(|turn| title_of(turn.conversation_id));
    assert_eq!(found(&store, owner, "a tit").await, titles);
}

/// B8.18, where it is enforced.
async fn a_foreign_text_is_never_found(home: Home) {
    let (store, mut writer) = home.open().await;
    let (owner, stranger) = (PrincipalId::new(), PrincipalId::new());
    let foreign = said(&mut writer, stranger, "a secret whale").await;
    assert!(found(&store, owner, "whale").await.is_empty());
    assert!(found(&store, owner, "title").await.is_empty());
    let principal = stranger.to_string().replace('-', "");
    for text in [principal.clone(), format!("principal:{principal}"), "whale\" OR \"a".into()] {
        assert!(found(&store, owner, &text).await.is_empty(), "{text}");
    }
    assert_eq!(found(&store, stranger, "whale").await, [name_of(foreign.user_message_id)]);
}

async fn what_is_changed_or_deleted_is_found_as_it_is_now(home: Home) {
    let (store, mut writer) = home.open().await;
    let owner = PrincipalId::new();
    let turn = said(&mut writer, owner, "first").await;
    let id = turn.conversation_id;
    let waits = super::created(&mut writer, &super::new_turn(owner, Place::Next(id), "wrog")).await;
    let gone = super::created(&mut writer, &super::new_turn(owner, Place::Next(id), "gone")).await;
    super::index(&mut writer).await;
    let mut transaction = super::begin(&mut writer).await;
    assert!(transaction.edit_queued(waits.generation_id, "right").await.unwrap());
    assert!(transaction.remove_queued(gone.generation_id).await.unwrap());
    assert!(transaction.rename(id, "Renamed").await.unwrap());
    transaction.commit().await.unwrap();
    super::index(&mut writer).await;
    assert_eq!(found(&store, owner, "right").await, [name_of(waits.user_message_id)]);
    assert_eq!(found(&store, owner, "renamed").await, [title_of(id)]);
    for text in ["wrog", "gone", "title"] {
        assert!(found(&store, owner, text).await.is_empty(), "{text}");
    }
    let mut transaction = super::begin(&mut writer).await;
    assert!(transaction.delete(id, Timestamp::from_millis(1)).await.unwrap());
    transaction.commit().await.unwrap();
    for text in ["first", "right", "renamed"] {
        assert!(found(&store, owner, text).await.is_empty(), "{text}");
    }
}

async fn a_query_of_signs_is_no_error(home: Home) {
    let (store, mut writer) = home.open().await;
    let owner = PrincipalId::new();
    let turn = said(&mut writer, owner, "what AND OR NOT NEAR is").await;
    let all = ["and or not near", "NEAR(is", "words:near", "a\" AND", "^near -is", "{near} + is*"];
    for text in all {
        // That it is answered at all is the point.
        let names = found(&store, owner, text).await;
        assert!(names.iter().all(|name| *name == name_of(turn.user_message_id)), "{text}");
    }
    assert_eq!(found(&store, owner, "AND OR NOT").await.len(), 1);
}

async fn of_many_texts_the_newest_are_found(home: Home) {
    let (store, mut writer) = home.open().await;
    let owner = PrincipalId::new();
    let first = said(&mut writer, owner, "whale").await;
    let mut transaction = super::begin(&mut writer).await;
    for _ in 0..unbroken_store::NEWEST {
        let turn = super::new_turn(owner, super::new_conversation(), "whale");
        transaction.create_turn(&turn).await.unwrap();
    }
    transaction.commit().await.unwrap();
    super::index(&mut writer).await;
    let names = found(&store, owner, "whale").await;
    assert_eq!(names.len(), unbroken_store::NEWEST);
    assert!(!names.contains(&name_of(first.user_message_id)));
}

#[tokio::test]
async fn as_many_texts_are_put_in_as_fit_and_one_at_least() {
    let home = Home::sqlite();
    let (_store, mut writer) = home.open().await;
    let long = "long ".repeat(1_000);
    for text in ["short", &long, "short"] {
        let turn = super::new_turn(PrincipalId::new(), super::new_conversation(), text);
        super::created(&mut writer, &turn).await;
    }
    let mut transaction = super::begin(&mut writer).await;
    let mut said = Vec::new();
    // A title and a message three times, and titles cost little.
    for bytes in [1, 1_500, 1_500, 1_000_000, 1_000_000] {
        let Indexed { taken, left } = transaction.index(bytes).await.unwrap();
        said.push((taken, left));
    }
    assert_eq!(said, [(1, 5), (2, 3), (1, 2), (2, 0), (0, 0)]);
}

/// A text that is due twice, or changed since, or gone, is in the index as it is now.
#[tokio::test]
async fn what_is_due_is_found_after_the_next_start() {
    let home = Home::sqlite();
    let owner = PrincipalId::new();
    let (store, mut writer) = home.open().await;
    let turn = said(&mut writer, owner, "a whale").await;
    let [id, other] = [turn.conversation_id, ConversationId::new()];
    let mut transaction = super::begin(&mut writer).await;
    let place = Place::New { conversation_id: other, title: "gone".into(), temporary: false };
    transaction.create_turn(&super::new_turn(owner, place, "another whale")).await.unwrap();
    for title in ["one", "two"] {
        assert!(transaction.rename(id, title).await.unwrap());
    }
    assert!(transaction.erase(other).await.unwrap());
    transaction.commit().await.unwrap();
    store.close().await;
    writer.close().await.unwrap();
    drop(store);
    let (store, mut writer) = home.open().await;
    super::index(&mut writer).await;
    assert_eq!(found(&store, owner, "whale").await, [name_of(turn.user_message_id)]);
    assert_eq!(found(&store, owner, "two").await, [title_of(id)]);
    for text in ["one", "title", "gone"] {
        assert!(found(&store, owner, text).await.is_empty(), "{text}");
    }
    let mut transaction = super::begin(&mut writer).await;
    assert_eq!(transaction.index(100).await.unwrap(), Indexed::default());
}

#[tokio::test]
async fn what_was_stored_before_there_was_an_index_is_found() {
    let home = Home::sqlite();
    let owner = PrincipalId::new();
    let (store, mut writer) = home.open().await;
    let turn = said(&mut writer, owner, "an old whale").await;
    store.close().await;
    writer.close().await.unwrap();
    drop(store);
    forget_the_index(&home).await;
    let (store, mut writer) = home.open().await;
    super::index(&mut writer).await;
    assert_eq!(found(&store, owner, "whale").await, [name_of(turn.user_message_id)]);
    assert_eq!(found(&store, owner, "title").await, [title_of(turn.conversation_id)]);
}

/// Makes the database what it was before `0002_search.sql`.
async fn forget_the_index(home: &Home) {
    let Home::Sqlite(folder) = home else { panic!("only a folder has migrations") };
    let options = SqliteConnectOptions::new().filename(folder.path().join("unbroken.db"));
    let mut connection = options.connect().await.unwrap();
    for statement in [
        "DROP TABLE search",
        "DROP TABLE searched",
        "DROP TABLE search_due",
        "DELETE FROM _sqlx_migrations WHERE version IN (2, 13)",
    ] {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
}
