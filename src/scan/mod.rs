//! Sources times detector, on all cores: the one place that makes scan threads.

pub mod accept;
pub mod again;
mod between;
mod callers;
pub mod changes;
mod content;
pub mod doubtful;
pub mod gather;
pub mod history;
pub mod ledger;
pub mod look;
mod missing;
mod moved;
pub mod nested;
pub mod policy;
mod provenance;
pub mod pushed;
mod reread;
mod scanner;
pub mod unread;
mod workers;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use doubtful::Doubtful;
use gather::{Origin, TextHits};
use look::{Left, Looked, Searched};

use crate::detect::Detector;
use crate::model::{Coverage, Known, Skipped, Stats, Tally, Unit};
use crate::source::stop::Stop;
use crate::source::stream::Windows;
use crate::source::tree::{self, Opened};
use crate::source::{archive, roots};

/// Enough to know an archive by, in bytes.
const HEAD: u64 = 512;
/// The largest archive that is taken from standard input, in bytes.
const LARGEST_HELD: u64 = 512 << 20;

/// Counts that grow while a scan runs, for a progress display.
#[derive(Debug, Default)]
pub struct Progress {
    /// Files and blobs read.
    pub files: AtomicU64,
    /// Bytes read.
    pub bytes: AtomicU64,
    /// Ends the scan early.
    pub stop: Stop,
}

/// What was found in a source, or in a part of it. What it covers is in the source's tally.
#[derive(Debug, Default)]
pub struct Found {
    /// Texts with hits.
    pub texts: Vec<TextHits>,
    /// Values that Twilio can be asked about, since nothing but their shape speaks for them.
    pub doubtful: Doubtful,
    /// How much was looked at; `seconds` is left to the caller.
    pub stats: Stats,
}

/// The raw result of a scan. There is none without its coverage.
#[derive(Debug)]
pub struct Scanned {
    /// Texts with hits.
    pub texts: Vec<TextHits>,
    /// Values that Twilio can be asked about, since nothing but their shape speaks for them.
    pub doubtful: Doubtful,
    /// What was known of, and what of it was read and what was not.
    pub coverage: Coverage,
    /// What was left out as asked, and may hold secrets all the same.
    pub not_covered: Vec<Skipped>,
    /// The tops of work trees that stand at or below the roots of a scan of work trees.
    pub repositories: Vec<PathBuf>,
    /// How much was looked at; `seconds` is left to the caller.
    pub stats: Stats,
}

impl Found {
    /// Ends a source: what was found in it, and what it covers.
    #[must_use]
    pub fn covering(self, tally: Tally) -> Scanned {
        let Self { texts, doubtful, stats } = self;
        let coverage = tally.end();
        Scanned { texts, doubtful, coverage, not_covered: Vec::new(), repositories: Vec::new(), stats }
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

    /// Adds what was found in another part of the same source.
    fn append(&mut self, other: Self) {
        self.texts.extend(other.texts);
        self.doubtful.append(other.doubtful);
        self.stats += other.stats;
    }
}

impl Scanned {
    /// Adds the result of another scan, its paths below `root`.
    pub fn add(&mut self, other: Self, root: &Path) {
        let prefix = roots::prefix(root);
        // A place that is named in full stays so.
        let under =
            |path: &str| if path.starts_with('/') { path.to_owned() } else { format!("{prefix}{path}") };
        self.texts.extend(other.texts.into_iter().map(|text| TextHits { path: under(&text.path), ..text }));
        self.doubtful.append(other.doubtful.below(&prefix));
        self.coverage.append(other.coverage.renamed(under));
        let not_covered = other.not_covered.into_iter();
        self.not_covered.extend(not_covered.map(|left| Skipped { path: under(&left.path), ..left }));
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
    let (tally, found) = (Tally::default(), Mutex::new(Found::default()));
    let pointers: Mutex<Vec<Known<'_, String>>> = Mutex::default();
    let walked = tree::walk(roots, options, &tally, || {
        let mut windows = Windows::default();
        let (tally, found, pointers, files, bytes) = (&tally, &found, &pointers, &files, &bytes);
        move |Opened { mut file, known }: Opened<'_>| {
            let searched = match look::file(&mut windows, detector, known.name(), &mut file, tally) {
                Ok(searched) => searched,
                Err(error) => return known.skip(error),
            };
            files.fetch_add(1, Ordering::Relaxed);
            bytes.fetch_add(searched.bytes, Ordering::Relaxed);
            progress.files.fetch_add(1, Ordering::Relaxed);
            progress.bytes.fetch_add(searched.bytes, Ordering::Relaxed);
            if !searched.looked.is_empty() {
                lock(found).add_looked(searched.looked, &Origin::default());
            }
            match searched.left {
                Left::Content => lock(pointers).push(known),
                left => left.close(known),
            }
        }
    })?;
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.stats += Stats { files: files.into_inner(), bytes: bytes.into_inner(), ..Stats::default() };
    for pointer in pointers.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let (looked, bytes) = content::read_in_tree(detector, roots, pointer, &tally);
        found.stats.bytes += bytes;
        found.add_looked(looked, &Origin::default());
    }
    callers::judge(detector, roots, options, &mut found);
    let tree::Walked { not_covered, repositories } = walked;
    Ok(Scanned { not_covered, repositories, ..found.covering(tally) })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
    let mut scanned = trees(&detector.quick(), roots, options, progress)?;
    let folders = doubtful::Folders::of(&scanned.texts);
    if folders.is_empty() {
        return Ok(scanned);
    }
    let doubtful: Mutex<Doubtful> = Mutex::default();
    // What cannot be read was named the first time.
    let again = Tally::default();
    tree::walk(roots, options, &again, || {
        let mut windows = Windows::default();
        let (again, doubtful, folders) = (&again, &doubtful, &folders);
        move |Opened { mut file, known }: Opened<'_>| {
            if folders.hold(known.name())
                && let Ok(found) = look::file(&mut windows, detector, known.name(), &mut file, again)
            {
                let mut doubtful = lock(doubtful);
                for text in found.looked {
                    doubtful.add_all(text);
                }
            }
            known.read();
        }
    })?;
    scanned.doubtful = doubtful.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(scanned)
}

/// Scans one stream. An archive is held in memory, since a stream is read only once.
pub fn stream(detector: &Detector, name: &str, mut stream: impl Read) -> std::io::Result<Scanned> {
    let (tally, mut found) = (Tally::default(), Found::default());
    let known = tally.know(Unit::Files, name);
    let mut head = Vec::new();
    stream.by_ref().take(HEAD).read_to_end(&mut head)?;
    let may_be_behind = || archive::may_stand_before_zip(&head) || archive::is_binary(&head);
    let kind = archive::kind_of(&head, name).or_else(|| may_be_behind().then_some(archive::Kind::ZipBehind));
    // What is no archive, or may be none, can be read as it comes, however long it is.
    let can_stream = |kind: archive::Kind| kind.is_text() || kind == archive::Kind::ZipBehind;
    if kind.is_some() {
        stream.by_ref().take(LARGEST_HELD).read_to_end(&mut head)?;
    }
    let is_too_long = head.len() as u64 >= LARGEST_HELD;
    let too_long = || {
        let reason = format!("an archive above {} MB on standard input: scan the file", LARGEST_HELD >> 20);
        tally.skip(Unit::Entries, name, reason);
    };
    let Searched { looked, bytes, left } = if kind.is_some_and(|kind| !(is_too_long && can_stream(kind))) {
        if is_too_long {
            too_long();
        }
        let mut file = std::io::Cursor::new(head);
        look::file(&mut Windows::default(), detector, name, &mut file, &tally)?
    } else {
        let mut stream = archive::Tail::new(std::io::Cursor::new(&head).chain(stream));
        let searched = look::stream(&mut Windows::default(), detector, name, &mut stream)?;
        if is_too_long && archive::ends_with_zip(&head, stream.last()) {
            too_long();
        }
        searched
    };
    left.close(known);
    found.stats = Stats { files: 1, bytes, ..Stats::default() };
    found.add_looked(looked, &Origin::default());
    Ok(found.covering(tally))
}
