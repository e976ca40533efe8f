//! Calls that go on with an answer: how they are recognised, and what each kind of model makes of
//! them.

use crate::{
    calls::Continuation,
    error::ApiError,
    spec::{Base, Prefill, Spec},
    text,
};

/// The words by which a request to go on is recognised.
const WORDS: &str = "Continue exactly where it ends";
/// Characters that a model says again when it is asked in words.
const OVERLAP: usize = 40;

/// A message's role and text.
pub(crate) struct Turn {
    pub(crate) role: String,
    pub(crate) text: String,
}

/// What a request goes on with.
pub(crate) struct GoingOn {
    /// The last message of a person; the words of a request to go on are none.
    pub(crate) last_user: String,
    given: Option<(Continuation, String)>,
}

impl GoingOn {
    pub(crate) fn read(turns: &[Turn]) -> Self {
        let (turns, given) = match turns {
            [before @ .., last] if last.role == "assistant" => {
                (before, Some((Continuation::Prefill, last.text.clone())))
            }
            [before @ .., partial, last]
                if partial.role == "assistant"
                    && last.role == "user"
                    && last.text.contains(WORDS) =>
            {
                (before, Some((Continuation::Prompt, partial.text.clone())))
            }
            all => (all, None),
        };
        let last_user = turns.iter().rev().find(|turn| turn.role == "user");
        Self { last_user: last_user.map(|turn| turn.text.clone()).unwrap_or_default(), given }
    }

    /// The means, and how many characters are given.
    pub(crate) fn continued(&self) -> Option<(Continuation, usize)> {
        self.given.as_ref().map(|(means, given)| (*means, given.chars().count()))
    }

    /// What a model of this kind says; `None` when it answers anew.
    pub(crate) fn text(&self, spec: &Spec, has_flags: bool) -> Result<Option<String>, ApiError> {
        let (Some((means, given)), Base::Numbers) = (&self.given, &spec.base) else {
            return Ok(None);
        };
        let whole =
            if spec.utf8 { text::numbered_utf8(spec.tokens) } else { text::numbered(spec.tokens) };
        let rest = text::rest(whole, given);
        if *means == Continuation::Prompt {
            return Ok(Some(format!("{}{rest}", last(given, OVERLAP))));
        }
        Ok(match spec.prefill {
            Prefill::Refused => {
                return Err(ApiError::bad_request(
                    "This model does not support assistant message prefill. The conversation \
                     must end with a user message.",
                ));
            }
            Prefill::Always => Some(rest),
            Prefill::WithFlags if has_flags => Some(rest),
            Prefill::Repeated if has_flags => Some(format!("{given}{rest}")),
            Prefill::Ignored | Prefill::WithFlags | Prefill::Repeated => None,
        })
    }
}

fn last(text: &str, characters: usize) -> &str {
    let from = text.char_indices().rev().nth(characters - 1).map_or(0, |(at, _)| at);
    &text[from..]
}
