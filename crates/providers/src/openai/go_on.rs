//! Going on with an answer: by a further call, or by llama.cpp's streams, which keep an answer
//! running that was begun under a name.
//!
//! The streams as its source has them (tools/server/server-stream.cpp, read in November 2026):
//! `X-Conversation-Id` on the POST gives the name; `GET /v1/stream?conv_id=…&from=N` sends the
//! bytes of the body again from byte N (not from event N), then what comes; `DELETE` on the same
//! address ends it. A stream lives 300 s after its end, and of its body the last 4 MiB are kept:
//! an earlier N is a 400. Releases of the summer of 2026 have the name in the path instead,
//! `/v1/stream/<id>`. `POST /v1/streams/lookup`, in the first of them `GET /v1/streams`, shows that
//! a server has streams.
//!
//! Here N is always 0: after kill -9 nobody knows how many bytes were read, and the seam drops what
//! is stored already.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{RequestBuilder, Response, Url};
use tokio::time::timeout;
use unbroken_protocol::Means;

use super::fault::Verdict;
use super::request::Form;
use super::{OpenAi, Rejection, is_web_page, read, read_up_to, send};
use crate::continuation::given;
use crate::{EventStream, Failure, GoOnError, Partial, Request};

const NAME: &str = "x-conversation-id";
/// How long a server may take to say whether it has streams, or to end one.
const ASIDE: Duration = Duration::from_millis(500);
const ASIDE_BYTES: usize = 1024 * 1024;

/// The call with a name for its answer, unless no header can carry it.
pub(super) fn named(call: RequestBuilder, cursor: &str) -> RequestBuilder {
    match HeaderValue::from_str(cursor) {
        Ok(name) => call.header(NAME, name),
        Err(_) => call,
    }
}

impl OpenAi {
    /// Asks in this form for what follows the text.
    pub(super) async fn continued(
        &self,
        request: Request,
        partial: &Partial,
        form: Form,
    ) -> Result<EventStream, GoOnError> {
        let text = given(&partial.content);
        // After white space alone the answer begins anew, and the seam drops that white space.
        let call = self.completion(&request, (!text.is_empty()).then_some((text, form)));
        let response = send(&self.http, call, &self.endpoint, self.patience).await?;
        if response.status().is_success() {
            return Ok(self.taken(response, request.model)?);
        }
        let rejection = Rejection::read(response).await;
        let refusal = rejection.refusal(Some(&request.model));
        let means = if form == Form::Words { Means::Prompt } else { Means::Prefill };
        match refusal.of_the_means() {
            Verdict::Other => return Err(self.endpoint.refused(&refusal).into()),
            Verdict::Never if means == Means::Prefill => {
                tracing::info!(
                    provider = self.id,
                    model = request.model,
                    "a model does not continue a beginning, and is asked in words from now on"
                );
                self.known.learn_refusal(&request.model);
            }
            Verdict::Never | Verdict::NotThis => {}
        }
        Err(self.refused(&request.model, means))
    }

    /// Reads again, from its first byte, an answer that the server kept running.
    pub(super) async fn reattach(
        &self,
        request: Request,
        partial: &Partial,
    ) -> Result<EventStream, GoOnError> {
        let addresses = partial.cursor.as_deref().map(|cursor| self.stream_addresses(cursor));
        for mut address in addresses.into_iter().flatten() {
            address.query_pairs_mut().append_pair("from", "0");
            let call = self.authorized(self.http.for_url(&address).get(address));
            let call = call.header(ACCEPT, "text/event-stream");
            let response = send(&self.http, call, &self.endpoint, self.patience).await?;
            if response.status().is_success() {
                return Ok(self.taken(response, request.model)?);
            }
            // Not there, or its beginning is gone; anything else says nothing about streams.
            if !matches!(response.status().as_u16(), 400 | 404 | 405 | 410 | 501) {
                let rejection = Rejection::read(response).await;
                let refusal = rejection.refusal(Some(&request.model));
                return Err(self.endpoint.refused(&refusal).into());
            }
        }
        Err(self.refused(&request.model, Means::Reattach))
    }

    pub(super) fn refused(&self, model: &str, means: Means) -> GoOnError {
        GoOnError::Refused { next: self.known.after(model, means) }
    }

    fn taken(&self, response: Response, model: String) -> Result<EventStream, Failure> {
        if is_web_page(response.headers()) {
            return Err(self.endpoint.web_page());
        }
        Ok(read(response, Arc::clone(&self.endpoint), model, self.patience))
    }

    /// Ends an answer that the server keeps running. Whoever asks has stopped listening already: a
    /// failure changes nothing for them.
    pub(super) async fn end_stream(&self, cursor: &str) {
        if !self.known.streams() {
            return;
        }
        let ends = self.stream_addresses(cursor).map(|address| {
            let call = self.authorized(self.http.for_url(&address).delete(address));
            timeout(ASIDE, call.send())
        });
        join_all(ends).await;
    }

    /// Whether the server keeps answers running: it then lists those of no names as an empty list.
    pub(super) async fn has_streams(&self) -> bool {
        let http = self.http.for_url(&self.base);
        let newer = http
            .post(self.at("streams/lookup"))
            .header(CONTENT_TYPE, "application/json")
            .body(r#"{"conversation_ids":[]}"#);
        let older = http.get(self.at("streams"));
        self.answers_a_list(newer).await || self.answers_a_list(older).await
    }

    async fn answers_a_list(&self, call: RequestBuilder) -> bool {
        let answer = async {
            let response = self.authorized(call).send().await.ok()?;
            let is_success = response.status().is_success();
            is_success.then_some(read_up_to(response, ASIDE_BYTES).await)
        };
        let body = timeout(ASIDE, answer).await.ok().flatten().unwrap_or_default();
        body.trim_ascii().starts_with(b"[")
    }

    /// Where a stream is: the newer address first.
    fn stream_addresses(&self, cursor: &str) -> [Url; 2] {
        let mut newer = self.at("stream");
        newer.query_pairs_mut().append_pair("conv_id", cursor);
        let mut older = self.at("stream");
        if let Ok(mut path) = older.path_segments_mut() {
            path.push(cursor);
        }
        [newer, older]
    }
}
