//! Work trees: every regular file below some roots, in parallel.
//!
//! `.gitignore` is honoured, but not for files that git tracks; hidden files are always looked at; symbolic links
//! are not followed; what is not a regular file is never opened.

mod tracking;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
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
    let roots = walkable(roots, tally)?;
    let named = Roots::of(&roots)?;
    let seen = Seen::default();
    let views = Arc::new(mounts::views_below(&named.folders));
    // A root is never asked about by the walk itself.
    let entered: Vec<PathBuf> =
        roots.iter().filter(|root| !views.contains_key(root.as_path())).cloned().collect();
    let mut noted = walk_all(entered, (&named, &views), options, &seen, tally, &visitor);
    let repositories = std::mem::take(&mut noted.repositories);
    let not_covered = not_entered(&named, &views, tally);
    let mut walked = Walked { not_covered, repositories };
    if options.stop.is_set() {
        tally.skip(Unit::Files, "(all that was left)", INTERRUPTED);
        return Ok(walked);
    }
    let mut read_after_all = HashSet::new();
    if !options.no_ignore {
        let is_seen = |path: &Path| seen.has(path);
        let (passed_over, not_here) =
            tracking::passed_over(&named.folders, &walked.repositories, tally, is_seen);
        walked.not_covered.extend(not_here);
        let mut visit = visitor();
        for (root, path) in passed_over {
            if let Some(opened) = open(&path, tally.know(Unit::Files, named.shown(root, &path)), options) {
                visit(opened);
            }
            read_after_all.insert(path);
        }
    }
    noted.environments.retain(|path| !read_after_all.contains(path));
    noted.nested.retain(|path| !walked.repositories.contains(path));
    walked.not_covered.extend(left_out(&named, noted, tally));
    walked.not_covered.sort();
    Ok(walked)
}

/// Walks the roots, and then the submodules below them that are ignored: git tracks those, so that no rule hides them.
fn walk_all<'t, V>(
    roots: Vec<PathBuf>,
    (named, views): (&Roots<'_>, &Arc<HashMap<PathBuf, String>>),
    options: &Options,
    seen: &Seen,
    tally: &'t Tally,
    visitor: &(impl Fn() -> V + Sync),
) -> Noted
where
    V: FnMut(Opened<'t>) + Send,
{
    let (mut noted, mut next, mut tried) = (Noted::default(), roots, HashSet::new());
    while !next.is_empty() && !options.stop.is_set() {
        let ignored = Arc::new(Ignored::at(&next, !options.no_ignore));
        build(&next, options, &ignored, views).run(|| {
            let mut visit = visitor();
            let mut seen_here = SeenHere { all: seen, hashes: Vec::new(), keep: !options.no_ignore };
            Box::new(move |entry| {
                if options.stop.is_set() {
                    return WalkState::Quit;
                }
                match entry {
                    Ok(entry) => {
                        if let Some(opened) = regular(named, &entry, options, tally) {
                            seen_here.note(entry.path());
                            visit(opened);
                        }
                    }
                    Err(error) => name_error(named, &error, tally),
                }
                WalkState::Continue
            })
        });
        noted.append(ignored.noted());
        let is_left = !options.no_ignore;
        next = if is_left { tracking::unwalked(&named.folders, &noted.repositories) } else { Vec::new() };
        next.retain(|top| tried.insert(top.clone()));
    }
    noted
}

/// The file systems that were not entered. Whoever names one asks for what cannot be had: that counts.
fn not_entered(named: &Roots<'_>, views: &HashMap<PathBuf, String>, tally: &Tally) -> Vec<Skipped> {
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

/// What rules left out that may hold secrets. Rules that were not followed are named.
fn left_out(named: &Roots<'_>, noted: Noted, tally: &Tally) -> Vec<Skipped> {
    let below = |path: &Path| named.shown(named.above(path), path);
    for (path, reason) in noted.unread {
        let reason =
            format!("rules of ignored files were not followed, and what they name was scanned: {reason}");
        tally.skip(Unit::Settings, below(&path), reason);
    }
    let files = noted.environments.iter().map(|path| (path, "git ignores it; --no-ignore scans it as well"));
    let folders = noted
        .nested
        .iter()
        .map(|path| (path, "a repository of its own, which git ignores here; --no-ignore scans it as well"));
    let all = files.chain(folders);
    all.map(|(path, reason)| Skipped { path: below(path), reason: reason.to_owned() }).collect()
}

/// The roots that can be walked. The others are named, so that they do not hide what the rest holds; but where none can be walked,
/// that is an error.
fn walkable(roots: Vec<PathBuf>, tally: &Tally) -> Result<Vec<PathBuf>, Error> {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for root in roots {
        match Roots::of(std::slice::from_ref(&root)).map(drop) {
            Ok(()) => good.push(root),
            Err(error) => bad.push((root, error)),
        }
    }
    if good.is_empty() && !bad.is_empty() {
        return Err(bad.swap_remove(0).1);
    }
    for (root, error) in bad {
        tally.skip(Unit::Files, root.display(), error);
    }
    Ok(good)
}

/// The paths that a walk has seen, as hashes.
#[derive(Default)]
struct Seen {
    state: RandomState,
    hashes: Mutex<HashSet<u64>>,
}

impl Seen {
    fn hash(&self, path: &Path) -> u64 {
        let mut hasher = self.state.build_hasher();
        hasher.write(path.as_os_str().as_encoded_bytes());
        hasher.finish()
    }

    fn has(&self, path: &Path) -> bool {
        lock(&self.hashes).contains(&self.hash(path))
    }
}

/// Paths that one thread has seen; given to all when the thread ends.
struct SeenHere<'a> {
    all: &'a Seen,
    hashes: Vec<u64>,
    keep: bool,
}

impl SeenHere<'_> {
    fn note(&mut self, path: &Path) {
        if self.keep {
            self.hashes.push(self.all.hash(path));
        }
    }
}

impl Drop for SeenHere<'_> {
    fn drop(&mut self) {
        lock(&self.all.hashes).extend(self.hashes.drain(..));
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
        if is_dir {
            ignored.note_ignored_folder(path);
        } else {
            ignored.note_ignored(path);
        }
        return false;
    }
    if is_dir {
        ignored.enter(path, rules);
    }
    true
}

/// Opens a walked entry if it is a regular file.
fn regular<'t>(
    roots: &Roots<'_>,
    entry: &DirEntry,
    options: &Options,
    tally: &'t Tally,
) -> Option<Opened<'t>> {
    let kind = entry.file_type()?;
    if !kind.is_file() {
        // Pipes, sockets and devices hold nothing that stays, and are named all the same.
        if !(kind.is_dir() || kind.is_symlink())
            && let Ok(metadata) = entry.metadata()
        {
            let known = tally.know(Unit::Files, roots.shown(root_of(entry), entry.path()));
            known.opaque(guarded::what_it_is(&metadata));
        }
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
