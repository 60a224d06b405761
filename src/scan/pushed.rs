//! What a push brings: the commits that the other side does not have, and what tags say and stand for, files and folders included.

use gix::ObjectId;
use gix::bstr::BString;
use gix::hashtable::HashSet;
use gix::object::Kind;

use super::changes::scan_between;
use super::gather::Origin;
use super::history::{message, name_of_blob, name_of_tag};
use super::scanner::Scanner;
use super::{Scanned, look};
use crate::detect::Detector;
use crate::model::Skipped;
use crate::source::changes::Changes;
use crate::source::folders::Change;
use crate::source::holdings::Finder;
use crate::source::repository::{Error, causes};
use crate::source::versions::{Packs, Versions};

/// Tags of tags of tags: no more of them are followed.
const MOST_TAGS: usize = 32;

/// What the names that are pushed stand for.
#[derive(Default)]
struct Tips {
    commits: Vec<ObjectId>,
    tags: Vec<ObjectId>,
    trees: Vec<ObjectId>,
    blobs: Vec<ObjectId>,
    skipped: Vec<Skipped>,
}

impl Tips {
    /// Follows a tip by way of tags.
    fn add(&mut self, repository: &gix::Repository, tip: ObjectId) {
        let mut id = tip;
        for _ in 0..MOST_TAGS {
            let object = match repository.find_object(id) {
                Ok(object) => object,
                Err(error) => return self.skip(tip, causes(&error)),
            };
            match object.kind {
                Kind::Commit => return self.commits.push(id),
                Kind::Tree => return self.trees.push(id),
                Kind::Blob => return self.blobs.push(id),
                Kind::Tag => {
                    self.tags.push(id);
                    match object.into_tag().target_id() {
                        Ok(target) => id = target.detach(),
                        Err(error) => return self.skip(tip, causes(&error)),
                    }
                }
            }
        }
        self.skip(tip, format!("a chain of more than {MOST_TAGS} tags"));
    }

    fn skip(&mut self, tip: ObjectId, reason: String) {
        self.skipped.push(Skipped { path: format!("object {tip}"), reason });
    }
}

/// Scans what these tips bring to where the `hidden` ones are known already. `spec` is how errors name them.
pub fn scan(
    detector: &Detector,
    repository: &gix::Repository,
    spec: &str,
    (tips, hidden): (&[ObjectId], &[ObjectId]),
    jobs: usize,
) -> Result<Scanned, Error> {
    let mut found = Tips::default();
    for &tip in tips {
        found.add(repository, tip);
    }
    let mut scanned = if found.commits.is_empty() {
        Scanned::default()
    } else {
        scan_between(detector, repository, spec, (&found.commits, hidden), jobs)?
    };
    scanned.skipped.append(&mut found.skipped);
    for &tag in found.tags.iter().filter(|tag| !hidden.contains(tag)) {
        if let Ok(object) = repository.find_object(tag) {
            let name = name_of_tag(&object.data, repository.object_hash());
            let looked = look::message(detector, &message(&object.data), &name);
            scanned.add_looked(looked, &Origin { reachable: true, ..Origin::default() });
        }
    }
    if !(found.trees.is_empty() && found.blobs.is_empty()) {
        let files = files(repository, found, hidden);
        scanned.append(whole(detector, repository, files));
    }
    Ok(scanned)
}

/// The files that tags stand for, by themselves or in folders, without those that the other side has in its newest commits.
fn files(repository: &gix::Repository, tips: Tips, hidden: &[ObjectId]) -> Changes {
    let packs = Packs::none();
    let mut changes = Changes::of_trees(repository, &packs, &tips.trees);
    changes.changed.extend(tips.blobs.into_iter().map(|blob| {
        let path = BString::from(name_of_blob(&blob));
        Change { path, blob, before: Vec::new() }
    }));
    let sought: HashSet = changes.changed.iter().map(|change| change.blob).collect();
    let mut finder = Finder::new(repository, sought);
    let mut known = HashSet::default();
    for id in hidden {
        let commit = repository.find_object(*id).ok().and_then(|object| object.peel_to_commit().ok());
        if let Some(tree) = commit.and_then(|commit| commit.tree_id().ok()) {
            known.extend(finder.below(tree.detach()).iter().map(|(_, blob)| *blob));
        }
    }
    changes.changed.retain(|change| !known.contains(&change.blob));
    changes
}

fn whole(detector: &Detector, repository: &gix::Repository, changes: Changes) -> Scanned {
    let packs = Packs::none();
    let mut blobs = Versions::of(repository, &packs);
    let mut scanner = Scanner::new(detector, &mut blobs);
    scanner.scanned.skipped.extend(changes.skipped);
    for change in &changes.changed {
        let looked = scanner.hits(change, &[]);
        scanner.scanned.add_looked(looked, &Origin { reachable: true, ..Origin::default() });
    }
    scanner.scanned
}
