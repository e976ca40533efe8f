//! What one reader saw of one answer, checked as it comes (B8.1, B8.5, B8.12, B8.13).

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use unbroken_protocol::{At, CompleteStatus, StreamComplete, StreamErrorStatus};
use unbroken_protocol::{Epoch, Event, Position, Seq};

/// What all readers together know of an answer's log: every position names the same bytes.
#[derive(Debug, Default)]
pub(crate) struct Log {
    epochs: BTreeMap<Seq, Epoch>,
    /// The characters of the visible text up to and with a record.
    chars: BTreeMap<Seq, u64>,
    /// And of the reasoning, by those who hear it.
    thoughts: BTreeMap<Seq, u64>,
}

/// The characters of an answer up to somewhere; `thoughts` for those who hear them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Length {
    pub(crate) chars: u64,
    pub(crate) thoughts: Option<u64>,
}

impl Log {
    /// Somebody has everything up to a record, and so much it is.
    pub(crate) fn saw(&mut self, at: Position, length: Length) -> Result<(), String> {
        let epoch = *self.epochs.entry(at.seq).or_insert(at.epoch);
        if epoch != at.epoch {
            return Err(format!(
                "record {} was seen with the epochs {epoch} and {}",
                at.seq, at.epoch
            ));
        }
        self.ends(at.seq, length)
    }

    fn ends(&mut self, seq: Seq, length: Length) -> Result<(), String> {
        let chars = *self.chars.entry(seq).or_insert(length.chars);
        let thoughts = length.thoughts.map(|own| *self.thoughts.entry(seq).or_insert(own));
        let known = Length { chars, thoughts };
        if known != length {
            return Err(format!(
                "up to record {seq} one reader has {known:?} and another {length:?}"
            ));
        }
        Ok(())
    }

    /// A position that somebody was sent who hears everything, and what there is up to it.
    pub(crate) fn place(&self, nth: u64) -> Option<(Position, Length)> {
        let nth = usize::try_from(nth.checked_rem(self.thoughts.len() as u64)?).ok()?;
        let (seq, thoughts) = self.thoughts.iter().nth(nth)?;
        let length = Length { chars: *self.chars.get(seq)?, thoughts: Some(*thoughts) };
        Some((Position::new(*self.epochs.get(seq)?, *seq), length))
    }
}

/// How an answer ended for a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Completed,
    Stopped,
    Failed,
    /// It joined at the end, where nothing more is said.
    Before,
    /// Completed or stopped: a blocking call does not say which.
    Well,
    /// Told to a connection without `hello`; not an end of the log.
    Interrupted,
}

/// What a reader holds already when it begins to read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Joined {
    pub(crate) at: Position,
    pub(crate) text: String,
    pub(crate) reasoning: String,
}

/// A reader's place and text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Track {
    pub(crate) at: Position,
    /// Characters before the text: those that it had when it joined.
    pub(crate) joined: u64,
    /// What was read since.
    pub(crate) text: String,
    /// Characters of reasoning when it joined.
    pub(crate) joined_thoughts: u64,
    pub(crate) reasoning: String,
    /// It is sent no reasoning.
    pub(crate) hears_text_only: bool,
    pub(crate) ended: Option<Ended>,
}

impl Track {
    pub(crate) fn from(joined: &Joined) -> Self {
        Self {
            at: joined.at,
            joined: count(&joined.text),
            joined_thoughts: count(&joined.reasoning),
            ..Self::default()
        }
    }

    /// Of a connection without `hello`, from the beginning.
    pub(crate) fn of_text() -> Self {
        Self { hears_text_only: true, ..Self::default() }
    }

    pub(crate) fn chars(&self) -> u64 {
        self.joined + count(&self.text)
    }

    pub(crate) fn length(&self) -> Length {
        let thoughts = self.joined_thoughts + count(&self.reasoning);
        Length { chars: self.chars(), thoughts: (!self.hears_text_only).then_some(thoughts) }
    }

    /// Takes an event of this answer; an error is a broken rule.
    pub(crate) fn take(&mut self, event: &Event, log: &mut Log) -> Result<(), String> {
        if self.hears_text_only && !is_of_part_a(event) {
            return Err(format!("{} came to a connection without hello", event.kind()));
        }
        if event.record().is_some() && self.ended.as_ref().is_some_and(|e| *e != Ended::Interrupted)
        {
            return Err(format!("{} came after the end", event.kind()));
        }
        match event {
            Event::ContentChunk(chunk) => {
                if chunk.offset != self.chars() {
                    return Err(format!(
                        "the chunk at {} says offset {} to a reader of {} characters",
                        chunk.at.seq,
                        chunk.offset,
                        self.chars()
                    ));
                }
                let before = self.length();
                self.text.push_str(&chunk.content);
                self.record(&chunk.at, chunk.seq_from, before, log)
            }
            Event::StreamComplete(complete) => {
                self.record(&complete.at, complete.seq_from, self.length(), log)?;
                self.ended = Some(match complete.status {
                    CompleteStatus::Completed => Ended::Completed,
                    CompleteStatus::Stopped => Ended::Stopped,
                });
                check_end(complete, self)
            }
            Event::StreamError(error) => match (error.status, error.at) {
                (Some(StreamErrorStatus::Failed), Some(at)) => {
                    self.ended = Some(Ended::Failed);
                    self.record(&at, error.seq_from, self.length(), log)
                }
                (Some(StreamErrorStatus::Interrupted), _) => {
                    self.ended = Some(Ended::Interrupted);
                    Ok(())
                }
                _ => Ok(()),
            },
            Event::GenerationState(state) => {
                self.record(&state.at, state.seq_from, self.length(), log)
            }
            Event::ReasoningChunk(chunk) => {
                let before = self.length();
                self.reasoning.push_str(&chunk.content);
                self.record(&chunk.at, chunk.seq_from, before, log)
            }
            Event::Following(following) if !following.recovered => {
                Err(format!("the position {} was not recovered: {:?}", self.at, following.reason))
            }
            Event::Snapshot(_) => Err("a snapshot came for a position that is valid".into()),
            _ => Ok(()),
        }
    }

    /// A record, or several, that follow what was read.
    fn record(
        &mut self,
        at: &At,
        from: Option<Seq>,
        before: Length,
        log: &mut Log,
    ) -> Result<(), String> {
        let from = from.unwrap_or(at.seq);
        if from != self.at.seq + 1 {
            return Err(format!("record {from} came after record {}", self.at.seq));
        }
        if at.epoch < self.at.epoch {
            return Err(format!("{} came after {}", at.position(), self.at));
        }
        self.at = at.position();
        if from > 1 {
            log.ends(from - 1, before)?;
        }
        log.saw(self.at, self.length())
    }
}

fn count(text: &str) -> u64 {
    text.chars().count() as u64
}

/// Whether a connection without `hello` may be sent it (B8.19).
fn is_of_part_a(event: &Event) -> bool {
    matches!(
        event,
        Event::StreamStart(_)
            | Event::ContentChunk(_)
            | Event::StreamComplete(_)
            | Event::StreamError(_)
            | Event::ConversationStarted(_)
    )
}

fn check_end(complete: &StreamComplete, track: &Track) -> Result<(), String> {
    let full = &complete.full_response;
    let chars = count(full);
    if hex::encode(Sha256::digest(full.as_bytes())) != complete.content_sha256 {
        return Err("content_sha256 is not that of full_response".into());
    }
    if complete.content_chars != chars || chars != track.chars() {
        return Err(format!(
            "full_response has {chars} characters, content_chars says {}, and {} were read",
            complete.content_chars,
            track.chars()
        ));
    }
    if !full.ends_with(&track.text) {
        return Err("full_response does not end with the text that was read".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn chunk(from: u64, seq: u64, offset: u64, content: &str) -> Event {
        let id = "0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3";
        serde_json::from_value(json!({
            "type": "content_chunk", "content": content, "chunk_id": seq, "seq_from": from,
            "seq": seq, "epoch": 1, "offset": offset, "generation_id": id, "conversation_id": id,
            "message_id": id, "timestamp": "2026-01-01T00:00:00Z",
        }))
        .unwrap()
    }

    fn read(events: &[Event], log: &mut Log) -> Result<String, String> {
        let mut track = Track::default();
        events.iter().try_for_each(|event| track.take(event, log))?;
        Ok(track.text)
    }

    #[test]
    fn frames_that_are_merged_differently_are_the_same_text() {
        let mut log = Log::default();
        let singly = [chunk(1, 1, 0, "1 "), chunk(2, 2, 2, "2 "), chunk(3, 3, 4, "3 ")];
        assert_eq!(read(&singly, &mut log), Ok("1 2 3 ".into()));
        let merged = [chunk(1, 1, 0, "1 "), chunk(2, 3, 2, "2 3 ")];
        assert_eq!(read(&merged, &mut log), Ok("1 2 3 ".into()));
    }

    #[test]
    fn reasoning_of_another_length_is_a_broken_rule_for_those_who_hear_it() {
        let mut log = Log::default();
        let length = |thoughts| Length { chars: 3, thoughts };
        assert_eq!(log.saw(Position::new(1, 4), length(Some(7))), Ok(()));
        assert_eq!(log.saw(Position::new(1, 4), length(None)), Ok(()));
        assert!(log.saw(Position::new(1, 4), length(Some(8))).is_err());
        assert!(log.saw(Position::new(2, 4), length(None)).is_err(), "of another epoch");
        assert_eq!(log.place(5), Some((Position::new(1, 4), length(Some(7)))));
    }

    #[test]
    fn an_event_that_is_not_of_part_a_is_a_broken_rule_without_hello() {
        let ok: Event =
            serde_json::from_value(json!({"type": "draining", "reconnect_after_ms": 1}))
                .expect("it is an event");
        assert!(Track::of_text().take(&ok, &mut Log::default()).is_err());
        assert_eq!(Track::default().take(&ok, &mut Log::default()), Ok(()));
    }

    #[test]
    fn a_gap_a_doubling_and_another_length_are_broken_rules() {
        let log = &mut Log::default();
        let first = chunk(1, 1, 0, "1 ");
        for second in [chunk(3, 3, 2, "3 "), chunk(1, 1, 0, "1 "), chunk(2, 2, 0, "2 ")] {
            assert!(read(&[first.clone(), second], log).is_err());
        }
        assert!(read(&[chunk(1, 1, 0, "1")], log).is_err(), "it was longer for another reader");
    }
}
