//! `sidsweep revoke status`: what the journal says.

use std::path::{Path, PathBuf};

use super::apply::load;
use super::{Failure, Form, Outcome, journal, output};
use crate::remedy::journal as log;
use crate::remedy::open_ends::{OpenEnd, open_ends};
use crate::report::plan as page;

/// Show the journal, what is open, and the command that goes on
///
/// Exit codes: 0 all that was begun is done and proven; 1 something is open, each named.
#[derive(clap::Args)]
pub struct Args {
    /// Only this plan
    #[arg(value_name = "PLAN.json")]
    plan: Option<PathBuf>,
    /// Where the journal is [default: `SIDSWEEP_JOURNAL`, or the user's state folder]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    format: Form,
}

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    let path = journal::place(args.journal.as_deref())?;
    if !path.exists() {
        output::say(&format!("{}: no journal yet: nothing was ever changed with it.", path.display()))?;
        return Ok(Outcome::Clean);
    }
    let only = args.plan.as_deref().map(load).transpose()?.map(|plan| plan.digest);
    let mut lines = log::read(&path)?;
    lines.records.retain(|record| only.as_ref().is_none_or(|digest| *digest == record.job));
    match args.format {
        Form::Text => output::page(|width, out| page::journal(&lines.records, width, out))?,
        Form::Json => {
            for record in &lines.records {
                output::say(&serde_json::to_string(record).map_err(|error| Failure(error.to_string()))?)?;
            }
        }
    }
    if lines.torn {
        output::complain("the last line broke off: a run ended while it wrote");
    }
    let mut open = open_ends(&lines.records);
    open.retain_mut(|end| {
        if !is_lost(end) {
            return true;
        }
        if let Some(command) = end.without_plan.take() {
            end.goes_on = format!("{command} (the plan is not there any more, or is another)");
        }
        if end.is_only_stopped {
            output::complain(&format!(
                "note: {}; its plan is not there any more, or is another. Nothing that it began is open; a new plan shows what is left",
                end.what
            ));
        }
        !end.is_only_stopped
    });
    for end in &open {
        output::complain(&format!("open: {}\n  to go on: {}", end.what, end.goes_on));
    }
    if args.format == Form::Text && open.is_empty() {
        output::say(&format!("{}: nothing is open.", path.display()))?;
    }
    Ok(if open.is_empty() { Outcome::Clean } else { Outcome::Found })
}

/// Whether the plan of something open is not where it was: it was deleted, changed or written over.
fn is_lost(end: &OpenEnd) -> bool {
    let Some(plan) = end.goes_on.strip_prefix("sidsweep revoke apply ") else { return false };
    load(Path::new(plan)).map_or(true, |plan| plan.digest != end.job)
}
