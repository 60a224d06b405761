//! One page for the bad afternoon: what is live first, filters, a timeline, a card for each credential. It needs nothing
//! from elsewhere, and its policy lets nothing in: style and script are known by their hashes, all text is escaped.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

use data_encoding::BASE64;
use jiff::{Timestamp, Unit};
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::months::{Month, months};
use super::printable::printable;
use super::{unread, verdict};
use crate::model::{Credential, Finding, Fingerprint, Report, VerdictState};

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// A filter with more values than this is no help.
const MOST_OPTIONS: usize = 200;
/// How many cards are open when the page is opened.
const OPEN: usize = 10;
/// All that the template shows.
#[derive(Serialize)]
struct Page {
    headline: String,
    style: &'static str,
    style_hash: String,
    script: &'static str,
    script_hash: String,
    tiles: Vec<Tile>,
    covered: String,
    endpoint: Option<String>,
    skipped: Vec<Skip>,
    opaque: Vec<Skip>,
    accepted_unread: Vec<Skip>,
    months: Vec<Month>,
    undated: usize,
    filters: Vec<Filter>,
    cards: Vec<Card>,
    identifiers: Vec<Line>,
    allowed: Vec<Line>,
    /// How many of them in which way.
    allowed_counts: Option<String>,
    tool: String,
    made: String,
}

#[derive(Serialize)]
struct Skip {
    path: String,
    reason: String,
}

#[derive(Serialize)]
struct Tile {
    state: &'static str,
    count: usize,
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    text: String,
}

#[derive(Serialize)]
struct Place {
    at: String,
    repository: Option<String>,
    lines: Vec<String>,
}

#[derive(Serialize)]
struct Card {
    state: &'static str,
    kind: String,
    account: String,
    repositories: String,
    authors: String,
    title: &'static str,
    redacted: String,
    rows: Vec<Row>,
    places: Vec<Place>,
    steps: Vec<String>,
    open: bool,
}

#[derive(Serialize)]
struct Filter {
    title: &'static str,
    name: &'static str,
    options: Vec<Choice>,
}

#[derive(Serialize)]
struct Choice {
    value: String,
    count: usize,
}

#[derive(Serialize)]
struct Line {
    at: String,
    what: String,
    sid: String,
    reason: String,
}

/// Writes the page.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut of: HashMap<&Fingerprint, Vec<&Finding>> = HashMap::new();
    for finding in &report.findings {
        of.entry(&finding.credential).or_default().push(finding);
    }
    let leaks = leaks(report, &of);
    let roots: BTreeSet<&str> = report.sources.iter().map(|source| source.root.as_str()).collect();
    let roots: Vec<&str> = if roots.len() > 1 { roots.into_iter().collect() } else { Vec::new() };
    let cards: Vec<Card> = leaks
        .iter()
        .enumerate()
        .map(|(number, (credential, findings))| card(credential, findings, &roots, number))
        .collect();
    let live = leaks.iter().filter(|(c, _)| c.verdict.state == VerdictState::Live).count();
    let (months, undated) = months(leaks.iter().flat_map(|(_, findings)| findings.iter().copied()));
    let now = Timestamp::now();
    let page = Page {
        headline: headline(leaks.len(), live),
        style: STYLE,
        style_hash: hash(STYLE),
        script: SCRIPT,
        script_hash: hash(SCRIPT),
        tiles: tiles(&leaks),
        covered: covered(report),
        endpoint: report.asked.as_ref().and_then(|asked| asked.test_endpoint.as_deref()).map(printable),
        skipped: report.coverage.skipped().iter().map(|one| skip(&one.path, &one.reason)).collect(),
        opaque: report.coverage.opaque().iter().map(|one| skip(&one.path, &one.container)).collect(),
        accepted_unread: report
            .coverage
            .accepted()
            .iter()
            .map(|one| skip(&one.unread.path, &format!("{} ({})", one.unread.reason, one.accepted)))
            .collect(),
        months,
        undated,
        filters: filters(&cards),
        cards,
        identifiers: identifiers(report, &of),
        allowed: allowed(report),
        allowed_counts: super::allowed::counts(report),
        tool: format!("{} {}", report.tool.name, report.tool.version),
        made: now.round(Unit::Second).unwrap_or(now).to_string(),
    };
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("page.html", PAGE).map_err(io::Error::other)?;
    let page = environment
        .get_template("page.html")
        .and_then(|template| template.render(Value::from(Serde(&page))))
        .map_err(io::Error::other)?;
    out.write_all(page.as_bytes())?;
    out.write_all(b"\n")
}

/// Credentials with the places of their secrets, the most urgent first.
fn leaks<'a>(
    report: &'a Report,
    of: &HashMap<&Fingerprint, Vec<&'a Finding>>,
) -> Vec<(&'a Credential, Vec<&'a Finding>)> {
    let secrets = |credential: &Credential| -> Vec<&'a Finding> {
        let all = of.get(&credential.id).map_or(&[][..], Vec::as_slice);
        all.iter().copied().filter(|finding| finding.kind.is_secret()).collect()
    };
    let with_secrets = report.credentials.iter().map(|credential| (credential, secrets(credential)));
    let mut leaks: Vec<(&Credential, Vec<&Finding>)> =
        with_secrets.filter(|(_, findings)| !findings.is_empty()).collect();
    leaks.sort_by_key(|(credential, findings)| {
        (verdict::urgency(credential.verdict.state), findings[0].location.clone())
    });
    leaks
}

fn headline(leaks: usize, live: usize) -> String {
    let s = if leaks == 1 { "" } else { "s" };
    match (leaks, live) {
        (0, _) => "No Twilio secrets found".to_owned(),
        (all, 0) => format!("{all} Twilio secret{s} leaked"),
        (all, live) => format!("{all} Twilio secret{s} leaked, {live} of them live"),
    }
}

fn hash(text: &str) -> String {
    BASE64.encode(&Sha256::digest(text.as_bytes()))
}

fn tiles(leaks: &[(&Credential, Vec<&Finding>)]) -> Vec<Tile> {
    let mut counts: BTreeMap<(u8, &str), usize> = BTreeMap::new();
    for (credential, _) in leaks {
        let state = credential.verdict.state;
        *counts.entry((verdict::urgency(state), verdict::word(state))).or_default() += 1;
    }
    counts.into_iter().map(|((_, state), count)| Tile { state, count }).collect()
}

/// More sources than this are counted.
const MOST_SOURCES: usize = 5;

fn covered(report: &Report) -> String {
    let stats = &report.stats;
    let mut sources: Vec<String> = report
        .sources
        .iter()
        .take(MOST_SOURCES)
        .map(|source| {
            let range = source.range.as_deref().map(|range| format!(" {range}")).unwrap_or_default();
            // Names of folders and references stay as they are.
            let mode = format!("{:?}", source.mode).to_lowercase();
            printable(&format!("{mode} of {}{range}", source.root))
        })
        .collect();
    if report.sources.len() > MOST_SOURCES {
        sources.push(format!("and {} more", report.sources.len() - MOST_SOURCES));
    }
    let unread =
        unread::share(report).map_or_else(|| "All was read".to_owned(), |share| format!("{share} not read"));
    let containers =
        unread::containers(report).map(|containers| format!("; {containers}")).unwrap_or_default();
    format!(
        "Covered {} files, {} blobs, {} commits: {}. {unread}{containers}.",
        stats.files,
        stats.blobs,
        stats.commits,
        sources.join("; "),
    )
}

fn skip(path: &str, reason: &str) -> Skip {
    Skip { path: printable(path), reason: printable(reason) }
}

/// The root that a path stands below, where a report covers several.
fn repository<'a>(roots: &[&'a str], finding: &'a Finding) -> Option<&'a str> {
    if let Some(repository) = &finding.repository {
        return Some(repository);
    }
    let below = |root: &&&str| finding.location.path.starts_with(root.trim_end_matches('/'));
    roots.iter().filter(below).max_by_key(|root| root.len()).copied()
}

fn card(credential: &Credential, findings: &[&Finding], roots: &[&str], number: usize) -> Card {
    let verdict = &credential.verdict;
    let mut rows = Vec::new();
    let mut row = |name, text: String| rows.push(Row { name, text: printable(&text) });
    if let Some(sentence) = verdict::sentence(verdict) {
        row("verdict", sentence);
    }
    if let Some(key) = &credential.key_sid {
        row("key", key.clone());
    }
    if let Some(account) = &credential.account_sid {
        row("account", account.clone());
    }
    for tie in &credential.ambiguous {
        row("or", format!("{} ({})", tie.sid, tie.evidence));
    }
    if let Some(expires) = &credential.expires {
        row("expires", expires.clone());
    }
    for line in credential.exposure.iter().flat_map(verdict::exposure) {
        row("reaches", line);
    }
    let authors: BTreeSet<String> =
        findings.iter().filter_map(|f| f.commit.as_ref()).map(|commit| flat(&commit.author)).collect();
    let repositories: BTreeSet<String> =
        findings.iter().filter_map(|finding| repository(roots, finding)).map(flat).collect();
    let first = findings[0];
    Card {
        state: verdict::word(verdict.state),
        kind: verdict.kind.map_or_else(|| first.kind.title().to_owned(), |kind| kind.title().to_owned()),
        account: credential.account_sid.as_deref().map(flat).unwrap_or_default(),
        repositories: repositories.into_iter().collect::<Vec<_>>().join("\n"),
        authors: authors.into_iter().collect::<Vec<_>>().join("\n"),
        title: first.kind.title(),
        redacted: printable(first.redacted.as_str()),
        rows,
        places: findings.iter().map(|finding| place(finding, repository(roots, finding))).collect(),
        steps: credential.remedy.steps.iter().map(|step| printable(step)).collect(),
        open: number < OPEN,
    }
}

/// One line, since the page's lists are parted by line ends.
fn flat(text: &str) -> String {
    printable(text)
}

fn place(finding: &Finding, repository: Option<&str>) -> Place {
    let at = &finding.location;
    let mut lines = Vec::new();
    for (word, commit) in [("since", &finding.commit), ("until", &finding.removed_by)] {
        if let Some(commit) = commit {
            let id = commit.id.get(..12).unwrap_or(&commit.id);
            let date = commit.date.get(..10).unwrap_or(&commit.date);
            lines.push(printable(&format!(
                "{word} {date} {id} {} <{}>: {}",
                commit.author, commit.email, commit.summary
            )));
        }
    }
    if let Some(from) = &finding.renamed_from {
        lines.push(format!("moved there by its first commit from {}", printable(from)));
    }
    if !finding.owners.is_empty() {
        lines.push(format!("owner: {}", printable(&finding.owners.join(" "))));
    }
    if let Some(time) = finding.first_seen.as_deref().and_then(|time| time.get(..10)) {
        lines.push(format!("first seen by an audit on {}", printable(time)));
    }
    if !finding.at_head {
        lines.push("in history only".to_owned());
    }
    if finding.not_read_again {
        lines.push(super::NOT_READ_AGAIN.to_owned());
    } else if !finding.reachable {
        lines.push("no branch or tag leads to it".to_owned());
    }
    Place {
        at: format!("{}:{}:{}", printable(&at.path), at.line, at.column),
        repository: repository.map(printable),
        lines,
    }
}

/// A filter's title, its name in the page, and what it picks of a card.
type Pick = (&'static str, &'static str, fn(&Card) -> &str);

fn filters(cards: &[Card]) -> Vec<Filter> {
    let pick: [Pick; 5] = [
        ("Verdict", "verdict", |card| card.state),
        ("Kind", "kind", |card| &card.kind),
        ("Account", "account", |card| &card.account),
        ("Repository", "repository", |card| &card.repositories),
        ("Author", "author", |card| &card.authors),
    ];
    pick.into_iter()
        .filter_map(|(title, name, of)| {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for value in cards.iter().flat_map(|card| of(card).split('\n')).filter(|value| !value.is_empty())
            {
                *counts.entry(value).or_default() += 1;
            }
            let mut options: Vec<Choice> =
                counts.into_iter().map(|(value, count)| Choice { value: value.to_owned(), count }).collect();
            options.sort_by_key(|option| std::cmp::Reverse(option.count));
            options.truncate(MOST_OPTIONS);
            (!options.is_empty()).then_some(Filter { title, name, options })
        })
        .collect()
}

fn identifiers(report: &Report, of: &HashMap<&Fingerprint, Vec<&Finding>>) -> Vec<Line> {
    report
        .credentials
        .iter()
        .filter_map(|credential| of.get(&credential.id))
        .filter(|findings| findings.iter().all(|finding| !finding.kind.is_secret()))
        .map(|findings| Line {
            at: format!("{}:{}", printable(&findings[0].location.path), findings[0].location.line),
            sid: printable(findings[0].redacted.as_str()),
            what: String::new(),
            reason: String::new(),
        })
        .collect()
}

fn allowed(report: &Report) -> Vec<Line> {
    report
        .suppressed
        .iter()
        .map(|suppressed| Line {
            at: format!(
                "{}:{}",
                printable(&suppressed.finding.location.path),
                suppressed.finding.location.line
            ),
            sid: String::new(),
            what: suppressed.finding.kind.title().to_owned(),
            reason: printable(&suppressed.reason),
        })
        .collect()
}
