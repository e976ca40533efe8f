//! Conversations that come in and go out: exports, imports, shares, and deleting everything.

use std::fmt::Write as _;
use std::io::Cursor;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use unbroken_protocol::{ConversationId, GenerationState, MessageView, Role};
use unbroken_standin::{Call, CallState};
use zip::ZipArchive;

use crate::support::{Device, Given, Process, Reply, fast, soon};

#[path = "../../../archive/examples/exports/shapes.rs"]
#[expect(clippy::cast_precision_loss, reason = "times of a test are small")]
mod shapes;

/// What another chat exports: conversations with so many messages each.
fn export(source: &str, conversations: usize, messages: usize) -> String {
    let mut text = String::new();
    for number in 0..conversations {
        let before = if number == 0 { '[' } else { ',' };
        let _ = write!(text, "{before}{}", shapes::conversation(source, number, messages));
    }
    text + "]"
}

fn request(base: &str, device: &Device, method: &str, path: &str) -> reqwest::RequestBuilder {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    reqwest::Client::new().request(method, format!("{base}{path}")).query(&device.query())
}

async fn begin(base: &str, device: &Device, file: impl Into<reqwest::Body>) -> String {
    let reply = Reply::of(request(base, device, "POST", "/ai/imports").body(file)).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    reply.json()["import_id"].as_str().unwrap().to_owned()
}

/// The import once it is over.
async fn over(device: &Device, id: &str) -> Value {
    soon(async {
        loop {
            let import = device.call("GET", &format!("/ai/imports/{id}"), None).await;
            if ["done", "failed"].contains(&import["state"].as_str().unwrap()) {
                return import;
            }
        }
    })
    .await
}

/// Waits until the newest answer is not being written any more.
async fn ended(device: &Device, id: ConversationId) {
    soon(async { while !device.answer(id).await.state.is_some_and(GenerationState::is_sealed) {} })
        .await;
}

async fn text(base: &str, device: &Device, path: &str) -> Reply {
    Reply::of(request(base, device, "GET", path)).await
}

#[tokio::test]
async fn an_export_that_is_imported_by_an_empty_server_is_exported_the_same() {
    let (first, second) = (Given::new().start().await, Given::new().start().await);
    let device = first.device("one").await;
    let one = device.start("What is a log?", &fast(12)).await;
    ended(&device, one.conversation_id).await;
    let two = device
        .go_on(
            one.conversation_id,
            "And a branch?",
            "reasoning:tokens=4,reasoning=3,rate=0,first=0",
        )
        .await;
    ended(&device, two.conversation_id).await;
    let again = format!("/ai/messages/{}/generate", two.user_message_id);
    device.call("POST", &again, Some(json!({"model_id": fast(3)}))).await;
    ended(&device, one.conversation_id).await;
    let failed = device.start("Fail", "numbers:status=401").await;
    ended(&device, failed.conversation_id).await;

    let exported = text(&first.base(), &device, "/ai/export?format=json").await.ok();
    assert_eq!(exported.as_array().unwrap().len(), 2);
    let other = second.device("other").await;
    let id = begin(&second.base(), &other, exported.to_string()).await;
    let import = over(&other, &id).await;
    assert_eq!((&import["conversations"], &import["messages"]), (&json!(2), &json!(7)), "{import}");
    assert_eq!(text(&second.base(), &other, "/ai/export").await.ok(), exported);
    // Back home nothing is new, and for somebody else there it is a copy with other ids.
    let id = begin(&first.base(), &device, exported.to_string()).await;
    let import = over(&device, &id).await;
    assert_eq!((&import["messages"], &import["unchanged"]), (&json!(0), &json!(2)), "{import}");
    let stranger = first.device("stranger").await;
    let id = begin(&first.base(), &stranger, exported.to_string()).await;
    assert_eq!(over(&stranger, &id).await["messages"], 7);
    assert_eq!(text(&first.base(), &device, "/ai/export").await.ok(), exported);
    // What was imported can be read, found, and gone on with.
    let history = other.history(one.conversation_id).await;
    let said = |messages: &[MessageView]| -> Vec<_> {
        messages.iter().map(|m| (m.content.clone(), m.reasoning.clone(), m.state)).collect()
    };
    assert_eq!(said(&history), said(&device.history(one.conversation_id).await));
    let found = other.call("GET", "/ai/search?q=branch", None).await;
    assert_eq!(found["hits"].as_array().unwrap().len(), 1, "{found}");
    other.go_on(one.conversation_id, "Go on", &fast(2)).await;
    ended(&other, one.conversation_id).await;
    assert_eq!(other.history(one.conversation_id).await.len(), 6);
}

#[tokio::test]
async fn the_same_file_adds_nothing_and_a_longer_one_adds_what_is_new() {
    let server = Given::new().start().await;
    for source in ["chatgpt", "claude", "open-webui", "librechat"] {
        let device = server.device(source).await;
        let counts = async |file: String| {
            let import = over(&device, &begin(&server.base(), &device, file).await).await;
            assert_eq!((&import["state"], &import["done"]), (&json!("done"), &import["total"]));
            [&import["conversations"], &import["messages"], &import["unchanged"]]
                .map(|n| n.as_u64().unwrap())
        };
        assert_eq!(counts(export(source, 3, 4)).await, [3, 12, 0], "{source}");
        assert_eq!(counts(export(source, 3, 4)).await, [0, 0, 3], "{source}");
        assert_eq!(counts(export(source, 4, 6)).await, [1, 12, 0], "{source}");
        let list = device.call("GET", "/ai/conversations", None).await;
        assert_eq!(
            (&list["total"], list["conversations"].as_array().unwrap().len()),
            (&json!(4), 4)
        );
        let id = list["conversations"][0]["conversation_id"].as_str().unwrap().parse().unwrap();
        let history = device.history(id).await;
        assert_eq!((history.len(), history[1].role), (6, Role::Assistant), "{source}");
    }
}

#[tokio::test]
async fn an_answer_that_went_on_elsewhere_comes_in_beside_the_one_that_is_here() {
    let server = Given::new().start().await;
    let device = server.device("one").await;
    let bring = async |file: &Value| {
        let import = over(&device, &begin(&server.base(), &device, file.to_string()).await).await;
        let notes = import["notes"].as_array().map_or(0, Vec::len);
        (import["messages"].as_u64().unwrap(), import["unchanged"].as_u64().unwrap(), notes)
    };
    let mut file = shapes::conversation("chatgpt", 0, 4);
    assert_eq!(bring(&file).await, (4, 0, 0));
    let part = &mut file["mapping"]["c0-m3"]["message"]["content"]["parts"][0];
    *part = format!("{} And on.", part.as_str().unwrap()).into();
    assert_eq!(bring(&file).await, (1, 0, 0));
    assert_eq!(bring(&file).await, (0, 1, 0));
    let list = device.call("GET", "/ai/conversations", None).await;
    let id = list["conversations"][0]["conversation_id"].as_str().unwrap().parse().unwrap();
    let history = device.history(id).await;
    assert_eq!(history.len(), 4);
    assert!(history[3].content.ends_with("And on."), "{history:?}");
    // Any other text is kept as it is here, and the report says so.
    file["mapping"]["c0-m0"]["message"]["content"]["parts"] = json!(["Something else."]);
    assert_eq!(bring(&file).await, (0, 1, 1));
    assert_eq!(device.history(id).await[0].content, history[0].content);
}

#[tokio::test]
async fn what_is_intact_comes_in_before_a_cut_and_beside_what_is_damaged() {
    let server = Given::new().start().await;
    let device = server.device("one").await;
    let (whole, other) = (export("chatgpt", 3, 4), export("claude", 2, 4));
    let cut = whole[..whole.len() - 10].to_owned();
    let import = over(&device, &begin(&server.base(), &device, cut.clone()).await).await;
    assert_eq!((&import["state"], &import["error_code"]), (&json!("failed"), &json!("cut_off")));
    assert_eq!((&import["conversations"], &import["done"]), (&json!(2), &json!(2)), "{import}");

    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let feedback = "[{\"rating\":\"up\"},{\"rating\":\"up\"}]".to_owned();
    for (name, text) in
        [("cut.json", &cut), ("message_feedback.json", &feedback), ("good.json", &other)]
    {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, text.as_bytes()).unwrap();
    }
    let file = zip.finish().unwrap().into_inner();
    let import = over(&device, &begin(&server.base(), &device, file).await).await;
    assert_eq!((&import["state"], &import["conversations"]), (&json!("done"), &json!(2)));
    assert_eq!((&import["unchanged"], &import["total"]), (&json!(2), &json!(5)), "{import}");
    let note = json!([{"what": "unreadable", "count": 1, "examples": ["cut.json"]}]);
    assert_eq!(import["notes"], note);
}

#[tokio::test]
async fn an_import_goes_on_after_the_server_was_killed_in_its_middle() {
    let given = Given::new();
    let folder = given.folder.path().to_owned();
    let process = Process::start(&folder, "http://127.0.0.1:9").await;
    let device = process.device("one").await;
    let id = begin(process.base(), &device, export("chatgpt", 600, 6)).await;
    let path = format!("/ai/imports/{id}");
    soon(async { while device.call("GET", &path, None).await["messages"] == 0 {} }).await;
    process.kill().await;
    let process = Process::start(&folder, "http://127.0.0.1:9").await;
    let device = device.at(process.base());
    let import = over(&device, &id).await;
    assert_eq!(
        [&import["state"], &import["conversations"], &import["messages"], &import["done"]],
        [&json!("done"), &json!(600), &json!(3600), &json!(600)],
        "{import}"
    );
    assert_eq!(device.call("GET", "/ai/conversations?limit=1", None).await["total"], 600);
    let left = std::fs::read_dir(folder.join("imports")).unwrap().count();
    assert_eq!(left, 0, "the file is gone");
}

#[tokio::test]
async fn an_import_comes_to_its_end_while_answers_are_written_and_messages_sent() {
    let server = Given::new().start().await;
    let (device, other) = (server.device("one").await, server.device("two").await);
    let mut written = Vec::new();
    for _ in 0..20 {
        written.push(other.start("Write", "numbers:tokens=100000,rate=100,first=0").await);
    }
    let id = begin(&server.base(), &device, export("chatgpt", 200, 6)).await;
    let path = format!("/ai/imports/{id}");
    let import = soon(async {
        loop {
            // A commit that somebody waits for comes before every step.
            other.start("And more", &fast(2)).await;
            let import = device.call("GET", &path, None).await;
            if import["state"] == "done" {
                return import;
            }
        }
    })
    .await;
    assert_eq!((&import["conversations"], &import["messages"]), (&json!(200), &json!(1200)));
    for answer in written {
        let state = other.answer(answer.conversation_id).await.state;
        assert_eq!(state, Some(GenerationState::Running), "it did not wait for a quiet moment");
    }
}

#[tokio::test]
async fn the_files_that_a_person_brought_are_in_the_packages_of_everything() {
    let server = Given::new().start().await;
    let device = server.device("laptop").await;
    device.file("songs & more.v2.md", "Whales sing.").await;
    let second = device.file("songs & more.v2.md", "Whales eat.").await;
    server.device("of somebody else").await.file("other.md", "Not theirs.").await;
    for format in ["markdown", "html"] {
        let path = format!("/ai/export?format={format}");
        let package = soon(request(&server.base(), &device, "GET", &path).send()).await.unwrap();
        let package = Cursor::new(soon(package.bytes()).await.unwrap());
        let mut package = ZipArchive::new(package).unwrap();
        // The newest comes first.
        let first = std::io::read_to_string(package.by_name("files/songs-more-v2.md").unwrap());
        assert_eq!(first.unwrap(), "Whales eat.");
        let names: Vec<_> = package.file_names().map(|name| name.unwrap().into_owned()).collect();
        let other = names.iter().find(|name| name.starts_with("files/songs-more-v2 ")).unwrap();
        let other = std::io::read_to_string(package.by_name(other).unwrap());
        assert_eq!(other.unwrap(), "Whales sing.");
        assert_eq!(names.len(), 2, "{names:?}");
    }
    let gone = request(&server.base(), &device, "DELETE", &format!("/ai/files/{second}"));
    assert_eq!(Reply::status_of(gone).await, 204);
    let path = "/ai/export?format=html";
    let package = soon(request(&server.base(), &device, "GET", path).send()).await.unwrap();
    let package = ZipArchive::new(Cursor::new(soon(package.bytes()).await.unwrap())).unwrap();
    assert_eq!(package.len(), 1);
}

#[tokio::test]
async fn exports_that_are_not_read_keep_others_waiting_and_not_the_server() {
    let server = Given::new().start().await;
    let device = server.device("laptop").await;
    // More than connections hold, and nothing that becomes smaller.
    let random = (0_u64..).flat_map(|n| {
        (n.wrapping_mul(n) ^ n << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()
    });
    let noise: Vec<_> = random.take(24 << 20).collect();
    assert_eq!(device.upload("noise.bin", &noise).await.status, 201);
    let path = "/ai/export?format=html";
    let ask = || request(&server.base(), &device, "GET", path);
    let first = soon(ask().send()).await.unwrap();
    let second = soon(ask().send()).await.unwrap();
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (200, 200));
    let refused = Reply::of(ask()).await;
    refused.refused(429, "rate_limited");
    assert!(refused.header("retry-after").parse::<u64>().is_ok());
    let other = server.device("of somebody else").await;
    assert_eq!(text(&server.base(), &other, "/ai/export").await.ok(), json!([]));
    drop(first);
    soon(async { while Reply::status_of(ask()).await != 200 {} }).await;
}

#[tokio::test]
async fn a_file_that_is_no_export_fails_with_a_sentence_and_one_too_large_is_refused() {
    let server = Given::new().set("limits.import_bytes", "1000").start().await;
    let device = server.device("one").await;
    for (file, expected, code) in [
        ("GIF89a", "neither JSON nor a ZIP", "not_json"),
        ("[{\"mapping\": {}", "ends in the middle", "cut_off"),
        ("PK\u{3}\u{4}broken", "damaged", "damaged_zip"),
    ] {
        let import = over(&device, &begin(&server.base(), &device, file).await).await;
        assert_eq!(import["state"], "failed");
        assert!(import["error"].as_str().unwrap().contains(expected), "{import}");
        assert_eq!(import["error_code"], code);
    }
    let large = request(&server.base(), &device, "POST", "/ai/imports").body("x".repeat(1001));
    Reply::of(large).await.refused(413, "payload_too_large");
    let stranger = server.device("two").await;
    let id = begin(&server.base(), &device, "[]").await;
    let foreign = request(&server.base(), &stranger, "GET", &format!("/ai/imports/{id}"));
    Reply::of(foreign).await.refused(404, "not_found");
}

#[tokio::test]
async fn markdown_and_html_are_files_that_nothing_can_be_smuggled_into() {
    let server = Given::new().start().await;
    let device = server.device("one").await;
    let started = device.start("../<script>alert(1)</script>\"", &fast(2)).await;
    ended(&device, started.conversation_id).await;
    let path = format!("/ai/conversations/{}/export", started.conversation_id);
    let markdown = text(&server.base(), &device, &format!("{path}?format=markdown")).await;
    assert!(markdown.text.starts_with("---\ntitle: \"../<script>"), "{}", markdown.text);
    let html = text(&server.base(), &device, &format!("{path}?format=html")).await;
    assert!(!html.text.contains("<script"), "{}", html.text);
    let name = html.header("content-disposition");
    assert!(name.starts_with("attachment; filename=\"script-alert-1-script.html\""), "{name}");
    let zip = request(&server.base(), &device, "GET", "/ai/export?format=markdown");
    let zip = soon(zip.send()).await.unwrap();
    assert_eq!(zip.headers()["content-type"], "application/zip");
    let bytes = soon(zip.bytes()).await.unwrap();
    assert!(bytes.starts_with(b"PK\x03\x04") && bytes.windows(4).any(|at| at == b"PK\x05\x06"));
    let stranger = server.device("two").await;
    text(&server.base(), &stranger, &path).await.refused(404, "not_found");
    let bad = text(&server.base(), &device, &format!("{path}?format=docx")).await;
    bad.refused(400, "bad_request");
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers[name].to_str().unwrap()
}

#[tokio::test]
async fn a_share_is_read_without_a_session_until_it_is_taken_back() {
    let server = Given::new().start().await;
    let device = server.device("one").await;
    let started = device.start("Share <b>this</b>", &fast(3)).await;
    let id = started.conversation_id;
    ended(&device, id).await;
    let shares = format!("/ai/conversations/{id}/shares");
    let share = device.call("POST", &shares, Some(json!({}))).await;
    let (name, url) = (share["share_id"].as_str().unwrap(), share["url"].as_str().unwrap());
    assert_eq!((name.len(), url), (48, &*format!("{}/share/{name}", server.base())));
    // What comes later is not in it.
    device.go_on(id, "A secret", &fast(2)).await;
    ended(&device, id).await;
    let page = Reply::of(reqwest::Client::new().get(url)).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("Share &lt;b&gt;this&lt;/b&gt;"), "{}", page.text);
    assert!(!page.text.contains("secret") && !page.text.contains(&*device.id.0));
    assert_eq!(header(&page.headers, "referrer-policy"), "no-referrer");
    assert_eq!(header(&page.headers, "cache-control"), "private, no-store");
    assert!(header(&page.headers, "x-robots-tag").contains("noindex"));
    let policy = header(&page.headers, "content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{policy}");
    let style = Reply::of(server.get("/share/page.css")).await;
    assert!(style.text.contains("light-dark("));

    let stranger = server.device("two").await;
    let revoke = format!("/ai/shares/{name}");
    let foreign = request(&server.base(), &stranger, "DELETE", &revoke);
    Reply::of(foreign).await.refused(404, "not_found");
    assert_eq!(device.call("GET", "/ai/shares", None).await["shares"][0]["share_id"], name);
    device.call("DELETE", &revoke, None).await;
    assert_eq!(Reply::of(reqwest::Client::new().get(url)).await.status, 404);

    let goes = device.call("POST", &shares, Some(json!({}))).await;
    let stays = device.call("POST", &shares, Some(json!({"keep": true}))).await;
    device.rest.delete(id).await.unwrap();
    for (share, status) in [(goes, 404), (stays, 200)] {
        let page = Reply::of(reqwest::Client::new().get(share["url"].as_str().unwrap())).await;
        assert_eq!(page.status, status);
    }
}

#[tokio::test]
async fn links_open_behind_an_access_code_and_not_when_they_are_switched_off() {
    let server = Given::new().set("share.enabled", "false").start().await;
    let device = server.device("one").await;
    let started = device.start("Share this", &fast(3)).await;
    let path = format!("/ai/conversations/{}/shares", started.conversation_id);
    let refused = request(&server.base(), &device, "POST", &path).json(&json!({}));
    Reply::of(refused).await.refused(403, "forbidden");
    assert_eq!(Reply::of(server.get("/share/0123")).await.status, 404);
    let server = Given::new().set("auth.access_code", "open sesame").start().await;
    assert_eq!(Reply::of(server.get("/share/0123")).await.status, 404);
}

#[tokio::test]
async fn deleting_everything_stops_what_runs_and_leaves_others_alone() {
    let server = Given::new().start().await;
    let (device, other) = (server.device("one").await, server.device("two").await);
    let kept = other.start("Mine", &fast(2)).await;
    ended(&other, kept.conversation_id).await;
    let done = device.start("Old whale", &fast(2)).await;
    ended(&device, done.conversation_id).await;
    let shares = format!("/ai/conversations/{}/shares", done.conversation_id);
    let share = device.call("POST", &shares, Some(json!({"keep": true}))).await;
    let id = begin(&server.base(), &device, export("claude", 5, 4)).await;
    over(&device, &id).await;
    device.start("It runs", "numbers:tokens=100000,rate=5,first=0").await;
    let delete = |confirm: &str| {
        let body = json!({"confirm": confirm});
        Reply::of(request(&server.base(), &device, "DELETE", "/ai/conversations").json(&body))
    };
    delete("yes").await.refused(400, "bad_request");
    assert_eq!(delete("delete everything").await.ok()["conversations"], 7);
    assert_eq!(device.call("GET", "/ai/conversations", None).await["total"], 0);
    assert_eq!(device.call("GET", "/ai/search?q=whale", None).await["hits"], json!([]));
    assert_eq!(device.call("GET", "/ai/imports", None).await["imports"], json!([]));
    let page = Reply::of(reqwest::Client::new().get(share["url"].as_str().unwrap())).await;
    assert_eq!(page.status, 404);
    assert_eq!(other.history(kept.conversation_id).await.len(), 2);
    let ended = |calls: &[Call]| calls.iter().all(|call| call.state != CallState::Running);
    soon(server.standin.wait_until(ended)).await;
}
