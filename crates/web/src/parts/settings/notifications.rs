//! Whether the end of an answer is told of while nobody looks.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Choices;
use crate::{notify, words};

#[component]
pub(super) fn Notifications() -> impl IntoView {
    let blocked = RwSignal::new(notify::is_blocked());
    let changed = move |choice: &'static str| {
        spawn_local(async move {
            if choice == notify::ON {
                notify::ask_permission().await;
            }
            blocked.try_set(notify::is_blocked());
        });
    };
    view! {
        <Choices
            name=notify::NOTIFY
            legend=words::notify()
            options=&[(notify::ON, words::on), ("off", words::off)]
            default="off"
            changed
        />
        <p role="status">{move || blocked.get().then(words::notify_blocked)}</p>
    }
}
