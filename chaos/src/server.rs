//! The real binary: killed, stopped, woken and started again on the same folder and port.

use std::fs::{File, create_dir};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::disk::Disk;

const START: Duration = Duration::from_mins(1);
/// It drains for [`DRAIN`] seconds, and then writes what is left.
const END: Duration = Duration::from_secs(30);
const DRAIN: &str = "2";

/// A running `unbroken`. Killed when it is dropped.
pub(crate) struct Server {
    life: Life,
    /// `127.0.0.1:PORT`, the same in every life.
    address: String,
    setup: Setup,
}

/// What stays the same in every life.
struct Setup {
    binary: PathBuf,
    folder: PathBuf,
    provider: String,
    /// The disk of its data, where one can be had.
    disk: Option<Disk>,
}

struct Life {
    child: Child,
    /// Kept: a process that prints into a closed pipe dies.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    /// Starts on a free port, with its data on a disk of this size where the machine permits one;
    /// what it logs goes to `server.log` in the folder.
    pub(crate) async fn start(
        binary: &Path,
        folder: &Path,
        base_url: &str,
        megabytes: u64,
    ) -> Result<Self> {
        // Short limits of silence: a stalled model is to be seen in a short run.
        let provider = format!(
            "[{{ id = \"standin\", name = \"Stand-in\", base_url = \"{base_url}\", \
             first_token_seconds = 6, idle_seconds = 4 }}]"
        );
        let data = folder.join("data");
        create_dir(&data)?;
        let disk = Disk::mount(&data, megabytes)
            .await
            .inspect_err(|error| eprintln!("no disk gets full in this run: {error:#}"))
            .ok();
        let setup = Setup { binary: binary.to_owned(), folder: folder.to_owned(), provider, disk };
        let (life, address) = setup.begin("127.0.0.1:0").await?;
        Ok(Self { life, address, setup })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The disk of its data.
    pub(crate) fn disk(&self) -> Option<&Disk> {
        self.setup.disk.as_ref()
    }

    /// kill -9; returns once it is gone.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        self.life.child.kill().await.context("the server cannot be killed")
    }

    /// SIGTERM; returns once it has ended by itself.
    pub(crate) async fn terminate(&mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        let ended = timeout(END, self.life.child.wait()).await;
        ended.context("the server does not end after SIGTERM")??;
        Ok(())
    }

    /// Starts again; returns once it takes connections.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        self.life = self.setup.begin(&self.address).await?.0;
        Ok(())
    }

    pub(crate) fn pause(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    pub(crate) fn wake(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let id = self.life.child.id().context("the server has ended by itself")?;
        let pid = Pid::from_raw(i32::try_from(id)?).context("a process has an id")?;
        Ok(kill_process(pid, signal)?)
    }
}

impl Setup {
    async fn begin(&self, listen: &str) -> Result<(Life, String)> {
        let log = File::options().create(true).append(true).open(self.folder.join("server.log"))?;
        let mut command = match &self.disk {
            Some(disk) => disk.command(&self.binary)?,
            None => Command::new(&self.binary),
        };
        let mut child = command
            .args(["--listen", listen, "--data-dir"])
            .arg(self.folder.join("data"))
            .env_clear()
            // Where `nsenter` is.
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("UNBROKEN__MODELS__DISCOVER", "false")
            .env("UNBROKEN__PROVIDERS", &self.provider)
            .env("UNBROKEN__LOG__LEVEL", "warn")
            .env("UNBROKEN__SHUTDOWN__DRAIN_SECONDS", DRAIN)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", self.binary.display()))?;
        let mut stdout = BufReader::new(child.stdout.take().context("it is piped")?);
        let mut line = String::new();
        timeout(START, stdout.read_line(&mut line))
            .await
            .context("the server does not start")??;
        let address = line.trim().strip_prefix("Unbroken is at http://").map(str::to_owned);
        let address = address.with_context(|| format!("the server's first line is `{line}`"))?;
        Ok((Life { child, _stdout: stdout }, address))
    }
}
