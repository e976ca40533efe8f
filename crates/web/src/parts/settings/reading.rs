//! When a screen reader hears answers on this device.

use leptos::prelude::*;

use super::Choices;
use crate::{dom, words};

const ANNOUNCE: &str = "announce";

/// When the live region reads an answer aloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Announce {
    #[default]
    Sentences,
    AtTheEnd,
    Off,
}

impl Announce {
    /// The person's choice on this device.
    pub(crate) fn kept() -> Self {
        match dom::kept(ANNOUNCE).as_deref() {
            Some("end") => Self::AtTheEnd,
            Some("off") => Self::Off,
            _ => Self::Sentences,
        }
    }
}

#[component]
pub(super) fn Reading() -> impl IntoView {
    view! {
        <Choices
            name=ANNOUNCE
            legend=words::ANNOUNCE
            options=&[
                ("sentences", words::ANNOUNCE_SENTENCES),
                ("end", words::ANNOUNCE_END),
                ("off", words::ANNOUNCE_OFF),
            ]
            default="sentences"
            changed=|_| {}
        />
    }
}
