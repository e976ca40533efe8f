//! Server-sent events from bytes as they come (WHATWG HTML, section 9.2.6).
//!
//! Bytes are cut into lines before anything looks at UTF-8, so a character may be split over reads.
//! Comments give no event; whoever reads the bytes counts them as a sign of life.

/// The longest event that is taken, in bytes.
pub const EVENT_BYTES: usize = 16 * 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One event: its name, empty when it has none, and its `data` lines joined by `\n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SseEvent<'a> {
    pub name: &'a [u8],
    pub data: &'a [u8],
}

/// An event was longer than [`EVENT_BYTES`]; nothing more can be read from this stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is longer than {EVENT_BYTES} bytes")]
pub struct EventTooLong;

/// Decodes one stream. Its buffers are kept from event to event.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    event: Pending,
    /// The last line ended with CR: an LF that follows belongs to it.
    after_cr: bool,
    /// The first line is over, and with it the place of a byte order mark.
    begun: bool,
}

/// The event that is being gathered.
#[derive(Debug, Default)]
struct Pending {
    name: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
}

impl Decoder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes and calls `on_event` for every event that they complete.
    pub fn push(
        &mut self,
        mut bytes: &[u8],
        mut on_event: impl FnMut(SseEvent<'_>),
    ) -> Result<(), EventTooLong> {
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_cr) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) else {
                self.line.extend_from_slice(bytes);
                return self.check();
            };
            self.after_cr = bytes[end] == b'\r';
            if self.line.is_empty() {
                self.event.line(without_mark(&bytes[..end], &mut self.begun), &mut on_event);
            } else {
                self.line.extend_from_slice(&bytes[..end]);
                self.event.line(without_mark(&self.line, &mut self.begun), &mut on_event);
                self.line.clear();
            }
            self.check()?;
            bytes = &bytes[end + 1..];
        }
        Ok(())
    }

    /// The stream is over: what was gathered counts as an event although no blank line closed it.
    /// It may be cut in the middle.
    pub fn end(mut self, mut on_event: impl FnMut(SseEvent<'_>)) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.event.line(without_mark(&line, &mut self.begun), &mut on_event);
        }
        self.event.line(b"", &mut on_event);
    }

    fn check(&self) -> Result<(), EventTooLong> {
        let held = self.line.len() + self.event.data.len() + self.event.name.len();
        if held > EVENT_BYTES { Err(EventTooLong) } else { Ok(()) }
    }
}

impl Pending {
    fn line(&mut self, line: &[u8], on_event: &mut impl FnMut(SseEvent<'_>)) {
        if line.is_empty() {
            if self.has_data {
                on_event(SseEvent { name: &self.name, data: &self.data });
            }
            self.name.clear();
            self.data.clear();
            self.has_data = false;
            return;
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
            }
            b"event" => {
                self.name.clear();
                self.name.extend_from_slice(value);
            }
            _ => {}
        }
    }
}

fn without_mark<'a>(line: &'a [u8], begun: &mut bool) -> &'a [u8] {
    if std::mem::replace(begun, true) {
        return line;
    }
    line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(parts: &[&[u8]]) -> Vec<(String, String)> {
        let mut events = Vec::new();
        let mut keep = |event: SseEvent<'_>| {
            events.push((
                String::from_utf8_lossy(event.name).into_owned(),
                String::from_utf8_lossy(event.data).into_owned(),
            ));
        };
        let mut decoder = Decoder::new();
        for part in parts {
            decoder.push(part, &mut keep).unwrap();
        }
        decoder.end(&mut keep);
        events
    }

    fn data(text: &str) -> Vec<String> {
        decode(&[text.as_bytes()]).into_iter().map(|(_, data)| data).collect()
    }

    #[test]
    fn lines_end_with_lf_crlf_or_cr() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["data: a", "", "data: b", "", ""].join(end);
            assert_eq!(data(&text), ["a", "b"], "{end:?}");
        }
    }

    #[test]
    fn one_space_after_the_colon_is_dropped() {
        assert_eq!(data("data:a\n\ndata: b\n\ndata:  c\n\n"), ["a", "b", " c"]);
    }

    #[test]
    fn several_data_lines_are_joined() {
        assert_eq!(data("data: {\ndata:  1\ndata\ndata: }\n\n"), ["{\n 1\n\n}"]);
    }

    #[test]
    fn comments_and_other_fields_give_no_event() {
        assert_eq!(data(": OPENROUTER PROCESSING\n\n:\n\nid: 4\nretry: 9\n\ndata: a\n\n"), ["a"]);
    }

    #[test]
    fn an_event_keeps_its_name_and_the_next_has_none() {
        let events = decode(&[b"event: error\ndata: a\n\ndata: b\n\n"]);
        assert_eq!(events, [("error".into(), "a".into()), (String::new(), "b".into())]);
    }

    #[test]
    fn a_byte_order_mark_is_dropped() {
        assert_eq!(data("\u{feff}data: a\n\n"), ["a"]);
    }

    #[test]
    fn the_last_event_needs_no_blank_line() {
        assert_eq!(data("data: a\n\ndata: [DONE]"), ["a", "[DONE]"]);
    }

    #[test]
    fn an_event_that_is_too_long_is_refused() {
        let mut decoder = Decoder::new();
        let block = vec![b'a'; 1024 * 1024];
        decoder.push(b"data: ", |_| ()).unwrap();
        for _ in 0..15 {
            decoder.push(&block, |_| ()).unwrap();
        }
        assert_eq!(decoder.push(&block, |_| ()), Err(EventTooLong));

        let mut decoder = Decoder::new();
        let line = [b"data: ", &block[..], b"\n"].concat();
        let refused = (0..17).find_map(|_| decoder.push(&line, |_| ()).err());
        assert_eq!(refused, Some(EventTooLong));
    }

    proptest! {
        #[test]
        fn any_cut_of_the_bytes_gives_the_same_events(
            lines in prop::collection::vec(
                prop_oneof![
                    Just(String::new()),
                    Just(": alive".to_owned()),
                    Just("event: error".to_owned()),
                    "data: ?[a-zäß中🦀 :]{0,12}",
                    "[a-z]{0,4}",
                ],
                0..24,
            ),
            ends in prop::collection::vec(prop_oneof![Just("\n"), Just("\r\n"), Just("\r")], 24),
            cuts in prop::collection::vec(0usize..400, 0..12),
        ) {
            let pairs = lines.iter().zip(&ends);
            let lines: Vec<String> = pairs.map(|(line, end)| format!("{line}{end}")).collect();
            let text = lines.concat();
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|at| at.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let parts: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            let each: Vec<&[u8]> = bytes.chunks(1).collect();
            let whole = decode(&[bytes]);
            prop_assert_eq!(&decode(&parts), &whole);
            prop_assert_eq!(&decode(&each), &whole);
        }
    }
}
