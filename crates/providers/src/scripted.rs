//! A provider that does what a script says, for tests of whoever calls models.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_stream::stream;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;
use unbroken_protocol::{ErrorCode, FinishReason, Means, ModelInfo, ToolStep};

use crate::{Event, EventStream, Failure, GoOnError, Partial, Provider, Request, Usage};

/// One thing that a scripted model does.
#[derive(Clone, Debug)]
pub enum Step {
    Content(String),
    Reasoning(String),
    Tool(Box<ToolStep>),
    Usage(Usage),
    /// The end of a whole answer.
    Finish(FinishReason),
    Fail(Failure),
    /// The stream breaks off: `provider_truncated`. So does a script that has no end.
    End,
    /// Nothing comes any more.
    Hang,
    /// Waits for one permit, and uses it up.
    Gate(Arc<Semaphore>),
}

impl Step {
    pub fn content(text: impl Into<String>) -> Self {
        Self::Content(text.into())
    }

    pub fn reasoning(text: impl Into<String>) -> Self {
        Self::Reasoning(text.into())
    }

    pub fn stop() -> Self {
        Self::Finish(FinishReason::Stop)
    }
}

/// A provider of scripted models. A model without a script repeats the last message.
#[derive(Debug)]
pub struct Scripted {
    id: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    order: Vec<String>,
    /// The scripts of each model, the next one first; the last one is played again and again.
    scripts: HashMap<String, Vec<Vec<Step>>>,
    calls: Vec<Request>,
    down: Option<Failure>,
    /// The means that are left, the best first.
    means: Vec<Means>,
    refused: Option<Means>,
    continuations: Vec<(Partial, Means)>,
    ended: Vec<String>,
}

impl Scripted {
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), state: Mutex::default() }
    }

    /// Adds a script: the first one of a model is for its first call, the next for the second; the
    /// last is for every call after that.
    #[must_use]
    pub fn script(self, model: impl Into<String>, steps: Vec<Step>) -> Self {
        self.add(model, steps);
        self
    }

    /// As [`Self::script`], while the provider is in use.
    pub fn add(&self, model: impl Into<String>, steps: Vec<Step>) {
        let model = model.into();
        self.with(|state| {
            if !state.order.contains(&model) {
                state.order.push(model.clone());
            }
            state.scripts.entry(model).or_default().push(steps);
        });
    }

    /// From now on the list of models fails so; `None` mends it.
    pub fn set_down(&self, failure: Option<Failure>) {
        self.with(|state| state.down = failure);
    }

    /// The means by which it goes on, the best first; without this there is none. To go on by one
    /// of them plays the model's next script; any other is refused.
    #[must_use]
    pub fn with_means(self, means: &[Means]) -> Self {
        self.with(|state| state.means = means.to_vec());
        self
    }

    /// From now on this means is refused, as a server does that is asked for the first time: it
    /// stays in [`Provider::means`] until then.
    pub fn refuse(&self, means: Means) {
        self.with(|state| state.refused = Some(means));
    }

    /// Every request so far, oldest first, those to go on among them.
    pub fn calls(&self) -> Vec<Request> {
        self.with(|state| state.calls.clone())
    }

    /// Every continuation that was played, oldest first.
    pub fn continuations(&self) -> Vec<(Partial, Means)> {
        self.with(|state| state.continuations.clone())
    }

    /// The cursors that were ended, oldest first.
    pub fn ended(&self) -> Vec<String> {
        self.with(|state| state.ended.clone())
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn best(&self) -> Means {
        self.means.first().copied().unwrap_or(Means::None)
    }

    fn play(&mut self, request: Request) -> Vec<Step> {
        let steps = match self.scripts.get_mut(&request.model) {
            Some(scripts) if scripts.len() > 1 => scripts.remove(0),
            Some(scripts) => scripts.first().cloned().unwrap_or_default(),
            None => echo(&request),
        };
        self.calls.push(request);
        steps
    }
}

fn echo(request: &Request) -> Vec<Step> {
    let said = request.messages.last().map(|last| last.content.clone()).unwrap_or_default();
    let said = (!said.is_empty()).then_some(Step::Content(said));
    said.into_iter().chain([Step::stop()]).collect()
}

impl Provider for Scripted {
    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        &self.id
    }

    fn models(&self) -> BoxFuture<'_, Result<Vec<ModelInfo>, Failure>> {
        Box::pin(async {
            self.with(|state| {
                if let Some(failure) = &state.down {
                    return Err(failure.clone());
                }
                let info = |id: &String| ModelInfo {
                    id: id.clone(),
                    name: id.clone(),
                    provider: self.id.clone(),
                    ..ModelInfo::default()
                };
                Ok(state.order.iter().map(info).collect())
            })
        })
    }

    fn generate(&self, request: Request) -> EventStream {
        played(self.with(|state| state.play(request)))
    }

    fn end<'a>(&'a self, cursor: &'a str) -> BoxFuture<'a, ()> {
        self.with(|state| state.ended.push(cursor.to_owned()));
        Box::pin(async {})
    }

    fn means(&self, _model: &str) -> Means {
        self.with(|state| state.best())
    }

    fn go_on<'a>(
        &'a self,
        request: Request,
        partial: &'a Partial,
        means: Means,
    ) -> BoxFuture<'a, Result<EventStream, GoOnError>> {
        Box::pin(async move {
            self.with(|state| {
                if state.refused == Some(means) {
                    state.means.retain(|left| *left != means);
                }
                if !state.means.contains(&means) {
                    return Err(GoOnError::Refused { next: state.best() });
                }
                state.continuations.push((partial.clone(), means));
                Ok(played(state.play(request)))
            })
        })
    }
}

fn played(steps: Vec<Step>) -> EventStream {
    stream! {
        for step in steps {
            match step {
                Step::Content(text) => yield Ok(Event::Content(text)),
                Step::Reasoning(text) => yield Ok(Event::Reasoning(text)),
                Step::Tool(step) => yield Ok(Event::Tool(step)),
                Step::Usage(usage) => yield Ok(Event::Usage(usage)),
                Step::Finish(reason) => {
                    yield Ok(Event::Finish(reason));
                    return;
                }
                Step::Fail(failure) => {
                    yield Err(failure);
                    return;
                }
                Step::End => break,
                Step::Hang => std::future::pending().await,
                Step::Gate(gate) => {
                    // A closed gate is open for good.
                    if let Ok(permit) = gate.acquire().await {
                        permit.forget();
                    }
                }
            }
        }
        yield Err(Failure {
            code: ErrorCode::ProviderTruncated,
            message: "The model broke off in the middle of the answer.".to_owned(),
            retry_after: None,
        });
    }
    .boxed()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use unbroken_protocol::{Options, Role};

    use super::*;
    use crate::Message;

    fn ask(model: &str) -> Request {
        let messages = [Message { role: Role::User, content: "Hi".into() }];
        Request {
            model: model.into(),
            messages: messages.into(),
            sources: [].into(),
            options: Options::default(),
        }
    }

    async fn events(provider: &Scripted, model: &str) -> Vec<Result<Event, Failure>> {
        provider.generate(ask(model)).collect().await
    }

    #[tokio::test]
    async fn a_model_without_a_script_echoes() {
        let provider = Scripted::new("scripted");
        let got = events(&provider, "any").await;
        assert_eq!(got, [Ok(Event::Content("Hi".into())), Ok(Event::Finish(FinishReason::Stop))]);
        assert_eq!(provider.calls().len(), 1);
        assert_eq!(provider.calls()[0].model, "any");
    }

    #[tokio::test]
    async fn scripts_are_played_in_order_and_the_last_one_stays() {
        let provider = Scripted::new("scripted")
            .script("m", vec![Step::content("a"), Step::End])
            .script("m", vec![Step::content("b"), Step::stop()]);
        let first = events(&provider, "m").await;
        assert_eq!(first[1].as_ref().unwrap_err().code, ErrorCode::ProviderTruncated);
        for _ in 0..2 {
            assert_eq!(events(&provider, "m").await[0], Ok(Event::Content("b".into())));
        }
    }

    #[tokio::test]
    async fn a_gate_waits_for_its_permit() {
        let gate = Arc::new(Semaphore::new(0));
        let provider = Scripted::new("scripted")
            .script("m", vec![Step::Gate(Arc::clone(&gate)), Step::content("a"), Step::Hang]);
        let mut stream = provider.generate(ask("m"));
        assert!(stream.next().now_or_never().is_none());
        gate.add_permits(1);
        assert_eq!(stream.next().await, Some(Ok(Event::Content("a".into()))));
        assert_eq!(gate.available_permits(), 0);
        assert!(stream.next().now_or_never().is_none());
    }

    #[tokio::test]
    async fn it_goes_on_by_the_means_that_it_has() {
        let provider = Scripted::new("scripted")
            .script("m", vec![Step::content("a"), Step::End])
            .script("m", vec![Step::content("b"), Step::stop()])
            .with_means(&[Means::Prefill, Means::Prompt]);
        events(&provider, "m").await;
        let partial = Partial { content: "a".into(), ..Partial::default() };
        provider.refuse(Means::Prefill);
        assert_eq!(provider.means("m"), Means::Prefill);
        let refused = provider.go_on(ask("m"), &partial, Means::Prefill).await.err();
        assert_eq!(refused, Some(GoOnError::Refused { next: Means::Prompt }));
        assert_eq!(provider.means("m"), Means::Prompt);
        let mut stream = provider.go_on(ask("m"), &partial, Means::Prompt).await.ok().unwrap();
        assert_eq!(stream.next().await, Some(Ok(Event::Content("b".into()))));
        assert_eq!(provider.continuations(), [(partial, Means::Prompt)]);
        assert_eq!(provider.calls().len(), 2);
    }
}
