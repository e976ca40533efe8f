//! `unbroken-chaos`: one run, its table, and exit code 1 when an answer broke.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use unbroken_chaos::{Options, run};

/// Breaks everything around an Unbroken server and checks that no answer notices.
#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long faults happen; the calm after them is not counted.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// How many people ask at the same time.
    #[arg(long, default_value_t = 8)]
    clients: usize,
    /// The server's binary.
    #[arg(long, env = "UNBROKEN_BIN")]
    server: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { seed, minutes, clients, server } = Arguments::parse();
    let report = run(Options { seed, minutes, clients, server }).await?;
    println!("{report}");
    Ok(if report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
