//! Paths from a repository's root, as annotations and alerts need them: whatever folder was scanned, a forge looks for a file at the
//! root of its repository.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use crate::model::{Finding, Report, SourceMode};
use crate::report::Format;
use crate::source::repository;

/// The report as a format needs it.
pub fn rooted(report: &Report, format: Format) -> Cow<'_, Report> {
    let below = Some(report).filter(|_| format.wants_repository_paths()).and_then(Below::of);
    match below {
        Some(below) => Cow::Owned(below.report(report)),
        None => Cow::Borrowed(report),
    }
}

/// Where paths of a work tree are relative to.
struct Below {
    top: PathBuf,
    /// The folder, from the top.
    folder: PathBuf,
}

impl Below {
    /// Nothing where paths are as they should be already: paths of history and of ranges are.
    fn of(report: &Report) -> Option<Self> {
        let is_tree =
            |source: &&crate::model::Source| source.mode == SourceMode::Tree && source.repository.is_none();
        let roots: Vec<&Path> =
            report.sources.iter().filter(is_tree).map(|source| Path::new(&source.root)).collect();
        let folder = match roots.as_slice() {
            [] => return None,
            [root] if root.is_dir() => root,
            [root] if root.is_absolute() => root.parent()?,
            // Several roots, and files, are reported as they were named.
            _ => Path::new("."),
        };
        let folder = folder.canonicalize().ok()?;
        let is_top = |folder: &&Path| matches!(repository::git_folders(&folder.join(".git")), Ok(Some(_)));
        let top = folder.ancestors().find(is_top)?.to_owned();
        let folder = folder.strip_prefix(&top).ok()?.to_owned();
        let is_needed = folder != Path::new("") || roots.iter().any(|root| root.is_absolute());
        is_needed.then_some(Self { top, folder })
    }

    fn report(&self, report: &Report) -> Report {
        let mut report = report.clone();
        let allowed = report.suppressed.iter_mut().map(|suppressed| &mut suppressed.finding);
        for finding in report.findings.iter_mut().chain(allowed) {
            // What a commit brought stands at its path from the root.
            if finding.commit.is_none() && finding.repository.is_none() {
                finding.location.path = self.path(&finding.location.path);
            }
        }
        // History says the same of a place, and more.
        let place = |finding: &Finding| {
            (finding.location.path.clone(), finding.location.line, finding.credential.clone())
        };
        let of_history: HashSet<_> =
            report.findings.iter().filter(|finding| finding.commit.is_some()).map(place).collect();
        report.findings.retain(|finding| finding.commit.is_some() || !of_history.contains(&place(finding)));
        report
    }

    fn path(&self, path: &str) -> String {
        let path = Path::new(path);
        let mut parts: Vec<Cow<str>> = Vec::new();
        let from_top = path.strip_prefix(&self.top).map_or_else(|_| self.folder.join(path), Path::to_owned);
        for part in from_top.components() {
            match part {
                Component::ParentDir => {
                    parts.pop();
                }
                Component::CurDir => {}
                part => parts.push(Cow::Owned(part.as_os_str().to_string_lossy().into_owned())),
            }
        }
        parts.join("/")
    }
}
