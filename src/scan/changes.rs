//! What a commit would add, and what some commits add: only values that were not there before.

use std::path::Path;

use gix::ObjectId;
use gix::hashtable::HashSet;

use super::between::Between;
use super::gather::Origin;
use super::pushed;
use super::scanner::Scanner;
use super::workers::Workers;
use super::{Found, Scanned, all_cores, moved};
use crate::detect::Detector;
use crate::model::Tally;
use crate::source::changes::Changes;
use crate::source::commits::{Commits, Node};
use crate::source::folders::Change;
use crate::source::repository::{self, Error, causes};
use crate::source::versions::{Packs, Versions};

/// Scans what would be committed: the index against HEAD. `whole` looks at whole staged files, not only at what they
/// add.
pub fn staged(detector: &Detector, root: &Path, whole: bool) -> Result<Scanned, Error> {
    let repository = repository::open(root)?;
    readable(&repository)?;
    let tally = Tally::default();
    tally.add(&repository.unread);
    let changes = Changes::of_index(&repository, &tally)?;
    let packs = Packs::none();
    let mut blobs = Versions::of(&repository, &packs);
    let mut scanner = Scanner::new(detector, &mut blobs, &tally);
    for change in &changes.changed {
        let before: Vec<ObjectId> = change.before.iter().chain(&changes.removed).copied().collect();
        let looked = scanner.hits(change, if whole { &[] } else { &before });
        scanner.found.add_looked(looked, &Origin::default());
    }
    let mut found = scanner.found;
    found.append(moved::follow(detector, &repository, changes.moved, all_cores(), &tally));
    Ok(found.covering(tally))
}

/// Fails where references cannot be followed: nothing tells then what is new.
pub fn readable(repository: &gix::Repository) -> Result<(), Error> {
    match repository::unread_references(repository) {
        None => Ok(()),
        Some(reason) => {
            let path = repository.git_dir().display().to_string();
            Err(Error::Unreadable { path, reason })
        }
    }
}

/// Scans what the commits of a range add: `A..B`, `A...B` (since they parted), or the commits since one (`A..`).
pub fn range(detector: &Detector, root: &Path, spec: &str, jobs: usize) -> Result<Scanned, Error> {
    let repository = repository::open_for_walks(root)?;
    readable(&repository)?;
    let (from, to) = ends(&repository, spec)?;
    // An annotated tag says something itself.
    let to = tag(&repository, spec).unwrap_or(to);
    let tally = Tally::default();
    tally.add(&repository.unread);
    let found = pushed::scan(detector, &repository, spec, (&[to], &[from]), jobs, &tally)?;
    Ok(found.covering(tally))
}

/// The annotated tag that a range ends with, if it does.
fn tag(repository: &gix::Repository, spec: &str) -> Option<ObjectId> {
    let (_, to, _) = parts(spec).ok()?;
    let object = repository.rev_parse_single(to).ok()?.object().ok()?;
    (object.kind == gix::object::Kind::Tag).then_some(object.id)
}

/// Scans what the commits add that are reachable from `tips` and not from `hidden`, on as many threads as there are `jobs`; and what
/// the submodules bring that they move.
pub fn scan_between(
    detector: &Detector,
    repository: &gix::Repository,
    spec: &str,
    ends: (&[ObjectId], &[ObjectId]),
    jobs: usize,
    tally: &Tally,
) -> Result<Found, Error> {
    let (mut found, moved) = between(detector, repository, spec, ends, jobs, tally)?;
    found.append(moved::follow(detector, repository, moved, jobs, tally));
    Ok(found)
}

/// The same, but the submodules that are moved are only told.
pub(super) fn between(
    detector: &Detector,
    repository: &gix::Repository,
    spec: &str,
    (tips, hidden): (&[ObjectId], &[ObjectId]),
    jobs: usize,
    tally: &Tally,
) -> Result<(Found, Vec<Change>), Error> {
    let commits = Tally::default();
    let listed = Commits::between(repository, tips, hidden, &commits);
    let shallow = repository::shallow_boundary(repository);
    if listed.nodes.iter().any(|node| shallow.contains(&node.id)) {
        return Err(Error::Revision { spec: spec.to_owned(), reason: DEEPEN.to_owned() });
    }
    if let Some(missing) = commits.first_skipped() {
        return Err(Error::Revision {
            spec: spec.to_owned(),
            reason: format!("{} cannot be read: {}", missing.path, missing.reason),
        });
    }
    let is_tip = |node: &&Node| listed.tips.contains(&node.id);
    let tip_trees: Vec<ObjectId> = listed.nodes.iter().filter(is_tip).map(|node| node.tree).collect();
    let packs = Packs::of(repository);
    Between { detector, nodes: &listed.nodes, tip_trees: &tip_trees, tally }
        .scan(Workers::of(repository, &packs, jobs))
}

const DEEPEN: &str = "the clone is too shallow for this range; `git fetch --unshallow` (in CI: fetch-depth: 0) brings what is missing";

/// The two names of a range, and whether it begins where they parted. An empty name is what an unset variable of a CI leaves, and
/// would silently be something else.
fn parts(spec: &str) -> Result<(&str, &str, bool), Error> {
    let wrong = |reason: &str| Error::Revision { spec: format!("{spec:?}"), reason: reason.to_owned() };
    let (from, to, since_parted) = match (spec.split_once("..."), spec.split_once("..")) {
        (Some((from, to)), _) => (from, to, true),
        (None, Some((from, to))) => (from, to, false),
        (None, None) => return Err(wrong("write a range as A..B or A...B")),
    };
    if from.trim().is_empty() || to.trim().is_empty() {
        return Err(wrong(
            "one end of the range is empty, as where a variable of a CI is not set; name both ends, HEAD for the newest commit",
        ));
    }
    Ok((from, to, since_parted))
}

/// The commit that a name stands for. A name that is both a branch's and a tag's would be taken for the tag, which anybody may push.
fn resolve(repository: &gix::Repository, name: &str) -> Result<ObjectId, Error> {
    let wrong = |reason: String| Error::Revision { spec: name.to_owned(), reason };
    let damaged = |id: ObjectId, words: String| {
        wrong(format!(
            "object {id}, to which it leads, cannot be read: {words}; `git fsck` tells what is damaged"
        ))
    };
    let start = name.split(['~', '^', '@', ':']).next().unwrap_or_default();
    let find =
        |prefix: &str| repository.try_find_reference(format!("{prefix}{start}").as_str()).ok().flatten();
    let is_branch = || find("refs/heads/").is_some() || find("refs/remotes/").is_some();
    if !start.is_empty() && !start.starts_with("refs/") && find("refs/tags/").is_some() && is_branch() {
        return Err(wrong(format!(
            "both a branch and a tag have this name; write refs/heads/{start} or refs/tags/{start}"
        )));
    }
    let Ok(id) = repository.rev_parse_single(name) else {
        if let Some((id, reason)) = unreadable(repository, start, &name[start.len()..]) {
            return Err(damaged(id, reason));
        }
        let is_shallow = repository.is_shallow().unwrap_or(false);
        let shallow = if is_shallow { format!("; {DEEPEN}") } else { String::new() };
        return Err(wrong(format!("unknown or ambiguous revision{shallow}")));
    };
    let object = id.object().map_err(|error| damaged(id.detach(), causes(&error)))?;
    match object.peel_to_kind(gix::object::Kind::Commit) {
        Ok(commit) => Ok(commit.id),
        Err(error) => match unreadable(repository, start, &name[start.len()..]) {
            Some((id, reason)) => Err(damaged(id, reason)),
            None => Err(wrong(format!("unknown revision: {}", causes(&error)))),
        },
    }
}

/// So far a name is followed to learn why it leads nowhere.
const MOST_STEPS: usize = 10_000;

/// The object that cannot be read on the way from where a name starts to the commit that it stands for, and why.
fn unreadable(repository: &gix::Repository, start: &str, rest: &str) -> Option<(ObjectId, String)> {
    let by_prefix = || {
        let prefix = gix::hash::Prefix::from_hex(start).ok()?;
        repository.objects.lookup_prefix(prefix, None).ok()??.ok()
    };
    let mut generation = vec![named_by(repository, start).or_else(by_prefix)?];
    let mut known = HashSet::default();
    let is_shallow = repository.is_shallow().unwrap_or(false);
    for _ in 0..=steps(rest).min(MOST_STEPS) {
        let mut parents = Vec::new();
        for mut id in generation {
            // Tags are followed; they name what they stand for.
            while known.insert(id) {
                let object = match repository::find_intact(repository, &id) {
                    Ok(object) => object,
                    // A shallow clone ends here, and says so in other words.
                    Err(_) if is_shallow && !repository.has_object(id) => return None,
                    Err(reason) => return Some((id, reason)),
                };
                match object.kind {
                    gix::object::Kind::Commit => {
                        parents.extend(object.into_commit().parent_ids().map(gix::Id::detach));
                    }
                    gix::object::Kind::Tag => {
                        id = object.into_tag().target_id().ok()?.detach();
                    }
                    gix::object::Kind::Tree | gix::object::Kind::Blob => {}
                }
            }
        }
        generation = parents;
    }
    None
}

/// How many generations what follows a name goes back: `~3` three, `^` and `^2` one.
fn steps(rest: &str) -> usize {
    let mut parts = rest.split_inclusive(['~', '^']).peekable();
    let mut steps = 0_usize;
    while let Some(part) = parts.next() {
        let digits: String = parts.peek().unwrap_or(&"").chars().take_while(char::is_ascii_digit).collect();
        match part.chars().last() {
            Some('~') => steps = steps.saturating_add(digits.parse().unwrap_or(1)),
            Some('^') => steps = steps.saturating_add(1),
            Some(_) | None => {}
        }
    }
    steps
}

/// The object that a reference names, whether it can be read or not.
fn named_by(repository: &gix::Repository, name: &str) -> Option<ObjectId> {
    let mut reference = repository.try_find_reference(name).ok()??;
    for _ in 0..8 {
        if let Some(id) = reference.try_id() {
            return Some(id.detach());
        }
        reference = reference.follow()?.ok()?;
    }
    None
}

/// The commit before the commits of a range.
pub fn base(repository: &gix::Repository, spec: &str) -> Result<ObjectId, Error> {
    let (from, to, since_parted) = parts(spec)?;
    let from = resolve(repository, from)?;
    if !since_parted {
        return Ok(from);
    }
    let wrong = |reason: String| Error::Revision { spec: spec.to_owned(), reason };
    let to = resolve(repository, to)?;
    match repository.merge_base(from, to) {
        Ok(Some(base)) => Ok(base.detach()),
        Ok(None) => Err(wrong(format!("the two have no common ancestor here; perhaps {DEEPEN}"))),
        Err(error) => Err(wrong(format!(
            "where the two parted cannot be told, since a commit on the way cannot be read: {}; `git fsck` tells what is damaged",
            causes(&error)
        ))),
    }
}

/// The commit that a range leaves out, and the one it ends with.
fn ends(repository: &gix::Repository, spec: &str) -> Result<(ObjectId, ObjectId), Error> {
    let (_, to, _) = parts(spec)?;
    Ok((base(repository, spec)?, resolve(repository, to)?))
}
