//! `sidsweep revoke plan`: what would be done, and why.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Failure, Form, Outcome, asking, output, scan, twilio, verify};
use crate::model::Plan;
use crate::remedy::plan;
use crate::report::plan as page;
use crate::scan::again::Wanted;

/// Plan what to do about each leaked credential; changes nothing
///
/// Values are read again where they stand, and Twilio is asked afresh. What is foreign, in doubt, not asked about or not
/// found is left out, with the reason.
#[derive(clap::Args)]
pub struct Args {
    /// A report of `scan --format json`
    #[arg(value_name = "REPORT.json", required_unless_present = "scan", conflicts_with = "scan")]
    report: Option<PathBuf>,
    /// Scan this folder instead
    #[arg(long, value_name = "PATH")]
    scan: Option<PathBuf>,
    /// With --scan: every object of the repository as well
    #[arg(long, requires = "scan")]
    history: bool,
    /// Where the scanned folder is now [default: where the report says]
    #[arg(long, value_name = "PATH", conflicts_with = "scan")]
    root: Option<PathBuf>,
    /// Where to write the plan
    #[arg(long, value_name = "PLAN.json")]
    out: Option<PathBuf>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    format: Form,
    /// List what is left out as well, each with the reason
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    twilio: twilio::Asking,
}

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    let loaded = args.report.as_deref().map(verify::load).transpose()?;
    let client = args.twilio.client()?;
    let admin = args.twilio.need_admin(&client)?;
    let (mut report, vault) = match (loaded, &args.scan) {
        (Some(report), _) => {
            let (vault, _) = verify::read_again(&Wanted::of(&report, args.root.as_deref()));
            (report, vault)
        }
        (None, Some(path)) => scan::whole(path, args.history)?,
        (None, None) => return Err(Failure("give a report, or --scan PATH".to_owned())),
    };
    if let Some(root) = &args.root {
        report.sources.iter_mut().for_each(|source| source.root = root.display().to_string());
    }
    let mut ours = asking::look(&args.twilio, &client, admin)?;
    asking::ask(&args.twilio, &client, Some(&mut ours), &mut report, &vault, false);
    let plan = plan::make(&report, &vault, &ours.admin, &ours.inventory);
    if let Some(path) = &args.out {
        save(&plan, path)?;
    }
    match args.format {
        Form::Text => output::page(|width, out| page::write(&plan, args.all, width, out))?,
        Form::Json => output::say(&text_of(&plan)?)?,
    }
    if plan.steps.is_empty() && !report.coverage.is_complete() {
        output::complain(&format!(
            "{} things could not be read by the scan",
            report.coverage.skipped().len()
        ));
    }
    if args.format == Form::Text {
        match &args.out {
            Some(path) if !plan.steps.is_empty() => {
                output::say(&format!(
                    "Nothing was changed. To do it: sidsweep revoke apply {}",
                    path.display()
                ))?;
            }
            Some(path) => output::say(&format!("Nothing to do; {} says why.", path.display()))?,
            None => output::say(
                "Nothing was changed. --out PLAN.json keeps this plan for `sidsweep revoke apply`.",
            )?,
        }
    }
    Ok(Outcome::Clean)
}

pub(super) fn text_of(plan: &Plan) -> Result<String, Failure> {
    serde_json::to_string_pretty(plan).map_err(|error| Failure(error.to_string()))
}

/// Writes a plan whole or not at all.
pub(super) fn save(plan: &Plan, path: &Path) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let text = text_of(plan)?;
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)
    });
    written.map(|_| ()).map_err(|error| Failure(format!("{}: {error}", path.display())))
}
