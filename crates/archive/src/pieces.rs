//! Cuts a file into conversations without reading it as a whole: a JSON array, JSON values one
//! after the other, or a ZIP in which such files are.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::Path;

use unbroken_protocol::ImportFault;
use zip::result::ZipError;

/// The longest conversation that is read, in bytes.
const PIECE_BYTES: usize = 64 << 20;
/// The memory that a conversation may take while it is read, in bytes, about: small values take
/// a hundred times as much as their text.
const PIECE_MEMORY: usize = 384 << 20;
/// Bytes that come out of one file at most, however much smaller it was.
const UNPACKED_BYTES: u64 = 8 << 30;
/// Files in a ZIP that are looked at.
const FILES: usize = 100_000;
/// What other chats put beside their conversations, of whom they are and what was liked and shared.
const COMPANIONS: [&str; 4] =
    ["user.json", "users.json", "message_feedback.json", "shared_conversations.json"];
const BUFFER: usize = 256 << 10;

/// A value of the file.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    Json(Vec<u8>),
    TooLarge,
    /// The file in a ZIP that has this name, or what comes behind its damage.
    Unreadable(String),
}

/// Why a file cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("it is neither JSON nor a ZIP with JSON in it")]
    NotJson,
    #[error("it ends in the middle")]
    CutOff,
    #[error("the ZIP is damaged: {0}")]
    Zip(#[from] ZipError),
    #[error("the ZIP holds more than is unpacked")]
    Bomb,
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
}

impl Unusable {
    /// Whether the file itself cannot be read, whatever is in it.
    fn is_of_the_disk(&self) -> bool {
        match self {
            Self::Io(error) | Self::Zip(ZipError::Io(error)) => error.raw_os_error().is_some(),
            _ => false,
        }
    }

    /// What the person is told of it.
    pub fn fault(&self) -> ImportFault {
        match self {
            Self::NotJson => ImportFault::NotJson,
            Self::CutOff => ImportFault::CutOff,
            Self::Zip(_) => ImportFault::DamagedZip,
            Self::Bomb => ImportFault::TooMuch,
            Self::Io(_) => ImportFault::Unreadable,
        }
    }
}

/// Calls `each` for every value of a file until it breaks.
///
/// Of a ZIP all files are read whose names end in `.json`, in their order, but for known ones that
/// hold no conversation. Their names mean nothing else: nothing is unpacked to a disk. What cannot
/// be read in a ZIP keeps nobody from the rest.
pub fn each_piece(
    mut file: impl Read + Seek,
    mut each: impl FnMut(Piece) -> ControlFlow<()>,
) -> Result<(), Unusable> {
    let mut magic = [0; 4];
    let is_zip = file.read_exact(&mut magic).is_ok() && magic == *b"PK\x03\x04";
    file.seek(SeekFrom::Start(0))?;
    if !is_zip {
        return pieces(BufReader::with_capacity(BUFFER, file), &mut each).map(drop);
    }
    let mut zip = zip::ZipArchive::new(BufReader::with_capacity(BUFFER, file))?;
    let (mut left, mut found, mut fault) = (UNPACKED_BYTES, false, None);
    for index in 0..zip.len().min(FILES) {
        let Some(Ok(name)) = zip.name_for_index(index) else { continue };
        let name = name.into_owned();
        if !may_hold_conversations(&name) {
            continue;
        }
        let mut came = false;
        let outcome = match zip.by_index(index) {
            Ok(entry) if !entry.is_file() => continue,
            Ok(entry) => {
                let mut limited = entry.take(left);
                let reader = BufReader::with_capacity(BUFFER, &mut limited);
                let outcome = pieces(reader, &mut |piece| {
                    came = true;
                    each(piece)
                });
                left = limited.limit();
                outcome
            }
            Err(error) => Err(error.into()),
        };
        found |= came;
        if left == 0 {
            return Err(Unusable::Bomb);
        }
        match outcome {
            Ok(ControlFlow::Break(())) => return Ok(()),
            Ok(ControlFlow::Continue(())) => found = true,
            // What is no conversation may be anything.
            Err(Unusable::NotJson) if !came => {}
            Err(error) if error.is_of_the_disk() => return Err(error),
            Err(error) => {
                fault.get_or_insert(error);
                if each(Piece::Unreadable(name)).is_break() {
                    return Ok(());
                }
            }
        }
    }
    if found { Ok(()) } else { Err(fault.unwrap_or(Unusable::NotJson)) }
}

fn may_hold_conversations(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let path = Path::new(&name);
    let is_companion = COMPANIONS.iter().any(|companion| path.ends_with(companion));
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    is_json && !is_companion && !name.starts_with("__macosx")
}

fn pieces(
    mut input: impl BufRead,
    each: &mut impl FnMut(Piece) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Unusable> {
    let mut is_first = true;
    let mut in_array = false;
    loop {
        let Some(byte) = peek(&mut input)? else {
            return match (is_first, in_array) {
                (true, _) => Err(Unusable::NotJson),
                (false, true) => Err(Unusable::CutOff),
                (false, false) => Ok(ControlFlow::Continue(())),
            };
        };
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' | 0xef | 0xbb | 0xbf => input.consume(1),
            b'[' if !in_array => {
                in_array = true;
                input.consume(1);
            }
            b']' if in_array => {
                in_array = false;
                input.consume(1);
            }
            b'{' | b'[' => {
                if each(value(&mut input)?).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            _ if in_array => skip(&mut input)?,
            _ => return Err(Unusable::NotJson),
        }
        is_first &= !matches!(byte, b'[' | b'{' | b']');
    }
}

fn peek(input: &mut impl BufRead) -> io::Result<Option<u8>> {
    Ok(input.fill_buf()?.first().copied())
}

/// One object or array, up to its end.
fn value(input: &mut impl BufRead) -> Result<Piece, Unusable> {
    let mut scan = Scan::default();
    let (mut kept, mut too_large) = (Vec::new(), false);
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Err(Unusable::CutOff);
        }
        let end = buffer.iter().position(|byte| scan.ends(*byte));
        let taken = end.map_or(buffer.len(), |at| at + 1);
        if kept.len() + taken > PIECE_BYTES || scan.memory > PIECE_MEMORY {
            (too_large, kept) = (true, Vec::new());
        } else if !too_large {
            kept.extend_from_slice(&buffer[..taken]);
        }
        input.consume(taken);
        if end.is_some() {
            return Ok(if too_large { Piece::TooLarge } else { Piece::Json(kept) });
        }
    }
}

/// Where a value ends, and what it takes in memory once it is parsed.
#[derive(Default)]
pub(crate) struct Scan {
    depth: usize,
    in_text: bool,
    escaped: bool,
    /// Bytes, about, and rather too many.
    memory: usize,
}

impl Scan {
    /// How many values are open behind this byte.
    pub(crate) fn depth_after(&mut self, byte: u8) -> usize {
        self.ends(byte);
        self.depth
    }

    fn ends(&mut self, byte: u8) -> bool {
        self.memory += 1;
        if self.escaped {
            self.escaped = false;
            return false;
        }
        if self.in_text {
            self.escaped = byte == b'\\';
            self.in_text = byte != b'"';
            return false;
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.memory += cost(byte);
        self.depth == 0
    }
}

/// What `serde_json` allocates for what begins with this byte: maps and lists have room for four
/// values of about 80 bytes at first, and then for twice as many.
fn cost(byte: u8) -> usize {
    match byte {
        b'{' => 640,
        b'[' => 384,
        b',' => 160,
        b'"' => 32,
        _ => 0,
    }
}

/// A number, a text or a word among the conversations: none of them.
fn skip(input: &mut impl BufRead) -> Result<(), Unusable> {
    let (mut in_text, mut escaped, mut is_first) = (false, false, true);
    loop {
        let Some(byte) = peek(input)? else { return Err(Unusable::CutOff) };
        let is_end = matches!(byte, b',' | b']' | b'[' | b'{') && !in_text;
        if is_end && !is_first {
            return Ok(());
        }
        (escaped, in_text) = match byte {
            _ if escaped => (false, in_text),
            b'\\' => (in_text, in_text),
            b'"' => (false, !in_text),
            _ => (false, in_text),
        };
        is_first = false;
        input.consume(1);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn all(text: &[u8]) -> Result<Vec<String>, Unusable> {
        let mut found = Vec::new();
        each_piece(Cursor::new(text), |piece| {
            let Piece::Json(json) = piece else { panic!("it is small") };
            found.push(String::from_utf8(json).expect("it is text"));
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    #[test]
    fn an_array_and_values_in_a_row_are_cut_alike() {
        let expected = [r#"{"a":"]},\"{"}"#, r#"{"b":[{}]}"#];
        for text in [
            r#"[{"a":"]},\"{"},{"b":[{}]}]"#,
            "{\"a\":\"]},\\\"{\"}\n{\"b\":[{}]}\n",
            "\u{feff}[ 1, \"x,{\", null, {\"a\":\"]},\\\"{\"} , {\"b\":[{}]}]",
        ] {
            assert_eq!(all(text.as_bytes()).expect("it is JSON"), expected, "{text}");
        }
    }

    #[test]
    fn what_is_cut_off_or_no_json_says_so() {
        assert!(matches!(all(b"[{\"a\":1},{\"b\":"), Err(Unusable::CutOff)));
        assert!(matches!(all(b"[{\"a\":1},"), Err(Unusable::CutOff)));
        assert!(matches!(all(b"GIF89a"), Err(Unusable::NotJson)));
        assert!(matches!(all(b""), Err(Unusable::NotJson)));
        assert!(matches!(all(b"PK\x03\x04 and then nothing"), Err(Unusable::Zip(_))));
    }

    /// A ZIP with these files, none of them compressed.
    fn zip(files: &[(&str, &str)]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        for (name, text) in files {
            zip.start_file(*name, options).expect("there is room");
            io::Write::write_all(&mut zip, text.as_bytes()).expect("there is room");
        }
        zip.finish().expect("there is room").into_inner()
    }

    fn pieces_of(file: &[u8]) -> (Vec<Piece>, Result<(), Unusable>) {
        let mut found = Vec::new();
        let outcome = each_piece(Cursor::new(file), |piece| {
            found.push(piece);
            ControlFlow::Continue(())
        });
        (found, outcome)
    }

    #[test]
    fn what_cannot_be_read_in_a_zip_keeps_nobody_from_the_rest() {
        let mut file = zip(&[
            ("picture.png", "locked"),
            ("cut.json", "[{\"a\":1},{\"b\":"),
            ("damaged.json", "[{\"c\":3}]"),
            ("locked.json", "[{\"d\":4}]"),
            ("notes/empty.json", ""),
            ("good.json", "[{\"e\":5}]"),
        ]);
        let at = file.windows(7).position(|bytes| bytes == b"{\"c\":3}");
        file[at.expect("it is there") + 5] = b'8';
        // The flag that says that a file is encrypted, in its own header and in the list.
        for name in ["picture.png", "locked.json"] {
            for (magic, flags, header) in [(b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)] {
                let at = (0..file.len() - header).find(|at| {
                    file[*at..].starts_with(magic)
                        && file[at + header..].starts_with(name.as_bytes())
                });
                file[at.expect("it is there") + flags] |= 1;
            }
        }
        let json = |text: &str| Piece::Json(text.into());
        let unreadable = |name: &str| Piece::Unreadable(name.into());
        let (found, outcome) = pieces_of(&file);
        assert!(outcome.is_ok(), "{outcome:?}");
        let expected = [
            json("{\"a\":1}"),
            unreadable("cut.json"),
            json("{\"c\":8}"),
            unreadable("damaged.json"),
            unreadable("locked.json"),
            json("{\"e\":5}"),
        ];
        assert_eq!(found, expected);
        let (found, outcome) = pieces_of(&zip(&[("cut.json", "[{\"b\":")]));
        assert_eq!(found, [unreadable("cut.json")]);
        assert!(matches!(outcome, Err(Unusable::CutOff)), "nothing else is in it");
    }

    #[test]
    fn what_other_chats_put_beside_their_conversations_is_none_of_them() {
        let file = zip(&[
            ("export/user.json", "{\"email\":\"a@b\"}"),
            ("message_feedback.json", "[{\"rating\":\"up\"},{\"rating\":\"up\"}]"),
            ("Shared_Conversations.json", "[{\"id\":\"x\"}]"),
            ("my-user.json", "[{\"a\":1}]"),
        ]);
        let (found, outcome) = pieces_of(&file);
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!(found, [Piece::Json("{\"a\":1}".into())]);
    }

    #[test]
    fn many_small_values_are_too_large_long_before_many_bytes_are() {
        let piece = |text: String| {
            let mut found = None;
            let each = |piece| {
                found = Some(piece);
                ControlFlow::Continue(())
            };
            each_piece(Cursor::new(text), each).expect("it is JSON");
            found.expect("a value")
        };
        let maps = format!("{{\"a\":[{}0]}}", "{\"\":0},".repeat(700_000));
        let numbers = format!("[[{}0]]", "0,".repeat(4_000_000));
        let texts = format!("{{\"a\":[{}0]}}", "\"\",".repeat(3_000_000));
        for text in [maps, numbers, texts] {
            assert_eq!(piece(text), Piece::TooLarge);
        }
        // What is long by what was said in it is not.
        let said = format!("{{\"a\":\"{}\"}}", "{[,".repeat(10_000_000));
        assert!(matches!(piece(said), Piece::Json(_)));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = each_piece(Cursor::new(&bytes), |_| ControlFlow::Continue(()));
            let mut array = b"[".to_vec();
            array.extend(bytes);
            let _ = each_piece(Cursor::new(&array), |_| ControlFlow::Continue(()));
        }
    }
}
