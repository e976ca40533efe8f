use unbroken_protocol::{ClientMessageId, PrincipalId, Timestamp};
use unbroken_store::{
    Arrangement, Due, Place, Query, SecretHash, Shelf, Store, Turn, TurnOutcome, Writer,
};

use crate::Home;

crate::for_every_store! {
    a_deleted_conversation_comes_back_with_all_it_had,
    a_deleted_conversation_is_nowhere,
    only_its_owner_restores_a_conversation,
    what_is_due_is_erased_and_nothing_else,
    a_temporary_conversation_is_in_no_list,
    what_is_pinned_or_in_a_folder_has_a_list_of_its_own,
}

async fn said(writer: &mut Writer, owner: PrincipalId, text: &str) -> Turn {
    super::created(writer, &super::new_turn(owner, super::new_conversation(), text)).await
}

/// How many conversations the lists hold, by what they hold and by what they say.
async fn listed(store: &Store, owner: PrincipalId) -> [usize; 3] {
    let mut counts = [0; 3];
    for (count, shelf) in counts.iter_mut().zip([Shelf::Listed, Shelf::Kept, Shelf::Archived]) {
        *count = store.conversations(owner, shelf, 100, None).await.unwrap().len();
        assert_eq!(store.conversation_count(owner, shelf).await.unwrap(), *count as u64);
    }
    counts
}

async fn found(store: &Store, owner: PrincipalId, text: &str) -> usize {
    store.search(owner, &Query::parse(text).unwrap()).await.unwrap().len()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

async fn delete(writer: &mut Writer, turn: &Turn, millis: i64) {
    let mut transaction = super::begin(writer).await;
    assert!(transaction.delete(turn.conversation_id, at(millis)).await.unwrap());
    assert!(!transaction.delete(turn.conversation_id, at(millis + 1)).await.unwrap());
    transaction.commit().await.unwrap();
}

async fn a_deleted_conversation_comes_back_with_all_it_had(home: Home) {
    let (store, mut writer) = home.open().await;
    let owner = PrincipalId::new();
    let turn = said(&mut writer, owner, "whale").await;
    let kept =
        Arrangement { pinned: Some(true), archived: Some(true), folder: Some(Some("Sea".into())) };
    let mut transaction = super::begin(&mut writer).await;
    assert!(transaction.arrange(turn.conversation_id, &kept).await.unwrap());
    transaction.commit().await.unwrap();
    let before = store.conversation(owner, turn.conversation_id).await.unwrap().unwrap();
    delete(&mut writer, &turn, 5).await;
    // Also when the process was another one meanwhile.
    store.close().await;
    writer.close().await.unwrap();
    drop(store);
    let (store, mut writer) = home.open().await;
    assert_eq!(store.deleted().await.unwrap().len(), 1);
    let mut transaction = super::begin(&mut writer).await;
    assert!(transaction.restore(owner, turn.conversation_id).await.unwrap());
    assert!(!transaction.restore(owner, turn.conversation_id).await.unwrap());
    transaction.commit().await.unwrap();
    let after = store.conversation(owner, turn.conversation_id).await.unwrap().unwrap();
    assert_eq!(after, before);
    let history = store.history(&after.conversation, None, None).await.unwrap().unwrap();
    assert_eq!(history.messages.len(), 2);
    super::index(&mut writer).await;
    assert_eq!(found(&store, owner, "whale").await, 1);
    assert_eq!(listed(&store, owner).await, [0, 0, 1]);
    assert!(store.deleted().await.unwrap().is_empty());
}

async fn a_deleted_conversation_is_nowhere(home: Home) {
    let (store, mut writer) = home.open().await;
    let owner = PrincipalId::new();
    let mut keyed = super::new_turn(owner, super::new_conversation(), "whale");
    keyed.client_message = Some((ClientMessageId::new(), SecretHash::of("whale")));
    let turn = super::created(&mut writer, &keyed).await;
    delete(&mut writer, &turn, 5).await;
    let id = turn.conversation_id;
    assert!(store.conversation(owner, id).await.unwrap().is_none());
    assert_eq!(listed(&store, owner).await, [0, 0, 0]);
    super::index(&mut writer).await;
    assert_eq!(found(&store, owner, "whale").await, 0);
    let mut again = super::new_turn(owner, Place::Again, "");
    again.user_message_id = turn.user_message_id;
    again.content = None;
    let after = Place::After(id, turn.message_id);
    for refused in [
        super::new_turn(owner, Place::Next(id), "more"),
        super::new_turn(owner, after, "more"),
        super::new_turn(owner, Place::Root(id), "more"),
        again,
        keyed,
    ] {
        assert_eq!(super::create(&mut writer, &refused).await, TurnOutcome::NotFound);
    }
}

async fn only_its_owner_restores_a_conversation(home: Home) {
    let (store, mut writer) = home.open().await;
    let (owner, stranger) = (PrincipalId::new(), PrincipalId::new());
    let turn = said(&mut writer, owner, "whale").await;
    delete(&mut writer, &turn, 5).await;
    let mut transaction = super::begin(&mut writer).await;
    assert!(!transaction.restore(stranger, turn.conversation_id).await.unwrap());
    transaction.commit().await.unwrap();
    assert_eq!(store.deleted().await.unwrap().len(), 1);
}

async fn what_is_due_is_erased_and_nothing_else(home: Home) {
    let (store, mut writer) = home.open().await;
    let owner = PrincipalId::new();
    let gone = said(&mut writer, owner, "whale").await;
    let later = said(&mut writer, owner, "whale").await;
    let stays = said(&mut writer, owner, "whale").await;
    delete(&mut writer, &gone, 5).await;
    delete(&mut writer, &later, 6).await;
    let due = Due { deleted_until: at(5), idle_since: at(1_000_000) };
    assert!(store.anything_due(&due).await.unwrap());
    let mut transaction = super::begin(&mut writer).await;
    assert_eq!(transaction.erase_due(&due).await.unwrap(), [gone.conversation_id]);
    transaction.commit().await.unwrap();
    assert!(!store.anything_due(&due).await.unwrap());
    assert!(store.message(gone.user_message_id).await.unwrap().is_none());
    assert!(store.generation(gone.generation_id).await.unwrap().is_none());
    assert!(store.message(later.user_message_id).await.unwrap().is_some());
    super::index(&mut writer).await;
    assert_eq!(found(&store, owner, "whale").await, 1);
    assert_eq!(store.usage_count(owner).await.unwrap(), 2);
    assert!(store.conversation(owner, stays.conversation_id).await.unwrap().is_some());
}

async fn a_temporary_conversation_is_in_no_list(home: Home) {
    let (store, mut writer) = home.open().await;
    let owner = PrincipalId::new();
    let mut place = super::new_conversation();
    if let Place::New { temporary, .. } = &mut place {
        *temporary = true;
    }
    let turn = super::created(&mut writer, &super::new_turn(owner, place, "whale")).await;
    let next = super::new_turn(owner, Place::Next(turn.conversation_id), "more");
    super::created(&mut writer, &next).await;
    assert_eq!(listed(&store, owner).await, [0, 0, 0]);
    super::index(&mut writer).await;
    assert_eq!(found(&store, owner, "whale").await, 0);
    assert_eq!(found(&store, owner, "title").await, 0);
    assert_eq!(store.usage_count(owner).await.unwrap(), 0);
    let row = store.conversation(owner, turn.conversation_id).await.unwrap().unwrap();
    assert!(row.conversation.temporary, "by its id it is there");
    // The turns of `new_turn` are of 1,000; while one runs nothing is erased.
    let due = Due { deleted_until: at(0), idle_since: at(1_000) };
    assert!(!store.anything_due(&due).await.unwrap());
    let mut transaction = super::begin(&mut writer).await;
    assert_eq!(transaction.erase_due(&due).await.unwrap(), []);
    assert!(transaction.erase(turn.conversation_id).await.unwrap());
    transaction.commit().await.unwrap();
    assert_eq!(store.usage_count(owner).await.unwrap(), 0);
}

async fn what_is_pinned_or_in_a_folder_has_a_list_of_its_own(home: Home) {
    let (store, mut writer) = home.open().await;
    let owner = PrincipalId::new();
    let turns = [
        said(&mut writer, owner, "one").await,
        said(&mut writer, owner, "two").await,
        said(&mut writer, owner, "three").await,
    ];
    let change = async |writer: &mut Writer, of: usize, change: Arrangement| {
        let mut transaction = super::begin(writer).await;
        assert!(transaction.arrange(turns[of].conversation_id, &change).await.unwrap());
        transaction.commit().await.unwrap();
    };
    let pinned = Arrangement { pinned: Some(true), ..Arrangement::default() };
    let folder = |name: Option<&str>| Arrangement {
        folder: Some(name.map(str::to_owned)),
        ..Arrangement::default()
    };
    let archived = |archived| Arrangement { archived: Some(archived), ..Arrangement::default() };
    change(&mut writer, 0, pinned).await;
    change(&mut writer, 1, folder(Some("Work"))).await;
    assert_eq!(listed(&store, owner).await, [3, 2, 0]);
    change(&mut writer, 1, archived(true)).await;
    assert_eq!(listed(&store, owner).await, [2, 1, 1]);
    change(&mut writer, 1, archived(true)).await;
    change(&mut writer, 1, archived(false)).await;
    assert_eq!(listed(&store, owner).await, [3, 2, 0]);
    change(&mut writer, 1, folder(None)).await;
    assert_eq!(listed(&store, owner).await, [3, 1, 0]);
    let row = store.conversation(owner, turns[0].conversation_id).await.unwrap().unwrap();
    assert!(row.conversation.pinned && !row.conversation.archived);
}
