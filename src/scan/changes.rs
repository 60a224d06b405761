//! What a commit would add, and what some commits add: only values that were not there before.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::odb::find::Header;
use rayon::prelude::*;

use super::Scanned;
use super::gather::{Origin, TextHits, value_key};
use super::history::message;
use super::look::{self, Looked};
use crate::detect::Detector;
use crate::model::Skipped;
use crate::source::changes::{Change, Changes};
use crate::source::commits::{self, Commits, Node};
use crate::source::objects::threads;
use crate::source::repository::{self, Error};

/// Scans what would be committed: the index against HEAD. `whole` looks at whole staged files, not only at what they
/// add.
pub fn staged(detector: &Detector, root: &Path, whole: bool) -> Result<Scanned, Error> {
    let repository = repository::open(root)?;
    let changes = Changes::of_index(&repository)?;
    let mut scanner = Scanner::new(detector, &repository);
    scanner.scanned.skipped.extend(changes.skipped);
    for change in &changes.changed {
        let before: Vec<ObjectId> = change.before.iter().chain(&changes.removed).copied().collect();
        scanner.change(change, if whole { &[] } else { &before }, &Origin::default());
    }
    Ok(scanner.scanned)
}

/// Scans what the commits of a range add: `A..B`, `A...B` (since they parted), or the commits since one (`A..`).
pub fn range(detector: &Detector, root: &Path, spec: &str, jobs: usize) -> Result<Scanned, Error> {
    let repository = repository::open(root)?;
    let (from, to) = ends(&repository, spec)?;
    scan_between(detector, &repository, spec, (&[to], &from), jobs)
}

/// Scans what the commits add that are reachable from `tips` and not from `hidden`, on as many threads as there are `jobs`.
pub fn scan_between(
    detector: &Detector,
    repository: &gix::Repository,
    spec: &str,
    (tips, hidden): (&[ObjectId], &[ObjectId]),
    jobs: usize,
) -> Result<Scanned, Error> {
    let listed = Commits::between(repository, tips, hidden);
    let shallow = repository::shallow_boundary(repository);
    if listed.nodes.iter().any(|node| shallow.contains(&node.id)) {
        return Err(Error::Revision { spec: spec.to_owned(), reason: DEEPEN.to_owned() });
    }
    if let Some(missing) = listed.skipped.first() {
        return Err(Error::Revision {
            spec: spec.to_owned(),
            reason: format!("{}: {}", missing.path, missing.reason),
        });
    }
    let is_tip = |node: &&Node| listed.tips.contains(&node.id);
    let tip_trees: Vec<ObjectId> = listed.nodes.iter().filter(is_tip).map(|node| node.tree).collect();
    let nodes: Vec<(usize, &Node)> = listed.nodes.iter().enumerate().collect();
    let part = nodes.len().div_ceil(jobs).max(FEWEST);
    // A repository's handle is for one thread, and so is what it keeps of the objects that it read.
    let parts: Vec<_> = nodes.chunks(part).map(|part| (part, repository.clone())).collect();
    let scan = |(nodes, repository): (&[(usize, &Node)], gix::Repository)| {
        Scanner::new(detector, &repository).commits(nodes, &tip_trees)
    };
    let scanned: Vec<Scanned> = if parts.len() > 1 {
        threads(repository, jobs)?.install(|| parts.into_par_iter().map(scan).collect())
    } else {
        parts.into_iter().map(scan).collect()
    };
    Ok(together(scanned))
}

/// Fewer commits are not worth a thread.
const FEWEST: usize = 16;

fn together(parts: Vec<Scanned>) -> Scanned {
    let mut all = Scanned::default();
    for part in parts {
        all.append(part);
    }
    all
}

const DEEPEN: &str = "the clone is too shallow for this range; `git fetch --unshallow` (in CI: fetch-depth: 0) brings what is missing";

/// The commits that a range leaves out, and the one it ends with.
fn ends(repository: &gix::Repository, spec: &str) -> Result<(Vec<ObjectId>, ObjectId), Error> {
    let resolve = |name: &str| {
        let name = if name.is_empty() { "HEAD" } else { name };
        let object = repository.rev_parse_single(name).ok().and_then(|id| id.object().ok());
        let commit = object.and_then(|object| object.peel_to_kind(gix::object::Kind::Commit).ok());
        commit.map(|commit| commit.id).ok_or_else(|| {
            let shallow =
                if repository.is_shallow().unwrap_or(false) { format!("; {DEEPEN}") } else { String::new() };
            Error::Revision {
                spec: name.to_owned(),
                reason: format!("names no commit here, or more than one{shallow}"),
            }
        })
    };
    if let Some((from, to)) = spec.split_once("...") {
        let (from, to) = (resolve(from)?, resolve(to)?);
        let base = repository.merge_base(from, to).ok().flatten().ok_or_else(|| Error::Revision {
            spec: spec.to_owned(),
            reason: format!("the two have no common ancestor here; perhaps {DEEPEN}"),
        })?;
        return Ok((vec![base.detach()], to));
    }
    match spec.split_once("..") {
        Some((from, to)) => Ok((vec![resolve(from)?], resolve(to)?)),
        None => {
            Err(Error::Revision { spec: spec.to_owned(), reason: "write a range as A..B or A...B".into() })
        }
    }
}

struct Scanner<'a> {
    detector: &'a Detector,
    repository: &'a gix::Repository,
    scanned: Scanned,
    /// The values of blobs that were looked at as what stood before.
    known: HashMap<ObjectId, HashSet<u64>>,
}

impl<'a> Scanner<'a> {
    fn new(detector: &'a Detector, repository: &'a gix::Repository) -> Self {
        Self { detector, repository, scanned: Scanned::default(), known: HashMap::new() }
    }

    /// Scans some commits, in the order in which their trees are soonest read: a tree that others are made of before those.
    fn commits(mut self, nodes: &[(usize, &Node)], tip_trees: &[ObjectId]) -> Scanned {
        let deltas = |node: Option<&(usize, &Node)>| match node
            .map(|(_, node)| self.repository.find_header(node.tree))
        {
            Some(Ok(Header::Packed(header))) => header.num_deltas,
            _ => 0,
        };
        let backwards = deltas(nodes.first()) > deltas(nodes.last());
        let mut parts: Vec<Scanned> = Vec::new();
        for number in 0..nodes.len() {
            let (order, node) = nodes[if backwards { nodes.len() - 1 - number } else { number }];
            self.commit(order, node, tip_trees);
            parts.push(std::mem::take(&mut self.scanned));
        }
        if backwards {
            parts.reverse();
        }
        together(parts)
    }

    fn commit(&mut self, order: usize, node: &Node, tip_trees: &[ObjectId]) {
        let parents: Vec<ObjectId> =
            node.parent_ids.iter().filter_map(|&parent| self.tree_of(parent)).collect();
        let changes = Changes::of_tree(self.repository, node.tree, &parents);
        self.scanned.stats.commits += 1;
        self.scanned.skipped.extend(changes.skipped);
        let mut commit = None;
        for change in &changes.changed {
            let looked = self.hits(change, &change.before);
            if looked.is_empty() {
                continue;
            }
            let commit = commit.get_or_insert_with(|| commits::describe(self.repository, node.id)).clone();
            let at_head = tip_trees.iter().any(|&tree| self.stands(tree, change));
            let origin = Origin { order, commit, at_head, reachable: true, removed_by: None, renamed: None };
            self.add(looked, &origin);
        }
        let Ok(object) = self.repository.find_object(node.id) else { return };
        let hits = self.detector.detect(message(&object.data), "");
        if !hits.is_empty() {
            let commit = commits::describe(self.repository, node.id);
            let origin =
                Origin { order, commit, at_head: false, reachable: true, removed_by: None, renamed: None };
            self.scanned.texts.push(TextHits { path: "(commit message)".to_owned(), hits, origin });
        }
    }

    fn tree_of(&self, commit: ObjectId) -> Option<ObjectId> {
        Some(self.repository.find_commit(commit).ok()?.tree_id().ok()?.detach())
    }

    fn stands(&self, tree: ObjectId, change: &Change) -> bool {
        let Ok(tree) = self.repository.find_tree(tree) else { return false };
        tree.lookup_entry(change.path.split_str("/"))
            .ok()
            .flatten()
            .is_some_and(|entry| entry.object_id() == change.blob)
    }

    fn change(&mut self, change: &Change, before: &[ObjectId], origin: &Origin) {
        let looked = self.hits(change, before);
        self.add(looked, origin);
    }

    fn add(&mut self, looked: Looked, origin: &Origin) {
        let texts = looked.into_iter().map(|(path, hits)| TextHits { path, hits, origin: origin.clone() });
        self.scanned.texts.extend(texts);
    }

    /// What a changed blob holds that the blobs before it did not.
    fn hits(&mut self, change: &Change, before: &[ObjectId]) -> Looked {
        let path = change.path.to_string();
        let object = match self.repository.find_object(change.blob) {
            Ok(object) => object,
            Err(error) => {
                self.scanned.skipped.push(Skipped { path, reason: error.to_string() });
                return Vec::new();
            }
        };
        self.scanned.stats.blobs += 1;
        self.scanned.stats.bytes += object.data.len() as u64;
        let mut looked = look::bytes(self.detector, &object.data, &path, &mut self.scanned.skipped);
        let secret =
            |looked: &Looked| looked.iter().any(|(_, hits)| hits.iter().any(|hit| hit.kind.is_secret()));
        if secret(&looked) {
            for &blob in before {
                let known = self.values(blob, &path);
                for (_, hits) in &mut looked {
                    hits.retain(|hit| !hit.kind.is_secret() || !known.contains(&value_key(hit)));
                }
            }
            if !secret(&looked) {
                looked.clear();
            }
        }
        looked
    }

    fn values(&mut self, blob: ObjectId, path: &str) -> &HashSet<u64> {
        let (repository, detector) = (self.repository, self.detector);
        self.known.entry(blob).or_insert_with(|| {
            let data = repository.find_object(blob).map(|object| object.data.clone()).unwrap_or_default();
            let looked = look::bytes(detector, &data, path, &mut Vec::new());
            looked.iter().flat_map(|(_, hits)| hits).map(value_key).collect()
        })
    }
}
