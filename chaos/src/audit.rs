//! After all is calm: every answer in the store had its verdict or gets it now, no answer that had
//! one is gone, and none is there that was taken out of a queue.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::sleep;
use unbroken_protocol::{ConversationId, MessageId, MessageView};

use crate::disturb::rests;
use crate::list::List;
use crate::model::Model;
use crate::oracle;
use crate::world::World;

pub(crate) async fn check(world: &World) {
    let mut seen = HashSet::new();
    for list in world.lists() {
        match conversations(world, &list).await {
            Ok(answers) => answers.iter().for_each(|answer| {
                seen.extend(answer.generation_id);
                judge(world, answer);
            }),
            Err(broken) => world.fail_run(&format!("the audit cannot go on: {broken}")),
        }
    }
    let (gone, back) = {
        let fates = world.fates();
        let kept: HashSet<_> = fates.judged.difference(&fates.removed).copied().collect();
        (kept.difference(&seen).count(), fates.removed.intersection(&seen).count())
    };
    if gone > 0 {
        world.fail_run(&format!("{gone} answers are in no conversation any more"));
    }
    if back > 0 {
        world.fail_run(&format!("{back} answers are there that were taken out of a queue"));
    }
}

/// All answers of a device.
async fn conversations(world: &World, list: &List) -> Result<Vec<MessageView>, String> {
    let mut answers = Vec::new();
    for id in list.fetch(world).await.map_err(|e| e.to_string())?.into_keys() {
        answers.extend(branches(world, list, id).await?);
    }
    Ok(answers)
}

/// All answers of a conversation, on every branch, once nothing is written any more.
async fn branches(
    world: &World,
    list: &List,
    id: ConversationId,
) -> Result<Vec<MessageView>, String> {
    let rest = &list.device.rest;
    let mut seen: HashMap<MessageId, MessageView> = HashMap::new();
    loop {
        let page = world.insist(|| rest.conversation(id, None, None)).await;
        let page = page.map_err(|e| e.to_string())?;
        if page.messages.is_empty() {
            return Err(format!("the conversation {id} shows nothing"));
        }
        if !page.messages.iter().all(|message| rests(message.state)) {
            if world.is_overdue() {
                return Err(format!("in the conversation {id} something is written still"));
            }
            sleep(Duration::from_millis(100)).await;
            continue;
        }
        seen.extend(page.messages.into_iter().map(|message| (message.message_id, message)));
        let siblings = seen.values().flat_map(|message| &message.sibling_ids);
        let Some(hidden) = siblings.copied().find(|id| !seen.contains_key(id)) else {
            return Ok(seen.into_values().filter(|m| m.generation_id.is_some()).collect());
        };
        let chosen = world.insist(|| rest.select_branch(id, hidden)).await;
        chosen.map_err(|e| e.to_string())?;
    }
}

/// An answer that nobody followed: whether it was asked for was not known.
fn judge(world: &World, answer: &MessageView) {
    let judged = answer.generation_id.is_some_and(|id| world.fates().judged.contains(&id));
    if judged {
        return;
    }
    world.tally.add("found by the audit", 1);
    let model = Model::named(answer.model.as_deref().unwrap_or_default());
    if let Err((_, broken)) = oracle::check_store(answer, &model) {
        world.fail_run(&format!("an answer that nobody followed ({}): {broken}", model.name));
    }
}
