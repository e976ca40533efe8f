//! Text from elsewhere that goes into a message: a file, or a long piece that was pasted, as a
//! fenced block of Markdown.

/// A pasted text of more characters than this becomes a block.
pub const LONG_PASTE: usize = 4000;
/// Above this it is left as it is: putting it in by the editing commands would hold the page up.
pub const LONGEST_PASTE: usize = 200_000;

/// Ends of names that are text, and the language of their block.
const LANGUAGES: [(&str, &str); 44] = [
    ("md", "markdown"),
    ("markdown", "markdown"),
    ("txt", "text"),
    ("log", "text"),
    ("csv", "csv"),
    ("tsv", "tsv"),
    ("json", "json"),
    ("jsonl", "json"),
    ("yaml", "yaml"),
    ("yml", "yaml"),
    ("toml", "toml"),
    ("ini", "ini"),
    ("conf", "text"),
    ("env", "text"),
    ("xml", "xml"),
    ("svg", "xml"),
    ("html", "html"),
    ("css", "css"),
    ("js", "javascript"),
    ("mjs", "javascript"),
    ("jsx", "javascript"),
    ("ts", "typescript"),
    ("tsx", "typescript"),
    ("rs", "rust"),
    ("py", "python"),
    ("rb", "ruby"),
    ("go", "go"),
    ("java", "java"),
    ("kt", "kotlin"),
    ("swift", "swift"),
    ("c", "c"),
    ("h", "c"),
    ("cc", "cpp"),
    ("cpp", "cpp"),
    ("hpp", "cpp"),
    ("cs", "csharp"),
    ("php", "php"),
    ("sh", "bash"),
    ("bash", "bash"),
    ("sql", "sql"),
    ("lua", "lua"),
    ("tex", "latex"),
    ("diff", "diff"),
    ("patch", "diff"),
];

/// The language of a file's block; `None` for what is no text by its name and type.
pub fn language(name: &str, media_type: &str) -> Option<&'static str> {
    let end = name.rsplit_once('.').map(|(_, end)| end).unwrap_or_default();
    let known = LANGUAGES.iter().find(|(of, _)| end.eq_ignore_ascii_case(of));
    let language = known.map(|(_, language)| *language);
    language.or_else(|| media_type.starts_with("text/").then_some("text"))
}

/// Whether what was read as UTF-8 is text after all.
pub fn is_text(text: &str) -> bool {
    !text.contains(['\0', '\u{fffd}'])
}

/// A text as a block of its own, with the name above it. No run of backticks inside ends it.
pub fn block(name: &str, language: &str, text: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for letter in text.chars() {
        run = if letter == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat((longest + 1).max(3));
    let name: String = name.chars().filter(|letter| !letter.is_control()).collect();
    let name = name.replace('`', "'");
    let title = if name.is_empty() { String::new() } else { format!("`{name}`:\n\n") };
    let end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
    format!("{title}{fence}{language}\n{text}{end}{fence}\n")
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

    #[test]
    fn text_is_known_by_its_name_or_type_and_a_picture_is_none() {
        assert_eq!(language("main.RS", ""), Some("rust"));
        assert_eq!(language("notes.md", ""), Some("markdown"));
        assert_eq!(language("Makefile", "text/x-makefile"), Some("text"));
        assert_eq!(language("photo.png", "image/png"), None);
        assert_eq!(language("paper.pdf", "application/pdf"), None);
        assert!(is_text("ä\n") && !is_text("GIF\0"));
    }

    #[test]
    fn a_block_stands_under_the_name_of_its_file() {
        assert_eq!(block("a.txt", "text", "hello"), "`a.txt`:\n\n```text\nhello\n```\n");
        assert_eq!(block("", "", "hello\n"), "```\nhello\n```\n");
    }

    proptest! {
        #[test]
        fn a_block_holds_exactly_the_text_whatever_is_in_it(
            text in "[a-z`~ \n#*>]{1,60}",
            name in "[a-z`.\n]{0,12}",
            before in "[a-z \n]{0,10}",
        ) {
            let markdown = format!("{before}{}{}", gap_before(&before), block(&name, "rust", &text));
            let found = blocks(&markdown);
            let end = if text.ends_with('\n') { "" } else { "\n" };
            prop_assert_eq!(found, vec![("rust".to_owned(), format!("{text}{end}"))]);
        }
    }
}
