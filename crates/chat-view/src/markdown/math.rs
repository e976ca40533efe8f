//! TeX into MathML. What comes out of the library is read again, tag by tag: only elements and
//! attributes that lay formulas out are passed on.

use std::borrow::Cow;

use pulldown_latex::config::{DisplayMode, RenderConfig};
use pulldown_latex::{Event, Parser, ParserError, Storage, push_mathml};

use super::escape::escape;

/// Longer TeX is shown as it was written. In bytes.
const LONGEST: usize = 4096;
/// How many braces and brackets may be open at once: the library goes down into each.
const DEPTH: usize = 32;
/// What defines or expands without an end, or takes what is none of a formula's business.
const REFUSED: [&str; 12] = [
    "def",
    "edef",
    "gdef",
    "xdef",
    "let",
    "futurelet",
    "newcommand",
    "renewcommand",
    "providecommand",
    "global",
    "long",
    "outer",
];

const ELEMENTS: [&str; 23] = [
    "math",
    "mrow",
    "mi",
    "mn",
    "mo",
    "mtext",
    "ms",
    "mspace",
    "mfrac",
    "msqrt",
    "mroot",
    "msub",
    "msup",
    "msubsup",
    "munder",
    "mover",
    "munderover",
    "mmultiscripts",
    "mprescripts",
    "mtable",
    "mtr",
    "mtd",
    "mpadded",
];
const ATTRIBUTES: [&str; 24] = [
    "display",
    "displaystyle",
    "scriptlevel",
    "stretchy",
    "symmetric",
    "fence",
    "separator",
    "form",
    "lspace",
    "rspace",
    "accent",
    "accentunder",
    "mathvariant",
    "linethickness",
    "width",
    "height",
    "depth",
    "voffset",
    "minsize",
    "maxsize",
    "largeop",
    "movablelimits",
    "columnspan",
    "rowspan",
];

/// Writes a formula, or its source when it is none that can be laid out.
pub(super) fn write(out: &mut String, tex: &str, display: bool) {
    let tex = tex.trim();
    out.push_str("<span class=\"math\"");
    if display {
        out.push_str(" data-display tabindex=\"0\" role=\"group\" aria-label=\"");
        out.push_str(crate::texts::formula());
        out.push('"');
    }
    if let Some(mathml) = mathml(tex, display) {
        out.push_str(" data-tex=\"");
        escape(out, tex);
        out.push_str("\">");
        out.push_str(&mathml);
    } else {
        out.push_str("><code title=\"");
        out.push_str(crate::texts::formula_as_written());
        out.push_str("\">");
        escape(out, tex);
        out.push_str("</code>");
    }
    out.push_str("</span>");
}

fn mathml(tex: &str, display: bool) -> Option<String> {
    if tex.is_empty() || tex.len() > LONGEST || !is_harmless(tex) {
        return None;
    }
    let tex = with_boxes(tex)?;
    let storage = Storage::new();
    let events: Vec<Event<'_>> = Parser::new(&tex, &storage).collect::<Result<_, _>>().ok()?;
    let display_mode = if display { DisplayMode::Block } else { DisplayMode::Inline };
    let config = RenderConfig { display_mode, ..RenderConfig::default() };
    let mut mathml = String::new();
    push_mathml(&mut mathml, events.into_iter().map(Ok::<_, ParserError>), config).ok()?;
    checked(&mathml)
}

/// The library knows no `\boxed`, in which models put results: a table of one cell looks the same.
fn with_boxes(tex: &str) -> Option<Cow<'_, str>> {
    let Some((before, rest)) = tex.split_once("\\boxed") else { return Some(tex.into()) };
    let inside = rest.trim_start().strip_prefix('{')?;
    let (mut depth, mut escaped) = (0_usize, false);
    let end = inside.bytes().position(|byte| {
        let is_end = !escaped && byte == b'}' && depth == 0;
        match byte {
            _ if escaped => {}
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        escaped = byte == b'\\' && !escaped;
        is_end
    })?;
    let (boxed, after) = (with_boxes(&inside[..end])?, with_boxes(&inside[end + 1..])?);
    let table = r"\begin{array}{|c|} \hline ";
    Some(format!("{before}{table}{boxed} \\\\ \\hline \\end{{array}}{after}").into())
}

/// Whether a formula is neither deep nor defines anything.
fn is_harmless(tex: &str) -> bool {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut rest = tex;
    while let Some(at) = rest.find(['\\', '{', '}', '^', '_', '\0']) {
        let byte = rest.as_bytes()[at];
        rest = &rest[at + 1..];
        match byte {
            b'{' | b'^' | b'_' => depth += usize::from(byte == b'{'),
            b'}' => depth = depth.saturating_sub(1),
            b'\\' => {
                let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
                let command = &rest[..letters];
                if REFUSED.contains(&command) {
                    return false;
                }
                match command {
                    "left" | "begin" => depth += 1,
                    "right" | "end" => depth = depth.saturating_sub(1),
                    _ => {}
                }
                // What a backslash escapes is no brace.
                let skip = if letters == 0 {
                    rest.chars().next().map_or(0, char::len_utf8)
                } else {
                    letters
                };
                rest = &rest[skip..];
            }
            _ => return false,
        }
        deepest = deepest.max(depth);
    }
    deepest <= DEPTH
}

/// MathML with known elements and attributes alone; `None` when there is anything else in it.
fn checked(mathml: &str) -> Option<String> {
    let mut out = String::with_capacity(mathml.len());
    let mut parts = mathml.split('<');
    if !parts.next()?.is_empty() {
        return None;
    }
    for part in parts {
        let (tag, text) = part.split_once('>')?;
        let (close, tag) = tag.strip_prefix('/').map_or(("", tag), |tag| ("/", tag));
        let (tag, end) = tag.strip_suffix('/').map_or((tag, ""), |tag| (tag, "/"));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if !ELEMENTS.contains(&name) || text.contains(['"', '\0']) {
            return None;
        }
        for piece in ["<", close, name] {
            out.push_str(piece);
        }
        write_attributes(&mut out, attributes)?;
        for piece in [end, ">", text] {
            out.push_str(piece);
        }
    }
    Some(out)
}

fn write_attributes(out: &mut String, attributes: &str) -> Option<()> {
    let mut rest = attributes.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"")?;
        let (value, after) = after.split_once('"')?;
        rest = after.trim_start();
        match name {
            "style" => write_style(out, value),
            "class" if is_plain(value) => attribute(out, "class", value),
            _ if ATTRIBUTES.contains(&name) && is_plain(value) => attribute(out, name, value),
            _ => {}
        }
    }
    Some(())
}

/// A style is against the page's policy; colours have attributes of their own.
fn write_style(out: &mut String, style: &str) {
    for rule in style.split(';') {
        let Some((name, value)) = rule.split_once(':') else { continue };
        let value = value.trim();
        match name.trim() {
            "color" if is_plain(value) => attribute(out, "mathcolor", value),
            "background-color" if is_plain(value) => attribute(out, "mathbackground", value),
            _ => {}
        }
    }
}

fn attribute(out: &mut String, name: &str, value: &str) {
    for piece in [" ", name, "=\"", value, "\""] {
        out.push_str(piece);
    }
}

fn is_plain(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" .-_()%+,".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid_out(tex: &str) -> String {
        mathml(tex, true).unwrap_or_else(|| panic!("{tex} is not laid out"))
    }

    #[test]
    fn what_models_write_is_laid_out() {
        for tex in [
            r"e^{i\pi} + 1 = 0",
            r"\int_0^1 x^2 \, dx = \frac{1}{3}",
            r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}",
            r"\begin{aligned} a &= b \\ c &= d \end{aligned}",
            r"\begin{align*} a &= b \\ c &= d \end{align*}",
            r"f(x) = \begin{cases} x & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}",
            r"\text{hello} \mathbf{x} \mathbb{R} \mathcal{L} \operatorname{argmax}_x",
            r"\sum_{i=1}^n \binom{n}{k} \sqrt[3]{x} \hat{x} \vec{v} \overline{ab}",
            r"\left( \frac{a}{b} \right] \leq \lim_{x \to 0} \sin x \quad a \neq b",
            r"\boxed{x = \{\frac{1}{2}\}} \xrightarrow{f} \underbrace{a+b}_{n}",
            r"\begin{bmatrix} 1 \end{bmatrix}^\top \dfrac{1}{2} \boldsymbol{\mu} \mathbf{\Sigma}^{-1}",
            r"\overset{a}{b} \underset{a}{b} \stackrel{!}{=} \ddots \vdots \cdot \times \nabla \partial",
            r"\bigl( x \bigr) \Big| f''(x) \implies y \iff z \operatorname*{argmin}_\theta",
            r"\begin{array}{c|c} a & b \\ \hline c & d \end{array}",
            r"\langle x \rangle \lVert x \rVert \pmod n \dots \mathrm{d}x \{1, 2\}",
        ] {
            let mathml = laid_out(tex);
            assert!(mathml.starts_with("<math") && mathml.ends_with("</math>"), "{mathml}");
        }
        assert!(laid_out(r"\textcolor{red}{x}").contains(" mathcolor=\"rgb(255 0 0)\""));
    }

    #[test]
    fn what_is_wrong_unfinished_or_hostile_is_shown_as_it_was_written() {
        let deep = "{".repeat(1000) + &"}".repeat(1000);
        let long = "x+".repeat(3000);
        for tex in [
            r"\frac{a",
            r"\undefined x",
            "}",
            r"\left( x",
            r"\begin{matrix} a",
            r"\def\x{\x\x}\x",
            r"\newcommand{\a}{\a}\a",
            r"\href{javascript:alert(1)}{x}",
            r"\style{color:red}{x}",
            r"\class{a}{x}",
            r"\includegraphics{a}",
            &deep,
            &long,
        ] {
            let mut out = String::new();
            write(&mut out, tex, false);
            assert!(out.starts_with("<span class=\"math\"><code title="), "{out}");
        }
    }

    #[test]
    fn markup_in_a_formula_is_text() {
        for tex in [r"x < y & <b>", r"\text{<img src=x onerror=alert(1)>}", r"x''><script>"] {
            let mut out = String::new();
            write(&mut out, tex, false);
            let lower = out.to_lowercase();
            assert!(
                ["<b", "<img", "<script", "<a "].iter().all(|tag| !lower.contains(tag)),
                "{out}"
            );
        }
    }

    #[test]
    fn nothing_but_known_elements_and_attributes_passes() {
        assert_eq!(checked("<math><script>x</script></math>"), None);
        assert_eq!(
            checked("<math><mi href=\"javascript:x\" onclick=\"x\">x</mi></math>").as_deref(),
            Some("<math><mi>x</mi></math>")
        );
        assert_eq!(
            checked("<math><mo style=\"color: rgb(1 2 3); top: 0\">x</mo></math>").as_deref(),
            Some("<math><mo mathcolor=\"rgb(1 2 3)\">x</mo></math>")
        );
    }
}
