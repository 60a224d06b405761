//! The commits of a repository, parents before children.

use std::sync::{Arc, Mutex, PoisonError};

use gix::ObjectId;
use gix::hashtable::{HashMap, HashSet, hash_map};

use super::guarded::{self, Links};
use super::objects::Objects;
use super::repository::{causes, find_intact, shallow_boundary};
use crate::model::{Commit, Tally, Unit};

/// So many commits are read beforehand at most.
const MOST_FORESEEN: usize = 500_000;
/// The most that is read of a reflog, in bytes.
const LONGEST_LOG: u64 = 256 << 20;

/// One commit.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its id.
    pub id: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
    /// Its parents, by their place in the list; parents that are not there (a shallow clone) are left out.
    pub parents: Vec<usize>,
    /// The ids of all its parents.
    pub parent_ids: Vec<ObjectId>,
    /// A branch, tag, HEAD or stash leads to it.
    pub reachable: bool,
    /// It belongs to notes: the reference's name goes before its paths.
    pub notes: Option<Arc<str>>,
}

/// All commits, parents before children.
#[derive(Debug, Default)]
pub struct Commits {
    /// The list.
    pub nodes: Vec<Node>,
    /// The commits that the walk started from.
    pub tips: Vec<ObjectId>,
}

/// Where a walk starts.
#[derive(Debug, Clone)]
struct Tip {
    id: ObjectId,
    reachable: bool,
    notes: Option<Arc<str>>,
}

impl Commits {
    /// Walks from all references, HEADs of all worktrees and reflogs, then from `others`, the commits that nothing
    /// leads to.
    #[must_use]
    pub fn all(
        repository: &gix::Repository,
        objects: &Objects,
        others: impl IntoIterator<Item = ObjectId>,
        tally: &Tally,
    ) -> Self {
        let mut tips = Vec::new();
        let mut commits = Self::default();
        references(repository, &mut tips);
        logged(repository, &mut tips);
        tips.extend(others.into_iter().map(|id| Tip { id, reachable: false, notes: None }));
        commits.walk(repository, tips, None, foreseen(repository, objects), tally);
        commits
    }

    /// The commits that are reachable from `tips` and not from `hidden`. What is older than where both lead to is not read. Where
    /// clocks went wrong, some may be among them that `hidden` leads to as well, as with git itself; never too few.
    #[must_use]
    pub fn between(
        repository: &gix::Repository,
        tips: &[ObjectId],
        hidden: &[ObjectId],
        tally: &Tally,
    ) -> Self {
        let mut commits = Self::default();
        let tips = peeled_all(repository, tips, tally);
        let hidden = peeled_all(repository, hidden, tally);
        let mut within = HashSet::default();
        // A file of git's that says what commits are may say anything.
        match repository.rev_walk(tips.iter().copied()).use_commit_graph(false).with_hidden(hidden).all() {
            Ok(walk) => {
                for commit in walk {
                    match commit {
                        Ok(commit) => drop(within.insert(commit.id)),
                        Err(error) => tally.skip(Unit::Objects, "commits", causes(&error)),
                    }
                }
            }
            Err(error) => tally.skip(Unit::Objects, "commits", causes(&error)),
        }
        let tips = tips.into_iter().map(|id| Tip { id, reachable: true, notes: None }).collect();
        commits.walk(repository, tips, Some(&within), HashMap::default(), tally);
        commits
    }

    /// Depth first with an explicit stack, so that a commit is listed after all of its parents: each stands on the
    /// stack twice, the second time with what was read of it, below its parents. Others than those `within` are not come to.
    fn walk(
        &mut self,
        repository: &gix::Repository,
        tips: Vec<Tip>,
        within: Option<&HashSet>,
        mut foreseen: HashMap<ObjectId, Read>,
        tally: &Tally,
    ) {
        let boundary = shallow_boundary(repository);
        let mut places: HashMap<ObjectId, usize> = HashMap::default();
        let mut tried: HashSet = HashSet::default();
        for tip in tips {
            self.tips.push(tip.id);
            let mut stack: Vec<(ObjectId, Option<Read>)> = vec![(tip.id, None)];
            while let Some((id, read)) = stack.pop() {
                if let Some((tree, parents)) = read {
                    if let hash_map::Entry::Vacant(place) = places.entry(id) {
                        place.insert(self.nodes.len());
                        let known = parents.iter().filter_map(|parent| places.get(parent).copied()).collect();
                        self.nodes.push(Node {
                            id,
                            tree,
                            parents: known,
                            parent_ids: parents,
                            reachable: tip.reachable,
                            notes: tip.notes.clone(),
                        });
                    }
                    continue;
                }
                if within.is_some_and(|within| !within.contains(&id)) || !tried.insert(id) {
                    continue;
                }
                let read =
                    foreseen.remove(&id).map_or_else(|| commit(repository, id), |read| Ok(Some((id, read))));
                match read {
                    Ok(Some((_, (tree, parents)))) => {
                        let parents = if boundary.contains(&id) { Vec::new() } else { parents };
                        stack.push((id, Some((tree, parents.clone()))));
                        stack.extend(parents.into_iter().map(|parent| (parent, None)));
                    }
                    Ok(None) => {}
                    Err(reason) => tally.skip(Unit::Objects, format_args!("commit {id}"), reason),
                }
            }
        }
    }
}

/// The commits that ids stand for. Trees and blobs are left out, what cannot be read is named.
fn peeled_all(repository: &gix::Repository, ids: &[ObjectId], tally: &Tally) -> Vec<ObjectId> {
    let peeled = |&id: &ObjectId| match commit(repository, id) {
        Ok(found) => found.map(|(id, _)| id),
        Err(reason) => {
            tally.skip(Unit::Objects, format_args!("commit {id}"), reason);
            None
        }
    };
    ids.iter().filter_map(peeled).collect()
}

/// A commit's tree and parents.
type Read = (ObjectId, Vec<ObjectId>);

/// The commits of all packs, read at once and on all cores: far faster than one by one. What is not among them is read when it
/// is come to.
fn foreseen(repository: &gix::Repository, objects: &Objects) -> HashMap<ObjectId, Read> {
    let foreseen: Mutex<HashMap<ObjectId, Read>> = Mutex::default();
    let hash = repository.object_hash();
    objects.packed(gix::object::Kind::Commit, |id, data| {
        let commit = |data| gix::objs::CommitRefIter::from_bytes(data, hash);
        let Ok(tree) = commit(data).tree_id() else { return };
        let mut foreseen = foreseen.lock().unwrap_or_else(PoisonError::into_inner);
        if foreseen.len() < MOST_FORESEEN {
            foreseen.insert(id.to_owned(), (tree, commit(data).parent_ids().collect()));
        }
    });
    foreseen.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The commit that an id stands for, tags followed, and what it says; nothing if the id is that of a tree or blob.
fn commit(repository: &gix::Repository, id: ObjectId) -> Result<Option<(ObjectId, Read)>, String> {
    let mut object = find_intact(repository, &id)?;
    for _ in 0..32 {
        match object.kind {
            gix::object::Kind::Commit => {
                let commit = object.into_commit();
                let tree = commit.tree_id().map_err(|error| error.to_string())?.detach();
                let parents = commit.parent_ids().map(gix::Id::detach).collect();
                return Ok(Some((commit.id, (tree, parents))));
            }
            gix::object::Kind::Tag => {
                let target = object.into_tag().target_id().map_err(|error| error.to_string())?.detach();
                object = find_intact(repository, &target)?;
            }
            _ => return Ok(None),
        }
    }
    Err("a chain of tags without an end".into())
}

/// The commit that an id stands for, tags followed.
fn peeled(repository: &gix::Repository, id: ObjectId) -> Option<ObjectId> {
    let object = repository.find_object(id).ok()?;
    object.peel_to_kind(gix::object::Kind::Commit).ok().map(|commit| commit.id)
}

/// All references that name an object, with what they name; references to references lead to it by others. What cannot be read,
/// and what leads to no object, is named.
fn named(repository: &gix::Repository, tally: &Tally) -> Vec<(String, ObjectId)> {
    let skip = |reason: String| tally.skip(Unit::References, "refs", reason);
    let platform = match repository.references() {
        Ok(platform) => platform,
        Err(error) => {
            skip(error.to_string());
            return Vec::new();
        }
    };
    let all = match platform.all() {
        Ok(all) => all,
        Err(error) => {
            skip(error.to_string());
            return Vec::new();
        }
    };
    let mut named = Vec::new();
    for reference in all {
        match reference {
            Ok(reference) => {
                let name = reference.name().as_bstr().to_string();
                match reference.try_id().map(gix::Id::detach) {
                    Some(id) => named.push((name, id)),
                    None if leads_to_an_object(reference) || is_default_of_remote(&name) => {}
                    None => tally.skip(
                        Unit::References,
                        name,
                        "a reference to a reference that leads to no object: what it stood for was not read",
                    ),
                }
            }
            Err(error) => skip(error.to_string()),
        }
    }
    named
}

/// References to references to references: no more of them are followed, as with git.
const MOST_SYMBOLIC: usize = 5;

/// Whether a reference to a reference ends at an object.
fn leads_to_an_object(mut reference: gix::Reference<'_>) -> bool {
    for _ in 0..MOST_SYMBOLIC {
        let Some(Ok(next)) = reference.follow() else { return false };
        if next.try_id().is_some() {
            return true;
        }
        reference = next;
    }
    false
}

/// `origin/HEAD` names the branch that a remote had as its default, and dangles once that was renamed: it never held anything itself.
fn is_default_of_remote(name: &str) -> bool {
    name.starts_with("refs/remotes/") && name.ends_with("/HEAD")
}

/// Follows all references, by way of tags: what leads nowhere, and what cannot be read, is named.
pub fn follow_references(repository: &gix::Repository, tally: &Tally) {
    for (path, id) in named(repository, tally) {
        let reference = tally.know(Unit::References, path);
        match end_of_tags(repository, id) {
            Some(missing) => reference
                .skip(format_args!("it leads to {missing}, which is not here: what that holds was not read")),
            None => reference.read(),
        }
    }
}

/// What an id stands for, if it is not here; tags are followed.
fn end_of_tags(repository: &gix::Repository, mut id: ObjectId) -> Option<ObjectId> {
    for _ in 0..32 {
        let Ok(Some(header)) = repository.try_find_header(id) else { return Some(id) };
        if header.kind() != gix::object::Kind::Tag {
            return None;
        }
        id = repository.find_tag(id).ok()?.target_id().ok()?.detach();
    }
    None
}

fn references(repository: &gix::Repository, tips: &mut Vec<Tip>) {
    // What cannot be read is told of by itself, also where nobody asks for the tips.
    for (name, id) in named(repository, &Tally::default()) {
        let notes = name.starts_with("refs/notes/").then(|| Arc::from(name.as_str()));
        if let Some(id) = peeled(repository, id) {
            tips.push(Tip { id, reachable: true, notes });
        }
    }
    let mut heads: Vec<ObjectId> = repository.head_id().ok().map(gix::Id::detach).into_iter().collect();
    // Detached HEADs of linked worktrees.
    let worktrees = std::fs::read_dir(repository.common_dir().join("worktrees"));
    for folder in worktrees.into_iter().flatten().filter_map(Result::ok) {
        let head = folder.path().join("HEAD");
        let head = guarded::text(&head, guarded::LINE, Links::BetweenGitFolders).ok().flatten();
        let head = head.unwrap_or_default();
        heads.extend(ObjectId::from_hex(head.trim().as_bytes()));
    }
    tips.extend(heads.into_iter().filter_map(|id| peeled(repository, id)).map(|id| Tip {
        id,
        reachable: true,
        notes: None,
    }));
}

/// Commits that only a reflog remembers, older stashes among them.
fn logged(repository: &gix::Repository, tips: &mut Vec<Tip>) {
    let mut folders = vec![repository.common_dir().join("logs")];
    let hex = repository.object_hash().len_in_hex();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let stash = entry.file_name() == "stash";
                let text = guarded::read(&entry.path(), LONGEST_LOG, Links::BetweenGitFolders);
                let text = text.ok().flatten().unwrap_or_default();
                for line in text.split(|&b| b == b'\n') {
                    let ids = [line.get(..hex), line.get(hex + 1..2 * hex + 1)];
                    for id in ids.into_iter().flatten().filter_map(|id| ObjectId::from_hex(id).ok()) {
                        if !id.is_null() && repository.has_object(id) {
                            tips.push(Tip { id, reachable: stash, notes: None });
                        }
                    }
                }
            }
        }
    }
}

/// What a report says of a commit.
#[must_use]
pub fn describe(repository: &gix::Repository, id: ObjectId) -> Option<Commit> {
    let commit = repository.find_object(id).ok()?.try_into_commit().ok()?;
    let author = commit.author().ok()?;
    let date = author.time().ok().map(|time| time.format_or_unix(gix::date::time::format::ISO8601_STRICT));
    let summary = commit.message_raw_sloppy().to_string();
    Some(Commit {
        id: id.to_string(),
        author: author.name.to_string(),
        email: author.email.to_string(),
        date: date.unwrap_or_default(),
        summary: summary.trim_start().lines().next().unwrap_or_default().to_owned(),
    })
}

/// The blob at a path in a commit, where there is one.
#[must_use]
pub fn blob_at(repository: &gix::Repository, commit: ObjectId, path: &str) -> Option<ObjectId> {
    let tree = repository.find_commit(commit).ok()?.tree().ok()?;
    let entry = tree.lookup_entry_by_path(path).ok()??;
    entry.mode().is_blob_or_symlink().then(|| entry.object_id())
}
