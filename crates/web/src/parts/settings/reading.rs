//! When a screen reader hears answers on this device.

use leptos::prelude::*;
use unbroken_chat_view::announcements::Announce;

use super::Choices;
use crate::{dom, words};

const ANNOUNCE: &str = "announce";

/// What the person wants to hear, as chosen on this device.
pub(crate) fn announce() -> Announce {
    match dom::kept(ANNOUNCE).as_deref() {
        Some("end") => Announce::AtTheEnd,
        Some("off") => Announce::Off,
        _ => Announce::Sentences,
    }
}

#[component]
pub(super) fn Reading() -> impl IntoView {
    view! {
        <Choices
            name=ANNOUNCE
            legend=words::announce()
            options=&[
                ("sentences", words::announce_sentences),
                ("end", words::announce_end),
                ("off", words::announce_off),
            ]
            default="sentences"
            changed=|_| {}
        />
    }
}
