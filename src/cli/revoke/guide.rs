//! `sidsweep revoke guide`: after the fire.

use std::path::{Path, PathBuf};

use super::{Failure, Outcome, journal, output, verify};
use crate::model::{CredentialType, Report, SWEEP_SCHEMA, Sweep};
use crate::remedy::journal as log;
use crate::remedy::{after, rca};
use crate::report::after as steps;
use crate::report::printable;

/// Post-incident steps: move the code to API keys, clean history, watch the account
///
/// Asks and changes nothing.
#[derive(clap::Args)]
pub struct Args {
    /// A report of `scan --format json`
    #[arg(value_name = "REPORT.json")]
    report: PathBuf,
    /// Draft the root-cause analysis that Twilio asks for, from the report, the journal and a sweep; no value is in it
    #[arg(long)]
    rca: bool,
    /// With --rca: where the journal is [default: `SIDSWEEP_JOURNAL`, or the user's state folder]
    #[arg(long, value_name = "FILE", requires = "rca")]
    journal: Option<PathBuf>,
    /// With --rca: what `sidsweep sweep --out` wrote
    #[arg(long, value_name = "SWEEP.json", requires = "rca")]
    sweep: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    let report = verify::load(&args.report)?;
    if args.rca {
        return draft(args, &report);
    }
    let advice = after::advice(&report);
    let leaks: Vec<steps::Leak> = advice
        .iter()
        .map(|advice| steps::Leak {
            name: format!(
                "{} {}",
                match advice.credential.type_ {
                    CredentialType::AuthToken => "Auth Token",
                    _ => "API key secret",
                },
                advice.redacted
            ),
            places: &advice.places,
            change: advice.change,
            code: advice.languages.iter().map(|language| (language.title(), language.client())).collect(),
        })
        .collect();
    if leaks.is_empty() {
        output::say("The report holds no Auth Token and no key secret.")?;
        return Ok(Outcome::Clean);
    }
    output::page(|width, out| steps::write(&leaks, &after::history(), &after::watch(), width, out))?;
    Ok(Outcome::Clean)
}

/// Prints the draft. A journal that was named has to be there; the one in the usual place need not.
fn draft(args: &Args, report: &Report) -> Result<Outcome, Failure> {
    let path = journal::place(args.journal.as_deref())?;
    let records = if args.journal.is_some() || path.exists() {
        log::read(&path)?.records
    } else {
        output::complain(&format!("{}: no journal, so the draft does not say what was done", path.display()));
        Vec::new()
    };
    let sweep = args.sweep.as_deref().map(load_sweep).transpose()?;
    let lines = rca::draft(report, &records, sweep.as_ref());
    output::say(&lines.iter().map(|line| printable(line)).collect::<Vec<_>>().join("\n"))?;
    Ok(Outcome::Clean)
}

fn load_sweep(path: &Path) -> Result<Sweep, Failure> {
    let wrong = |reason: String| Failure(format!("{}: {reason}", path.display()));
    let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let sweep: Sweep = serde_json::from_slice(&text)
        .map_err(|error| wrong(format!("not what `sidsweep sweep --out` writes ({error})")))?;
    if sweep.schema == SWEEP_SCHEMA {
        Ok(sweep)
    } else {
        Err(wrong(format!("its schema is {:?}; this version reads {SWEEP_SCHEMA:?}", sweep.schema)))
    }
}
