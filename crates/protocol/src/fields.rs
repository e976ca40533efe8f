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

    /// All that is left, as one value.
    pub(crate) fn whole<T: DeserializeOwned>(self) -> Result<T, Error> {
        serde_json::from_value(Value::Object(self.0))
    }
}

/// Reads fields from any format, and says in its words what was wrong.
pub(crate) fn read<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    read: impl FnOnce(Fields) -> Result<T, Error>,
) -> Result<T, D::Error> {
    read(Fields::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// Implements `Deserialize` for events that lie at a place in a log.
macro_rules! read_at {
    ($($event:ident { $($field:ident),* $(; $($optional:ident),*)? })*) => {$(
        impl<'de> serde::Deserialize<'de> for $event {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::fields::read(deserializer, |mut fields| Ok(Self {
                    at: fields.take_at()?,
                    $($field: fields.take(stringify!($field))?,)*
                    $($($optional: fields.take_or_default(stringify!($optional))?,)*)?
                }))
            }
        }
    )*};
}
pub(crate) use read_at;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::Event;

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
                "tool_events": [{"a": 1}], "state": "running"}),
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
        ]);
        events
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
