//! The process that reads, and the side that starts it.

use std::future::poll_fn;
use std::io::Write as _;
use std::pin::pin;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::Semaphore;
use unbroken_documents::reader::Reader;
use unbroken_documents::worker::{Answer, COMMAND, NAME};
use unbroken_documents::{Document, Limits, Refusal, read};

use crate::files;

const PROGRAM: &str = env!("CARGO_BIN_EXE_read-document");

pub(crate) fn reader(limits: Limits) -> Reader {
    Reader::with_program(PROGRAM.into(), limits, 2)
}

pub(crate) async fn read_apart(
    bytes: &[u8],
    name: &str,
    limits: Limits,
) -> Result<Document, Refusal> {
    reader(limits).read(name, bytes).await.unwrap()
}

/// The process as [`Reader`] starts it, with the limits that it has when it is told none.
fn started(name: &str, stdout: Stdio) -> Child {
    Command::new(PROGRAM)
        .arg(COMMAND)
        .env(NAME, name)
        .env("MIMALLOC_ARENA_RESERVE", "32768")
        .env("MALLOC_ARENA_MAX", "1")
        .stdin(Stdio::piped())
        .stdout(stdout)
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn the_process_reads_what_the_library_reads() {
    for (name, bytes) in files::all() {
        let apart = read_apart(&bytes, name, Limits::default()).await;
        assert_eq!(apart, read(&bytes, name, &Limits::default()), "{name}");
    }
}

#[tokio::test]
async fn a_refusal_comes_over_the_pipe() {
    let refused = read_apart(b"", "empty", Limits::default()).await;
    assert_eq!(refused, Err(Refusal::Empty));
    let small = Limits { bytes: 1 << 20, ..Limits::default() };
    let refused = read_apart(&vec![b'x'; 8 << 20], "large.txt", small).await;
    assert_eq!(refused, Err(Refusal::TooLarge));
}

#[tokio::test]
async fn a_file_that_never_comes_ends_with_patience() {
    let limits = Limits { patience: 1, ..Limits::default() };
    let (_open, never) = tokio::io::duplex(1);
    let read = reader(limits).read("never", never).await.unwrap();
    assert_eq!(read, Err(Refusal::OutOfTime));
}

#[tokio::test]
async fn a_file_is_opened_when_its_turn_has_come() {
    let reader = Reader::with_program(PROGRAM.into(), Limits::default(), 1);
    let opened = Arc::new(Semaphore::new(0));
    let open = |bytes: &'static [u8]| {
        let opened = Arc::clone(&opened);
        async move {
            opened.add_permits(1);
            Ok(bytes)
        }
    };
    let (still_open, never) = tokio::io::duplex(1);
    let first = reader.read("never", never);
    let second = reader.read_opened("a.txt", open(b"Whales sing."));
    let (mut first, mut second) = (pin!(first), pin!(second));
    let both = poll_fn(|context| {
        assert!(first.as_mut().poll(context).is_pending());
        assert!(second.as_mut().poll(context).is_pending());
        Poll::Ready(())
    });
    both.await;
    assert_eq!(opened.available_permits(), 0, "it waits for its turn");
    drop(still_open);
    assert_eq!(first.await.unwrap(), Err(Refusal::Empty));
    assert!(second.await.unwrap().is_ok());
    assert_eq!(opened.available_permits(), 1);
}

#[tokio::test]
async fn processor_time_ends() {
    // Elements that are never closed are looked through again for each paragraph.
    let page = format!("<!doctype html>{}{}", "<b>".repeat(200_000), "<p>".repeat(200_000));
    let limits = Limits { seconds: 1, ..Limits::default() };
    assert_eq!(read_apart(page.as_bytes(), "a.html", limits).await, Err(Refusal::OutOfTime));
}

#[tokio::test]
async fn memory_ends() {
    let text = "word ".repeat(8 << 20);
    let limits = Limits { text: 50 << 20, memory: 250 << 20, ..Limits::default() };
    let refused = read_apart(text.as_bytes(), "a.txt", limits).await;
    assert_eq!(refused, Err(Refusal::OutOfMemory));
}

#[tokio::test]
async fn a_program_that_is_missing_is_an_error_of_this_machine() {
    let reader = Reader::with_program("/nowhere/at/all".into(), Limits::default(), 1);
    assert!(reader.read("a.txt", &b"text"[..]).await.is_err());
}

#[tokio::test]
async fn a_program_that_says_something_else_is_a_damaged_file() {
    let reader = Reader::with_program("/bin/echo".into(), Limits::default(), 1);
    assert_eq!(reader.read("a.txt", &b"text"[..]).await.unwrap(), Err(Refusal::Damaged));
}

#[test]
fn the_answer_is_the_agreed_json() {
    let mut child = started("a.md", Stdio::piped());
    child.stdin.take().unwrap().write_all(b"# Hi\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        r#"{"ok":{"kind":"markdown","title":"Hi","blocks":[{"text":"Hi","heading":1}]}}"#
    );
    let refused = serde_json::to_string(&Answer::Refused(Refusal::TooMuchText)).unwrap();
    assert_eq!(refused, r#"{"refused":"too_much_text"}"#);
}

#[test]
fn every_refusal_has_a_code_that_leads_back_to_it() {
    for code in [
        "empty",
        "too_large",
        "encrypted",
        "scanned",
        "unsupported",
        "damaged",
        "too_much_text",
        "out_of_time",
        "out_of_memory",
    ] {
        let refusal = Refusal::from_code(code).unwrap();
        assert_eq!(refusal.code(), code);
        assert_eq!(serde_json::to_value(refusal).unwrap(), code);
    }
    assert_eq!(Refusal::from_code("other"), None);
}

/// What the system says of the process once it reads.
#[cfg(target_os = "linux")]
#[test]
fn the_process_has_taken_all_from_itself_that_it_does_not_need() {
    let mut child = started("a.txt", Stdio::null());
    let mut stdin = child.stdin.take().unwrap();
    // More than a pipe holds: when it is written, reading has begun.
    stdin.write_all(&vec![b'x'; 1 << 20]).unwrap();
    let say = |file| std::fs::read_to_string(format!("/proc/{}/{file}", child.id())).unwrap();
    let (limits, status) = (say("limits"), say("status"));
    for limit in [
        "Max address space 536870912 536870912 bytes",
        "Max cpu time 30 31 seconds",
        "Max core file size 0 0 bytes",
        "Max file size 0 0 bytes",
        "Max open files 4 4 files",
        "Max processes 0 0 processes",
    ] {
        let is_there = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ") == limit;
        assert!(limits.lines().any(is_there), "{limit}\n{limits}");
    }
    assert!(status.contains("Seccomp:\t2") && status.contains("NoNewPrivs:\t1"), "{status}");
    drop(stdin);
    assert!(child.wait().unwrap().success());
}
