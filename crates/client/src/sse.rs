//! Reading server-sent events out of whatever pieces they arrive in.

use unbroken_protocol::Event;

/// Bytes of a stream that do not make a whole message yet.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    buffer: Vec<u8>,
    /// No message ends before this byte.
    searched: usize,
}

impl Parser {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message. A comment, and what is no event of ours, is [`Event::Unknown`]: a
    /// sign of life.
    pub(crate) fn next(&mut self) -> Option<Event> {
        let rest = self.buffer.get(self.searched..)?;
        let Some(end) = rest.windows(2).position(|pair| pair == b"\n\n") else {
            self.searched = self.buffer.len().saturating_sub(1);
            return None;
        };
        let end = self.searched + end;
        let data = self.buffer[..end].split(|byte| *byte == b'\n').find_map(data);
        let data = data.and_then(|data| str::from_utf8(data).ok());
        let event = data.and_then(|data| serde_json::from_str(data).ok());
        self.buffer.drain(..end + 2);
        self.searched = 0;
        Some(event.unwrap_or(Event::Unknown))
    }
}

/// The server writes one line of data for each message.
fn data(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"data:")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unbroken_protocol::Draining;

    use super::*;

    const STREAM: &str = ": here\n\nid: 1.2\nevent: draining\n\
        data: {\"type\":\"draining\",\"reconnect_after_ms\":5,\"x\":\"ü\"}\n\ndata: {\n\n";

    proptest! {
        #[test]
        fn messages_are_the_same_however_they_are_cut(
            cuts in prop::collection::vec(0..STREAM.len(), 0..12),
        ) {
            let mut cuts = cuts;
            cuts.extend([0, STREAM.len()]);
            cuts.sort_unstable();
            let (mut parser, mut events) = (Parser::default(), Vec::new());
            for pair in cuts.windows(2) {
                parser.push(&STREAM.as_bytes()[pair[0]..pair[1]]);
                events.extend(std::iter::from_fn(|| parser.next()));
            }
            let draining = Event::Draining(Draining { reconnect_after_ms: 5 });
            prop_assert_eq!(events, [Event::Unknown, draining, Event::Unknown]);
        }
    }
}
