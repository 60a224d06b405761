//! `sidsweep revoke apply`: what the plan says, and the proof.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Doing, Failure, Outcome, confirm, journal, output, twilio, verify};
use crate::model::{Action, Event, PLAN_SCHEMA, Plan, Step, Vault};
use crate::remedy::apply::{State, Work};
use crate::remedy::journal::Journal;
use crate::report::plan as page;
use crate::scan::again::Wanted;
use crate::twilio::inventory::{self, Admin};
use crate::twilio::{Client, account, block_on};

/// Do what a plan says, and prove it
///
/// The plan is shown, and asked about. It is refused if it was changed, if the world differs from when it was made, or
/// if it was made for another account. Exit codes: 0 every step was done and proven; 1 some were not, each named; 2 it
/// did not start.
#[derive(clap::Args)]
pub struct Args {
    /// A plan of `revoke plan`
    #[arg(value_name = "PLAN.json")]
    plan: PathBuf,
    /// Where the scanned folder is now [default: where the plan says]
    #[arg(long, value_name = "PATH")]
    root: Option<PathBuf>,
    #[command(flatten)]
    doing: Doing,
    #[command(flatten)]
    twilio: twilio::Asking,
}

/// Loads a plan, and holds it to its digest and to what can be asked of Twilio.
pub fn load(path: &Path) -> Result<Plan, Failure> {
    let wrong = |reason: &str| Failure(format!("{}: {reason}", path.display()));
    let text = std::fs::read(path).map_err(|error| wrong(&error.to_string()))?;
    let value: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| wrong(&format!("not a plan ({error})")))?;
    if value.get("schema").and_then(|schema| schema.as_str()) != Some(PLAN_SCHEMA) {
        return Err(wrong(&format!("not a plan of `sidsweep revoke plan` (schema {PLAN_SCHEMA})")));
    }
    let plan: Plan = serde_json::from_value(value).map_err(|error| {
        wrong(&format!("this plan was changed ({error}); make it anew with `sidsweep revoke plan`"))
    })?;
    if plan.digest != plan.right_digest() {
        return Err(wrong(
            "this plan was changed since it was made: its digest differs; make it anew with `sidsweep revoke plan`",
        ));
    }
    let mut seen = BTreeSet::new();
    for (step, n) in plan.steps.iter().zip(1..) {
        let named = account::is_sid(&step.account_sid, "AC")
            && step.key_sid.as_deref().is_none_or(|key| account::is_sid(key, "SK"))
            && step.credential.is_some()
            && step.n == n
            && seen.insert((&step.credential, &step.key_sid));
        if !named {
            return Err(wrong(&format!("step {n} is not one that `sidsweep revoke plan` makes")));
        }
    }
    Ok(plan)
}

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    let plan = load(&args.plan)?;
    // Held until the end: two runs with two journals would cross here.
    let file = File::open(&args.plan)?;
    if file.try_lock().is_err() {
        return Err(Failure(format!("{}: another run is applying this plan", args.plan.display())));
    }
    let client = args.twilio.client()?;
    let admin = args.twilio.need_admin(&client)?;
    if admin.account != plan.admin.account {
        return Err(Failure(format!(
            "{}: this plan was made for {}, and the administrator's credential {} is of {}",
            args.plan.display(),
            plan.admin.account,
            admin.pair.user,
            admin.account
        )));
    }
    let wanted = Wanted {
        sources: &plan.sources,
        paths: plan.steps.iter().flat_map(|step| &step.places).map(String::as_str).collect(),
        places: Vec::new(),
        ids: plan.steps.iter().filter_map(|step| step.credential.as_ref()).collect(),
        root: args.root.as_deref(),
    };
    let (vault, _) = verify::read_again(&wanted);
    carry_out(&client, &admin, &plan, &vault, &args.doing, &plan.digest, &args.twilio)
}

/// Compares, shows, asks, does.
pub fn carry_out(
    client: &Client,
    admin: &Admin,
    plan: &Plan,
    vault: &Vault,
    doing: &Doing,
    job: &str,
    twilio: &twilio::Asking,
) -> Result<Outcome, Failure> {
    output::page(|width, out| page::write(plan, width, out))?;
    if plan.steps.is_empty() {
        output::say("Nothing to do.")?;
        return Ok(Outcome::Clean);
    }
    let mut regions = twilio.all_regions();
    for step in &plan.steps {
        if step.action == Action::DeleteKey && !regions.contains(&step.region) {
            regions.push(step.region);
        }
    }
    let inventory = block_on(inventory::read(client, admin, &regions, false))?;
    let path = journal::place(doing.journal.as_deref())?;
    let mut journal = Journal::open(&path, job, admin.name())?;
    let before = journal.past().filter(|record| record.event == Event::Proven).count();
    if journal.past().next().is_some() {
        output::say(&format!(
            "Going on: {before} of {} steps were proven by earlier runs ({}).",
            plan.steps.len(),
            path.display()
        ))?;
    }
    let mut work = Work {
        client,
        admin,
        plan,
        vault,
        journal: &mut journal,
        patience: Duration::from_secs(doing.prove_for),
    };
    let differences = block_on(work.differences(&inventory));
    if !differences.is_empty() {
        let list = differences.join("\n  ");
        return Err(Failure(format!(
            "nothing was changed: the world differs from when the plan was made\n  {list}\nMake a new plan with `sidsweep revoke plan`."
        )));
    }
    confirm::yes(doing.yes, &format!("{} Type yes to do this", page::summary(plan)))?;
    let mut tell = |step: &Step, state: &State| {
        // A reader that went away does not stop what was begun.
        let _ = output::say(&format!("{:>3}  {}", step.n, ending(step, state)));
    };
    let states = block_on(work.run(&mut tell))?;
    tell_all(&states, &path)
}

/// What all steps came to.
fn tell_all(states: &[(u32, State)], record: &Path) -> Result<Outcome, Failure> {
    let done = states.iter().filter(|(_, state)| state.is_done()).count();
    let left: Vec<String> =
        states.iter().filter(|(_, state)| !state.is_done()).map(|(n, _)| n.to_string()).collect();
    output::say(&format!("{done} of {} steps done and proven. Record: {}", states.len(), record.display()))?;
    if left.is_empty() {
        return Ok(Outcome::Clean);
    }
    output::say(&format!("Open: step {}. Applying again goes on there.", left.join(", ")))?;
    Ok(Outcome::Found)
}

fn ending(step: &Step, state: &State) -> String {
    let what = page::subject(step);
    match state {
        State::Revoked(None) => format!("REVOKED     {what}: the leaked credential is refused"),
        State::Revoked(Some(at)) => format!("REVOKED     {what}: proven before, at {at}"),
        State::Deleted => {
            format!(
                "DELETED     {what}: gone from its account; its secret is not known here, so it was not tried"
            )
        }
        State::Unproven(doubt) => format!("NOT PROVEN  {what}: deleted, but {doubt}"),
        State::Failed(reason) => format!("NOT DONE    {what}: {reason}"),
        State::ByHand(doubt) => format!("BY HAND     {what}: {doubt}"),
    }
}
