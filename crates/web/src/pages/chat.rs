//! A conversation: its messages, which follow the end only while the person is there.

use leptos::ev::{KeyboardEvent, MouseEvent, WheelEvent};
use leptos::html::Div;
use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_chat_view::scroll::{Extent, Scroll};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, EventTarget, ResizeObserver};

use crate::address::Place;
use crate::parts::announcer::LiveRegion;
use crate::parts::citation::{self, CitationCard, Shown};
use crate::parts::message::{Answer, COPIED_FOR, You};
use crate::parts::show::Show;
use crate::state::App;
use crate::{dom, words};

/// The page of `/chat?conversation_id=…` and `/chat/…`.
#[component]
pub(crate) fn Chat() -> impl IntoView {
    let app = App::get();
    Effect::new(move || match app.place.get() {
        Place::Chat(Some(id)) => app.open.show(app, id),
        Place::Chat(None) => app.go("/"),
        _ => {}
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
    let scroller = NodeRef::<Div>::new();
    let content = NodeRef::<Div>::new();
    let scroll = StoredValue::new(Scroll::default());
    let shown = Shown::new();
    let resized = move || {
        let Some(scroller) = scroller.get_untracked() else { return };
        if let Some(Some(top)) = scroll.try_update_value(|scroll| scroll.resized(extent(&scroller)))
        {
            set_top(&scroller, top);
        }
        tell_away(app, scroll);
    };
    Effect::new(move || {
        app.open.to_end.track();
        scroll.update_value(Scroll::to_end);
        resized();
    });
    observe(scroller, content, resized);
    Effect::new(move || {
        let Some(key) = app.open.found.get() else { return };
        scroll.update_value(Scroll::pulled_away);
        tell_away(app, scroll);
        // After the message is on the page.
        request_animation_frame(move || request_animation_frame(move || dom::show_found(key)));
        app.open.found.set(None);
    });
    let on_scroll = move |_| {
        if let Some(scroller) = scroller.get_untracked() {
            scroll.update_value(|scroll| scroll.scrolled(extent(&scroller)));
            tell_away(app, scroll);
        }
    };
    let pull = move || {
        scroll.update_value(Scroll::pulled_away);
        tell_away(app, scroll);
    };
    let on_wheel = move |event: WheelEvent| {
        if event.delta_y() < 0.0 {
            pull();
        }
    };
    let on_key = move |event: KeyboardEvent| match event.key().as_str() {
        "PageUp" | "Home" | "ArrowUp" => pull(),
        "Escape" => shown.hide(),
        _ => {}
    };
    let point = move |target: Option<EventTarget>| match citation::chip(target) {
        Some((chip, index)) => show_citation(app, shown, chip, index),
        None => shown.hide(),
    };
    view! {
        <div
            class="transcript"
            node_ref=scroller
            tabindex="0"
            role="region"
            aria-label=words::TRANSCRIPT
            on:scroll=on_scroll
            on:wheel=on_wheel
            on:keydown=on_key
            on:click=move |event| on_click(&event)
            on:pointerover=move |event| point(event.target())
            on:focusin=move |event| point(event.target())
            on:focusout=move |_| shown.hide()
            on:pointerleave=move |_| shown.hide()
        >
            <div class="messages" node_ref=content>
                <Show when=move || app.open.earlier.get()>
                    <button class="button earlier" on:click=move |_| app.open.load_earlier(app)>
                        {words::EARLIER}
                    </button>
                </Show>
                {move || {
                    app.open.problem.get().map(|sentence| {
                        view! {
                            <p class="empty" role="alert">
                                {sentence} " " <a href="/">{words::BEGIN}</a>
                            </p>
                        }
                    })
                }}
                <For each=move || app.open.rows.get() key=|row| row.key let(row)>
                    {if row.yours {
                        view! { <You key=row.key /> }.into_any()
                    } else {
                        view! { <Answer key=row.key /> }.into_any()
                    }}
                </For>
            </div>
        </div>
        <CitationCard shown />
    }
}

/// Calls `resized` before the frame in which the window or the content has another size is shown.
fn observe(scroller: NodeRef<Div>, content: NodeRef<Div>, resized: impl Fn() + Copy + 'static) {
    let callback = Closure::<dyn FnMut(JsValue)>::new(move |_| resized());
    let Ok(observer) = ResizeObserver::new(callback.as_ref().unchecked_ref()) else { return };
    let kept = StoredValue::new_local((observer, callback));
    Effect::new(move || {
        kept.with_value(|(observer, _)| {
            [scroller, content].iter().filter_map(Get::get).for_each(|div| observer.observe(&div));
        });
    });
    on_cleanup(move || {
        kept.try_with_value(|(observer, _)| observer.disconnect());
    });
}

fn extent(scroller: &Element) -> Extent {
    Extent {
        scroll_top: f64::from(scroller.scroll_top()),
        client_height: f64::from(scroller.client_height()),
        scroll_height: f64::from(scroller.scroll_height()),
    }
}

fn set_top(scroller: &Element, top: f64) {
    #[expect(clippy::cast_possible_truncation, reason = "a page is not two billion pixels high")]
    scroller.set_scroll_top(top.ceil() as i32);
}

fn tell_away(app: App, scroll: StoredValue<Scroll>) {
    let away = scroll.try_with_value(Scroll::shows_latest).unwrap_or(false);
    if app.open.away.get_untracked() != away {
        app.open.away.set(away);
    }
}

fn show_citation(app: App, shown: Shown, chip: web_sys::HtmlElement, index: u32) {
    let key = chip.closest("[data-key]").ok().flatten().and_then(|e| e.get_attribute("data-key"));
    let Some(key) = key.and_then(|key| key.parse().ok()) else { return };
    let citation = app.open.message(key, |message| {
        let citations = &message.answer()?.citations;
        citations.iter().find(|citation| citation.index == index).cloned()
    });
    if let Some(Some(citation)) = citation {
        shown.show(chip, citation);
    }
}

/// The buttons inside Markdown: Copy and Wrap of code.
fn on_click(event: &MouseEvent) {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let Some(button) = target.and_then(|target| target.closest("[data-action]").ok().flatten())
    else {
        return;
    };
    let Ok(Some(block)) = button.closest("figure") else { return };
    match button.get_attribute("data-action").as_deref() {
        Some("wrap") => {
            let wrapped = block.class_list().toggle("wrapped").unwrap_or(false);
            let _ = button.set_attribute("aria-pressed", &wrapped.to_string());
        }
        Some("copy") => {
            let code = block.query_selector("code").ok().flatten();
            let code = code.and_then(|code| code.text_content()).unwrap_or_default();
            spawn_local(async move {
                if dom::copy(&code).await {
                    button.set_text_content(Some(words::COPIED));
                    dom::sleep(COPIED_FOR).await;
                    button.set_text_content(Some(words::COPY));
                }
            });
        }
        _ => {}
    }
}
