//! As much of an HTTP/1.1 client as a load needs: one connection, one call after the other.

use std::fmt::Write as _;

use memchr::memmem::find;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::LoadError;
use super::address::Address;
use super::buffer::Buffer;

pub(super) struct Http {
    stream: TcpStream,
    buffer: Buffer,
    body: Body,
    /// Bytes that came so far.
    pub(super) bytes: u64,
}

/// What of an answer's body is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    Length(usize),
    UntilClosed,
    ChunkSize,
    Chunk(usize),
    Trailer,
    Done,
}

pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) accept: &'a str,
    /// A bearer token.
    pub(super) key: Option<&'a str>,
    pub(super) json: Option<&'a str>,
}

impl Http {
    pub(super) async fn connect(address: &Address) -> Result<Self, LoadError> {
        let stream = address.connect().await?;
        Ok(Self { stream, buffer: Buffer::default(), body: Body::Done, bytes: 0 })
    }

    /// Sends a request and returns the status of its answer; the body is still to be read.
    pub(super) async fn open(
        &mut self,
        address: &Address,
        request: &Request<'_>,
    ) -> Result<u16, LoadError> {
        let head = head(address, request);
        self.stream.write_all(head.as_bytes()).await?;
        loop {
            if let Some(end) = find(self.buffer.waiting(), b"\r\n\r\n") {
                let (status, body) = answer(&self.buffer.take(end + 4)[..end])?;
                self.body = body;
                return Ok(status);
            }
            self.fill().await?;
        }
    }

    /// Sends a request and reads its whole answer, which must be a success.
    pub(super) async fn call(
        &mut self,
        address: &Address,
        request: &Request<'_>,
    ) -> Result<Vec<u8>, LoadError> {
        let status = self.open(address, request).await?;
        let mut body = Vec::new();
        while self.read(&mut body).await? {}
        if (200..300).contains(&status) {
            return Ok(body);
        }
        Err(refusal(request.path, status, &body))
    }

    /// Reads the rest of an answer that is a refusal.
    pub(super) async fn refused(&mut self, path: &str, status: u16) -> LoadError {
        let mut body = Vec::new();
        while let Ok(true) = self.read(&mut body).await {}
        refusal(path, status, &body)
    }

    /// Appends what of the body comes next; false at its end. Cancel safe.
    pub(super) async fn read(&mut self, out: &mut Vec<u8>) -> Result<bool, LoadError> {
        let before = out.len();
        loop {
            let is_done = self.decode(out)?;
            if out.len() > before {
                return Ok(true);
            }
            if is_done {
                return Ok(false);
            }
            match self.fill().await {
                Err(LoadError::Broken(_)) if self.body == Body::UntilClosed => return Ok(false),
                filled => filled?,
            }
        }
    }

    async fn fill(&mut self) -> Result<(), LoadError> {
        self.bytes += self.buffer.fill(&mut self.stream).await? as u64;
        Ok(())
    }

    /// Appends what has come of the body; true at its end.
    fn decode(&mut self, out: &mut Vec<u8>) -> Result<bool, LoadError> {
        loop {
            self.body = match self.body {
                Body::Done | Body::Length(0) => return Ok(true),
                Body::Length(left) => match self.pass(left, out) {
                    0 => return Ok(false),
                    count => Body::Length(left - count),
                },
                Body::UntilClosed => {
                    self.pass(usize::MAX, out);
                    return Ok(false);
                }
                Body::Chunk(left) if left > 0 => match self.pass(left, out) {
                    0 => return Ok(false),
                    count => Body::Chunk(left - count),
                },
                at_line => match self.line()? {
                    Some(line) => after_line(at_line, &line)?,
                    None => return Ok(false),
                },
            };
        }
    }

    fn pass(&mut self, most: usize, out: &mut Vec<u8>) -> usize {
        let piece = self.buffer.take(most.min(self.buffer.waiting().len()));
        out.extend_from_slice(piece);
        piece.len()
    }

    /// A line of the chunked coding, without its end.
    fn line(&mut self) -> Result<Option<String>, LoadError> {
        const MOST: usize = 1024;
        let waiting = self.buffer.waiting();
        let Some(end) = find(waiting, b"\r\n") else {
            let is_too_long = waiting.len() > MOST;
            return if is_too_long { Err(LoadError::Strange("a chunk's size")) } else { Ok(None) };
        };
        let line = String::from_utf8_lossy(&waiting[..end]).into_owned();
        self.buffer.use_up(end + 2);
        Ok(Some(line))
    }
}

fn head(address: &Address, request: &Request<'_>) -> String {
    let Request { method, path, accept, key, json } = request;
    let Address { host, path: base, .. } = address;
    let mut head =
        format!("{method} {base}{path} HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\n");
    if let Some(key) = key {
        write!(head, "Authorization: Bearer {key}\r\n").expect("a String takes everything");
    }
    if let Some(json) = json {
        let length = json.len();
        write!(head, "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{json}")
            .expect("a String takes everything");
    } else {
        head.push_str("\r\n");
    }
    head
}

/// The status of an answer, and how its body is delimited.
fn answer(head: &[u8]) -> Result<(u16, Body), LoadError> {
    let head = str::from_utf8(head).map_err(|_| LoadError::Strange("the head of an answer"))?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let status: u16 = status
        .and_then(|status| status.parse().ok())
        .ok_or(LoadError::Strange("the status of an answer"))?;
    let mut body = if status == 204 { Body::Length(0) } else { Body::UntilClosed };
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("transfer-encoding") {
            body = Body::ChunkSize;
        } else if name.eq_ignore_ascii_case("content-length") && body != Body::ChunkSize {
            let length = value.trim().parse();
            body = Body::Length(length.map_err(|_| LoadError::Strange("a content-length"))?);
        }
    }
    Ok((status, body))
}

fn after_line(body: Body, line: &str) -> Result<Body, LoadError> {
    Ok(match body {
        Body::ChunkSize => {
            let size = line.split(';').next().unwrap_or_default().trim();
            match usize::from_str_radix(size, 16) {
                Ok(0) => Body::Trailer,
                Ok(size) => Body::Chunk(size),
                Err(_) => return Err(LoadError::Strange("a chunk's size")),
            }
        }
        // The line end behind a chunk.
        Body::Chunk(_) => Body::ChunkSize,
        Body::Trailer if line.is_empty() => Body::Done,
        other => other,
    })
}

fn refusal(path: &str, status: u16, body: &[u8]) -> LoadError {
    let body = String::from_utf8_lossy(body).chars().take(200).collect();
    LoadError::Refused { path: path.to_owned(), status, body }
}
