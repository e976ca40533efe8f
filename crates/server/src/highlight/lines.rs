//! The colours of one block of code, line by line, by the rules of `synoptic`: expressions without
//! backtracking, so that a line costs in proportion to its length whatever it says.

use std::time::Instant;

use synoptic::{TokOpt, from_extension};
use unbroken_protocol::{Code, Colour, Spans};

/// In bytes. From a longer line on a block has no colours: it is data, not something to be read.
const LINE: usize = 4096;

/// `None` when the time was over before the work was done.
pub(super) fn colour(block: &Code, end: Instant) -> Option<Spans> {
    let Some(mut rules) = from_extension(&extension(&block.language), 1) else {
        return Some(Spans::default());
    };
    let mut spans = Joined::default();
    let mut lines = block.code.split('\n').enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        if line.len() > LINE {
            break;
        }
        if Instant::now() > end {
            return None;
        }
        rules.append(line);
        for token in rules.line(at, line) {
            match token {
                TokOpt::Some(text, name) => spans.push(&text, colour_of(&name)),
                TokOpt::None(text) => spans.push(&text, None),
            }
        }
        if lines.peek().is_some() {
            spans.push("\n", None);
        }
    }
    Some(spans.done())
}

/// Neighbours of one colour are one span.
#[derive(Default)]
struct Joined(Vec<(u32, Option<Colour>)>);

impl Joined {
    fn push(&mut self, text: &str, colour: Option<Colour>) {
        let units = u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX);
        // White space shows no colour.
        let blank = text.chars().all(char::is_whitespace);
        match self.0.last_mut() {
            Some((length, last)) if *last == colour || blank => *length += units,
            _ => self.0.push((units, colour)),
        }
    }

    fn done(mut self) -> Spans {
        while self.0.last().is_some_and(|(_, colour)| colour.is_none()) {
            self.0.pop();
        }
        Spans { spans: self.0 }
    }
}

fn colour_of(name: &str) -> Option<Colour> {
    Some(match name {
        "keyword" | "kw" | "heading" => Colour::Keyword,
        "function" | "macro" => Colour::Function,
        "struct" | "namespace" | "attribute" => Colour::Type,
        "string" | "character" | "header" | "link" | "block" => Colour::Text,
        "digit" | "boolean" => Colour::Number,
        "comment" => Colour::Comment,
        "tag" | "key" => Colour::Tag,
        "insertion" => Colour::Inserted,
        "deletion" => Colour::Deleted,
        _ => return None,
    })
}

/// By which name `synoptic` knows a language: the one that its files end in.
fn extension(language: &str) -> String {
    let language = language.to_ascii_lowercase();
    let known = match language.as_str() {
        "rust" => "rs",
        "python" | "python3" | "py3" => "py",
        "javascript" | "jsx" | "mjs" | "cjs" | "node" => "js",
        "typescript" | "mts" => "ts",
        "shell" | "console" | "zsh" | "shellscript" | "docker" | "dockerfile" => "sh",
        "golang" => "go",
        "csharp" | "c#" => "cs",
        "kotlin" | "kts" => "kt",
        "groovy" | "gradle" => "java",
        "haskell" => "hs",
        "perl" | "pl" => "pm",
        "prolog" => "pl",
        "matlab" => "m",
        "vue" | "svelte" => "html",
        "svg" | "xsl" | "plist" => "xml",
        "scss" | "less" => "css",
        "jsonc" | "json5" | "jsonl" => "json",
        "latex" => "tex",
        "patch" => "diff",
        "ini" => "toml",
        "assembly" | "nasm" => "asm",
        "postgresql" | "postgres" | "mysql" | "sqlite" | "plsql" => "sql",
        "nushell" => "nu",
        _ => return language,
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const LANGUAGES: [&str; 40] = [
        "rust",
        "asm",
        "python",
        "ruby",
        "perl",
        "lua",
        "r",
        "go",
        "js",
        "ts",
        "dart",
        "c",
        "cpp",
        "cs",
        "swift",
        "json",
        "kotlin",
        "java",
        "vb",
        "matlab",
        "php",
        "scala",
        "prolog",
        "haskell",
        "css",
        "html",
        "md",
        "toml",
        "yaml",
        "csv",
        "sh",
        "sql",
        "xml",
        "nu",
        "tex",
        "diff",
        "jsx",
        "dockerfile",
        "",
        "unheard-of",
    ];

    fn of(language: &str, code: &str) -> Spans {
        let block = Code { language: language.to_owned(), code: code.to_owned() };
        colour(&block, Instant::now() + Duration::from_mins(5)).expect("there is time")
    }

    fn pieces(language: &str, code: &str) -> Vec<(String, Colour)> {
        let units: Vec<u16> = code.encode_utf16().collect();
        let mut at = 0;
        let spans = of(language, code).spans.into_iter().map(|(length, colour)| {
            let from = at;
            at += length as usize;
            (String::from_utf16(&units[from..at]).unwrap().trim().to_owned(), colour)
        });
        spans.filter_map(|(text, colour)| Some((text, colour?))).collect()
    }

    #[test]
    fn keywords_texts_numbers_and_comments_have_their_colours() {
        let found = pieces("rust", "\tlet ä = \"𝄞\"; // go\nfn f() { 12 }");
        for part in [
            ("let", Colour::Keyword),
            ("\"𝄞\"", Colour::Text),
            ("// go", Colour::Comment),
            ("12", Colour::Number),
        ] {
            assert!(found.contains(&(part.0.to_owned(), part.1)), "{part:?} of {found:?}");
        }
        let found = pieces("python", "\"\"\"a\nb\"\"\"\ndef x(): pass");
        assert_eq!(found[0], ("\"\"\"a\nb\"\"\"".to_owned(), Colour::Text));
    }

    #[test]
    fn every_language_has_colours_and_an_unknown_one_has_none() {
        for language in LANGUAGES {
            let code =
                "<a b=\"c\"> \"text\" 12 # // % -- x\n\"k\": 1\n- a\n+ b\n# h\n\\x{1} /* c */";
            let plain = matches!(language, "csv" | "" | "unheard-of");
            assert_eq!(of(language, code).spans.is_empty(), plain, "{language}");
        }
    }

    #[test]
    fn a_line_too_long_to_be_read_and_time_that_is_over_leave_code_plain() {
        let long = format!("let a;\n\"{}\"\nlet b;", "x".repeat(LINE));
        assert_eq!(pieces("rust", &long), [("let".to_owned(), Colour::Keyword)]);
        let block = Code { language: "rust".to_owned(), code: "let a;".to_owned() };
        assert_eq!(
            colour(&block, Instant::now().checked_sub(Duration::from_secs(1)).unwrap()),
            None
        );
    }

    const UNITS: [&str; 56] = [
        "(", "[", "{", "}", "]", ")", "<", ">", "\"", "'", "`", "\\", "a ", "/*", "*/", "//", "#",
        "${", "#{", "_", "é", "a=", "<a b=\"", "- ", "0", "r#\"", "\"#", "{{", "}}", "<!--", "-->",
        "\"\"\"", "'''", "--", "--[[", "]]", "|", "\t", "日", "\u{202e}", "f\"", "fn ", "def ",
        "%{", "%}", "{-", "-}", "\n", "\n", "\r\n", "😀", "1.5", "a(", "$", "@", "<?php",
    ];

    proptest! {
        #[test]
        fn no_code_breaks_it_and_the_spans_lie_within_it(
            language in proptest::sample::select(LANGUAGES.to_vec()),
            code in proptest::collection::vec(proptest::sample::select(UNITS.to_vec()), 0..60),
        ) {
            let code = code.concat();
            let units: Vec<u16> = code.encode_utf16().collect();
            let mut at = 0;
            for (length, _) in of(language, &code).spans {
                prop_assert!(length > 0);
                let piece = units.get(at..at + length as usize);
                prop_assert!(piece.is_some_and(|piece| String::from_utf16(piece).is_ok()));
                at += length as usize;
            }
        }
    }
}
