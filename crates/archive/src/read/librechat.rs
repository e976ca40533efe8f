//! LibreChat: the export of one conversation, a list with parents or a tree of children.

use serde_json::Value;

use super::value::{joined, left_out, list, text, time, word};
use crate::notes::Notes;
use crate::tree::{Foreign, MESSAGES, Node, Who};

pub(super) fn read(value: &Value, notes: &mut Notes) -> Foreign {
    let title = text(&value["title"]);
    let messages =
        if value["messagesTree"].is_array() { &value["messagesTree"] } else { &value["messages"] };
    let is_recursive = value["recursive"] == true || value["messagesTree"].is_array();
    // Without branches there are no parents in old exports: each follows the one before it.
    let mut entries: Vec<Node> = Vec::new();
    let mut waiting: Vec<(&Value, Option<String>)> =
        list(messages).iter().rev().map(|message| (message, None)).collect();
    while let Some((message, above)) = waiting.pop() {
        if entries.len() >= MESSAGES {
            break;
        }
        let before = entries.last().map(|node| node.id.clone()).filter(|_| !is_recursive);
        let node = node(message, above.or(before), entries.len(), &title, notes);
        let below = list(&message["children"]).iter().rev();
        waiting.extend(below.map(|child| (child, Some(node.id.clone()))));
        entries.push(node);
    }
    if word(&value["options"]["promptPrefix"]).is_some() {
        notes.add("system", &title);
    }
    let model = word(&value["options"]["model"])
        .or_else(|| entries.iter().rev().find_map(|n| n.model.clone()));
    Foreign {
        source: "librechat",
        id: text(&value["conversationId"]),
        created_at: time(&value["createdAt"]),
        updated_at: time(&value["updatedAt"]),
        current: None,
        model: model.or_else(|| word(&value["endpoint"])).unwrap_or_else(|| "LibreChat".into()),
        pinned: false,
        archived: value["isArchived"] == true,
        title,
        nodes: entries,
    }
}

fn node(
    message: &Value,
    before: Option<String>,
    at: usize,
    title: &str,
    notes: &mut Notes,
) -> Node {
    let is_user = message["isCreatedByUser"].as_bool().unwrap_or(message["sender"] == "User");
    let (mut texts, mut thoughts, mut error) = (Vec::new(), Vec::new(), None);
    for block in list(&message["content"]) {
        let kind = block["type"].as_str().unwrap_or_default();
        // A text is a text, or an object with a value.
        let part = |name: &str| word(&block[name]).unwrap_or_else(|| text(&block[name]["value"]));
        match kind {
            "text" => texts.push(part("text")),
            "think" => thoughts.push(part("think")),
            "error" => error = Some(part("error")),
            "tool_call" => {
                notes.add("tool", title);
                texts.push(left_out("Tool", &text(&block["tool_call"]["name"])));
            }
            _ => {
                let is_image = kind.contains("image");
                notes.add(if is_image { "image" } else { "other" }, title);
                texts.push(left_out(if is_image { "Image" } else { "Part" }, ""));
            }
        }
    }
    if texts.is_empty() {
        texts.push(text(&message["text"]));
    }
    if message["error"] == true && !is_user && error.is_none() {
        // Then the text says why.
        error = Some(joined(std::mem::take(&mut texts)));
    }
    for file in list(&message["files"]) {
        let is_image = file["type"].as_str().is_some_and(|kind| kind.starts_with("image/"));
        notes.add(if is_image { "image" } else { "file" }, title);
        texts.push(left_out(if is_image { "Image" } else { "File" }, &text(&file["filename"])));
    }
    Node {
        id: word(&message["messageId"]).unwrap_or_else(|| format!("message {at}")),
        parent: word(&message["parentMessageId"]).or(before),
        who: if is_user { Who::User } else { Who::Model },
        text: joined(texts),
        reasoning: joined(thoughts),
        model: word(&message["model"]).filter(|_| !is_user),
        at: time(&message["createdAt"]),
        error,
        ..Node::default()
    }
}
