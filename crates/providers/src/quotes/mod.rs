//! The built-in model `quotes`: answers from Unbroken's own guide, with cited passages, and says
//! that it is no language model. Needs no network and no key.

mod answer;
mod guide;
mod index;

use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_stream::stream;
use futures_util::future::{BoxFuture, ready};
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, sleep_until};
use unbroken_protocol::{ErrorCode, FinishReason, Means, ModelInfo, Role};

use self::guide::Passage;
use self::index::Index;
use crate::{Event, EventStream, Failure, GoOnError, Partial, Provider, Request, Usage};

/// The id of the provider and of its one model.
pub const QUOTES: &str = "quotes";

/// How many passages an answer quotes at most.
const PASSAGES: u32 = 3;
/// How long a whole answer takes at most.
const WHOLE_ANSWER: Duration = Duration::from_secs(2);

static GUIDE: LazyLock<Vec<Passage>> = LazyLock::new(guide::passages);

/// The provider of the built-in model.
#[derive(Debug)]
pub struct Quotes {
    index: Arc<Index>,
    pace: Duration,
}

impl Quotes {
    pub fn new() -> Self {
        Self { index: Arc::default(), pace: Duration::from_millis(8) }
    }

    /// With another pause between two words; zero for none.
    #[must_use]
    pub fn with_pace(self, pace: Duration) -> Self {
        Self { pace, ..self }
    }
}

impl Default for Quotes {
    fn default() -> Self {
        Self::new()
    }
}

impl Provider for Quotes {
    fn id(&self) -> &'static str {
        QUOTES
    }

    fn name(&self) -> &'static str {
        "Built in"
    }

    fn models(&self) -> BoxFuture<'_, Result<Vec<ModelInfo>, Failure>> {
        Box::pin(async {
            Ok(vec![ModelInfo {
                id: QUOTES.to_owned(),
                name: "Quotes".to_owned(),
                description: "Not a language model: quotes Unbroken's own guide.".to_owned(),
                speed: "fast".to_owned(),
                cost: "free".to_owned(),
                best_for: vec!["help with Unbroken".to_owned()],
                provider: self.name().to_owned(),
                ..ModelInfo::default()
            }])
        })
    }

    fn generate(&self, request: Request) -> EventStream {
        let (index, pace) = (Arc::clone(&self.index), self.pace);
        if !request.sources.is_empty() {
            let text = answer::from_sources(&request.sources);
            return spoken(text, question(&request).split_whitespace().count(), pace).boxed();
        }
        stream! {
            let question = question(&request);
            let hits = match index.search(&GUIDE, question, PASSAGES).await {
                Ok(hits) => answer::worth_quoting(hits),
                Err(error) => {
                    tracing::error!(%error, "failed to search the guide");
                    yield Err(failure());
                    return;
                }
            };
            let found: Vec<(&Passage, f64)> = hits
                .iter()
                .filter_map(|hit| Some((GUIDE.get(hit.passage)?, hit.score)))
                .collect();
            for (index, (passage, score)) in (1..).zip(&found) {
                yield Ok(Event::Source(Box::new(answer::citation(index, passage, *score))));
            }
            let passages: Vec<&Passage> = found.into_iter().map(|(passage, _)| passage).collect();
            let asked = question.split_whitespace().count();
            let mut words = pin!(spoken(answer::text(&passages), asked, pace));
            while let Some(event) = words.next().await {
                yield event;
            }
        }
        .boxed()
    }

    /// The same question has the same answer, so it is there to be read again.
    fn means(&self, _model: &str) -> Means {
        Means::Reattach
    }

    fn go_on<'a>(
        &'a self,
        request: Request,
        _partial: &'a Partial,
        means: Means,
    ) -> BoxFuture<'a, Result<EventStream, GoOnError>> {
        Box::pin(async move {
            if means != Means::Reattach {
                return Err(GoOnError::Refused { next: Means::None });
            }
            // The sources come before the first word: they are stored.
            let is_source = |event: &Result<Event, Failure>| matches!(event, Ok(Event::Source(_)));
            let again = self.generate(request);
            Ok(again.filter(move |event| ready(!is_source(event))).boxed())
        })
    }
}

/// The answer word by word, to its end.
fn spoken(
    text: String,
    asked: usize,
    pace: Duration,
) -> impl Stream<Item = Result<Event, Failure>> + Send {
    stream! {
        let count = answer::words(&text).count();
        let pause = pace.min(WHOLE_ANSWER / u32::try_from(count).unwrap_or(u32::MAX).max(1));
        let begin = Instant::now();
        for (spoken, word) in (1..).zip(answer::words(&text)) {
            yield Ok(Event::Content(word.to_owned()));
            if pause.is_zero() {
                tokio::task::yield_now().await;
            } else {
                sleep_until(begin + pause * spoken).await;
            }
        }
        yield Ok(Event::Usage(Usage {
            input_tokens: as_tokens(asked),
            output_tokens: as_tokens(count),
        }));
        yield Ok(Event::Finish(FinishReason::Stop));
    }
}

/// What the person asked last.
fn question(request: &Request) -> &str {
    let asked = request.messages.iter().rev().find(|message| message.role == Role::User);
    asked.map_or("", |message| message.content.as_str())
}

fn as_tokens(words: usize) -> u64 {
    u64::try_from(words).unwrap_or(u64::MAX)
}

fn failure() -> Failure {
    Failure {
        code: ErrorCode::Internal,
        message: "The guide cannot be searched. Try again.".to_owned(),
        retry_after: None,
    }
}

#[cfg(test)]
mod tests {
    use unbroken_protocol::{Citation, Options};

    use super::*;
    use crate::Message;

    struct Answer {
        text: String,
        sources: Vec<Citation>,
    }

    impl Answer {
        fn titles(&self) -> Vec<&str> {
            self.sources.iter().map(|source| source.title.as_str()).collect()
        }
    }

    #[tokio::test]
    async fn what_was_given_is_quoted_instead_of_the_guide() {
        let given = |number, text: &str, score| crate::Given {
            number,
            title: "whales.pdf".into(),
            page: Some(number),
            text: text.into(),
            score,
        };
        let sources = [given(1, "They dive.", Some(1.0)), given(2, "They sing.", Some(4.0))];
        let request = Request { sources: sources.into(), ..ask("Do whales sing?") };
        let quotes = Quotes::new().with_pace(Duration::ZERO);
        let events: Vec<_> = quotes.generate(request).map(Result::unwrap).collect().await;
        let text: String = events
            .iter()
            .filter_map(|event| match event {
                Event::Content(word) => Some(word.as_str()),
                _ => None,
            })
            .collect();
        assert!(text.starts_with("I am not a language model"), "{text}");
        assert!(text.ends_with("**whales.pdf, page 2** [2]\n\n> They sing."), "{text}");
        assert!(!events.iter().any(|event| matches!(event, Event::Source(_))));
        assert_eq!(events.last(), Some(&Event::Finish(FinishReason::Stop)));
    }

    fn ask(question: &str) -> Request {
        let messages = [
            Message { role: Role::User, content: "Where is my data?".into() },
            Message { role: Role::Assistant, content: "There.".into() },
            Message { role: Role::User, content: question.into() },
        ];
        Request {
            model: QUOTES.into(),
            messages: messages.into(),
            sources: [].into(),
            options: Options::default(),
        }
    }

    async fn answer(question: &str) -> Answer {
        let quotes = Quotes::new().with_pace(Duration::ZERO);
        let events: Vec<_> = quotes.generate(ask(question)).map(Result::unwrap).collect().await;
        let (mut text, mut sources) = (String::new(), Vec::new());
        for event in &events {
            match event {
                Event::Source(citation) => {
                    assert!(text.is_empty(), "sources come before the text");
                    sources.push((**citation).clone());
                }
                Event::Content(word) => text.push_str(word),
                _ => {}
            }
        }
        assert!(matches!(&events[events.len() - 2..], [
            Event::Usage(usage),
            Event::Finish(FinishReason::Stop)
        ] if usage.output_tokens > 10));
        Answer { text, sources }
    }

    #[tokio::test]
    async fn how_do_i_add_a_model() {
        let answer = answer("How do I add a model?").await;
        assert!(answer.text.starts_with("I am not a language model"));
        assert_eq!(answer.titles()[0].split(':').next(), Some("Add a model"));
        assert!(answer.text.contains("[1]") && answer.text.contains("\n> "), "{}", answer.text);
        assert!(answer.sources[0].quote.contains("API key"));
        assert_eq!(answer.sources[0].index, 1);
    }

    #[tokio::test]
    async fn questions_find_their_page() {
        for (question, page) in [
            ("What can you do?", "What Unbroken is: What you can do with it"),
            ("what is unbroken", "What Unbroken is"),
            ("How can I use Ollama?", "Add a model"),
            ("stop an answer", "Answers that do not break: Stop an answer"),
            ("How do I change the port?", "Configuration: Change the port"),
            ("how to make backups", "Your data: Back up and restore"),
            ("Is my API key refused?", "Troubleshooting: The model server refuses the API key"),
            ("Set an access code", "Open it to a network: Ask for an access code"),
            ("What happens when I reload the page?", "Answers that do not break"),
        ] {
            let answer = answer(question).await;
            let titles = answer.titles();
            assert!(
                titles.first().is_some_and(|title| title.starts_with(page)),
                "{question}: {titles:?}"
            );
        }
    }

    #[tokio::test]
    async fn nothing_found_lists_the_topics() {
        for question in ["Quetzalcoatl?", "", " \n ", "🦀", "量子力学は何ですか"] {
            let answer = answer(question).await;
            assert!(answer.sources.is_empty(), "{question}");
            assert!(answer.text.contains("- Troubleshooting"), "{}", answer.text);
        }
    }

    #[tokio::test]
    async fn odd_questions_do_no_harm() {
        for question in [
            "\"; DROP TABLE passages; --",
            "model* OR NEAR(a b) AND NOT ^x {page}:y",
            "Wie füge ich ein MODELL hinzu\u{0}?",
            "e\u{301}\u{301} \u{202e} ß ǅ İ",
        ] {
            answer(question).await;
        }
        answer(&"add a model ".repeat(1024 * 1024 / 12)).await;
        answer(&"x".repeat(1024 * 1024)).await;
    }

    #[tokio::test]
    async fn an_answer_takes_at_most_two_seconds() {
        let quotes = Quotes::new();
        let mut stream = quotes.generate(ask("model"));
        let first = stream.next().await;
        // Only now: the index is made by a thread of SQLite, for which paused time does not wait.
        tokio::time::pause();
        assert!(matches!(first, Some(Ok(Event::Source(_)))), "{first:?}");
        let begin = Instant::now();
        let rest: Vec<_> = stream.collect().await;
        let took = begin.elapsed();
        assert!(rest.len() > 100);
        assert!(
            took > Duration::from_millis(500) && took < Duration::from_millis(2100),
            "{took:?}"
        );
    }
}
