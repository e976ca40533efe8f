//! A body as it comes, unpacked, and never more of it than a limit.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use reqwest::Response;
use reqwest::header::CONTENT_ENCODING;

/// What becomes of a body that is larger than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Excess {
    Refused,
    Cut,
}

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoBody {
    TooLarge,
    /// It is packed in an unknown way, or not whole.
    Damaged,
    /// The connection ended before it did.
    Broken,
}

/// Reads a body that has at most `limit` bytes, as it is sent and as it is unpacked.
pub(crate) async fn read(
    mut response: Response,
    limit: usize,
    excess: Excess,
) -> Result<Vec<u8>, NoBody> {
    let too_large = |length: u64| usize::try_from(length).is_ok_and(|length| length > limit);
    if excess == Excess::Refused && response.content_length().is_some_and(too_large) {
        return Err(NoBody::TooLarge);
    }
    let mut body = Body::new(&response, limit)?;
    while let Some(piece) = response.chunk().await.map_err(|_| NoBody::Broken)? {
        match body.push(&piece) {
            Ok(()) => {}
            Err(NoBody::TooLarge) if excess == Excess::Cut => return Ok(body.into_bytes()),
            Err(error) => return Err(error),
        }
    }
    body.finish()
}

struct Body {
    unpacked: Unpacked,
    sent: usize,
    limit: usize,
}

enum Unpacked {
    Plain(Limited),
    Gzip(Box<MultiGzDecoder<Limited>>),
}

impl Body {
    fn new(response: &Response, limit: usize) -> Result<Self, NoBody> {
        let limited = Limited { bytes: Vec::new(), limit };
        let mut encodings = response.headers().get_all(CONTENT_ENCODING).iter();
        let encoding = encodings.next().map(|value| value.as_bytes().to_ascii_lowercase());
        let unpacked = match encoding.as_deref() {
            _ if encodings.next().is_some() => return Err(NoBody::Damaged),
            None | Some(b"" | b"identity") => Unpacked::Plain(limited),
            Some(b"gzip" | b"x-gzip") => Unpacked::Gzip(Box::new(MultiGzDecoder::new(limited))),
            Some(_) => return Err(NoBody::Damaged),
        };
        Ok(Self { unpacked, sent: 0, limit })
    }

    fn push(&mut self, piece: &[u8]) -> Result<(), NoBody> {
        self.sent = self.sent.saturating_add(piece.len());
        let written = match &mut self.unpacked {
            Unpacked::Plain(limited) => limited.write_all(piece),
            Unpacked::Gzip(decoder) => decoder.write_all(piece),
        };
        match written {
            _ if self.sent > self.limit || self.limited().is_full() => Err(NoBody::TooLarge),
            Ok(()) => Ok(()),
            Err(_) => Err(NoBody::Damaged),
        }
    }

    fn finish(mut self) -> Result<Vec<u8>, NoBody> {
        let finished = match &mut self.unpacked {
            Unpacked::Plain(_) => Ok(()),
            Unpacked::Gzip(decoder) => decoder.try_finish(),
        };
        match finished {
            _ if self.limited().is_full() => Err(NoBody::TooLarge),
            Ok(()) => Ok(self.into_bytes()),
            Err(_) => Err(NoBody::Damaged),
        }
    }

    fn limited(&self) -> &Limited {
        match &self.unpacked {
            Unpacked::Plain(limited) => limited,
            Unpacked::Gzip(decoder) => decoder.get_ref(),
        }
    }

    fn into_bytes(mut self) -> Vec<u8> {
        let limited = match &mut self.unpacked {
            Unpacked::Plain(limited) => limited,
            Unpacked::Gzip(decoder) => decoder.get_mut(),
        };
        limited.bytes.truncate(limited.limit);
        std::mem::take(&mut limited.bytes)
    }
}

/// Takes what fits, and refuses the rest.
struct Limited {
    bytes: Vec<u8>,
    limit: usize,
}

impl Limited {
    /// Holds one byte more than fits, which tells that there was one.
    fn is_full(&self) -> bool {
        self.bytes.len() > self.limit
    }
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_full() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let room = (self.limit + 1 - self.bytes.len()).min(bytes.len());
        self.bytes.extend(&bytes[..room]);
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
