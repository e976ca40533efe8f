//! Which rows of the journal are still needed: where each live generation's records begin in it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use unbroken_protocol::GenerationId;

use crate::log::Log;

/// A generation that spans more of the journal than this is packed so far, in bytes.
const SPAN: u64 = 64 << 20;

/// Where the records of live generations begin.
#[derive(Default)]
pub(crate) struct Journal {
    live: HashMap<GenerationId, Begin>,
    /// The same by their first rows, the oldest first.
    by_row: BTreeSet<(i64, GenerationId)>,
    /// Bytes ever appended by this run of the process.
    bytes: u64,
    /// The row that was appended last.
    newest: i64,
    /// There is no row before this one.
    trimmed: i64,
}

struct Begin {
    log: Arc<Log>,
    row: i64,
    byte: u64,
}

impl Journal {
    /// Generations whose records hold too much of the journal.
    pub(crate) fn overlong(&self) -> Vec<Arc<Log>> {
        let oldest_first = self.by_row.iter().filter_map(|(_, id)| self.live.get(id));
        let overlong = oldest_first.take_while(|begin| self.bytes - begin.byte > SPAN);
        overlong.map(|begin| Arc::clone(&begin.log)).collect()
    }

    /// Whether nothing is to be packed and no row to be deleted until a generation leaves.
    pub(crate) fn is_tidy(&self) -> bool {
        let oldest = self.by_row.first();
        oldest.is_none_or(|(row, id)| {
            let begin = self.live.get(id);
            *row <= self.trimmed && begin.is_none_or(|begin| self.bytes - begin.byte <= SPAN)
        })
    }

    /// The first row that is needed once those for which `leaves` holds have left, if rows before
    /// it can be deleted; the newest at most.
    pub(crate) fn trim(&self, leaves: impl Fn(&GenerationId) -> bool) -> Option<i64> {
        let oldest = self.by_row.iter().find(|(_, id)| !leaves(id));
        let needed = oldest.map_or(self.newest, |(first, _)| *first);
        (needed > self.trimmed).then_some(needed)
    }

    /// Rows before this one were deleted.
    pub(crate) fn trimmed(&mut self, row: i64) {
        self.trimmed = row;
    }

    /// The records of a generation left the journal; those in `row`, if any, are a new beginning.
    pub(crate) fn leave(&mut self, id: GenerationId) {
        if let Some(begin) = self.live.remove(&id) {
            self.by_row.remove(&(begin.row, id));
        }
    }

    /// The records of a generation begin in `row`, with the last ones that it grew by.
    pub(crate) fn enter(&mut self, log: &Arc<Log>, row: i64) {
        let id = log.identity.generation_id;
        self.live.insert(id, Begin { log: Arc::clone(log), row, byte: self.bytes });
        self.by_row.insert((row, id));
    }

    /// So many bytes were appended, as `row` or a part of it.
    pub(crate) fn grow(&mut self, row: i64, bytes: u64) {
        self.newest = row;
        self.bytes += bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::begun;

    fn log() -> Arc<Log> {
        Arc::new(begun())
    }

    #[test]
    fn rows_go_when_the_oldest_live_generation_no_longer_needs_them() {
        let mut journal = Journal::default();
        let (old, young) = (log(), log());
        journal.enter(&old, 1);
        journal.enter(&young, 5);
        journal.grow(6, 1);
        assert!(!journal.is_tidy(), "there are rows to delete");
        assert_eq!(journal.trim(|_| false), Some(1));
        journal.trimmed(1);
        assert!(journal.is_tidy());
        assert_eq!(journal.trim(|_| false), None);
        let id = old.identity.generation_id;
        assert_eq!(journal.trim(|leaving| *leaving == id), Some(5));
        journal.leave(id);
        journal.leave(young.identity.generation_id);
        journal.grow(7, 1);
        assert_eq!(journal.trim(|_| false), Some(7));
    }

    #[test]
    fn a_generation_that_spans_too_much_is_named() {
        let mut journal = Journal::default();
        let (slow, busy) = (log(), log());
        journal.enter(&slow, 1);
        journal.enter(&busy, 2);
        journal.grow(2, SPAN);
        assert!(journal.overlong().is_empty());
        journal.trimmed(1);
        assert!(journal.is_tidy());
        journal.grow(3, 1);
        assert!(!journal.is_tidy(), "there is something to pack");
        let overlong: Vec<_> =
            journal.overlong().iter().map(|log| log.identity.generation_id).collect();
        assert_eq!(overlong.len(), 2);
        journal.leave(slow.identity.generation_id);
        journal.leave(busy.identity.generation_id);
        assert!(journal.overlong().is_empty());
    }
}
