//! A conversation: its messages, which follow the end only while the person is there.

use std::time::Duration;

use leptos::ev::{KeyboardEvent, MouseEvent, WheelEvent};
use leptos::prelude::*;
use unbroken_protocol::Citation;
use web_sys::{EventTarget, HtmlElement};

use super::window::Window;
use crate::address::Place;
use crate::parts::announcer::LiveRegion;
use crate::parts::another::AnotherModel;
use crate::parts::block_buttons;
use crate::parts::citation::{self, CitationCard, Shown};
use crate::parts::message::{Answer, You};
use crate::parts::pair::Pair;
use crate::parts::show::Show;
use crate::parts::source_viewer::{SourceViewer, Viewer};
use crate::state::App;
use crate::words;

/// The page of `/chat?conversation_id=…` and `/chat/…`.
#[component]
pub(crate) fn Chat() -> impl IntoView {
    let app = App::get();
    let beside = app.address.beside();
    Effect::new(move || match app.place.get() {
        Place::Chat(Some(id)) => {
            app.open.show(app, id);
            app.open.hold_beside(app, beside.get());
        }
        Place::Chat(None) => app.address.go_instead("/"),
        _ => {}
    });
    Effect::new(move || {
        if let Some(message) = app.address.message() {
            app.open.reveal(app, message);
        }
    });
    on_cleanup(move || app.open.leave(app));
    view! {
        <Transcript />
        <LiveRegion announcer=app.open.announcer />
    }
}

#[component]
fn Transcript() -> impl IntoView {
    let app = App::get();
    let window = Window::new(app);
    let (scroller, content, in_page) = (window.scroller, window.content, window.shown);
    let shown = Shown::new();
    let viewer = Viewer::new(app);
    provide_context(viewer);
    // What nobody sees yet is made in a task of its own: what it runs is not compiled yet.
    let settled = RwSignal::new(false);
    let settle = move || {
        settled.try_set(true);
    };
    set_timeout(settle, Duration::ZERO);
    let on_wheel = move |event: WheelEvent| {
        if event.delta_y() < 0.0 {
            window.pulled_away();
        }
    };
    let on_key = move |event: KeyboardEvent| {
        if matches!(event.key().as_str(), "PageUp" | "Home" | "ArrowUp") {
            window.pulled_away();
        }
    };
    let point = move |target: Option<EventTarget>| match cited(app, target) {
        Some((chip, citation)) => shown.show(chip, citation),
        None => shown.leave(),
    };
    let on_click = move |event: MouseEvent| {
        block_buttons::on_click(app, &event);
        if let Some((_, citation)) = cited(app, event.target()) {
            shown.hide();
            citation::open(viewer, citation);
        }
    };
    view! {
        <div
            class="transcript"
            node_ref=scroller
            tabindex="0"
            role="region"
            aria-label=words::transcript()
            on:scroll=move |_| window.scrolled()
            on:wheel=on_wheel
            on:keydown=on_key
            on:click=on_click
            on:pointerover=move |event| point(event.target())
            on:focusin=move |event| point(event.target())
            on:focusout=move |_| shown.hide()
            on:pointerleave=move |_| shown.leave()
        >
            <div class="messages" node_ref=content>
                <Show when=move || app.open.earlier.get()>
                    <button class="button earlier" on:click=move |_| app.open.load_earlier(app)>
                        {words::earlier()}
                    </button>
                </Show>
                {move || {
                    app.open.problem.get().map(|sentence| {
                        view! {
                            <p class="empty" role="alert">
                                {sentence} " " <a href="/">{words::begin()}</a>
                            </p>
                        }
                    })
                }}
                <Space height=Signal::derive(move || in_page.read().above) />
                <For each=move || in_page.get().rows key=|row| (row.key, row.beside) let(row)>
                    {if let Some(beside) = row.beside {
                        view! { <Pair key=row.key beside /> }.into_any()
                    } else if row.yours {
                        view! { <You key=row.key /> }.into_any()
                    } else {
                        view! { <Answer key=row.key /> }.into_any()
                    }}
                </For>
                <Space height=Signal::derive(move || in_page.read().below) />
            </div>
        </div>
        {move || {
            settled
                .get()
                .then(|| {
                    view! {
                        <AnotherModel />
                        <CitationCard shown />
                        <SourceViewer viewer />
                    }
                })
        }}
    }
}

/// Stands for rows that are not in the page.
#[component]
fn Space(height: Signal<i32>) -> impl IntoView {
    view! { <div class="space" style:height=move || format!("{}px", height.get())></div> }
}

/// The chip that an event happened on, and what it cites.
fn cited(app: App, target: Option<EventTarget>) -> Option<(HtmlElement, Citation)> {
    let (chip, index) = citation::chip(target)?;
    let key = chip.closest("[data-key]").ok()??.get_attribute("data-key")?.parse().ok()?;
    let citation = app.open.message(key, |message| {
        let citations = &message.answer()?.citations;
        citations.iter().find(|citation| citation.index == index).cloned()
    });
    Some((chip, citation??))
}
