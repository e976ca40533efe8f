//! Reranking: of the passages that were found, those that a model takes for the best answers.

use unbroken_store::Found;

use crate::Engine;
use crate::embedding::text;
use crate::generation::{End, Run};
use crate::retrieval::Missed;

impl Engine {
    /// The passages in the order of the reranker, with its scores. As they are where there is none,
    /// or it fails.
    pub(crate) async fn reranked(
        &self,
        run: &Run,
        question: &str,
        mut found: Vec<Found>,
    ) -> Result<Vec<Found>, Missed> {
        let Some(reranker) = &self.inner.settings.reranker else { return Ok(found) };
        if found.is_empty() {
            return Ok(found);
        }
        let texts: Vec<_> = found.iter().map(|found| text(&found.passage)).collect();
        let scores = tokio::select! {
            biased;
            () = run.stop.cancelled() => return Err(Missed::Ended(End::Stopped)),
            () = run.abandon.cancelled() => return Err(Missed::Ended(End::Abandoned)),
            scores = reranker.scores(question, &texts) => scores,
        };
        let told = &self.inner.at_work.told_reranking;
        match scores {
            Ok(scores) => {
                told.succeeded();
                for (found, score) in found.iter_mut().zip(scores) {
                    found.score = score;
                }
                // Equals stay in their order.
                found.sort_by(|a, b| b.score.total_cmp(&a.score));
            }
            Err(error) if told.failed() => tracing::warn!(
                error = %error,
                "failed to rerank passages; they are given in the order in which they were found"
            ),
            Err(error) => tracing::debug!(error = %error, "failed to rerank passages again"),
        }
        Ok(found)
    }
}
