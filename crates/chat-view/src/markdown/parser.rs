//! Where the parser is: in this program, or in a module of its own that comes later.
//!
//! It and its tables are a fifth of the web app, and the first view shows no Markdown. Until it is
//! there a document shows its text as it was written.

use std::cell::Cell;

use super::block::{Part, Piece};
use super::context::Context;
use super::escape::escape;
use super::exchange;

/// Passes a question of [`exchange`] on and gives the answer; `None` when the parser broke.
type Ask = fn(&[u8]) -> Option<Vec<u8>>;

#[derive(Clone, Copy)]
enum Parser {
    #[cfg(feature = "parser")]
    Here,
    There(Ask),
}

#[cfg(feature = "parser")]
const FIRST: Option<Parser> = Some(Parser::Here);
#[cfg(not(feature = "parser"))]
const FIRST: Option<Parser> = None;

thread_local! {
    static PARSER: Cell<Option<Parser>> = const { Cell::new(FIRST) };
}

/// From now on the parser is where `ask` leads: to [`serve`](super::serve) in another module.
pub fn use_parser(ask: fn(&[u8]) -> Option<Vec<u8>>) {
    PARSER.set(Some(Parser::There(ask)));
}

pub(super) fn is_there() -> bool {
    PARSER.get().is_some()
}

/// The blocks of a text, and whether it ends inside code or raw HTML.
pub(super) fn parse(text: &str, context: &mut Context) -> (Vec<Piece>, bool) {
    let parsed = PARSER.get().and_then(|parser| match parser {
        #[cfg(feature = "parser")]
        Parser::Here => Some(super::writer::pieces(text, context)),
        Parser::There(ask) => {
            let answer = ask(&exchange::question(text, context))?;
            exchange::take_answer(&answer, text.len(), context)
        }
    });
    parsed.unwrap_or_else(|| (plain(text), false))
}

/// The text as it was written.
fn plain(text: &str) -> Vec<Piece> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let mut html = "<p class=\"plain\" dir=\"auto\">".to_owned();
    escape(&mut html, text);
    html.push_str("</p>");
    vec![Piece { start: 0, part: Part::Whole, fenced: false, html }]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::markdown::tests::{cases, citation, cut, cuts, markdown};
    use crate::markdown::{Document, render, serve};

    const THERE: Option<Parser> = Some(Parser::There(|question| Some(serve(question))));
    const BROKEN: Option<Parser> = Some(Parser::There(|_| None));

    fn with<T>(parser: Option<Parser>, work: impl FnOnce() -> T) -> T {
        let before = PARSER.replace(parser);
        let result = work();
        PARSER.set(before);
        result
    }

    fn stream(document: &mut Document, pieces: &[&str]) {
        for piece in pieces {
            document.push(piece);
            document.advance(usize::MAX);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

        #[test]
        fn a_parser_in_another_module_gives_the_same_html(
            text in markdown(true), cuts in cuts(),
        ) {
            let shown = || {
                let mut document = Document::new("m");
                document.set_citations(&[citation(1)]);
                stream(&mut document, &cut(&text, &cuts));
                let open = (document.html(), document.tail().html.to_owned());
                document.finish(usize::MAX);
                (open, document.html())
            };
            prop_assert_eq!(with(THERE, shown), shown());
        }

        #[test]
        fn a_parser_that_comes_late_changes_nothing_in_the_end(
            text in markdown(true), cuts in cuts(), late in 0..8_usize, sealed: bool,
        ) {
            let mut document = Document::new("m");
            let pieces = cut(&text, &cuts);
            let (early, rest) = pieces.split_at(late.min(pieces.len()));
            with(None, || {
                stream(&mut document, early);
                if sealed {
                    document.finish(usize::MAX);
                }
                let tail = document.tail();
                assert_eq!(tail.live.map_or("", |live| live.text), document.source());
                assert!(document.blocks().is_empty());
            });
            stream(&mut document, rest);
            document.finish(usize::MAX);
            prop_assert_eq!(document.html(), render(&text, "m", &[]));
        }

        #[test]
        fn no_bytes_break_the_side_that_asks(answer: Vec<u8>) {
            let mut context = Context::default();
            exchange::take_answer(&answer, 10, &mut context);
        }
    }

    #[test]
    fn a_broken_parser_leaves_the_text_as_it_was_written() {
        let html = with(BROKEN, || render("*a* <b>", "m", &[]));
        assert_eq!(html, "<p class=\"plain\" dir=\"auto\">*a* &lt;b&gt;</p>");
    }
}
