//! Answers over WebSockets (PROTOCOL A3, B2): one connection asks and reads, others may read along.

use std::future::pending;
use std::rc::Rc;

use serde_json::{Value, json};
use tokio::sync::{OnceCell, watch};
use tokio::time::{Instant, sleep_until};
use unbroken_protocol::{ClientFrame, Follow, Incoming, StreamChat, path};

use super::LoadError;
use super::clock::nanos;
use super::events::Reader;
use super::person::Person;
use super::run::Run;
use super::tally::add;
use super::websocket::{Frame, WebSocket};

/// The connections of one person.
#[derive(Default)]
pub(super) struct Group {
    pub(super) number: usize,
    person: OnceCell<Person>,
    /// The generation that was asked for, for those who read along.
    asked: watch::Sender<String>,
}

/// One connection, and what it is for.
pub(super) struct Seat {
    pub(super) run: Rc<Run>,
    pub(super) group: Rc<Group>,
    pub(super) role: Role,
}

pub(super) enum Role {
    /// Asks for the answers of these numbers, in order, and reads them.
    Asks(Vec<usize>),
    /// Reads the one that its group asked for.
    ReadsAlong,
}

impl Group {
    pub(super) fn new(number: usize) -> Rc<Self> {
        Rc::new(Self { number, ..Self::default() })
    }

    async fn person(&self, run: &Run) -> Result<&Person, LoadError> {
        self.person.get_or_try_init(|| Person::new(run, self.number)).await
    }
}

impl Seat {
    fn readings(&self) -> usize {
        match &self.role {
            Role::Asks(answers) => answers.len(),
            Role::ReadsAlong => 1,
        }
    }
}

/// Takes a seat until all its answers have ended. A failure is in the tally.
pub(super) async fn read(seat: Seat) {
    let run = seat.run.clone();
    let readings = seat.readings();
    let mut reader = Reader::new(run.clone());
    let opened = open(&run, &seat.group).await;
    run.tally.step(&run.tally.ready);
    let read = match opened {
        Ok(socket) => {
            Connection { run: &run, seat: &seat, socket, reader: &mut reader }.read().await
        }
        Err(error) => Err(error),
    };
    if let Err(error) = read {
        while reader.answers.len() < readings {
            reader.ask();
        }
        reader.fail(&error);
    }
}

/// A connection on which `hello` was said.
async fn open(run: &Run, group: &Group) -> Result<WebSocket, LoadError> {
    let person = group.person(run).await?;
    let mut socket = WebSocket::connect(&run.address, path::SOCKET).await?;
    let hello = json!({
        "routeKey": "hello",
        "version": 1,
        "capabilities": [],
        "device_id": person.device_id,
        "session_id": person.session_id,
    });
    socket.send(&hello.to_string()).await?;
    Ok(socket)
}

fn written(req: Option<Value>, frame: ClientFrame) -> String {
    json!(Incoming { req, frame }).to_string()
}

struct Connection<'a> {
    run: &'a Rc<Run>,
    seat: &'a Seat,
    socket: WebSocket,
    reader: &'a mut Reader,
}

impl Connection<'_> {
    async fn read(mut self) -> Result<(), LoadError> {
        let mut cuts = self.run.cuts();
        let mut is_cut = false;
        if matches!(self.seat.role, Role::ReadsAlong) {
            self.read_along().await?;
        }
        let mut turn = self.next_turn().await;
        while turn.is_some() || !self.reader.has_ended() {
            tokio::select! {
                biased;
                () = at(turn) => {
                    self.run.tally.late(turn);
                    self.ask().await?;
                    turn = self.next_turn().await;
                }
                _ = cuts.wait_for(|cut| *cut), if !is_cut => {
                    is_cut = true;
                    self.come_back().await?;
                }
                filled = self.socket.fill() => {
                    add(&self.run.tally.bytes, filled? as u64);
                    self.take().await?;
                }
            }
        }
        Ok(())
    }

    async fn next_turn(&self) -> Option<Instant> {
        let Role::Asks(numbers) = &self.seat.role else { return None };
        let number = *numbers.get(self.reader.answers.len())?;
        Some(self.run.turn(number).await)
    }

    async fn ask(&mut self) -> Result<(), LoadError> {
        let req = json!(self.reader.answers.len());
        let chat = StreamChat {
            message: "Count, please.".into(),
            model_id: Some(self.run.model.clone()),
            ..StreamChat::default()
        };
        let text = written(Some(req), ClientFrame::StreamChat(Box::new(chat)));
        self.reader.ask();
        self.socket.send(&text).await
    }

    async fn read_along(&mut self) -> Result<(), LoadError> {
        let mut asked = self.seat.group.asked.subscribe();
        let asked = asked.wait_for(|id| !id.is_empty()).await;
        let generation = asked.map(|id| id.clone()).unwrap_or_default();
        self.reader.ask().generation = generation;
        self.follow().await
    }

    /// Follows everything that has not ended, from where it stands.
    async fn follow(&mut self) -> Result<(), LoadError> {
        let open = self.reader.answers.iter().filter(|answer| !answer.has_ended);
        for answer in open {
            let follow = Follow {
                generation_id: Some(answer.generation.clone()),
                after_seq: answer.seq,
                epoch: (answer.epoch > 0).then_some(answer.epoch),
                ..Follow::default()
            };
            self.socket.send(&written(None, ClientFrame::Follow(follow))).await?;
        }
        Ok(())
    }

    async fn come_back(&mut self) -> Result<(), LoadError> {
        let now = nanos();
        for answer in &mut self.reader.answers {
            answer.cut(now);
            if self.run.plan.reload {
                answer.forget();
            }
        }
        self.socket = open(self.run, &self.seat.group).await?;
        self.follow().await
    }

    /// Takes every frame that is here.
    async fn take(&mut self) -> Result<(), LoadError> {
        let now = nanos();
        let mut ping = None;
        while let Some(frame) = self.socket.next()? {
            match frame {
                Frame::Text(text) => self.reader.take(text, now)?,
                Frame::Ping(payload) => ping = Some(payload.to_vec()),
                Frame::Close(code) => return Err(LoadError::Closed(code)),
                Frame::Other => {}
            }
        }
        if let Some(payload) = ping {
            self.socket.pong(&payload).await?;
        }
        self.tell_group();
        Ok(())
    }

    fn tell_group(&self) {
        let asked = &self.seat.group.asked;
        if asked.receiver_count() > 0
            && asked.borrow().is_empty()
            && let Some(answer) = self.reader.answers.first()
        {
            asked.send_replace(answer.generation.clone());
        }
    }
}

async fn at(turn: Option<Instant>) {
    match turn {
        Some(turn) => sleep_until(turn).await,
        None => pending().await,
    }
}
