//! `sidsweep audit report`

use std::path::{Path, PathBuf};

use super::super::scan::{FailOn, outcome, publish, report_file};
use super::super::{Failure, Outcome, asking, output, twilio, unread, verify};
use super::{Chosen, Working};
use crate::model::Report;
use crate::report::Format;
use crate::scan::accept::{self, Baseline};
use crate::scan::again::Wanted;
use crate::scan::policy::Policy;
use crate::store::{Audit, Filter, Store};
use crate::twilio::Client;

/// Report what an audit found
///
/// One credential is one, in however many repositories it stands. Exit codes as for scan.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    chosen: Chosen,
    #[command(flatten)]
    working: Working,
    #[command(flatten)]
    showing: Showing,
    #[command(flatten)]
    twilio: twilio::Asking,
}

/// What is shown, and how.
#[derive(clap::Args)]
pub struct Showing {
    /// How to print the report
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    format: Format,
    /// Write the report to a file as well, in a format of --format; may be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report_file)]
    reports: Vec<(Format, PathBuf)>,
    /// Only what no earlier audit had seen
    #[arg(long)]
    new_only: bool,
    /// What makes the command exit with 1
    #[arg(long, value_name = "WHAT", value_enum, default_value = "any")]
    pub fail_on: FailOn,
    /// Ask Twilio which of the credentials still work, each once, by read-only requests
    #[arg(long)]
    pub verify: bool,
    /// With --verify: look at what live credentials reach
    #[arg(long, requires = "verify")]
    exposure: bool,
    /// Values that were accepted, as scan --write-baseline wrote them
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Paths that are accepted, with the repository in front, e.g. "github.com/acme/docs/**". What repositories say of
    /// themselves in .sidsweep.toml is not followed in an audit
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    pub unread: unread::UnreadArgs,
}

pub fn run(args: &Args, runtime: &tokio::runtime::Runtime) -> Result<Outcome, Failure> {
    args.showing.unread.check()?;
    let client = args.showing.verify.then(|| args.twilio.client()).transpose()?;
    let (store, audit) = runtime.block_on(args.chosen.open())?;
    show(&store, &audit, &args.showing, &args.twilio, client, &args.working, runtime)
}

/// Makes the report of an audit, asks about it where that is wanted, and shows it.
pub fn show(
    store: &Store,
    audit: &Audit,
    showing: &Showing,
    asking: &twilio::Asking,
    client: Option<Client>,
    working: &Working,
    runtime: &tokio::runtime::Runtime,
) -> Result<Outcome, Failure> {
    let found = runtime.block_on(store.report(audit, Filter { new_only: showing.new_only }))?;
    let mut report = found.report;
    if found.open > 0 {
        output::complain(&format!(
            "{} repositories are still to be looked at: this is what is known so far.",
            found.open
        ));
    }
    let baseline = showing.baseline.as_deref().map(Baseline::read).transpose()?;
    let policies: Vec<Policy> = match &showing.policy {
        Some(file) => vec![Policy::read(file, Path::new(""))?],
        None => Vec::new(),
    };
    accept::mark(&mut report, baseline.as_ref(), &policies, accept::today());
    let mut unasked = 0;
    if let Some(client) = client {
        let mut ours = asking::ours(asking, &client)?;
        runtime.block_on(bring(store, audit, working, &mut report))?;
        let (vault, missing) = verify::read_again(&Wanted::of(&report, None));
        unasked = missing;
        asking::ask(asking, &client, ours.as_mut(), &mut report, &vault, showing.exposure);
        runtime.block_on(store.keep_verdicts(&report.credentials))?;
    }
    accept::settle(&mut report);
    showing.unread.apply(&mut report, &policies)?;
    publish(&report, showing.format, &showing.reports)?;
    Ok(match outcome(&report, showing.fail_on) {
        // What could not be asked about is no all-clear.
        Outcome::Clean if unasked > 0 && showing.fail_on != FailOn::Never => Outcome::Incomplete,
        other => other,
    })
}

/// Brings the mirrors of repositories with findings to this machine, where another one scanned them or they had to make room.
async fn bring(store: &Store, audit: &Audit, working: &Working, report: &mut Report) -> Result<(), Failure> {
    let with_secrets: std::collections::BTreeSet<String> = report
        .findings
        .iter()
        .filter(|finding| finding.kind.is_secret())
        .filter_map(|finding| finding.repository.clone())
        .collect();
    let gone = |source: &&mut crate::model::Source| {
        let wanted = source.repository.as_ref().is_some_and(|name| with_secrets.contains(name));
        wanted && !Path::new(&source.root).exists()
    };
    let mut missing: Vec<_> = report.sources.iter_mut().filter(gone).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let sources = working.sources(&audit.sources);
    let run = working.run(store.clone(), &sources, std::sync::Arc::default()).await?;
    for source in &mut missing {
        let name = source.repository.clone().unwrap_or_default();
        match run.bring(&name, &sources).await {
            Ok(root) => source.root = root.display().to_string(),
            Err(reason) => output::complain(&format!("{name}: its mirror cannot be brought here: {reason}")),
        }
    }
    Ok(())
}
