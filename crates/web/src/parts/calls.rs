//! The tool calls of an answer: each is one line that unfolds.

use leptos::prelude::*;
use unbroken_chat_view::transcript::{Call, CallState};

use super::icons::{WRENCH, icon};
use crate::words;

/// `running`: something may still come of a call.
#[component]
pub(crate) fn Calls(calls: RwSignal<Vec<Call>>, running: Signal<bool>) -> impl IntoView {
    let count = Memo::new(move |_| calls.read().len());
    // A line that is there stays the same element, folded or not, when another one comes.
    move || (0..count.get()).map(|at| line(calls, running, at)).collect_view()
}

fn line(calls: RwSignal<Vec<Call>>, running: Signal<bool>, at: usize) -> AnyView {
    let title = move || Some(title(calls.read().get(at)?, running.get()));
    let inside = move || Some(inside(calls.read().get(at)?));
    view! {
        <details class="reasoning tool">
            <summary>{icon(WRENCH)} <bdi>{title}</bdi></summary>
            <div class="reasoning-text">{inside}</div>
        </details>
    }
    .into_any()
}

fn title(call: &Call, running: bool) -> String {
    match call.state {
        CallState::Running if running => words::tool_running(&call.name),
        CallState::Running => words::tool_asked(&call.name),
        CallState::Done => words::tool_used(&call.name),
        CallState::Failed => words::tool_failed(&call.name),
    }
}

fn inside(call: &Call) -> AnyView {
    let is_failed = call.state == CallState::Failed;
    let came = if is_failed { words::tool_error() } else { words::tool_output() };
    view! {
        {part(words::tool_arguments(), &call.arguments)}
        {call.output.as_ref().map(|output| part(came, output))}
        {call.cut.then(|| view! { <p>{words::tool_cut()}</p> })}
    }
    .into_any()
}

/// A text as it is, in a box that the keyboard can scroll.
fn part(name: &'static str, text: &str) -> Option<AnyView> {
    let text = text.to_owned();
    (!text.is_empty()).then(|| {
        view! {
            <p aria-hidden="true">{name}</p>
            <pre dir="auto" tabindex="0" role="group" aria-label=name>
                {text}
            </pre>
        }
        .into_any()
    })
}
