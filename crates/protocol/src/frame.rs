//! Everything that a client sends on a socket (PROTOCOL A3, B2), told apart by `routeKey`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{Options, Source};
use crate::position::{Epoch, Seq};
use crate::rest::{InteractionMode, RequestType};
use crate::{DeviceId, ErrorCode, SessionId};

/// One frame from a client. Ids are text here: one that is no UUID names nothing and is answered
/// `not_found`, as a foreign one is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "routeKey", rename_all = "snake_case")]
pub enum ClientFrame {
    StreamChat(Box<StreamChat>),
    Hello(Hello),
    Follow(Follow),
    /// Leave; the generation goes on.
    Unfollow(Target),
    Stop(Target),
    Continue(Continue),
    Ping(Ping),
}

/// Ask over the socket, or watch a running answer again (the four rules of A3).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StreamChat {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    #[serde(default)]
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_type: Option<RequestType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interaction_mode: Option<InteractionMode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_message_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<Vec<Source>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Options>,
}

/// Who speaks, and what it understands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    #[serde(default = "first_version")]
    pub version: u32,
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// The place up to which notices were heard, empty for none. A client that says it is sent
    /// `noticed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notices_after: Option<String>,
    /// What is written live comes in frames at least this many milliseconds apart, those between
    /// merged. Who shows text less often than models write it need not be woken for every token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_ms: Option<u64>,
}

fn first_version() -> u32 {
    1
}

/// What a client wants to be sent beyond what everybody gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// `reasoning_chunk`
    Reasoning,
    /// `tool_event` and `source_found`
    Tools,
    /// `heartbeat`
    Heartbeat,
    #[serde(other)]
    Unknown,
}

/// Read the log of a generation from a position; the conversation's newest when none is named.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Follow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<String>,
    #[serde(default)]
    pub after_seq: Seq,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
}

/// The generation that a command is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    pub generation_id: String,
}

/// The answer that is to go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Continue {
    pub generation_id: String,
    /// Of a sibling that is made: the same key makes it once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_message_id: Option<String>,
}

/// A probe; `t` comes back in `pong`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ping {
    #[serde(default)]
    pub t: Value,
}

/// A frame with the tag that its reply repeats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incoming {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub req: Option<Value>,
    #[serde(flatten)]
    pub frame: ClientFrame,
}

/// A text that is no frame of ours.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct FrameError {
    /// The tag, where the text was JSON enough to find it.
    pub req: Option<Value>,
    pub code: ErrorCode,
    pub message: String,
}

impl Incoming {
    /// Reads one text frame.
    ///
    /// # Errors
    /// `bad_request` for broken JSON, an unknown `routeKey` or a field of the wrong type, with a
    /// sentence that names it.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        let bad = |req, message| FrameError { req, code: ErrorCode::BadRequest, message };
        let mut value: Value = serde_json::from_str(text)
            .map_err(|e| bad(None, format!("The frame is not valid JSON: {e}.")))?;
        let Some(object) = value.as_object_mut() else {
            return Err(bad(None, "The frame must be a JSON object.".into()));
        };
        let req = object.remove("req").filter(|req| !req.is_null());
        let route = match object.get("routeKey") {
            Some(Value::String(route)) => route.clone(),
            Some(_) => return Err(bad(req, "The field \"routeKey\" must be a text.".into())),
            None => return Err(bad(req, "The frame has no field \"routeKey\".".into())),
        };
        if !ROUTES.contains(&route.as_str()) {
            let known = ROUTES.join(", ");
            return Err(bad(req, format!("There is no route {route:?}. Known are {known}.")));
        }
        match serde_json::from_value(value) {
            Ok(frame) => Ok(Self { req, frame }),
            Err(e) => Err(bad(req, format!("The frame {route:?} has a bad field: {e}."))),
        }
    }
}

const ROUTES: [&str; 7] =
    ["stream_chat", "hello", "follow", "unfollow", "stop", "continue", "ping"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_keeps_its_tag_even_when_a_field_is_bad() {
        let error = Incoming::parse(r#"{"routeKey":"follow","after_seq":"x","req":"7"}"#);
        assert_eq!(error.unwrap_err().req, Some(Value::from("7")));
    }

    #[test]
    fn every_route_parses() {
        for (text, ok) in [
            (r#"{"routeKey":"stream_chat","message":"hi","unknown":1}"#, true),
            (r#"{"routeKey":"hello"}"#, true),
            (r#"{"routeKey":"hello","capabilities":["reasoning","from_the_future"]}"#, true),
            (r#"{"routeKey":"follow","generation_id":"x"}"#, true),
            (r#"{"routeKey":"ping","t":123}"#, true),
            (r#"{"routeKey":"stop"}"#, false),
            (r#"{"routeKey":"sing"}"#, false),
            (r#"{"routeKey":7}"#, false),
            (r#"{}"#, false),
            (r#"[1]"#, false),
            (r#"{"#, false),
        ] {
            assert_eq!(Incoming::parse(text).is_ok(), ok, "{text}");
        }
    }
}
