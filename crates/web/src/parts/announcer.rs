//! Reads answers to screen readers, sentence by sentence, through a polite live region that lies
//! outside the articles.

use std::collections::HashMap;
use std::time::Duration;

use leptos::prelude::*;

use super::settings::Announce;
use crate::{dom, words};

/// How many announcements stay in the region: what was read is of no more use.
const KEPT: usize = 4;
/// No more than one announcement of a running answer in so many milliseconds: nobody listens so
/// fast, and each of them costs layout.
const APART: f64 = 1000.0;

#[derive(Clone, Copy)]
pub(crate) struct Announcer {
    said: RwSignal<Vec<(u64, String)>>,
    /// Of each answer, how many bytes were said.
    heard: StoredValue<HashMap<u64, usize>>,
    /// By the page's clock.
    said_at: StoredValue<f64>,
}

impl Announcer {
    pub(crate) fn new() -> Self {
        let said_at = StoredValue::new(f64::NEG_INFINITY);
        Self { said: RwSignal::default(), heard: StoredValue::default(), said_at }
    }

    pub(crate) fn reset(self) {
        self.heard.update_value(HashMap::clear);
        self.said.set(Vec::new());
        self.said_at.set_value(f64::NEG_INFINITY);
    }

    /// An answer appears; what it holds already is not news.
    pub(crate) fn begin(self, key: u64, text: &str) {
        self.heard.update_value(|heard| {
            heard.entry(key).or_insert(text.len());
        });
    }

    /// The answer holds this now. How long what is new has to wait, if it must: then the caller
    /// says it again.
    pub(crate) fn hear(self, key: u64, text: &str, running: bool) -> Option<Duration> {
        let now = dom::clock();
        let wait = self.said_at.get_value() + APART - now;
        if running && wait > 0.0 {
            return Some(Duration::from_secs_f64(wait / 1000.0));
        }
        let from = self.heard.with_value(|heard| heard.get(&key).copied()).unwrap_or(text.len());
        let new = text.get(from..).filter(|new| !new.is_empty())?;
        let end = match Announce::kept() {
            Announce::Sentences if running => last_end(new),
            Announce::AtTheEnd if running => 0,
            Announce::Off => return None,
            Announce::Sentences | Announce::AtTheEnd => new.len(),
        };
        if end == 0 {
            return None;
        }
        self.said_at.set_value(now);
        self.heard.update_value(|heard| {
            heard.insert(key, from + end);
        });
        let sentence = plain(&new[..end]);
        if !sentence.is_empty() {
            self.said.update(|said| {
                let next = said.last().map_or(0, |(number, _)| number + 1);
                said.push((next, sentence));
                let surplus = said.len().saturating_sub(KEPT);
                said.drain(..surplus);
            });
        }
        None
    }
}

/// The live region itself.
#[component]
pub(crate) fn LiveRegion(announcer: Announcer) -> impl IntoView {
    view! {
        <div
            class="hidden-visually"
            role="log"
            aria-live="polite"
            aria-relevant="additions"
            aria-label=words::ANSWERS
        >
            <For each=move || announcer.said.get() key=|(number, _)| *number let((_, sentence))>
                <p dir="auto">{sentence}</p>
            </For>
        </div>
    }
}

/// Where the last whole sentence ends; 0 when there is none.
fn last_end(text: &str) -> usize {
    let mut end = 0;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let ends = match letter {
            '\n' | '。' | '！' | '？' => true,
            '.' | '!' | '?' | '…' => letters.peek().is_some_and(|(_, next)| next.is_whitespace()),
            _ => false,
        };
        if ends {
            end = at + letter.len_utf8();
        }
    }
    end
}

/// The words without the marks of Markdown.
fn plain(text: &str) -> String {
    let words =
        text.split_whitespace().map(|word| word.trim_matches(['*', '#', '`', '_', '|', '>']));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
