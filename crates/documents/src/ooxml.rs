//! What the Office Open XML formats share: parts that name each other by relationships (ECMA-376,
//! part 2), and the properties of the document.

use std::collections::HashMap;

use crate::archive::Archive;
use crate::xml::{self, Node};
use crate::{Document, Kind, Limits, Refusal};

/// Where the parts are that a part names, by the id it uses, with the last word of their type.
#[derive(Default)]
pub(crate) struct Relations(HashMap<String, (String, String)>);

impl Relations {
    /// The relationships of a part; those of the package for `""`.
    pub(crate) fn of(part: &str, archive: &mut Archive<'_>) -> Result<Self, Refusal> {
        let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
        let name = join(folder, &format!("_rels/{file}.rels"));
        let Some(source) = archive.text(&name)? else { return Ok(Self::default()) };
        let mut relations = HashMap::new();
        xml::walk(&source, |node| {
            let Node::Open(element) = node else { return Ok(()) };
            let is_inside = element.attribute("TargetMode").is_none_or(|mode| mode != "External");
            if let (true, Some(id), Some(target), Some(kind)) = (
                is_inside,
                element.attribute("Id"),
                element.attribute("Target"),
                element.attribute("Type"),
            ) {
                let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                relations.insert(id, (join(folder, &target), kind));
            }
            Ok(())
        })?;
        Ok(Self(relations))
    }

    pub(crate) fn part(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(|(part, _)| part.as_str())
    }

    /// The first part whose type ends with this word, as `officeDocument`.
    pub(crate) fn part_of_type(&self, name: &str) -> Option<&str> {
        let mut of_type: Vec<_> =
            self.0.values().filter(|(_, kind)| kind == name).map(|(part, _)| part).collect();
        of_type.sort_unstable();
        of_type.first().map(|part| part.as_str())
    }
}

/// A name relative to a folder, as a name in the archive.
pub(crate) fn join(folder: &str, name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let folder = if name.starts_with('/') { "" } else { folder };
    for part in folder.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The part that the package is about.
pub(crate) fn main_part(archive: &mut Archive<'_>) -> Result<String, Refusal> {
    let relations = Relations::of("", archive)?;
    Ok(relations.part_of_type("officeDocument").ok_or(Refusal::Damaged)?.to_owned())
}

pub(crate) fn title(archive: &mut Archive<'_>) -> Result<Option<String>, Refusal> {
    let Some(properties) = archive.text("docProps/core.xml")? else { return Ok(None) };
    xml::text_of(&properties, "title")
}

/// Reads a file of one of these formats.
pub(crate) fn read(kind: Kind, bytes: &[u8], limits: &Limits) -> Result<Document, Refusal> {
    let mut archive = Archive::open(bytes, limits)?;
    match kind {
        Kind::Docx => crate::docx::read(&mut archive, limits),
        Kind::Pptx => crate::pptx::read(&mut archive, limits),
        _ => crate::xlsx::read(bytes, &mut archive, limits),
    }
}
