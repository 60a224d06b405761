//! What a refused commit or push sees: at most twelve lines, for people in a hurry.

use std::io::{self, Write};

use super::printable::printable;
use crate::model::{Finding, Report};

/// How many leaks are shown; the rest are counted.
const MOST_SHOWN: usize = 4;

/// Writes what would leak and the three ways on. `act` is what was refused (`commit`, `push`), `all` the command that
/// shows everything.
pub fn write(report: &Report, act: &str, all: &str, out: &mut impl Write) -> io::Result<()> {
    let secrets: Vec<&Finding> = report.findings.iter().filter(|finding| finding.kind.is_secret()).collect();
    let what = if secrets.len() == 1 { "a Twilio secret" } else { "Twilio secrets" };
    writeln!(out, "sidsweep: this {act} would leak {what}:")?;
    for finding in secrets.iter().take(MOST_SHOWN) {
        let place = &finding.location;
        let account = report
            .credentials
            .iter()
            .find(|credential| credential.id == finding.credential)
            .and_then(|credential| credential.key_sid.as_deref().or(credential.account_sid.as_deref()))
            .map(|sid| format!(" of {}", printable(sid)))
            .unwrap_or_default();
        let (title, shown) = (finding.kind.title(), printable(finding.redacted.as_str()));
        writeln!(out, "  {}:{}  {title} {shown}{account}", printable(&place.path), place.line)?;
    }
    if secrets.len() > MOST_SHOWN {
        writeln!(out, "  and {} more: {all}", secrets.len() - MOST_SHOWN)?;
    }
    writeln!(out, "Three ways on:")?;
    writeln!(out, "  1. Move it to the environment or a secret store, and {act} again.")?;
    writeln!(out, "  2. If it must stay, write `sidsweep:allow REASON` on its line or the line above.")?;
    writeln!(
        out,
        "  3. `git {act} --no-verify` goes on unchecked: then the value is in history and must be revoked."
    )
}
