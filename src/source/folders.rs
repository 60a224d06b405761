//! Folders compared with what they were before.

use std::collections::HashMap;
use std::sync::Arc;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::objs::tree::EntryMode;

use super::entries::{self, Entry};
use super::versions::Versions;
use crate::model::Skipped;

/// Folders nested deeper than this are named and not entered.
pub const DEEPEST: usize = 1_000;

/// Why a tree is passed over.
pub const DAMAGED: &str = "it is damaged";

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

/// A comparison of folders. Versions of one path follow each other, and in the next one entries begin mostly where they do in the
/// last, so where they do is kept of the two trees that were compared last.
pub struct Folders<'a, 'b> {
    trees: &'a mut Versions<'b>,
    hash: gix::hash::Kind,
    /// Where whole entries begin and end in a tree.
    edges: Vec<(ObjectId, Vec<usize>)>,
}

impl<'a, 'b> Folders<'a, 'b> {
    /// A comparison that has not begun.
    pub fn of(trees: &'a mut Versions<'b>) -> Self {
        Self { hash: trees.repository().object_hash(), trees, edges: Vec::new() }
    }

    /// What a folder has that it did not have in any of the trees before. Submodules are left out: they are repositories of
    /// their own.
    pub fn news(&mut self, folder: &Folder) -> Result<News, Skipped> {
        let (tree, hash, mut news) = (folder.tree, self.hash, News::default());
        if folder.before.contains(&tree) {
            return Ok(news);
        }
        if memchr::memchr_iter(b'/', &folder.path).count() >= DEEPEST {
            let reason = format!("nested more than {DEEPEST} deep");
            return Err(Skipped { path: folder.path.to_string(), reason });
        }
        let here = read(self.trees, tree)?;
        let before =
            folder.before.iter().map(|&tree| read(self.trees, tree)).collect::<Result<Vec<_>, _>>()?;
        // Of a tree of hundreds of entries a commit changes one: those before and after it need not be told apart.
        let (same, end) = match (folder.before.as_slice(), before.as_slice()) {
            (&[old], [before]) => self.alike((tree, &here), (old, before)),
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

    /// How many bytes of whole entries two trees begin with alike, and with how many more they end alike.
    fn alike(&mut self, here: (ObjectId, &[u8]), before: (ObjectId, &[u8])) -> (usize, usize) {
        let place = |tree| self.edges.iter().position(|(of, _)| *of == tree);
        let (one, other) = if place(here.0).is_some() { (here, before) } else { (before, here) };
        let known = match place(one.0) {
            Some(place) => self.edges.swap_remove(place).1,
            None => edges(one.1, self.hash).collect(),
        };
        let (start, end, found) = alike(one.1, &known, other.1, self.hash);
        self.edges = vec![(one.0, known), (other.0, found)];
        (start, end)
    }
}

/// A tree that is passed over, and why.
#[must_use]
pub fn unreadable(tree: ObjectId, reason: &str) -> Skipped {
    Skipped { path: format!("tree {tree}"), reason: reason.to_owned() }
}

/// A tree as it is written.
pub fn read(trees: &mut Versions<'_>, tree: ObjectId) -> Result<Arc<Vec<u8>>, Skipped> {
    trees.read(&tree).map_err(|error| unreadable(tree, &error))
}

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

/// Where whole entries begin and end, from the first on.
fn edges(tree: &[u8], hash: gix::hash::Kind) -> impl Iterator<Item = usize> {
    let ends = entries::of(tree, hash).scan(0, |end, entry| {
        *end += entry.bytes.len();
        Some(*end)
    });
    std::iter::once(0).chain(ends)
}

/// How many bytes of whole entries two trees begin with alike, with how many more they end alike, and the edges of the second:
/// most are those of the first, which are `known`, the zeroth of them 0.
fn alike(here: &[u8], known: &[usize], there: &[u8], hash: gix::hash::Kind) -> (usize, usize, Vec<usize>) {
    let equal = same_start(here, there);
    let begin = known.partition_point(|&edge| edge <= equal);
    let start = known[begin - 1];
    let tail = same_end(&here[start..], &there[start..]);
    let rest = known.partition_point(|&edge| edge < start || here.len() - edge > tail);
    let end = known.get(rest).map_or(0, |edge| here.len() - edge);
    let mut found = known[..begin].to_vec();
    let mut others = edges(&there[start..], hash).skip(1).map(|edge| start + edge);
    // What ends alike has to be entries on both sides.
    let (mut at, goal) = (start, there.len() - end);
    while at < goal
        && let Some(edge) = others.next()
    {
        found.push(edge);
        at = edge;
    }
    if at == goal {
        found.extend(known.iter().skip(rest + 1).map(|edge| edge + there.len() - here.len()));
        (start, end, found)
    } else {
        found.extend(others);
        (start, 0, found)
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

    use super::{alike, edges};

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
            let edges = |tree: &[u8]| edges(tree, gix::hash::Kind::Sha1).collect::<Vec<_>>();
            let (start, end, found) = alike(&a, &edges(&a), &b, gix::hash::Kind::Sha1);
            prop_assert_eq!(found, edges(&b));
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
