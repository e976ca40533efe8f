//! One person's live connection to the server and the generations that it follows.
//!
//! Does no input or output and has no clock: events and times go in, and what comes out is done by
//! `native`, by `browser` or by a test.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::Value;
use unbroken_protocol::{
    Capability, ClientFrame, Continue, ErrorCode, ErrorFrame, Event, GenerationId, Heartbeat,
    Hello, Incoming, Ping, Position,
};

use crate::follow::{Cursor, Next};
use crate::io::{Config, Input, Output, Status, Target, Update};
use crate::link::{Link, Step};

/// How long after a refusal that passes a generation is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// The follow algorithm (PROTOCOL B2, B3). After every [`Machine::handle`], take the outputs until
/// there is none, and call again at [`Machine::next_wake`] at the latest.
#[derive(Debug)]
pub struct Machine {
    config: Config,
    link: Link,
    followed: BTreeMap<GenerationId, Cursor>,
    /// Follows of a conversation's newest generation, whose id is not known yet.
    seeking: Vec<Cursor>,
    /// Stops and continuations that the server has not confirmed, by their tag. Sent again after a
    /// reconnect.
    commands: BTreeMap<u64, ClientFrame>,
    /// The place up to which notices were heard; empty before the first.
    noticed: String,
    /// The tag of this connection's `hello`.
    hello: u64,
    last_req: u64,
    status: Option<Status>,
    outputs: VecDeque<Output>,
}

impl Machine {
    pub fn new(mut config: Config) -> Self {
        if !config.capabilities.contains(&Capability::Heartbeat) {
            config.capabilities.push(Capability::Heartbeat);
        }
        Self {
            link: Link::new(config.seed),
            config,
            followed: BTreeMap::new(),
            seeking: Vec::new(),
            commands: BTreeMap::new(),
            noticed: String::new(),
            hello: 0,
            last_req: 0,
            status: None,
            outputs: VecDeque::new(),
        }
    }

    /// `now` counts from any moment, and never goes back.
    pub fn handle(&mut self, input: Input, now: Duration) {
        match input {
            Input::Start => {
                let step = self.link.start(now);
                self.carry_out(step, now);
            }
            Input::Close => {
                let step = self.link.close();
                self.carry_out(step, now);
            }
            Input::Opened => self.link.opened(now),
            Input::Frame(event) => self.frame(event, now),
            Input::Closed { code } => {
                self.link.closed(code, now);
                self.disconnected();
            }
            Input::Moved => {
                self.link.moved(now);
                self.disconnected();
            }
            Input::Hint(hint) => {
                let step = self.link.hint(hint, now);
                self.carry_out(step, now);
            }
            Input::Wake => self.wake(now),
            Input::Follow(target) => self.follow(&target),
            Input::Unfollow(id) => self.unfollow(id),
            Input::Stop(id) => self.command(ClientFrame::Stop(target(id))),
            Input::Continue(id, key) => self.command(ClientFrame::Continue(Continue {
                generation_id: id.to_string(),
                client_message_id: Some(key.to_string()),
            })),
            Input::Ping { t } => {
                if self.link.is_open() {
                    self.send(None, ClientFrame::Ping(Ping { t: t.into() }));
                }
            }
            Input::Credentials { device_id, session_id } => {
                let changed =
                    self.config.device_id != device_id || self.config.session_id != session_id;
                self.config.device_id = device_id;
                self.config.session_id = session_id;
                if changed {
                    self.noticed.clear();
                }
                let step = self.link.credentials(changed, now);
                self.carry_out(step, now);
            }
        }
        self.tell_status();
    }

    /// When to say [`Input::Wake`] if nothing else happens before.
    pub fn next_wake(&self) -> Option<Duration> {
        let retries = self.followed.values().chain(&self.seeking).filter_map(|c| c.retry_at);
        self.link.next_wake().into_iter().chain(retries).min()
    }

    /// Whether there is, or is going to be, a connection.
    pub(crate) fn wants_connection(&self) -> bool {
        self.link.is_wanted()
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What is held of a followed generation: its position, and the length of its visible text in
    /// Unicode scalar values.
    pub fn held(&self, id: GenerationId) -> Option<(Position, u64)> {
        self.followed.get(&id).map(Cursor::held)
    }

    fn carry_out(&mut self, step: Step, now: Duration) {
        match step {
            Step::Nothing => {}
            Step::Connect => self.outputs.push_back(Output::Connect),
            Step::Reconnect => {
                self.disconnected();
                self.outputs.push_back(Output::Disconnect);
                self.outputs.push_back(Output::Connect);
            }
            Step::Drop => {
                self.disconnected();
                self.outputs.push_back(Output::Disconnect);
            }
            Step::Greet => self.greet(),
            Step::Probe => {
                let t = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
                let req = self.next_req();
                self.send(Some(req), ClientFrame::Ping(Ping { t: t.into() }));
            }
        }
    }

    /// Everything at once, without waiting for answers: one round trip until text flows again.
    fn greet(&mut self) {
        self.hello = self.next_req();
        let hello = ClientFrame::Hello(Hello {
            version: 1,
            capabilities: self.config.capabilities.clone(),
            device_id: self.config.device_id.clone(),
            session_id: self.config.session_id.clone(),
            notices_after: Some(self.noticed.clone()),
            interval_ms: self
                .config
                .interval
                .map(|interval| u64::try_from(interval.as_millis()).unwrap_or(u64::MAX)),
        });
        self.send(Some(self.hello), hello);
        for (req, frame) in self.commands.clone() {
            self.send(Some(req), frame);
        }
        self.ask_where(|_| true);
    }

    fn disconnected(&mut self) {
        self.followed.values_mut().chain(&mut self.seeking).for_each(Cursor::disconnected);
    }

    fn wake(&mut self, now: Duration) {
        let step = self.link.wake(now);
        self.carry_out(step, now);
        if self.link.is_open() {
            self.ask_where(|cursor| cursor.retry_at.is_some_and(|at| at <= now));
        }
    }

    fn follow(&mut self, target: &Target) {
        let mut cursor = Cursor::new(target);
        if self.link.is_open() {
            self.ask(&mut cursor);
        }
        match target.generation_id {
            Some(id) => drop(self.followed.insert(id, cursor)),
            None => self.seeking.push(cursor),
        }
    }

    fn unfollow(&mut self, id: GenerationId) {
        if self.followed.remove(&id).is_some() && self.link.is_open() {
            self.send(None, ClientFrame::Unfollow(target(id)));
        }
    }

    fn command(&mut self, frame: ClientFrame) {
        let req = self.next_req();
        self.commands.insert(req, frame.clone());
        if self.link.is_open() {
            self.send(Some(req), frame);
        }
    }

    fn frame(&mut self, event: Event, now: Duration) {
        let step = self.link.frame(&event, now);
        self.carry_out(step, now);
        if !self.link.is_open() {
            return;
        }
        match event {
            Event::ConnectionEstablished(_) | Event::HelloOk(_) | Event::Unknown => {}
            Event::Heartbeat(heartbeat) => self.heartbeat(&heartbeat),
            Event::Pong(ref pong) if pong.req.is_some() => {}
            Event::Ok(done) => drop(self.confirm(done.req.as_ref())),
            Event::Error(error) => self.refusal(error, now),
            Event::Noticed(noticed) => {
                self.noticed.clone_from(&noticed.after);
                if noticed.missed {
                    self.outputs.push_back(Output::Notice(Event::Noticed(noticed)));
                }
            }
            event => {
                self.adopt(&event);
                match generation_of(&event) {
                    Some(id) => self.update(id, event),
                    None => self.outputs.push_back(Output::Notice(event)),
                }
            }
        }
    }

    /// A follow of the newest generation learns which one that is.
    fn adopt(&mut self, event: &Event) {
        let Event::Following(following) = event else { return };
        let req = following.req.as_ref();
        if let Some(index) = self.seeking.iter().position(|cursor| cursor.asked(req)) {
            let cursor = self.seeking.swap_remove(index);
            self.followed.insert(following.generation_id, cursor);
        }
    }

    fn update(&mut self, id: GenerationId, event: Event) {
        let Some(cursor) = self.followed.get_mut(&id) else { return };
        let mut updates = Vec::new();
        let next = cursor.take(event, &mut updates);
        self.outputs.extend(updates.into_iter().map(|update| Output::Update(id, update)));
        match next {
            Next::Stay => {}
            Next::Follow => self.ask_again(id),
            Next::Forget => self.forget(id),
        }
    }

    fn heartbeat(&mut self, heartbeat: &Heartbeat) {
        let late: Vec<_> = self
            .followed
            .iter_mut()
            .filter_map(|(id, cursor)| {
                let next = cursor.heartbeat(heartbeat.heads.get(id).copied());
                (next == Next::Follow).then_some(*id)
            })
            .collect();
        for id in late {
            self.ask_again(id);
        }
    }

    fn refusal(&mut self, error: ErrorFrame, now: Duration) {
        let req = error.req.as_ref();
        if error.code == ErrorCode::Unauthorized || req.and_then(Value::as_u64) == Some(self.hello)
        {
            let step = self.link.refused(error.code, now);
            self.outputs.push_back(Output::Notice(Event::Error(error)));
            return self.carry_out(step, now);
        }
        if self.confirm(req).is_some() {
            return self.outputs.push_back(Output::Notice(Event::Error(error)));
        }
        let asked = self.followed.iter().find(|(_, cursor)| cursor.asked(req)).map(|(id, _)| *id);
        let id = asked.or(error.generation_id).filter(|id| self.followed.contains_key(id));
        match id {
            Some(id) if !error.retryable => {
                let lost = Update::Lost { code: error.code, message: error.message };
                self.outputs.push_back(Output::Update(id, lost));
                return self.forget(id);
            }
            Some(_) => {}
            None if error.retryable => {}
            None => self.seeking.retain(|cursor| !cursor.asked(req)),
        }
        // A follow that was refused for now; one that was taken stays with the server.
        let refused = self.followed.values_mut().chain(&mut self.seeking).find(|c| c.asked(req));
        if let Some(cursor) = refused {
            cursor.retry_at = Some(now.saturating_add(ASK_AGAIN));
        }
        self.outputs.push_back(Output::Notice(Event::Error(error)));
    }

    fn forget(&mut self, id: GenerationId) {
        self.followed.remove(&id);
        // What has ended needs no stop.
        self.commands.retain(|_, frame| *frame != ClientFrame::Stop(target(id)));
    }

    /// The command that this answers, which is not sent again.
    fn confirm(&mut self, req: Option<&Value>) -> Option<ClientFrame> {
        self.commands.remove(&req.and_then(Value::as_u64)?)
    }

    fn ask_again(&mut self, id: GenerationId) {
        if let Some(mut cursor) = self.followed.remove(&id) {
            self.ask(&mut cursor);
            self.followed.insert(id, cursor);
        }
    }

    fn ask_where(&mut self, wanted: impl Fn(&Cursor) -> bool) {
        let mut followed = std::mem::take(&mut self.followed);
        let mut seeking = std::mem::take(&mut self.seeking);
        for cursor in followed.values_mut().chain(&mut seeking).filter(|cursor| wanted(cursor)) {
            self.ask(cursor);
        }
        self.followed = followed;
        self.seeking = seeking;
    }

    fn ask(&mut self, cursor: &mut Cursor) {
        let req = self.next_req();
        self.send(Some(req), ClientFrame::Follow(cursor.request(req)));
    }

    fn next_req(&mut self) -> u64 {
        self.last_req += 1;
        self.last_req
    }

    fn send(&mut self, req: Option<u64>, frame: ClientFrame) {
        self.outputs.push_back(Output::Send(Incoming { req: req.map(Value::from), frame }));
    }

    fn tell_status(&mut self) {
        let status = self.link.status();
        if status != self.status {
            self.status = status;
            self.outputs.extend(status.map(Output::Status));
        }
    }
}

fn target(id: GenerationId) -> unbroken_protocol::Target {
    unbroken_protocol::Target { generation_id: id.to_string() }
}

/// The generation whose follower an event is for.
fn generation_of(event: &Event) -> Option<GenerationId> {
    match event {
        Event::Following(following) => Some(following.generation_id),
        Event::StreamStart(event) => Some(event.at.generation_id),
        Event::ContentChunk(event) => Some(event.at.generation_id),
        Event::StreamComplete(event) => Some(event.at.generation_id),
        Event::StreamError(event) => event.at.map(|at| at.generation_id),
        Event::Snapshot(event) => Some(event.at.generation_id),
        Event::GenerationState(event) => Some(event.at.generation_id),
        Event::ReasoningChunk(event) => Some(event.at.generation_id),
        Event::ToolEvent(event) => Some(event.at.generation_id),
        Event::SourceFound(event) => Some(event.at.generation_id),
        _ => None,
    }
}
