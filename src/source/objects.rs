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

use super::budget::Budget;
use super::delta::LONGEST;
use super::layout;
use super::pack::{self, Object, Pack, Sieve};
use super::repository::Error;
use crate::model::{Known, Tally, Unit, named};

/// A folder of objects.
struct Store {
    folder: PathBuf,
    /// The ids of its loose objects, in order.
    loose: Vec<ObjectId>,
}

/// The objects of a repository.
pub struct Objects {
    hash: gix::hash::Kind,
    pool: rayon::ThreadPool,
    /// Its object folder and those of its alternates.
    stores: Vec<Store>,
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
    /// Opens them, to be read by `jobs` threads. What cannot be opened is in the tally.
    pub fn of(repository: &gix::Repository, jobs: usize, tally: &Tally) -> Result<Self, Error> {
        let pool = threads(repository, jobs)?;
        let hash = repository.object_hash();
        let mut stored = Vec::new();
        let mut packs: Vec<Pack> = Vec::new();
        for folder in stores(repository, tally) {
            for index in indices(&folder, tally) {
                match Pack::at(&index, hash) {
                    Ok(pack) => packs.push(pack),
                    Err(error) => tally.skip(
                        Unit::Objects,
                        index.display(),
                        format!("the pack cannot be opened, so its objects were not read: {error}"),
                    ),
                }
            }
            let loose = loose_ids(&folder, hash, tally);
            stored.push(Store { folder, loose });
        }
        packs.sort_by_key(|pack| std::cmp::Reverse(pack.index().num_objects()));
        Ok(Self { hash, pool, stores: stored, packs })
    }

    /// Calls `visit` with every object that is not `known` yet. Blobs in which the sieve catches nothing come without their bytes,
    /// and so do trees. The tally has all entries of the packs that are gone through, and all loose objects that are read.
    pub fn each(
        &self,
        sieve: &impl Sieve,
        known: impl Fn(&oid) -> bool + Sync,
        visit: impl Fn(Object<'_>) + Sync,
        tally: &Tally,
    ) {
        // What one pack could not bring may stand in another place too.
        let mut missing: BTreeMap<ObjectId, (String, Known<'_, String>)> = BTreeMap::new();
        for (number, pack) in self.packs.iter().enumerate() {
            let earlier = &self.packs[..number];
            if pack.index().iter().all(|entry| known(&entry.oid)) {
                continue;
            }
            let name = pack.index().path().display().to_string();
            let mut entries =
                tally.know_many(Unit::Objects, name.clone(), u64::from(pack.index().num_objects()));
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
            let pack::Gone { told, unread } = self.pool.install(|| pack.each(sieve, &fresh));
            entries.read_some(told);
            for id in found.into_inner().unwrap_or_else(PoisonError::into_inner) {
                found_elsewhere(missing.remove(&id));
            }
            for id in unread {
                if known(&id) || is_in(earlier, &id) {
                    entries.read_some(1);
                } else {
                    entries.hand_over();
                    missing.insert(id, (name.clone(), tally.know(Unit::Objects, format!("object {id}"))));
                }
            }
        }
        for store in &self.stores {
            let is_wanted = |id: &oid| !known(id) && (missing.contains_key(id) || !is_in(&self.packs, id));
            let found = self.pool.install(|| self.loose(store, &is_wanted, &visit, tally));
            for id in found {
                found_elsewhere(missing.remove(&id));
            }
        }
        for (name, object) in missing.into_values() {
            object.skip(unreadable(
                &name,
                "it is damaged, or what it is a delta of is, or it is longer than 1 GiB",
            ));
        }
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
        let loose = self.stores.iter().flat_map(|store| store.loose.iter().copied());
        let is_commit = |id: &ObjectId| {
            repository.try_find_header(*id).ok().flatten().is_some_and(|header| header.kind() == Kind::Commit)
        };
        packed.chain(loose).filter(is_commit).collect()
    }

    /// Whether it was cloned in part. What is missing may have been fetched since.
    #[must_use]
    pub fn are_partial(&self) -> bool {
        self.packs.iter().any(|pack| pack.index().path().with_extension("promisor").exists())
    }

    /// Whether an object is here, in a pack or by itself.
    #[must_use]
    pub fn hold(&self, id: &oid) -> bool {
        is_in(&self.packs, id)
            || self.stores.iter().any(|store| store.loose.binary_search_by(|other| (**other).cmp(id)).is_ok())
            || id.is_empty_tree()
            || id.is_empty_blob()
    }

    /// Reads the loose objects of a store that are wanted; returns which there are.
    fn loose(
        &self,
        store: &Store,
        is_wanted: &(impl Fn(&oid) -> bool + Sync),
        visit: &(impl Fn(Object<'_>) + Sync),
        tally: &Tally,
    ) -> Vec<ObjectId> {
        let ids: Vec<ObjectId> = store.loose.iter().filter(|id| is_wanted(id)).copied().collect();
        ids.par_iter().for_each(|id| {
            let object = tally.know(Unit::Objects, named("object", id));
            match self.loose_object(&store.folder, id, visit) {
                Ok(()) => object.read(),
                Err(reason) => object.skip(unreadable(&store.folder.display().to_string(), &reason)),
            }
        });
        ids
    }

    /// Reads a loose object, whose bytes have to be those that its name was made of.
    fn loose_object(&self, store: &Path, id: &oid, visit: &impl Fn(Object<'_>)) -> Result<(), String> {
        let objects = loose::Store::at(store, self.hash);
        let header = objects.try_header(id).map_err(|error| error.to_string())?;
        let length = header.map_or(0, |(length, _)| length);
        if length > LONGEST {
            return Err(format!("its {length} bytes are more than 1 GiB"));
        }
        let _share = Budget::of_process().share(length);
        let mut buffer = Vec::new();
        let object =
            objects.try_find(id, &mut buffer).map_err(|error| error.to_string())?.ok_or("missing")?;
        let named = gix::objs::compute_hash(self.hash, object.kind, object.data);
        if *named.map_err(|error| error.to_string())? != *id {
            return Err("its bytes are not those that its name was made of".into());
        }
        visit(Object::whole(object.kind, id, object.data));
        Ok(())
    }
}

/// The ids of a store's loose objects. What stands among them and is none is named.
fn loose_ids(store: &Path, hash: gix::hash::Kind, tally: &Tally) -> Vec<ObjectId> {
    let (mut ids, mut odd) = (Vec::new(), 0_u64);
    // What pushes brought that were broken off, and objects of the first versions of git.
    for entry in std::fs::read_dir(store).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name();
        if ["tmp_", "incoming-"].iter().any(|start| name.as_encoded_bytes().starts_with(start.as_bytes())) {
            temporary(&entry.path(), tally);
        }
    }
    for number in 0..=255_u8 {
        let first = format!("{number:02x}");
        let Ok(entries) = std::fs::read_dir(store.join(&first)) else { continue };
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            let rest = name.to_string_lossy();
            let id = ObjectId::from_hex(format!("{first}{rest}").as_bytes());
            match id.ok().filter(|id| id.kind() == hash) {
                Some(id) => ids.push(id),
                None if rest.starts_with("tmp_obj") => temporary(&entry.path(), tally),
                None => odd += 1,
            }
        }
    }
    if odd > 0 {
        tally.know_many(Unit::Objects, store.display(), odd).skip(format!(
            "{odd} files are named as no object of this repository's format ({hash}), and were not read"
        ));
    }
    ids.sort_unstable();
    ids
}

/// Names what git was writing: it was left over, or is being written just now, and git itself does not read it.
fn temporary(path: &Path, tally: &Tally) {
    tally
        .know(Unit::Objects, path.display())
        .opaque("a temporary file of git's, with objects that git does not read either");
}

fn is_in(packs: &[Pack], id: &oid) -> bool {
    packs.iter().any(|pack| pack.index().lookup(id).is_some())
}

/// A repository's object folder and those of its alternates.
pub fn stores(repository: &gix::Repository, tally: &Tally) -> Vec<PathBuf> {
    layout::stores(repository.objects.store_ref().path().to_owned(), tally)
}

/// The indices of the packs of an object folder. A pack without one is named: git cannot read it either.
pub fn indices(store: &Path, tally: &Tally) -> Vec<PathBuf> {
    let entries = match std::fs::read_dir(store.join("pack")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            tally.skip(Unit::Objects, store.join("pack").display(), format!("packs were not read: {error}"));
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        let skip = |reason: &str| tally.skip(Unit::Objects, path.display(), reason);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if name.starts_with("tmp_") => temporary(&path, tally),
            Some("idx") if path.with_extension("pack").exists() => found.push(path),
            Some("idx") => skip("the index of a pack that is not here: its objects were not read"),
            Some("pack") if !path.with_extension("idx").exists() => {
                skip("a pack without an index; `git index-pack` makes one");
            }
            _ => {}
        }
    }
    found.sort();
    found
}

/// Something that was missing stands in another place too.
fn found_elsewhere(missing: Option<(String, Known<'_, String>)>) {
    if let Some((_, object)) = missing {
        object.read();
    }
}

fn unreadable(place: &str, reason: &str) -> String {
    format!("cannot be read from {place}: {reason}")
}
