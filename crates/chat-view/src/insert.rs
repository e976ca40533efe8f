//! A long piece of text that was pasted, as a fenced block of Markdown.

/// A pasted text of more characters than this becomes a block.
pub const LONG_PASTE: usize = 4000;
/// Above this it is left as it is: putting it in by the editing commands would hold the page up.
pub const LONGEST_PASTE: usize = 200_000;

/// A text as a block of its own. No run of backticks inside ends it.
pub fn block(text: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for letter in text.chars() {
        run = if letter == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat((longest + 1).max(3));
    let end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
    format!("{fence}\n{text}{end}{fence}\n")
}

/// What has to stand before a block at this place of a text so that it begins a paragraph.
pub fn gap_before(text: &str) -> &'static str {
    match text {
        "" => "",
        _ if text.ends_with("\n\n") => "",
        _ if text.ends_with('\n') => "\n",
        _ => "\n\n",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

    use super::*;

    /// The code blocks of a Markdown text: language and content.
    fn blocks(markdown: &str) -> Vec<(String, String)> {
        let mut blocks = Vec::new();
        let mut open: Option<(String, String)> = None;
        for event in Parser::new(markdown) {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                    open = Some((language.to_string(), String::new()));
                }
                Event::Text(text) => {
                    if let Some((_, content)) = &mut open {
                        content.push_str(&text);
                    }
                }
                Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
                _ => {}
            }
        }
        blocks
    }

    proptest! {
        #[test]
        fn a_block_holds_exactly_the_text_whatever_is_in_it(
            text in "[a-z`~ \n#*>]{1,60}",
            before in "[a-z \n]{0,10}",
        ) {
            let markdown = format!("{before}{}{}", gap_before(&before), block(&text));
            let found = blocks(&markdown);
            let end = if text.ends_with('\n') { "" } else { "\n" };
            prop_assert_eq!(found, vec![(String::new(), format!("{text}{end}"))]);
        }
    }
}
