//! Opening a git repository so that nothing of it can run or lead elsewhere: no configuration but its own is read,
//! no replacement objects, no hooks, filters or drivers.

use std::path::{Path, PathBuf};

use gix::hashtable::HashSet;
use gix::odb::pack::cache::lru::MemoryCappedHashmap;

/// What may be kept of versions that others are made of, in bytes: trees and texts of neighbouring commits share most of their
/// deltas.
const MOST_KEPT: usize = 16 << 20;
/// What may be kept of commits that were read, in bytes: naming a range, listing it and ordering it each come to all of them.
const MOST_COMMITS_KEPT: usize = 4 << 20;
/// A repository cannot be opened, or not looked at in the way asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error(
        "{path}: not in a git repository (leave out --history, --staged and --range to scan a plain folder)"
    )]
    None {
        /// Where it was looked for.
        path: String,
    },
    /// There is one that cannot be read.
    #[error("{path}: the git repository cannot be read: {reason}")]
    Unreadable {
        /// Where.
        path: String,
        /// What git's library says.
        reason: String,
    },
    /// A revision cannot be resolved.
    #[error("{spec}: {reason}")]
    Revision {
        /// As it was given.
        spec: String,
        /// Why, and the way out.
        reason: String,
    },
}

/// An open repository.
pub struct Repository {
    inner: gix::Repository,
    /// A list of the object folders that git's environment names, which git's library reads as alternates.
    _objects: Option<tempfile::TempDir>,
}

impl std::ops::Deref for Repository {
    type Target = gix::Repository;

    fn deref(&self) -> &gix::Repository {
        &self.inner
    }
}

impl std::ops::DerefMut for Repository {
    fn deref_mut(&mut self) -> &mut gix::Repository {
        &mut self.inner
    }
}

/// Opens the repository that a path lies in. For the current folder, `GIT_DIR` and `GIT_OBJECT_DIRECTORY` are
/// honoured, as git sets them for its hooks: what is being pushed stands in a folder of its own until it is accepted.
pub fn open(path: &Path) -> Result<Repository, Error> {
    let shown = || path.display().to_string();
    let git_dir = match std::env::var_os("GIT_DIR").filter(|_| path == Path::new(".")) {
        Some(git_dir) => PathBuf::from(git_dir),
        None => find(path).ok_or_else(|| Error::None { path: shown() })?,
    };
    let options = gix::open::Options::isolated()
        .open_path_as_is(true)
        .with(gix::sec::Trust::Full)
        .config_overrides(["core.useReplaceRefs=false"]);
    let unreadable = |reason: String| Error::Unreadable { path: shown(), reason };
    let mut inner = gix::open_opts(&git_dir, options).map_err(|error| unreadable(causes(&error)))?;
    let mut objects = None;
    if let Some(folder) = std::env::var_os("GIT_OBJECT_DIRECTORY").filter(|_| path == Path::new(".")) {
        let list = object_folders(&folder, &inner).map_err(|error| unreadable(error.to_string()))?;
        let handle =
            gix::odb::at(list.path(), inner.object_hash()).map_err(|error| unreadable(error.to_string()))?;
        inner.objects = gix::OdbHandle::from(handle);
        objects = Some(list);
    }
    inner.objects.set_pack_cache(|| Box::new(MemoryCappedHashmap::new(MOST_KEPT)));
    Ok(Repository { inner, _objects: objects })
}

/// Opens a repository whose commits are about to be walked over several times.
pub fn open_for_walks(path: &Path) -> Result<Repository, Error> {
    let mut repository = open(path)?;
    repository.object_cache_size(MOST_COMMITS_KEPT);
    Ok(repository)
}

/// An object folder without objects of its own, whose alternates are the folders that git's environment names and the
/// repository's own.
fn object_folders(
    first: &std::ffi::OsStr,
    repository: &gix::Repository,
) -> std::io::Result<tempfile::TempDir> {
    let list = tempfile::tempdir()?;
    std::fs::create_dir_all(list.path().join("info"))?;
    std::fs::create_dir_all(list.path().join("pack"))?;
    let more = std::env::var_os("GIT_ALTERNATE_OBJECT_DIRECTORIES").unwrap_or_default();
    let mut text = String::new();
    for folder in std::iter::once(PathBuf::from(first))
        .chain(std::env::split_paths(&more))
        .chain([repository.common_dir().join("objects")])
        .filter_map(|folder| folder.canonicalize().ok())
    {
        text.push_str(&folder.to_string_lossy());
        text.push('\n');
    }
    std::fs::write(list.path().join("info/alternates"), text)?;
    Ok(list)
}

/// The commits whose parents a shallow clone does not have; none in a whole one.
#[must_use]
pub fn shallow_boundary(repository: &gix::Repository) -> HashSet {
    let commits = repository.shallow_commits().ok().flatten();
    commits.map(|commits| commits.iter().copied().collect()).unwrap_or_default()
}

/// Whether a path is a bare repository, or a git folder itself.
#[must_use]
pub fn is_bare(path: &Path) -> bool {
    is_git_folder(path)
}

/// The git folder of the repository that a path lies in.
#[must_use]
pub fn find(path: &Path) -> Option<PathBuf> {
    let absolute = path.canonicalize().ok()?;
    absolute.ancestors().find_map(|folder| {
        let dot_git = folder.join(".git");
        if is_git_folder(&dot_git) {
            return Some(dot_git);
        }
        if dot_git.is_file() {
            // A linked worktree's or a submodule's pointer.
            let text = std::fs::read_to_string(&dot_git).ok()?;
            return Some(folder.join(text.strip_prefix("gitdir:")?.trim()));
        }
        is_git_folder(folder).then(|| folder.to_owned())
    })
}

fn is_git_folder(folder: &Path) -> bool {
    folder.join("HEAD").exists() && (folder.join("objects").is_dir() || folder.join("commondir").is_file())
}

/// An error with its causes, on one line.
#[must_use]
pub fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let further = error.to_string();
        if !text.contains(&further) {
            text = format!("{text}: {further}");
        }
        cause = error.source();
    }
    text.replace('\n', " ")
}
