//! What some commits add, path by path: the versions of a path are made of each other, so that read one after another each costs
//! no more than what it brought.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};
use gix::odb::find::Header;

use super::Found;
use super::doubtful::Doubtful;
use super::gather::Origin;
use super::history::{COMMIT_MESSAGE, message};
use super::look::{self, Looked};
use super::scanner::Scanner;
use super::workers::Workers;
use crate::detect::Detector;
use crate::model::{Skipped, Tally, Unit, named};
use crate::source::commits::{self, Node};
use crate::source::folders::{Change, Folder, Folders, News};
use crate::source::places::Places;
use crate::source::repository::Error;
use crate::source::versions::Versions;

/// So many commits are looked at together at most: what changed in them is held in memory.
const TOGETHER: usize = 4_096;
/// So many commits are one piece of work, where each is looked at for itself.
const BATCH: usize = 64;

/// Something of a commit, which is told by its place.
type Of<T> = (usize, T);

/// Commits, parents before children.
#[derive(Clone, Copy)]
pub struct Between<'a> {
    /// What finds.
    pub detector: &'a Detector,
    /// The commits.
    pub nodes: &'a [Node],
    /// The trees of those that nothing follows.
    pub tip_trees: &'a [ObjectId],
    /// For what is read and what is not.
    pub tally: &'a Tally,
}

impl Between<'_> {
    /// Scans them all; with the submodules that they move.
    pub fn scan(self, mut workers: Workers<'_>) -> Result<(Found, Vec<Change>), Error> {
        let (mut scanned, mut moved) = (Found::default(), Vec::new());
        let doubtful = Mutex::default();
        for from in (0..self.nodes.len()).step_by(TOGETHER) {
            let to = self.nodes.len().min(from + TOGETHER);
            let changed = self.changed(&mut workers, from..to, &mut moved)?;
            let paths = workers.by_path(changed, |(_, change)| &change.path);
            let found = workers.each(&paths, |blobs, versions| self.versions(blobs, versions, &doubtful))?;
            let said = workers.each(&batches(from..to), |commits, batch| {
                batch.iter().filter_map(|&order| self.message(commits, order)).collect::<Vec<_>>()
            })?;
            for part in found {
                scanned.append(part);
            }
            for (looked, origin) in said.into_iter().flatten() {
                scanned.add_looked(looked, &origin);
            }
        }
        scanned.doubtful.append(doubtful.into_inner().unwrap_or_else(PoisonError::into_inner));
        let mut described = HashMap::new();
        let places = scanned.texts.iter_mut().chain(scanned.doubtful.places_mut());
        for origin in places.map(|text| &mut text.origin) {
            let commit = described.entry(origin.order);
            let describe = || commits::describe(workers.repository(), self.nodes[origin.order].id);
            origin.commit.clone_from(commit.or_insert_with(describe));
        }
        scanned.stats.commits = self.nodes.len() as u64;
        Ok((scanned, moved))
    }

    /// What is new in the trees of some commits, each with the place of its commit: folder by folder, from the top down.
    /// The submodules that were moved are told apart.
    fn changed(
        &self,
        workers: &mut Workers<'_>,
        commits: Range<usize>,
        moved: &mut Vec<Change>,
    ) -> Result<Vec<Of<Change>>, Error> {
        let tops = workers.each(&batches(commits), |trees, batch| {
            batch.iter().map(|&order| (order, self.top(trees.repository(), order))).collect::<Vec<_>>()
        })?;
        let mut folders: Vec<Of<Folder>> = tops.into_iter().flatten().collect();
        let mut changed = Vec::new();
        let mut places = Places::default();
        while !folders.is_empty() {
            let mut known = self.tally.know_many(Unit::Objects, "folders", folders.len() as u64);
            let paths = workers.by_path(std::mem::take(&mut folders), |(_, folder)| &folder.path);
            let found = workers.each(&paths, |trees, versions| {
                let backwards =
                    is_backwards(trees.repository(), versions.iter().map(|(_, folder)| folder.tree));
                let mut folders = Folders::of(trees);
                readily(versions, backwards, |(order, folder)| (*order, folders.news(folder)))
            })?;
            for (order, news) in found.into_iter().flatten() {
                match news {
                    Ok(News { folders: more, changed: blobs, moved: modules }) => {
                        known.read_some(1);
                        let modules = modules.into_iter();
                        moved.extend(modules.filter(|module| places.allow_place(module.blob)));
                        let more = more.into_iter().filter(|folder| places.allow_place(folder.tree));
                        folders.extend(more.map(|folder| (order, folder)));
                        let blobs = blobs.into_iter();
                        let blobs =
                            blobs.filter(|change| places.allow_blob(workers.repository(), change.blob));
                        changed.extend(blobs.map(|change| (order, change)));
                    }
                    Err(Skipped { path, reason }) => known.skip_one(path, reason),
                }
            }
        }
        places.name(self.tally);
        Ok(changed)
    }

    /// The top of a commit's tree. Most parents are in the list too.
    fn top(&self, repository: &gix::Repository, order: usize) -> Folder {
        let node = &self.nodes[order];
        let tree = |id: &ObjectId| match node.parents.iter().find(|&&parent| self.nodes[parent].id == *id) {
            Some(&listed) => Some(self.nodes[listed].tree),
            None => Some(repository.find_commit(*id).ok()?.tree_id().ok()?.detach()),
        };
        let before = node.parent_ids.iter().filter_map(tree).collect();
        Folder { path: BString::default(), tree: node.tree, before }
    }

    /// Scans versions of one path. The doubtful values of all paths are kept together, since they are bounded together.
    fn versions(
        &self,
        blobs: &mut Versions<'_>,
        versions: &[Of<Change>],
        doubtful: &Mutex<Doubtful>,
    ) -> Found {
        let backwards = is_backwards(blobs.repository(), versions.iter().map(|(_, change)| change.blob));
        let mut scanner = Scanner::new(self.detector, blobs, self.tally);
        let looked = readily(versions, backwards, |(_, change)| scanner.hits(change, &change.before));
        let mut scanned = scanner.found;
        let repository = blobs.repository();
        for ((order, change), looked) in versions.iter().zip(looked) {
            if !looked.is_empty() {
                let at_head = self.tip_trees.iter().any(|&tree| stands(repository, tree, change));
                scanned.add_looked(looked, &Origin { order: *order, at_head, ..Origin::default() });
            }
        }
        doubtful.lock().unwrap_or_else(PoisonError::into_inner).append(std::mem::take(&mut scanned.doubtful));
        scanned
    }

    /// What is found in what a commit says.
    fn message(&self, commits: &mut Versions<'_>, order: usize) -> Option<(Looked, Origin)> {
        let id = self.nodes[order].id;
        let known = self.tally.know(Unit::Objects, named("commit", id));
        let data = match commits.read(&id) {
            Ok(data) => data,
            Err(reason) => {
                known.skip(reason);
                return None;
            }
        };
        known.read();
        let looked = look::message(self.detector, &message(&data), COMMIT_MESSAGE);
        let origin = Origin { order, at_head: false, ..Origin::default() };
        (!looked.is_empty()).then_some((looked, origin))
    }
}

fn batches(commits: Range<usize>) -> Vec<Vec<usize>> {
    commits.collect::<Vec<_>>().chunks(BATCH).map(<[usize]>::to_vec).collect()
}

/// Whether a change's blob stands at its path in a tree.
fn stands(repository: &gix::Repository, tree: ObjectId, change: &Change) -> bool {
    let Ok(tree) = repository.find_tree(tree) else { return false };
    let entry = tree.lookup_entry(change.path.split_str("/")).ok().flatten();
    entry.is_some_and(|entry| entry.object_id() == change.blob)
}

/// Whether the first of a path's versions is made of the last, by way of the others.
fn is_backwards(
    repository: &gix::Repository,
    mut versions: impl DoubleEndedIterator<Item = ObjectId>,
) -> bool {
    let deltas = |id: Option<ObjectId>| match id.map(|id| repository.find_header(id)) {
        Some(Ok(Header::Packed(header))) => header.num_deltas,
        _ => 0,
    };
    let (first, last) = (versions.next(), versions.next_back());
    last.is_some() && deltas(first) > deltas(last)
}

/// Does something for each version, from the end on that the others are made of; what comes of it, in their order.
fn readily<T, R>(versions: &[T], backwards: bool, mut work: impl FnMut(&T) -> R) -> Vec<R> {
    if !backwards {
        return versions.iter().map(work).collect();
    }
    let mut done: Vec<R> = versions.iter().rev().map(&mut work).collect();
    done.reverse();
    done
}
