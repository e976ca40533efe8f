//! Questions to a parser in another module, and its answers, as bytes: numbers have four, the
//! lowest first; a text follows its length. Both sides are of one build, so nothing else may come.

use super::block::{CLOSES, Part, Piece};
use super::context::{Context, Footnote, Footnotes};

/// Asks for the blocks of a text.
pub(super) fn question(text: &str, context: &Context) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 64);
    put_text(&mut out, text);
    put_text(&mut out, &context.prefix);
    put(&mut out, context.cited.len());
    for index in &context.cited {
        out.extend(index.to_le_bytes());
    }
    put_footnotes(&mut out, &context.footnotes);
    out
}

/// Something of all that answers are made of.
#[cfg(feature = "parser")]
const SAMPLE: &str = "# A\n\n*b* **c** `d` [e](https://f.g)\n\n- h\n\n1. i\n\n> j\n\n| k |\n| - |\n| l |\n\n\
    ```m\nn\n```\n";

/// Parses once for nobody: a browser compiles a function of a module when it runs first.
#[cfg(feature = "parser")]
pub fn warm_up() {
    serve(&question(SAMPLE, &Context::default()));
}

/// Answers a question of another module. Empty when it was none.
#[cfg(feature = "parser")]
pub fn serve(question: &[u8]) -> Vec<u8> {
    take_question(&mut Rest(question)).map_or_else(Vec::new, |(text, mut context)| {
        let (pieces, verbatim) = super::writer::pieces(text, &mut context);
        answer(&pieces, verbatim, &context.footnotes)
    })
}

#[cfg(feature = "parser")]
fn take_question<'a>(rest: &mut Rest<'a>) -> Option<(&'a str, Context)> {
    let text = rest.text()?;
    let prefix = rest.text()?.to_owned();
    let count = rest.number()?;
    let cited = (0..count).map(|_| u32::try_from(rest.number()?).ok()).collect::<Option<_>>()?;
    let footnotes = rest.footnotes()?;
    Some((text, Context { prefix, cited, footnotes }))
}

#[cfg(feature = "parser")]
fn answer(pieces: &[Piece], verbatim: bool, footnotes: &Footnotes) -> Vec<u8> {
    let mut out = Vec::with_capacity(pieces.iter().map(|piece| piece.html.len() + 32).sum());
    put(&mut out, pieces.len());
    for piece in pieces {
        let (kind, close) = match piece.part {
            Part::Whole => (0, ""),
            Part::Inside => (1, ""),
            Part::Open { close } => (2, close),
        };
        put(&mut out, kind);
        put_text(&mut out, close);
        put(&mut out, piece.start);
        put(&mut out, piece.fenced.into());
        put_text(&mut out, &piece.html);
    }
    put(&mut out, verbatim.into());
    put_footnotes(&mut out, footnotes);
    out
}

/// Reads the answer for a text of that many bytes. `None` when it is none; then the context stays
/// as it was.
pub(super) fn take_answer(
    answer: &[u8],
    length: usize,
    context: &mut Context,
) -> Option<(Vec<Piece>, bool)> {
    let mut rest = Rest(answer);
    let count = rest.number()?;
    let pieces = (0..count).map(|_| rest.piece()).collect::<Option<Vec<_>>>()?;
    let verbatim = rest.number()? != 0;
    let footnotes = rest.footnotes()?;
    let whole = rest.0.is_empty() && pieces.iter().all(|piece| piece.start <= length);
    whole.then(|| {
        context.footnotes = footnotes;
        (pieces, verbatim)
    })
}

fn put_footnotes(out: &mut Vec<u8>, footnotes: &Footnotes) {
    put(out, footnotes.0.len());
    for (label, footnote) in &footnotes.0 {
        put_text(out, label);
        put(out, footnote.number);
        put(out, footnote.references);
        put(out, footnote.defined.into());
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len());
    out.extend(text.as_bytes());
}

fn put(out: &mut Vec<u8>, number: usize) {
    let number = u32::try_from(number).expect("a module's memory has less than 4 GiB");
    out.extend(number.to_le_bytes());
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn number(&mut self) -> Option<usize> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        usize::try_from(u32::from_le_bytes(*number)).ok()
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.number()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    fn piece(&mut self) -> Option<Piece> {
        let (kind, close) = (self.number()?, self.text()?);
        let part = match kind {
            0 => Part::Whole,
            1 => Part::Inside,
            _ => Part::Open { close: CLOSES.into_iter().find(|known| *known == close)? },
        };
        let (start, fenced) = (self.number()?, self.number()? != 0);
        Some(Piece { start, part, fenced, html: self.text()?.to_owned() })
    }

    fn footnotes(&mut self) -> Option<Footnotes> {
        let count = self.number()?;
        (0..count).map(|_| self.footnote()).collect::<Option<_>>().map(Footnotes)
    }

    fn footnote(&mut self) -> Option<(String, Footnote)> {
        let label = self.text()?.to_owned();
        let (number, references, defined) = (self.number()?, self.number()?, self.number()? != 0);
        Some((label, Footnote { number, references, defined }))
    }
}
