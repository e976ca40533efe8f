//! Views that come when they are asked for. One that does not come is told of, with a way to ask
//! again.

use std::time::Duration;

use js_sys::Promise;
use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;

use super::icons::{CLOSE, icon};
use crate::chunks::{Coming, Make};
use crate::writing::FIRST_WAIT;
use crate::{dom, words};

/// Kept in the tab once it was loaded anew for an app that the server no longer has.
const LOADED_ANEW: &str = "loaded_anew";

#[wasm_bindgen]
extern "C" {
    /// Whether the server has another app than this page, from `boot.js`.
    #[wasm_bindgen(catch, js_name = isReplaced)]
    async fn is_replaced() -> Result<JsValue, JsValue>;

    /// Asks for the style sheet of what comes later, from `boot.js`. It is there at the end.
    #[wasm_bindgen(js_name = laterLooks)]
    fn later_looks() -> Promise;
}

#[derive(Clone, Copy)]
enum Part {
    NotAsked,
    Here(Make),
    Missing,
}

/// What of the app comes later, and whether it is on its way.
#[derive(Clone, Copy)]
struct Later {
    part: RwSignal<Part>,
    coming: RwSignal<bool>,
    bring: fn() -> Coming,
}

/// A page, asked for at once.
#[component]
pub(crate) fn LaterPage(bring: fn() -> Coming) -> impl IntoView {
    let later = Later::new(bring);
    later.ask();
    later.view(move || view! { <div class="later">{later.missing()}</div> }.into_any())
}

/// A dialog, asked for when `open` turns true for the first time; it opens and closes by that.
#[component]
pub(crate) fn LaterDialog(
    open: RwSignal<bool>,
    name: &'static str,
    bring: fn() -> Coming,
) -> impl IntoView {
    let later = Later::new(bring);
    Effect::new(move || {
        if open.get() {
            later.ask();
        }
    });
    later.view(move || view! { <MissingDialog open name later /> }.into_any())
}

impl Later {
    fn new(bring: fn() -> Coming) -> Self {
        Self { part: RwSignal::new(Part::NotAsked), coming: RwSignal::new(false), bring }
    }

    fn view(self, missing: impl Fn() -> AnyView + Send + 'static) -> impl IntoView {
        move || match self.part.get() {
            Part::NotAsked => ().into_any(),
            Part::Here(make) => make(),
            Part::Missing => missing(),
        }
    }

    fn ask(self) {
        if self.coming.get_untracked() || matches!(self.part.get_untracked(), Part::Here(_)) {
            return;
        }
        self.coming.set(true);
        spawn_local(async move {
            let mut part = with_looks(self.bring).await;
            if part.is_none() {
                dom::sleep(FIRST_WAIT).await;
                part = with_looks(self.bring).await;
            }
            let part = match part {
                Some(make) => Part::Here(make),
                None if may_load_anew() && is_newer().await => {
                    let _ = window().location().reload();
                    return;
                }
                None => Part::Missing,
            };
            self.coming.try_set(false);
            // A part is made in a task of its own: what it runs is not compiled yet.
            dom::sleep(Duration::ZERO).await;
            self.part.try_set(part);
        });
    }

    /// The sentence and the button in place of what is missing.
    fn missing(self) -> impl IntoView {
        let again = move |_| {
            if let Some(tab) = dom::tab_storage() {
                let _ = tab.remove_item(LOADED_ANEW);
            }
            self.ask();
        };
        view! {
            <p role="alert">{words::part_missing()}</p>
            <button
                class="button"
                type="button"
                autofocus
                aria-disabled=Signal::derive(move || self.coming.get().to_string())
                on:click=again
            >
                {words::try_again()}
            </button>
        }
    }
}

#[component]
fn MissingDialog(open: RwSignal<bool>, name: &'static str, later: Later) -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move || {
        if let Some(dialog) = dialog.get()
            && open.get()
            && !dialog.open()
        {
            let _ = dialog.show_modal();
        }
    });
    let close = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    view! {
        <dialog node_ref=dialog aria-label=name closedby="any" on:close=move |_| open.set(false)>
            <div class="dialog-head">
                <h2>{name}</h2>
                <button class="icon-button" aria-label=words::close() on:click=close>
                    {icon(CLOSE)}
                </button>
            </div>
            <div class="later">{later.missing()}</div>
        </dialog>
    }
}

/// A chunk and the style sheet, asked for together. `None` when one of them did not come.
pub(crate) async fn with_looks(bring: fn() -> Coming) -> Option<Make> {
    let looks = JsFuture::from(later_looks());
    let part = bring().await;
    looks.await.ok()?;
    part.ok()
}

/// Whether this tab was not loaded anew already, without getting further.
fn may_load_anew() -> bool {
    dom::tab_storage().is_some_and(|tab| {
        matches!(tab.get_item(LOADED_ANEW), Ok(None)) && tab.set_item(LOADED_ANEW, "1").is_ok()
    })
}

/// Whether the server has another app by now, whose chunks have other names.
async fn is_newer() -> bool {
    is_replaced().await.is_ok_and(|replaced| replaced.is_truthy())
}
