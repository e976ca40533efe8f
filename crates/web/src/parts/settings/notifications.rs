//! Whether the end of an answer is told of while nobody looks.

use leptos::prelude::*;

use super::Choices;
use crate::{notify, words};

#[component]
pub(super) fn Notifications() -> impl IntoView {
    view! {
        <Choices
            name=notify::NOTIFY
            legend=words::notify()
            options=&[("on", words::on), ("off", words::off)]
            default="off"
            changed=notify::ask_permission
        />
    }
}
