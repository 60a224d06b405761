//! Reading values again: a saved report or plan holds none, only where each stood and the fingerprint that it has.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Progress, Scanned, changes, gather, history, reread, trees};
use crate::detect::Detector;
use crate::model::{Confidence, Finding, Fingerprint, Report, Source, SourceMode, Vault};
use crate::source::repository::{self, causes};
use crate::source::stop::Stop;
use crate::source::tree;

/// What to read again, and where to look.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// What was scanned.
    pub sources: &'a [Source],
    /// The paths where the credentials stood.
    pub paths: BTreeSet<&'a str>,
    /// Where they stood in history, or in one of an audit's repositories.
    pub places: Vec<&'a Finding>,
    /// The credentials.
    pub ids: BTreeSet<&'a Fingerprint>,
    /// Where the scanned folder is now, if it was moved.
    pub root: Option<&'a Path>,
}

/// What was read again.
#[derive(Debug, Default)]
pub struct Again {
    /// The values that were found.
    pub vault: Vault,
    /// What could not be read, in words.
    pub unread: Vec<String>,
}

impl<'a> Wanted<'a> {
    /// All secrets of a report.
    #[must_use]
    pub fn of(report: &'a Report, root: Option<&'a Path>) -> Self {
        let secrets = || report.findings.iter().filter(|finding| finding.kind.is_secret());
        Self {
            sources: &report.sources,
            paths: secrets()
                .filter(|finding| finding.repository.is_none())
                .map(|finding| finding.location.path.as_str())
                .collect(),
            places: secrets().collect(),
            ids: secrets().map(|finding| &finding.credential).collect(),
            root,
        }
    }

    /// Reads them: from the files that are named, and where that is not enough from the history, index or commits that
    /// were covered. A value that was taken out of a work tree since is looked for in its repository's history.
    pub fn read(&self, detector: &Detector, progress: &Progress) -> Again {
        let mut again = Again::default();
        if self.ids.is_empty() {
            return again;
        }
        let jobs = super::all_cores();
        let options = tree::Options { no_ignore: true, max_file_size: None, jobs, stop: Stop::NEVER };
        match trees(detector, &self.files(), &options, progress) {
            Ok(scanned) => self.take(&mut again, detector, scanned),
            Err(error) => again.unread.push(causes(&error)),
        }
        self.at_places(&mut again, detector, progress);
        if !self.complete(&again) {
            // What was reported only because Twilio accepts it is found by a thorough detector alone.
            let detector = &detector.clone().thorough();
            if let Ok(scanned) = trees(detector, &self.files(), &options, progress) {
                self.take(&mut again, detector, scanned);
            }
            self.at_places(&mut again, detector, progress);
        }
        for source in self.sources.iter().filter(|source| self.needed(source)) {
            if self.complete(&again) {
                return again;
            }
            let place = self.place(source);
            if source.mode != SourceMode::Stdin && place.exists() {
                match source_again(source, &place, detector, &options, progress) {
                    Ok(Some(scanned)) => self.take(&mut again, detector, scanned),
                    Ok(None) => {}
                    Err(reason) => again.unread.push(reason),
                }
            }
        }
        for source in self.sources.iter().filter(|source| self.needed(source)) {
            let place = self.place(source);
            if !self.complete(&again) && source.mode != SourceMode::History && place.is_dir() {
                // There need not be a repository.
                if let Ok(scanned) = history::scan(detector, &place, jobs, true, progress) {
                    self.take(&mut again, detector, scanned);
                }
            }
        }
        again
    }

    /// Whether one of the places is in this source; where none is known, in any.
    fn needed(&self, source: &Source) -> bool {
        source.repository.is_none()
            || self.places.is_empty()
            || self.places.iter().any(|finding| finding.repository == source.repository)
    }

    /// Reads just the blobs, messages and files that the findings name, one place of each credential after the other until
    /// its value is found.
    fn at_places(&self, again: &mut Again, detector: &Detector, progress: &Progress) {
        for source in self.sources.iter().filter(|source| self.needed(source)) {
            let root = self.place(source);
            let missing = |finding: &&&Finding| {
                finding.repository == source.repository && !again.vault.contains_key(&finding.credential)
            };
            let here: Vec<&Finding> = self.places.iter().filter(missing).copied().collect();
            if here.is_empty() || !root.exists() {
                continue;
            }
            if source.repository.is_some() {
                let files: BTreeSet<PathBuf> = here
                    .iter()
                    .map(|finding| root.join(&finding.location.path))
                    .filter(|path| path.is_file())
                    .collect();
                let files: Vec<PathBuf> = files.into_iter().collect();
                let options =
                    tree::Options { no_ignore: true, max_file_size: None, jobs: 1, stop: Stop::NEVER };
                if let Ok(scanned) = trees(detector, &files, &options, progress) {
                    self.take(again, detector, scanned);
                }
            }
            if source.mode == SourceMode::History
                && let Ok(scanned) = reread::read_again(detector, &root, &here)
            {
                self.take(again, detector, scanned);
            }
        }
    }

    fn complete(&self, again: &Again) -> bool {
        self.ids.iter().all(|id| again.vault.contains_key(*id))
    }

    fn take(&self, again: &mut Again, detector: &Detector, scanned: Scanned) {
        let options =
            gather::Options { min_confidence: Confidence::Low, show_secrets: false, repository: None };
        let doubtful = scanned.doubtful.values().map(|hit| (gather::credential_id(hit), hit.value.clone()));
        again.vault.extend(doubtful.filter(|(id, _)| self.ids.contains(id)));
        let found = gather::gather(detector.rules(), scanned.texts, options).vault;
        again.vault.extend(found.into_iter().filter(|(id, _)| self.ids.contains(&id)));
    }

    fn place(&self, source: &Source) -> PathBuf {
        self.root.map_or_else(|| PathBuf::from(&source.root), Path::to_path_buf)
    }

    /// The files that are named and that are still there.
    fn files(&self) -> Vec<PathBuf> {
        let roots: Vec<PathBuf> = self.root.map_or_else(
            || self.sources.iter().map(|source| PathBuf::from(&source.root)).collect(),
            |root| vec![root.to_path_buf()],
        );
        let mut files: Vec<PathBuf> = self
            .paths
            .iter()
            .flat_map(|path| {
                // Where there were several roots, the path has its own in front; a root may be the file itself.
                let below = roots.iter().map(move |root| root.join(path));
                below
                    .chain(roots.iter().filter(move |root| root.ends_with(path)).cloned())
                    .chain([PathBuf::from(path)])
            })
            .filter(|path| path.is_file())
            .collect();
        files.sort();
        files.dedup();
        files
    }
}

/// One of the sources, where it can still be read.
fn source_again(
    source: &Source,
    place: &Path,
    detector: &Detector,
    options: &tree::Options,
    progress: &Progress,
) -> Result<Option<Scanned>, String> {
    let scanned = match (source.mode, &source.range) {
        (SourceMode::Range, Some(range)) => {
            changes::range(detector, place, range, options.jobs).map_err(|error| causes(&error))?
        }
        (SourceMode::Staged, _) => changes::staged(detector, place, true).map_err(|error| causes(&error))?,
        (SourceMode::History, _) => {
            history::scan(detector, place, options.jobs, true, progress).map_err(|error| causes(&error))?
        }
        _ if repository::is_bare(place) => return Ok(None),
        _ => trees(detector, &[place.to_path_buf()], options, progress).map_err(|error| causes(&error))?,
    };
    Ok(Some(scanned))
}
