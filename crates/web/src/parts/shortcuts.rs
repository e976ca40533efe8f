//! The page of shortcuts: the actions that have keys, from the one table of actions.

use leptos::html::Dialog;
use leptos::prelude::*;

use super::icons::{CLOSE, icon};
use crate::state::App;
use crate::{actions, dom, words};

/// The dialog, closed until `shortcuts_open` turns true.
#[component]
pub(crate) fn Shortcuts() -> impl IntoView {
    let open = App::get().shortcuts_open;
    let dialog = NodeRef::<Dialog>::new();
    dom::opens(dialog, open);
    view! {
        <dialog
            node_ref=dialog
            aria-labelledby="shortcuts-title"
            closedby="any"
            on:close=move |_| open.set(false)
        >
            <div class="dialog-head">
                <h2 id="shortcuts-title">{words::shortcuts()}</h2>
                <button class="icon-button" aria-label=words::close() on:click=move |_| open.set(false)>
                    {icon(CLOSE)}
                </button>
            </div>
            <ShortcutList />
        </dialog>
    }
}

/// What the keys do, a line each.
#[component]
pub(crate) fn ShortcutList() -> impl IntoView {
    let apple = dom::is_apple();
    let lines = actions::all().into_iter().filter_map(|action| {
        let keys = action.keys?.label(apple);
        let line = view! {
            <div>
                <dt>{action.name}</dt>
                <dd>
                    <kbd>{keys}</kbd>
                </dd>
            </div>
        };
        Some(line)
    });
    view! {
        <p>{words::shortcuts_about()}</p>
        <dl class="shortcuts">{lines.collect_view()}</dl>
    }
}
