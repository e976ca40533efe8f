//! E-mail: who wrote to whom, and the text. Attachments are named, not read.

use mail_parser::{Address, Message, MessageParser, MimeHeaders as _, PartType};

use crate::blocks::Blocks;
use crate::{Document, Kind, Limits, Refusal, html, text};

pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Document, Refusal> {
    let message = MessageParser::default().parse(bytes).ok_or(Refusal::Damaged)?;
    let mut blocks = Blocks::new(limits);
    self::message(&message, &mut blocks)?;
    blocks.finish(Kind::Email, message.subject())
}

/// The parser goes no deeper than three messages within each other.
fn message(message: &Message<'_>, blocks: &mut Blocks) -> Result<(), Refusal> {
    if let Some(subject) = message.subject() {
        blocks.heading(1, subject)?;
    }
    blocks.paragraph(&head(message))?;
    for part in message.text_bodies() {
        match &part.body {
            PartType::Html(source) => {
                html::flow(source, blocks)?;
            }
            PartType::Text(source) => text::paragraphs(source, blocks)?,
            _ => {}
        }
    }
    for part in message.attachments() {
        if let PartType::Message(inner) = &part.body {
            self::message(inner, blocks)?;
        } else if let Some(name) = part.attachment_name() {
            blocks.paragraph(&format!("Attachment: {name}"))?;
        } else if let PartType::Text(source) = &part.body {
            // The text itself, of a kind that the parser does not know, such as text/markdown.
            text::paragraphs(source, blocks)?;
        }
    }
    Ok(())
}

fn head(message: &Message<'_>) -> String {
    let addresses = [("From", message.from()), ("To", message.to()), ("Cc", message.cc())];
    let mut lines: Vec<_> = addresses
        .into_iter()
        .filter_map(|(name, address)| Some(format!("{name}: {}", people(address?))))
        .collect();
    lines.extend(message.date().map(|date| format!("Date: {}", date.to_rfc3339())));
    lines.join("\n")
}

fn people(address: &Address<'_>) -> String {
    let people = address.iter().map(|person| match (&person.name, &person.address) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (name, address) => name.as_ref().or(address.as_ref()).cloned().unwrap_or_default().into(),
    });
    people.collect::<Vec<_>>().join(", ")
}
