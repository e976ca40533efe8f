//! Named sets of a person's files and of addresses of pages, on every tab and device at once (PROTOCOL B5).

use unbroken_protocol::{
    CollectionEvent, CollectionId, CollectionInfo, CollectionList, Event, FileId, PrincipalId,
    limits,
};
use unbroken_store::{Collected, Collection, CollectionChange};

use crate::Engine;
use crate::error::Refusal;
use crate::file_command::FileCommand;

const MISSING: Refusal = Refusal::NotFound("collection");

impl Engine {
    /// All collections of a person, the oldest first.
    pub async fn collections(&self, principal: PrincipalId) -> Result<CollectionList, Refusal> {
        let collections = self.store().collections(principal).await?;
        Ok(CollectionList { collections: collections.into_iter().map(info).collect() })
    }

    /// A collection of this person.
    pub async fn collection(
        &self,
        principal: PrincipalId,
        id: CollectionId,
    ) -> Result<CollectionInfo, Refusal> {
        self.store().collection(principal, id).await?.map(info).ok_or(MISSING)
    }

    /// Makes a collection without files.
    ///
    /// # Errors
    /// `bad_request` for a name that is empty or too long and for an address that is none,
    /// `conflict` when there are too many collections.
    pub async fn make_collection(
        &self,
        principal: PrincipalId,
        name: &str,
        urls: Vec<String>,
    ) -> Result<CollectionInfo, Refusal> {
        let made = Collection {
            collection_id: self.clock().id(CollectionId::from_bytes),
            name: checked_name(name)?,
            created_at: self.clock().now(),
            files: Vec::new(),
            urls: self.checked_urls(urls)?,
        };
        let engine = self.clone();
        self.carry_out_while_storing(async move {
            let (id, new) = (made.collection_id, Box::new(made.clone()));
            if !engine
                .command(|reply| FileCommand::PutCollection(principal, new, reply).into())
                .await?
            {
                return Err(Refusal::Conflict(
                    "You have 200 collections, and more are not kept. Delete one.",
                ));
            }
            engine.tell_collection(principal, id).await;
            Ok(info(made))
        })
        .await
    }

    /// Gives a collection another name or other addresses.
    ///
    /// # Errors
    /// As of [`Self::make_collection`].
    pub async fn change_collection(
        &self,
        principal: PrincipalId,
        id: CollectionId,
        change: CollectionChange,
    ) -> Result<CollectionInfo, Refusal> {
        let change = CollectionChange {
            name: change.name.map(|name| checked_name(&name)).transpose()?,
            urls: change.urls.map(|urls| self.checked_urls(urls)).transpose()?,
        };
        let engine = self.clone();
        self.carry_out_while_storing(async move {
            let change = |reply| FileCommand::ChangeCollection(principal, id, change, reply).into();
            if !engine.command(change).await? {
                return Err(MISSING);
            }
            engine.tell_collection(principal, id).await;
            engine.collection(principal, id).await
        })
        .await
    }

    /// Deletes a collection; its files stay.
    pub async fn delete_collection(
        &self,
        principal: PrincipalId,
        id: CollectionId,
    ) -> Result<(), Refusal> {
        let engine = self.clone();
        self.carry_out_while_storing(async move {
            let delete = |reply| FileCommand::DeleteCollection(principal, id, reply).into();
            if !engine.command(delete).await? {
                return Err(MISSING);
            }
            engine.inner.at_work.settled.send_replace(());
            engine.tell_collection(principal, id).await;
            Ok(())
        })
        .await
    }

    /// Puts a file into a collection.
    ///
    /// # Errors
    /// `conflict` when it holds as many as it may.
    pub async fn collect(
        &self,
        principal: PrincipalId,
        id: CollectionId,
        file: FileId,
    ) -> Result<CollectionInfo, Refusal> {
        let engine = self.clone();
        self.carry_out_while_storing(async move {
            let collect = |reply| FileCommand::Collect(principal, id, file, reply).into();
            match engine.command(collect).await? {
                Collected::NotFound => return Err(Refusal::NotFound("collection or file")),
                Collected::Full => {
                    return Err(Refusal::Conflict(
                        "This collection holds 500 files, and no more fit in. Make another one.",
                    ));
                }
                Collected::Done => {}
            }
            engine.tell_collection(principal, id).await;
            engine.collection(principal, id).await
        })
        .await
    }

    /// Takes a file out of a collection.
    pub async fn uncollect(
        &self,
        principal: PrincipalId,
        id: CollectionId,
        file: FileId,
    ) -> Result<CollectionInfo, Refusal> {
        let engine = self.clone();
        self.carry_out_while_storing(async move {
            let take_out = |reply| FileCommand::Uncollect(principal, id, file, reply).into();
            if !engine.command(take_out).await? {
                return Err(Refusal::NotFound("file in this collection"));
            }
            engine.inner.at_work.settled.send_replace(());
            engine.tell_collection(principal, id).await;
            engine.collection(principal, id).await
        })
        .await
    }

    /// Each address once, in their order.
    fn checked_urls(&self, urls: Vec<String>) -> Result<Vec<String>, Refusal> {
        let most = limits::COLLECTION_URLS;
        if urls.len() > most {
            let sentence = format!("A collection holds at most {most} addresses. Leave some out.");
            return Err(Refusal::BadRequest(sentence));
        }
        let mut checked = Vec::with_capacity(urls.len());
        for url in urls {
            self.check_url(&url)?;
            if !checked.contains(&url) {
                checked.push(url);
            }
        }
        Ok(checked)
    }

    async fn tell_collection(&self, principal: PrincipalId, id: CollectionId) {
        self.tell(principal, async {
            let collection = self.store().collection(principal, id).await.ok()?.map(info);
            let event = CollectionEvent { collection_id: id, collection };
            Some(Event::Collection(Box::new(event)))
        })
        .await;
    }
}

fn info(collection: Collection) -> CollectionInfo {
    CollectionInfo {
        collection_id: collection.collection_id,
        name: collection.name,
        created_at: collection.created_at,
        file_ids: collection.files,
        urls: collection.urls,
    }
}

/// White space counts once.
fn checked_name(name: &str) -> Result<String, Refusal> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let longest = limits::COLLECTION_NAME_CHARS;
    if name.is_empty() || name.chars().count() > longest {
        let sentence = format!("A collection's name has 1 to {longest} characters.");
        return Err(Refusal::BadRequest(sentence));
    }
    Ok(name)
}
