//! The drawings: each icon is one path on a 16 by 16 grid, drawn with the colour of its text.

use leptos::prelude::*;

pub(crate) const PLUS: &str = "M8 3v10M3 8h10";
pub(crate) const ATTACH: &str = "M13.2 7.4 8 12.6a3.2 3.2 0 0 1-4.5-4.5l5.4-5.4a2.1 2.1 0 0 1 3 3L6.6 11a1 1 0 0 1-1.4-1.4l4.8-4.8";
pub(crate) const GLOBE: &str = "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM2 8h12M8 2c1.7 1.7 2.5 3.7 2.5 6s-.8 4.3-2.5 6c-1.7-1.7-2.5-3.7-2.5-6S6.3 3.7 8 2Z";
pub(crate) const CHEVRON_DOWN: &str = "m4 6 4 4 4-4";
pub(crate) const ARROW_UP: &str = "M8 13V3.5M4 7.3l4-4 4 4";
pub(crate) const ARROW_DOWN: &str = "M8 3v9.5M4 8.7l4 4 4-4";
pub(crate) const SIDEBAR: &str = "M4 2.5h8A1.5 1.5 0 0 1 13.5 4v8a1.5 1.5 0 0 1-1.5 1.5H4A1.5 1.5 0 0 1 2.5 12V4A1.5 1.5 0 0 1 4 2.5ZM6.5 2.5v11";
pub(crate) const COPY: &str = "M6.5 5.5h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-6a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1ZM10.5 5.5v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2";
pub(crate) const CHECK: &str = "m3.5 8.5 3 3 6-7";
pub(crate) const TRASH: &str = "M3 4.5h10M6.5 4.5v-1a1 1 0 0 1 1-1h1a1 1 0 0 1 1 1v1M4.5 4.5l.5 8a1 1 0 0 0 1 1h4a1 1 0 0 0 1-1l.5-8";
pub(crate) const AGAIN: &str = "M13 8a5 5 0 1 1-1.5-3.6M13 2.5v3h-3";
pub(crate) const COLUMNS: &str =
    "M3.5 3h9a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1ZM8 3v10";
pub(crate) const MICROPHONE: &str = "M8 2.5A1.75 1.75 0 0 1 9.75 4.25v3.5a1.75 1.75 0 0 1-3.5 0v-3.5A1.75 1.75 0 0 1 8 2.5ZM4 7.5a4 4 0 0 0 8 0M8 11.5v2.2";
pub(crate) const PENCIL: &str = "M10.5 3.2l2.3 2.3L6 12.3l-3 .7.7-3ZM9 4.7 11.3 7";
pub(crate) const BACK: &str = "M9.5 4 5.5 8l4 4";
pub(crate) const FORTH: &str = "m6.5 4 4 4-4 4";
pub(crate) const PULSE: &str = "M2 8.5h2.7L6.5 4l3 8 1.8-3.5H14";
pub(crate) const MAGNIFIER: &str = "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.3 10.3l3.2 3.2";
pub(crate) const MORE: &str = "M3.5 8h.01M8 8h.01M12.5 8h.01";
pub(crate) const PIN: &str = "M6 2.5h4l-.5 4 2 2.5h-7l2-2.5ZM8 9v4.5";
pub(crate) const FILE: &str =
    "M4.5 2.5h4.5l3 3v7a1 1 0 0 1-1 1h-6.5a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1ZM9 2.5v3h3";
pub(crate) const FOLDER: &str =
    "M2.5 12V4.5a1 1 0 0 1 1-1h3l1.5 2h4.5a1 1 0 0 1 1 1V12a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1Z";
pub(crate) const ARCHIVE: &str =
    "M2.5 3.5h11v2.5h-11ZM3.5 6v5.5a1 1 0 0 0 1 1h7a1 1 0 0 0 1-1V6M6.5 8.5h3";
pub(crate) const HOURGLASS: &str =
    "M4.5 2.5h7M4.5 13.5h7M5.5 2.5v2.3L8 8l2.5-3.2V2.5M5.5 13.5v-2.3L8 8l2.5 3.2v2.3";
pub(crate) const CLOSE: &str = "m4 4 8 8M12 4l-8 8";
pub(crate) const COMMAND: &str = "M6 6h4v4H6zM6 6V4.5A1.75 1.75 0 1 0 4.25 6H6M10 6h1.75A1.75 1.75 0 1 0 10 4.5V6M10 10v1.5a1.75 1.75 0 1 0 1.75-1.75H10M6 10H4.25A1.75 1.75 0 1 0 6 11.5V10";
pub(crate) const CLOCK: &str = "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM8 5v3.2l2 1.3";
pub(crate) const SLIDERS: &str = "M2.5 5h5.7M11.8 5h1.7M10 3.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6ZM2.5 11h1.7M7.8 11h5.7M6 9.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6Z";
pub(crate) const DOWNLOAD: &str = "M8 2.5v7.5M4.8 7 8 10.2 11.2 7M3 13.2h10";
pub(crate) const WRENCH: &str = "M13.2 4.6 11 6.8 9.2 5l2.2-2.2a3.4 3.4 0 0 0-4.5 4.3L2.9 11a1.5 1.5 0 0 0 2.1 2.1L8.9 9.1a3.4 3.4 0 0 0 4.3-4.5Z";
pub(crate) const SHARE: &str = "M8 9.5V2.5M5 5.2 8 2.3l3 2.9M5 7.5H3.5v6h9v-6H11";

/// An icon beside or instead of a text; the control that holds it has the name.
pub(crate) fn icon(path: &'static str) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
            <path d=path></path>
        </svg>
    }
}

/// The mark of the product: a wave that goes on.
pub(crate) fn wave() -> impl IntoView {
    view! {
        <svg class="wave" viewBox="0 0 32 32" aria-hidden="true">
            <path d="M3 17.5C6 9.5 10.5 7 14 12.5s5.5 12 9.5 10.5c2.8-1 4.3-4 5.5-7"></path>
        </svg>
    }
}
