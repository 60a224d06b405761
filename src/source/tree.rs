//! Work trees: every regular file below some roots, in parallel.
//!
//! `.gitignore` is honoured, but not for files that git tracks; hidden files are always looked at; symbolic links
//! are not followed; what is not a regular file is never opened.

use std::collections::HashSet;
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::tracked;
use crate::model::Skipped;

/// What to walk and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Look at ignored files too.
    pub no_ignore: bool,
    /// Files above this many bytes are named and passed over.
    pub max_file_size: Option<u64>,
    /// Threads.
    pub jobs: usize,
}

/// A root cannot be walked at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not exist or may not be read.
    #[error("{path}: {source}")]
    Root {
        /// As it was given.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// It is neither a folder nor a regular file.
    #[error(
        "{path}: neither a folder nor a regular file, so it is not opened (pipe it in with --stdin to scan it)"
    )]
    Special {
        /// As it was given.
        path: String,
    },
}

/// An open file and the path to report it by.
pub struct Opened {
    /// The file.
    pub file: File,
    /// Relative to the root, with `/`.
    pub path: String,
}

/// Opens every file below `root` and gives it to a visitor; `visitor` makes one for each thread. Returns what could not be
/// read.
pub fn walk<V>(root: &Path, options: &Options, visitor: impl Fn() -> V + Sync) -> Result<Vec<Skipped>, Error>
where
    V: FnMut(Opened) -> Result<(), Skipped> + Send,
{
    let shown = root.display().to_string();
    let metadata = root.metadata().map_err(|source| Error::Root { path: shown.clone(), source })?;
    let walked = Mutex::new(Vec::new());
    if metadata.is_file() {
        let name = root.file_name().map_or_else(|| shown.clone(), |name| name.to_string_lossy().into_owned());
        let file = File::open(root).map_err(|source| Error::Root { path: shown.clone(), source })?;
        return Ok(visitor()(Opened { file, path: name }).err().into_iter().collect());
    }
    if !metadata.is_dir() {
        return Err(Error::Special { path: shown });
    }
    std::fs::read_dir(root).map_err(|source| Error::Root { path: shown, source })?;
    let repositories: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
    let seen: Mutex<HashSet<u64>> = Mutex::new(HashSet::new());
    let state = RandomState::new();
    let walker = build(root, options, &repositories);
    walker.run(|| {
        let mut visit = visitor();
        let mut seen_here = SeenHere { all: &seen, hashes: Vec::new(), keep: !options.no_ignore };
        let (walked, state) = (&walked, &state);
        Box::new(move |entry| {
            match entry {
                Ok(entry) => {
                    if let Err(skipped) = regular(root, &entry, options).and_then(|file| match file {
                        Some(opened) => {
                            seen_here.note(state, entry.path());
                            visit(opened)
                        }
                        None => Ok(()),
                    }) {
                        lock(walked).push(skipped);
                    }
                }
                Err(error) => lock(walked).push(walk_error(root, &error)),
            }
            WalkState::Continue
        })
    });
    let mut walked = walked.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !options.no_ignore {
        let seen = seen.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut visit = visitor();
        let mut found = std::mem::take(&mut *lock(&repositories));
        if !root.join(".git").exists() {
            found.extend(outer_repository(root));
        }
        for repository in found {
            tracked_too(root, &repository, options, &mut walked, &mut visit, |path| {
                seen.contains(&hash(&state, path))
            });
        }
    }
    Ok(walked)
}

fn hash(state: &RandomState, path: &Path) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write(path.as_os_str().as_encoded_bytes());
    hasher.finish()
}

/// Paths that one thread has seen; given to all when the thread ends.
struct SeenHere<'a> {
    all: &'a Mutex<HashSet<u64>>,
    hashes: Vec<u64>,
    keep: bool,
}

impl SeenHere<'_> {
    fn note(&mut self, state: &RandomState, path: &Path) {
        if self.keep {
            self.hashes.push(hash(state, path));
        }
    }
}

impl Drop for SeenHere<'_> {
    fn drop(&mut self) {
        lock(self.all).extend(self.hashes.drain(..));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The walk over a root. A folder's `.git` is not part of its work tree; whose it is, is noted.
fn build(root: &Path, options: &Options, repositories: &Arc<Mutex<Vec<PathBuf>>>) -> ignore::WalkParallel {
    let mut builder = WalkBuilder::new(root);
    builder
        .hidden(false)
        .ignore(false)
        .git_ignore(!options.no_ignore)
        .git_global(!options.no_ignore)
        .git_exclude(!options.no_ignore)
        .parents(!options.no_ignore)
        .follow_links(false)
        .threads(options.jobs);
    let repositories = Arc::clone(repositories);
    builder.filter_entry(move |entry| {
        let is_git = entry.file_name() == ".git" && entry.depth() > 0;
        if is_git {
            lock(&repositories).extend(entry.path().parent().map(Path::to_owned));
        }
        !is_git
    });
    builder.build_parallel()
}

/// The repository that `root` lies in, if it is not its top.
fn outer_repository(root: &Path) -> Option<PathBuf> {
    let absolute = root.canonicalize().ok()?;
    absolute.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

/// Looks at files that git tracks and the walk passed over as ignored.
fn tracked_too(
    root: &Path,
    repository: &Path,
    options: &Options,
    walked: &mut Vec<Skipped>,
    visit: &mut impl FnMut(Opened) -> Result<(), Skipped>,
    seen: impl Fn(&Path) -> bool,
) {
    let files = match tracked::files(repository) {
        Ok(files) => files,
        Err(reason) => {
            walked.push(Skipped { path: repository.display().to_string(), reason });
            return;
        }
    };
    let Ok(absolute_root) = root.canonicalize() else { return };
    let Ok(absolute_repository) = repository.canonicalize() else { return };
    for file in files {
        let Ok(relative) = absolute_repository.join(&file).strip_prefix(&absolute_root).map(Path::to_owned)
        else {
            continue;
        };
        let path = root.join(&relative);
        if seen(&path) {
            continue;
        }
        // What git tracks may be gone from the work tree.
        if !path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
            continue;
        }
        let result = open(&path, slashed(&relative), options).and_then(&mut *visit);
        walked.extend(result.err());
    }
}

/// Opens a walked entry if it is a regular file.
fn regular(root: &Path, entry: &DirEntry, options: &Options) -> Result<Option<Opened>, Skipped> {
    let Some(kind) = entry.file_type() else { return Ok(None) };
    if !kind.is_file() {
        return Ok(None);
    }
    let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
    open(entry.path(), slashed(relative), options).map(Some)
}

/// Opens a file without following a link or waiting for a pipe that took its place meanwhile.
fn open(path: &Path, shown: String, options: &Options) -> Result<Opened, Skipped> {
    let skipped = |reason: String| Skipped { path: shown.clone(), reason };
    let file = open_plainly(path).map_err(|error| skipped(error.to_string()))?;
    if let Some(most) = options.max_file_size {
        let size = file.metadata().map_err(|error| skipped(error.to_string()))?.len();
        if size > most {
            return Err(skipped(format!("{size} bytes, above --max-file-size")));
        }
    }
    Ok(Opened { file, path: shown })
}

#[cfg(unix)]
fn open_plainly(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

/// Elsewhere the walk has seen that it is a regular file.
#[cfg(not(unix))]
fn open_plainly(path: &Path) -> io::Result<File> {
    File::open(path)
}

fn slashed(path: &Path) -> String {
    let text = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' {
        text.into_owned()
    } else {
        text.replace(std::path::MAIN_SEPARATOR, "/")
    }
}

fn walk_error(root: &Path, error: &ignore::Error) -> Skipped {
    fn path_of(error: &ignore::Error) -> Option<&Path> {
        match error {
            ignore::Error::WithPath { path, .. } => Some(path),
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
            ignore::Error::Loop { child, .. } => Some(child),
            _ => None,
        }
    }
    let path = path_of(error)
        .map_or_else(|| root.display().to_string(), |path| slashed(path.strip_prefix(root).unwrap_or(path)));
    let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
    Skipped { path, reason }
}
