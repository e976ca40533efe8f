//! Dictation by the browser's own speech recognition, where it has one (Web Speech API). The button
//! is there at once; what listens comes in a chunk.

use js_sys::{Array, Function, Reflect};
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::icons::{MICROPHONE, icon};
use super::later::LaterPage;
use super::settings::appearance::LANGUAGE;
use super::show::Show;
use crate::state::App;
use crate::{chunks, dom, words};

/// Whether somebody is listening; copies are the same.
#[derive(Clone, Copy)]
pub(crate) struct Dictation {
    pub(crate) listens: RwSignal<bool>,
}

impl Dictation {
    pub(crate) fn new() -> Self {
        Self { listens: RwSignal::new(false) }
    }

    /// What was said so far is still written down.
    pub(crate) fn stop(self) {
        self.listens.try_set(false);
    }
}

/// The button, where the browser can listen. It never begins by itself.
#[component]
pub(crate) fn Dictate(dictation: Dictation) -> impl IntoView {
    provide_context(dictation);
    let listens = dictation.listens;
    constructor().map(|_| {
        view! {
            <button
                class="source"
                type="button"
                aria-label=words::dictate()
                title=words::dictate_about()
                aria-pressed=Signal::derive(move || listens.get().to_string())
                on:click=move |_| listens.update(|listens| *listens = !*listens)
            >
                {icon(MICROPHONE)}
            </button>
            <span class="listening" role="status">
                <Show when=move || listens.get()>
                    <LaterPage bring=chunks::listener />
                </Show>
            </span>
        }
    })
}

/// Listens as long as it is shown.
#[component]
pub(crate) fn Listener() -> impl IntoView {
    let (app, dictation) = (App::get(), expect_context::<Dictation>());
    let place = app.place.get_untracked();
    Effect::new(move || {
        let is_sent = app.writing.composer.read().is_sending() || app.writing.waits.get();
        if is_sent || app.place.get() != place {
            dictation.stop();
        }
    });
    if let Some(recognition) = start(app, dictation) {
        let recognition = SendWrapper::new(recognition);
        on_cleanup(move || drop(call(&recognition, "stop")));
    } else {
        dictation.stop();
        app.complain(Some(words::dictation_failed().to_owned()));
    }
    words::listening()
}

/// Begins to listen. The browser holds what hears it until it has written down the last word, which
/// may be after the end of this view.
fn start(app: App, dictation: Dictation) -> Option<JsValue> {
    let recognition = Reflect::construct(&constructor()?, &Array::new()).ok()?;
    set(&recognition, "lang", &language()?.into());
    set(&recognition, "continuous", &true.into());
    let place = app.place.get_untracked();
    let heard = Closure::<dyn FnMut(JsValue)>::new(move |event| {
        if let Some(text) = said(&event) {
            app.write_on(place, text.trim());
        }
    });
    let ended = Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
        dictation.stop();
        let error = get(&event, "error").and_then(|error| error.as_string());
        if error.is_some_and(|error| error != "aborted" && error != "no-speech") {
            app.complain(Some(words::dictation_failed().to_owned()));
        }
    });
    let ended = ended.into_js_value();
    set(&recognition, "onresult", &heard.into_js_value());
    set(&recognition, "onend", &ended);
    set(&recognition, "onerror", &ended);
    call(&recognition, "start")?;
    Some(recognition)
}

/// In what the person speaks: the app's language when they chose it, else the browser's.
fn language() -> Option<String> {
    let shown = || document().document_element()?.get_attribute("lang");
    if dom::kept(LANGUAGE).is_some() {
        return shown();
    }
    window().navigator().language().or_else(shown)
}

fn constructor() -> Option<Function> {
    let of = |name: &str| get(&window(), name)?.dyn_into::<Function>().ok();
    of("SpeechRecognition").or_else(|| of("webkitSpeechRecognition"))
}

/// What was said since the last event, once the browser is sure of it.
fn said(event: &JsValue) -> Option<String> {
    let results = get(event, "results")?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let number = |of: &JsValue, name: &str| get(of, name)?.as_f64().map(|number| number as u32);
    let results: Vec<_> = (number(event, "resultIndex")?..number(&results, "length")?)
        .filter_map(|at| Reflect::get_u32(&results, at).ok())
        .filter(|result| get(result, "isFinal").is_some_and(|is_final| is_final.is_truthy()))
        .filter_map(|result| get(&Reflect::get_u32(&result, 0).ok()?, "transcript")?.as_string())
        .collect();
    Some(results.concat()).filter(|text| !text.trim().is_empty())
}

fn get(of: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(of, &name.into()).ok().filter(|value| !value.is_undefined())
}

fn set(of: &JsValue, name: &str, value: &JsValue) {
    let _ = Reflect::set(of, &name.into(), value);
}

fn call(of: &JsValue, name: &str) -> Option<JsValue> {
    get(of, name)?.dyn_into::<Function>().ok()?.call0(of).ok()
}
