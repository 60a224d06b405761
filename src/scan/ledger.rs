//! What was judged of a repository, so that no object is judged twice.

use std::collections::BTreeSet;

use gix::ObjectId;
use gix::hash::oid;

/// How much of an id is kept, in bytes.
const PREFIX: usize = 8;

/// The objects that were read, and those with hits.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// The first eight bytes of the ids of all objects that were read, in order. Two objects of one repository that agree
    /// in them would have to be sought on purpose, by 2^64 tries.
    seen: Vec<u64>,
    /// Those of them that were read since it was made.
    fresh: Vec<u64>,
    /// The objects with hits of any confidence.
    hits: BTreeSet<ObjectId>,
}

impl Ledger {
    /// Makes one of what [`Ledger::fresh`] gave, of all scans one after the other, and [`Ledger::hits`] of the last.
    #[must_use]
    pub fn of<'a>(seen: &[u8], hits: impl Iterator<Item = &'a str>) -> Self {
        let mut seen: Vec<u64> =
            seen.as_chunks::<PREFIX>().0.iter().map(|id| u64::from_be_bytes(*id)).collect();
        seen.sort_unstable();
        Self {
            seen,
            fresh: Vec::new(),
            hits: hits.filter_map(|id| ObjectId::from_hex(id.as_bytes()).ok()).collect(),
        }
    }

    /// The objects that were read since it was made, eight bytes each.
    #[must_use]
    pub fn fresh(&self) -> Vec<u8> {
        self.fresh.iter().flat_map(|prefix| prefix.to_be_bytes()).collect()
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
        !self.seen.is_empty() && self.seen.binary_search(&prefix(id)).is_ok()
    }

    pub(super) fn with_hits(&self) -> &BTreeSet<ObjectId> {
        &self.hits
    }

    /// Adds what a scan read; `hits` are all objects with hits, old and new.
    pub(super) fn enter(&mut self, fresh: &[ObjectId], hits: BTreeSet<ObjectId>) {
        let fresh: Vec<u64> = fresh.iter().map(|id| prefix(id)).collect();
        self.seen.extend(&fresh);
        self.seen.sort_unstable();
        self.fresh.extend(fresh);
        self.hits = hits;
    }
}

fn prefix(id: &oid) -> u64 {
    id.as_bytes().first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}
