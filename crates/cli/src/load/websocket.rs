//! As much of a WebSocket client (RFC 6455) as a load needs: text frames, read in place.

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::LoadError;
use super::address::Address;
use super::buffer::Buffer;
use memchr::memmem::find;

pub(super) struct WebSocket {
    stream: TcpStream,
    buffer: Buffer,
    /// A message that came in pieces.
    pieces: Vec<u8>,
}

/// A frame from the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    Text(&'a [u8]),
    Ping(&'a [u8]),
    Close(u16),
    Other,
}

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

impl WebSocket {
    pub(super) async fn connect(address: &Address, path: &str) -> Result<Self, LoadError> {
        let stream = address.connect().await?;
        let mut socket = Self { stream, buffer: Buffer::default(), pieces: Vec::new() };
        let (host, base) = (&address.host, &address.path);
        // Nothing between here and the server confuses this with another protocol, so the key may
        // be the one of the RFC's example, and its answer is not looked at.
        let upgrade = format!(
            "GET {base}{path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        socket.stream.write_all(upgrade.as_bytes()).await?;
        let end = loop {
            if let Some(end) = find(socket.buffer.waiting(), b"\r\n\r\n") {
                break end + 4;
            }
            socket.fill().await?;
        };
        if !socket.buffer.take(end).starts_with(b"HTTP/1.1 101") {
            return Err(LoadError::Strange("the answer to an upgrade"));
        }
        Ok(socket)
    }

    pub(super) async fn send(&mut self, text: &str) -> Result<(), LoadError> {
        self.transmit(TEXT, text.as_bytes()).await
    }

    pub(super) async fn pong(&mut self, payload: &[u8]) -> Result<(), LoadError> {
        self.transmit(PONG, payload).await
    }

    async fn transmit(&mut self, opcode: u8, payload: &[u8]) -> Result<(), LoadError> {
        self.stream.write_all(&masked(opcode, payload)).await?;
        Ok(())
    }

    /// Waits for bytes and says how many came. Cancel safe.
    pub(super) async fn fill(&mut self) -> Result<usize, LoadError> {
        Ok(self.buffer.fill(&mut self.stream).await?)
    }

    /// The next frame, or message in pieces, when all of it is here.
    pub(super) fn next(&mut self) -> Result<Option<Frame<'_>>, LoadError> {
        loop {
            let Some(header) = header(self.buffer.waiting())? else { return Ok(None) };
            let Header { opcode, is_final, begin, length } = header;
            let end = begin.saturating_add(length);
            if self.buffer.waiting().len() < end {
                return Ok(None);
            }
            if opcode > BINARY || (opcode == TEXT && is_final) {
                return Ok(Some(frame(opcode, &self.buffer.take(end)[begin..])));
            }
            if opcode != CONTINUATION {
                self.pieces.clear();
            }
            self.pieces.extend_from_slice(&self.buffer.take(end)[begin..]);
            if is_final {
                return Ok(Some(Frame::Text(&self.pieces)));
            }
        }
    }
}

fn frame(opcode: u8, payload: &[u8]) -> Frame<'_> {
    match opcode {
        TEXT => Frame::Text(payload),
        CLOSE => Frame::Close(payload.first_chunk().map_or(1005, |c| u16::from_be_bytes(*c))),
        PING => Frame::Ping(payload),
        _ => Frame::Other,
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Header {
    opcode: u8,
    is_final: bool,
    /// Where the payload begins.
    begin: usize,
    length: usize,
}

fn header(bytes: &[u8]) -> Result<Option<Header>, LoadError> {
    let Some([first, second]) = bytes.first_chunk() else { return Ok(None) };
    let is_final = first & 0x80 != 0;
    let is_masked = second & 0x80 != 0;
    if is_masked {
        return Err(LoadError::Strange("a frame with a mask"));
    }
    let (begin, length) = match second & 0x7F {
        126 => (4, bytes[2..].first_chunk().map(|n| u64::from(u16::from_be_bytes(*n)))),
        127 => (10, bytes[2..].first_chunk().map(|n| u64::from_be_bytes(*n))),
        short => (2, Some(u64::from(short))),
    };
    let Some(length) = length else { return Ok(None) };
    let length = usize::try_from(length).map_err(|_| LoadError::Strange("a frame's length"))?;
    Ok(Some(Header { opcode: first & 0xF, is_final, begin, length }))
}

/// A frame as a client must send it. The mask protects careless proxies, and none is here: one of
/// zeros leaves the payload as it is.
fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length), _) if length < 126 => frame.push(0x80 | length),
        (_, Ok(length)) => {
            frame.push(0x80 | 0x7E);
            frame.extend(length.to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 0x7F);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn parsed(bytes: &[u8]) -> Option<Header> {
        header(bytes).unwrap()
    }

    #[test]
    fn a_header_is_read_once_all_of_it_is_here() {
        let is_final = true;
        let header = |begin, length| Some(Header { opcode: TEXT, is_final, begin, length });
        assert_eq!(parsed(&[0x81, 5]), header(2, 5));
        assert_eq!(parsed(&[0x81, 126, 1, 0]), header(4, 256));
        assert_eq!(parsed(&[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]), header(10, 65_536));
        for part in [&[][..], &[0x81], &[0x81, 126, 1], &[0x81, 127, 0, 0, 0, 0, 0, 1, 0]] {
            assert_eq!(parsed(part), None, "{part:?}");
        }
    }

    #[test]
    fn a_masked_frame_is_refused() {
        assert!(header(&[0x81, 0x85]).is_err());
    }

    #[tokio::test]
    async fn a_message_in_pieces_is_put_together_around_a_ping() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address::parse(&format!("http://{}", listener.local_addr().unwrap()));
        let sent = b"HTTP/1.1 101 Switching Protocols\r\n\r\n\
            \x01\x02ab\x89\x01p\x00\x01c\x80\x01d\x81\x01e\x88\x02\x03\xf4";
        let serve = async {
            let mut stream = listener.accept().await.unwrap().0;
            stream.write_all(sent).await.unwrap();
            stream
        };
        let address = address.unwrap();
        let (_stream, socket) = tokio::join!(serve, WebSocket::connect(&address, "/ws"));
        let mut socket = socket.unwrap();
        let expected =
            [Frame::Ping(b"p"), Frame::Text(b"abcd"), Frame::Text(b"e"), Frame::Close(1012)];
        for expected in expected {
            loop {
                if let Some(frame) = socket.next().unwrap() {
                    assert_eq!(frame, expected);
                    break;
                }
                socket.fill().await.unwrap();
            }
        }
    }

    #[test]
    fn the_length_of_what_is_sent_has_three_forms() {
        assert_eq!(masked(TEXT, b"hi")[..2], [0x81, 0x82]);
        assert_eq!(masked(TEXT, &[b'x'; 126])[..4], [0x81, 0xFE, 0, 126]);
        let long = masked(TEXT, &vec![b'x'; 65_536]);
        assert_eq!((&long[..4], long.len()), (&[0x81, 0xFF, 0, 0][..], 65_536 + 14));
    }
}
