//! What a refused commit or push sees: at most twelve lines, for people in a hurry.

use std::collections::HashSet;
use std::io::{self, Write};

use super::printable::printable;
use crate::model::{Commit, Finding, Report};

/// How many leaks are shown; the rest are counted.
const MOST_SHOWN: usize = 4;

/// What was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// A commit.
    Commit,
    /// A push, by the one who pushes.
    Push,
    /// A push, by the server.
    Received,
}

impl Refused {
    fn word(self) -> &'static str {
        if self == Self::Commit { "commit" } else { "push" }
    }
}

/// Writes what would leak and what can be done. `all` is the command that shows everything.
pub fn write(report: &Report, refused: Refused, all: &str, out: &mut impl Write) -> io::Result<()> {
    let secrets: Vec<&Finding> = report.findings.iter().filter(|finding| finding.kind.is_secret()).collect();
    let what = if secrets.len() == 1 { "a Twilio secret" } else { "Twilio secrets" };
    writeln!(out, "sidsweep: this {} would leak {what}:", refused.word())?;
    for finding in secrets.iter().take(MOST_SHOWN) {
        let commit = finding.commit.as_ref().filter(|_| refused != Refused::Commit);
        let commit = commit.map(|commit| format!(", in commit {}", short(commit))).unwrap_or_default();
        writeln!(out, "  {}{commit}", line(report, finding))?;
    }
    if secrets.len() > MOST_SHOWN {
        writeln!(out, "  and {} more: {all}", secrets.len() - MOST_SHOWN)?;
    }
    let commit = secrets.iter().find_map(|finding| finding.commit.as_ref());
    options(refused, commit, out)
}

/// A finding in one line.
fn line(report: &Report, finding: &Finding) -> String {
    let place = &finding.location;
    let account = report
        .credentials
        .iter()
        .find(|credential| credential.id == finding.credential)
        .and_then(|credential| credential.key_sid.as_deref().or(credential.account_sid.as_deref()))
        .map(|sid| format!(" of {}", printable(sid)))
        .unwrap_or_default();
    let (title, shown) = (finding.kind.title(), printable(finding.redacted.as_str()));
    format!("{}:{}  {title} {shown}{account}", printable(&place.path), place.line)
}

/// Writes for a coding agent, and the one who reads along, why its call or a prompt is refused. It is not told of comments that allow a
/// value: it would write one.
pub fn write_for_agent(report: &Report, what: &str, out: &mut impl Write) -> io::Result<()> {
    let mut seen = HashSet::new();
    let secrets: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|finding| finding.kind.is_secret() && seen.insert(&finding.credential))
        .collect();
    let secret = if secrets.len() == 1 { "a Twilio secret" } else { "Twilio secrets" };
    writeln!(out, "sidsweep: this {what} holds {secret}, so it was refused:")?;
    for finding in secrets.iter().take(MOST_SHOWN) {
        writeln!(out, "  {}", line(report, finding))?;
    }
    if secrets.len() > MOST_SHOWN {
        writeln!(out, "  and {} more", secrets.len() - MOST_SHOWN)?;
    }
    writeln!(
        out,
        "Leave the value out: read it from the environment or a secret store where the code runs. If it has been shared already, \
         revoke it (`sidsweep revoke key SK...`, or promote a secondary Auth Token)."
    )
}

fn options(refused: Refused, commit: Option<&Commit>, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "Options:")?;
    match (refused, commit) {
        (Refused::Commit, _) => {
            writeln!(out, "  1. Move it to the environment or a secret store, and commit again.")?;
        }
        (_, Some(commit)) => {
            let id = short(commit);
            writeln!(
                out,
                "  1. Rewrite the commit, since a later one leaves it in history: `git rebase --interactive {id}~1`,\n     \
                 mark {id} as `edit`, take the value out, `git commit --amend`, `git rebase --continue`; push again."
            )?;
        }
        _ => writeln!(out, "  1. Take it out of what is pushed, and push again.")?,
    }
    writeln!(out, "  2. If it must stay, write `sidsweep:allow REASON` on its line or the line above.")?;
    if refused == Refused::Received {
        return Ok(());
    }
    let word = refused.word();
    writeln!(
        out,
        "  3. `git {word} --no-verify` skips this check: then the value is in history and must be revoked."
    )
}

fn short(commit: &Commit) -> String {
    commit.id.chars().take(12).collect()
}
