//! Going on after a break, by every means and with every kind of server (PROTOCOL B7, B8.16).

use futures_util::StreamExt;
use unbroken_protocol::{ErrorCode, FinishReason, Means};
use unbroken_providers::seam::join;
use unbroken_providers::{
    Continuation, Event, EventStream, Failure, GoOnError, Http, OpenAi, Partial, Provider, Quotes,
};
use unbroken_standin::{
    CallState, Continuation as Asked, Standin, numbered, numbered_from, numbered_utf8, reasoned,
};

use crate::support::{config, provider, request};

/// Reads on, and says how it ended.
async fn read_on(mut stream: EventStream, partial: &mut Partial) -> Result<FinishReason, Failure> {
    while let Some(event) = stream.next().await {
        match event? {
            Event::Content(text) => partial.content.push_str(&text),
            Event::Reasoning(text) => partial.reasoning.push_str(&text),
            Event::Tool(step) => partial.tools.push(*step),
            Event::Source(_) | Event::Usage(_) => {}
            Event::Finish(reason) => return Ok(reason),
        }
    }
    panic!("a stream has an end");
}

/// An answer that broke off.
async fn broken(provider: &dyn Provider, model: &str, cursor: Option<&str>) -> Partial {
    let mut partial = Partial { cursor: cursor.map(str::to_owned), ..Partial::default() };
    let stream = match cursor {
        Some(cursor) => provider.generate_as(request(model), cursor),
        None => provider.generate(request(model)),
    };
    let failure = read_on(stream, &mut partial).await.expect_err("it breaks off");
    assert_eq!(failure.code, ErrorCode::ProviderTruncated);
    partial
}

/// Goes on by the best means that is not refused.
async fn go_on(
    provider: &dyn Provider,
    model: &str,
    partial: &mut Partial,
) -> (Means, Result<FinishReason, Failure>) {
    let mut means = provider.means(model);
    loop {
        match provider.go_on(request(model), partial, means).await {
            Ok(stream) => {
                let stream = join(stream, partial, means);
                return (means, read_on(stream, partial).await);
            }
            Err(GoOnError::Refused { next }) => {
                assert_ne!(next, Means::None, "one of them is taken");
                means = next;
            }
            Err(GoOnError::Failed(failure)) => panic!("{failure}"),
        }
    }
}

/// A provider that has asked for the list of models.
async fn acquainted(standin: &Standin) -> OpenAi {
    let provider = provider(&standin.base_url());
    provider.models().await.expect("it lists its models");
    provider
}

const STOP: Result<FinishReason, Failure> = Ok(FinishReason::Stop);

#[tokio::test]
async fn b8_16_every_kind_of_server_goes_on_without_loss_or_doubling() {
    let standin = Standin::start().await;
    let provider = acquainted(&standin).await;
    for (kind, means) in [
        ("vllm-numbers", Means::Prefill),
        ("llama-numbers", Means::Prefill),
        ("repeating-numbers", Means::Prefill),
        ("refusing-numbers", Means::Prompt),
        ("plain-numbers", Means::Prompt),
        ("numbers", Means::Prompt),
    ] {
        for cut in [1, 2, 3, 9, 19, 20, 21, 40, 59] {
            let model =
                format!("{kind}:tokens=60,rate=0,first=0ms,cut_at={cut},fail_times=1,chunk=3");
            let mut partial = broken(&provider, &model, None).await;
            assert_eq!(partial.content, numbered(cut), "{model}");
            assert_eq!(go_on(&provider, &model, &mut partial).await, (means, STOP), "{model}");
            assert_eq!(partial.content, numbered(60), "{model}");
        }
    }
}

#[tokio::test]
async fn b8_16_a_text_may_be_cut_at_any_character() {
    let standin = Standin::start().await;
    let provider = acquainted(&standin).await;
    let text = numbered_utf8(22);
    for (cut, _) in text.char_indices().skip(1) {
        for model in ["vllm-numbers", "repeating-numbers", "plain-numbers"] {
            let model = format!("{model}:tokens=22,rate=0,first=0ms,utf8=1");
            let mut partial = Partial { content: text[..cut].to_owned(), ..Partial::default() };
            assert_eq!(go_on(&provider, &model, &mut partial).await.1, STOP);
            assert_eq!(partial.content, text, "{model} at {cut}");
        }
    }
}

#[tokio::test]
async fn b8_16_a_text_may_break_off_again_and_again() {
    let standin = Standin::start().await;
    let provider = acquainted(&standin).await;
    for kind in ["vllm-numbers", "llama-numbers", "plain-numbers"] {
        let model = format!("{kind}:tokens=90,rate=0,first=0ms,cut_at=37");
        let mut partial = broken(&provider, &model, None).await;
        let mut runs = 1;
        while go_on(&provider, &model, &mut partial).await.1 != STOP {
            assert!(numbered(90).starts_with(&partial.content), "{kind}");
            runs += 1;
        }
        assert!(runs > 1, "{kind}");
        assert_eq!(partial.content, numbered(90), "{kind}");
    }
}

#[tokio::test]
async fn a_call_says_how_it_goes_on() {
    let standin = Standin::start().await;
    let provider = acquainted(&standin).await;
    for (kind, expected) in [("vllm-numbers", Asked::Prefill), ("plain-numbers", Asked::Prompt)] {
        standin.clear_calls();
        let model = format!("{kind}:tokens=60,rate=0,first=0ms,cut_at=33,fail_times=1");
        let mut partial = broken(&provider, &model, None).await;
        go_on(&provider, &model, &mut partial).await.1.unwrap();
        let calls = standin.calls();
        assert_eq!((calls.len(), calls[0].continuation), (2, None));
        assert_eq!(calls[1].continuation, Some(expected));
        assert_eq!(calls[1].given, Some(numbered(33).trim_end().chars().count()));
        assert_eq!(calls[1].last_user, calls[0].last_user);
    }
    assert_eq!(numbered_from(numbered(33).trim_end(), 34), " 34 ");
}

#[tokio::test]
async fn a_refusal_is_learned() {
    let standin = Standin::start().await;
    let provider = acquainted(&standin).await;
    let model = "refusing-numbers:tokens=60,rate=0,first=0ms,cut_at=33,fail_times=1";
    assert_eq!(provider.means(model), Means::Prefill);
    let partial = broken(&provider, model, None).await;
    let refused = provider.go_on(request(model), &partial, Means::Prefill).await.err();
    assert_eq!(refused, Some(GoOnError::Refused { next: Means::Prompt }));
    assert_eq!(provider.means(model), Means::Prompt);
    assert_eq!(provider.means("vllm-numbers"), Means::Prefill);
    let calls = standin.calls().len();
    let again = provider.go_on(request(model), &partial, Means::Prefill).await.err();
    assert_eq!(again, Some(GoOnError::Refused { next: Means::Prompt }));
    assert_eq!(standin.calls().len(), calls, "it is not asked again");
}

#[tokio::test]
async fn a_failure_says_nothing_about_the_means() {
    let standin = Standin::start().await;
    let provider = acquainted(&standin).await;
    let partial = Partial { content: numbered(9), ..Partial::default() };
    for (model, code) in [
        ("vllm-numbers:status=503", ErrorCode::ProviderOverloaded),
        ("vllm-numbers:status=401", ErrorCode::ProviderAuth),
    ] {
        match provider.go_on(request(model), &partial, Means::Prefill).await.err() {
            Some(GoOnError::Failed(failure)) => assert_eq!(failure.code, code),
            other => panic!("{other:?}"),
        }
        assert_eq!(provider.means(model), Means::Prefill);
    }
}

#[tokio::test]
async fn a_setting_chooses_the_means_or_none() {
    let standin = Standin::start().await;
    for (setting, means) in [
        (Continuation::Auto, Means::Prefill),
        (Continuation::Prefill, Means::Prefill),
        (Continuation::Prompt, Means::Prompt),
        (Continuation::None, Means::None),
    ] {
        let config = unbroken_providers::ProviderConfig {
            continuation: setting,
            ..config(&standin.base_url())
        };
        let provider = OpenAi::new(config, &Http::new()).unwrap();
        provider.models().await.unwrap();
        assert_eq!(provider.means("vllm-numbers"), means);
    }
    assert!(standin.calls().is_empty());
}

#[tokio::test]
async fn b8_16_a_kept_answer_is_read_again_while_it_runs() {
    let standin = Standin::start().await;
    let provider = acquainted(&standin).await;
    let model =
        "streams-numbers:tokens=60,reasoning=9,rate=0,first=0ms,cut_at=33,gate=hold@50,split=11";
    assert_eq!(provider.means(model), Means::Reattach);
    let mut partial = broken(&provider, model, Some("0192-a/b")).await;
    assert_eq!(partial.content, numbered(24), "nine are reasoning");
    assert_eq!(standin.calls()[0].state, CallState::Running);
    standin.open_gate("hold");
    assert_eq!(go_on(&provider, model, &mut partial).await, (Means::Reattach, STOP));
    assert_eq!((partial.content, partial.reasoning), (numbered(60), reasoned(9)));
    let calls = standin.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[1].continuation, Some(Asked::Reattach));
}

#[tokio::test]
async fn a_kept_answer_runs_until_it_is_ended() {
    let standin = Standin::start().await;
    let provider = acquainted(&standin).await;
    let model = "streams-numbers:tokens=60,rate=0,first=0ms,gate=never@10";
    let mut stream = provider.generate_as(request(model), "one");
    stream.next().await.unwrap().unwrap();
    drop(stream);
    provider.end("another").await;
    assert_eq!(standin.calls()[0].state, CallState::Running);
    provider.end("one").await;
    standin.wait_until(|calls| calls[0].state == CallState::Cancelled).await;

    let partial =
        Partial { content: numbered(9), cursor: Some("one".into()), ..Partial::default() };
    let refused = provider.go_on(request(model), &partial, Means::Reattach).await.err();
    assert_eq!(refused, Some(GoOnError::Refused { next: Means::Prefill }));
}

#[tokio::test]
async fn a_name_changes_nothing_where_answers_are_not_kept() {
    let standin = Standin::start().await;
    let provider = acquainted(&standin).await;
    let model = "vllm-numbers:tokens=60,rate=0,first=0ms,gate=never@10";
    let mut stream = provider.generate_as(request(model), "one");
    stream.next().await.unwrap().unwrap();
    drop(stream);
    standin.wait_until(|calls| calls[0].state == CallState::Cancelled).await;
}

#[tokio::test]
async fn quotes_say_the_same_again() {
    let quotes = Quotes::new().with_pace(std::time::Duration::ZERO);
    let whole = async |stream| {
        let mut partial = Partial::default();
        read_on(stream, &mut partial).await.unwrap();
        partial.content
    };
    let text = whole(quotes.generate(request("quotes"))).await;
    let cut = text.floor_char_boundary(text.len() / 2);
    let mut partial = Partial { content: text[..cut].to_owned(), ..Partial::default() };
    assert_eq!(quotes.means("quotes"), Means::Reattach);
    assert_eq!(go_on(&quotes, "quotes", &mut partial).await, (Means::Reattach, STOP));
    assert_eq!(partial.content, text);
}
