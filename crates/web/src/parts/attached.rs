//! What went along with a message: a chip for each, that opens it.

use leptos::prelude::*;
use unbroken_chat_view::library::web_address;
use unbroken_protocol::MessageSource;

use super::attachments::FileName;
use super::icons::{FILE, FOLDER, GLOBE, icon};
use super::preview::Preview;
use super::source_viewer::Viewer;
use crate::words;

/// Names by which the app takes a file for a picture: history says no more of it.
const PICTURES: [&str; 5] = [".png", ".jpg", ".jpeg", ".gif", ".webp"];

#[component]
pub(crate) fn Attached(sources: RwSignal<Vec<MessageSource>>) -> impl IntoView {
    move || {
        let sources = sources.get();
        (!sources.is_empty()).then(|| {
            view! {
                <ul class="attached" role="list" aria-label=words::attachments()>
                    {sources.into_iter().map(chip).collect_view()}
                </ul>
            }
        })
    }
}

fn chip(source: MessageSource) -> impl IntoView {
    let viewer = Viewer::get();
    let drawing = match source.kind.as_str() {
        "collection" => FOLDER,
        "url" | "web" => GLOBE,
        _ => FILE,
    };
    let is_file = source.kind == "file";
    let name = match (source.kind.as_str(), &source.name, &source.url) {
        (_, Some(name), _) | ("url", _, Some(name)) => name.clone(),
        ("web", ..) => words::web().to_owned(),
        _ => words::deleted_file().to_owned(),
    };
    let lower = name.to_ascii_lowercase();
    let is_picture =
        is_file && source.name.is_some() && PICTURES.iter().any(|end| lower.ends_with(end));
    let head = if is_picture {
        view! { <Preview held=None id=source.file_id.clone() /> }.into_any()
    } else {
        icon(drawing).into_any()
    };
    let body = if is_file && source.name.is_some() {
        let label = words::open_named(&name);
        let (id, known) = (source.file_id.and_then(|id| id.parse().ok()), name.clone());
        let open = move |_| {
            if let (Some(viewer), Some(id)) = (viewer, id) {
                viewer.show_file(id, &known, is_picture);
            }
        };
        view! {
            <button
                class="attachment"
                type="button"
                aria-label=label
                on:click=open
            >
                {head}
                <FileName name />
            </button>
        }
        .into_any()
    } else if let Some(address) = source.url.filter(|url| web_address(url).is_some()) {
        view! {
            <a class="attachment" href=address target="_blank" rel="noopener noreferrer">
                {head}
                <FileName name />
            </a>
        }
        .into_any()
    } else {
        let is_gone = source.name.is_none() && !matches!(source.kind.as_str(), "web" | "url");
        view! {
            <span class="attachment" class:gone=is_gone>
                {head}
                <FileName name />
            </span>
        }
        .into_any()
    };
    view! { <li>{body}</li> }
}
