//! Named sets of a person's files and of addresses.

use unbroken_protocol::{CollectionId, FileId, PrincipalId};

use super::{Memory, Transaction};
use crate::{Collected, Collection, CollectionChange};

impl Memory {
    pub(crate) fn collections(&self, principal: PrincipalId) -> Vec<Collection> {
        let state = self.state();
        let own = state.collections.values().filter(|(owner, _)| *owner == principal);
        own.map(|(_, collection)| collection.clone()).collect()
    }

    pub(crate) fn collection(
        &self,
        principal: PrincipalId,
        id: CollectionId,
    ) -> Option<Collection> {
        let state = self.state();
        let found = state.collections.get(&id).filter(|(owner, _)| *owner == principal);
        found.map(|(_, collection)| collection.clone())
    }
}

impl Transaction<'_> {
    pub(crate) fn put_collection(
        &mut self,
        principal: PrincipalId,
        new: &Collection,
        most: u32,
    ) -> bool {
        let collections = &mut self.state().collections;
        let has_room =
            collections.values().filter(|(owner, _)| *owner == principal).count() < most as usize;
        if has_room {
            collections.insert(new.collection_id, (principal, new.clone()));
        }
        has_room
    }

    pub(crate) fn change_collection(
        &mut self,
        principal: PrincipalId,
        id: CollectionId,
        change: &CollectionChange,
    ) -> bool {
        let Some(found) = self.own_collection(principal, id) else { return false };
        if let Some(name) = &change.name {
            found.name.clone_from(name);
        }
        if let Some(urls) = &change.urls {
            found.urls.clone_from(urls);
        }
        true
    }

    pub(crate) fn delete_collection(&mut self, principal: PrincipalId, id: CollectionId) -> bool {
        let is_own = self.own_collection(principal, id).is_some();
        is_own && self.state().collections.remove(&id).is_some()
    }

    pub(crate) fn collect(
        &mut self,
        principal: PrincipalId,
        id: CollectionId,
        file: FileId,
        most: u32,
    ) -> Collected {
        let found = self.state.files.get(&file);
        let is_own = found.is_some_and(|found| found.principal_id == principal);
        let found = self.own_collection(principal, id).filter(|_| is_own);
        let Some(collection) = found else { return Collected::NotFound };
        let others = collection.files.iter().filter(|other| **other != file).count();
        if others >= most as usize {
            return Collected::Full;
        }
        if let Err(place) = collection.files.binary_search(&file) {
            collection.files.insert(place, file);
        }
        Collected::Done
    }

    pub(crate) fn uncollect(
        &mut self,
        principal: PrincipalId,
        id: CollectionId,
        file: FileId,
    ) -> bool {
        let Some(found) = self.own_collection(principal, id) else { return false };
        let before = found.files.len();
        found.files.retain(|other| *other != file);
        found.files.len() < before
    }

    fn own_collection(
        &mut self,
        principal: PrincipalId,
        id: CollectionId,
    ) -> Option<&mut Collection> {
        let (owner, found) = self.state().collections.get_mut(&id)?;
        (*owner == principal).then_some(found)
    }
}
