//! The composer: what a key does, when a message can be sent, and where drafts are kept.

use unbroken_protocol::{ConversationId, limits};

use crate::texts;

/// Where the message that was just sent waits for its page, in `sessionStorage`.
pub const PENDING_MESSAGE: &str = "pending_message";

/// About how many characters of a text are a token.
const CHARACTERS_A_TOKEN: u64 = 4;

/// What the composer holds, and whether it may be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Composer {
    draft: String,
    /// A send is on its way: another would double it.
    sending: bool,
}

impl Composer {
    pub fn with_draft(draft: impl Into<String>) -> Self {
        Self { draft: draft.into(), sending: false }
    }

    pub fn draft(&self) -> &str {
        &self.draft
    }

    pub fn set_draft(&mut self, draft: impl Into<String>) {
        self.draft = draft.into();
    }

    pub fn is_empty(&self) -> bool {
        self.draft.trim().is_empty()
    }

    pub fn can_send(&self) -> bool {
        !self.sending && !self.is_empty() && self.problem().is_none()
    }

    /// Why the draft cannot be sent, in a sentence.
    pub fn problem(&self) -> Option<String> {
        let surplus = self.draft.len().checked_sub(limits::MESSAGE_BYTES + 1)? + 1;
        Some(texts::message_too_long(&texts::size(surplus)))
    }

    /// What to say of the draft's length, once it matters: above four fifths of what the model
    /// reads at once (`context`, in tokens) or of the longest message.
    pub fn length(&self, context: Option<u64>) -> Option<String> {
        // Most drafts are short, and this is asked at every letter.
        if let Some(context) = context.filter(|context| self.draft.len() as u64 > *context) {
            let tokens = self.draft.chars().count() as u64 / CHARACTERS_A_TOKEN;
            if tokens > context / 5 * 4 {
                return Some(texts::near_context(
                    &texts::rounded(tokens),
                    &texts::context_length(context),
                ));
            }
        }
        let bytes = self.draft.len();
        (bytes > limits::MESSAGE_BYTES / 5 * 4).then(|| texts::near_limit(&texts::size(bytes)))
    }

    /// Takes the message out to send it; the composer is empty for the next one.
    pub fn send(&mut self) -> Option<String> {
        self.can_send().then(|| {
            self.sending = true;
            std::mem::take(&mut self.draft)
        })
    }

    /// Whether a message is on its way from here: until it is over no other is sent.
    pub fn set_sending(&mut self, sending: bool) {
        self.sending = sending;
    }

    /// The server does not have the message: it comes back, before what was typed since.
    pub fn failed(&mut self, message: String) {
        self.sending = false;
        self.put_before(message);
    }

    /// Follows another tab, which wrote `now` over the draft `before`. What was typed here meanwhile
    /// stays: `true` when the draft holds both then, and the other has to follow.
    pub fn follow(&mut self, before: &str, now: &str) -> bool {
        let is_apart =
            self.draft != before && !now.contains(&self.draft) && !self.draft.contains(now);
        if is_apart {
            self.put_before(now.to_owned());
        } else if self.draft == before || now.contains(&self.draft) {
            self.set_draft(now);
        }
        is_apart
    }

    fn put_before(&mut self, text: String) {
        let typed = std::mem::replace(&mut self.draft, text);
        if !typed.trim().is_empty() {
            self.draft.push_str("\n\n");
            self.draft.push_str(&typed);
        }
    }

    pub fn is_sending(&self) -> bool {
        self.sending
    }

    pub fn key(&self, press: &KeyPress<'_>) -> Action {
        match press.key {
            // While an input method composes, its Enter chooses a word. Safari ends the composition
            // before the key and says so by code 229.
            _ if press.composing || press.key_code == 229 => Action::None,
            "Enter" if press.shift => Action::Newline,
            "Enter" if press.alt => Action::None,
            "Enter" if self.can_send() => Action::Send,
            // Never a line break by accident.
            "Enter" => Action::Refuse,
            "ArrowUp" if self.draft.is_empty() && !press.modified() => Action::EditLast,
            "Escape" if !press.modified() => Action::Stop,
            _ => Action::None,
        }
    }
}

/// A key as the page reports it.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyPress<'k> {
    pub key: &'k str,
    /// Where it lies: `KeyO`.
    pub code: &'k str,
    pub key_code: u32,
    pub composing: bool,
    pub shift: bool,
    pub ctrl: bool,
    pub alt: bool,
    pub meta: bool,
}

impl KeyPress<'_> {
    fn modified(&self) -> bool {
        self.shift || self.ctrl || self.alt || self.meta
    }
}

/// What the view does with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing: the browser does what it always does.
    None,
    /// The browser breaks the line.
    Newline,
    /// Send, and keep the key from the browser.
    Send,
    /// Keep the key from the browser: there is nothing to send.
    Refuse,
    /// Put the last message into the composer.
    EditLast,
    /// Stop the answer, if one runs.
    Stop,
}

/// How the keys of drafts begin.
pub const DRAFT: &str = "draft:";

/// The key under which a draft is kept; `None` is the home page.
pub fn draft_key(conversation: Option<ConversationId>) -> String {
    match conversation {
        Some(id) => format!("{DRAFT}{id}"),
        None => format!("{DRAFT}new"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(composer: &Composer, change: impl Fn(&mut KeyPress<'_>)) -> Action {
        let mut press = KeyPress { key: "Enter", ..KeyPress::default() };
        change(&mut press);
        composer.key(&press)
    }

    #[test]
    fn enter_sends_shift_enter_breaks_and_an_input_method_never_sends() {
        let composer = Composer::with_draft("hello");
        assert_eq!(enter(&composer, |_| ()), Action::Send);
        assert_eq!(enter(&composer, |press| press.shift = true), Action::Newline);
        assert_eq!(enter(&composer, |press| press.composing = true), Action::None);
        assert_eq!(enter(&composer, |press| press.key_code = 229), Action::None);
        assert_eq!(enter(&Composer::with_draft(" \n"), |_| ()), Action::Refuse);
    }

    #[test]
    fn the_arrow_up_edits_the_last_message_only_when_the_composer_is_empty() {
        let press = KeyPress { key: "ArrowUp", ..KeyPress::default() };
        assert_eq!(Composer::default().key(&press), Action::EditLast);
        assert_eq!(Composer::with_draft("a").key(&press), Action::None);
    }

    #[test]
    fn a_message_of_one_mebibyte_can_be_sent_and_one_byte_more_cannot() {
        let mut composer = Composer::with_draft("a".repeat(limits::MESSAGE_BYTES));
        assert_eq!((composer.can_send(), composer.problem()), (true, None));
        composer.set_draft("ä".repeat(limits::MESSAGE_BYTES / 2 + 1));
        assert!(!composer.can_send());
        assert!(composer.problem().unwrap().contains("2 bytes too long"));
    }

    #[test]
    fn the_length_is_told_only_when_it_matters() {
        let of =
            |letters: usize, context| Composer::with_draft("a".repeat(letters)).length(context);
        assert_eq!(of(100_000, None), None);
        assert_eq!(of(3200, Some(1000)), None);
        let told = of(3300, Some(1000)).unwrap();
        assert!(told.contains("about 825 of the 1k tokens"), "{told}");
        assert!(of(900_000, Some(1_000_000)).unwrap().contains("KiB"));
        assert_eq!(of(800_000, Some(1_000_000)), None);
    }

    #[test]
    fn another_tab_is_followed_and_loses_nothing_that_was_typed_here() {
        let follow = |draft: &str, before, now| {
            let mut composer = Composer::with_draft(draft);
            let is_both = composer.follow(before, now);
            (composer.draft().to_owned(), is_both)
        };
        assert_eq!(follow("a", "a", "ab"), ("ab".into(), false));
        assert_eq!(follow("ab", "ab", ""), (String::new(), false), "it was sent");
        assert_eq!(follow("", "", "a"), ("a".into(), false));
        // Both wrote at the same moment.
        assert_eq!(follow("ax", "a", "ab"), ("ab\n\nax".into(), true));
        assert_eq!(follow("ax", "ab", "ab\n\nax"), ("ab\n\nax".into(), false));
        assert_eq!(follow("ax", "a", ""), ("ax".into(), false));
    }

    #[test]
    fn a_message_is_sent_once_and_comes_back_when_that_fails() {
        let mut composer = Composer::with_draft("hello");
        assert_eq!(composer.send().as_deref(), Some("hello"));
        composer.set_draft("next");
        assert_eq!(composer.send(), None);
        composer.failed("hello".to_owned());
        assert_eq!(composer.draft(), "hello\n\nnext");
        assert!(composer.can_send());
    }
}
