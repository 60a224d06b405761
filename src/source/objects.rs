//! Every object that a repository holds, once: all packs by their delta trees, so that each delta is resolved once,
//! loose objects, and alternates. What cannot be read is named.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use gix::hash::oid;
use gix::object::Kind;
use gix::odb::loose;
use rayon::prelude::*;

use super::delta::LONGEST;
use super::pack::{Object, Pack, Sieve};
use super::repository::Error;
use crate::model::Skipped;

/// The objects of a repository.
pub struct Objects {
    hash: gix::hash::Kind,
    pool: rayon::ThreadPool,
    /// Its object folder and those of its alternates.
    stores: Vec<PathBuf>,
    /// All packs, the largest first: what it holds too is then passed over in the others.
    packs: Vec<Pack>,
}

/// As many threads as there are `jobs`, for one repository.
pub fn threads(repository: &gix::Repository, jobs: usize) -> Result<rayon::ThreadPool, Error> {
    rayon::ThreadPoolBuilder::new().num_threads(jobs).build().map_err(|error| Error::Unreadable {
        path: repository.git_dir().display().to_string(),
        reason: error.to_string(),
    })
}

impl Objects {
    /// Opens them, to be read by `jobs` threads. What cannot be opened is named.
    pub fn of(repository: &gix::Repository, jobs: usize, skipped: &mut Vec<Skipped>) -> Result<Self, Error> {
        let pool = threads(repository, jobs)?;
        let hash = repository.object_hash();
        let stores = stores(repository, skipped);
        let mut packs: Vec<Pack> = Vec::new();
        for store in &stores {
            for index in indices(store, skipped) {
                match Pack::at(&index, hash) {
                    Ok(pack) => packs.push(pack),
                    Err(error) => skipped.push(Skipped {
                        path: index.display().to_string(),
                        reason: format!("the pack cannot be opened, so its objects were not read: {error}"),
                    }),
                }
            }
        }
        packs.sort_by_key(|pack| std::cmp::Reverse(pack.index().num_objects()));
        Ok(Self { hash, pool, stores, packs })
    }

    /// Calls `visit` with every object that is not `known` yet; returns what could not be read. Blobs in which the sieve
    /// catches nothing come without their bytes, and so do trees.
    pub fn each(
        &self,
        sieve: &impl Sieve,
        known: impl Fn(&oid) -> bool + Sync,
        visit: impl Fn(Object<'_>) + Sync,
    ) -> Vec<Skipped> {
        let mut skipped = Vec::new();
        // What one pack could not bring may stand in another place too.
        let mut missing: BTreeMap<ObjectId, String> = BTreeMap::new();
        for (number, pack) in self.packs.iter().enumerate() {
            let earlier = &self.packs[..number];
            if pack.index().iter().all(|entry| known(&entry.oid)) {
                continue;
            }
            let found: Mutex<Vec<ObjectId>> = Mutex::default();
            let fresh = |object: Object<'_>| {
                if known(object.id) {
                    return;
                }
                if is_in(earlier, object.id) {
                    if !missing.contains_key(object.id) {
                        return;
                    }
                    found.lock().unwrap_or_else(PoisonError::into_inner).push(object.id.to_owned());
                }
                visit(object);
            };
            let unread = self.pool.install(|| pack.each(sieve, &fresh));
            for id in found.into_inner().unwrap_or_else(PoisonError::into_inner) {
                missing.remove(&id);
            }
            let name = pack.index().path().display().to_string();
            let unread = unread.into_iter().filter(|id| !known(id) && !is_in(earlier, id));
            missing.extend(unread.map(|id| (id, name.clone())));
        }
        for store in &self.stores {
            let is_wanted = |id: &oid| !known(id) && (missing.contains_key(id) || !is_in(&self.packs, id));
            let found = self.pool.install(|| self.loose(store, &is_wanted, &visit, &mut skipped));
            for id in found {
                missing.remove(&id);
            }
        }
        let reason = "it is damaged, or what it is a delta of is, or it is longer than 1 GiB";
        skipped.extend(missing.iter().map(|(id, name)| unreadable(id, name, reason)));
        skipped
    }

    /// Calls `visit` with the bytes of every object of a kind in the packs that can be read, on all threads.
    pub fn packed(&self, kind: Kind, visit: impl Fn(&oid, &[u8]) + Sync) {
        self.install(|| self.packs.iter().for_each(|pack| pack.of_kind(kind, &visit)));
    }

    /// Does something on the threads of this scan.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.install(work)
    }

    /// The ids of all commits, told by their headers alone.
    #[must_use]
    pub fn commits(&self, repository: &gix::Repository) -> Vec<ObjectId> {
        let packed = self.packs.iter().flat_map(|pack| pack.index().iter().map(|entry| entry.oid));
        let loose = self.stores.iter().flat_map(|store| {
            let ids: Vec<ObjectId> =
                loose::Store::at(store, self.hash).iter().filter_map(Result::ok).collect();
            ids
        });
        let is_commit = |id: &ObjectId| {
            repository.try_find_header(*id).ok().flatten().is_some_and(|header| header.kind() == Kind::Commit)
        };
        packed.chain(loose).filter(is_commit).collect()
    }
    /// Reads the loose objects of a store that are wanted; returns which there are.
    fn loose(
        &self,
        store: &Path,
        is_wanted: &(impl Fn(&oid) -> bool + Sync),
        visit: &(impl Fn(Object<'_>) + Sync),
        skipped: &mut Vec<Skipped>,
    ) -> Vec<ObjectId> {
        let objects = loose::Store::at(store, self.hash);
        let mut ids = Vec::new();
        for id in objects.iter() {
            match id {
                Ok(id) if is_wanted(&id) => ids.push(id),
                Ok(_) => {}
                Err(error) => {
                    skipped.push(Skipped { path: store.display().to_string(), reason: error.to_string() });
                }
            }
        }
        let place = store.display().to_string();
        let failed: Vec<Skipped> = ids
            .par_iter()
            .filter_map(|id| {
                let mut buffer = Vec::new();
                let object = match objects.try_header(id) {
                    Ok(Some((length, _))) if length > LONGEST => {
                        Err(format!("its {length} bytes are more than 1 GiB"))
                    }
                    Ok(_) => objects.try_find(id, &mut buffer).map_err(|error| error.to_string()),
                    Err(error) => Err(error.to_string()),
                };
                match object {
                    Ok(Some(object)) => {
                        visit(Object::whole(object.kind, id, object.data));
                        None
                    }
                    Ok(None) => Some(unreadable(id, &place, "missing")),
                    Err(reason) => Some(unreadable(id, &place, &reason)),
                }
            })
            .collect();
        skipped.extend(failed);
        ids
    }
}

fn is_in(packs: &[Pack], id: &oid) -> bool {
    packs.iter().any(|pack| pack.index().lookup(id).is_some())
}

/// The index files of a store's packs. A pack without one is named: git cannot read it either.
/// A repository's object folder and those of its alternates.
pub fn stores(repository: &gix::Repository, skipped: &mut Vec<Skipped>) -> Vec<PathBuf> {
    let objects = repository.objects.store_ref().path().to_owned();
    let mut stores = vec![objects.clone()];
    match gix::odb::alternate::resolve(objects, repository.current_dir()) {
        Ok(alternates) => stores.extend(alternates),
        Err(error) => {
            skipped.push(Skipped { path: "objects/info/alternates".into(), reason: error.to_string() });
        }
    }
    stores
}

/// The indices of the packs of an object folder.
pub fn indices(store: &Path, skipped: &mut Vec<Skipped>) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(store.join("pack")) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("idx") => found.push(path),
            Some("pack") if !path.with_extension("idx").exists() => skipped.push(Skipped {
                path: path.display().to_string(),
                reason: "a pack without an index; `git index-pack` makes one".into(),
            }),
            Some("promisor") => skipped.push(Skipped {
                path: path.display().to_string(),
                reason: "a partial clone: objects that were not fetched are not here; `git fetch --refetch --no-filter` brings them".into(),
            }),
            _ => {}
        }
    }
    found.sort();
    found
}

fn unreadable(id: &oid, place: &str, reason: &str) -> Skipped {
    Skipped { path: format!("object {id}"), reason: format!("cannot be read from {place}: {reason}") }
}
