//! Text for people: by credential, what it is, where it stands, what it pairs with and what to do next; last, what
//! was covered and what was not.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::printable::printable;
use super::wrap::wrap;
use super::{allowed, unread, verdict};
use crate::model::{Confidence, Credential, CredentialType, Finding, Fingerprint, Report, VerdictState};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();

/// How many places of one credential are listed; the rest are counted.
const MOST_PLACES: usize = 10;
/// How many identifiers and unread things are listed; the rest are counted.
const MOST_LISTED: usize = 20;

/// Writes the report in lines of at most `width` columns where words allow.
pub fn write(report: &Report, width: usize, out: &mut impl Write) -> io::Result<()> {
    let mut by_credential: HashMap<&Fingerprint, Vec<&Finding>> = HashMap::new();
    for finding in &report.findings {
        by_credential.entry(&finding.credential).or_default().push(finding);
    }
    let (mut secrets, identifiers): (Vec<&Credential>, Vec<&Credential>) =
        report.credentials.iter().partition(|credential| has_secret(credential, &by_credential));
    let first_place = |credential: &&Credential| {
        by_credential.get(&credential.id).and_then(|list| list.first()).map(|f| {
            (
                verdict::urgency(credential.verdict.state),
                f.location.path.clone(),
                f.location.line,
                f.location.column,
            )
        })
    };
    secrets.sort_by_cached_key(first_place);
    let mut printer = Printer { width: width.max(40), explained: Vec::new(), out };
    for credential in &secrets {
        printer.credential(credential, by_credential.get(&credential.id).map_or(&[][..], Vec::as_slice))?;
    }
    printer.identifiers(&identifiers, &by_credential)?;
    printer.unread(report)?;
    printer.summary(report, &secrets, identifiers.len())
}

/// A step with the credential's own SIDs left out.
fn without_sids(step: &str, credential: &Credential) -> String {
    let verdict = &credential.verdict;
    let own = [&credential.key_sid, &credential.account_sid, &verdict.owner, &verdict.parent];
    own.into_iter().flatten().fold(step.to_owned(), |step, sid| step.replace(sid.as_str(), ""))
}

fn has_secret(credential: &Credential, by_credential: &HashMap<&Fingerprint, Vec<&Finding>>) -> bool {
    by_credential.get(&credential.id).is_some_and(|list| list.iter().any(|finding| finding.kind.is_secret()))
}

struct Printer<'a, W: Write> {
    width: usize,
    /// Steps that were shown, with the SIDs left out, and with which value.
    explained: Vec<(Vec<String>, String)>,
    out: &'a mut W,
}

impl<W: Write> Printer<'_, W> {
    fn credential(&mut self, credential: &Credential, findings: &[&Finding]) -> io::Result<()> {
        let secrets: Vec<&Finding> =
            findings.iter().copied().filter(|finding| finding.kind.is_secret()).collect();
        let Some(first) = secrets.first() else { return Ok(()) };
        let confidence = secrets.iter().map(|finding| finding.confidence).max().unwrap_or(Confidence::Low);
        let colour = if confidence == Confidence::High { RED } else { YELLOW };
        let state = credential.verdict.state;
        let colour = match state {
            VerdictState::Live => RED,
            VerdictState::Rejected | VerdictState::Test => DIM,
            _ => colour,
        };
        let word = if state == VerdictState::Unverified { "" } else { verdict::word(state) };
        let word = if word.is_empty() {
            String::new()
        } else {
            format!("{colour}{}{colour:#}  ", word.to_uppercase())
        };
        writeln!(
            self.out,
            "{colour}{}{colour:#} {BOLD}{}{BOLD:#}  {word}{DIM}{confidence} confidence{DIM:#}",
            first.kind.title(),
            printable(first.redacted.as_str()),
        )?;
        if let Some(sentence) = verdict::sentence(&credential.verdict) {
            self.wrapped("  verdict  ", &printable(&sentence), "")?;
        }
        let tie = credential.evidence.first().map(|evidence| format!(" ({evidence})")).unwrap_or_default();
        if let Some(key) = &credential.key_sid {
            self.wrapped("  key      ", &format!("{}{tie}", printable(key)), "")?;
        }
        if let Some(account) = &credential.account_sid {
            let tie = if credential.key_sid.is_some() { "" } else { tie.as_str() };
            self.wrapped("  account  ", &format!("{}{tie}", printable(account)), "")?;
        }
        for rival in &credential.ambiguous {
            self.wrapped("  or       ", &format!("{} ({})", printable(&rival.sid), rival.evidence), "")?;
        }
        if let Some(expires) = &credential.expires {
            self.wrapped("  expires  ", expires, "")?;
        }
        for (number, line) in credential.exposure.iter().flat_map(verdict::exposure).enumerate() {
            self.wrapped(if number == 0 { "  reaches  " } else { "           " }, &printable(&line), "")?;
        }
        for finding in secrets.iter().take(MOST_PLACES) {
            self.place(finding)?;
        }
        if secrets.len() > MOST_PLACES {
            writeln!(self.out, "           and {} more places", secrets.len() - MOST_PLACES)?;
        }
        self.steps(credential, first)?;
        writeln!(self.out)
    }

    /// Where a value stands, and why it counts.
    fn place(&mut self, finding: &Finding) -> io::Result<()> {
        let place = &finding.location;
        let at = format!("{}:{}:{}", printable(&place.path), place.line, place.column);
        let why = finding.evidence.iter().map(|evidence| printable(evidence)).collect::<Vec<_>>().join("; ");
        self.wrapped("  at       ", &at, &why)?;
        if let Some(value) = &finding.value {
            self.wrapped("  value    ", &printable(value), "")?;
        }
        self.provenance(finding)
    }

    /// Since when a value stands there, and until when.
    fn provenance(&mut self, finding: &Finding) -> io::Result<()> {
        for (word, commit) in [("since", &finding.commit), ("until", &finding.removed_by)] {
            if let Some(commit) = commit {
                let short = commit.id.get(..12).unwrap_or(&commit.id);
                let when = commit.date.get(..10).unwrap_or(&commit.date);
                let (author, summary) = (printable(&commit.author), printable(&commit.summary));
                self.wrapped("           ", &format!("{word} {short} {when} {author}: {summary}"), "")?;
            }
        }
        if let Some(from) = &finding.renamed_from {
            self.wrapped("           ", &format!("moved there by that commit from {}", printable(from)), "")?;
        }
        if finding.not_read_again {
            self.wrapped("           ", super::NOT_READ_AGAIN, "")?;
        } else if !finding.reachable {
            self.wrapped(
                "           ",
                "no branch or tag leads to it; whoever has the objects can still read it",
                "",
            )?;
        }
        Ok(())
    }

    /// What to do, in full for the first credential only of those whose steps differ in nothing but the SIDs.
    fn steps(&mut self, credential: &Credential, finding: &Finding) -> io::Result<()> {
        let steps = &credential.remedy.steps;
        if steps.len() > 1 {
            let form: Vec<String> = steps.iter().map(|step| without_sids(step, credential)).collect();
            if let Some((_, shown)) = self.explained.iter().find(|(explained, _)| *explained == form) {
                let own = credential.key_sid.as_ref().or(credential.account_sid.as_ref());
                let of = own.map(|sid| format!(", with {}", printable(sid))).unwrap_or_default();
                let text = format!("the same steps as for {shown} above{of}");
                return self.wrapped("  next     ", &text, "");
            }
            self.explained.push((form, printable(finding.redacted.as_str())));
        }
        for (number, step) in steps.iter().enumerate() {
            let label = if number == 0 { "  next     " } else { "           " };
            self.wrapped(label, &format!("{}. {step}", number + 1), "")?;
        }
        Ok(())
    }

    /// A label and text, wrapped under the text; `aside` is dimmed and goes on its own line if it does not fit.
    fn wrapped(&mut self, label: &str, text: &str, aside: &str) -> io::Result<()> {
        let indent = label.chars().count();
        let room = self.width.saturating_sub(indent).max(20);
        let fits = aside.is_empty() || text.chars().count() + 2 + aside.chars().count() <= room;
        let lines = wrap(text, room);
        for (number, line) in lines.iter().enumerate() {
            let last = number + 1 == lines.len();
            let prefix = if number == 0 { label.to_owned() } else { " ".repeat(indent) };
            if last && fits && !aside.is_empty() {
                writeln!(self.out, "{DIM}{prefix}{DIM:#}{line}  {DIM}{aside}{DIM:#}")?;
            } else {
                writeln!(self.out, "{DIM}{prefix}{DIM:#}{line}")?;
            }
        }
        if !fits {
            for line in wrap(aside, room) {
                writeln!(self.out, "{}{DIM}{line}{DIM:#}", " ".repeat(indent))?;
            }
        }
        Ok(())
    }

    fn identifiers(
        &mut self,
        identifiers: &[&Credential],
        by_credential: &HashMap<&Fingerprint, Vec<&Finding>>,
    ) -> io::Result<()> {
        if identifiers.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "{BOLD}Identifiers{BOLD:#}  {DIM}not secret by themselves{DIM:#}")?;
        for credential in identifiers.iter().take(MOST_LISTED) {
            let Some(first) = by_credential.get(&credential.id).and_then(|list| list.first()) else {
                continue;
            };
            let count = by_credential.get(&credential.id).map_or(0, Vec::len);
            let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            let place = &first.location;
            let whose = match credential.verdict.ours {
                Some(true) => "ours",
                Some(false) => "not ours",
                None => "",
            };
            self.wrapped(
                "  ",
                &format!(
                    "{}  {}:{}{more}",
                    printable(first.redacted.as_str()),
                    printable(&place.path),
                    place.line
                ),
                whose,
            )?;
        }
        if identifiers.len() > MOST_LISTED {
            writeln!(self.out, "  and {} more (all are in --format json)", identifiers.len() - MOST_LISTED)?;
        }
        writeln!(self.out)
    }

    /// What was not read, which containers were not opened, and what somebody accepted as unread.
    fn unread(&mut self, report: &Report) -> io::Result<()> {
        let line = |path: &str, why: &str| format!("{}: {}", printable(path), printable(why));
        let coverage = &report.coverage;
        let skipped = coverage.skipped().iter().map(|unread| line(&unread.path, &unread.reason));
        self.listed(&format!("{YELLOW}Not read{YELLOW:#}"), skipped)?;
        let head = format!(
            "{BOLD}Not opened{BOLD:#}  {DIM}containers whose bytes were searched as they are; --fail-on-opaque counts them{DIM:#}"
        );
        self.listed(&head, coverage.opaque().iter().map(|opaque| line(&opaque.path, &opaque.container)))?;
        let accepted = coverage.accepted().iter().map(|accepted| {
            let unread = &accepted.unread;
            format!("{} (accepted: {})", line(&unread.path, &unread.reason), printable(&accepted.accepted))
        });
        self.listed(&format!("{BOLD}Accepted as unread{BOLD:#}"), accepted)
    }

    /// A list under a headline, if there is anything in it; of a long one the beginning.
    fn listed(&mut self, head: &str, mut lines: impl ExactSizeIterator<Item = String>) -> io::Result<()> {
        let all = lines.len();
        if all == 0 {
            return Ok(());
        }
        writeln!(self.out, "{head}")?;
        for line in lines.by_ref().take(MOST_LISTED) {
            self.wrapped("  ", &line, "")?;
        }
        if all > MOST_LISTED {
            writeln!(self.out, "  and {} more (all are in --format json)", all - MOST_LISTED)?;
        }
        writeln!(self.out)
    }

    /// What asking Twilio came to.
    fn asked(&mut self, report: &Report, secrets: &[&Credential]) -> io::Result<()> {
        let Some(asked) = &report.asked else { return Ok(()) };
        if !secrets.is_empty() {
            let text = format!("Verdicts: {} ({} requests).", verdict::tally(secrets), asked.requests);
            self.wrapped("", &text, "")?;
        }
        if let Some(text) = verdict::doubtful(asked) {
            self.wrapped("", &text, "")?;
        }
        if let Some(endpoint) = &asked.test_endpoint {
            writeln!(
                self.out,
                "{YELLOW}TEST ENDPOINT{YELLOW:#} {} stood in for Twilio.",
                printable(endpoint)
            )?;
        }
        Ok(())
    }

    /// What was allowed: how many in which way, and the reasons.
    fn allowed(&mut self, report: &Report) -> io::Result<()> {
        let Some(counts) = allowed::counts(report) else { return Ok(()) };
        self.wrapped("", &format!("{counts}."), "")?;
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for suppressed in &report.suppressed {
            *reasons.entry(suppressed.reason.as_str()).or_default() += 1;
        }
        for (reason, number) in reasons.iter().take(MOST_LISTED) {
            self.wrapped(&format!("  {number}  "), &printable(reason), "")?;
        }
        if reasons.len() > MOST_LISTED {
            writeln!(self.out, "  and {} other reasons", reasons.len() - MOST_LISTED)?;
        }
        Ok(())
    }

    fn summary(&mut self, report: &Report, secrets: &[&Credential], identifiers: usize) -> io::Result<()> {
        let count = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
        let result = if secrets.is_empty() {
            let colour = if report.coverage.is_complete() && covered(report) { GREEN } else { YELLOW };
            format!("{colour}No secrets found{colour:#}")
        } else {
            let pairs = secrets.iter().filter(|c| is_pair(c)).count();
            format!("{RED}{}{RED:#}, {} of them paired", count(secrets.len(), "secret", "secrets"), pairs)
        };
        self.allowed(report)?;
        writeln!(self.out, "{result}; {}.", count(identifiers, "identifier alone", "identifiers alone"))?;
        self.asked(report, secrets)?;
        let stats = &report.stats;
        let mut parts = Vec::new();
        for (number, one, many) in [
            (stats.files, "file", "files"),
            (stats.blobs, "blob", "blobs"),
            (stats.commits, "commit", "commits"),
        ] {
            if number > 0 {
                parts.push(count(number as usize, one, many));
            }
        }
        if parts.is_empty() {
            parts.push("nothing".to_owned());
        }
        let text = format!("Covered {}, {} in {:.2} s.", parts.join(", "), size(stats.bytes), stats.seconds);
        self.wrapped("", &text, "")?;
        let mut not = left_out(report);
        not.extend(unread::share(report).map(|share| format!("{share} could not be read (named above)")));
        not.extend(unread::containers(report));
        if !not.is_empty() {
            self.wrapped("", &format!("Not covered: {}.", not.join("; ")), "")?;
        }
        Ok(())
    }
}

/// What was left out as asked, with the reason; of many with one reason the first are named.
fn left_out(report: &Report) -> Vec<String> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for left in &report.not_covered {
        reasons.entry(&left.reason).or_default().push(&left.path);
    }
    let words = |(reason, paths): (&str, Vec<&str>)| {
        let named: Vec<String> = paths.iter().take(3).map(|path| printable(path)).collect();
        let more = paths.len() - named.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more} ({})", named.join(", "), printable(reason))
    };
    reasons.into_iter().map(words).collect()
}

fn covered(report: &Report) -> bool {
    report.stats.files + report.stats.blobs > 0
}

fn is_pair(credential: &Credential) -> bool {
    match credential.type_ {
        CredentialType::AuthToken => credential.account_sid.is_some(),
        CredentialType::ApiKey | CredentialType::OauthApp => credential.key_sid.is_some(),
        _ => false,
    }
}

fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} bytes") } else { format!("{value:.1} {}", UNITS[unit]) }
}
