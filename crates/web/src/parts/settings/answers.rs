//! Who answers, and what every answer has to mind.

use leptos::prelude::*;

use crate::instructions;
use crate::state::App;
use crate::words;

#[component]
pub(super) fn Answers() -> impl IntoView {
    view! {
        <DefaultModel />
        <Instructions />
    }
}

/// The model that answers when none is named: the picker's choice.
#[component]
fn DefaultModel() -> impl IntoView {
    let app = App::get();
    let options = move || {
        let picker = app.picker.read();
        let chosen = picker.selected();
        // One that is gone from the catalogue is still the choice.
        let gone = picker.items().iter().all(|item| item.id != chosen);
        let gone = gone.then(|| (chosen.to_owned(), chosen.to_owned()));
        let known = picker.items().iter().map(|item| {
            let name = match item.provider.as_str() {
                "" => item.name.clone(),
                provider => format!("{} · {provider}", item.name),
            };
            (item.id.clone(), name)
        });
        let options = known.chain(gone).map(|(id, name)| {
            let selected = id == chosen;
            view! {
                <option value=id selected=selected>
                    {name}
                </option>
            }
        });
        options.collect_view()
    };
    let choose = move |event| {
        let id = event_target_value(&event);
        app.picker.update(|picker| picker.select(&id));
        app.prefer();
    };
    view! {
        <div class="field">
            <label for="default-model">{words::default_model()}</label>
            <select id="default-model" aria-describedby="default-model-about" on:change=choose>
                {options}
            </select>
            <p id="default-model-about">{words::default_model_about()}</p>
        </div>
    }
}

/// What is sent along with every message from this device.
#[component]
fn Instructions() -> impl IntoView {
    view! {
        <div class="field">
            <label for="instructions">{words::instructions()}</label>
            <textarea
                id="instructions"
                rows="6"
                dir="auto"
                maxlength=instructions::LONGEST.to_string()
                placeholder=words::instructions_example()
                aria-describedby="instructions-about"
                on:input=move |event| instructions::keep(&event_target_value(&event))
                prop:value=instructions::kept()
            ></textarea>
            <p id="instructions-about">{words::instructions_about()}</p>
        </div>
    }
}
