//! Where a reader stands in the log of a generation.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The number of a record in its log: 1, 2, 3, … without a gap. 0 is the place before the first.
pub type Seq = u64;

/// Which run of a generation wrote a record. Rises by one at every takeover; the first run is 1.
pub type Epoch = u32;

/// A place in a log: everything up to and including `seq`, the last of it written in `epoch`.
///
/// Valid when the record with that seq carries that epoch; `seq` 0 is valid in every log. Written
/// `<epoch>.<seq>` (PROTOCOL B4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Position {
    pub epoch: Epoch,
    pub seq: Seq,
}

impl Position {
    pub fn new(epoch: Epoch, seq: Seq) -> Self {
        Self { epoch, seq }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.seq)
    }
}

impl FromStr for Position {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (epoch, seq) = text.split_once('.').unwrap_or(("", text));
        Ok(Self { epoch: epoch.parse()?, seq: seq.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_what_it_writes() {
        let position = Position::new(3, 4711);
        assert_eq!(position.to_string(), "3.4711");
        assert_eq!(position.to_string().parse(), Ok(position));
        assert!("4711".parse::<Position>().is_err(), "a bare seq names no epoch");
    }
}
