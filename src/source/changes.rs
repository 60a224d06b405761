//! What changes between trees: blobs that stand at a path now and did not before.

use std::collections::HashMap;
use std::sync::Arc;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::index::entry::{Flags, Mode};
use gix::objs::tree::{EntryMode, EntryRef};

use super::entries::{self, Entry};
use super::repository::{Error, causes};
use super::versions::{Packs, Versions};
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

fn unreadable(tree: ObjectId, reason: &str) -> Skipped {
    Skipped { path: format!("tree {tree}"), reason: reason.to_owned() }
}

fn read(trees: &mut Versions<'_>, tree: ObjectId) -> Result<Arc<Vec<u8>>, Skipped> {
    trees.read(&tree).map_err(|error| unreadable(tree, &error))
}

fn entries(trees: &mut Versions<'_>, tree: ObjectId) -> Result<Entries, Skipped> {
    let data = read(trees, tree)?;
    let entry = |entry: EntryRef<'_>| (entry.filename.to_owned(), (entry.mode, entry.oid.to_owned()));
    let all = gix::objs::TreeRefIter::from_bytes(&data, trees.repository().object_hash())
        .map(|read| read.map(entry));
    all.collect::<Result<_, _>>().map_err(|_| unreadable(tree, DAMAGED))
}

/// Why a tree is passed over.
const DAMAGED: &str = "it is damaged";

/// One of the trees of a comparison. Entries are asked for in the order of the other, so the one that is asked for nearly
/// always stands where the last one left off.
struct Side<'a> {
    entries: Vec<Entry<'a>>,
    next: usize,
    /// Where each name stands, from when it is needed.
    places: Option<HashMap<&'a [u8], usize>>,
}

impl<'a> Side<'a> {
    /// Of a part of a tree. An entry that differs will be read fully; that the others could be is seen here.
    fn of(tree: ObjectId, data: &'a [u8], hash: gix::hash::Kind) -> Result<Self, Skipped> {
        let entries: Vec<Entry<'_>> = entries::of(data, hash).collect();
        let read: usize = entries.iter().map(|entry| entry.bytes.len()).sum();
        if read < data.len() {
            return Err(unreadable(tree, DAMAGED));
        }
        Ok(Self { entries, next: 0, places: None })
    }

    /// Whether an entry stands here as it is, where the last one left off.
    fn passes(&mut self, entry: &Entry<'_>) -> bool {
        let passes = self.entries.get(self.next).is_some_and(|next| next.bytes == entry.bytes);
        self.next += usize::from(passes);
        passes
    }

    fn find(&mut self, name: &[u8]) -> Option<Entry<'a>> {
        let is_next = self.entries.get(self.next).is_some_and(|entry| entry.name() == name);
        if !is_next {
            let places = self.places.get_or_insert_with(|| {
                self.entries.iter().enumerate().map(|(place, entry)| (entry.name(), place)).collect()
            });
            self.next = *places.get(name)?;
        }
        self.next += 1;
        self.entries.get(self.next - 1).copied()
    }
}

/// So many bytes are compared at once, then fewer where those differ.
const COMPARED: [usize; 3] = [256, 16, 1];

/// How many bytes two texts begin with alike.
fn same_start(here: &[u8], there: &[u8]) -> usize {
    let equal = |(a, b): (&[u8], &[u8])| (a == b).then_some(a.len());
    COMPARED.iter().fold(0, |same, &size| {
        let chunks = here[same..].chunks(size).zip(there[same..].chunks(size));
        same + chunks.map_while(equal).sum::<usize>()
    })
}

/// How many bytes two texts end with alike.
fn same_end(here: &[u8], there: &[u8]) -> usize {
    let equal = |(a, b): (&[u8], &[u8])| (a == b).then_some(a.len());
    COMPARED.iter().fold(0, |same, &size| {
        let (here, there) = (&here[..here.len() - same], &there[..there.len() - same]);
        same + here.rchunks(size).zip(there.rchunks(size)).map_while(equal).sum::<usize>()
    })
}

/// How many bytes of whole entries two trees begin with alike, and with how many more they end alike.
fn alike(here: &[u8], there: &[u8], hash: gix::hash::Kind) -> (usize, usize) {
    // Where whole entries begin and end, from the first on.
    let edges = |data| {
        std::iter::once(0).chain(entries::of(data, hash).scan(0, |end, entry| {
            *end += entry.bytes.len();
            Some(*end)
        }))
    };
    let equal = same_start(here, there);
    let start = edges(here).take_while(|&edge| edge <= equal).last().unwrap_or(0);
    let (here, there) = (&here[start..], &there[start..]);
    let tail = same_end(here, there);
    let end = edges(here).find(|&edge| here.len() - edge <= tail).map_or(0, |edge| here.len() - edge);
    // What ends alike has to be entries on both sides.
    let goal = there.len() - end;
    let is_whole = edges(there).find(|&edge| edge >= goal) == Some(goal);
    (start, if is_whole { end } else { 0 })
}

/// A folder, to be compared with what stood at its path before.
#[derive(Debug, Clone)]
pub struct Folder {
    /// Where it stands; nothing for the top.
    pub path: BString,
    /// What it holds now.
    pub tree: ObjectId,
    /// What it held before, in each of the trees compared with.
    pub before: Vec<ObjectId>,
}

/// What is new in a folder itself.
#[derive(Debug, Default)]
pub struct News {
    /// Folders in which something is new.
    pub folders: Vec<Folder>,
    /// Blobs.
    pub changed: Vec<Change>,
}

/// What a folder has that it did not have in any of the trees before. Submodules are left out: they are repositories of
/// their own.
pub fn news(trees: &mut Versions<'_>, folder: &Folder) -> Result<News, Skipped> {
    let (tree, hash, mut news) = (folder.tree, trees.repository().object_hash(), News::default());
    if folder.before.contains(&tree) {
        return Ok(news);
    }
    if memchr::memchr_iter(b'/', &folder.path).count() >= DEEPEST {
        let reason = format!("nested more than {DEEPEST} deep");
        return Err(Skipped { path: folder.path.to_string(), reason });
    }
    let here = read(trees, tree)?;
    let before = folder.before.iter().map(|&tree| read(trees, tree)).collect::<Result<Vec<_>, _>>()?;
    // Of a tree of hundreds of entries a commit changes one: those before and after it need not be told apart.
    let (same, end) = match before.as_slice() {
        [before] => alike(&here, before, hash),
        _ => (0, 0),
    };
    let sides = folder.before.iter().zip(&before);
    let sides = sides.map(|(&tree, data)| Side::of(tree, &data[same..data.len() - end], hash));
    let mut sides = sides.collect::<Result<Vec<_>, _>>()?;
    let full = |entry: Entry<'_>| {
        let read = entry.full(hash).ok_or_else(|| unreadable(tree, DAMAGED))?;
        Ok((read.mode, read.oid.to_owned()))
    };
    for entry in Side::of(tree, &here[same..here.len() - end], hash)?.entries {
        let mut passed = false;
        for side in &mut sides {
            passed |= side.passes(&entry);
        }
        if passed {
            continue;
        }
        let old: Vec<Entry<'_>> = sides.iter_mut().filter_map(|side| side.find(entry.name())).collect();
        if old.iter().any(|old| old.id == entry.id) {
            continue;
        }
        let (mode, id) = full(entry)?;
        if mode.is_commit() {
            continue;
        }
        let path = join(folder.path.as_bstr(), entry.name().as_bstr());
        let old = old.into_iter().map(full).collect::<Result<Vec<_>, _>>()?.into_iter();
        let of_kind =
            |kind: fn(&EntryMode) -> bool| old.filter(|(mode, _)| kind(mode)).map(|(_, id)| id).collect();
        if mode.is_tree() {
            news.folders.push(Folder { path, tree: id, before: of_kind(EntryMode::is_tree) });
        } else {
            news.changed.push(Change { path, blob: id, before: of_kind(EntryMode::is_blob_or_symlink) });
        }
    }
    Ok(news)
}

impl Changes {
    /// Adds what is new in a folder and below it.
    fn below(&mut self, trees: &mut Versions<'_>, folder: Folder) {
        let mut left = vec![folder];
        while let Some(folder) = left.pop() {
            match news(trees, &folder) {
                Ok(news) => {
                    left.extend(news.folders);
                    self.changed.extend(news.changed);
                }
                Err(skipped) => self.skipped.push(skipped),
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
        let packs = Packs::none();
        let mut comparison = Comparison { trees: Versions::of(repository, &packs), index: &index };
        comparison.folder(&mut changes, index.tree(), Some(head.detach()), 0..index.entries().len(), 0);
        Ok(changes)
    }

    fn removed_below(&mut self, trees: &mut Versions<'_>, tree: ObjectId, depth: usize) {
        let Ok(entries) = entries(trees, tree) else { return };
        for (mode, id) in entries.into_values() {
            if mode.is_tree() && depth < DEEPEST {
                self.removed_below(trees, id, depth + 1);
            } else if mode.is_blob() {
                self.removed.push(id);
            }
        }
    }
}

struct Comparison<'a> {
    trees: Versions<'a>,
    index: &'a gix::index::File,
}

impl Comparison<'_> {
    /// Compares one folder of the index, its entries `range`, whose path is `prefix` bytes long, with a tree of HEAD.
    fn folder(
        &mut self,
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
        let mut head = match head.map(|head| entries(&mut self.trees, head)).transpose() {
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
                changes.removed_below(&mut self.trees, id, 0);
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

    fn entry(&mut self, changes: &mut Changes, at: usize, old: Option<(EntryMode, ObjectId)>) {
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
            let path = path.trim_end_with(|c| c == '/').as_bstr().to_owned();
            return changes.below(&mut self.trees, Folder { path, tree: entry.id, before: old });
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
