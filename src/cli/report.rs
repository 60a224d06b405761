//! `sidsweep report`: turn a saved report into another format.

use std::path::PathBuf;

use super::scan::{FailOn, outcome, publish, report_file};
use super::{Failure, Outcome, verify};
use crate::report::Format;

/// Turn a saved report into another format
///
/// Asks and scans nothing. Exit codes as for scan, by default always 0.
#[derive(clap::Args)]
pub struct Args {
    /// A report of `scan --format json`
    #[arg(value_name = "REPORT.json")]
    report: PathBuf,
    /// How to print it
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    format: Format,
    /// Write it to a file as well, in a format of --format; may be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report_file)]
    reports: Vec<(Format, PathBuf)>,
    /// What makes the command exit with 1
    #[arg(long, value_name = "WHAT", value_enum, default_value = "never")]
    fail_on: FailOn,
}

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    let report = verify::load(&args.report)?;
    publish(&report, args.format, &args.reports)?;
    Ok(match outcome(&report, args.fail_on) {
        // It was turned as asked, whatever it covered.
        Outcome::Incomplete if args.fail_on == FailOn::Never => Outcome::Clean,
        other => other,
    })
}
