//! The check of an answer's marks, between a model and what joins its text to the log: a mark that
//! was made up is gone before it becomes a record.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{StreamExt as _, stream};
use unbroken_providers::{Event, EventStream, Failure};
use unbroken_sources::marks::Marks;

struct Checking {
    stream: EventStream,
    marks: Marks,
    /// Marks that were made up before this call.
    before: u64,
    invented: Arc<AtomicU64>,
    /// What the model said behind the text that was held back.
    next: Option<Result<Event, Failure>>,
}

/// The same stream without the marks that were made up. `invented` counts them; when the stream
/// repeats the answer from its beginning, `marks` begin there too and count for all of it.
pub(crate) fn check(
    stream: EventStream,
    marks: Marks,
    repeats: bool,
    invented: &Arc<AtomicU64>,
) -> EventStream {
    let before = if repeats { 0 } else { invented.load(Ordering::Relaxed) };
    let checking = Checking { stream, marks, before, invented: Arc::clone(invented), next: None };
    stream::unfold(checking, Checking::step).boxed()
}

impl Checking {
    async fn step(mut self) -> Option<(Result<Event, Failure>, Self)> {
        if let Some(next) = self.next.take() {
            return Some((next, self));
        }
        loop {
            let event = match self.stream.next().await? {
                Ok(Event::Content(text)) => {
                    let text = self.marks.push(text);
                    self.count();
                    if text.is_empty() {
                        continue;
                    }
                    Ok(Event::Content(text))
                }
                Ok(Event::Finish(reason)) => {
                    let rest = self.marks.finish();
                    self.count();
                    if rest.is_empty() {
                        Ok(Event::Finish(reason))
                    } else {
                        self.next = Some(Ok(Event::Finish(reason)));
                        Ok(Event::Content(rest))
                    }
                }
                // What is held back when a call breaks off is written by the next one.
                other => other,
            };
            return Some((event, self));
        }
    }

    fn count(&self) {
        self.invented.store(self.before + self.marks.invented() as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use unbroken_protocol::FinishReason;

    use super::*;

    fn says(pieces: &[&str]) -> EventStream {
        let pieces: Vec<_> =
            pieces.iter().map(|text| Ok(Event::Content((*text).to_owned()))).collect();
        stream::iter(pieces).chain(stream::iter([Ok(Event::Finish(FinishReason::Stop))])).boxed()
    }

    #[tokio::test]
    async fn a_mark_that_was_made_up_is_gone_and_counted() {
        let invented = Arc::new(AtomicU64::new(0));
        let stream = says(&["So it is [1", "], not so [", "7] at all [2]"]);
        let events: Vec<_> = check(stream, Marks::new(1..=2), false, &invented).collect().await;
        let text: String = events
            .iter()
            .filter_map(|event| match event {
                Ok(Event::Content(text)) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(text, "So it is [1], not so at all [2]");
        assert_eq!(events.last(), Some(&Ok(Event::Finish(FinishReason::Stop))));
        assert_eq!(invented.load(Ordering::Relaxed), 1);
    }
}
