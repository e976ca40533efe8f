//! Many files in one ZIP, written as they come.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::path::Path;

use unbroken_protocol::{ArchivedConversation, FileId, Timestamp};
use zip::write::{SimpleFileOptions, StreamWriter, ZipWriter};

use crate::name::file_name;

/// A ZIP that is being written to something that cannot go back. In memory is what its list at the
/// end needs: some hundred bytes for each file.
pub struct Package<W: Write> {
    zip: ZipWriter<StreamWriter<W>>,
    names: HashSet<String>,
}

impl<W: Write> Package<W> {
    pub fn new(output: W) -> Self {
        Self { zip: ZipWriter::new_stream(output), names: HashSet::new() }
    }

    /// Adds a conversation as a file that is called by its day and title.
    pub fn add(
        &mut self,
        conversation: &ArchivedConversation,
        extension: &str,
        text: &str,
    ) -> io::Result<()> {
        let base = format!("{} {}", day(conversation.created_at), file_name(&conversation.title));
        let id = conversation.conversation_id.to_string();
        self.start(&base, &id, &format!(".{extension}"), text.len() as u64)?;
        self.zip.write_all(text.as_bytes())
    }

    /// Adds a file that a person brought, in the folder `files` and under its name.
    pub fn add_file(
        &mut self,
        name: &str,
        id: FileId,
        bytes: u64,
        content: &mut impl Read,
    ) -> io::Result<()> {
        let path = Path::new(name);
        let part = |part: Option<&OsStr>| part.map(|part| file_name(&part.to_string_lossy()));
        let stem = part(path.file_stem()).unwrap_or_else(|| "file".to_owned());
        let extension = part(path.extension()).map(|extension| format!(".{extension}"));
        let base = format!("files/{stem}");
        self.start(&base, &id.to_string(), extension.as_deref().unwrap_or_default(), bytes)?;
        io::copy(content, &mut self.zip).map(drop)
    }

    /// Begins a file under a name of its own: where it is taken, the id is in it.
    fn start(&mut self, base: &str, id: &str, extension: &str, bytes: u64) -> io::Result<()> {
        let mut name = format!("{base}{extension}");
        if !self.names.insert(name.clone()) {
            name = format!("{base} {id}{extension}");
            self.names.insert(name.clone());
        }
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .large_file(bytes >= u64::from(u32::MAX));
        Ok(self.zip.start_file(name, options)?)
    }

    /// Writes the list of the files, without which it is no ZIP.
    pub fn finish(self) -> io::Result<()> {
        self.zip.finish()?.flush()
    }
}

/// `2026-11-21`
pub(crate) fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}
