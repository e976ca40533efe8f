//! `/` at the beginning of a message: the person's own prompts, one of which takes its place, and
//! Tab from one of its variables to the next.

use leptos::ev::KeyboardEvent;
use leptos::html::Textarea;
use leptos::prelude::*;
use unbroken_chat_view::prompts::{self, next_variable, variable_before};
use unbroken_protocol::Prompt;
use web_sys::HtmlTextAreaElement;

use super::later::LaterPage;
use super::settings::Section;
use super::show::Show;
use crate::state::App;
use crate::{chunks, dom, words};

pub(crate) const LIST: &str = "prompt-list";

/// The menu above the composer.
#[derive(Clone, Copy)]
pub(crate) struct PromptMenu {
    app: App,
    open: Memo<bool>,
    found: Memo<Vec<Prompt>>,
    /// A place in the list; the last is the way to the library.
    active: RwSignal<usize>,
    /// Escape was pressed: closed until the draft begins anew.
    dismissed: RwSignal<bool>,
}

impl PromptMenu {
    pub(crate) fn new(app: App) -> Self {
        let composer = app.writing.composer;
        let query = Memo::new(move |_| prompts::asked(composer.read().draft()).map(str::to_owned));
        let found = Memo::new(move |_| {
            let query = query.get()?;
            let all = app.prompts.all.read();
            Some(prompts::found(&all, &query).into_iter().cloned().collect::<Vec<_>>())
        });
        let found = Memo::new(move |_| found.get().unwrap_or_default());
        let (active, dismissed) = (RwSignal::new(0), RwSignal::new(false));
        Effect::new(move || match query.get() {
            Some(_) => {
                active.set(0);
                app.want_prompts();
            }
            None => dismissed.set(false),
        });
        let open = Memo::new(move |_| {
            let asks = |query: &String| query.is_empty() || !found.read().is_empty();
            query.read().as_ref().is_some_and(asks)
                && !dismissed.get()
                && app.writing.editing.read().is_none()
        });
        Self { app, open, found, active, dismissed }
    }

    /// What the textbox says of the option that Enter takes.
    pub(crate) fn active_option(self) -> Option<String> {
        self.open.get().then(|| option_id(self.active.get()))
    }

    /// Moves, takes, closes; goes on to the next variable. `true` when the key was ours.
    pub(crate) fn key(self, field: &HtmlTextAreaElement, event: &KeyboardEvent) -> bool {
        let bare = !(event.ctrl_key() || event.alt_key() || event.meta_key());
        if event.is_composing() || event.key_code() == 229 || !bare {
            return false;
        }
        if !self.open.get_untracked() {
            return event.key() == "Tab" && to_variable(field, event.shift_key());
        }
        let (at, last) = (self.active.get_untracked(), self.found.read_untracked().len());
        match event.key().as_str() {
            "ArrowDown" => self.active.set(if at == last { 0 } else { at + 1 }),
            "ArrowUp" => self.active.set(if at == 0 { last } else { at - 1 }),
            "Enter" | "Tab" if !event.shift_key() => self.take(field, at),
            "Escape" => self.dismissed.set(true),
            _ => return false,
        }
        true
    }

    fn take(self, field: &HtmlTextAreaElement, place: usize) {
        let chosen = self.found.read_untracked().get(place).map(|prompt| prompt.text.clone());
        let Some(text) = chosen else {
            self.app.edit_draft("");
            return self.app.open_settings(Some(Section::Prompts));
        };
        field.select();
        if !dom::insert_text(field, &text) {
            self.app.edit_draft(&text);
        }
        if let Some(variable) = next_variable(&text, 0) {
            select(field, &text, variable);
        }
    }
}

/// Selects the next variable, or the one before. `false` when there is none.
fn to_variable(field: &HtmlTextAreaElement, back: bool) -> bool {
    let text = field.value();
    let place = |utf16: Option<u32>| bytes(&text, utf16.unwrap_or_default());
    let start = place(field.selection_start().ok().flatten());
    let end = place(field.selection_end().ok().flatten());
    let variable = if back { variable_before(&text, start) } else { next_variable(&text, end) };
    let found = variable.is_some();
    if let Some(variable) = variable {
        select(field, &text, variable);
    }
    found
}

fn select(field: &HtmlTextAreaElement, text: &str, range: std::ops::Range<usize>) {
    let utf16 = |bytes: usize| {
        let before = text.get(..bytes).unwrap_or_default();
        u32::try_from(before.encode_utf16().count()).unwrap_or(u32::MAX)
    };
    let _ = field.set_selection_range(utf16(range.start), utf16(range.end));
}

/// A place in UTF-16 units as one in bytes.
fn bytes(text: &str, utf16: u32) -> usize {
    let mut units = 0;
    let before = text.chars().take_while(|letter| {
        units += u32::try_from(letter.len_utf16()).unwrap_or(2);
        units <= utf16
    });
    before.map(char::len_utf8).sum()
}

fn option_id(place: usize) -> String {
    format!("prompt-{place}")
}

/// Where the list comes when it is asked for.
#[component]
pub(crate) fn PromptPlace(menu: PromptMenu, field: NodeRef<Textarea>) -> impl IntoView {
    provide_context((menu, field));
    view! {
        <Show when=move || menu.open.get()>
            <LaterPage bring=chunks::prompts />
        </Show>
    }
}

/// The list itself. Taking an option by the pointer leaves the focus in the textbox.
#[component]
pub(crate) fn PromptList() -> impl IntoView {
    let (menu, field) = expect_context::<(PromptMenu, NodeRef<Textarea>)>();
    let option = move |place: usize, name: String, text: String| {
        let is_active = move || menu.active.get() == place;
        let take = move |_| {
            if let Some(field) = field.get_untracked() {
                menu.take(&field, place);
            }
        };
        view! {
            <div
                id=option_id(place)
                class="palette-option"
                role="option"
                class:active=is_active
                aria-selected=Signal::derive(move || is_active().to_string())
                on:pointermove=move |_| menu.active.set(place)
                on:pointerdown=|event| event.prevent_default()
                on:click=take
            >
                <span class="palette-name" dir="auto">
                    {name}
                </span>
                <span class="palette-note" dir="auto">
                    {text}
                </span>
            </div>
        }
    };
    let options = move || {
        let found = menu.found.get();
        let last = found.len();
        let note = if last == 0 { words::no_prompts() } else { words::manage_prompts_about() };
        let prompts = found.into_iter().enumerate().map(|(place, prompt)| {
            let line = prompt.text.lines().find(|line| !line.trim().is_empty());
            option(place, prompt.name.clone(), line.unwrap_or_default().to_owned())
        });
        let mut options: Vec<_> = prompts.collect();
        options.push(option(last, words::manage_prompts().to_owned(), note.to_owned()));
        options
    };
    view! {
        <div id=LIST class="prompt-list" role="listbox" aria-label=words::prompts()>
            {options}
        </div>
    }
}
