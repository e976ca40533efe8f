//! Conversations in sections: in the sidebar, and on the page of all of them.

use leptos::prelude::*;
use unbroken_chat_view::history::Kind;
use unbroken_protocol::ConversationSummary;

use super::icons::{CHEVRON_DOWN, MORE, PIN, icon};
use super::later::LaterPage;
use super::menu;
use super::show::Show;
use crate::address::Place;
use crate::keep::{self, Spot};
use crate::state::{App, Section};
use crate::{chunks, words};

/// A list. `name` is that of the place where it is; there, headings are headings.
#[component]
pub(crate) fn Sections(list: &'static str, sections: Memo<Vec<Section>>) -> impl IntoView {
    view! {
        <For
            each=move || sections.get()
            key=|section| (section.kind, section.title.clone())
            let(section)
        >
            <SectionOf list sections kind=section.kind title=section.title />
        </For>
    }
}

#[component]
fn SectionOf(
    list: &'static str,
    sections: Memo<Vec<Section>>,
    kind: Kind,
    title: String,
) -> impl IntoView {
    let app = App::get();
    let name = title.clone();
    let folder = title.clone();
    let is_closed = Memo::new(move |_| kind == Kind::Folder && app.keep.is_closed(&folder));
    let label = title.clone();
    let heading = if kind == Kind::Folder {
        let folder = title.clone();
        view! {
            <button
                class="day folder"
                aria-expanded=Signal::derive(move || (!is_closed.get()).to_string())
                on:click=move |_| app.keep.toggle(&folder)
            >
                {icon(CHEVRON_DOWN)}
                <span class="entry-text" dir="auto">
                    {title.clone()}
                </span>
            </button>
        }
        .into_any()
    } else if list == "sidebar" {
        view! {
            <p class="day" aria-hidden="true">
                {title.clone()}
            </p>
        }
        .into_any()
    } else {
        view! { <h2 class="day">{title.clone()}</h2> }.into_any()
    };
    let of_this = move || {
        let sections = sections.read();
        let this = sections.iter().find(|other| other.kind == kind && other.title == name);
        this.map(|section| section.entries.clone()).unwrap_or_default()
    };
    let of_this = StoredValue::new(of_this);
    view! {
        {heading}
        <Show when=move || !is_closed.get()>
            <ul aria-label=label.clone()>
                <For
                    each=move || of_this.with_value(|of_this| of_this())
                    key=|c| (c.conversation_id, c.pinned)
                    let(conversation)
                >
                    <Entry list sections conversation />
                </For>
            </ul>
        </Show>
    }
}

#[component]
fn Entry(
    list: &'static str,
    sections: Memo<Vec<Section>>,
    conversation: ConversationSummary,
) -> impl IntoView {
    let app = App::get();
    let id = conversation.conversation_id;
    let spot = Spot { list, id };
    let is_pinned = conversation.pinned && list != "sidebar";
    // The line stays where an answer ends: its title may be in the person's hands.
    let now = Memo::new(move |was: Option<&ConversationSummary>| {
        let sections = sections.read();
        let mut all = sections.iter().flat_map(|section| &section.entries);
        let known = all.find(|known| known.conversation_id == id);
        known.or(was).unwrap_or(&conversation).clone()
    });
    let title = move || now.with(keep::title);
    let when = move || (list != "sidebar").then(|| words::when(now.read().updated_at.as_millis()));
    let is_here = move || app.place.get() == Place::Chat(Some(id));
    let renames =
        Memo::new(move |_| app.keep.renaming.read().as_ref().is_some_and(|(at, _)| *at == spot));
    let is_open = move || app.keep.menu.read().as_ref().is_some_and(|(open, _)| *open == spot);
    let link = move || {
        if renames.get() {
            return view! { <LaterPage bring=chunks::rename /> }.into_any();
        }
        view! {
            <a
                class="entry"
                href=format!("/chat/{id}")
                aria-current=Signal::derive(move || is_here().then_some("page"))
                on:click=move |_| app.drawer.set(false)
            >
                {is_pinned.then(|| icon(PIN))}
                <span class="entry-text" dir="auto">
                    {title}
                </span>
                <Show when=move || now.read().running>
                    <RunningMark />
                </Show>
                {move || when().map(|when| view! { <span class="when">{when}</span> })}
            </a>
        }
        .into_any()
    };
    view! {
        <li class="line">
            {link}
            <button
                id=spot.button()
                class="icon-button more-button"
                aria-label=Signal::derive(move || words::more_about(&title()))
                aria-haspopup="menu"
                aria-expanded=Signal::derive(move || is_open().to_string())
                popovertarget=menu::POPOVER
                on:click=move |_| app.keep.menu.set(Some((spot, now.get_untracked())))
            >
                {icon(MORE)}
            </button>
        </li>
    }
}

/// The mark on a conversation whose answer is being written.
#[component]
pub(crate) fn RunningMark() -> impl IntoView {
    view! { <span class="running-mark" role="img" aria-label=words::running()></span> }
}
