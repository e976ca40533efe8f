//! Many files in one ZIP, written as they come.

use std::collections::HashSet;
use std::io::{self, Write};

use unbroken_protocol::{ArchivedConversation, Timestamp};
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
        let mut name = format!("{base}.{extension}");
        if !self.names.insert(name.clone()) {
            name = format!("{base} {}.{extension}", conversation.conversation_id);
            self.names.insert(name.clone());
        }
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .large_file(text.len() as u64 >= u64::from(u32::MAX));
        self.zip.start_file(name, options)?;
        self.zip.write_all(text.as_bytes())
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
