//! `unbroken load`: many answers at once against a server, what arrived of them, and what they cost.
//!
//! The model behind the server must count, as the stand-in's `numbers` does: so loss, doubling and
//! order are seen, and with `stamp=1` how long each token took.

mod address;
mod answer;
mod buffer;
mod chunk;
mod clock;
mod count;
mod error;
mod events;
mod http;
mod over_http;
mod over_socket;
mod person;
mod process;
mod progress;
mod report;
mod run;
mod tally;
mod websocket;

use std::rc::Rc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;
use tokio::runtime;
use tokio::task::{LocalSet, spawn_local};

pub use error::LoadError;
pub use process::Memory;
pub use report::{Footprint, Latencies, Readings, Report, Span, Spread, Tokens};

use address::Address;
use clock::nanos;
use over_socket::{Group, Role, Seat};
use process::Processes;
use report::{Sample, seconds};
use run::Run;
use tally::Tally;

/// How long nothing may move before a load is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ask for many answers at once and say how they arrive and what they cost
#[derive(Args, Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Load {
    /// The server, or for --transport openai the address before /chat/completions
    #[arg(default_value_t = Self::default().target)]
    pub target: String,
    /// How answers are read
    #[arg(long, value_enum, default_value_t)]
    pub transport: Transport,
    /// How many answers
    #[arg(long, default_value_t = Self::default().answers)]
    pub answers: usize,
    /// Over how many sockets, 64 answers at most on each [default: one for each answer]
    #[arg(long)]
    pub sockets: Option<usize>,
    /// How many sockets read each answer
    #[arg(long, default_value_t = 1, conflicts_with = "sockets")]
    pub followers: usize,
    /// Tokens in an answer
    #[arg(long, default_value_t = Self::default().tokens)]
    pub tokens: u64,
    /// Tokens a second in an answer; 0 is as fast as possible
    #[arg(long, default_value_t = Self::default().rate)]
    pub rate: u32,
    /// How many answers are asked for in a second
    #[arg(long, default_value_t = Self::default().starts)]
    pub starts: u32,
    /// Cut every connection in the middle of it all, and come back at once
    #[arg(long)]
    pub cut: bool,
    /// With --cut on sockets: come back as a page does that is loaded anew, and read it all again
    #[arg(long, requires = "cut")]
    pub reload: bool,
    /// A model that counts to --tokens [default: the stand-in's numbers with --tokens and --rate]
    #[arg(long)]
    pub model: Option<String>,
    /// What the server asks for: the key of an endpoint of OpenAI's kind, else the access code
    #[arg(long, env = "UNBROKEN_LOAD_KEY", hide_env_values = true)]
    #[serde(skip)]
    pub key: Option<String>,
    /// The server's processes [default: those of this machine that listen on its port]
    #[arg(long)]
    pub pid: Vec<u32>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// WebSocket
    #[default]
    Socket,
    /// Server-sent events
    Sse,
    /// Long polls
    Poll,
    /// Chat completions of any endpoint of OpenAI's kind
    Openai,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            target: "http://127.0.0.1:8484".into(),
            transport: Transport::default(),
            answers: 100,
            sockets: None,
            followers: 1,
            tokens: 200,
            rate: 20,
            starts: 500,
            cut: false,
            reload: false,
            model: None,
            key: None,
            pid: Vec::new(),
            json: false,
        }
    }
}

impl Load {
    /// Puts the load on the server. Returns once every answer has ended or nothing moves any more.
    pub fn run(&self) -> Result<Report, LoadError> {
        let address = self.check()?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(LoadError::Start)?;
        raise_open_files();
        let run = Rc::new(Run::new(self.clone(), address));
        Ok(LocalSet::new().block_on(&runtime, measure(run)))
    }

    fn check(&self) -> Result<Address, LoadError> {
        if self.answers == 0 || self.tokens == 0 || self.followers == 0 || self.sockets == Some(0) {
            return Err(LoadError::Plan("answers, tokens, followers and sockets begin at 1"));
        }
        let is_on_sockets = self.sockets.is_some() || self.followers > 1;
        if is_on_sockets && self.transport != Transport::Socket {
            return Err(LoadError::Plan("--sockets and --followers go with --transport socket"));
        }
        if self.cut && self.transport == Transport::Openai {
            return Err(LoadError::Plan("nobody goes on reading an answer of OpenAI's kind"));
        }
        if self.reload && (!self.cut || self.transport != Transport::Socket) {
            return Err(LoadError::Plan("--reload goes with --cut and --transport socket"));
        }
        Address::parse(&self.target)
    }

    fn model(&self) -> String {
        let Self { tokens, rate, .. } = self;
        let numbers = || format!("numbers:tokens={tokens},rate={rate},stamp=1");
        self.model.clone().unwrap_or_else(numbers)
    }
}

async fn measure(run: Rc<Run>) -> Report {
    let server = match run.plan.pid.as_slice() {
        [] => Processes::listening_on(run.address.port),
        given => Processes::new(given.to_vec()),
    };
    let tool = Processes::this();
    let began = nanos();
    let idle = server.memory();
    let connections = seat(&run);
    let watching = watch(&run, connections, &server, &tool);
    let spans = tokio::select! {
        spans = watching => Some(spans),
        () = progress::until_still(&run.tally, PATIENCE) => {
            run.tally.error(&LoadError::Silence(PATIENCE.as_secs()).to_string());
            None
        }
    };
    progress::clear();
    let footprint = idle
        .zip(server.memory())
        .map(|(idle, end)| Footprint::new(idle, spans.as_ref().map(|spans| &spans.steady.1), end));
    let Run { plan, model, tally, .. } = &*run;
    Report {
        load: plan.clone(),
        model: model.clone(),
        seconds: seconds(nanos().saturating_sub(began)),
        readings: Readings::of(tally),
        tokens: Tokens::of(tally),
        milliseconds: Latencies::of(tally),
        steady: spans.as_ref().and_then(|spans| Span::between(&spans.steady)),
        whole: spans.as_ref().and_then(|spans| Span::between(&spans.whole)),
        memory: footprint,
        errors: tally.errors.take(),
    }
}

/// Starts a task for every connection, and says how many there are.
fn seat(run: &Rc<Run>) -> u64 {
    let Load { transport, answers, sockets, followers, .. } = run.plan;
    let mut seats = 0;
    if transport != Transport::Socket {
        for number in 0..answers {
            spawn_local(over_http::read(run.clone(), number));
        }
        return answers as u64;
    }
    let sockets = sockets.unwrap_or(answers).min(answers);
    for number in 0..sockets {
        let group = Group::new(number);
        let mut roles = vec![Role::Asks((number..answers).step_by(sockets).collect())];
        roles.extend((1..followers).map(|_| Role::ReadsAlong));
        for role in roles {
            let (run, group) = (run.clone(), group.clone());
            spawn_local(over_socket::read(Seat { run, group, role }));
            seats += 1;
        }
    }
    seats
}

/// Begins and ends.
struct Spans {
    steady: (Sample, Sample),
    whole: (Sample, Sample),
}

/// Lets the answers begin, and returns when they have ended.
async fn watch(run: &Run, connections: u64, server: &Processes, tool: &Processes) -> Spans {
    let tally = &run.tally;
    tally.until(|tally| tally.ready.get() >= connections).await;
    let first = sample(run, server, tool);
    run.go();
    tally.until(|t| t.speaking.get() >= t.readings || t.ended.get() > 0).await;
    let begin = sample(run, server, tool);
    if run.plan.cut {
        tally.until(|tally| tally.is_half_way() || tally.has_ended()).await;
        run.cut_everything();
    }
    if tally.ended.get() == 0 {
        tally.until(|tally| tally.ended.get() > 0).await;
    } else {
        tally.until(|tally| tally.asked.get() >= tally.readings).await;
    }
    let end = sample(run, server, tool);
    tally.until(Tally::has_ended).await;
    Spans { steady: (begin, end), whole: (first, sample(run, server, tool)) }
}

fn sample(run: &Run, server: &Processes, tool: &Processes) -> Sample {
    let tally = &run.tally;
    let cpu = |of: &Processes| of.cpu().map(|time| time.as_secs_f64());
    Sample {
        nanos: nanos(),
        tokens: tally.tokens.get(),
        bytes: tally.bytes.get(),
        events: tally.events.get(),
        asked: tally.asked.get(),
        alive: (tally.asked.get() - tally.ended.get()).div_ceil(run.plan.followers as u64),
        server_cpu: cpu(server),
        tool_cpu: cpu(tool),
        memory: server.memory(),
    }
}

/// Every connection is an open file, and the soft limit is often 1,024.
fn raise_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where it cannot be raised, the connections beyond it fail and say so.
    let _ = setrlimit(Resource::Nofile, limit);
}
