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
use crate::own::Own;
use crate::state::{self, App, Section, sections};
use crate::{dom, words};

const CLOSED_FOLDERS: &str = "folders_closed";
/// How many conversations of one kind are asked for at once.
const PAGE: u32 = 200;
/// How long a delete can be taken back from here.
const TOAST: Duration = Duration::from_secs(10);
/// How many deletes can be taken back at once.
const MOST: usize = 4;
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
    pub(crate) number: u32,
    pub(crate) text: String,
    pub(crate) undo: Option<Undo>,
}

/// A delete that can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Undo {
    id: ConversationId,
    /// It was on the screen.
    was_here: bool,
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
    /// One for each delete that can be taken back, and the last one of another kind.
    pub(crate) toasts: RwSignal<Vec<Toast>>,
    /// How many there were.
    told: Own<u32>,
    /// Somebody is at a toast: they stay.
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
            toasts: RwSignal::default(),
            told: Own::new(0),
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

    /// What was deleted in a time without events is not kept here either, nor what nobody looked
    /// for any more: it may have been.
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
                    let undo = move || {
                        let undo = Undo { id, was_here };
                        self.toast(words::deleted().to_owned(), Some(undo));
                    };
                    // Once what was deleted has left the page.
                    request_animation_frame(undo);
                }
                Err(error) => self.fail(&error),
            }
        });
    }

    /// Whether nobody misses the focus: it is gone with what was deleted, or the page that came
    /// instead has brought it to the composer.
    pub(crate) fn may_take_focus(self, undo: Undo) -> bool {
        let is_idle = || self.writing.composer.read_untracked().is_empty();
        dom::focus_is_lost() || (undo.was_here && dom::has_focus("message") && is_idle())
    }

    /// Takes the delete back that a toast tells of.
    pub(crate) fn undo(self, number: u32, undo: Undo) {
        let Some(rest) = self.rest() else { return };
        self.remove_toast(number);
        let Undo { id, was_here } = undo;
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

    /// Leaves a toast; the focus goes to the composer.
    pub(crate) fn end_toast(self, number: u32) {
        let had_focus = dom::focus_is_in(&toast_id(number));
        self.remove_toast(number);
        if had_focus {
            dom::focus("message");
        }
    }

    fn remove_toast(self, number: u32) {
        self.keep.held.set(false);
        self.keep.toasts.update(|toasts| toasts.retain(|toast| toast.number != number));
    }

    fn fail(self, error: &RestError) {
        self.toast(state::sentence(error), None);
    }

    pub(crate) fn toast(self, text: String, undo: Option<Undo>) {
        let number = self.keep.told.change(|told| {
            *told += 1;
            *told
        });
        self.keep.held.set(false);
        self.keep.toasts.update(|toasts| {
            toasts.retain(|toast| toast.undo.is_some());
            let surplus = (toasts.len() + 1).saturating_sub(MOST);
            toasts.drain(..surplus);
            toasts.push(Toast { number, text, undo });
        });
        spawn_local(async move {
            let mut left = TOAST;
            while !left.is_zero() {
                dom::sleep(TICK).await;
                let toasts = self.keep.toasts.read_untracked();
                let is_there = toasts.iter().any(|toast| toast.number == number);
                drop(toasts);
                if !is_there {
                    return;
                }
                if !self.keep.held.get_untracked() {
                    left = left.saturating_sub(TICK);
                }
            }
            self.end_toast(number);
        });
    }
}

/// The id of a toast on the page.
pub(crate) fn toast_id(number: u32) -> String {
    format!("toast-{number}")
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
