//! The binary `unbroken`.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use unbroken_server::Server;
use unbroken_server::config::{Cli, Command, Config, ConfigCommand, Loaded, Log, LogFormat};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let loaded = Config::load(&cli.flags, std::env::vars_os())?;
    match cli.command.unwrap_or_default() {
        Command::Config(ConfigCommand::Show) => print(&loaded.show()),
        Command::Config(ConfigCommand::Check) => {
            for warning in loaded.check() {
                print(&format!("warning: {warning}\n"))?;
            }
            print("The configuration holds.\n")
        }
        Command::Serve => serve(loaded),
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("failed to write to standard output")
}

#[tokio::main]
async fn serve(loaded: Loaded) -> anyhow::Result<()> {
    start_logging(&loaded.config.log);
    for warning in loaded.check() {
        tracing::warn!("{warning}");
    }
    raise_open_files();
    let server = Server::open(loaded.config).await?;
    print(&format!("Unbroken is at http://{}\n", server.address()))?;
    server.run(told_to_stop()).await?;
    Ok(())
}

fn start_logging(log: &Log) {
    let level = tracing::Level::from(log.level);
    let filter = EnvFilter::new(format!("{level},hyper=warn,reqwest=warn,sqlx=warn"));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().init(),
    }
}

/// Every socket is an open file, and the soft limit is often 1,024.
fn raise_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(error = %error, "failed to raise the limit of open files");
    }
}

async fn told_to_stop() {
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be listened to");
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals can be listened to");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
