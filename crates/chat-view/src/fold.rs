//! Text in which upper and lower case are the same.

/// The text, the same for either case.
///
/// By the tables that the Markdown parser brings along: those of the standard library would be
/// another 20 KB of the web app, with the first `to_lowercase` anywhere in it.
pub fn fold(text: &str) -> String {
    unicase::UniCase::unicode(text).to_folded_case()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_forgotten_in_every_script() {
        assert_eq!(fold("GPT-5 ÄΣ"), fold("gpt-5 äς"));
        assert_eq!(fold("STRASSE"), fold("straße"));
    }
}
