//! What people do to an answer while it is written and after it: reload, stop, continue, follow up,
//! edit, branch, regenerate, and change what waits.

use std::sync::Arc;
use std::time::Duration;

use unbroken_protocol::{ErrorCode, GenerationState, MessageView, Position, path};

use crate::answer::{Life, boxed};
use crate::dice::Dice;
use crate::oracle::{Harm, Verdict};
use crate::reader::Kind;
use crate::track::Joined;
use crate::turn::{Place, Turn};

/// Readers of one answer at most, but for those who come again.
const READERS: usize = 12;

/// What comes of an answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plan {
    /// Nothing else is asked in the conversation while the answer is written.
    pub(crate) is_alone: bool,
    follow_ups: u64,
    /// The question in other words, beside it.
    edit: bool,
    /// Another question after the answer.
    branch: bool,
    /// Another answer once this one has ended.
    regenerate: bool,
}

impl Plan {
    /// What comes of others that stand in the same conversation is bounded.
    pub(crate) fn draw(place: &Place, dice: &mut Dice) -> Self {
        let regenerate = dice.chance(25);
        match place {
            Place::New if dice.chance(40) => Self { is_alone: true, regenerate, ..Self::default() },
            Place::New => Self {
                follow_ups: dice.between(0..=3),
                edit: dice.chance(40),
                branch: dice.chance(40),
                regenerate,
                is_alone: false,
            },
            Place::Next(_) => Self { edit: dice.chance(30), regenerate, ..Self::default() },
            Place::After(..) => Self { regenerate, ..Self::default() },
            Place::Again { .. } => Self::default(),
        }
    }
}

impl Life {
    pub(crate) async fn disturb(
        &mut self,
        stored: &MessageView,
        place: &Place,
    ) -> Result<(), (Harm, String)> {
        let may_read = self.watched.readers().len() <= READERS;
        match self.dice.between(0..=29) {
            0..=3 if may_read => self.join(),
            4..=6 if may_read => self.reload(stored),
            7 if may_read => {
                let kind = self.kind(place);
                self.watched.read(kind, Joined::default());
            }
            8 if self.may_stop && self.stopped.is_none() => self.stop().await?,
            9..=13 => self.ask_more(),
            _ => {}
        }
        Ok(())
    }

    /// Somebody joins in the middle.
    fn join(&mut self) {
        let place = self.watched.log().place(self.dice.next());
        let Some((at, length)) = place else { return };
        let first = |text: &str, count: u64| -> String {
            text.chars().take(usize::try_from(count).unwrap_or(0)).collect()
        };
        let text = first(&self.model.text, length.chars);
        let reasoning = first(&self.model.reasoning, length.thoughts.unwrap_or(0));
        let kind = *self.dice.pick(&[Kind::Native, Kind::Socket, Kind::Stream, Kind::Poll]);
        self.watched.read(kind, Joined { at, text, reasoning });
    }

    /// A page that is loaded anew: its reader leaves, another begins where history ends.
    fn reload(&mut self, stored: &MessageView) {
        let is_page = |kind| matches!(kind, Kind::Native | Kind::Socket);
        let readers = self.watched.readers();
        let mut open = readers.iter().filter(|r| r.sight().must_be_whole && is_page(r.kind));
        if let Some(reader) = open.next() {
            let mut sight = reader.sight();
            sight.must_be_whole = false;
            reader.leave.cancel();
            self.watched.chronicle.say(format!("{} leaves", sight.name));
            drop(sight);
            self.watched.world.tally.add("reloads", 1);
            let at =
                Position::new(stored.epoch.unwrap_or_default(), stored.seq.unwrap_or_default());
            let (text, reasoning) = (stored.content.clone(), stored.reasoning.clone());
            self.watched.read(reader.kind, Joined { at, text, reasoning });
        }
    }

    async fn stop(&mut self) -> Result<(), (Harm, String)> {
        let (watched, id) = (Arc::clone(&self.watched), self.watched.ids.generation);
        watched.chronicle.say("stop");
        let rest = &watched.device.rest;
        let stopped = watched.world.insist(|| rest.stop(id)).await;
        let state = stopped.map_err(|e| (Harm::Other, format!("the stop was refused: {e}")))?.state;
        watched.chronicle.say(format!("the stop has its 200: {}", state.as_str()));
        watched.world.tally.add("stops", 1);
        self.stopped = Some(self.look().await?.content);
        Ok(())
    }

    /// Asks for it to go on, sometimes; whether it was asked.
    pub(crate) async fn go_on(&mut self) -> bool {
        let world = &self.watched.world;
        if self.continues == 2 || world.calm.borrow().is_some() || !self.dice.chance(50) {
            return false;
        }
        self.continues += 1;
        self.watched.chronicle.say("continue");
        let id = self.watched.ids.generation.to_string();
        let path = path::GENERATION_CONTINUE.replace("{id}", &id);
        let request = world.http.post(format!("{}{path}", world.base()));
        let request = request.query(&self.watched.device.query()).json(&serde_json::json!({}));
        // What becomes of it is seen in the log.
        let sent = request.timeout(Duration::from_secs(5)).send().await;
        let taken = sent.is_ok_and(|response| response.status().is_success());
        world.tally.add("continues", u64::from(taken));
        true
    }

    /// One of the questions that were planned beside and after this one.
    fn ask_more(&mut self) {
        if self.watched.world.closing.is_cancelled() {
            return;
        }
        let ids = self.watched.ids;
        let mut places = Vec::new();
        if self.plan.follow_ups > 0 {
            places.push(("follow-ups", Place::Next(ids.conversation)));
        }
        // What waits may be taken out, and what it stands after then is another.
        if let Some(question) = self.question.as_ref().filter(|_| !self.waits) {
            if self.plan.edit {
                places.push(("edits", Place::After(ids.conversation, question.parent_id)));
            }
            if self.plan.branch {
                places.push(("branches", Place::After(ids.conversation, Some(ids.message))));
            }
        }
        if places.is_empty() {
            return;
        }
        let (name, place) = self.dice.pick(&places).clone();
        match name {
            "follow-ups" => self.plan.follow_ups -= 1,
            "edits" => self.plan.edit = false,
            _ => self.plan.branch = false,
        }
        self.also(name, place);
    }

    /// After the verdict: the same question once more.
    pub(crate) fn ask_again(&mut self) {
        let question = self.question.as_ref().filter(|_| self.plan.regenerate);
        let Some(question) = question else { return };
        let place = Place::Again { question: question.message_id, text: question.content.clone() };
        self.also("regenerations", place);
    }

    fn also(&mut self, name: &'static str, place: Place) {
        let watched = &self.watched;
        watched.world.tally.add(name, 1);
        watched.chronicle.say(format!("{name}: {place:?}"));
        let turn = Turn { device: watched.device.clone(), place, dice: self.dice.fork() };
        watched.world.tasks.spawn(boxed(Arc::clone(&watched.world), turn));
    }

    /// Edits what waits or takes it out of the queue; whether it is gone.
    pub(crate) async fn change_queue(&mut self) -> Result<bool, (Harm, String)> {
        match self.dice.between(0..=9) {
            0..=2 => self.edit_queued().await.map(|()| false),
            3..=4 => self.remove_queued().await,
            _ => Ok(false),
        }
    }

    async fn edit_queued(&mut self) -> Verdict {
        let (watched, text) = (Arc::clone(&self.watched), format!("{}, edited", self.message));
        let (rest, ids) = (&watched.device.rest, watched.ids);
        let edit = || rest.edit_queued(ids.conversation, ids.generation, &text);
        match watched.world.insist(edit).await {
            Ok(_) => {
                watched.world.tally.add("queue edits", 1);
                watched.chronicle.say("edited while it waited");
                self.stand.texts = vec![text];
                Ok(())
            }
            // It runs, with the one text or, after a reply that was lost, with the other.
            Err(refused) if refused.code == Some(ErrorCode::Conflict) => {
                self.stand.texts.push(text);
                Ok(())
            }
            Err(refused) => Err((Harm::Other, format!("the queue's edit was refused: {refused}"))),
        }
    }

    async fn remove_queued(&mut self) -> Result<bool, (Harm, String)> {
        let watched = Arc::clone(&self.watched);
        let (rest, ids) = (&watched.device.rest, watched.ids);
        let removed =
            watched.world.insist(|| rest.remove_queued(ids.conversation, ids.generation)).await;
        let is_gone = match removed {
            Ok(_) => true,
            // After a reply that was lost.
            Err(refused) if refused.code == Some(ErrorCode::NotFound) => true,
            Err(refused) if refused.code == Some(ErrorCode::Conflict) => {
                let chosen =
                    watched.world.insist(|| rest.select_branch(ids.conversation, ids.message));
                chosen.await.is_err_and(|refused| refused.code == Some(ErrorCode::NotFound))
            }
            Err(refused) => {
                return Err((Harm::Other, format!("the queue's removal was refused: {refused}")));
            }
        };
        if is_gone {
            watched.world.tally.add("queue removals", 1);
            watched.chronicle.say("taken out while it waited");
            watched.world.fates().removed.insert(ids.generation);
            let page = watched.world.insist(|| rest.conversation(ids.conversation, None, None));
            if page.await.is_ok_and(|page| page.messages.is_empty()) {
                return Err((Harm::Lost, "history is empty after a turn was taken out".into()));
            }
        }
        Ok(is_gone)
    }
}

/// Whether nothing more comes of an answer by itself.
pub(crate) fn rests(state: Option<GenerationState>) -> bool {
    state.is_none_or(|state| state.is_sealed() || state == GenerationState::Interrupted)
}
