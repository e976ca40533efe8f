//! When the machine connects, gives up, waits, and what it says on the way.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use unbroken_client::{Config, Hint, Input, Machine, Output, Status, Target, Update};
use unbroken_protocol::{
    Capability, ClientMessageId, DeviceId, ErrorCode, Event, GenerationId, Heartbeat, Position,
    SessionId,
};

const ID: &str = "00000000-0000-7000-8000-000000000001";

/// A machine, its clock, and what it put out.
struct Client {
    machine: Machine,
    now: Duration,
}

impl Client {
    fn new() -> Self {
        let config = Config {
            device_id: Some(DeviceId("d".into())),
            session_id: Some(SessionId::new("s")),
            capabilities: vec![Capability::Reasoning, Capability::Tools],
            interval: None,
            seed: 1,
        };
        Self { machine: Machine::new(config), now: Duration::ZERO }
    }

    fn live() -> Self {
        let mut client = Self::new();
        client.say(Input::Start);
        client.greeted();
        client
    }

    /// The opened transport greets; what comes back.
    fn greeted(&mut self) -> Vec<Output> {
        self.say(Input::Opened);
        let outputs = self.hear(json!({"type": "connection_established", "timestamp": TIME}));
        let hello = json!({"type": "hello_ok", "version": 1, "node": "n", "heartbeat_ms": 15000,
            "max_frame": 1});
        assert_eq!(self.hear(hello), [Output::Status(Status::Live)]);
        outputs
    }

    fn say(&mut self, input: Input) -> Vec<Output> {
        self.machine.handle(input, self.now);
        std::iter::from_fn(|| self.machine.poll_output()).collect()
    }

    fn hear(&mut self, event: Value) -> Vec<Output> {
        self.say(Input::Frame(serde_json::from_value(event).unwrap()))
    }

    fn follow(&mut self, target: Target) -> Value {
        sent(&self.say(Input::Follow(target))).remove(0)
    }

    /// The server takes the follow that `frame` asks for.
    fn taken(&mut self, frame: &Value, from: u64, offset: u64) -> Vec<Output> {
        self.hear(json!({"type": "following", "generation_id": ID, "conversation_id": ID,
            "message_id": ID, "epoch": 1, "recovered": true, "from_seq": from, "head_seq": 9,
            "offset": offset, "state": "running", "req": frame["req"]}))
    }

    fn chunk(&mut self, seq: u64, offset: u64, content: &str) -> Vec<Output> {
        self.hear(json!({"type": "content_chunk", "content": content, "chunk_id": seq,
            "timestamp": TIME, "generation_id": ID, "conversation_id": ID, "message_id": ID,
            "epoch": 1, "seq": seq, "offset": offset}))
    }

    /// Sleeps until the machine wants to wake.
    fn sleep(&mut self) -> Vec<Output> {
        self.now = self.machine.next_wake().expect("there is something to wait for");
        self.say(Input::Wake)
    }

    fn wait(&self) -> Duration {
        self.machine.next_wake().map(|at| at.abs_diff(self.now)).expect("it waits for something")
    }
}

const TIME: &str = "2026-11-20T09:30:00.250Z";

fn id() -> GenerationId {
    ID.parse().unwrap()
}

fn sent(outputs: &[Output]) -> Vec<Value> {
    let frames = outputs.iter().filter_map(|output| match output {
        Output::Send(frame) => Some(serde_json::to_value(frame).unwrap()),
        _ => None,
    });
    frames.collect()
}

fn text(text: &str) -> Output {
    Output::Update(id(), Update::Text { text: text.into() })
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn hello_stops_and_follows_leave_together_after_the_server_spoke() {
    let mut client = Client::new();
    let outputs = client.say(Input::Start);
    assert_eq!(outputs, [Output::Connect, Output::Status(Status::Connecting)]);
    client.say(Input::Follow(Target::rest_of(id(), Position::new(2, 41), "aß")));
    client.say(Input::Stop(id()));
    assert_eq!(client.say(Input::Opened), []);
    let frames = sent(&client.greeted());
    let routes: Vec<_> = frames.iter().map(|frame| &frame["routeKey"]).collect();
    assert_eq!(routes, ["hello", "stop", "follow"]);
    assert_eq!(frames[0]["session_id"], "s");
    assert_eq!(frames[0]["capabilities"], json!(["reasoning", "tools", "heartbeat"]));
    assert_eq!((&frames[2]["after_seq"], &frames[2]["epoch"]), (&json!(41), &json!(2)));
}

#[test]
fn attempts_go_on_without_an_end_and_start_afresh_after_30_s() {
    let mut client = Client::live();
    let mut longest = Duration::ZERO;
    for _ in 0..200 {
        client.say(Input::Closed { code: 1006 });
        assert!(client.wait() <= ms(20_000));
        longest = longest.max(client.wait());
        assert_eq!(client.sleep(), [Output::Connect]);
    }
    assert!(longest > ms(15_000));
    client.greeted();
    client.now += ms(30_000);
    assert_eq!(
        client.say(Input::Closed { code: 1012 }),
        [Output::Status(Status::Reconnecting)],
        "said at once"
    );
    assert!(client.wait() <= ms(500));
}

#[test]
fn a_hint_cuts_the_wait_short() {
    for hint in [Hint::Online, Hint::Visible, Hint::Restored] {
        let mut client = Client::live();
        client.say(Input::Closed { code: 1006 });
        assert_eq!(client.say(Input::Hint(hint)), [Output::Connect]);
        assert_eq!(client.say(Input::Hint(hint)), [], "it connects already");
        client.now += ms(3_001);
        let again = [Output::Disconnect, Output::Connect];
        assert_eq!(client.say(Input::Hint(hint)), again, "that attempt hangs");
    }
}

#[test]
fn after_a_hint_an_open_socket_has_3_s_to_show_that_it_lives() {
    let mut client = Client::live();
    let probe = sent(&client.say(Input::Hint(Hint::Visible)));
    assert_eq!(probe[0]["routeKey"], "ping");
    assert_eq!(client.wait(), ms(3_000));
    let pong = json!({"type": "pong", "t": 0, "req": probe[0]["req"]});
    assert_eq!(client.hear(pong), [], "the probe's pong is nobody else's");
    assert_eq!(client.wait(), ms(35_000));

    client.say(Input::Hint(Hint::Restored));
    let outputs = client.sleep();
    let dead = [Output::Disconnect, Output::Connect, Output::Status(Status::Reconnecting)];
    assert_eq!(outputs, dead);
    assert_eq!(client.now, ms(3_000));
}

#[test]
fn after_35_s_without_a_frame_the_connection_is_given_up() {
    let mut client = Client::live();
    client.now += ms(34_000);
    client.hear(json!({"type": "heartbeat", "t": 1, "heads": {}}));
    assert_eq!(client.wait(), ms(35_000));
    let outputs = client.sleep();
    assert_eq!(outputs, [Output::Disconnect, Output::Status(Status::Reconnecting)]);
    assert_eq!(client.sleep(), [Output::Connect]);
}

#[test]
fn an_attempt_that_hangs_is_given_up() {
    let mut client = Client::new();
    client.say(Input::Start);
    assert_eq!(client.wait(), ms(10_000));
    assert_eq!(client.sleep(), [Output::Disconnect]);
    assert_eq!(client.sleep(), [Output::Connect]);
}

#[test]
fn a_draining_server_says_when_to_come_back() {
    let draining = json!({"type": "draining", "reconnect_after_ms": 2300});
    let mut client = Client::live();
    client.hear(draining.clone());
    assert_eq!(client.wait(), ms(2_300), "it speaks on until then");
    assert_eq!(client.sleep()[..2], [Output::Disconnect, Output::Connect]);

    let mut client = Client::live();
    client.hear(draining);
    client.now += ms(300);
    client.say(Input::Closed { code: 1012 });
    assert_eq!(client.wait(), ms(2_000));
    assert_eq!(client.sleep(), [Output::Connect]);
}

#[test]
fn an_expired_session_waits_for_another() {
    let refusal = json!({"type": "error", "code": "unauthorized", "message": "no",
        "retryable": false});
    let mut closed = Client::live();
    let outputs = closed.say(Input::Closed { code: 4401 });
    assert_eq!(outputs, [Output::Status(Status::SessionExpired)]);
    let mut told = Client::live();
    let outputs = told.hear(refusal);
    assert_eq!(outputs[1..], [Output::Disconnect, Output::Status(Status::SessionExpired)]);
    for mut client in [closed, told] {
        assert_eq!(client.machine.next_wake(), None);
        assert_eq!(client.say(Input::Hint(Hint::Online)), []);
        let session_id = Some(SessionId::new("t"));
        let outputs = client.say(Input::Credentials { device_id: None, session_id });
        assert_eq!(outputs, [Output::Connect, Output::Status(Status::Reconnecting)]);
        assert_eq!(sent(&client.greeted())[0]["session_id"], "t");
    }
}

#[test]
fn a_client_that_is_not_wanted_stays_away() {
    for code in [4400, 4403, 4413] {
        let mut client = Client::live();
        let outputs = client.say(Input::Closed { code });
        assert_eq!(outputs, [Output::Status(Status::Refused)]);
        assert_eq!(client.machine.next_wake(), None);
    }
}

#[test]
fn offline_is_only_a_hint() {
    let mut client = Client::live();
    let outputs = client.say(Input::Hint(Hint::Offline));
    assert_eq!(outputs, [Output::Status(Status::Offline)], "the socket is kept");
    let outputs = client.hear(json!({"type": "from_the_future"}));
    assert_eq!(outputs, [Output::Status(Status::Live)], "the hint was wrong");
}

#[test]
fn a_stop_is_sent_until_it_is_confirmed() {
    let mut client = Client::live();
    let stop = sent(&client.say(Input::Stop(id()))).remove(0);
    client.say(Input::Closed { code: 1006 });
    client.sleep();
    let frames = sent(&client.greeted());
    assert_eq!(frames[1], stop);
    client.hear(json!({"type": "ok", "req": stop["req"]}));
    client.say(Input::Closed { code: 1006 });
    client.sleep();
    assert_eq!(sent(&client.greeted()).len(), 1, "only hello");
}

#[test]
fn a_continuation_is_sent_under_one_key_until_it_is_answered() {
    let mut client = Client::live();
    let key = ClientMessageId::new();
    let asked = sent(&client.say(Input::Continue(id(), key))).remove(0);
    assert_eq!(
        (&asked["routeKey"], &asked["generation_id"], &asked["client_message_id"]),
        (&json!("continue"), &json!(id()), &json!(key))
    );
    client.say(Input::Closed { code: 1006 });
    client.sleep();
    assert_eq!(sent(&client.greeted())[1], asked);
    let refusal = json!({"type": "error", "req": asked["req"], "code": "conflict",
        "message": "It is continued already.", "retryable": false});
    let told = client.hear(refusal);
    assert!(matches!(&told[..], [Output::Notice(Event::Error(_))]), "{told:?}");
    client.say(Input::Closed { code: 1006 });
    client.sleep();
    assert_eq!(sent(&client.greeted()).len(), 1, "only hello");
}

#[test]
fn a_follow_goes_on_from_what_is_held() {
    let mut client = Client::live();
    let follow = client.follow(Target::start_of(id()));
    client.taken(&follow, 1, 0);
    assert_eq!(client.chunk(1, 0, "aß"), [text("aß")]);
    assert_eq!(client.chunk(1, 0, "aß"), [], "held already");
    client.say(Input::Closed { code: 1006 });
    client.sleep();
    let frames = sent(&client.greeted());
    assert_eq!((&frames[1]["after_seq"], &frames[1]["epoch"]), (&json!(1), &json!(1)));
    client.taken(&frames[1], 2, 2);
    assert_eq!(client.chunk(2, 2, "🦀"), [text("🦀")]);
    assert_eq!(client.machine.held(id()), Some((Position::new(1, 2), 3)));
}

#[test]
fn a_gap_is_never_skipped() {
    let mut client = Client::live();
    let follow = client.follow(Target::start_of(id()));
    client.taken(&follow, 1, 0);
    client.chunk(1, 0, "a");

    let again = sent(&client.chunk(3, 2, "c")).remove(0);
    assert_eq!(again["after_seq"], 1, "from what is held");
    assert_eq!(client.chunk(2, 1, "b"), [], "of the follow before");
    client.taken(&again, 2, 1);

    let again = sent(&client.chunk(3, 2, "c")).remove(0);
    assert_eq!(again["after_seq"], 0, "from the start");
    let outputs = client.taken(&again, 1, 0);
    assert!(matches!(&outputs[1], Output::Update(_, Update::Replace { content, .. })
        if content.is_empty()));
    assert_eq!(client.chunk(1, 0, "a"), [text("a")]);

    assert_eq!(client.chunk(3, 2, "c"), [], "this server cannot do better");
    let end = json!({"type": "stream_complete", "full_response": "abc", "total_chunks": 3,
        "tokens": 1, "input_tokens": 1, "output_tokens": 0, "timestamp": TIME,
        "generation_id": ID, "conversation_id": ID, "message_id": ID, "epoch": 1, "seq": 4,
        "status": "completed", "finish_reason": "stop", "content_chars": 3,
        "content_sha256": crate::server::sha256("abc")});
    let outputs = client.hear(end.clone());
    assert!(matches!(&outputs[0], Output::Update(_, Update::Replace { content, .. })
        if content == "abc"));
    assert!(matches!(&outputs[1], Output::Update(_, Update::Complete(_))));
    assert_eq!(client.hear(end), [], "the end is said once");
}

#[test]
fn a_wrong_offset_of_the_caller_is_mended_from_the_start() {
    let mut client = Client::live();
    let follow = client.follow(Target::rest_of(id(), Position::new(1, 2), "abcdef"));
    let again = sent(&client.taken(&follow, 3, 2)).remove(0);
    assert_eq!(again["after_seq"], 0);
}

#[test]
fn a_log_that_stays_ahead_for_two_heartbeats_is_followed_again() {
    let heartbeat = |head: u64| {
        let heads = BTreeMap::from([(id(), head)]);
        Input::Frame(Event::Heartbeat(Heartbeat { t: 0, heads }))
    };
    let mut client = Client::live();
    let follow = client.follow(Target::start_of(id()));
    client.taken(&follow, 1, 0);
    client.chunk(1, 0, "a");
    assert_eq!(client.say(heartbeat(2)), []);
    client.chunk(2, 1, "b");
    assert_eq!(client.say(heartbeat(3)), [], "it has moved");
    let frames = sent(&client.say(heartbeat(3)));
    assert_eq!(frames[0]["after_seq"], 2);
}

#[test]
fn what_does_not_exist_is_lost_and_what_passes_is_asked_for_again() {
    let mut client = Client::live();
    let follow = client.follow(Target::start_of(id()));
    let busy = json!({"type": "error", "req": follow["req"], "code": "storage_unavailable",
        "message": "The disk is full.", "retryable": true});
    assert!(matches!(client.hear(busy)[..], [Output::Notice(Event::Error(_))]));
    let again = sent(&client.sleep()).remove(0);
    assert_eq!((&again["routeKey"], client.now), (&json!("follow"), ms(2_000)));
    let gone = json!({"type": "error", "req": again["req"], "code": "not_found",
        "message": "There is no such answer.", "retryable": false});
    assert_eq!(
        client.hear(gone),
        [Output::Update(
            id(),
            Update::Lost { code: ErrorCode::NotFound, message: "There is no such answer.".into() }
        )]
    );
    assert_eq!(client.machine.held(id()), None);
}

#[test]
fn the_newest_generation_gets_its_id_from_the_answer() {
    let mut client = Client::live();
    let follow = client.follow(Target::newest_of(ID.parse().unwrap()));
    assert_eq!(follow.get("generation_id"), None);
    assert!(matches!(
        client.taken(&follow, 1, 0)[..],
        [Output::Update(found, Update::Following { .. })] if found == id()
    ));
    assert_eq!(client.chunk(1, 0, "a"), [text("a")]);
}

#[test]
fn a_gap_shows_in_the_seq_where_no_text_is_missing() {
    let mut client = Client::live();
    let follow = client.follow(Target::start_of(id()));
    client.taken(&follow, 1, 0);
    client.chunk(1, 0, "a");
    let again = sent(&client.chunk(3, 1, "b")).remove(0);
    assert_eq!(again["after_seq"], 1, "record 2 may be reasoning");
}
