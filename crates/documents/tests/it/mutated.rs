//! Files that broke on their way: every reader comes back from each of them.
//!
//! `UNBROKEN_FUZZ_SECONDS` says how long to look for one that does not; `UNBROKEN_FUZZ_SEED`,
//! where to begin.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use unbroken_documents::{Limits, Refusal, read};

use crate::{files, process};

/// Small, so that a run sees many files.
fn limits() -> Limits {
    Limits { text: 1 << 20, entry: 1 << 20, unpacked: 4 << 20, ..Limits::default() }
}

/// A generator that is the same everywhere (xorshift64*).
struct Seeded(u64);

impl Seeded {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % below.max(1)
    }
}

fn mutate(bytes: &mut Vec<u8>, seeded: &mut Seeded) {
    const WORDS: [&[u8]; 12] = [
        b"<",
        b">",
        b"&",
        b"\"",
        b"-1",
        b"99999999999",
        b"\xff\xff\xff\xff",
        b"\0\0\0\0",
        b"<<",
        b"]",
        b" 0 R",
        b"\xed\xa0\x80",
    ];
    for _ in 0..=seeded.next(4) {
        let at = seeded.next(bytes.len());
        let end = (at + seeded.next(64)).min(bytes.len());
        match seeded.next(7) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            3 => {
                let word = WORDS[seeded.next(WORDS.len())];
                bytes.splice(at..at, word.iter().copied());
            }
            4 => {
                let word = WORDS[seeded.next(WORDS.len())];
                bytes.splice(at..end.min(at + word.len()), word.iter().copied());
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = u8::try_from(seeded.next(256)).unwrap();
                }
            }
        }
    }
}

/// Changes a file within the archive, as a change of packed bytes mostly ends at its checksum.
fn mutate_inside(archive: &[u8], seeded: &mut Seeded) -> Vec<u8> {
    let mut zip = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let chosen = seeded.next(zip.len());
    let mut files = Vec::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        if index == chosen {
            mutate(&mut bytes, seeded);
        }
        files.push((file.name().unwrap().into_owned(), bytes));
    }
    files::pack(&files.iter().map(|(name, bytes)| (name.as_str(), bytes)).collect::<Vec<_>>())
}

/// Whether it came back; a panic is what the process of its own is for.
fn comes_back(bytes: &[u8], name: &str) -> bool {
    let began = Instant::now();
    let read = catch_unwind(AssertUnwindSafe(|| read(bytes, name, &limits())));
    assert!(began.elapsed() < Duration::from_secs(10), "{name} took {:?}", began.elapsed());
    read.is_ok()
}

#[test]
fn every_reader_comes_back_from_broken_files() {
    let (mut tries, mut panics) = (0, 0);
    for (name, bytes) in broken_files(60) {
        tries += 1;
        panics += usize::from(!comes_back(&bytes, name));
    }
    println!("{tries} files, {panics} panics");
}

/// What ends the process that reads, as a library that asks for more memory than there is, is a
/// reason like any other.
#[tokio::test]
async fn a_broken_file_ends_at_most_the_process_that_reads_it() {
    let reader = process::reader(limits());
    let mut ends = BTreeMap::<_, usize>::new();
    for (name, bytes) in broken_files(3) {
        let read = reader.read(name, bytes.as_slice()).await.unwrap();
        *ends.entry(read.map_or_else(Refusal::code, |_| "read")).or_default() += 1;
    }
    println!("{ends:?}");
}

/// Every file of the corpus, broken so many times; for so many seconds when they are told.
fn broken_files(rounds: usize) -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse().ok());
    let seconds = number("UNBROKEN_FUZZ_SECONDS");
    let mut seeded = Seeded(number("UNBROKEN_FUZZ_SEED").unwrap_or(0x5eed) | 1);
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(60));
    let rounds = if seconds.is_some() { usize::MAX } else { rounds };
    let files = files::all();
    let all =
        (0..rounds).take_while(move |_| Instant::now() < end).flat_map(move |_| files.clone());
    all.map(move |(name, bytes)| {
        let broken = if bytes.starts_with(b"PK") && seeded.next(5) > 0 {
            mutate_inside(&bytes, &mut seeded)
        } else {
            let mut broken = bytes;
            mutate(&mut broken, &mut seeded);
            broken
        };
        (name, broken)
    })
}
