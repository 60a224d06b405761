//! Every object of one pack, each entry inflated once. Versions of a file are a tree of deltas: where a [`Sieve`] catches
//! nothing in a version, only what the next one's delta brings is asked about, so searching costs what was written and not
//! what each version repeats. Trees of files are told of and not read.

pub mod entry;
mod forest;

use std::cell::RefCell;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use gix::ObjectId;
use gix::hash::oid;
use gix::object::Kind;
use gix::odb::pack::{Bundle, index};
use libdeflater::Decompressor;

use super::delta::{Delta, Piece};
use forest::Forest;

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
    /// Its length in bytes; of trees that are deltas, the delta's.
    pub length: u64,
    /// Its bytes: of commits and tags always, of blobs if the sieve caught them, of trees never.
    pub data: Option<&'a [u8]>,
}

impl<'a> Object<'a> {
    /// An object that was read.
    #[must_use]
    pub fn whole(kind: Kind, id: &'a oid, data: &'a [u8]) -> Self {
        Self { kind, id, length: data.len() as u64, data: Some(data) }
    }
}

/// So many bytes of versions that others are made of may be held at once; what is made of more is left for later.
const MOST_HELD: usize = 256 << 20;
/// From so many waiting versions on, a thread gives half of them to others.
const MOST_WAITING: usize = 8;
/// Trees of deltas that are one piece of work.
const BATCH: usize = 16;

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

    /// Calls `visit` with every object, on the threads of the pool that it is called in. Returns the ids of those that cannot
    /// be read: they are damaged, or made of what is, or longer than [`LONGEST`].
    pub fn each(&self, sieve: &impl Sieve, visit: &(impl Fn(Object<'_>) + Sync)) -> Vec<ObjectId> {
        let forest = self.forest();
        let told: Vec<AtomicBool> = forest.entries.iter().map(|_| AtomicBool::new(false)).collect();
        let tell = |place: u32, kind: Kind, length: usize, data: Option<&[u8]>| {
            told[place as usize].store(true, Ordering::Relaxed);
            visit(Object { kind, id: self.id(place), length: length as u64, data });
        };
        Walk::new(self, Some(sieve), &tell).all(&forest.roots());
        (0..)
            .zip(&told)
            .filter(|(_, told)| !told.load(Ordering::Relaxed))
            .map(|(place, _)| self.id(place).to_owned())
            .collect()
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

    /// Whether an entry's bytes are those that the index was made of. Indices of old have no sums; there it is inflated.
    fn is_intact(&self, place: u32) -> bool {
        let entry = &self.forest().entries[place as usize];
        match self.index().crc32_at_index(entry.number) {
            Some(sum) => {
                self.bytes(place, entry.offset).is_some_and(|bytes| libdeflater::crc32(bytes) == sum)
            }
            None => TOOLS.with_borrow_mut(|Tools { inflater, inflated, .. }| {
                self.inflate(place, inflater, inflated).is_some()
            }),
        }
    }
}

/// A version that waits for its turn, with its base.
type Waiting<'a> = (u32, Option<Arc<Stood<'a>>>);

/// A version that others are made of.
struct Stood<'a> {
    data: Vec<u8>,
    /// Nothing in it was caught.
    clear: bool,
    held: &'a AtomicUsize,
}

impl Drop for Stood<'_> {
    fn drop(&mut self) {
        self.held.fetch_sub(self.data.len(), Ordering::Relaxed);
    }
}

struct Walk<'a, S, T> {
    pack: &'a Pack,
    /// Without one, everything is read.
    sieve: Option<&'a S>,
    tell: &'a T,
    held: AtomicUsize,
    /// What others are made of and could not be held: for later.
    left: Mutex<Vec<(u32, Kind)>>,
}

/// What a thread uses again and again.
struct Tools {
    inflater: Decompressor,
    inflated: Vec<u8>,
    pieces: Vec<Piece>,
    part: Vec<u8>,
}

thread_local! {
    static TOOLS: RefCell<Tools> = RefCell::new(Tools {
        inflater: Decompressor::new(),
        inflated: Vec::new(),
        pieces: Vec::new(),
        part: Vec::new(),
    });
}

impl<'a, S: Sieve, T: Fn(u32, Kind, usize, Option<&[u8]>) + Sync> Walk<'a, S, T> {
    fn new(pack: &'a Pack, sieve: Option<&'a S>, tell: &'a T) -> Self {
        Self { pack, sieve, tell, held: AtomicUsize::new(0), left: Mutex::default() }
    }

    /// Goes through trees of deltas from these entries, and then through what could not be held at once.
    fn all(&self, roots: &[(u32, Kind)]) {
        rayon::scope(|scope| {
            for batch in roots.chunks(BATCH) {
                scope.spawn(move |scope| {
                    for &(place, kind) in batch {
                        self.below(scope, kind, vec![(place, None)]);
                    }
                });
            }
        });
        loop {
            let left = std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
            if left.is_empty() {
                break;
            }
            for (place, kind) in left {
                let stood = self.pack.rebuilt(place).map(|data| Arc::new(self.stood(data, false)));
                let children = self.pack.forest().children(place).iter();
                let waiting = children.map(|&child| (child, stood.clone())).collect();
                if stood.is_some() {
                    rayon::scope(|scope| self.below(scope, kind, waiting));
                }
            }
        }
    }

    /// Goes through a tree of deltas, down to its last versions.
    fn below<'s>(&'s self, scope: &rayon::Scope<'s>, kind: Kind, mut waiting: Vec<Waiting<'s>>) {
        while let Some((place, base)) = waiting.pop() {
            let children = self.pack.forest().children(place);
            let stood = if kind == Kind::Tree && self.sieve.is_some() {
                if !self.pack.is_intact(place) {
                    continue;
                }
                (self.tell)(place, kind, self.pack.forest().entries[place as usize].size as usize, None);
                None
            } else {
                match self.look(place, kind, base.as_deref(), !children.is_empty()) {
                    Some(stood) if self.held.load(Ordering::Relaxed) <= MOST_HELD || waiting.is_empty() => {
                        Some(Arc::new(stood))
                    }
                    Some(_) => {
                        self.left.lock().unwrap_or_else(PoisonError::into_inner).push((place, kind));
                        continue;
                    }
                    None => continue,
                }
            };
            waiting.extend(children.iter().map(|&child| (child, stood.clone())));
            if waiting.len() > MOST_WAITING {
                let others = waiting.split_off(waiting.len() / 2);
                scope.spawn(move |scope| self.below(scope, kind, others));
            }
        }
    }

    /// Looks at a version and tells of it, if it can be read. It is returned if others are made of it.
    fn look<'s>(
        &'s self,
        place: u32,
        kind: Kind,
        base: Option<&Stood<'_>>,
        is_base: bool,
    ) -> Option<Stood<'s>> {
        TOOLS.with_borrow_mut(|Tools { inflater, inflated, pieces, part }| {
            let inflated = self.pack.inflate(place, inflater, inflated)?;
            let data = match base {
                None => inflated.to_vec(),
                Some(base) => {
                    let delta = Delta::of(&base.data, inflated, pieces).ok()?;
                    // What others are made of has to be put together all the same.
                    let whole = if is_base { Some(delta.whole()?) } else { None };
                    if let Some(sieve) = self.sieve
                        && base.clear
                        && brings_nothing(sieve, &delta, whole.as_deref(), part)
                    {
                        (self.tell)(place, kind, delta.length(), None);
                        return whole.map(|data| self.stood(data, true));
                    }
                    whole.or_else(|| delta.whole())?
                }
            };
            let head = &data[..data.len().min(S::HEAD)];
            let is_clear = |sieve: &S| !sieve.catches_head(head) && !sieve.catches(&data);
            let clear = kind == Kind::Blob && self.sieve.is_some_and(is_clear);
            (self.tell)(place, kind, data.len(), (!clear).then_some(&data));
            is_base.then(|| self.stood(data, clear))
        })
    }

    fn stood(&self, data: Vec<u8>, clear: bool) -> Stood<'_> {
        self.held.fetch_add(data.len(), Ordering::Relaxed);
        Stood { data, clear, held: &self.held }
    }
}

/// Whether what a delta makes of a clear blob is clear too. `whole` is what it makes, if that is put together already.
fn brings_nothing<S: Sieve>(
    sieve: &S,
    delta: &Delta<'_>,
    whole: Option<&[u8]>,
    buffer: &mut Vec<u8>,
) -> bool {
    let length = delta.length();
    let head = 0..length.min(S::HEAD);
    if !delta.keeps_head(S::HEAD) && sieve.catches_head(shown(delta, whole, head, buffer)) {
        return false;
    }
    let further = S::FAR_REACH - S::REACH;
    !delta.any_new(S::REACH, |span| {
        let wider = span.start.saturating_sub(further)..(span.end + further).min(length);
        let part = shown(delta, whole, span, buffer);
        sieve.catches(part) || (sieve.goes_on(part) && sieve.catches(shown(delta, whole, wider, buffer)))
    })
}

/// A part of what a delta makes.
fn shown<'b>(
    delta: &Delta<'_>,
    whole: Option<&'b [u8]>,
    part: Range<usize>,
    buffer: &'b mut Vec<u8>,
) -> &'b [u8] {
    if let Some(data) = whole {
        return &data[part];
    }
    buffer.clear();
    delta.read(part, buffer);
    buffer
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
