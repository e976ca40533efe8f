//! A table: rows by their key, in the order in which they were stored.

/// Few rows, so that looking through them is fine.
#[derive(Clone)]
pub(super) struct Rows<K, V>(Vec<(K, V)>);

impl<K, V> Default for Rows<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: PartialEq, V> Rows<K, V> {
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.iter().find(|(found, _)| *found == key).map(|(_, row)| row)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.iter_mut().find(|(found, _)| found == key).map(|(_, row)| row)
    }

    pub(super) fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// A new row, behind all others. Its key is not there yet.
    pub(super) fn insert(&mut self, key: K, row: V) {
        assert!(!self.contains_key(&key), "a row is stored once");
        self.0.push((key, row));
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.0.retain(|(found, _)| found != key);
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&K, &V) -> bool) {
        self.0.retain(|(key, row)| keep(key, row));
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, row)| (key, row))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, row)| (&*key, row))
    }

    pub(super) fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.0.iter().map(|(_, row)| row)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, row)| row)
    }
}
