//! Whether the end of an answer is told of while nobody looks.

use leptos::prelude::*;

use super::Choices;
use crate::{notify, words};

#[component]
pub(super) fn Notifications() -> impl IntoView {
    view! {
        <Choices
            name=notify::NOTIFY
            legend=words::NOTIFY
            options=&[("on", words::ON), ("off", words::OFF)]
            default="off"
            changed=notify::ask_permission
        />
    }
}
