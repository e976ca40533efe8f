//! Bytes that arrived and are not used yet. The memory is used again for what comes next.

use std::io;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

const FIRST: usize = 4 * 1024;
/// More than the largest thing that a server of ours sends, the end of a very long answer.
const MOST: usize = 64 * 1024 * 1024;

#[derive(Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    from: usize,
    to: usize,
}

impl Buffer {
    pub(super) fn waiting(&self) -> &[u8] {
        &self.bytes[self.from..self.to]
    }

    pub(super) fn use_up(&mut self, count: usize) {
        self.from = (self.from + count).min(self.to);
    }

    /// Takes the first `count` bytes that wait, as many as there are.
    pub(super) fn take(&mut self, count: usize) -> &[u8] {
        let from = self.from;
        self.use_up(count);
        &self.bytes[from..self.from]
    }

    /// Waits for bytes and says how many came. The end of the stream is an error. Cancel safe.
    pub(super) async fn fill(&mut self, stream: &mut TcpStream) -> io::Result<usize> {
        self.make_room()?;
        let count = stream.read(&mut self.bytes[self.to..]).await?;
        self.to += count;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(count)
    }

    fn make_room(&mut self) -> io::Result<()> {
        if self.from > 0 {
            self.bytes.copy_within(self.from..self.to, 0);
            self.to -= self.from;
            self.from = 0;
        }
        if self.to == self.bytes.len() {
            if self.to >= MOST {
                return Err(io::Error::other("more than 64 MiB came in one piece"));
            }
            self.bytes.resize((self.to * 2).max(FIRST), 0);
        }
        Ok(())
    }
}
