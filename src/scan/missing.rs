//! Objects that are not here and that a branch or tag leads to: by the path at which they stand.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::hashtable::{HashMap, HashSet};

use crate::model::{Skipped, Tally, Unit};
use crate::source::commits::{self, Commits};
use crate::source::holdings::Finder;
use crate::source::objects::Objects;

/// So many are named; the rest are counted.
const MOST_NAMED: usize = 50;

/// Why older commits are not read.
const SHALLOW: &str = "a shallow clone: older history is not here; `git fetch --unshallow` (in CI: fetch-depth: 0) brings it, --allow-shallow accepts it";

/// Names what is referred to and not here: older commits, what references lead to, what objects refer to.
pub fn name_all(
    repository: &gix::Repository,
    objects: &Objects,
    missing: &HashMap<ObjectId, ObjectId>,
    allow_shallow: bool,
    tally: &Tally,
) {
    if !allow_shallow && repository.is_shallow().unwrap_or(false) {
        tally.skip(Unit::Objects, "(older commits)", SHALLOW);
    }
    commits::follow_references(repository, tally);
    if !missing.is_empty() && !objects.are_partial() {
        name(repository, objects, &missing.keys().copied().collect(), tally);
    }
}

/// Names what is missing of what is reachable. Leftovers may refer to what was tidied away.
fn name(repository: &gix::Repository, objects: &Objects, missing: &HashSet, tally: &Tally) {
    let met = Tally::default();
    let listed = Commits::all(repository, objects, [], &met);
    let mut finder = Finder::new(repository, missing.clone(), &met);
    finder.foresee(objects);
    let mut found: BTreeMap<ObjectId, String> = BTreeMap::new();
    for node in listed.nodes.iter().filter(|node| node.reachable) {
        if missing.contains(&node.tree) {
            found.insert(node.tree, format!("(tree of commit {})", node.id));
            continue;
        }
        for (path, id) in finder.below(node.tree).iter() {
            found.entry(*id).or_insert_with(|| path.to_string());
        }
    }
    drop(finder);
    let trees = met.end();
    let trees =
        trees.skipped().iter().map(|tree| Skipped { path: tree.path.clone(), reason: tree.reason.clone() });
    let blobs = found.into_iter().map(|(id, path)| Skipped {
        path,
        reason: format!(
            "object {id} is not here, though a branch or tag leads to it; `git fetch --refetch` brings what is missing"
        ),
    });
    let named: Vec<Skipped> = blobs.chain(trees).collect();
    let more = named.len().saturating_sub(MOST_NAMED);
    for Skipped { path, reason } in named.into_iter().take(MOST_NAMED) {
        tally.skip(Unit::Objects, path, reason);
    }
    if more > 0 {
        tally
            .know_many(Unit::Objects, "(more objects)", more as u64)
            .skip(format_args!("{more} more objects that branches or tags lead to are not here"));
    }
}
