//! Annotations of a GitHub workflow run: commands on standard output, one a secret, and a line where there is none.

use std::io::{self, Write};

use super::alert::{self, Severity};
use super::printable::printable;
use super::unread;
use crate::model::Report;

/// Writes a command for each secret that counts, and for what was not read. A job that found nothing says so.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let alerts = alert::all(report);
    for alert in &alerts {
        let level = match alert.severity() {
            _ if alert.allowed.is_some() => "notice",
            Severity::Critical | Severity::High => "error",
            Severity::Medium => "warning",
            Severity::Low => "notice",
        };
        let place = &alert.finding.location;
        let (title, next) = match alert.allowed {
            Some(reason) => ("Twilio, allowed", format!("Allowed, so it does not count: {reason}")),
            None => ("Twilio", alert.next()),
        };
        writeln!(
            out,
            "::{level} file={},line={},title={}::{}",
            property(&printable(&place.path)),
            place.line,
            property(&format!("{title}: {}", alert.finding.kind.title())),
            data(&printable(&format!("{}. {next}", alert.sentence()))),
        )?;
    }
    for skipped in report.coverage.skipped() {
        let text = format!("{}: {}", printable(&skipped.path), printable(&skipped.reason));
        writeln!(out, "::warning title=sidsweep could not read all of it::{}", data(&text))?;
    }
    if let Some(share) = unread::share(report) {
        let text = format!("{share} could not be read");
        writeln!(out, "::warning title=sidsweep could not read all of it::{}", data(&text))?;
    }
    if let Some(containers) = unread::containers(report) {
        writeln!(out, "::notice title=sidsweep does not open all of it::{}", data(&containers))?;
    }
    for opaque in report.coverage.opaque() {
        let text = format!("{}: {}", printable(&opaque.path), printable(&opaque.container));
        writeln!(out, "::notice title=sidsweep does not open all of it::{}", data(&text))?;
    }
    for accepted in report.coverage.accepted() {
        let (unread, by) = (&accepted.unread, printable(&accepted.accepted));
        let text = format!("{}: {} ({by})", printable(&unread.path), printable(&unread.reason));
        writeln!(out, "::notice title=sidsweep, accepted as unread::{}", data(&text))?;
    }
    if alerts.is_empty() {
        let stats = &report.stats;
        let of = if report.coverage.is_complete() { "" } else { " in what could be read" };
        writeln!(
            out,
            "sidsweep: no Twilio secrets{of} (files: {}, blobs: {}, commits: {})",
            stats.files, stats.blobs, stats.commits
        )?;
    }
    Ok(())
}

/// As GitHub's own toolkit escapes a command's text.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// And its properties.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
