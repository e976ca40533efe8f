//! The real client behind proxies that block the socket or hold streams back (PROTOCOL B4, B8.3).

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use unbroken_client::native::Connection;
use unbroken_client::{Hint, Output, Status, Target, Transport, Update};
use unbroken_protocol::{
    ConversationPatch, DeviceId, ErrorCode, Event, GenerationId, Position, SessionId,
};
use unbroken_standin::numbered;

use crate::support::{Device, Given, TestServer, fast, held, soon};

/// What a proxy does to what passes it.
#[derive(Default)]
struct Rules {
    refuse_upgrades: AtomicBool,
    hold_streams: AtomicBool,
    refuse_all: AtomicBool,
    cut: Notify,
}

/// A proxy between the client and the server.
struct Proxy {
    base: String,
    rules: Arc<Rules>,
}

impl Proxy {
    async fn start(server: &TestServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (rules, address) = (Arc::new(Rules::default()), server.address);
        let proxy = Self { base, rules: Arc::clone(&rules) };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if rules.refuse_all.load(Ordering::Relaxed) {
                    continue;
                }
                let server = TcpStream::connect(address).await.unwrap();
                tokio::spawn(pass(client, server, Arc::clone(&rules)));
            }
        });
        proxy
    }

    fn refuse_upgrades(&self, refuse: bool) {
        self.rules.refuse_upgrades.store(refuse, Ordering::Relaxed);
    }

    fn hold_streams(&self, hold: bool) {
        self.rules.hold_streams.store(hold, Ordering::Relaxed);
    }

    fn refuse_all(&self, refuse: bool) {
        self.rules.refuse_all.store(refuse, Ordering::Relaxed);
    }

    /// Cuts every connection that there is.
    fn cut(&self) {
        self.rules.cut.notify_waiters();
    }
}

/// Passes everything on, until one side is gone.
async fn pass(mut client: TcpStream, mut server: TcpStream, rules: Arc<Rules>) {
    let (mut asked, mut answered) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    let mut held = false;
    let mut cut = pin!(rules.cut.notified());
    loop {
        tokio::select! {
            () = &mut cut => return,
            read = client.read(&mut asked) => {
                let Ok(1..) = read else { return };
                let request = &asked[..read.unwrap()];
                let text = String::from_utf8_lossy(request);
                if text.starts_with("GET /ws") && rules.refuse_upgrades.load(Ordering::Relaxed) {
                    let no = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
                    client.write_all(no).await.unwrap_or_default();
                    return;
                }
                held |= text.contains("text/event-stream")
                    && rules.hold_streams.load(Ordering::Relaxed);
                if server.write_all(request).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(1..) = read else { return };
                if !held && client.write_all(&answered[..read.unwrap()]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// What a person sees of one answer.
#[derive(Default)]
struct Seen {
    text: String,
    end: Option<String>,
    lost: Option<ErrorCode>,
}

impl Seen {
    fn take(&mut self, id: GenerationId, output: &Output) {
        let Output::Update(about, update) = output else { return };
        if *about != id {
            return;
        }
        match update {
            Update::Text { text } => self.text.push_str(text),
            Update::Replace { .. } => panic!("what was shown was right"),
            Update::Complete(complete) => self.end = Some(complete.full_response.clone()),
            Update::Lost { code, .. } => self.lost = Some(*code),
            _ => {}
        }
    }
}

async fn live_on(
    connection: &mut Connection,
    transport: Transport,
    seen: &mut Seen,
    id: GenerationId,
) {
    loop {
        let output = soon(connection.recv()).await.unwrap();
        seen.take(id, &output);
        if output == Output::Status(Status::Live) && connection.transport() == transport {
            return;
        }
    }
}

async fn until_text(connection: &mut Connection, seen: &mut Seen, id: GenerationId, text: &str) {
    while seen.text != text {
        seen.take(id, &soon(connection.recv()).await.unwrap());
    }
}

async fn until_end(connection: &mut Connection, seen: &mut Seen, id: GenerationId) -> String {
    while seen.end.is_none() {
        seen.take(id, &soon(connection.recv()).await.unwrap());
    }
    seen.end.clone().unwrap()
}

async fn behind_a_proxy() -> (TestServer, Device, Proxy) {
    let server = TestServer::start().await;
    let proxy = Proxy::start(&server).await;
    proxy.refuse_upgrades(true);
    let device = server.device("laptop").await.at(&proxy.base);
    (server, device, proxy)
}

/// B8.3
#[tokio::test]
async fn a_client_without_a_socket_reads_by_stream_and_climbs_back_up() {
    let (server, device, proxy) = behind_a_proxy().await;
    let id = device.start("Count!", &held(40, 20)).await.generation_id;
    let mut connection = device.connection();
    connection.follow(Target::start_of(id)).await;
    let mut seen = Seen::default();
    live_on(&mut connection, Transport::Sse, &mut seen, id).await;
    until_text(&mut connection, &mut seen, id, &numbered(20)).await;

    proxy.refuse_upgrades(false);
    connection.hint(Hint::Online).await;
    live_on(&mut connection, Transport::Socket, &mut seen, id).await;
    server.standin.open_gate("hold");
    assert_eq!(until_end(&mut connection, &mut seen, id).await, numbered(40));
    assert_eq!(seen.text, numbered(40));
}

/// B8.3
#[tokio::test]
async fn a_client_behind_a_proxy_that_gathers_reads_by_long_poll_and_climbs_back_up() {
    let (server, device, proxy) = behind_a_proxy().await;
    proxy.hold_streams(true);
    let model = format!("{},gate=a@10,gate=b@20,gate=c@30", fast(40));
    let id = device.start("Count!", &model).await.generation_id;
    let mut connection = device.connection();
    connection.follow(Target::start_of(id)).await;
    let mut seen = Seen::default();
    live_on(&mut connection, Transport::LongPoll, &mut seen, id).await;
    until_text(&mut connection, &mut seen, id, &numbered(10)).await;
    server.standin.open_gate("a");
    until_text(&mut connection, &mut seen, id, &numbered(20)).await;

    proxy.hold_streams(false);
    connection.hint(Hint::Visible).await;
    live_on(&mut connection, Transport::Sse, &mut seen, id).await;
    server.standin.open_gate("b");
    until_text(&mut connection, &mut seen, id, &numbered(30)).await;

    proxy.refuse_upgrades(false);
    connection.hint(Hint::Restored).await;
    live_on(&mut connection, Transport::Socket, &mut seen, id).await;
    server.standin.open_gate("c");
    assert_eq!(until_end(&mut connection, &mut seen, id).await, numbered(40));
    assert_eq!(seen.text, numbered(40));
    assert_eq!(server.standin.calls().len(), 1);
}

/// B8.3
#[tokio::test]
async fn a_stream_that_breaks_goes_on_where_it_was() {
    let (server, device, proxy) = behind_a_proxy().await;
    let model = format!("{},gate=a@10,gate=b@20", fast(40));
    let id = device.start("Count!", &model).await.generation_id;
    let mut connection = device.connection();
    connection.follow(Target::start_of(id)).await;
    let mut seen = Seen::default();
    until_text(&mut connection, &mut seen, id, &numbered(10)).await;
    for (gate, tokens) in [("a", 20), ("b", 40)] {
        proxy.cut();
        server.standin.open_gate(gate);
        until_text(&mut connection, &mut seen, id, &numbered(tokens)).await;
        assert_eq!(connection.transport(), Transport::Sse);
    }
    assert_eq!(until_end(&mut connection, &mut seen, id).await, numbered(40));
    assert_eq!(seen.text, numbered(40));
}

/// Every follow of what is sealed brings its end, also from there.
#[tokio::test]
async fn the_end_comes_again_to_who_holds_everything() {
    let (server, device, proxy) = behind_a_proxy().await;
    let id = device.start("Count!", &fast(9)).await.generation_id;
    for hold in [false, true] {
        proxy.hold_streams(hold);
        let mut connection = device.connection();
        connection.follow(Target::start_of(id)).await;
        let mut seen = Seen::default();
        assert_eq!(until_end(&mut connection, &mut seen, id).await, numbered(9));
        connection.follow(Target::rest_of(id, Position::new(1, 10), &seen.text)).await;
        seen.end = None;
        assert_eq!(until_end(&mut connection, &mut seen, id).await, numbered(9));
        assert_eq!(seen.text, numbered(9));
    }
    drop(server);
}

#[tokio::test]
async fn commands_and_notices_work_without_a_socket() {
    let (server, device, _proxy) = behind_a_proxy().await;
    let started = device.start("Count!", &held(40, 20)).await;
    let (id, conversation) = (started.generation_id, started.conversation_id);
    let mut connection = device.connection();
    connection.follow(Target::newest_of(conversation)).await;
    let mut seen = Seen::default();
    until_text(&mut connection, &mut seen, id, &numbered(20)).await;
    assert_eq!(connection.transport(), Transport::Sse);

    connection.ping(7).await;
    let patch = ConversationPatch { title: Some("Numbers".into()), ..ConversationPatch::default() };
    device.rest.patch(conversation, &patch).await.unwrap();
    let (mut pong, mut renamed) = (false, false);
    while !(pong && renamed) {
        match soon(connection.recv()).await.unwrap() {
            Output::Notice(Event::Pong(_)) => pong = true,
            Output::Notice(Event::Conversation(event)) => {
                renamed |= event.conversation.title == "Numbers";
            }
            output => seen.take(id, &output),
        }
    }
    connection.stop(id).await;
    assert_eq!(until_end(&mut connection, &mut seen, id).await, numbered(20));

    // What has ended ends again for who asks again.
    connection.follow(Target::start_of(id)).await;
    let mut again = Seen::default();
    assert_eq!(until_end(&mut connection, &mut again, id).await, numbered(20));
    assert_eq!(again.text, numbered(20));
    drop(server);
}

/// An answer that waits for a person is continued through whatever the client speaks on.
#[tokio::test]
async fn continue_works_without_a_socket() {
    let server = Given::new().going_on().start().await;
    for (gathers, transport) in [(false, Transport::Sse), (true, Transport::LongPoll)] {
        let proxy = Proxy::start(&server).await;
        proxy.refuse_upgrades(true);
        proxy.hold_streams(gathers);
        let device = server.device("laptop").await.at(&proxy.base);
        let model = "vllm-numbers:tokens=40,rate=0,first=0,error_at=20,fail_times=1";
        let id = device.start(&format!("Count by {transport:?}!"), model).await.generation_id;
        let mut connection = device.connection();
        connection.follow(Target::start_of(id)).await;
        let mut seen = Seen::default();
        loop {
            let output = soon(connection.recv()).await.unwrap();
            seen.take(id, &output);
            if matches!(output, Output::Update(_, Update::State { can_continue: true, .. })) {
                break;
            }
        }
        assert_eq!((connection.transport(), seen.text.as_str()), (transport, &*numbered(20)));
        connection.go_on(id).await;
        assert_eq!(until_end(&mut connection, &mut seen, id).await, numbered(40));
        assert_eq!(seen.text, numbered(40));

        // What is whole cannot be continued, and the client is told so.
        connection.go_on(id).await;
        let refused = loop {
            if let Output::Notice(Event::Error(error)) = soon(connection.recv()).await.unwrap() {
                break error;
            }
        };
        assert_eq!((refused.code, refused.generation_id), (ErrorCode::Conflict, Some(id)));
    }
}

#[tokio::test]
async fn the_newest_follow_is_read_first_and_the_others_when_it_has_ended() {
    let (server, device, _proxy) = behind_a_proxy().await;
    let first = device.start("One", &format!("{},gate=one@5", fast(9))).await.generation_id;
    let second = device.start("Two", &format!("{},gate=two@5", fast(9))).await.generation_id;
    let mut connection = device.connection();
    for id in [first, second] {
        connection.follow(Target::start_of(id)).await;
    }
    let (mut one, mut two) = (Seen::default(), Seen::default());
    server.standin.open_gate("one");
    server.standin.open_gate("two");
    while one.end.is_none() || two.end.is_none() {
        let output = soon(connection.recv()).await.unwrap();
        one.take(first, &output);
        two.take(second, &output);
    }
    assert_eq!((one.text, two.text), (numbered(9), numbered(9)));
}

/// B8.18
#[tokio::test]
async fn refusals_are_the_same_without_a_socket() {
    let (server, device, proxy) = behind_a_proxy().await;
    let stranger = server.device("stranger").await.at(&proxy.base);
    let id = device.start("Count!", &fast(3)).await.generation_id;
    let mut connection = stranger.connection();
    connection.follow(Target::start_of(id)).await;
    let mut seen = Seen::default();
    while seen.lost.is_none() {
        seen.take(id, &soon(connection.recv()).await.unwrap());
    }
    assert_eq!((seen.lost, seen.text.as_str()), (Some(ErrorCode::NotFound), ""));

    let unknown = Some(SessionId::new("00"));
    connection.credentials(Some(DeviceId("laptop".into())), unknown).await;
    while soon(connection.recv()).await.unwrap() != Output::Status(Status::SessionExpired) {}
    connection.credentials(Some(device.id.clone()), Some(device.session.clone())).await;
    connection.follow(Target::start_of(id)).await;
    let mut seen = Seen::default();
    assert_eq!(until_end(&mut connection, &mut seen, id).await, numbered(3));
}

/// PROTOCOL B4: notices have a cursor too.
#[tokio::test]
async fn a_client_hears_when_it_is_back_what_happened_while_it_was_away() {
    for (transport, sockets, hold) in [
        (Transport::Socket, true, false),
        (Transport::Sse, false, false),
        (Transport::LongPoll, false, true),
    ] {
        let (server, device, proxy) = behind_a_proxy().await;
        proxy.refuse_upgrades(!sockets);
        proxy.hold_streams(hold);
        let started = device.start("Count!", &fast(3)).await;
        let (id, conversation) = (started.generation_id, started.conversation_id);
        let mut connection = device.connection();
        connection.follow(Target::start_of(id)).await;
        let mut seen = Seen::default();
        live_on(&mut connection, transport, &mut seen, id).await;
        let rename = async |title: &str| {
            let title = Some(title.to_owned());
            let patch = ConversationPatch { title, ..ConversationPatch::default() };
            device.at(&server.base()).rest.patch(conversation, &patch).await.unwrap();
        };
        // One that it hears, so that it knows where it is.
        rename("Here").await;
        until_titled(&mut connection, "Here").await;

        proxy.refuse_all(true);
        proxy.cut();
        rename("Away").await;
        while soon(connection.recv()).await.unwrap() != Output::Status(Status::Reconnecting) {}
        proxy.refuse_all(false);
        until_titled(&mut connection, "Away").await;
    }
}

async fn until_titled(connection: &mut Connection, title: &str) {
    loop {
        match soon(connection.recv()).await.unwrap() {
            Output::Notice(Event::Conversation(event)) if event.conversation.title == title => {
                return;
            }
            Output::Notice(Event::Noticed(_)) => panic!("nothing was missed"),
            _ => {}
        }
    }
}
