//! Markdown for a pull request's comment or a job's summary.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::alert::{self, Alert, Severity};
use super::printable::printable;
use super::{allowed, unread, verdict};
use crate::model::{Report, VerdictState};

/// A comment on GitHub holds 65,536 characters; the rest is counted.
const MOST_ROWS: usize = 100;

/// Writes a table of the secrets, worst first, and what to do about the worst.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut alerts = alert::all(report);
    let mut allowed: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in alerts.iter().filter_map(|alert| alert.allowed) {
        *allowed.entry(reason).or_default() += 1;
    }
    alerts.retain(|alert| alert.allowed.is_none());
    alerts.sort_by_key(|alert| std::cmp::Reverse(alert.severity()));
    if alerts.is_empty() {
        writeln!(out, "### sidsweep: no Twilio secrets")?;
    } else {
        // As in text and HTML, a value counts once, however often it stands somewhere.
        let distinct = |is_meant: &dyn Fn(&Alert) -> bool| {
            let meant = alerts.iter().filter(|alert| is_meant(alert));
            meant.map(|alert| &alert.finding.credential).collect::<BTreeSet<_>>().len()
        };
        let live = distinct(&|alert| state(alert) == Some(VerdictState::Live));
        let secrets = distinct(&|_| true);
        let live = if live > 0 { format!(", {live} of them **live**") } else { String::new() };
        let s = if secrets == 1 { "" } else { "s" };
        let places =
            if alerts.len() == secrets { String::new() } else { format!(" in {} places", alerts.len()) };
        writeln!(out, "### sidsweep: {secrets} Twilio secret{s}{places}{live}\n")?;
        writeln!(out, "| | what | where | whose | since |\n|---|---|---|---|---|")?;
        for alert in alerts.iter().take(MOST_ROWS) {
            row(alert, out)?;
        }
        if alerts.len() > MOST_ROWS {
            writeln!(out, "\nand {} more.", alerts.len() - MOST_ROWS)?;
        }
        if let Some(credential) = alerts[0].credential {
            writeln!(out, "\n<details><summary>What to do about the first</summary>\n")?;
            for (number, step) in (1..).zip(&credential.remedy.steps) {
                writeln!(out, "{number}. {}", escape(step))?;
            }
            writeln!(out, "\n</details>")?;
        }
    }
    let stats = &report.stats;
    write!(out, "\nCovered {} files, {} blobs, {} commits", stats.files, stats.blobs, stats.commits)?;
    if let Some(counts) = allowed::counts(report) {
        write!(out, "; {}", escape(&counts))?;
    }
    if let Some(share) = unread::share(report) {
        write!(out, "; **{share} could not be read**")?;
    }
    if let Some(containers) = unread::containers(report) {
        write!(out, "; {}", escape(&containers))?;
    }
    writeln!(out, ".")?;
    self::unread(report, out)?;
    for (reason, number) in allowed.iter().take(MOST_ROWS) {
        writeln!(out, "\nAllowed ({number}): {}", escape(reason))?;
    }
    if let Some(text) = report.asked.as_ref().and_then(verdict::doubtful) {
        writeln!(out, "\n{text}")?;
    }
    Ok(())
}

/// What was not read, and what somebody accepted as unread.
fn unread(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let skipped = report.coverage.skipped();
    if !skipped.is_empty() {
        writeln!(out)?;
    }
    for one in skipped.iter().take(MOST_ROWS) {
        writeln!(out, "- not read: {}: {}", escape(&one.path), escape(&one.reason))?;
    }
    if skipped.len() > MOST_ROWS {
        writeln!(out, "- and {} more", skipped.len() - MOST_ROWS)?;
    }
    let opaque = report.coverage.opaque();
    if !opaque.is_empty() {
        writeln!(out)?;
    }
    for one in opaque.iter().take(MOST_ROWS) {
        writeln!(out, "- not opened: {}: {}", escape(&one.path), escape(&one.container))?;
    }
    if opaque.len() > MOST_ROWS {
        writeln!(out, "- and {} more that are not opened", opaque.len() - MOST_ROWS)?;
    }
    let accepted = report.coverage.accepted();
    for one in accepted.iter().take(MOST_ROWS) {
        let (path, reason) = (escape(&one.unread.path), escape(&one.unread.reason));
        writeln!(out, "\nAccepted as unread ({}): {path}: {reason}", escape(&one.accepted))?;
    }
    if accepted.len() > MOST_ROWS {
        writeln!(out, "\nAnd {} more that were accepted as unread.", accepted.len() - MOST_ROWS)?;
    }
    Ok(())
}

fn state(alert: &Alert) -> Option<VerdictState> {
    alert.credential.map(|credential| credential.verdict.state)
}

fn row(alert: &Alert, out: &mut impl Write) -> io::Result<()> {
    let mark = match alert.severity() {
        Severity::Critical => "🔴",
        Severity::High => "🟠",
        Severity::Medium => "🟡",
        Severity::Low => "⚪",
    };
    let finding = alert.finding;
    let word = state(alert).filter(|state| *state != VerdictState::Unverified).map(verdict::word);
    let sid = alert.credential.and_then(|c| c.key_sid.as_deref().or(c.account_sid.as_deref()));
    let since = finding.commit.as_ref().map(|commit| {
        let id = commit.id.get(..10).unwrap_or(&commit.id);
        format!("{id} {}", commit.author)
    });
    writeln!(
        out,
        "| {mark} {} | {} {} | {}:{} | {} | {} |",
        word.unwrap_or_default(),
        escape(finding.kind.title()),
        escape(finding.redacted.as_str()),
        escape(&finding.location.path),
        finding.location.line,
        escape(sid.unwrap_or_default()),
        escape(&since.unwrap_or_default()),
    )
}

/// Text that means nothing but itself: no link, no mention, no table, no HTML.
fn escape(text: &str) -> String {
    let is_plain = |c: char| {
        c.is_alphanumeric()
            || matches!(c, ' ' | '/' | '.' | ',' | ';' | '-' | '(' | ')' | '\'' | '"' | '%' | '?' | '…')
            || !c.is_ascii()
    };
    let text = printable(text);
    let mut escaped = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        // A colon before a space begins no address and no emoji.
        let is_colon = c == ':' && chars.peek().is_none_or(|next| *next == ' ');
        if is_plain(c) || is_colon {
            escaped.push(c);
        } else {
            escaped.push_str(&format!("&#{};", u32::from(c)));
        }
    }
    escaped
}
