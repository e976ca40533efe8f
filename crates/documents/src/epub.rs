//! EPUB: a file of the reading order is a page.

use std::collections::HashMap;

use crate::archive::Archive;
use crate::blocks::Blocks;
use crate::ooxml::join;
use crate::xml::{self, Node};
use crate::{Document, Kind, Limits, Refusal, html};

pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Document, Refusal> {
    let mut archive = Archive::open(bytes, limits)?;
    let package = package(&archive.needed("META-INF/container.xml")?)?;
    let (folder, _) = package.rsplit_once('/').unwrap_or(("", &package));
    let source = archive.needed(&package)?;
    let locked = locked(&archive.text("META-INF/encryption.xml")?.unwrap_or_default())?;
    let mut blocks = Blocks::new(limits);
    for (index, href) in chapters(&source)?.into_iter().enumerate() {
        let name = join(folder, &unescaped(href.split('#').next().unwrap_or_default()));
        if locked.contains(&name) {
            return Err(Refusal::Encrypted);
        }
        blocks.turn_to(index + 1);
        if let Some(chapter) = archive.text(&name)? {
            html::flow(&html::without_short_tags(&chapter), &mut blocks)?;
        }
    }
    let title = xml::text_of(&source, "title")?;
    blocks.finish(Kind::Epub, title.as_deref())
}

fn package(container: &str) -> Result<String, Refusal> {
    let mut path = None;
    xml::walk(container, |node| {
        if let Node::Open(element) = node
            && element.name() == "rootfile"
        {
            path = path.take().or_else(|| element.attribute("full-path"));
        }
        Ok(())
    })?;
    path.ok_or(Refusal::Damaged)
}

/// The files of the reading order.
fn chapters(package: &str) -> Result<Vec<String>, Refusal> {
    let (mut files, mut order) = (HashMap::new(), Vec::new());
    xml::walk(package, |node| {
        let Node::Open(element) = node else { return Ok(()) };
        match element.name() {
            "item" => {
                let media_type = element.attribute("media-type").unwrap_or_default();
                if media_type.contains("html")
                    && let (Some(id), Some(href)) =
                        (element.attribute("id"), element.attribute("href"))
                {
                    files.insert(id, href);
                }
            }
            "itemref" => order.extend(element.attribute("idref")),
            _ => {}
        }
        Ok(())
    })?;
    // A chapter that is named again is not read again.
    Ok(order.into_iter().filter_map(|id| files.remove(&id)).collect())
}

/// The files that are encrypted; in books without a lock these are fonts at most.
fn locked(encryption: &str) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    if encryption.is_empty() {
        return Ok(names);
    }
    xml::walk(encryption, |node| {
        if let Node::Open(element) = node
            && element.name() == "CipherReference"
        {
            names.extend(element.attribute("URI").map(|name| join("", &unescaped(&name))));
        }
        Ok(())
    })?;
    Ok(names)
}

/// The name that an address in the package means.
fn unescaped(href: &str) -> String {
    let mut bytes = Vec::with_capacity(href.len());
    let mut rest = href.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
