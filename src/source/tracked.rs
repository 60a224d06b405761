//! Files that git tracks although a `.gitignore` names them: ignoring them would hide what is committed.

use std::path::{Path, PathBuf};

use super::guarded::{self, Links};
use super::layout::Extent;
use super::repository;

/// The most that an index may hold, in bytes: some ten million files.
const LARGEST: u64 = 2 << 30;

/// What git tracks in a work tree.
pub struct Tracked {
    /// Its files, relative to the top.
    pub files: Vec<PathBuf>,
    /// How many of them are not in the work tree, since somebody told git to leave them out.
    pub not_checked_out: usize,
}

/// What the repository tracks whose work tree is `root`; an error, in words, where its index cannot be read.
pub fn files(root: &Path) -> Result<Tracked, String> {
    let unread = |reason: String| {
        format!(
            "git's index could not be read, so files that are both tracked and ignored may be missing: {reason}"
        )
    };
    let dot_git = root.join(".git");
    let Some((git, _)) = repository::git_folders(&dot_git).map_err(unread)? else {
        return Err(unread(format!("{}: no git folder", dot_git.display())));
    };
    let index = index(&git, root).map_err(unread)?;
    let is_left_out = |entry: &&gix::index::Entry| {
        let path = gix::path::from_bstr(entry.path(&index)).ok();
        entry.flags.contains(gix::index::entry::Flags::SKIP_WORKTREE)
            && path.is_none_or(|path| root.join(path).symlink_metadata().is_err())
    };
    let not_checked_out = index.entries().iter().filter(is_left_out).count();
    Ok(Tracked { files: entries(&index, gix::index::entry::Mode::FILE), not_checked_out })
}

/// The submodules that the index of a git folder names, relative to its work tree.
pub fn submodules(git: &Path) -> Result<Vec<PathBuf>, String> {
    Ok(entries(&index(git, git)?, gix::index::entry::Mode::COMMIT))
}

/// The tops of the submodules that are checked out below a work tree's top, which is canonical: none of them leads out of it.
pub fn checked_out(top: &Path) -> Result<Vec<PathBuf>, String> {
    let Some((git, common)) = repository::git_folders(&top.join(".git"))? else { return Ok(Vec::new()) };
    // Most repositories have none, and an index may be long.
    if !(top.join(".gitmodules").exists() || common.join("modules").exists()) {
        return Ok(Vec::new());
    }
    let here = |path: PathBuf| {
        let path = top.join(path).canonicalize().ok().filter(|path| path.starts_with(top))?;
        path.join(".git").symlink_metadata().is_ok().then_some(path)
    };
    Ok(submodules(&git)?.into_iter().filter_map(here).collect())
}

fn entries(index: &gix::worktree::Index, mode: gix::index::entry::Mode) -> Vec<PathBuf> {
    let with_mode = index.entries().iter().filter(|entry| entry.mode.contains(mode));
    with_mode
        .filter_map(|entry| gix::path::from_bstr(entry.path(index)).ok().map(std::borrow::Cow::into_owned))
        .collect()
}

fn index(git: &Path, shown: &Path) -> Result<gix::worktree::Index, String> {
    let opened = repository::open_at(git, shown, Extent::Files);
    let repository = opened.map_err(|error| repository::causes(&error))?;
    index_of(&repository)
}

/// The index of a repository; an error in words.
pub fn index_of(repository: &gix::Repository) -> Result<gix::worktree::Index, String> {
    vet(&repository.index_path())?;
    repository.index_or_empty().map_err(|error| repository::causes(&error))
}

/// Whether git's library may open an index; an error in words.
pub fn vet(index: &Path) -> Result<(), String> {
    guarded::vet(index, LARGEST, Links::BetweenGitFolders)
        .map_err(|reason| format!("{}: {reason}", index.display()))
}
