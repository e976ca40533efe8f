//! A device of a person: its pair, and the real client that speaks with it.

use serde_json::{Value, json};
use unbroken_client::native::Connection;
use unbroken_client::{Config, Rest};
use unbroken_protocol::{
    Capability, ConversationId, DeviceId, DeviceSession, DeviceSessionRequest, MessageView,
    SessionId, StartRequest, StartResponse,
};

use super::{Reply, Talk};

/// A device with a live session.
#[derive(Clone)]
pub(crate) struct Device {
    base: String,
    pub(crate) id: DeviceId,
    pub(crate) session: SessionId,
    pub(crate) rest: Rest,
}

impl Device {
    /// A device of a new principal.
    pub(crate) async fn new(base: &str, name: &str) -> Self {
        let request = DeviceSessionRequest {
            device_id: Some(DeviceId(name.into())),
            ..DeviceSessionRequest::default()
        };
        let session = Rest::new(base).device_session(&request).await.unwrap();
        Self::with(base, session)
    }

    pub(crate) fn with(base: &str, session: DeviceSession) -> Self {
        let DeviceSession { device_id, session_id, .. } = session;
        let rest = Rest::new(base).with_session(device_id.clone(), session_id.clone());
        Self { base: base.to_owned(), id: device_id, session: session_id, rest }
    }

    /// The same device with a server that has moved.
    pub(crate) fn at(&self, base: &str) -> Self {
        let rest = Rest::new(base).with_session(self.id.clone(), self.session.clone());
        Self { base: base.to_owned(), rest, ..self.clone() }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The pair as it goes into a body.
    pub(crate) fn pair(&self) -> Value {
        json!({"device_id": self.id, "session_id": self.session.reveal()})
    }

    /// The pair as it goes into a query.
    pub(crate) fn query(&self) -> [(&'static str, String); 3] {
        [
            ("session_id", self.session.reveal().to_owned()),
            ("device_id", self.id.0.clone()),
            ("request_type", "anonymous".to_owned()),
        ]
    }

    /// What an existing web client sends to ask, or to watch again.
    pub(crate) fn stream_chat(
        &self,
        message: &str,
        conversation: Option<&str>,
        model: &str,
    ) -> Value {
        json!({
            "routeKey": "stream_chat",
            "device_id": self.id,
            "session_id": self.session.reveal(),
            "message": message,
            "conversation_id": conversation,
            "request_type": "anonymous",
            "model_id": model,
            "query_type": "general",
            "interaction_mode": "type",
        })
    }

    pub(crate) async fn start(&self, message: &str, model: &str) -> StartResponse {
        self.rest.start(ask(message, model)).await.unwrap()
    }

    /// The next turn of a conversation.
    pub(crate) async fn go_on(
        &self,
        conversation: ConversationId,
        message: &str,
        model: &str,
    ) -> StartResponse {
        let conversation_id = Some(conversation.to_string());
        self.rest.start(StartRequest { conversation_id, ..ask(message, model) }).await.unwrap()
    }

    /// The messages of a conversation.
    pub(crate) async fn history(&self, id: ConversationId) -> Vec<MessageView> {
        self.rest.conversation(id, None, None).await.unwrap().messages
    }

    /// The newest answer of a conversation.
    pub(crate) async fn answer(&self, id: ConversationId) -> MessageView {
        self.history(id).await.pop().unwrap()
    }

    /// A REST call that the client has no function for, which must succeed.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = reqwest::Client::new()
            .request(method, format!("{}{path}", self.base))
            .query(&self.query());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let reply = request.send().await.unwrap();
        let (status, text) = (reply.status(), reply.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Brings a file, as a form in a browser does.
    pub(crate) async fn upload(&self, name: &str, bytes: &[u8]) -> Reply {
        let head = format!(
            "--line\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        let body = [head.as_bytes(), bytes, b"\r\n--line--\r\n"].concat();
        let request = reqwest::Client::new()
            .post(format!("{}/ai/files", self.base))
            .query(&self.query())
            .header("content-type", "multipart/form-data; boundary=line")
            .body(body);
        Reply::of(request).await
    }

    /// Brings a file and waits until it is read; its id.
    pub(crate) async fn file(&self, name: &str, text: &str) -> String {
        let mut talk = self.hello(&[]).await;
        let stored = self.upload(name, text.as_bytes()).await.json();
        let id = stored["file_id"].as_str().unwrap().to_owned();
        if stored["state"] == "ready" {
            return id;
        }
        loop {
            let event = talk.next_of("file").await;
            if event["file_id"] == id && event["file"]["state"] != "processing" {
                assert_eq!(event["file"]["state"], "ready", "{event}");
                return id;
            }
        }
    }

    /// A socket that sent nothing: an old client.
    pub(crate) async fn socket(&self) -> Talk {
        Talk::connect(&self.base).await
    }

    /// A socket that said `hello`, with these capabilities.
    pub(crate) async fn hello(&self, capabilities: &[&str]) -> Talk {
        let mut talk = self.socket().await;
        talk.say(&json!({
            "routeKey": "hello",
            "version": 1,
            "capabilities": capabilities,
            "device_id": self.id,
            "session_id": self.session.reveal(),
        }))
        .await;
        talk.next_is("hello_ok").await;
        talk
    }

    /// The real client.
    pub(crate) fn connection(&self) -> Connection {
        let config = Config {
            device_id: Some(self.id.clone()),
            session_id: Some(self.session.clone()),
            capabilities: vec![Capability::Reasoning, Capability::Tools],
            interval: None,
            seed: 7,
        };
        Connection::open(&super::talk::address(&self.base), config)
    }

    /// Opens a session for another device of the same principal.
    pub(crate) async fn link(&self, name: &str) -> Self {
        let code: Value = reqwest::Client::new()
            .post(format!("{}/auth/link", self.base))
            .json(&self.pair())
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let request = DeviceSessionRequest {
            device_id: Some(DeviceId(name.into())),
            link_code: Some(code["code"].as_str().unwrap().to_owned()),
            ..DeviceSessionRequest::default()
        };
        let session = Rest::new(&self.base).device_session(&request).await.unwrap();
        Self::with(&self.base, session)
    }
}

/// The body of a start, without the pair.
pub(crate) fn ask(message: &str, model: &str) -> StartRequest {
    StartRequest {
        message: message.into(),
        model_id: Some(model.into()),
        ..StartRequest::default()
    }
}
