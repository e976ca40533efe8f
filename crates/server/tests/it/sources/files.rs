//! Files by themselves.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use unbroken_standin::Standin;

use super::{PICTURE, WHALES};
use crate::support::{Device, Given, Process, Reply, TestServer};

/// All that is kept of files, on the disk.
fn kept(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.join("files")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let files = std::fs::read_dir(path).unwrap();
            names.extend(files.map(|file| file.unwrap().file_name().into_string().unwrap()));
        } else {
            names.push(path.display().to_string());
        }
    }
    names
}

async fn passages(device: &Device, id: &str, around: u32) -> Value {
    let request = reqwest::Client::new()
        .get(format!("{}/ai/files/{id}/passages", device.base()))
        .query(&device.query())
        .query(&[("around", around)]);
    Reply::of(request).await.ok()
}

/// A book of many passages, each with a number of its own.
fn book(paragraphs: usize) -> String {
    let words = "the whale swims on and on through the deep sea ".repeat(20);
    let paragraph = |n| format!("Paragraph {n}. {words}");
    (0..paragraphs).map(paragraph).collect::<Vec<_>>().join("\n\n")
}

#[tokio::test]
async fn a_file_is_stored_read_and_shown_on_every_tab() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut tab = device.link("phone").await.hello(&[]).await;
    let reply = device.upload("../Moby\tDick.md", b"# Whales\n\nThey sing.").await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    let file = reply.json();
    assert_eq!(file["name"], "MobyDick.md");
    assert_eq!((&file["state"], &file["bytes"]), (&json!("processing"), &json!(20)));
    let mut seen = tab.next_of("file").await;
    while seen["file"]["state"] == "processing" {
        seen = tab.next_of("file").await;
    }
    assert_eq!(seen["file"]["state"], "ready", "{seen}");
    assert_eq!(seen["file"]["media_type"], "text/markdown");
    let id = file["file_id"].as_str().unwrap();
    let list = device.call("GET", "/ai/files", None).await;
    assert_eq!(list["files"][0], seen["file"]);
    assert_eq!((&list["used"], &list["quota"]), (&json!(20), &json!(2048_u64 << 20)));
    assert_eq!(device.call("GET", &format!("/ai/files/{id}"), None).await, seen["file"]);
    let found = passages(&device, id, 0).await;
    assert_eq!(found["passages"][0]["heading"], "Whales");
    assert!(found["passages"][0]["text"].as_str().unwrap().ends_with("They sing."));
}

#[tokio::test]
async fn the_bytes_come_back_as_an_attachment_and_only_a_picture_is_shown() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let page = b"<script>alert(1)</script>";
    for (name, bytes, how, media_type) in [
        ("page.html", &page[..], "attachment", "text/html"),
        ("page.png", b"<script>2</script>", "attachment", ""),
        ("picture.html", PICTURE, "inline", "image/png"),
    ] {
        let file = device.upload(name, bytes).await.json();
        let path = format!("/ai/files/{}/content", file["file_id"].as_str().unwrap());
        let reply = Reply::of(server.get(&path).query(&device.query())).await;
        assert_eq!(reply.status, 200);
        assert!(reply.header("content-disposition").starts_with(how), "{name}: {reply:?}");
        assert!(reply.header("content-type").starts_with(media_type), "{name}: {reply:?}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert!(reply.header("content-security-policy").starts_with("sandbox;"));
        assert_eq!(reply.header("content-length"), bytes.len().to_string());
    }
}

#[tokio::test]
async fn the_same_bytes_are_one_file_of_a_person_and_read_once() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let id = device.file("whales.txt", WHALES).await;
    let again = device.upload("again.txt", WHALES.as_bytes()).await;
    assert_eq!((again.status.as_u16(), &again.json()["file_id"]), (200, &json!(id)));
    let other = server.device("stranger").await;
    let theirs = other.upload("mine.txt", WHALES.as_bytes()).await;
    assert_eq!((theirs.status.as_u16(), &theirs.json()["state"]), (201, &json!("ready")));
    assert_ne!(theirs.json()["file_id"], json!(id));
    assert_eq!(kept(server.folder()).len(), 1);
}

#[tokio::test]
async fn a_foreign_file_is_not_there() {
    let server = TestServer::start().await;
    let id = server.device("laptop").await.file("whales.txt", WHALES).await;
    let stranger = server.device("stranger").await;
    for (method, path) in [
        (Method::GET, ""),
        (Method::GET, "/content"),
        (Method::GET, "/passages"),
        (Method::DELETE, ""),
    ] {
        let request = server.request(method, &format!("/ai/files/{id}{path}"));
        Reply::of(request.query(&stranger.query())).await.refused(404, "not_found");
    }
    let list = stranger.call("GET", "/ai/files", None).await;
    assert_eq!(list["files"], json!([]));
    Reply::of(server.get("/ai/files")).await.refused(401, "unauthorized");
}

#[tokio::test]
async fn too_large_a_file_one_too_many_and_no_file_are_refused() {
    let given = Given::new().set("sources.file_mb", "1").set("sources.quota_mb", "1");
    let server = given.start().await;
    let device = server.device("laptop").await;
    let large = vec![b'a'; 700 << 10];
    device.upload("large.txt", &vec![b'a'; (1 << 20) + 1]).await.refused(413, "payload_too_large");
    assert_eq!(device.upload("one.txt", &large).await.status, 201);
    assert_eq!(device.upload("one again.txt", &large).await.status, 200);
    let other = vec![b'b'; 700 << 10];
    let sentence = device.upload("two.txt", &other).await.refused(402, "quota_exceeded");
    assert!(sentence.contains("1 MiB"), "{sentence}");
    device.upload("empty.txt", b"").await.refused(400, "bad_request");
    let bare = server.post("/ai/files").query(&device.query()).body("bytes");
    Reply::of(bare).await.refused(400, "bad_request");
    assert_eq!(kept(server.folder()).len(), 1, "nothing stays of what was refused");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_says_why() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut tab = device.hello(&[]).await;
    device.upload("picture.png", PICTURE).await;
    let mut seen = tab.next_of("file").await;
    while seen["file"]["state"] == "processing" {
        seen = tab.next_of("file").await;
    }
    assert_eq!(seen["file"]["state"], "refused", "{seen}");
    assert_eq!(seen["file"]["reason_code"], "unsupported");
    crate::support::assert_sentence(seen["file"]["reason"].as_str().unwrap());
}

#[tokio::test]
async fn deleting_takes_rows_passages_and_bytes() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let other = server.device("other").await;
    let id = device.file("whales.txt", WHALES).await;
    let theirs = other.file("theirs.txt", WHALES).await;
    let mut tab = device.hello(&[]).await;
    let delete = async |device: &Device, id: &str| {
        let request = server.request(Method::DELETE, &format!("/ai/files/{id}"));
        Reply::of(request.query(&device.query())).await
    };
    assert_eq!(delete(&device, &id).await.status, 204);
    let seen = tab.next_of("file").await;
    assert_eq!((&seen["file_id"], seen.get("file")), (&json!(id), None));
    delete(&device, &id).await.refused(404, "not_found");
    assert_eq!(passages(&other, &theirs, 0).await["total"], 1, "the other has it still");
    assert_eq!(kept(server.folder()).len(), 1);
    assert_eq!(delete(&other, &theirs).await.status, 204);
    assert_eq!(kept(server.folder()), [""; 0]);
    // Brought once more it is read once more.
    let again = device.file("whales.txt", WHALES).await;
    assert_eq!(passages(&device, &again, 0).await["total"], 1);

    let body = json!({"confirm": "delete everything"});
    device.call("DELETE", "/ai/conversations", Some(body)).await;
    assert_eq!(device.call("GET", "/ai/files", None).await["files"], json!([]));
    assert_eq!(kept(server.folder()), [""; 0]);
}

/// Whenever it dies, the file is read in the end, and nothing is there twice.
#[tokio::test]
async fn a_file_that_was_being_read_at_a_kill_9_is_read_after_it() {
    let text = book(4000);
    let folder = TempDir::new().unwrap();
    let standin = Standin::start().await;
    let mut process = Process::start(folder.path(), &standin.base_url()).await;
    let mut device = process.device("laptop").await;
    let stored = device.upload("book.txt", text.as_bytes()).await.json();
    assert_eq!(stored["state"], "processing");
    let id = stored["file_id"].as_str().unwrap();
    let path = format!("/ai/files/{id}");
    // It dies while the file is read, and at several places while its passages come in.
    for looks in [0, 8, 16, 24, 32, 40] {
        for _ in 0..looks {
            if device.call("GET", &path, None).await["state"] != "processing" {
                break;
            }
        }
        process.kill().await;
        // What an upload leaves that broke off.
        std::fs::write(folder.path().join("files/1.unfinished"), "half").unwrap();
        process = Process::start(folder.path(), &standin.base_url()).await;
        device = device.at(process.base());
    }

    let mut tab = device.hello(&[]).await;
    let mut file = device.call("GET", &path, None).await;
    while file["state"] == "processing" {
        file = tab.next_of("file").await["file"].clone();
    }
    assert_eq!(file["state"], "ready", "{file}");
    assert_eq!(kept(folder.path()).len(), 1);
    let mut numbers = Vec::new();
    let total = u32::try_from(passages(&device, id, 0).await["total"].as_u64().unwrap()).unwrap();
    for around in (3..total + 7).step_by(7) {
        for passage in passages(&device, id, around).await["passages"].as_array().unwrap() {
            numbers.push(passage["ordinal"].as_u64().unwrap());
        }
    }
    assert_eq!(numbers, (0..u64::from(total)).collect::<Vec<_>>());
}

/// What comes before the file, and as much as it takes to see that.
#[tokio::test]
async fn a_form_whose_file_does_not_begin_is_refused_before_it_is_there() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let post = |body: String| {
        let form = ("content-type", "multipart/form-data; boundary=line");
        let request = server.post("/ai/files").query(&device.query());
        Reply::of(request.header(form.0, form.1).body(body))
    };
    let field = |name: &str, text: &str| {
        format!("--line\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let file = field("file\"; filename=\"a.txt", WHALES) + "--line--\r\n";
    for before in ["x".repeat(1 << 20), field("note", "x").repeat(2000)] {
        let message = post(before + "\r\n" + &file).await.refused(400, "bad_request");
        assert!(message.contains("Send it first"), "{message}");
    }
    let before = "x".repeat(50 << 10) + "\r\n" + &field("note", "x").repeat(10);
    assert_eq!(post(before + &file).await.status, 201);
    let unknown = server.post("/ai/files").query(&[("session_id", "nobody")]);
    Reply::of(unknown.body("no form")).await.refused(401, "unauthorized");
}

#[tokio::test]
async fn a_server_that_takes_no_files_says_so_before_all_else() {
    let server = Given::new().set("sources.quota_mb", "0").start().await;
    let reply = Reply::of(server.post("/ai/files").body("no form")).await;
    let message = reply.refused(400, "bad_request");
    assert_eq!(message, "This server takes no files.");
}

#[tokio::test]
async fn a_collection_is_a_named_set_of_files() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut tab = device.hello(&[]).await;
    let id = device.file("whales.txt", WHALES).await;
    let made = device.call("POST", "/ai/collections", Some(json!({"name": " The  sea "}))).await;
    assert_eq!((&made["name"], &made["file_ids"]), (&json!("The sea"), &json!([])));
    let path = format!("/ai/collections/{}", made["collection_id"].as_str().unwrap());
    let filled = device.call("PUT", &format!("{path}/files/{id}"), None).await;
    assert_eq!(filled["file_ids"], json!([id]));
    let renamed = device.call("PATCH", &path, Some(json!({"name": "Whales"}))).await;
    assert_eq!(renamed["name"], "Whales");
    assert_eq!(device.call("GET", "/ai/collections", None).await["collections"], json!([renamed]));
    while tab.next_of("collection").await["collection"] != renamed {}
    let stranger = server.device("stranger").await;
    Reply::of(server.get(&path).query(&stranger.query())).await.refused(404, "not_found");
    let emptied = device.call("DELETE", &format!("{path}/files/{id}"), None).await;
    assert_eq!(emptied["file_ids"], json!([]));
    let gone = server.request(Method::DELETE, &path).query(&device.query());
    assert_eq!(Reply::of(gone).await.status, 204);
    Reply::of(server.get(&path).query(&device.query())).await.refused(404, "not_found");
    assert_eq!(device.call("GET", "/ai/files", None).await["files"][0]["file_id"], json!(id));
    let nameless = server.post("/ai/collections").query(&device.query());
    Reply::of(nameless.json(&json!({"name": " "}))).await.refused(400, "bad_request");
    // Ids that are no text are the ids of nothing.
    let broken = server.request(Method::PUT, "/ai/collections/%ff/files/%ff");
    Reply::of(broken.query(&device.query())).await.refused(404, "not_found");
}
