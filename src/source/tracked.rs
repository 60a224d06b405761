//! Files that git tracks although a `.gitignore` names them: ignoring them would hide what is committed.

use std::path::{Path, PathBuf};

use super::guarded::{self, Links};
use super::layout::Extent;
use super::repository;

/// The most that an index may hold, in bytes: some ten million files.
const LARGEST: u64 = 2 << 30;

/// The tracked files of the repository whose work tree is `root`, relative to it; an error, in words, where its index
/// cannot be read.
pub fn files(root: &Path) -> Result<Vec<PathBuf>, String> {
    let unread = |reason: String| {
        format!(
            "git's index could not be read, so files that are both tracked and ignored may be missing: {reason}"
        )
    };
    let dot_git = root.join(".git");
    let Some((git, _)) = repository::git_folders(&dot_git).map_err(unread)? else {
        return Err(unread(format!("{}: no git folder", dot_git.display())));
    };
    entries(&git, root, gix::index::entry::Mode::FILE).map_err(unread)
}

/// The submodules that the index of a git folder names, relative to its work tree.
pub fn submodules(git: &Path) -> Result<Vec<PathBuf>, String> {
    entries(git, git, gix::index::entry::Mode::COMMIT)
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

/// How many files git tracks that are not in the work tree, since somebody told git to leave them out.
pub fn not_checked_out(top: &Path) -> Result<usize, String> {
    let Some((git, _)) = repository::git_folders(&top.join(".git"))? else { return Ok(0) };
    let index = index(&git, top)?;
    let is_left_out = |entry: &&gix::index::Entry| {
        let path = gix::path::from_bstr(entry.path(&index)).ok();
        entry.flags.contains(gix::index::entry::Flags::SKIP_WORKTREE)
            && path.is_none_or(|path| top.join(path).symlink_metadata().is_err())
    };
    Ok(index.entries().iter().filter(is_left_out).count())
}

fn entries(git: &Path, shown: &Path, mode: gix::index::entry::Mode) -> Result<Vec<PathBuf>, String> {
    let index = index(git, shown)?;
    Ok(index
        .entries()
        .iter()
        .filter(|entry| entry.mode.contains(mode))
        .filter_map(|entry| gix::path::from_bstr(entry.path(&index)).ok().map(std::borrow::Cow::into_owned))
        .collect())
}

fn index(git: &Path, shown: &Path) -> Result<gix::worktree::Index, String> {
    let opened = repository::open_at(git, shown, Extent::Files);
    let repository = opened.map_err(|error| repository::causes(&error))?;
    vet(&repository.index_path())?;
    repository.index_or_empty().map_err(|error| repository::causes(&error))
}

/// Whether git's library may open an index; an error in words.
pub fn vet(index: &Path) -> Result<(), String> {
    guarded::vet(index, LARGEST, Links::BetweenGitFolders)
        .map_err(|reason| format!("{}: {reason}", index.display()))
}
