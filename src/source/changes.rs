//! What changes between trees: blobs that stand at a path now and did not before.

use std::collections::HashMap;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::index::entry::{Flags, Mode};
use gix::objs::tree::{EntryMode, EntryRef};

use super::entries;
use super::repository::{Error, causes};
use crate::model::Skipped;

/// Folders nested deeper than this are named and not entered.
const DEEPEST: usize = 1_000;

/// A blob that is new at its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where it stands.
    pub path: BString,
    /// What stands there now.
    pub blob: ObjectId,
    /// What stood there before, in each of the trees compared with.
    pub before: Vec<ObjectId>,
}

/// All changes of one comparison.
#[derive(Debug, Default)]
pub struct Changes {
    /// New blobs.
    pub changed: Vec<Change>,
    /// Blobs that stood somewhere before and no longer do: what was moved came from here.
    pub removed: Vec<ObjectId>,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

type Entries = HashMap<BString, (EntryMode, ObjectId)>;

fn unreadable(tree: ObjectId, reason: &dyn ToString) -> Skipped {
    Skipped { path: format!("tree {tree}"), reason: reason.to_string() }
}

fn bytes(repository: &gix::Repository, tree: ObjectId) -> Result<Vec<u8>, Skipped> {
    let object = repository.find_object(tree).map_err(|error| unreadable(tree, &error))?;
    Ok(object.detach().data)
}

fn entries(repository: &gix::Repository, tree: ObjectId) -> Result<Entries, Skipped> {
    let data = bytes(repository, tree)?;
    let side = Side::of(tree, &data, repository.object_hash())?;
    let owned = |entry: EntryRef<'_>| (entry.filename.to_owned(), (entry.mode, entry.oid.to_owned()));
    Ok(side.entries.into_iter().map(owned).collect())
}

/// One of the trees of a comparison. Entries are asked for in the order of the other, so the one that is asked for nearly
/// always stands where the last one left off.
struct Side<'a> {
    entries: Vec<EntryRef<'a>>,
    next: usize,
    /// Where each name stands, from when it is needed.
    places: Option<HashMap<&'a BStr, usize>>,
}

impl<'a> Side<'a> {
    fn of(tree: ObjectId, data: &'a [u8], hash: gix::hash::Kind) -> Result<Self, Skipped> {
        let entries = gix::objs::TreeRefIter::from_bytes(data, hash).collect::<Result<_, _>>();
        Ok(Self { entries: entries.map_err(|error| unreadable(tree, &error))?, next: 0, places: None })
    }

    fn find(&mut self, name: &BStr) -> Option<EntryRef<'a>> {
        let is_next = self.entries.get(self.next).is_some_and(|entry| entry.filename == name);
        if !is_next {
            let places = self.places.get_or_insert_with(|| {
                self.entries.iter().enumerate().map(|(place, entry)| (entry.filename, place)).collect()
            });
            self.next = *places.get(name)?;
        }
        self.next += 1;
        self.entries.get(self.next - 1).copied()
    }
}

/// How many bytes of whole entries two trees begin with alike, and with how many more they end alike.
fn alike(here: &[u8], there: &[u8], hash: gix::hash::Kind) -> (usize, usize) {
    /// So many bytes are compared at once.
    const CHUNK: usize = 64;
    // Where whole entries begin and end, from the first on.
    let edges = |data| {
        std::iter::once(0).chain(entries::of(data, hash).scan(0, |end, entry| {
            *end += entry.bytes.len();
            Some(*end)
        }))
    };
    let chunks = |(a, b): (&[u8], &[u8])| (a == b).then_some(a.len());
    let equal: usize = here.chunks(CHUNK).zip(there.chunks(CHUNK)).map_while(chunks).sum();
    let equal = equal + here[equal..].iter().zip(&there[equal..]).take_while(|(a, b)| a == b).count();
    let start = edges(here).take_while(|&edge| edge <= equal).last().unwrap_or(0);
    let (here, there) = (&here[start..], &there[start..]);
    let tail: usize = here.rchunks(CHUNK).zip(there.rchunks(CHUNK)).map_while(chunks).sum();
    let (head, other) = (&here[..here.len() - tail], &there[..there.len() - tail]);
    let tail = tail + head.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    let end = edges(here).find(|&edge| here.len() - edge <= tail).map_or(0, |edge| here.len() - edge);
    // What ends alike has to be entries on both sides.
    let goal = there.len() - end;
    let is_whole = edges(there).find(|&edge| edge >= goal) == Some(goal);
    (start, if is_whole { end } else { 0 })
}

impl Changes {
    /// What a tree has that none of its parents has at that path. Without parents everything is new.
    #[must_use]
    pub fn of_tree(repository: &gix::Repository, tree: ObjectId, parents: &[ObjectId]) -> Self {
        let mut changes = Self::default();
        changes.tree(repository, tree, parents, BStr::new(""), 0);
        changes
    }

    fn tree(
        &mut self,
        repository: &gix::Repository,
        tree: ObjectId,
        parents: &[ObjectId],
        prefix: &BStr,
        depth: usize,
    ) {
        if parents.contains(&tree) {
            return;
        }
        if depth > DEEPEST {
            self.skipped.push(Skipped {
                path: prefix.to_string(),
                reason: format!("nested more than {DEEPEST} deep"),
            });
            return;
        }
        let read = |&tree: &ObjectId| bytes(repository, tree);
        let (here, before) = match (read(&tree), parents.iter().map(read).collect::<Result<Vec<_>, _>>()) {
            (Ok(here), Ok(before)) => (here, before),
            (Err(skipped), _) | (_, Err(skipped)) => return self.skipped.push(skipped),
        };
        let hash = repository.object_hash();
        // Of a tree of hundreds of entries a commit changes one: those before and after it need not be told apart.
        let (same, end) = match before.as_slice() {
            [before] => alike(&here, before, hash),
            _ => (0, 0),
        };
        let parents = parents.iter().zip(&before);
        let parents = parents.map(|(&tree, data)| Side::of(tree, &data[same..data.len() - end], hash));
        let here = Side::of(tree, &here[same..here.len() - end], hash);
        let (here, mut before) = match (here, parents.collect::<Result<Vec<_>, _>>()) {
            (Ok(here), Ok(before)) => (here, before),
            (Err(skipped), _) | (_, Err(skipped)) => return self.skipped.push(skipped),
        };
        for entry in here.entries {
            let old: Vec<EntryRef<'_>> =
                before.iter_mut().filter_map(|side| side.find(entry.filename)).collect();
            if old.iter().any(|old| old.oid == entry.oid) || entry.mode.is_commit() {
                continue;
            }
            let path = join(prefix, entry.filename);
            let of_kind = |kind: fn(&EntryMode) -> bool| {
                old.iter().filter(|old| kind(&old.mode)).map(|old| old.oid.to_owned()).collect::<Vec<_>>()
            };
            if entry.mode.is_tree() {
                let parents = of_kind(EntryMode::is_tree);
                self.tree(repository, entry.oid.to_owned(), &parents, path.as_bstr(), depth + 1);
            } else {
                let before = of_kind(EntryMode::is_blob_or_symlink);
                self.changed.push(Change { path, blob: entry.oid.to_owned(), before });
            }
        }
    }

    /// What an index would commit that HEAD does not have. The index's own cache of trees tells which folders are
    /// the same, so that only the others are read.
    pub fn of_index(repository: &gix::Repository) -> Result<Self, Error> {
        let path = match std::env::var_os("GIT_INDEX_FILE") {
            Some(path) => path.into(),
            None => repository.index_path(),
        };
        let options = gix::index::decode::Options { thread_limit: Some(2), ..Default::default() };
        let index = gix::index::File::at_or_default(&path, repository.object_hash(), true, options).map_err(
            |error| Error::Unreadable { path: path.display().to_string(), reason: causes(&error) },
        )?;
        let head = repository
            .head_tree_id_or_empty()
            .map_err(|error| Error::Unreadable { path: "HEAD".into(), reason: error.to_string() })?;
        let mut changes = Self::default();
        let comparison = Comparison { repository, index: &index };
        comparison.folder(&mut changes, index.tree(), Some(head.detach()), 0..index.entries().len(), 0);
        Ok(changes)
    }

    fn removed_below(&mut self, repository: &gix::Repository, tree: ObjectId, depth: usize) {
        let Ok(entries) = entries(repository, tree) else { return };
        for (mode, id) in entries.into_values() {
            if mode.is_tree() && depth < DEEPEST {
                self.removed_below(repository, id, depth + 1);
            } else if mode.is_blob() {
                self.removed.push(id);
            }
        }
    }
}

struct Comparison<'a> {
    repository: &'a gix::Repository,
    index: &'a gix::index::File,
}

impl Comparison<'_> {
    /// Compares one folder of the index, its entries `range`, whose path is `prefix` bytes long, with a tree of HEAD.
    fn folder(
        &self,
        changes: &mut Changes,
        cached: Option<&gix::index::extension::Tree>,
        head: Option<ObjectId>,
        range: std::ops::Range<usize>,
        prefix: usize,
    ) {
        if let (Some(cached), Some(head)) = (cached, head)
            && cached.num_entries.is_some_and(|number| number as usize == range.len())
            && cached.id == head
        {
            return;
        }
        let mut head = match head.map(|head| entries(self.repository, head)).transpose() {
            Ok(entries) => entries.unwrap_or_default(),
            Err(skipped) => return changes.skipped.push(skipped),
        };
        let mut at = range.start;
        while at < range.end {
            let entry = &self.index.entries()[at];
            let path = entry.path(self.index);
            let rest = &path[prefix..];
            match rest.find_byte(b'/') {
                Some(slash) if entry.mode != Mode::DIR => {
                    let name = rest[..slash].as_bstr();
                    let cached = cached.and_then(|tree| {
                        tree.children.iter().find(|child| child.name.as_slice() == name.as_bytes())
                    });
                    let end = self.end_of_folder(at, range.end, &path[..=(prefix + slash)], cached);
                    let tree = head.remove(name).filter(|(mode, _)| mode.is_tree()).map(|(_, id)| id);
                    self.folder(changes, cached, tree, at..end, prefix + slash + 1);
                    at = end;
                }
                _ => {
                    let old = head.get(rest.trim_end_with(|c| c == '/').as_bstr()).copied();
                    self.entry(changes, at, old);
                    at += 1;
                    let unmerged = self
                        .index
                        .entries()
                        .get(at)
                        .is_some_and(|next| at < range.end && next.path(self.index) == path);
                    if !unmerged {
                        head.remove(rest.trim_end_with(|c| c == '/').as_bstr());
                    }
                }
            }
        }
        for (mode, id) in head.into_values() {
            if mode.is_tree() {
                changes.removed_below(self.repository, id, 0);
            } else if mode.is_blob() {
                changes.removed.push(id);
            }
        }
    }

    /// Where the entries below a folder end: told by the cache, and checked, or else looked for.
    fn end_of_folder(
        &self,
        start: usize,
        limit: usize,
        folder: &[u8],
        cached: Option<&gix::index::extension::Tree>,
    ) -> usize {
        let below = |at: usize| self.index.entries()[at].path(self.index).starts_with(folder);
        if let Some(number) = cached.and_then(|tree| tree.num_entries) {
            let end = start + number as usize;
            if number > 0 && end <= limit && below(end - 1) && (end == limit || !below(end)) {
                return end;
            }
        }
        (start..limit).find(|&at| !below(at)).unwrap_or(limit)
    }

    fn entry(&self, changes: &mut Changes, at: usize, old: Option<(EntryMode, ObjectId)>) {
        let entry = &self.index.entries()[at];
        // What is only meant to be added would not be committed; submodules are repositories of their own.
        if entry.flags.contains(Flags::INTENT_TO_ADD) || entry.mode == Mode::COMMIT {
            return;
        }
        if old.is_some_and(|(_, id)| id == entry.id) {
            return;
        }
        let path = entry.path(self.index).to_owned();
        if entry.mode == Mode::DIR {
            // A folder outside of a sparse checkout.
            let old: Vec<ObjectId> = old.map(|(_, id)| id).into_iter().collect();
            let folder = path.trim_end_with(|c| c == '/').as_bstr().to_owned();
            return changes.tree(self.repository, entry.id, &old, folder.as_bstr(), 0);
        }
        let before =
            old.filter(|(mode, _)| mode.is_blob_or_symlink()).map(|(_, id)| id).into_iter().collect();
        changes.changed.push(Change { path, blob: entry.id, before });
    }
}

fn join(prefix: &BStr, name: &BStr) -> BString {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        BString::from([prefix.as_bytes(), b"/", name.as_bytes()].concat())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::alike;

    fn tree(entries: &[(String, u8)]) -> Vec<u8> {
        entries
            .iter()
            .flat_map(|(name, id)| [b"100644 ", name.as_bytes(), &[0], &[*id; 20]].concat())
            .collect()
    }

    proptest! {
        /// Ids of zeros and of spaces look like the ends of names, and names are prefixes of one another.
        #[test]
        fn what_is_alike_is_whole_entries_and_what_is_left_differs(
            here in prop::collection::vec(("[ab]{1,3}", prop_oneof![Just(0), Just(b' '), Just(1)]), 0..8),
            there in prop::collection::vec(("[ab]{1,3}", prop_oneof![Just(0), Just(b' '), Just(1)]), 0..8),
        ) {
            let (a, b) = (tree(&here), tree(&there));
            let (start, end) = alike(&a, &b, gix::hash::Kind::Sha1);
            prop_assert_eq!(&a[..start], &b[..start]);
            prop_assert_eq!(&a[a.len() - end..], &b[b.len() - end..]);
            let first = (0..=here.len()).find(|&n| tree(&here[..n]).len() == start);
            let last = (0..=here.len()).find(|&n| tree(&here[n..]).len() == end);
            prop_assert!(first.is_some() && last.is_some() && first <= last);
            prop_assert!((0..=there.len()).any(|n| tree(&there[n..]).len() == end));
            let first = first.unwrap_or_default();
            prop_assert!(here.get(first).is_none() || here.get(first) != there.get(first));
        }
    }
}
