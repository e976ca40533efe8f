//! Drives a machine with a `WebSocket`, a timer and the page's hints.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use unbroken_protocol::limits::close;
use unbroken_protocol::{DeviceId, Event, GenerationId, Incoming, SessionId};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CloseEvent, MessageEvent, WebSocket};

use super::page::Page;
use super::timer::Timer;
use crate::io::{Config, Hint, Input, Output, Target};
use crate::machine::Machine;

/// A live connection. Clones are the same connection; it ends with the last of them.
#[derive(Clone)]
pub struct Link(Rc<Inner>);

impl Link {
    /// Connects to `url`, such as `wss://chat.example/ws`. `on_output` gets every status, update
    /// and notice, and may call this link.
    pub fn open(url: &str, config: Config, on_output: impl FnMut(Output) + 'static) -> Self {
        let link = Self(Rc::new_cyclic(|inner: &Weak<Inner>| Inner {
            url: url.to_owned(),
            machine: RefCell::new(Machine::new(config)),
            socket: RefCell::new(None),
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

    /// Another pair to speak with: connects at once.
    pub fn credentials(&self, device_id: Option<DeviceId>, session_id: Option<SessionId>) {
        self.0.handle(Input::Credentials { device_id, session_id });
    }

    /// Disconnects, and stays so.
    pub fn close(&self) {
        self.0.handle(Input::Close);
    }
}

struct Inner {
    url: String,
    machine: RefCell<Machine>,
    socket: RefCell<Option<Socket>>,
    timer: RefCell<Timer>,
    on_output: RefCell<Box<dyn FnMut(Output)>>,
    /// Outputs are being taken further up the stack.
    is_busy: Cell<bool>,
    weak: Weak<Inner>,
    page: RefCell<Option<Page>>,
}

impl Inner {
    fn handle(&self, input: Input) {
        self.machine.borrow_mut().handle(input, now());
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
                Output::Disconnect => drop(self.socket.take()),
                Output::Send(frame) => self.send(&frame),
                output => (self.on_output.borrow_mut())(output),
            }
        }
        self.is_busy.set(false);
        let wake = self.machine.borrow().next_wake();
        self.timer.borrow_mut().set(wake.map(|at| at.saturating_sub(now())));
    }

    fn connect(&self) {
        // The old one first: two sockets never speak to one machine.
        drop(self.socket.take());
        match Socket::open(&self.url, &self.weak) {
            Ok(socket) => *self.socket.borrow_mut() = Some(socket),
            Err(_) => self.closed(),
        }
    }

    fn send(&self, frame: &Incoming) {
        let text = serde_json::to_string(frame).expect("a frame is JSON");
        let sent = self.socket.borrow().as_ref().map(|socket| socket.inner.send_with_str(&text));
        if let Some(Err(_)) = sent {
            drop(self.socket.take());
            self.closed();
        }
    }

    fn closed(&self) {
        self.machine.borrow_mut().handle(Input::Closed { code: close::ABNORMAL }, now());
    }
}

/// A `WebSocket` that says nothing more once it is dropped.
struct Socket {
    inner: WebSocket,
    _on_open: Closure<dyn FnMut()>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    fn open(url: &str, link: &Weak<Inner>) -> Result<Self, JsValue> {
        let inner = WebSocket::new(url)?;
        let on_open = Closure::new(sayer(link, || Input::Opened));
        let (messages, closes) = (link.clone(), link.clone());
        let on_message = Closure::new(move |message: MessageEvent| {
            say(&messages, Input::Frame(event(&message)));
        });
        let on_close = Closure::new(move |closed: CloseEvent| {
            say(&closes, Input::Closed { code: closed.code() });
        });
        inner.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        inner.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        inner.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Ok(Self { inner, _on_open: on_open, _on_message: on_message, _on_close: on_close })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.inner.set_onopen(None);
        self.inner.set_onmessage(None);
        self.inner.set_onclose(None);
        // It fails only for a code that a page may not send; none is given.
        drop(self.inner.close());
    }
}

fn event(message: &MessageEvent) -> Event {
    let text = message.data().as_string();
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Event::Unknown)
}

fn say(link: &Weak<Inner>, input: Input) {
    if let Some(link) = link.upgrade() {
        link.handle(input);
    }
}

fn sayer(link: &Weak<Inner>, input: fn() -> Input) -> impl FnMut() + 'static {
    let link = link.clone();
    move || say(&link, input())
}

/// The page's monotonic clock.
fn now() -> Duration {
    let millis = web_sys::window().and_then(|window| window.performance()).map(|p| p.now());
    Duration::try_from_secs_f64(millis.unwrap_or_default() / 1000.0).unwrap_or_default()
}
