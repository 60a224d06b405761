//! Objects that are read one by one, such as the versions of a path. A version is made of its neighbour by a delta, so the
//! last few are kept, with those that they were made by way of, and reading the next one takes its delta alone.

use std::collections::hash_map::{Entry, HashMap};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use gix::hash::oid;
use gix::odb::pack::{Bundle, data};
use libdeflater::Decompressor;

use super::delta::{Delta, Piece};
use super::objects;
use super::pack::entry;
use super::repository::find_intact;
use crate::model::Tally;

/// As many versions as long as the newest are kept: git looks for a version's base among the ten objects before it, and goes on
/// with a good one for longer.
const LAST: usize = 16;
/// Of a longer chain one version in so many is a landmark: others branch off there, long after.
const LANDMARKS: usize = 8;
/// So many times a landmark is not let go when its turn has come.
const LIVES: u8 = 8;
/// But no less than this and no more, in bytes. Touching memory for the first time takes about as long as inflating as much, so
/// there is little room to begin with, and twice as much each time that so much was inflated again which had been let go.
const LEAST_KEPT: usize = 1 << 18;
const MOST_ROOM: usize = 8 << 20;
const MOST_KEPT: usize = 32 << 20;
/// So many places of what was let go are remembered.
const MOST_LET_GO: usize = 1 << 16;
/// Longer ones, in bytes, are left to git's library: what a header says has to be believed before it can be tried.
const LONGEST: u64 = 64 << 20;
/// A chain of deltas is no longer, and does not lead back into itself.
const LONGEST_CHAIN: usize = 10_000;
/// So many buffers are kept for use again.
const MOST_SPARE: usize = 4;

/// The packs of a repository.
pub struct Packs(Vec<Bundle>);

impl Packs {
    /// Opens them. What cannot be opened is left to git's library: it names what it cannot read.
    #[must_use]
    pub fn of(repository: &gix::Repository) -> Self {
        let unnamed = Tally::default();
        let stores = objects::stores(repository, &unnamed);
        let indices = stores.iter().flat_map(|store| objects::indices(store, &unnamed));
        let bundles = indices.filter_map(|index| Bundle::at(index, repository.object_hash()).ok());
        // By an index of another pack one object would be read as another. What is left to the library is looked at by its name.
        Self(bundles.filter(|bundle| bundle.index.pack_checksum() == bundle.pack.checksum()).collect())
    }

    /// None, for one who reads a few objects that have nothing to do with each other.
    #[must_use]
    pub fn none() -> Self {
        Self(Vec::new())
    }
}

/// Where an entry stands: its pack, and its place there in bytes.
type Place = (usize, u64);

/// An object that is kept.
struct Kept {
    data: Arc<Vec<u8>>,
    /// So many times it is still kept when its turn to go has come.
    lives: u8,
}

/// A reader, with a handle on the repository of its own: what a handle keeps of the objects that it read is not shared.
pub struct Versions<'a> {
    repository: gix::Repository,
    packs: &'a [Bundle],
    kept: HashMap<Place, Kept>,
    /// What is kept, the oldest first, and how much it is, in bytes.
    order: VecDeque<Place>,
    size: usize,
    /// So much may be kept whatever its size, in bytes.
    room: usize,
    /// So much was inflated again since the room was last enlarged, in bytes.
    again: usize,
    let_go: HashSet<Place>,
    spare: Vec<Vec<u8>>,
    inflater: Decompressor,
    inflated: Vec<u8>,
    pieces: Vec<Piece>,
}

impl<'a> Versions<'a> {
    /// A reader of a repository's objects.
    #[must_use]
    pub fn of(repository: &gix::Repository, packs: &'a Packs) -> Self {
        let mut handle = repository.clone();
        // What is to be kept is kept here.
        handle.object_cache_size(None);
        Self {
            repository: handle,
            packs: &packs.0,
            kept: HashMap::new(),
            order: VecDeque::new(),
            size: 0,
            room: LEAST_KEPT,
            again: 0,
            let_go: HashSet::new(),
            spare: Vec::new(),
            inflater: Decompressor::new(),
            inflated: Vec::new(),
            pieces: Vec::new(),
        }
    }

    /// The repository.
    #[must_use]
    pub fn repository(&self) -> &gix::Repository {
        &self.repository
    }

    /// An object's bytes; an error in words.
    pub fn read(&mut self, id: &oid) -> Result<Arc<Vec<u8>>, String> {
        for (number, bundle) in self.packs.iter().enumerate() {
            if let Some(entry) = bundle.index.lookup(id)
                && let Some(data) = self.packed((number, bundle.index.pack_offset_at_index(entry)))
            {
                return Ok(data);
            }
        }
        Ok(Arc::new(find_intact(&self.repository, id)?.detach().data))
    }

    /// An object of a pack; nothing where something about it is damaged, or longer than can be held.
    fn packed(&mut self, (pack, offset): Place) -> Option<Arc<Vec<u8>>> {
        let mut chain = Vec::new();
        let mut at = offset;
        let mut data = loop {
            if let Some(kept) = self.kept.get_mut(&(pack, at)) {
                kept.lives = kept.lives.max(1);
                break Arc::clone(&kept.data);
            }
            let header = entry::header(&self.packs[pack], at)?;
            if header.header.as_kind().is_some() {
                let mut data = buffer(&mut self.spare, header.decompressed_size);
                let size = inflate(&self.packs[pack], &header, &mut self.inflater, &mut data)?.len();
                data.truncate(size);
                self.count((pack, at), size);
                break self.keep((pack, at), data, 0);
            }
            let base = entry::base(&self.packs[pack], at, &header.header)?;
            chain.push((at, header));
            at = base;
            if chain.len() > LONGEST_CHAIN {
                return None;
            }
        };
        let is_long = chain.len() > LAST;
        for (left, (at, header)) in chain.into_iter().enumerate().rev() {
            let delta = inflate(&self.packs[pack], &header, &mut self.inflater, &mut self.inflated)?;
            let delta = Delta::of(&data, delta, &mut self.pieces).ok()?;
            if delta.length() as u64 > LONGEST {
                return None;
            }
            let mut version = buffer(&mut self.spare, delta.length() as u64);
            version.clear();
            version.reserve(delta.length());
            delta.read(0..delta.length(), &mut version);
            self.count((pack, at), header.decompressed_size as usize);
            let is_landmark = is_long && left % LANDMARKS == 1;
            data = self.keep((pack, at), version, if is_landmark { LIVES } else { 0 });
        }
        Some(data)
    }

    /// Counts what was inflated again.
    fn count(&mut self, place: Place, size: usize) {
        if self.let_go.remove(&place) {
            self.again += size;
            if self.again >= self.room && self.room < MOST_ROOM {
                (self.room, self.again) = (2 * self.room, 0);
            }
        }
    }

    fn keep(&mut self, place: Place, data: Vec<u8>, lives: u8) -> Arc<Vec<u8>> {
        let most = (LAST * data.capacity()).clamp(self.room, MOST_KEPT);
        let data = Arc::new(data);
        self.size += data.capacity();
        self.kept.insert(place, Kept { data: Arc::clone(&data), lives });
        self.order.push_back(place);
        while self.size > most
            && self.order.len() > 2
            && let Some(oldest) = self.order.pop_front()
            && let Entry::Occupied(mut kept) = self.kept.entry(oldest)
        {
            if let Some(lives) = kept.get().lives.checked_sub(1) {
                kept.get_mut().lives = lives;
                self.order.push_back(oldest);
                continue;
            }
            let data = kept.remove().data;
            self.size -= data.capacity();
            if self.let_go.len() < MOST_LET_GO {
                self.let_go.insert(oldest);
            }
            if let Ok(buffer) = Arc::try_unwrap(data) {
                self.spare.truncate(MOST_SPARE - 1);
                self.spare.insert(0, buffer);
            }
        }
        data
    }
}

/// A buffer that need not grow for so many bytes, since to grow would be to copy what was in it, and that is not far too large
/// either; or else an empty one.
fn buffer(spare: &mut Vec<Vec<u8>>, size: u64) -> Vec<u8> {
    let fits = size..=size.max(1 << 10).saturating_mul(4);
    let fitting = spare.iter().position(|buffer| fits.contains(&(buffer.capacity() as u64)));
    fitting.map(|place| spare.remove(place)).unwrap_or_default()
}

/// What an entry inflates to, in a buffer.
fn inflate<'b>(
    bundle: &Bundle,
    header: &data::Entry,
    inflater: &mut Decompressor,
    buffer: &'b mut Vec<u8>,
) -> Option<&'b [u8]> {
    let size = header.decompressed_size;
    let bytes = entry::from(bundle, header.data_offset).filter(|_| size <= LONGEST)?;
    entry::inflate(bytes, size, inflater, buffer)
}
