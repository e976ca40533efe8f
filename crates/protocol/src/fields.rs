//! Reads events field by field.
//!
//! What derive makes of `tag` and `flatten` keeps every value twice and has a parser of its own for
//! each type: that was a sixth of the web app. Here an event is one table of JSON, out of which
//! its fields are taken by their names.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde_json::{Error, Map, Value};

use crate::event::At;

/// The fields of an event that nobody has read yet.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// One field. An absent one is `null`, which only some types can be.
    pub(crate) fn take<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<T, Error> {
        match self.0.remove(name) {
            Some(value) => serde_json::from_value(value),
            None => T::deserialize(Value::Null).map_err(|_| Error::missing_field(name)),
        }
    }

    pub(crate) fn take_or_default<T: DeserializeOwned + Default>(
        &mut self,
        name: &'static str,
    ) -> Result<T, Error> {
        if self.0.contains_key(name) { self.take(name) } else { Ok(T::default()) }
    }

    pub(crate) fn take_at(&mut self) -> Result<At, Error> {
        Ok(At {
            generation_id: self.take("generation_id")?,
            conversation_id: self.take("conversation_id")?,
            message_id: self.take("message_id")?,
            epoch: self.take("epoch")?,
            seq: self.take("seq")?,
        })
    }
}

/// What is read out of fields.
pub(crate) trait Read: Sized {
    fn read(fields: Fields) -> Result<Self, Error>;
}

impl<T: Read> Read for Box<T> {
    fn read(fields: Fields) -> Result<Self, Error> {
        T::read(fields).map(Self::new)
    }
}

/// Reads fields from any format, and says in its words what was wrong.
pub(crate) fn read_from<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    read: impl FnOnce(Fields) -> Result<T, Error>,
) -> Result<T, D::Error> {
    read(Fields::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// Implements [`Read`] and `Deserialize`. Fields after the `;` are their default when absent.
macro_rules! read {
    ($($type:ident { $($field:ident),* $(; $($optional:ident),*)? })*) => {$(
        impl $crate::fields::Read for $type {
            fn read(mut fields: $crate::fields::Fields) -> Result<Self, serde_json::Error> {
                Ok(Self {
                    $($field: fields.take(stringify!($field))?,)*
                    $($($optional: fields.take_or_default(stringify!($optional))?,)*)?
                })
            }
        }
        $crate::fields::deserialize! { $type }
    )*};
}
pub(crate) use read;

/// The same for events that lie at a place in a log.
macro_rules! read_at {
    ($($event:ident { $($field:ident),* $(; $($optional:ident),*)? })*) => {$(
        impl $crate::fields::Read for $event {
            fn read(mut fields: $crate::fields::Fields) -> Result<Self, serde_json::Error> {
                Ok(Self {
                    at: fields.take_at()?,
                    $($field: fields.take(stringify!($field))?,)*
                    $($($optional: fields.take_or_default(stringify!($optional))?,)*)?
                })
            }
        }
        $crate::fields::deserialize! { $event }
    )*};
}
pub(crate) use read_at;

macro_rules! deserialize {
    ($type:ident) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::fields::read_from(deserializer, $crate::fields::Read::read)
            }
        }
    };
}
pub(crate) use deserialize;

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use crate::{
        ConversationList, ConversationPage, DeviceSession, ErrorBody, Event, EventBatch,
        MessageView, ModelInfo, ModelList, PreferenceReply, RoutingStats, StartResponse,
    };

    /// One of every type, with every field that reading handles by itself.
    fn events() -> Vec<Value> {
        let id = "019a9e5c-7a10-7000-8000-0000000000ab";
        let time = "2026-11-20T09:30:00.250Z";
        let at = json!({"generation_id": id, "conversation_id": id, "message_id": id, "epoch": 2,
            "seq": 7});
        let citation = json!({"index": 1, "source_type": "web", "title": "t", "quote": "q"});
        let with_at = [
            json!({"type": "stream_start", "model": "m", "timestamp": time}),
            json!({"type": "content_chunk", "content": "c", "chunk_id": 7, "timestamp": time,
                "offset": 3, "seq_from": 6}),
            json!({"type": "stream_complete", "full_response": "c", "total_chunks": 1, "tokens": 3,
                "input_tokens": 1, "output_tokens": 2, "timestamp": time, "status": "stopped",
                "credits": {"remaining": 1, "daily_total": 2, "used_today": 1},
                "finish_reason": "user", "content_chars": 1, "content_sha256": "0",
                "citations": [citation]}),
            json!({"type": "stream_error", "error": "e", "code": "internal", "retryable": true,
                "status": "failed", "retry_after_ms": 5, "timestamp": time}),
            json!({"type": "snapshot", "content": "c", "reasoning": "r", "citations": [citation],
                "tool_events": [{"call_id": "c", "phase": "call", "name": "n",
                    "data": {"arguments": {"a": 1}}}], "state": "running"}),
            json!({"type": "generation_state", "state": "interrupted", "code": "owner_lost",
                "message": "m", "can_continue": true, "means": "prefill"}),
            json!({"type": "reasoning_chunk", "content": "c", "timestamp": time}),
            json!({"type": "tool_event", "call_id": "c", "phase": "p", "name": "n",
                "data": {"x": [1]}}),
            json!({"type": "source_found", "citation": citation}),
        ];
        let place = at.as_object().expect("it is an object");
        let mut events: Vec<_> = with_at.into();
        for event in &mut events {
            event.as_object_mut().expect("it is an object").extend(place.clone());
        }
        events.extend([
            json!({"type": "connection_established", "timestamp": time}),
            json!({"type": "stream_error", "error": "e", "code": "bad_request", "retryable": false,
                "timestamp": time, "req": 4}),
            json!({"type": "heartbeat", "t": 1, "heads": {id: 97}}),
            json!({"type": "ok", "req": "r"}),
            json!({"type": "conversation_started", "conversation_id": id, "timestamp": time,
                "generation_id": id, "message_id": id}),
            json!({"type": "hello_ok", "version": 1, "node": "n", "heartbeat_ms": 5,
                "max_frame": 6, "req": 1}),
            json!({"type": "following", "generation_id": id, "conversation_id": id,
                "message_id": id, "epoch": 2, "recovered": false, "reason": "epoch",
                "from_seq": 1, "head_seq": 9, "offset": 3, "state": "running", "req": 1}),
            json!({"type": "pong", "t": 123, "req": 2}),
            json!({"type": "draining", "reconnect_after_ms": 5}),
            json!({"type": "error", "req": 1, "generation_id": id, "code": "conflict",
                "message": "m", "retryable": false}),
            json!({"type": "conversation", "op": "upsert", "conversation": summary()}),
            json!({"type": "queue", "conversation_id": id, "items": [
                {"queue_id": id, "position": 1, "message": "m", "message_id": id}]}),
            json!({"type": "generation_started", "conversation_id": id, "generation_id": id,
                "message_id": id, "client_message_id": id}),
            json!({"type": "file", "file_id": id, "file": {"file_id": id, "name": "n",
                "media_type": "text/plain", "bytes": 3, "state": "refused", "reason": "r",
                "reason_code": "empty", "pages": 2, "created_at": time}}),
            json!({"type": "collection", "collection_id": id, "collection": {
                "collection_id": id, "name": "n", "created_at": time, "file_ids": [id], "urls": ["u"]}}),
            json!({"type": "noticed", "after": "7.13", "missed": true}),
        ]);
        events
    }

    fn summary() -> Value {
        let time = "2026-11-20T09:30:00.250Z";
        json!({"conversation_id": "019a9e5c-7a10-7000-8000-0000000000ab", "title": "t",
            "topic": "p", "model": "m", "created_at": time, "updated_at": time,
            "message_count": 2, "total_tokens": 3, "session_type": "chat", "running": true})
    }

    /// Whether the answer is read as it was written.
    fn is_same<T: DeserializeOwned + Serialize>(written: &Value) -> bool {
        let read: T = serde_json::from_str(&written.to_string()).expect("it is an answer");
        serde_json::to_value(read).expect("it is JSON") == *written
    }

    #[test]
    fn an_answer_of_a_call_is_read_as_it_was_written() {
        let id = "019a9e5c-7a10-7000-8000-0000000000ab";
        let time = "2026-11-20T09:30:00.250Z";
        assert!(is_same::<DeviceSession>(&json!({"session_id": "s", "device_id": "d",
            "expires_at": time, "max_conversations": 1, "plan": "p", "daily_credits": 2,
            "credits_remaining": 3, "message": "m"})));
        assert!(is_same::<StartResponse>(&json!({"conversation_id": id, "model": "m",
            "model_name": "n", "transaction_id": "t", "status": "conversation_created",
            "message": "m", "websocket_route": "stream_chat", "generation_id": id,
            "message_id": id, "user_message_id": id, "epoch": 1, "after_seq": 0,
            "routing": {"selected_model": "m", "reason": "r", "confidence": 0.5},
            "queued": {"queue_id": id, "position": 1}})));
        assert!(is_same::<ConversationList>(&json!({"conversations": [summary()], "total": 1,
            "owner_type": "device_session", "owner_id": "o", "next_cursor": "c"})));
        assert!(is_same::<ConversationPage>(&json!({"conversation_id": id, "title": "t",
            "total": 1, "messages": [{"message_id": id, "role": "assistant", "content": "c",
            "timestamp": time, "tokens_used": 3, "model": "m", "parent_id": id,
            "sibling_ids": [id], "generation_id": id, "state": "failed", "epoch": 1, "seq": 2,
            "finish_reason": "length", "reasoning": "r", "reasoning_ms": 7, "seams": [4], "can_continue": true,
            "tool_events": [{"call_id": "c", "phase": "call", "name": "n", "data": {"arguments": "a"}}],
            "error": "e", "code": "internal", "citations": [{"index": 1, "source_type": "web",
            "title": "t", "url": "u", "file_id": "f", "page": 2, "passage": 3, "quote": "q", "score": 0.5}],
            "sources": [{"type": "file", "file_id": "f", "name": "n", "state": "ready"}]}]})));
        assert!(is_same::<ModelList>(&json!({"total_count": 1, "models": [{"id": "m",
            "name": "n", "description": "d", "speed": "fast", "cost": "$", "best_for": ["b"],
            "provider": "p", "context_length": 5, "capabilities": ["tools"]}]})));
        assert!(is_same::<RoutingStats>(&json!({"has_preference": true,
            "preference_type": "user_override", "preferred_model": null, "usage_count": 1,
            "available_models": ["m"], "total_models": 1})));
        assert!(is_same::<PreferenceReply>(&json!({"success": true, "message": "m",
            "current_preference": "m"})));
        assert!(is_same::<EventBatch>(&json!({"events": events(), "next_after": "1.2",
            "up_to_date": true, "closed": false})));
        assert!(is_same::<ErrorBody>(&json!({"error": "conflict", "message": "m",
            "status_code": 409, "code": "conflict", "retryable": false, "request_id": "r",
            "details": {"a": 1}})));
    }

    #[test]
    fn what_may_be_absent_is_empty() {
        let id = "019a9e5c-7a10-7000-8000-0000000000ab";
        let least = json!({"message_id": id, "role": "user", "content": "c",
            "timestamp": "2026-11-20T09:30:00.250Z"});
        assert!(is_same::<MessageView>(&least));
        let model: ModelInfo =
            serde_json::from_value(json!({"id": "m", "name": "n"})).expect("the rest is optional");
        assert_eq!(model, ModelInfo { id: "m".into(), name: "n".into(), ..Default::default() });
        assert!(serde_json::from_value::<ModelInfo>(json!({"id": "m"})).is_err());
    }

    #[test]
    fn an_event_is_read_as_it_was_written() {
        for written in events() {
            let event: Event = serde_json::from_str(&written.to_string()).expect("it is an event");
            assert_eq!(event.kind(), written["type"]);
            assert_eq!(serde_json::to_value(&event).expect("it is JSON"), written);
        }
    }

    #[test]
    fn a_field_that_must_be_there_is_missed_by_its_name() {
        for mut event in events() {
            let fields = event.as_object_mut().expect("it is an object");
            if fields.remove("timestamp").is_some() {
                let error = serde_json::from_value::<Event>(event).expect_err("it is missing");
                assert_eq!(error.to_string(), "missing field `timestamp`");
            }
        }
        let minimal = json!({"type": "snapshot", "generation_id": events()[0]["generation_id"]});
        assert!(serde_json::from_value::<Event>(minimal).is_err());
    }
}
