//! Folders compared with what they were before.

use std::collections::HashMap;
use std::ops::Range;
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
    /// Submodules, with their commits in the place of blobs.
    pub moved: Vec<Change>,
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

    /// What a folder has that it did not have in any of the trees before. Submodules are told apart: they are repositories of
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
        let (parts, before) = match (folder.before.as_slice(), before.as_slice()) {
            (&[old], [before]) => {
                let (parts, before) = self.differing((tree, &here), (old, before));
                (parts, vec![before])
            }
            _ => (vec![here.as_slice()], before.iter().map(|data| vec![data.as_slice()]).collect()),
        };
        let sides = folder.before.iter().zip(&before).map(|(&tree, parts)| Side::of(tree, parts, hash));
        let mut sides = sides.collect::<Result<Vec<_>, _>>()?;
        let full = |entry: Entry<'_>| {
            let read = entry.full(hash).ok_or_else(|| unreadable(tree, DAMAGED))?;
            Ok((read.mode, read.oid.to_owned()))
        };
        for entry in Side::of(tree, &parts, hash)?.entries {
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
            let path = join(folder.path.as_bstr(), entry.name().as_bstr());
            let old = old.into_iter().map(full).collect::<Result<Vec<_>, _>>()?.into_iter();
            let of_kind =
                |kind: fn(&EntryMode) -> bool| old.filter(|(mode, _)| kind(mode)).map(|(_, id)| id).collect();
            if mode.is_commit() {
                news.moved.push(Change { path, blob: id, before: of_kind(EntryMode::is_commit) });
            } else if mode.is_tree() {
                news.folders.push(Folder { path, tree: id, before: of_kind(EntryMode::is_tree) });
            } else {
                news.changed.push(Change { path, blob: id, before: of_kind(EntryMode::is_blob_or_symlink) });
            }
        }
        Ok(news)
    }

    /// The parts in which two trees differ: of the one, and of the other.
    fn differing<'d>(
        &mut self,
        here: (ObjectId, &'d [u8]),
        before: (ObjectId, &'d [u8]),
    ) -> (Vec<&'d [u8]>, Vec<&'d [u8]>) {
        let place = |tree| self.edges.iter().position(|(of, _)| *of == tree);
        let is_here = place(here.0).is_some();
        let (one, other) = if is_here { (here, before) } else { (before, here) };
        let known = match place(one.0) {
            Some(place) => self.edges.swap_remove(place).1,
            None => edges(one.1, self.hash).collect(),
        };
        let (pieces, found) = pieces(one.1, &known, other.1, self.hash);
        self.edges = vec![(one.0, known), (other.0, found)];
        let parts = pieces.into_iter().map(|(piece, others)| (&one.1[piece], &other.1[others]));
        let (parts, others) = parts.unzip();
        if is_here { (parts, others) } else { (others, parts) }
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
    /// Of parts of a tree. An entry that differs will be read fully; that the others could be is seen here.
    fn of(tree: ObjectId, parts: &[&'a [u8]], hash: gix::hash::Kind) -> Result<Self, Skipped> {
        let (mut entries, mut unread) = (Vec::new(), 0);
        for part in parts {
            unread += part.len();
            entries.extend(entries::of(part, hash).inspect(|entry| unread -= entry.bytes.len()));
        }
        if unread > 0 {
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

/// Where two trees differ: whole entries of the one, and what stands in their place in the other.
type Piece = (Range<usize>, Range<usize>);

/// Where two trees differ, and the edges of the second: most are those of the first, which are `known`, the zeroth of them 0. What
/// is between pieces is alike.
fn pieces(here: &[u8], known: &[usize], there: &[u8], hash: gix::hash::Kind) -> (Vec<Piece>, Vec<usize>) {
    let (mut pieces, mut found) = (Vec::new(), vec![0]);
    // Both stand at an edge, the first at that of a number.
    let (mut at, mut to, mut number) = (0, 0, 0);
    loop {
        let equal = at + same_start(&here[at..], &there[to..]);
        let next = known.partition_point(|&edge| edge <= equal);
        found.extend(known[number + 1..next].iter().map(|edge| to + (edge - at)));
        number = next - 1;
        (at, to) = (known[number], to + (known[number] - at));
        // Of a tree of hundreds of entries a commit changes a few.
        let first = |rest| entries::of(rest, hash).next();
        match (first(&here[at..]), first(&there[to..])) {
            (Some(one), Some(other)) if one.name() == other.name() => {
                let piece = (at..at + one.bytes.len(), to..to + other.bytes.len());
                (at, to, number) = (piece.0.end, piece.1.end, number + 1);
                found.push(to);
                pieces.push(piece);
            }
            _ => break,
        }
    }
    // From here on one of them has entries that the other has not: where they end alike.
    let tail = same_end(&here[at..], &there[to..]);
    let rest = known.partition_point(|&edge| edge < at || here.len() - edge > tail);
    let end = known.get(rest).map_or(0, |edge| here.len() - edge);
    let mut others = edges(&there[to..], hash).skip(1).map(|edge| to + edge);
    // What ends alike has to be entries on both sides.
    let (mut reached, goal) = (to, there.len() - end);
    while reached < goal
        && let Some(edge) = others.next()
    {
        found.push(edge);
        reached = edge;
    }
    if reached == goal {
        found.extend(known.iter().skip(rest + 1).map(|edge| edge + there.len() - here.len()));
        pieces.push((at..here.len() - end, to..goal));
    } else {
        found.extend(others);
        pieces.push((at..here.len(), to..there.len()));
    }
    (pieces, found)
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

    use super::{edges, pieces};

    fn tree(entries: &[(String, u8)]) -> Vec<u8> {
        entries
            .iter()
            .flat_map(|(name, id)| [b"100644 ", name.as_bytes(), &[0], &[*id; 20]].concat())
            .collect()
    }

    proptest! {
        /// Ids of zeros and of spaces look like the ends of names, and names are prefixes of one another.
        #[test]
        fn pieces_are_whole_entries_and_what_is_between_them_is_alike(
            here in prop::collection::vec(("[ab]{1,3}", prop_oneof![Just(0), Just(b' '), Just(1)]), 0..8),
            there in prop::collection::vec(("[ab]{1,3}", prop_oneof![Just(0), Just(b' '), Just(1)]), 0..8),
            likeness in 0..4_u8,
        ) {
            // Mostly alike: the same names, and some of them with the same ids.
            let there: Vec<_> = if likeness == 0 { there } else {
                let ids = there.iter().map(|(_, id)| *id).chain(std::iter::repeat(likeness));
                here.iter().cloned().zip(ids).map(|((name, id), other)| (name, if other == 1 { id } else { other })).collect()
            };
            let (a, b) = (tree(&here), tree(&there));
            let edges = |tree: &[u8]| edges(tree, gix::hash::Kind::Sha1).collect::<Vec<_>>();
            let (pieces, found) = pieces(&a, &edges(&a), &b, gix::hash::Kind::Sha1);
            prop_assert_eq!(&found, &edges(&b));
            let (mut at, mut to) = (0, 0);
            for (one, other) in pieces.into_iter().chain([(a.len()..a.len(), b.len()..b.len())]) {
                prop_assert_eq!(&a[at..one.start], &b[to..other.start]);
                prop_assert!(edges(&a).contains(&one.start) && edges(&a).contains(&one.end));
                prop_assert!(found.contains(&other.start) && found.contains(&other.end));
                // What both begin with would not be in it.
                let first = |tree: &[u8], from: usize, edges: &[usize]| {
                    edges.iter().find(|&&edge| edge > from).map(|&end| tree[from..end].to_vec())
                };
                let (begins, begun) = (first(&a, one.start, &edges(&a)), first(&b, other.start, &found));
                prop_assert!(one.is_empty() || begins.is_none() || begins != begun);
                (at, to) = (one.end, other.end);
            }
        }
    }
}
