//! GitLab's secret-detection report, version 15.2.3 of its schema, and its code-quality report.

use std::io::{self, Write};

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Builder;

use super::alert::{self, Alert, Severity};
use super::printable::{self, printable};
use super::unread;
use crate::model::{Fingerprint, Location, Report, Suppressed};
use crate::rules::Rules;

/// The version of GitLab's schema that is written.
const VERSION: &str = "15.2.3";
/// The commit of what is not committed yet.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";
/// GitLab cuts off longer solutions by refusing the report.
const LONGEST_SOLUTION: usize = 7000;

/// Writes the secrets of a report for the `secret_detection` artifact.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let rules = Rules::built_in();
    let counted: Vec<Alert> =
        alert::all(report).into_iter().filter(|alert| alert.allowed.is_none()).collect();
    let tool = json!({
        "id": report.tool.name,
        "name": report.tool.name,
        "url": "https://github.com/sidsweep/sidsweep",
        "version": report.tool.version,
        "vendor": {"name": "sidsweep"},
    });
    let end = Timestamp::now();
    let begin = end - std::time::Duration::from_secs_f64(report.stats.seconds.max(0.0));
    let message = |level: &str, text: String| json!({"level": level, "value": text});
    let share = unread::share(report).map(|share| message("fatal", format!("{share} could not be read")));
    let unread = unread::skipped(report).map(|text| message("warn", text));
    let notes = unread::notes(report).map(|text| message("info", text));
    let allowed = report.suppressed.iter().map(|allowed| message("info", allowance(allowed)));
    let messages: Vec<Value> = share.into_iter().chain(unread).chain(notes).chain(allowed).collect();
    let document = json!({
        "version": VERSION,
        "scan": {
            "analyzer": tool,
            "scanner": tool,
            "type": "secret_detection",
            "start_time": seconds(begin),
            "end_time": seconds(end),
            "status": if report.coverage.is_complete() { "success" } else { "failure" },
            "messages": messages,
        },
        "vulnerabilities": counted.iter().map(|alert| vulnerability(alert, &rules)).collect::<Vec<_>>(),
    });
    printable::json(out, &document, true)?;
    out.write_all(b"\n")
}

/// Without zone and fraction, as the schema wants it; UTC.
fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

fn vulnerability(alert: &Alert, rules: &Rules) -> Value {
    let finding = alert.finding;
    let rule = rules.of(finding.kind);
    let commit = finding.commit.as_ref().map_or_else(
        || json!({"sha": NO_COMMIT}),
        |commit| {
            json!({"sha": commit.id, "author": printable(&commit.author), "date": commit.date,
                "message": printable(&commit.summary)})
        },
    );
    let solution: String = printable(&alert.steps()).chars().take(LONGEST_SOLUTION).collect();
    json!({
        "id": uuid(&finding.id),
        "name": format!("Twilio: {}", finding.kind.title()),
        "description": printable(&format!("{}. {}", alert.sentence(), rule.help)),
        "severity": match alert.severity() {
            Severity::Critical => "Critical",
            Severity::High => "High",
            Severity::Medium => "Medium",
            Severity::Low => "Low",
        },
        "solution": solution,
        "identifiers": [
            {"type": "sidsweep_rule_id", "name": format!("sidsweep rule {}", rule.id), "value": rule.id},
            {"type": "cwe", "name": "CWE-798", "value": "798", "url": "https://cwe.mitre.org/data/definitions/798.html"},
        ],
        "location": {
            "file": printable(&finding.location.path),
            "start_line": finding.location.line,
            "end_line": finding.location.line,
            "commit": commit,
        },
        "tracking": {
            "type": "source",
            "items": [{
                "file": printable(&finding.location.path),
                "start_line": finding.location.line,
                "end_line": finding.location.line,
                "signatures": [{"algorithm": "scope_offset", "value": finding.id}],
            }],
        },
    })
}

/// The same finding has the same UUID in every run.
fn uuid(id: &Fingerprint) -> String {
    let mut bytes = [0; 16];
    for (byte, digits) in bytes.iter_mut().zip(id.as_str().as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).unwrap_or("0");
        *byte = u8::from_str_radix(digits, 16).unwrap_or(0);
    }
    Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

/// A finding that was allowed, in a line.
fn allowance(allowed: &Suppressed) -> String {
    let Location { path, line, .. } = &allowed.finding.location;
    format!("allowed: {}:{line}: {}", printable(path), printable(&allowed.reason))
}

/// Writes the secrets of a report for the `codequality` artifact.
pub fn write_quality(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let rules = Rules::built_in();
    let leaks = alert::all(report);
    let leaks = leaks.iter().filter(|alert| alert.allowed.is_none()).map(|alert| {
        json!({
            "description": printable(&alert.sentence()),
            "check_name": rules.of(alert.finding.kind).id,
            "fingerprint": alert.finding.id,
            "severity": match alert.severity() {
                Severity::Critical => "blocker",
                Severity::High => "critical",
                Severity::Medium => "major",
                Severity::Low => "minor",
            },
            "location": {
                "path": printable(&alert.finding.location.path),
                "lines": {"begin": alert.finding.location.line},
            },
        })
    });
    // What was not read, not opened or allowed is no leak, and is to be seen: nothing else of this report says that it is not whole.
    let unread = report.coverage.skipped().iter().map(|unread| {
        let text =
            format!("sidsweep could not read {}: {}", printable(&unread.path), printable(&unread.reason));
        remark("not read", &unread.path, 1, &text)
    });
    let opaque = report.coverage.opaque().iter().map(|opaque| {
        let (path, container) = (printable(&opaque.path), printable(&opaque.container));
        remark("not opened", &opaque.path, 1, &format!("sidsweep does not open {path}: {container}"))
    });
    let allowed = report.suppressed.iter().map(|one| {
        let Location { path, line, .. } = &one.finding.location;
        remark("allowed", path, *line, &allowance(one))
    });
    let issues: Vec<Value> = leaks.chain(unread).chain(opaque).chain(allowed).collect();
    printable::json(out, &issues, true)?;
    out.write_all(b"\n")
}

/// Something that is to be seen and is no leak.
fn remark(what: &str, path: &str, line: u64, text: &str) -> Value {
    let digest = Sha256::digest(format!("{what}\0{path}\0{line}").as_bytes());
    json!({
        "description": text,
        "check_name": format!("sidsweep-{}", what.replace(' ', "-")),
        "fingerprint": HEXLOWER.encode(&digest),
        "severity": "info",
        "location": {"path": printable(path), "lines": {"begin": line}},
    })
}
