//! The seam between the text that is stored and what a model says when it goes on (PROTOCOL B7):
//! nothing twice, nothing lost. Pure; characters are Unicode scalar values.
//!
//! Which rules apply is a matter of trust, so that B8.16 holds:
//!
//! | | reattach | prefill | prompt |
//! | --- | --- | --- | --- |
//! | the stored text comes again from its start: dropped | always | unless ambiguous | always |
//! | it comes again and diverges: a restart | at once | from 24 characters on | from 24 characters on |
//! | an overlap of 12 to 400 characters: cut | no | no | yes |
//! | white space once | no: the replay is exact | yes | yes |
//!
//! A prefill continues exactly, and a text may well repeat its own last words (`ha ha ha`), so its
//! overlaps stay. Nor is it a restart if it begins as the stored text does while that text repeats
//! its own opening, or when white space comes first.

use async_stream::stream;
use futures_util::StreamExt;
use unbroken_protocol::{ErrorCode, Means, ToolStep};

use crate::continuation::given;
use crate::{Event, EventStream, Failure, Partial};

/// A repetition of the stored text's start, of at least so many characters, is no coincidence.
const REPEAT: usize = 24;
/// The shortest and the longest overlap that is cut.
const OVERLAP: std::ops::RangeInclusive<usize> = 12..=400;

/// The model began its answer anew: nothing of this attempt may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the model began its answer anew instead of going on")]
pub struct Restart;

/// Turns what a model says when it goes on into what is to be appended.
#[derive(Debug)]
pub struct Seam {
    means: Means,
    state: State,
    /// The stored text's start, as far as a repetition of it is looked for.
    beginning: String,
    /// The last characters of the stored text, where overlaps are looked for.
    end: Vec<char>,
    /// The white space that ends the stored text.
    white: String,
    /// White space whose fate is open.
    lead: String,
    /// What follows it, while nothing is decided.
    held: String,
    /// Characters in `held`.
    seen: usize,
    /// Bytes of `beginning` that came again; `None` once the two differ.
    again: Option<usize>,
    /// Characters that came again before the two differed.
    repeated: usize,
    /// Lengths of overlaps that are still possible.
    overlaps: Vec<usize>,
    /// The longest overlap that is complete: its characters, its bytes in `held`.
    overlap: (usize, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing but white space so far.
    Leading,
    /// Everything is held.
    Deciding,
    /// What came twice is dropped; white space may follow it.
    Between,
    /// Everything is new.
    Open,
}

impl Seam {
    /// The seam after `stored`, for an answer that goes on by `means`.
    pub fn new(stored: &str, means: Means) -> Self {
        let text = if means == Means::Reattach { stored } else { given(stored) };
        let (looks_again, end) = match means {
            Means::Reattach => (true, Vec::new()),
            Means::Prefill => (is_telling(text), Vec::new()),
            Means::Prompt => (true, last(text, *OVERLAP.end())),
            Means::None => (false, Vec::new()),
        };
        let state = match means {
            Means::Reattach if text.is_empty() => State::Open,
            Means::Reattach => State::Deciding,
            Means::Prefill | Means::Prompt => State::Leading,
            Means::None => State::Open,
        };
        Self {
            means,
            state,
            beginning: if looks_again { text.to_owned() } else { String::new() },
            end,
            white: stored[text.len()..].to_owned(),
            lead: String::new(),
            held: String::new(),
            seen: 0,
            again: (looks_again && !text.is_empty()).then_some(0),
            repeated: 0,
            overlaps: Vec::new(),
            overlap: (0, 0),
        }
    }

    /// Takes the next piece; returns what is certain to be new. After a [`Restart`] the seam is
    /// of no more use.
    pub fn push(&mut self, text: &str) -> Result<String, Restart> {
        let mut new = String::new();
        for (at, char) in text.char_indices() {
            if self.state == State::Open {
                new.push_str(&text[at..]);
                break;
            }
            self.take(char, &mut new)?;
        }
        Ok(new)
    }

    /// The model is done: returns what was still held. When it broke off instead, what is held is
    /// not known to be new and is dropped with the seam.
    pub fn finish(mut self) -> Result<String, Restart> {
        let mut new = String::new();
        if self.state == State::Deciding {
            if self.again.is_some() {
                self.diverge()?;
            }
            self.decide(&mut new)?;
        }
        if self.state != State::Open {
            self.open(&mut new);
        }
        Ok(new)
    }

    fn take(&mut self, char: char, new: &mut String) -> Result<(), Restart> {
        match self.state {
            State::Open => new.push(char),
            State::Leading | State::Between if char.is_whitespace() => self.lead.push(char),
            State::Leading => {
                self.begin();
                return self.compare(char, new);
            }
            State::Between => {
                self.open(new);
                new.push(char);
            }
            State::Deciding => return self.compare(char, new),
        }
        Ok(())
    }

    /// The first character that is not white space is about to be compared.
    fn begin(&mut self) {
        self.state = State::Deciding;
        if self.means == Means::Prefill && !self.lead.is_empty() {
            self.again = None;
        }
        // White space at the front may be part of an overlap.
        let lead: Vec<char> = self.lead.chars().collect();
        let shortest = OVERLAP.start().saturating_sub(lead.len()).max(1);
        let counts = |length: usize| {
            let missing = OVERLAP.start().saturating_sub(length);
            let before = self.end.len().saturating_sub(length);
            self.end[..before].ends_with(&lead[lead.len() - missing..])
        };
        self.overlaps = (shortest..=self.end.len()).filter(|length| counts(*length)).collect();
    }

    fn compare(&mut self, char: char, new: &mut String) -> Result<(), Restart> {
        match self.again {
            Some(at) if self.beginning[at..].starts_with(char) => {
                let at = at + char.len_utf8();
                self.again = Some(at);
                if at == self.beginning.len() {
                    self.drop_repeated();
                    return Ok(());
                }
            }
            Some(_) => self.diverge()?,
            None => {}
        }
        self.held.push(char);
        let (end, seen) = (&self.end, self.seen);
        self.overlaps.retain(|length| end[end.len() - length + seen] == char);
        self.seen += 1;
        if self.overlaps.first() == Some(&self.seen) {
            self.overlaps.remove(0);
            self.overlap = (self.seen, self.held.len());
        }
        if self.again.is_none() && self.overlaps.is_empty() { self.decide(new) } else { Ok(()) }
    }

    /// All of the stored text came again.
    fn drop_repeated(&mut self) {
        self.lead.clear();
        self.held.clear();
        self.state = if self.means == Means::Reattach { State::Open } else { State::Between };
    }

    fn diverge(&mut self) -> Result<(), Restart> {
        self.again = None;
        self.repeated = self.seen;
        if self.means == Means::Reattach { Err(Restart) } else { Ok(()) }
    }

    /// Says what the held text is: a restart, a continuation behind an overlap, or one without.
    fn decide(&mut self, new: &mut String) -> Result<(), Restart> {
        let (characters, bytes) = self.overlap;
        // An overlap that explains as much as the repetition is the better explanation.
        if self.repeated >= REPEAT && characters < self.repeated {
            return Err(Restart);
        }
        let held = std::mem::take(&mut self.held);
        if bytes > 0 {
            self.lead.clear();
            self.state = State::Between;
            new.push_str(&self.push(&held[bytes..])?);
        } else {
            self.open(new);
            new.push_str(&held);
        }
        Ok(())
    }

    fn open(&mut self, new: &mut String) {
        new.push_str(once(&self.white, &self.lead));
        self.state = State::Open;
    }
}

/// What of the white space `lead` is left when `white` is there already.
fn once<'a>(white: &str, lead: &'a str) -> &'a str {
    let starts = white.char_indices().map(|(at, _)| at);
    let common = starts.map(|at| &white[at..]).find(|end| lead.starts_with(end)).unwrap_or("");
    let rest = &lead[common.len()..];
    let goes_on = white.is_empty() || !common.is_empty();
    // Where the model writes other white space than before, only a line break adds to it.
    if goes_on || rest.contains('\n') { rest } else { "" }
}

/// Whether an exact continuation that begins as the whole text does would be a surprise.
fn is_telling(text: &str) -> bool {
    let half = (text.chars().take(2 * REPEAT).count() / 2).max(1);
    let Some((_, first)) = text.char_indices().next() else { return false };
    let length = text.char_indices().nth(half).map_or(text.len(), |(at, _)| at);
    text.chars().any(char::is_alphanumeric) && !text[first.len_utf8()..].contains(&text[..length])
}

fn last(text: &str, most: usize) -> Vec<char> {
    let mut chars: Vec<char> = text.chars().rev().take(most).collect();
    chars.reverse();
    chars
}

/// What is to be appended to `partial`, out of the stream that [`crate::Provider::go_on`] gave for
/// `means`. A restart is a `provider_error`; nothing of it is shown.
pub fn join(mut stream: EventStream, partial: &Partial, means: Means) -> EventStream {
    let mut content = Seam::new(&partial.content, means);
    // Only a replay brings the same reasoning again.
    let again = if means == Means::Reattach { means } else { Means::None };
    let mut reasoning = Seam::new(&partial.reasoning, again);
    let told = partial.tools.clone();
    stream! {
        while let Some(event) = stream.next().await {
            let last = match event {
                Ok(Event::Content(text)) => content.push(&text).map(Event::Content),
                Ok(Event::Reasoning(text)) => reasoning.push(&text).map(Event::Reasoning),
                Ok(Event::Tool(step)) => match new_step(step, &told, means) {
                    Some(step) => Ok(Event::Tool(step)),
                    None => continue,
                },
                Ok(Event::Finish(reason)) => {
                    match content.finish() {
                        Ok(text) if text.is_empty() => {}
                        Ok(text) => yield Ok(Event::Content(text)),
                        Err(restart) => {
                            yield Err(restarted(restart));
                            return;
                        }
                    }
                    yield Ok(Event::Finish(reason));
                    return;
                }
                Ok(other) => Ok(other),
                Err(failure) => {
                    yield Err(failure);
                    return;
                }
            };
            match last {
                Ok(Event::Content(text) | Event::Reasoning(text)) if text.is_empty() => {}
                Ok(event) => yield Ok(event),
                Err(restart) => {
                    yield Err(restarted(restart));
                    return;
                }
            }
        }
    }
    .boxed()
}

/// A step of a tool call, unless it is one of those that were told before the break.
fn new_step(mut step: Box<ToolStep>, told: &[ToolStep], means: Means) -> Option<Box<ToolStep>> {
    if means == Means::Reattach {
        return (!told.contains(&step)).then_some(step);
    }
    // A further call of the model may count its tool calls from the beginning, and means others.
    if told.iter().any(|before| before.call_id == step.call_id) {
        step.call_id = format!("{}+{}", step.call_id, told.len());
    }
    Some(step)
}

fn restarted(_: Restart) -> Failure {
    Failure {
        code: ErrorCode::ProviderError,
        message: "The model began its answer anew instead of going on.".to_owned(),
        retry_after: None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unbroken_protocol::FinishReason;

    use super::*;

    const ALL: [Means; 3] = [Means::Reattach, Means::Prefill, Means::Prompt];

    /// Everything that a seam lets through of an output that comes in pieces of these lengths.
    fn joined(
        stored: &str,
        means: Means,
        output: &str,
        pieces: &[usize],
    ) -> Result<String, Restart> {
        let mut seam = Seam::new(stored, means);
        let mut new = String::new();
        let mut chars = output.chars();
        for length in pieces.iter().copied().cycle() {
            let piece: String = chars.by_ref().take(length).collect();
            if piece.is_empty() {
                break;
            }
            new.push_str(&seam.push(&piece)?);
        }
        new.push_str(&seam.finish()?);
        Ok(new)
    }

    fn whole(stored: &str, means: Means, output: &str) -> Result<String, Restart> {
        joined(stored, means, output, &[usize::MAX])
    }

    async fn events(stored: &str, said: &[&str]) -> Vec<Result<Event, Failure>> {
        let said: Vec<Result<Event, Failure>> = said
            .iter()
            .map(|text| Ok(Event::Content((*text).to_owned())))
            .chain([Ok(Event::Finish(FinishReason::Stop))])
            .collect();
        let partial = Partial { content: stored.into(), ..Partial::default() };
        let stream = futures_util::stream::iter(said).boxed();
        join(stream, &partial, Means::Prompt).collect().await
    }

    #[tokio::test]
    async fn a_stream_is_joined_to_its_text() {
        let stop = Ok(Event::Finish(FinishReason::Stop));
        let content = |text: &str| Ok(Event::Content(text.into()));
        let got = events("One and two. ", &["One and", " two. ", "Three."]).await;
        assert_eq!(got, [content("Three."), stop.clone()]);
        let got = events("One and two. ", &["One", " and"]).await;
        assert_eq!(got, [content("One and"), stop], "what was held comes before the end");
    }

    fn step(call_id: &str, phase: &str) -> ToolStep {
        let data = serde_json::json!({"output": "found"});
        ToolStep { call_id: call_id.into(), phase: phase.into(), name: "search".into(), data }
    }

    #[tokio::test]
    async fn a_replay_tells_no_tool_call_twice_and_a_further_call_means_another_one() {
        let tools = vec![step("call-0", "call")];
        let partial = Partial { content: "One ".into(), tools, ..Partial::default() };
        let tool = |step: ToolStep| Ok(Event::Tool(step.into()));
        let ids = async |means, said: &str| {
            let said = [
                tool(step("call-0", "call")),
                Ok(Event::Content(said.into())),
                tool(step("call-0", "result")),
                Ok(Event::Finish(FinishReason::Stop)),
            ];
            let stream = futures_util::stream::iter(said).boxed();
            let events: Vec<_> = join(stream, &partial, means).collect().await;
            let step = |event| match event {
                Ok(Event::Tool(step)) => Some((step.call_id, step.phase)),
                _ => None,
            };
            events.into_iter().filter_map(step).collect::<Vec<_>>()
        };
        let named = |id: &str, phase: &str| (id.to_owned(), phase.to_owned());
        assert_eq!(ids(Means::Reattach, "One two").await, [named("call-0", "result")]);
        let others = [named("call-0+1", "call"), named("call-0+1", "result")];
        assert_eq!(ids(Means::Prefill, "two").await, others);
    }

    #[tokio::test]
    async fn nothing_of_a_restart_is_shown() {
        let stored = "The sea is wide and blue today. ";
        let got = events(stored, &["The sea is wide and blue ", "or", " grey."]).await;
        assert_eq!(got.len(), 1);
        assert_eq!(got[0].as_ref().unwrap_err().code, ErrorCode::ProviderError);
    }

    fn numbers(to: usize) -> String {
        (1..=to).map(|i| if i % 20 == 0 { format!("{i}\n") } else { format!("{i} ") }).collect()
    }

    #[test]
    fn an_empty_text_lets_everything_pass() {
        for means in [Means::Reattach, Means::Prefill, Means::Prompt, Means::None] {
            assert_eq!(whole("", means, "\n Hello "), Ok("\n Hello ".into()), "{means:?}");
            assert_eq!(whole("", means, ""), Ok(String::new()));
        }
    }

    #[test]
    fn a_repetition_that_diverges_late_is_a_restart() {
        let stored = "The sea is wide and blue today. ";
        let other = "The sea is wide and blue or grey.";
        for means in ALL {
            assert_eq!(whole(stored, means, other), Err(Restart), "{means:?}");
            assert_eq!(whole(stored, means, &stored[..28]), Err(Restart), "ended early: {means:?}");
        }
    }

    #[test]
    fn a_repetition_that_diverges_early_is_a_continuation_unless_it_should_be_a_replay() {
        let stored = "The sea is wide and blue today. ";
        let other = "The sea is deep.";
        assert_eq!(whole(stored, Means::Reattach, other), Err(Restart));
        for means in [Means::Prefill, Means::Prompt] {
            assert_eq!(whole(stored, means, other), Ok(other.into()));
            assert_eq!(whole(stored, means, "The sea"), Ok("The sea".into()));
        }
    }

    #[test]
    fn a_prefill_may_say_the_last_words_again() {
        for (stored, output) in [
            ("He laughs: ha ha ha ha ha ha", " ha ha ha ha ha ha!"),
            ("ha ha ha ha ha ha ha ha ", " ha ha ha ha ha ha ha ha ha."),
            ("hahahahahahahahahahahahahahaha", "hahahahahahahahahahahahahahahaha"),
            ("| 1 | 2 | 3 |\n| 1 | 2 | 3 |", "\n| 1 | 2 | 3 |"),
            (
                "<li class=\"an entry\">A</li><li class=\"an entry\">B</li>",
                "<li class=\"an entry\">C",
            ),
            ("*", "*bold**"),
            ("Row, row, row your boat!", "\nRow, row, row your boat!"),
        ] {
            let white = &stored[stored.trim_end().len()..];
            let expected = output.strip_prefix(white).unwrap();
            for pieces in [1, 3, 1000] {
                let got = joined(stored, Means::Prefill, output, &[pieces]);
                assert_eq!(got.as_deref(), Ok(expected), "{stored}");
            }
        }
    }

    #[test]
    fn an_overlap_below_twelve_characters_stays() {
        let stored = "I think that one and two";
        assert_eq!(whole(stored, Means::Prompt, "one and two, too"), Ok("one and two, too".into()));
        assert_eq!(whole(stored, Means::Prompt, " one and two, too"), Ok(", too".into()));
        assert_eq!(whole(stored, Means::Prompt, "t one and two, too"), Ok(", too".into()));
    }

    #[test]
    fn an_overlap_with_the_refrain_is_no_restart() {
        let refrain = "And so we sailed away upon the sea.";
        let stored = format!("{refrain} Then it rained. {refrain}");
        let output = format!("{refrain}\nThe sun came out.");
        assert_eq!(whole(&stored, Means::Prompt, &output), Ok("\nThe sun came out.".into()));
    }

    #[test]
    fn white_space_comes_once() {
        for (stored, output, expected) in [
            ("a ", " b", "b"),
            ("a ", "b", "b"),
            ("a", " b", " b"),
            ("a", "b", "b"),
            ("a\n", "\n\nb", "\nb"),
            ("a\n\n", "\nb", "b"),
            ("a\n", " b", "b"),
            ("a ", "\n\nb", "\n\nb"),
            ("a \n", "\n    b", "    b"),
            ("a ", " ", ""),
        ] {
            for means in [Means::Prefill, Means::Prompt] {
                assert_eq!(whole(stored, means, output), Ok(expected.into()), "{stored:?}");
            }
        }
    }

    #[test]
    fn what_is_clearly_new_is_not_held() {
        for means in [Means::Prefill, Means::Prompt] {
            let mut seam = Seam::new(&numbers(100), means);
            assert_eq!(seam.push("Z").as_deref(), Ok("Z"), "{means:?}");
        }
        let mut seam = Seam::new(&"ab".repeat(1000), Means::Prompt);
        let held: usize = (0..100).take_while(|_| seam.push("b").unwrap().is_empty()).count();
        assert!(held <= 2, "{held}");
    }

    /// Whether nobody could tell a continuation from a repetition.
    fn is_ambiguous(stored: &str, output: &str) -> bool {
        let text = stored.trim_end();
        let same = text.chars().zip(output.chars()).take_while(|(a, b)| a == b).count();
        !text.is_empty() && (output.starts_with(text) || same >= REPEAT)
    }

    fn split(text: &str, at: prop::sample::Index) -> (&str, &str) {
        let places: Vec<usize> =
            text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        text.split_at(places[at.index(places.len())])
    }

    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![
            (0_usize..300).prop_map(numbers),
            "[ab \n]{0,60}",
            "[a-d中ü🦀 .|\n]{0,200}",
            ("[a-c |\n]{1,9}", 1_usize..40).prop_map(|(unit, times)| unit.repeat(times)),
        ]
    }

    fn pieces() -> impl Strategy<Value = Vec<usize>> {
        prop::collection::vec(1_usize..40, 1..8)
    }

    proptest! {
        #[test]
        fn b8_16_an_exact_continuation_is_whole(
            text in texts(), at in any::<prop::sample::Index>(), pieces in pieces(),
        ) {
            let (stored, rest) = split(&text, at);
            // The provider is given the text without the white space at its end.
            let output = &text[given(stored).len()..];
            prop_assume!(!is_ambiguous(stored, output));
            prop_assert_eq!(joined(stored, Means::Prefill, output, &pieces), Ok(rest.to_owned()));
        }

        #[test]
        fn b8_16_a_replay_is_cut_to_what_is_new(
            text in texts(), at in any::<prop::sample::Index>(), pieces in pieces(),
        ) {
            let (stored, rest) = split(&text, at);
            prop_assert_eq!(joined(stored, Means::Reattach, &text, &pieces), Ok(rest.to_owned()));
        }

        #[test]
        fn b8_16_a_repetition_from_the_start_is_dropped(
            text in texts(), at in any::<prop::sample::Index>(), pieces in pieces(),
        ) {
            let text = text.trim_start();
            let (stored, rest) = split(text, at);
            prop_assert_eq!(joined(stored, Means::Prompt, text, &pieces), Ok(rest.to_owned()));
            if is_telling(given(stored)) {
                prop_assert_eq!(joined(stored, Means::Prefill, text, &pieces), Ok(rest.to_owned()));
            }
        }

        #[test]
        fn b8_16_an_overlap_is_cut(
            to in 20_usize..300, at in any::<prop::sample::Index>(), pieces in pieces(),
            overlap in OVERLAP,
        ) {
            let text = numbers(to);
            let (stored, rest) = split(&text, at);
            let end = given(stored).len();
            let output = &text[end - overlap.min(end)..];
            prop_assert_eq!(joined(stored, Means::Prompt, output, &pieces), Ok(rest.to_owned()));
        }

        #[test]
        fn an_attempt_that_breaks_off_doubles_nothing(
            text in texts(), at in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>(),
            piece in 1_usize..40,
        ) {
            let (stored, rest) = split(&text, at);
            for (means, output) in [
                (Means::Reattach, text.as_str()),
                (Means::Prefill, &text[given(stored).len()..]),
            ] {
                prop_assume!(means == Means::Reattach || !is_ambiguous(stored, output));
                let (came, _) = split(output, cut);
                let mut seam = Seam::new(stored, means);
                let mut new = String::new();
                for piece in came.chars().collect::<Vec<_>>().chunks(piece) {
                    let piece: String = piece.iter().collect();
                    new.push_str(&seam.push(&piece).unwrap());
                }
                prop_assert!(rest.starts_with(&new), "{:?} {:?}", means, new);
            }
        }

        #[test]
        fn not_more_is_held_than_has_to_be(
            stored in texts(), output in "[a-d 0-9]{0,900}", piece in 1_usize..40,
        ) {
            let mut seam = Seam::new(&stored, Means::Prompt);
            let chars: Vec<char> = output.chars().collect();
            let (mut pushed, mut shown) = (0, 0);
            for piece in chars.chunks(piece) {
                let Ok(new) = seam.push(&piece.iter().collect::<String>()) else { return Ok(()) };
                pushed += piece.len();
                shown += new.chars().count();
            }
            let limit = stored.chars().count().max(*OVERLAP.end()) * 2;
            prop_assert!(pushed - shown <= limit + output.len() - output.trim_start().len());
        }
    }
}
