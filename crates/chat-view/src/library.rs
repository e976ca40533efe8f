//! A person's files and collections, as the server told of them.

use unbroken_protocol::{CollectionId, CollectionInfo, FileId, FileInfo, limits};

use crate::fold::fold;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Library {
    /// The newest first.
    pub files: Vec<FileInfo>,
    /// The oldest first.
    pub collections: Vec<CollectionInfo>,
    /// Bytes that a person may have.
    pub quota: u64,
}

impl Library {
    /// Bytes of all files.
    pub fn used(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// A file stands like that now; `None` when it was deleted.
    pub fn file(&mut self, id: FileId, now: Option<FileInfo>) {
        let known = self.files.iter_mut().find(|file| file.file_id == id);
        match (known, now) {
            (Some(known), Some(now)) => *known = now,
            (None, Some(now)) => self.files.insert(0, now),
            (_, None) => {
                self.files.retain(|file| file.file_id != id);
                for collection in &mut self.collections {
                    collection.file_ids.retain(|file| *file != id);
                }
            }
        }
    }

    /// A collection stands like that now; `None` when it was deleted.
    pub fn collection(&mut self, id: CollectionId, now: Option<CollectionInfo>) {
        let known = self.collections.iter_mut().find(|one| one.collection_id == id);
        match (known, now) {
            (Some(known), Some(now)) => *known = now,
            (None, Some(now)) => self.collections.push(now),
            (_, None) => self.collections.retain(|one| one.collection_id != id),
        }
    }

    /// The files that have every word in their names.
    pub fn found(&self, words: &str) -> impl Iterator<Item = &FileInfo> {
        let words: Vec<String> = fold(words).split_whitespace().map(str::to_owned).collect();
        self.files.iter().filter(move |file| {
            let name = fold(&file.name);
            words.iter().all(|word| name.contains(word))
        })
    }
}

/// The address of a page of the web, when that is all that was typed.
pub fn web_address(typed: &str) -> Option<String> {
    let typed = typed.trim();
    let scheme = typed.split_once("://").map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
    let address = match scheme {
        Some((scheme, rest)) if scheme == "http" || scheme == "https" => {
            format!("{scheme}://{rest}")
        }
        None if typed.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www.")) => {
            format!("https://{typed}")
        }
        _ => return None,
    };
    let host = address.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let is_one = !host.is_empty() && !typed.contains(char::is_whitespace);
    (is_one && address.len() <= limits::URL_BYTES).then_some(address)
}

#[cfg(test)]
mod tests {
    use unbroken_protocol::{FileState, Timestamp};

    use super::*;

    #[test]
    fn an_address_is_one_only_by_itself() {
        for (typed, address) in [
            ("https://a.example/b?c#d", "https://a.example/b?c#d"),
            (" HTTP://A.example ", "http://A.example"),
            ("www.example.org/x", "https://www.example.org/x"),
            ("http://[::1]:80/", "http://[::1]:80/"),
        ] {
            assert_eq!(web_address(typed).as_deref(), Some(address));
        }
        let long = format!("https://a.example/{}", "x".repeat(limits::URL_BYTES));
        for typed in
            ["", "www", "a.txt", "https://", "https:///a", "ftp://a.example", "javascript:1", &long]
        {
            assert_eq!(web_address(typed), None, "{typed}");
        }
        assert_eq!(web_address("see https://a.example"), None);
        assert_eq!(web_address("https://a.example now"), None);
    }

    fn file(id: u8, name: &str) -> FileInfo {
        FileInfo {
            file_id: FileId::from_bytes([id; 16]),
            name: name.to_owned(),
            media_type: "text/plain".to_owned(),
            bytes: 10,
            state: FileState::Ready,
            reason: None,
            reason_code: None,
            pages: None,
            created_at: Timestamp::from_millis(i64::from(id)),
        }
    }

    fn put(library: &mut Library, file: FileInfo) {
        library.file(file.file_id, Some(file));
    }

    #[test]
    fn a_new_file_is_the_first_and_a_known_one_stays_where_it_is() {
        let mut library = Library::default();
        for file in [file(1, "a"), file(2, "b"), file(1, "c")] {
            put(&mut library, file);
        }
        let names: Vec<_> = library.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!((names, library.used()), (vec!["b", "c"], 20));
    }

    #[test]
    fn a_deleted_file_is_gone_from_its_collections() {
        let mut library = Library::default();
        put(&mut library, file(1, "a"));
        let id = CollectionId::from_bytes([9; 16]);
        let collection = CollectionInfo {
            collection_id: id,
            name: "mine".to_owned(),
            created_at: Timestamp::from_millis(0),
            file_ids: vec![FileId::from_bytes([1; 16])],
            urls: Vec::new(),
        };
        library.collection(id, Some(collection));
        library.file(FileId::from_bytes([1; 16]), None);
        assert!(library.files.is_empty() && library.collections[0].file_ids.is_empty());
        library.collection(id, None);
        assert!(library.collections.is_empty());
    }

    #[test]
    fn files_are_found_by_every_word_of_their_names() {
        let mut library = Library::default();
        for file in [file(1, "Annual REPORT 2024.pdf"), file(2, "notes.txt")] {
            put(&mut library, file);
        }
        let found = |words| library.found(words).map(|file| file.name.as_str()).collect::<Vec<_>>();
        assert_eq!(found("report annual"), ["Annual REPORT 2024.pdf"]);
        assert_eq!(found("").len(), 2);
        assert!(found("report notes").is_empty());
    }
}
