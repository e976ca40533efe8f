//! How much a file may cost.

use serde::{Deserialize, Serialize};

/// How much a file may cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of the file itself.
    pub bytes: u64,
    /// Bytes of text that may come out of it.
    pub text: u64,
    /// Files in an archive.
    pub entries: usize,
    /// Bytes that one file of an archive may unpack to.
    pub entry: u64,
    /// Bytes that all files of an archive may unpack to.
    pub unpacked: u64,
    /// Bytes of address space of the process that reads.
    pub memory: u64,
    /// Seconds of processor time of the process that reads.
    pub seconds: u64,
    /// Seconds on the clock until the process is ended, which waits for others too.
    pub patience: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 50 << 20,
            text: 20 << 20,
            entries: 10_000,
            entry: 128 << 20,
            unpacked: 256 << 20,
            memory: 512 << 20,
            seconds: 30,
            patience: 120,
        }
    }
}
