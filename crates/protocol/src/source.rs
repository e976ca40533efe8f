//! What an answer may look things up in: files that a person brings, and collections of them
//! (PROTOCOL B5).

use serde::{Deserialize, Serialize};

use crate::fields::read;
use crate::{DeviceId, SessionId, Timestamp};

crate::id::uuid_id!(
    /// A file that a person brought.
    FileId
);
crate::id::uuid_id!(
    /// A named set of a person's files.
    CollectionId
);
crate::id::uuid_id!(
    /// One file on its way to the server, as the client that sends it names it.
    UploadId
);

/// How far a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// Its bytes are stored; what can be read in it is being looked for.
    Processing,
    /// Answers can look things up in it.
    Ready,
    /// Nothing can be read in it; `reason` says why.
    Refused,
}

impl FileState {
    /// The state as it is written on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::Ready => "ready",
            Self::Refused => "refused",
        }
    }
}

/// `POST /ai/files`, `GET /ai/files/{id}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileInfo {
    pub file_id: FileId,
    pub name: String,
    pub media_type: String,
    pub bytes: u64,
    pub state: FileState,
    /// Why it was refused, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same for programs: `scanned`, `encrypted` and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
    /// Pages, slides, sheets or chapters, where it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages: Option<u32>,
    pub created_at: Timestamp,
}

/// `GET /ai/files`: all of a person's, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileList {
    pub files: Vec<FileInfo>,
    /// Bytes of all of them, and how many a person may have.
    pub used: u64,
    pub quota: u64,
}

/// `GET /ai/uploads/{id}`: how much of a file is there that is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Received {
    /// Bytes from its beginning.
    pub received: u64,
}

/// The notice of a file: how it stands now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileEvent {
    pub file_id: FileId,
    /// Absent when it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<FileInfo>,
}

/// `GET /ai/files/{id}/passages?around=N`: a stretch of a file, to show a citation at its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PassageList {
    pub name: String,
    /// What the file calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub passages: Vec<PassageView>,
    /// How many the whole file has.
    pub total: u32,
}

/// A few sentences of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PassageView {
    /// 0, 1, 2, … through the file.
    pub ordinal: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The headings above it, from the outermost: `Chapter > Section`; empty when there is none.
    pub heading: String,
    pub text: String,
}

/// The kind of a source that is a search of the web.
pub const WEB: &str = "web";

/// A source of a message, as history shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MessageSource {
    /// `file`, `collection`, `url` or `web`.
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Of a file or a collection; absent when it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of a file; absent when it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<FileState>,
}

impl MessageSource {
    /// A search of the web.
    pub fn web() -> Self {
        Self {
            kind: WEB.to_owned(),
            file_id: None,
            collection_id: None,
            url: None,
            name: None,
            state: None,
        }
    }
}

/// `POST /ai/collections`, `GET /ai/collections/{id}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CollectionInfo {
    pub collection_id: CollectionId,
    pub name: String,
    pub created_at: Timestamp,
    pub file_ids: Vec<FileId>,
    /// Addresses of pages, read anew when an answer draws on them.
    pub urls: Vec<String>,
}

/// `GET /ai/collections`: all of a person's, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CollectionList {
    pub collections: Vec<CollectionInfo>,
}

/// `POST /ai/collections`, `PATCH /ai/collections/{id}`: what is absent stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CollectionRequest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urls: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
}

/// The notice of a collection: how it stands now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CollectionEvent {
    pub collection_id: CollectionId,
    /// Absent when it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection: Option<CollectionInfo>,
}

read! {
    FileInfo { file_id, name, media_type, bytes, state, reason, reason_code, pages, created_at }
    FileList { files, used, quota }
    Received { received }
    FileEvent { file_id, file }
    PassageList { name, title, passages, total }
    PassageView { ordinal, page, heading, text }
    CollectionInfo { collection_id, name, created_at, file_ids, urls }
    CollectionList { collections }
    CollectionEvent { collection_id, collection }
}

impl crate::fields::Read for MessageSource {
    fn read(mut fields: crate::fields::Fields) -> Result<Self, serde_json::Error> {
        Ok(Self {
            kind: fields.take("type")?,
            file_id: fields.take("file_id")?,
            collection_id: fields.take("collection_id")?,
            url: fields.take("url")?,
            name: fields.take("name")?,
            state: fields.take("state")?,
        })
    }
}
crate::fields::deserialize! { MessageSource }
