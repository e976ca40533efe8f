//! Views that come and go.

use leptos::prelude::*;

/// Shows its children while `when` holds.
///
/// As Leptos's own, but compiled once: that one is compiled for every type of children.
#[component]
pub(crate) fn Show(#[prop(into)] when: Signal<bool>, children: ChildrenFn) -> impl IntoView {
    let when = Memo::new(move |_| when.get());
    move || when.get().then(|| children())
}
