//! The other side of [`crate::worker`]: starts the process, feeds it, and ends it in any case.

use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::worker::{Answer, COMMAND, NAME};
use crate::{Document, Limits, Refusal};

/// What the Rust runtime says when memory ends.
const NO_MEMORY: &[u8] = b"memory allocation of";

/// Bytes of standard error that are looked at.
const LAST_WORDS: u64 = 4096;

/// Reads files, each in a process of its own.
#[derive(Debug, Clone)]
pub struct Reader {
    program: PathBuf,
    limits: Limits,
    at_once: Arc<Semaphore>,
}

impl Reader {
    /// By this very program, which calls [`crate::worker::run_if_asked`] before all else.
    pub fn new(limits: Limits, at_once: usize) -> io::Result<Self> {
        // The link leads to what is running, even when an upgrade put another in its place.
        let link = PathBuf::from("/proc/self/exe");
        let program = if link.exists() { link } else { std::env::current_exe()? };
        Ok(Self::with_program(program, limits, at_once))
    }

    /// By another program that does so.
    pub fn with_program(program: PathBuf, limits: Limits, at_once: usize) -> Self {
        Self { program, limits, at_once: Arc::new(Semaphore::new(at_once)) }
    }

    /// The same, with turns of its own: what it reads does not wait for what `self` reads.
    #[must_use]
    pub fn beside(&self, at_once: usize) -> Self {
        Self { at_once: Arc::new(Semaphore::new(at_once)), ..self.clone() }
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The text of a file, or why it is not read. Waits for its turn. An error is one of this
    /// machine, as when no process can be started, or of `file`.
    ///
    /// Dropped, it ends the process.
    pub async fn read(
        &self,
        name: &str,
        file: impl AsyncRead + Unpin,
    ) -> io::Result<Result<Document, Refusal>> {
        self.read_opened(name, std::future::ready(Ok(file))).await
    }

    /// The same of a file that is opened when its turn has come: those that wait are not open.
    pub async fn read_opened<F: AsyncRead + Unpin>(
        &self,
        name: &str,
        open: impl Future<Output = io::Result<F>>,
    ) -> io::Result<Result<Document, Refusal>> {
        let _turn = self.at_once.acquire().await.map_err(io::Error::other)?;
        let file = open.await?;
        let mut child = self.start(name)?;
        let patience = Duration::from_secs(self.limits.patience);
        let Ok(end) = timeout(patience, self.converse(&mut child, file)).await else {
            child.kill().await?;
            return Ok(Err(Refusal::OutOfTime));
        };
        let end = end?;
        // It may be long.
        tokio::task::spawn_blocking(move || end.meaning()).await.map_err(io::Error::other)
    }

    fn start(&self, name: &str) -> io::Result<Child> {
        Command::new(&self.program)
            .args([COMMAND, "--limits"])
            .arg(serde_json::to_string(&self.limits)?)
            .env_clear()
            .env(NAME, name)
            // Else the allocator takes a gigabyte of address space at once (in KiB), and the one of
            // the system, which threads need too, 64 MiB for each of them.
            .env("MIMALLOC_ARENA_RESERVE", "32768")
            .env("MALLOC_ARENA_MAX", "1")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }

    async fn converse(
        &self,
        child: &mut Child,
        mut file: impl AsyncRead + Unpin,
    ) -> io::Result<End> {
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut stdin), Some(mut stdout), Some(mut stderr)) = pipes else {
            return Err(io::Error::other("a process was started without its pipes"));
        };
        let feed = async move {
            match tokio::io::copy(&mut file, &mut stdin).await {
                // It may know enough before the end.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
                _ => stdin.shutdown().await.or(Ok(())),
            }
        };
        // Escaped, text may become twice as long.
        let most = self.limits.text.saturating_mul(3).saturating_add(1 << 16);
        let answer = first(&mut stdout, most);
        let last_words = first(&mut stderr, LAST_WORDS);
        let ((), answer, last_words) = tokio::try_join!(feed, answer, last_words)?;
        // Whoever still writes is told that nobody reads.
        drop((stdout, stderr));
        Ok(End { status: child.wait().await?, answer, last_words })
    }
}

async fn first(pipe: &mut (impl AsyncRead + Unpin), most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.take(most).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// How a process ended.
struct End {
    status: ExitStatus,
    answer: Vec<u8>,
    last_words: Vec<u8>,
}

impl End {
    fn meaning(self) -> Result<Document, Refusal> {
        if self.status.success()
            && let Ok(answer) = serde_json::from_slice(&self.answer)
        {
            return match answer {
                Answer::Ok(document) => Ok(document),
                Answer::Refused(refusal) => Err(refusal),
            };
        }
        Err(self.reason())
    }

    fn reason(&self) -> Refusal {
        use std::os::unix::process::ExitStatusExt as _;

        use rustix::process::Signal;
        let is_signal = |signal: Signal| self.status.signal() == Some(signal.as_raw());
        if is_signal(Signal::XCPU) {
            return Refusal::OutOfTime;
        }
        // Nobody else kills it but the system, when the machine has no memory left.
        let is_full = self.last_words.windows(NO_MEMORY.len()).any(|words| words == NO_MEMORY);
        if is_full || is_signal(Signal::KILL) { Refusal::OutOfMemory } else { Refusal::Damaged }
    }
}
