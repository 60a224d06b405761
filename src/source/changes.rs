//! What changes between trees: blobs that stand at a path now and did not before.

use std::collections::HashMap;

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};
use gix::hashtable::HashSet;
use gix::index::entry::{Flags, Mode};
use gix::objs::tree::{EntryMode, EntryRef};

use super::folders::{Change, DAMAGED, DEEPEST, Folder, Folders, read, unreadable};
use super::places::Places;
use super::repository::{Error, causes};
use super::tracked;
use super::versions::{Packs, Versions};
use crate::model::{Skipped, Tally, Unit};

/// All changes of one comparison.
#[derive(Debug, Default)]
pub struct Changes {
    /// New blobs.
    pub changed: Vec<Change>,
    /// Submodules that stand at another commit, which is in the place of a blob.
    pub moved: Vec<Change>,
    /// Blobs that stood somewhere before and no longer do: what was moved came from here.
    pub removed: Vec<ObjectId>,
    /// Folders that no longer stand where they stood, each entered once.
    taken_away: HashSet,
}

type Entries = HashMap<BString, (EntryMode, ObjectId)>;

fn entries(trees: &mut Versions<'_>, tree: ObjectId) -> Result<Entries, Skipped> {
    let data = read(trees, tree)?;
    let entry = |entry: EntryRef<'_>| (entry.filename.to_owned(), (entry.mode, entry.oid.to_owned()));
    let all = gix::objs::TreeRefIter::from_bytes(&data, trees.repository().object_hash())
        .map(|read| read.map(entry));
    all.collect::<Result<_, _>>().map_err(|_| unreadable(tree, DAMAGED))
}

impl Changes {
    /// Adds what is new in a folder and below it.
    fn below(&mut self, trees: &mut Versions<'_>, folder: Folder, tally: &Tally) {
        let repository = trees.repository().clone();
        let (mut folders, mut left, mut places) = (Folders::of(trees), vec![folder], Places::default());
        while let Some(folder) = left.pop() {
            match folders.news(&folder) {
                Ok(news) => {
                    tally.know(Unit::Objects, &folder.path).read();
                    left.extend(news.folders.into_iter().filter(|folder| places.allow_place(folder.tree)));
                    self.moved.extend(news.moved.into_iter().filter(|moved| places.allow_place(moved.blob)));
                    let changed = news.changed.into_iter();
                    self.changed.extend(changed.filter(|change| places.allow_blob(&repository, change.blob)));
                }
                Err(Skipped { path, reason }) => tally.skip(Unit::Objects, path, reason),
            }
        }
        places.name(tally);
    }

    /// What an index would commit that HEAD does not have. The index's own cache of trees tells which folders are
    /// the same, so that only the others are read.
    pub fn of_index(repository: &gix::Repository, tally: &Tally) -> Result<Self, Error> {
        let path = match std::env::var_os("GIT_INDEX_FILE") {
            Some(path) => path.into(),
            None => repository.index_path(),
        };
        tracked::vet(&path)
            .map_err(|reason| Error::Unreadable { path: path.display().to_string(), reason })?;
        let options = gix::index::decode::Options { thread_limit: Some(2), ..Default::default() };
        let index = gix::index::File::at_or_default(&path, repository.object_hash(), true, options).map_err(
            |error| Error::Unreadable { path: path.display().to_string(), reason: causes(&error) },
        )?;
        let head = repository
            .head_tree_id_or_empty()
            .map_err(|error| Error::Unreadable { path: "HEAD".into(), reason: error.to_string() })?;
        let mut changes = Self::default();
        let packs = Packs::none();
        let mut comparison = Comparison { trees: Versions::of(repository, &packs), index: &index, tally };
        comparison.folder(&mut changes, index.tree(), Some(head.detach()), 0..index.entries().len(), 0);
        Ok(changes)
    }

    /// All blobs of some trees.
    #[must_use]
    pub fn of_trees(repository: &gix::Repository, packs: &Packs, trees: &[ObjectId], tally: &Tally) -> Self {
        let (mut changes, mut versions) = (Self::default(), Versions::of(repository, packs));
        for &tree in trees {
            let folder = Folder { path: BString::default(), tree, before: Vec::new() };
            changes.below(&mut versions, folder, tally);
        }
        changes
    }

    /// Notes what no longer stands where it stood in HEAD: a blob, or all blobs of a folder.
    fn take_away(&mut self, trees: &mut Versions<'_>, (mode, id): (EntryMode, ObjectId), depth: usize) {
        if mode.is_blob() {
            self.removed.push(id);
        } else if mode.is_tree() && depth < DEEPEST && self.taken_away.insert(id) {
            let Ok(entries) = entries(trees, id) else { return };
            for entry in entries.into_values() {
                self.take_away(trees, entry, depth + 1);
            }
        }
    }
}

struct Comparison<'a> {
    trees: Versions<'a>,
    index: &'a gix::index::File,
    tally: &'a Tally,
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
            Err(Skipped { path, reason }) => return self.tally.skip(Unit::Objects, path, reason),
        };
        let mut at = range.start;
        while at < range.end {
            let entry = &self.index.entries()[at];
            let path = entry.path(self.index);
            let rest = &path[prefix..];
            let is_file = entry.mode != Mode::DIR;
            match rest.find_byte(b'/') {
                Some(slash) if is_file => {
                    let name = rest[..slash].as_bstr();
                    let cached = cached.and_then(|tree| {
                        tree.children.iter().find(|child| child.name.as_slice() == name.as_bytes())
                    });
                    let end = self.end_of_folder(at, range.end, &path[..=(prefix + slash)], cached);
                    let old = head.remove(name);
                    let tree = old.filter(|(mode, _)| mode.is_tree()).map(|(_, id)| id);
                    // A file that a folder has taken the place of.
                    if let Some(file) = old.filter(|_| tree.is_none()) {
                        changes.take_away(&mut self.trees, file, 0);
                    }
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
                        let old = head.remove(rest.trim_end_with(|c| c == '/').as_bstr());
                        // A folder that a file has taken the place of.
                        if let Some(folder) = old.filter(|(mode, _)| mode.is_tree() && is_file) {
                            changes.take_away(&mut self.trees, folder, 0);
                        }
                    }
                }
            }
        }
        for entry in head.into_values() {
            changes.take_away(&mut self.trees, entry, 0);
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
        // What is only meant to be added would not be committed.
        if entry.flags.contains(Flags::INTENT_TO_ADD) {
            return;
        }
        if old.is_some_and(|(_, id)| id == entry.id) {
            return;
        }
        let path = entry.path(self.index).to_owned();
        if entry.mode == Mode::COMMIT {
            let before = old.filter(|(mode, _)| mode.is_commit()).map(|(_, id)| id).into_iter().collect();
            return changes.moved.push(Change { path, blob: entry.id, before });
        }
        if entry.mode == Mode::DIR {
            // A folder outside of a sparse checkout.
            let old = old.filter(|(mode, _)| mode.is_tree()).map(|(_, id)| id).into_iter().collect();
            let path = path.trim_end_with(|c| c == '/').as_bstr().to_owned();
            let folder = Folder { path, tree: entry.id, before: old };
            return changes.below(&mut self.trees, folder, self.tally);
        }
        let before =
            old.filter(|(mode, _)| mode.is_blob_or_symlink()).map(|(_, id)| id).into_iter().collect();
        changes.changed.push(Change { path, blob: entry.id, before });
    }
}
