//! The process that reads one file: it takes from itself all that reading does not need, reads the
//! file from its standard input and writes an [`Answer`] as JSON to its standard output.
//!
//! What goes wrong beyond a [`Refusal`] ends the process; [`crate::reader`] says what it means.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;
use std::thread;

use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};

use crate::{Document, Limits, Refusal};

#[cfg(target_os = "linux")]
mod calls;

/// The hidden subcommand of the server's binary that is this process.
pub const COMMAND: &str = "read-document";

/// What the process says in the end.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Ok(Document),
    Refused(Refusal),
}

/// Deeply nested files need it, in builds without optimisation above all.
const STACK: usize = 32 << 20;

/// Standard input, output and error, and one to spare.
const FILES: u64 = 4;

/// The environment variable with the name of the file, which others on the machine cannot see, as
/// they can arguments.
pub const NAME: &str = "UNBROKEN_DOCUMENT_NAME";

/// Reads a file if the arguments of this process ask for it: `read-document --limits JSON`, with
/// [`NAME`]. To be called first of all, before anything else of the program is set up.
pub fn run_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    (arguments.next()? == COMMAND).then(|| run(arguments))
}

fn run(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let name = std::env::var(NAME).unwrap_or_default();
    let mut limits = Limits::default();
    while let (Some(key), Some(value)) = (arguments.next(), arguments.next()) {
        let value = value.to_string_lossy().into_owned();
        match key.to_str() {
            Some("--limits") => match serde_json::from_str(&value) {
                Ok(given) => limits = given,
                Err(_) => return ExitCode::FAILURE,
            },
            _ => return ExitCode::FAILURE,
        }
    }
    // A message might hold a piece of the file.
    std::panic::set_hook(Box::new(|_| std::process::exit(101)));
    let work = move || {
        confine(&limits)?;
        answer(&name, &limits)
    };
    // No thread can begin after `confine`.
    let done = thread::Builder::new().stack_size(STACK).spawn(work).map(thread::JoinHandle::join);
    match done {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn answer(name: &str, limits: &Limits) -> io::Result<()> {
    // It does not grow: a second copy would count too.
    let mut bytes = Vec::with_capacity(usize::try_from(limits.bytes).unwrap_or_default() + 1);
    io::stdin().lock().take(limits.bytes + 1).read_to_end(&mut bytes)?;
    let answer = match crate::read(&bytes, name, limits) {
        Ok(document) => Answer::Ok(document),
        Err(refusal) => Answer::Refused(refusal),
    };
    let json = serde_json::to_vec(&answer)?;
    let mut out = io::stdout().lock();
    out.write_all(&json)?;
    out.flush()
}

/// Takes away memory, time, files and processes, for good.
fn confine(limits: &Limits) -> io::Result<()> {
    let limit =
        |resource, most| setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nofile, FILES)?;
    // One that is root is not bound by it.
    limit(Resource::Nproc, 0)?;
    // A second later the system ends it even if it did not listen.
    let time = Rlimit { current: Some(limits.seconds), maximum: Some(limits.seconds + 1) };
    setrlimit(Resource::Cpu, time)?;
    limit(Resource::As, limits.memory)?;
    #[cfg(target_os = "linux")]
    calls::confine();
    Ok(())
}
