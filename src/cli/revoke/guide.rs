//! `sidsweep revoke guide`: after the fire.

use std::path::PathBuf;

use super::{Failure, Outcome, output, verify};
use crate::model::CredentialType;
use crate::remedy::after;
use crate::report::after as steps;

/// After the fire: move the code to API keys, clean history, watch the account
///
/// Asks and changes nothing.
#[derive(clap::Args)]
pub struct Args {
    /// A report of `scan --format json`
    #[arg(value_name = "REPORT.json")]
    report: PathBuf,
}

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    let report = verify::load(&args.report)?;
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
