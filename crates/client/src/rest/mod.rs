//! The REST calls, the same in a native program and in a browser (PROTOCOL A1, A2, A4, A5, B4).

mod files;
mod moving;
#[cfg_attr(target_arch = "wasm32", path = "browser.rs")]
#[cfg_attr(not(target_arch = "wasm32"), path = "native.rs")]
mod transport;

use std::fmt::Write as _;

use serde::Serialize;
use serde::de::DeserializeOwned;
use unbroken_protocol::{
    ChatRequest, ChatResponse, ClientMessageId, Code, ContinueRequest, ConversationDeleted,
    ConversationId, ConversationList, ConversationPage, ConversationPatch, ConversationSummary,
    DeviceId, DeviceSession, DeviceSessionRequest, ErrorBody, ErrorCode, Event, EventBatch,
    GenerationId, GenerationReply, Health, HighlightRequest, Highlighted, MessageId, ModelList,
    PreferenceReply, PreferenceRequest, Prompt, PromptId, PromptList, PromptRequest, QueueList,
    QueuePatch, RegenerateRequest, RequestType, RoutingStats, SearchPage, SessionId, StartRequest,
    StartResponse, path,
};

use crate::sse::Parser;
use transport::{Pieces, Transport};

pub use moving::ExportFormat;
#[cfg(target_arch = "wasm32")]
pub use transport::Upload;

/// Why a call brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum RestError {
    /// The server said no, and why.
    #[error("{}", .0.message)]
    Refused(Box<ErrorBody>),
    /// No answer arrived; whether the call took effect is not known.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// Something answered that is not an Unbroken server of this version.
    #[error("the server answered {status} with something else: {detail}")]
    Unexpected { status: u16, detail: String },
}

impl RestError {
    /// Whether the same call may succeed later.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Refused(body) => body.retryable,
            Self::Unreachable(_) => true,
            Self::Unexpected { status, .. } => *status >= 500,
        }
    }

    /// What was asked for is not there, though the server did not say so.
    pub(crate) fn nothing() -> Self {
        let code = ErrorCode::NotFound;
        Self::Refused(Box::new(ErrorBody {
            error: code.as_str().to_owned(),
            message: "There is no answer in this conversation.".to_owned(),
            status_code: code.status(),
            code,
            retryable: code.retryable(),
            request_id: String::new(),
            details: None,
        }))
    }
}

/// A list of conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// What is not archived.
    Listed,
    /// Of these: what is pinned or in a folder.
    Kept,
    Archived,
}

/// An HTTP method that the protocol uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Whatever answered: its status and its whole body.
struct Answer {
    status: u16,
    body: String,
}

/// Calls to one server, by one principal.
#[derive(Clone, Debug)]
pub struct Rest {
    base: String,
    device_id: Option<DeviceId>,
    session_id: Option<SessionId>,
    transport: Transport,
}

impl Rest {
    /// `base` is the server's address without a path, `http://127.0.0.1:8484`; empty in a browser
    /// for the page's own server.
    pub fn new(base: &str) -> Self {
        Self {
            base: base.trim_end_matches('/').to_owned(),
            device_id: None,
            session_id: None,
            transport: Transport::new(),
        }
    }

    /// The server whose socket is at `url`, such as `ws://127.0.0.1:8484/ws`.
    pub(crate) fn beside(
        url: &str,
        device_id: Option<DeviceId>,
        session_id: Option<SessionId>,
    ) -> Self {
        let base = url.replacen("ws", "http", 1);
        let base = base.strip_suffix(path::SOCKET).unwrap_or(&base);
        Self { device_id, session_id, ..Self::new(base) }
    }

    /// The same server, spoken to with this pair.
    #[must_use]
    pub fn with_session(mut self, device_id: DeviceId, session_id: SessionId) -> Self {
        self.device_id = Some(device_id);
        self.session_id = Some(session_id);
        self
    }

    /// Makes or renews a device session.
    pub async fn device_session(
        &self,
        request: &DeviceSessionRequest,
    ) -> Result<DeviceSession, RestError> {
        self.send(Method::Post, path::DEVICE_SESSION, &[], Some(request)).await
    }

    /// Starts a turn, and answers as soon as it is durable.
    pub async fn start(&self, mut request: StartRequest) -> Result<StartResponse, RestError> {
        self.sign(&mut request);
        self.send(Method::Post, path::START, &[], Some(&request)).await
    }

    /// Asks and waits for the whole answer.
    pub async fn chat(&self, mut request: ChatRequest) -> Result<ChatResponse, RestError> {
        self.sign(&mut request.start);
        self.send(Method::Post, path::CHAT, &[], Some(&request)).await
    }

    /// The conversations, the one that changed last first.
    pub async fn conversations(
        &self,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<ConversationList, RestError> {
        self.conversations_on(Shelf::Listed, limit, cursor).await
    }

    /// The conversations of a list, the one that changed last first.
    pub async fn conversations_on(
        &self,
        list: Shelf,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<ConversationList, RestError> {
        let mut query = self.page(limit, cursor);
        query.extend(match list {
            Shelf::Listed => None,
            Shelf::Kept => Some(("kept", "true".to_owned())),
            Shelf::Archived => Some(("archived", "true".to_owned())),
        });
        self.get(path::CONVERSATIONS, &query).await
    }

    /// Messages and titles in which all of `text` is, the best first.
    pub async fn search(
        &self,
        text: &str,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<SearchPage, RestError> {
        let mut query = self.page(limit, cursor);
        query.push(("q", text.to_owned()));
        self.get(path::SEARCH, &query).await
    }

    /// The selected branch of a conversation; with `limit` a page that ends before `before`.
    pub async fn conversation(
        &self,
        id: ConversationId,
        limit: Option<u32>,
        before: Option<MessageId>,
    ) -> Result<ConversationPage, RestError> {
        let mut query = self.pair();
        query.extend(limit.map(|limit| ("limit", limit.to_string())));
        query.extend(before.map(|before| ("before", before.to_string())));
        self.get(&filled(path::CONVERSATION, id), &query).await
    }

    /// Takes a delete back: within ten minutes.
    pub async fn restore(&self, id: ConversationId) -> Result<ConversationSummary, RestError> {
        let path = filled(path::RESTORE, id);
        self.send(Method::Post, &path, &self.pair(), None::<&()>).await
    }

    /// One message, on whichever branch it is, as a page.
    pub async fn message(
        &self,
        id: ConversationId,
        message: MessageId,
    ) -> Result<ConversationPage, RestError> {
        let mut query = self.pair();
        query.extend([("leaf", message.to_string()), ("limit", "1".to_owned())]);
        self.get(&filled(path::CONVERSATION, id), &query).await
    }

    /// Deletes a conversation, with ten minutes to restore it; what runs in it is stopped first.
    pub async fn delete(&self, id: ConversationId) -> Result<ConversationDeleted, RestError> {
        let path = filled(path::CONVERSATION, id);
        self.send(Method::Delete, &path, &self.pair(), None::<&()>).await
    }

    /// Changes a conversation.
    pub async fn patch(
        &self,
        id: ConversationId,
        change: &ConversationPatch,
    ) -> Result<ConversationSummary, RestError> {
        let path = filled(path::CONVERSATION, id);
        self.send(Method::Patch, &path, &self.pair(), Some(change)).await
    }

    /// Stops a generation. May be repeated.
    pub async fn stop(&self, id: GenerationId) -> Result<GenerationReply, RestError> {
        let path = filled(path::GENERATION_STOP, id);
        self.send(Method::Post, &path, &self.pair(), Some(&serde_json::json!({}))).await
    }

    /// Lets an answer go on; says which generation goes on then, the same or a sibling.
    /// Under one key a sibling is made once.
    pub async fn go_on(
        &self,
        id: GenerationId,
        key: ClientMessageId,
    ) -> Result<GenerationReply, RestError> {
        let request = ContinueRequest {
            client_message_id: Some(key.to_string()),
            session_id: self.session_id.clone(),
            device_id: self.device_id.clone(),
        };
        let path = filled(path::GENERATION_CONTINUE, id);
        self.send(Method::Post, &path, &[], Some(&request)).await
    }

    /// Asks for another answer to a person's message; `None` leaves the model to the server. May be
    /// repeated under one key.
    pub async fn regenerate(
        &self,
        user_message: MessageId,
        model_id: Option<&str>,
        key: ClientMessageId,
    ) -> Result<StartResponse, RestError> {
        self.another(user_message, model_id, key, false).await
    }

    /// The same at once, also while one other answer to the message is being written.
    pub async fn answer_beside(
        &self,
        user_message: MessageId,
        model_id: Option<&str>,
        key: ClientMessageId,
    ) -> Result<StartResponse, RestError> {
        self.another(user_message, model_id, key, true).await
    }

    async fn another(
        &self,
        user_message: MessageId,
        model_id: Option<&str>,
        key: ClientMessageId,
        beside: bool,
    ) -> Result<StartResponse, RestError> {
        let request = RegenerateRequest {
            model_id: model_id.map(str::to_owned),
            beside,
            client_message_id: Some(key.to_string()),
            session_id: self.session_id.clone(),
            device_id: self.device_id.clone(),
        };
        let path = filled(path::REGENERATE, user_message);
        self.send(Method::Post, &path, &[], Some(&request)).await
    }

    /// Shows the branch that goes through this message.
    pub async fn select_branch(
        &self,
        id: ConversationId,
        message: MessageId,
    ) -> Result<ConversationSummary, RestError> {
        let selected_message_id = Some(message.to_string());
        self.patch(id, &ConversationPatch { selected_message_id, ..Default::default() }).await
    }

    /// The turns that wait in a conversation.
    pub async fn queue(&self, id: ConversationId) -> Result<QueueList, RestError> {
        self.get(&filled(path::QUEUE, id), &self.pair()).await
    }

    /// Gives a turn that waits another text.
    pub async fn edit_queued(
        &self,
        id: ConversationId,
        queued: GenerationId,
        message: &str,
    ) -> Result<QueueList, RestError> {
        let patch = QueuePatch {
            message: message.to_owned(),
            session_id: self.session_id.clone(),
            device_id: self.device_id.clone(),
        };
        self.send(Method::Patch, &queued_path(id, queued), &[], Some(&patch)).await
    }

    /// Takes a turn that waits out.
    pub async fn remove_queued(
        &self,
        id: ConversationId,
        queued: GenerationId,
    ) -> Result<QueueList, RestError> {
        self.send(Method::Delete, &queued_path(id, queued), &self.pair(), None::<&()>).await
    }

    /// The person's own prompts, the oldest first.
    pub async fn prompts(&self) -> Result<PromptList, RestError> {
        self.get(path::PROMPTS, &self.pair()).await
    }

    /// Makes a prompt under that id, or changes it. May be repeated.
    pub async fn put_prompt(
        &self,
        id: PromptId,
        name: &str,
        text: &str,
    ) -> Result<Prompt, RestError> {
        let request = PromptRequest {
            name: name.to_owned(),
            text: text.to_owned(),
            session_id: self.session_id.clone(),
            device_id: self.device_id.clone(),
        };
        self.send(Method::Put, &filled(path::PROMPT, id), &[], Some(&request)).await
    }

    /// Deletes a prompt; answered with those that are left.
    pub async fn delete_prompt(&self, id: PromptId) -> Result<PromptList, RestError> {
        self.send(Method::Delete, &filled(path::PROMPT, id), &self.pair(), None::<&()>).await
    }

    pub async fn models(&self) -> Result<ModelList, RestError> {
        self.get(path::MODELS, &self.pair()).await
    }

    /// Which model the person prefers.
    pub async fn stats(&self) -> Result<RoutingStats, RestError> {
        self.get(path::STATS, &self.pair()).await
    }

    /// Sets the model that answers when none is named; `None` leaves the choice to the server.
    pub async fn preferences(&self, model_id: Option<&str>) -> Result<PreferenceReply, RestError> {
        let Some(model_id) = model_id else {
            let query = self.pair();
            return self.send(Method::Delete, path::PREFERENCES, &query, None::<&()>).await;
        };
        let request = PreferenceRequest {
            model_id: model_id.to_owned(),
            session_id: self.session_id.clone(),
            device_id: self.device_id.clone(),
        };
        self.send(Method::Post, path::PREFERENCES, &[], Some(&request)).await
    }

    /// What the pieces of code are, for their colours.
    pub async fn highlight(&self, blocks: Vec<Code>) -> Result<Highlighted, RestError> {
        let request = HighlightRequest {
            blocks,
            session_id: self.session_id.clone(),
            device_id: self.device_id.clone(),
        };
        self.send(Method::Post, path::HIGHLIGHT, &[], Some(&request)).await
    }

    pub async fn health(&self) -> Result<Health, RestError> {
        self.get(path::HEALTH, &[]).await
    }

    /// One step of a long poll, which waits for `wait` seconds at most.
    pub(crate) async fn poll(
        &self,
        path: &str,
        after: &str,
        wait: u64,
    ) -> Result<EventBatch, RestError> {
        let mut query = self.pair();
        query.extend([("after", after.to_owned()), ("wait", wait.to_string())]);
        self.get(path, &query).await
    }

    /// Opens a stream of events; `None` when nothing lies after this place and nothing will.
    pub(crate) async fn stream(
        &self,
        path: &str,
        after: &str,
    ) -> Result<Option<EventStream>, RestError> {
        let mut query = self.pair();
        query.push(("after", after.to_owned()));
        let url = format!("{}{path}{}", self.base, query_text(&query));
        let (status, mut pieces) = self.transport.open(&url).await?;
        if status == 200 {
            return Ok(Some(EventStream { pieces, parser: Parser::default() }));
        }
        if status == 204 {
            return Ok(None);
        }
        let mut body = Vec::new();
        while let Some(piece) = pieces.next().await? {
            body.extend_from_slice(&piece);
        }
        Err(refusal(Answer { status, body: String::from_utf8_lossy(&body).into_owned() }))
    }

    async fn get<A: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<A, RestError> {
        self.send(Method::Get, path, query, None::<&()>).await
    }

    async fn send<B: Serialize, A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&B>,
    ) -> Result<A, RestError> {
        let url = format!("{}{path}{}", self.base, query_text(query));
        let body = body.map(|body| serde_json::to_string(body).expect("a wire type is JSON"));
        read(self.transport.call(method, &url, body).await?)
    }

    fn sign(&self, request: &mut StartRequest) {
        if request.session_id.is_none() && request.device_id.is_none() {
            request.session_id.clone_from(&self.session_id);
            request.device_id.clone_from(&self.device_id);
        }
        let pair = request.session_id.is_some();
        request.request_type = request.request_type.or(pair.then_some(RequestType::Anonymous));
    }

    /// The pair and a part of a list as a query.
    fn page(&self, limit: Option<u32>, cursor: Option<&str>) -> Vec<(&'static str, String)> {
        let mut query = self.pair();
        query.extend(limit.map(|limit| ("limit", limit.to_string())));
        query.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
        query
    }

    /// The pair as a query. Without one the cookie speaks.
    fn pair(&self) -> Vec<(&'static str, String)> {
        let Some(session_id) = &self.session_id else { return Vec::new() };
        let mut query = vec![
            ("request_type", "anonymous".to_owned()),
            ("session_id", session_id.reveal().to_owned()),
        ];
        query.extend(self.device_id.iter().map(|id| ("device_id", id.to_string())));
        query
    }
}

/// Server-sent events, as they arrive.
pub(crate) struct EventStream {
    pieces: Pieces,
    parser: Parser,
}

impl EventStream {
    /// The next event; a sign of life is [`Event::Unknown`]. `None` at the end. Cancel safe.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, RestError> {
        loop {
            if let Some(event) = self.parser.next() {
                return Ok(Some(event));
            }
            let Some(piece) = self.pieces.next().await? else { return Ok(None) };
            self.parser.push(&piece);
        }
    }
}

pub(crate) fn filled(path: &str, id: impl std::fmt::Display) -> String {
    path.replace("{id}", &id.to_string())
}

fn queued_path(id: ConversationId, queued: GenerationId) -> String {
    filled(path::QUEUED, id).replace("{queue_id}", &queued.to_string())
}

fn read<A: DeserializeOwned>(Answer { status, body }: Answer) -> Result<A, RestError> {
    if (200..300).contains(&status) {
        return parse(&body).map_err(|e| RestError::Unexpected { status, detail: e.to_string() });
    }
    Err(refusal(Answer { status, body }))
}

/// By way of a table, so that a page holds one parser of JSON instead of one for each type.
fn parse<A: DeserializeOwned>(body: &str) -> serde_json::Result<A> {
    // 204 has none.
    let body = if body.is_empty() { "null" } else { body };
    serde_json::from_value(serde_json::from_str(body)?)
}

fn refusal(Answer { status, body }: Answer) -> RestError {
    match parse(&body) {
        Ok(refusal) => RestError::Refused(Box::new(refusal)),
        Err(_) => RestError::Unexpected { status, detail: body.chars().take(200).collect() },
    }
}

/// `?key=value&…`, or nothing. Percent-encodes all but RFC 3986's unreserved characters.
fn query_text(query: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (key, value) in query {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(key);
        text.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                text.push(char::from(byte));
            } else {
                write!(text, "%{byte:02X}").expect("a String takes everything");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_encoded() {
        let query = [("limit", "5".to_owned()), ("cursor", "a b&ü".to_owned())];
        assert_eq!(query_text(&query), "?limit=5&cursor=a%20b%26%C3%BC");
        assert_eq!(query_text(&[]), "");
    }

    #[test]
    fn an_answer_is_read_by_what_it_is() {
        let answer = |status, body: &str| Answer { status, body: body.into() };
        let health: Health =
            read(answer(200, r#"  {"status":"ok","version":"1"}"#)).expect("white space may lead");
        assert_eq!(health.status, "ok");
        let refusal = r#"{"error":"not_found","message":"There is no such conversation.",
            "status_code":404,"code":"not_found","retryable":false,"request_id":"r"}"#;
        let refused = read::<Health>(answer(404, refusal));
        assert!(matches!(refused, Err(RestError::Refused(body)) if body.status_code == 404));
        let proxy = read::<Health>(answer(502, "<html>"));
        assert!(matches!(proxy, Err(RestError::Unexpected { status: 502, .. })));
    }
}
