//! `rotate key --least-privilege`: what the successor may do, from the code or from a file.

use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::{Failure, output};
use crate::model::Tally;
use crate::remedy::least::{self, Proposal};
use crate::source::stop::Stop;
use crate::source::tree::{self, Opened};

/// A file above this size, in bytes, is not code that somebody wrote.
const LARGEST: u64 = 4 << 20;
/// How many places of a permission are named.
const MOST_PLACES: usize = 3;

// No doc comment: clap would take it for the command's own.
#[derive(clap::Args)]
pub struct Args {
    /// Make the successor a Restricted key that may do what the code's calls of Twilio's API need, and no more
    #[arg(long)]
    least_privilege: bool,
    /// With --least-privilege: the code that uses the key [default: this folder]; may be given several times
    #[arg(long, value_name = "PATH", requires = "least_privilege")]
    code: Vec<PathBuf>,
    /// With --least-privilege: write the proposed policy to this file, to be changed by hand, and change nothing
    #[arg(long, value_name = "FILE", requires = "least_privilege")]
    policy_out: Option<PathBuf>,
    /// Make the successor a Restricted key with the policy in this file, which is of the form that --policy-out writes
    #[arg(long, value_name = "FILE", conflicts_with = "least_privilege")]
    policy: Option<PathBuf>,
}

/// What the successor is to be allowed.
pub enum Wish {
    /// What the old key may.
    AsBefore,
    /// This.
    Allow(Vec<String>),
    /// The proposal was written, and that was all.
    Written,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    allow: Vec<String>,
}

impl Args {
    /// Reads the code or the file. `is_unattended`: nobody will be asked before the old key goes.
    pub fn wish(&self, key: &str, is_unattended: bool) -> Result<Wish, Failure> {
        if let Some(path) = &self.policy {
            return load(path).map(Wish::Allow);
        }
        if !self.least_privilege {
            return Ok(Wish::AsBefore);
        }
        let (proposal, unread) = self.read()?;
        show(&proposal)?;
        if !proposal.signs.is_empty() {
            return Err(Failure(format!(
                "nothing was changed: {} signs Access Tokens, which a Restricted key may not. Keep a Standard key for that code; --policy FILE makes a Restricted key all the same",
                proposal.signs.join(", ")
            )));
        }
        let allow: Vec<String> = proposal.allow.keys().cloned().collect();
        let checked = least::check(&allow);
        checked.map_err(|reason| Failure(format!("nothing was changed: of the proposed policy: {reason}. Write one by hand and give it with --policy FILE")))?;
        if let Some(path) = &self.policy_out {
            save(&Policy { allow }, path)?;
            output::say(&format!(
                "Nothing was changed. Look at {0}, change it if need be, then: sidsweep rotate key {key} --policy {0}",
                path.display()
            ))?;
            return Ok(Wish::Written);
        }
        if is_unattended && (unread > 0 || !proposal.unknown.is_empty()) {
            return Err(Failure(
                "nothing was changed: not all calls have a known permission, or not all code could be read, so the policy needs a person's look: --policy-out FILE writes it, --policy FILE takes it".to_owned(),
            ));
        }
        Ok(Wish::Allow(allow))
    }

    /// What the code calls, and how many files could not be read.
    fn read(&self) -> Result<(Proposal, usize), Failure> {
        let code = if self.code.is_empty() { vec![PathBuf::from(".")] } else { self.code.clone() };
        let options =
            tree::Options { no_ignore: false, max_file_size: Some(LARGEST), jobs: 1, stop: Stop::NEVER };
        let (tally, texts) = (Tally::default(), Mutex::new(Vec::new()));
        tree::walk(&code, &options, &tally, || {
            let texts = &texts;
            move |Opened { file, known }: Opened<'_>| {
                let mut text = Vec::new();
                if let Err(error) = file.take(LARGEST).read_to_end(&mut text) {
                    known.skip(error);
                    return;
                }
                let path = known.name().to_owned();
                let text = String::from_utf8_lossy(&text).into_owned();
                texts.lock().unwrap_or_else(PoisonError::into_inner).push((path, text));
                known.read();
            }
        })?;
        let mut texts = texts.into_inner().unwrap_or_else(PoisonError::into_inner);
        texts.sort();
        let mut proposal = Proposal::default();
        for (path, text) in &texts {
            proposal.add(path, text);
        }
        let coverage = tally.end();
        for skipped in coverage.skipped() {
            output::complain(&format!("not read: {}: {}", skipped.path, skipped.reason));
        }
        Ok((proposal, coverage.skipped().len()))
    }
}

/// Says what is proposed, and where each of it comes from.
fn show(proposal: &Proposal) -> Result<(), Failure> {
    output::say("What the code calls needs these permissions:")?;
    for (permission, places) in &proposal.allow {
        let more = places.len().saturating_sub(MOST_PLACES);
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        let shown = places.iter().take(MOST_PLACES).cloned().collect::<Vec<_>>().join(", ");
        output::say(&format!("  {permission}  ({shown}{rest})"))?;
    }
    for unknown in &proposal.unknown {
        output::say(&format!("  no permission is known for: {unknown}"))?;
    }
    output::say("Calls that are put together at run time are not seen: look before the old key goes.")
}

fn load(path: &Path) -> Result<Vec<String>, Failure> {
    let wrong = |reason: String| Failure(format!("{}: {reason}", path.display()));
    let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let policy: Policy = serde_json::from_slice(&text).map_err(|error| {
        wrong(format!("not a policy of the form {{\"allow\": [\"/twilio/…\"]}} ({error})"))
    })?;
    least::check(&policy.allow).map_err(wrong)?;
    Ok(policy.allow)
}

/// Writes a new file: what somebody changed by hand is not written over.
fn save(policy: &Policy, path: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure(format!("{}: {error}", path.display()));
    let text = serde_json::to_string_pretty(policy).map_err(|error| Failure(error.to_string()))?;
    let mut file = std::fs::File::create_new(path).map_err(failed)?;
    writeln!(file, "{text}").map_err(failed)
}
