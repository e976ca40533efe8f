//! What a screen reader is told of the answers, and when. All times are milliseconds of one clock.

use std::collections::HashMap;

/// No more than one announcement in so many milliseconds: nobody listens so fast, and each of them
/// costs layout.
pub const APART: f64 = 1000.0;
/// So many bytes at once, the rest with the next ones: it takes minutes to hear as many.
pub const LONGEST: usize = 4096;

/// How much a person wants to hear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Announce {
    #[default]
    Sentences,
    AtTheEnd,
    Off,
}

/// What was told of each answer, by its key.
#[derive(Debug)]
pub struct Announcements {
    /// Bytes of its text.
    heard: HashMap<u64, usize>,
    said_at: f64,
}

/// What is to be done about an answer now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    /// To be read aloud.
    pub say: Option<String>,
    /// There may be more: ask again after this time, even if nothing changes.
    pub again: Option<f64>,
}

impl Default for Announcements {
    fn default() -> Self {
        Self { heard: HashMap::new(), said_at: f64::NEG_INFINITY }
    }
}

impl Announcements {
    /// An answer appears; what it holds already is not news.
    pub fn begin(&mut self, key: u64, text: &str) {
        self.heard.entry(key).or_insert(text.len());
    }

    /// The answer holds this now; `running` says whether more may come. What the person wants is
    /// asked for only when there is something to say.
    pub fn hear(
        &mut self,
        key: u64,
        text: &str,
        running: bool,
        announce: impl FnOnce() -> Announce,
        now: f64,
    ) -> Heard {
        let from = self.heard.entry(key).or_insert(text.len());
        // Another text may have taken the place of the one that was heard.
        *from = text.floor_char_boundary(*from);
        let new = &text[*from..];
        if new.is_empty() {
            return Heard::default();
        }
        // A clock that was set back must not silence the page.
        let wait = (self.said_at + APART - now).min(APART);
        if wait > 0.0 {
            return Heard { say: None, again: Some(wait) };
        }
        let end = match announce() {
            Announce::AtTheEnd if running => return Heard::default(),
            Announce::Off => {
                *from = text.len();
                return Heard::default();
            }
            Announce::Sentences | Announce::AtTheEnd => piece(new, running),
        };
        *from += end;
        let say = Some(plain(&new[..end])).filter(|said| !said.is_empty());
        if say.is_some() {
            self.said_at = now;
        }
        let again = (end > 0 && end < new.len()).then_some(APART);
        Heard { say, again }
    }
}

/// Where the next announcement ends: after the last sentence that fits, and only when a single one
/// does not, after a word. 0 when no sentence is whole yet.
fn piece(text: &str, running: bool) -> usize {
    if text.len() <= LONGEST && !running {
        return text.len();
    }
    let most = &text[..text.floor_char_boundary(LONGEST)];
    match sentences_end(text, most.len()) {
        0 if most.len() < text.len() => {
            most.rfind(char::is_whitespace).filter(|at| *at > 0).unwrap_or(most.len())
        }
        end => end,
    }
}

/// Where the last whole sentence ends that ends before `most`; 0 when there is none.
fn sentences_end(text: &str, most: usize) -> usize {
    let mut end = 0;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let after = at + letter.len_utf8();
        if after > most {
            break;
        }
        let ends = match letter {
            '\n' | '。' | '！' | '？' => true,
            '.' | '!' | '?' | '…' => letters.peek().is_some_and(|(_, next)| next.is_whitespace()),
            _ => false,
        };
        if ends {
            end = after;
        }
    }
    end
}

/// The words without the marks of Markdown.
fn plain(text: &str) -> String {
    let words =
        text.split_whitespace().map(|word| word.trim_matches(['*', '#', '`', '_', '|', '>']));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: u64 = 7;

    /// What is said of a text that comes in pieces at these times, and when.
    fn said(pieces: &[(f64, &str)]) -> Vec<(f64, String)> {
        let mut announcements = Announcements::default();
        announcements.begin(KEY, "");
        let (mut text, mut said, mut now) = (String::new(), Vec::new(), 0.0);
        let mut again = None;
        for (at, (pause, piece)) in pieces.iter().enumerate() {
            // What waits is asked for again in between, as the page does.
            let next = now + pause;
            while let Some(due) = again.filter(|due| *due <= next) {
                again = hear(&mut announcements, &text, true, due, &mut said);
            }
            now = next;
            text.push_str(piece);
            let running = at + 1 < pieces.len();
            again = hear(&mut announcements, &text, running, now, &mut said);
        }
        while let Some(due) = again {
            again = hear(&mut announcements, &text, false, due, &mut said);
        }
        said
    }

    fn hear(
        announcements: &mut Announcements,
        text: &str,
        running: bool,
        now: f64,
        said: &mut Vec<(f64, String)>,
    ) -> Option<f64> {
        let heard = announcements.hear(KEY, text, running, || Announce::Sentences, now);
        said.extend(heard.say.map(|sentence| (now, sentence)));
        heard.again.map(|wait| now + wait)
    }

    fn texts() -> impl Strategy<Value = Vec<(f64, String)>> {
        let piece = prop_oneof![
            8 => "[a-zäß。]{1,9}([.?!] |\n| ){0,1}",
            1 => Just("ein Wort ".repeat(1000)),
            1 => Just("ß".repeat(5000)),
        ];
        proptest::collection::vec((0.0..700.0_f64, piece), 1..24)
    }

    proptest! {
        #[test]
        fn it_is_said_at_most_once_a_second_and_no_word_is_missed(pieces in texts()) {
            let given: Vec<_> = pieces.iter().map(|(at, text)| (*at, text.as_str())).collect();
            let said = said(&given);
            for pair in said.windows(2) {
                prop_assert!(pair[1].0 - pair[0].0 > APART - 0.001, "{pair:?}");
            }
            let letters = |text: &str| text.split_whitespace().collect::<String>();
            let whole: String = pieces.iter().map(|(_, text)| text.as_str()).collect();
            let heard: String = said.iter().map(|(_, sentence)| sentence.as_str()).collect();
            prop_assert_eq!(letters(&heard), letters(&whole));
            prop_assert!(said.iter().all(|(_, sentence)| sentence.len() <= LONGEST));
        }
    }

    #[test]
    fn a_running_answer_is_heard_sentence_by_sentence() {
        let heard = said(&[(0.0, "One. Tw"), (1200.0, "o. Thr"), (1200.0, "ee."), (50.0, "")]);
        let sentences: Vec<_> = heard.iter().map(|(_, sentence)| sentence.as_str()).collect();
        assert_eq!(sentences, ["One.", "Two.", "Three."]);
    }

    #[test]
    fn an_answer_that_was_there_before_is_no_news() {
        let mut announcements = Announcements::default();
        announcements.begin(KEY, "Long ago.");
        let heard = announcements.hear(KEY, "Long ago.", false, || Announce::Sentences, 0.0);
        assert_eq!(heard, Heard::default());
    }

    #[test]
    fn who_wants_the_end_hears_all_of_it_then_and_who_wants_nothing_nothing() {
        let mut announcements = Announcements::default();
        announcements.begin(KEY, "");
        let mut hear = |text, running, announce, now| {
            announcements.hear(KEY, text, running, || announce, now).say
        };
        assert_eq!(hear("One. ", true, Announce::AtTheEnd, 0.0), None);
        assert_eq!(hear("One. Two.", false, Announce::AtTheEnd, 1.0), Some("One. Two.".into()));
        assert_eq!(hear("One. Two. Three. ", true, Announce::Off, 5000.0), None);
        let after = hear("One. Two. Three. Four. ", true, Announce::Sentences, 9000.0);
        assert_eq!(after, Some("Four.".into()), "what came while it was off is not caught up");
    }

    #[test]
    fn a_shorter_text_in_its_place_does_not_silence_the_rest() {
        let mut announcements = Announcements::default();
        announcements.begin(KEY, "A long answer.");
        assert_eq!(announcements.hear(KEY, "äö", true, || Announce::Sentences, 0.0).say, None);
        let heard = announcements.hear(KEY, "äö. More. ", true, || Announce::Sentences, 1.0);
        assert_eq!(heard.say, Some(". More.".into()));
    }
}
