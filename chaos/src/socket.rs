//! Reads with the real follow algorithm on a bare socket. What comes over it is checked record by
//! record (B8.1, B8.13), and the algorithm must make the same of it.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use unbroken_client::native::raw::{RawError, Socket};
use unbroken_client::{Hint, Input, Machine, Output, Update};
use unbroken_protocol::limits::close;
use unbroken_protocol::{ClientFrame, Event};

use crate::reader::{Reader, Watched};
use crate::track::Joined;
use crate::{native, old};

/// The algorithm itself notices silence; this is only a bound.
const SILENCE: Duration = Duration::from_mins(10);

pub(crate) async fn read(watched: &Watched, reader: &Reader, joined: &Joined) {
    let config = native::config(&watched.device, native::seed(watched, joined));
    let mut driver = Driver {
        watched,
        reader,
        machine: Machine::new(config),
        origin: Instant::now(),
        socket: None,
        asked: false,
        text: String::new(),
        reasoning: String::new(),
    };
    driver.handle(Input::Start).await;
    driver.handle(Input::Follow(native::target(watched, joined))).await;
    let mut calm = watched.world.calm.subscribe();
    loop {
        let wake = driver.machine.next_wake().map(|at| driver.origin + at);
        tokio::select! {
            biased;
            input = next(&mut driver.socket) => driver.hear(input).await,
            Ok(()) = calm.changed() => driver.handle(Input::Hint(Hint::Online)).await,
            () = sleep_until(wake.unwrap_or(driver.origin)), if wake.is_some() => {
                driver.handle(Input::Wake).await;
            }
        }
    }
}

struct Driver<'a> {
    watched: &'a Watched,
    reader: &'a Reader,
    machine: Machine,
    origin: Instant,
    socket: Option<Socket>,
    /// A follow was sent; records of an earlier one may come until it is answered.
    asked: bool,
    /// What the algorithm shows.
    text: String,
    reasoning: String,
}

/// What a socket says next; nothing for ever without one. Cancel safe.
async fn next(socket: &mut Option<Socket>) -> Input {
    let Some(open) = socket else { return std::future::pending().await };
    match open.next_event(SILENCE).await {
        Ok(value) => Input::Frame(serde_json::from_value(value).unwrap_or(Event::Unknown)),
        Err(error) => {
            *socket = None;
            let code = match error {
                RawError::Closed(code) => code,
                _ => close::ABNORMAL,
            };
            Input::Closed { code }
        }
    }
}

impl Driver<'_> {
    async fn hear(&mut self, input: Input) {
        match &input {
            Input::Frame(event) => self.take(event),
            Input::Closed { code } => {
                self.watched.lost_connection(self.reader, &format!("closed with {code}"));
            }
            _ => {}
        }
        self.handle(input).await;
        self.compare();
    }

    fn take(&mut self, event: &Event) {
        match event {
            Event::Unknown => self.reader.breaks("a frame is no event".into()),
            Event::Following(_) => self.asked = false,
            _ => {}
        }
        let is_own = of(event).is_none_or(|id| id == self.watched.ids.generation);
        if is_own && !(self.asked && event.record().is_some()) {
            self.watched.take(self.reader, event);
        }
    }

    /// What came over the socket is what is held and shown.
    fn compare(&self) {
        let sight = self.reader.sight();
        let track = &sight.track;
        let held = self.machine.held(self.watched.ids.generation);
        let differs = held.is_some_and(|held| held != (track.at, track.chars()))
            || self.text != track.text
            || self.reasoning != track.reasoning;
        let (at, chars) = (track.at, track.chars());
        drop(sight);
        if differs {
            let rule = format!("the client holds {held:?} of what came up to {at}, {chars}");
            self.reader.breaks(rule);
        }
    }

    async fn handle(&mut self, input: Input) {
        self.machine.handle(input, self.origin.elapsed());
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Connect => self.connect().await,
                Output::Disconnect => self.socket = None,
                Output::Send(frame) => {
                    self.asked |= matches!(frame.frame, ClientFrame::Follow(_));
                    self.send(&frame).await;
                }
                Output::Update(id, update) if id == self.watched.ids.generation => {
                    self.update(update);
                }
                Output::Status(_) | Output::Update(..) | Output::Notice(_) => {}
            }
        }
    }

    async fn connect(&mut self) {
        self.socket = old::connect(&self.watched.world).await.ok();
        let input = match self.socket {
            Some(_) => Input::Opened,
            None => Input::Closed { code: close::ABNORMAL },
        };
        self.machine.handle(input, self.origin.elapsed());
    }

    async fn send(&mut self, frame: &unbroken_protocol::Incoming) {
        let Some(socket) = &mut self.socket else { return };
        if socket.send_json(frame).await.is_err() {
            self.socket = None;
            let input = Input::Closed { code: close::ABNORMAL };
            self.machine.handle(input, self.origin.elapsed());
        }
    }

    fn update(&mut self, update: Update) {
        match update {
            Update::Text { text } => self.text.push_str(&text),
            Update::Reasoning { text, .. } => self.reasoning.push_str(&text),
            Update::Replace { content, .. } => {
                let bytes = content.len();
                self.reader.breaks(format!("the text was replaced by one of {bytes} bytes"));
            }
            Update::Lost { code, message } => {
                self.reader.breaks(format!("lost: {code:?} {message}"));
            }
            _ => {}
        }
    }
}

/// The generation of an event that has one.
fn of(event: &Event) -> Option<unbroken_protocol::GenerationId> {
    match event {
        Event::Following(event) => Some(event.generation_id),
        Event::GenerationStarted(event) => Some(event.generation_id),
        _ => None,
    }
}
