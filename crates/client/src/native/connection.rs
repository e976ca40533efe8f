//! A task that owns a machine and its WebSocket, and a handle to it.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use unbroken_protocol::limits::close;
use unbroken_protocol::{DeviceId, Event, GenerationId, SessionId};

use super::tls;
use crate::io::{Config, Hint, Input, Output, Target};
use crate::machine::Machine;

/// Commands and outputs that may wait. While outputs wait the socket is not read, so a slow caller
/// is sent larger frames by the server and needs no more memory here.
const WAITING: usize = 64;
/// How long a frame may take to leave, or the other side to say goodbye.
const SEND: Duration = Duration::from_secs(5);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A live connection. Reconnects by itself until it is closed or dropped.
#[derive(Debug)]
pub struct Connection {
    inputs: mpsc::Sender<Input>,
    outputs: mpsc::Receiver<Output>,
    task: JoinHandle<()>,
}

impl Connection {
    /// Connects to `url`, such as `ws://127.0.0.1:8484/ws`. Call inside a tokio runtime.
    pub fn open(url: &str, config: Config) -> Self {
        tls::install();
        let (inputs, commands) = mpsc::channel(WAITING);
        let (events, outputs) = mpsc::channel(WAITING);
        let driver = Driver {
            url: url.to_owned(),
            machine: Machine::new(config),
            origin: Instant::now(),
            transport: Transport::None,
            commands,
            pending: VecDeque::new(),
        };
        Self { inputs, outputs, task: tokio::spawn(driver.run(events)) }
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
        let Self { inputs, outputs, task } = self;
        drop((inputs, outputs));
        // It cannot have failed but by a panic, which has been printed.
        drop(task.await);
    }

    /// The task ends only with this handle.
    async fn say(&self, input: Input) {
        drop(self.inputs.send(input).await);
    }
}

enum Transport {
    None,
    Opening(BoxFuture<'static, Result<Socket, Error>>),
    Open(Box<Socket>),
}

impl Transport {
    /// What it says next; nothing for ever while there is none.
    async fn next(&mut self) -> Input {
        match self {
            Self::None => std::future::pending().await,
            Self::Opening(opening) => match opening.await {
                Ok(socket) => {
                    *self = Self::Open(Box::new(socket));
                    Input::Opened
                }
                Err(_) => self.closed(close::ABNORMAL),
            },
            Self::Open(socket) => match socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    Input::Frame(serde_json::from_str(&text).unwrap_or(Event::Unknown))
                }
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.map_or(1005, |frame| frame.code.into());
                    self.closed(code)
                }
                Some(Ok(_)) => Input::Frame(Event::Unknown),
                Some(Err(_)) | None => self.closed(close::ABNORMAL),
            },
        }
    }

    fn closed(&mut self, code: u16) -> Input {
        *self = Self::None;
        Input::Closed { code }
    }
}

struct Driver {
    url: String,
    machine: Machine,
    origin: Instant,
    transport: Transport,
    commands: mpsc::Receiver<Input>,
    /// For the caller, who has not taken them yet.
    pending: VecDeque<Output>,
}

impl Driver {
    async fn run(mut self, events: mpsc::Sender<Output>) {
        self.handle(Input::Start).await;
        loop {
            let wake = self.machine.next_wake().map(|at| self.origin + at);
            tokio::select! {
                // Frames before the clock: what arrived while the caller was slow is a sign of life.
                biased;
                command = self.commands.recv() => match command {
                    Some(input) => self.handle(input).await,
                    None => break,
                },
                permit = events.reserve(), if !self.pending.is_empty() => match permit {
                    Ok(permit) => permit.send(self.pending.pop_front().expect("one waits")),
                    Err(_) => break,
                },
                input = self.transport.next(), if self.pending.is_empty() => {
                    self.handle(input).await;
                }
                () = sleep_until(wake.unwrap_or(self.origin)),
                    if wake.is_some() && self.pending.is_empty() =>
                {
                    self.handle(Input::Wake).await;
                }
            }
        }
        if let Transport::Open(socket) = &mut self.transport {
            // A server that does not answer has no use for a goodbye.
            drop(timeout(SEND, WebSocketStream::close(socket, None)).await);
        }
    }

    async fn handle(&mut self, input: Input) {
        self.machine.handle(input, self.origin.elapsed());
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Connect => self.transport = self.opening(),
                Output::Disconnect => self.transport = Transport::None,
                Output::Send(frame) => self.send(&frame).await,
                output => self.pending.push_back(output),
            }
        }
    }

    fn opening(&self) -> Transport {
        let url = self.url.clone();
        // A snapshot or an end holds a whole answer, which has no limit.
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let opening = async move {
            let (socket, _) = connect_async_with_config(url, Some(config), true).await?;
            Ok(socket)
        };
        Transport::Opening(opening.boxed())
    }

    async fn send(&mut self, frame: &unbroken_protocol::Incoming) {
        let Transport::Open(socket) = &mut self.transport else { return };
        let text = serde_json::to_string(frame).expect("a frame is JSON");
        let sent = timeout(SEND, socket.send(Message::text(text))).await;
        if !matches!(sent, Ok(Ok(()))) {
            self.transport = Transport::None;
            self.machine.handle(Input::Closed { code: close::ABNORMAL }, self.origin.elapsed());
        }
    }
}
