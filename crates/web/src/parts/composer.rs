//! The composer, one and the same element on every page, so that it never loses the focus.

use leptos::ev::{KeyboardEvent, SubmitEvent};
use leptos::html::{Input, Textarea};
use leptos::prelude::*;
use unbroken_chat_view::composer::Action;

use super::dictation::{Dictate, Dictation};
use super::icons::{ARROW_UP, ATTACH, FOLDER, GLOBE, icon};
use super::intake;
use super::later::LaterPage;
use super::picker::ModelPicker;
use super::prompt_menu::{self, PromptMenu, PromptPlace};
use super::show::Show;
use super::temporary::Temporary;
use crate::address::Place;
use crate::state::App;
use crate::{chunks, dom, words};

/// From so many bytes on a draft's length may matter.
const LONG: usize = 1000;

/// The textbox "Message" with its buttons, and a refusal when there is one. What else stands above
/// it comes in a chunk.
#[component]
pub(crate) fn Composer() -> impl IntoView {
    let app = App::get();
    let field = NodeRef::<Textarea>::new();
    let composer = app.writing.composer;
    let empty = Memo::new(move |_| composer.read().is_empty());
    let sending = Memo::new(move |_| composer.read().is_sending());
    let placeholder = move || placeholder(app.place.get(), sending.get());
    // Another page or conversation brings its own draft, and the focus.
    Effect::new(move || {
        app.load_draft();
        if let Some(field) = field.get()
            && !dom::coarse_pointer()
        {
            let _ = field.focus();
        }
    });
    Effect::new(move || {
        composer.track();
        if let Some(field) = field.get() {
            dom::fit_height(&field);
        }
    });
    let (menu, dictation) = (PromptMenu::new(app), Dictation::new());
    let over = intake::dropping(app);
    let has_above = Memo::new(move |_| {
        app.open.away.get()
            || !app.open.queue.read().is_empty()
            || !app.outbox.turns.read().is_empty()
            || app.writing.editing.read().is_some()
            || composer.read().draft().len() > LONG
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        dictation.stop();
        app.send_draft();
        if let Some(field) = field.get_untracked() {
            let _ = field.focus();
        }
    };
    let on_key = move |event: KeyboardEvent| {
        let Some(field) = field.get_untracked() else { return };
        if menu.key(&field, &event) {
            event.prevent_default();
        } else {
            on_key_of_composer(app, dictation, &event);
        }
    };
    let on_paste = move |event| {
        if let Some(field) = field.get_untracked() {
            intake::pasted(app, &field, &event);
        }
    };
    view! {
        <div class="composer-dock">
            <Refusal />
            <Show when=has_above>
                <LaterPage bring=chunks::above />
            </Show>
            <Temporary />
            <PromptPlace menu field />
            <form class="composer" class:dropping=over data-drop=words::drop_here() on:submit=submit>
                <Show when=move || app.attaching.wanted.get()>
                    <LaterPage bring=chunks::attachments />
                </Show>
                <textarea
                    id="message"
                    node_ref=field
                    rows="1"
                    dir="auto"
                    aria-label=words::message()
                    autocomplete="off"
                    enterkeyhint="send"
                    placeholder=placeholder
                    readonly=Signal::derive(move || {
                        // What goes by itself is what was sent, and not what was typed since.
                        app.writing.waits.get() || (sending.get() && app.place.get() == Place::Home)
                    })
                    prop:value=Signal::derive(move || composer.read().draft().to_owned())
                    on:input=move |event| app.edit_draft(&event_target_value(&event))
                    aria-autocomplete="list"
                    aria-controls=Signal::derive(move || menu.active_option().map(|_| prompt_menu::LIST))
                    aria-activedescendant=Signal::derive(move || menu.active_option())
                    on:keydown=on_key
                    on:paste=on_paste
                ></textarea>
                <div class="composer-row">
                    <Sources />
                    <Dictate dictation />
                    <ModelPicker />
                    <SendOrStop empty sending />
                </div>
            </form>
        </div>
    }
}

fn placeholder(place: Place, sending: bool) -> &'static str {
    match place {
        Place::Home if sending => words::sending(),
        Place::Home => words::placeholder_home(),
        _ => words::placeholder_chat(),
    }
}

/// Send; while an answer is written, Stop, and both when there is something to send.
#[component]
fn SendOrStop(empty: Memo<bool>, sending: Memo<bool>) -> impl IntoView {
    let app = App::get();
    let is_idle = move || empty.get() || sending.get() || app.writing.waits.get();
    view! {
        <Show when=move || !app.open.running.get() || !empty.get()>
            <button
                class="send"
                type="submit"
                aria-label=words::send()
                aria-disabled=Signal::derive(move || is_idle().to_string())
            >
                {icon(ARROW_UP)}
            </button>
        </Show>
        <Show when=move || app.open.running.get()>
            <button
                class="send"
                type="button"
                aria-label=words::stop()
                on:click=move |_| {
                    app.open.stop(app);
                    dom::focus_composer();
                }
            >
                <span class="stop"></span>
            </button>
        </Show>
    }
}

/// Sends, stops, edits the last message.
fn on_key_of_composer(app: App, dictation: Dictation, event: &KeyboardEvent) {
    match action(app, event) {
        Action::Send => {
            event.prevent_default();
            dictation.stop();
            app.send_draft();
        }
        Action::Refuse => event.prevent_default(),
        Action::EditLast => {
            event.prevent_default();
            app.edit_last();
        }
        Action::Stop if app.writing.editing.read_untracked().is_some() => {
            event.prevent_default();
            app.end_edit();
        }
        Action::Stop if dictation.listens.get_untracked() => {
            event.prevent_default();
            dictation.stop();
        }
        // The frame listens for Escape everywhere.
        Action::None | Action::Newline | Action::Stop => {}
    }
}

fn action(app: App, event: &KeyboardEvent) -> Action {
    dom::press(event, |press| app.writing.composer.read_untracked().key(press))
}

/// Where an answer may look things up.
#[component]
fn Sources() -> impl IntoView {
    let app = App::get();
    let chooser = NodeRef::<Input>::new();
    let choose = move |_| {
        if let Some(chooser) = chooser.get_untracked() {
            chooser.click();
        }
    };
    let chosen = move |_| {
        let Some(chooser) = chooser.get_untracked() else { return };
        if let Some(files) = chooser.files() {
            app.attach(&files);
        }
        // The same file may be chosen once more.
        chooser.set_value("");
        dom::focus("message");
    };
    let web = app.writing.web;
    let about_web = Signal::derive(move || match web.get() {
        Some(_) => words::web_about(),
        None => words::web_not_here(),
    });
    let toggle = move |_| match web.get_untracked() {
        Some(on) => web.set(Some(!on)),
        None => app.complain(Some(words::web_not_here().to_owned())),
    };
    view! {
        <fieldset class="sources" aria-label=words::sources()>
            <input type="file" node_ref=chooser multiple hidden on:change=chosen />
            <button class="source" type="button" aria-label=words::attach() on:click=choose>
                {icon(ATTACH)}
                <span aria-hidden="true">{words::attach()}</span>
            </button>
            <button
                class="source"
                type="button"
                aria-label=words::your_files()
                title=words::your_files()
                on:click=move |_| app.files.open.set(true)
            >
                {icon(FOLDER)}
            </button>
            <button
                class="source"
                type="button"
                aria-label=words::web()
                aria-pressed=Signal::derive(move || web.get().map(|on| on.to_string()))
                aria-disabled=Signal::derive(move || web.get().is_none().to_string())
                title=about_web
                on:click=toggle
            >
                {icon(GLOBE)}
                <span aria-hidden="true">{words::web()}</span>
            </button>
        </fieldset>
    }
}

/// Why a message was not taken. Its text is back in the composer.
#[component]
fn Refusal() -> impl IntoView {
    let app = App::get();
    view! {
        <div role="alert">
            {move || {
                app.writing.refusal
                    .get()
                    .map(|sentence| {
                        view! {
                            <div class="refusal">
                                <p>{sentence}</p>
                                <Show when=move || app.writing.unsent.read().is_some()>
                                    <button class="button" on:click=move |_| app.retry_send()>
                                        {words::retry()}
                                    </button>
                                </Show>
                            </div>
                        }
                    })
            }}
        </div>
    }
}
