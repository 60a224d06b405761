//! The way through a pack's trees of deltas, on all threads.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gix::object::Kind;
use libdeflater::Decompressor;

use super::super::budget;
use super::super::delta::{Delta, Piece};
use super::{Pack, Sieve};

/// So many bytes of versions that others are made of may be held at once; what is made of more is left for later.
const MOST_HELD: usize = 256 << 20;
/// From so many waiting versions on, a thread gives half of them to others.
const MOST_WAITING: usize = 8;
/// Trees of deltas that are one piece of work.
const BATCH: usize = 16;

/// A version that waits for its turn, with its base.
type Waiting<'a> = (u32, Option<Arc<Stood<'a>>>);

/// A version that others are made of.
struct Stood<'a> {
    data: Vec<u8>,
    /// Nothing in it was caught.
    clear: bool,
    /// Of a tree: where its entries end.
    ends: Vec<u32>,
    held: &'a AtomicUsize,
}

impl Stood<'_> {
    fn size(&self) -> usize {
        self.data.len() + size_of_val(self.ends.as_slice())
    }
}

impl Drop for Stood<'_> {
    fn drop(&mut self) {
        self.held.fetch_sub(self.size(), Ordering::Relaxed);
    }
}

/// A way through trees of deltas.
pub(super) struct Walk<'a, S, T> {
    pack: &'a Pack,
    /// Without one, everything is read.
    sieve: Option<&'a S>,
    tell: &'a T,
    held: AtomicUsize,
    /// What others are made of and could not be held: for later.
    left: Mutex<Vec<(u32, Kind)>>,
}

/// What a thread uses again and again.
pub(super) struct Tools {
    pub inflater: Decompressor,
    pub inflated: Vec<u8>,
    pub pieces: Vec<Piece>,
    part: Vec<u8>,
}

thread_local! {
    pub(super) static TOOLS: RefCell<Tools> = RefCell::new(Tools {
        inflater: Decompressor::new(),
        inflated: Vec::new(),
        pieces: Vec::new(),
        part: Vec::new(),
    });
}

impl<'a, S: Sieve, T: Fn(u32, Kind, usize, Option<&[u8]>) + Sync> Walk<'a, S, T> {
    /// One that has not begun; without a sieve, everything is read.
    pub(super) fn new(pack: &'a Pack, sieve: Option<&'a S>, tell: &'a T) -> Self {
        Self { pack, sieve, tell, held: AtomicUsize::new(0), left: Mutex::default() }
    }

    /// Goes through trees of deltas from these entries, and then through what could not be held at once.
    pub(super) fn all(&self, roots: &[(u32, Kind)]) {
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
                let is_tree = kind == Kind::Tree && self.sieve.is_some();
                let ends = |data: &[u8]| if is_tree { self.pack.ends(data) } else { Vec::new() };
                let stood = self.pack.rebuilt(place).map(|data| {
                    let ends = ends(&data);
                    Arc::new(self.stood(data, false, ends))
                });
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
            let is_base = !children.is_empty();
            let found = if kind == Kind::Tree && self.sieve.is_some() {
                self.tree(place, base.as_deref(), is_base)
            } else {
                self.look(place, kind, base.as_deref(), is_base)
            };
            let stood = match found {
                Some(stood) if self.held.load(Ordering::Relaxed) <= MOST_HELD || waiting.is_empty() => {
                    Some(Arc::new(stood))
                }
                Some(_) => {
                    self.left.lock().unwrap_or_else(PoisonError::into_inner).push((place, kind));
                    continue;
                }
                None => continue,
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
        let _share = self.pack.share(place, base.map_or(0, |base| base.data.len()));
        let is_intact = self.pack.is_intact(place);
        TOOLS.with_borrow_mut(|Tools { inflater, inflated: buffer, pieces, part }| {
            let inflated = self.pack.inflate(place, inflater, buffer)?;
            let data = match base {
                None if inflated.len() as u64 > budget::LARGE => {
                    let size = inflated.len();
                    let mut data = std::mem::take(buffer);
                    data.truncate(size);
                    data
                }
                None => inflated.to_vec(),
                Some(base) => {
                    let delta = Delta::of(&base.data, inflated, pieces).ok()?;
                    // What others are made of has to be put together all the same.
                    let whole = if is_base { Some(delta.whole()?) } else { None };
                    if let Some(sieve) = self.sieve
                        && base.clear
                        && is_intact
                        && brings_nothing(sieve, &delta, whole.as_deref(), part)
                    {
                        (self.tell)(place, kind, delta.length(), None);
                        return whole.map(|data| self.stood(data, true, Vec::new()));
                    }
                    whole.or_else(|| delta.whole())?
                }
            };
            if !is_intact && !self.pack.is_named_after(place, kind, &data) {
                return None;
            }
            let head = &data[..data.len().min(S::HEAD)];
            let is_clear = |sieve: &S| !sieve.catches_head(head) && !sieve.catches(&data);
            let clear = kind == Kind::Blob && self.sieve.is_some_and(is_clear);
            (self.tell)(place, kind, data.len(), (!clear).then_some(&data));
            budget::trim(buffer);
            is_base.then(|| self.stood(data, clear, Vec::new()))
        })
    }

    /// Reads a tree and tells of the entries that its base does not hold.
    fn tree<'s>(&'s self, place: u32, base: Option<&Stood<'_>>, is_base: bool) -> Option<Stood<'s>> {
        let is_intact = self.pack.is_intact(place);
        TOOLS.with_borrow_mut(|Tools { inflater, inflated, pieces, part }| {
            let inflated = self.pack.inflate(place, inflater, inflated)?;
            part.clear();
            let (data, ends) = match base {
                None => {
                    part.extend_from_slice(inflated);
                    (inflated.to_vec(), self.pack.ends(inflated))
                }
                Some(base) => {
                    let delta = Delta::of(&base.data, inflated, pieces).ok()?;
                    let data = delta.whole()?;
                    let end = |at: usize| Some(at + self.pack.entry_length(&data[at..])?);
                    let (new, ends) = delta.new_records(&base.ends, end);
                    for entry in new {
                        part.extend_from_slice(&data[entry]);
                    }
                    (data, ends)
                }
            };
            if !is_intact && !self.pack.is_named_after(place, Kind::Tree, &data) {
                return None;
            }
            (self.tell)(place, Kind::Tree, data.len(), Some(part));
            is_base.then(|| self.stood(data, false, ends))
        })
    }

    fn stood(&self, data: Vec<u8>, clear: bool, ends: Vec<u32>) -> Stood<'_> {
        let stood = Stood { data, clear, ends, held: &self.held };
        self.held.fetch_add(stood.size(), Ordering::Relaxed);
        stood
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
