//! Files that come in several goes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use unbroken_protocol::{PrincipalId, UploadId, limits};
use unbroken_server::patience::Patience;
use unbroken_standin::Standin;

use super::PICTURE;
use crate::support::{Device, Given, Process, Reply, TestServer, assert_sentence, soon};

fn path(id: UploadId) -> String {
    format!("/ai/uploads/{id}")
}

/// Bytes that differ everywhere, and with `n`.
fn bytes(n: u64, length: usize) -> Vec<u8> {
    let words = (0..).flat_map(|word| format!("{n} and {word}. ").into_bytes());
    words.take(length).collect()
}

/// Sends a stretch of a file, with so many bytes altogether.
async fn put(device: &Device, id: UploadId, at: usize, total: usize, bytes: &[u8]) -> Reply {
    let request = Client::new()
        .put(format!("{}{}", device.base(), path(id)))
        .query(&device.query())
        .query(&[("name", "a file.txt"), ("at", &at.to_string()), ("total", &total.to_string())])
        .body(bytes.to_vec());
    Reply::of(request).await
}

async fn call(device: &Device, method: Method, id: UploadId) -> Reply {
    let request = Client::new().request(method, format!("{}{}", device.base(), path(id)));
    Reply::of(request.query(&device.query())).await
}

/// How much of it the server has.
async fn received(device: &Device, id: UploadId) -> Option<u64> {
    let reply = call(device, Method::GET, id).await;
    (reply.status == 200).then(|| reply.json()["received"].as_u64().unwrap())
}

/// A request that says that it brings the rest of a file, and has brought these bytes of it. The
/// server has all of them; the connection is open.
async fn begun(device: &Device, id: UploadId, at: usize, total: usize, bytes: &[u8]) -> TcpStream {
    let query: Vec<_> =
        device.query().iter().map(|(key, value)| format!("{key}={value}")).collect();
    let host = device.base().strip_prefix("http://").unwrap();
    let head = format!(
        "PUT {}?{}&name=a%20file.txt&at={at}&total={total} HTTP/1.1\r\nhost: {host}\r\n\
         content-length: {}\r\n\r\n",
        path(id),
        query.join("&"),
        total - at
    );
    let mut connection = TcpStream::connect(host).await.unwrap();
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(bytes).await.unwrap();
    let there = (at + bytes.len()) as u64;
    soon(async { while received(device, id).await != Some(there) {} }).await;
    connection
}

async fn content(device: &Device, file: &Value) -> Vec<u8> {
    let id = file["file_id"].as_str().unwrap();
    let url = format!("{}/ai/files/{id}/content", device.base());
    let reply = Client::new().get(url).query(&device.query()).send().await.unwrap();
    reply.bytes().await.unwrap().to_vec()
}

/// All unfinished files on the disk.
fn unfinished(folder: &Path) -> Vec<PathBuf> {
    let Ok(people) = fs::read_dir(folder.join("files/coming")) else { return Vec::new() };
    let inside = people.flat_map(|person| fs::read_dir(person.unwrap().path()).unwrap());
    inside.map(|file| file.unwrap().path()).collect()
}

/// Lets the newest byte of an unfinished file be so old.
fn age(folder: &Path, id: UploadId, age: Duration) {
    let is_it = |path: &PathBuf| path.ends_with(id.to_string());
    let path = unfinished(folder).into_iter().find(is_it).unwrap();
    let file = File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

const HOUR: Duration = Duration::from_hours(1);

/// A server that would wait for the rest of a body longer than any test.
async fn patient() -> TestServer {
    Given::new().patience(Patience { body: HOUR, ..Patience::default() }).start().await
}

#[tokio::test]
async fn a_file_whose_connection_was_cut_goes_on_where_it_was() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let (id, whole) = (UploadId::new(), bytes(1, 900_000));
    assert_eq!(received(&device, id).await, None);
    drop(begun(&device, id, 0, whole.len(), &whole[..400_000]).await);
    drop(begun(&device, id, 400_000, whole.len(), &whole[400_000..650_001]).await);
    let reply = put(&device, id, 650_001, whole.len(), &whole[650_001..]).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    let file = reply.json();
    assert_eq!((&file["name"], &file["bytes"]), (&json!("a file.txt"), &json!(900_000)));
    assert_eq!(file["media_type"], "text/plain");
    assert_eq!(content(&device, &file).await, whole);
    assert_eq!(unfinished(server.folder()), [""; 0].map(PathBuf::from));
}

#[tokio::test]
async fn a_file_whose_answer_was_lost_is_not_sent_again() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let (id, whole) = (UploadId::new(), bytes(1, 5000));
    let file = put(&device, id, 0, 5000, &whole).await.json();
    assert_eq!(received(&device, id).await, Some(5000));
    let again = put(&device, id, 5000, 5000, b"").await;
    assert_eq!((again.status.as_u16(), &again.json()["file_id"]), (200, &file["file_id"]));
    // Whoever sends it from the beginning gets the same file.
    let again = put(&device, id, 0, 5000, &whole).await;
    assert_eq!((again.status.as_u16(), &again.json()["file_id"]), (200, &file["file_id"]));
    // Deleted, it is not there.
    let deleted = format!("/ai/files/{}", file["file_id"].as_str().unwrap());
    let request = server.request(Method::DELETE, &deleted).query(&device.query());
    assert_eq!(Reply::of(request).await.status, 204);
    assert_eq!(received(&device, id).await, None);
    put(&device, id, 5000, 5000, b"").await.refused(409, "conflict");
}

/// However a file is cut, and wherever connections break, it is the same file.
#[tokio::test]
async fn any_pieces_make_the_same_file() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut random = 7_u64;
    let mut below = |most: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(random >> 33).unwrap() % most
    };
    for n in 0..25 {
        let total = [1, 2, 4096, 70_000, 300_000][below(5)] + below(3);
        let (id, whole) = (UploadId::new(), bytes(n, total));
        let mut at = 0;
        let file = loop {
            let to = (at + below(total / 2 + 2)).min(total);
            let stretch = &whole[at..to];
            if to < total && below(2) == 0 && (at > 0 || to > 0) {
                drop(begun(&device, id, at, total, stretch).await);
            } else {
                let reply = put(&device, id, at, total, stretch).await;
                if to == total {
                    assert_eq!(reply.status, 201, "{}", reply.text);
                    break reply.json();
                }
                assert_eq!((reply.status.as_u16(), reply.json()), (202, json!({"received": to})));
            }
            at = to;
        };
        assert_eq!(content(&device, &file).await, whole, "{n}");
    }
}

#[tokio::test]
async fn bytes_that_do_not_fit_are_refused_and_change_nothing() {
    let server = Given::new().set("sources.file_mb", "1").start().await;
    let device = server.device("laptop").await;
    let (id, whole) = (UploadId::new(), bytes(1, 1000));
    put(&device, id, 1, 1000, &whole[1..]).await.refused(409, "conflict");
    put(&device, id, 0, 0, b"").await.refused(400, "bad_request");
    put(&device, id, 1001, 1000, b"").await.refused(400, "bad_request");
    // Before a byte is read: none comes, and the request says that a million will.
    let large = (1 << 20) + 1;
    put(&device, id, 0, large, b"").await.refused(413, "payload_too_large");
    assert_eq!(received(&device, id).await, None);
    put(&device, id, 0, 1000, &whole[..300]).await;
    for at in [0, 299, 301, 1000] {
        let sentence = put(&device, id, at, 1000, &whole[at..]).await.refused(409, "conflict");
        assert_sentence(&sentence);
    }
    put(&device, id, 300, 1000, &bytes(2, 701)).await.refused(400, "bad_request");
    assert_eq!(received(&device, id).await, Some(300));
    assert_eq!(
        content(&device, &put(&device, id, 300, 1000, &whole[300..]).await.json()).await,
        whole
    );
    let nameless = server.request(Method::PUT, &path(id)).query(&device.query());
    Reply::of(nameless.query(&[("at", 0)])).await.refused(400, "bad_request");
    let odd = server.request(Method::PUT, "/ai/uploads/..%2f..%2fx").query(&device.query());
    let odd = odd.query(&[("name", "x"), ("at", "0"), ("total", "1")]).body("x");
    Reply::of(odd).await.refused(400, "bad_request");
    let unknown = server.request(Method::PUT, &path(id));
    let unknown = unknown.query(&[("name", "x"), ("at", "0"), ("total", "1")]).body("x");
    Reply::of(unknown).await.refused(401, "unauthorized");
}

#[tokio::test]
async fn a_file_says_by_its_bytes_that_it_is_a_picture_also_in_pieces() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let (id, total) = (UploadId::new(), PICTURE.len());
    put(&device, id, 0, total, &PICTURE[..3]).await;
    let file = put(&device, id, 3, total, &PICTURE[3..]).await.json();
    assert_eq!(file["media_type"], "image/png");
}

#[tokio::test]
async fn nobody_sees_or_touches_what_another_sends() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let stranger = server.device("stranger").await;
    let (id, mine, theirs) = (UploadId::new(), bytes(1, 1000), bytes(2, 1000));
    put(&device, id, 0, 1000, &mine[..500]).await;
    call(&stranger, Method::GET, id).await.refused(404, "not_found");
    put(&stranger, id, 500, 1000, &theirs[500..]).await.refused(409, "conflict");
    assert_eq!(call(&stranger, Method::DELETE, id).await.status, 204);
    // The id is the client's own, and no secret.
    let other = put(&stranger, id, 0, 1000, &theirs).await.json();
    assert_eq!(content(&stranger, &other).await, theirs);
    assert_eq!(received(&device, id).await, Some(500));
    let file = put(&device, id, 500, 1000, &mine[500..]).await.json();
    assert_eq!(content(&device, &file).await, mine);
}

#[tokio::test]
async fn a_newer_request_takes_over_from_one_that_hangs() {
    let server = patient().await;
    let device = server.device("laptop").await;
    let (id, whole) = (UploadId::new(), bytes(1, 200_000));
    let mut hanging = begun(&device, id, 0, 200_000, &whole[..50_000]).await;
    let reply = soon(put(&device, id, 50_000, 200_000, &whole[50_000..])).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    // The late bytes of the first reach nothing.
    let _ = hanging.write_all(&whole[50_000..60_000]).await;
    let mut said = Vec::new();
    let _ = soon(hanging.read_to_end(&mut said)).await;
    let said = String::from_utf8(said).unwrap();
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 409 "), "{said}");
    assert_eq!(content(&device, &reply.json()).await, whole);
}

#[tokio::test]
async fn what_is_given_up_is_gone() {
    let server = patient().await;
    let device = server.device("laptop").await;
    let (id, other) = (UploadId::new(), UploadId::new());
    let _hanging = begun(&device, id, 0, 1000, &bytes(1, 400)).await;
    put(&device, other, 0, 1000, &bytes(2, 300)).await;
    assert_eq!(soon(call(&device, Method::DELETE, id)).await.status, 204);
    assert_eq!((received(&device, id).await, received(&device, other).await), (None, Some(300)));
    assert_eq!(call(&device, Method::DELETE, id).await.status, 204);

    let body = json!({"confirm": "delete everything"});
    device.call("DELETE", "/ai/conversations", Some(body)).await;
    assert_eq!(received(&device, other).await, None);
    assert_eq!(unfinished(server.folder()), [""; 0].map(PathBuf::from));
}

#[tokio::test]
async fn what_is_not_finished_takes_room() {
    let given = Given::new().set("sources.file_mb", "1").set("sources.quota_mb", "1");
    let server = given.start().await;
    let device = server.device("laptop").await;
    let (id, other, large) = (UploadId::new(), UploadId::new(), 700 << 10);
    put(&device, id, 0, large, &bytes(1, 600 << 10)).await;
    assert_eq!(device.call("GET", "/ai/files", None).await["used"], 600 << 10);
    device.upload("two.txt", &bytes(2, large)).await.refused(402, "quota_exceeded");
    let reply = put(&device, other, 0, large, b"").await;
    assert!(reply.refused(402, "quota_exceeded").contains("1 MiB"));
    assert_eq!(put(&device, id, 600 << 10, large, &bytes(1, large)[600 << 10..]).await.status, 201);
    // What the person has already takes no room, and what is one file too many goes.
    assert_eq!(put(&device, other, 0, large, &bytes(1, large)).await.status, 200);
    put(&device, other, 0, large, &bytes(2, large)).await.refused(402, "quota_exceeded");
    assert_eq!(received(&device, other).await, Some(large as u64), "of the file before");
    assert_eq!(unfinished(server.folder()), [""; 0].map(PathBuf::from));
}

#[tokio::test]
async fn what_came_is_there_after_a_kill_9() {
    let folder = TempDir::new().unwrap();
    let standin = Standin::start().await;
    let process = Process::start(folder.path(), &standin.base_url()).await;
    let device = process.device("laptop").await;
    let (id, old, full) = (UploadId::new(), UploadId::new(), UploadId::new());
    let whole = bytes(1, 500_000);
    put(&device, old, 0, 1000, &bytes(2, 10)).await;
    let _connection = begun(&device, id, 0, 500_000, &whole[..300_000]).await;
    process.kill().await;
    age(folder.path(), old, 25 * HOUR);
    age(folder.path(), id, 23 * HOUR);
    // All bytes came, and the process died before it made a file of them.
    let place = unfinished(folder.path())[0].with_file_name(full.to_string());
    fs::write(&place, bytes(3, 1000)).unwrap();
    let empty = folder.path().join("files/coming").join(PrincipalId::new().to_string());
    fs::create_dir(&empty).unwrap();

    let process = Process::start(folder.path(), &standin.base_url()).await;
    let device = device.at(process.base());
    assert_eq!((received(&device, id).await, received(&device, old).await), (Some(300_000), None));
    assert!(!empty.exists());
    let reply = put(&device, id, 300_000, 500_000, &whole[300_000..]).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    assert_eq!(content(&device, &reply.json()).await, whole);
    assert_eq!(received(&device, full).await, Some(1000));
    let file = put(&device, full, 1000, 1000, b"").await.json();
    assert_eq!(content(&device, &file).await, bytes(3, 1000));
}

#[tokio::test]
async fn a_server_that_ends_leaves_the_rest_to_the_next() {
    let folder = TempDir::new().unwrap();
    let standin = Standin::start().await;
    let process = Process::start(folder.path(), &standin.base_url()).await;
    let device = process.device("laptop").await;
    let (id, whole) = (UploadId::new(), bytes(1, 1000));
    let mut hanging = begun(&device, id, 0, 1000, &whole[..400]).await;
    process.terminate();
    let mut said = Vec::new();
    soon(hanging.read_to_end(&mut said)).await.unwrap();
    let said = String::from_utf8(said).unwrap();
    assert!(said.starts_with("HTTP/1.1 503 ") && said.contains("\"draining\""), "{said}");
    assert_eq!(process.ended().await, Some(0));

    let process = Process::start(folder.path(), &standin.base_url()).await;
    let device = device.at(process.base());
    assert_eq!(received(&device, id).await, Some(400));
    assert_eq!(put(&device, id, 400, 1000, &whole[400..]).await.status, 201);
}

#[tokio::test]
async fn what_is_left_lying_goes_with_the_next_beginning() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let ids: Vec<_> = (0..limits::UPLOADS).map(|_| UploadId::new()).collect();
    for (n, id) in ids.iter().enumerate() {
        put(&device, *id, 0, 1000, &bytes(n as u64, 10)).await;
        age(server.folder(), *id, Duration::from_mins(20 * 60 - n as u64));
    }
    // Of another person, and older than all.
    let stranger = server.device("stranger").await;
    let theirs = UploadId::new();
    put(&stranger, theirs, 0, 1000, b"some").await;
    age(server.folder(), theirs, 30 * HOUR);
    // Going on begins nothing.
    put(&device, ids[3], 10, 1000, b"more").await;
    assert_eq!(unfinished(server.folder()).len(), limits::UPLOADS + 1);
    for id in [ids[1], ids[4]] {
        age(server.folder(), id, 25 * HOUR);
    }
    put(&device, UploadId::new(), 0, 1000, b"one").await;
    assert_eq!(received(&device, ids[1]).await, None, "older than a day");
    assert_eq!(received(&device, ids[4]).await, None, "older than a day");
    put(&device, UploadId::new(), 0, 1000, b"two").await;
    assert_eq!(received(&device, ids[0]).await, Some(10), "the oldest of as many as may be");
    put(&device, UploadId::new(), 0, 1000, b"three").await;
    assert_eq!(received(&device, ids[0]).await, None, "the oldest of too many");
    assert_eq!(
        (received(&device, ids[2]).await, received(&device, ids[3]).await),
        (Some(10), Some(14))
    );
    assert_eq!(received(&stranger, theirs).await, Some(4));
    assert_eq!(unfinished(server.folder()).len(), limits::UPLOADS + 1);
}
