//! The language that the app speaks: English, which is compiled in, or a table of patterns that
//! came from the server. What a pattern is made of is said in `fluent/src/pattern.rs`.

use std::cell::Cell;

use crate::texts::KEY;

const PLACE: char = '\u{1}';
const SELECT: char = '\u{2}';
const IS: char = '\u{3}';
const NEXT: char = '\u{4}';
const END: char = '\u{5}';

/// The rest of the text is not moved by what stands between these two (Unicode, UAX #9).
const FIRST_STRONG_ISOLATE: char = '\u{2068}';
const POP_DIRECTIONAL_ISOLATE: char = '\u{2069}';

/// A text that the app has, and where other languages have theirs.
#[derive(Debug)]
pub(crate) struct Message {
    /// In the table of a language.
    pub(crate) index: usize,
    /// The English pattern.
    pub(crate) english: &'static str,
}

/// What fills a place in a pattern.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    Text(&'a str),
    Number(u64),
}

/// What a browser knows of a language, and this crate does not.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The plural category of a number, as in CLDR: `one`, `few`, `other`.
    pub category: fn(u64) -> String,
    /// A number as it is written.
    pub number: fn(u64) -> String,
    /// Whether it is written from right to left.
    pub right_to_left: bool,
}

/// Those of English, with plain digits.
impl Default for Rules {
    fn default() -> Self {
        ENGLISH.rules
    }
}

/// A language and its rules.
#[derive(Debug)]
pub struct Language {
    /// In the order of the functions of `texts`; without any it is English.
    patterns: Vec<&'static str>,
    rules: Rules,
}

static ENGLISH: Language = Language {
    patterns: Vec::new(),
    rules: Rules { category: english, number: plain, right_to_left: false },
};

thread_local! {
    static SPOKEN: Cell<&'static Language> = const { Cell::new(&ENGLISH) };
}

impl Language {
    /// The language of a table; `None` when it was made for other messages than this app's.
    pub fn read(table: &'static str, rules: Rules) -> Option<Self> {
        let mut lines = table.split('\n');
        (lines.next() == Some(KEY)).then(|| Self { patterns: lines.collect(), rules })
    }

    /// English, with these rules.
    pub fn english(rules: Rules) -> Self {
        Self { patterns: Vec::new(), rules }
    }

    /// Every text is in this language from now on. What was asked for before stays as it is.
    pub fn speak(self) {
        SPOKEN.set(Box::leak(Box::new(self)));
    }

    fn pattern<'a>(&'a self, message: &'a Message) -> &'a &'static str {
        self.patterns.get(message.index).unwrap_or(&message.english)
    }

    /// A pattern with these values in its places.
    fn fill(&self, pattern: &str, values: &[Value<'_>]) -> String {
        let mut filled = String::with_capacity(pattern.len());
        self.write(&mut filled, pattern, values);
        filled
    }

    fn write(&self, out: &mut String, pattern: &str, values: &[Value<'_>]) {
        let mut rest = pattern;
        while let Some(at) = rest.find([PLACE, SELECT]) {
            out.push_str(&rest[..at]);
            let mut letters = rest[at..].chars();
            let mark = letters.next();
            let digit = letters.next().and_then(|letter| letter.to_digit(10));
            let value = digit.and_then(|digit| values.get(digit as usize));
            rest = letters.as_str();
            if mark == Some(SELECT) {
                let (variants, after) = rest.split_once(END).unwrap_or((rest, ""));
                self.write(out, self.chosen(variants, value), values);
                rest = after;
            } else {
                match value {
                    Some(Value::Text(text)) => place(out, text, self.rules.right_to_left),
                    Some(Value::Number(number)) => out.push_str(&(self.rules.number)(*number)),
                    None => {}
                }
            }
        }
        out.push_str(rest);
    }

    /// The variant for this number or its category, or the last.
    fn chosen<'a>(&self, variants: &'a str, value: Option<&Value<'_>>) -> &'a str {
        let (exact, category) = match value {
            Some(Value::Number(number)) => (number.to_string(), (self.rules.category)(*number)),
            _ => <(String, String)>::default(),
        };
        let mut last = "";
        for variant in variants.split(NEXT) {
            let Some((key, pattern)) = variant.split_once(IS) else { continue };
            if key == exact || key == category {
                return pattern;
            }
            last = pattern;
        }
        last
    }
}

/// The text of a message without places.
#[expect(clippy::inline_always, reason = "see `spoken`")]
#[inline(always)]
pub(crate) fn text(message: &'static Message) -> &'static str {
    spoken(message)
}

/// Returns one word where a text is two: hundreds of calls are so much smaller.
fn spoken(message: &'static Message) -> &'static &'static str {
    SPOKEN.get().pattern(message)
}

/// The text of a message with values in its places.
pub(crate) fn filled(message: &'static Message, values: &[Value<'_>]) -> String {
    let language = SPOKEN.get();
    language.fill(language.pattern(message), values)
}

/// The text in that place, if another language than English is spoken.
pub(crate) fn translated(place: usize) -> Option<&'static str> {
    SPOKEN.get().patterns.get(place).copied()
}

/// Puts in what people or models wrote. Fluent isolates it always; here only where it may be of
/// the other direction, so that names stay word for word what they are.
fn place(out: &mut String, text: &str, right_to_left: bool) {
    let isolate = right_to_left || text.contains(is_right_to_left);
    if isolate {
        out.push(FIRST_STRONG_ISOLATE);
    }
    // Marks of its own could end the isolation, or turn what follows.
    out.extend(text.chars().filter(|letter| !is_embedding(*letter)));
    if isolate {
        out.push(POP_DIRECTIONAL_ISOLATE);
    }
}

/// Letters of scripts that are written from right to left, by their blocks in Unicode.
fn is_right_to_left(letter: char) -> bool {
    matches!(
        letter,
        '\u{590}'..='\u{8ff}'
            | '\u{200f}'
            | '\u{fb1d}'..='\u{fdff}'
            | '\u{fe70}'..='\u{feff}'
            | '\u{10800}'..='\u{10fff}'
            | '\u{1e800}'..='\u{1efff}'
    )
}

/// A name or title that anybody may have written, as it is shown: nothing in it turns the direction
/// of what is around it.
pub fn plain_name(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control() && !is_embedding(*letter)).collect()
}

/// Controls that change the direction of what comes after them.
fn is_embedding(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn english(number: u64) -> String {
    if number == 1 { "one" } else { "other" }.to_owned()
}

fn plain(number: u64) -> String {
    number.to_string()
}

#[cfg(test)]
mod tests;
