//! How the app looks on this device.

use leptos::prelude::*;

use super::Choices;
use crate::{dom, words};

const APPEARANCE: &str = "appearance";

#[component]
pub(super) fn Appearance() -> impl IntoView {
    view! {
        <Choices
            name=APPEARANCE
            legend=words::APPEARANCE
            options=&[("light", words::LIGHT), ("dark", words::DARK), ("system", words::SYSTEM)]
            default="system"
            changed=set
        />
    }
}

/// `light`, `dark` or `system`, from now on.
pub(crate) fn choose(value: &'static str) {
    dom::keep(APPEARANCE, value);
    set(value);
}

fn set(value: &'static str) {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-theme", value);
    }
}
