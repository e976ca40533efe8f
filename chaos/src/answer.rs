//! One answer from its question to the oracle's verdict.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use unbroken_protocol::{
    ClientMessageId, ConversationId, GenerationId, GenerationState, MessageView, Position,
    StartRequest, path,
};

use crate::dice::Dice;
use crate::model::Model;
use crate::old;
use crate::oracle::{self, Failure, Harm, Verdict};
use crate::reader::{Device, Kind, Watched};
use crate::track::Ended;
use crate::world::World;

/// How long an interrupted answer must stay as it is: then no try is left.
const STILL: Duration = Duration::from_secs(2);

/// A question of a person.
pub(crate) struct Turn {
    pub(crate) device: Device,
    /// The conversation in which it follows up.
    pub(crate) conversation: Option<ConversationId>,
    pub(crate) dice: Dice,
}

struct Life {
    watched: Arc<Watched>,
    dice: Dice,
    message: String,
    model: Model,
    is_follow_up: bool,
    may_stop: bool,
    /// The text at the time of a stop's 200.
    stopped: Option<String>,
    /// The longest text that history showed.
    shown: String,
    continues: u64,
}

/// Asks, reads, disturbs and checks.
pub(crate) async fn live(world: Arc<World>, turn: Turn) {
    let Turn { device, conversation, mut dice } = turn;
    let model = Model::draw(&mut dice);
    let n = world.number();
    let message = format!("answer {n}");
    let chronicle = world.chronicle.beside();
    chronicle.say(format!("asked: {}", model.name));
    let asked = if conversation.is_none() && dice.chance(15) {
        match old::ask(&world, &device, &message, &model.name).await {
            Some(ids) => Ok(ids),
            // It may or may not run; nobody follows it.
            None => return,
        }
    } else {
        start(&world, &device, conversation, &message, &model).await
    };
    let ids = match asked {
        Ok(ids) => ids,
        // A queue that is full is no failure.
        Err(_) if conversation.is_some() => return,
        Err(refusal) => return world.fail_run(&format!("{message} was refused: {refusal}")),
    };
    world.tally.add("answers", 1);
    let watched = Arc::new(Watched::new(&world, device, ids, chronicle));
    let is_follow_up = conversation.is_some();
    let may_stop = dice.chance(30);
    let mut life = Life {
        watched,
        dice,
        message,
        model,
        is_follow_up,
        may_stop,
        stopped: None,
        shown: String::new(),
        continues: 0,
    };
    let verdict = life.pass().await;
    life.watched.enough.cancel();
    world.tally.add("checked", 1);
    if let Err((harm, broken)) = verdict {
        let title = format!("{} ({}): {broken}", life.message, life.model.name);
        life.watched.chronicle.say(format!("verdict: {broken}"));
        let story = life.watched.chronicle.with(&world.chronicle);
        world.fail(Failure { harm, title, story });
    }
}

/// A future that holds itself needs a box.
fn boxed(world: Arc<World>, turn: Turn) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(live(world, turn))
}

async fn start(
    world: &World,
    device: &Device,
    conversation: Option<ConversationId>,
    message: &str,
    model: &Model,
) -> Result<(ConversationId, GenerationId), String> {
    let request = StartRequest {
        message: message.to_owned(),
        model_id: Some(model.name.clone()),
        conversation_id: conversation.map(|id| id.to_string()),
        client_message_id: Some(ClientMessageId::new().to_string()),
        ..StartRequest::default()
    };
    let started = world.insist(|| device.rest.start(request.clone())).await?;
    Ok((started.conversation_id, started.generation_id))
}

impl Life {
    async fn pass(&mut self) -> Verdict {
        let follow_ups = if self.is_follow_up || self.dice.chance(70) { 0 } else { 2 };
        for _ in 0..self.dice.between(1..=3) {
            let kind = self.kind(follow_ups);
            self.watched.read(kind, Position::default(), "");
        }
        let mut follow_ups_left = follow_ups;
        loop {
            let stored = self.settle(follow_ups, &mut follow_ups_left).await?;
            if stored.state == Some(GenerationState::Interrupted) && self.go_on().await {
                continue;
            }
            self.all_read(&stored).await?;
            // What comes after the end has time to come.
            sleep(Duration::from_millis(120)).await;
            let again = self.look().await?;
            if again.seq == stored.seq && again.state == stored.state {
                return self.check(&again);
            }
        }
    }

    fn kind(&mut self, follow_ups: u64) -> Kind {
        // An old client follows the newest answer of a conversation, whichever that is.
        let newest = follow_ups == 0 && !self.is_follow_up;
        let kinds = [Kind::Native, Kind::Native, Kind::Stream, Kind::Poll, Kind::Old];
        let kinds = if newest { &kinds[..] } else { &kinds[..4] };
        *self.dice.pick(kinds)
    }

    /// Waits, and disturbs, until the answer has ended or waits for a person.
    async fn settle(
        &mut self,
        planned: u64,
        follow_ups: &mut u64,
    ) -> Result<MessageView, (Harm, String)> {
        let mut still: Option<(Instant, Option<u64>)> = None;
        loop {
            sleep(self.dice.millis(60..=350)).await;
            let stored = self.look().await?;
            match stored.state {
                Some(state) if state.is_sealed() => return Ok(stored),
                Some(GenerationState::Interrupted) => match still {
                    Some((since, seq)) if seq == stored.seq => {
                        if since.elapsed() > STILL {
                            return Ok(stored);
                        }
                    }
                    _ => still = Some((Instant::now(), stored.seq)),
                },
                _ => still = None,
            }
            if self.watched.world.is_overdue() {
                return Err((Harm::Other, format!("it stays {:?}", stored.state)));
            }
            self.disturb(&stored, planned, follow_ups).await?;
        }
    }

    async fn disturb(
        &mut self,
        stored: &MessageView,
        planned: u64,
        follow_ups: &mut u64,
    ) -> Result<(), (Harm, String)> {
        if self.watched.readers().len() > 12 {
            return Ok(());
        }
        match self.dice.between(0..=29) {
            0..=3 => {
                let place = self.watched.log().place(self.dice.next());
                if let Some((at, chars)) = place {
                    let text: String =
                        self.model.text.chars().take(usize::try_from(chars).unwrap_or(0)).collect();
                    let kind = *self.dice.pick(&[Kind::Native, Kind::Stream, Kind::Poll]);
                    self.watched.read(kind, at, &text);
                }
            }
            4..=6 => self.reload(stored),
            7 => {
                let kind = self.kind(planned);
                self.watched.read(kind, Position::default(), "");
            }
            8 if self.may_stop && self.stopped.is_none() => self.stop().await?,
            9..=11 if *follow_ups > 0 && !self.watched.world.closing.is_cancelled() => {
                *follow_ups -= 1;
                self.watched.world.tally.add("follow-ups", 1);
                self.watched.chronicle.say("a follow-up is asked");
                let turn = Turn {
                    device: self.watched.device.clone(),
                    conversation: Some(self.watched.conversation),
                    dice: self.dice.fork(),
                };
                let living = boxed(Arc::clone(&self.watched.world), turn);
                self.watched.world.tasks.spawn(living);
            }
            _ => {}
        }
        Ok(())
    }

    /// A page that is loaded anew: its reader leaves, another begins where history ends.
    fn reload(&mut self, stored: &MessageView) {
        let readers = self.watched.readers();
        let mut open = readers.iter().filter(|r| r.sight().must_be_whole && r.kind == Kind::Native);
        if let Some(reader) = open.next() {
            let mut sight = reader.sight();
            sight.must_be_whole = false;
            reader.leave.cancel();
            self.watched.chronicle.say(format!("{} leaves", sight.name));
            drop(sight);
            self.watched.world.tally.add("reloads", 1);
            let at =
                Position::new(stored.epoch.unwrap_or_default(), stored.seq.unwrap_or_default());
            self.watched.read(Kind::Native, at, &stored.content);
        }
    }

    async fn stop(&mut self) -> Result<(), (Harm, String)> {
        let (watched, id) = (Arc::clone(&self.watched), self.watched.generation);
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
    async fn go_on(&mut self) -> bool {
        let world = &self.watched.world;
        if self.continues == 2 || world.calm.borrow().is_some() || !self.dice.chance(50) {
            return false;
        }
        self.continues += 1;
        self.watched.chronicle.say("continue");
        let path = path::GENERATION_CONTINUE.replace("{id}", &self.watched.generation.to_string());
        let request = world.http.post(format!("{}{path}", world.base()));
        let request = request.query(&self.watched.device.query()).json(&serde_json::json!({}));
        // What becomes of it is seen in the log.
        let sent = request.timeout(Duration::from_secs(5)).send().await;
        let taken = sent.is_ok_and(|response| response.status().is_success());
        world.tally.add("continues", u64::from(taken));
        true
    }

    /// The answer as the store has it, which only grows (B8.4).
    async fn look(&mut self) -> Result<MessageView, (Harm, String)> {
        let watched = Arc::clone(&self.watched);
        let (rest, id) = (&watched.device.rest, watched.conversation);
        let page = watched.world.insist(|| rest.conversation(id, None, None)).await;
        let page = page.map_err(|e| (Harm::Other, format!("history cannot be read: {e}")))?;
        let mut messages = page.messages.into_iter();
        let Some(stored) = messages.find(|m| m.generation_id == Some(watched.generation)) else {
            return Err((Harm::Lost, "history does not have the answer".into()));
        };
        if !stored.content.starts_with(&self.shown) {
            let parted = oracle::seam(&stored.content, &self.shown);
            return Err((Harm::Lost, format!("history showed more before: {parted}")));
        }
        if stored.content.len() > self.shown.len() {
            self.shown.clone_from(&stored.content);
        }
        Ok(stored)
    }

    /// Waits until every reader that stayed has all of it.
    async fn all_read(&self, stored: &MessageView) -> Verdict {
        let chars = stored.content.chars().count() as u64;
        let sealed = stored.state.is_some_and(GenerationState::is_sealed);
        loop {
            let readers = self.watched.readers();
            let waiting = readers.iter().find_map(|reader| {
                let sight = reader.sight();
                let track = &sight.track;
                let has_all = track.ended.is_some() || (!sealed && track.chars() >= chars);
                let waits = sight.must_be_whole && sight.broken.is_none() && !has_all;
                waits.then(|| format!("{} waits at {} of {chars}", sight.name, track.chars()))
            });
            let Some(waiting) = waiting else { return Ok(()) };
            if self.watched.world.is_overdue() {
                return Err((Harm::Other, waiting));
            }
            sleep(Duration::from_millis(40)).await;
        }
    }

    fn check(&self, stored: &MessageView) -> Verdict {
        let world = &self.watched.world;
        let calls = world.standin.calls();
        let own: Vec<_> = calls.into_iter().filter(|c| c.last_user == self.message).collect();
        for call in &own {
            let call = serde_json::to_string(call).expect("a call is JSON");
            self.watched.chronicle.say(format!("call {call}"));
        }
        world.tally.add("calls", own.len() as u64);
        world.tally.add("takeovers", u64::from(stored.epoch.unwrap_or(1).saturating_sub(1)));
        oracle::check_store(stored, &self.model)?;
        if let Some(text) = &self.stopped
            && *text != stored.content
        {
            let parted = oracle::seam(&stored.content, text);
            return Err((Harm::Other, format!("text came after the stop's 200: {parted}")));
        }
        for reader in self.watched.readers() {
            let mut sight = reader.sight().clone();
            // Told that it was interrupted, an old client hears no more, though it may go on.
            sight.must_be_whole &= sight.track.ended != Some(Ended::Interrupted);
            world.tally.add("characters", sight.track.chars() - sight.track.joined);
            let tokens = sight.track.text.split_whitespace().count() as u64;
            world.tally.add("tokens", tokens);
            oracle::check_sight(&sight, stored)
                .map_err(|(harm, broken)| (harm, format!("{}: {broken}", sight.name)))?;
        }
        // Last: what it costs must not hide what it loses.
        oracle::check_calls(stored, &own)?;
        world.tally.add(stored.state.map_or("unknown", GenerationState::as_str), 1);
        Ok(())
    }
}
