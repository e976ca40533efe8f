//! Open WebUI: its export of chats, a tree in `chat.history.messages`.

use serde_json::Value;

use super::value::{joined, left_out, list, text, time, unescaped, word};
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
            error: error(&message["error"]),
            ..Node::default()
        };
        if message["role"] == "system" {
            notes.add("system", &title);
        }
        let (reasoning, mut parts) = unfold(&text(&message["content"]), &title, notes);
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

/// Why an answer failed, if it did.
fn error(value: &Value) -> Option<String> {
    let failed = !matches!(value, Value::Null | Value::Bool(false));
    let said = || [value, &value["content"], &value["message"]].into_iter().find_map(word);
    failed.then(|| said().unwrap_or_default())
}

/// Begins an element that folds, on a line of its own.
const FOLD: &str = "\n<details type=\"";

/// What the model thought, and what it said. Thoughts and uses of tools stand in elements that
/// fold, before the text and in its midst.
fn unfold(content: &str, title: &str, notes: &mut Notes) -> (String, Vec<String>) {
    let (mut thoughts, mut texts) = (Vec::new(), Vec::new());
    let content = format!("\n{content}");
    let mut rest = &*content;
    while let Some((before, after)) = rest.split_once(FOLD) {
        let Some((element, after)) = after.split_once("</details>") else { break };
        let (head, inner) = element.split_once('>').unwrap_or((element, ""));
        let inner = inner.split_once("</summary>").map_or(inner, |(_, inner)| inner).trim();
        texts.push(before.trim().to_owned());
        match head.split('"').next().unwrap_or_default() {
            "reasoning" => thoughts.push(thought(inner)),
            "tool_calls" => {
                notes.add("tool", title);
                let name = head.split_once(" name=\"").and_then(|(_, name)| name.split('"').next());
                texts.push(left_out("Tool", &unescaped(name.unwrap_or_default())));
            }
            // Code that was run: it is in a fence.
            "code_interpreter" => {
                notes.add("tool", title);
                texts.push(inner.to_owned());
            }
            _ => texts.push(format!("{}{element}</details>", FOLD.trim_start())),
        }
        rest = after;
    }
    texts.push(rest.trim_start().to_owned());
    (joined(thoughts), texts)
}

/// Each line of it is a quotation, of late in HTML.
fn thought(inner: &str) -> String {
    let is_escaped = inner.starts_with("&gt;");
    let inner = if is_escaped { unescaped(inner) } else { inner.to_owned() };
    let line = |line: &str| {
        let line = line.strip_prefix('>').unwrap_or(line);
        line.strip_prefix(' ').unwrap_or(line).to_owned()
    };
    inner.lines().map(line).collect::<Vec<_>>().join("\n")
}
