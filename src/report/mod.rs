//! One file a format: the same report for people and for machines.

pub mod after;
mod alert;
mod allowed;
mod github;
mod gitlab;
pub mod hook;
mod html;
pub mod inventory;
pub mod json;
mod junit;
mod markdown;
mod months;
pub mod plan;
pub mod printable;
pub use printable::printable;
mod sarif;
pub mod sweep;
mod table;
pub mod text;
mod unread;
mod verdict;
pub(crate) mod wrap;

use std::io::{self, Write};

use crate::model::Report;

/// What people are told of a finding whose object is not here any more.
const NOT_READ_AGAIN: &str = "found by an earlier audit; its commit is not here any more, so it was not read again: what leaked stays leaked";

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people, by credential.
    Text,
    /// The whole report as one JSON document, schema `sidsweep/report/1`.
    Json,
    /// One finding a line.
    Jsonl,
    /// SARIF 2.1.0.
    Sarif,
    /// GitLab's secret-detection report.
    Gitlab,
    /// GitLab's code-quality report.
    Codequality,
    /// Annotations of a GitHub workflow run.
    Github,
    /// `JUnit` XML.
    Junit,
    /// One finding a row.
    Csv,
    /// For a pull request's comment.
    Markdown,
    /// One page that needs nothing else.
    Html,
}

impl Format {
    /// The names on the command line.
    pub const ALL: [(&'static str, Self); 11] = [
        ("text", Self::Text),
        ("json", Self::Json),
        ("jsonl", Self::Jsonl),
        ("sarif", Self::Sarif),
        ("gitlab", Self::Gitlab),
        ("codequality", Self::Codequality),
        ("github", Self::Github),
        ("junit", Self::Junit),
        ("csv", Self::Csv),
        ("markdown", Self::Markdown),
        ("html", Self::Html),
    ];
}

impl Format {
    /// What it is for, in a few words.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::Text => "For people, by credential",
            Self::Json => "The whole report, schema sidsweep/report/1",
            Self::Jsonl => "One finding a line",
            Self::Sarif => "SARIF 2.1.0",
            Self::Gitlab => "GitLab's secret-detection report",
            Self::Codequality => "GitLab's code-quality report",
            Self::Github => "Annotations of a GitHub workflow run",
            Self::Junit => "JUnit XML",
            Self::Csv => "One finding a row",
            Self::Markdown => "For a pull request's comment",
            Self::Html => "One page that needs nothing else",
        }
    }

    /// Whether it has a place of its own for the repository of a finding.
    fn knows_repositories(self) -> bool {
        matches!(self, Self::Json | Self::Jsonl | Self::Csv | Self::Html)
    }

    /// Whether its reader looks for a path at the root of the repository, whatever folder of it was scanned.
    #[must_use]
    pub fn wants_repository_paths(self) -> bool {
        matches!(
            self,
            Self::Sarif | Self::Gitlab | Self::Codequality | Self::Github | Self::Junit | Self::Markdown
        )
    }
}

/// The report of an audit for formats that know one repository: it stands in front of each path.
fn with_places(report: &Report) -> Report {
    let mut placed = report.clone();
    let allowed = placed.suppressed.iter_mut().map(|suppressed| &mut suppressed.finding);
    for finding in placed.findings.iter_mut().chain(allowed) {
        finding.location.path = finding.place();
    }
    placed
}

/// Writes a report in a format. `width` bounds the lines of text for people, in columns.
pub fn write(report: &Report, format: Format, width: usize, out: &mut impl Write) -> io::Result<()> {
    let placed;
    let report = if format.knows_repositories() || report.findings.iter().all(|one| one.repository.is_none())
    {
        report
    } else {
        placed = with_places(report);
        &placed
    };
    match format {
        Format::Text => text::write(report, width, out),
        Format::Json => json::write(report, out),
        Format::Jsonl => json::write_lines(report, out),
        Format::Sarif => sarif::write(report, out),
        Format::Gitlab => gitlab::write(report, out),
        Format::Codequality => gitlab::write_quality(report, out),
        Format::Github => github::write(report, out),
        Format::Junit => junit::write(report, out),
        Format::Csv => table::write(report, out),
        Format::Markdown => markdown::write(report, out),
        Format::Html => html::write(report, out),
    }
}
