//! Counting what a source knows of, and what became of each. Whatever is known of has to be said to be read, skipped or opaque;
//! what is let go of before that (by an early return, by `?`, by a panic) is named as skipped by itself.
//!
//! ```compile_fail
//! use sidsweep::model::{Tally, Unit};
//! let tally = Tally::default();
//! let known = tally.know(Unit::Files, "a.env");
//! // A source cannot end as long as something that it knows of is open.
//! let coverage = tally.end();
//! known.read();
//! ```

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::coverage::{Coverage, NotRead, Opaque, Unit};

/// Why something was skipped of which nobody said more.
pub const NOT_TO_ITS_END: &str = "it was not read to its end";

/// The tally of one source. All threads share it: what is read is a number, and only what is not read is named.
#[derive(Debug, Default)]
pub struct Tally {
    known: [AtomicU64; Unit::ALL.len()],
    read: [AtomicU64; Unit::ALL.len()],
    unread: Mutex<Named>,
}

#[derive(Debug, Default)]
struct Named {
    skipped: Vec<NotRead>,
    opaque: Vec<Opaque>,
}

/// Something that a source knows of and that is still to be read, or as many things as are left of one kind.
#[derive(Debug)]
#[must_use = "what is known of is read, skipped or opaque"]
pub struct Known<'t, N: Display> {
    tally: &'t Tally,
    unit: Unit,
    name: N,
    left: u64,
}

/// A name that is put together only where it is needed.
pub fn named(what: &str, id: impl Display) -> impl Display {
    std::fmt::from_fn(move |f| write!(f, "{what} {id}"))
}

impl Tally {
    /// Something is known of. Its name is put into words only if it is not read.
    pub fn know<N: Display>(&self, unit: Unit, name: N) -> Known<'_, N> {
        self.know_many(unit, name, 1)
    }

    /// So many things are known of, which have one name together.
    pub fn know_many<N: Display>(&self, unit: Unit, name: N, count: u64) -> Known<'_, N> {
        self.known[unit as usize].fetch_add(count, Ordering::Relaxed);
        Known { tally: self, unit, name, left: count }
    }

    /// Something is known of, and it cannot be read.
    pub fn skip(&self, unit: Unit, name: impl Display, reason: impl Display) {
        self.know(unit, name).skip(reason);
    }

    /// Whether all that is known of so far was read, or is still open.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let unread = self.unread();
        unread.skipped.is_empty() && unread.opaque.is_empty()
    }

    /// The first thing that was skipped.
    #[must_use]
    pub fn first_skipped(&self) -> Option<NotRead> {
        self.unread().skipped.first().cloned()
    }

    /// Adds what a part of this source came to.
    pub fn add(&self, part: &Coverage) {
        for (unit, count) in part.counts() {
            self.known[unit as usize].fetch_add(count.known, Ordering::Relaxed);
            self.read[unit as usize].fetch_add(count.read, Ordering::Relaxed);
        }
        let mut unread = self.unread();
        unread.skipped.extend_from_slice(part.skipped());
        unread.opaque.extend_from_slice(part.opaque());
    }

    /// Adds what a smaller tally has, which costs next to nothing where all was read.
    pub fn absorb(&self, part: Self) {
        let pairs = self.known.iter().zip(&part.known).chain(self.read.iter().zip(&part.read));
        for (all, part) in pairs {
            let part = part.load(Ordering::Relaxed);
            if part > 0 {
                all.fetch_add(part, Ordering::Relaxed);
            }
        }
        let Named { skipped, opaque } = part.unread.into_inner().unwrap_or_else(PoisonError::into_inner);
        if !(skipped.is_empty() && opaque.is_empty()) {
            let mut unread = self.unread();
            unread.skipped.extend(skipped);
            unread.opaque.extend(opaque);
        }
    }

    /// Ends the source. What was named twice counts once.
    #[must_use]
    pub fn end(self) -> Coverage {
        let Named { mut skipped, mut opaque } =
            self.unread.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut known: BTreeMap<Unit, u64> = BTreeMap::new();
        let mut read: BTreeMap<Unit, u64> = BTreeMap::new();
        for unit in Unit::ALL {
            known.insert(unit, self.known[unit as usize].load(Ordering::Relaxed));
            read.insert(unit, self.read[unit as usize].load(Ordering::Relaxed));
        }
        let unread = |unit: Unit, skipped: &[NotRead], opaque: &[Opaque]| -> u64 {
            let skipped = skipped.iter().filter(|unread| unread.unit == unit).map(|unread| unread.count);
            skipped.sum::<u64>() + opaque.iter().filter(|container| container.unit == unit).count() as u64
        };
        for unit in Unit::ALL {
            debug_assert_eq!(known[&unit], read[&unit] + unread(unit, &skipped, &opaque), "{unit:?}");
        }
        skipped.sort();
        skipped.dedup();
        opaque.sort();
        opaque.dedup();
        Coverage::of(read, skipped, opaque)
    }

    fn unread(&self) -> MutexGuard<'_, Named> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<N: Display> Known<'_, N> {
    /// Its name.
    pub fn name(&self) -> &N {
        &self.name
    }

    /// It was read to its end; of many all that are left.
    pub fn read(mut self) {
        let left = self.left;
        self.read_some(left);
    }

    /// So many of them were read.
    pub fn read_some(&mut self, count: u64) {
        let count = count.min(self.left);
        self.left -= count;
        self.tally.read[self.unit as usize].fetch_add(count, Ordering::Relaxed);
    }

    /// It cannot be read; of many none that are left.
    pub fn skip(mut self, reason: impl Display) {
        self.skip_left(&reason);
    }

    /// One of them cannot be read.
    pub fn skip_one(&mut self, name: impl Display, reason: impl Display) {
        if self.left > 0 {
            self.left -= 1;
            self.push(name.to_string(), &reason, 1);
        }
    }

    /// One of many is counted by itself from here on.
    pub fn hand_over(&mut self) {
        if self.left > 0 {
            self.left -= 1;
            self.tally.known[self.unit as usize].fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// It is a known container, which is not opened.
    pub fn opaque(mut self, container: impl Display) {
        if self.left > 0 {
            self.left -= 1;
            let (path, container) = (self.name.to_string(), container.to_string());
            self.tally.unread().opaque.push(Opaque { path, container, unit: self.unit });
        }
    }

    fn skip_left(&mut self, reason: &dyn Display) {
        let count = std::mem::take(&mut self.left);
        if count > 0 {
            self.push(self.name.to_string(), reason, count);
        }
    }

    fn push(&self, path: String, reason: &dyn Display, count: u64) {
        let unread = NotRead { path, reason: reason.to_string(), unit: self.unit, count };
        self.tally.unread().skipped.push(unread);
    }
}

impl<N: Display> Drop for Known<'_, N> {
    fn drop(&mut self) {
        self.skip_left(&NOT_TO_ITS_END);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Acceptance;

    fn early(tally: &Tally) -> Result<(), std::num::ParseIntError> {
        let known = tally.know(Unit::Files, "early");
        "no number".parse::<u8>()?;
        known.read();
        Ok(())
    }

    #[test]
    fn what_is_let_go_of_is_skipped() {
        let tally = Tally::default();
        tally.know(Unit::Files, "read").read();
        tally.know(Unit::Files, "damaged").skip("it is damaged");
        tally.know(Unit::Files, "box").opaque("a box");
        assert!(early(&tally).is_err());
        let mut many = tally.know_many(Unit::Objects, "pack", 10);
        many.read_some(6);
        many.skip_one("object 7", "it is lost");
        drop(many);
        let coverage = tally.end();
        assert!(coverage.is_balanced() && !coverage.is_complete());
        let named: Vec<(&str, &str, u64)> = coverage
            .skipped()
            .iter()
            .map(|unread| (unread.path.as_str(), unread.reason.as_str(), unread.count))
            .collect();
        assert_eq!(
            named,
            [
                ("damaged", "it is damaged", 1),
                ("early", NOT_TO_ITS_END, 1),
                ("object 7", "it is lost", 1),
                ("pack", NOT_TO_ITS_END, 3)
            ]
        );
        let counts: Vec<_> =
            coverage.counts().map(|(unit, c)| (unit, c.known, c.read, c.skipped, c.opaque)).collect();
        assert_eq!(counts, [(Unit::Files, 4, 1, 2, 1), (Unit::Objects, 10, 6, 4, 0)]);
    }

    #[test]
    fn threads_share_a_tally_and_what_is_named_twice_counts_once() {
        let tally = Tally::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 0..100 {
                        let known = tally.know(Unit::Entries, number);
                        if number % 10 == 0 { known.skip("odd") } else { known.read() }
                    }
                });
            }
        });
        let coverage = tally.end();
        let (_, count) = coverage.counts().next().unwrap();
        assert_eq!((count.known, count.read, count.skipped), (370, 360, 10));
    }

    #[test]
    fn what_is_accepted_and_what_is_refused_stays_in_the_balance() {
        let tally = Tally::default();
        tally.know_many(Unit::Objects, "pack", 3).skip("lost");
        tally.know(Unit::Files, "a.7z").opaque("a 7z archive");
        tally.know(Unit::Files, "b.7z").opaque("a 7z archive");
        let mut coverage = tally.end();
        coverage.accept(|path| match path {
            "a.7z" | "pack" => Acceptance::By("me".to_owned()),
            _ => Acceptance::None,
        });
        assert!(coverage.is_complete() && coverage.is_balanced());
        assert_eq!((coverage.opaque().len(), coverage.accepted().len()), (1, 2));
        coverage.refuse_opaque();
        assert!(coverage.is_balanced() && coverage.skipped()[0].path == "b.7z");
        let text = serde_json::to_string(&coverage).unwrap();
        let again: Coverage = serde_json::from_str(&text).unwrap();
        assert_eq!(again.counts().collect::<Vec<_>>(), coverage.counts().collect::<Vec<_>>());
        let old: Coverage = serde_json::from_str(r#"{"skipped":[{"path":"a","reason":"b"}]}"#).unwrap();
        assert!(
            old.is_balanced()
                && old.counts().any(|(unit, count)| unit == Unit::Settings && count.skipped == 1)
        );
    }
}
