//! `sidsweep audit list`

use serde::Serialize;

use super::super::{Failure, Outcome, output};
use super::Place;
use super::status::Form;
use crate::report::printable;
use crate::store::Audit;

/// List the audits that were begun, the latest first
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// How to print it
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    format: Form,
}

/// An audit as JSON has it.
#[derive(Serialize)]
struct Listed<'a> {
    audit: &'a str,
    sources: &'a [String],
    started_at: &'a str,
    finished_at: Option<&'a str>,
}

impl<'a> Listed<'a> {
    fn of(audit: &'a Audit) -> Self {
        let Audit { id, sources, started_at, finished_at, .. } = audit;
        Self { audit: id, sources, started_at, finished_at: finished_at.as_deref() }
    }
}

pub async fn run(args: &Args) -> Result<Outcome, Failure> {
    let store = args.place.open().await?;
    let audits = store.audits().await?;
    match args.format {
        Form::Json => {
            let listed: Vec<Listed> = audits.iter().map(Listed::of).collect();
            output::say(&serde_json::to_string_pretty(&listed)?)?;
        }
        Form::Text => {
            for audit in &audits {
                let sources: Vec<String> = audit.sources.iter().map(|source| printable(source)).collect();
                let end = audit
                    .finished_at
                    .as_deref()
                    .map_or("not finished".to_owned(), |time| format!("to {time}"));
                output::say(&format!(
                    "{}  {}  from {} {end}",
                    audit.id,
                    sources.join(", "),
                    audit.started_at
                ))?;
            }
            if audits.is_empty() {
                output::say(&format!("{}: no audit was begun there yet", store.database().shown()))?;
            }
        }
    }
    Ok(Outcome::Clean)
}
