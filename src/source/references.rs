//! What objects refer to: a commit's tree and parents, a tag's object, the entries of trees. What is referred to and is not here was
//! not read, whatever a report says of the rest.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use gix::hashtable::{HashMap, HashSet};
use gix::object::Kind;
use gix::oid;

use super::entries;
use super::objects::Objects;
use super::pack::Object;
use super::repository::shallow_boundary;

/// How many of the objects that were found last each thread remembers. One tree after another holds nearly the same entries, and
/// to look into an index takes twenty times as long as to compare two ids.
const REMEMBERED: usize = 1 << 14;

thread_local! {
    /// What was found, by the first bytes of its id, and for which [`References`].
    static FOUND: RefCell<(usize, Vec<ObjectId>)> = const { RefCell::new((0, Vec::new())) };
}

/// How many [`References`] there were: what one found says nothing to another, of another repository.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// References to objects that are not here, noted while all objects are read.
pub struct References<'a> {
    objects: &'a Objects,
    /// Which of all it is.
    number: usize,
    hash: gix::hash::Kind,
    /// The commits whose parents a shallow clone leaves out.
    boundary: HashSet,
    /// What is missing, each with one of the objects that refer to it.
    missing: Mutex<HashMap<ObjectId, ObjectId>>,
}

impl<'a> References<'a> {
    /// None yet.
    #[must_use]
    pub fn of(repository: &gix::Repository, objects: &'a Objects) -> Self {
        let (hash, boundary) = (repository.object_hash(), shallow_boundary(repository));
        let number = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
        Self { objects, number, hash, boundary, missing: Mutex::default() }
    }

    /// Notes what an object refers to.
    pub fn note(&self, &Object { kind, id, data, .. }: &Object<'_>) {
        let data = data.unwrap_or_default();
        match kind {
            Kind::Blob => {}
            Kind::Tree => entries::of(data, self.hash)
                .filter(|entry| !entry.is_submodule())
                .for_each(|entry| self.add(id, entry.id)),
            Kind::Tag => {
                if let Ok(target) = gix::objs::TagRefIter::from_bytes(data, self.hash).target_id() {
                    self.add(id, &target);
                }
            }
            Kind::Commit => {
                let commit = || gix::objs::CommitRefIter::from_bytes(data, self.hash);
                if let Ok(tree) = commit().tree_id() {
                    self.add(id, &tree);
                }
                if !self.boundary.contains(id) {
                    commit().parent_ids().for_each(|parent| self.add(id, &parent));
                }
            }
        }
    }

    fn add(&self, from: &oid, to: &oid) {
        if !self.is_here(to) {
            let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
            missing.entry(to.to_owned()).or_insert_with(|| from.to_owned());
        }
    }

    fn is_here(&self, id: &oid) -> bool {
        FOUND.with_borrow_mut(|(number, found)| {
            if *number != self.number {
                *number = self.number;
                found.clear();
                found.resize(REMEMBERED, ObjectId::null(self.hash));
            }
            let place = usize::from(u16::from_le_bytes([id.as_bytes()[0], id.as_bytes()[1]])) % REMEMBERED;
            // Of what was not looked for yet the place is null, and that is no object.
            if found[place] == id && !id.is_null() {
                return true;
            }
            let is_here = self.objects.hold(id);
            if is_here {
                found[place] = id.to_owned();
            }
            is_here
        })
    }

    /// What is missing, each with one of the objects that refer to it.
    #[must_use]
    pub fn missing(self) -> HashMap<ObjectId, ObjectId> {
        self.missing.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
