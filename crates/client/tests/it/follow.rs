//! Whatever happens on the way, what is shown in the end is the log (PROTOCOL B8.3, B8.13).

use std::collections::VecDeque;
use std::time::Duration;

use proptest::prelude::*;
use unbroken_client::{Config, Hint, Input, Machine, Output, Target, Update};
use unbroken_protocol::{
    Capability, ClientFrame, ConnectionEstablished, Event, GenerationId, GenerationState, HelloOk,
    Incoming, Timestamp, ToolStep,
};

use crate::server::{Body, Follower, Log, Record};

/// One thing that happens between server and client.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The model writes.
    Write(usize),
    /// The server sends at most that many records.
    Send {
        most: usize,
        merge: bool,
    },
    /// The client reads that many frames.
    Receive(usize),
    Cut {
        code: u16,
    },
    Pass {
        millis: u64,
    },
    Hint(Hint),
    Heartbeat,
    /// The frame on its way comes twice.
    Double,
    /// The server sends again from some records before.
    Again(usize),
    /// A snapshot that nobody asked for.
    Snapshot,
    /// The next follow is answered by a snapshot.
    TooFar,
    /// A frame on its way gets lost, which TCP does not do.
    Lose,
}

/// A view that does what it is told.
#[derive(Debug, Default)]
struct View {
    text: String,
    reasoning: String,
    tools: Vec<ToolStep>,
    ends: usize,
}

impl View {
    fn take(&mut self, update: Update) {
        assert_eq!(self.ends, 0, "nothing comes after the end: {update:?}");
        match update {
            Update::Text { text } => self.text.push_str(&text),
            Update::Reasoning { text, .. } => self.reasoning.push_str(&text),
            Update::Tool(event) => self.tools.push(event.into()),
            Update::Replace { content, reasoning, tool_events, .. } => {
                self.text = content;
                self.reasoning = reasoning.unwrap_or_else(|| self.reasoning.clone());
                self.tools = tool_events.unwrap_or_else(|| self.tools.clone());
            }
            Update::Complete(_) | Update::Failed(_) => self.ends += 1,
            Update::Lost { code, message } => panic!("lost: {code} {message}"),
            _ => {}
        }
    }
}

struct World {
    log: Log,
    machine: Machine,
    now: Duration,
    /// Frames on their way to the client; `None` while there is no connection.
    wire: Option<VecDeque<Event>>,
    is_opening: bool,
    follower: Option<Follower>,
    is_too_far: bool,
    /// What may still go wrong in a way that no server and no TCP does: two attempts mend it.
    faults: usize,
    view: View,
}

impl World {
    fn new(log: Log) -> Self {
        let mut capabilities = Vec::new();
        if !log.hide_reasoning {
            capabilities.push(Capability::Reasoning);
        }
        if !log.hide_tools {
            capabilities.push(Capability::Tools);
        }
        let machine = Machine::new(Config { capabilities, seed: 1, ..Config::default() });
        let mut world = Self {
            machine,
            now: Duration::ZERO,
            wire: None,
            is_opening: false,
            follower: None,
            is_too_far: false,
            faults: 2,
            view: View::default(),
            log,
        };
        world.say(Input::Start);
        world
    }

    /// Shows the first `held` records before anything is followed, as a reloaded page does.
    fn reload(&mut self, held: usize) {
        self.view.text = self.log.records[..held].iter().map(Record::content).collect();
        if !self.log.hide_reasoning {
            self.view.reasoning = self.log.records[..held].iter().map(Record::reasoning).collect();
        }
        self.view.tools = self.log.tools(held);
        let position = self.log.at(held).position();
        let target = Target::rest_of(self.log.generation_id, position, &self.view.text);
        self.say(Input::Follow(target));
    }

    fn say(&mut self, input: Input) {
        self.machine.handle(input, self.now);
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Connect => {
                    self.disconnect();
                    self.is_opening = true;
                }
                Output::Disconnect => self.disconnect(),
                Output::Send(frame) => self.serve(frame),
                Output::Update(_, update) => self.view.take(update),
                Output::Status(_) | Output::Notice(_) => {}
            }
            assert!(
                self.log.text().starts_with(&self.view.text),
                "at every moment a beginning is shown"
            );
        }
    }

    fn disconnect(&mut self) {
        self.wire = None;
        self.is_opening = false;
        self.follower = None;
    }

    fn serve(&mut self, Incoming { req, frame }: Incoming) {
        let wire = self.wire.as_mut().expect("frames are sent on an open connection");
        match frame {
            ClientFrame::Hello(_) => wire.push_back(Event::HelloOk(HelloOk {
                version: 1,
                node: "n".into(),
                heartbeat_ms: 15_000,
                max_frame: 1,
                req,
            })),
            ClientFrame::Follow(follow) => {
                let too_far = std::mem::take(&mut self.is_too_far);
                let (events, follower) = self.log.follow(&follow, req, too_far);
                wire.extend(events);
                self.follower = Some(follower);
            }
            _ => {}
        }
    }

    fn open(&mut self) {
        if std::mem::take(&mut self.is_opening) {
            let established = ConnectionEstablished { timestamp: Timestamp::default() };
            self.wire = Some(VecDeque::from([Event::ConnectionEstablished(established)]));
            self.say(Input::Opened);
        }
    }

    fn send(&mut self, most: usize, merge: bool) {
        let (Some(follower), Some(wire)) = (&mut self.follower, &mut self.wire) else { return };
        let mut left = most;
        while left > 0 {
            let before = follower.next;
            let events = self.log.next_frames(follower, left, merge);
            if events.is_empty() {
                break;
            }
            wire.extend(events);
            left = left.saturating_sub(follower.next - before);
        }
    }

    fn receive(&mut self, most: usize) {
        for _ in 0..most {
            let Some(event) = self.wire.as_mut().and_then(VecDeque::pop_front) else { break };
            self.say(Input::Frame(event));
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        if self.machine.next_wake().is_some_and(|at| at <= self.now) {
            self.say(Input::Wake);
        }
    }

    fn step(&mut self, step: Step) {
        self.open();
        match step {
            Step::Write(count) => {
                self.log.head = self.log.records.len().min(self.log.head + count);
            }
            Step::Send { most, merge } => self.send(most, merge),
            Step::Receive(most) => self.receive(most),
            Step::Cut { code } => {
                if self.wire.is_some() {
                    self.disconnect();
                    self.say(Input::Closed { code });
                }
            }
            Step::Pass { millis } => self.pass(Duration::from_millis(millis)),
            Step::Hint(hint) => self.say(Input::Hint(hint)),
            Step::Heartbeat => {
                let heartbeat = self.log.heartbeat();
                self.wire.iter_mut().for_each(|wire| wire.push_back(heartbeat.clone()));
            }
            Step::Double => {
                if let Some(wire) = &mut self.wire {
                    wire.extend(wire.back().cloned());
                }
            }
            Step::Again(_) | Step::Lose if self.faults == 0 => {}
            Step::Again(count) => {
                if let Some(follower) = &mut self.follower {
                    self.faults -= 1;
                    follower.next = follower.next.saturating_sub(count);
                }
            }
            Step::Snapshot => {
                if let (Some(wire), Some(follower)) = (&mut self.wire, &self.follower) {
                    let open = self.log.head - usize::from(self.log.is_sealed());
                    wire.push_back(self.log.snapshot(follower.next.min(open)));
                }
            }
            Step::TooFar => self.is_too_far = true,
            // The end has no `seq_from`, so a loss before it looks like hidden records.
            Step::Lose if self.log.hide_reasoning || self.log.hide_tools => {}
            Step::Lose => {
                if let Some(wire) = &mut self.wire {
                    self.faults -= 1;
                    drop(wire.pop_back());
                }
            }
        }
    }

    /// The model ends, and the network is kind from now on.
    fn finish(&mut self) {
        self.log.head = self.log.records.len();
        for _ in 0..12 {
            self.pass(Duration::from_secs(20));
            self.open();
            self.step(Step::Heartbeat);
            for _ in 0..4 {
                self.send(usize::MAX, true);
                self.receive(usize::MAX);
            }
        }
    }

    fn check(&self) {
        assert_eq!(self.view.text, self.log.text());
        assert_eq!(self.view.reasoning, self.log.reasoning());
        assert_eq!(self.view.tools, self.log.tools(self.log.records.len()));
        assert_eq!(self.view.ends, 1);
    }
}

fn texts() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec!["a", "b ", "ß", "漢", "🦀", "e\u{301}", "\n"]),
        0..5,
    )
    .prop_map(|parts| parts.concat())
}

fn bodies() -> impl Strategy<Value = Body> {
    prop_oneof![
        6 => texts().prop_map(Body::Content),
        2 => texts().prop_map(Body::Reasoning),
        1 => Just(Body::Source),
        1 => Just(Body::Tool),
        1 => Just(Body::State(GenerationState::Running)),
    ]
}

prop_compose! {
    fn logs()(
        runs in prop::collection::vec(prop::collection::vec(bodies(), 0..12), 1..4),
        fails in any::<bool>(),
        hide_reasoning in prop::bool::weighted(0.2),
        hide_tools in prop::bool::weighted(0.2),
    ) -> Log {
        let mut records = Vec::new();
        let mut epoch = 0;
        for run in runs {
            epoch += 1;
            if epoch > 1 {
                let broke = Body::State(GenerationState::Interrupted);
                records.push(Record { epoch: epoch - 1, body: broke });
                records.push(Record { epoch, body: Body::State(GenerationState::Running) });
            }
            records.extend(run.into_iter().map(|body| Record { epoch, body }));
        }
        records.push(Record { epoch, body: if fails { Body::Failed } else { Body::Complete } });
        let generation_id = GenerationId::from_bytes([3; 16]);
        Log { generation_id, records, head: 0, hide_reasoning, hide_tools }
    }
}

fn ordinary() -> impl Strategy<Value = Step> {
    let hints = vec![Hint::Online, Hint::Offline, Hint::Visible, Hint::Hidden, Hint::Restored];
    prop_oneof![
        4 => (1_usize..6).prop_map(Step::Write),
        6 => (1_usize..8, any::<bool>()).prop_map(|(most, merge)| Step::Send { most, merge }),
        6 => (1_usize..8).prop_map(Step::Receive),
        2 => prop::sample::select(vec![1000, 1001, 1006, 1012, 4008]).prop_map(|code| Step::Cut { code }),
        3 => (0_u64..40_000).prop_map(|millis| Step::Pass { millis }),
        1 => prop::sample::select(hints).prop_map(Step::Hint),
        1 => Just(Step::Heartbeat),
        1 => Just(Step::TooFar),
    ]
}

fn hostile() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => ordinary(),
        1 => Just(Step::Double),
        1 => (1_usize..5).prop_map(Step::Again),
        1 => Just(Step::Snapshot),
        3 => Just(Step::Lose),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn invariant_3_a_follower_ends_with_exactly_the_text(
        log in logs(),
        held in any::<prop::sample::Index>(),
        steps in prop::collection::vec(ordinary(), 0..80),
    ) {
        let mut world = World::new(log);
        let held = held.index(world.log.records.len());
        world.log.head = held;
        world.reload(held);
        for step in steps {
            world.step(step);
        }
        world.finish();
        world.check();
    }

    #[test]
    fn doubled_overlapping_and_lost_frames_change_nothing(
        log in logs(),
        steps in prop::collection::vec(hostile(), 0..80),
    ) {
        let mut world = World::new(log);
        world.say(Input::Follow(Target::start_of(world.log.generation_id)));
        for step in steps {
            world.step(step);
        }
        world.finish();
        world.check();
    }
}
