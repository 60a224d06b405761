//! The histories of repositories that lie in one another: submodules, and what somebody cloned into a work tree.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::{Found, Progress, Scanned, history};
use crate::detect::Detector;
use crate::model::{Tally, Unit};
use crate::source::{repository, tracked};

/// Modules in modules deeper than this are no work of git's.
const DEEPEST: usize = 16;

/// A scan of histories, each once, whatever leads to it.
pub struct Nested<'a> {
    /// What finds.
    pub detector: &'a Detector,
    /// Threads.
    pub jobs: usize,
    /// Accept shallow clones.
    pub allow_shallow: bool,
    /// What is shown meanwhile.
    pub progress: &'a Progress,
    /// The git folders that were read.
    done: HashSet<PathBuf>,
}

impl<'a> Nested<'a> {
    /// A scan that has read nothing yet.
    #[must_use]
    pub fn new(detector: &'a Detector, jobs: usize, allow_shallow: bool, progress: &'a Progress) -> Self {
        Self { detector, jobs, allow_shallow, progress, done: HashSet::new() }
    }

    /// Notes a repository that is read elsewhere.
    pub fn knows(&mut self, path: &Path) -> bool {
        let common = repository::find(path).and_then(|git| repository::common_of(&git).ok());
        let Some(common) = common.and_then(|common| common.canonicalize().ok()) else { return false };
        !self.done.insert(common)
    }

    /// Notes a repository and its submodules that are checked out, and theirs: all are read elsewhere.
    pub fn knows_checked_out(&mut self, top: &Path) {
        let mut left = vec![top.to_owned()];
        while let Some(top) = left.pop() {
            if !self.knows(&top)
                && let Some(git) = repository::find(&top)
            {
                let submodules = tracked::submodules(&git).unwrap_or_default().into_iter();
                left.extend(submodules.map(|path| top.join(path)).filter(|top| top.join(".git").exists()));
            }
        }
    }

    /// The history of a work tree's repository, if it was not read yet. What cannot be read is named.
    pub fn top(&mut self, top: &Path) -> Option<Scanned> {
        if self.knows(top) {
            return None;
        }
        let tally = Tally::default();
        let known = tally.know(Unit::Repositories, "(git history)");
        match history::scan(self.detector, top, self.jobs, self.allow_shallow, self.progress) {
            Ok(mut scanned) => {
                known.read();
                scanned.coverage.append(tally.end());
                Some(scanned)
            }
            Err(error) => {
                known.skip(repository::causes(&error));
                Some(Found::default().covering(tally))
            }
        }
    }

    /// The histories of the submodules that a repository keeps, each under its name, and the names of those that are not here.
    pub fn modules(&mut self, root: &Path) -> Scanned {
        let tally = Tally::default();
        let Some(git) = repository::find(root) else { return Found::default().covering(tally) };
        let common = match repository::common_of(&git) {
            Ok(common) => common,
            Err(reason) => {
                tally.skip(Unit::Repositories, "(submodules)", reason);
                return Found::default().covering(tally);
            }
        };
        let listed = tracked::submodules(&git).unwrap_or_else(|reason| {
            tally.skip(Unit::Repositories, "(submodules)", reason);
            Vec::new()
        });
        for path in listed {
            let known = tally.know(Unit::Repositories, path.display());
            if root.join(&path).join(".git").exists() || common.join("modules").join(&path).exists() {
                known.read();
            } else {
                known.skip(
                    "a submodule that is not here, so neither its files nor its history were read; \
                     `git submodule update --init` brings it",
                );
            }
        }
        let mut scanned = Found::default().covering(tally);
        let mut found = Vec::new();
        git_folders(&common.join("modules"), 0, &mut found);
        for folder in found {
            let name = folder.strip_prefix(common.join("modules")).unwrap_or(&folder).to_owned();
            if let Some(history) = self.top(&folder) {
                scanned.add(history, &PathBuf::from(format!("(submodule {})", name.display())));
            }
        }
        scanned
    }
}

/// The submodule whose history a path was found in, as [`Nested::modules`] names it.
#[must_use]
pub fn module_of(path: &str) -> Option<&str> {
    path.strip_prefix("(submodule ")?.split_once(")/").map(|(name, _)| name)
}

/// The git folders of modules below a folder, modules in modules included.
pub(super) fn git_folders(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in
        entries.filter_map(Result::ok).filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
    {
        let path = entry.path();
        if repository::is_bare(&path) {
            git_folders(&path.join("modules"), depth + 1, found);
            found.push(path);
        } else if depth < DEEPEST {
            git_folders(&path, depth + 1, found);
        }
    }
}
