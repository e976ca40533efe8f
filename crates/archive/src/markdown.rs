//! A conversation as Markdown: the branch that is shown.

use std::fmt::Write as _;

use unbroken_protocol::{ArchivedConversation, Role};

/// Front matter, then a heading for each message. Texts of a model are passed on as they are.
pub fn write(conversation: &ArchivedConversation) -> String {
    let quoted = |text: &str| serde_json::to_string(text).expect("a text is JSON");
    let mut out = String::new();
    // JSON texts are YAML texts.
    let _ = write!(
        out,
        "---\ntitle: {}\nconversation_id: {}\ncreated_at: {}\nupdated_at: {}\nmodel: {}\n---\n\n# {}\n",
        quoted(&conversation.title),
        conversation.conversation_id,
        conversation.created_at,
        conversation.updated_at,
        quoted(&conversation.model),
        conversation.title.replace(['\n', '\r'], " "),
    );
    for message in conversation.shown() {
        let who = match (&message.answer, message.role) {
            (Some(answer), _) if !answer.model_name.is_empty() => answer.model_name.as_str(),
            (_, Role::User) => "You",
            (_, Role::Assistant) => "Answer",
            (_, Role::System) => "System",
        };
        let who = who.replace(['\n', '\r'], " ");
        let _ = write!(out, "\n## {who}\n\n*{}*\n", message.created_at);
        if let Some(answer) = &message.answer
            && !answer.reasoning.is_empty()
        {
            out.push_str("\n> **Reasoning**\n>\n");
            for line in answer.reasoning.lines() {
                let _ = writeln!(out, "> {line}");
            }
        }
        let _ = write!(out, "\n{}\n", message.content.trim_end());
        let Some(answer) = &message.answer else { continue };
        if let Some(error) = &answer.error {
            let _ = write!(out, "\n*{error}*\n");
        }
        if !answer.citations.is_empty() {
            out.push_str("\nSources:\n\n");
        }
        for citation in &answer.citations {
            let _ = write!(out, "- [{}] {}", citation.index, citation.title);
            if let Some(url) = &citation.url {
                let _ = write!(out, " <{url}>");
            }
            out.push('\n');
        }
    }
    out
}
