//! Colours that were found before, by what they are the colours of.

use std::collections::{HashMap, VecDeque};

use sha2::{Digest as _, Sha256};
use unbroken_protocol::{Code, Spans};

/// So many spans are kept; each has eight bytes.
const SPANS: usize = 256 * 1024;
/// What a block counts for by itself.
const BLOCK: usize = 16;

pub(super) type Key = [u8; 32];

/// The hash of a block's language and code.
pub(super) fn key(block: &Code) -> Key {
    let mut hash = Sha256::new();
    hash.update(block.language.len().to_le_bytes());
    hash.update(&block.language);
    hash.update(&block.code);
    hash.finalize().into()
}

/// The newest blocks' colours; the oldest leave first.
#[derive(Debug, Default)]
pub(super) struct Kept {
    blocks: HashMap<Key, Spans>,
    order: VecDeque<Key>,
    size: usize,
}

impl Kept {
    pub(super) fn get(&self, key: &Key) -> Option<Spans> {
        self.blocks.get(key).cloned()
    }

    pub(super) fn keep(&mut self, key: Key, mut spans: Spans) {
        spans.spans.shrink_to_fit();
        let own = size(&spans);
        if self.blocks.contains_key(&key) || own > SPANS {
            return;
        }
        self.size += own;
        self.blocks.insert(key, spans);
        self.order.push_back(key);
        while self.size > SPANS
            && let Some(oldest) = self.order.pop_front()
        {
            self.size -= self.blocks.remove(&oldest).map_or(0, |spans| size(&spans));
        }
    }
}

fn size(spans: &Spans) -> usize {
    spans.spans.len() + BLOCK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_the_oldest_leaves_first() {
        let mut kept = Kept::default();
        let spans = Spans { spans: vec![(1, None); SPANS / 4] };
        for number in 0..9_u8 {
            kept.keep([number; 32], spans.clone());
            assert!(kept.size <= SPANS && kept.blocks.len() == kept.order.len());
        }
        assert!(kept.get(&[0; 32]).is_none());
        assert_eq!(kept.get(&[8; 32]), Some(spans));
    }
}
