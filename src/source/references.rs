//! What objects refer to: a commit's tree and parents, a tag's object, the entries of trees. What is referred to and is not here was
//! not read, whatever a report says of the rest.

use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use gix::hashtable::{HashMap, HashSet};
use gix::object::Kind;
use gix::oid;

use super::entries;
use super::objects::Objects;
use super::pack::Object;
use super::repository::shallow_boundary;

/// References to objects that are not here, noted while all objects are read.
pub struct References<'a> {
    objects: &'a Objects,
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
        Self { objects, hash, boundary, missing: Mutex::default() }
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
        if !self.objects.hold(to) {
            let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
            missing.entry(to.to_owned()).or_insert_with(|| from.to_owned());
        }
    }

    /// What is missing, each with one of the objects that refer to it.
    #[must_use]
    pub fn missing(self) -> HashMap<ObjectId, ObjectId> {
        self.missing.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
