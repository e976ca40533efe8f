//! A client: the real machine, driven over simulated connections, and what it shows.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use unbroken_client::{Config, Input, Machine, Output, Target, Update};
use unbroken_protocol::limits::close;
use unbroken_protocol::{Capability, Event, GenerationId, GenerationState, Incoming, Seq};

use crate::chance::Chance;
use crate::link::{self, End};
use crate::server::Connection;
use crate::world::{Device, World};

/// What a person sees on one device.
#[derive(Default)]
pub(crate) struct Shown {
    pub(crate) answers: BTreeMap<GenerationId, Answer>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) state: Option<GenerationState>,
    pub(crate) ended: bool,
}

enum Slot {
    Empty,
    /// Until then; it comes to nothing when there is no process.
    Opening(Instant),
    Open(Box<End<Incoming, Event>>),
}

pub(crate) struct Client {
    name: String,
    world: Arc<World>,
    chance: Chance,
    machine: Machine,
    slot: Slot,
    shown: Arc<Mutex<Shown>>,
    commands: mpsc::UnboundedReceiver<Input>,
    /// By this connection: what comes next of each generation.
    expected: BTreeMap<GenerationId, Seq>,
    /// Another transport takes the place of this one then.
    moves_at: Option<Instant>,
    begin: Instant,
}

impl Client {
    /// A client that is connected from now on, until the schedule ends.
    pub(crate) fn spawn(world: &Arc<World>, number: usize) {
        let mut chance = world.chance();
        let (sender, commands) = mpsc::unbounded_channel();
        let shown = Arc::new(Mutex::new(Shown::default()));
        let config = Config {
            capabilities: vec![Capability::Reasoning, Capability::Tools],
            seed: chance.next(),
            ..Config::default()
        };
        let client = Self {
            name: format!("client{number}"),
            world: Arc::clone(world),
            chance,
            machine: Machine::new(config),
            slot: Slot::Empty,
            shown: Arc::clone(&shown),
            commands,
            expected: BTreeMap::new(),
            moves_at: None,
            begin: Instant::now(),
        };
        let device = Device { shown, commands: sender };
        world.clients.lock().unwrap_or_else(PoisonError::into_inner).push(device);
        tokio::spawn(client.run());
    }

    async fn run(mut self) {
        self.handle(Input::Start).await;
        loop {
            let wake = self.machine.next_wake().map(|at| self.begin + at);
            let moves = self.moves_at;
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(input) => self.handle(input).await,
                    None => return,
                },
                said = self.slot.next() => self.said(said).await,
                () = at(moves) => self.change_transport().await,
                () = at(wake) => self.handle(Input::Wake).await,
            }
        }
    }

    async fn said(&mut self, said: Said) {
        match said {
            Said::Connected => match self.connect() {
                Some(end) => {
                    self.slot = Slot::Open(Box::new(end));
                    self.handle(Input::Opened).await;
                }
                None => self.closed().await,
            },
            Said::Frame(event) => {
                self.check_frame(&event);
                self.handle(Input::Frame(*event)).await;
            }
            Said::Broken => self.closed().await,
        }
    }

    async fn closed(&mut self) {
        self.slot = Slot::Empty;
        self.handle(Input::Closed { code: close::ABNORMAL }).await;
    }

    /// A connection to the process that runs, if one does.
    fn connect(&mut self) -> Option<End<Incoming, Event>> {
        let node = self.world.node()?;
        let (end, server) = link::connect(&self.world, &mut self.chance);
        let connection = Connection::new(node.engine, self.world.principal, server);
        tokio::spawn(connection.run(node.dies));
        self.expected.clear();
        self.world.count(|counts| counts.reconnects += 1);
        let moves = !self.world.is_calm() && self.chance.percent(15);
        self.moves_at = moves.then(|| Instant::now() + self.chance.millis(100, 5_000));
        Some(end)
    }

    /// A second connection, while the first is there: everything goes over to it at once.
    async fn change_transport(&mut self) {
        self.moves_at = None;
        if !matches!(self.slot, Slot::Open(_)) {
            return;
        }
        let Some(end) = self.connect() else { return };
        self.world.say(&self.name, "changes its transport");
        let old = std::mem::replace(&mut self.slot, Slot::Open(Box::new(end)));
        if self.chance.percent(50) {
            // Its server does not hear for a while that nobody reads it.
            let until = Instant::now() + self.chance.millis(1_000, 20_000);
            tokio::spawn(async move {
                sleep_until(until).await;
                drop(old);
            });
        }
        self.handle(Input::Moved).await;
        self.handle(Input::Opened).await;
    }

    async fn handle(&mut self, input: Input) {
        self.machine.handle(input, self.begin.elapsed());
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Connect => {
                    let until = Instant::now() + self.chance.millis(0, 120);
                    self.slot = Slot::Opening(until);
                }
                Output::Disconnect => self.slot = Slot::Empty,
                Output::Send(frame) => {
                    if let Slot::Open(end) = &mut self.slot
                        && !end.tx.send(frame)
                    {
                        self.slot = Slot::Empty;
                        let closed = Input::Closed { code: close::ABNORMAL };
                        self.machine.handle(closed, self.begin.elapsed());
                    }
                }
                Output::Status(status) => self.world.say(&self.name, format!("{status:?}")),
                Output::Update(id, update) => self.update(id, update).await,
                Output::Notice(notice) => self.notice(notice),
            }
        }
    }

    fn notice(&mut self, notice: Event) {
        if let Event::GenerationStarted(started) = notice {
            let id = started.generation_id;
            self.world.know(id);
            if self.chance.percent(70) {
                let after = Input::Follow(Target::start_of(id));
                self.follow_once(id, after);
            }
        }
    }

    /// Follows what is not followed and was not read to its end.
    fn follow_once(&mut self, id: GenerationId, follow: Input) {
        if self.shown().answers.contains_key(&id) {
            return;
        }
        self.machine.handle(follow, self.begin.elapsed());
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn update(&mut self, id: GenerationId, update: Update) {
        let name = self.world.name(id);
        self.world.know(id);
        let mut answer = self.shown().answers.get(&id).cloned().unwrap_or_default();
        let what = match update {
            Update::Text { text } => {
                answer.text.push_str(&text);
                format!("+{text:?}")
            }
            Update::Replace { content, .. } => {
                // No record that was shown is ever gone, so no text is ever taken back.
                if !content.starts_with(&answer.text) {
                    let text = &answer.text;
                    self.world.wrong(format!("{name}: {text:?} is replaced by {content:?}"));
                }
                let what = format!("={content:?}");
                answer.text = content;
                what
            }
            Update::Complete(complete) => {
                if complete.full_response != answer.text {
                    let (text, whole) = (&answer.text, &complete.full_response);
                    self.world.wrong(format!("{name}: {text:?} is shown, {whole:?} complete"));
                }
                answer.end(&self.world, &name);
                format!("complete {:?} {:?}", complete.status, complete.finish_reason)
            }
            Update::Failed(failed) => {
                answer.end(&self.world, &name);
                format!("failed {}", failed.code)
            }
            Update::Lost { code, .. } => {
                answer.end(&self.world, &name);
                format!("lost {code}")
            }
            Update::State { state, code, .. } => {
                answer.state = Some(state);
                format!("{state:?} {code:?}")
            }
            Update::Following { state, head_seq, .. } => {
                answer.state = Some(state);
                format!("following {state:?} {head_seq}")
            }
            other => format!("{other:?}"),
        };
        self.world.say(&self.name, format!("{name} {what}"));
        self.world.check_durable(id, &answer.text).await;
        self.shown().answers.insert(id, answer);
    }

    /// B8.13: what one connection is sent joins on and never overlaps.
    fn check_frame(&mut self, event: &Event) {
        let (at, from) = match event {
            Event::Following(following) if following.recovered => {
                self.expected.insert(following.generation_id, following.from_seq);
                return;
            }
            Event::Following(following) => {
                self.expected.remove(&following.generation_id);
                return self.world.wrong(format!("{} is not recovered: {following:?}", self.name));
            }
            Event::Snapshot(snapshot) => {
                self.expected.insert(snapshot.at.generation_id, snapshot.at.seq + 1);
                return;
            }
            Event::ContentChunk(event) => (event.at, event.seq_from),
            Event::ReasoningChunk(event) => (event.at, event.seq_from),
            Event::GenerationState(event) => (event.at, event.seq_from),
            Event::StreamComplete(event) => (event.at, event.seq_from),
            Event::StreamError(event) => match event.at {
                Some(at) => (at, event.seq_from),
                None => return,
            },
            _ => return,
        };
        let expected = self.expected.insert(at.generation_id, at.seq + 1);
        if expected != Some(from.unwrap_or(at.seq)) {
            let name = self.world.name(at.generation_id);
            self.world.wrong(format!(
                "{} is sent {from:?}..{} of {name} and expects {expected:?}",
                self.name, at.seq
            ));
        }
    }
}

impl Answer {
    fn end(&mut self, world: &World, name: &str) {
        if std::mem::replace(&mut self.ended, true) {
            world.wrong(format!("{name} ends twice"));
        }
    }
}

enum Said {
    Connected,
    Frame(Box<Event>),
    Broken,
}

impl Slot {
    async fn next(&mut self) -> Said {
        match self {
            Self::Empty => pending().await,
            Self::Opening(until) => {
                sleep_until(*until).await;
                Said::Connected
            }
            Self::Open(end) => {
                end.rx.recv().await.map_or(Said::Broken, |event| Said::Frame(Box::new(event)))
            }
        }
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}
