//! `unbroken-standin`: the stand-in as a program.

use std::{fs, net::SocketAddr, path::PathBuf};

use anyhow::Context as _;
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use unbroken_standin::{Options, Scripts, Standin};

/// A model server that keeps to a script: OpenAI chat completions for tests, benchmarks and
/// demonstrations.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:9100")]
    listen: SocketAddr,
    /// A JSON file of further models.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// The key that callers must have.
    #[arg(long, value_name = "KEY")]
    api_key: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    allow_many_connections();
    let scripts = match &arguments.script {
        Some(file) => {
            read_scripts(file).with_context(|| format!("cannot use {}", file.display()))?
        }
        None => Scripts::default(),
    };
    let standin =
        Standin::start_on(arguments.listen, Options { scripts, api_key: arguments.api_key })
            .await
            .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    println!("The stand-in listens on {}", standin.base_url());
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
    standin.stop().await;
    Ok(())
}

fn read_scripts(file: &PathBuf) -> anyhow::Result<Scripts> {
    Ok(fs::read_to_string(file)?.parse()?)
}

/// Each stream is an open file. Where the limit cannot be raised, fewer streams fit.
fn allow_many_connections() {
    let limit = getrlimit(Resource::Nofile);
    if setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).is_err() {
        eprintln!("The limit of open files stays at {:?}.", limit.current);
    }
}
