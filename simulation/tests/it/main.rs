//! Thousands of schedules, each judged by the oracle.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use unbroken_simulation::{Counts, Outcome, run};

/// Schedules in an ordinary run; `UNBROKEN_SIMULATION` asks for another number.
const SCHEDULES: u64 = 2_000;
/// Schedules that are run twice.
const TWICE: u64 = 100;

fn schedules() -> u64 {
    let asked = std::env::var("UNBROKEN_SIMULATION").ok();
    asked.and_then(|number| number.parse().ok()).unwrap_or(SCHEDULES)
}

fn judge(seed: u64, outcome: &Outcome) {
    assert!(
        outcome.wrong.is_empty(),
        "seed {seed}:\n{}\n\nthe last events:\n{}\n\n\
         replay: cargo run -p unbroken-simulation -- --seed {seed}",
        outcome.wrong.join("\n"),
        outcome.tail.join("\n"),
    );
}

#[test]
fn no_schedule_of_faults_loses_doubles_or_reorders_anything() {
    let (next, sum) = (AtomicU64::new(1), Mutex::new(Counts::default()));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > schedules() {
                return;
            }
            let outcome = run(seed, false);
            judge(seed, &outcome);
            sum.lock().expect("nobody panics with the sum").add(outcome.counts);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    println!("{:#?}", sum.into_inner().expect("nobody panics with the sum"));
}

#[test]
fn the_same_seed_gives_the_same_schedule() {
    for seed in 1..=TWICE {
        let (first, second) = (run(seed, false), run(seed, false));
        assert_eq!(first.tail, second.tail, "seed {seed}");
        assert_eq!((first.hash, first.counts), (second.hash, second.counts), "seed {seed}");
    }
}
