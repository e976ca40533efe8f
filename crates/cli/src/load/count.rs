//! Numbered tokens: reading them from a text that arrives in pieces, and what is wrong with them.

use std::collections::BTreeSet;

/// A token of the stand-in: `17 `, or `17@1234567890 ` with the time of its writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) number: u64,
    pub(super) written: Option<u64>,
}

/// A place in a text. A token may come in two pieces.
#[derive(Default)]
pub(super) struct Tokens {
    place: Place,
    number: u64,
    written: u64,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Place {
    #[default]
    Between,
    Number,
    Stamp,
}

impl Tokens {
    /// Reads a piece of text, which may be the inside of a JSON string as it is on the wire: `\n`
    /// ends a token too.
    pub(super) fn read(&mut self, text: &[u8], mut seen: impl FnMut(Token)) {
        for byte in text {
            match (byte, self.place) {
                (b'0'..=b'9', Place::Stamp) => self.written = appended(self.written, *byte),
                (b'0'..=b'9', _) => {
                    self.place = Place::Number;
                    self.number = appended(self.number, *byte);
                }
                (b'@', Place::Number) => self.place = Place::Stamp,
                (_, Place::Between) => {}
                (_, place) => {
                    let written = (place == Place::Stamp).then_some(self.written);
                    seen(Token { number: self.number, written });
                    *self = Self::default();
                }
            }
        }
    }
}

fn appended(number: u64, digit: u8) -> u64 {
    number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
}

/// Which of the numbers `1..=total` came, and how.
pub(super) struct Count {
    total: u64,
    /// The one that should come next.
    next: u64,
    missing: BTreeSet<u64>,
    harm: Harm,
}

/// What went wrong with tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Harm {
    pub(super) lost: u64,
    pub(super) doubled: u64,
    /// Came once, but after a later one.
    pub(super) disordered: u64,
    /// The model never says such a number.
    pub(super) strange: u64,
}

impl Count {
    pub(super) fn new(total: u64) -> Self {
        Self { total, next: 1, missing: BTreeSet::new(), harm: Harm::default() }
    }

    pub(super) fn see(&mut self, number: u64) {
        if number == self.next {
            self.next += 1;
        } else if number == 0 || number > self.total {
            self.harm.strange += 1;
        } else if number > self.next {
            self.missing.extend(self.next..number);
            self.next = number + 1;
        } else if self.missing.remove(&number) {
            self.harm.disordered += 1;
        } else {
            self.harm.doubled += 1;
        }
    }

    /// Up to which number they came.
    pub(super) fn seen(&self) -> u64 {
        self.next - 1
    }

    /// What is wrong when nothing comes any more.
    pub(super) fn harm(&self) -> Harm {
        let never = (self.total + 1).saturating_sub(self.next);
        let strange = self.harm.strange + (self.next - 1).saturating_sub(self.total);
        Harm { lost: self.missing.len() as u64 + never, strange, ..self.harm }
    }
}

impl Harm {
    pub(super) fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.disordered += other.disordered;
        self.strange += other.strange;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(pieces: &[&[u8]]) -> Vec<Token> {
        let (mut tokens, mut seen) = (Tokens::default(), Vec::new());
        for piece in pieces {
            tokens.read(piece, |token| seen.push(token));
        }
        seen
    }

    fn harm(numbers: &[u64], total: u64) -> Harm {
        let mut count = Count::new(total);
        for number in numbers {
            count.see(*number);
        }
        count.harm()
    }

    #[test]
    fn a_token_has_a_number_and_perhaps_a_stamp() {
        let plain = |number| Token { number, written: None };
        let expected = [plain(19), plain(20), Token { number: 21, written: Some(77) }, plain(22)];
        assert_eq!(tokens(&[br"19 20\n21@77 22 "]), expected);
        assert_eq!(tokens(&[b"19 20\n21@77 22 23"]), expected, "23 may go on");
    }

    #[test]
    fn what_is_wrong_with_tokens_is_told_apart() {
        let none = Harm::default();
        assert_eq!(harm(&[1, 2, 3], 3), none);
        assert_eq!(harm(&[1, 3], 3), Harm { lost: 1, ..none });
        assert_eq!(harm(&[1, 2], 3), Harm { lost: 1, ..none });
        assert_eq!(harm(&[], 3), Harm { lost: 3, ..none });
        assert_eq!(harm(&[1, 2, 2, 3, 1], 3), Harm { doubled: 2, ..none });
        assert_eq!(harm(&[1, 3, 2], 3), Harm { disordered: 1, ..none });
        assert_eq!(harm(&[1, 2, 3, 4, 9, 0], 3), Harm { strange: 3, ..none });
    }

    proptest! {
        #[test]
        fn a_text_cut_anywhere_has_the_same_tokens(cut in 0_usize..200) {
            let words: Vec<_> = (1..=30).map(|i| format!("{i}@{}", i * 1000)).collect();
            let text = words.join(" ");
            let (left, right) = text.as_bytes().split_at(cut.min(text.len()));
            prop_assert_eq!(tokens(&[left, right]), tokens(&[text.as_bytes()]));
        }
    }
}
