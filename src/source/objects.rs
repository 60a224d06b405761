//! Every object that a repository holds, once: all packs by their delta trees, so that each delta is resolved once,
//! loose objects, and alternates. What cannot be read is named.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use gix::hash::oid;
use gix::object::Kind;
use gix::odb::loose;
use gix::odb::pack::{Bundle, cache, index::traverse};
use rayon::prelude::*;

use crate::model::Skipped;

/// Calls `visit` with every object of the repository that is not `known` yet, on `jobs` threads; returns what could not
/// be read.
pub fn each(
    repository: &gix::Repository,
    jobs: usize,
    known: impl Fn(&oid) -> bool + Sync,
    visit: impl Fn(Kind, &oid, &[u8]) + Sync,
) -> Vec<Skipped> {
    let mut skipped = Vec::new();
    let Holdings { stores, bundles } = Holdings::of(repository, &mut skipped);
    let fresh = |kind: Kind, id: &oid, data: &[u8]| {
        if !known(id) {
            visit(kind, id, data);
        }
    };
    for number in 0..bundles.len() {
        let (earlier, rest) = bundles.split_at(number);
        if rest[0].index.iter().all(|entry| known(&entry.oid)) {
            continue;
        }
        pack(repository, &rest[0], earlier, jobs, &fresh, &mut skipped);
    }
    for store in &stores {
        loose(store, repository.object_hash(), &bundles, &known, &visit, &mut skipped);
    }
    skipped
}

/// The ids of all commits that the repository holds, told by their headers alone.
#[must_use]
pub fn commits(repository: &gix::Repository) -> Vec<gix::ObjectId> {
    // What cannot be opened was named when the objects were read.
    let Holdings { stores, bundles } = Holdings::of(repository, &mut Vec::new());
    let packed = bundles.iter().flat_map(|bundle| bundle.index.iter().map(|entry| entry.oid));
    let loose = stores.iter().flat_map(|store| {
        let ids: Vec<gix::ObjectId> =
            loose::Store::at(store, repository.object_hash()).iter().filter_map(Result::ok).collect();
        ids
    });
    let is_commit = |id: &gix::ObjectId| {
        repository.try_find_header(*id).ok().flatten().is_some_and(|header| header.kind() == Kind::Commit)
    };
    packed.chain(loose).filter(is_commit).collect()
}

/// Where a repository's objects are.
struct Holdings {
    /// Its object folder and those of its alternates.
    stores: Vec<PathBuf>,
    /// All packs, the largest first: what it holds too is then passed over in the others.
    bundles: Vec<Bundle>,
}

impl Holdings {
    fn of(repository: &gix::Repository, skipped: &mut Vec<Skipped>) -> Self {
        let objects = repository.objects.store_ref().path().to_owned();
        let mut stores = vec![objects.clone()];
        match gix::odb::alternate::resolve(objects, repository.current_dir()) {
            Ok(alternates) => stores.extend(alternates),
            Err(error) => {
                skipped.push(Skipped { path: "objects/info/alternates".into(), reason: error.to_string() });
            }
        }
        let mut bundles: Vec<Bundle> = Vec::new();
        for store in &stores {
            for index in indices(store, skipped) {
                match Bundle::at(&index, repository.object_hash()) {
                    Ok(bundle) => bundles.push(bundle),
                    Err(error) => skipped.push(Skipped {
                        path: index.display().to_string(),
                        reason: format!("the pack cannot be opened, so its objects were not read: {error}"),
                    }),
                }
            }
        }
        bundles.sort_by_key(|bundle| std::cmp::Reverse(bundle.index.num_objects()));
        Self { stores, bundles }
    }
}

/// The index files of a store's packs. A pack without one is named: git cannot read it either.
fn indices(store: &Path, skipped: &mut Vec<Skipped>) -> Vec<PathBuf> {
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

fn pack(
    repository: &gix::Repository,
    bundle: &Bundle,
    earlier: &[Bundle],
    jobs: usize,
    visit: &(impl Fn(Kind, &oid, &[u8]) + Sync),
    skipped: &mut Vec<Skipped>,
) {
    let delivered = AtomicU64::new(0);
    let result = traverse_pack(bundle, jobs, |kind, id, data| {
        delivered.fetch_add(1, Ordering::Relaxed);
        if !earlier.iter().any(|other| other.index.lookup(id).is_some()) {
            visit(kind, id, data);
        }
    });
    if result.is_ok() && delivered.into_inner() == u64::from(bundle.index.num_objects()) {
        return;
    }
    salvage(repository, bundle, jobs, visit, skipped);
}

fn traverse_pack(
    bundle: &Bundle,
    jobs: usize,
    visit: impl Fn(Kind, &oid, &[u8]) + Sync,
) -> Result<(), String> {
    let options = traverse::Options {
        traversal: traverse::Algorithm::DeltaTreeLookup,
        thread_limit: Some(jobs),
        alloc_limit_bytes: None,
        // Broken objects are found by counting, and named by `salvage`.
        check: traverse::SafetyCheck::SkipFileAndObjectChecksumVerificationAndNoAbortOnDecodeError,
        make_pack_lookup_cache: || cache::Never,
    };
    let visit = &visit;
    let each = move |kind: Kind,
                     data: &[u8],
                     entry: &gix::odb::pack::index::Entry,
                     _: &dyn gix::Progress|
          -> Result<(), gix::Error> {
        visit(kind, &entry.oid, data);
        Ok(())
    };
    bundle
        .index
        .traverse(&bundle.pack, &mut gix::progress::Discard, &AtomicBool::new(false), each, options)
        .map(|_| ())
        .map_err(|error| error.to_string())
}

/// A damaged pack: what the first pass did not deliver is asked for object by object, and what that does not bring
/// either is named.
fn salvage(
    repository: &gix::Repository,
    bundle: &Bundle,
    jobs: usize,
    visit: &(impl Fn(Kind, &oid, &[u8]) + Sync),
    skipped: &mut Vec<Skipped>,
) {
    let seen: Mutex<HashSet<gix::ObjectId>> = Mutex::default();
    let name = bundle.index.path().display().to_string();
    if let Err(reason) = traverse_pack(bundle, jobs, |_, id, _| {
        seen.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
    }) {
        skipped.push(Skipped { path: name.clone(), reason: format!("the pack is damaged: {reason}") });
    }
    let seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    for entry in bundle.index.iter().filter(|entry| !seen.contains(&entry.oid)) {
        match repository.try_find_object(entry.oid) {
            Ok(Some(object)) => visit(object.kind, &entry.oid, &object.data),
            Ok(None) => skipped.push(unreadable(&entry.oid, &name, "missing")),
            Err(error) => skipped.push(unreadable(&entry.oid, &name, &error.to_string())),
        }
    }
}

fn unreadable(id: &oid, place: &str, reason: &str) -> Skipped {
    Skipped { path: format!("object {id}"), reason: format!("cannot be read from {place}: {reason}") }
}

fn loose(
    store: &Path,
    hash: gix::hash::Kind,
    bundles: &[Bundle],
    known: &(impl Fn(&oid) -> bool + Sync),
    visit: &(impl Fn(Kind, &oid, &[u8]) + Sync),
    skipped: &mut Vec<Skipped>,
) {
    let objects = loose::Store::at(store, hash);
    let mut ids = Vec::new();
    for id in objects.iter() {
        match id {
            Ok(id) if !known(&id) && !bundles.iter().any(|bundle| bundle.index.lookup(id).is_some()) => {
                ids.push(id);
            }
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
            match objects.try_find(id, &mut buffer) {
                Ok(Some(object)) => {
                    visit(object.kind, id, object.data);
                    None
                }
                Ok(None) => Some(unreadable(id, &place, "missing")),
                Err(error) => Some(unreadable(id, &place, &error.to_string())),
            }
        })
        .collect();
    skipped.extend(failed);
}
