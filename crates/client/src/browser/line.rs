//! What a machine speaks through: a `WebSocket`, or `fetch` where none opens.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{AbortHandle, Either, abortable, select};
use js_sys::{Function, Promise};
use unbroken_protocol::limits::close;
use unbroken_protocol::{ErrorCode, Event, Incoming};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{CloseEvent, MessageEvent, WebSocket};

use super::link::{Inner, say, sayer};
use super::timer::sleep;
use crate::http::{Http, Lost, QUIET};
use crate::io::Input;
use crate::ladder::{Fault, Transport};
use crate::rest::{Rest, RestError};

/// How long a better transport may take to show that it works.
const WITHIN: Duration = Duration::from_secs(10);
/// How long a plain request may take to be answered.
const ANSWER: Duration = Duration::from_secs(5);

/// Ends with its handle.
pub(super) struct Task(AbortHandle);

impl Task {
    pub(super) fn spawn(work: impl Future<Output = ()> + 'static) -> Self {
        let (work, handle) = abortable(work);
        spawn_local(async move {
            let _ = work.await;
        });
        Self(handle)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What the machine speaks through now.
pub(super) enum Line {
    None,
    /// HTTP, not heard yet.
    Opening(#[expect(dead_code, reason = "it ends with the line")] Task),
    Socket(Socket),
    Http(HttpLine),
}

impl Line {
    /// Sends a frame; `false` when the line is broken.
    pub(super) fn send(&self, frame: Incoming) -> bool {
        match self {
            Self::None | Self::Opening(_) => true,
            Self::Socket(socket) => {
                let text = serde_json::to_string(&frame).expect("a frame is JSON");
                socket.inner.send_with_str(&text).is_ok()
            }
            Self::Http(line) => {
                line.http.borrow_mut().say(frame);
                true
            }
        }
    }
}

/// A connection by `fetch`, and the task that reads it.
pub(super) struct HttpLine {
    http: Rc<RefCell<Http>>,
    _reading: Task,
}

impl HttpLine {
    pub(super) fn start(http: Http, link: &Weak<Inner>) -> Self {
        let http = Rc::new(RefCell::new(http));
        let (read, link) = (Rc::downgrade(&http), link.clone());
        let reading = Task::spawn(async move {
            // An event may be the end of this line: nothing of it is told any more.
            let next = |context: &mut Context<'_>| match read.upgrade() {
                // The borrow ends before the event is told, which may lead back here.
                Some(http) => http.borrow_mut().poll(context).map(Some),
                None => Poll::Ready(None),
            };
            while let Some(heard) = poll_fn(next).await {
                match heard {
                    Ok(event) => say(&link, Input::Frame(event)),
                    Err(Lost) => return say(&link, Input::Closed { code: close::ABNORMAL }),
                }
            }
        });
        Self { http, _reading: reading }
    }
}

/// A `WebSocket` that says nothing more once it is dropped.
pub(super) struct Socket {
    inner: WebSocket,
    _on_open: Closure<dyn FnMut()>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    pub(super) fn open(url: &str, link: &Weak<Inner>) -> Result<Self, JsValue> {
        Ok(Self::adopt(WebSocket::new(url)?, link))
    }

    /// Takes a socket over for a link.
    pub(super) fn adopt(inner: WebSocket, link: &Weak<Inner>) -> Self {
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
        Self { inner, _on_open: on_open, _on_message: on_message, _on_close: on_close }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        silence(&self.inner);
    }
}

/// Closes a socket that nobody listens to any more.
fn silence(socket: &WebSocket) {
    socket.set_onopen(None);
    socket.set_onmessage(None);
    socket.set_onclose(None);
    // It fails only for a code that a page may not send; none is given.
    drop(socket.close());
}

fn event(message: &MessageEvent) -> Event {
    let text = message.data().as_string();
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Event::Unknown)
}

/// A better transport that works.
pub(super) enum Climbed {
    /// With the server's first word.
    Socket(WebSocket, Event),
    Http(Http),
}

/// Tries the transports above this one, from the best down.
pub(super) async fn climb(from: Transport, url: String, rest: Rest) -> Option<Climbed> {
    if let Some((socket, event)) = speaking(&url).await {
        return Some(Climbed::Socket(socket, event));
    }
    if from >= Transport::Sse {
        return None;
    }
    open(rest, Transport::Sse).await.ok().map(Climbed::Http)
}

/// A new socket on which the server has spoken.
async fn speaking(url: &str) -> Option<(WebSocket, Event)> {
    let candidate = Candidate(Some(WebSocket::new(url).ok()?));
    let socket = candidate.0.as_ref()?;
    let first = Promise::new(&mut |resolve: Function, reject: Function| {
        socket.set_onmessage(Some(&resolve));
        socket.set_onclose(Some(&reject));
    });
    let first = within(WITHIN, JsFuture::from(first)).await?.ok()?;
    match event(first.dyn_ref()?) {
        established @ Event::ConnectionEstablished(_) => Some((candidate.take()?, established)),
        _ => None,
    }
}

/// A socket that is closed unless it is taken.
struct Candidate(Option<WebSocket>);

impl Candidate {
    fn take(mut self) -> Option<WebSocket> {
        self.0.take()
    }
}

impl Drop for Candidate {
    fn drop(&mut self) {
        self.0.iter().for_each(silence);
    }
}

/// Why HTTP did not open.
pub(super) struct NotOpened {
    /// `None` when the server answered, and said no to who we are.
    pub(super) fault: Option<Fault>,
    /// What a socket would have been closed with.
    pub(super) code: u16,
}

pub(super) async fn open(rest: Rest, transport: Transport) -> Result<Http, NotOpened> {
    let not = |fault, code| Err(NotOpened { fault, code });
    let limit = if transport == Transport::Sse { QUIET } else { WITHIN };
    match within(limit, Http::open(rest, transport)).await {
        None => not(Some(Fault::Silent), close::ABNORMAL),
        Some(Ok(http)) => Ok(http),
        Some(Err(RestError::Refused(body))) if body.code == ErrorCode::Unauthorized => {
            not(None, close::SESSION_EXPIRED)
        }
        Some(Err(RestError::Refused(body))) if body.code == ErrorCode::Forbidden => {
            not(None, close::FORBIDDEN)
        }
        Some(Err(_)) => not(Some(Fault::Refused), close::ABNORMAL),
    }
}

/// Whether a plain request is answered.
pub(super) async fn reachable(rest: Rest) -> bool {
    within(ANSWER, rest.health()).await.is_some_and(|health| health.is_ok())
}

async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), pin!(sleep(limit))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}
