//! Drives a machine with what it speaks through, a timer and the page's hints.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use unbroken_protocol::limits::close;
use unbroken_protocol::{ClientMessageId, DeviceId, Event, GenerationId, Incoming, SessionId};
use wasm_bindgen::prelude::wasm_bindgen;

use super::line::{Climbed, HttpLine, Line, NotOpened, Socket, Task, climb, open, reachable};
use super::page::Page;
use super::timer::Timer;
use crate::io::{Config, Hint, Input, Output, Target};
use crate::ladder::{Fault, Ladder, Transport};
use crate::machine::Machine;
use crate::rest::Rest;

/// A live connection. Clones are the same connection; it ends with the last of them.
#[derive(Clone)]
pub struct Link(Rc<Inner>);

impl Link {
    /// Connects to `url`, such as `wss://chat.example/ws`, or over HTTP beside it where no socket
    /// opens. `on_output` gets every status, update and notice, and may call this link.
    pub fn open(url: &str, config: Config, on_output: impl FnMut(Output) + 'static) -> Self {
        let rest = Rest::beside(url, config.device_id.clone(), config.session_id.clone());
        let link = Self(Rc::new_cyclic(|inner: &Weak<Inner>| Inner {
            url: url.to_owned(),
            rest: RefCell::new(rest),
            machine: RefCell::new(Machine::new(config)),
            line: RefCell::new(Line::None),
            is_heard: Cell::new(false),
            ladder: RefCell::new(Ladder::new()),
            probe: RefCell::new(None),
            climb: RefCell::new(None),
            is_hidden: Cell::new(false),
            timer: RefCell::new(Timer::new(sayer(inner, || Input::Wake))),
            on_output: RefCell::new(Box::new(on_output)),
            is_busy: Cell::new(false),
            weak: inner.clone(),
            page: RefCell::new(None),
        }));
        let weak = Rc::downgrade(&link.0);
        let on_hint = move |hint: Hint| say(&weak, Input::Hint(hint));
        *link.0.page.borrow_mut() = Some(Page::listen(on_hint));
        link.0.handle(Input::Start);
        link
    }

    /// The transport that is in use, or tried.
    pub fn transport(&self) -> Transport {
        self.0.ladder.borrow().rung()
    }

    pub fn follow(&self, target: Target) {
        self.0.handle(Input::Follow(target));
    }

    pub fn unfollow(&self, id: GenerationId) {
        self.0.handle(Input::Unfollow(id));
    }

    /// Stops a generation; sent again after a reconnect until the server confirms it.
    pub fn stop(&self, id: GenerationId) {
        self.0.handle(Input::Stop(id));
    }

    /// Lets an answer go on; sent again after a reconnect until the server has answered. A sibling
    /// that is made for it comes as a notice.
    pub fn go_on(&self, id: GenerationId) {
        self.0.handle(Input::Continue(id, ClientMessageId::new()));
    }

    /// Another pair to speak with: connects at once.
    pub fn credentials(&self, device_id: Option<DeviceId>, session_id: Option<SessionId>) {
        self.0.handle(Input::Credentials { device_id, session_id });
    }

    /// Disconnects, and stays so.
    pub fn close(&self) {
        self.0.handle(Input::Close);
    }
}

pub(super) struct Inner {
    url: String,
    rest: RefCell<Rest>,
    machine: RefCell<Machine>,
    line: RefCell<Line>,
    /// The server has spoken on this line.
    is_heard: Cell<bool>,
    ladder: RefCell<Ladder>,
    /// Finds out whether the server can be reached at all.
    probe: RefCell<Option<Task>>,
    /// Tries a better transport while this one works.
    climb: RefCell<Option<Task>>,
    is_hidden: Cell<bool>,
    timer: RefCell<Timer>,
    on_output: RefCell<Box<dyn FnMut(Output)>>,
    /// Outputs are being taken further up the stack.
    is_busy: Cell<bool>,
    weak: Weak<Self>,
    page: RefCell<Option<Page>>,
}

impl Inner {
    fn handle(&self, input: Input) {
        let now = now();
        self.look_at(&input, now);
        let gives_up = matches!(input, Input::Wake);
        self.machine.borrow_mut().handle(input, now);
        // A call out of `on_output`: the loop that called it takes these outputs too.
        if self.is_busy.replace(true) {
            return;
        }
        loop {
            // The borrow ends before the output is done, which may lead back into the machine.
            let output = self.machine.borrow_mut().poll_output();
            let Some(output) = output else { break };
            match output {
                Output::Connect => self.connect(),
                Output::Disconnect => self.disconnect(gives_up),
                Output::Send(frame) => self.send(frame),
                output => (self.on_output.borrow_mut())(output),
            }
        }
        self.is_busy.set(false);
        if gives_up {
            self.climb();
        }
        self.set_timer(now);
    }

    /// What happens tells something of the transport, too.
    fn look_at(&self, input: &Input, now: Duration) {
        match input {
            Input::Frame(event) if *event != Event::Unknown && !self.is_heard.replace(true) => {
                self.ladder.borrow_mut().works();
            }
            Input::Closed { .. } => {
                let was = self.line.replace(Line::None);
                if matches!(was, Line::Socket(_)) && !self.is_heard.get() {
                    self.failed(Some(Fault::Refused));
                }
            }
            Input::Hint(hint) => {
                self.ladder.borrow_mut().hint(*hint, now);
                match hint {
                    Hint::Hidden => {
                        self.is_hidden.set(true);
                        self.leave_http();
                    }
                    Hint::Visible => self.is_hidden.set(false),
                    Hint::Restored => {
                        self.is_hidden.set(false);
                        self.leave_http();
                    }
                    // A stream cannot be probed; another one is opened at once.
                    Hint::Online => self.leave_http(),
                    Hint::Offline => {}
                }
            }
            Input::Credentials { device_id, session_id } => {
                *self.rest.borrow_mut() =
                    Rest::beside(&self.url, device_id.clone(), session_id.clone());
                // It would speak for somebody else.
                if self.climb.take().is_some() {
                    self.ladder.borrow_mut().climbed(None, now);
                }
            }
            _ => {}
        }
    }

    /// Gives a stream or a long poll up: only a visible tab holds one, and one that is older than
    /// a change of the network may be dead.
    fn leave_http(&self) {
        if matches!(*self.line.borrow(), Line::Http(_) | Line::Opening(_)) {
            self.line.replace(Line::None);
            self.machine.borrow_mut().handle(Input::Closed { code: close::GOING_AWAY }, now());
        }
    }

    fn set_timer(&self, now: Duration) {
        let climb_at = self.ladder.borrow().next_wake().filter(|_| !self.is_hidden.get());
        let wake = self.machine.borrow().next_wake().into_iter().chain(climb_at).min();
        self.timer.borrow_mut().set(wake, now);
    }

    fn connect(&self) {
        // The old one first: two lines never speak to one machine.
        self.line.replace(Line::None);
        self.is_heard.set(false);
        let transport = self.ladder.borrow().rung();
        if transport == Transport::Socket {
            if let Ok(socket) = Socket::open(&self.url, &self.weak) {
                self.line.replace(Line::Socket(socket));
            } else {
                self.failed(Some(Fault::Refused));
                self.closed(close::ABNORMAL);
            }
        } else if self.is_hidden.get() {
            self.closed(close::GOING_AWAY);
        } else {
            let (link, rest) = (self.weak.clone(), self.rest.borrow().clone());
            let opening = Task::spawn(async move {
                let opened = open(rest, transport).await;
                let Some(link) = link.upgrade() else { return };
                match opened {
                    Ok(http) => {
                        link.line.replace(Line::Http(HttpLine::start(http, &link.weak)));
                        link.handle(Input::Opened);
                    }
                    Err(NotOpened { fault, code }) => {
                        link.failed(fault);
                        link.handle(Input::Closed { code });
                    }
                }
            });
            self.line.replace(Line::Opening(opening));
        }
    }

    fn disconnect(&self, gives_up: bool) {
        let fault = match *self.line.borrow() {
            Line::Opening(_) => Some(Fault::Refused),
            Line::Socket(_) if !self.is_heard.get() => Some(Fault::Silent),
            Line::None | Line::Socket(_) | Line::Http(_) => None,
        };
        self.line.replace(Line::None);
        self.failed(fault.filter(|_| gives_up));
    }

    /// An attempt came to nothing: is it the transport, or the server?
    fn failed(&self, fault: Option<Fault>) {
        let Some(fault) = fault else { return };
        self.ladder.borrow_mut().failed(fault);
        if self.probe.borrow().is_some() {
            return;
        }
        let (link, rest) = (self.weak.clone(), self.rest.borrow().clone());
        let probe = Task::spawn(async move {
            let reachable = reachable(rest).await;
            let Some(link) = link.upgrade() else { return };
            link.probe.replace(None);
            link.ladder.borrow_mut().answered(reachable, now());
            link.set_timer(now());
        });
        self.probe.replace(Some(probe));
    }

    fn climb(&self) {
        if self.is_hidden.get() || !self.ladder.borrow_mut().climb(now()) {
            return;
        }
        let (from, url) = (self.ladder.borrow().rung(), self.url.clone());
        let (link, rest) = (self.weak.clone(), self.rest.borrow().clone());
        let task = Task::spawn(async move {
            let climbed = climb(from, url, rest).await;
            let Some(link) = link.upgrade() else { return };
            link.climb.replace(None);
            link.climbed(climbed);
        });
        self.climb.replace(Some(task));
    }

    /// Everything goes over to the better one at once: it asks for what the old one has not brought.
    fn climbed(&self, climbed: Option<Climbed>) {
        let to = climbed.as_ref().map(|climbed| match climbed {
            Climbed::Socket(..) => Transport::Socket,
            Climbed::Http(_) => Transport::Sse,
        });
        self.ladder.borrow_mut().climbed(to, now());
        let is_wanted = self.machine.borrow().wants_connection();
        let (line, first) = match climbed {
            Some(Climbed::Socket(socket, event)) => {
                (Line::Socket(Socket::adopt(socket, &self.weak)), Some(event))
            }
            Some(Climbed::Http(http)) if !self.is_hidden.get() => {
                (Line::Http(HttpLine::start(http, &self.weak)), None)
            }
            Some(Climbed::Http(_)) | None => return self.set_timer(now()),
        };
        if !is_wanted {
            return;
        }
        self.line.replace(line);
        self.is_heard.set(true);
        self.handle(Input::Moved);
        self.handle(Input::Opened);
        if let Some(event) = first {
            self.handle(Input::Frame(event));
        }
    }

    fn send(&self, frame: Incoming) {
        if !self.line.borrow().send(frame) {
            self.line.replace(Line::None);
            self.closed(close::ABNORMAL);
        }
    }

    fn closed(&self, code: u16) {
        self.machine.borrow_mut().handle(Input::Closed { code }, now());
    }
}

pub(super) fn say(link: &Weak<Inner>, input: Input) {
    if let Some(link) = link.upgrade() {
        link.handle(input);
    }
}

pub(super) fn sayer(link: &Weak<Inner>, input: fn() -> Input) -> impl FnMut() + 'static {
    let link = link.clone();
    move || say(&link, input())
}

#[wasm_bindgen]
extern "C" {
    /// Without the objects on the way to it: it is asked with every frame that comes.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn clock() -> f64;
}

/// The page's monotonic clock.
fn now() -> Duration {
    Duration::try_from_secs_f64(clock() / 1000.0).unwrap_or_default()
}
