//! The history page: every conversation by day, with more on demand, and deleting one.

use leptos::html::Dialog;
use leptos::prelude::*;
use unbroken_chat_view::history;
use unbroken_protocol::ConversationSummary;

use crate::parts::icons::{TRASH, icon};
use crate::parts::show::Show;
use crate::parts::sidebar::RunningMark;
use crate::state::App;
use crate::{dom, words};

#[component]
pub(crate) fn History() -> impl IntoView {
    let app = App::get();
    let doomed = RwSignal::new(None::<ConversationSummary>);
    let is_empty =
        move || app.history.read().is_loaded() && app.history.read().entries().is_empty();
    let has_more = move || app.history.read().next_cursor().is_some();
    view! {
        <div class="history" tabindex="-1">
            <div class="days">
                <For each=move || app.days.get() key=|(day, _)| day.clone() let((day, _))>
                    <DayOf day doomed />
                </For>
                <Show when=is_empty>
                    <p class="empty">
                        {words::NO_CONVERSATIONS} ". " <a href="/">{words::BEGIN}</a>
                    </p>
                </Show>
                <Show when=has_more>
                    <button class="button more" on:click=move |_| app.load_more()>
                        {words::LOAD_MORE}
                    </button>
                </Show>
            </div>
        </div>
        <ConfirmDelete doomed />
    }
}

#[component]
fn DayOf(day: String, doomed: RwSignal<Option<ConversationSummary>>) -> impl IntoView {
    let app = App::get();
    let heading = day.clone();
    view! {
        <h2>{heading}</h2>
        <ul>
            <For
                each=move || app.of_day(&day)
                key=|c| (c.conversation_id, c.title.clone(), c.running, c.updated_at)
                let(conversation)
            >
                <Line conversation doomed />
            </For>
        </ul>
    }
}

#[component]
fn Line(
    conversation: ConversationSummary,
    doomed: RwSignal<Option<ConversationSummary>>,
) -> impl IntoView {
    let id = conversation.conversation_id;
    let title = history::title(&conversation).to_owned();
    let name = words::delete_named(&title);
    let when = dom::when(conversation.updated_at.as_millis());
    view! {
        <li>
            <a href=format!("/chat/{id}")>
                <span class="title" dir="auto">
                    {title}
                </span>
                <RunningMark running=conversation.running />
                <span class="when">{when}</span>
            </a>
            <button
                class="icon-button"
                aria-label=name
                on:click=move |_| doomed.set(Some(conversation.clone()))
            >
                {icon(TRASH)}
            </button>
        </li>
    }
}

#[component]
fn ConfirmDelete(doomed: RwSignal<Option<ConversationSummary>>) -> impl IntoView {
    let app = App::get();
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move || {
        if let Some(dialog) = dialog.get()
            && doomed.read().is_some()
            && !dialog.open()
        {
            let _ = dialog.show_modal();
        }
    });
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let delete = move |_| {
        if let Some(conversation) = doomed.get_untracked() {
            app.delete(conversation.conversation_id);
        }
        close();
    };
    let about =
        move || doomed.read().as_ref().map(|doomed| words::delete_about(history::title(doomed)));
    view! {
        <dialog
            node_ref=dialog
            closedby="any"
            aria-labelledby="delete-title"
            on:close=move |_| doomed.set(None)
        >
            <h2 id="delete-title">{words::DELETE_TITLE}</h2>
            <p>{about}</p>
            <div class="dialog-buttons">
                <button class="button" autofocus on:click=move |_| close()>
                    {words::CANCEL}
                </button>
                <button class="button danger" on:click=delete>
                    {words::DELETE}
                </button>
            </div>
        </dialog>
    }
}
