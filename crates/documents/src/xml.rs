//! XML as a flat stream of elements and text. A document type is not read: there are no entities
//! but the five of XML itself, so none can grow.

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::Refusal;

pub(crate) enum Node<'a> {
    Open(&'a Element<'a>),
    /// The local name of the element that ends.
    Close(&'a str),
    Text(&'a str),
}

pub(crate) struct Element<'a>(BytesStart<'a>);

impl Element<'_> {
    /// Its name without a prefix.
    pub(crate) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }

    /// The value of the attribute with this local name.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        self.find(|key, _| key == name)
    }

    /// The value of the attribute that has this local name and a prefix, as `r:id`.
    pub(crate) fn prefixed(&self, name: &str) -> Option<String> {
        self.find(|key, has_prefix| key == name && has_prefix)
    }

    fn find(&self, is_it: impl Fn(&str, bool) -> bool) -> Option<String> {
        let mut attributes = self.0.attributes();
        // Checking each against all is quadratic, and which of two is taken matters to nobody.
        let found = attributes.with_checks(false).flatten().find(|attribute| {
            let (name, prefix) = attribute.key.decompose();
            is_it(name.into_inner(), prefix.is_some())
        })?;
        Some(
            found
                .normalized_value(XmlVersion::Implicit1_0)
                .unwrap_or(found.value.clone())
                .into_owned(),
        )
    }
}

/// Calls `each` with everything in `source`, in order.
pub(crate) fn walk(
    source: &str,
    mut each: impl FnMut(Node<'_>) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let mut reader = Reader::from_str(source);
    let mut depth = 0_usize;
    loop {
        match reader.read_event().map_err(|_| Refusal::Damaged)? {
            Event::Start(start) => {
                depth += 1;
                each(Node::Open(&Element(start)))?;
            }
            Event::Empty(start) => {
                let element = Element(start);
                each(Node::Open(&element))?;
                each(Node::Close(element.name()))?;
            }
            Event::End(end) => {
                depth = depth.saturating_sub(1);
                each(Node::Close(end.local_name().into_inner()))?;
            }
            Event::Text(text) => each(Node::Text(&text.xml10_content()))?,
            Event::CData(text) => each(Node::Text(&text.xml10_content()))?,
            Event::GeneralRef(reference) => {
                if let Some(c) = resolve(&reference) {
                    each(Node::Text(c.encode_utf8(&mut [0; 4])))?;
                }
            }
            Event::Eof if depth > 0 => return Err(Refusal::Damaged),
            Event::Eof => return Ok(()),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_) => {}
        }
    }
}

fn resolve(reference: &BytesRef<'_>) -> Option<char> {
    if reference.is_char_ref() {
        return reference.resolve_char_ref().ok().flatten();
    }
    match &**reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

/// The text of the first element with this local name.
pub(crate) fn text_of(source: &str, name: &str) -> Result<Option<String>, Refusal> {
    let (mut text, mut depth, mut is_found) = (String::new(), 0_usize, false);
    walk(source, |node| {
        match node {
            Node::Open(element) if depth > 0 || (element.name() == name && !is_found) => {
                (depth, is_found) = (depth + 1, true);
            }
            Node::Close(_) => depth = depth.saturating_sub(1),
            Node::Text(part) if depth > 0 => text.push_str(part),
            _ => {}
        }
        Ok(())
    })?;
    Ok(is_found.then_some(text))
}
