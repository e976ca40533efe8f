//! What is kept, and where.

use leptos::prelude::*;

use crate::words;

#[component]
pub(super) fn Data() -> impl IntoView {
    view! {
        <p>{words::DATA_WHERE}</p>
        <p>{words::DATA_DEVICE}</p>
    }
}
