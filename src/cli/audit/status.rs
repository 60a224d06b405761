//! `sidsweep audit status`

use std::io::Write;

use clap::ValueEnum;
use indicatif::{HumanBytes, HumanCount, HumanDuration};

use super::super::{Failure, Outcome, output};
use super::Chosen;
use crate::model::{Status, WorkState};
use crate::report::printable;

/// Show an audit's progress
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    chosen: Chosen,
    /// How to say it
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    format: Form,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Form {
    /// For people
    Text,
    /// For programs
    Json,
}

pub async fn run(args: &Args) -> Result<Outcome, Failure> {
    let (store, audit) = args.chosen.open().await?;
    let status = store.status(&audit).await?;
    match args.format {
        Form::Json => output::say(&serde_json::to_string_pretty(&status)?)?,
        Form::Text => output::page(|_, out| text(&status, out))?,
    }
    Ok(Outcome::Clean)
}

fn text(status: &Status, out: &mut dyn Write) -> std::io::Result<()> {
    let of = |state: WorkState| status.states.get(&state).copied().unwrap_or(0);
    writeln!(
        out,
        "Audit {} of {}",
        status.audit,
        status.sources.iter().map(|source| printable(source)).collect::<Vec<_>>().join(", ")
    )?;
    writeln!(out, "in {}", printable(&status.database))?;
    match &status.finished_at {
        Some(time) => writeln!(out, "from {} to {time}", status.started_at)?,
        None if status.workers.is_empty() => {
            writeln!(out, "begun {}, not finished, and nobody is at it", status.started_at)?;
        }
        None => writeln!(out, "begun {}, not finished", status.started_at)?,
    }
    writeln!(out)?;
    let more = if status.listed { "" } else { " so far (the listing is not finished)" };
    writeln!(out, "{} repositories{more}:", HumanCount(status.repositories))?;
    for (state, words) in [
        (WorkState::Done, "looked at"),
        (WorkState::Unchanged, "unchanged since the last audit"),
        (WorkState::Failed, "could not be looked at"),
        (WorkState::Running, "being looked at"),
        (WorkState::Queued, "waiting"),
    ] {
        if of(state) > 0 {
            writeln!(out, "  {:>7}  {words}", HumanCount(of(state)).to_string())?;
        }
    }
    writeln!(
        out,
        "{} objects and files judged, {}; {} findings.",
        HumanCount(status.blobs),
        HumanBytes(status.bytes),
        HumanCount(status.findings)
    )?;
    if let Some(seconds) = status.seconds_left.filter(|seconds| *seconds > 0) {
        writeln!(out, "About {} left.", HumanDuration(std::time::Duration::from_secs(seconds)))?;
    }
    for worker in &status.workers {
        writeln!(
            out,
            "  {} is at {} since {}",
            printable(&worker.worker),
            printable(&worker.repository),
            worker.since
        )?;
    }
    for failed in &status.failed {
        writeln!(out, "  not looked at: {}: {}", printable(&failed.repository), printable(&failed.reason))?;
    }
    Ok(())
}
