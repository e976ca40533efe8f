//! The calls about files and collections that answers look things up in (PROTOCOL B5).

use unbroken_protocol::{
    CollectionId, CollectionInfo, CollectionList, CollectionRequest, FileId, FileInfo, FileList,
    PassageList, path,
};

use super::{Method, Rest, RestError, filled};

impl Rest {
    /// The person's files, the newest first.
    pub async fn files(&self) -> Result<FileList, RestError> {
        self.get(path::FILES, &self.pair()).await
    }

    pub async fn file(&self, id: FileId) -> Result<FileInfo, RestError> {
        self.get(&filled(path::FILE, id), &self.pair()).await
    }

    /// Deletes a file with all that was read in it.
    pub async fn delete_file(&self, id: FileId) -> Result<(), RestError> {
        self.send(Method::Delete, &filled(path::FILE, id), &self.pair(), None::<&()>).await
    }

    /// A stretch of a file around one of its passages, or its beginning.
    pub async fn passages(
        &self,
        id: FileId,
        around: Option<u32>,
    ) -> Result<PassageList, RestError> {
        let mut query = self.pair();
        query.extend(around.map(|around| ("around", around.to_string())));
        self.get(&filled(path::FILE_PASSAGES, id), &query).await
    }

    /// The person's collections, the oldest first.
    pub async fn collections(&self) -> Result<CollectionList, RestError> {
        self.get(path::COLLECTIONS, &self.pair()).await
    }

    pub async fn make_collection(&self, name: &str) -> Result<CollectionInfo, RestError> {
        self.send(Method::Post, path::COLLECTIONS, &[], Some(&self.named(name))).await
    }

    pub async fn rename_collection(
        &self,
        id: CollectionId,
        name: &str,
    ) -> Result<CollectionInfo, RestError> {
        let address = filled(path::COLLECTION, id);
        self.send(Method::Patch, &address, &[], Some(&self.named(name))).await
    }

    /// Deletes a collection; its files stay.
    pub async fn delete_collection(&self, id: CollectionId) -> Result<(), RestError> {
        self.send(Method::Delete, &filled(path::COLLECTION, id), &self.pair(), None::<&()>).await
    }

    /// Puts a file into a collection. May be repeated.
    pub async fn collect(
        &self,
        id: CollectionId,
        file: FileId,
    ) -> Result<CollectionInfo, RestError> {
        self.send(Method::Put, &collected(id, file), &self.pair(), None::<&()>).await
    }

    /// Takes a file out of a collection.
    pub async fn uncollect(
        &self,
        id: CollectionId,
        file: FileId,
    ) -> Result<CollectionInfo, RestError> {
        self.send(Method::Delete, &collected(id, file), &self.pair(), None::<&()>).await
    }

    fn named(&self, name: &str) -> CollectionRequest {
        CollectionRequest {
            name: name.to_owned(),
            session_id: self.session_id.clone(),
            device_id: self.device_id.clone(),
        }
    }
}

fn collected(id: CollectionId, file: FileId) -> String {
    filled(path::COLLECTED, id).replace("{file_id}", &file.to_string())
}

/// Files, which the browser holds: they may be larger than a page's memory.
#[cfg(target_arch = "wasm32")]
mod files {
    use unbroken_protocol::{FileId, path};
    use web_sys::Blob;

    use super::super::{Rest, RestError, filled, query_text, refusal};

    impl Rest {
        /// A file as it was sent, and its name.
        pub async fn file_content(&self, id: FileId) -> Result<(Blob, Option<String>), RestError> {
            let path = filled(path::FILE_CONTENT, id);
            let url = format!("{}{path}{}", self.base, query_text(&self.pair()));
            self.transport.file(&url).await?.map_err(refusal)
        }
    }
}
