//! The conversation on the screen: loads it, follows what runs in it, and tells the views which
//! message changed, as often as the page can bear.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_chat_view::attachments;
use unbroken_chat_view::composer::PENDING_MESSAGE;
use unbroken_chat_view::pace::Pace;
use unbroken_chat_view::transcript::{
    Answer, AnswerState, Changes, Kind, Message, Transcript, What,
};
use unbroken_client::{RestError, Target, Update};
use unbroken_protocol::{
    ConversationId, ConversationPage, ConversationSummary, ErrorCode, Event, GenerationId,
    MessageId, StartResponse,
};

use crate::calls::{Patience, ask};
use crate::facts::Facts;
use crate::own::Own;
use crate::parts::announcer::Announcer;
use crate::state::{App, sentence};
use crate::writing::Turn;
use crate::{dom, words};

/// How many messages are loaded at once.
const PAGE: u32 = 100;
/// The same on the way to a message that lies far back.
const LONG_PAGE: u32 = 500;
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A handle on the open conversation; copies are the same.
#[derive(Clone, Copy)]
pub(crate) struct Open {
    /// The messages that are shown, in order.
    pub(crate) rows: RwSignal<Vec<Row>>,
    pub(crate) title: RwSignal<Option<String>>,
    /// Whether an answer is being written: then Send is Stop.
    pub(crate) running: RwSignal<bool>,
    /// The messages that wait for the answer before them.
    pub(crate) queue: RwSignal<Vec<Waiting>>,
    /// Whether there are earlier messages to load.
    pub(crate) earlier: RwSignal<bool>,
    /// Why the conversation cannot be shown.
    pub(crate) problem: RwSignal<Option<String>>,
    /// The person reads further up.
    pub(crate) away: RwSignal<bool>,
    /// In no list, and erased a day after its last message.
    pub(crate) temporary: RwSignal<bool>,
    /// Raised to scroll to the end.
    pub(crate) to_end: Trigger,
    /// The message to scroll to.
    pub(crate) revealed: RwSignal<Option<u64>>,
    /// The answer for which another model is being chosen.
    pub(crate) another: RwSignal<Option<u64>>,
    pub(crate) announcer: Announcer,
    /// The conversation that this page was loaded with, until it is shown.
    fresh: Own<Option<ConversationId>>,
    inner: Own<Inner>,
}

/// A message's place on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) key: u64,
    pub(crate) yours: bool,
    /// The other answer that stands beside this one.
    pub(crate) beside: Option<u64>,
}

/// A message that waits for the answer before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) text: String,
    /// Its name in the queue; `None` until the server has it.
    pub(crate) id: Option<GenerationId>,
}

type Watcher = Rc<dyn Fn()>;

/// What leads to the next commit.
#[derive(Default)]
enum Asked {
    #[default]
    Nothing,
    /// A frame that changes nothing costs too: until the commit is due none is asked for.
    Timer(TimeoutHandle),
    Frame,
}

/// Where a message is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    OnEveryBranch,
    OnThisBranch,
}

#[derive(Default)]
struct Inner {
    transcript: Transcript,
    /// What to call when a message has changed, each with a number of its own.
    watchers: HashMap<u64, Vec<(u64, Watcher)>>,
    next_watcher: u64,
    /// What brings an answer's Markdown up to date: none before the first one is shown.
    render: Option<fn(&mut Answer)>,
    dirty: BTreeSet<u64>,
    /// Those of them that the frame on its way will show.
    parsed: BTreeSet<u64>,
    asked: Asked,
    pace: Pace,
    /// Answers that a screen reader hears more of in a moment.
    unsaid: BTreeSet<u64>,
    facts: BTreeMap<GenerationId, Facts>,
    /// Counts the turns that the server took, and the branches that were chosen: what was asked for
    /// before one may not hold it.
    turns: u64,
    /// A call that changes the tree of messages is on its way: another would double it.
    busy: bool,
    /// The page before that message is on its way.
    loads_before: Option<MessageId>,
    /// A message to show as soon as the conversation is there.
    wanted: Option<(MessageId, Look)>,
}

impl Open {
    /// `fresh` is the conversation that the page is loaded with: the page before it may have left the
    /// message that begins it.
    pub(crate) fn new(fresh: Option<ConversationId>) -> Self {
        Self {
            rows: RwSignal::default(),
            title: RwSignal::default(),
            running: RwSignal::new(false),
            queue: RwSignal::default(),
            earlier: RwSignal::new(false),
            problem: RwSignal::default(),
            away: RwSignal::new(false),
            temporary: RwSignal::new(false),
            to_end: Trigger::new(),
            revealed: RwSignal::new(None),
            another: RwSignal::new(None),
            announcer: Announcer::new(),
            fresh: Own::new(fresh),
            inner: Own::new(Inner::default()),
        }
    }

    /// Shows that conversation, unless it is shown already.
    pub(crate) fn show(self, app: App, id: ConversationId) {
        if self.id() != Some(id) {
            let is_fresh = self.fresh.change(Option::take) == Some(id);
            let pending = dom::tab_storage()
                .filter(|_| is_fresh)
                .and_then(|storage| storage.get_item(PENDING_MESSAGE).ok()?);
            let mut transcript =
                pending.map_or_else(Transcript::default, |text| Transcript::pending(id, text));
            transcript.conversation_id = Some(id);
            self.begin(app, transcript);
            self.load(app, id);
        }
    }

    /// Leaves the conversation; what runs in it goes on.
    pub(crate) fn leave(self, app: App) {
        self.begin(app, Transcript::default());
    }

    fn begin(self, app: App, transcript: Transcript) {
        if let Some(link) = app.link() {
            self.with(|old| {
                let open = answers(old).filter(|answer| !answer.is_sealed());
                open.filter_map(|answer| answer.generation_id).for_each(|id| link.unfollow(id));
            });
        }
        self.inner.change(|inner| {
            inner.transcript = transcript;
            inner.dirty.clear();
            inner.parsed.clear();
            inner.facts.clear();
            inner.loads_before = None;
            inner.wanted = None;
        });
        self.announcer.reset();
        self.problem.set(None);
        set_if_new(self.temporary, false);
        self.refresh();
        self.to_end.notify();
    }

    /// Asks for what happened since, from other tabs too.
    pub(crate) fn reload(self, app: App) {
        if let Some(id) = self.id() {
            self.load(app, id);
        }
    }

    fn load(self, app: App, id: ConversationId) {
        spawn_local(async move {
            let (mut wait, mut patience) = (Duration::from_millis(500), Patience::new());
            while self.id() == Some(id) {
                let Some(rest) = app.rest() else { return };
                let turns = self.inner.read(|inner| inner.turns);
                match patience.answer(rest.conversation(id, Some(PAGE), None)).await {
                    Ok(_) if self.id() != Some(id) => return,
                    Ok(page) if self.inner.read(|inner| inner.turns) == turns => {
                        return self.loaded(app, page);
                    }
                    Ok(_) => {}
                    Err(error) if error.retryable() => {
                        dom::sleep(wait).await;
                        wait = (wait * 2).min(LONGEST_WAIT);
                    }
                    // What was shown was deleted meanwhile, elsewhere.
                    Err(error) if is_gone(&error) && !self.with(|t| t.messages().is_empty()) => {
                        return app.go("/");
                    }
                    Err(error) => return self.cannot_show(&error),
                }
            }
        });
    }

    /// Shows the branch that is selected now, and nothing else.
    pub(crate) fn switch(self, app: App) {
        let (Some(id), Some(rest)) = (self.id(), app.rest()) else { return };
        spawn_local(async move {
            loop {
                let turns = self.inner.read(|inner| inner.turns);
                let answer = Patience::new().answer(rest.conversation(id, Some(PAGE), None)).await;
                if self.id() != Some(id) {
                    return;
                }
                let Ok(page) = answer else { return self.load(app, id) };
                if self.inner.read(|inner| inner.turns) == turns {
                    return self.switched(app, page);
                }
            }
        });
    }

    fn switched(self, app: App, page: ConversationPage) {
        let followed = self.with(open_answers);
        self.inner.change(|inner| inner.turns += 1);
        self.note_facts(&page);
        set_if_new(self.temporary, page.temporary);
        self.change(|transcript| transcript.switch_page(page));
        self.reveal_wanted(app);
        self.unfollow_gone(app, followed);
        self.follow_open(app);
    }

    fn loaded(self, app: App, page: ConversationPage) {
        forget_pending();
        let followed = self.with(open_answers);
        self.note_facts(&page);
        set_if_new(self.temporary, page.temporary);
        self.change(|transcript| transcript.merge_page(page));
        self.unfollow_gone(app, followed);
        self.follow_open(app);
        self.reveal_wanted(app);
    }

    fn follow_open(self, app: App) {
        let targets: Vec<Target> =
            self.with(|transcript| answers(transcript).filter_map(Answer::target).collect());
        if let Some(link) = app.link() {
            for target in targets {
                link.follow(target);
            }
        }
    }

    fn cannot_show(self, error: &RestError) {
        forget_pending();
        let text =
            if is_gone(error) { words::error_not_found().to_owned() } else { sentence(error) };
        self.problem.set(Some(text));
    }

    /// Loads the page before the first message, unless it is on its way.
    pub(crate) fn load_earlier(self, app: App) {
        let Some(before) = self.with(Transcript::earlier) else { return };
        // One after the other: the rows of one page are in their place before the next is asked for.
        let is_free = self.inner.change(|inner| {
            let is_free = inner.loads_before.is_none();
            inner.loads_before.get_or_insert(before);
            is_free
        });
        if !is_free {
            return;
        }
        spawn_local(async move {
            self.add_earlier(app, PAGE).await;
            self.inner.change(|inner| {
                inner.loads_before.take_if(|other| *other == before);
            });
        });
    }

    /// Whether there was a page before the first message.
    async fn add_earlier(self, app: App, limit: u32) -> bool {
        let before = self.with(Transcript::earlier);
        let (Some(rest), Some(id), Some(before)) = (app.rest(), self.id(), before) else {
            return false;
        };
        let page = ask(async || rest.conversation(id, Some(limit), Some(before)).await).await;
        // Another branch may have been chosen meanwhile.
        if self.id() != Some(id) || self.with(Transcript::earlier) != Some(before) {
            return false;
        }
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                if is_gone(&error) {
                    // The branch is another one on the server.
                    self.load(app, id);
                } else {
                    app.toast(sentence(&error), None);
                }
                return false;
            }
        };
        self.note_facts(&page);
        self.change(|transcript| transcript.add_earlier(page));
        true
    }

    /// Scrolls to a message, wherever in the conversation and on whichever branch it is.
    pub(crate) fn reveal(self, app: App, message: MessageId) {
        let is_loaded = self.with(|transcript| !transcript.messages().is_empty());
        self.inner.change(|inner| inner.wanted = Some((message, Look::OnEveryBranch)));
        if is_loaded {
            self.reveal_wanted(app);
        }
    }

    fn reveal_wanted(self, app: App) {
        let wanted = self.inner.change(|inner| inner.wanted.take());
        let Some((message, look)) = wanted else { return };
        let id = self.id();
        let find = move || {
            self.with(|transcript| {
                let mut messages = transcript.messages().iter();
                messages.find(|known| known.id == Some(message)).map(|known| known.key)
            })
        };
        spawn_local(async move {
            while self.id() == id && find().is_none() && self.add_earlier(app, LONG_PAGE).await {}
            // Another conversation may be open by now: it has not got this message.
            if self.id() != id {
                return;
            }
            if let Some(key) = find() {
                self.revealed.set(None);
                self.revealed.set(Some(key));
            } else if look == Look::OnEveryBranch && self.with(Transcript::earlier).is_none() {
                self.inner.change(|inner| inner.wanted = Some((message, Look::OnThisBranch)));
                app.select_branch(message);
            }
        });
    }

    /// A message is on its way: shown at once.
    pub(crate) fn sent(self, turn: &Turn) {
        if self.is_open(turn) {
            self.change(|transcript| {
                let changes = transcript.begin_turn(turn.text.as_str());
                transcript.attach(attachments::read(&turn.sources));
                changes
            });
            self.to_end.notify();
        }
    }

    /// The server has the message, and its generation can be followed.
    pub(crate) fn started(self, app: App, turn: &Turn, response: &StartResponse) {
        if turn.conversation_id.is_none() {
            let mut pending = Transcript::pending(response.conversation_id, turn.text.as_str());
            pending.attach(attachments::read(&turn.sources));
            self.begin(app, pending);
        } else if !self.is_open(turn) {
            return;
        }
        let unnamed = self.with(|transcript| {
            let messages = transcript.messages().iter();
            messages.filter(|message| message.id.is_none()).map(|message| message.key).collect()
        });
        self.change(|transcript| transcript.started(response));
        self.inner.change(|inner| inner.turns += 1);
        self.mark(unnamed);
        if let Some(link) = app.link() {
            link.follow(Target::start_of(response.generation_id));
        }
    }

    /// The server refused the message.
    pub(crate) fn refused(self, turn: &Turn) {
        if turn.conversation_id.is_none() {
            forget_pending();
        } else if self.is_open(turn) {
            self.change(|transcript| transcript.refused().1);
        }
    }

    pub(crate) fn update(self, id: GenerationId, update: Update) {
        if matches!(update, Update::Following { .. }) {
            forget_pending();
        }
        self.inner.change(|inner| {
            inner.facts.entry(id).or_default().hear(&update, js_sys::Date::now());
        });
        self.change(|transcript| transcript.apply(id, update));
    }

    pub(crate) fn notice(self, app: App, event: Event) {
        match event {
            Event::Queue(event) => {
                self.change(|transcript| transcript.set_queue(event));
                let sending = app.writing.composer.read_untracked().is_sending();
                if !sending && self.with(Transcript::queue_differs) {
                    self.switch(app);
                }
            }
            // A turn from another tab or device. One of our own is known, or about to be.
            Event::GenerationStarted(event)
                if self.id() == Some(event.conversation_id)
                    && !app.writing.composer.read_untracked().is_sending() =>
            {
                let known = self.with(|transcript| {
                    answers(transcript)
                        .any(|answer| answer.generation_id == Some(event.generation_id))
                });
                if !known && !self.is_busy() {
                    self.switch(app);
                }
            }
            _ => {}
        }
    }

    /// A conversation stands like that now: another branch of it may be shown on another device.
    pub(crate) fn selected(self, app: App, now: &ConversationSummary) {
        if self.id() != Some(now.conversation_id)
            || self.is_busy()
            || app.writing.composer.read_untracked().is_sending()
        {
            return;
        }
        let shown = self.with(|transcript| transcript.messages().last()?.id);
        if shown.is_some() && now.selected_message_id.is_some() && shown != now.selected_message_id
        {
            self.switch(app);
        }
    }

    /// Stops what is being written, or else the first answer that waits.
    pub(crate) fn stop(self, app: App) {
        let ids: Vec<GenerationId> = self.with(|transcript| {
            let running = answers(transcript).filter(|answer| answer.state().is_running());
            let waits = |answer: &&Answer| answer.state() == AnswerState::Queued;
            let (waiting, now): (Vec<_>, Vec<_>) = running.partition(waits);
            let first = if now.is_empty() { waiting.first() } else { None };
            let ids = now.iter().chain(first).filter_map(|answer| answer.generation_id);
            ids.collect()
        });
        if let Some(link) = app.link() {
            for id in ids {
                link.stop(id);
            }
        }
    }

    /// Stops that answer alone.
    pub(crate) fn stop_one(self, app: App, key: u64) {
        let id = self.message(key, |message| message.answer()?.generation_id).flatten();
        if let (Some(link), Some(id)) = (app.link(), id) {
            link.stop(id);
        }
    }

    /// Holds that answer beside its sibling, or none any more.
    pub(crate) fn hold_beside(self, app: App, answer: Option<MessageId>) {
        let followed = self.with(open_answers);
        self.inner.change(|inner| inner.transcript.hold_beside(answer));
        self.unfollow_gone(app, followed);
        self.refresh();
        let lacking = self.with(Transcript::lacks_beside);
        let (Some(rest), Some(id), Some(message)) = (app.rest(), self.id(), lacking) else {
            return;
        };
        spawn_local(async move {
            let page = ask(async || rest.message(id, message).await).await;
            if let Ok(page) = page
                && self.id() == Some(id)
            {
                self.note_facts(&page);
                self.change(|transcript| transcript.read_beside(page));
                self.refresh();
                self.follow_open(app);
            }
        });
    }

    fn unfollow_gone(self, app: App, followed: Vec<GenerationId>) {
        let still = self.with(open_answers);
        if let Some(link) = app.link() {
            followed.into_iter().filter(|id| !still.contains(id)).for_each(|id| link.unfollow(id));
        }
    }

    /// Reads a message. `None` when it is gone.
    pub(crate) fn message<T>(self, key: u64, read: impl FnOnce(&Message) -> T) -> Option<T> {
        self.with(|transcript| transcript.get(key).map(read))
    }

    /// See [`Answer::take_fresh`].
    pub(crate) fn take_fresh(self, key: u64) -> bool {
        self.inner.change(|inner| inner.transcript.answer_mut(key).is_some_and(Answer::take_fresh))
    }

    /// From now on the Markdown of answers is brought up to date by this: [`Answer::render`]. The
    /// view of answers brings it along, the first view does without.
    pub(crate) fn render_by(self, render: fn(&mut Answer)) {
        self.inner.change(|inner| inner.render = Some(render));
    }

    /// Brings the Markdown of an answer up to date, if somebody looks at it.
    pub(crate) fn render(self, key: u64) {
        self.inner.change(|inner| {
            let render = inner.render.filter(|_| inner.watchers.contains_key(&key));
            if let (Some(render), Some(answer)) = (render, inner.transcript.answer_mut(key)) {
                render(answer);
            }
        });
    }

    /// Reads an answer, with what is known of its log.
    pub(crate) fn answer<T>(
        self,
        key: u64,
        read: impl FnOnce(&Answer, Option<&Facts>) -> T,
    ) -> Option<T> {
        self.inner.read(|inner| {
            let answer = inner.transcript.get(key)?.answer()?;
            let facts = answer.generation_id.and_then(|id| inner.facts.get(&id));
            Some(read(answer, facts))
        })
    }

    /// Calls `watcher` after a frame's changes of that message, until the caller's owner is gone.
    pub(crate) fn watch(self, key: u64, watcher: impl Fn() + 'static) {
        let own = self.inner.change(|inner| {
            inner.next_watcher += 1;
            let watchers = inner.watchers.entry(key).or_default();
            watchers.push((inner.next_watcher, Rc::new(watcher)));
            inner.next_watcher
        });
        let forget = move |inner: &mut Inner| {
            let Some(watchers) = inner.watchers.get_mut(&key) else { return Vec::new() };
            let gone = watchers.extract_if(.., |(number, _)| *number == own).collect();
            if watchers.is_empty() {
                inner.watchers.remove(&key);
            }
            gone
        };
        on_cleanup(move || drop(self.inner.change(forget)));
    }

    pub(crate) fn id(self) -> Option<ConversationId> {
        self.with(|transcript| transcript.conversation_id)
    }

    fn is_open(self, turn: &Turn) -> bool {
        turn.conversation_id.is_some() && self.id() == turn.conversation_id
    }

    pub(crate) fn with<T>(self, read: impl FnOnce(&Transcript) -> T) -> T {
        self.inner.read(|inner| read(&inner.transcript))
    }

    fn note_facts(self, page: &ConversationPage) {
        self.inner.change(|inner| {
            for message in &page.messages {
                if let Some(id) = message.generation_id {
                    inner.facts.entry(id).or_default().read(message);
                }
            }
        });
    }

    fn change(self, change: impl FnOnce(&mut Transcript) -> Changes) {
        let changes = self.inner.change(|inner| change(&mut inner.transcript));
        if changes.is_empty() {
            return;
        }
        let only_text = changes.iter().all(|change| change.what == What::Text);
        self.inner.change(|inner| {
            inner.dirty.extend(changes.iter().map(|change| change.key));
            if !only_text {
                // A change of state waits for no reader.
                inner.pace.hurry();
            }
        });
        if !only_text {
            self.refresh();
        }
        self.ask_frame();
    }

    /// The Markdown parser has come.
    pub(crate) fn show_all_again(self) {
        self.mark(self.with(|transcript| transcript.messages().iter().map(|m| m.key).collect()));
    }

    /// The frame was not long enough for all of that message: the next one follows at once.
    pub(crate) fn show_rest(self, key: u64) {
        self.inner.change(|inner| inner.pace.hurry());
        self.mark(vec![key]);
    }

    /// What the last frame with a commit took.
    pub(crate) fn last_frame(self) -> Duration {
        self.inner.read(|inner| inner.pace.last_frame())
    }

    fn mark(self, keys: Vec<u64>) {
        self.inner.change(|inner| inner.dirty.extend(keys));
        self.ask_frame();
    }

    fn ask_frame(self) {
        let wait = self.inner.change(|inner| match &inner.asked {
            Asked::Nothing => Some(inner.pace.wait(dom::clock())),
            // It was set before something urgent came.
            Asked::Timer(timer) if inner.pace.is_urgent() => {
                timer.clear();
                Some(0.0)
            }
            Asked::Timer(_) | Asked::Frame => None,
        });
        let Some(wait) = wait else { return };
        let time = Duration::from_secs_f64(wait / 1000.0);
        let timer = set_timeout_with_handle(move || self.parse(), time).ok();
        self.inner.change(|inner| {
            inner.asked = timer.filter(|_| wait > 0.0).map_or(Asked::Frame, Asked::Timer);
        });
    }

    /// A commit's first half. Its second is a task of its own, so that what the person does waits for
    /// one of them at most.
    fn parse(self) {
        let began = dom::clock();
        let is_measured = self.inner.change(|inner| {
            inner.asked = Asked::Frame;
            inner.parsed = std::mem::take(&mut inner.dirty);
            inner.pace.begin(began)
        });
        for key in self.inner.read(|inner| inner.parsed.clone()) {
            self.render(key);
        }
        let parsing = is_measured.then(|| dom::clock() - began);
        request_animation_frame(move || self.frame(parsing));
    }

    /// Shows what was parsed; `parsing` is how long that took, where it is measured.
    fn frame(self, parsing: Option<f64>) {
        let began = dom::clock();
        let parsed = self.inner.change(|inner| {
            inner.asked = Asked::Nothing;
            std::mem::take(&mut inner.parsed)
        });
        for key in parsed {
            // A text that was replaced since has nothing to show before it is parsed.
            if self.answer(key, |answer, _| answer.document().is_replaced()) == Some(true) {
                self.render(key);
            }
            let watchers = self.inner.read(|inner| inner.watchers.get(&key).cloned());
            for (_, watcher) in watchers.into_iter().flatten() {
                watcher();
            }
            self.announce(key);
        }
        // What came while the frame was on its way.
        if self.inner.read(|inner| !inner.dirty.is_empty()) {
            self.ask_frame();
        }
        if let Some(parsing) = parsing {
            // The next task comes after style, layout and paint of this frame.
            let shown = move |inner: &mut Inner| inner.pace.shown(parsing, dom::clock() - began);
            set_timeout(move || self.inner.change(shown), Duration::ZERO);
        }
    }

    fn announce(self, key: u64) {
        let hear = |message: &Message| {
            let answer = message.answer()?;
            self.announcer.hear(key, answer.text(), answer.state().is_running())
        };
        let Some(wait) = self.message(key, hear).flatten() else { return };
        if self.inner.change(|inner| inner.unsaid.insert(key)) {
            let later = move || {
                self.inner.change(|inner| inner.unsaid.remove(&key));
                self.announce(key);
            };
            set_timeout(later, wait);
        }
    }

    /// Whether a call that changes the tree of messages is on its way; says so from now on.
    pub(crate) fn take_turn(self) -> bool {
        let busy = |inner: &mut Inner| std::mem::replace(&mut inner.busy, true);
        !self.inner.change(busy)
    }

    pub(crate) fn end_turn(self) {
        self.inner.change(|inner| inner.busy = false);
    }

    fn is_busy(self) -> bool {
        self.inner.read(|inner| inner.busy)
    }

    /// Brings everything but the text up to date.
    fn refresh(self) {
        let (mut rows, mut queue, mut running) = (Vec::new(), Vec::new(), false);
        self.with(|transcript| {
            let messages = transcript.messages();
            for (at, message) in messages.iter().enumerate() {
                let answer = message.answer().or_else(|| messages.get(at + 1)?.answer());
                let waits = running && answer.is_some_and(waits);
                match (&message.kind, waits) {
                    (Kind::You(text), true) => {
                        let id = answer.and_then(|answer| answer.generation_id);
                        queue.push(Waiting { text: text.clone(), id });
                    }
                    (Kind::Answer(_), true) => {}
                    (kind, false) => {
                        let beside = transcript.stands_beside(message).map(|held| held.key);
                        let yours = matches!(kind, Kind::You(_));
                        rows.push(Row { key: message.key, yours, beside });
                    }
                }
                if let Kind::Answer(answer) = &message.kind {
                    running |= answer.state().is_running();
                    self.announcer.begin(message.key, answer.text());
                }
            }
            running |= transcript.is_running();
            let title = Some(transcript.title.clone()).filter(|title| !title.is_empty());
            set_if_new(self.title, title);
            set_if_new(self.earlier, transcript.earlier().is_some());
        });
        set_if_new(self.rows, rows);
        set_if_new(self.queue, queue);
        set_if_new(self.running, running);
    }
}

/// Whether the answer waits behind one that runs: the server says so, or has not spoken yet.
fn waits(answer: &Answer) -> bool {
    answer.state() == AnswerState::Queued
        || (answer.generation_id.is_none() && answer.state() == AnswerState::Thinking)
}

fn answers(transcript: &Transcript) -> impl Iterator<Item = &Answer> {
    transcript.shown().filter_map(Message::answer)
}

fn open_answers(transcript: &Transcript) -> Vec<GenerationId> {
    let open = answers(transcript).filter(|answer| !answer.is_sealed());
    open.filter_map(|answer| answer.generation_id).collect()
}

fn forget_pending() {
    if let Some(storage) = dom::tab_storage() {
        let _ = storage.remove_item(PENDING_MESSAGE);
    }
}

fn set_if_new<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if *signal.read_untracked() != value {
        signal.set(value);
    }
}

/// Whether there is no such conversation (any more).
fn is_gone(error: &RestError) -> bool {
    matches!(error, RestError::Refused(body) if body.code == ErrorCode::NotFound)
}
