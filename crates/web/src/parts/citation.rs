//! The card that shows a citation's quote, title and origin, beside its chip.

use std::time::Duration;

use leptos::ev::{self, KeyboardEvent};
use leptos::prelude::*;
use unbroken_chat_view::citing::{place, with_fragment};
use unbroken_chat_view::language::plain_name;
use unbroken_protocol::Citation;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use super::source_viewer::Viewer;
use crate::{dom, words};

const CARD: &str = "citation-card";
const ANCHOR: &str = "anchor-name";
/// How long the card stays for a pointer that is on its way to it.
const STAY: Duration = Duration::from_millis(300);

/// Which citation is shown, and the chip it belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Shown {
    citation: RwSignal<Option<Citation>>,
    chip: StoredValue<Option<HtmlElement>, LocalStorage>,
    leaving: StoredValue<Option<TimeoutHandle>>,
}

impl Shown {
    pub(crate) fn new() -> Self {
        Self {
            citation: RwSignal::new(None),
            chip: StoredValue::new_local(None),
            leaving: StoredValue::new(None),
        }
    }

    pub(crate) fn show(self, chip: HtmlElement, citation: Citation) {
        self.stay();
        self.release();
        let _ = chip.style().set_property(ANCHOR, "--citation");
        let _ = chip.set_attribute("aria-describedby", CARD);
        self.chip.set_value(Some(chip));
        self.citation.set(Some(citation));
        dom::show_popover(CARD);
    }

    /// The pointer left the chip or the card: perhaps for the other of them.
    pub(crate) fn leave(self) {
        if self.is_shown() && self.leaving.with_value(Option::is_none) {
            self.leaving.set_value(set_timeout_with_handle(move || self.hide(), STAY).ok());
        }
    }

    fn stay(self) {
        if let Some(Some(leaving)) = self.leaving.try_update_value(Option::take) {
            leaving.clear();
        }
    }

    fn is_shown(self) -> bool {
        self.chip.try_with_value(Option::is_some) == Some(true)
    }

    pub(crate) fn hide(self) {
        self.stay();
        self.release();
        dom::hide_popover(CARD);
    }

    fn release(self) {
        if let Some(Some(chip)) = self.chip.try_update_value(Option::take) {
            let _ = chip.style().remove_property(ANCHOR);
            let _ = chip.remove_attribute("aria-describedby");
        }
    }
}

/// The chip that an event happened on, and the index it names.
pub(crate) fn chip(target: Option<web_sys::EventTarget>) -> Option<(HtmlElement, u32)> {
    let element: Element = target?.dyn_into().ok()?;
    let chip = element.closest("[data-cite]").ok()??;
    let index = chip.get_attribute("data-cite")?.parse().ok()?;
    Some((chip.dyn_into().ok()?, index))
}

/// Opens what is cited at its place: a file in the viewer, a page of the web in another tab.
pub(crate) fn open(viewer: Viewer, citation: Citation) {
    match page(&citation) {
        Some(address) => {
            let _ = window().open_with_url_and_target_and_features(
                &address,
                "_blank",
                "noopener,noreferrer",
            );
        }
        None => viewer.show_citation(citation),
    }
}

/// The address of a cited page of the web, with the passage marked.
pub(crate) fn page(citation: &Citation) -> Option<String> {
    let url = citation.url.as_deref()?;
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    is_web.then(|| with_fragment(url, &citation.quote))
}

#[component]
pub(crate) fn CitationCard(shown: Shown) -> impl IntoView {
    let origin = |citation: &Citation| match (&citation.url, citation.page) {
        (Some(url), _) => url.clone(),
        (None, Some(page)) => place(&citation.title, page),
        (None, None) => words::origin(&citation.source_type).to_owned(),
    };
    // Wherever the focus is: the pointer may be on the chip or the card.
    let on_key = move |event: KeyboardEvent| {
        if event.key() == "Escape" && shown.is_shown() {
            shown.hide();
            event.prevent_default();
        }
    };
    let keys = window_event_listener(ev::keydown, on_key);
    on_cleanup(move || keys.remove());
    view! {
        <div
            id=CARD
            class="citation-card"
            popover="manual"
            role="tooltip"
            on:pointerenter=move |_| shown.stay()
            on:pointerleave=move |_| shown.leave()
        >
            {move || {
                let citation = shown.citation.get()?;
                let origin = origin(&citation);
                Some(
                    view! {
                        <strong dir="auto">{plain_name(&citation.title)}</strong>
                        <q dir="auto">{citation.quote}</q>
                        <span class="origin">{origin}</span>
                    },
                )
            }}
        </div>
    }
}
