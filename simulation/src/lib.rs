//! Engine and clients in one thread with paused time. A seed decides what people do, what the model
//! says and what breaks; an oracle decides whether anything got lost. The same seed gives the same
//! schedule, event for event.
//!
//! The engine is the real one on the store in memory, the clients are the real follow algorithm.
//! The server's socket, the network and the model are simulated.

mod chance;
mod client;
mod faults;
mod link;
mod model;
mod oracle;
mod person;
mod server;
mod trace;
mod world;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use world::Counts;

use client::Client;
use person::Person;
use world::World;

/// What came of a schedule.
#[derive(Debug)]
pub struct Outcome {
    /// Of everything that happened, in order.
    pub hash: u64,
    pub counts: Counts,
    /// Rules that were broken.
    pub wrong: Vec<String>,
    /// The last things that happened.
    pub tail: Vec<String>,
}

/// Runs the schedule of a seed, in this thread. With `verbose` all that happens is printed.
pub fn run(seed: u64, verbose: bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without input and output is made of nothing");
    runtime.block_on(schedule(seed, verbose))
}

async fn schedule(seed: u64, verbose: bool) -> Outcome {
    let world = World::new(seed, verbose);
    world.start().await;
    let clients = 1 + world.chance().index(3);
    for number in 0..clients {
        Client::spawn(&world, number);
    }
    let enough = CancellationToken::new();
    let faults = tokio::spawn(faults::happen(world.clone(), enough.clone()));
    Person::new(&world).act().await;
    tokio::time::sleep(world.chance().millis(0, 5_000)).await;
    world.calm();
    enough.cancel();
    if let Err(error) = faults.await {
        world.wrong(format!("the faults failed: {error}"));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    oracle::rest(&world).await;
    oracle::judge(&world).await;
    world.count(|counts| counts.calls = world.model.calls().len() as u64);
    let (hash, counts, wrong, tail) = world.result();
    // Clients end with their commands.
    world.clients.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
    Outcome { hash, counts, wrong, tail }
}

impl Counts {
    /// Adds those of another schedule.
    pub fn add(&mut self, other: Self) {
        self.schedules += other.schedules;
        self.crashes += other.crashes;
        self.refusals += other.refusals;
        self.jumps += other.jumps;
        self.turns += other.turns;
        self.takeovers += other.takeovers;
        self.reconnects += other.reconnects;
        self.calls += other.calls;
        self.events += other.events;
    }
}
