//! Submodules whose commit a change moves: what they bring is read in their own repositories, where those are here.

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::bstr::ByteSlice;

use super::changes::between;
use super::{Found, nested};
use crate::detect::Detector;
use crate::model::{Tally, Unit};
use crate::source::folders::Change;
use crate::source::repository;

/// So many moves are followed; what a range moves beyond them is named.
const MOST_MOVES: usize = 1_000;

/// A submodule's commit that was moved, in the repository whose git folder and work tree these are.
struct Move {
    common: PathBuf,
    top: Option<PathBuf>,
    /// What goes in front of the submodule's path.
    prefix: String,
    change: Change,
}

impl Move {
    fn path(&self) -> String {
        format!("{}{}", self.prefix, self.change.path)
    }

    /// The git folder in which the commit is here: of what is checked out at its path, or one of the modules that git keeps.
    fn place(&self) -> Option<PathBuf> {
        let path = gix::path::from_bstr(self.change.path.as_bstr()).ok()?;
        // A path that leads elsewhere is none of git's.
        let is_plain = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        let checked_out = self.top.as_ref().filter(|_| is_plain).and_then(|top| {
            let (git, _) = repository::git_folders(&top.join(&path).join(".git")).ok()??;
            Some(git)
        });
        let modules = self.common.join("modules");
        let of_its_name = is_plain.then(|| modules.join(&path)).filter(|git| repository::is_bare(git));
        let mut kept = Vec::new();
        nested::git_folders(&modules, 0, &mut kept);
        checked_out
            .into_iter()
            .chain(of_its_name)
            .chain(kept)
            .find(|git| repository::open(git).is_ok_and(|module| module.has_object(self.change.blob)))
    }
}

/// Scans what submodules bring that were moved, and what those move in turn. What is not here is named: on a server, where no
/// submodule ever is, as something that is known and not opened.
pub fn follow(
    detector: &Detector,
    repository: &gix::Repository,
    moved: Vec<Change>,
    jobs: usize,
    tally: &Tally,
) -> Found {
    let mut found = Found::default();
    let mut left: VecDeque<Move> = moves(repository, "", moved).collect();
    let mut done: HashSet<(PathBuf, ObjectId, Vec<ObjectId>)> = HashSet::new();
    while let Some(next) = left.pop_front() {
        let known = tally.know(Unit::Repositories, next.path());
        let id = next.change.blob;
        let Some(git) = next.place() else {
            if repository.workdir().is_none() {
                known.opaque("a submodule, whose commits are in a repository of its own");
            } else {
                known.skip(format_args!(
                    "a submodule whose commit {id} is not here, so what it brings was not read; \
                     `git submodule update --init` brings it"
                ));
            }
            continue;
        };
        if !done.insert((git.clone(), id, next.change.before.clone())) {
            known.read();
            continue;
        }
        if done.len() > MOST_MOVES {
            known.skip(format_args!("more than {MOST_MOVES} commits of submodules"));
            continue;
        }
        match scan(detector, &git, &next, jobs, tally) {
            Ok((brought, more)) => {
                known.read();
                found.append(brought);
                left.extend(more);
            }
            Err(reason) => known.skip(reason),
        }
    }
    found
}

/// Scans what one of them brings.
fn scan(
    detector: &Detector,
    git: &Path,
    next: &Move,
    jobs: usize,
    tally: &Tally,
) -> Result<(Found, Vec<Move>), String> {
    let module = repository::open_for_walks(git).map_err(|error| repository::causes(&error))?;
    let inside = Tally::default();
    inside.add(&module.unread);
    let before: Vec<ObjectId> =
        next.change.before.iter().copied().filter(|id| module.has_object(*id)).collect();
    let path = next.path();
    let scanned = between(detector, &module, &path, (&[next.change.blob], &before), jobs, &inside);
    let (mut brought, more) = scanned.map_err(|error| repository::causes(&error))?;
    let prefix = format!("{path}/");
    for text in &mut brought.texts {
        text.path.insert_str(0, &prefix);
    }
    brought.doubtful = std::mem::take(&mut brought.doubtful).below(&prefix);
    tally.add(&inside.end().renamed(|path| format!("{prefix}{path}")));
    let more = moves(&module, &prefix, more).collect();
    Ok((brought, more))
}

fn moves(
    repository: &gix::Repository,
    prefix: &str,
    moved: Vec<Change>,
) -> impl Iterator<Item = Move> + use<> {
    let (common, top) = (repository.common_dir().to_owned(), repository.workdir().map(Path::to_owned));
    let prefix = prefix.to_owned();
    moved.into_iter().map(move |change| Move {
        common: common.clone(),
        top: top.clone(),
        prefix: prefix.clone(),
        change,
    })
}
