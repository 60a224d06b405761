//! The check that an agent's hook makes. Whatever goes wrong, the call is refused, with the reason.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::path::Path;

use serde_json::json;

use super::call::{Call, Text};
use crate::cli::hook::Options;
use crate::cli::{Failure, Outcome, output, panic};
use crate::detect::{Detector, Hit};
use crate::model::{Confidence, Fingerprint, Report, Source, SourceMode, Stats, Tally};
use crate::report::hook;
use crate::scan::gather::{self, Origin, TextHits};
use crate::scan::{accept, policy::Policy};

/// The longest call that is looked at, in bytes: what is longer is refused.
const LONGEST: u64 = 64 << 20;

/// Refuses options that mean nothing here, rather than to leave somebody in a wrong belief.
pub(super) fn refuse_options(options: &Options) -> Result<(), Failure> {
    if !options.accepting.allow_marker.is_empty() {
        return Err(Failure(
            "--allow-marker is not for coding agents: a comment that the agent writes itself allows nothing"
                .to_owned(),
        ));
    }
    if options.unread.words().is_empty() {
        Ok(())
    } else {
        Err(Failure(
            "--accept-unread and --fail-on-opaque are not for coding agents: no file is read".to_owned(),
        ))
    }
}

pub(in crate::cli::hook) fn check(options: &Options) -> Result<Outcome, Failure> {
    panic::refuse();
    refuse_options(options)?;
    let refused =
        |reason: String| Failure(format!("sidsweep could not check this, so it is refused: {reason}"));
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| refused(format!("standard input: {error}")))?;
    if bytes.len() as u64 > LONGEST {
        return Err(refused(format!("what the agent told is longer than {} MB", LONGEST >> 20)));
    }
    let call = Call::read(&bytes).map_err(|reason| refused(format!("what the agent told is {reason}")))?;
    let report = report(&call, options).map_err(|Failure(reason)| refused(reason))?;
    let is_found = report.findings.iter().any(|finding| finding.kind.is_secret());
    let reason = is_found.then(|| reason(&call, &report)).transpose()?;
    answer(&call, reason.as_deref())
}

fn report(call: &Call, options: &Options) -> Result<Report, Failure> {
    let accepting = &options.accepting;
    let detector = accepting.detector()?;
    let baseline = accepting.read_baseline()?;
    let known: HashSet<Fingerprint> = call
        .taken_out()
        .iter()
        .flat_map(|text| hits(&detector, text))
        .map(|hit| gather::credential_id(&hit))
        .collect();
    let texts: Vec<TextHits> = call
        .texts()
        .into_iter()
        .map(|text| TextHits { hits: hits(&detector, &text), path: text.path, origin: Origin::default() })
        .filter(|text| !text.hits.is_empty())
        .collect();
    let shown = gather::Options { min_confidence: Confidence::Medium, show_secrets: false, repository: None };
    let gathered = gather::gather(detector.rules(), texts, shown);
    let source = Source::new(SourceMode::Stdin, ".", None);
    let mut report = gathered.report(vec![source], Stats::default(), Tally::default().end());
    // What an edit leaves in its place is nothing that it brings.
    report.findings.retain(|finding| !known.contains(&finding.credential));
    let policy = accepting.policy.as_deref();
    let policies: Vec<Policy> =
        policy.map(|file| Policy::read(file, Path::new("."))).transpose()?.into_iter().collect();
    accept::mark(&mut report, baseline.as_ref(), &policies, accept::today());
    accept::settle(&mut report);
    Ok(report)
}

/// What is found in a text. A comment allows nothing here: the agent could write it itself.
fn hits(detector: &Detector, text: &Text) -> Vec<Hit> {
    let counts = |hit: &Hit| {
        let line = usize::try_from(hit.line).unwrap_or(usize::MAX);
        text.lines.as_ref().is_none_or(|lines| lines.get(line).copied().unwrap_or(true))
    };
    let mut hits = detector.detect(text.text.as_bytes(), &text.path);
    hits.retain(|hit| !hit.kind.is_secret() || counts(hit));
    for hit in &mut hits {
        hit.allowed = None;
    }
    hits
}

fn reason(call: &Call, report: &Report) -> Result<String, Failure> {
    let what = if call.is_prompt() { "prompt" } else { "call" };
    let mut text = Vec::new();
    hook::write_for_agent(report, what, &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Answers as the agent wants it: Cursor by JSON, the others by the exit code and standard error.
fn answer(call: &Call, reason: Option<&str>) -> Result<Outcome, Failure> {
    if call.is_cursors() {
        let answer = match (call.is_prompt(), reason) {
            (true, None) => json!({ "continue": true }),
            // To say "allow" would stand for the approval that a person is asked for.
            (false, None) => json!({}),
            (true, Some(reason)) => json!({ "continue": false, "user_message": reason }),
            (false, Some(reason)) => {
                json!({ "permission": "deny", "user_message": reason, "agent_message": reason })
            }
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}").and_then(|()| out.flush())?;
        return Ok(Outcome::Clean);
    }
    Ok(match reason {
        None => Outcome::Clean,
        Some(reason) => {
            output::complain(reason.trim_end());
            // To an agent, 2 means that the call is refused, and 1 that the hook failed.
            Outcome::Incomplete
        }
    })
}
