//! Which kind of file it is, by its content.

use crate::archive::Archive;
use crate::{Kind, Limits, Refusal, text};

/// Bytes at the beginning that tell text from other things.
const SAMPLE: usize = 8 * 1024;

const CODE: &str = " c h cc cpp cxx hpp hh rs go py pyi rb java kt kts scala swift m mm cs fs vb js mjs cjs ts \
    tsx jsx vue svelte css scss sass less php pl pm lua r jl dart ex exs erl hrl hs ml mli clj cljs el \
    lisp scm sql sh bash zsh fish ps1 bat cmd json jsonl json5 toml yaml yml xml xsd xsl svg ini cfg conf \
    properties env proto graphql gradle cmake make mk dockerfile makefile tf hcl nix zig v vhdl sv asm s \
    diff patch tex bib ";

/// The names of headers that an e-mail begins with.
const HEADERS: [&str; 12] = [
    "from",
    "to",
    "subject",
    "date",
    "received",
    "return-path",
    "message-id",
    "mime-version",
    "delivered-to",
    "content-type",
    "dkim-signature",
    "reply-to",
];

pub(crate) fn detect(bytes: &[u8], name: &str, limits: &Limits) -> Result<Kind, Refusal> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Refusal::Empty);
    }
    let beginning = &bytes[..bytes.len().min(SAMPLE)];
    if beginning[..beginning.len().min(1024)].windows(5).any(|window| window == b"%PDF-") {
        return Ok(Kind::Pdf);
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Archive::open(bytes, limits)?.kind();
    }
    if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Err(compound(bytes));
    }
    if bytes.starts_with(b"{\\rtf") || !is_text(beginning) {
        return Err(Refusal::Unsupported);
    }
    Ok(of_text(&text::decode(beginning), name))
}

/// A compound file is an old Office file, or a new one behind a password.
fn compound(bytes: &[u8]) -> Refusal {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    if bytes.windows(name.len()).any(|window| window == name) {
        Refusal::Encrypted
    } else {
        Refusal::Unsupported
    }
}

fn is_text(beginning: &[u8]) -> bool {
    let text = text::decode(beginning);
    let strange = |c: &char| {
        (c.is_control() && !"\n\r\t\u{c}\u{b}\u{8}\u{1b}".contains(*c)) || *c == '\u{fffd}'
    };
    // A character that the sample cuts, and a stray byte in a long text, are no proof.
    text.chars().filter(strange).count() <= 1 + text.chars().count() / 200
}

fn of_text(beginning: &str, name: &str) -> Kind {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let extension = extension.unwrap_or_else(|| name.to_ascii_lowercase());
    let start = beginning.trim_start().get(..64).unwrap_or(beginning.trim_start());
    let start = start.to_ascii_lowercase();
    if start.starts_with("<!doctype html") || start.starts_with("<html") {
        return Kind::Html;
    }
    if is_email(beginning) {
        return Kind::Email;
    }
    match extension.as_str() {
        "html" | "htm" | "xhtml" if start.starts_with('<') => Kind::Html,
        "md" | "markdown" | "mdown" | "mkd" => Kind::Markdown,
        "csv" | "tsv" | "tab" => Kind::Csv,
        known if CODE.contains(&format!(" {known} ")) => Kind::Code,
        _ if start.starts_with("#!") || start.starts_with("<?xml") => Kind::Code,
        _ => Kind::Text,
    }
}

/// An e-mail begins with at least three headers that e-mails have.
fn is_email(beginning: &str) -> bool {
    let mut known = 0;
    for line in beginning.lines() {
        if line.starts_with([' ', '\t']) && known > 0 {
            continue;
        }
        let Some((name, _)) = line.split_once(':') else { break };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            break;
        }
        known += usize::from(HEADERS.contains(&name.to_ascii_lowercase().as_str()));
    }
    known >= 3
}
