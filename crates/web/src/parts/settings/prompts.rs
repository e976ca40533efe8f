//! The person's own prompts: made, changed and deleted here, used by `/` in the composer.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use unbroken_chat_view::prompts::variables;
use unbroken_protocol::{Prompt, PromptId, limits};

use crate::parts::icons::{PENCIL, PLUS, TRASH, icon};
use crate::state::App;
use crate::{dom, words};

/// The prompt in the form: a new one, or one that is changed.
#[derive(Clone, Copy)]
struct Form {
    open: RwSignal<Option<PromptId>>,
    name: RwSignal<String>,
    text: RwSignal<String>,
}

impl Form {
    fn show(self, prompt: Option<&Prompt>) {
        let (name, text) = prompt.map(|p| (p.name.clone(), p.text.clone())).unwrap_or_default();
        self.name.set(name);
        self.text.set(text);
        self.open.set(Some(prompt.map_or_else(PromptId::new, |prompt| prompt.prompt_id)));
        request_animation_frame(|| dom::focus("prompt-name"));
    }

    fn close(self) {
        self.open.set(None);
        request_animation_frame(|| dom::focus("new-prompt"));
    }
}

#[component]
pub(super) fn Prompts() -> impl IntoView {
    let app = App::get();
    app.want_prompts();
    app.prompts.problem.set(None);
    let form =
        Form { open: RwSignal::default(), name: RwSignal::default(), text: RwSignal::default() };
    view! {
        <p>{words::prompts_about()}</p>
        {move || match form.open.get() {
            Some(id) => view! { <PromptForm form id /> }.into_any(),
            None => view! { <Library form /> }.into_any(),
        }}
        <p class="problem" role="alert">
            {move || app.prompts.problem.get()}
        </p>
    }
}

#[component]
fn Library(form: Form) -> impl IntoView {
    let app = App::get();
    let asked = RwSignal::new(None);
    let line = move |prompt: Prompt| {
        let (name, text) = (prompt.name.clone(), prompt.text.clone());
        let buttons = move || {
            let prompt = prompt.clone();
            if asked.get() == Some(prompt.prompt_id) {
                view! { <Sure prompt asked /> }.into_any()
            } else {
                view! { <Buttons prompt form asked /> }.into_any()
            }
        };
        view! {
            <li>
                <div class="prompt-text">
                    <span class="palette-name" dir="auto">
                        {name}
                    </span>
                    <span class="palette-note" dir="auto">
                        {text}
                    </span>
                </div>
                {buttons}
            </li>
        }
    };
    view! {
        <button id="new-prompt" class="button" on:click=move |_| form.show(None)>
            {icon(PLUS)}
            {words::new_prompt()}
        </button>
        <ul class="prompts" aria-label=words::prompts()>
            {move || app.prompts.all.get().into_iter().map(line).collect_view()}
        </ul>
    }
}

#[component]
fn Buttons(prompt: Prompt, form: Form, asked: RwSignal<Option<PromptId>>) -> impl IntoView {
    let (edit, delete) = (words::edit_named(&prompt.name), words::delete_named(&prompt.name));
    let id = prompt.prompt_id;
    let ask = move |_| {
        asked.set(Some(id));
        request_animation_frame(|| dom::focus("keep-prompt"));
    };
    view! {
        <button class="icon-button" aria-label=edit on:click=move |_| form.show(Some(&prompt))>
            {icon(PENCIL)}
        </button>
        <button id=format!("delete-{id}") class="icon-button" aria-label=delete on:click=ask>
            {icon(TRASH)}
        </button>
    }
}

/// Asks once more: there is no way back. The button that keeps it stands where the first click was:
/// the second half of a double click must not delete.
#[component]
fn Sure(prompt: Prompt, asked: RwSignal<Option<PromptId>>) -> impl IntoView {
    let app = App::get();
    let id = prompt.prompt_id;
    let keep = move |_| {
        asked.set(None);
        request_animation_frame(move || dom::focus(&format!("delete-{id}")));
    };
    let delete = move |_| {
        asked.set(None);
        app.delete_prompt(id);
        dom::focus("new-prompt");
    };
    view! {
        <div class="dialog-buttons" role="group" aria-label=words::delete_prompt(&prompt.name)>
            <button class="button danger" on:click=delete>
                {words::delete()}
            </button>
            <button id="keep-prompt" class="button" on:click=keep>
                {words::cancel()}
            </button>
        </div>
    }
}

#[component]
fn PromptForm(form: Form, id: PromptId) -> impl IntoView {
    let app = App::get();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let (name, text) = (form.name.get_untracked(), form.text.get_untracked());
        app.put_prompt(id, name, text, move || form.close());
    };
    let found = move || {
        let text = form.text.read();
        let names = variables(&text);
        (!names.is_empty()).then(|| words::asks_for(&names.join(", ")))
    };
    view! {
        <form class="prompt-form" on:submit=submit>
            <div class="field">
                <label for="prompt-name">{words::prompt_name()}</label>
                <input
                    id="prompt-name"
                    type="text"
                    dir="auto"
                    required
                    maxlength=limits::PROMPT_NAME_CHARS.to_string()
                    autocomplete="off"
                    bind:value=form.name
                />
            </div>
            <div class="field">
                <label for="prompt-body">{words::prompt_text()}</label>
                <textarea
                    id="prompt-body"
                    rows="7"
                    dir="auto"
                    required
                    placeholder=words::prompt_example()
                    aria-describedby="prompt-variables"
                    bind:value=form.text
                ></textarea>
                <p id="prompt-variables" role="status">
                    {move || found().unwrap_or_else(|| words::variables_about().to_owned())}
                </p>
            </div>
            <div class="dialog-buttons">
                <button class="button" type="button" on:click=move |_| form.close()>
                    {words::cancel()}
                </button>
                <button class="button primary" type="submit">
                    {words::save()}
                </button>
            </div>
        </form>
    }
}
