//! What everybody in a schedule shares: the state that survives processes, the process that runs,
//! and what was seen to be wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use unbroken_client::{Input, Target};
use unbroken_engine::{Clock, Engine, Settings};
use unbroken_protocol::{ConversationId, GenerationId, PrincipalId, Timestamp};
use unbroken_providers::{Catalogue, CatalogueSettings, Provider};
use unbroken_store::{Memory, Record, Store};

use crate::chance::Chance;
use crate::client::Shown;
use crate::model::Model;
use crate::trace::Trace;

/// The time of day at which every schedule begins.
const BEGIN: i64 = 1_800_000_000_000;

/// A process.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) engine: Engine,
    pub(crate) clock: Clock,
    /// The process is gone; what still runs of it is a zombie.
    pub(crate) dies: CancellationToken,
}

/// A turn that a person was told of.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) conversation: ConversationId,
    pub(crate) generation: GenerationId,
    /// Taken out of the queue, or deleted: nothing is promised of it.
    pub(crate) removed: bool,
    /// After a stop was answered: where the log ended.
    pub(crate) stopped_at: Option<u64>,
}

/// A client: what it shows, and how it is told what to do.
pub(crate) struct Device {
    pub(crate) shown: Arc<Mutex<Shown>>,
    pub(crate) commands: mpsc::UnboundedSender<Input>,
}

pub(crate) struct World {
    pub(crate) principal: PrincipalId,
    pub(crate) memory: Memory,
    pub(crate) store: Store,
    pub(crate) model: Arc<Model>,
    pub(crate) asked: Mutex<Vec<Asked>>,
    pub(crate) clients: Mutex<Vec<Device>>,
    state: Mutex<State>,
    begin: Instant,
}

struct State {
    chance: Chance,
    trace: Trace,
    node: Option<Node>,
    /// They must not be dropped: nobody closes a process that is paused.
    zombies: Vec<Node>,
    calm_since: Option<Instant>,
    /// How far the time of day is from where it would be.
    wall: i64,
    known: BTreeSet<GenerationId>,
    /// Text that is durable, as far as it was looked up.
    durable: BTreeMap<GenerationId, String>,
    wrong: Vec<String>,
    counts: Counts,
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub schedules: u64,
    pub crashes: u64,
    pub refusals: u64,
    pub jumps: u64,
    pub turns: u64,
    pub takeovers: u64,
    pub reconnects: u64,
    pub calls: u64,
    pub events: u64,
}

impl World {
    pub(crate) fn new(seed: u64, verbose: bool) -> Arc<Self> {
        let mut chance = Chance::new(seed);
        let memory = Memory::default();
        Arc::new(Self {
            principal: PrincipalId::from_bytes(chance.bytes()),
            store: Store::Memory(memory.clone()),
            memory,
            model: Arc::new(Model::new(chance.fork())),
            asked: Mutex::default(),
            clients: Mutex::default(),
            begin: Instant::now(),
            state: Mutex::new(State {
                chance,
                trace: Trace::new(verbose),
                node: None,
                zombies: Vec::new(),
                calm_since: None,
                wall: 0,
                known: BTreeSet::new(),
                durable: BTreeMap::new(),
                wrong: Vec::new(),
                counts: Counts { schedules: 1, ..Counts::default() },
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A source of chance for somebody who draws on its own.
    pub(crate) fn chance(&self) -> Chance {
        self.lock().chance.fork()
    }

    pub(crate) fn say(&self, who: &str, what: impl std::fmt::Display) {
        let at = self.begin.elapsed().as_millis();
        self.lock().trace.add(format!("{at:>7} {who}: {what}"));
    }

    pub(crate) fn name(&self, id: GenerationId) -> String {
        self.lock().trace.name(id)
    }

    pub(crate) fn wrong(&self, what: String) {
        self.say("ORACLE", &what);
        self.lock().wrong.push(what);
    }

    pub(crate) fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.lock().counts);
    }

    pub(crate) fn know(&self, id: GenerationId) {
        self.lock().known.insert(id);
    }

    pub(crate) fn known(&self) -> BTreeSet<GenerationId> {
        self.lock().known.clone()
    }

    pub(crate) fn result(&self) -> (u64, Counts, Vec<String>, Vec<String>) {
        let state = self.lock();
        let mut counts = state.counts;
        counts.events = state.trace.lines();
        (state.trace.hash(), counts, state.wrong.clone(), state.trace.tail())
    }

    /// From now on nothing goes wrong any more.
    pub(crate) fn calm(&self) {
        self.say("world", "calm");
        self.lock().calm_since = Some(Instant::now());
        self.model.calm();
        self.memory.refuse(false);
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.lock().calm_since.is_some()
    }

    /// Whether faults that were drawn for then happen.
    pub(crate) fn was_wild_at(&self, at: Instant) -> bool {
        self.lock().calm_since.is_none_or(|since| at < since)
    }

    pub(crate) fn node(&self) -> Option<Node> {
        self.lock().node.clone()
    }

    /// Starts a process on the state, as often as it takes.
    pub(crate) async fn start(&self) {
        loop {
            let (store, writer) = self.memory.open();
            let (wall, seed) = {
                let mut state = self.lock();
                (state.wall, state.chance.next())
            };
            let elapsed = i64::try_from(self.begin.elapsed().as_millis()).unwrap_or(i64::MAX);
            let clock = Clock::simulated(Timestamp::from_millis(BEGIN + wall + elapsed), seed);
            let provider: Arc<dyn Provider> = Arc::<Model>::clone(&self.model);
            let settings = CatalogueSettings::default();
            let catalogue = Arc::new(Catalogue::new(vec![provider], settings));
            catalogue.refresh().await;
            let settings = Settings { clock: clock.clone(), ..Settings::default() };
            match Engine::open(store, writer, catalogue, settings).await {
                Ok(engine) => {
                    self.say("world", "up");
                    let node = Node { engine, clock, dies: CancellationToken::new() };
                    self.lock().node = Some(node);
                    return;
                }
                Err(refusal) => self.say("world", format!("cannot start: {refusal}")),
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// The process is paused for good, in the middle of what it does. Its connections break, or
    /// stay for a while and show what it knows.
    pub(crate) fn crash(&self, after: Duration) {
        let Some(node) = self.lock().node.take() else { return };
        self.say("world", format!("crash; connections break after {} ms", after.as_millis()));
        let dies = node.dies.clone();
        if after.is_zero() {
            dies.cancel();
        } else {
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                dies.cancel();
            });
        }
        let mut state = self.lock();
        state.counts.crashes += 1;
        state.zombies.push(node);
    }

    /// The time of day becomes another one.
    pub(crate) fn jump(&self, millis: i64) {
        self.say("world", format!("the clock jumps by {millis} ms"));
        let mut state = self.lock();
        state.wall += millis;
        state.counts.jumps += 1;
        if let Some(Node { clock: Clock::Simulated(clock), .. }) = &state.node {
            clock.jump(millis);
        }
    }

    /// Tells a client something, or all of them.
    pub(crate) fn tell(&self, client: Option<usize>, input: &Input) {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, device) in clients.iter().enumerate() {
            if client.is_none_or(|client| client == number) {
                let _ = device.commands.send(input.clone());
            }
        }
    }

    pub(crate) fn tell_follow(&self, client: Option<usize>, id: GenerationId) {
        self.tell(client, &Input::Follow(Target::start_of(id)));
    }

    /// All records that are committed, packed or in the journal.
    pub(crate) async fn records(&self, id: GenerationId) -> Vec<Record> {
        let mut records = self.store.packed_records(id).await.unwrap_or_default();
        let mut after = 0;
        while let Ok(Some((last, entries))) = self.store.journal(after).await {
            for record in entries.into_iter().filter(|e| e.generation == id).flat_map(|e| e.records)
            {
                // What was packed may still stand in the journal.
                if record.seq == records.len() as u64 + 1 {
                    records.push(record);
                }
            }
            after = last;
        }
        records
    }

    /// B8.4: a text that somebody sees is in the store at this moment.
    pub(crate) async fn check_durable(&self, id: GenerationId, shown: &str) {
        if self.lock().durable.get(&id).is_some_and(|durable| durable.starts_with(shown)) {
            return;
        }
        let durable = text(&self.records(id).await);
        if !durable.starts_with(shown) {
            let name = self.name(id);
            self.wrong(format!("{name} shows {shown:?}, the store has {durable:?}"));
        }
        self.lock().durable.insert(id, durable);
    }

    /// What was durable once.
    pub(crate) fn durable(&self) -> BTreeMap<GenerationId, String> {
        self.lock().durable.clone()
    }
}

/// The visible text of a log.
pub(crate) fn text(records: &[Record]) -> String {
    let texts = records.iter().filter_map(|record| match &record.body {
        unbroken_store::Body::Content(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}
