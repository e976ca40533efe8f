//! What goes wrong around the process: it dies, its disk is full, the clock jumps.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::chance::Chance;
use crate::world::World;

/// Faults at random, one after the other, until it is enough. Whatever broke is mended then.
pub(crate) async fn happen(world: Arc<World>, enough: CancellationToken) {
    let mut chance = world.chance();
    loop {
        tokio::select! {
            biased;
            () = enough.cancelled() => return,
            () = tokio::time::sleep(chance.millis(200, 7_000)) => {}
        }
        match chance.below(100) {
            0..35 => crash(&world, &mut chance).await,
            35..55 => crash_at_a_commit(&world, &mut chance).await,
            55..75 => full_disk(&world, &mut chance).await,
            75..95 => world.jump(jump(&mut chance)),
            _ => {}
        }
    }
}

async fn crash(world: &Arc<World>, chance: &mut Chance) {
    let lingers = chance.percent(30);
    world.crash(if lingers { chance.millis(500, 8_000) } else { Duration::ZERO });
    restart(world, chance).await;
}

/// The commit is applied, and the process dies before it hears of it.
async fn crash_at_a_commit(world: &Arc<World>, chance: &mut Chance) {
    let died = world.memory.die_after_commit();
    // Without anything to commit nothing happens.
    if let Ok(Ok(())) = tokio::time::timeout(Duration::from_secs(5), died).await {
        world.crash(Duration::ZERO);
        restart(world, chance).await;
    }
}

async fn restart(world: &Arc<World>, chance: &mut Chance) {
    tokio::time::sleep(chance.millis(0, 2_500)).await;
    world.start().await;
}

async fn full_disk(world: &Arc<World>, chance: &mut Chance) {
    world.say("world", "the disk is full");
    world.count(|counts| counts.refusals += 1);
    world.memory.refuse(true);
    let (full_for, dies) = (chance.millis(100, 6_000), chance.percent(20));
    let room = async {
        tokio::time::sleep(full_for).await;
        world.memory.refuse(false);
        world.say("world", "the disk has room");
    };
    // The next process may find the disk full too.
    let death = async {
        if dies {
            crash(world, chance).await;
        }
    };
    tokio::join!(room, death);
}

/// Up to an hour, forwards or backwards.
fn jump(chance: &mut Chance) -> i64 {
    let far = i64::try_from(chance.below(3_600_000)).unwrap_or_default();
    if chance.percent(50) { far } else { -far }
}
