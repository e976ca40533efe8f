//! The calls about files that answers look things up in, and collections of them (PROTOCOL B5).

use unbroken_protocol::{
    CollectionId, CollectionInfo, CollectionList, CollectionRequest, ErrorCode, FileId, FileInfo,
    FileList, PassageList, Received, UploadId, path,
};

use super::{Method, Rest, RestError, filled};

impl Rest {
    /// All of the person's files, the newest first.
    pub async fn files(&self) -> Result<FileList, RestError> {
        self.get(path::FILES, &self.pair()).await
    }

    pub async fn file(&self, id: FileId) -> Result<FileInfo, RestError> {
        self.get(&filled(path::FILE, id), &self.pair()).await
    }

    /// Begins to send a file of so many bytes: whether it may come is known before any is sent.
    pub async fn begin_upload(
        &self,
        id: UploadId,
        name: &str,
        total: f64,
    ) -> Result<Received, RestError> {
        let query = self.stretch(name, 0.0, total);
        self.send(Method::Put, &filled(path::UPLOAD, id), &query, None::<&()>).await
    }

    /// How many bytes the server has of a file that is on its way.
    pub async fn received(&self, id: UploadId) -> Result<u64, RestError> {
        match self.get::<Received>(&filled(path::UPLOAD, id), &self.pair()).await {
            Ok(Received { received }) => Ok(received),
            Err(RestError::Refused(body)) if body.code == ErrorCode::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Removes what the server has of a file that is on its way.
    pub async fn give_up_upload(&self, id: UploadId) -> Result<(), RestError> {
        self.send(Method::Delete, &filled(path::UPLOAD, id), &self.pair(), None::<&()>).await
    }

    /// The pair, and which bytes of a file come.
    fn stretch(&self, name: &str, at: f64, total: f64) -> Vec<(&'static str, String)> {
        let mut query = self.pair();
        query.extend([("name", name.to_owned()), ("at", at.to_string())]);
        query.push(("total", total.to_string()));
        query
    }

    /// Deletes a file, and what was read in it.
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

    /// Makes a collection of addresses of pages, to which files can come.
    pub async fn make_collection(
        &self,
        name: &str,
        urls: Vec<String>,
    ) -> Result<CollectionInfo, RestError> {
        let request = CollectionRequest { urls: Some(urls), ..self.named(name) };
        self.send(Method::Post, path::COLLECTIONS, &[], Some(&request)).await
    }

    pub async fn rename_collection(
        &self,
        id: CollectionId,
        name: &str,
    ) -> Result<CollectionInfo, RestError> {
        let request = self.named(name);
        self.send(Method::Patch, &filled(path::COLLECTION, id), &[], Some(&request)).await
    }

    /// Deletes a collection; its files stay.
    pub async fn delete_collection(&self, id: CollectionId) -> Result<(), RestError> {
        self.send(Method::Delete, &filled(path::COLLECTION, id), &self.pair(), None::<&()>).await
    }

    /// Puts a file into a collection.
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
            name: Some(name.to_owned()),
            urls: None,
            session_id: self.session_id.clone(),
            device_id: self.device_id.clone(),
        }
    }
}

fn collected(id: CollectionId, file: FileId) -> String {
    filled(path::COLLECTED, id).replace("{file_id}", &file.to_string())
}

/// What of a file the browser holds.
#[cfg(target_arch = "wasm32")]
mod content {
    use unbroken_protocol::{FileInfo, UploadId, path};
    use web_sys::{Blob, File};

    use super::super::transport::Upload;
    use super::super::{Rest, RestError, filled, query_text, read, refusal};

    impl Rest {
        /// Sends a file that answers may look things up in, from `at` on, where the server stands;
        /// `sent` is told how many bytes of the whole are on their way.
        pub async fn add_file(
            &self,
            upload: &Upload,
            id: UploadId,
            file: &File,
            at: f64,
            sent: impl Fn(f64) + 'static,
        ) -> Result<FileInfo, RestError> {
            let rest = file.slice_with_f64(at).map_err(|_| gone())?;
            let query = query_text(&self.stretch(&file.name(), at, file.size()));
            let url = format!("{}{}{query}", self.base, filled(path::UPLOAD, id));
            read(upload.put(&url, &rest, move |bytes| sent(at + bytes)).await?)
        }

        /// The bytes of a file, and its name.
        pub async fn file_content(&self, id: &str) -> Result<(Blob, Option<String>), RestError> {
            let path = filled(path::FILE_CONTENT, id);
            let url = format!("{}{path}{}", self.base, query_text(&self.pair()));
            self.transport.file(&url).await?.map_err(refusal)
        }
    }

    fn gone() -> RestError {
        RestError::Unreachable("the file cannot be read".to_owned())
    }
}
