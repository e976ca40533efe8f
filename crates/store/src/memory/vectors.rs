//! Vectors of passages.

use unbroken_protocol::FileState;

use super::state::Document;
use super::{Memory, Transaction};
use crate::vector::Nearest;
use crate::{ContentHash, Found, ToEmbed, Vector, VectorStep};

impl Document {
    fn is_ready(&self) -> bool {
        self.state == Some(FileState::Ready)
    }

    /// How many of its passages have vectors.
    fn embedded(&self, model: &str) -> u32 {
        let own = self.vectors.iter().filter(|((of, _), _)| of == model);
        own.map(|(_, pack)| pack.count).sum()
    }
}

impl Memory {
    pub(crate) fn unembedded(
        &self,
        model: &str,
        before: Option<ContentHash>,
    ) -> Option<ContentHash> {
        let state = self.state();
        let newest_first = state.documents.iter().rev();
        let mut older = newest_first
            .skip_while(|(content, _)| before.is_some_and(|before| before != **content))
            .skip(usize::from(before.is_some()));
        let missing = older
            .find(|(_, document)| document.is_ready() && document.embedded(model) < document.count);
        missing.map(|(content, _)| *content)
    }

    pub(crate) fn to_embed(&self, content: ContentHash, model: &str, most: u32) -> Option<ToEmbed> {
        let state = self.state();
        let document = state.documents.get(&content).filter(|document| document.is_ready())?;
        let from = document.embedded(model);
        let missing = document.passages.iter().filter(|passage| passage.ordinal >= from);
        let passages: Vec<_> = missing.take(most as usize).cloned().collect();
        (!passages.is_empty()).then_some(ToEmbed { attempt: document.attempt, passages })
    }

    pub(crate) fn nearest(
        &self,
        among: &[ContentHash],
        model: &str,
        to: &Vector,
        most: u32,
    ) -> Vec<Found> {
        let state = self.state();
        let chosen = state.documents.iter().filter(|(content, _)| among.contains(content));
        let chosen: Vec<_> = chosen.filter(|(_, document)| document.is_ready()).collect();
        let mut nearest = Nearest::new(to, most);
        for (number, (_, document)) in chosen.iter().enumerate() {
            for ((_, from), pack) in document.vectors.iter().filter(|((of, _), _)| of == model) {
                nearest.look_at(pack.count, &pack.bytes, |at| (number, from + at));
            }
        }
        let found = |((number, ordinal), score): ((usize, u32), f64)| {
            let (content, document) = chosen[number];
            let passage = document.passages.iter().find(|passage| passage.ordinal == ordinal)?;
            Some(Found { content: *content, passage: passage.clone(), score })
        };
        nearest.into_places().into_iter().filter_map(found).collect()
    }
}

impl Transaction<'_> {
    pub(crate) fn put_vectors(&mut self, step: &VectorStep) -> bool {
        let Some(document) = self.state().documents.get_mut(&step.content) else { return false };
        let fits = document.is_ready()
            && document.attempt == step.attempt
            && document.embedded(&step.model) == step.from
            && step.from + step.pack.count <= document.count;
        if fits {
            document.vectors.insert((step.model.clone(), step.from), step.pack.clone());
        }
        fits
    }

    pub(crate) fn drop_other_vectors(&mut self, model: &str, most: u32) -> bool {
        let mut left = most;
        for (_, document) in self.state().documents.iter_mut() {
            document.vectors.retain(|(of, _), _| {
                let stays = of == model || left == 0;
                left -= u32::from(!stays);
                stays
            });
        }
        left == 0
    }
}
