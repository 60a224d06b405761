//! `sidsweep verify`: ask Twilio again about a saved report. The report need not hold a value: each is read again where
//! the report found it, and known by its fingerprint.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::progress::Display;
use super::scan::{FailOn, format, outcome, publish, report_file};
use super::{Failure, Outcome, asking, output, twilio};
use crate::detect::Detector;
use crate::model::{Confidence, Fingerprint, Report, SCHEMA, Source, SourceMode, Vault};
use crate::report::Format;
use crate::rules::Rules;
use crate::scan::{self, Progress, gather};
use crate::source::{repository, tree};

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
    #[arg(long, value_name = "FORMAT", value_parser = format, default_value = "text")]
    format: Format,
    /// Write the report to a file as well; may be given several times
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
    let ours = asking::ours(&args.twilio, &client)?;
    let vault = read_again(&report, args.root.as_deref())?;
    let missing = tell_missing(&report, &vault);
    asking::ask(&args.twilio, &client, ours.as_ref(), &mut report, &vault, args.exposure);
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
    let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let report: Report = serde_json::from_slice(&text).map_err(|error| {
        wrong(format!("not a report of `sidsweep scan --format json` (line {}: {error})", error.line()))
    })?;
    if report.schema == SCHEMA {
        Ok(report)
    } else {
        Err(wrong(format!("its schema is {:?}; this version reads {SCHEMA:?}", report.schema)))
    }
}

/// The credentials of a report that are secret, and so have a value.
fn wanted(report: &Report) -> Vec<&Fingerprint> {
    let mut ids: Vec<&Fingerprint> =
        report.findings.iter().filter(|finding| finding.kind.is_secret()).map(|f| &f.credential).collect();
    ids.sort();
    ids.dedup();
    ids
}

fn tell_missing(report: &Report, vault: &Vault) -> usize {
    let missing = wanted(report).into_iter().filter(|id| !vault.contains_key(*id)).count();
    if missing > 0 {
        output::complain(&format!(
            "{missing} of the report's credentials were not found again where it has them: those are not asked about. Scan again, or give --root."
        ));
    }
    missing
}

/// Reads the values of a report's credentials again: from the files that it names, and where that is not enough from
/// the history, index or commits that it covered.
pub fn read_again(report: &Report, root: Option<&Path>) -> Result<Vault, Failure> {
    let wanted = wanted(report);
    let detector = Detector::new(Rules::built_in());
    let progress = Arc::new(Progress::default());
    let _display = Display::start(&progress);
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let mut vault = Vault::new();
    let add = |vault: &mut Vault, scanned: scan::Scanned| {
        let options = gather::Options { min_confidence: Confidence::Low, show_secrets: false };
        let found = gather::gather(detector.rules(), scanned.texts, options).vault;
        vault.extend(found.into_iter().filter(|(id, _)| wanted.contains(&id)));
    };
    let trees = files(report, root);
    let options = tree::Options { no_ignore: true, max_file_size: None, jobs };
    add(&mut vault, scan::trees(&detector, &trees, &options, &progress)?);
    for source in &report.sources {
        if wanted.iter().all(|id| vault.contains_key(*id)) {
            break;
        }
        let place = root.map_or_else(|| PathBuf::from(&source.root), Path::to_path_buf);
        if source.mode == SourceMode::Stdin || !place.exists() {
            continue;
        }
        match source_again(source, &place, &detector, &options, &progress) {
            Ok(Some(scanned)) => add(&mut vault, scanned),
            Ok(None) => {}
            Err(Failure(reason)) => output::complain(&format!("not read again: {reason}")),
        }
    }
    Ok(vault)
}

/// One of the sources that a report covered, where it can still be read.
fn source_again(
    source: &Source,
    place: &Path,
    detector: &Detector,
    options: &tree::Options,
    progress: &Progress,
) -> Result<Option<scan::Scanned>, Failure> {
    Ok(Some(match (source.mode, &source.range) {
        (SourceMode::Range, Some(range)) => scan::changes::range(detector, place, range)?,
        (SourceMode::Staged, _) => scan::changes::staged(detector, place, true)?,
        (SourceMode::History, _) => scan::history::scan(detector, place, options.jobs, true, progress)?,
        _ if repository::is_bare(place) => return Ok(None),
        _ => scan::trees(detector, std::slice::from_ref(&place.to_path_buf()), options, progress)?,
    }))
}

/// The files that a report names and that are still there.
fn files(report: &Report, root: Option<&Path>) -> Vec<PathBuf> {
    let roots: Vec<PathBuf> = root.map_or_else(
        || report.sources.iter().map(|source| PathBuf::from(&source.root)).collect(),
        |root| vec![root.to_path_buf()],
    );
    let mut files: Vec<PathBuf> = report
        .findings
        .iter()
        .filter(|finding| finding.kind.is_secret())
        .flat_map(|finding| {
            let path = &finding.location.path;
            // Where there were several roots, the path has its own in front; a root may be the file itself.
            let below = roots.iter().map(move |root| root.join(path));
            below
                .chain(roots.iter().filter(move |root| root.ends_with(path)).cloned())
                .chain([PathBuf::from(path)])
        })
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files.dedup();
    files
}
