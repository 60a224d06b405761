//! What the trees of commits hold: for a few blobs of interest, under which paths they stand, each distinct tree read once. A
//! folder that is named many times is held once, so that what is held grows with the objects and not with the paths.

use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use gix::bstr::{BStr, BString, ByteSlice};
use gix::hashtable::{HashMap, HashSet};
use gix::{ObjectId, oid};
use rayon::prelude::*;

use super::entries::{self, Entry};
use super::folders::DEEPEST;
use super::objects::Objects;
use super::repository::find_intact;
use crate::model::{Tally, Unit};

/// What trees that are read beforehand may take, in bytes.
const MOST_FORESEEN: usize = 64 << 20;
/// What each of them takes beside its entries.
const PER_TREE: usize = 48;

/// How deep trees may lie above a blob of interest and still be told from those that lead to none.
const MOST_ROUNDS: usize = 64;

/// What a tree holds of the blobs of interest.
pub type Holdings = Rc<Holding>;

/// The entries of a tree that lead to blobs of interest, by name.
#[derive(Debug, Default)]
pub struct Holding {
    entries: Vec<(BString, Held)>,
}

/// What an entry leads to.
#[derive(Debug)]
enum Held {
    Blob(ObjectId),
    Folder(Holdings),
}

impl Held {
    /// Whether both are the same, with all that is below.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Blob(one), Self::Blob(other)) => one == other,
            (Self::Folder(one), Self::Folder(other)) => Rc::ptr_eq(one, other),
            (Self::Blob(_) | Self::Folder(_), _) => false,
        }
    }
}

impl Holding {
    /// Whether it leads to none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The blob of interest at a path.
    #[must_use]
    pub fn blob_at(&self, path: &BStr) -> Option<ObjectId> {
        let mut folder = self;
        let mut parts = path.split_str("/").peekable();
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            folder =
                match folder.named(part).iter().find(|(_, held)| is_last == matches!(held, Held::Blob(_))) {
                    Some((_, Held::Blob(id))) => return Some(*id),
                    Some((_, Held::Folder(below))) => below,
                    None => return None,
                };
        }
        None
    }

    /// The entries of a name; a damaged tree may have several.
    fn named(&self, name: &[u8]) -> &[(BString, Held)] {
        let from = self.entries.partition_point(|(other, _)| other.as_slice() < name);
        let rest = &self.entries[from..];
        &rest[..rest.partition_point(|(other, _)| other.as_slice() == name)]
    }
}

/// Of the paths by which one folder is come to so many are followed, where paths are of interest.
pub const MOST_WAYS: u32 = 256;
/// Each folder is looked at once, where only the blobs are of interest.
pub const ONE_WAY: u32 = 1;

/// Calls `visit` with each blob of interest and its path, but for those that stand at the same path `before`. Each folder is entered
/// by so many `ways` at most; says whether one has more.
pub fn differing(
    here: &Holdings,
    before: Option<&Holdings>,
    ways: u32,
    visit: impl FnMut(&BString, ObjectId),
) -> bool {
    let mut walk =
        Walk { entered: std::collections::HashMap::new(), ways, path: BString::default(), cut: false, visit };
    walk.folder(here, before);
    walk.cut
}

struct Walk<V> {
    /// How often each folder was entered, by where it is held.
    entered: std::collections::HashMap<*const Holding, u32>,
    ways: u32,
    path: BString,
    /// A folder has more ways.
    cut: bool,
    visit: V,
}

impl<V: FnMut(&BString, ObjectId)> Walk<V> {
    fn folder(&mut self, here: &Holdings, before: Option<&Holdings>) {
        if before.is_some_and(|before| Rc::ptr_eq(before, here)) {
            return;
        }
        let entered = self.entered.entry(Rc::as_ptr(here)).or_default();
        if *entered >= self.ways {
            self.cut = true;
            return;
        }
        *entered += 1;
        let length = self.path.len();
        for (name, held) in &here.entries {
            let old = before.map_or(&[][..], |before| before.named(name));
            if old.iter().any(|(_, old)| old.is(held)) {
                continue;
            }
            if length > 0 {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(name);
            match held {
                Held::Blob(id) => (self.visit)(&self.path, *id),
                Held::Folder(below) => {
                    let old = old.iter().find_map(|(_, old)| match old {
                        Held::Folder(old) => Some(old),
                        Held::Blob(_) => None,
                    });
                    self.folder(below, old);
                }
            }
            self.path.truncate(length);
        }
    }
}

/// Ids that are looked for among many others.
struct Sought {
    ids: HashSet,
    /// The first two bytes of each, a bit for each pair that there is: nearly all other ids are told by them.
    first: Box<[u64; 1024]>,
}

impl Sought {
    fn of(ids: HashSet) -> Self {
        let mut first = Box::new([0; 1024]);
        for id in &ids {
            let (word, bit) = Self::place(id.as_bytes());
            first[word] |= 1 << bit;
        }
        Self { ids, first }
    }

    fn place(id: &[u8]) -> (usize, usize) {
        let pair = usize::from(id[0]) << 8 | usize::from(id[1]);
        (pair >> 6, pair & 63)
    }

    fn holds(&self, id: &oid) -> bool {
        let (word, bit) = Self::place(id.as_bytes());
        self.first[word] >> bit & 1 == 1 && self.ids.contains(id)
    }
}

/// Finds blobs of interest in trees, each distinct tree read once.
pub struct Finder<'a> {
    repository: &'a gix::Repository,
    sought: Sought,
    known: HashMap<ObjectId, Holdings>,
    /// Trees that were read beforehand, without the entries that do not matter.
    foreseen: HashMap<ObjectId, Box<[u8]>>,
    nothing: Holdings,
    /// For trees that cannot be read.
    tally: &'a Tally,
}

impl<'a> Finder<'a> {
    /// A finder of these blobs.
    #[must_use]
    pub fn new(repository: &'a gix::Repository, wanted: HashSet, tally: &'a Tally) -> Self {
        Self {
            repository,
            sought: Sought::of(wanted),
            known: HashMap::default(),
            foreseen: HashMap::default(),
            nothing: Rc::default(),
            tally,
        }
    }

    /// Reads the trees of all packs at once, each delta once and on all cores: far faster than one by one. What does not fit
    /// is read when it is come to.
    pub fn foresee(&mut self, objects: &Objects) {
        let (sought, hash) = (&self.sought, self.repository.object_hash());
        let read: Mutex<HashMap<ObjectId, Box<[u8]>>> = Mutex::default();
        let held = AtomicUsize::new(0);
        objects.packed(gix::object::Kind::Tree, |id, data| {
            let Some(kept) = pruned(data, hash, |entry| entry.is_tree || sought.holds(entry.id)) else {
                return;
            };
            if held.fetch_add(kept.len() + PER_TREE, Ordering::Relaxed) < MOST_FORESEEN {
                read.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), kept);
            }
        });
        let read = read.into_inner().unwrap_or_else(PoisonError::into_inner);
        let leading = objects.install(|| leading(&read, hash));
        for (id, data) in read {
            match &leading {
                Some((leading, _)) if !leading.holds(&id) => {
                    self.known.insert(id, Rc::clone(&self.nothing));
                }
                Some((leading, unread)) => {
                    let leads = |entry: &Entry<'_>| {
                        !entry.is_tree || leading.holds(entry.id) || unread.contains(entry.id)
                    };
                    self.foreseen.insert(id, pruned(&data, hash, leads).unwrap_or(data));
                }
                None => {
                    self.foreseen.insert(id, data);
                }
            }
        }
    }

    /// The blobs of interest below a tree.
    pub fn below(&mut self, tree: ObjectId) -> Holdings {
        self.find(tree, 0)
    }

    fn find(&mut self, tree: ObjectId, depth: usize) -> Holdings {
        if let Some(known) = self.known.get(&tree) {
            return Rc::clone(known);
        }
        let mut found = Vec::new();
        if depth > DEEPEST {
            self.skip(tree, format!("nested more than {DEEPEST} deep"));
        } else if let Some(data) = self.foreseen.remove(&tree) {
            self.look(&data, depth, &mut found);
        } else {
            match find_intact(self.repository, &tree) {
                Ok(object) => self.look(&object.data, depth, &mut found),
                Err(reason) => self.skip(tree, reason),
            }
        }
        let holdings = if found.is_empty() {
            Rc::clone(&self.nothing)
        } else {
            found.sort_by(|(one, _), (other, _)| one.cmp(other));
            Rc::new(Holding { entries: found })
        };
        self.known.insert(tree, Rc::clone(&holdings));
        holdings
    }

    fn skip(&self, tree: ObjectId, reason: impl std::fmt::Display) {
        self.tally.skip(Unit::Objects, format_args!("tree {tree}"), reason);
    }

    fn look(&mut self, data: &[u8], depth: usize, found: &mut Vec<(BString, Held)>) {
        for entry in gix::objs::TreeRefIter::from_bytes(data, self.repository.object_hash()) {
            let Ok(entry) = entry else { break };
            if entry.mode.is_tree() {
                let below = self.find(entry.oid.to_owned(), depth + 1);
                if !below.is_empty() {
                    found.push((BString::from(entry.filename), Held::Folder(below)));
                }
            } else if self.sought.holds(entry.oid) {
                found.push((BString::from(entry.filename), Held::Blob(entry.oid.to_owned())));
            }
        }
    }
}

/// A tree with some of its entries only; nothing if it is damaged.
fn pruned(data: &[u8], hash: gix::hash::Kind, keep: impl Fn(&Entry<'_>) -> bool) -> Option<Box<[u8]>> {
    let (mut kept, mut read) = (Vec::new(), 0);
    for entry in entries::of(data, hash) {
        read += entry.bytes.len();
        if keep(&entry) {
            kept.extend_from_slice(entry.bytes);
        }
    }
    (read == data.len()).then(|| kept.into_boxed_slice())
}

/// The trees that lead to a blob of interest, or to a tree that was not read, and those that were not read; nothing where trees
/// lie deeper than is worth following.
fn leading(read: &HashMap<ObjectId, Box<[u8]>>, hash: gix::hash::Kind) -> Option<(Sought, HashSet)> {
    let mut others: Vec<(&ObjectId, &[u8])> = read.iter().map(|(id, data)| (id, &**data)).collect();
    let trees = |data| entries::of(data, hash).filter(|entry| entry.is_tree);
    let unread: HashSet = others
        .par_iter()
        .flat_map_iter(|&(_, data)| trees(data).map(|entry| entry.id).filter(|&id| !read.contains_key(id)))
        .map(ToOwned::to_owned)
        .collect::<Vec<_>>()
        .into_iter()
        .collect();
    let mut leading = HashSet::default();
    let mut newly = Sought::of(unread.clone());
    for round in 0..MOST_ROUNDS {
        let leads = |&(_, data): &(&ObjectId, &[u8])| {
            entries::of(data, hash)
                .any(|entry| if entry.is_tree { newly.holds(entry.id) } else { round == 0 })
        };
        let (lead, rest): (Vec<_>, Vec<_>) = others.into_par_iter().partition(leads);
        if lead.is_empty() {
            return Some((Sought::of(leading), unread));
        }
        let ids: HashSet = lead.into_iter().map(|(id, _)| *id).collect();
        leading.extend(ids.iter().copied());
        newly = Sought::of(ids);
        others = rest;
    }
    None
}
