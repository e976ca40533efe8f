//! What comes in a form before its file: little, as nobody knows yet who sends it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

/// Bytes that may come before the file.
const MOST: usize = 64 << 10;
/// Bytes that are handed on at once.
const PIECE: usize = 16 << 10;

/// Whether the file of a form has begun, and whether too much came before it.
#[derive(Default)]
pub(crate) struct Preamble {
    is_over: AtomicBool,
    is_too_long: AtomicBool,
}

impl Preamble {
    /// The request, whose body ends with an error when too much comes before [`Self::end`].
    pub(crate) fn guard(self: &Arc<Self>, request: Request) -> Request {
        let preamble = Arc::clone(self);
        request.map(|body| {
            let body = body.into_data_stream();
            let waiting = Bytes::new();
            Body::from_stream(Guarded { preamble, body, waiting, came: 0, gave: false })
        })
    }

    /// The file begins.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_too_long(&self) -> bool {
        self.is_too_long.load(Ordering::Relaxed)
    }
}

struct Guarded {
    preamble: Arc<Preamble>,
    body: BodyDataStream,
    /// What came and was not handed on yet.
    waiting: Bytes,
    came: usize,
    gave: bool,
}

impl Stream for Guarded {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // Who reads a form takes all that there is before looking at any of it.
        if std::mem::take(&mut self.gave) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.waiting.is_empty() {
            match ready!(self.body.poll_next_unpin(context)) {
                Some(Ok(bytes)) => self.waiting = bytes,
                end => return Poll::Ready(end),
            }
        }
        let length = self.waiting.len().min(PIECE);
        self.came = self.came.saturating_add(length);
        if self.came > MOST && !self.preamble.is_over.load(Ordering::Relaxed) {
            self.preamble.is_too_long.store(true, Ordering::Relaxed);
            let error = axum::Error::new("the file does not begin");
            return Poll::Ready(Some(Err(error)));
        }
        self.gave = true;
        Poll::Ready(Some(Ok(self.waiting.split_to(length))))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// A guarded body of mebibytes that are all there, and how many of them were taken.
    fn guarded(preamble: &Arc<Preamble>) -> (BodyDataStream, Arc<AtomicUsize>) {
        let taken = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&taken);
        let pieces = std::iter::from_fn(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            Some(Ok::<_, Infallible>(vec![b'x'; 1 << 20]))
        });
        let body = Body::from_stream(futures_util::stream::iter(pieces.take(8)));
        (preamble.guard(Request::new(body)).into_body().into_data_stream(), taken)
    }

    #[tokio::test]
    async fn a_body_ends_when_its_file_does_not_begin() {
        let preamble = Arc::default();
        let (mut body, taken) = guarded(&preamble);
        let mut came = 0;
        let end = loop {
            match body.next().await.unwrap() {
                Ok(bytes) => came += bytes.len(),
                Err(error) => break error,
            }
        };
        assert_eq!((came, taken.load(Ordering::Relaxed)), (MOST, 1), "{end}");
        assert!(preamble.is_too_long());
    }

    #[tokio::test]
    async fn a_body_whose_file_began_comes_whole_and_in_turns() {
        let preamble = Arc::<Preamble>::default();
        let (mut body, _) = guarded(&preamble);
        let first = body.next().await.unwrap().unwrap().len();
        assert!(futures_util::poll!(body.next()).is_pending(), "whoever reads looks at it first");
        preamble.end();
        let mut came = first;
        while let Some(bytes) = body.next().await {
            came += bytes.unwrap().len();
        }
        assert_eq!((came, preamble.is_too_long()), (8 << 20, false));
    }
}
