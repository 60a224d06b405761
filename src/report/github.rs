//! Annotations of a GitHub workflow run: commands on standard output, one a secret.

use std::io::{self, Write};

use super::alert::{self, Severity};
use super::printable::printable;
use crate::model::Report;

/// Writes a command for each secret that counts, and for what was not read.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for alert in &alert::all(report) {
        let level = match alert.severity() {
            _ if alert.allowed.is_some() => "notice",
            Severity::Critical | Severity::High => "error",
            Severity::Medium => "warning",
            Severity::Low => "notice",
        };
        let place = &alert.finding.location;
        let (title, steps) = match alert.allowed {
            Some(reason) => ("Twilio, allowed", format!("Allowed, so it does not count: {reason}")),
            None => ("Twilio", alert.steps()),
        };
        writeln!(
            out,
            "::{level} file={},line={},title={}::{}",
            property(&printable(&place.path)),
            place.line,
            property(&format!("{title}: {}", alert.finding.kind.title())),
            data(&printable(&format!("{}. {steps}", alert.sentence()))),
        )?;
    }
    for skipped in &report.skipped {
        let text = format!("{}: {}", printable(&skipped.path), printable(&skipped.reason));
        writeln!(out, "::warning title=sidsweep could not read all of it::{}", data(&text))?;
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
