//! The real binary, for what only a process can do: die.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use super::server::environment;
use super::{Device, Talk, soon};

/// A running `unbroken`. Killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    base: String,
    /// Kept: a process that prints into a closed pipe dies.
    _stdout: BufReader<ChildStdout>,
}

impl Process {
    /// Starts on a free port; returns once it takes connections.
    pub(crate) async fn start(folder: &Path, base_url: &str) -> Self {
        Self::start_with(folder, base_url, &[]).await
    }

    /// Starts on the port of a process that died, so that its clients find it.
    pub(crate) async fn start_at(folder: &Path, base_url: &str, port: &str) -> Self {
        let listen = format!("127.0.0.1:{port}");
        Self::spawn(command(folder, base_url).args(["--listen", &listen])).await
    }

    pub(crate) async fn start_with(folder: &Path, base_url: &str, env: &[(&str, &str)]) -> Self {
        Self::spawn(command(folder, base_url).envs(env.iter().copied())).await
    }

    /// Starts as systemd starts it: the listening socket is there before the process.
    pub(crate) async fn start_on(folder: &Path, base_url: &str, socket: TcpListener) -> Self {
        let hand_over = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"";
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", hand_over, "sh", env!("CARGO_BIN_EXE_unbroken")]);
        Self::spawn(prepare(&mut shell, folder, base_url).stdin(OwnedFd::from(socket))).await
    }

    /// Starts what [`prepare`] made ready.
    pub(crate) async fn spawn(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        soon(stdout.read_line(&mut line)).await.unwrap();
        let base = line.trim().strip_prefix("Unbroken is at ").expect("it says where it is");
        Self { child, base: base.to_owned(), _stdout: stdout }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) async fn device(&self, name: &str) -> Device {
        Device::new(&self.base, name).await
    }

    pub(crate) async fn socket(&self) -> Talk {
        Talk::connect(&self.base).await
    }

    /// What it logs, where it was spawned with a pipe for it.
    pub(crate) fn stderr(&mut self) -> ChildStderr {
        self.child.stderr.take().unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// kill -9, and waits until it is gone.
    pub(crate) async fn kill(mut self) {
        soon(self.child.kill()).await.unwrap();
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
    }

    /// Waits until it has ended by itself; its exit code.
    pub(crate) async fn ended(mut self) -> Option<i32> {
        soon(self.child.wait()).await.unwrap().code()
    }
}

/// Starts a process that is expected to refuse: its exit code and what it says.
pub(crate) async fn refused_start(folder: &Path, base_url: &str) -> (Option<i32>, String) {
    let child = command(folder, base_url).stderr(Stdio::piped()).spawn().unwrap();
    let output = soon(child.wait_with_output()).await.unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// What `unbroken` with these words prints, and its exit code.
pub(crate) async fn unbroken(
    folder: &Path,
    base_url: &str,
    words: &[&str],
    env: &[(&str, &str)],
) -> (Option<i32>, String) {
    let mut command = command(folder, base_url);
    let child = command.args(words).envs(env.iter().copied()).stderr(Stdio::piped()).spawn();
    let output = soon(child.unwrap().wait_with_output()).await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

fn command(folder: &Path, base_url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unbroken"));
    prepare(&mut command, folder, base_url);
    command
}

/// Makes a command ready that runs `unbroken`, at the end of the words that it has.
pub(crate) fn prepare<'a>(
    command: &'a mut Command,
    folder: &Path,
    base_url: &str,
) -> &'a mut Command {
    command
        .arg("--data-dir")
        .arg(folder)
        .env_clear()
        .env("UNBROKEN__HTTP__LISTEN", "127.0.0.1:0")
        .envs(environment(base_url, ""))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
}
