//! What a commit would add, and what some commits add: only values that were not there before.

use std::path::Path;

use gix::ObjectId;

use super::Scanned;
use super::between::Between;
use super::gather::Origin;
use super::scanner::Scanner;
use super::workers::Workers;
use crate::detect::Detector;
use crate::source::changes::Changes;
use crate::source::commits::{Commits, Node};
use crate::source::repository::{self, Error};
use crate::source::versions::{Packs, Versions};

/// Scans what would be committed: the index against HEAD. `whole` looks at whole staged files, not only at what they
/// add.
pub fn staged(detector: &Detector, root: &Path, whole: bool) -> Result<Scanned, Error> {
    let repository = repository::open(root)?;
    let changes = Changes::of_index(&repository)?;
    let packs = Packs::none();
    let mut blobs = Versions::of(&repository, &packs);
    let mut scanner = Scanner::new(detector, &mut blobs);
    scanner.scanned.skipped.extend(changes.skipped);
    for change in &changes.changed {
        let before: Vec<ObjectId> = change.before.iter().chain(&changes.removed).copied().collect();
        let looked = scanner.hits(change, if whole { &[] } else { &before });
        scanner.scanned.add_looked(looked, &Origin::default());
    }
    Ok(scanner.scanned)
}

/// Scans what the commits of a range add: `A..B`, `A...B` (since they parted), or the commits since one (`A..`).
pub fn range(detector: &Detector, root: &Path, spec: &str, jobs: usize) -> Result<Scanned, Error> {
    let repository = repository::open_for_walks(root)?;
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
    let packs = Packs::of(repository);
    Between { detector, nodes: &listed.nodes, tip_trees: &tip_trees }
        .scan(Workers::of(repository, &packs, jobs))
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
