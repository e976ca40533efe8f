//! The same log over HTTP: as a stream and as a long poll (PROTOCOL B4, B8.3, B8.12, B8.18).

mod transports;

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time;
use unbroken_protocol::{ConversationPatch, GenerationId, GenerationState, limits};
use unbroken_standin::numbered;

use crate::support::{
    Device, Reply, Talk, TestServer, contents, fast, followed, held, number, soon,
};

fn events_of(
    server: &TestServer,
    device: &Device,
    id: GenerationId,
    query: &str,
) -> RequestBuilder {
    server.get(&format!("/ai/generations/{id}/events?{query}")).query(&device.query())
}

/// One step of a long poll.
fn poll(server: &TestServer, device: &Device, id: GenerationId, query: &str) -> RequestBuilder {
    events_of(server, device, id, query).header("accept", "application/json")
}

/// One message of a stream.
#[derive(Clone, Debug, PartialEq)]
struct Sent {
    id: Option<String>,
    event: Value,
}

/// An open stream.
struct Sse {
    response: Response,
    buffer: String,
    comments: usize,
}

impl Sse {
    /// Opens one that is there, and reads its first words.
    async fn open(request: RequestBuilder) -> Self {
        let response = soon(request.send()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        for (name, value) in [
            ("content-type", "text/event-stream"),
            ("cache-control", "no-store"),
            ("x-accel-buffering", "no"),
        ] {
            assert_eq!(response.headers()[name], value);
        }
        let mut sse = Self { response, buffer: String::new(), comments: 0 };
        assert!(sse.block().await.unwrap().starts_with(':'), "a comment comes at once");
        sse
    }

    /// The lines up to the next empty one; `None` at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.find("\n\n") {
                let block = self.buffer[..end].to_owned();
                self.buffer.drain(..end + 2);
                return Some(block);
            }
            let Some(chunk) = soon(self.response.chunk()).await.unwrap() else {
                assert!(self.buffer.is_empty(), "a stream ends after a whole message");
                return None;
            };
            self.buffer.push_str(str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next message; `None` at the end.
    async fn next(&mut self) -> Option<Sent> {
        loop {
            let block = self.block().await?;
            if block.starts_with(':') {
                self.comments += 1;
                continue;
            }
            let field = |name: &str| {
                let mut values = block.lines().filter_map(|line| line.strip_prefix(name));
                values.next().map(str::to_owned)
            };
            let event: Value = serde_json::from_str(&field("data: ").unwrap()).unwrap();
            assert_eq!(event["type"], field("event: ").unwrap());
            let id = field("id: ");
            if event["type"] == "noticed" {
                assert_eq!(id.unwrap(), event["after"]);
                continue;
            }
            if let Some(id) = &id {
                assert_eq!(*id, format!("{}.{}", event["epoch"], event["seq"]));
            }
            return Some(Sent { id, event });
        }
    }

    /// Everything up to the end of the stream.
    async fn rest(&mut self) -> Vec<Sent> {
        let mut all = Vec::new();
        while let Some(sent) = self.next().await {
            all.push(sent);
        }
        all
    }

    /// Reads until the visible text, from where it was joined, is `text`.
    async fn until_text(&mut self, text: &str) -> Vec<Sent> {
        let mut all = Vec::new();
        while contents(&plain(&all)) != text {
            all.push(self.next().await.unwrap());
        }
        all
    }
}

fn plain(sent: &[Sent]) -> Vec<Value> {
    sent.iter().map(|sent| sent.event.clone()).collect()
}

/// What has a place in the log.
fn records(events: Vec<Value>) -> Vec<Value> {
    let frames = ["following", "snapshot", "stream_start", "heartbeat"];
    events.into_iter().filter(|event| !frames.iter().any(|frame| event["type"] == *frame)).collect()
}

/// The last id: a place to go on from.
fn last_id(sent: &[Sent]) -> String {
    sent.iter().rev().find_map(|sent| sent.id.clone()).unwrap()
}

fn next_after(batch: &Value) -> &str {
    batch["next_after"].as_str().unwrap()
}

fn batched(batch: &Value) -> Vec<Value> {
    batch["events"].as_array().unwrap().clone()
}

/// B8.3: the types are those of the socket, in its order, and only records have an id.
#[tokio::test]
async fn a_stream_begins_with_following_and_ends_after_the_end() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = device.start("Count!", &held(40, 20)).await;
    let mut sse = Sse::open(events_of(&server, &device, started.generation_id, "")).await;
    let mut sent = sse.until_text(&numbered(20)).await;
    server.standin.open_gate("hold");
    sent.extend(sse.rest().await);
    let events = plain(&sent);
    let expected = ["following", "stream_start", "content_chunk", "stream_complete"];
    assert_eq!(followed(&events), expected);
    assert_eq!(contents(&events), numbered(40));
    assert_eq!(events.last().unwrap()["full_response"], numbered(40));
    for Sent { id, event } in &sent {
        let is_frame = event["type"] == "following" || event["type"] == "stream_start";
        assert_eq!(id.is_none(), is_frame, "{event}");
    }
    // To reload is to see the same, as does the socket (B8.1).
    let mut again = Sse::open(events_of(&server, &device, started.generation_id, "after=0")).await;
    let again = again.rest().await;
    let mut talk = device.hello(&["reasoning", "tools"]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": started.generation_id})).await;
    talk.next_of("following").await;
    assert_eq!(records(plain(&again)), records(talk.answer().await));
}

/// B8.3: `Last-Event-ID` is what a browser sends when it comes again.
#[tokio::test]
async fn a_stream_goes_on_after_the_last_event_id() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = device.start("Count!", &fast(30)).await;
    let id = started.generation_id;
    let mut sse = Sse::open(events_of(&server, &device, id, "")).await;
    let head = number(&sse.rest().await.last().unwrap().event, "seq");
    for seq in 0..head {
        for (header, query) in
            [(Some(format!("1.{seq}")), "after=3".to_owned()), (None, format!("after={seq}"))]
        {
            let mut request = events_of(&server, &device, id, &query);
            if let Some(header) = header {
                request = request.header("last-event-id", header);
            }
            let events = plain(&Sse::open(request).await.rest().await);
            assert_eq!(number(&events[0], "from_seq"), seq + 1, "{events:?}");
            let text = numbered(30);
            let offset = usize::try_from(number(&events[0], "offset")).unwrap();
            assert_eq!(contents(&events), text[offset..], "after {seq}");
            assert_eq!(events.last().unwrap()["full_response"], text);
        }
    }
}

#[tokio::test]
async fn reasoning_is_streamed_too() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let model = "reasoning:tokens=10,reasoning=5,rate=0,first=0";
    let id = device.start("Think!", model).await.generation_id;
    let events = plain(&Sse::open(events_of(&server, &device, id, "")).await.rest().await);
    let expected =
        ["following", "stream_start", "reasoning_chunk", "content_chunk", "stream_complete"];
    assert_eq!(followed(&events), expected);
}

#[tokio::test]
async fn after_the_end_of_a_sealed_log_there_is_nothing() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let id = device.start("Count!", &fast(10)).await.generation_id;
    let sent = Sse::open(events_of(&server, &device, id, "")).await.rest().await;
    let end = last_id(&sent);
    for query in [format!("after={end}"), "after=11".into(), "after=4711".into()] {
        let reply = Reply::of(events_of(&server, &device, id, &query)).await;
        assert_eq!((reply.status, reply.text.as_str()), (StatusCode::NO_CONTENT, ""), "{query}");
        let batch = Reply::of(poll(&server, &device, id, &format!("{query}&wait=25"))).await.ok();
        let expected = (&json!([]), &json!(true), &json!(true));
        assert_eq!((&batch["events"], &batch["up_to_date"], &batch["closed"]), expected);
    }
    // One before the end there is the end.
    let sent = Sse::open(events_of(&server, &device, id, "after=1.10")).await.rest().await;
    assert_eq!(followed(&plain(&sent)), ["following", "stream_start", "stream_complete"]);
}

/// B8.12
#[tokio::test]
async fn a_place_of_another_history_gets_one_snapshot() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let id = device.start("Count!", &fast(10)).await.generation_id;
    let ended = Sse::open(events_of(&server, &device, id, "")).await.rest().await;
    for after in ["7.5", "7.11", "1.4711"] {
        let query = format!("after={after}");
        let sent = Sse::open(events_of(&server, &device, id, &query)).await.rest().await;
        let events = plain(&sent);
        let expected = ["following", "snapshot", "stream_start", "stream_complete"];
        assert_eq!(followed(&events), expected, "after {after}");
        assert_eq!(events[1]["content"], numbered(10));
        assert_eq!(sent[1].id, None, "a snapshot is a frame");
        assert_eq!(sent.last(), ended.last());

        let batch = Reply::of(poll(&server, &device, id, &format!("{query}&wait=25"))).await.ok();
        assert_eq!(followed(&batched(&batch)), expected);
        assert_eq!((next_after(&batch), &batch["closed"]), ("1.11", &json!(true)));
    }
}

#[tokio::test]
async fn a_long_poll_answers_as_soon_as_there_is_something() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let id = device.start("Count!", &held(40, 20)).await.generation_id;
    let mut sse = Sse::open(events_of(&server, &device, id, "")).await;
    sse.until_text(&numbered(20)).await;

    // At once what there is.
    let batch = Reply::of(poll(&server, &device, id, "wait=25")).await.ok();
    assert_eq!(followed(&batched(&batch)), ["following", "stream_start", "content_chunk"]);
    assert_eq!(contents(&batched(&batch)), numbered(20));
    let state = (next_after(&batch), &batch["up_to_date"], &batch["closed"]);
    assert_eq!(state, ("1.20", &json!(true), &json!(false)));

    // Without a wait how it stands, with one nothing.
    let now = Reply::of(poll(&server, &device, id, "after=1.20")).await.ok();
    assert_eq!(batched(&now)[0]["type"], "following");
    assert_eq!(contents(&batched(&now)), "");
    let vain = Reply::of(poll(&server, &device, id, "after=1.20&wait=1")).await.ok();
    assert_eq!((&vain["events"], next_after(&vain)), (&json!([]), "1.20"));
    assert_eq!((&vain["up_to_date"], &vain["closed"]), (&json!(true), &json!(false)));

    // As soon as there is more.
    let waiting = tokio::spawn(Reply::of(poll(&server, &device, id, "after=1.20&wait=3600")));
    server.standin.open_gate("hold");
    let mut batch = waiting.await.unwrap().ok();
    let mut events = batched(&batch);
    while batch["closed"] == false {
        let query = format!("after={}&wait=25", next_after(&batch));
        batch = Reply::of(poll(&server, &device, id, &query)).await.ok();
        events.extend(batched(&batch));
    }
    assert_eq!(numbered(20) + &contents(&events), numbered(40));
    assert_eq!(events.last().unwrap()["full_response"], numbered(40));
    assert_eq!(next_after(&batch), "1.41");
}

/// B8.3, B8.14: what does not fit into one answer comes with the next.
#[tokio::test]
async fn a_long_poll_brings_a_long_answer_in_parts() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let tokens = 600_000;
    let model = format!("{},chunk=20000", fast(tokens));
    let id = device.start("Count!", &model).await.generation_id;
    Sse::open(events_of(&server, &device, id, "")).await.rest().await;
    let mut text = String::new();
    let mut after = "0".to_owned();
    let mut parts = 0;
    loop {
        let query = format!("after={after}&wait=25");
        let batch = Reply::of(poll(&server, &device, id, &query)).await.ok();
        text.push_str(&contents(&batched(&batch)));
        next_after(&batch).clone_into(&mut after);
        parts += 1;
        if batch["closed"] == true {
            break;
        }
        assert_eq!(batch["up_to_date"], false);
    }
    assert!(text == numbered(tokens));
    assert!(parts > 1, "one answer is bounded");
}

#[tokio::test]
async fn an_interrupted_log_is_not_closed() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = device.start("Count!", &format!("{},cut_at=20", fast(40))).await;
    let id = started.generation_id;
    let mut sse = Sse::open(events_of(&server, &device, id, "")).await;
    while device.answer(started.conversation_id).await.state != Some(GenerationState::Interrupted) {
        sse.next().await.unwrap();
    }
    let at = device.answer(started.conversation_id).await;
    let after = format!("after={}.{}", at.epoch.unwrap(), at.seq.unwrap());
    let batch = Reply::of(poll(&server, &device, id, &after)).await.ok();
    assert_eq!((&batch["closed"], &batch["up_to_date"]), (&json!(false), &json!(true)));
    device.rest.stop(id).await.unwrap();
    assert_eq!(sse.rest().await.last().unwrap().event["status"], "stopped");
}

/// B8.3: three transports, one cursor.
#[tokio::test]
async fn a_reader_may_change_its_transport_in_the_middle_of_an_answer() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let model = format!("{},gate=a@10,gate=b@20,gate=c@30", fast(40));
    let id = device.start("Count!", &model).await.generation_id;
    let mut talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": id})).await;
    let mut events = talk.until_text(&numbered(10)).await;
    let last = events.last().unwrap();
    let after = format!("after={}.{}", last["epoch"], last["seq"]);
    talk.vanish();

    let mut sse = Sse::open(events_of(&server, &device, id, &after)).await;
    server.standin.open_gate("a");
    let mut text = contents(&events);
    while text != numbered(20) {
        let sent = sse.next().await.unwrap();
        text.push_str(sent.event["content"].as_str().unwrap_or_default());
        events.push(sent.event);
    }
    let last = events.last().unwrap();
    let mut after = format!("{}.{}", last["epoch"], last["seq"]);
    drop(sse);

    server.standin.open_gate("b");
    while text != numbered(30) {
        let query = format!("after={after}&wait=25");
        let batch = Reply::of(poll(&server, &device, id, &query)).await.ok();
        text.push_str(&contents(&batched(&batch)));
        events.extend(batched(&batch));
        next_after(&batch).clone_into(&mut after);
    }

    let mut talk = device.hello(&[]).await;
    let (epoch, seq) = after.split_once('.').unwrap();
    let (epoch, seq) = (epoch.parse::<u64>().unwrap(), seq.parse::<u64>().unwrap());
    let follow =
        json!({"routeKey": "follow", "generation_id": id, "after_seq": seq, "epoch": epoch});
    talk.say(&follow).await;
    server.standin.open_gate("c");
    let rest = talk.answer().await;
    assert_eq!(rest.last().unwrap()["full_response"], numbered(40));
    events.extend(rest);
    assert_eq!(contents(&events), numbered(40));
    let all = |event: &&Value| event["type"] == "following" && event["recovered"] == false;
    assert_eq!(events.iter().find(all), None, "nothing had to be sent again");
    assert_eq!(server.standin.calls().len(), 1);
}

/// B8.18
#[tokio::test]
async fn a_foreign_answer_does_not_exist() {
    let server = TestServer::start().await;
    let (device, stranger) = (server.device("laptop").await, server.device("stranger").await);
    let id = device.start("Count!", &fast(3)).await.generation_id;
    for build in [events_of, poll] {
        let foreign = Reply::of(build(&server, &stranger, id, "after=0")).await;
        let unknown = Reply::of(build(&server, &device, GenerationId::new(), "after=0")).await;
        assert_eq!(foreign.refused(404, "not_found"), unknown.refused(404, "not_found"));
    }
    let path = format!("/ai/generations/{id}/events");
    Reply::of(server.get(&path)).await.refused(401, "unauthorized");
    Reply::of(server.get("/ai/events")).await.refused(401, "unauthorized");
    let reply = Reply::of(server.get("/ai/generations/7/events").query(&device.query())).await;
    reply.refused(404, "not_found");
    // A token speaks as the pair does.
    let token = server.get(&path).bearer_auth(device.session.reveal());
    Sse::open(token).await.rest().await;
}

#[tokio::test]
async fn a_place_that_is_none_is_a_bad_request() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let id = device.start("Count!", &fast(3)).await.generation_id;
    for query in ["after=x", "after=1.x", "after=-1", "wait=x"] {
        let reply = Reply::of(events_of(&server, &device, id, query)).await;
        reply.refused(400, "bad_request");
    }
    let request = events_of(&server, &device, id, "after=0").header("last-event-id", "ü");
    Reply::of(request).await.refused(400, "bad_request");
    let request = events_of(&server, &device, id, "after=").header("last-event-id", "");
    Sse::open(request).await.rest().await;
}

/// PROTOCOL A3, rule 3: who was sent the end and asks the same again, asks again.
#[tokio::test]
async fn the_end_of_a_stream_is_remembered_as_sent() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    for n in 0..2 {
        let message = format!("Count {n}!");
        let started = device.start(&message, &fast(3)).await;
        let id = started.generation_id;
        if n == 0 {
            Sse::open(events_of(&server, &device, id, "")).await.rest().await;
        } else {
            let mut batch = json!({"closed": false, "next_after": "0"});
            while batch["closed"] == false {
                let query = format!("after={}&wait=25", next_after(&batch));
                batch = Reply::of(poll(&server, &device, id, &query)).await.ok();
            }
        }
        let mut old = device.socket().await;
        let conversation = started.conversation_id.to_string();
        old.say(&device.stream_chat(&message, Some(&conversation), &fast(3))).await;
        let taken = old.next_is("conversation_started").await;
        assert_ne!(taken["generation_id"], id.to_string(), "a new turn");
        old.answer().await;
    }
}

/// B8.18, B3: over HTTP as on the socket.
#[tokio::test]
async fn notices_come_over_http_to_their_principal_only() {
    let server = TestServer::start().await;
    let (device, stranger) = (server.device("laptop").await, server.device("stranger").await);
    let started = device.start("Count!", &fast(3)).await;
    let id = started.conversation_id;
    Sse::open(events_of(&server, &device, started.generation_id, "")).await.rest().await;
    let mut sse = Sse::open(server.get("/ai/events").query(&device.query())).await;
    let mut foreign = Sse::open(server.get("/ai/events").query(&stranger.query())).await;
    let polls = |device: &Device| {
        let request = server.get("/ai/events?wait=25").query(&device.query());
        request.header("accept", "application/json")
    };
    let waiting = tokio::spawn(Reply::of(polls(&device)));
    let mut titles = Vec::new();
    // A poll hears what happens while it waits, and nobody can say when it began to.
    while !waiting.is_finished() {
        let title = format!("Numbers {}", titles.len());
        let patch =
            ConversationPatch { title: Some(title.clone()), ..ConversationPatch::default() };
        device.rest.patch(id, &patch).await.unwrap();
        titles.push(title);
    }
    let batch = waiting.await.unwrap().ok();
    assert_eq!(batched(&batch)[0]["type"], "conversation");
    assert_eq!((&batch["closed"], &batch["up_to_date"]), (&json!(false), &json!(true)));
    for title in titles {
        let mut sent = sse.next().await.unwrap();
        while sent.event["conversation"]["title"] == "Count!" {
            sent = sse.next().await.unwrap();
        }
        assert_eq!((&sent.id, &sent.event["conversation"]["title"]), (&None, &json!(title)));
    }
    let other = stranger.start("Mine!", &fast(1)).await;
    let first = foreign.next().await.unwrap().event;
    let about =
        first["conversation_id"].as_str().or(first["conversation"]["conversation_id"].as_str());
    assert_eq!(about, Some(other.conversation_id.to_string().as_str()), "{first}");

    let empty = server.get("/ai/events").query(&device.query());
    let batch = Reply::of(empty.header("accept", "application/json")).await.ok();
    assert_eq!(batch["events"], json!([]));
}

/// B8.20: what runs comes to its end, then the streams end.
#[tokio::test]
async fn streams_are_told_of_a_drain_and_end_with_the_server() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let id = device.start("Count!", &held(40, 20)).await.generation_id;
    let mut sse = Sse::open(events_of(&server, &device, id, "")).await;
    sse.until_text(&numbered(20)).await;
    let mut notices = Sse::open(server.get("/ai/events").query(&device.query())).await;
    let waiting = tokio::spawn(Reply::of(poll(&server, &device, id, "after=1.20&wait=25")));
    server.shut_down();
    for stream in [&mut sse, &mut notices] {
        let sent = stream.next().await.unwrap();
        assert_eq!((sent.id, &sent.event["type"]), (None, &json!("draining")));
        assert!(sent.event["reconnect_after_ms"].is_u64());
    }
    server.standin.open_gate("hold");
    let events = plain(&sse.rest().await);
    assert_eq!(numbered(20) + &contents(&events), numbered(40));
    assert_eq!(events.last().unwrap()["type"], "stream_complete");
    notices.rest().await;
    let batch = waiting.await.unwrap().ok();
    assert!(!batched(&batch).is_empty());
}

/// B8.14
#[tokio::test]
async fn a_stream_that_nobody_reads_delays_nobody_and_loses_nothing() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let tokens = 1_300_000;
    let model = format!("{},chunk=20000,gate=hold@20000", fast(tokens));
    let id = device.start("Count!", &model).await.generation_id;
    let mut stalled = Sse::open(events_of(&server, &device, id, "")).await;
    server.standin.open_gate("hold");
    let mut talk: Talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": id})).await;
    let end = talk.next_of("stream_complete").await;
    assert!(end["full_response"] == *numbered(tokens));
    let events = plain(&stalled.rest().await);
    assert!(contents(&events) == *numbered(tokens));
    assert!(events.last().unwrap()["full_response"] == *numbered(tokens));
}

/// B8.8
#[tokio::test]
async fn a_stream_that_is_left_stops_nothing() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let id = device.start("Count!", &held(40, 20)).await.generation_id;
    let mut sse = Sse::open(events_of(&server, &device, id, "")).await;
    let sent = sse.until_text(&numbered(20)).await;
    drop(sse);
    server.standin.open_gate("hold");
    let after = format!("after={}", last_id(&sent));
    let rest = Sse::open(events_of(&server, &device, id, &after)).await.rest().await;
    assert_eq!(rest.last().unwrap().event["full_response"], numbered(40));
}

/// A proxy that gives up what is silent for a minute sees no silence.
#[tokio::test]
async fn a_silent_stream_shows_signs_of_life() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let id = device.start("Count!", &held(40, 20)).await.generation_id;
    let mut sse = Sse::open(events_of(&server, &device, id, "")).await;
    sse.until_text(&numbered(20)).await;
    time::pause();
    time::advance(limits::HEARTBEAT).await;
    time::resume();
    let sent = sse.next().await.unwrap();
    assert_eq!((sent.id, &sent.event["type"]), (None, &json!("heartbeat")));
    assert_eq!(sent.event["heads"][id.to_string()], 20);
    assert_eq!(sse.comments, 1);
}
