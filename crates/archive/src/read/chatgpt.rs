//! ChatGPT: `conversations.json`, a tree in `mapping`.

use std::collections::HashMap;

use serde_json::Value;
use unbroken_protocol::Citation;

use super::value::{cited, fenced, is_web, joined, left_out, list, text, time, word};
use crate::notes::Notes;
use crate::tree::{Foreign, Node, Who, mark};

pub(super) fn read(value: &Value, notes: &mut Notes) -> Foreign {
    let title = text(&value["title"]);
    let mut entries = Vec::new();
    for (key, entry) in value["mapping"].as_object().into_iter().flatten() {
        let mut node = Node {
            id: key.clone(),
            parent: word(&entry["parent"]),
            at: time(&entry["message"]["create_time"]),
            ..Node::default()
        };
        let message = &entry["message"];
        if message.is_object() {
            fill(&mut node, message, &title, notes);
        }
        entries.push(node);
    }
    let model = entries.iter().rev().find_map(|node| node.model.clone());
    Foreign {
        source: "chatgpt",
        id: word(&value["conversation_id"]).unwrap_or_else(|| text(&value["id"])),
        created_at: time(&value["create_time"]),
        updated_at: time(&value["update_time"]),
        current: word(&value["current_node"]),
        model: word(&value["default_model_slug"]).or(model).unwrap_or_else(|| "ChatGPT".into()),
        pinned: false,
        archived: value["is_archived"] == true,
        title,
        nodes: entries,
    }
}

fn fill(node: &mut Node, message: &Value, title: &str, notes: &mut Notes) {
    let metadata = &message["metadata"];
    let is_hidden = metadata["is_visually_hidden_from_conversation"] == true;
    node.who = match message["author"]["role"].as_str() {
        Some("user") => Who::User,
        Some("assistant" | "tool") => Who::Model,
        _ => Who::Nobody,
    };
    let content = &message["content"];
    let kind = content["content_type"].as_str().unwrap_or("text");
    if is_hidden || node.who == Who::Nobody || kind.ends_with("editable_context") {
        let fields = ["parts", "user_profile", "user_instructions", "model_set_context"];
        if fields.iter().any(|field| says(&content[field])) {
            notes.add("system", title);
        }
        node.who = Who::Nobody;
        return;
    }
    node.model = word(&metadata["model_slug"]);
    let is_tool = message["author"]["role"] == "tool";
    match kind {
        "text" | "multimodal_text" => {
            if is_tool && kind == "text" {
                notes.add("tool", title);
                return;
            }
            let parts = list(&content["parts"]);
            let mut texts = attachments(metadata, parts, title, notes);
            texts.extend(parts.iter().map(|part| part_text(part, title, notes)));
            let numbers = references(metadata, &mut node.citations);
            node.text = without_marks(&joined(texts), &numbers);
        }
        "code" => {
            // Whoever it is addressed to, it is what the model wrote for a tool.
            notes.add("tool", title);
            let language = word(&content["language"]).filter(|language| language != "unknown");
            node.text = fenced(&language.unwrap_or_default(), &text(&content["text"]));
        }
        "execution_output" => {
            notes.add("tool", title);
            node.text = fenced("text", &text(&content["text"]));
        }
        "thoughts" => {
            let thoughts = list(&content["thoughts"]).iter();
            let thoughts = thoughts.map(|t| joined(vec![text(&t["summary"]), text(&t["content"])]));
            node.reasoning = joined(thoughts.collect());
        }
        "reasoning_recap" => {}
        "tether_quote" | "tether_browsing_display" | "system_error" => notes.add("tool", title),
        _ => {
            notes.add("other", title);
            node.text = word(&content["text"]).unwrap_or_else(|| left_out("Part", kind));
        }
    }
}

fn part_text(part: &Value, title: &str, notes: &mut Notes) -> String {
    if let Some(text) = part.as_str() {
        return text.to_owned();
    }
    let kind = part["content_type"].as_str().unwrap_or_default();
    let (what, name) = match kind {
        _ if kind.contains("image") => ("image", "Image"),
        "audio_transcription" => return text(&part["text"]),
        _ if kind.contains("audio") || kind.contains("video") => ("audio", "Recording"),
        _ => ("other", "Part"),
    };
    notes.add(what, title);
    left_out(name, "")
}

/// Whether there is a text in it, or anything else.
fn says(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(values) => values.iter().any(says),
        value => !value.is_null(),
    }
}

/// Lines for the files that were sent along. Images among the parts are there already.
fn attachments(metadata: &Value, parts: &[Value], title: &str, notes: &mut Notes) -> Vec<String> {
    let pointers: Vec<_> = parts.iter().filter_map(|part| part["asset_pointer"].as_str()).collect();
    let is_part = |id: &str| pointers.iter().any(|pointer| pointer.ends_with(id));
    let attachments = list(&metadata["attachments"]).iter();
    let others =
        attachments.filter(|attachment| !word(&attachment["id"]).is_some_and(|id| is_part(&id)));
    let line = |attachment: &Value| {
        let kind = word(&attachment["mime_type"]).or_else(|| word(&attachment["mimeType"]));
        let is_image = kind.is_some_and(|kind| kind.starts_with("image/"));
        notes.add(if is_image { "image" } else { "file" }, title);
        left_out(if is_image { "Image" } else { "File" }, &text(&attachment["name"]))
    };
    others.map(line).collect()
}

/// The numbers that stand for each mark in a text, of the pages that it refers to.
fn references<'a>(metadata: &'a Value, citations: &mut Vec<Citation>) -> HashMap<&'a str, String> {
    let mut numbers: HashMap<_, String> = HashMap::new();
    for reference in list(&metadata["content_references"]) {
        let pages = list(&reference["items"]).iter().chain([reference]);
        let marks: String = pages.filter_map(|page| cited(citations, page)).map(mark).collect();
        numbers.insert(reference["matched_text"].as_str().unwrap_or_default(), marks);
    }
    numbers
}

/// Marks of what is shown otherwise than as text stand between characters of the private use area.
fn without_marks(text: &str, numbers: &HashMap<&str, String>) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(start) = rest.find('\u{e200}') {
        out.push_str(&rest[..start]);
        let after = &rest[start..];
        let end =
            after.find('\u{e201}').map_or('\u{e200}'.len_utf8(), |end| end + '\u{e201}'.len_utf8());
        out.push_str(&shown(&after[..end]));
        out.push_str(numbers.get(&after[..end]).map_or("", String::as_str));
        rest = &after[end..];
    }
    out.push_str(rest);
    out
}

/// The words of a mark that are seen in the text.
fn shown(mark: &str) -> String {
    let inside = mark.trim_matches(['\u{e200}', '\u{e201}']);
    match inside.split('\u{e202}').collect::<Vec<_>>()[..] {
        // A list: its kind, its name, and what else is known of it.
        [kind, entity, ..] if kind.ends_with("entity") => {
            serde_json::from_str(entity).map_or_else(|_| String::new(), |e: Value| text(&e[1]))
        }
        ["url", title, link, ..] if is_web(link) => format!("[{title}](<{link}>)"),
        ["url", title, ..] => title.to_owned(),
        _ => String::new(),
    }
}
