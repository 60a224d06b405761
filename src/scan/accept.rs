//! What somebody accepted, with a reason: a line's comment, a baseline of values, a policy of paths. Accepted findings do
//! not count; they are listed all the same, and what turns out to work is shown whatever was accepted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::policy::Policy;
use crate::model::{Allowed, AllowedBy, Finding, Fingerprint, Kind, Report, Suppressed, VerdictState};

/// The baseline's schema.
pub const BASELINE_SCHEMA: &str = "sidsweep/baseline/1";

/// Why a file of accepted things is of no use.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read or written.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// It is not one.
    #[error("{path}: {reason}")]
    Syntax {
        /// Which file.
        path: String,
        /// What is wrong, with the line.
        reason: String,
    },
}

impl Error {
    pub(super) fn io(path: &Path, error: std::io::Error) -> Self {
        Self::Io { path: path.display().to_string(), error }
    }

    pub(super) fn syntax(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Syntax { path: path.display().to_string(), reason: reason.to_string() }
    }
}

/// A value that was accepted, wherever it stands: a moved line or a renamed file stays accepted, a new value is new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The credential's id: a hash of the value.
    pub credential: Fingerprint,
    /// What it is.
    pub kind: Kind,
    /// Where it stood, for people.
    pub path: String,
    /// Why it may stay.
    pub reason: String,
    /// Who says so.
    pub by: String,
    /// The last day on which that holds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<Date>,
}

/// Values that were accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    schema: String,
    entries: Vec<Entry>,
}

impl Default for Baseline {
    fn default() -> Self {
        Self { schema: BASELINE_SCHEMA.to_owned(), entries: Vec::new() }
    }
}

impl Baseline {
    /// Reads one.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read(path).map_err(|error| Error::io(path, error))?;
        let baseline: Self = serde_json::from_slice(&text)
            .map_err(|error| Error::syntax(path, format!("not a baseline of --write-baseline ({error})")))?;
        if baseline.schema != BASELINE_SCHEMA {
            return Err(Error::syntax(
                path,
                format!("its schema is {:?}, not {BASELINE_SCHEMA:?}", baseline.schema),
            ));
        }
        if let Some(entry) = baseline.entries.iter().find(|entry| entry.reason.trim().is_empty()) {
            return Err(Error::syntax(path, format!("the entry for {} has no reason", entry.credential)));
        }
        Ok(baseline)
    }

    /// Adds the secrets of a report that count; what is known keeps its reason.
    pub fn add(&mut self, report: &Report, reason: &str, by: &str, until: Option<Date>) {
        let mut known: BTreeMap<Fingerprint, Entry> = std::mem::take(&mut self.entries)
            .into_iter()
            .map(|entry| (entry.credential.clone(), entry))
            .collect();
        for finding in report.findings.iter().filter(|finding| finding.kind.is_secret()) {
            known.entry(finding.credential.clone()).or_insert_with(|| Entry {
                credential: finding.credential.clone(),
                kind: finding.kind,
                path: finding.location.path.clone(),
                reason: reason.to_owned(),
                by: by.to_owned(),
                until,
            });
        }
        self.entries = known.into_values().collect();
        self.entries.sort_by(|a, b| (&a.path, &a.credential).cmp(&(&b.path, &b.credential)));
    }

    /// Writes it, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        use std::io::Write;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let text = serde_json::to_vec_pretty(self).map_err(|error| Error::syntax(path, error))?;
        let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
            file.write_all(&text)?;
            file.write_all(b"\n")?;
            file.persist(path).map_err(|error| error.error)
        });
        written.map(|_| ()).map_err(|error| Error::io(path, error))
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn of(&self, finding: &Finding, today: Date) -> Option<Accepted> {
        let entry = self.entries.iter().find(|entry| entry.credential == finding.credential)?;
        Some(Accepted::until(entry.until, today, &format!("baseline: {} ({})", entry.reason, entry.by)))
    }
}

/// What was found out about a finding that somebody accepted.
pub(super) enum Accepted {
    /// It holds.
    Holds(String),
    /// It is over.
    Over(String),
}

impl Accepted {
    pub(super) fn until(until: Option<Date>, today: Date, reason: &str) -> Self {
        match until {
            Some(until) if until < today => {
                Self::Over(format!("accepted until {until}, which is over: {reason}"))
            }
            Some(until) => Self::Holds(format!("{reason}, until {until}")),
            None => Self::Holds(reason.to_owned()),
        }
    }
}

/// What the paths of a report are relative to, where that is one place.
pub(super) fn root_of(report: &Report) -> PathBuf {
    match report.sources.as_slice() {
        [first, rest @ ..] if rest.iter().all(|source| source.root == first.root) => {
            let root = Path::new(&first.root);
            match root.parent() {
                // A file that was named stands under that name.
                Some(_) if root.is_relative() && root.is_file() => PathBuf::new(),
                Some(parent) if root.is_file() => parent.to_owned(),
                _ => root.to_owned(),
            }
        }
        _ => PathBuf::new(),
    }
}

/// Marks what is accepted. What was accepted for a time that is over counts again, and says so.
pub fn mark(report: &mut Report, baseline: Option<&Baseline>, policies: &[Policy], today: Date) {
    let root = root_of(report);
    for finding in &mut report.findings {
        if finding.allowed.is_some() {
            continue;
        }
        let path = std::path::absolute(root.join(&finding.location.path)).unwrap_or_default();
        let by = |by: AllowedBy| move |accepted: Accepted| (by, accepted);
        let accepted = baseline
            .and_then(|baseline| baseline.of(finding, today).map(by(AllowedBy::Baseline)))
            .or_else(|| {
                let policy = policies.iter().find_map(|policy| policy.of(finding, &path, today));
                policy.map(by(AllowedBy::Policy))
            });
        match accepted {
            Some((by, Accepted::Holds(reason))) => finding.allowed = Some(Allowed { by, reason }),
            Some((_, Accepted::Over(reason))) => finding.evidence.push(reason),
            None => {}
        }
    }
}

/// Takes what is accepted out of what counts, and lists it; but not what works.
pub fn settle(report: &mut Report) {
    let live: Vec<&Fingerprint> = report
        .credentials
        .iter()
        .filter(|credential| credential.verdict.state == VerdictState::Live)
        .map(|credential| &credential.id)
        .collect();
    for finding in &mut report.findings {
        if live.contains(&&finding.credential)
            && let Some(Allowed { reason, .. }) = finding.allowed.take()
        {
            finding.evidence.push(format!("accepted ({reason}), and shown since it works"));
        }
    }
    let (counted, allowed): (Vec<Finding>, Vec<Finding>) =
        std::mem::take(&mut report.findings).into_iter().partition(|finding| finding.allowed.is_none());
    report.findings = counted;
    report.suppressed.extend(allowed.into_iter().filter_map(|mut finding| {
        let Allowed { by, reason } = finding.allowed.take()?;
        Some(Suppressed { finding, allowed_by: Some(by), reason })
    }));
    let kept: std::collections::BTreeSet<Fingerprint> =
        report.findings.iter().map(|finding| finding.id.clone()).collect();
    for credential in &mut report.credentials {
        credential.findings.retain(|id| kept.contains(id));
    }
    report.credentials.retain(|credential| !credential.findings.is_empty());
}

/// Today, by the machine's clock, in UTC.
#[must_use]
pub fn today() -> Date {
    jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date()
}
