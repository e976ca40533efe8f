//! All files and collections of the person: listed, put together, deleted.

use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_client::RestError;
use unbroken_protocol::{CollectionId, FileId, MessageSource};

use crate::calls::ask;
use crate::state::{self, App};
use crate::{dom, files, words};

impl App {
    /// Asks for all files and collections; from then on notices tell what changes.
    pub(crate) fn load_library(self) {
        let (Some(rest), known) = (self.rest(), self.known_files()) else { return };
        spawn_local(async move {
            let list = ask(async || rest.files().await).await;
            let collections = ask(async || rest.collections().await).await;
            match (list, collections) {
                (Ok(list), Ok(all)) => {
                    known.library.update(|library| {
                        (library.files, library.quota) = (list.files, list.quota);
                        library.collections = all.collections;
                    });
                    known.is_listed.set(true);
                }
                (Err(error), _) | (_, Err(error)) => self.library_failed(error),
            }
        });
    }

    /// How much room the files take of what there is, once that is known.
    pub(crate) fn files_used(self) -> Option<String> {
        let library = self.known_files().library.read();
        (library.quota > 0).then(|| {
            words::files_used(&words::file_size(library.used()), &words::file_size(library.quota))
        })
    }

    fn library_failed(self, error: RestError) {
        self.known_files().problem.set(Some(state::sentence(&error)));
        self.checked::<()>(Err(error));
    }

    /// Makes a call that changes something; `then` hears that it worked.
    fn change_library<T>(
        self,
        call: impl Future<Output = Result<T, RestError>> + 'static,
        then: impl FnOnce(T) + 'static,
    ) {
        self.known_files().problem.set(None);
        spawn_local(async move {
            match call.await {
                Ok(answer) => then(answer),
                Err(error) => self.library_failed(error),
            }
        });
    }

    /// Deletes files for good.
    pub(crate) fn delete_files(self, ids: Vec<FileId>) {
        let Some(rest) = self.rest() else { return };
        let delete = async move {
            for id in ids {
                match rest.delete_file(id).await {
                    // Another tab may have been faster.
                    Err(error) if !files::is_gone(&error) => return Err(error),
                    _ => self.forget_file(id),
                }
            }
            Ok(())
        };
        self.change_library(delete, |()| ());
    }

    /// Puts files and addresses of pages together under a name.
    pub(crate) fn collect(self, name: String, ids: Vec<FileId>, urls: Vec<String>) {
        let Some(rest) = self.rest() else { return };
        let make = async move {
            let mut made = rest.make_collection(&name, urls).await?;
            for id in ids {
                made = rest.collect(made.collection_id, id).await?;
            }
            Ok(made)
        };
        let library = self.known_files().library.clone();
        self.change_library(make, move |made| {
            library.update(|library| library.collection(made.collection_id, Some(made)));
        });
    }

    pub(crate) fn rename_collection(self, id: CollectionId, name: String) {
        let Some(rest) = self.rest() else { return };
        let library = self.known_files().library.clone();
        let rename = async move { rest.rename_collection(id, &name).await };
        self.change_library(rename, move |now| {
            library.update(|library| library.collection(id, Some(now)));
        });
    }

    /// Deletes a collection; its files stay.
    pub(crate) fn delete_collection(self, id: CollectionId) {
        let Some(rest) = self.rest() else { return };
        let library = self.known_files().library.clone();
        let delete = async move { rest.delete_collection(id).await };
        self.change_library(delete, move |()| {
            library.update(|library| library.collection(id, None));
            self.forget_attached(&id.to_string());
        });
    }

    /// These go along with the message that is being written.
    pub(crate) fn add_to_message(self, sources: Vec<MessageSource>) {
        let Some(draft) = untrack(|| self.attaches_to()) else { return };
        self.files.open.set(false);
        self.settings_open.set(false);
        self.bring_attached(&draft, sources);
        request_animation_frame(|| dom::focus("message"));
    }
}
