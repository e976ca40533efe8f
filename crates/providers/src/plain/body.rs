//! The body of a response, as its bytes come.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::Frame;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use tokio::net::TcpStream;
use tokio_util::io::poll_read_buf;

use super::{Kept, READ, invalid, names};

/// The longest line of a chunk's size or of a trailer, in bytes.
const LINE: usize = 8 * 1024;

/// Where a body ends (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// After so many bytes.
    Length(u64),
    Chunked(Chunk),
    UntilClose,
}

/// What of a chunked body comes next (RFC 9112, section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    Size,
    /// So many bytes of data, and the end of their line.
    Data(u64),
    DataEnd,
    /// Fields that nobody asked for, up to an empty line.
    Trailer,
    End,
}

impl Framing {
    pub(super) fn of(status: StatusCode, headers: &HeaderMap) -> io::Result<Self> {
        if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            return Ok(Self::Length(0));
        }
        if headers.contains_key(TRANSFER_ENCODING) {
            let chunked = names(headers, &TRANSFER_ENCODING, "chunked");
            return Ok(if chunked { Self::Chunked(Chunk::Size) } else { Self::UntilClose });
        }
        let Some(length) = headers.get(CONTENT_LENGTH) else { return Ok(Self::UntilClose) };
        let length = length.to_str().ok().and_then(|length| length.trim().parse().ok());
        Ok(Self::Length(length.ok_or_else(|| invalid("a length that is no number"))?))
    }

    fn is_over(self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunk::End))
    }

    /// Takes the next piece of the body out of what was read; `None` when more has to be read.
    fn take(&mut self, read: &mut BytesMut) -> io::Result<Option<Bytes>> {
        loop {
            let chunk = match self {
                Self::Length(left) => return Ok(piece(read, left)),
                Self::UntilClose => return Ok((!read.is_empty()).then(|| read.split().freeze())),
                Self::Chunked(chunk) => chunk,
            };
            *chunk = match chunk {
                Chunk::Size => match httparse::parse_chunk_size(read).map_err(|_| BAD_CHUNK)? {
                    httparse::Status::Complete((length, size)) => {
                        let _ = read.split_to(length);
                        if size == 0 { Chunk::Trailer } else { Chunk::Data(size) }
                    }
                    httparse::Status::Partial => return incomplete(read),
                },
                Chunk::Data(0) => Chunk::DataEnd,
                Chunk::Data(left) => return Ok(piece(read, left)),
                Chunk::DataEnd => match line(read) {
                    Some(0) => Chunk::Size,
                    Some(_) => return Err(BAD_CHUNK.into()),
                    None => return incomplete(read),
                },
                Chunk::Trailer => match line(read) {
                    Some(0) => Chunk::End,
                    Some(_) => Chunk::Trailer,
                    None => return incomplete(read),
                },
                Chunk::End => return Ok(None),
            };
        }
    }
}

const BAD_CHUNK: io::ErrorKind = io::ErrorKind::InvalidData;

fn incomplete(read: &BytesMut) -> io::Result<Option<Bytes>> {
    if read.len() > LINE { Err(BAD_CHUNK.into()) } else { Ok(None) }
}

/// At most `left` bytes of what was read.
fn piece(read: &mut BytesMut, left: &mut u64) -> Option<Bytes> {
    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(read.len());
    *left -= length as u64;
    (length > 0).then(|| read.split_to(length).freeze())
}

/// Takes a line out of what was read and returns its length.
fn line(read: &mut BytesMut) -> Option<usize> {
    let end = memchr::memchr(b'\n', read)?;
    let line = read.split_to(end + 1);
    Some(line.strip_suffix(b"\r\n").unwrap_or(&line[..end]).len())
}

/// A body that is read from the socket by whoever polls it.
pub(super) struct Body {
    /// `None` when the body is over.
    stream: Option<TcpStream>,
    read: BytesMut,
    framing: Framing,
    /// Where the connection goes afterwards, if it can take another call.
    kept: Option<(Arc<Kept>, String)>,
}

impl Body {
    pub(super) fn new(
        stream: TcpStream,
        read: BytesMut,
        framing: Framing,
        kept: Option<(Arc<Kept>, String)>,
    ) -> Self {
        Self { stream: Some(stream), read, framing, kept }
    }

    /// The connection goes back, unless the server said more than it had announced.
    fn end(&mut self) {
        if let (Some(stream), Some((kept, place))) = (self.stream.take(), self.kept.take())
            && self.read.is_empty()
        {
            kept.keep(place, stream);
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        loop {
            match this.framing.take(&mut this.read) {
                Ok(Some(piece)) => return Poll::Ready(Some(Ok(Frame::data(piece)))),
                Ok(None) => {}
                Err(error) => {
                    this.stream = None;
                    return Poll::Ready(Some(Err(error)));
                }
            }
            if this.framing.is_over() {
                this.end();
            }
            let Some(stream) = &mut this.stream else { return Poll::Ready(None) };
            // Mostly what was taken out is free again, and nothing is allocated.
            if this.read.capacity() - this.read.len() < READ / 4 {
                this.read.reserve(READ);
            }
            let length = ready!(poll_read_buf(Pin::new(stream), context, &mut this.read));
            if !matches!(length, Ok(1..)) {
                this.stream = None;
                return Poll::Ready(match (length, this.framing) {
                    (Ok(_), Framing::UntilClose) => None,
                    (Ok(_), _) => Some(Err(io::ErrorKind::UnexpectedEof.into())),
                    (Err(error), _) => Some(Err(error)),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A chunked body: each piece with or without an extension, then trailers.
    fn chunked(pieces: &[(Vec<u8>, bool)], trailers: usize) -> Vec<u8> {
        let mut body = Vec::new();
        for (piece, extended) in pieces {
            let extension = if *extended { ";a=\"b\"" } else { "" };
            body.extend(format!("{:x}{extension}\r\n", piece.len()).into_bytes());
            body.extend(piece);
            body.extend(b"\r\n");
        }
        body.extend(b"0\r\n");
        body.extend(b"expires: never\r\n".repeat(trailers));
        body.extend(b"\r\n");
        body
    }

    /// What is taken when the bytes come in these parts, and what is left over.
    fn take(mut framing: Framing, parts: &[&[u8]]) -> io::Result<(Vec<u8>, Vec<u8>, bool)> {
        let (mut read, mut taken) = (BytesMut::new(), Vec::new());
        for part in parts {
            read.extend_from_slice(part);
            while let Some(piece) = framing.take(&mut read)? {
                taken.extend_from_slice(&piece);
            }
        }
        Ok((taken, read.to_vec(), framing.is_over()))
    }

    fn cut<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
        let mut cuts: Vec<usize> = cuts.iter().map(|at| at % (bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect()
    }

    proptest! {
        #[test]
        fn a_chunked_body_is_the_same_however_it_is_cut(
            pieces in prop::collection::vec(
                (prop::collection::vec(any::<u8>(), 1..40), any::<bool>()), 0..8),
            trailers in 0usize..3,
            cuts in prop::collection::vec(any::<usize>(), 0..12),
        ) {
            let body = chunked(&pieces, trailers);
            let text: Vec<u8> = pieces.into_iter().flat_map(|(piece, _)| piece).collect();
            let taken = take(Framing::Chunked(Chunk::Size), &cut(&body, &cuts)).unwrap();
            prop_assert_eq!(taken, (text, Vec::new(), true));
        }

        #[test]
        fn a_body_of_a_known_length_leaves_what_follows(
            body in prop::collection::vec(any::<u8>(), 0..60),
            more in prop::collection::vec(any::<u8>(), 0..20),
            cuts in prop::collection::vec(any::<usize>(), 0..8),
        ) {
            let bytes = [body.clone(), more.clone()].concat();
            let taken = take(Framing::Length(body.len() as u64), &cut(&bytes, &cuts)).unwrap();
            prop_assert_eq!(taken, (body, more, true));
        }

        #[test]
        fn bytes_that_are_no_chunks_are_an_error_and_no_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let _ = take(Framing::Chunked(Chunk::Size), &[&bytes]);
        }
    }

    #[test]
    fn a_line_without_an_end_is_refused() {
        let endless = [b"5;".to_vec(), vec![b'a'; LINE]].concat();
        assert!(take(Framing::Chunked(Chunk::Size), &[&endless]).is_err());
        let endless = [b"0\r\n".to_vec(), vec![b'a'; LINE + 1]].concat();
        assert!(take(Framing::Chunked(Chunk::Size), &[&endless]).is_err());
        assert!(take(Framing::Chunked(Chunk::Size), &[b"1\r\nab\r\n"]).is_err());
    }
}
