//! Reads answers to screen readers, sentence by sentence, through a polite live region that lies
//! outside the articles.

use std::time::Duration;

use leptos::prelude::*;
use unbroken_chat_view::announcements::{Announce, Announcements};

use super::settings;
use crate::own::Own;
use crate::{dom, words};

/// How many announcements stay in the region: what was read is of no more use.
const KEPT: usize = 4;

#[derive(Clone, Copy)]
pub(crate) struct Announcer {
    said: RwSignal<Vec<(u64, String)>>,
    announcements: Own<Announcements>,
}

impl Announcer {
    pub(crate) fn new() -> Self {
        Self { said: RwSignal::default(), announcements: Own::new(Announcements::default()) }
    }

    pub(crate) fn reset(self) {
        self.announcements.change(|announcements| *announcements = Announcements::default());
        self.said.set(Vec::new());
    }

    /// An answer appears; what it holds already is not news.
    pub(crate) fn begin(self, key: u64, text: &str) {
        self.announcements.change(|announcements| announcements.begin(key, text));
    }

    /// The answer holds this now. How long what is left has to wait, if there is something: then
    /// the caller says it again.
    pub(crate) fn hear(self, key: u64, text: &str, running: bool) -> Option<Duration> {
        let heard = self.announcements.change(|announcements| {
            announcements.hear(key, text, running, settings::announce, dom::clock())
        });
        if let Some(sentence) = heard.say {
            self.push(sentence);
        }
        heard.again.map(|wait| Duration::from_secs_f64(wait / 1000.0))
    }

    /// Says how an answer has ended, to whoever wants to hear of answers.
    pub(crate) fn say(self, sentence: String) {
        if settings::announce() != Announce::Off {
            self.push(sentence);
        }
    }

    fn push(self, sentence: String) {
        self.said.update(|said| {
            let next = said.last().map_or(0, |(number, _)| number + 1);
            said.push((next, sentence));
            let surplus = said.len().saturating_sub(KEPT);
            said.drain(..surplus);
        });
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
            aria-label=words::answers()
        >
            <For each=move || announcer.said.get() key=|(number, _)| *number let((_, sentence))>
                <p dir="auto">{sentence}</p>
            </For>
        </div>
    }
}
