//! Every text of the app is a message of `chat-view/locales`, and every message is used.

use std::path::Path;

use anyhow::{Result, anyhow, bail};

use crate::assets::{self, Asset};
use crate::command::{Workspace, say};

pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    say("every text is a message");
    let views = sources(&workspace.root.join("crates/web/src"))?;
    let mut wrong: Vec<String> = Vec::new();
    for (name, text) in views.iter().filter(|(name, _)| name != "words.rs") {
        let lines = text.lines().enumerate().filter(|(_, line)| is_text(line));
        wrong.extend(lines.map(|(at, line)| {
            format!("crates/web/src/{name}:{}: a text of its own: {}", at + 1, line.trim())
        }));
    }
    let known = sources(&workspace.root.join("crates/chat-view/src"))?;
    let all: Vec<_> = views.iter().chain(&known).map(|(_, text)| text.as_str()).collect();
    let compiled = assets::compile(&workspace.root.join("crates/chat-view/locales"))?;
    let unused = compiled.ids.iter().filter(|id| {
        let function = id.replace('-', "_");
        !all.iter().any(|text| calls(text, &function))
    });
    wrong.extend(unused.map(|id| format!("crates/chat-view/locales/en.ftl: {id} is not used")));
    if wrong.is_empty() { Ok(()) } else { bail!(wrong.join("\n")) }
}

/// The Rust files of a folder, without their tests.
fn sources(folder: &Path) -> Result<Vec<(String, String)>> {
    let files = assets::read(folder)?.into_iter();
    let source = |file: Asset| {
        let text =
            String::from_utf8(file.bytes).map_err(|_| anyhow!("{} is no text", file.name))?;
        let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
        Ok((file.name, text))
    };
    files.filter(|file| !file.name.contains("tests")).map(source).collect()
}

/// Whether a line of a view holds a text that a person reads: a node, a name, or a sentence.
fn is_text(line: &str) -> bool {
    const NAMES: [&str; 6] =
        ["aria-label=", "title=", "placeholder=", "alt=", "aria-description=", "data-drop="];
    let line = line.trim();
    let is_word = |text: &str| text.starts_with(|letter: char| letter.is_alphabetic());
    let mut pieces = line.split('"');
    let mut before = pieces.next().unwrap_or_default();
    if before.starts_with("//") {
        return false;
    }
    let mut at = before.len();
    while let Some(text) = pieces.next() {
        let after = line.get(at + text.len() + 2..).unwrap_or_default();
        let is_node = (before.is_empty() || before.ends_with('>'))
            && (after.is_empty()
                || after.starts_with(['<', ' ']) && after.ends_with(['>', '"', '}']));
        let is_name = NAMES.iter().any(|name| before.ends_with(name));
        let is_sentence = text.starts_with(char::is_uppercase)
            && text.split(' ').skip(1).any(|word| word.starts_with(char::is_lowercase));
        if is_sentence || is_word(text) && (is_node || is_name) {
            return true;
        }
        before = pieces.next().unwrap_or_default();
        at += text.len() + 2 + before.len();
    }
    false
}

/// Whether a function of that name is called there, or named by its path.
fn calls(text: &str, function: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(function).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + function.len()..]);
        let whole = !before.ends_with(|c| is_part(c) || c == '.') && !after.starts_with(is_part);
        whole && (before.ends_with("::") || after.starts_with('('))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_a_view_is_found() {
        for line in [
            r#"<button aria-label="Send" on:click=send>"#,
            r#"title="close""#,
            r#"    "Nothing here" "#,
            r#"<h2>"Settings"</h2>"#,
            r#"let said = "The server does not answer.";"#,
        ] {
            assert!(is_text(line), "{line}");
        }
    }

    #[test]
    fn names_for_machines_are_no_texts() {
        for line in [
            r#"<button class="icon-button only-narrow" type="submit">"#,
            r#""ArrowDown" => dom::Beside::Next,"#,
            r#""Enter" | "Tab" if !event.shift_key() => self.take(field, at),"#,
            r#"    "visibilitychange","#,
            r#"#[expect(clippy::cast_precision_loss, reason = "a date is far below 2^53")]"#,
            r#"{words::nothing_here()} " " <a href="/">{words::begin()}</a>"#,
            r#"// says "Send" to them"#,
            r#"format!("{at}/{of}")"#,
        ] {
            assert!(!is_text(line), "{line}");
        }
    }

    #[test]
    fn a_message_is_used_where_its_function_is_called_or_named() {
        assert!(calls("words::send()", "send") && calls("(\"on\", words::on)", "on"));
        assert!(calls("size_kib(bytes)", "size_kib"));
        assert!(!calls("self.send(turn); resend(); send_all()", "send"));
    }
}
