//! The state of the connection: nothing while it is live, a small pill when that lasts.

use std::time::Duration;

use leptos::prelude::*;

use crate::state::{App, Connection};
use crate::words;

/// A drop that mends itself within this time is not worth a word.
const PATIENCE: Duration = Duration::from_secs(1);

/// The status "Connection", in the bar of every page.
#[component]
pub(crate) fn ConnectionStatus() -> impl IntoView {
    let app = App::get();
    let shown = RwSignal::new(Connection::Live);
    Effect::new(move || {
        let now = app.connection.get();
        if now != Connection::Reconnecting {
            shown.set(now);
            return;
        }
        let timer = set_timeout_with_handle(move || shown.set(now), PATIENCE);
        on_cleanup(move || {
            if let Ok(timer) = timer {
                timer.clear();
            }
        });
    });
    let text = move || match shown.get() {
        Connection::Live => None,
        Connection::Reconnecting => Some(words::reconnecting()),
        Connection::Offline => Some(words::offline()),
    };
    view! {
        <div class="connection" role="status" aria-label=words::connection()>
            {move || text().map(|text| view! { <span class="pill">{text}</span> })}
        </div>
    }
}
