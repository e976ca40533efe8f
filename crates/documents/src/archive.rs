//! The files inside a ZIP file, each read into memory within the limits. Their names are only
//! compared, and never become paths.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::{Kind, Limits, Refusal, text};

/// What is packed more tightly than this is made to unpack to very much.
const RATIO: u64 = 300;

/// What unpacks to less does no harm, however tightly it is packed.
const HARMLESS: u64 = 4 << 20;

pub(crate) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// Bytes that one file may unpack to.
    entry: u64,
    /// Bytes that all that are still read may unpack to.
    left: u64,
}

impl<'a> Archive<'a> {
    pub(crate) fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, Refusal> {
        let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| refusal(&error))?;
        if zip.len() > limits.entries {
            return Err(Refusal::TooLarge);
        }
        for index in 0..zip.len() {
            if zip.by_index_raw(index).map_err(|error| refusal(&error))?.encrypted() {
                return Err(Refusal::Encrypted);
            }
        }
        Ok(Self { zip, entry: limits.entry, left: limits.unpacked })
    }

    pub(crate) fn kind(&mut self) -> Result<Kind, Refusal> {
        if let Some(kind) = self.text("mimetype")?.and_then(|media_type| of_media_type(&media_type))
        {
            return Ok(kind);
        }
        let has = |folder: &[u8]| self.zip.file_names_raw().any(|name| name.starts_with(folder));
        if !has(b"[Content_Types].xml") || has(b"xl/workbook.bin") {
            return Err(Refusal::Unsupported);
        }
        let folders: [(&[u8], _); 3] =
            [(b"word/", Kind::Docx), (b"ppt/", Kind::Pptx), (b"xl/", Kind::Xlsx)];
        let found = folders.into_iter().find(|(folder, _)| has(folder));
        found.map(|(_, kind)| kind).ok_or(Refusal::Unsupported)
    }

    /// The text of a file that there may be; XML says its encoding itself, or it is UTF-8.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        Ok(self.bytes(name)?.map(|bytes| text::decode(&bytes)))
    }

    /// The text of a file without which the whole is damaged.
    pub(crate) fn needed(&mut self, name: &str) -> Result<String, Refusal> {
        self.text(name)?.ok_or(Refusal::Damaged)
    }

    /// Unpacks all of it, to see that it stays within the limits, for a reader that has none.
    pub(crate) fn measure(&mut self) -> Result<(), Refusal> {
        (0..self.zip.len()).try_for_each(|index| self.unpack(index, &mut std::io::sink()))
    }

    fn bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>, Refusal> {
        let Some(index) = self.index(name) else { return Ok(None) };
        let mut bytes = Vec::new();
        self.unpack(index, &mut bytes)?;
        Ok(Some(bytes))
    }

    /// Some writers differ in case, or write the separators of Windows.
    fn index(&self, name: &str) -> Option<usize> {
        self.zip.index_for_name(name).or_else(|| {
            let is_same = |other: &[u8]| {
                other.len() == name.len()
                    && other
                        .iter()
                        .zip(name.bytes())
                        .all(|(a, b)| a.eq_ignore_ascii_case(&b) || (*a == b'\\' && b == b'/'))
            };
            let found = self.zip.file_names_raw().find(|other| is_same(other))?.to_vec();
            self.zip.index_for_name_raw(&found)
        })
    }

    fn unpack(&mut self, index: usize, to: &mut impl std::io::Write) -> Result<(), Refusal> {
        let file = self.zip.by_index(index).map_err(|error| refusal(&error))?;
        let tight = file.compressed_size().saturating_mul(RATIO).max(HARMLESS);
        let most = self.entry.min(self.left).min(tight);
        // What the file says of its size may be a lie, so what comes is counted.
        let unpacked = std::io::copy(&mut file.take(most + 1), to).map_err(|_| Refusal::Damaged)?;
        if unpacked > most {
            return Err(Refusal::TooLarge);
        }
        self.left -= unpacked;
        Ok(())
    }
}

fn refusal(error: &ZipError) -> Refusal {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => Refusal::Encrypted,
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => {
            Refusal::Unsupported
        }
        _ => Refusal::Damaged,
    }
}

fn of_media_type(media_type: &str) -> Option<Kind> {
    let media_type = media_type.trim();
    if media_type == Kind::Epub.media_type() {
        return Some(Kind::Epub);
    }
    let kinds = [Kind::Odt, Kind::Odp, Kind::Ods];
    kinds.into_iter().find(|kind| {
        // A template has the same content.
        media_type.strip_suffix("-template").unwrap_or(media_type) == kind.media_type()
    })
}
