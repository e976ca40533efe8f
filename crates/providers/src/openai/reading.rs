//! Reading a response into events until the answer is over, the body ends, or the server falls
//! silent.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::BoxFuture;
use reqwest::Response;
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::stream::{Answer, Patience};
use crate::{Event, Failure};

/// Bytes that are read after the end of an answer, at most, and for how long.
const REST: usize = 16 * 1024;
const REST_WITHIN: Duration = Duration::from_secs(1);

/// The events of one call.
pub(super) struct Reading {
    body: Body,
    answer: Answer,
    patience: Patience,
    /// When the last bytes came.
    alive: Instant,
    timer: Pin<Box<Sleep>>,
}

pub(super) enum Body {
    /// The call is under way, and has a timer of its own.
    Opening(BoxFuture<'static, Result<Response, Failure>>),
    Open(Response),
    /// The answer was over before it: what is left is read elsewhere, for its connection's sake.
    Left,
}

impl Reading {
    pub(super) fn new(body: Body, answer: Answer, patience: Patience) -> Self {
        let timer = Box::pin(sleep(answer.silence(&patience)));
        Self { body, answer, patience, alive: Instant::now(), timer }
    }

    /// Has the body of an answer that came whole read to its end, by a task of its own: only then
    /// its connection takes another call. The connection of an answer that is stopped or fails
    /// ends with it, as that is what tells the server.
    fn leave(&mut self) {
        if self.answer.is_whole()
            && let Body::Open(response) = std::mem::replace(&mut self.body, Body::Left)
        {
            tokio::spawn(read_to_end(response));
        }
    }

    /// Ready when the server was silent for too long. The timer is moved only when it rings or
    /// must ring earlier: not at every read.
    fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let silence = self.answer.silence(&self.patience);
        let due = self.alive + silence;
        if due < self.timer.deadline() {
            self.timer.as_mut().reset(due);
        }
        loop {
            ready!(self.timer.as_mut().poll(context));
            if Instant::now() >= due {
                self.answer.silent(silence);
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(due);
        }
    }
}

async fn read_to_end(mut response: Response) {
    let rest = async {
        let mut read = 0;
        while let Ok(Some(bytes)) = response.chunk().await {
            read += bytes.len();
            if read > REST {
                break;
            }
        }
    };
    let _ = timeout(REST_WITHIN, rest).await;
}

/// What [`Response::chunk`] waits for is in the response: its future can be made anew.
fn poll_chunk(
    response: &mut Response,
    context: &mut Context<'_>,
) -> Poll<reqwest::Result<Option<Bytes>>> {
    pin!(response.chunk()).poll(context)
}

impl Stream for Reading {
    type Item = Result<Event, Failure>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if this.answer.is_over() {
                // Whoever takes the last event may not ask for another.
                this.leave();
                return Poll::Ready(this.answer.next());
            }
            if let Some(event) = this.answer.next() {
                return Poll::Ready(Some(event));
            }
            let response = match &mut this.body {
                Body::Open(response) => response,
                Body::Opening(opening) => {
                    match ready!(opening.as_mut().poll(context)) {
                        Ok(response) => this.body = Body::Open(response),
                        Err(failure) => this.answer.fail(failure),
                    }
                    this.alive = Instant::now();
                    continue;
                }
                Body::Left => return Poll::Ready(None),
            };
            match poll_chunk(response, context) {
                Poll::Ready(Ok(Some(bytes))) => {
                    this.alive = Instant::now();
                    this.answer.bytes(&bytes);
                }
                Poll::Ready(_) => this.answer.end(),
                Poll::Pending => ready!(this.poll_silence(context)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use futures_util::{StreamExt as _, stream};
    use tokio::sync::oneshot;
    use unbroken_protocol::{ErrorCode, FinishReason};

    use super::super::fault::Endpoint;
    use super::*;

    const CHUNK: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
    const FINISH: &str = "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n";

    fn answer() -> Answer {
        let endpoint = Endpoint {
            shown: "http://127.0.0.1:1/v1".into(),
            key_source: "KEY".into(),
            has_key: false,
        };
        Answer::new(Arc::new(endpoint), "m".into())
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn read(
        body: impl Stream<Item = Result<Bytes, &'static str>> + Send + 'static,
        patience: Patience,
    ) -> impl Future<Output = Vec<Result<Event, Failure>>> {
        let response = http::Response::new(reqwest::Body::wrap_stream(body));
        Reading::new(Body::Open(response.into()), answer(), patience).collect()
    }

    /// A body that sends each text after its pause, and then nothing more, without an end.
    fn paused(
        script: &'static [(u64, &'static str)],
    ) -> impl Stream<Item = Result<Bytes, &'static str>> {
        stream::iter(script)
            .then(|(pause, text)| async move {
                sleep(seconds(*pause)).await;
                Ok(Bytes::from_static(text.as_bytes()))
            })
            .chain(stream::pending())
    }

    async fn run(script: &'static [(u64, &'static str)]) -> (Vec<Result<Event, Failure>>, u64) {
        let begin = Instant::now();
        let patience = Patience { first_token: seconds(120), idle: seconds(60) };
        let events = read(paused(script), patience).await;
        (events, begin.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn silence_before_the_first_token_is_a_timeout() {
        let (events, took) = run(&[]).await;
        assert_eq!(events[0].as_ref().unwrap_err().code, ErrorCode::ProviderTimeout);
        assert_eq!((events.len(), took), (1, 120));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_between_bytes_is_a_timeout() {
        let (events, took) = run(&[(100, CHUNK), (59, CHUNK)]).await;
        assert_eq!(events.last().unwrap().as_ref().unwrap_err().code, ErrorCode::ProviderTimeout);
        assert_eq!((events.len(), took), (3, 100 + 59 + 60));
    }

    #[tokio::test(start_paused = true)]
    async fn a_comment_is_a_sign_of_life() {
        let (events, took) =
            run(&[(100, ": a\n\n"), (100, ": b\n\n"), (1, CHUNK), (50, ": c\n"), (50, FINISH)])
                .await;
        assert_eq!(events.last(), Some(&Ok(Event::Finish(FinishReason::Stop))));
        assert_eq!(took, 301 + 5, "five seconds for usage after the finish reason");
    }

    #[tokio::test(start_paused = true)]
    async fn what_follows_an_answer_is_read_so_that_its_connection_can_be_used_again() {
        let (ended, end) = oneshot::channel();
        let late = stream::once(async move {
            sleep(Duration::from_millis(1)).await;
            ended.send(()).unwrap();
            Ok::<_, &str>(Bytes::from_static(b"\n"))
        });
        let texts = stream::iter([FINISH, "data: [DONE]\n\n"]);
        let body = texts.map(|text| Ok(Bytes::from_static(text.as_bytes()))).chain(late);
        let response = http::Response::new(reqwest::Body::wrap_stream(body));
        let mut events = Reading::new(Body::Open(response.into()), answer(), Patience::default());
        assert_eq!(events.next().await, Some(Ok(Event::Finish(FinishReason::Stop))));
        drop(events);
        end.await.expect("the body is read to its end");
    }

    #[tokio::test(start_paused = true)]
    async fn what_goes_on_for_ever_after_an_answer_is_left_with_its_connection() {
        let (going_on, mut gone) = oneshot::channel::<()>();
        let more = stream::unfold(going_on, |going_on| async {
            sleep(Duration::from_millis(100)).await;
            Some((Ok(Bytes::from_static(b": more\n\n")), going_on))
        });
        let texts = stream::iter([FINISH, "data: [DONE]\n\n"]);
        let body = texts.map(|text| Ok(Bytes::from_static(text.as_bytes()))).chain(more);
        read(body, Patience::default()).await;
        let begin = Instant::now();
        assert!((&mut gone).await.is_err(), "the body is dropped");
        assert_eq!(begin.elapsed(), REST_WITHIN);
    }

    #[tokio::test]
    async fn a_broken_connection_is_truncation_unless_the_answer_was_done() {
        let broken = |texts: &'static [&'static str]| {
            stream::iter(texts)
                .map(|text| Ok(Bytes::from_static(text.as_bytes())))
                .chain(stream::iter([Err("reset")]))
        };
        let cut = read(broken(&[CHUNK]), Patience::default()).await;
        assert_eq!(cut[1].as_ref().unwrap_err().code, ErrorCode::ProviderTruncated);
        let done = read(broken(&[CHUNK, FINISH]), Patience::default()).await;
        assert_eq!(done[1], Ok(Event::Finish(FinishReason::Stop)));
    }
}
