//! What is kept, and where.

use leptos::prelude::*;

use crate::words;

#[component]
pub(super) fn Data() -> impl IntoView {
    view! {
        <p>{words::data_where()}</p>
        <p>{words::data_device()}</p>
    }
}
