//! A picture that is a file.

use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::{Blob, File, Url};

use super::icons::{FILE, icon};
use crate::state::App;

/// A file that browsers show as a picture: the one at hand, else the server's. Where its name stands
/// beside it, it needs no text.
#[component]
pub(crate) fn Preview(
    held: Option<File>,
    id: Option<String>,
    #[prop(optional)] alt: String,
) -> impl IntoView {
    let app = App::get();
    let address = RwSignal::new(None::<String>);
    let show = move |picture: &Blob| {
        if let Ok(url) = Url::create_object_url_with_blob(picture)
            && address.try_set(Some(url.clone())).is_some()
        {
            // Nobody looks any more.
            let _ = Url::revoke_object_url(&url);
        }
    };
    match (held, id, app.rest()) {
        (Some(held), ..) => show(&held),
        (None, Some(id), Some(rest)) => spawn_local(async move {
            if let Some((picture, _)) = app.checked(rest.file_content(&id).await) {
                show(&picture);
            }
        }),
        _ => {}
    }
    on_cleanup(move || {
        if let Some(Some(url)) = address.try_get_untracked() {
            let _ = Url::revoke_object_url(&url);
        }
    });
    move || match address.get() {
        Some(url) => view! { <img class="preview" src=url alt=alt.clone() /> }.into_any(),
        None => icon(FILE).into_any(),
    }
}
