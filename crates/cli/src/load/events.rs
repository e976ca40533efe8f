//! What the events of our protocol mean for the answers that a connection reads.

use std::rc::Rc;

use serde_json::Value;
use unbroken_protocol::{Event, Position, Seq};

use super::LoadError;
use super::answer::Answer;
use super::chunk::Chunk;
use super::run::Run;
use super::tally::add;

pub(super) struct Reader {
    run: Rc<Run>,
    pub(super) answers: Vec<Answer>,
    /// Where the last event belonged; the next one often belongs there too.
    last: usize,
}

impl Reader {
    pub(super) fn new(run: Rc<Run>) -> Self {
        Self { run, answers: Vec::new(), last: 0 }
    }

    pub(super) fn ask(&mut self) -> &mut Answer {
        let answer = Answer::ask(self.run.plan.tokens, &self.run.tally);
        self.answers.push(answer);
        self.answers.last_mut().expect("it has just been pushed")
    }

    pub(super) fn has_ended(&self) -> bool {
        self.answers.iter().all(|answer| answer.has_ended)
    }

    /// Takes one event as it is on the wire, which a read at this time brought.
    pub(super) fn take(&mut self, json: &[u8], now: u64) -> Result<(), LoadError> {
        add(&self.run.tally.events, 1);
        let Some(chunk) = Chunk::read(json) else {
            let event = serde_json::from_slice(json);
            let event = event.map_err(|_| LoadError::Strange("an event"))?;
            self.event(event, now);
            return Ok(());
        };
        let Chunk { content, generation_id, epoch, seq, seq_from } = chunk;
        let run = self.run.clone();
        if let Some(answer) = self.find(generation_id) {
            answer.advance(epoch, seq_from, seq, &run.tally);
            answer.text(content, now, &run.tally);
        }
        Ok(())
    }

    /// Takes one event the long way.
    pub(super) fn event(&mut self, event: Event, now: u64) {
        let run = self.run.clone();
        let tally = &run.tally;
        let record = event.record();
        match event {
            Event::ConversationStarted(started) => {
                let id = started.generation_id.map(|id| id.to_string());
                if let Some(answer) = self.tagged(started.req.as_ref()) {
                    answer.started(now, tally);
                    answer.generation = id.unwrap_or_default();
                }
            }
            Event::ContentChunk(chunk) => {
                let from = chunk.seq_from.unwrap_or(chunk.at.seq);
                if let Some(answer) = self.about(&chunk.at.generation_id) {
                    answer.advance(chunk.at.epoch, from, chunk.at.seq, tally);
                    answer.text(chunk.content.as_bytes(), now, tally);
                }
            }
            Event::Snapshot(snapshot) => {
                if let Some(answer) = self.about(&snapshot.at.generation_id) {
                    answer.replace(snapshot.content.as_bytes());
                    (answer.epoch, answer.seq) = (snapshot.at.epoch, snapshot.at.seq);
                }
            }
            Event::StreamComplete(end) => {
                let advance = (record, end.seq_from);
                if let Some(answer) = self.about(&end.at.generation_id) {
                    pass(answer, advance, &run);
                    answer.complete(Some(end.full_response.as_bytes()), tally);
                }
            }
            Event::StreamError(error) => {
                let answer = match error.at {
                    Some(at) => self.about(&at.generation_id),
                    None => self.tagged(error.req.as_ref()),
                };
                if let Some(answer) = answer {
                    answer.fail(&error.error, tally);
                }
            }
            Event::Error(error) => {
                let answer = match error.generation_id {
                    Some(id) => self.about(&id),
                    None => self.tagged(error.req.as_ref()),
                };
                if let Some(answer) = answer {
                    answer.fail(&error.message, tally);
                }
            }
            Event::GenerationState(state) => {
                let advance = (record, state.seq_from);
                if let Some(answer) = self.about(&state.at.generation_id) {
                    pass(answer, advance, &run);
                }
            }
            _ => {}
        }
    }

    /// Everything that has not ended fails with this.
    pub(super) fn fail(&mut self, error: &LoadError) {
        let error = error.to_string();
        for answer in &mut self.answers {
            answer.fail(&error, &self.run.tally);
        }
    }

    fn tagged(&mut self, req: Option<&Value>) -> Option<&mut Answer> {
        let index = usize::try_from(req?.as_u64()?).ok()?;
        self.answers.get_mut(index)
    }

    fn about(&mut self, generation: &impl ToString) -> Option<&mut Answer> {
        self.find(generation.to_string().as_bytes())
    }

    fn find(&mut self, generation: &[u8]) -> Option<&mut Answer> {
        let is_it = |answer: &Answer| answer.generation.as_bytes() == generation;
        if !self.answers.get(self.last).is_some_and(is_it) {
            self.last = self.answers.iter().position(is_it)?;
        }
        self.answers.get_mut(self.last)
    }
}

/// Moves an answer past a record that has no text.
fn pass(answer: &mut Answer, (record, from): (Option<Position>, Option<Seq>), run: &Run) {
    if let Some(Position { epoch, seq }) = record {
        answer.advance(epoch, from.unwrap_or(seq), seq, &run.tally);
    }
}
