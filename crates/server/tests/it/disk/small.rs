//! A small disk, and what a server on it says.
//!
//! Each is a file system of its own in a mount namespace of its own: no root is needed, and nothing
//! stays behind.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::Stdio;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::watch;
use unbroken_standin::Standin;

use crate::support::{Process, prepare, soon};

/// What a server says when its store begins to refuse, and when it writes again.
const FAILS: &str = "failed to write to the store";
const WRITES_AGAIN: &str = "the store writes again";

/// A small disk, at a folder that shows it only to those in its mount namespace. It ends with its
/// holder, a process that reads until this one ends.
pub(super) struct Disk {
    folder: TempDir,
    holder: Child,
}

impl Disk {
    pub(super) async fn new(mebibytes: u32) -> Self {
        let folder = TempDir::new().unwrap();
        let mount = format!(
            "mount -t tmpfs -o size={mebibytes}m,mode=700 disk \"$1\" && echo there && exec cat"
        );
        let mut holder = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", &mount, "sh"])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("unshare, of util-linux, is installed");
        let mut line = String::new();
        let mut stdout = BufReader::new(holder.stdout.as_mut().unwrap());
        soon(stdout.read_line(&mut line)).await.unwrap();
        if line != "there\n" {
            let mut said = String::new();
            soon(holder.stderr.take().unwrap().read_to_string(&mut said)).await.unwrap();
            panic!(
                "this test needs user and mount namespaces, and the kernel permits none: {said}"
            );
        }
        Self { folder, holder }
    }

    /// The binary, made ready to run on this disk. A limit of file sizes is an error to it, not
    /// its death.
    fn command(&self, standin: &Standin) -> Command {
        let mut command = self.enter();
        command.args(["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"]);
        command.arg(env!("CARGO_BIN_EXE_unbroken"));
        prepare(&mut command, self.folder.path(), &standin.base_url()).stderr(Stdio::piped());
        command
    }

    fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.holder.id().unwrap().to_string()]);
        command.args(["--user", "--preserve-credentials", "--mount"]);
        command
    }

    pub(super) async fn start(&self, standin: &Standin) -> (Process, Log) {
        let mut process = Process::spawn(&mut self.command(standin)).await;
        let log = Log::of(process.stderr());
        (process, log)
    }

    /// Starts a process that is expected to refuse: its exit code and what it says.
    pub(super) async fn refused_start(&self, standin: &Standin) -> (Option<i32>, String) {
        let child = self.command(standin).spawn().unwrap();
        let output = soon(child.wait_with_output()).await.unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    /// Another file takes all the room that there is.
    pub(super) fn fill(&self) {
        let mut file = File::create(self.filler()).unwrap();
        let error = loop {
            if let Err(error) = file.write_all(&[1; 4096]) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }

    pub(super) fn make_room(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    /// Makes the disk read-only (`ro`) or writable (`rw`); whether the kernel does it.
    pub(super) async fn remount(&self, how: &str) -> bool {
        let mut command = self.enter();
        command.args(["mount", "-o", &format!("remount,{how}")]).arg(self.folder.path());
        soon(command.stderr(Stdio::null()).status()).await.unwrap().success()
    }

    /// A file of the disk, as those outside of its namespace reach it.
    fn filler(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id().unwrap()));
        root.join(self.folder.path().strip_prefix("/").unwrap()).join("filler")
    }
}

/// Lets every write of a process to a file fail, as on a file system that became read-only by
/// itself after an error: what SQLite makes of it is not "full" but "disk I/O error".
pub(super) fn refuse_writes(process: &Process, refuse: bool) {
    let pid = Pid::from_raw(i32::try_from(process.id()).unwrap());
    let limit = Rlimit { current: refuse.then_some(0), maximum: None };
    prlimit(pid, Resource::Fsize, limit).unwrap();
}

/// The memory that a process has, in MiB.
pub(super) fn memory(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
}

/// What a process logs.
pub(super) struct Log {
    said: watch::Receiver<String>,
    /// How often the store wrote again.
    times: usize,
}

impl Log {
    fn of(stderr: ChildStderr) -> Self {
        let (sender, said) = watch::channel(String::new());
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                sender.send_modify(|said| *said += &(line + "\n"));
            }
        });
        Self { said, times: 0 }
    }

    pub(super) async fn says_that_it_fails(&mut self) {
        soon(self.said.wait_for(|said| said.contains(FAILS))).await.unwrap();
    }

    /// Waits until it says that the store writes again, and checks that it says this once, and
    /// once that the store refused, for each time that it did.
    pub(super) async fn writes_again(&mut self) {
        self.times += 1;
        let times = self.times;
        let count = |said: &str, words| said.matches(words).count();
        let told = self.said.wait_for(|said| count(said, WRITES_AGAIN) >= times);
        let said = soon(told).await.unwrap();
        let counts = ["ERROR", FAILS, WRITES_AGAIN].map(|words| count(&said, words));
        assert_eq!(counts, [times; 3], "{}", *said);
    }
}
