//! What of a file was left out, or kept as a text in its place: counted, with a few examples.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use unbroken_protocol::ImportNote;

/// Titles that are named for each kind.
const EXAMPLES: usize = 5;

/// Counts by kind. There are few kinds, so it stays small however long a file is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes(BTreeMap<String, (u64, Vec<String>)>);

impl Notes {
    /// Counts something of the conversation with this title.
    pub fn add(&mut self, what: &'static str, title: &str) {
        let (count, examples) = self.0.entry(what.to_owned()).or_default();
        *count += 1;
        let title: String = title.trim().chars().take(60).collect();
        remember(examples, title);
    }

    /// Adds what was counted of another conversation.
    pub fn extend(&mut self, more: Self) {
        for (what, (count, titles)) in more.0 {
            let (counted, examples) = self.0.entry(what).or_default();
            *counted += count;
            for title in titles {
                remember(examples, title);
            }
        }
    }

    /// As it goes over the wire.
    pub fn view(&self) -> Vec<ImportNote> {
        let note = |(what, (count, examples)): (&String, &(u64, Vec<String>))| ImportNote {
            what: what.clone(),
            count: *count,
            examples: examples.clone(),
        };
        self.0.iter().map(note).collect()
    }
}

fn remember(examples: &mut Vec<String>, title: String) {
    if examples.len() < EXAMPLES && !title.is_empty() && !examples.contains(&title) {
        examples.push(title);
    }
}
