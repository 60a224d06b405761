//! What a push brings: the commits that the other side does not have, and what tags say and stand for, files and folders included.

use gix::ObjectId;
use gix::bstr::BString;
use gix::hashtable::HashSet;
use gix::object::Kind;

use super::changes::scan_between;
use super::gather::Origin;
use super::history::{message, name_of_blob, name_of_tag};
use super::scanner::Scanner;
use super::{Found, look, moved};
use crate::detect::Detector;
use crate::model::{Tally, Unit, named};
use crate::source::changes::Changes;
use crate::source::folders::Change;
use crate::source::holdings::{Finder, ONE_WAY, differing};
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
}

impl Tips {
    /// Follows a tip by way of tags.
    fn add(&mut self, repository: &gix::Repository, tip: ObjectId, tally: &Tally) {
        let known = tally.know(Unit::References, named("object", tip));
        let mut id = tip;
        for _ in 0..MOST_TAGS {
            let object = match repository.find_object(id) {
                Ok(object) => object,
                Err(error) => return known.skip(causes(&error)),
            };
            match object.kind {
                Kind::Commit => self.commits.push(id),
                Kind::Tree => self.trees.push(id),
                Kind::Blob => self.blobs.push(id),
                Kind::Tag => {
                    self.tags.push(id);
                    match object.into_tag().target_id() {
                        Ok(target) => id = target.detach(),
                        Err(error) => return known.skip(causes(&error)),
                    }
                    continue;
                }
            }
            return known.read();
        }
        known.skip(format_args!("a chain of more than {MOST_TAGS} tags"));
    }
}

/// Scans what these tips bring to where the `hidden` ones are known already. `spec` is how errors name them.
pub fn scan(
    detector: &Detector,
    repository: &gix::Repository,
    spec: &str,
    (tips, hidden): (&[ObjectId], &[ObjectId]),
    jobs: usize,
    tally: &Tally,
) -> Result<Found, Error> {
    let mut found = Tips::default();
    for &tip in tips {
        found.add(repository, tip, tally);
    }
    let mut scanned = if found.commits.is_empty() {
        Found::default()
    } else {
        scan_between(detector, repository, spec, (&found.commits, hidden), jobs, tally)?
    };
    for &tag in found.tags.iter().filter(|tag| !hidden.contains(tag)) {
        // A tag that cannot be read is no tip that could be followed, and was named.
        if let Ok(object) = repository.find_object(tag) {
            let name = name_of_tag(&object.data, repository.object_hash());
            let looked = look::message(detector, &message(&object.data), &name);
            scanned.add_looked(looked, &Origin { reachable: true, ..Origin::default() });
        }
    }
    if !(found.trees.is_empty() && found.blobs.is_empty()) {
        let mut files = files(repository, found, hidden, tally);
        scanned.append(whole(detector, repository, &files, tally));
        let moved = std::mem::take(&mut files.moved);
        scanned.append(moved::follow(detector, repository, moved, jobs, tally));
    }
    Ok(scanned)
}

/// The files that tags stand for, by themselves or in folders, without those that the other side has in its newest commits.
fn files(repository: &gix::Repository, tips: Tips, hidden: &[ObjectId], tally: &Tally) -> Changes {
    let packs = Packs::none();
    let mut changes = Changes::of_trees(repository, &packs, &tips.trees, tally);
    changes.changed.extend(tips.blobs.into_iter().map(|blob| {
        let path = BString::from(name_of_blob(&blob));
        Change { path, blob, before: Vec::new() }
    }));
    let sought: HashSet = changes.changed.iter().map(|change| change.blob).collect();
    // What cannot be read of what the other side has leaves more to be looked at.
    let unread = Tally::default();
    let mut finder = Finder::new(repository, sought, &unread);
    let mut known = HashSet::default();
    for id in hidden {
        let commit = repository.find_object(*id).ok().and_then(|object| object.peel_to_commit().ok());
        if let Some(tree) = commit.and_then(|commit| commit.tree_id().ok()) {
            let below = finder.below(tree.detach());
            differing(&below, None, ONE_WAY, |_, blob| {
                known.insert(blob);
            });
        }
    }
    changes.changed.retain(|change| !known.contains(&change.blob));
    changes
}

fn whole(detector: &Detector, repository: &gix::Repository, changes: &Changes, tally: &Tally) -> Found {
    let packs = Packs::none();
    let mut blobs = Versions::of(repository, &packs);
    let mut scanner = Scanner::new(detector, &mut blobs, tally);
    for change in &changes.changed {
        let looked = scanner.hits(change, &[]);
        scanner.found.add_looked(looked, &Origin { reachable: true, ..Origin::default() });
    }
    scanner.found
}
