//! The settings: a dialog of sections, each in a file of its own. On a phone it fills the screen:
//! first the list of sections, then one of them with a way back.

mod about;
mod answers;
pub(crate) mod appearance;
mod data;
mod notifications;
mod prompts;
mod reading;

pub(crate) use reading::announce;

use about::About;
use answers::Answers;
use appearance::Appearance;
use data::Data;
use notifications::Notifications;
use prompts::Prompts;
use reading::Reading;

use leptos::html::Dialog;
use leptos::prelude::*;

use super::icons::{BACK, CLOSE, FORTH, icon};
use super::shortcuts::ShortcutList;
use crate::state::App;
use crate::{dom, words};

/// What belongs together in the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Appearance,
    Answers,
    Prompts,
    Reading,
    Notifications,
    Data,
    Shortcuts,
    About,
}

impl Section {
    /// In the order of the list; the first is shown where list and section both fit.
    const ALL: [Self; 8] = [
        Self::Appearance,
        Self::Answers,
        Self::Prompts,
        Self::Reading,
        Self::Notifications,
        Self::Data,
        Self::Shortcuts,
        Self::About,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Appearance => words::appearance(),
            Self::Answers => words::model_and_instructions(),
            Self::Prompts => words::prompts(),
            Self::Reading => words::reading_aloud(),
            Self::Notifications => words::notifications(),
            Self::Data => words::data(),
            Self::Shortcuts => words::shortcuts(),
            Self::About => words::about(),
        }
    }

    fn view(self) -> AnyView {
        match self {
            Self::Appearance => view! { <Appearance /> }.into_any(),
            Self::Answers => view! { <Answers /> }.into_any(),
            Self::Prompts => view! { <Prompts /> }.into_any(),
            Self::Reading => view! { <Reading /> }.into_any(),
            Self::Notifications => view! { <Notifications /> }.into_any(),
            Self::Data => view! { <Data /> }.into_any(),
            Self::Shortcuts => view! { <ShortcutList /> }.into_any(),
            Self::About => view! { <About /> }.into_any(),
        }
    }
}

/// The dialog, closed until `settings_open` turns true.
#[component]
pub(crate) fn Settings() -> impl IntoView {
    let app = App::get();
    let (open, section) = (app.settings_open, app.settings_section);
    let dialog = NodeRef::<Dialog>::new();
    dom::opens(dialog, open);
    let shown = move || section.get().unwrap_or(Section::ALL[0]);
    let back = move |_| {
        let left = section.get_untracked().unwrap_or(Section::ALL[0]);
        section.set(None);
        request_animation_frame(move || dom::focus(&entry_id(left)));
    };
    let entry = move |to: Section| {
        view! {
            <button
                id=entry_id(to)
                class="entry"
                aria-current=Signal::derive(move || (shown() == to).then_some("true"))
                on:click=move |_| {
                    section.set(Some(to));
                    request_animation_frame(|| dom::focus("settings-section"));
                }
            >
                <span class="entry-text">{to.name()}</span>
                <span class="only-narrow">{icon(FORTH)}</span>
            </button>
        }
    };
    view! {
        <dialog
            class="settings"
            class:in-section=Signal::derive(move || section.get().is_some())
            node_ref=dialog
            aria-labelledby="settings-title"
            closedby="any"
            on:close=move |_| open.set(false)
        >
            <div class="dialog-head">
                <button class="icon-button settings-back" aria-label=words::all_settings() on:click=back>
                    {icon(BACK)}
                </button>
                <h2 id="settings-title">{words::settings()}</h2>
                <button class="icon-button" aria-label=words::close() on:click=move |_| open.set(false)>
                    {icon(CLOSE)}
                </button>
            </div>
            {move || {
                open.get()
                    .then(|| {
                        view! {
                            <div class="settings-body">
                                <nav aria-label=words::settings_sections()>
                                    {Section::ALL.map(entry).into_iter().collect_view()}
                                </nav>
                                <section
                                    id="settings-section"
                                    tabindex="-1"
                                    aria-labelledby="section-title"
                                >
                                    <h3 id="section-title">{move || shown().name()}</h3>
                                    {move || shown().view()}
                                </section>
                            </div>
                        }
                    })
            }}
        </dialog>
    }
}

fn entry_id(section: Section) -> String {
    format!("settings-{section:?}")
}

/// What is kept, and what it is called.
type Choice = (&'static str, fn() -> &'static str);

/// One of a few, kept on this device under `name`.
#[component]
fn Choices(
    name: &'static str,
    legend: &'static str,
    options: &'static [Choice],
    default: &'static str,
    changed: impl Fn(&'static str) + Copy + 'static,
) -> impl IntoView {
    let chosen = dom::kept(name).unwrap_or_else(|| default.to_owned());
    let choices = options.iter().map(|&(value, label)| {
        let choose = move |_| {
            dom::keep(name, value);
            changed(value);
        };
        view! {
            <label>
                <input type="radio" name=name value=value checked=chosen == value on:change=choose />
                {label()}
            </label>
        }
    });
    view! {
        <fieldset class="choices">
            <legend>{legend}</legend>
            <div>{choices.collect_view()}</div>
        </fieldset>
    }
}
