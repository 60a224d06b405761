//! Which commit brought a value to a path, which moved it there and which took it out.

use std::collections::{BTreeMap, HashMap, HashSet};

use gix::ObjectId;
use gix::bstr::BString;

use super::gather::{Rename, TextHits, value_key};
use crate::source::commits::Node;
use crate::source::holdings::Holdings;

/// When a blob stood at a path.
pub(super) struct Stay {
    pub introduced: usize,
    pub reachable: bool,
    pub at_head: bool,
}

/// When each blob of interest stood at each path. Parents come before children, so the first commit that holds a blob at a
/// path introduced it. A branch's commits come before those that only a reflog knows.
pub(super) fn stays(
    nodes: &[Node],
    holdings: &[Holdings],
    head: &HashSet<(BString, ObjectId)>,
) -> BTreeMap<(BString, ObjectId), Stay> {
    let mut stays: BTreeMap<(BString, ObjectId), Stay> = BTreeMap::new();
    for (place, node) in nodes.iter().enumerate() {
        let prefix = node.notes.as_ref().map(|name| format!("{name}:")).unwrap_or_default();
        for (path, blob) in holdings[place].iter() {
            let key = (BString::from([prefix.as_bytes(), path.as_slice()].concat()), *blob);
            let at_head = head.contains(&(path.clone(), *blob));
            let first = Stay { introduced: place, reachable: node.reachable, at_head };
            stays.entry(key).or_insert(first).reachable |= node.reachable;
        }
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
    let before = nodes[text.origin.order].parents.iter().flat_map(|&parent| holdings[parent].iter());
    let gone =
        before.filter(|(path, _)| path != outer(&text.path) && !here.iter().any(|(other, _)| other == path));
    gone.filter_map(|key| {
        let values: Vec<u64> = groups.get(key)?.iter().copied().filter(|value| own.contains(value)).collect();
        (!values.is_empty()).then(|| Rename { from: key.0.to_string(), values })
    })
    .max_by_key(|rename| rename.values.len())
}

/// For each value at a path, the last commit that took it out: all parents hold it, the commit does not.
pub(super) fn removals(
    nodes: &[Node],
    holdings: &[Holdings],
    groups: &HashMap<(BString, ObjectId), Vec<u64>>,
) -> HashMap<(BString, u64), usize> {
    let values = |place: usize| -> HashSet<(BString, u64)> {
        holdings[place]
            .iter()
            .flat_map(|key| groups.get(key).into_iter().flatten().map(move |&value| (key.0.clone(), value)))
            .collect()
    };
    let mut removed = HashMap::new();
    for (place, node) in nodes.iter().enumerate() {
        let Some((&first, others)) = node.parents.split_first() else { continue };
        // Most commits leave the blobs of interest alone.
        if std::rc::Rc::ptr_eq(&holdings[place], &holdings[first])
            || holdings[first].is_empty()
            || holdings[place] == holdings[first]
        {
            continue;
        }
        let here = values(place);
        let others: Vec<HashSet<(BString, u64)>> = others.iter().map(|&parent| values(parent)).collect();
        for key in values(first) {
            if !here.contains(&key) && others.iter().all(|other| other.contains(&key)) {
                removed.insert(key, place);
            }
        }
    }
    removed
}
