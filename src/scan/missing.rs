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

/// Names what is missing of what is reachable. Leftovers may refer to what was tidied away.
pub fn named(repository: &gix::Repository, objects: &Objects, missing: &HashSet) -> Vec<Skipped> {
    let listed = Commits::all(repository, objects, []);
    let mut finder = Finder::new(repository, missing.clone());
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
    let trees = finder.skipped.into_iter().chain(listed.skipped);
    let blobs = found.into_iter().map(|(id, path)| Skipped {
        path,
        reason: format!(
            "object {id} is not here, though a branch or tag leads to it; `git fetch --refetch` brings what is missing"
        ),
    });
    let mut named: Vec<Skipped> = blobs.chain(trees).collect();
    if named.len() > MOST_NAMED {
        let more = named.len() - MOST_NAMED;
        named.truncate(MOST_NAMED);
        named.push(Skipped {
            path: "(more objects)".into(),
            reason: format!("{more} more objects that branches or tags lead to are not here"),
        });
    }
    named
}
