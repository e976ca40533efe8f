//! Dictation by the browser's own speech recognition, where it has one (Web Speech API). The button
//! is there at once; what listens comes in a chunk.

use js_sys::{Array, Function, Reflect};
use leptos::prelude::*;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::icons::{MICROPHONE, icon};
use super::later::LaterPage;
use super::settings::appearance::LANGUAGE;
use super::show::Show;
use crate::own::Own;
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
        self.listens.set(false);
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
    let running = Running::new();
    if running.start(app, dictation).is_none() {
        dictation.stop();
        app.complain(Some(words::dictation_failed().to_owned()));
    }
    on_cleanup(move || running.stop());
    words::listening()
}

/// What the browser holds while it listens, and until it has written down the last word.
#[derive(Clone, Copy)]
struct Running(Own<Option<Held>>);

struct Held {
    recognition: JsValue,
    _heard: Closure<dyn FnMut(JsValue)>,
    _ended: Closure<dyn FnMut(JsValue)>,
}

impl Running {
    fn new() -> Self {
        Self(Own::new(None))
    }

    fn start(self, app: App, dictation: Dictation) -> Option<()> {
        let recognition = Reflect::construct(&constructor()?, &Array::new()).ok()?;
        set(&recognition, "lang", &language()?.into());
        set(&recognition, "continuous", &true.into());
        let heard = Closure::<dyn FnMut(JsValue)>::new(move |event| {
            if let Some(text) = said(&event) {
                let draft = app.writing.composer.read_untracked().draft().to_owned();
                let gap =
                    if draft.is_empty() || draft.ends_with(char::is_whitespace) { "" } else { " " };
                app.edit_draft(&format!("{draft}{gap}{}", text.trim()));
            }
        });
        let ended = Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
            dictation.stop();
            let error = get(&event, "error").and_then(|error| error.as_string());
            if error.is_some_and(|error| error != "aborted" && error != "no-speech") {
                app.complain(Some(words::dictation_failed().to_owned()));
            }
        });
        set(&recognition, "onresult", heard.as_ref());
        set(&recognition, "onend", ended.as_ref());
        set(&recognition, "onerror", ended.as_ref());
        call(&recognition, "start")?;
        self.0.change(|held| {
            *held = Some(Held { recognition, _heard: heard, _ended: ended });
        });
        Some(())
    }

    fn stop(self) {
        let _ = self.0.read(|held| call(&held.as_ref()?.recognition, "stop"));
    }
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
