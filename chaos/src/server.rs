//! The real binary: killed, stopped, woken and started again on the same folder and port.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

const START: Duration = Duration::from_mins(1);
/// It drains for [`DRAIN`] seconds, and then writes what is left.
const END: Duration = Duration::from_secs(30);
const DRAIN: &str = "2";

/// A running `unbroken`. Killed when it is dropped.
pub(crate) struct Server {
    binary: PathBuf,
    folder: PathBuf,
    provider: String,
    /// `127.0.0.1:PORT`, the same in every life.
    address: String,
    life: Life,
}

struct Life {
    child: Child,
    /// Kept: a process that prints into a closed pipe dies.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    /// Starts on a free port; what it logs goes to `server.log` in the folder.
    pub(crate) async fn start(binary: &Path, folder: &Path, base_url: &str) -> Result<Self> {
        // Short limits of silence: a stalled model is to be seen in a short run.
        let provider = format!(
            "[{{ id = \"standin\", name = \"Stand-in\", base_url = \"{base_url}\", \
             first_token_seconds = 6, idle_seconds = 4 }}]"
        );
        let (binary, folder) = (binary.to_owned(), folder.to_owned());
        let (life, address) = begin(&binary, &folder, &provider, "127.0.0.1:0").await?;
        Ok(Self { binary, folder, provider, address, life })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
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
        self.life = begin(&self.binary, &self.folder, &self.provider, &self.address).await?.0;
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

async fn begin(
    binary: &Path,
    folder: &Path,
    provider: &str,
    listen: &str,
) -> Result<(Life, String)> {
    let log = File::options().create(true).append(true).open(folder.join("server.log"))?;
    let mut child = Command::new(binary)
        .args(["--listen", listen, "--data-dir"])
        .arg(folder.join("data"))
        .env_clear()
        .env("UNBROKEN__MODELS__DISCOVER", "false")
        .env("UNBROKEN__PROVIDERS", provider)
        .env("UNBROKEN__LOG__LEVEL", "warn")
        .env("UNBROKEN__SHUTDOWN__DRAIN_SECONDS", DRAIN)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {}", binary.display()))?;
    let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut line = String::new();
    timeout(START, stdout.read_line(&mut line)).await.context("the server does not start")??;
    let address = line.trim().strip_prefix("Unbroken is at http://").map(str::to_owned);
    let address = address.with_context(|| format!("the server's first line is `{line}`"))?;
    Ok((Life { child, _stdout: stdout }, address))
}
