//! Objects that are not here and that a branch or tag leads to: by the path at which they stand.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::hashtable::{HashMap, HashSet};
use gix::index::entry::Flags;

use crate::model::{Skipped, Tally, Unit};
use crate::source::commits::{self, Commits};
use crate::source::holdings::{Finder, ONE_WAY, differing};
use crate::source::objects::Objects;
use crate::source::tracked;

/// So many are named; the rest are counted.
const MOST_NAMED: usize = 50;
/// So many are looked for at once: of each tree on the way the entries that lead to them are held in memory.
const TOGETHER: usize = 64;
/// So many times more are looked for, where most of those that were looked for are leftovers.
const MOST_TIMES: usize = 64;

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
    let staged = staged(repository, objects, tally);
    if !(missing.is_empty() && staged.is_empty()) {
        name(repository, objects, &missing.keys().copied().collect(), staged, tally);
    }
}

/// The objects that the index leads to and that are not here, each with the path that it is staged at.
fn staged(repository: &gix::Repository, objects: &Objects, tally: &Tally) -> BTreeMap<ObjectId, String> {
    let index = match tracked::index_of(repository) {
        Ok(index) => index,
        Err(reason) => {
            tally.skip(Unit::Settings, repository.index_path().display(), reason);
            return BTreeMap::new();
        }
    };
    let is_elsewhere =
        |entry: &gix::index::Entry| entry.mode.is_submodule() || entry.flags.contains(Flags::INTENT_TO_ADD);
    let lost = index.entries().iter().filter(|entry| !is_elsewhere(entry) && !objects.hold(&entry.id));
    lost.map(|entry| (entry.id, entry.path(&index).to_string())).collect()
}

/// Names what is missing of what is reachable, or staged. Leftovers may refer to what was tidied away.
fn name(
    repository: &gix::Repository,
    objects: &Objects,
    missing: &HashSet,
    staged: BTreeMap<ObjectId, String>,
    tally: &Tally,
) {
    let met = Tally::default();
    let listed = Commits::all(repository, objects, [], &met);
    let mut found: BTreeMap<ObjectId, String> = BTreeMap::new();
    let (trees, others): (Vec<_>, Vec<_>) =
        listed.nodes.iter().filter(|node| node.reachable).partition(|node| missing.contains(&node.tree));
    found.extend(trees.iter().map(|node| (node.tree, format!("(tree of commit {})", node.id))));
    let mut sought: Vec<ObjectId> = missing.iter().copied().collect();
    sought.sort_unstable();
    let mut parts = sought.chunks(TOGETHER);
    for part in parts.by_ref().take(MOST_TIMES) {
        let mut finder = Finder::new(repository, part.iter().copied().collect(), &met);
        finder.foresee(objects);
        for node in &others {
            differing(&finder.below(node.tree), None, ONE_WAY, |path, id| {
                found.entry(id).or_insert_with(|| path.to_string());
            });
        }
        if found.len() > MOST_NAMED {
            break;
        }
    }
    let left = parts.map(<[ObjectId]>::len).sum::<usize>();
    let way_out = if objects.are_partial() {
        "this partial clone did not fetch it; `git fetch --refetch --no-filter` brings what is missing"
    } else {
        "`git fetch --refetch` brings what is missing"
    };
    let met = met.end();
    let met = met.skipped().iter().map(|met| Skipped { path: met.path.clone(), reason: met.reason.clone() });
    let staged = staged.into_iter().filter(|(id, _)| !found.contains_key(id));
    let staged: Vec<Skipped> = staged
        .map(|(id, path)| Skipped {
            path,
            reason: format!("object {id} is not here, though the index leads to it"),
        })
        .collect();
    let blobs = found.into_iter().map(|(id, path)| Skipped {
        path,
        reason: format!("object {id} is not here, though a branch or tag leads to it; {way_out}"),
    });
    let mut named: Vec<Skipped> = blobs.chain(staged).chain(met).collect();
    named.sort();
    named.dedup();
    let more = named.len().saturating_sub(MOST_NAMED) + left;
    for Skipped { path, reason } in named.into_iter().take(MOST_NAMED) {
        tally.skip(Unit::Objects, path, reason);
    }
    if more > 0 {
        tally
            .know_many(Unit::Objects, "(more objects)", more as u64)
            .skip(format_args!("{more} more objects that others refer to are not here; {way_out}"));
    }
}
