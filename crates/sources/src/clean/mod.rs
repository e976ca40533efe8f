//! What a person came to a page for: its main text, without what stands around it.
//!
//! Reading a page costs time that its author has a say in, and runs a parser over what nobody
//! vouches for: call it where it may take a while and may fail.

mod depth;
mod walk;

use dom_query::Document;
use dom_smoothie::{Config, Readability};
use encoding_rs::{Encoding, UTF_8};

use crate::fetch::{Fetched, Media};
use crate::page::{Block, Page};

/// In a larger page the main text is not looked for: all of its text is taken.
const ELEMENTS: usize = 20_000;

/// Deeper than any page that people read. The parser looks through all that is open at every
/// element, so the depth is limited before it.
const DEEPEST: usize = 1_000;

/// What is no text of any page.
const ASIDE: &str = "nav, [role=navigation], body > footer, [hidden], [aria-hidden=true]";

/// What is none, where the main text is not found.
const AROUND: &str = "head, noscript, svg, iframe, object, form, header, footer, aside";

/// The main text of a page or a text. `None` if there is none, or if it is a PDF.
pub fn page(fetched: &Fetched) -> Option<Page> {
    let text = decode(fetched);
    let (title, blocks) = match fetched.media {
        Media::Html => main_text(&text),
        Media::Text => (String::new(), paragraphs(&text)),
        Media::Pdf => return None,
    };
    let named = [title.trim(), fetched.url.host_str().unwrap_or_default()];
    let title = named.into_iter().find(|name| !name.is_empty()).unwrap_or_default().to_owned();
    (!blocks.is_empty()).then(|| Page { url: fetched.url.to_string(), title, blocks })
}

fn main_text(html: &str) -> (String, Vec<Block>) {
    if depth::is_deeper(html, DEEPEST) {
        return (String::new(), Vec::new());
    }
    let page = Document::from(html);
    page.select(ASIDE).remove();
    let title = page.select("title").text().to_string();
    let config = Config { max_elements_to_parse: ELEMENTS, ..Config::default() };
    let read = Readability::with_document(page.clone(), None, Some(config));
    if let Ok(article) = read.and_then(|mut read| read.parse()) {
        let blocks = walk::blocks(&Document::from(article.content).root());
        if !blocks.is_empty() {
            return (article.title, blocks);
        }
    }
    page.select(AROUND).remove();
    (title, walk::blocks(&page.root()))
}

/// Paragraphs of a text are what blank lines separate.
fn paragraphs(text: &str) -> Vec<Block> {
    let text = text.replace("\r\n", "\n");
    let paragraphs = text.split("\n\n").map(|text| text.trim_matches('\n').trim_end());
    let block = |text: &str| Block { text: text.to_owned(), heading: None, page: None };
    paragraphs.filter(|text| !text.trim().is_empty()).map(block).collect()
}

/// By a byte order mark, as the site says, or as the page says.
fn decode(fetched: &Fetched) -> String {
    let said = fetched.charset.as_deref().and_then(|name| Encoding::for_label(name.as_bytes()));
    let encoding = said.or_else(|| named_inside(&fetched.bytes)).unwrap_or(UTF_8);
    encoding.decode(&fetched.bytes).0.into_owned()
}

/// The encoding that a page names near its beginning.
fn named_inside(bytes: &[u8]) -> Option<&'static Encoding> {
    let beginning = &bytes[..bytes.len().min(1024)];
    let beginning = String::from_utf8_lossy(beginning).to_ascii_lowercase();
    let (_, name) = beginning.split_once("charset=")?;
    let name = name.trim_start_matches(['"', '\'', ' ']);
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && !"-_:".contains(c));
    Encoding::for_label(&name.as_bytes()[..end.unwrap_or(name.len())])
}

#[cfg(test)]
mod tests;
