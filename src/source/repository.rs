//! Opening a git repository so that nothing of it can run or lead elsewhere: no configuration but its own is read,
//! no replacement objects, no hooks, filters or drivers.

use std::path::{Path, PathBuf};

use gix::hashtable::HashSet;
use gix::odb::pack::cache::lru::MemoryCappedHashmap;

use super::guarded::{self, Links, is_git_folder};
use super::layout::{self, Extent};
use crate::model::{Coverage, Skipped, Tally, Unit};

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
    /// What it says of itself and cannot be followed; the rest can be read.
    pub unread: Coverage,
    /// A list of object folders, which git's library reads as alternates, and a git folder with that list in it.
    _made: [Option<tempfile::TempDir>; 2],
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
    open_to(path, Extent::Files)
}

/// The same, to read all of its history: every object is looked at before git's library opens it.
pub fn open_fully(path: &Path) -> Result<Repository, Error> {
    open_to(path, Extent::Everything)
}

/// Opens a repository whose commits are about to be walked over several times.
pub fn open_for_walks(path: &Path) -> Result<Repository, Error> {
    let mut repository = open_fully(path)?;
    repository.object_cache_size(MOST_COMMITS_KEPT);
    Ok(repository)
}

fn open_to(path: &Path, extent: Extent) -> Result<Repository, Error> {
    let git_dir = match std::env::var_os("GIT_DIR").filter(|_| path == Path::new(".")) {
        // Where git runs a hook in its own folder, it says `.`, which the library takes for a work tree.
        Some(git_dir) => PathBuf::from(&git_dir).canonicalize().unwrap_or_else(|_| PathBuf::from(git_dir)),
        None => find(path).ok_or_else(|| Error::None { path: path.display().to_string() })?,
    };
    open_at(&git_dir, path, extent)
}

/// Opens the repository of a git folder; `shown` is what errors name.
pub fn open_at(git_dir: &Path, shown: &Path, extent: Extent) -> Result<Repository, Error> {
    let unreadable = |reason: String| Error::Unreadable { path: shown.display().to_string(), reason };
    let common = common_of(git_dir).map_err(unreadable)?;
    layout::vet(git_dir, &common, extent)
        .map_err(|found| unreadable(format!("{}: {}", found.path.display(), found.reason)))?;
    let options = gix::open::Options::isolated()
        .open_path_as_is(true)
        .with(gix::sec::Trust::Full)
        // A commit-graph says of commits what it likes.
        .config_overrides(["core.useReplaceRefs=false", "core.commitGraph=false"]);
    let first = std::env::var_os("GIT_OBJECT_DIRECTORY").filter(|_| shown == Path::new("."));
    let mut roots: Vec<PathBuf> = first.iter().flat_map(named_objects).collect();
    roots.push(common.join("objects"));
    let (mut stores, tally) = (Vec::new(), Tally::default());
    for root in roots {
        stores.extend(layout::stores(root, &tally));
    }
    let are_all_here = tally.is_complete();
    let words = |error: std::io::Error| unreadable(error.to_string());
    let needs_list = first.is_some() || !are_all_here;
    let objects = needs_list.then(|| list_of(&stores)).transpose().map_err(words)?;
    // Where what it borrows from leads nowhere or in a circle, the library would not open it.
    let view = match &objects {
        Some(list) if !are_all_here => Some(view_of(git_dir, &common, list.path()).map_err(words)?),
        _ => None,
    };
    let place = view.as_ref().map_or(git_dir, |view| view.path());
    let mut inner = gix::open_opts(place, options).map_err(|error| unreadable(causes(&error)))?;
    if let Some(list) = &objects {
        let handle =
            gix::odb::at(list.path(), inner.object_hash()).map_err(|error| unreadable(error.to_string()))?;
        inner.objects = gix::OdbHandle::from(handle);
    }
    if let Some(Skipped { path, reason }) = reference_format(&inner) {
        tally.skip(Unit::References, path, reason);
    }
    inner.objects.set_pack_cache(|| Box::new(MemoryCappedHashmap::new(MOST_KEPT)));
    Ok(Repository { inner, unread: tally.end(), _made: [objects, view] })
}

/// The object folders that git's environment names.
fn named_objects(first: &std::ffi::OsString) -> Vec<PathBuf> {
    let more = std::env::var_os("GIT_ALTERNATE_OBJECT_DIRECTORIES").unwrap_or_default();
    let folders = std::iter::once(PathBuf::from(first)).chain(std::env::split_paths(&more));
    folders.filter_map(|folder| folder.canonicalize().ok()).collect()
}

/// An object folder without objects of its own, whose alternates are these. They are linked part by part, without the lists of what
/// they borrow from: where those lead in a circle, git's library would read nothing.
#[cfg(unix)]
fn list_of(stores: &[PathBuf]) -> std::io::Result<tempfile::TempDir> {
    let list = tempfile::tempdir()?;
    std::fs::create_dir_all(list.path().join("info"))?;
    std::fs::create_dir_all(list.path().join("pack"))?;
    let mut text = String::new();
    for (number, store) in stores.iter().filter_map(|store| store.canonicalize().ok()).enumerate() {
        let folder = list.path().join(number.to_string());
        std::fs::create_dir(&folder)?;
        for entry in
            std::fs::read_dir(&store)?.filter_map(Result::ok).filter(|entry| entry.file_name() != "info")
        {
            std::os::unix::fs::symlink(entry.path(), folder.join(entry.file_name()))?;
        }
        text.push_str(&folder.to_string_lossy());
        text.push('\n');
    }
    std::fs::write(list.path().join("info/alternates"), text)?;
    Ok(list)
}

/// A git folder of links to all of another, but with these objects.
#[cfg(unix)]
fn view_of(git: &Path, common: &Path, objects: &Path) -> std::io::Result<tempfile::TempDir> {
    let view = tempfile::tempdir()?;
    let link = |from: &Path, name: &std::ffi::OsStr| std::os::unix::fs::symlink(from, view.path().join(name));
    link(objects, "objects".as_ref())?;
    // A linked work tree's own files come before those that it shares.
    for folder in [git, common] {
        for entry in std::fs::read_dir(folder)?.filter_map(Result::ok) {
            let name = entry.file_name();
            if name != "commondir" && view.path().join(&name).symlink_metadata().is_err() {
                link(&entry.path().canonicalize().unwrap_or_else(|_| entry.path()), &name)?;
            }
        }
    }
    Ok(view)
}

/// Where there are no links, it is left as it is.
#[cfg(not(unix))]
fn view_of(_: &Path, _: &Path, _: &Path) -> std::io::Result<tempfile::TempDir> {
    tempfile::tempdir()
}

/// Where there are no links, the folders are listed as they are.
#[cfg(not(unix))]
fn list_of(stores: &[PathBuf]) -> std::io::Result<tempfile::TempDir> {
    let list = tempfile::tempdir()?;
    std::fs::create_dir_all(list.path().join("info"))?;
    std::fs::create_dir_all(list.path().join("pack"))?;
    let lines: Vec<String> = stores.iter().map(|store| store.to_string_lossy().into_owned()).collect();
    std::fs::write(list.path().join("info/alternates"), lines.join("\n"))?;
    Ok(list)
}

/// What is said of references in a format that git's library cannot read.
fn reference_format(repository: &gix::Repository) -> Option<Skipped> {
    let snapshot = repository.config_snapshot();
    let format = snapshot.string("extensions.refStorage").filter(|format| *format != "files")?;
    Some(Skipped { path: "refs".into(), reason: reference_way_out(&format.to_string()) })
}

fn reference_way_out(format: &str) -> String {
    format!(
        "the references are kept in the format {format}, which cannot be read here, so nothing tells branches from leftovers; \
         `git refs migrate --ref-format=files` changes it"
    )
}

/// Why references cannot be followed in this repository, if they cannot.
#[must_use]
pub fn unread_references(repository: &gix::Repository) -> Option<String> {
    reference_format(repository).map(|skipped| skipped.reason)
}

/// An object whose bytes are those that its name was made of; an error in words. Git's library does not look at the sums of loose
/// objects, so one that is damaged would be read as something else.
pub fn find_intact<'a>(repository: &'a gix::Repository, id: &gix::oid) -> Result<gix::Object<'a>, String> {
    let object = repository.find_object(id).map_err(|error| error.to_string())?;
    let named = gix::objs::compute_hash(id.kind(), object.kind, &object.data);
    if *named.map_err(|error| error.to_string())? == *id {
        Ok(object)
    } else {
        Err(format!("object {id} is damaged: its bytes are not those that its name was made of"))
    }
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
        if let Ok(Some((git, _))) = git_folders(&folder.join(".git")) {
            return Some(git);
        }
        is_git_folder(folder).then(|| folder.to_owned())
    })
}

/// The git folder that a `.git` is or points to, and the one that it shares with other work trees; nothing where there is none. An
/// error, in words, where there is something else.
pub fn git_folders(dot_git: &Path) -> Result<Option<(PathBuf, PathBuf)>, String> {
    let Ok(found) = dot_git.metadata() else { return Ok(None) };
    if found.is_dir() {
        return Ok(is_git_folder(dot_git).then(|| dot_git.to_owned()).map(|git| (git.clone(), git)));
    }
    // A linked worktree's or a submodule's pointer.
    let Some(text) = guarded::text(dot_git, guarded::LINE, Links::BetweenGitFolders)? else {
        return Ok(None);
    };
    let Some(pointed) = text.strip_prefix("gitdir:") else { return Ok(None) };
    let git = dot_git.parent().unwrap_or(Path::new("")).join(pointed.trim());
    let common = common_of(&git)?;
    Ok(Some((git, common)))
}

/// The git folder that one shares with other work trees.
pub fn common_of(git: &Path) -> Result<PathBuf, String> {
    let text = guarded::text(&git.join("commondir"), guarded::LINE, Links::BetweenGitFolders)
        .map_err(|reason| format!("{}: {reason}", git.join("commondir").display()))?;
    Ok(text.map_or_else(|| git.to_owned(), |text| git.join(text.trim())))
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
