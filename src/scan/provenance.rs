//! Which commit brought a value to a path, which moved it there and which took it out.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use gix::ObjectId;
use gix::bstr::BString;

use super::gather::{Rename, TextHits, value_key};
use crate::source::commits::Node;
use crate::source::holdings::{Holdings, MOST_WAYS, differing};
use crate::source::places::Places;

/// When a blob stood at a path.
pub(super) struct Stay {
    pub introduced: usize,
    pub reachable: bool,
    pub at_head: bool,
}

/// When each blob of interest stood at each path. Parents come before children, so the first commit that holds a blob at a
/// path introduced it. A branch's commits come before those that only a reflog knows. What a commit has as its first parent does
/// was told of with that.
pub(super) fn stays(
    nodes: &[Node],
    holdings: &[Holdings],
    head: Option<&Holdings>,
    places: &mut Places,
) -> BTreeMap<(BString, ObjectId), Stay> {
    let mut stays: BTreeMap<(BString, ObjectId), Stay> = BTreeMap::new();
    for (place, node) in nodes.iter().enumerate() {
        let prefix = node.notes.as_ref().map(|name| format!("{name}:")).unwrap_or_default();
        let is_alike = |parent: &&usize| {
            let parent = &nodes[**parent];
            parent.notes == node.notes && (parent.reachable || !node.reachable)
        };
        let before = node.parents.first().filter(is_alike).map(|&parent| &holdings[parent]);
        let is_cut = differing(&holdings[place], before, MOST_WAYS, |path, blob| {
            let key = (BString::from([prefix.as_bytes(), path.as_slice()].concat()), blob);
            let stay = match stays.entry(key) {
                Entry::Occupied(stay) => stay.into_mut(),
                Entry::Vacant(_) if !places.allow_place(blob) => return,
                Entry::Vacant(new) => {
                    let at_head = head.is_some_and(|head| head.blob_at(path.as_ref()) == Some(blob));
                    new.insert(Stay { introduced: place, reachable: node.reachable, at_head })
                }
            };
            stay.reachable |= node.reachable;
        });
        places.cut(is_cut);
    }
    stays
}

/// The file in the repository, for an entry of an archive.
pub(super) fn outer(path: &str) -> &str {
    path.split_once("!/").map_or(path, |(outer, _)| outer)
}

/// From where the commit that brought a text moved it: a path that a parent holds and the commit does not, with a value
/// that the text has too.
pub(super) fn renamed(
    text: &TextHits,
    nodes: &[Node],
    holdings: &[Holdings],
    groups: &HashMap<(BString, ObjectId), Vec<u64>>,
) -> Option<Rename> {
    // Notes are filed by the ids of what they are about, and move among folders by themselves.
    if nodes[text.origin.order].notes.is_some() {
        return None;
    }
    let here = &holdings[text.origin.order];
    let own: HashSet<u64> = text.hits.iter().map(value_key).collect();
    let mut renames: Vec<Rename> = Vec::new();
    for &parent in &nodes[text.origin.order].parents {
        differing(&holdings[parent], Some(here), MOST_WAYS, |path, blob| {
            if path == outer(&text.path) || here.blob_at(path.as_ref()).is_some() {
                return;
            }
            let values = groups.get(&(path.clone(), blob)).into_iter().flatten();
            let values: Vec<u64> = values.copied().filter(|value| own.contains(value)).collect();
            if !values.is_empty() {
                renames.push(Rename { from: path.to_string(), values });
            }
        });
    }
    renames.into_iter().max_by_key(|rename| rename.values.len())
}

/// For each value at a path, the last commit that took it out: all parents hold it, the commit does not.
pub(super) fn removals(
    nodes: &[Node],
    holdings: &[Holdings],
    groups: &HashMap<(BString, ObjectId), Vec<u64>>,
) -> HashMap<(BString, u64), usize> {
    let holds = |place: usize, path: &BString, value: u64| {
        let blob = holdings[place].blob_at(path.as_ref());
        let values = blob.and_then(|blob| groups.get(&(path.clone(), blob)));
        values.is_some_and(|values| values.contains(&value))
    };
    let mut removed = HashMap::new();
    for (place, node) in nodes.iter().enumerate() {
        let Some((&first, others)) = node.parents.split_first() else { continue };
        // Most commits leave the blobs of interest alone.
        differing(&holdings[first], Some(&holdings[place]), MOST_WAYS, |path, blob| {
            for &value in groups.get(&(path.clone(), blob)).into_iter().flatten() {
                if !holds(place, path, value) && others.iter().all(|&other| holds(other, path, value)) {
                    removed.insert((path.clone(), value), place);
                }
            }
        });
    }
    removed
}
