//! Search (PROTOCOL B5).

use serde_json::{Value, json};
use unbroken_protocol::{ConversationPatch, SearchHit, SearchPage};

use crate::support::{Device, Reply, TestServer, fast, held};

async fn search(server: &TestServer, device: &Device, query: &[(&str, &str)]) -> SearchPage {
    let request = server.get("/ai/search").query(&device.query()).query(query);
    serde_json::from_value(Reply::of(request).await.ok()).unwrap()
}

/// The marked pieces of a snippet.
fn marked(hit: &SearchHit) -> Vec<String> {
    let piece = |(from, to): &(usize, usize)| hit.snippet.chars().skip(*from).take(to - from);
    hit.marks.iter().map(|mark| piece(mark).collect()).collect()
}

/// Asks and reads the answer to its end.
async fn ask(device: &Device, message: &str, tokens: usize) -> unbroken_protocol::StartResponse {
    let started = device.start(message, &fast(tokens)).await;
    let mut talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": started.generation_id})).await;
    talk.answer().await;
    started
}

#[tokio::test]
async fn a_search_finds_questions_and_answers_with_marks() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = ask(&device, "Count\n<b>Whäles</b>!", 30).await;
    let found = search(&server, &device, &[("q", "WHALE")]).await.hits;
    assert_eq!(found.len(), 1, "the title is above it anyway: {found:?}");
    assert_eq!(found[0].message_id, Some(started.user_message_id));
    assert_eq!(found[0].conversation_id, started.conversation_id);
    assert_eq!(found[0].snippet, "Count <b>Whäles</b>!");
    assert_eq!(marked(&found[0]), ["Whäles"]);
    let answered = search(&server, &device, &[("q", "\"28 29\" 17")]).await.hits;
    assert_eq!(answered[0].message_id, Some(started.message_id));
    assert_eq!(marked(&answered[0]), ["17", "28 29"]);
}

#[tokio::test]
async fn a_title_that_a_person_gave_is_found() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let id = ask(&device, "Count!", 3).await.conversation_id;
    let patch = ConversationPatch { title: Some("Moby".into()), ..ConversationPatch::default() };
    device.rest.patch(id, &patch).await.unwrap();
    let found = search(&server, &device, &[("q", "moby")]).await.hits;
    assert_eq!((found.len(), found[0].conversation_id), (1, id));
    assert_eq!((found[0].message_id, found[0].snippet.as_str()), (None, "Moby"));
}

/// B8.18
#[tokio::test]
async fn a_foreign_message_is_not_found() {
    let server = TestServer::start().await;
    let (owner, stranger) = (server.device("laptop").await, server.device("other").await);
    ask(&owner, "A secret whale", 3).await;
    assert_eq!(search(&server, &owner, &[("q", "secret whale")]).await.hits.len(), 1);
    assert!(search(&server, &stranger, &[("q", "secret whale")]).await.hits.is_empty());
    let unknown = Reply::of(server.get("/ai/search?q=whale")).await;
    unknown.refused(401, "unauthorized");
}

#[tokio::test]
async fn what_fits_best_comes_first_and_the_rest_on_further_pages() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let best = device.start("whale, whale, whale", &held(3, 1)).await;
    let poor = device.start(&format!("{}whale", "word ".repeat(200)), &held(3, 1)).await;
    let good = device.start("One whale among some other words", &held(3, 1)).await;
    let mut cursor = String::new();
    let mut found = Vec::new();
    loop {
        let page =
            search(&server, &device, &[("q", "whale"), ("limit", "2"), ("cursor", &cursor)]).await;
        found.extend(page.hits.into_iter().map(|hit| hit.message_id));
        let Some(next) = page.next_cursor else { break };
        cursor = next;
    }
    assert_eq!(found, [&best, &good, &poor].map(|turn| Some(turn.user_message_id)));
    let request = server.get("/ai/search?q=whale&cursor=x").query(&device.query());
    Reply::of(request).await.refused(400, "bad_request");
}

#[tokio::test]
async fn a_query_without_a_word_finds_nothing() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    device.start("AND \" * (", &fast(3)).await;
    for query in ["", "\"", "* ( -", " "] {
        let found = search(&server, &device, &[("q", query)]).await;
        assert_eq!((found.hits, found.next_cursor), (Vec::new(), None), "{query}");
    }
    let reply: Value = device.call("GET", "/ai/search", None).await;
    assert_eq!(reply, json!({"hits": []}));
}
