//! `sidsweep scan`: find credentials and report them.

mod baseline;
mod ci;
mod machine;
mod sources;
mod values;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::ValueEnum;

use super::accepting::AcceptArgs;
use super::progress::Display;
use super::{Failure, Outcome, asking, interrupt, output, twilio, unread};
use crate::model::{Confidence, DoubtfulValues, Report, Skipped, Unit, Vault, VerdictState};
use crate::remedy::doubtful::Bounds;
use crate::report::Format;
use crate::scan::accept;
use crate::scan::policy::Policy;
use crate::scan::{Progress, gather};
use crate::source::stop::Stop;
pub use values::{report_file, size};

/// Find leaked Twilio credentials
///
/// Scans work trees, by default the one below the current folder. `.gitignore` is honoured, but not for files that
/// git tracks; hidden files such as `.env` are always looked at.
///
/// Exit codes: 0 nothing to report; 1 something that counts for --fail-on was found; 2 the command could not do what
/// was asked, or could not read all of it and found nothing in the rest.
#[derive(Clone, clap::Args)]
pub struct Args {
    /// Folders and files to scan; a hyphen alone is standard input [default: the current folder]
    #[arg(value_name = "PATH", conflicts_with = "stdin")]
    paths: Vec<PathBuf>,
    /// Scan every object of the repository as well: all branches, tags, stashes, notes, messages, and unreachable
    /// objects
    #[arg(long, conflicts_with = "stdin")]
    history: bool,
    /// Scan what would be committed: the index, not the work tree, and only what it adds
    #[arg(long, conflicts_with_all = ["stdin", "history", "range", "since_commit"])]
    staged: bool,
    /// With --staged: whole staged files, not only what the change adds
    #[arg(long, requires = "staged")]
    whole: bool,
    /// Scan what the commits of a range add: A..B, or A...B for what B added since the two parted. Each commit counts,
    /// so a value that was added and removed within the range is found
    #[arg(long, value_name = "A..B", conflicts_with_all = ["stdin", "history"])]
    range: Option<String>,
    /// Scan what the commits since this one add: the same as --range COMMIT..HEAD
    #[arg(long, value_name = "COMMIT", conflicts_with_all = ["stdin", "history", "range"])]
    since_commit: Option<String>,
    /// In a CI: scan what the push or pull request brings, and all of history where the run says of no commits that they are
    /// new (a schedule, a run by hand). Knows GitHub Actions, GitLab CI, Azure Pipelines, Bitbucket Pipelines, CircleCI,
    /// Buildkite and Jenkins by their environment
    #[arg(long, conflicts_with_all = ["stdin", "history", "staged", "range", "since_commit"])]
    ci: bool,
    /// Scan where secrets of a person's machine lie: shell histories and settings, ~/.twilio-cli, MCP configurations, coding agents'
    /// transcripts, and .env files below the home folder. Each place is named; no link is followed out of the home folder
    #[arg(long, conflicts_with_all = ["paths", "stdin", "history", "staged", "range", "since_commit", "ci"])]
    machine: bool,
    /// Accept a shallow clone, whose older history is not here
    #[arg(long, requires = "history")]
    allow_shallow: bool,
    /// Scan standard input
    #[arg(long)]
    stdin: bool,
    /// The name that standard input is reported by; it is also used as context
    #[arg(long, value_name = "NAME", default_value = "stdin")]
    stdin_path: String,
    /// Scan what .gitignore names as well
    #[arg(long)]
    no_ignore: bool,
    /// The least confidence that is reported
    #[arg(long, value_name = "LEVEL", value_enum, default_value = "medium")]
    min_confidence: Level,
    /// How to print the report
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    format: Format,
    /// Write the report to a file as well, in a format of --format; may be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report_file)]
    reports: Vec<(Format, PathBuf)>,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Skip files above this size and list them, e.g. 50M [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_file_size: Option<u64>,
    /// Put the values themselves into the report: be careful where you store it
    #[arg(long)]
    show_secrets: bool,
    /// What makes the command exit with 1
    #[arg(long, value_name = "WHAT", value_enum, default_value = "any")]
    fail_on: FailOn,
    /// Ask Twilio which of the credentials still work, by read-only requests
    #[arg(long)]
    verify: bool,
    /// With --verify: look at what live credentials reach (numbers, keys, subaccounts, spend, recorded changes); never at
    /// messages or calls
    #[arg(long, requires = "verify")]
    exposure: bool,
    /// With --verify: try at most this many values with one SID. Besides what is reported, Twilio is asked about each value that
    /// has the shape of a secret and a SID in its file or folder, whatever its name, the most likely first. What it accepts is
    /// reported
    #[arg(long, value_name = "N", requires = "verify", default_value_t = 32, value_parser = clap::value_parser!(u16).range(0..=1000))]
    ask_per_sid: u16,
    /// With --verify: try at most this many pairs of a SID and such a value in one run
    #[arg(long, value_name = "N", requires = "verify", default_value_t = 1000, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    ask_most: u16,
    #[command(flatten)]
    writing: baseline::WriteArgs,
    #[command(flatten)]
    accepting: AcceptArgs,
    #[command(flatten)]
    unread: unread::UnreadArgs,
    #[command(flatten)]
    twilio: twilio::Asking,
}

#[derive(Clone, Copy, ValueEnum)]
enum Level {
    Low,
    Medium,
    High,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Any secret that is reported: tokens, key secrets and Twilio's other secrets. Account SIDs and key SIDs are
    /// identifiers, and do not count.
    Any,
    /// With --verify: a credential that works
    Live,
    /// Nothing
    Never,
}

impl Args {
    /// Whether standard input is scanned.
    fn is_stdin(&self) -> bool {
        self.stdin || self.paths == [Path::new("-")]
    }

    /// Whether it is said nowhere what is to be scanned.
    fn names_nothing(&self) -> bool {
        self.paths.is_empty() && !(self.history || self.staged || self.machine || self.range_spec().is_some())
    }

    /// What is scanned.
    fn paths(&self) -> Vec<PathBuf> {
        if self.paths.is_empty() { vec![PathBuf::from(".")] } else { self.paths.clone() }
    }

    /// The range whose commits are scanned.
    fn range_spec(&self) -> Option<String> {
        let since = || self.since_commit.as_ref().map(|from| format!("{from}..HEAD"));
        self.range.clone().or_else(since)
    }

    /// With --ci, what the run is to scan.
    fn in_ci(&self) -> Result<Self, Failure> {
        let mut args = self.clone();
        if self.ci {
            let paths = self.paths();
            let [root] = paths.as_slice() else {
                return Err(Failure("--ci takes one repository; leave out the other paths".to_owned()));
            };
            let (scope, words) = ci::decide(root)?;
            output::complain(&words);
            match scope {
                ci::Scope::Range(range) => args.range = Some(range),
                ci::Scope::History => args.history = true,
            }
        }
        Ok(args)
    }

    /// How much is asked about doubtful values.
    fn bounds(&self) -> Bounds {
        Bounds { per_sid: usize::from(self.ask_per_sid), most: usize::from(self.ask_most) }
    }
}

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    output::clear(&args.reports)?;
    let args = &args.in_ci()?;
    if args.fail_on == FailOn::Live && !args.verify {
        return Err(Failure(
            "--fail-on live needs --verify: without asking, nothing is known to be live".to_owned(),
        ));
    }
    args.unread.check()?;
    let accepted = args.writing.file()?;
    // Before the scan: whoever asked for verdicts hears at once that there will be none.
    let client = args.verify.then(|| args.twilio.client()).transpose()?;
    let mut ours = client.as_ref().map(|client| asking::ours(&args.twilio, client)).transpose()?.flatten();
    let baseline = args.accepting.read_baseline()?;
    let (policies, unread) = in_force(args)?;
    // What is read from a pipe, or compared commit by commit, ends at once.
    let can_stop = !(args.is_stdin() || args.staged || args.range_spec().is_some());
    let stop = if can_stop { interrupt::stops_the_scan() } else { Stop::NEVER };
    let Found { mut report, vault, doubtful } = find(args, stop)?;
    interrupt::ends_the_program();
    if stop.is_set() {
        output::complain("Interrupted: this is what was found so far, and Twilio is not asked.");
    }
    for policy in unread {
        report.coverage.skip(Unit::Settings, policy);
    }
    if args.names_nothing() && !args.is_stdin() && output::is_pipe_unread() {
        let reason = "something was piped in, and this folder was scanned; `sidsweep scan -` scans what is piped in, \
                      `sidsweep scan .` says that the folder is meant";
        let piped = Skipped { path: "(standard input)".into(), reason: reason.into() };
        report.coverage.skip(Unit::Files, piped);
    }
    if let Some(client) = client.as_ref().filter(|_| !stop.is_set()) {
        let bounds = args.bounds();
        asking::ask(&args.twilio, client, ours.as_mut(), &mut report, &vault, args.exposure);
        let ours = ours.as_mut();
        asking::ask_doubtful(&args.twilio, client, ours, &mut report, doubtful, bounds, args.exposure);
    }
    accept::mark(&mut report, baseline.as_ref(), &policies, accept::today());
    accept::settle(&mut report);
    args.unread.apply(&mut report, &policies)?;
    if let Some(path) = accepted {
        return args.writing.write(path, &report);
    }
    publish(&report, args.format, &args.reports)?;
    Ok(outcome(&report, args.fail_on))
}

/// The policies in force, and those that cannot be followed: the one that was named, or those of the repositories that are scanned.
/// What the commits of a range bring cannot allow itself.
fn in_force(args: &Args) -> Result<(Vec<Policy>, Vec<Skipped>), Failure> {
    match (args.range_spec(), args.paths().as_slice()) {
        _ if args.is_stdin() => Ok((Vec::new(), Vec::new())),
        // No repository speaks for a machine.
        _ if args.machine && args.accepting.policy.is_none() => Ok((Vec::new(), Vec::new())),
        (Some(range), [root]) if args.accepting.policy.is_none() => Ok(Policy::of_range(root, &range)?),
        (_, paths) => policies(paths, args.accepting.policy.as_deref()),
    }
}

/// The policies of the repositories that some paths lie in, or in their place the one that was named.
pub fn policies(paths: &[PathBuf], named: Option<&Path>) -> Result<(Vec<Policy>, Vec<Skipped>), Failure> {
    let Some(named) = named else { return Ok(Policy::own(paths)) };
    for (file, _) in Policy::files_above(paths) {
        output::complain(&format!(
            "{} is not followed: --policy {} outranks it",
            file.display(),
            named.display()
        ));
    }
    let policies = paths.iter().map(|path| Policy::read(named, path)).collect::<Result<_, _>>()?;
    Ok((policies, Vec::new()))
}

/// Scans one folder, and its history if asked, as `scan` does by default.
pub fn whole(path: &Path, history: bool) -> Result<(Report, Vault), Failure> {
    let found = find(
        &Args {
            paths: vec![path.to_owned()],
            history,
            staged: false,
            whole: false,
            range: None,
            since_commit: None,
            ci: false,
            machine: false,
            allow_shallow: false,
            stdin: false,
            stdin_path: String::new(),
            no_ignore: false,
            min_confidence: Level::Medium,
            format: Format::Text,
            reports: Vec::new(),
            jobs: None,
            max_file_size: None,
            show_secrets: false,
            fail_on: FailOn::Any,
            verify: false,
            exposure: false,
            ask_per_sid: 0,
            ask_most: 0,
            writing: baseline::WriteArgs::default(),
            accepting: AcceptArgs::default(),
            unread: unread::UnreadArgs::default(),
            twilio: twilio::Asking::default(),
        },
        Stop::NEVER,
    )?;
    Ok((found.report, found.vault))
}

struct Found {
    report: Report,
    /// The values of the report's secrets.
    vault: Vault,
    /// Values that are not in the report, and that Twilio can be asked about: with --verify only.
    doubtful: DoubtfulValues,
}

/// Scans and gathers.
fn find(args: &Args, stop: Stop) -> Result<Found, Failure> {
    let begin = Instant::now();
    let quick = args.accepting.detector()?;
    let detector = if args.verify { quick.thorough() } else { quick };
    let progress = Arc::new(Progress { stop, ..Progress::default() });
    let (scanned, sources) = {
        // What is typed in on the same terminal would run into it.
        let _display = (!args.is_stdin()).then(|| Display::start(&progress));
        sources::look(args, &detector, &progress)?
    };
    let options = gather::Options {
        min_confidence: args.min_confidence.into(),
        show_secrets: args.show_secrets,
        repository: None,
    };
    let (rules, texts) = (detector.rules(), scanned.texts);
    let mut gathered = if args.verify {
        gather::gather_all(rules, texts, scanned.doubtful, options)
    } else {
        gather::gather(rules, texts, options)
    };
    let vault = std::mem::take(&mut gathered.vault);
    let doubtful = std::mem::take(&mut gathered.doubtful);
    let mut stats = scanned.stats;
    stats.seconds = begin.elapsed().as_secs_f64();
    let mut report = gathered.report(sources, stats, scanned.coverage);
    report.not_covered = scanned.not_covered;
    Ok(Found { report, vault, doubtful })
}

/// Writes a report to all the places that were asked for, and names what was not read.
pub fn publish(report: &Report, format: Format, files: &[(Format, PathBuf)]) -> Result<(), Failure> {
    for (format, path) in files {
        output::write(report, *format, path)?;
    }
    for skipped in report.coverage.skipped() {
        if format != Format::Text {
            output::complain(&format!("not read: {}: {}", skipped.path, skipped.reason));
        }
    }
    if format == Format::Github
        && let Some(summary) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty())
    {
        output::append(report, Format::Markdown, Path::new(&summary))?;
    }
    output::print(report, format)
}

/// The exit code of a report. For `live`, an answer that did not come is no all-clear.
pub fn outcome(report: &Report, fail_on: FailOn) -> Outcome {
    let any = |state| report.credentials.iter().any(|credential| credential.verdict.state == state);
    let found = match fail_on {
        FailOn::Any => report.findings.iter().any(|finding| finding.kind.is_secret()),
        FailOn::Live => any(VerdictState::Live),
        FailOn::Never => false,
    };
    let doubtful = report.asked.as_ref().and_then(|asked| asked.doubtful.as_ref());
    let is_unsettled = doubtful.is_some_and(|doubtful| doubtful.unsettled > 0);
    let unanswered = fail_on == FailOn::Live && (any(VerdictState::Unknown) || is_unsettled);
    if found {
        Outcome::Found
    } else if report.coverage.is_complete() && !unanswered {
        Outcome::Clean
    } else {
        Outcome::Incomplete
    }
}

impl From<Level> for Confidence {
    fn from(level: Level) -> Self {
        match level {
            Level::Low => Self::Low,
            Level::Medium => Self::Medium,
            Level::High => Self::High,
        }
    }
}
