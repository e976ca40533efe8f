//! A person's own prompts (PROTOCOL B5).

use unbroken_client::RestError;
use unbroken_protocol::{ErrorCode, Prompt, PromptId, limits};

use crate::support::{Device, TestServer};

async fn names(device: &Device) -> Vec<String> {
    let list = device.rest.prompts().await.unwrap();
    list.prompts.into_iter().map(|prompt| prompt.name).collect()
}

fn code(result: Result<Prompt, RestError>) -> ErrorCode {
    match result {
        Err(RestError::Refused(body)) => body.code,
        other => panic!("a refusal was expected, not {other:?}"),
    }
}

#[tokio::test]
async fn a_prompt_is_made_changed_and_deleted_and_every_tab_hears_of_it() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut tab = device.hello(&[]).await;
    let id = PromptId::new();
    let made = device.rest.put_prompt(id, "  Sum  up ", "Sum {{text}} up").await.unwrap();
    assert_eq!((made.name.as_str(), made.text.as_str()), ("Sum up", "Sum {{text}} up"));
    let notice = tab.next_is("prompt").await;
    assert_eq!(notice["prompt_id"], id.to_string());
    assert_eq!(notice["prompt"]["text"], "Sum {{text}} up");

    // The same call again changes nothing but the time.
    device.rest.put_prompt(id, "Sum up", "Sum {{text}} up").await.unwrap();
    device.rest.put_prompt(id, "In short", "In one line: {{text}}").await.unwrap();
    assert_eq!(names(&device).await, ["In short"]);
    let left = device.rest.delete_prompt(id).await.unwrap();
    assert_eq!(left.prompts, []);
    while tab.next_is("prompt").await.get("prompt").is_some() {}
    let gone = device.rest.delete_prompt(id).await;
    assert!(matches!(gone, Err(RestError::Refused(body)) if body.code == ErrorCode::NotFound));
}

#[tokio::test]
async fn prompts_belong_to_a_person_and_to_all_their_devices() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let stranger = server.device("stranger").await;
    let mut foreign = stranger.hello(&[]).await;
    let id = PromptId::new();
    device.rest.put_prompt(id, "Mine", "My text").await.unwrap();
    assert_eq!(names(&device.link("phone").await).await, ["Mine"]);
    assert_eq!(names(&stranger).await, [""; 0]);
    assert!(stranger.rest.delete_prompt(id).await.is_err());
    // The same id is another prompt for another person.
    stranger.rest.put_prompt(id, "Theirs", "Their text").await.unwrap();
    assert_eq!(names(&device).await, ["Mine"]);
    assert_eq!(foreign.next_is("prompt").await["prompt"]["name"], "Theirs");
}

#[tokio::test]
async fn a_prompt_that_is_empty_too_long_or_one_too_many_is_refused() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let put =
        async |name: &str, text: &str| device.rest.put_prompt(PromptId::new(), name, text).await;
    let long = |length| "a".repeat(length);
    assert_eq!(code(put(" ", "text").await), ErrorCode::BadRequest);
    assert_eq!(code(put("name", "\n").await), ErrorCode::BadRequest);
    let name = long(limits::PROMPT_NAME_CHARS);
    put(&name, &long(limits::PROMPT_BYTES)).await.unwrap();
    assert_eq!(code(put(&format!("{name}a"), "text").await), ErrorCode::BadRequest);
    assert_eq!(code(put("name", &long(limits::PROMPT_BYTES + 1)).await), ErrorCode::BadRequest);
    for number in 1..limits::PROMPTS {
        put(&format!("Prompt {number}"), "text").await.unwrap();
    }
    assert_eq!(code(put("one more", "text").await), ErrorCode::Conflict);
    let first = device.rest.prompts().await.unwrap().prompts[0].prompt_id;
    device.rest.put_prompt(first, "changed", "text").await.unwrap();
}
