//! What an answer that broke off is continued from, and why it may not go on (PROTOCOL B7).

use unbroken_protocol::{Means, ToolStep};

use crate::Failure;

/// How much of the text's end the request in words quotes, in characters.
const QUOTED: usize = 200;

/// An answer so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Partial {
    /// The visible text.
    pub content: String,
    pub reasoning: String,
    /// Steps of tool calls.
    pub tools: Vec<ToolStep>,
    /// What was given to [`crate::Provider::generate_as`] when the answer began. Without it there
    /// is nothing to reattach to.
    pub cursor: Option<String>,
}

/// Why an answer does not go on by the means that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GoOnError {
    /// The provider does not take this means, and nothing was generated: try `next` at once.
    /// [`Means::None`] when there is none left.
    #[error("the provider refuses this means of going on")]
    Refused { next: Means },
    /// The call failed as any call can; it says nothing about the means.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// The text as a provider is given it. White space at its end is left out: templates strip it,
/// Anthropic refuses it, and the seam writes what the model makes of it once.
pub(crate) fn given(content: &str) -> &str {
    content.trim_end()
}

/// The request to go on, for a model that is asked in words.
pub(crate) fn words(given: &str) -> String {
    let from = given.char_indices().rev().nth(QUOTED - 1).map_or(0, |(at, _)| at);
    format!(
        "Your answer was cut off. Continue exactly where it ends, beginning with the next \
         character. Do not repeat anything and do not comment. It ends with: «{}»",
        &given[from..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_quote_the_end_of_the_text() {
        assert!(words("One two").ends_with("It ends with: «One two»"));
        let long = format!("{}{}", "a".repeat(50), "ü".repeat(QUOTED));
        assert!(words(&long).ends_with(&format!(" «{}»", "ü".repeat(QUOTED))));
    }
}
