//! The links that a person shares: of one conversation, or all of them.

use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_protocol::{ConversationId, ShareView};

use super::message::COPIED_FOR;
use crate::moves::{self, Place};
use crate::state::App;
use crate::{dom, words};

/// Why the last thing that was tried there did not work.
#[component]
pub(crate) fn Problem(of: Place) -> impl IntoView {
    let app = App::get();
    let problem = move || {
        let now = app.moves.now().read();
        now.problem.as_ref().filter(|(place, _)| *place == of).map(|(_, text)| text.clone())
    };
    view! {
        <p class="problem" role="alert">
            {problem}
        </p>
    }
}

/// The links, the newest first, each with its ways to copy and to revoke it.
#[component]
pub(crate) fn Links(#[prop(optional)] of: Option<ConversationId>) -> impl IntoView {
    let app = App::get();
    let is_ours = move |share: &ShareView| of.is_none_or(|id| share.conversation_id == id);
    let shares = Memo::new(move |_| {
        let now = app.moves.now().read();
        let shares = now.shares.as_ref()?;
        Some(shares.iter().filter(|share| is_ours(share)).cloned().collect::<Vec<_>>())
    });
    let name = if of.is_some() { words::links_here() } else { words::links() };
    move || {
        let shares = shares.get()?;
        if shares.is_empty() {
            return of.is_none().then(|| view! { <p>{words::no_links()}</p> }.into_any());
        }
        let lines = shares.into_iter().map(|share| view! { <Link share is_one=of.is_some() /> });
        let heading = of.is_some().then(|| view! { <h3>{words::links_here()}</h3> });
        let list = view! {
            {heading}
            <ul id="links" class="links" aria-label=name>
                {lines.collect_view()}
            </ul>
        };
        Some(list.into_any())
    }
}

#[component]
fn Link(share: ShareView, is_one: bool) -> impl IntoView {
    let app = App::get();
    let copied = RwSignal::new(false);
    let ShareView { share_id, url, title, created_at, keep, .. } = share;
    let address = url.clone();
    let copy = move |_| {
        let address = address.clone();
        spawn_local(async move {
            if dom::copy(&address).await {
                copied.set(true);
                dom::sleep(COPIED_FOR).await;
                copied.try_set(false);
            } else {
                app.toast(words::not_copied().to_owned(), None);
            }
        });
    };
    let about = format!("about-{share_id}");
    let (copy_id, gone) = (moves::copy_id(&share_id), share_id.clone());
    let revoke = move |_| {
        // To the next line, or to what makes a new link.
        let then = move || {
            dom::focus_beside("links", "button", dom::Beside::First);
            if dom::focus_is_lost() {
                dom::focus(if is_one { "create-link" } else { "settings-section" });
            }
        };
        app.revoke(gone.clone(), then);
    };
    let when = words::when(created_at.as_millis());
    let when = if keep { format!("{when} · {}", words::link_stays()) } else { when };
    let title = if title.trim().is_empty() { words::untitled().to_owned() } else { title };
    let shown = if is_one { url.clone() } else { title };
    view! {
        <li>
            <div class="link-text" id=about.clone()>
                <a href=url target="_blank" rel="noopener" dir=if is_one { "ltr" } else { "auto" }>
                    {shown}
                </a>
                <span class="soft">{when}</span>
            </div>
            <button id=copy_id class="button" aria-describedby=about.clone() on:click=copy>
                {move || if copied.get() { words::copied() } else { words::copy_link() }}
            </button>
            <button class="button danger" aria-describedby=about on:click=revoke>
                {words::revoke()}
            </button>
        </li>
    }
}
