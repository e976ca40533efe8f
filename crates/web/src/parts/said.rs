//! What has just been done and would not be seen otherwise: a line that goes by itself.

use std::time::Duration;

use leptos::prelude::*;

use crate::state::App;

const SHOWN_FOR: Duration = Duration::from_secs(3);

impl App {
    /// Shows a sentence for a moment, and tells it to screen readers.
    pub(crate) fn say(self, sentence: &str) {
        self.said.set(Some(sentence.to_owned()));
    }
}

#[component]
pub(crate) fn Said() -> impl IntoView {
    let said = App::get().said;
    Effect::new(move || {
        if said.read().is_none() {
            return;
        }
        let timer = set_timeout_with_handle(move || said.set(None), SHOWN_FOR);
        on_cleanup(move || {
            if let Ok(timer) = timer {
                timer.clear();
            }
        });
    });
    view! {
        <div class="said" role="status">
            {move || said.get().map(|sentence| view! { <p>{sentence}</p> })}
        </div>
    }
}
