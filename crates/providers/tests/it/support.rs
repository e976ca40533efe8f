use std::time::Duration;

use futures_util::StreamExt;
use unbroken_protocol::{FinishReason, Options, Role};
use unbroken_providers::{
    Event, Failure, Http, Message, OpenAi, Patience, Provider, ProviderConfig, Request, Usage,
    discover,
};

/// Everything that came of one answer.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) content: String,
    pub(crate) reasoning: String,
    pub(crate) usage: Option<Usage>,
    pub(crate) finish: Option<FinishReason>,
    pub(crate) failure: Option<Failure>,
}

pub(crate) fn config(base_url: &str) -> ProviderConfig {
    let env = |name: &str| (name == "OPENAI_BASE_URL").then(|| base_url.to_owned());
    discover::from_environment(env).remove(0)
}

pub(crate) fn provider(base_url: &str) -> OpenAi {
    OpenAi::new(config(base_url), &Http::new()).expect("the settings hold")
}

/// With little patience: for tests in which the server falls silent.
pub(crate) fn hasty(base_url: &str) -> OpenAi {
    let patience = Patience { first_token: Duration::from_secs(2), idle: Duration::from_secs(1) };
    provider(base_url).with_patience(patience)
}

pub(crate) fn request(model: &str) -> Request {
    let messages = [Message { role: Role::User, content: "my diary: Hi".into() }];
    Request {
        model: model.into(),
        messages: messages.into(),
        sources: [].into(),
        options: Options::default(),
    }
}

pub(crate) async fn ask(provider: &dyn Provider, model: &str) -> Answer {
    let mut stream = provider.generate(request(model));
    let mut answer = Answer::default();
    while let Some(event) = stream.next().await {
        assert!(answer.finish.is_none() && answer.failure.is_none(), "nothing follows the end");
        match event {
            Ok(Event::Content(text)) => answer.content.push_str(&text),
            Ok(Event::Reasoning(text)) => answer.reasoning.push_str(&text),
            Ok(Event::Source(citation)) => panic!("no sources: {citation:?}"),
            Ok(Event::Tool(step)) => panic!("no tools: {step:?}"),
            Ok(Event::Usage(usage)) => answer.usage = Some(usage),
            Ok(Event::Finish(reason)) => answer.finish = Some(reason),
            Err(failure) => answer.failure = Some(failure),
        }
    }
    assert!(answer.finish.is_some() != answer.failure.is_some(), "one end: {answer:?}");
    answer
}
