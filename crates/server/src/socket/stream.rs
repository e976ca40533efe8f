//! A connection's WebSocket (RFC 6455). Reading it, and control frames, are the library's; text
//! goes out as one buffer and, mostly, one call of the kernel.
//!
//! The library's way of sending asks a sink three times, copies the frame into a buffer of its own,
//! and goes through the layers of the upgrade, for every token.

use std::io;
use std::task::{Context, Poll};

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use unbroken_protocol::{Event, limits};

use crate::arrivals::Arrival;

/// Frames a little over the limit are read whole, so that the close code reaches the client.
const READ_LIMIT: usize = 8 * limits::CLIENT_FRAME_BYTES;
/// Small buffers: thousands of sockets are idle most of the time.
const READ_BUFFER: usize = 1024;
const WRITE_BUFFER: usize = 0;
/// The longest head of a frame that is not masked.
const HEAD: usize = 10;
/// Room for what most frames are: the record of a token, with its ids.
const ROOM: usize = 512;

pub(super) struct Socket(WebSocketStream<Arrival>);

impl Socket {
    /// Takes the connection that was upgraded; `None` when it is none that this server accepted.
    pub(super) async fn new(upgraded: Upgraded) -> Option<Self> {
        let parts = upgraded.downcast::<TokioIo<Arrival>>().ok()?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(READ_LIMIT))
            .max_frame_size(Some(READ_LIMIT))
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER);
        let (arrival, read) = (parts.io.into_inner(), parts.read_buf.to_vec());
        let role = Role::Server;
        Some(Self(WebSocketStream::from_partially_read(arrival, read, role, Some(config)).await))
    }

    pub(super) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Message, Error>>> {
        self.0.poll_next_unpin(context)
    }

    pub(super) async fn next(&mut self) -> Option<Result<Message, Error>> {
        self.0.next().await
    }

    /// Sends a control frame.
    pub(super) async fn control(&mut self, message: Message) -> Result<(), Error> {
        self.0.send(message).await
    }

    /// Brings the library's own answer to what it read on its way, so that no text gets into the
    /// middle of it.
    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        self.0.flush().await
    }

    /// Writes as much of the frame as fits without waiting.
    pub(super) fn begin(&mut self, frame: &mut TextFrame) -> io::Result<()> {
        match self.0.get_ref().try_write(frame.rest()) {
            Ok(written) => frame.at += written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Writes the rest of the frame. Another frame before its end would be read as a part of it.
    pub(super) async fn finish(&mut self, frame: &TextFrame) -> io::Result<()> {
        self.0.get_mut().write_all(frame.rest()).await
    }
}

/// A text frame, or a fragment of one, as it is sent.
pub(super) struct TextFrame {
    bytes: Vec<u8>,
    /// What is before was written.
    at: usize,
}

impl TextFrame {
    pub(super) fn of(event: &Event) -> Self {
        let mut bytes = Vec::with_capacity(ROOM);
        bytes.resize(HEAD, 0);
        serde_json::to_writer(&mut bytes, event).expect("an event is plain data");
        Self::with_head(bytes, Data::Text, true)
    }

    /// A part of a text that is sent in several.
    pub(super) fn fragment(text: &str, kind: Data, is_final: bool) -> Self {
        let mut bytes = Vec::with_capacity(HEAD + text.len());
        bytes.resize(HEAD, 0);
        bytes.extend_from_slice(text.as_bytes());
        Self::with_head(bytes, kind, is_final)
    }

    /// Puts the head right before the payload, which begins at [`HEAD`].
    fn with_head(mut bytes: Vec<u8>, kind: Data, is_final: bool) -> Self {
        let header = FrameHeader { is_final, opcode: OpCode::Data(kind), ..FrameHeader::default() };
        let length = (bytes.len() - HEAD) as u64;
        let at = HEAD - header.len(length);
        let mut head = &mut bytes[at..HEAD];
        header.format(length, &mut head).expect("there is room for it");
        Self { bytes, at }
    }

    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn a_frame_of_any_length_has_the_head_of_its_length() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 100_000] {
            let text = "a".repeat(length);
            let frame = TextFrame::fragment(&text, Data::Continue, false);
            let mut cursor = Cursor::new(frame.rest());
            let (header, said) = FrameHeader::parse(&mut cursor).unwrap().expect("a whole head");
            assert_eq!((said, header.mask), (length as u64, None));
            assert_eq!((header.opcode, header.is_final), (OpCode::Data(Data::Continue), false));
            let at = usize::try_from(cursor.position()).unwrap();
            assert_eq!(&frame.rest()[at..], text.as_bytes());
        }
    }
}
