//! A draft of the root-cause analysis that Twilio asks for before it reactivates an account: what happened, when, by whom, what was done
//! and how that is proven, from a report, the journal and a sweep. No value is in it, not even a part of one. What no file tells is left
//! to be filled in.

use crate::model::{
    Credential, CredentialType, Event, Finding, Record, Report, Sweep, VerdictKind, VerdictState,
};

/// What a person has to write.
fn gap(what: &str) -> String {
    format!("[Fill in: {what}]")
}

/// The draft, line by line, as Markdown.
#[must_use]
pub fn draft(report: &Report, records: &[Record], sweep: Option<&Sweep>) -> Vec<String> {
    let leaks: Vec<&Credential> = report
        .credentials
        .iter()
        .filter(|credential| findings(report, credential).next().is_some())
        .collect();
    let about: Vec<&Record> = records.iter().filter(|record| is_about(record, &leaks)).collect();
    let mut lines = vec!["# Root-cause analysis (draft)".to_owned(), String::new()];
    lines.extend(what(report, &leaks));
    lines.extend(when(report, &leaks, &about, sweep));
    lines.extend(by_whom(report, &leaks, sweep));
    lines.extend(done(&about));
    lines.extend(proof(&leaks, &about));
    lines.extend(not_known(report, sweep));
    lines
}

fn findings<'a>(report: &'a Report, credential: &'a Credential) -> impl Iterator<Item = &'a Finding> {
    report.findings.iter().filter(|finding| finding.credential == credential.id && finding.kind.is_secret())
}

/// Whether a line of the journal is about one of the leaks, or about their accounts as a whole.
fn is_about(record: &Record, leaks: &[&Credential]) -> bool {
    leaks.iter().any(|leak| {
        record.credential.as_ref() == Some(&leak.id)
            || (leak.key_sid.is_some() && [&record.key_sid, &record.target].contains(&&leak.key_sid))
            || (leak.account_sid.is_some() && record.account_sid == leak.account_sid)
    })
}

/// What a leak is called, without anything of its value.
fn name(credential: &Credential) -> String {
    let kind = credential.verdict.kind.map(VerdictKind::title);
    let kind = kind.unwrap_or(match credential.type_ {
        CredentialType::AuthToken => "Auth Token",
        CredentialType::ApiKey => "API key",
        CredentialType::AccessToken => "Access Token",
        CredentialType::OauthApp => "OAuth app",
        CredentialType::WebhookSharedKey => "webhook SharedKey",
        CredentialType::SendgridApiKey => "SendGrid key",
        CredentialType::SegmentApiToken => "Segment token",
        CredentialType::AuthyApiKey => "Authy key",
        CredentialType::AccountSid => "Account SID",
    });
    let key = credential.key_sid.as_deref().map(|sid| format!(" {sid}")).unwrap_or_default();
    let account = credential.account_sid.as_deref().map(|sid| format!(" of {sid}")).unwrap_or_default();
    format!("{kind}{key}{account} (credential {} of the report)", credential.id)
}

fn what(report: &Report, leaks: &[&Credential]) -> Vec<String> {
    let mut lines = vec!["## What happened".to_owned(), String::new()];
    if leaks.is_empty() {
        lines.push("The report holds no secret.".to_owned());
    }
    for leak in leaks {
        lines.push(format!("- {} stood in code:", name(leak)));
        for finding in findings(report, leak) {
            lines.push(format!("  - {}, line {}", finding.place(), finding.location.line));
        }
    }
    lines.push(format!("- {}", gap("who could read that code, and how the leak was noticed")));
    lines.push(format!(
        "- {}",
        gap("what was done with the account that you did not do: calls, messages, spend")
    ));
    lines.push(String::new());
    lines
}

fn when(report: &Report, leaks: &[&Credential], about: &[&Record], sweep: Option<&Sweep>) -> Vec<String> {
    let mut lines = vec!["## When".to_owned(), String::new()];
    for leak in leaks {
        let commits = findings(report, leak).filter_map(|finding| finding.commit.as_ref());
        let first = commits.min_by(|one, other| one.date.cmp(&other.date));
        lines.push(match first {
            Some(commit) => {
                format!("- {}: first committed {} in {}", name(leak), commit.date, commit.id)
            }
            None => format!(
                "- {}: {}",
                name(leak),
                gap("when it was first published; a scan with --history tells")
            ),
        });
    }
    if let Some(event) = sweep.and_then(|sweep| sweep.events.iter().rfind(|event| event.telling)) {
        lines.push(format!(
            "- First recorded change since {}: {} ({})",
            sweep.map_or("", |s| &s.since),
            event.at,
            event.type_
        ));
    }
    if let Some(first) = about.first() {
        lines.push(format!("- First step against it: {}", first.at));
    }
    if let Some(last) = about.iter().rev().find(|record| record.event == Event::Proven) {
        lines.push(format!("- Last proof that a credential is dead: {}", last.at));
    }
    lines.push(String::new());
    lines
}

fn by_whom(report: &Report, leaks: &[&Credential], sweep: Option<&Sweep>) -> Vec<String> {
    let mut lines = vec!["## By whom".to_owned(), String::new()];
    for leak in leaks {
        let mut authors: Vec<&str> = findings(report, leak)
            .filter_map(|finding| finding.commit.as_ref())
            .map(|commit| commit.author.as_str())
            .collect();
        authors.sort_unstable();
        authors.dedup();
        if !authors.is_empty() {
            lines.push(format!("- {}: committed by {}", name(leak), authors.join(", ")));
        }
    }
    let events = sweep.map_or(&[][..], |sweep| &sweep.events);
    let mut actors: Vec<(String, usize)> = Vec::new();
    for event in events.iter().filter(|event| event.telling) {
        let actor = event.actor_sid.as_deref().unwrap_or("somebody who is not named");
        let from = event.source_ip.as_deref().map(|ip| format!(" from {ip}")).unwrap_or_default();
        let actor = format!("{actor}{from}");
        match actors.iter_mut().find(|(known, _)| *known == actor) {
            Some((_, count)) => *count += 1,
            None => actors.push((actor, 1)),
        }
    }
    for (actor, count) in actors {
        lines.push(format!("- {count} recorded changes by {actor}: {}", gap("yours or not")));
    }
    if sweep.is_none() {
        lines.push(format!("- {}", gap("who changed the account; `sidsweep sweep AC… --since DATE --out SWEEP.json`, then --sweep SWEEP.json")));
    }
    lines.push(String::new());
    lines
}

fn sid(record: &Record) -> &str {
    let sid = record.key_sid.as_deref().or(record.target.as_deref()).or(record.account_sid.as_deref());
    sid.unwrap_or("a credential")
}

fn done(about: &[&Record]) -> Vec<String> {
    let mut lines = vec!["## What was done".to_owned(), String::new()];
    let changes = about.iter().filter(|record| {
        matches!(record.event, Event::Done | Event::HandedOver) && record.action.as_deref() != Some("manual")
    });
    for record in changes {
        let action = record.action.as_deref().unwrap_or("change").replace('_', " ");
        let word = if record.event == Event::Done { "done" } else { "handed over" };
        lines.push(format!(
            "- {}: {action} {}, {word}, by {} on {}",
            record.at,
            sid(record),
            record.user,
            record.host
        ));
    }
    if lines.len() == 2 {
        lines.push(format!("- {}", gap("what was revoked and rotated; no journal tells of any change")));
    }
    lines.push(format!(
        "- {}",
        gap("what keeps it from happening again: hooks, CI, where secrets are kept now")
    ));
    lines.push(String::new());
    lines
}

fn proof(leaks: &[&Credential], about: &[&Record]) -> Vec<String> {
    let mut lines = vec!["## Proof".to_owned(), String::new()];
    for record in about.iter().filter(|record| record.event == Event::Proven) {
        let code = record.code.map(|code| format!("refused with error {code}")).unwrap_or_default();
        let note = record.note.as_deref().unwrap_or(&code);
        lines.push(format!("- {}: {} {note}", record.at, sid(record)));
    }
    for leak in leaks {
        if leak.verdict.state == VerdictState::Live {
            let is_proven = about
                .iter()
                .any(|record| record.event == Event::Proven && record.credential.as_ref() == Some(&leak.id));
            if !is_proven {
                lines.push(format!(
                    "- NOT PROVEN: {} worked when the report was made, and nothing says that it is dead",
                    name(leak)
                ));
            }
        }
    }
    if lines.len() == 2 {
        lines.push(format!(
            "- {}",
            gap("how it was seen that the credentials are dead; `sidsweep verify` tells")
        ));
    }
    lines.push(String::new());
    lines
}

fn not_known(report: &Report, sweep: Option<&Sweep>) -> Vec<String> {
    let mut lines = vec!["## What is not known".to_owned(), String::new()];
    let skipped = report.coverage.skipped().len();
    if skipped > 0 {
        lines.push(format!("- {skipped} things could not be read by the scan; the report names them"));
    }
    for unread in sweep.map_or(&[][..], |sweep| &sweep.unread) {
        lines.push(format!("- Not read of the account: {} ({})", unread.what, unread.reason));
    }
    lines.push("- Twilio records changes, and neither reads nor sends: that a credential was not used cannot be shown".to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::gap;

    #[test]
    fn what_a_person_has_to_write_is_easy_to_find() {
        assert_eq!(gap("why"), "[Fill in: why]");
    }
}
