//! Answers of 100 KB: what a page must take in without becoming slower towards the end.

use std::fmt::Write as _;

use serde_json::{Value, json};

pub(crate) const CHUNKS: usize = 4000;
/// Bytes of a chunk; the texts are ASCII, so they are characters too.
pub(crate) const CHUNK: usize = 25;

/// What a long answer is made of. Everything but `Mixed` is one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Long {
    Mixed,
    Code,
    List,
    Paragraph,
    Table,
}

impl Long {
    pub(crate) const ALL: [Self; 5] =
        [Self::Mixed, Self::Code, Self::List, Self::Paragraph, Self::Table];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Code => "code",
            Self::List => "list",
            Self::Paragraph => "paragraph",
            Self::Table => "table",
        }
    }

    /// Exactly [`CHUNKS`] chunks of Markdown.
    pub(crate) fn text(self) -> String {
        let mut text = String::from(match self {
            Self::Code => "```rust\n",
            Self::Table => "| Step | What it does | Time |\n| --- | :-: | --: |\n",
            Self::Mixed | Self::List | Self::Paragraph => "",
        });
        let mut units = 1..;
        loop {
            let before = text.len();
            self.push(&mut text, units.next().expect("numbers do not end"));
            if text.len() > CHUNKS * CHUNK {
                text.truncate(before);
                break;
            }
        }
        // What is left is too short for a whole unit, of which a part may mean something else.
        let missing = CHUNKS * CHUNK - text.len();
        text.extend("end ".chars().cycle().take(missing));
        text
    }

    /// The letters and digits that a reader sees of so many chunks, without a code's heading.
    pub(crate) fn letters(self, chunks: usize) -> String {
        let text = self.text()[..chunks * CHUNK].replace("```rust", "");
        let mut parts = text.split("](https://");
        let first = parts.next().unwrap_or_default().to_owned();
        let seen = parts
            .fold(first, |seen, part| seen + part.split_once(')').map_or("", |(_, after)| after));
        seen.chars().filter(|c| c.is_alphanumeric()).collect()
    }

    fn push(self, text: &mut String, at: usize) {
        match self {
            Self::Mixed => section(text, at),
            Self::Code => code(text, at),
            Self::List => item(text, at),
            Self::Paragraph => sentence(text, at),
            Self::Table => row(text, at),
        }
    }

    /// A model that says it, chunk by chunk, with these parameters.
    pub(crate) fn model(self, with: &str) -> Value {
        let text = self.text();
        let chunks = text.as_bytes().chunks(CHUNK).map(|chunk| {
            let text = std::str::from_utf8(chunk).expect("the texts are ASCII");
            json!({ "text": text })
        });
        json!({ "steps": chunks.collect::<Vec<_>>(), "with": with })
    }
}

/// About 2 KB with one block of every common kind.
fn section(text: &mut String, at: usize) {
    let _ = write!(text, "## Part {at}\n\n");
    (0..4).for_each(|n| sentence(text, 4 * at + n));
    text.push_str("\n\n```rust\n");
    (0..3).for_each(|n| code(text, 3 * at + n));
    text.push_str("```\n\n");
    (0..5).for_each(|n| item(text, 5 * at + n));
    text.push_str("\n| Step | What it does | Time |\n| --- | :-: | --: |\n");
    (0..6).for_each(|n| row(text, 6 * at + n));
    text.push('\n');
}

fn sentence(text: &mut String, at: usize) {
    let _ = write!(
        text,
        "Sentence {at} says with *some* words and a bit of `code` that **number {at}** is one \
         more than the one before it, as [the page](https://example.com/{at}) explains. "
    );
}

fn code(text: &mut String, at: usize) {
    let _ = write!(
        text,
        "/// The step of number {at}.\nfn step_{at}(value: u64) -> u64 {{\n    \
         value.wrapping_mul({at}) ^ (value >> 7)\n}}\n\n"
    );
}

fn item(text: &mut String, at: usize) {
    let _ = writeln!(text, "- Item {at} with **bold** words, `code`, and a little more to read");
}

fn row(text: &mut String, at: usize) {
    let _ = writeln!(text, "| {at} | copies part `{at}` to *its* place | {} ms |", at % 97);
}
