//! Shortcuts: which press of a key is which shortcut, and how each is written on the person's own
//! keyboard.

use std::borrow::Cow;

use crate::composer::KeyPress;
use crate::texts;

/// A key, alone or with Ctrl (⌘ on Apple's keyboards) and Shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// As the page names it: `k`, `?`, `Escape`.
    pub key: &'static str,
    pub command: bool,
    pub shift: bool,
}

impl Keys {
    /// The key by itself.
    pub const fn plain(key: &'static str) -> Self {
        Self { key, command: false, shift: false }
    }

    /// With Ctrl or ⌘.
    pub const fn command(key: &'static str) -> Self {
        Self { key, command: true, shift: false }
    }

    /// With Ctrl or ⌘, and Shift.
    pub const fn command_shift(key: &'static str) -> Self {
        Self { key, command: true, shift: true }
    }

    /// Whether that press is this shortcut. On Apple's keyboards Ctrl moves the caret and is left
    /// alone.
    pub fn is(&self, press: &KeyPress<'_>, apple: bool) -> bool {
        let (command, other) =
            if apple { (press.meta, press.ctrl) } else { (press.ctrl, press.meta) };
        if press.composing || press.alt || other || command != self.command {
            return false;
        }
        // Where a sign such as `?` is, and whether it needs Shift, is the keyboard's affair.
        let is_sign =
            self.key.len() == 1 && !self.key.starts_with(|key: char| key.is_ascii_alphanumeric());
        (is_sign || press.shift == self.shift) && self.is_key(press)
    }

    /// A keyboard without Latin letters is pressed where the letter would be.
    fn is_key(&self, press: &KeyPress<'_>) -> bool {
        if self.command && !press.key.is_ascii() {
            let place = press.code.strip_prefix("Key");
            return place.is_some_and(|letter| letter.eq_ignore_ascii_case(self.key));
        }
        press.key.eq_ignore_ascii_case(self.key)
    }

    /// How it is drawn: `⇧⌘O`, `Ctrl ⇧ O`.
    pub fn label(&self, apple: bool) -> String {
        let key = match self.key {
            "Escape" => Cow::Borrowed("Esc"),
            "Enter" => Cow::Borrowed("↵"),
            "ArrowUp" => Cow::Borrowed("↑"),
            key => Cow::Owned(key.to_ascii_uppercase()),
        };
        match (self.command, self.shift, apple) {
            (false, false, _) => key.into_owned(),
            (false, true, _) => format!("⇧ {key}"),
            (true, false, true) => format!("⌘{key}"),
            (true, true, true) => format!("⇧⌘{key}"),
            (true, false, false) => format!("{} {key}", texts::key_control()),
            (true, true, false) => format!("{} ⇧ {key}", texts::key_control()),
        }
    }

    /// How it is told to screen readers (WAI-ARIA, `aria-keyshortcuts`).
    pub fn aria(&self, apple: bool) -> String {
        let mut text = String::new();
        if self.command {
            text.push_str(if apple { "Meta+" } else { "Control+" });
        }
        if self.shift {
            text.push_str("Shift+");
        }
        text.push_str(&if self.key.len() == 1 {
            self.key.to_ascii_uppercase()
        } else {
            self.key.to_owned()
        });
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW_CHAT: Keys = Keys::command_shift("o");

    fn press<'k>(key: &'k str, change: impl Fn(&mut KeyPress<'k>)) -> KeyPress<'k> {
        let mut press = KeyPress { key, ..KeyPress::default() };
        change(&mut press);
        press
    }

    #[test]
    fn ctrl_is_the_command_everywhere_but_on_apples_keyboards() {
        let ctrl = press("O", |press| (press.ctrl, press.shift) = (true, true));
        let meta = press("o", |press| (press.meta, press.shift) = (true, true));
        assert!(NEW_CHAT.is(&ctrl, false) && NEW_CHAT.is(&meta, true));
        assert!(!NEW_CHAT.is(&ctrl, true) && !NEW_CHAT.is(&meta, false));
        assert!(!NEW_CHAT.is(&press("O", |press| press.shift = true), false));
        assert!(!NEW_CHAT.is(&press("o", |press| press.ctrl = true), false));
    }

    #[test]
    fn a_keyboard_of_another_script_has_the_same_shortcuts_in_the_same_places() {
        let cyrillic = press("Щ", |press| {
            (press.ctrl, press.shift, press.code) = (true, true, "KeyO");
        });
        assert!(NEW_CHAT.is(&cyrillic, false));
        assert!(!Keys::command("k").is(&cyrillic, false));
        // Where letters are Latin what counts is the letter: on Dvorak "r" lies where "o" does.
        let dvorak = press("r", |press| {
            (press.ctrl, press.shift, press.code) = (true, true, "KeyO");
        });
        assert!(!NEW_CHAT.is(&dvorak, false));
    }

    #[test]
    fn a_sign_is_itself_with_or_without_shift_and_never_while_composing() {
        let question = Keys::plain("?");
        assert!(question.is(&press("?", |press| press.shift = true), false));
        assert!(question.is(&press("?", |_| ()), true));
        assert!(!question.is(&press("?", |press| press.composing = true), false));
        assert!(!question.is(&press("?", |press| press.ctrl = true), false));
    }

    #[test]
    fn a_shortcut_is_written_as_on_the_persons_keyboard() {
        assert_eq!(
            (NEW_CHAT.label(true), NEW_CHAT.label(false)),
            ("⇧⌘O".into(), "Ctrl ⇧ O".into())
        );
        assert_eq!(Keys::plain("Escape").label(false), "Esc");
        assert_eq!(NEW_CHAT.aria(false), "Control+Shift+O");
        assert_eq!(Keys::command("k").aria(true), "Meta+K");
        assert_eq!(Keys::plain("Escape").aria(true), "Escape");
    }
}
