//! Frames as JSON, in pieces: what waits for a reader is bounded, however long the answer is
//! (PROTOCOL B8.14).

use std::collections::VecDeque;
use std::sync::Arc;

use unbroken_engine::{Frame, LEFT_OUT, LeftOut, Log, Text};
use unbroken_protocol::Event;

/// Room for what most frames are: the record of a token, with its ids.
const ROOM: usize = 512;

/// An event as JSON.
pub(crate) fn json(event: &Event) -> String {
    let mut json = Vec::with_capacity(ROOM);
    serde_json::to_writer(&mut json, event).expect("an event is plain data");
    String::from_utf8(json).expect("JSON is UTF-8")
}

/// The JSON of one frame, as an iterator over its pieces.
pub(crate) struct Written {
    parts: VecDeque<Part>,
}

enum Part {
    Json(String),
    /// A text of the log, which is there and never changes.
    Text {
        log: Arc<Log>,
        text: Text,
        from: usize,
        end: usize,
    },
}

impl Written {
    /// An event from which nothing was left out.
    pub(crate) fn whole(event: &Event) -> Self {
        Self { parts: [Part::Json(json(event))].into() }
    }

    pub(crate) fn new(Frame { log, event, left_out }: Frame) -> Self {
        let mut json = json(&event);
        let mut parts = VecDeque::new();
        for LeftOut { field, text, end } in left_out {
            // These fields stand before everything that is in the words of others.
            let before = format!("\"{field}\":\"");
            let at = json.find(&before).expect("an event has its fields") + before.len();
            let rest = json.split_off(at).split_off(LEFT_OUT.len());
            parts.push_back(Part::Json(std::mem::replace(&mut json, rest)));
            parts.push_back(Part::Text { log: Arc::clone(&log), text, from: 0, end });
        }
        parts.push_back(Part::Json(json));
        Self { parts }
    }

    /// Whether every piece was taken.
    pub(crate) fn is_done(&self) -> bool {
        self.parts.is_empty()
    }

    /// About how long all pieces are.
    pub(crate) fn bytes(&self) -> usize {
        let length = |part: &Part| match part {
            Part::Json(json) => json.len(),
            Part::Text { from, end, .. } => end - from,
        };
        self.parts.iter().map(length).sum()
    }
}

impl Iterator for Written {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let (log, text, from, end) = match self.parts.pop_front()? {
            Part::Json(json) => return Some(json),
            Part::Text { log, text, from, end } => (log, text, from, end),
        };
        let piece = log.piece(text, from, end);
        let from = from + piece.len();
        if from < end {
            self.parts.push_front(Part::Text { log, text, from, end });
        }
        Some(escaped(&piece))
    }
}

/// A text as it stands between the quotes of JSON.
fn escaped(text: &str) -> String {
    let mut json = serde_json::to_string(text).expect("a text is plain data");
    json.pop();
    json.remove(0);
    json
}
