//! What comes in from files, and goes out again.

use unbroken_protocol::{
    ArchivedAnswer, ArchivedConversation, ArchivedMessage, ConversationId, FinishReason,
    GenerationId, GenerationState, ImportId, ImportState, MessageId, Options, PrincipalId, Role,
    Timestamp, ToolStep,
};
use unbroken_store::{Body, Import, ImportStep, Imported, Query, Share, Shelf, Store, Writer};

use crate::Home;

crate::for_every_store!(
    what_was_imported_reads_as_if_it_had_been_written_here,
    a_conversation_of_several_steps_shows_and_counts_what_all_of_them_brought,
    an_import_that_was_deleted_puts_nothing_in,
    a_share_goes_with_its_conversation_unless_it_is_kept,
);

fn step() -> ToolStep {
    let data = serde_json::json!({"arguments": {"query": "whales"}});
    ToolStep { call_id: "c".into(), phase: "call".into(), name: "search".into(), data }
}

/// A chain of so many messages, of which every second one is an answer with a seam.
fn conversation(messages: usize) -> ArchivedConversation {
    let at = Timestamp::from_millis(5_000);
    let mut all: Vec<ArchivedMessage> = Vec::new();
    for n in 0..messages {
        let answer = (n % 2 == 1).then(|| ArchivedAnswer {
            generation_id: GenerationId::new(),
            state: GenerationState::Completed,
            model: "m".into(),
            model_name: "M".into(),
            created_at: at,
            finish_reason: Some(FinishReason::Stop),
            input_tokens: 1,
            output_tokens: 2,
            citations: Vec::new(),
            reasoning: "hm".into(),
            reasoning_ms: Some(1_500),
            tool_events: vec![step()],
            seams: vec![2],
            code: None,
            error: None,
            options: Options::default(),
            routing: None,
        });
        all.push(ArchivedMessage {
            message_id: MessageId::new(),
            parent_id: all.last().map(|before| before.message_id),
            role: if n % 2 == 0 { Role::User } else { Role::Assistant },
            content: format!("whale {n}"),
            created_at: at,
            sources: Vec::new(),
            answer,
        });
    }
    ArchivedConversation {
        conversation_id: ConversationId::new(),
        title: "Imported".into(),
        model: "m".into(),
        created_at: at,
        updated_at: at,
        pinned: false,
        archived: false,
        folder: None,
        selected_message_id: all[messages - 1].message_id,
        messages: all,
    }
}

async fn begin(writer: &mut Writer, principal_id: PrincipalId) -> ImportId {
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
    let mut transaction = crate::begin(writer).await;
    transaction.put_import(&import).await.unwrap();
    transaction.commit().await.unwrap();
    import.import_id
}

async fn bring(
    writer: &mut Writer,
    (principal_id, import_id): (PrincipalId, ImportId),
    conversation: &ArchivedConversation,
) -> bool {
    let mut taken = true;
    for slice in Imported::slices(conversation.clone()) {
        let (slices, notes) = (vec![slice], "{}".into());
        let step = ImportStep { import_id, principal_id, slices, done: 1, notes };
        let mut transaction = crate::begin(writer).await;
        taken &= transaction.import_step(&step).await.unwrap();
        transaction.commit().await.unwrap();
    }
    taken
}

async fn counts(store: &Store, id: ImportId) -> [u64; 3] {
    let import = store.import(id).await.unwrap().unwrap();
    [import.conversations, import.messages, import.unchanged]
}

async fn what_was_imported_reads_as_if_it_had_been_written_here(home: Home) {
    let (store, mut writer) = home.open().await;
    let owner = PrincipalId::new();
    let id = begin(&mut writer, owner).await;
    let mut file = conversation(100);
    let whole = file.clone();
    file.messages.truncate(60);
    file.selected_message_id = file.messages[59].message_id;
    assert!(bring(&mut writer, (owner, id), &file).await);
    assert!(bring(&mut writer, (owner, id), &file).await);
    assert_eq!(counts(&store, id).await, [1, 60, 1]);
    assert!(bring(&mut writer, (owner, id), &whole).await);
    assert_eq!(counts(&store, id).await, [1, 100, 1]);

    let found = store.conversation(owner, whole.conversation_id).await.unwrap().unwrap();
    let found = found.conversation;
    assert_eq!((found.message_count, found.total_tokens), (100, 150));
    assert_eq!(found.selected_message_id, whole.selected_message_id);
    let history = store.history(&found, None, None).await.unwrap().unwrap();
    assert_eq!((history.total, history.messages.len()), (100, 100));
    let answer = history.messages[1].generation.clone().unwrap();
    assert_eq!((answer.epoch, answer.reasoning.as_str()), (2, "hm"));
    assert_eq!(answer.tool_events, [step()]);
    let records = store.packed_records(answer.generation_id).await.unwrap();
    assert_eq!(records.len() as u64, answer.head_seq);
    assert!(records.iter().zip(1..).all(|(record, seq)| record.seq == seq));
    assert!(records.last().unwrap().body.is_terminal());
    assert!(records.iter().any(|record| record.body == Body::Tool(step().into())));
    super::index(&mut writer).await;
    let query = Query::parse("\"whale 99\"").unwrap();
    assert_eq!(store.search(owner, &query).await.unwrap().len(), 1);
    assert_eq!(store.tree(whole.conversation_id).await.unwrap().len(), 100);
    assert_eq!(store.conversation_count(owner, Shelf::Listed).await.unwrap(), 1);

    let stranger = PrincipalId::new();
    let ids: Vec<_> = whole.messages.iter().map(|message| message.message_id).collect();
    assert!(!store.is_taken(owner, whole.conversation_id, &ids, &[]).await.unwrap());
    assert!(store.is_taken(stranger, whole.conversation_id, &[], &[]).await.unwrap());
    assert!(store.is_taken(stranger, ConversationId::new(), &ids, &[]).await.unwrap());
    let other = begin(&mut writer, stranger).await;
    assert!(bring(&mut writer, (stranger, other), &whole).await);
    assert_eq!(counts(&store, other).await, [0, 0, 2 - 1], "nothing of another person changes");
}

async fn a_conversation_of_several_steps_shows_and_counts_what_all_of_them_brought(home: Home) {
    let (store, mut writer) = home.open().await;
    let owner = PrincipalId::new();
    let id = begin(&mut writer, owner).await;
    let (mut long, mut other) = (conversation(62), conversation(50));
    other.messages[0].parent_id = Some(long.messages[1].message_id);
    long.selected_message_id = other.selected_message_id;
    let mut short = long.clone();
    short.messages.truncate(60);
    for file in [&mut long, &mut short] {
        file.messages.extend(other.messages.clone());
    }
    for (file, expected) in [(&short, [1, 110, 0]), (&long, [1, 112, 0]), (&long, [1, 112, 1])] {
        assert!(bring(&mut writer, (owner, id), file).await);
        assert_eq!(counts(&store, id).await, expected);
        let found = store.conversation(owner, file.conversation_id).await.unwrap().unwrap();
        assert_eq!(found.conversation.selected_message_id, other.selected_message_id);
        assert_eq!(found.conversation.message_count, expected[1]);
    }
}

async fn an_import_that_was_deleted_puts_nothing_in(home: Home) {
    let (store, mut writer) = home.open().await;
    let owner = PrincipalId::new();
    let id = begin(&mut writer, owner).await;
    let mut transaction = crate::begin(&mut writer).await;
    transaction.forget_moves(owner).await.unwrap();
    transaction.commit().await.unwrap();
    assert!(!bring(&mut writer, (owner, id), &conversation(4)).await);
    assert_eq!(store.conversation_count(owner, Shelf::Listed).await.unwrap(), 0);
}

async fn a_share_goes_with_its_conversation_unless_it_is_kept(home: Home) {
    let (store, mut writer) = home.open().await;
    let owner = PrincipalId::new();
    let id = begin(&mut writer, owner).await;
    let file = conversation(2);
    bring(&mut writer, (owner, id), &file).await;
    let share = |name: &str, keep| Share {
        share_id: name.into(),
        principal_id: owner,
        conversation_id: file.conversation_id,
        title: "T".into(),
        created_at: Timestamp::from_millis(1),
        keep,
    };
    let mut transaction = crate::begin(&mut writer).await;
    assert!(transaction.put_share(&share("goes", false), b"a").await.unwrap());
    assert!(transaction.put_share(&share("stays", true), b"b").await.unwrap());
    let another = Share { principal_id: PrincipalId::new(), ..share("another", true) };
    assert!(!transaction.put_share(&another, b"c").await.unwrap(), "not theirs");
    transaction.commit().await.unwrap();
    assert_eq!(store.shared("goes").await.unwrap().as_deref(), Some(&b"a"[..]));
    let mut transaction = crate::begin(&mut writer).await;
    assert!(transaction.erase(file.conversation_id).await.unwrap());
    assert!(!transaction.revoke(PrincipalId::new(), "stays").await.unwrap());
    assert!(!transaction.put_share(&share("late", true), b"d").await.unwrap(), "it is gone");
    transaction.commit().await.unwrap();
    assert_eq!(store.shared("goes").await.unwrap(), None);
    assert_eq!(store.shared("stays").await.unwrap().as_deref(), Some(&b"b"[..]));
    assert_eq!(store.shares(owner).await.unwrap(), [share("stays", true)]);
}
