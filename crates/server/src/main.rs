//! The binary `unbroken`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use futures_util::FutureExt as _;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;
use unbroken_cli::load::Load;
use unbroken_server::config::{
    Cli, Command, Config, ConfigCommand, ConfigError, Loaded, Log, LogFormat,
};
use unbroken_server::doctor::{self, Outcome};
use unbroken_server::{Server, exchange};
use unbroken_store::Store;

/// A tenth less processor time for a token than with the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Some(code) = unbroken_documents::worker::run_if_asked() {
        return code;
    }
    run(&Cli::parse()).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    if let Some(Command::Load(load)) = &cli.command {
        return put_load(load);
    }
    let loaded = Config::load(&cli.flags, std::env::vars_os());
    let command = cli.command.clone().unwrap_or_default();
    if command == Command::Doctor {
        return examine(loaded);
    }
    let loaded = loaded?;
    match command {
        Command::Config(ConfigCommand::Show) => print(&loaded.show())?,
        Command::Config(ConfigCommand::Check) => {
            for warning in loaded.check() {
                print(&format!("warning: {warning}\n"))?;
            }
            print("The configuration holds.\n")?;
        }
        Command::Upgrade { to } => upgrade(&loaded.config, to.as_deref())?,
        Command::Serve | Command::Doctor | Command::Load(_) => {
            runtime(&loaded.config)?.block_on(serve(loaded))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(text: &str) -> anyhow::Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("failed to write to standard output")
}

fn put_load(load: &Load) -> anyhow::Result<ExitCode> {
    let report = load.run()?;
    if load.json {
        print(&format!("{}\n", serde_json::to_string(&report)?))?;
    } else {
        print(&report.to_string())?;
    }
    Ok(if report.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[tokio::main]
async fn examine(loaded: Result<Loaded, ConfigError>) -> anyhow::Result<ExitCode> {
    let findings = doctor::examine(loaded).await;
    for finding in &findings {
        print(&format!("{finding}\n"))?;
    }
    let failed = findings.iter().any(|finding| finding.outcome == Outcome::Failed);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn upgrade(config: &Config, to: Option<&Path>) -> anyhow::Result<()> {
    let folder = &config.store.data_dir;
    let process = Store::holder(folder)?
        .with_context(|| format!("no server runs on the data folder {}", folder.display()))?;
    exchange::ask(folder, process, to)?;
    print(&format!(
        "Process {process} lets its answers end, {} s at most, and takes the new binary.\n",
        config.shutdown.drain().as_secs()
    ))
}

fn runtime(config: &Config) -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(config.http.workers()).enable_all().build()
}

async fn serve(loaded: Loaded) -> anyhow::Result<()> {
    start_logging(&loaded.config.log);
    for warning in loaded.check() {
        tracing::warn!("{warning}");
    }
    raise_open_files();
    // Before the folder is taken: whoever finds this process there may signal it.
    let mut signals = Signals::listen(&loaded.config)?;
    let config = loaded.config;
    let mut server = match exchange::inherited().context("failed to take a socket over")? {
        Some(socket) => Server::open_on(config.clone(), socket).await?,
        None => Server::open(config.clone()).await?,
    };
    loop {
        // Nobody may be reading any more after an exchange.
        let _ = print(&format!("Unbroken is at http://{}\n", server.address()));
        let mut socket = Some(server.socket()?);
        let mut next = Next::Stop;
        let told = async {
            next = signals.next().await;
            if next == Next::Stop {
                socket = None;
            }
        };
        server.run(told).await?;
        let (Some(socket), Next::Become(program)) = (socket, next) else { return Ok(()) };
        if signals.is_told_to_stop() {
            return Ok(());
        }
        let error = exchange::replace(&program, &socket);
        let program = program.display();
        tracing::error!(error = %error, "failed to become {program}; this binary goes on");
        server = Server::open_on(config.clone(), socket).await?;
    }
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

/// What comes after serving.
#[derive(PartialEq, Eq)]
enum Next {
    Stop,
    /// This binary takes over.
    Become(PathBuf),
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    exchange: Signal,
    folder: PathBuf,
    program: PathBuf,
}

impl Signals {
    fn listen(config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            // Not SIGHUP, which a terminal sends that is closed.
            exchange: signal(SignalKind::user_defined2())?,
            folder: config.store.data_dir.clone(),
            program: exchange::program().context("failed to find this binary")?,
        })
    }

    async fn next(&mut self) -> Next {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return Next::Stop,
                _ = self.interrupt.recv() => return Next::Stop,
                _ = self.exchange.recv() => {}
            }
            match exchange::successor(&self.folder, &self.program) {
                Ok(program) => return Next::Become(program),
                Err(error) => tracing::error!(error = %error, "the binary is not exchanged"),
            }
        }
    }

    /// Whether one asked to stop while the server made place for another binary.
    fn is_told_to_stop(&mut self) -> bool {
        let told = |signal: &mut Signal| signal.recv().now_or_never().is_some();
        told(&mut self.terminate) || told(&mut self.interrupt)
    }
}
