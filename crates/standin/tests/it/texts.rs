//! What the models say.

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use unbroken_standin::{MARKDOWN, Options, Standin, numbered, numbered_utf8, reasoned};

use crate::support::{ask, question, read, request};

#[tokio::test]
async fn numbers_come_in_order_and_end() {
    let standin = Standin::start().await;
    let read = read(ask(&standin, "numbers:tokens=45").await).await;
    assert_eq!(read.text(), numbered(45));
    assert_eq!(read.finish_reason(), Some("stop"));
    assert!(read.done && !read.cut);
    assert_eq!(read.events[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(read.events[0].get("usage"), None);
    assert_eq!(read.events.len(), 1 + 45 + 1);
}

#[tokio::test]
async fn markdown_is_the_whole_document() {
    let standin = Standin::start().await;
    assert_eq!(read(ask(&standin, "markdown").await).await.text(), MARKDOWN);
}

#[tokio::test]
async fn echo_repeats_the_last_message_of_the_user() {
    let standin = Standin::start().await;
    let mut body = question("echo:first=0,rate=0");
    body["messages"] = json!([
        { "role": "user", "content": [{ "type": "text", "text": "Say  \"ü\"\n" }, { "type": "image_url" },
                                      { "type": "text", "text": "and 漢字." }] },
        { "role": "assistant", "content": null },
    ]);
    let response = request(&standin, &body).send().await.expect("the stand-in answers");
    assert_eq!(read(response).await.text(), "Say  \"ü\"\nand 漢字.");
}

#[tokio::test]
async fn reasoning_comes_first_in_the_field_that_is_asked_for() {
    let standin = Standin::start().await;
    for field in ["reasoning_content", "reasoning"] {
        let model = format!("reasoning:reasoning=9,tokens=5,field={field}");
        let read = read(ask(&standin, &model).await).await;
        assert_eq!((read.deltas(field), read.text()), (reasoned(9), numbered(5)));
    }
    let read = read(ask(&standin, "reasoning:reasoning=2,tokens=3,field=think").await).await;
    assert_eq!(read.text(), "<think>r1 r2 </think>\n\n1 2 3 ");
    assert!(read.raw.contains(r#""content":"<thi""#));
}

#[tokio::test]
async fn a_whole_answer_comes_without_stream() {
    let standin = Standin::start().await;
    let mut body = question("reasoning:first=0,rate=0,reasoning=2,tokens=30,utf8=1");
    body["stream"] = json!(false);
    let response = request(&standin, &body).send().await.expect("the stand-in answers");
    let answer: Value = response.json().await.expect("it is JSON");
    let choice = &answer["choices"][0];
    assert_eq!(choice["message"]["content"], numbered_utf8(30));
    assert_eq!(choice["message"]["reasoning_content"], reasoned(2));
    assert_eq!(choice["finish_reason"], "stop");
    assert_eq!(answer["usage"]["completion_tokens"], 32);
}

#[tokio::test]
async fn a_script_has_models_and_steps_of_its_own() {
    let scripts = r#"{ "polite": [{"reasoning": "Hm. "}, {"text": "One "}, {"wait_ms": 1},
        {"raw": ": a comment\n\n"}, {"text": "two."}, {"error": "Enough."}] }"#;
    let options = Options { scripts: scripts.parse().expect("it is good"), ..Options::default() };
    let standin = Standin::start_on("127.0.0.1:0", options).await.expect("it starts");
    let read = read(ask(&standin, "polite").await).await;
    assert_eq!((read.deltas("reasoning_content"), read.text()), ("Hm. ".into(), "One two.".into()));
    assert!(read.raw.contains("\n\n: a comment\n\n"));
    assert_eq!(read.events.last().expect("there is one")["error"]["message"], "Enough.");
    assert!(!read.done);
}

#[tokio::test]
async fn a_script_says_what_a_delta_holds_beside_text() {
    let scripts = r#"{ "asks": {"with": "finish=tool_calls", "steps": [
        {"delta": {"tool_calls": [{"index": 0, "function": {"name": "clock", "arguments": "{}"}}]}},
        {"delta": {"executed_tools": [{"index": 0, "type": "search", "output": "found"}]}}]} }"#;
    let options = Options { scripts: scripts.parse().expect("it is good"), ..Options::default() };
    let standin = Standin::start_on("127.0.0.1:0", options).await.expect("it starts");
    let read = read(ask(&standin, "asks").await).await;
    let deltas: Vec<_> = read.events.iter().map(|event| &event["choices"][0]["delta"]).collect();
    assert_eq!(deltas[0]["role"], "assistant");
    assert_eq!(deltas[1]["tool_calls"][0]["function"]["name"], "clock");
    assert_eq!(deltas[2]["executed_tools"][0]["output"], "found");
    assert_eq!((read.finish_reason(), read.done), (Some("tool_calls"), true));
}

#[tokio::test]
async fn a_stamped_token_says_when_it_was_written() {
    let standin = Standin::start().await;
    let before = monotonic_nanos();
    let text = read(ask(&standin, "numbers:tokens=3,stamp=1").await).await.text();
    let after = monotonic_nanos();
    let (numbers, stamps): (Vec<_>, Vec<i64>) = text
        .split_whitespace()
        .map(|token| token.split_once('@').expect("it has a stamp"))
        .map(|(number, stamp)| (number, stamp.parse::<i64>().expect("a stamp is a number")))
        .unzip();
    assert_eq!(numbers, ["1", "2", "3"]);
    assert!(stamps.is_sorted(), "{stamps:?}");
    assert!(before <= stamps[0] && stamps[2] <= after, "{before} {stamps:?} {after}");
}

fn monotonic_nanos() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}
