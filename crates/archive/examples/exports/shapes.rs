//! Exports as other chats write them, of any size: the same number makes the same text.

use serde_json::{Map, Value, json};

const START: i64 = 1_700_000_000;

/// One conversation of the kind `source`, with so many messages.
pub(crate) fn conversation(source: &str, number: usize, messages: usize) -> Value {
    match source {
        "chatgpt" => chatgpt(number, messages),
        "claude" => claude(number, messages),
        "open-webui" => open_webui(number, messages),
        "librechat" => librechat(number, messages),
        other => panic!("there is no export of {other}"),
    }
}

fn said(number: usize, at: usize) -> String {
    let words = ["whale", "harbour", "lantern", "compass", "rope", "tide", "mast", "anchor"];
    let word = |n: usize| words[(number * 31 + at * 17 + n * n) % words.len()];
    let text: Vec<_> = (0..60).map(word).collect();
    format!("Message {at} of conversation {number}: {}.", text.join(" "))
}

fn at(number: usize, message: usize) -> i64 {
    START + i64::try_from(number * 1000 + message * 10).expect("it is small")
}

fn time(seconds: i64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // All of them are within three years after 2023-11-14, which is day 19675.
    let (mut year, mut day) = (2023, days - 19_675 + 317);
    while day >= 365 + i64::from(year % 4 == 0) {
        day -= 365 + i64::from(year % 4 == 0);
        year += 1;
    }
    let lengths = [31, 28 + i64::from(year % 4 == 0), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while day >= lengths[month] {
        day -= lengths[month];
        month += 1;
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let (month, day) = (month + 1, day + 1);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.250000Z")
}

fn chatgpt(number: usize, messages: usize) -> Value {
    let id = |n: usize| format!("c{number}-m{n}");
    let mut mapping = Map::new();
    let children = if messages > 0 { vec![id(0)] } else { Vec::new() };
    mapping.insert(
        "client-created-root".into(),
        json!({"id": "client-created-root", "message": null, "parent": null, "children": children}),
    );
    for n in 0..messages {
        let is_user = n.is_multiple_of(2);
        let parent = if n == 0 { "client-created-root".to_owned() } else { id(n - 1) };
        let children = if n + 1 < messages { vec![id(n + 1)] } else { Vec::new() };
        let metadata = if is_user { json!({}) } else { json!({"model_slug": "gpt-4o"}) };
        mapping.insert(
            id(n),
            json!({"id": id(n), "parent": parent, "children": children, "message": {
                "id": id(n), "author": {"role": if is_user { "user" } else { "assistant" },
                "name": null, "metadata": {}}, "create_time": at(number, n) as f64 + 0.25,
                "update_time": null, "content": {"content_type": "text",
                "parts": [said(number, n)]}, "status": "finished_successfully", "end_turn": true,
                "weight": 1.0, "metadata": metadata, "recipient": "all", "channel": null}}),
        );
    }
    json!({"title": format!("Conversation {number}"), "create_time": at(number, 0) as f64 + 0.25,
        "update_time": at(number, messages) as f64 + 0.5, "mapping": mapping,
        "moderation_results": [], "current_node": id(messages.saturating_sub(1)),
        "plugin_ids": null, "conversation_id": format!("conversation-{number}"),
        "gizmo_id": null, "is_archived": false, "safe_urls": [],
        "default_model_slug": "gpt-4o", "id": format!("conversation-{number}")})
}

fn claude(number: usize, messages: usize) -> Value {
    let message = |n: usize| {
        let text = said(number, n);
        json!({"uuid": format!("c{number}-m{n}"), "text": text,
            "content": [{"type": "text", "text": text, "citations": [],
                "start_timestamp": time(at(number, n)), "stop_timestamp": time(at(number, n))}],
            "sender": if n.is_multiple_of(2) { "human" } else { "assistant" },
            "created_at": time(at(number, n)), "updated_at": time(at(number, n)),
            "attachments": [], "files": []})
    };
    let all: Vec<_> = (0..messages).map(message).collect();
    json!({"uuid": format!("conversation-{number}"), "name": format!("Conversation {number}"),
        "created_at": time(at(number, 0)), "updated_at": time(at(number, messages)),
        "account": {"uuid": "somebody"}, "chat_messages": all})
}

fn open_webui(number: usize, messages: usize) -> Value {
    let id = |n: usize| format!("c{number}-m{n}");
    let mut all = Map::new();
    for n in 0..messages {
        let parent = if n == 0 { Value::Null } else { id(n - 1).into() };
        let children = if n + 1 < messages { vec![id(n + 1)] } else { Vec::new() };
        let mut message = json!({"id": id(n), "parentId": parent, "childrenIds": children,
            "content": said(number, n), "timestamp": at(number, n)});
        if n.is_multiple_of(2) {
            message["role"] = "user".into();
            message["models"] = json!(["llama3.2:latest"]);
        } else {
            message["role"] = "assistant".into();
            message["model"] = "llama3.2:latest".into();
            message["modelName"] = "llama3.2".into();
            message["done"] = true.into();
        }
        all.insert(id(n), message);
    }
    let last = id(messages.saturating_sub(1));
    json!({"id": format!("conversation-{number}"), "user_id": "somebody",
        "title": format!("Conversation {number}"), "chat": {"id": "", "title": "x",
        "models": ["llama3.2:latest"], "params": {},
        "history": {"messages": all, "currentId": last}, "messages": [], "tags": [],
        "timestamp": at(number, 0) * 1000}, "updated_at": at(number, messages),
        "created_at": at(number, 0), "share_id": null, "archived": false, "pinned": false,
        "meta": {}, "folder_id": null})
}

fn librechat(number: usize, messages: usize) -> Value {
    let id = |n: usize| format!("c{number}-m{n}");
    let message = |n: usize| {
        let root = "00000000-0000-0000-0000-000000000000".to_owned();
        let is_user = n.is_multiple_of(2);
        json!({"messageId": id(n), "conversationId": format!("conversation-{number}"),
            "parentMessageId": if n == 0 { root } else { id(n - 1) },
            "sender": if is_user { "User" } else { "GPT-4o" }, "text": said(number, n),
            "isCreatedByUser": is_user, "model": if is_user { Value::Null } else { "gpt-4o".into() },
            "endpoint": "openAI", "error": false, "unfinished": false,
            "createdAt": time(at(number, n)), "updatedAt": time(at(number, n))})
    };
    let all: Vec<_> = (0..messages).map(message).collect();
    json!({"conversationId": format!("conversation-{number}"), "endpoint": "openAI",
        "title": format!("Conversation {number}"), "exportAt": "10:00:00 GMT+0000",
        "branches": true, "recursive": false, "options": {"model": "gpt-4o"}, "messages": all})
}
