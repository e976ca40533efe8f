//! One answer from its question to the oracle's verdict.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use unbroken_protocol::{ErrorCode, GenerationState, MessageView};

use crate::dice::Dice;
use crate::disturb::Plan;
use crate::model::Model;
use crate::oracle::{self, Failure, Harm, Stand, Verdict};
use crate::reader::{Kind, Watched};
use crate::track::{Ended, Joined};
use crate::turn::{self, Place, Turn};
use crate::world::World;

/// How long an interrupted answer must stay as it is: then no try is left.
const STILL: Duration = Duration::from_secs(2);
/// How often a branch is chosen again that another reader of the conversation left.
const CHOICES: usize = 200;

pub(crate) struct Life {
    pub(crate) watched: Arc<Watched>,
    pub(crate) dice: Dice,
    pub(crate) message: String,
    pub(crate) model: Model,
    pub(crate) stand: Stand,
    pub(crate) plan: Plan,
    /// It waits in a queue, as far as is known.
    pub(crate) waits: bool,
    pub(crate) may_stop: bool,
    /// The text at the time of a stop's 200.
    pub(crate) stopped: Option<String>,
    /// The longest text that history showed.
    shown: String,
    /// The question as history shows it.
    pub(crate) question: Option<MessageView>,
    pub(crate) continues: u64,
}

/// Asks, reads, disturbs and checks.
pub(crate) async fn live(world: Arc<World>, mut turn: Turn) {
    let n = world.number();
    let model = Model::draw(&mut turn.dice, n);
    let message = format!("answer {n}");
    let chronicle = world.chronicle.beside();
    chronicle.say(format!("asked: {} {:?}", model.name, turn.place));
    let asked = match turn::ask(&world, &mut turn, &message, &model).await {
        Ok(Some(asked)) => asked,
        Ok(None) => return,
        Err(refusal) => return world.fail_run(&format!("{message} was refused: {refusal}")),
    };
    world.tally.add("answers", 1);
    let Turn { device, place, mut dice } = turn;
    let watched = Arc::new(Watched::new(&world, device, asked.ids, asked.request, chronicle));
    let plan = Plan::draw(&place, &mut dice);
    let may_stop = dice.chance(30);
    let mut life = Life {
        watched,
        dice,
        message,
        model,
        stand: asked.stand,
        plan,
        waits: asked.waits,
        may_stop,
        stopped: None,
        shown: String::new(),
        question: None,
        continues: 0,
    };
    let verdict = life.pass(&place).await;
    life.end(verdict);
}

/// A future that holds itself needs a box.
pub(crate) fn boxed(world: Arc<World>, turn: Turn) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(live(world, turn))
}

impl Life {
    async fn pass(&mut self, place: &Place) -> Verdict {
        if self.waits && self.change_queue().await? {
            return Ok(());
        }
        for _ in 0..self.dice.between(1..=3) {
            let kind = self.kind(place);
            self.watched.read(kind, Joined::default());
        }
        loop {
            let stored = self.settle(place).await?;
            if stored.state == Some(GenerationState::Interrupted) && self.go_on().await {
                continue;
            }
            self.all_read(&stored).await?;
            // What comes after the end has time to come.
            sleep(Duration::from_millis(120)).await;
            let again = self.look().await?;
            if again.seq == stored.seq && again.state == stored.state {
                self.check(&again)?;
                self.ask_again();
                return Ok(());
            }
        }
    }

    fn end(self, verdict: Verdict) {
        let world = &self.watched.world;
        self.watched.enough.cancel();
        world.tally.add("checked", 1);
        world.fates().judged.insert(self.watched.ids.generation);
        if let Err((harm, broken)) = verdict {
            let title = format!("{} ({}): {broken}", self.message, self.model.name);
            self.watched.chronicle.say(format!("verdict: {broken}"));
            let story = self.watched.chronicle.with(&world.chronicle);
            world.fail(Failure { harm, title, story });
        }
    }

    /// A kind of reader that begins at the beginning.
    pub(crate) fn kind(&mut self, place: &Place) -> Kind {
        let mut kinds =
            vec![Kind::Native, Kind::Native, Kind::Socket, Kind::Socket, Kind::Stream, Kind::Poll];
        if self.watched.request.is_some() {
            kinds.push(Kind::Blocking);
        }
        // An old client follows the newest answer of a conversation, whichever that is.
        if matches!(place, Place::New) && self.plan.is_alone {
            kinds.push(Kind::Old);
        }
        *self.dice.pick(&kinds)
    }

    /// Waits, and disturbs, until the answer has ended or waits for a person.
    async fn settle(&mut self, place: &Place) -> Result<MessageView, (Harm, String)> {
        let mut still: Option<(Instant, Option<u64>)> = None;
        loop {
            sleep(self.dice.millis(60..=350)).await;
            let stored = self.look().await?;
            self.waits &= stored.state == Some(GenerationState::Queued);
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
            self.disturb(&stored, place).await?;
        }
    }

    /// The answer as the store has it, which only grows (B8.4).
    pub(crate) async fn look(&mut self) -> Result<MessageView, (Harm, String)> {
        let stored = self.find().await?;
        if !stored.content.starts_with(&self.shown) {
            let parted = oracle::seam(&stored.content, &self.shown);
            return Err((Harm::Lost, format!("history showed more before: {parted}")));
        }
        if stored.content.len() > self.shown.len() {
            self.shown.clone_from(&stored.content);
        }
        Ok(stored)
    }

    /// Finds it in history, and chooses its branch when another is shown.
    async fn find(&mut self) -> Result<MessageView, (Harm, String)> {
        let watched = Arc::clone(&self.watched);
        let (rest, ids) = (&watched.device.rest, watched.ids);
        for _ in 0..CHOICES {
            let page =
                watched.world.insist(|| rest.conversation(ids.conversation, None, None)).await;
            let page = page.map_err(|e| (Harm::Other, format!("history cannot be read: {e}")))?;
            let is_own = |m: &MessageView| m.generation_id == Some(ids.generation);
            if let Some(at) = page.messages.iter().position(is_own) {
                let before = at.checked_sub(1).and_then(|at| page.messages.get(at));
                self.question = before.cloned();
                return Ok(page.messages[at].clone());
            }
            watched.world.tally.add("branch switches", 1);
            let chosen =
                watched.world.insist(|| rest.select_branch(ids.conversation, ids.message)).await;
            match chosen {
                Ok(_) => {}
                Err(refused) if refused.code == Some(ErrorCode::NotFound) => {
                    return Err((Harm::Lost, "history does not have the answer".into()));
                }
                Err(refused) => {
                    return Err((Harm::Other, format!("no branch can be chosen: {refused}")));
                }
            }
        }
        Err((Harm::Lost, "history does not have the answer though its branch is chosen".into()))
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
        let own: Vec<_> = calls.into_iter().filter(|c| c.model == self.model.name).collect();
        for call in &own {
            let call = serde_json::to_string(call).expect("a call is JSON");
            self.watched.chronicle.say(format!("call {call}"));
        }
        world.tally.add("calls", own.len() as u64);
        world.tally.add("takeovers", u64::from(stored.epoch.unwrap_or(1).saturating_sub(1)));
        oracle::check_store(stored, &self.model)?;
        oracle::check_reasoning(stored, &self.model, &own)?;
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
            let thoughts = sight.track.reasoning.split_whitespace().count() as u64;
            world.tally.add("reasoning tokens", thoughts);
            oracle::check_sight(&sight, stored)
                .map_err(|(harm, broken)| (harm, format!("{}: {broken}", sight.name)))?;
        }
        let Some(question) = &self.question else {
            return Err((Harm::Lost, "history does not have its question".into()));
        };
        oracle::check_stand(&self.stand, question, stored, &own)?;
        // Last: what it costs must not hide what it loses.
        oracle::check_calls(stored, &own)?;
        world.tally.add(stored.state.map_or("unknown", GenerationState::as_str), 1);
        Ok(())
    }
}
