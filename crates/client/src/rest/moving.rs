//! The calls that bring conversations in and out (PROTOCOL B5).

use unbroken_protocol::{
    ConversationId, DELETE_EVERYTHING, DeleteEverything, EverythingDeleted, ImportList, ShareList,
    ShareRequest, ShareRevoked, ShareView, path,
};

use super::{Method, Rest, RestError, filled};

/// As what a conversation leaves the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    Json,
    Markdown,
    Html,
}

impl ExportFormat {
    pub const ALL: [Self; 3] = [Self::Json, Self::Markdown, Self::Html];

    /// What `format` says in the query.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Markdown => "markdown",
            Self::Html => "html",
        }
    }
}

impl Rest {
    /// How far the person's imports are, the newest first.
    pub async fn imports(&self) -> Result<ImportList, RestError> {
        self.get(path::IMPORTS, &self.pair()).await
    }

    /// Makes a link by which anybody reads what the conversation says now; with `keep` it stays
    /// when the conversation is deleted.
    pub async fn share(&self, id: ConversationId, keep: bool) -> Result<ShareView, RestError> {
        let request = ShareRequest {
            keep,
            session_id: self.session_id.clone(),
            device_id: self.device_id.clone(),
        };
        self.send(Method::Post, &filled(path::SHARES_OF, id), &[], Some(&request)).await
    }

    /// The person's links, the newest first.
    pub async fn shares(&self) -> Result<ShareList, RestError> {
        self.get(path::SHARES, &self.pair()).await
    }

    /// Takes a link back, at once.
    pub async fn revoke(&self, share: &str) -> Result<ShareRevoked, RestError> {
        self.send(Method::Delete, &filled(path::SHARE, share), &self.pair(), None::<&()>).await
    }

    /// Deletes all conversations, links and imports of the person, for good.
    pub async fn delete_everything(&self) -> Result<EverythingDeleted, RestError> {
        let request = DeleteEverything {
            confirm: DELETE_EVERYTHING.to_owned(),
            session_id: self.session_id.clone(),
            device_id: self.device_id.clone(),
        };
        self.send(Method::Delete, path::CONVERSATIONS, &[], Some(&request)).await
    }
}

/// Files, which the browser holds: they may be larger than a page's memory.
#[cfg(target_arch = "wasm32")]
mod files {
    use unbroken_protocol::{ConversationId, ImportView, path};
    use web_sys::Blob;

    use super::super::transport::Upload;
    use super::super::{Rest, RestError, filled, query_text, read, refusal};
    use super::ExportFormat;

    impl Rest {
        /// An export, whole, and the name that the server gives it; of all conversations when none
        /// is named.
        pub async fn export(
            &self,
            of: Option<ConversationId>,
            format: ExportFormat,
        ) -> Result<(Blob, Option<String>), RestError> {
            let path = match of {
                Some(id) => filled(path::EXPORT_ONE, id),
                None => path::EXPORT_ALL.to_owned(),
            };
            let mut query = self.pair();
            query.push(("format", format.as_str().to_owned()));
            let url = format!("{}{path}{}", self.base, query_text(&query));
            self.transport.file(&url).await?.map_err(refusal)
        }

        /// Sends a file to be imported; `sent` is told how many of its bytes are on their way.
        pub async fn import(
            &self,
            upload: &Upload,
            file: &Blob,
            sent: impl Fn(f64) + 'static,
        ) -> Result<ImportView, RestError> {
            let url = format!("{}{}{}", self.base, path::IMPORTS, query_text(&self.pair()));
            read(upload.send(&url, file, sent).await?)
        }
    }
}
