//! What a person does with whole conversations: rename, pin, archive, put into a folder, delete
//! and take that back.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_chat_view::history::{self, History};
use unbroken_client::{Rest, RestError, Shelf};
use unbroken_protocol::{
    ConversationEvent, ConversationId, ConversationOp, ConversationPatch, ConversationSummary, path,
};

use crate::address::Place;
use crate::calls::ask;
use crate::state::{self, App, Section, sections};
use crate::{dom, words};

const CLOSED_FOLDERS: &str = "folders_closed";
/// How many conversations of one kind are asked for at once.
const PAGE: u32 = 200;
/// How long a delete can be taken back from here.
const TOAST: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(250);

/// Where a conversation stands on the screen: it may be in the sidebar and on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) list: &'static str,
    pub(crate) id: ConversationId,
}

impl Spot {
    /// The id of its button "More".
    pub(crate) fn button(self) -> String {
        format!("more-{}-{}", self.list, self.id)
    }
}

/// What is told at the edge of the page for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Toast {
    number: u32,
    pub(crate) text: String,
    /// What can be taken back, and whether it was on the screen.
    pub(crate) undo: Option<(ConversationId, bool)>,
}

#[derive(Clone, Copy)]
pub(crate) struct Keep {
    /// The archive, once somebody looks at it.
    pub(crate) archive: RwSignal<History>,
    pub(crate) archived: Memo<Vec<Section>>,
    /// Whose menu is open.
    pub(crate) menu: RwSignal<Option<(Spot, ConversationSummary)>>,
    pub(crate) renaming: RwSignal<Option<(Spot, ConversationSummary)>>,
    /// What is being put into a folder.
    pub(crate) moving: RwSignal<Option<(Spot, ConversationSummary)>>,
    /// The dialog of folders is open.
    pub(crate) filing: RwSignal<bool>,
    pub(crate) toast: RwSignal<Option<Toast>>,
    /// Somebody is at the toast: it stays.
    pub(crate) held: RwSignal<bool>,
    pub(crate) searching: RwSignal<bool>,
    closed_folders: RwSignal<Vec<String>>,
}

impl Keep {
    pub(crate) fn new() -> Self {
        let archive = RwSignal::new(History::archive());
        let closed = dom::kept(CLOSED_FOLDERS).unwrap_or_default();
        Self {
            archive,
            archived: Memo::new(move |_| sections(&archive.read())),
            menu: RwSignal::new(None),
            renaming: RwSignal::new(None),
            moving: RwSignal::new(None),
            filing: RwSignal::new(false),
            toast: RwSignal::new(None),
            held: RwSignal::new(false),
            searching: RwSignal::new(false),
            closed_folders: RwSignal::new(closed.lines().map(str::to_owned).collect()),
        }
    }

    pub(crate) fn is_closed(self, folder: &str) -> bool {
        self.closed_folders.read().iter().any(|name| name == folder)
    }

    /// Opens or closes a folder, and remembers it on this device.
    pub(crate) fn toggle(self, folder: &str) {
        self.closed_folders.update(|closed| {
            let before = closed.len();
            closed.retain(|name| name != folder);
            if closed.len() == before {
                closed.push(folder.to_owned());
            }
            dom::keep(CLOSED_FOLDERS, &closed.join("\n"));
        });
    }
}

impl App {
    /// A conversation stands so now.
    pub(crate) fn conversation_changed(self, event: ConversationEvent) {
        self.note_running(&event.conversation);
        if event.op == ConversationOp::Upsert {
            self.open.selected(self, &event.conversation);
        }
        let id = event.conversation.conversation_id;
        if event.op == ConversationOp::Delete {
            dom::forget_read_of(std::iter::once(read_path(id)));
            if self.is_at(id) {
                self.go("/");
            }
        }
        self.keep.archive.update(|archive| archive.apply(event.clone()));
        self.history.update(|history| history.apply(event));
    }

    /// What was deleted in a time without events is not kept here either.
    pub(crate) fn forget_gone(self, before: Vec<ConversationId>) {
        let history = self.history.read_untracked();
        let gone = before.into_iter().filter(|id| history.get(*id).is_none());
        dom::forget_read_of(gone.map(read_path));
    }

    fn is_at(self, id: ConversationId) -> bool {
        self.place.get_untracked() == Place::Chat(Some(id))
    }

    fn stands(self, conversation: ConversationSummary) {
        let op = ConversationOp::Upsert;
        self.conversation_changed(ConversationEvent { op, conversation });
    }

    /// Reads what is pinned or in a folder, however old it is.
    pub(crate) async fn load_kept(self, rest: &Rest) {
        let mut cursor = None;
        loop {
            let page =
                async || rest.conversations_on(Shelf::Kept, Some(PAGE), cursor.as_deref()).await;
            let Some(page) = self.checked(ask(page).await) else { return };
            let next = page.next_cursor.clone();
            self.history.update(|history| history.add_kept(page));
            match next {
                Some(_) => cursor = next,
                None => return,
            }
        }
    }

    /// Reads the next page of the archive, or the first one.
    pub(crate) fn load_archive(self) {
        let Some(rest) = self.rest() else { return };
        let cursor = self.keep.archive.read_untracked().next_cursor().map(str::to_owned);
        spawn_local(async move {
            let page = async || {
                rest.conversations_on(Shelf::Archived, Some(PAGE), cursor.as_deref()).await
            };
            if let Some(page) = self.checked(ask(page).await) {
                self.keep.archive.update(|archive| archive.add_page(page));
            }
        });
    }

    /// Changes a conversation; the focus stays where it is on the screen then.
    pub(crate) fn change(self, spot: Spot, patch: ConversationPatch) {
        let Some(rest) = self.rest() else { return };
        spawn_local(async move {
            match rest.patch(spot.id, &patch).await {
                Ok(summary) => self.stands(summary),
                Err(error) => self.fail(&error),
            }
            request_animation_frame(move || refocus(&spot.button()));
        });
    }

    pub(crate) fn rename(self, spot: Spot, conversation: ConversationSummary, title: &str) {
        self.keep.renaming.set(None);
        let title = title.trim().to_owned();
        request_animation_frame(move || refocus(&spot.button()));
        if title.is_empty() || title == conversation.title {
            return;
        }
        // At once, so that what has the focus is not drawn anew later.
        self.stands(ConversationSummary { title: title.clone(), ..conversation });
        self.change(spot, ConversationPatch { title: Some(title), ..Default::default() });
    }

    pub(crate) fn delete(self, id: ConversationId) {
        let Some(rest) = self.rest() else { return };
        let was_here = self.is_at(id);
        spawn_local(async move {
            match rest.delete(id).await {
                Ok(_) => {
                    for list in [self.history, self.keep.archive] {
                        list.update(|list| list.delete(id));
                    }
                    if self.is_at(id) {
                        self.go("/");
                    }
                    self.toast(words::deleted().to_owned(), Some((id, was_here)));
                }
                Err(error) => self.fail(&error),
            }
        });
    }

    /// Takes the delete back that the toast tells of.
    pub(crate) fn undo(self) {
        let undo = self.keep.toast.get_untracked().and_then(|toast| toast.undo);
        let (Some((id, was_here)), Some(rest)) = (undo, self.rest()) else { return };
        self.keep.toast.set(None);
        spawn_local(async move {
            match rest.restore(id).await {
                Ok(summary) => {
                    self.stands(summary);
                    if was_here {
                        self.go(&format!("/chat/{id}"));
                    }
                    let button = Spot { list: "sidebar", id }.button();
                    request_animation_frame(move || refocus(&button));
                }
                Err(RestError::Refused(_)) => self.toast(words::not_restored().to_owned(), None),
                Err(error) => self.fail(&error),
            }
        });
    }

    /// Leaves the toast; the focus goes to the composer.
    pub(crate) fn end_toast(self) {
        let had_focus = dom::focus_is_in("toast");
        self.keep.toast.set(None);
        self.keep.held.set(false);
        if had_focus {
            dom::focus("message");
        }
    }

    fn fail(self, error: &RestError) {
        self.toast(state::sentence(error), None);
    }

    pub(crate) fn toast(self, text: String, undo: Option<(ConversationId, bool)>) {
        let last = self.keep.toast.read_untracked().as_ref().map_or(0, |toast| toast.number);
        let number = last + 1;
        self.keep.held.set(false);
        self.keep.toast.set(Some(Toast { number, text, undo }));
        spawn_local(async move {
            let mut left = TOAST;
            while !left.is_zero() {
                dom::sleep(TICK).await;
                let shown = self.keep.toast.read_untracked().as_ref().map(|toast| toast.number);
                if shown != Some(number) {
                    return;
                }
                if !self.keep.held.get_untracked() {
                    left = left.saturating_sub(TICK);
                }
            }
            self.end_toast();
        });
    }
}

/// Where the server has what is read of a conversation.
fn read_path(id: ConversationId) -> String {
    format!("{}/{id}", path::CONVERSATIONS)
}

/// Gives the focus to an element when nothing else has it; to the search when it is gone.
fn refocus(id: &str) {
    if dom::focus_is_lost() {
        dom::focus(id);
        if dom::focus_is_lost() {
            dom::focus("open-search");
        }
    }
}

/// The title to show.
pub(crate) fn title(conversation: &ConversationSummary) -> String {
    history::title(conversation).to_owned()
}
