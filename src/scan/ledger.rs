//! What was judged of a repository, so that no object is judged twice.

use std::collections::BTreeSet;

use gix::ObjectId;
use gix::hash::oid;
use siphasher::sip::SipHasher24;

/// How much is kept of an object, in bytes.
const PREFIX: usize = 8;

/// The secret of a database, by which ids become what a ledger keeps of them. Two objects whose ids begin alike can be made in minutes;
/// without the secret nobody can make a leak look like a text that was judged before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 16]);

impl Key {
    /// The key that these bytes are.
    #[must_use]
    pub fn of(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    fn hash(self, id: &oid) -> u64 {
        SipHasher24::new_with_key(&self.0).hash(id.as_bytes())
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// The objects that were read, and those with hits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    key: Key,
    /// Keyed hashes of the ids of all objects that were read, in order. That an unread object agrees with one of ten million by
    /// chance has odds of one in 10^12.
    seen: Vec<u64>,
    /// Those of them that were read since it was made.
    fresh: Vec<u64>,
    /// The objects with hits of any confidence.
    hits: BTreeSet<ObjectId>,
}

impl Ledger {
    /// A ledger in which nothing was entered.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self { key, seen: Vec::new(), fresh: Vec::new(), hits: BTreeSet::new() }
    }

    /// Makes one of what [`Ledger::fresh`] gave, of all scans one after the other, and [`Ledger::hits`] of the last.
    #[must_use]
    pub fn of<'a>(key: Key, seen: &[u8], hits: impl Iterator<Item = &'a str>) -> Self {
        let mut seen: Vec<u64> =
            seen.as_chunks::<PREFIX>().0.iter().map(|id| u64::from_be_bytes(*id)).collect();
        seen.sort_unstable();
        let hits = hits.filter_map(|id| ObjectId::from_hex(id.as_bytes()).ok()).collect();
        Self { seen, hits, ..Self::new(key) }
    }

    /// The objects that were read since it was made, eight bytes each.
    #[must_use]
    pub fn fresh(&self) -> Vec<u8> {
        self.fresh.iter().flat_map(|hash| hash.to_be_bytes()).collect()
    }

    /// The ids of the objects with hits, in hex.
    pub fn hits(&self) -> impl Iterator<Item = String> {
        self.hits.iter().map(ToString::to_string)
    }

    /// Nothing was read yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    pub(super) fn knows(&self, id: &oid) -> bool {
        !self.seen.is_empty() && self.seen.binary_search(&self.key.hash(id)).is_ok()
    }

    /// The objects with hits. Some may not be here any more.
    #[must_use]
    pub fn with_hits(&self) -> &BTreeSet<ObjectId> {
        &self.hits
    }

    /// Adds what a scan read; `hits` are the objects with hits that it found, old and new. Objects with hits that are not here now
    /// are `gone`: they are kept, since another machine may have them.
    pub(super) fn enter(&mut self, fresh: &[ObjectId], mut hits: BTreeSet<ObjectId>, gone: &[ObjectId]) {
        let fresh: Vec<u64> = fresh.iter().map(|id| self.key.hash(id)).collect();
        self.seen.extend(&fresh);
        self.seen.sort_unstable();
        self.fresh.extend(fresh);
        hits.extend(gone);
        self.hits = hits;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_begin_alike_are_told_apart_and_each_database_keeps_something_else_of_them() {
        let id = |last: u8| {
            let mut bytes = [7; 20];
            bytes[19] = last;
            ObjectId::from_bytes_or_panic(&bytes)
        };
        let ledger = |key: u8| {
            let mut ledger = Ledger::new(Key::of([key; 16]));
            ledger.enter(&[id(1)], BTreeSet::new(), &[]);
            ledger
        };
        let (one, other) = (ledger(1), ledger(2));
        assert!(one.knows(&id(1)) && !one.knows(&id(2)));
        assert_ne!(one.fresh(), other.fresh());
        let stored = Ledger::of(Key::of([1; 16]), &one.fresh(), std::iter::empty());
        assert!(stored.knows(&id(1)) && !stored.knows(&id(2)));
        assert!(!Ledger::of(Key::of([2; 16]), &one.fresh(), std::iter::empty()).knows(&id(1)));
    }
}
