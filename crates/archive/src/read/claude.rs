//! Claude: `conversations.json`, a list in `chat_messages`, of late with parents.

use serde_json::Value;

use super::value::{cited, fenced, joined, left_out, list, text, time, word};
use crate::notes::Notes;
use crate::tree::{Foreign, Node, Who};

pub(super) fn read(value: &Value, notes: &mut Notes) -> Foreign {
    let title = text(&value["name"]);
    let mut entries: Vec<Node> = Vec::new();
    for (at, message) in list(&value["chat_messages"]).iter().enumerate() {
        let before = entries.last().map(|node| node.id.clone());
        let mut node = Node {
            id: word(&message["uuid"]).unwrap_or_else(|| format!("message {at}")),
            // A parent that is no message is the root.
            parent: word(&message["parent_message_uuid"]).or(before),
            at: time(&message["created_at"]),
            who: match message["sender"].as_str() {
                Some("human" | "user") => Who::User,
                Some("assistant") => Who::Model,
                _ => Who::Nobody,
            },
            ..Node::default()
        };
        fill(&mut node, message, &title, notes);
        entries.push(node);
    }
    let shown = word(&value["current_leaf_message_uuid"]);
    Foreign {
        source: "claude",
        id: text(&value["uuid"]),
        created_at: time(&value["created_at"]),
        updated_at: time(&value["updated_at"]),
        current: shown.or_else(|| entries.last().map(|node| node.id.clone())),
        model: word(&value["model"]).unwrap_or_else(|| "Claude".into()),
        pinned: value["is_starred"] == true,
        archived: false,
        title,
        nodes: entries,
    }
}

fn fill(node: &mut Node, message: &Value, title: &str, notes: &mut Notes) {
    let (mut texts, mut thoughts) = (Vec::new(), Vec::new());
    for attachment in list(&message["attachments"]) {
        let name = text(&attachment["file_name"]);
        if let Some(content) = word(&attachment["extracted_content"]) {
            texts.push(format!("{name}\n\n{}", fenced("", &content)));
        } else {
            notes.add("file", title);
            texts.push(left_out("File", &name));
        }
    }
    for file in list(&message["files"]) {
        notes.add("file", title);
        texts.push(left_out("File", &text(&file["file_name"])));
    }
    let blocks = list(&message["content"]);
    for block in blocks {
        match block["type"].as_str().unwrap_or_default() {
            "text" => {
                texts.push(text(&block["text"]));
                for citation in list(&block["citations"]) {
                    // What it refers to stands in it, of late one level deeper.
                    let details = [citation, &citation["details"]];
                    details.into_iter().find_map(|page| cited(&mut node.citations, page));
                }
            }
            "thinking" => thoughts.push(text(&block["thinking"])),
            "tool_use" => {
                notes.add("tool", title);
                texts.push(tool(block));
            }
            // The tool is counted already; the others are nothing that anybody said.
            "tool_result" | "token_budget" | "flag" => {}
            "image" => {
                notes.add("image", title);
                texts.push(left_out("Image", ""));
            }
            kind => {
                notes.add("other", title);
                texts.push(left_out("Part", kind));
            }
        }
    }
    if blocks.is_empty() {
        texts.push(text(&message["text"]));
    }
    node.text = joined(texts);
    node.reasoning = joined(thoughts);
}

/// What the model wrote with a tool, or a line in its place.
fn tool(block: &Value) -> String {
    let input = &block["input"];
    // A text that is shown beside the conversation, or a file.
    let written = word(&input["content"]).or_else(|| word(&input["file_text"]));
    let Some(written) = written else { return left_out("Tool", &text(&block["name"])) };
    let name = word(&input["title"]).or_else(|| word(&input["path"])).unwrap_or_default();
    joined(vec![name, fenced(&text(&input["language"]), &written)])
}
