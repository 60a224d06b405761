//! Every object of one pack, each entry inflated once. Versions of a file are a tree of deltas: where a [`Sieve`] catches
//! nothing in a version, only what the next one's delta brings is asked about, so searching costs what was written and not
//! what each version repeats. Trees of files are told of by the entries that they bring.

pub mod entry;
mod forest;
mod walk;

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use gix::ObjectId;
use gix::hash::oid;
use gix::object::Kind;
use gix::odb::pack::{Bundle, index};
use libdeflater::Decompressor;

use super::budget::{self, Budget};
use super::delta::Delta;
use super::entries;
use forest::Forest;
use walk::{TOOLS, Tools, Walk};

/// Asked which blobs have to be looked at.
pub trait Sieve: Sync {
    /// How many bytes of what stands around new bytes belong to them.
    const REACH: usize;
    /// The same where [`Sieve::goes_on`] says so.
    const FAR_REACH: usize;
    /// How much of a blob [`Sieve::catches_head`] is shown.
    const HEAD: usize;
    /// Whether a blob with this in it has to be looked at.
    fn catches(&self, part: &[u8]) -> bool;
    /// Whether a part has to be seen with more of what stands around it.
    fn goes_on(&self, part: &[u8]) -> bool;
    /// Whether a blob that begins like this has to be looked at.
    fn catches_head(&self, head: &[u8]) -> bool;
}

/// An object as it is told of.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: &'a oid,
    /// Its length in bytes.
    pub length: u64,
    /// Its bytes: of commits and tags always, of blobs if the sieve caught them. Of trees the entries that the tree which it is a
    /// delta against does not hold.
    pub data: Option<&'a [u8]>,
}

impl<'a> Object<'a> {
    /// An object that was read.
    #[must_use]
    pub fn whole(kind: Kind, id: &'a oid, data: &'a [u8]) -> Self {
        Self { kind, id, length: data.len() as u64, data: Some(data) }
    }
}

/// What came of going through a pack.
pub struct Gone {
    /// How many objects were told of.
    pub told: u64,
    /// The ids of those that cannot be read.
    pub unread: Vec<ObjectId>,
}

/// A pack.
pub struct Pack {
    bundle: Bundle,
    forest: OnceLock<Forest>,
}

impl Pack {
    /// The pack of an index.
    pub fn at(index: &Path, hash: gix::hash::Kind) -> Result<Self, String> {
        let bundle = Bundle::at(index, hash).map_err(|error| error.to_string())?;
        Ok(Self { bundle, forest: OnceLock::new() })
    }

    /// Its index.
    #[must_use]
    pub fn index(&self) -> &index::File {
        &self.bundle.index
    }

    /// Calls `visit` with every object, on the threads of the pool that it is called in. Those that cannot be read are damaged, or
    /// made of what is, or longer than [`LONGEST`].
    pub fn each(&self, sieve: &impl Sieve, visit: &(impl Fn(Object<'_>) + Sync)) -> Gone {
        let forest = self.forest();
        let told: Vec<AtomicBool> = forest.entries.iter().map(|_| AtomicBool::new(false)).collect();
        let tell = |place: u32, kind: Kind, length: usize, data: Option<&[u8]>| {
            told[place as usize].store(true, Ordering::Relaxed);
            visit(Object { kind, id: self.id(place), length: length as u64, data });
        };
        Walk::new(self, Some(sieve), &tell).all(&forest.roots());
        let unread: Vec<ObjectId> = (0..)
            .zip(&told)
            .filter(|(_, told)| !told.load(Ordering::Relaxed))
            .map(|(place, _)| self.id(place).to_owned())
            .collect();
        Gone { told: (told.len() - unread.len()) as u64, unread }
    }

    /// Calls `visit` with the bytes of every object of a kind that can be read.
    pub fn of_kind(&self, wanted: Kind, visit: &(impl Fn(&oid, &[u8]) + Sync)) {
        let tell = |place: u32, _: Kind, _: usize, data: Option<&[u8]>| {
            visit(self.id(place), data.unwrap_or_default());
        };
        let mut roots = self.forest().roots();
        roots.retain(|&(_, kind)| kind == wanted);
        Walk::new(self, None::<&NoSieve>, &tell).all(&roots);
    }

    fn forest(&self) -> &Forest {
        self.forest.get_or_init(|| Forest::of(&self.bundle))
    }

    fn id(&self, place: u32) -> &oid {
        self.index().oid_at_index(self.forest().entries[place as usize].number)
    }

    /// An entry's bytes, from a place in it on.
    fn bytes(&self, place: u32, from: u64) -> Option<&[u8]> {
        let end = self.forest().end(place).unwrap_or(self.bundle.pack.pack_end() as u64);
        self.bundle.pack.entry_slice(from..end.max(from))
    }

    /// What an entry inflates to, in a buffer.
    fn inflate<'b>(
        &self,
        place: u32,
        inflater: &mut Decompressor,
        buffer: &'b mut Vec<u8>,
    ) -> Option<&'b [u8]> {
        let entry = &self.forest().entries[place as usize];
        entry::inflate(self.bytes(place, entry.data_offset)?, entry.size, inflater, buffer)
    }

    /// A share of the memory that large objects may take, where an entry and what it is made of are large.
    fn share(&self, place: u32, base: usize) -> Option<budget::Share<'static>> {
        let size = self.forest().entries[place as usize].size.saturating_add(base as u64);
        Budget::of_process().share(size.min(super::delta::LONGEST))
    }

    /// Where the entries of a tree end.
    fn ends(&self, tree: &[u8]) -> Vec<u32> {
        let mut end = 0;
        let next = |entry: entries::Entry<'_>| {
            end += entry.bytes.len() as u32;
            end
        };
        entries::of(tree, self.index().object_hash()).map(next).collect()
    }

    /// How long the first of some entries of a tree is.
    fn entry_length(&self, entries: &[u8]) -> Option<usize> {
        entries::of(entries, self.index().object_hash()).next().map(|entry| entry.bytes.len())
    }

    /// One version, from the start of its chain of deltas.
    fn rebuilt(&self, place: u32) -> Option<Vec<u8>> {
        let mut chain = vec![place];
        while let Some(base) = self.forest().base(*chain.last()?) {
            chain.push(base);
        }
        TOOLS.with_borrow_mut(|Tools { inflater, inflated, pieces, .. }| {
            let mut data = self.inflate(chain.pop()?, inflater, inflated)?.to_vec();
            while let Some(place) = chain.pop() {
                let delta = self.inflate(place, inflater, inflated)?;
                data = Delta::of(&data, delta, pieces).ok()?.whole()?;
            }
            Some(data)
        })
    }

    /// Whether an entry's bytes are those that the index was made of; indices of old have no sums. A header is covered by this alone:
    /// the sum of what is deflated says nothing of kind, size and base.
    fn is_intact(&self, place: u32) -> bool {
        let entry = &self.forest().entries[place as usize];
        let sum = self.index().crc32_at_index(entry.number);
        sum.is_some_and(|sum| {
            self.bytes(place, entry.offset).is_some_and(|bytes| libdeflater::crc32(bytes) == sum)
        })
    }

    /// Whether an entry's name was made of these bytes.
    fn is_named_after(&self, place: u32, kind: Kind, data: &[u8]) -> bool {
        gix::objs::compute_hash(self.index().object_hash(), kind, data).is_ok_and(|id| id == self.id(place))
    }
}

/// Catches everything.
struct NoSieve;

impl Sieve for NoSieve {
    const REACH: usize = 0;
    const FAR_REACH: usize = 0;
    const HEAD: usize = 0;

    fn catches(&self, _: &[u8]) -> bool {
        true
    }

    fn goes_on(&self, _: &[u8]) -> bool {
        false
    }

    fn catches_head(&self, _: &[u8]) -> bool {
        true
    }
}
