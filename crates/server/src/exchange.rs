//! One binary in the place of another: the listening socket goes from process to process, as systemd
//! hands one over (sd_listen_fds(3)), and who connects meanwhile waits in its backlog.
//!
//! `unbroken upgrade` leaves the path of the new binary in the file `upgrade` of the data folder and
//! sends SIGUSR2 to the process that holds the folder's lock.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io, process};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::sockopt::socket_acceptconn;
use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};

/// Names of variables: whose the sockets are, how many, and the number of the first.
const LISTEN_PID: &str = "LISTEN_PID";
const LISTEN_FDS: &str = "LISTEN_FDS";
const FIRST_FD: &str = "LISTEN_FDS_FIRST_FD";
/// systemd's first number, when it does not say one.
const USUAL_FD: i32 = 3;

/// Why a binary is not exchanged.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    #[error("{} cannot be started: {source}", path.display())]
    NotStarted { path: PathBuf, source: io::Error },
    #[error("{} is no binary of Unbroken", .0.display())]
    Foreign(PathBuf),
    #[error("failed to leave a note in the data folder: {0}")]
    Note(io::Error),
    #[error("failed to signal process {process}: {source}")]
    Signal { process: u32, source: io::Error },
}

/// The file that this process was started from, where a newer one may lie later. Ask at the start:
/// later the kernel names a file that is gone.
pub fn program() -> io::Result<PathBuf> {
    match env::args_os().next().map(PathBuf::from) {
        // Not resolved: a link that points to a newer binary later is followed anew.
        Some(path) if path.components().count() > 1 => std::path::absolute(path),
        _ => env::current_exe(),
    }
}

/// The listening socket that systemd or the process before this one handed over, if any. To be
/// called once.
pub fn inherited() -> io::Result<Option<TcpListener>> {
    let number = |name| env::var(name).ok().and_then(|text| text.parse::<i32>().ok());
    let ours = number(LISTEN_PID).is_some_and(|id| id.cast_unsigned() == process::id());
    match number(LISTEN_FDS).filter(|_| ours) {
        None | Some(0) => return Ok(None),
        Some(1) => {}
        Some(_) => return Err(io::Error::other("more than one socket was handed over")),
    }
    let fd = number(FIRST_FD).filter(|fd| *fd >= USUAL_FD).unwrap_or(USUAL_FD);
    #[expect(unsafe_code, reason = "a socket is handed over as a bare number")]
    // SAFETY: the variables are for this process, so this number was given to it open, and nothing
    // else here takes numbers that it did not open.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    if !socket_acceptconn(&socket)? {
        return Err(io::Error::other("what was handed over is no listening socket"));
    }
    Ok(Some(socket.into()))
}

/// Asks the running server to make place for `to`, or for what lies now where it was started from.
pub fn ask(folder: &Path, process: u32, to: Option<&Path>) -> Result<(), ExchangeError> {
    if let Some(to) = to {
        let to = std::path::absolute(to).map_err(ExchangeError::Note)?;
        try_out(&to)?;
        fs::write(note(folder), to.as_os_str().as_bytes()).map_err(ExchangeError::Note)?;
    }
    let refused = |source| ExchangeError::Signal { process, source };
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| refused(io::ErrorKind::InvalidData.into()))?;
    kill_process(pid, Signal::USR2).map_err(|errno| refused(errno.into()))
}

/// The binary that is to take over, which has been tried out: the one that the note in the folder
/// names, else `own`. Takes the note away.
pub fn successor(folder: &Path, own: &Path) -> Result<PathBuf, ExchangeError> {
    let path = match fs::read(note(folder)) {
        Ok(bytes) => {
            fs::remove_file(note(folder)).map_err(ExchangeError::Note)?;
            PathBuf::from(std::ffi::OsString::from_vec(bytes))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => own.to_owned(),
        Err(error) => return Err(ExchangeError::Note(error)),
    };
    try_out(&path)?;
    Ok(path)
}

/// Becomes `program`, with the same arguments and environment, and `socket` to listen at. Returns
/// only when that fails; then this process can go on.
pub fn replace(program: &Path, socket: &TcpListener) -> io::Error {
    if let Err(errno) = fcntl_setfd(socket, FdFlags::empty()) {
        return errno.into();
    }
    let error = Command::new(program)
        .args(env::args_os().skip(1))
        .env(LISTEN_PID, process::id().to_string())
        .env(LISTEN_FDS, "1")
        .env(FIRST_FD, socket.as_raw_fd().to_string())
        .exec();
    let _ = fcntl_setfd(socket, FdFlags::CLOEXEC);
    // The try left SIGPIPE deadly: a client that goes away would end the server.
    let _ = signal(SignalKind::pipe());
    error
}

fn note(folder: &Path) -> PathBuf {
    folder.join("upgrade")
}

/// Lets a binary say its version: it starts on this machine, and it is one of ours.
fn try_out(path: &Path) -> Result<(), ExchangeError> {
    let said = Command::new(path)
        .arg(OsStr::new("--version"))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map_err(|source| ExchangeError::NotStarted { path: path.to_owned(), source })?;
    if said.status.success() && said.stdout.starts_with(b"unbroken ") {
        return Ok(());
    }
    Err(ExchangeError::Foreign(path.to_owned()))
}
