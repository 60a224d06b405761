//! Objects that are not here and that a branch or tag leads to: by the path at which they stand.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::hashtable::HashSet;

use crate::model::Skipped;
use crate::source::commits::Commits;
use crate::source::holdings::Finder;
use crate::source::objects::Objects;

/// So many are named; the rest are counted.
const MOST_NAMED: usize = 50;
/// So many are looked for at once: of each tree on the way all that stand below it are held in memory.
const TOGETHER: usize = 64;
/// So many times more are looked for, where most of those that were looked for are leftovers.
const MOST_TIMES: usize = 64;

/// Names what is missing of what is reachable. Leftovers may refer to what was tidied away.
pub fn named(repository: &gix::Repository, objects: &Objects, missing: &HashSet) -> Vec<Skipped> {
    let listed = Commits::all(repository, objects, []);
    let mut found: BTreeMap<ObjectId, String> = BTreeMap::new();
    let (trees, others): (Vec<_>, Vec<_>) =
        listed.nodes.iter().filter(|node| node.reachable).partition(|node| missing.contains(&node.tree));
    found.extend(trees.iter().map(|node| (node.tree, format!("(tree of commit {})", node.id))));
    let mut sought: Vec<ObjectId> = missing.iter().copied().collect();
    sought.sort_unstable();
    let mut parts = sought.chunks(TOGETHER);
    let mut named = listed.skipped;
    for part in parts.by_ref().take(MOST_TIMES) {
        let mut finder = Finder::new(repository, part.iter().copied().collect());
        finder.foresee(objects);
        for node in &others {
            for (path, id) in finder.below(node.tree).iter() {
                found.entry(*id).or_insert_with(|| path.to_string());
            }
        }
        named.append(&mut finder.skipped);
        if found.len() > MOST_NAMED {
            break;
        }
    }
    let way_out = if objects.are_partial() {
        "this partial clone did not fetch it; `git fetch --refetch --no-filter` brings what is missing"
    } else {
        "`git fetch --refetch` brings what is missing"
    };
    let left = parts.map(<[ObjectId]>::len).sum::<usize>();
    named.extend(found.into_iter().map(|(id, path)| Skipped {
        path,
        reason: format!("object {id} is not here, though a branch or tag leads to it; {way_out}"),
    }));
    named.sort();
    named.dedup();
    let more = named.len().saturating_sub(MOST_NAMED) + left;
    named.truncate(MOST_NAMED);
    if more > 0 {
        let reason = format!("{more} more objects that others refer to are not here; {way_out}");
        named.push(Skipped { path: "(more objects)".into(), reason });
    }
    named
}
