//! Readers who read slowly or not at all, and what they cost (PROTOCOL B8.14).

use std::fs;
use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use unbroken_protocol::GenerationId;
use unbroken_server::patience::Patience;
use unbroken_standin::{Standin, numbered};

use crate::support::{Device, Given, Process, Reply, Talk, contents, fast, number, soon};

/// About 11 MB of text: more than a reader is sent record by record, and many times [`BOUND`].
const TOKENS: usize = 1_500_000;
/// Where the peak is read: shortly before the end.
const LATE: usize = TOKENS - 2000;
const READERS: usize = 51;
/// What a reader may cost beyond the answer itself: the batch of a long poll (256 KiB) or a frame
/// (32 KiB of text) a few times over, on its way from text to JSON to the connection. What the
/// kernel keeps for it is not in here: twice `SEND_BUFFER`.
const BOUND: usize = 512 * 1024;

/// How a reader reads.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Socket,
    Stream,
    LongPoll,
}

/// A connection whose other end is read byte by byte, if at all.
struct Slow {
    stream: TcpStream,
}

impl Slow {
    /// Connects with a receive buffer as small as the kernel gives one.
    async fn connect(process: &Process) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(2048).unwrap();
        let address = process.base().strip_prefix("http://").unwrap().parse().unwrap();
        Self { stream: socket.connect(address).await.unwrap() }
    }

    /// Asks for an answer from its beginning.
    async fn open(process: &Process, device: &Device, id: GenerationId, by: By) -> Self {
        let mut slow = Self::connect(process).await;
        let host = process.base().strip_prefix("http://").unwrap();
        let query: Vec<_> = device.query().map(|(name, value)| format!("{name}={value}")).into();
        let (path, header) = match by {
            By::Socket => (
                "/ws".to_owned(),
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            ),
            By::Stream => {
                (format!("/ai/generations/{id}/events?{}", query.join("&")), "Accept: */*")
            }
            By::LongPoll => (
                format!("/ai/generations/{id}/events?wait=25&{}", query.join("&")),
                "Accept: application/json",
            ),
        };
        slow.write(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{header}\r\n\r\n").as_bytes())
            .await;
        if by == By::Socket {
            let mut hello = device.pair();
            hello["routeKey"] = json!("hello");
            slow.say(&hello).await;
            slow.say(&json!({"routeKey": "follow", "generation_id": id})).await;
        }
        slow
    }

    async fn write(&mut self, bytes: &[u8]) {
        soon(self.stream.write_all(bytes)).await.unwrap();
    }

    /// One text frame, masked with zeros.
    async fn say(&mut self, frame: &Value) {
        let text = frame.to_string();
        let length = u16::try_from(text.len()).unwrap().to_be_bytes();
        let head = [&[0x81, 0x80 | 0x7e][..], &length, &[0; 4]].concat();
        self.write(&[&head, text.as_bytes()].concat()).await;
    }

    /// Reads up to and with these words, a byte at a time.
    async fn read_to(&mut self, words: &str) {
        let mut seen = Vec::new();
        while !seen.ends_with(words.as_bytes()) {
            seen.push(soon(self.stream.read_u8()).await.unwrap());
        }
    }

    /// Takes one byte, if there is one.
    fn take_a_byte(&self) {
        let _ = self.stream.try_read(&mut [0]);
    }
}

/// What the process has in memory at most, since it was last asked, in bytes.
fn peak(process: &Process) -> usize {
    let folder = format!("/proc/{}", process.id());
    let status = fs::read_to_string(format!("{folder}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    // "5" makes the peak what it is now (proc(5), clear_refs).
    fs::write(format!("{folder}/clear_refs"), "5").unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
}

async fn follow(device: &Device, id: GenerationId) -> Talk {
    let mut talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": id})).await;
    talk.next_is("following").await;
    talk
}

async fn stream(process: &Process, device: &Device, id: GenerationId) -> Response {
    let url = format!("{}/ai/generations/{id}/events", process.base());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    soon(client.get(url).query(&device.query()).send()).await.unwrap()
}

/// The peak of a server that writes one long answer to a fast reader and that many who do not
/// read, half of whom take a byte for each frame that the fast one gets. Its end, and the search
/// index after it, take many times that memory for a moment, with or without readers: the peak is
/// that before them.
async fn peak_beside(readers: usize) -> usize {
    let folder = TempDir::new().unwrap();
    let standin = Standin::start().await;
    let process = Process::start(folder.path(), &standin.base_url()).await;
    let device = process.device("laptop").await;
    let model =
        format!("{},chunk=2000,gate=hold@2000,gate=on@400000,gate=end@{LATE}", fast(TOKENS));
    let id = device.start("Count!", &model).await.generation_id;
    let mut reader = follow(&device, id).await;
    let mut slow = Vec::new();
    for n in 0..readers {
        let by = [By::Socket, By::Stream][n % 2];
        if n % 3 != 2 {
            slow.push(Slow::open(&process, &device, id, by).await);
        }
    }
    for slow in &mut slow {
        slow.read_to("content_chunk").await;
    }
    standin.open_gate("hold");
    let mut text = String::new();
    // There is enough for a long poll to get stuck.
    let enough = numbered(400_000).len();
    while text.len() < enough {
        text.push_str(&contents(&[reader.next().await]));
    }
    while slow.len() < readers {
        let mut poll = Slow::open(&process, &device, id, By::LongPoll).await;
        poll.read_to("content_chunk").await;
        slow.push(poll);
    }
    standin.open_gate("on");
    let late = numbered(LATE).len();
    while text.len() < late {
        text.push_str(&contents(&[reader.next().await]));
        slow.iter().step_by(2).for_each(Slow::take_a_byte);
    }
    let peak = peak(&process);
    standin.open_gate("end");
    let end = loop {
        let event = reader.next().await;
        if event["type"] == "stream_complete" {
            break event;
        }
        text.push_str(&contents(&[event]));
    };
    assert!(text == numbered(TOKENS), "the fast reader got everything");
    assert!(end["full_response"] == text);
    peak
}

/// B8.14
#[tokio::test(flavor = "multi_thread")]
async fn readers_who_do_not_read_delay_nobody_and_cost_a_bounded_memory_each() {
    let alone = peak_beside(0).await;
    let beside = peak_beside(READERS).await;
    let each = beside.saturating_sub(alone) / READERS;
    eprintln!("alone {alone}, beside {READERS} others {beside}: {each} bytes each");
    assert!(each < BOUND, "alone {alone}, beside {READERS} others {beside}: {each} bytes each");
}

/// B8.14: a frame that holds the whole answer is not held for each reader.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_and_an_end_cost_no_more_than_other_frames() {
    let folder = TempDir::new().unwrap();
    let standin = Standin::start().await;
    let process = Process::start(folder.path(), &standin.base_url()).await;
    let device = process.device("laptop").await;
    let model = format!("{},chunk=2000", fast(TOKENS));
    let id = device.start("Count!", &model).await.generation_id;
    let mut kept = follow(&device, id).await;
    kept.answer().await;
    // What is found is in the index: its work is over.
    assert!(!device.rest.search("Count", None, None).await.unwrap().hits.is_empty());

    let mut slow = Vec::new();
    let mut before = 0;
    for n in 0..=READERS {
        let by = [By::Socket, By::Stream, By::LongPoll][n % 3];
        let mut reader = Slow::open(&process, &device, id, by).await;
        reader.read_to("1 2 3 4 5 ").await;
        slow.push(reader);
        if n == 0 {
            // The first one brought the log back into memory.
            peak(&process);
            before = peak(&process);
        }
    }
    let (mut talk, mut sse) = (follow(&device, id).await, stream(&process, &device, id).await);
    let after = peak(&process);
    let each = after.saturating_sub(before) / READERS;
    eprintln!("{before} before, {after} with {READERS} readers: {each} bytes each");
    assert!(each < BOUND, "{before} before, {after} with {READERS} readers: {each} bytes each");

    // Once they read, they end with exactly that text.
    let whole = numbered(TOKENS);
    assert!(talk.next_is("snapshot").await["content"] == whole);
    assert!(talk.answer().await.last().unwrap()["full_response"] == whole);
    let mut text = String::new();
    while let Some(piece) = soon(sse.chunk()).await.unwrap() {
        text.push_str(str::from_utf8(&piece).unwrap());
    }
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let events: Vec<Value> = data.map(|data| serde_json::from_str(data).unwrap()).collect();
    assert_eq!(events[1]["type"], "snapshot");
    assert!(events[1]["content"] == whole);
    assert!(events.last().unwrap()["full_response"] == whole);
    assert_eq!(number(&events[1], "seq") + 1, number(events.last().unwrap(), "seq"));
}

/// B8.14: what the kernel keeps for a reader that was fast and stops is bounded too.
#[tokio::test]
async fn the_kernel_keeps_little_for_a_reader_that_stops() {
    /// The client's own, as the kernel counts it.
    const RECEIVED: usize = 2 * 256 * 1024;
    /// Twice `SEND_BUFFER`, and what is under way in the server.
    const KEPT: usize = 512 * 1024;
    let patience = Patience { stall: Duration::from_secs(1), readers: 2, ..Patience::default() };
    let server = Given::new().patience(patience).start().await;
    let device = server.device("laptop").await;
    let mut tab = device.hello(&[]).await;
    let id = device.start("Count!", &format!("{},chunk=2000", fast(TOKENS))).await.generation_id;
    let path = format!("/ai/generations/{id}/events");
    tab.ends().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(256 * 1024).unwrap();
    let mut stream = soon(socket.connect(server.address)).await.unwrap();
    let query = device.query().map(|(name, value)| format!("{name}={value}")).join("&");
    let request = format!("GET {path}?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut fast = vec![0; 8 << 20];
    soon(stream.read_exact(&mut fast)).await.unwrap();
    // Its place is free when the server has given it up.
    let poll = || server.get("/ai/events").header("accept", "application/json");
    while Reply::of(poll().query(&device.query())).await.status != 200 {}
    let mut left = Vec::new();
    let _ = soon(stream.read_to_end(&mut left)).await;
    eprintln!("{} bytes were left", left.len());
    assert!(left.len() < RECEIVED + KEPT, "{} bytes were left", left.len());
}
