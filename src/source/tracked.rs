//! Files that git tracks although a `.gitignore` names them: ignoring them would hide what is committed.

use std::path::{Path, PathBuf};

/// The tracked files of the repository whose work tree is `root`, relative to it; an error, in words, where its index
/// cannot be read.
pub fn files(root: &Path) -> Result<Vec<PathBuf>, String> {
    let repository = gix::open_opts(root, gix::open::Options::isolated()).map_err(|error| {
        format!("git's index could not be read, so files that are both tracked and ignored may be missing: {error}")
    })?;
    let index =
        repository.index_or_empty().map_err(|error| format!("git's index could not be read: {error}"))?;
    Ok(index
        .entries()
        .iter()
        .filter(|entry| entry.mode.contains(gix::index::entry::Mode::FILE))
        .filter_map(|entry| gix::path::from_bstr(entry.path(&index)).ok().map(std::borrow::Cow::into_owned))
        .collect())
}
