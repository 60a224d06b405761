//! CSV, one finding a row, for spreadsheets: what a spreadsheet would take for a formula is text.

use std::collections::HashMap;
use std::io::{self, Write};

use super::printable::printable;
use super::{unread, verdict};
use crate::model::{Credential, Report};

const HEAD: [&str; 23] = [
    "verdict",
    "kind",
    "redacted",
    "confidence",
    "repository",
    "path",
    "line",
    "column",
    "at_head",
    "reachable",
    "account_sid",
    "key_sid",
    "credential_kind",
    "owner",
    "checked_at",
    "commit",
    "author",
    "date",
    "removed_by",
    "allowed",
    "owners",
    "first_seen",
    "id",
];

/// The columns of a path and of a reason.
const PATH: usize = 5;
const REASON: usize = 19;

/// Writes all findings, identifiers and those that were allowed too; then a row for each thing that was not read, whose reason stands
/// where others have theirs, and one with the numbers where not all was read.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(HEAD).map_err(io_error)?;
    let credentials: HashMap<&str, &Credential> =
        report.credentials.iter().map(|credential| (credential.id.as_str(), credential)).collect();
    let counted = report.findings.iter().map(|finding| (finding, ""));
    let allowed =
        report.suppressed.iter().map(|suppressed| (&suppressed.finding, suppressed.reason.as_str()));
    for (finding, reason) in counted.chain(allowed) {
        let credential = credentials.get(finding.credential.as_str()).copied();
        let of = |pick: &dyn Fn(&Credential) -> Option<String>| credential.and_then(pick).unwrap_or_default();
        let commit = finding.commit.as_ref();
        let row = [
            of(&|c| Some(verdict::word(c.verdict.state).to_owned())),
            finding.kind.as_str().to_owned(),
            finding.redacted.as_str().to_owned(),
            finding.confidence.to_string(),
            finding.repository.clone().unwrap_or_default(),
            finding.location.path.clone(),
            finding.location.line.to_string(),
            finding.location.column.to_string(),
            finding.at_head.to_string(),
            finding.reachable.to_string(),
            of(&|c| c.account_sid.clone()),
            of(&|c| c.key_sid.clone()),
            of(&|c| c.verdict.kind.map(|kind| kind.title().to_owned())),
            of(&|c| c.verdict.owner.clone()),
            of(&|c| c.verdict.checked_at.clone()),
            commit.map(|commit| commit.id.clone()).unwrap_or_default(),
            commit.map(|commit| format!("{} <{}>", commit.author, commit.email)).unwrap_or_default(),
            commit.map(|commit| commit.date.clone()).unwrap_or_default(),
            finding.removed_by.as_ref().map(|commit| commit.id.clone()).unwrap_or_default(),
            reason.to_owned(),
            finding.owners.join(" "),
            finding.first_seen.clone().unwrap_or_default(),
            finding.id.to_string(),
        ];
        table.write_record(row.iter().map(|cell| harmless(&printable(cell)))).map_err(io_error)?;
    }
    unread_rows(report, &mut table)?;
    table.flush()
}

/// A row for each thing that was not read, and one with the numbers.
fn unread_rows(report: &Report, table: &mut csv::Writer<impl Write>) -> io::Result<()> {
    let mut row = |what: &str, path: &str, reason: &str| {
        let mut row = [const { String::new() }; HEAD.len()];
        what.clone_into(&mut row[0]);
        path.clone_into(&mut row[PATH]);
        reason.clone_into(&mut row[REASON]);
        table.write_record(row.iter().map(|cell| harmless(&printable(cell)))).map_err(io_error)
    };
    let coverage = &report.coverage;
    for unread in coverage.skipped() {
        row("not read", &unread.path, &unread.reason)?;
    }
    for opaque in coverage.opaque() {
        row("not opened", &opaque.path, &opaque.container)?;
    }
    for accepted in coverage.accepted() {
        let reason = format!("{} ({})", accepted.unread.reason, accepted.accepted);
        row("accepted as unread", &accepted.unread.path, &reason)?;
    }
    if let Some(share) = unread::share(report) {
        row("not read", "", &format!("{share} in all"))?;
    }
    Ok(())
}

/// The error of what is written to, as that tells it: whether its reader went away is asked for later.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// A cell that begins like a formula gets an apostrophe, which spreadsheets read as "this is text".
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}
