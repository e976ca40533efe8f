//! What must hold at the end: the store, what the model said, and what everybody sees are the same.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

use sha2::{Digest, Sha256};
use unbroken_protocol::{FinishReason, GenerationId, GenerationState};
use unbroken_store::{Body, Generation, Record};

use crate::person::rests;
use crate::world::{World, text};

/// How long everything may take to come to rest, in seconds.
const REST: u32 = 400;
/// Silent repeats of a call that brought nothing, beside the call itself.
const REPEATS: usize = 2;

/// Waits until nothing runs or waits, and everybody sees how it ended.
pub(crate) async fn rest(world: &World) {
    let mut missing = String::new();
    for second in 0..REST {
        match restless(world).await {
            None => return,
            Some(what) => missing = what,
        }
        // What nobody told a client of it is told now.
        if second % 60 == 0 {
            for id in world.known() {
                tell_who_lacks(world, id);
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    world.wrong(format!("it does not come to rest: {missing}"));
}

fn tell_who_lacks(world: &World, id: GenerationId) {
    let clients = world.clients.lock().unwrap_or_else(PoisonError::into_inner).len();
    for number in 0..clients {
        if shown(world, number, id).is_none() {
            world.tell_follow(Some(number), id);
        }
    }
}

fn shown(world: &World, client: usize, id: GenerationId) -> Option<crate::client::Answer> {
    let clients = world.clients.lock().unwrap_or_else(PoisonError::into_inner);
    let shown = clients[client].shown.lock().unwrap_or_else(PoisonError::into_inner);
    shown.answers.get(&id).cloned()
}

/// What is not at rest.
async fn restless(world: &World) -> Option<String> {
    let Some(node) = world.node() else { return Some("no process".to_owned()) };
    if node.engine.running() > 0 {
        return Some("answers are being written".to_owned());
    }
    for open in world.store.open_generations().await.unwrap_or_default() {
        if !rests(open.state) {
            return Some(format!("{} is {:?}", world.name(open.generation_id), open.state));
        }
    }
    let clients = world.clients.lock().unwrap_or_else(PoisonError::into_inner).len();
    for id in world.known() {
        let Some(stored) = world.store.generation(id).await.ok().flatten() else { continue };
        let whole = text(&world.records(id).await);
        for client in 0..clients {
            let answer = shown(world, client, id);
            let sees = answer.as_ref().is_some_and(|answer| {
                answer.text == whole && answer.ended == stored.state.is_sealed()
            });
            if !sees {
                let name = world.name(id);
                return Some(format!("client{client} sees {answer:?} of {name}: {whole:?}"));
            }
        }
    }
    None
}

/// Judges everything that can be read.
pub(crate) async fn judge(world: &World) {
    for stranger in world.model.strangers() {
        world.wrong(format!("a model was asked to go on with what it did not say: {stranger}"));
    }
    for id in world.known() {
        match world.store.generation(id).await.ok().flatten() {
            Some(stored) => judge_generation(world, &stored).await,
            None => judge_absent(world, id),
        }
    }
    for (id, durable) in world.durable() {
        let records = world.records(id).await;
        if !records.is_empty() && !text(&records).starts_with(&durable) {
            world.wrong(format!("{} lost what was durable: {durable:?}", world.name(id)));
        }
    }
    judge_order(world);
}

fn judge_absent(world: &World, id: GenerationId) {
    let asked = world.asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if asked.iter().any(|asked| asked.generation == id && !asked.removed) {
        world.wrong(format!("{} was told to a person and is not there", world.name(id)));
    }
}

async fn judge_generation(world: &World, stored: &Generation) {
    let id = stored.generation_id;
    let name = world.name(id);
    let records = world.records(id).await;
    let content = text(&records);
    judge_log(world, &name, stored, &records);
    let message = world.store.message(stored.message_id).await.ok().flatten();
    if stored.state != GenerationState::Queued && message.is_none_or(|m| m.content != content) {
        world.wrong(format!("{name}: the message is not what the log says: {content:?}"));
    }
    let said = world.model.text(&id.to_string(), &content).unwrap_or_default();
    if !said.starts_with(&content) {
        world.wrong(format!("{name}: {content:?} is not what the model said: {said:?}"));
    }
    let whole = stored.state == GenerationState::Completed
        && stored.finish_reason == Some(FinishReason::Stop);
    if whole && content != said {
        world.wrong(format!("{name} is completed with {content:?} of {said:?}"));
    }
    judge_calls(world, &name, stored);
    let asked = world.asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let stopped = asked.iter().filter(|asked| asked.generation == id);
    for head in stopped.filter_map(|asked| asked.stopped_at) {
        if records.len() as u64 != head {
            world.wrong(format!("{name} grew after its stop was answered"));
        }
    }
    world.count(|counts| counts.takeovers += u64::from(stored.epoch - 1));
}

/// B8.1, B8.2, B8.5, B8.7: numbers without a gap, epochs that rise, one end and nothing behind it.
fn judge_log(world: &World, name: &str, stored: &Generation, records: &[Record]) {
    for (record, expected) in records.iter().zip(1..) {
        if record.seq != expected {
            world.wrong(format!("{name} has {} in the place of {expected}", record.seq));
        }
    }
    if !records.is_sorted_by_key(|record| record.epoch) {
        world.wrong(format!("{name}: an older run wrote after a newer one"));
    }
    if records.last().is_some_and(|last| last.epoch > stored.epoch) {
        world.wrong(format!("{name} has a record of an epoch that nobody had"));
    }
    let ends = records.iter().filter(|record| record.body.is_terminal()).count();
    let ended = records.last().is_some_and(|last| last.body.is_terminal());
    let sealed = stored.state.is_sealed();
    if ends != usize::from(sealed) || ended != sealed {
        world.wrong(format!("{name} is {:?} and has {ends} ends", stored.state));
    }
    if let Some(Body::Complete { content_sha256, content_chars, .. }) =
        records.last().map(|last| &last.body)
    {
        let content = text(records);
        let hash = hex::encode(Sha256::digest(content.as_bytes()));
        if hash != *content_sha256 || content.chars().count() as u64 != *content_chars {
            world.wrong(format!("{name}: hash and length are of another text"));
        }
    }
}

/// B8.17: one call for each run, and silent repeats only before there was text.
fn judge_calls(world: &World, name: &str, stored: &Generation) {
    let cursor = stored.generation_id.to_string();
    let calls: Vec<_> =
        world.model.calls().into_iter().filter(|call| call.cursor == cursor).collect();
    let runs = stored.epoch as usize;
    let further = calls.iter().filter(|call| call.goes_on).count();
    let first = calls.len() - further;
    if further > runs || first > runs * (1 + REPEATS) {
        world.wrong(format!("{name}: {first} and {further} calls in {runs} runs"));
    }
    let begins_anew = calls.iter().skip_while(|call| !call.goes_on).any(|call| !call.goes_on);
    if begins_anew {
        world.wrong(format!("{name} was begun anew after there was text"));
    }
}

/// The turns of a conversation are run in the order in which they were asked.
fn judge_order(world: &World) {
    let calls = world.model.calls();
    let asked = world.asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut last = BTreeMap::new();
    for asked in asked {
        let cursor = asked.generation.to_string();
        let Some(run) = calls.iter().position(|call| call.cursor == cursor) else { continue };
        if let Some(before) = last.insert(asked.conversation, run)
            && before > run
        {
            let name = world.name(asked.generation);
            world.wrong(format!("{name} was run before a turn that was asked earlier"));
        }
    }
}
