//! The whole result of a run: the one value that every output format is made from.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use super::{AllowedBy, Coverage, Credential, Finding};

/// The schema's name, in every JSON report.
pub const SCHEMA: &str = "sidsweep/report/1";

/// Which program made a report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tool {
    /// `sidsweep`.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// This program.
    #[must_use]
    pub fn this() -> Self {
        Self { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// What was scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceMode {
    /// A folder or file.
    Tree,
    /// Every object of a repository.
    History,
    /// What would be committed.
    Staged,
    /// What some commits add.
    Range,
    /// Standard input.
    Stdin,
}

/// One thing that was scanned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// In which way.
    pub mode: SourceMode,
    /// Where.
    pub root: String,
    /// Which commits.
    pub range: Option<String>,
    /// The repository that lies there, as an audit names it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub repository: Option<String>,
}

impl Source {
    /// A source that is no part of an audit.
    #[must_use]
    pub fn new(mode: SourceMode, root: &str, range: Option<String>) -> Self {
        Self { mode, root: root.to_owned(), range, repository: None }
    }
}

/// How much was looked at.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Stats {
    /// Files read.
    pub files: u64,
    /// Git blobs read.
    pub blobs: u64,
    /// Git commits read.
    pub commits: u64,
    /// Bytes searched.
    pub bytes: u64,
    /// Wall time.
    pub seconds: f64,
}

impl AddAssign for Stats {
    /// Adds what another part looked at. Its time is not added: parts run side by side.
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.blobs += other.blobs;
        self.commits += other.commits;
        self.bytes += other.bytes;
    }
}

/// Something that was not read or left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Skipped {
    /// What.
    pub path: String,
    /// Why, in words.
    pub reason: String,
}

/// The whole result of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Who made it.
    pub tool: Tool,
    /// What was scanned.
    pub sources: Vec<Source>,
    /// How much.
    pub stats: Stats,
    /// What was known of, and what of it was read and what was not.
    #[serde(flatten)]
    pub coverage: Coverage,
    /// What was left out as asked, and may hold secrets all the same: it does not count for the exit code.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub not_covered: Vec<Skipped>,
    /// Values at places.
    pub findings: Vec<Finding>,
    /// What they add up to.
    pub credentials: Vec<Credential>,
    /// How Twilio was asked; left out where it was not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub asked: Option<Asked>,
    /// Findings that somebody allowed, with the reason: listed, and not counted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub suppressed: Vec<Suppressed>,
}

/// How Twilio was asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asked {
    /// How many requests were sent, repeated ones included.
    pub requests: u64,
    /// A server that stood in for Twilio: then no verdict says anything about the real one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub test_endpoint: Option<String>,
    /// Who asked on the owner's behalf: the user name of the administrator's credential.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub admin: Option<String>,
    /// What was asked about values that nothing but their shape speaks for; left out where they were not looked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub doubtful: Option<AskedDoubtful>,
}

/// What was asked about values that are not reported unless Twilio accepts them. Each value counts once; but of a text with
/// thousands of them the least likely are not kept, and count once for each version of the text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedDoubtful {
    /// How many there are: those that were asked about, and those that were left.
    pub candidates: u64,
    /// How many were asked about with every SID that they were thought to go with, or until Twilio accepted one.
    pub asked: u64,
    /// How many were not asked about, or not with every SID, because of the bounds.
    pub left: u64,
    /// How many pairs of a SID and a value were asked about.
    pub pairs: u64,
    /// How many Twilio accepts: these are reported.
    pub accepted: u64,
    /// About how many Twilio gave no clear answer.
    pub unsettled: u64,
    /// The most pairs that are asked about with one SID.
    pub most_per_sid: u64,
    /// The most pairs that are asked about in a run.
    pub most: u64,
}

/// A finding that somebody allowed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Suppressed {
    /// What was allowed.
    #[serde(flatten)]
    pub finding: Finding,
    /// In which way; reports of older versions do not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub allowed_by: Option<AllowedBy>,
    /// Why.
    pub reason: String,
}
