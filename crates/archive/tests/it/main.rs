//! What other chats export, read as they write it.
#![expect(clippy::cast_precision_loss, reason = "times of a test are small")]

#[path = "../../examples/exports/shapes.rs"]
mod shapes;

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};
use unbroken_archive::{Found, Notes, put_beside, read};
use unbroken_protocol::{
    ArchivedConversation, ArchivedMessage, GenerationState, PrincipalId, Role,
};

const SOURCES: [&str; 4] = ["chatgpt", "claude", "open-webui", "librechat"];

fn found(value: &Value, notes: &mut Notes) -> Option<Found> {
    read(value.to_string().as_bytes(), PrincipalId::from_bytes([7; 16]), notes)
}

fn one(value: &Value) -> (ArchivedConversation, Vec<(String, u64)>) {
    let mut notes = Notes::default();
    let conversation = found(value, &mut notes).expect("it is a conversation").conversation;
    (conversation, notes.view().into_iter().map(|note| (note.what, note.count)).collect())
}

fn texts(conversation: &ArchivedConversation) -> Vec<(Role, &str)> {
    conversation.shown().iter().map(|message| (message.role, message.content.as_str())).collect()
}

#[test]
fn every_source_keeps_its_texts_times_and_models() {
    for source in SOURCES {
        let (read, notes) = one(&shapes::conversation(source, 3, 6));
        assert_eq!(notes, [], "{source}");
        assert_eq!((read.title.as_str(), read.messages.len()), ("Conversation 3", 6), "{source}");
        for (at, (role, text)) in texts(&read).into_iter().enumerate() {
            assert_eq!(role, [Role::User, Role::Assistant][at % 2], "{source}");
            assert!(text.starts_with(&format!("Message {at} of conversation 3:")), "{source}");
        }
        let second = &read.messages[1];
        assert_eq!(second.created_at.as_millis() / 1000, 1_700_003_010, "{source}");
        let model = second.answer.as_ref().unwrap().model_name.as_str();
        assert!(["gpt-4o", "Claude", "llama3.2"].contains(&model), "{source}: {model}");
    }
}

#[test]
fn the_same_conversation_has_the_same_ids_for_one_person_and_others_for_another() {
    for source in SOURCES {
        let value = shapes::conversation(source, 1, 4);
        let (short, _) = one(&value);
        let (long, _) = one(&shapes::conversation(source, 1, 8));
        assert_eq!(short.conversation_id, long.conversation_id);
        assert_eq!(short.messages[3].message_id, long.messages[3].message_id, "{source}");
        let other = PrincipalId::from_bytes([8; 16]);
        let foreign = read(value.to_string().as_bytes(), other, &mut Notes::default()).unwrap();
        assert_ne!(foreign.conversation.conversation_id, short.conversation_id);
        assert_ne!(foreign.conversation.messages[0].message_id, short.messages[0].message_id);
    }
}

#[test]
fn branches_hidden_messages_tools_and_images_of_chatgpt() {
    let node = |id: &str, parent: Value, role: &str, at: f64, content: Value, metadata: Value| {
        json!({"id": id, "parent": parent, "children": [], "message": {"id": id,
            "author": {"role": role}, "create_time": at, "content": content,
            "metadata": metadata, "recipient": "all"}})
    };
    let text = |text: &str| json!({"content_type": "text", "parts": [text]});
    let hidden = json!({"is_visually_hidden_from_conversation": true});
    let value = json!({"title": "Branches", "create_time": 1.7e9, "update_time": 1.7e9,
        "conversation_id": "x", "current_node": "b2", "mapping": {
        "root": {"id": "root", "message": null, "parent": null, "children": ["s"]},
        "s": node("s", json!("root"), "system", 1.0, text("Be brief."), hidden),
        "u": node("u", json!("s"), "user", 2.0, json!({"content_type": "multimodal_text",
            "parts": [{"content_type": "image_asset_pointer", "asset_pointer": "file-service://f"},
            "What is this?"]}), json!({})),
        "a1": node("a1", json!("u"), "assistant", 3.0, text("A boat."), json!({})),
        "b1": node("b1", json!("u"), "assistant", 4.0, json!({"content_type": "code",
            "language": "python", "text": "look(\"```\")"}), json!({"model_slug": "o3"})),
        "t": node("t", json!("b1"), "tool", 5.0, json!({"content_type": "execution_output",
            "text": "whale"}), json!({})),
        "b2": node("b2", json!("t"), "assistant", 6.0,
            text("A whale.\u{e200}cite\u{e202}turn0\u{e201}"), json!({"model_slug": "o3"})),
    }});
    let (read, notes) = one(&value);
    assert_eq!(notes, [("image".into(), 1), ("system".into(), 1), ("tool".into(), 2)]);
    assert_eq!(read.messages.len(), 3, "{read:?}");
    assert_eq!(read.messages[1].content, "A boat.");
    let shown = texts(&read);
    assert_eq!(shown[0], (Role::User, "[Image: not imported]\n\nWhat is this?"));
    let answer = "````python\nlook(\"```\")\n````\n\n```text\nwhale\n```\n\nA whale.";
    assert_eq!(shown[1], (Role::Assistant, answer));
}

#[test]
fn reasoning_is_reasoning_and_no_text() {
    let claude = json!({"uuid": "x", "name": "", "chat_messages": [
        {"uuid": "1", "sender": "human", "text": "Hi", "content": [],
         "attachments": [{"file_name": "a.txt", "extracted_content": "inside"}],
         "files": [{"file_name": "b.png"}]},
        {"uuid": "2", "sender": "assistant", "content": [{"type": "thinking", "thinking": "Hm."},
         {"type": "tool_use", "name": "web_search", "input": {}}, {"type": "text", "text": "Ho"}]}]});
    let (read, notes) = one(&claude);
    assert_eq!(notes, [("file".into(), 1), ("tool".into(), 1)]);
    let answer = &read.messages[1];
    assert_eq!(answer.content, "[Tool: web_search, not imported]\n\nHo");
    assert_eq!(answer.answer.as_ref().unwrap().reasoning, "Hm.");
    assert!(read.messages[0].content.contains("inside"));
    let webui = json!({"id": "x", "chat": {"history": {"currentId": "2", "messages": {
        "1": {"id": "1", "parentId": null, "role": "user", "content": "Hi"},
        "2": {"id": "2", "parentId": "1", "role": "assistant", "content":
            "<details type=\"reasoning\" done=\"true\" duration=\"2\">\n<summary>Thought</summary>\n> Hm.\n</details>\nHo"}
    }}}});
    let (read, _) = one(&webui);
    assert_eq!(read.messages[1].content, "Ho");
    assert_eq!(read.messages[1].answer.as_ref().unwrap().reasoning, "Hm.");
}

#[test]
fn a_tree_of_children_of_librechat_keeps_its_branches() {
    let value = json!({"conversationId": "x", "title": "T", "recursive": true, "messagesTree": [
        {"messageId": "1", "isCreatedByUser": true, "text": "Hi", "children": [
            {"messageId": "2", "isCreatedByUser": false, "text": "Ho", "children": []},
            {"messageId": "3", "isCreatedByUser": false, "text": "Hu", "children": []}]}]});
    let (read, _) = one(&value);
    let parents: Vec<_> = read.messages.iter().map(|message| message.parent_id).collect();
    let first = read.messages[0].message_id;
    assert_eq!(parents, [None, Some(first), Some(first)]);
    assert_eq!(texts(&read)[1].1, "Hu", "the newest is shown");
}

fn text(text: &str) -> Value {
    json!({"content_type": "text", "parts": [text]})
}

/// A conversation of ChatGPT, in which one follows the other: who, what, and what is known of it.
fn chatgpt(messages: &[(&str, Value, Value)]) -> Value {
    let node = |(at, (role, content, metadata)): (usize, &(&str, Value, Value))| {
        let parent = at.checked_sub(1).map(|before| before.to_string());
        let message = json!({"author": {"role": role}, "content": content, "metadata": metadata});
        (at.to_string(), json!({"parent": parent, "message": message}))
    };
    let mapping: serde_json::Map<_, _> = messages.iter().enumerate().map(node).collect();
    json!({"conversation_id": "x", "title": "T", "mapping": mapping})
}

#[test]
fn files_that_were_sent_along_leave_a_line_and_are_counted() {
    let seen = json!({"content_type": "multimodal_text", "parts": [
        {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file-b"}, ""]});
    let attachments = json!({"attachments": [
        {"id": "file-a", "name": "report.pdf", "mime_type": "application/pdf"},
        {"id": "file-b", "name": "seen.png", "mime_type": "image/png"},
        {"id": "file-c", "name": "lost.png", "mimeType": "image/png"}]});
    let alone = json!({"attachments": [{"id": "file-d", "name": "alone.pdf"}]});
    let (read, notes) = one(&chatgpt(&[
        ("user", seen, attachments),
        ("assistant", text("Seen."), json!({})),
        ("user", text(""), alone),
    ]));
    assert_eq!(notes, [("file".into(), 2), ("image".into(), 2)]);
    let shown = texts(&read);
    let lines = "[File: report.pdf, not imported]\n\n[Image: lost.png, not imported]\n\n\
                 [Image: not imported]";
    assert_eq!(shown[0], (Role::User, lines));
    assert_eq!(shown[2], (Role::User, "[File: alone.pdf, not imported]"));
}

#[test]
fn marks_of_chatgpt_keep_their_words_and_lead_to_citations() {
    let cited = |mark: &str, url: &str| {
        json!({"content_references": [{"matched_text": mark, "type": "grouped_webpages",
            "items": [{"title": "Page", "url": url, "snippet": "It says so."}]},
            {"matched_text": " ", "type": "sources_footnote", "sources": [{"url": url}]}]})
    };
    let (first, second) =
        ("\u{e200}cite\u{e202}turn0search1\u{e201}", "\u{e200}cite\u{e202}turn1search0\u{e201}");
    let said = "\u{e200}entity\u{e202}[\"people\",\"Ada Lovelace\",\"mathematician\"]\u{e201} has \
                \u{e200}url\u{e202}a page\u{e202}https://ada.example/\u{e201}.";
    let (read, notes) = one(&chatgpt(&[
        ("assistant", text(&format!("Engines.{first}")), cited(first, "https://a.example/")),
        ("assistant", text(&format!("{said}{second}")), cited(second, "https://b.example/")),
    ]));
    assert_eq!(notes, []);
    let message = &read.messages[0];
    let expected = "Engines.[1]\n\nAda Lovelace has [a page](<https://ada.example/>).[2]";
    assert_eq!(message.content, expected);
    let citations = &message.answer.as_ref().unwrap().citations;
    let citations: Vec<_> =
        citations.iter().map(|c| (c.index, c.url.as_deref().unwrap(), c.quote.as_str())).collect();
    let said = "It says so.";
    assert_eq!(citations, [(1, "https://a.example/", said), (2, "https://b.example/", said)]);
}

#[test]
fn instructions_that_are_left_out_are_counted() {
    let context = |profile: &str, instructions: &str| {
        json!({"content_type": "user_editable_context", "user_profile": profile,
            "user_instructions": instructions})
    };
    for (profile, instructions, count) in [("", "", 0), ("I sail.", "", 1), ("", "Be brief.", 1)] {
        let hidden = json!({"is_visually_hidden_from_conversation": true});
        let (_, notes) = one(&chatgpt(&[
            ("user", context(profile, instructions), hidden),
            ("user", text("Hi"), json!({})),
        ]));
        assert_eq!(notes.iter().map(|(_, count)| count).sum::<u64>(), count, "{notes:?}");
    }
    let mut value = shapes::conversation("open-webui", 1, 2);
    value["chat"]["params"]["system"] = "Be brief.".into();
    assert_eq!(one(&value).1, [("system".into(), 1)]);
}

#[test]
fn half_a_character_costs_one_character() {
    let json = br#"{"uuid": "x", "name": "Cut \ud83d", "chat_messages": [{"uuid": "1",
        "sender": "human", "text": "a\ud83d b \ud83d\ude00 \\ud83d \udc00\ud83d\ud83d\ude00"}]}"#;
    let mut notes = Notes::default();
    let read = read(json, PrincipalId::new(), &mut notes).unwrap().conversation;
    assert_eq!(read.title, "Cut \u{fffd}");
    let expected = "a\u{fffd} b \u{1f600} \\ud83d \u{fffd}\u{fffd}\u{1f600}";
    assert_eq!(read.messages[0].content, expected);
    assert_eq!(notes, Notes::default());
}

/// What LibreChat exports as "recursive": each message is in the one before it.
fn nested(messages: usize) -> String {
    let mut json =
        "{\"conversationId\": \"x\", \"title\": \"Deep\", \"messagesTree\": [".to_owned();
    for n in 0..messages {
        let is_user = n % 2 == 0;
        let _ = write!(
            json,
            "{{\"messageId\": \"{n}\", \"isCreatedByUser\": {is_user}, \"text\": \"{n}\", \"children\": ["
        );
    }
    json + &"]}".repeat(messages) + "]}"
}

#[test]
fn a_conversation_may_be_nested_thousands_of_messages_deep() {
    let mut notes = Notes::default();
    let found = read(nested(4_990).as_bytes(), PrincipalId::new(), &mut notes).unwrap();
    assert_eq!(texts(&found.conversation).len(), 4_990);
    assert_eq!(notes, Notes::default());
    assert!(read(nested(6_000).as_bytes(), PrincipalId::new(), &mut notes).is_none());
    let note = notes.view().remove(0);
    assert_eq!((note.what.as_str(), note.examples), ("unreadable", vec!["Deep".to_owned()]));
}

#[test]
fn what_cannot_be_read_is_called_by_its_title() {
    let mut notes = Notes::default();
    for json in [r#"{"title": "A \"b\"", "mapping": x}"#, r#"{"name":"C","title":1,"#, "{"] {
        assert!(read(json.as_bytes(), PrincipalId::new(), &mut notes).is_none());
    }
    let note = notes.view().remove(0);
    assert_eq!((note.count, note.examples), (3, vec!["A \"b\"".to_owned(), "C".to_owned()]));
}

#[test]
fn what_folds_in_open_webui_is_reasoning_or_a_tool_wherever_it_stands() {
    let content = "Before.\n<details type=\"reasoning\" done=\"true\" duration=\"2\">\n\
        <summary>Thought for 2 seconds</summary>\n&gt; if a &lt; b &amp;&amp; c:\n\
        &gt; it&#x27;s &amp;lt;\n</details>\n<details type=\"tool_calls\" done=\"true\" id=\"1\" \
        name=\"get_tide\" arguments=\"&quot;{}&quot;\">\n<summary>Tool Executed</summary>\n\
        </details>\nAfter <details>.\n<details type=\"other\">x</details>";
    let mut value = shapes::conversation("open-webui", 1, 2);
    value["chat"]["history"]["messages"]["c1-m1"]["content"] = content.into();
    let (read, notes) = one(&value);
    assert_eq!(notes, [("tool".into(), 1)]);
    let message = &read.messages[1];
    let expected = "Before.\n\n[Tool: get_tide, not imported]\n\nAfter <details>.\n\n\
                    <details type=\"other\">x</details>";
    assert_eq!(message.content, expected);
    assert_eq!(message.answer.as_ref().unwrap().reasoning, "if a < b && c:\nit's &lt;");
}

#[test]
fn an_answer_that_failed_comes_in_as_failed() {
    let mut webui = shapes::conversation("open-webui", 1, 2);
    let message = &mut webui["chat"]["history"]["messages"]["c1-m1"];
    message["content"] = "".into();
    message["error"] = json!({"content": "No whale."});
    let mut librechat = shapes::conversation("librechat", 1, 2);
    librechat["messages"][1]["text"] = "No whale.".into();
    librechat["messages"][1]["error"] = true.into();
    for value in [webui, librechat] {
        let (read, _) = one(&value);
        let answer = read.messages[1].answer.as_ref().unwrap();
        assert_eq!(
            (answer.state, read.messages[1].content.as_str()),
            (GenerationState::Failed, "")
        );
        assert_eq!(answer.error.as_deref(), Some("No whale."));
    }
}

#[test]
fn what_claude_wrote_with_a_tool_and_what_it_cites_comes_along() {
    let mut value = shapes::conversation("claude", 1, 2);
    value["chat_messages"][1]["content"] = json!([
        {"type": "text", "text": "Look.", "citations": [{"uuid": "c", "start_index": 0,
            "end_index": 4, "details": {"type": "web_search_citation", "url": "https://a.example/"}}]},
        {"type": "tool_use", "name": "artifacts", "input": {"command": "create", "id": "plan",
            "title": "Plan", "language": "python", "content": "one\ntwo"}},
        {"type": "tool_result", "name": "artifacts", "content": [{"type": "text", "text": "OK"}]}]);
    let (read, notes) = one(&value);
    assert_eq!(notes, [("tool".into(), 1)]);
    let message = &read.messages[1];
    assert_eq!(message.content, "Look.\n\nPlan\n\n```python\none\ntwo\n```");
    let citations = &message.answer.as_ref().unwrap().citations;
    assert_eq!(citations[0].url.as_deref(), Some("https://a.example/"));
}

#[test]
fn an_answer_that_went_on_comes_in_beside_the_one_that_is_here() {
    let me = PrincipalId::from_bytes([7; 16]);
    let (before, _) = one(&shapes::conversation("chatgpt", 1, 4));
    let text = |message: &ArchivedMessage| (message.message_id, message.content.clone());
    let mut here: BTreeMap<_, _> = before.messages.iter().map(text).collect();
    let longer = |messages| {
        let mut value = shapes::conversation("chatgpt", 1, messages);
        let part = &mut value["mapping"]["c1-m3"]["message"]["content"]["parts"][0];
        *part = format!("{} And on.", part.as_str().unwrap()).into();
        value["mapping"]["c1-m0"]["message"]["content"]["parts"] = json!(["Another question."]);
        one(&value).0
    };
    for (messages, new) in [(4, 1), (4, 0), (6, 2)] {
        let (mut read, mut notes) = (longer(messages), Notes::default());
        put_beside(&mut read, &here, me, &mut notes);
        assert_eq!(notes.view()[0].what, "changed");
        assert_eq!(notes.view()[0].count, 1, "an answer that came in is no change");
        let mut seen = HashSet::new();
        for message in &read.messages {
            assert!(message.parent_id.is_none_or(|parent| seen.contains(&parent)));
            assert!(seen.insert(message.message_id));
        }
        let added = read.messages.iter().filter(|m| !here.contains_key(&m.message_id)).count();
        assert_eq!(added, new);
        let shown = read.shown();
        assert_eq!(shown.len(), messages);
        assert!(shown[3].content.ends_with("And on."), "{shown:?}");
        for message in read.messages {
            here.entry(message.message_id).or_insert(message.content);
        }
    }
    // What is shorter there went on here.
    let (mut read, mut notes) = (before.clone(), Notes::default());
    here.insert(read.messages[3].message_id, format!("{} And on.", read.messages[3].content));
    put_beside(&mut read, &here, me, &mut notes);
    assert_eq!((read, notes), (before, Notes::default()));
}

#[test]
fn what_is_no_tree_or_no_conversation_is_left_out_and_said() {
    let mut notes = Notes::default();
    let twice = json!({"mapping": {"a": {"parent": "b"}, "b": {"parent": "a"}}, "title": "Loop"});
    for value in
        [json!({"email": "a@b"}), twice, json!({"format": "unbroken.conversation", "version": 2})]
    {
        assert!(found(&value, &mut notes).is_none(), "{value}");
    }
    assert!(read(b"{\"a\": \"\\ud800\"}", PrincipalId::new(), &mut notes).is_none());
    let said: Vec<_> = notes.view().into_iter().map(|note| note.what).collect();
    assert_eq!(said, ["empty", "other", "unreadable"]);
}

/// Values with the names that matter, of any type.
fn anything() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "mapping",
        "message",
        "parent",
        "children",
        "content",
        "parts",
        "author",
        "role",
        "chat",
        "history",
        "messages",
        "chat_messages",
        "conversationId",
        "format",
        "version",
        "title",
        "create_time",
        "text",
        "uuid",
        "messageId",
        "current_node",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec!["user", "assistant", "a", "unbroken.conversation", ""])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone().prop_map(String::from), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_in_a_file_makes_it_panic(value in anything()) {
        let _ = found(&value, &mut Notes::default());
    }

    #[test]
    fn what_was_read_is_written_and_read_again(messages in 1..12_usize, source in 0..4_usize) {
        let (read, _) = one(&shapes::conversation(SOURCES[source], 5, messages));
        let written: Value = serde_json::from_str(&unbroken_archive::json(&read)).unwrap();
        prop_assert_eq!(one(&written).0, read);
    }
}
