//! A task that owns a machine and what it speaks through, and a handle to it.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use unbroken_protocol::limits::close;
use unbroken_protocol::{ClientMessageId, DeviceId, Event, GenerationId, Incoming, SessionId};

use super::line::{self, Line, NotOpened, Opening};
use super::tls;
use crate::http::Boxed;
use crate::io::{Config, Hint, Input, Output, Target};
use crate::ladder::{Fault, Ladder, Transport};
use crate::machine::Machine;
use crate::rest::Rest;

/// Commands and outputs that may wait. While outputs wait the line is not read, so a slow caller
/// is sent larger frames by the server and needs no more memory here.
const WAITING: usize = 64;
/// How long a frame may take to leave, or the other side to say goodbye.
pub(super) const SEND: Duration = Duration::from_secs(5);
/// How long a better transport may take to show that it works.
pub(super) const WITHIN: Duration = Duration::from_secs(10);

/// A live connection. Reconnects by itself until it is closed or dropped.
#[derive(Debug)]
pub struct Connection {
    inputs: mpsc::Sender<Input>,
    outputs: mpsc::Receiver<Output>,
    transport: watch::Receiver<Transport>,
    task: JoinHandle<()>,
}

impl Connection {
    /// Connects to `url`, such as `ws://127.0.0.1:8484/ws`, or over HTTP beside it where no socket
    /// opens. Call inside a tokio runtime.
    pub fn open(url: &str, config: Config) -> Self {
        tls::install();
        let (inputs, commands) = mpsc::channel(WAITING);
        let (events, outputs) = mpsc::channel(WAITING);
        let ladder = Ladder::new();
        let (told, transport) = watch::channel(ladder.rung());
        let driver = Driver {
            url: url.to_owned(),
            rest: Rest::beside(url, config.device_id.clone(), config.session_id.clone()),
            machine: Machine::new(config),
            origin: Instant::now(),
            slot: Slot::Empty,
            ladder,
            probe: None,
            climb: None,
            told,
            commands,
            pending: VecDeque::new(),
        };
        Self { inputs, outputs, transport, task: tokio::spawn(driver.run(events)) }
    }

    /// The transport that is in use, or tried.
    pub fn transport(&self) -> Transport {
        *self.transport.borrow()
    }

    pub async fn follow(&self, target: Target) {
        self.say(Input::Follow(target)).await;
    }

    pub async fn unfollow(&self, id: GenerationId) {
        self.say(Input::Unfollow(id)).await;
    }

    /// Stops a generation; sent again after a reconnect until the server confirms it.
    pub async fn stop(&self, id: GenerationId) {
        self.say(Input::Stop(id)).await;
    }

    /// Lets an answer go on; sent again after a reconnect until the server has answered. A sibling
    /// that is made for it comes as a notice.
    pub async fn go_on(&self, id: GenerationId) {
        self.say(Input::Continue(id, ClientMessageId::new())).await;
    }

    /// The pong comes as a notice. Nothing comes while there is no connection.
    pub async fn ping(&self, t: u64) {
        self.say(Input::Ping { t }).await;
    }

    pub async fn hint(&self, hint: Hint) {
        self.say(Input::Hint(hint)).await;
    }

    pub async fn credentials(&self, device_id: Option<DeviceId>, session_id: Option<SessionId>) {
        self.say(Input::Credentials { device_id, session_id }).await;
    }

    /// The next status, update or notice. Cancel safe.
    pub async fn recv(&mut self) -> Option<Output> {
        self.outputs.recv().await
    }

    /// Says goodbye to the server and ends.
    pub async fn close(self) {
        let Self { inputs, outputs, task, transport: _ } = self;
        drop((inputs, outputs));
        // It cannot have failed but by a panic, which has been printed.
        drop(task.await);
    }

    /// The task ends only with this handle.
    async fn say(&self, input: Input) {
        drop(self.inputs.send(input).await);
    }
}

/// What the machine speaks through now.
enum Slot {
    Empty,
    Opening(Opening),
    Open {
        line: Line,
        /// The server has spoken on it.
        heard: bool,
    },
}

/// What it says next: to the machine, and what that means for its rung.
struct Said {
    input: Input,
    fault: Option<Fault>,
}

impl Slot {
    /// Nothing for ever while it is empty. Cancel safe.
    async fn next(&mut self) -> Said {
        match self {
            Self::Empty => std::future::pending().await,
            Self::Opening(opening) => match opening.await {
                Ok(line) => {
                    *self = Self::Open { line, heard: false };
                    Said { input: Input::Opened, fault: None }
                }
                Err(NotOpened { fault, code }) => {
                    *self = Self::Empty;
                    Said { input: Input::Closed { code }, fault }
                }
            },
            Self::Open { line, heard } => match line.next().await {
                Ok(event) => Said { input: Input::Frame(event), fault: None },
                Err(code) => {
                    let fault = (!*heard).then_some(Fault::Refused);
                    *self = Self::Empty;
                    Said { input: Input::Closed { code }, fault }
                }
            },
        }
    }

    /// What is wrong with it when it is given up for its silence.
    fn fault(&self) -> Option<Fault> {
        match self {
            Self::Opening(_) => Some(Fault::Refused),
            Self::Open { heard: false, .. } => Some(Fault::Silent),
            Self::Empty | Self::Open { heard: true, .. } => None,
        }
    }
}

type Climbed = Option<(Transport, Line, Option<Event>)>;

struct Driver {
    url: String,
    rest: Rest,
    machine: Machine,
    origin: Instant,
    slot: Slot,
    ladder: Ladder,
    /// Finds out whether the server can be reached at all.
    probe: Option<Boxed<bool>>,
    /// Tries a better transport while this one works.
    climb: Option<Boxed<Climbed>>,
    told: watch::Sender<Transport>,
    commands: mpsc::Receiver<Input>,
    /// For the caller, who has not taken them yet.
    pending: VecDeque<Output>,
}

impl Driver {
    async fn run(mut self, events: mpsc::Sender<Output>) {
        self.handle(Input::Start).await;
        loop {
            let wake = self.machine.next_wake().into_iter().chain(self.ladder.next_wake()).min();
            let wake = wake.map(|at| self.origin + at);
            tokio::select! {
                // Frames before the clock: what arrived while the caller was slow is a sign of life.
                biased;
                command = self.commands.recv() => match command {
                    Some(input) => self.command(input).await,
                    None => break,
                },
                permit = events.reserve(), if !self.pending.is_empty() => match permit {
                    Ok(permit) => permit.send(self.pending.pop_front().expect("one waits")),
                    Err(_) => break,
                },
                said = self.slot.next(), if self.pending.is_empty() => self.said(said).await,
                reachable = done(&mut self.probe) => {
                    self.probe = None;
                    self.ladder.answered(reachable, self.origin.elapsed());
                    self.tell();
                }
                climbed = done(&mut self.climb), if self.pending.is_empty() => {
                    self.climb = None;
                    self.climbed(climbed).await;
                }
                () = sleep_until(wake.unwrap_or(self.origin)),
                    if wake.is_some() && self.pending.is_empty() =>
                {
                    self.handle(Input::Wake).await;
                    self.climb();
                }
            }
        }
        if let Slot::Open { line: Line::Socket(socket), .. } = &mut self.slot {
            // A server that does not answer has no use for a goodbye.
            drop(timeout(SEND, socket.close(None)).await);
        }
    }

    async fn command(&mut self, input: Input) {
        match &input {
            Input::Credentials { device_id, session_id } => {
                self.rest = Rest::beside(&self.url, device_id.clone(), session_id.clone());
                // It would speak for somebody else.
                if self.climb.take().is_some() {
                    self.ladder.climbed(None, self.origin.elapsed());
                }
            }
            Input::Hint(hint) => self.ladder.hint(*hint, self.origin.elapsed()),
            _ => {}
        }
        self.handle(input).await;
    }

    async fn said(&mut self, Said { input, fault }: Said) {
        if let (Input::Frame(event), Slot::Open { heard, .. }) = (&input, &mut self.slot)
            && *event != Event::Unknown
            && !std::mem::replace(heard, true)
        {
            self.ladder.works();
        }
        self.failed(fault);
        self.handle(input).await;
    }

    /// An attempt came to nothing: is it the transport, or the server?
    fn failed(&mut self, fault: Option<Fault>) {
        let Some(fault) = fault else { return };
        self.ladder.failed(fault);
        if self.probe.is_none() {
            self.probe = Some(line::reachable(&self.rest));
        }
    }

    fn climb(&mut self) {
        if self.ladder.climb(self.origin.elapsed()) {
            let (from, url, rest) = (self.ladder.rung(), self.url.clone(), self.rest.clone());
            self.climb = Some(Box::pin(Line::climb(from, url, rest)));
        }
    }

    /// Everything goes over to the better one at once: it asks for what the old one has not brought.
    async fn climbed(&mut self, climbed: Climbed) {
        let to = climbed.as_ref().map(|(transport, ..)| *transport);
        self.ladder.climbed(to, self.origin.elapsed());
        self.tell();
        let Some((_, line, first)) = climbed else { return };
        if !self.machine.wants_connection() {
            return;
        }
        self.slot = Slot::Open { line, heard: true };
        self.handle(Input::Moved).await;
        self.handle(Input::Opened).await;
        if let Some(event) = first {
            self.handle(Input::Frame(event)).await;
        }
    }

    fn tell(&self) {
        self.told.send_replace(self.ladder.rung());
    }

    async fn handle(&mut self, input: Input) {
        let gives_up = matches!(input, Input::Wake);
        self.machine.handle(input, self.origin.elapsed());
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Connect => {
                    let opening = Line::open(self.ladder.rung(), &self.url, &self.rest);
                    self.slot = Slot::Opening(opening);
                }
                Output::Disconnect => {
                    let fault = self.slot.fault().filter(|_| gives_up);
                    self.slot = Slot::Empty;
                    self.failed(fault);
                }
                Output::Send(frame) => self.send(frame).await,
                output => self.pending.push_back(output),
            }
        }
    }

    async fn send(&mut self, frame: Incoming) {
        let Slot::Open { line, .. } = &mut self.slot else { return };
        if !line.send(frame).await {
            self.slot = Slot::Empty;
            self.machine.handle(Input::Closed { code: close::ABNORMAL }, self.origin.elapsed());
        }
    }
}

/// What comes of it; nothing for ever while there is none. Cancel safe.
async fn done<T>(work: &mut Option<Boxed<T>>) -> T {
    match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    }
}
