//! Passages of documents.

use std::sync::Arc;

use unbroken_protocol::FileState;

use super::{Memory, Transaction};
use crate::{ContentHash, Found, Passage, ReadStep, Terms, Whose};

impl Memory {
    pub(crate) fn passages(&self, content: ContentHash, from: u32, most: u32) -> Vec<Passage> {
        let state = self.state();
        let found = state.documents.get(&content);
        let ready = found.filter(|document| document.state == Some(FileState::Ready));
        let passages = ready.into_iter().flat_map(|document| document.passages.iter());
        passages.filter(|p| p.ordinal >= from).take(most as usize).cloned().collect()
    }

    /// The more of the terms are in it, the better a passage fits.
    pub(crate) fn find_passages(
        &self,
        among: &[ContentHash],
        terms: &Terms,
        most: u32,
    ) -> Vec<Found> {
        let state = self.state();
        let mut all = Vec::new();
        for (content, document) in state.documents.iter() {
            if !among.contains(content) || document.state != Some(FileState::Ready) {
                continue;
            }
            for passage in document.passages.iter() {
                let text = format!("{}\n{}", passage.heading, passage.text);
                let count = u32::try_from(terms.count_in(&text)).unwrap_or(u32::MAX);
                if count > 0 {
                    let passage = passage.clone();
                    all.push(Found { content: *content, passage, score: count.into() });
                }
            }
        }
        all.sort_by(|one, other| other.score.total_cmp(&one.score));
        all.truncate(most as usize);
        all
    }
}

impl Transaction<'_> {
    pub(crate) fn put_passages(&mut self, step: &ReadStep) -> bool {
        let Some(document) = self.being_read(step.content, step.attempt) else { return false };
        document.count += u32::try_from(step.passages.len()).unwrap_or(u32::MAX);
        document.chars += step.chars;
        Arc::make_mut(&mut document.passages).extend(step.passages.iter().cloned());
        if let Some(ready) = &step.ready {
            document.state = Some(FileState::Ready);
            document.ready = Some(ready.clone());
        }
        true
    }

    pub(crate) fn drop_passages(&mut self, content: ContentHash, whose: Whose, most: u32) -> bool {
        let Some(document) = self.state().documents.get_mut(&content) else { return false };
        let applies = match whose {
            Whose::Deleted => document.state.is_none(),
            Whose::Reading(attempt) => {
                document.state == Some(FileState::Processing) && document.attempt == attempt
            }
        };
        if !applies {
            return false;
        }
        (document.count, document.chars) = (0, 0);
        let passages = Arc::make_mut(&mut document.passages);
        passages.drain(..passages.len().min(most as usize));
        for _ in 0..most {
            document.vectors.pop_first();
        }
        !(passages.is_empty() && document.vectors.is_empty())
    }
}
