//! Work trees: every regular file below some roots, in parallel.
//!
//! `.gitignore` is honoured, but not for files that git tracks; hidden files are always looked at; symbolic links
//! are not followed; what is not a regular file is never opened.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::guarded;
use super::ignored::{Ignored, Noted, Rules};
use super::mounts;
use super::roots::{Error, Roots};
use super::stop::{INTERRUPTED, Stop};
use super::tracked;
use crate::model::{Known, Skipped, Tally, Unit};

/// What to walk and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Look at ignored files too.
    pub no_ignore: bool,
    /// Files above this many bytes are named and passed over.
    pub max_file_size: Option<u64>,
    /// Threads.
    pub jobs: usize,
    /// Ends the walk early.
    pub stop: Stop,
}

/// An open file, known by the path to report it by: relative to the root, with `/`; where there are several roots, with its
/// root in front.
pub struct Opened<'t> {
    /// The file.
    pub file: File,
    /// What is to be said of it.
    pub known: Known<'t, String>,
}

/// What a walk found besides files.
#[derive(Debug, Default)]
pub struct Walked {
    /// What was left out as asked, and may hold secrets all the same.
    pub not_covered: Vec<Skipped>,
    /// The tops of work trees at or below the roots.
    pub repositories: Vec<PathBuf>,
}

/// The root that a walked entry stands below.
fn root_of(entry: &DirEntry) -> &Path {
    entry.path().ancestors().nth(entry.depth()).unwrap_or(entry.path())
}

/// Opens every file at or below `roots` and gives it to a visitor; `visitor` makes one for each thread. What cannot be opened is
/// in the tally.
pub fn walk<'t, V>(
    roots: &[PathBuf],
    options: &Options,
    tally: &'t Tally,
    visitor: impl Fn() -> V + Sync,
) -> Result<Walked, Error>
where
    V: FnMut(Opened<'t>) + Send,
{
    // To the walk, a hyphen alone is standard input.
    let named = |root: &PathBuf| if root == Path::new("-") { PathBuf::from("./-") } else { root.clone() };
    let roots: Vec<PathBuf> = roots.iter().map(named).collect();
    let named = Roots::of(&roots)?;
    let ignored = Arc::new(Ignored::at(&roots, !options.no_ignore));
    let seen: Mutex<HashSet<u64>> = Mutex::new(HashSet::new());
    let state = RandomState::new();
    let views = Arc::new(mounts::views_below(&named.folders));
    // A root is never asked about by the walk itself.
    let entered: Vec<PathBuf> =
        roots.iter().filter(|root| !views.contains_key(root.as_path())).cloned().collect();
    if !entered.is_empty() {
        build(&entered, options, &ignored, &views).run(|| {
            let mut visit = visitor();
            let mut seen_here = SeenHere { all: &seen, hashes: Vec::new(), keep: !options.no_ignore };
            let (state, named) = (&state, &named);
            Box::new(move |entry| {
                if options.stop.is_set() {
                    return WalkState::Quit;
                }
                match entry {
                    Ok(entry) => {
                        if let Some(opened) = regular(named, &entry, options, tally) {
                            seen_here.note(state, entry.path());
                            visit(opened);
                        }
                    }
                    Err(error) => name_error(named, &error, tally),
                }
                WalkState::Continue
            })
        });
    }
    let Noted { repositories, unread, environments } = ignored.noted();
    let not_covered = left_out(&named, &views, tally);
    let mut walked = Walked { not_covered, repositories: repositories.clone() };
    if options.stop.is_set() {
        tally.skip(Unit::Files, "(all that was left)", INTERRUPTED);
        return Ok(walked);
    }
    let mut read_after_all = HashSet::new();
    if !options.no_ignore {
        let seen = seen.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let is_seen = |path: &Path| seen.contains(&hash(&state, path));
        let passed_over = passed_over(&named.folders, repositories, tally, is_seen);
        let mut visit = visitor();
        for (root, path) in passed_over {
            if let Some(opened) = open(&path, tally.know(Unit::Files, named.shown(root, &path)), options) {
                visit(opened);
            }
            read_after_all.insert(path);
        }
    }
    let below = |path: &Path| named.shown(named.above(path), path);
    name_unfollowed(unread.into_iter().map(|(path, reason)| (below(&path), reason)), tally);
    let left = environments.into_iter().filter(|path| !read_after_all.contains(path));
    let reason = "git ignores it; --no-ignore scans it as well";
    walked.not_covered.extend(left.map(|path| Skipped { path: below(&path), reason: reason.to_owned() }));
    walked.not_covered.sort();
    Ok(walked)
}

/// Names rules of ignored files that were not followed.
fn name_unfollowed(unread: impl Iterator<Item = (String, String)>, tally: &Tally) {
    for (path, reason) in unread {
        let reason =
            format!("rules of ignored files were not followed, and what they name was scanned: {reason}");
        tally.skip(Unit::Settings, path, reason);
    }
}

/// The file systems that were not entered. Whoever names one asks for what cannot be had: that counts.
fn left_out(named: &Roots<'_>, views: &HashMap<PathBuf, String>, tally: &Tally) -> Vec<Skipped> {
    let mut left = Vec::new();
    for (path, kind) in views {
        let reason =
            format!("a file system of type {kind}, which holds no files but shows the running system");
        if named.folders.contains(&path.as_path()) {
            tally.skip(Unit::Files, path.display(), reason);
        } else {
            left.push(Skipped { path: named.shown(named.above(path), path), reason });
        }
    }
    left
}

/// What git tracks and the walk has not seen, since it is ignored; each with its folder. `repositories` stand below the folders.
fn passed_over<'a>(
    folders: &[&'a Path],
    repositories: Vec<PathBuf>,
    tally: &Tally,
    seen: impl Fn(&Path) -> bool,
) -> Vec<(&'a Path, PathBuf)> {
    let folders: HashMap<PathBuf, &Path> =
        folders.iter().filter_map(|folder| Some((folder.canonicalize().ok()?, *folder))).collect();
    let above = folders.keys().filter_map(|folder| repository_above(folder));
    let mut found: BTreeMap<PathBuf, PathBuf> = above.map(|above| (above.clone(), above)).collect();
    found.extend(repositories.into_iter().filter_map(|below| Some((below.canonicalize().ok()?, below))));
    let mut passed_over = Vec::new();
    for (repository, shown) in found {
        match tracked_too(&repository, &folders) {
            Ok(tracked) => passed_over.extend(tracked.into_iter().filter(|(_, path)| {
                // What git tracks may be gone from the work tree.
                !seen(path) && path.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
            })),
            Err(reason) => tally.skip(Unit::Settings, shown.display(), reason),
        }
    }
    passed_over
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

thread_local! {
    /// The folder that a thread of a walk is in, with its rules: entries come folder by folder.
    static HERE: RefCell<Option<(PathBuf, Option<Rules>)>> = const { RefCell::new(None) };
}

/// The walk over the roots. A folder's `.git` is not part of its work tree.
fn build(
    roots: &[PathBuf],
    options: &Options,
    ignored: &Arc<Ignored>,
    views: &Arc<HashMap<PathBuf, String>>,
) -> ignore::WalkParallel {
    let mut builder = WalkBuilder::from_iter(roots);
    builder.standard_filters(false).follow_links(false).threads(options.jobs);
    let (ignored, views) = (Arc::clone(ignored), Arc::clone(views));
    builder.filter_entry(move |entry| {
        if !views.is_empty() && views.contains_key(entry.path()) {
            return false;
        }
        // Roots are entered whatever is said of them.
        entry.depth() == 0 || HERE.with_borrow_mut(|here| is_wanted(&ignored, entry, here))
    });
    builder.build_parallel()
}

/// Whether an entry is walked; the rules of a folder are read before it is entered.
fn is_wanted(ignored: &Ignored, entry: &DirEntry, here: &mut Option<(PathBuf, Option<Rules>)>) -> bool {
    if entry.file_name() == ".git" {
        return false;
    }
    let path = entry.path();
    let folder = path.parent().unwrap_or(Path::new(""));
    if here.as_ref().is_none_or(|(known, _)| known.as_os_str() != folder.as_os_str()) {
        *here = Some((folder.to_owned(), ignored.rules(folder)));
    }
    let rules = here.as_ref().and_then(|(_, rules)| rules.as_ref());
    let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
    if ignored.is_ignored(path, is_dir, rules) {
        if !is_dir {
            ignored.note_ignored(path);
        }
        return false;
    }
    if is_dir {
        ignored.enter(path, rules);
    }
    true
}

/// The repository that a folder is, or lies in.
fn repository_above(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

/// The files that git tracks below some folders, each with its folder. Folders are given with their full paths.
fn tracked_too<'a>(
    repository: &Path,
    folders: &HashMap<PathBuf, &'a Path>,
) -> Result<Vec<(&'a Path, PathBuf)>, String> {
    let below = |file: PathBuf| {
        let file = repository.join(file);
        let relative = |folder: &Path| file.strip_prefix(folder).map(Path::to_owned).unwrap_or_default();
        file.ancestors()
            .filter_map(|folder| folders.get(folder).map(|root| (*root, root.join(relative(folder)))))
            .collect::<Vec<_>>()
    };
    Ok(tracked::files(repository)?.into_iter().flat_map(below).collect())
}

/// Opens a walked entry if it is a regular file.
fn regular<'t>(
    roots: &Roots<'_>,
    entry: &DirEntry,
    options: &Options,
    tally: &'t Tally,
) -> Option<Opened<'t>> {
    if !entry.file_type()?.is_file() {
        return None;
    }
    let known = tally.know(Unit::Files, roots.shown(root_of(entry), entry.path()));
    if entry.depth() > 0 {
        return open(entry.path(), known, options);
    }
    // Whoever names a file means it, also where the name is a link, and however large it is.
    match File::open(entry.path()) {
        Ok(file) => Some(Opened { file, known }),
        Err(error) => {
            known.skip(error);
            None
        }
    }
}

/// Opens a file without following a link or waiting for a pipe that took its place meanwhile.
fn open<'t>(path: &Path, known: Known<'t, String>, options: &Options) -> Option<Opened<'t>> {
    let opened = || {
        let file = guarded::open(path).map_err(|error| error.to_string())?;
        if let Some(most) = options.max_file_size {
            let size = file.metadata().map_err(|error| error.to_string())?.len();
            if size > most {
                return Err(format!("{size} bytes, above --max-file-size"));
            }
        }
        Ok(file)
    };
    match opened() {
        Ok(file) => Some(Opened { file, known }),
        Err(reason) => {
            known.skip(reason);
            None
        }
    }
}

/// Names what cannot be walked.
fn name_error(roots: &Roots<'_>, error: &ignore::Error, tally: &Tally) {
    fn path_of(error: &ignore::Error) -> Option<&Path> {
        match error {
            ignore::Error::WithPath { path, .. } => Some(path),
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
            ignore::Error::Loop { child, .. } => Some(child),
            _ => None,
        }
    }
    let path = path_of(error).map_or_else(|| roots.names(), |path| roots.shown(roots.above(path), path));
    let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
    tally.skip(Unit::Files, path, reason);
}
