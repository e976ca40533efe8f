//! The page of all conversations, and of those that are archived, with more on demand.

use leptos::prelude::*;

use crate::parts::list::Sections;
use crate::parts::show::Show;
use crate::state::App;
use crate::words;

#[component]
pub(crate) fn History() -> impl IntoView {
    let app = App::get();
    let archived = RwSignal::new(false);
    let shown = move || if archived.get() { app.keep.archive } else { app.history };
    let is_empty = move || {
        let list = shown();
        let list = list.read();
        list.is_loaded() && list.entries().is_empty()
    };
    let has_more = move || shown().read().next_cursor().is_some();
    let sections =
        Memo::new(
            move |_| {
                if archived.get() { app.keep.archived.get() } else { app.sections.get() }
            },
        );
    let more = move |_| if archived.get_untracked() { app.load_archive() } else { app.load_more() };
    Effect::new(move || {
        if archived.get() && !app.keep.archive.read_untracked().is_loaded() {
            app.load_archive();
        }
    });
    let filter = |name: &'static str, of: bool| {
        view! {
            <button
                class="filter"
                aria-pressed=Signal::derive(move || (archived.get() == of).to_string())
                on:click=move |_| archived.set(of)
            >
                {name}
            </button>
        }
    };
    view! {
        <div class="history" tabindex="-1">
            <div class="days">
                <div class="filters" role="group" aria-label=words::show()>
                    {filter(words::conversations(), false)} {filter(words::archived(), true)}
                </div>
                <Sections list="page" sections />
                <Show when=is_empty>
                    <p class="empty">
                        {move || {
                            if archived.get() {
                                view! { {words::no_archived()} }.into_any()
                            } else {
                                view! { {words::no_conversations()} ". " <a href="/">{words::begin()}</a> }
                                    .into_any()
                            }
                        }}
                    </p>
                </Show>
                <Show when=has_more>
                    <button class="button more" on:click=more>
                        {words::load_more()}
                    </button>
                </Show>
            </div>
        </div>
    }
}
