//! How many places of one object are looked at. Thirteen objects can stand for ten thousand million paths, since a folder may name one
//! and the same folder many times: each object is read, and of its paths a number that no real repository reaches.

use gix::ObjectId;
use gix::hashtable::HashMap;

use super::holdings::MOST_WAYS;
use crate::model::{Tally, Unit};

/// Of one object so many places are looked at, as many as there are commits in a part of a range: one that each of them brings to
/// the same place is never cut short.
pub const MOST_PLACES: u32 = 4_096;
/// At so many bytes an object's further places are left alone, once it was looked at in [`ALWAYS`].
const MOST_BYTES: u64 = 1 << 30;
/// So many places are looked at however large the object is.
const ALWAYS: u32 = 16;

/// The places of objects that were come to so far.
#[derive(Default)]
pub struct Places {
    counts: HashMap<ObjectId, u32>,
    bounded: HashMap<ObjectId, u64>,
    /// A folder of a tree stands in more places of it than were entered.
    is_cut: bool,
}

impl Places {
    /// Whether one more place of an object of this many bytes is looked at.
    fn allow(&mut self, id: ObjectId, size: impl FnOnce() -> u64) -> bool {
        let count = self.counts.entry(id).or_default();
        let is_allowed =
            *count < ALWAYS || *count < MOST_PLACES && u64::from(*count).saturating_mul(size()) < MOST_BYTES;
        if is_allowed {
            *count += 1;
        } else {
            *self.bounded.entry(id).or_default() += 1;
        }
        is_allowed
    }

    /// Whether one more place of a blob is looked at.
    pub fn allow_blob(&mut self, repository: &gix::Repository, id: ObjectId) -> bool {
        self.allow(id, || repository.find_header(id).map_or(0, |header| header.size()))
    }

    /// The same by number alone: of what is not read anew at each place.
    pub fn allow_place(&mut self, id: ObjectId) -> bool {
        self.allow(id, || 0)
    }

    /// Notes that a folder stands in more places of one tree than are entered.
    pub fn cut(&mut self, is_cut: bool) {
        self.is_cut |= is_cut;
    }

    /// Names the objects that have more places than were looked at.
    pub fn name(self, tally: &Tally) {
        if self.is_cut {
            tally.skip(
                Unit::Objects,
                "(more places)",
                format_args!(
                    "a folder stands in more than {MOST_WAYS} places of one commit; it was read, and looked at in {MOST_WAYS} of them"
                ),
            );
        }
        let mut bounded: Vec<(ObjectId, u64)> = self.bounded.into_iter().collect();
        bounded.sort_unstable();
        for (id, more) in bounded {
            let looked = self.counts.get(&id).copied().unwrap_or_default();
            tally.skip(
                Unit::Objects,
                format_args!("(more places of object {id})"),
                format_args!(
                    "it stands at {more} or more further paths; it was read, and looked at by {looked} of its paths, no more"
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_by_number_and_by_bytes_and_the_bound_is_named() {
        let mut places = Places::default();
        let id = |byte| ObjectId::from_bytes_or_panic(&[byte; 20]);
        let allowed = |places: &mut Places, id, size| {
            u32::try_from((0..2 * MOST_PLACES).filter(|_| places.allow(id, || size)).count()).unwrap()
        };
        assert_eq!(allowed(&mut places, id(1), 10), MOST_PLACES);
        assert_eq!(allowed(&mut places, id(2), 2 << 30), ALWAYS);
        assert_eq!(allowed(&mut places, id(3), 1 << 25), 32);
        assert!(places.allow_place(id(4)));
        let tally = Tally::default();
        places.name(&tally);
        assert_eq!(tally.end().skipped().len(), 3);
    }
}
