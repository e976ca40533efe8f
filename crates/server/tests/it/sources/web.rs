//! Answers that draw on pages of the web.

use serde_json::{Value, json};
use unbroken_client::RestError;
use unbroken_protocol::{ErrorCode, Source};
use unbroken_standin::Standin;

use super::{answer, asking, of_kind};
use crate::support::{Device, Given, Reply, TestServer, fast};

/// A server that searches with a stand-in, whose pages it may fetch.
async fn searching() -> (TestServer, Standin) {
    let web = Standin::start().await;
    let address = web.base_url().replace("/v1", "");
    let port = address.rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
    let server = Given::new()
        .set("web.search", &format!("[{{ engine = \"searxng\", url = \"{address}\" }}]"))
        .set("web.allow", "[\"127.0.0.1\"]")
        .set("web.ports", &format!("[{port}]"))
        .start()
        .await;
    (server, web)
}

async fn ask(device: &Device, question: &str, model: &str, sources: Vec<Source>) -> Vec<Value> {
    let started = device.rest.start(asking(question, model, sources)).await.unwrap();
    answer(device, &started).await
}

#[tokio::test]
async fn a_search_is_read_before_the_first_word_and_cited() {
    let (server, _web) = searching().await;
    let device = server.device("laptop").await;
    assert!(device.rest.models().await.unwrap().web_search);
    let question = "Why does a lighthouse have a Fresnel lens?";
    let events = ask(&device, question, &fast(3), vec![Source::Web]).await;
    let found = of_kind(&events, "source_found");
    let lens = found
        .iter()
        .map(|event| &event["citation"])
        .find(|citation| citation["quote"].as_str().unwrap().contains("Fresnel lens"))
        .expect("the page that answers is among the sources");
    assert_eq!(lens["source_type"], "web");
    assert_eq!(lens["title"], "How lighthouses work");
    assert!(lens["url"].as_str().unwrap().ends_with("/pages/lighthouses"), "{lens}");
    let first = events.iter().position(|event| event["type"] == "content_chunk").unwrap();
    let last_found = events.iter().rposition(|event| event["type"] == "source_found").unwrap();
    assert!(last_found < first);
    let asked = &server.standin.calls()[0].last_user;
    assert!(asked.contains("title=\"How lighthouses work\""), "{asked}");
    // Without the source the next question is not searched for.
    let events = ask(&device, question, &fast(3), Vec::new()).await;
    assert_eq!(of_kind(&events, "source_found").len(), 0);
}

#[tokio::test]
async fn of_a_page_that_lets_nobody_in_there_is_what_the_engine_shows() {
    let (server, web) = searching().await;
    let device = server.device("laptop").await;
    let events = ask(&device, "How does an anchor hold?", &fast(3), vec![Source::Web]).await;
    let found = of_kind(&events, "source_found");
    let citation = found
        .iter()
        .map(|event| &event["citation"])
        .find(|citation| citation["title"] == "Anchors and chains")
        .expect("the page that is shut is among the sources");
    assert!(citation["url"].as_str().unwrap().ends_with("/pages/anchors"), "{citation}");
    assert!(citation["quote"].as_str().unwrap().contains("weight of its chain"), "{citation}");
    // Named by a person, it is told that it cannot be read.
    let url = format!("{}/pages/anchors", web.base_url().replace("/v1", ""));
    let named = vec![Source::Url { url }];
    let events = ask(&device, "How does an anchor hold?", &fast(3), named).await;
    let quote = &of_kind(&events, "source_found")[0]["citation"]["quote"];
    assert!(quote.as_str().unwrap().starts_with("This could not be read."), "{quote}");
}

#[tokio::test]
async fn a_page_that_is_named_is_read_also_without_any_model() {
    let (server, web) = searching().await;
    let device = server.device("laptop").await;
    let url = format!("{}/pages/tides", web.base_url().replace("/v1", ""));
    let source = Source::Url { url: url.clone() };
    let events = ask(&device, "When are spring tides?", "quotes", vec![source]).await;
    let citation = &of_kind(&events, "source_found")[0]["citation"];
    assert_eq!((&citation["source_type"], &citation["url"]), (&"url".into(), &url.into()));
    let whole = events.last().unwrap()["full_response"].as_str().unwrap();
    assert!(whole.contains("Sailors call them spring tides") && whole.contains("[1]"), "{whole}");
}

#[tokio::test]
async fn a_collection_stands_for_its_pages_too() {
    let (server, web) = searching().await;
    let device = server.device("laptop").await;
    let url = format!("{}/pages/tides", web.base_url().replace("/v1", ""));
    let urls = [url.clone(), url.clone()];
    let asked = json!({"name": "The sea", "urls": urls});
    let made = device.call("POST", "/ai/collections", Some(asked)).await;
    assert_eq!(made["urls"], json!([url]), "each once");
    let collection_id = made["collection_id"].as_str().unwrap().to_owned();
    let path = format!("/ai/collections/{collection_id}");
    let source = Source::Collection { collection_id };
    let question = "When are spring tides?";
    let events = ask(&device, question, "quotes", vec![source.clone()]).await;
    let citation = &of_kind(&events, "source_found")[0]["citation"];
    assert_eq!((&citation["source_type"], &citation["url"]), (&"url".into(), &url.into()));
    // What is not told stays.
    let renamed = device.call("PATCH", &path, Some(json!({"name": "Tides"}))).await;
    assert_eq!((&renamed["name"], &renamed["urls"]), (&"Tides".into(), &made["urls"]));
    device.call("PATCH", &path, Some(json!({"urls": []}))).await;
    let events = ask(&device, question, "quotes", vec![source]).await;
    assert_eq!(of_kind(&events, "source_found").len(), 0);
    for wrong in [json!(["file:///etc/passwd"]), json!(vec!["https://a.example/"; 21])] {
        let request = server.request(reqwest::Method::PATCH, &path).query(&device.query());
        let reply = Reply::of(request.json(&json!({"urls": wrong}))).await;
        assert_eq!(reply.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn what_may_not_be_fetched_is_told_and_never_connected_to() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let forbidden = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    forbidden.set_nonblocking(true).unwrap();
    let url = format!("http://{}/", forbidden.local_addr().unwrap());
    let events = ask(&device, "What is there?", &fast(3), vec![Source::Url { url }]).await;
    let citation = &of_kind(&events, "source_found")[0]["citation"];
    let quote = citation["quote"].as_str().unwrap();
    assert!(quote.starts_with("This could not be read."), "{quote}");
    assert!(server.standin.calls()[0].last_user.contains("could not be read"));
    let nobody = forbidden.accept().unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn without_a_search_engine_the_web_is_refused_as_a_source() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    assert!(!device.rest.models().await.unwrap().web_search);
    let bad_urls = ["ftp://a.example/", "file:///etc/passwd", "javascript:alert(1)"];
    let sources = bad_urls.map(|url| Source::Url { url: url.into() });
    for source in [Source::Web].into_iter().chain(sources) {
        let refused = device.rest.start(asking("Hi", &fast(1), vec![source])).await;
        match refused {
            Err(RestError::Refused(body)) => assert_eq!(body.code, ErrorCode::BadRequest),
            other => panic!("a refusal was expected, not {other:?}"),
        }
    }
}
