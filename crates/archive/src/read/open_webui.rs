//! Open WebUI: its export of chats, a tree in `chat.history.messages`.

use serde_json::Value;

use super::value::{joined, left_out, list, text, time, word};
use crate::notes::Notes;
use crate::tree::{Foreign, Node, Who};

pub(super) fn read(value: &Value, notes: &mut Notes) -> Foreign {
    let chat = &value["chat"];
    let title = word(&value["title"]).unwrap_or_else(|| text(&chat["title"]));
    let mut entries = Vec::new();
    for (key, message) in chat["history"]["messages"].as_object().into_iter().flatten() {
        let mut node = Node {
            id: key.clone(),
            parent: word(&message["parentId"]),
            at: time(&message["timestamp"]),
            who: match message["role"].as_str() {
                Some("user") => Who::User,
                Some("assistant") => Who::Model,
                _ => Who::Nobody,
            },
            model: word(&message["modelName"]).or_else(|| word(&message["model"])),
            error: !matches!(message["error"], Value::Null | Value::Bool(false)),
            ..Node::default()
        };
        if message["role"] == "system" {
            notes.add("system", &title);
        }
        let (reasoning, content) = split_reasoning(&text(&message["content"]));
        let mut parts = vec![content];
        for file in list(&message["files"]) {
            let is_image = file["type"] == "image";
            notes.add(if is_image { "image" } else { "file" }, &title);
            let name = word(&file["name"]).unwrap_or_default();
            parts.push(left_out(if is_image { "Image" } else { "File" }, &name));
        }
        node.text = joined(parts);
        node.reasoning = reasoning;
        entries.push(node);
    }
    if word(&chat["params"]["system"]).is_some() {
        notes.add("system", &title);
    }
    let models = list(&chat["models"]);
    Foreign {
        source: "open-webui",
        id: word(&value["id"]).unwrap_or_else(|| text(&chat["id"])),
        created_at: time(&value["created_at"]).or_else(|| time(&chat["timestamp"])),
        updated_at: time(&value["updated_at"]),
        current: word(&chat["history"]["currentId"]),
        model: models.iter().find_map(word).unwrap_or_else(|| "Open WebUI".into()),
        pinned: value["pinned"] == true,
        archived: value["archived"] == true,
        title,
        nodes: entries,
    }
}

/// What the model thought stands in front of its answer, in an element that folds.
fn split_reasoning(content: &str) -> (String, String) {
    let (mut thoughts, mut rest) = (Vec::new(), content.trim_start());
    while rest.starts_with("<details type=\"reasoning\"") {
        let Some((head, after)) = rest.split_once("</details>") else { break };
        let inner = head.split_once('>').map_or("", |(_, inner)| inner);
        let inner = inner.split_once("</summary>").map_or(inner, |(_, inner)| inner);
        let line = |line: &str| {
            let line = line.strip_prefix("&gt;").or_else(|| line.strip_prefix('>')).unwrap_or(line);
            line.strip_prefix(' ').unwrap_or(line).to_owned()
        };
        thoughts.push(inner.trim().lines().map(line).collect::<Vec<_>>().join("\n"));
        rest = after.trim_start();
    }
    (joined(thoughts), rest.to_owned())
}
