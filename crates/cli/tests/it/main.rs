//! A load against the stand-in: what is told of answers that are whole, and of answers that are not.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod server;

use serde_json::json;
use tokio::task::spawn_blocking;
use unbroken_cli::load::{Load, Report, Transport};
use unbroken_standin::{Options, Standin};

async fn load(standin: &Standin, answers: usize, tokens: u64, model: &str) -> Report {
    let load = Load {
        target: standin.base_url(),
        transport: Transport::Openai,
        answers,
        tokens,
        starts: 1_000,
        model: Some(model.to_owned()),
        ..Load::default()
    };
    spawn_blocking(move || load.run()).await.unwrap().unwrap()
}

/// A stand-in with a model `said` that says these texts.
async fn saying(texts: &[&str]) -> Standin {
    let steps: Vec<_> = texts.iter().map(|text| json!({ "text": text })).collect();
    let scripts = json!({ "said": steps }).to_string().parse().unwrap();
    let options = Options { scripts, ..Options::default() };
    Standin::start_on("127.0.0.1:0", options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_whole_are_counted_and_timed() {
    let standin = Standin::start().await;
    let report = load(&standin, 20, 45, "numbers:tokens=45,rate=0,first=50ms,stamp=1").await;
    assert!(report.is_whole(), "{report:?}");
    assert_eq!((report.readings.completed, report.tokens.read), (20, 900));
    let times = report.milliseconds;
    assert_eq!(times.first_token.map(|times| times.count), Some(20));
    assert!(times.first_token.is_some_and(|times| times.p50 >= 50.0), "{times:?}");
    assert_eq!(times.token.map(|times| times.count), Some(900));
    assert_eq!(times.resume, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_asks_for_a_key_gets_it() {
    let options = Options { api_key: Some("sk-right".into()), ..Options::default() };
    let standin = Standin::start_on("127.0.0.1:0", options).await.unwrap();
    for (key, completed) in [(None, 0), (Some("sk-wrong"), 0), (Some("sk-right"), 2)] {
        let load = Load {
            target: standin.base_url(),
            transport: Transport::Openai,
            answers: 2,
            tokens: 5,
            key: key.map(str::to_owned),
            model: Some("numbers:tokens=5,rate=0".into()),
            ..Load::default()
        };
        let report = spawn_blocking(move || load.run()).await.unwrap().unwrap();
        assert_eq!(report.readings.completed, completed, "{key:?}: {report:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_without_stamps_are_counted_and_not_timed() {
    let standin = Standin::start().await;
    let report = load(&standin, 2, 30, "numbers:tokens=30,rate=0,first=0,crlf=1,split=7").await;
    assert!(report.is_whole(), "{report:?}");
    assert_eq!((report.tokens.read, report.milliseconds.token), (60, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn loss_doubling_and_order_are_told_apart() {
    let standin = saying(&["1 2 ", "2 ", "5 ", "4 ", "9 "]).await;
    let report = load(&standin, 3, 6, "said").await;
    assert!(!report.is_whole());
    let tokens = report.tokens;
    assert_eq!((tokens.lost, tokens.doubled, tokens.disordered, tokens.strange), (6, 3, 3, 3));
    assert_eq!(report.readings.completed, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_is_a_failure_with_its_reason() {
    let standin = Standin::start().await;
    let report = load(&standin, 4, 9, "numbers:tokens=9,rate=0,first=0,eof_at=5").await;
    assert_eq!((report.readings.completed, report.readings.failed), (0, 4));
    assert_eq!((report.tokens.read, report.tokens.lost), (20, 16));
    assert_eq!(report.errors, ["the answer ended without its end"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_in_the_words_of_the_server() {
    let standin = Standin::start().await;
    let report = load(&standin, 1, 9, "numbers:status=429").await;
    assert_eq!(report.readings.failed, 1);
    let error = report.errors.first().cloned().unwrap_or_default();
    assert!(error.starts_with("the server answered /chat/completions with 429: {"), "{error}");
}
