//! Sources times detector, on all cores: the one place that makes scan threads.

pub mod accept;
pub mod again;
pub mod changes;
pub mod gather;
pub mod history;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use gather::{Origin, TextHits};

use crate::detect::Detector;
use crate::model::{Skipped, Stats};
use crate::source::stream::Windows;
use crate::source::tree::{self, Opened};

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
    /// What was not read.
    pub skipped: Vec<Skipped>,
    /// How much was looked at; `seconds` is left to the caller.
    pub stats: Stats,
}

impl Scanned {
    /// Adds the result of another scan, its paths below `root`.
    pub fn add(&mut self, other: Self, root: &Path) {
        let prefix = prefix(&root.to_string_lossy());
        let under = |path: String| format!("{prefix}{path}");
        self.texts.extend(other.texts.into_iter().map(|text| TextHits { path: under(text.path), ..text }));
        self.skipped.extend(
            other.skipped.into_iter().map(|skipped| Skipped { path: under(skipped.path), ..skipped }),
        );
        self.skipped.sort();
        self.stats.files += other.stats.files;
        self.stats.blobs += other.stats.blobs;
        self.stats.commits += other.stats.commits;
        self.stats.bytes += other.stats.bytes;
    }
}

/// Scans work trees. Where there are several roots, each path is reported with its root in front.
pub fn trees(
    detector: &Detector,
    roots: &[PathBuf],
    options: &tree::Options,
    progress: &Progress,
) -> Result<Scanned, tree::Error> {
    let mut scanned = Scanned::default();
    let (files, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
    for root in roots {
        let prefix = if roots.len() > 1 { root_prefix(root) } else { String::new() };
        let texts: Mutex<Vec<TextHits>> = Mutex::default();
        let unread = tree::walk(root, options, || {
            let mut windows = Windows::default();
            let (texts, prefix, files, bytes) = (&texts, &prefix, &files, &bytes);
            move |opened: Opened| {
                let path = format!("{prefix}{}", opened.path);
                match windows.scan(detector, &path, opened.file) {
                    Ok(found) => {
                        files.fetch_add(1, Ordering::Relaxed);
                        bytes.fetch_add(found.bytes, Ordering::Relaxed);
                        progress.files.fetch_add(1, Ordering::Relaxed);
                        progress.bytes.fetch_add(found.bytes, Ordering::Relaxed);
                        if !found.hits.is_empty() {
                            texts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(TextHits {
                                path,
                                hits: found.hits,
                                origin: Origin::default(),
                            });
                        }
                        Ok(())
                    }
                    Err(error) => Err(Skipped { path: opened.path, reason: error.to_string() }),
                }
            }
        })?;
        scanned.texts.extend(texts.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner));
        scanned.skipped.extend(
            unread
                .into_iter()
                .map(|skipped| Skipped { path: format!("{prefix}{}", skipped.path), ..skipped }),
        );
    }
    scanned.skipped.sort();
    scanned.stats.files = files.into_inner();
    scanned.stats.bytes = bytes.into_inner();
    Ok(scanned)
}

fn root_prefix(root: &Path) -> String {
    if root.is_file() {
        return root.parent().map(|parent| prefix(&parent.to_string_lossy())).unwrap_or_default();
    }
    prefix(&root.to_string_lossy())
}

fn prefix(root: &str) -> String {
    let trimmed = root.trim_start_matches("./").trim_end_matches('/');
    if trimmed.is_empty() || trimmed == "." { String::new() } else { format!("{trimmed}/") }
}

/// Scans one stream.
pub fn stream(detector: &Detector, name: &str, stream: impl Read) -> std::io::Result<Scanned> {
    let found = Windows::default().scan(detector, name, stream)?;
    let stats = Stats { files: 1, bytes: found.bytes, ..Stats::default() };
    Ok(Scanned {
        texts: vec![TextHits { path: name.to_owned(), hits: found.hits, origin: Origin::default() }],
        stats,
        ..Scanned::default()
    })
}
