//! One message: the person's bubble, or an answer with its text, sources, state and buttons.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use leptos::html::Div;
use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_chat_view::citing::{parted, place};
use unbroken_chat_view::language::plain_name;
use unbroken_chat_view::transcript::{Answer as AnswerModel, AnswerState, Message};
use unbroken_protocol::Citation;

use super::another::Another;
use super::attached::Attached;
use super::calls::Calls;
use super::citation;
use super::icons::{AGAIN, BACK, CHECK, COPY, FORTH, PENCIL, PULSE, SHARE, icon};
use super::picker;
use super::prose::Prose;
use super::show::Show;
use super::source_viewer::Viewer;
use crate::again::By;
use crate::facts::Facts;
use crate::moves::Task;
use crate::state::App;
use crate::{dom, words};

/// How long "Copied" is shown.
pub(crate) const COPIED_FOR: Duration = Duration::from_millis(1500);

/// What the person wrote.
#[component]
pub(crate) fn You(key: u64) -> impl IntoView {
    let app = App::get();
    let read = move || {
        app.open.message(key, |message| {
            (message.plain_text().to_owned(), message.branch(), message.sources.clone())
        })
    };
    let (text, branch, sources) = read().unwrap_or_default();
    let (text, branch) = (RwSignal::new(text), RwSignal::new(branch));
    let sources = RwSignal::new(sources);
    let is_sending = move || app.open.message(key, |message| message.id.is_none()) == Some(true);
    let sending = RwSignal::new(is_sending());
    app.open.watch(key, move || {
        sending.set(is_sending());
        if let Some((now, at, with)) = read() {
            if *sources.read_untracked() != with {
                sources.set(with);
            }
            if *text.read_untracked() != now {
                text.set(now);
            }
            if branch.get_untracked() != at {
                branch.set(at);
            }
        }
    });
    view! {
        <article class="message you" data-key=key aria-label=words::you()>
            <Attached sources />
            <div class="bubble" dir="auto">
                {text}
            </div>
            <Show when=move || sending.get()>
                <p class="sending-note">{words::sending()}</p>
            </Show>
            <Show when=move || !sending.get()>
                <div class="message-foot">
                    <Branches key branch />
                    <button
                        class="icon-button"
                        aria-label=words::edit()
                        title=words::edit()
                        on:click=move |_| app.edit(key)
                    >
                        {icon(PENCIL)}
                    </button>
                </div>
            </Show>
        </article>
    }
}

/// What of an answer changes seldom.
#[derive(Clone, Debug, PartialEq)]
struct About {
    model: String,
    state: AnswerState,
    notice: Option<String>,
    citations: Vec<Citation>,
    routed: Option<String>,
    facts: Facts,
    has_reasoning: bool,
    /// How long it took, in milliseconds, once it is over.
    reasoned: Option<u32>,
    is_empty: bool,
    can_continue: bool,
}

impl About {
    fn of(answer: &AnswerModel, facts: Option<&Facts>) -> Self {
        Self {
            model: answer.model.clone(),
            state: answer.state(),
            notice: answer.notice().map(str::to_owned),
            citations: answer.citations.clone(),
            routed: answer.routed.clone(),
            // They change with every token, and are looked at when the answer is over.
            facts: facts.filter(|_| !answer.state().is_running()).cloned().unwrap_or_default(),
            has_reasoning: !answer.reasoning.is_empty(),
            // As the facts.
            reasoned: answer
                .reasoning_ms
                .filter(|_| answer.state() != AnswerState::Thinking)
                .map(|millis| u32::try_from(millis).unwrap_or(u32::MAX)),
            is_empty: answer.text().is_empty(),
            can_continue: answer.can_continue(),
        }
    }

    fn name(&self, app: App) -> String {
        match self.model.as_str() {
            "" => words::assistant().to_owned(),
            model => app.picker.read().name_of(model).to_owned(),
        }
    }
}

/// What a model wrote.
#[component]
pub(crate) fn Answer(
    key: u64,
    /// Another answer to the same message stands beside it.
    #[prop(optional)]
    paired: bool,
) -> impl IntoView {
    let app = App::get();
    let Some(about) = app.open.answer(key, About::of) else { return ().into_any() };
    let about = RwSignal::new(about);
    let branch = RwSignal::new(app.open.message(key, Message::branch).flatten());
    let reasoning = RwSignal::new(String::new());
    let calls = RwSignal::new(Vec::new());
    let body = NodeRef::<Div>::new();
    let prose: Rc<RefCell<Option<Prose>>> = Rc::default();
    let grows = app.open.take_fresh(key);
    app.open.render_by(AnswerModel::render);
    let commit = move || {
        let last_frame = app.open.last_frame();
        let shown = app.open.answer(key, |answer, facts| {
            let now = About::of(answer, facts);
            let mut prose = prose.borrow_mut();
            if prose.is_none() {
                *prose = body.get_untracked().map(|body| Prose::new(app, body.into(), grows));
            }
            let is_whole = prose.as_mut().is_none_or(|prose| {
                let writes = now.state.is_running() && now.state != AnswerState::Queued;
                let is_whole = prose.commit(answer.document(), writes, last_frame);
                prose.mark_seams(&answer.seam_blocks());
                is_whole && answer.is_rendered()
            });
            if reasoning.read_untracked().len() != answer.reasoning.len() {
                reasoning.set(answer.reasoning.clone());
            }
            if *calls.read_untracked() != answer.tools {
                calls.set(answer.tools.clone());
            }
            // An answer whose text is not all there has not ended for whoever reads it.
            if is_whole && *about.read_untracked() != now {
                // What follows from it is made after this frame.
                set_timeout(move || drop(about.try_set(now)), Duration::ZERO);
            }
            is_whole
        });
        if shown == Some(false) {
            app.open.show_rest(key);
        }
    };
    app.open.watch(key, {
        let commit = commit.clone();
        move || {
            commit();
            let at = app.open.message(key, Message::branch).flatten();
            if branch.get_untracked() != at {
                branch.set(at);
            }
        }
    });
    Effect::new(move || {
        if body.get().is_some() {
            app.open.render(key);
            commit();
        }
    });
    let citations = Memo::new(move |_| {
        let about = about.read();
        if about.state.is_running() { Vec::new() } else { about.citations.clone() }
    });
    view! {
        <article
            class="message answer"
            data-key=key
            aria-label=Signal::derive(move || about.read().name(app))
            aria-busy=Signal::derive(move || about.read().state.is_running().then_some("true"))
        >
            <Show when=move || about.read().has_reasoning>
                <details class="reasoning">
                    <summary>
                        {move || {
                            let about = about.read();
                            match (about.state, about.reasoned) {
                                (AnswerState::Thinking, _) => words::thinking_now().to_owned(),
                                (_, Some(millis)) => words::reasoned_for(&words::time(f64::from(millis))),
                                (_, None) => words::reasoning().to_owned(),
                            }
                        }}
                    </summary>
                    <div class="reasoning-text" dir="auto">
                        {reasoning}
                    </div>
                </details>
            </Show>
            <Calls calls running=Signal::derive(move || about.read().state.is_running()) />
            <div class="prose" node_ref=body></div>
            <SourcesList key citations />
            <Notice key about />
            <Show when=move || !about.read().state.is_running()>
                <Foot key about branch paired />
            </Show>
            <Show when=move || !paired && about.read().state.is_running() && !about.read().is_empty>
                <div class="answer-foot">
                    <Another key />
                </div>
            </Show>
        </article>
    }
    .into_any()
}

/// The sources that close the answer: those that it refers to, and folded away what else the model
/// was given.
#[component]
fn SourcesList(key: u64, citations: Memo<Vec<Citation>>) -> impl IntoView {
    let app = App::get();
    move || {
        let citations = citations.get();
        if citations.is_empty() {
            return None;
        }
        let text = app.open.answer(key, |answer, _| answer.text().to_owned()).unwrap_or_default();
        let (cited, other) = parted(&text, citations);
        let count = other.len() as u64;
        Some(view! {
            <div class="sources-list" role="group" aria-label=words::sources()>
                <p class="sources-title" aria-hidden="true">
                    {words::sources()}
                </p>
                {lines(cited)}
                {(count > 0)
                    .then(|| {
                        view! {
                            <details>
                                <summary>{words::given_too(count)}</summary>
                                {lines(other)}
                            </details>
                        }
                    })}
            </div>
        })
    }
}

fn lines(citations: Vec<Citation>) -> Option<impl IntoView> {
    let lines = citations.into_iter().map(source_line).collect_view();
    (!lines.is_empty()).then(|| view! { <ol>{lines}</ol> })
}

fn source_line(citation: Citation) -> impl IntoView {
    let (index, quote) = (citation.index, citation.quote.clone());
    let title = plain_name(&citation.title);
    let origin = citation.page.map(|page| place(&citation.title, page));
    let title = match (citation::page(&citation), Viewer::get()) {
        (Some(address), _) => view! {
            <a href=address target="_blank" rel="noopener noreferrer nofollow">
                {title}
            </a>
        }
        .into_any(),
        (None, Some(viewer)) if citation.file_id.is_some() => {
            let open = move |_| viewer.show_citation(citation.clone());
            view! {
                <button class="link" on:click=open>
                    {title}
                </button>
            }
            .into_any()
        }
        _ => title.into_any(),
    };
    view! {
        <li>
            <span class="cite" aria-hidden="true">
                {index}
            </span>
            <span dir="auto">
                <span class="source-title">{title}</span>
                {origin.map(|origin| view! { <span class="origin">{origin}</span> })}
                <q>{quote}</q>
            </span>
        </li>
    }
}

/// The state of the answer in a sentence, with what can be done about it.
#[component]
fn Notice(key: u64, about: RwSignal<About>) -> impl IntoView {
    let app = App::get();
    let said = Memo::new(move |_| {
        let about = about.read();
        (about.notice.clone(), about.state, about.can_continue)
    });
    Effect::new(move |was_running: Option<bool>| {
        let (sentence, state, _) = said.get();
        let is_running = state.is_running();
        // Its end is seen; who does not see is told.
        if was_running == Some(true)
            && !is_running
            && let Some(sentence) = sentence
        {
            app.open.announcer.say(sentence);
        }
        is_running
    });
    let go_on = move || {
        view! {
            <button class="button primary" on:click=move |_| app.go_on(key)>
                {words::go_on()}
            </button>
        }
    };
    let retry = move || {
        view! {
            <button class="button" on:click=|_| dom::show_popover(picker::POPOVER)>
                {words::change_model()}
            </button>
            <button class="button primary" on:click=move |_| app.regenerate(key, By::Preferred)>
                {words::retry()}
            </button>
        }
    };
    move || {
        let (sentence, state, can_continue) = said.get();
        let sentence = sentence?;
        let view = match state {
            AnswerState::Stopped if can_continue => {
                notice(words::stopped(), sentence, go_on().into_any())
            }
            _ if can_continue => notice(words::interrupted(), sentence, go_on().into_any()),
            AnswerState::Failed { .. } | AnswerState::Interrupted { .. } => {
                notice(words::failed(), sentence, retry().into_any())
            }
            _ => view! { <p class="answer-state">{sentence}</p> }.into_any(),
        };
        Some(view)
    }
}

fn notice(name: &'static str, sentence: String, buttons: AnyView) -> AnyView {
    view! {
        <div class="notice" role="group" aria-label=name>
            <p>{sentence}</p>
            <div class="notice-buttons">{buttons}</div>
        </div>
    }
    .into_any()
}

/// ‹ 2/3 › between the siblings of a message, where it has some.
#[component]
fn Branches(key: u64, branch: RwSignal<Option<(usize, usize)>>) -> impl IntoView {
    let app = App::get();
    let step = move |by: isize| {
        if let Some(Some(id)) = app.open.message(key, |message| message.sibling(by)) {
            app.select_branch(id);
        }
    };
    let button = move |by: isize, name: &'static str, path: &'static str| {
        let end =
            move || branch.get().is_none_or(|(at, of)| if by < 0 { at == 1 } else { at == of });
        view! {
            <button
                class="icon-button"
                aria-label=name
                aria-disabled=Signal::derive(move || end().to_string())
                title=name
                on:click=move |_| step(by)
            >
                {icon(path)}
            </button>
        }
    };
    view! {
        <Show when=move || branch.get().is_some()>
            <span class="branches">
                {button(-1, words::previous(), BACK)}
                <span>{move || branch.get().map(words::branch)}</span>
                {button(1, words::following(), FORTH)}
            </span>
        </Show>
    }
}

/// The buttons of an answer, and what is known about the answer.
#[component]
fn Foot(
    key: u64,
    about: RwSignal<About>,
    branch: RwSignal<Option<(usize, usize)>>,
    paired: bool,
) -> impl IntoView {
    let app = App::get();
    let copied = RwSignal::new(false);
    let copy = move |_| {
        let text = app.open.message(key, |message| message.plain_text().to_owned());
        spawn_local(async move {
            let Some(text) = text else { return };
            if dom::copy(&text).await {
                copied.set(true);
                dom::sleep(COPIED_FOR).await;
                copied.try_set(false);
            } else {
                app.toast(words::not_copied().to_owned(), None);
            }
        });
    };
    let share = move |_| {
        if let Some(id) = app.open.id() {
            app.moves.begin(Task::Share, id, app.heading());
        }
    };
    let details = move || {
        let about = about.read();
        let mut parts = Vec::from_iter((!about.model.is_empty()).then(|| about.name(app)));
        parts.extend(about.facts.tokens.filter(|tokens| *tokens > 0).map(words::token_count));
        parts.join(" · ")
    };
    view! {
        <div class="answer-foot">
            <Show when=move || !about.read().is_empty>
                <button
                    class="icon-button"
                    aria-label=Signal::derive(move || if copied.get() { words::copied() } else { words::copy() })
                    title=words::copy()
                    on:click=copy
                >
                    {move || icon(if copied.get() { CHECK } else { COPY })}
                </button>
            </Show>
            <Show when=move || !paired && !app.open.running.get()>
                <button
                    class="icon-button"
                    aria-label=words::regenerate()
                    title=words::regenerate()
                    on:click=move |_| app.regenerate(key, By::TheSame)
                >
                    {icon(AGAIN)}
                </button>
            </Show>
            <Show when=move || !paired>
                <Another key />
                <Branches key branch />
            </Show>
            <Show when=move || !paired && !about.read().is_empty>
                <button
                    class="icon-button"
                    aria-label=words::share_menu()
                    title=words::share_menu()
                    on:click=share
                >
                    {icon(SHARE)}
                </button>
            </Show>
            <Inspector key about />
            <span class="details" title=Signal::derive(move || about.read().routed.clone())>
                {details}
            </span>
        </div>
    }
}

/// The stream inspector: how the answer came.
#[component]
fn Inspector(key: u64, about: RwSignal<About>) -> impl IntoView {
    let app = App::get();
    let id = format!("details-{key}");
    let lines = move || {
        let about = about.read();
        let facts = &about.facts;
        let known = [
            (words::model(), (!about.model.is_empty()).then(|| about.name(app))),
            (words::first_text(), facts.to_first_text().map(words::time)),
            (words::tokens(), facts.tokens.map(words::whole)),
            (words::speed(), facts.tokens_a_second().map(words::decimal)),
            (words::records(), facts.records.map(words::whole)),
            (words::runs(), facts.epoch.map(|epoch| words::whole(epoch.into()))),
            (words::reconnects(), Some(words::whole(app.reconnects.get().into()))),
            (words::hash(), facts.hash.clone()),
        ];
        let line = |(name, value): (&'static str, Option<String>)| {
            value.map(|value| view! { <dt>{name}</dt> <dd>{value}</dd> })
        };
        known.into_iter().filter_map(line).collect_view()
    };
    view! {
        <button
            class="icon-button"
            aria-label=words::details()
            title=words::details()
            popovertarget=id.clone()
        >
            {icon(PULSE)}
        </button>
        <div id=id class="inspector" popover="auto" role="group" aria-label=words::details()>
            <dl>{lines}</dl>
        </div>
    }
}
