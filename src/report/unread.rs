//! What was not read, in words: how much of what was known of, which containers are not opened, and what was accepted.

use std::collections::BTreeMap;

use super::printable::printable;
use crate::model::{Report, Unit};

/// How much was not read, of how much: "1 of 13 files, 2 of 40 archive entries". Nothing where all was read.
#[must_use]
pub fn share(report: &Report) -> Option<String> {
    let mut skipped: BTreeMap<Unit, u64> = BTreeMap::new();
    for unread in report.coverage.skipped() {
        *skipped.entry(unread.unit).or_default() += unread.count;
    }
    let known: BTreeMap<Unit, u64> =
        report.coverage.counts().map(|(unit, count)| (unit, count.known)).collect();
    let part = |(&unit, &number): (&Unit, &u64)| {
        let all = known.get(&unit).copied().unwrap_or(number);
        format!("{number} of {all} {}", unit.word(all))
    };
    (!skipped.is_empty()).then(|| skipped.iter().map(part).collect::<Vec<_>>().join(", "))
}

/// How many containers of which kinds are not opened: "2 containers that are not opened (a RAR archive, a 7z archive)".
#[must_use]
pub fn containers(report: &Report) -> Option<String> {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for opaque in report.coverage.opaque() {
        *kinds.entry(&opaque.container).or_default() += 1;
    }
    let words = |(kind, number): (&&str, &usize)| {
        let kind = printable(kind);
        if *number == 1 { kind } else { format!("{kind}, {number} times") }
    };
    let all = report.coverage.opaque().len();
    let s = if all == 1 { " that is" } else { "s that are" };
    (all > 0).then(|| {
        format!("{all} container{s} not opened ({})", kinds.iter().map(words).collect::<Vec<_>>().join("; "))
    })
}

/// One line for each thing that was not read.
pub fn skipped(report: &Report) -> impl Iterator<Item = String> {
    let line = |path: &str, reason: &str| format!("not read: {}: {}", printable(path), printable(reason));
    report.coverage.skipped().iter().map(move |unread| line(&unread.path, &unread.reason))
}

/// One line for each container that is not opened, and for each thing that was accepted as unread.
pub fn notes(report: &Report) -> impl Iterator<Item = String> {
    let opaque = report.coverage.opaque().iter();
    let opaque =
        opaque.map(|one| format!("not opened: {}: {}", printable(&one.path), printable(&one.container)));
    let accepted = report.coverage.accepted().iter().map(|one| {
        let (path, reason) = (printable(&one.unread.path), printable(&one.unread.reason));
        format!("accepted as unread ({}): {path}: {reason}", printable(&one.accepted))
    });
    opaque.chain(accepted)
}
