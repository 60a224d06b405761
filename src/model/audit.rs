//! What an audit looks at, and how far it is.

use serde::{Deserialize, Serialize};

use super::Unit;

/// What is looked at under a repository's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holding {
    /// The code, with all of its history.
    Code,
    /// The wiki, which is a git repository of its own.
    Wiki,
    /// A gist or snippet, which is one too.
    Gist,
    /// The texts of issues and pull requests, and what was said about them.
    Texts,
}

/// How a repository is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A folder on this machine, which is read where it lies.
    Folder(String),
    /// A git URL without a user or password in it.
    Remote(String),
    /// A forge's API, for texts: the address of the repository there.
    Api(String),
}

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// What reports call it, and what it is known by: host and path, e.g. `github.com/acme/shop`, with the holding behind
    /// it where it is not the code.
    pub name: String,
    /// What is looked at.
    pub holding: Holding,
    /// How it is reached.
    pub place: Place,
    /// The source that it came from, as it was given.
    pub source: String,
    /// When the forge says that something was pushed last, in the forge's own words: compared, never reckoned with.
    pub pushed: Option<String>,
    /// Whether all that was pushed before it was listed is in `pushed`: forges round, and some are late.
    #[serde(default)]
    pub settled: bool,
    /// Its size in KiB, as the forge states it.
    pub size_kib: Option<u64>,
}

impl Repository {
    /// What it counts as. Without a place it stands for a part of a listing that was not seen.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match (&self.place, self.holding) {
            (Place::Remote(url), _) if url.is_empty() => Unit::Listings,
            (_, Holding::Texts) => Unit::Texts,
            _ => Unit::Repositories,
        }
    }
}

/// How far the work on one repository is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkState {
    /// It waits for a worker, or for its next try.
    Queued,
    /// A worker is at it.
    Running,
    /// It was looked at.
    Done,
    /// Nothing was pushed since the last audit.
    Unchanged,
    /// It could not be looked at; the reason says why.
    Failed,
}

impl WorkState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Done, Self::Unchanged, Self::Failed];

    /// Its name in the database and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// The schema's name, in every status.
pub const STATUS_SCHEMA: &str = "sidsweep/audit-status/1";

/// How far an audit is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// [`STATUS_SCHEMA`].
    pub schema: String,
    /// Where it is kept, without a password.
    pub database: String,
    /// The audit.
    pub audit: String,
    /// What was asked for.
    pub sources: Vec<String>,
    /// When it began, RFC 3339.
    pub started_at: String,
    /// When it ended; null while it runs or waits to go on.
    pub finished_at: Option<String>,
    /// Whether all repositories are known: a listing that broke off is made again.
    pub listed: bool,
    /// How many repositories there are.
    pub repositories: u64,
    /// How many of them are in each state.
    pub states: std::collections::BTreeMap<WorkState, u64>,
    /// Git objects and files that were judged in this audit.
    pub blobs: u64,
    /// Bytes that were searched in this audit.
    pub bytes: u64,
    /// Findings in its repositories, identifiers included.
    pub findings: u64,
    /// What is left at the pace so far, in seconds; null where there is nothing to reckon with.
    pub seconds_left: Option<u64>,
    /// Who is at work.
    pub workers: Vec<WorkerStatus>,
    /// What could not be looked at.
    pub failed: Vec<FailedWork>,
}

/// A worker at a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerStatus {
    /// Host and process.
    pub worker: String,
    /// The repository.
    pub repository: String,
    /// Since when, RFC 3339.
    pub since: String,
}

/// A repository that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedWork {
    /// Which.
    pub repository: String,
    /// Why.
    pub reason: String,
}
