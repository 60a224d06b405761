//! Sources times detector, on all cores: the one place that makes scan threads.

pub mod accept;
pub mod again;
mod between;
mod callers;
pub mod changes;
pub mod doubtful;
pub mod gather;
pub mod history;
pub mod ledger;
pub mod look;
mod missing;
pub mod nested;
pub mod policy;
mod provenance;
pub mod pushed;
mod reread;
mod scanner;
mod workers;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use doubtful::Doubtful;
use gather::{Origin, TextHits};
use look::Looked;

use crate::detect::Detector;
use crate::model::{Skipped, Stats};
use crate::source::guarded::{self, Links};
use crate::source::stream::Windows;
use crate::source::tree::{self, Opened};
use crate::source::{archive, lfs, repository, roots};

/// Enough to know an archive by, in bytes.
const HEAD: u64 = 512;
/// The largest archive that is taken from standard input, in bytes.
const LARGEST_HELD: u64 = 1 << 30;

/// Counts that grow while a scan runs, for a progress display.
#[derive(Debug, Default)]
pub struct Progress {
    /// Files and blobs read.
    pub files: AtomicU64,
    /// Bytes read.
    pub bytes: AtomicU64,
}

/// The raw result of a scan.
#[derive(Debug, Default)]
pub struct Scanned {
    /// Texts with hits.
    pub texts: Vec<TextHits>,
    /// Values that Twilio can be asked about, since nothing but their shape speaks for them.
    pub doubtful: Doubtful,
    /// What was not read.
    pub skipped: Vec<Skipped>,
    /// What was left out as asked, and may hold secrets all the same.
    pub not_covered: Vec<Skipped>,
    /// The tops of work trees that stand at or below the roots of a scan of work trees.
    pub repositories: Vec<PathBuf>,
    /// How much was looked at; `seconds` is left to the caller.
    pub stats: Stats,
}

impl Scanned {
    /// Adds the result of another scan, its paths below `root`.
    pub fn add(&mut self, other: Self, root: &Path) {
        let prefix = roots::prefix(root);
        // A place that is named in full stays so.
        let under = |path: String| if path.starts_with('/') { path } else { format!("{prefix}{path}") };
        let texts = other.texts.into_iter().map(|text| TextHits { path: under(text.path), ..text }).collect();
        let below = |list: Vec<Skipped>| {
            list.into_iter().map(|skipped| Skipped { path: under(skipped.path), ..skipped }).collect()
        };
        let (skipped, not_covered) = (below(other.skipped), below(other.not_covered));
        let doubtful = other.doubtful.below(&prefix);
        let repositories = other.repositories;
        self.append(Self { texts, doubtful, skipped, not_covered, repositories, stats: other.stats });
        self.skipped.sort();
    }

    /// Adds what was found in one place.
    fn add_looked(&mut self, looked: Looked, origin: &Origin) {
        for text in looked {
            self.doubtful.add_text(&text.path, &text.hits, text.doubtful, text.dropped, origin);
            if !text.hits.is_empty() {
                self.texts.push(TextHits { path: text.path, hits: text.hits, origin: origin.clone() });
            }
        }
    }

    /// Looks at the content that a pointer of Git LFS stands for, where it is here.
    fn add_content(&mut self, detector: &Detector, roots: &[PathBuf], pointer: Skipped) {
        let places = roots.iter().map(|root| root.join(&pointer.path)).chain([PathBuf::from(&pointer.path)]);
        let content = places.filter_map(|place| {
            let bytes = guarded::read(&place, guarded::LINE, Links::BetweenGitFolders).ok()??;
            let git =
                repository::find(place.parent().filter(|folder| *folder != "").unwrap_or(Path::new(".")))?;
            let common = repository::common_of(&git).ok()?;
            lfs::content(&common, lfs::pointer(&bytes)?)
        });
        let Some(Ok(mut file)) = content.map(|path| guarded::open(&path)).next() else {
            return self.skipped.push(pointer);
        };
        let mut windows = Windows::default();
        match look::file(&mut windows, detector, &pointer.path, &mut file, &mut self.skipped) {
            Ok((found, bytes)) => {
                self.stats.bytes += bytes;
                self.add_looked(found, &Origin::default());
            }
            Err(error) => self.skipped.push(Skipped { path: pointer.path, reason: error.to_string() }),
        }
    }

    /// Adds the result of another part of the same scan.
    fn append(&mut self, other: Self) {
        self.texts.extend(other.texts);
        self.doubtful.append(other.doubtful);
        self.skipped.extend(other.skipped);
        self.not_covered.extend(other.not_covered);
        self.repositories.extend(other.repositories);
        self.stats += other.stats;
    }
}

/// How many threads there are to be where nobody says.
#[must_use]
pub fn all_cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Scans work trees and files, all in one walk. Where there are several roots, each path is reported with its root in front.
pub fn trees(
    detector: &Detector,
    roots: &[PathBuf],
    options: &tree::Options,
    progress: &Progress,
) -> Result<Scanned, roots::Error> {
    let (files, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
    let scanned: Mutex<Scanned> = Mutex::default();
    let inside: Mutex<Vec<Skipped>> = Mutex::default();
    let tree::Walked { mut skipped, not_covered, repositories } = tree::walk(roots, options, || {
        let mut windows = Windows::default();
        let (scanned, inside, files, bytes) = (&scanned, &inside, &files, &bytes);
        move |Opened { mut file, path }: Opened| {
            let mut skipped = Vec::new();
            match look::file(&mut windows, detector, &path, &mut file, &mut skipped) {
                Ok((found, read)) => {
                    files.fetch_add(1, Ordering::Relaxed);
                    bytes.fetch_add(read, Ordering::Relaxed);
                    progress.files.fetch_add(1, Ordering::Relaxed);
                    progress.bytes.fetch_add(read, Ordering::Relaxed);
                    if !found.is_empty() {
                        let mut scanned = scanned.lock().unwrap_or_else(PoisonError::into_inner);
                        scanned.add_looked(found, &Origin::default());
                    }
                    if !skipped.is_empty() {
                        inside.lock().unwrap_or_else(PoisonError::into_inner).append(&mut skipped);
                    }
                    Ok(())
                }
                Err(error) => Err(Skipped { path, reason: error.to_string() }),
            }
        }
    })?;
    skipped.extend(inside.into_inner().unwrap_or_else(PoisonError::into_inner));
    let mut scanned = scanned.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (pointers, skipped) = skipped.into_iter().partition(|unread| unread.reason == lfs::ABSENT);
    scanned.skipped = skipped;
    for pointer in pointers {
        scanned.add_content(detector, roots, pointer);
    }
    scanned.skipped.sort();
    let read = Stats { files: files.into_inner(), bytes: bytes.into_inner(), ..Stats::default() };
    scanned.stats += read;
    callers::judge(detector, roots, options, &mut scanned);
    Ok(Scanned { not_covered, repositories, ..scanned })
}

/// The same by a thorough detector, for its doubtful values. That takes many times as long where there are many hashes, so only
/// the files in folders with a SID are read thoroughly, after all were read as usual. What is found counts as if nobody had been
/// thorough.
pub fn trees_thoroughly(
    detector: &Detector,
    roots: &[PathBuf],
    options: &tree::Options,
    progress: &Progress,
) -> Result<Scanned, roots::Error> {
    let mut scanned = trees(&Detector::new(detector.rules().clone()), roots, options, progress)?;
    let folders = doubtful::Folders::of(&scanned.texts);
    if folders.is_empty() {
        return Ok(scanned);
    }
    let doubtful: Mutex<Doubtful> = Mutex::default();
    // What cannot be read was named the first time.
    tree::walk(roots, options, || {
        let mut windows = Windows::default();
        let (doubtful, folders) = (&doubtful, &folders);
        move |Opened { mut file, path }: Opened| {
            if folders.hold(&path)
                && let Ok((found, _)) = look::file(&mut windows, detector, &path, &mut file, &mut Vec::new())
            {
                let mut doubtful = doubtful.lock().unwrap_or_else(PoisonError::into_inner);
                for text in found {
                    doubtful.add_all(text);
                }
            }
            Ok(())
        }
    })?;
    scanned.doubtful = doubtful.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(scanned)
}

/// Whether what begins like this is no text.
fn is_binary(head: &[u8]) -> bool {
    let is_utf8 = std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true);
    !is_utf8 || memchr::memchr(0, head).is_some()
}

/// Scans one stream. An archive is held in memory, since a stream is read only once.
pub fn stream(detector: &Detector, name: &str, mut stream: impl Read) -> std::io::Result<Scanned> {
    let mut head = Vec::new();
    stream.by_ref().take(HEAD).read_to_end(&mut head)?;
    let mut scanned = Scanned::default();
    scanned.stats.files = 1;
    let may_stand_before_zip = || archive::may_stand_before_zip(&head) || is_binary(&head);
    let behind = || may_stand_before_zip().then_some(archive::Kind::ZipBehind);
    let kind = archive::kind(&head).or_else(behind);
    if kind.is_some() {
        stream.by_ref().take(LARGEST_HELD).read_to_end(&mut head)?;
    }
    let is_too_long = head.len() as u64 >= LARGEST_HELD;
    // What is no archive, or may be none, can be read as it comes, however long it is.
    let can_stream = |kind: archive::Kind| kind.is_text() || kind == archive::Kind::ZipBehind;
    let looked = if kind.is_some_and(|kind| !(is_too_long && can_stream(kind))) {
        if is_too_long {
            let reason =
                format!("an archive above {} MB on standard input: scan the file", LARGEST_HELD >> 20);
            scanned.skipped.push(Skipped { path: name.to_owned(), reason });
        }
        let mut file = std::io::Cursor::new(head);
        let (looked, bytes) =
            look::file(&mut Windows::default(), detector, name, &mut file, &mut scanned.skipped)?;
        scanned.stats.bytes = bytes;
        looked
    } else {
        let found =
            Windows::default().scan_plain(detector, name, std::io::Cursor::new(head).chain(stream))?;
        scanned.stats.bytes = found.bytes;
        look::one(name, found.hits, found.dropped)
    };
    scanned.add_looked(looked, &Origin::default());
    Ok(scanned)
}
