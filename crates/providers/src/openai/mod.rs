//! Model servers that speak OpenAI's chat completions: OpenAI itself, OpenRouter, Ollama,
//! llama.cpp, LM Studio, vLLM and many more.

mod fault;
mod go_on;
mod known;
mod models;
mod reading;
mod request;
mod stream;
mod think;
mod tools;
mod wire;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{RequestBuilder, Response, Url};
use tokio::time::timeout;
use unbroken_protocol::{Means, ModelInfo};

use self::fault::{Endpoint, Refusal, retry_after};
use self::known::Known;
pub use self::models::Listed;
use self::reading::{Body, Reading};
use self::request::{Dialect, Form};
use self::stream::Answer;
pub use self::stream::Patience;
use crate::discover::{ConfigError, ProviderConfig, Secret};
use crate::http::{Http, shown};
use crate::{EventStream, Failure, GoOnError, Partial, Provider, Request};

/// How much of a refusal's body is read, and for how long.
const REFUSAL_BYTES: usize = 64 * 1024;
const REFUSAL_TIME: Duration = Duration::from_secs(5);
/// The longest list of models that is read.
const LIST_BYTES: usize = 16 * 1024 * 1024;

/// A model server that speaks chat completions.
#[derive(Debug)]
pub struct OpenAi {
    id: String,
    name: String,
    http: Http,
    base: Url,
    key: Option<HeaderValue>,
    endpoint: Arc<Endpoint>,
    dialect: Dialect,
    patience: Patience,
    known: Known,
}

impl OpenAi {
    /// Checks the settings; connects to nothing.
    pub fn new(config: ProviderConfig, http: &Http) -> Result<Self, ConfigError> {
        let base = config.address()?;
        let patience = config.patience()?;
        let key = config.api_key.as_ref().map(|key| bearer(&config.id, key)).transpose()?;
        let dialect = match base.host_str() {
            Some("api.openai.com") => Dialect::OpenAi,
            _ => Dialect::Compatible,
        };
        let endpoint = Endpoint {
            shown: shown(&base),
            key_source: config.key_source(),
            has_key: key.is_some(),
        };
        let name = if config.name.is_empty() { config.id.clone() } else { config.name };
        let http = http.clone();
        let endpoint = Arc::new(endpoint);
        let known = Known::new(config.continuation, &base);
        Ok(Self { id: config.id, name, http, base, key, endpoint, dialect, patience, known })
    }

    /// With other timers than the settings say, to the millisecond.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// The models with what the trait's list leaves out.
    pub async fn list(&self) -> Result<Vec<Listed>, Failure> {
        let call = self.authorized(self.http.for_url(&self.base).get(self.at("models")));
        let sent = self.http.send(call).await;
        let response = sent.map_err(|why| self.endpoint.unreachable(why))?;
        let response = accepted(response, &self.endpoint, None).await?;
        let is_web_page = is_web_page(response.headers());
        let body = read_up_to(response, LIST_BYTES).await;
        let listed = models::read(&body, &self.name).ok_or_else(|| {
            if is_web_page { self.endpoint.web_page() } else { self.endpoint.unreadable() }
        })?;
        if self.known.list(&listed) && self.has_streams().await {
            self.known.learn_streams();
        }
        Ok(listed)
    }

    fn at(&self, page: &str) -> Url {
        let mut url = self.base.clone();
        let path = format!("{}/{page}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url
    }

    fn completion(&self, request: &Request, continued: Option<(&str, Form)>) -> RequestBuilder {
        self.authorized(self.http.for_url(&self.base).post(self.at("chat/completions")))
            .header(ACCEPT, "text/event-stream")
            .header(CONTENT_TYPE, "application/json")
            .body(request::body(request, self.dialect, continued))
    }

    fn start(&self, call: RequestBuilder, model: String) -> EventStream {
        let (endpoint, patience) = (Arc::clone(&self.endpoint), self.patience);
        let answer = Answer::new(Arc::clone(&endpoint), model.clone());
        let http = self.http.clone();
        let opening = async move { open(&http, call, &endpoint, &model, patience).await };
        Reading::new(Body::Opening(opening.boxed()), answer, patience).boxed()
    }

    fn authorized(&self, call: RequestBuilder) -> RequestBuilder {
        match &self.key {
            Some(key) => call.header(reqwest::header::AUTHORIZATION, key.clone()),
            None => call,
        }
    }
}

impl Provider for OpenAi {
    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn models(&self) -> BoxFuture<'_, Result<Vec<ModelInfo>, Failure>> {
        Box::pin(async {
            let listed = self.list().await?;
            Ok(listed.into_iter().map(|model| model.info).collect())
        })
    }

    fn generate(&self, request: Request) -> EventStream {
        let call = self.completion(&request, None);
        self.start(call, request.model)
    }

    fn generate_as(&self, request: Request, cursor: &str) -> EventStream {
        let mut call = self.completion(&request, None);
        if self.known.keeps(&request.model) {
            call = go_on::named(call, cursor);
        }
        self.start(call, request.model)
    }

    fn end<'a>(&'a self, cursor: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(self.end_stream(cursor))
    }

    fn means(&self, model: &str) -> Means {
        self.known.means(model)
    }

    fn go_on<'a>(
        &'a self,
        request: Request,
        partial: &'a Partial,
        means: Means,
    ) -> BoxFuture<'a, Result<EventStream, GoOnError>> {
        Box::pin(async move {
            match means {
                Means::Reattach => self.reattach(request, partial).await,
                Means::Prefill => match self.known.prefill(&request.model) {
                    Some(form) => self.continued(request, partial, form).await,
                    None => Err(self.refused(&request.model, means)),
                },
                Means::Prompt => self.continued(request, partial, Form::Words).await,
                Means::None => Err(GoOnError::Refused { next: Means::None }),
            }
        })
    }
}

/// Sends the call; a response is one that was accepted.
async fn open(
    http: &Http,
    call: RequestBuilder,
    endpoint: &Endpoint,
    model: &str,
    patience: Patience,
) -> Result<Response, Failure> {
    let response = send(http, call, endpoint, patience).await?;
    let response = accepted(response, endpoint, Some(model)).await?;
    if is_web_page(response.headers()) { Err(endpoint.web_page()) } else { Ok(response) }
}

/// Sends the call and waits for the head of whatever the server answers.
async fn send(
    http: &Http,
    call: RequestBuilder,
    endpoint: &Endpoint,
    patience: Patience,
) -> Result<Response, Failure> {
    timeout(patience.first_token, http.send(call))
        .await
        .map_err(|_| endpoint.silent(patience.first_token))?
        .map_err(|why| endpoint.unreachable(why))
}

fn read(
    response: Response,
    endpoint: Arc<Endpoint>,
    model: String,
    patience: Patience,
) -> EventStream {
    Reading::new(Body::Open(response), Answer::new(endpoint, model), patience).boxed()
}

/// The response, unless its status is a refusal.
async fn accepted(
    response: Response,
    endpoint: &Endpoint,
    model: Option<&str>,
) -> Result<Response, Failure> {
    if response.status().is_success() {
        return Ok(response);
    }
    let rejection = Rejection::read(response).await;
    Err(endpoint.refused(&rejection.refusal(model)))
}

/// All that a refusal brings.
struct Rejection {
    status: u16,
    retry_after: Option<Duration>,
    is_web_page: bool,
    body: Vec<u8>,
}

impl Rejection {
    async fn read(response: Response) -> Self {
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers(), SystemTime::now());
        let says_page = is_web_page(response.headers());
        let body = read_up_to(response, REFUSAL_BYTES);
        let body = timeout(REFUSAL_TIME, body).await.unwrap_or_default();
        let is_web_page = says_page || body.trim_ascii_start().starts_with(b"<");
        Self { status, retry_after, is_web_page, body }
    }

    fn refusal<'a>(&'a self, model: Option<&'a str>) -> Refusal<'a> {
        Refusal {
            status: Some(self.status),
            fault: wire::fault(&self.body),
            is_web_page: self.is_web_page,
            retry_after: self.retry_after,
            model,
        }
    }
}

/// The body, or as much of it as came.
async fn read_up_to(mut response: Response, limit: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(bytes)) = response.chunk().await {
        body.extend_from_slice(&bytes);
        if body.len() > limit {
            break;
        }
    }
    body
}

fn is_web_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("text/html")
}

fn bearer(id: &str, key: &Secret) -> Result<HeaderValue, ConfigError> {
    let value = format!("Bearer {}", key.reveal().trim());
    let mut value = HeaderValue::from_str(&value)
        .map_err(|_| ConfigError::BadKey { provider: id.to_owned() })?;
    value.set_sensitive(true);
    Ok(value)
}
