//! `sidsweep verify`: ask Twilio again about a saved report. The report need not hold a value: each is read again where
//! the report found it, and known by its fingerprint.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::progress::Display;
use super::scan::{FailOn, outcome, publish, report_file};
use super::{Failure, Outcome, asking, output, twilio};
use crate::detect::Detector;
use crate::model::{Report, SCHEMA, Vault};
use crate::report::Format;
use crate::rules::Rules;
use crate::scan::Progress;
use crate::scan::again::Wanted;

/// What is said where a saved report is missing.
pub const HOW_TO_GET_ONE: &str = "`sidsweep scan --report json=report.json` writes one";

/// Ask Twilio again about a saved report
///
/// Values are read again where the report found them, so the report need not hold any. Exit codes as for scan.
#[derive(clap::Args)]
pub struct Args {
    /// A report of --format json
    #[arg(value_name = "REPORT.json")]
    report: PathBuf,
    /// Where the scanned folder is now [default: where the report says]
    #[arg(long, value_name = "PATH")]
    root: Option<PathBuf>,
    /// How to print the report
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    format: Format,
    /// Write the report to a file as well, in a format of --format; may be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report_file)]
    reports: Vec<(Format, PathBuf)>,
    /// What makes the command exit with 1
    #[arg(long, value_name = "WHAT", value_enum, default_value = "live")]
    fail_on: FailOn,
    /// Look at what live credentials reach (numbers, keys, subaccounts, spend, recorded changes)
    #[arg(long)]
    exposure: bool,
    #[command(flatten)]
    twilio: twilio::Asking,
}

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    let mut report = load(&args.report)?;
    let client = args.twilio.client()?;
    let mut ours = asking::ours(&args.twilio, &client)?;
    let (vault, missing) = read_again(&Wanted::of(&report, args.root.as_deref()));
    asking::ask(&args.twilio, &client, ours.as_mut(), &mut report, &vault, args.exposure);
    publish(&report, args.format, &args.reports)?;
    Ok(match outcome(&report, args.fail_on) {
        // What could not be asked about is no all-clear.
        Outcome::Clean if missing > 0 && args.fail_on != FailOn::Never => Outcome::Incomplete,
        other => other,
    })
}

/// Loads a report.
pub fn load(path: &Path) -> Result<Report, Failure> {
    let wrong = |reason: String| Failure(format!("{}: {reason}", path.display()));
    let text = std::fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => wrong(format!("there is no such file; {HOW_TO_GET_ONE}")),
        _ => wrong(error.to_string()),
    })?;
    let report: Report = serde_json::from_slice(&text).map_err(|error| {
        wrong(format!("not a report of `sidsweep scan --format json` (line {}: {error})", error.line()))
    })?;
    if report.schema == SCHEMA {
        Ok(report)
    } else {
        Err(wrong(format!("its schema is {:?}; this version reads {SCHEMA:?}", report.schema)))
    }
}

/// Reads the values of a report's credentials again, and says what was not found: how many.
pub fn read_again(wanted: &Wanted) -> (Vault, usize) {
    let detector = Detector::new(Rules::built_in());
    let progress = Arc::new(Progress::default());
    let again = {
        let _display = Display::start(&progress);
        wanted.read(&detector, &progress)
    };
    for reason in &again.unread {
        output::complain(&format!("not read again: {reason}"));
    }
    let missing = wanted.ids.iter().filter(|id| !again.vault.contains_key(**id)).count();
    if missing > 0 {
        output::complain(&format!(
            "{missing} of the credentials were not found again where they stood: those are not asked about. Scan again, or give --root."
        ));
    }
    (again.vault, missing)
}
