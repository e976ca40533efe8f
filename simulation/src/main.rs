//! Replays the schedule of a seed, and prints everything that happens in it.

use anyhow::{Result, bail};
use clap::Parser;

#[derive(Parser)]
struct Arguments {
    /// Which schedule; a failure of the test prints it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<()> {
    let outcome = unbroken_simulation::run(Arguments::parse().seed, true);
    println!("{:#?}", outcome.counts);
    if !outcome.wrong.is_empty() {
        bail!("{}", outcome.wrong.join("\n"));
    }
    println!("no rule was broken; the schedule's hash is {:016x}", outcome.hash);
    Ok(())
}
