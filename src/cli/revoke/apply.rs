//! `sidsweep revoke apply`: what the plan says, and the proof.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Doing, Failure, Outcome, confirm, journal, output, twilio, verify};
use crate::model::{Action, Event, Inventory, PLAN_SCHEMA, Plan, Region, Step, Vault};
use crate::remedy::apply::{State, Work};
use crate::remedy::journal::{self as log, Journal};
use crate::report::plan as page;
use crate::scan::again::Wanted as WantedValues;
use crate::twilio::inventory::{self, Admin, Among};
use crate::twilio::resources::{self, Wanted};
use crate::twilio::{Client, account, block_on, oauth, webhooks};

/// Do what a plan says, and prove it
///
/// The plan is shown, and asked about. It is refused if it was changed, if accounts or keys changed since it was made, or
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
    /// For a plan of `revoke account`: the Account SID once more, instead of typing it
    #[arg(long, value_name = "AC…")]
    confirm: Option<String>,
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
        let is_known = step.credential.is_some() || is_of_whole(&plan, step);
        let named = is_well_named(step)
            && is_known
            && step.n == n
            && seen.insert((&step.credential, &step.key_sid, &step.target));
        if !named {
            return Err(wrong(&format!("step {n} is not one that `sidsweep revoke plan` makes")));
        }
    }
    Ok(plan)
}

/// Whether all SIDs of a step are SIDs: they become parts of paths.
fn is_well_named(step: &Step) -> bool {
    let target = step.target.as_deref();
    let is_target = match step.action {
        Action::DeleteOauthApp => target.is_some_and(oauth::is_client_id),
        Action::DeleteSharedKey => target.is_some_and(webhooks::is_shared_key),
        Action::DeleteKey | Action::DeleteSecondaryToken | Action::Manual => target.is_none(),
    };
    account::is_sid(&step.account_sid, "AC")
        && step.key_sid.as_deref().is_none_or(|key| account::is_sid(key, "SK"))
        && is_target
}

/// Whether a step without a leak is one of a plan for a whole account: of that account, and a deletion of a key or an OAuth app.
fn is_of_whole(plan: &Plan, step: &Step) -> bool {
    let is_named = match step.action {
        Action::DeleteKey => step.key_sid.is_some(),
        Action::DeleteOauthApp | Action::Manual => step.key_sid.is_none(),
        Action::DeleteSecondaryToken | Action::DeleteSharedKey => false,
    };
    is_named && plan.account.as_ref().is_some_and(|whole| whole.account_sid == step.account_sid)
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
    let wanted = WantedValues {
        sources: &plan.sources,
        paths: plan.steps.iter().flat_map(|step| &step.places).map(String::as_str).collect(),
        places: Vec::new(),
        ids: plan.steps.iter().filter_map(|step| step.credential.as_ref()).collect(),
        root: args.root.as_deref(),
    };
    let (vault, _) = verify::read_again(&wanted);
    let goes_on = format!("sidsweep revoke apply {}", args.plan.display());
    let job = Job { name: &plan.digest, goes_on: &goes_on, confirm: args.confirm.as_deref() };
    carry_out(&client, &admin, &plan, &vault, &args.doing, job, &args.twilio)
}

/// A piece of work in the journal, and the command that goes on with it.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    pub name: &'a str,
    pub goes_on: &'a str,
    /// The Account SID, where it was given once more.
    pub confirm: Option<&'a str>,
}

/// Compares, shows, asks, does.
pub fn carry_out(
    client: &Client,
    admin: &Admin,
    plan: &Plan,
    vault: &Vault,
    doing: &Doing,
    job: Job<'_>,
    twilio: &twilio::Asking,
) -> Result<Outcome, Failure> {
    output::page(|width, out| page::write(plan, doing.all, width, out))?;
    if plan.steps.is_empty() {
        output::say("Nothing to do.")?;
        return Ok(Outcome::Clean);
    }
    may_ask(plan, twilio)?;
    let inventory = block_on(look(client, admin, plan, twilio))?;
    let path = journal::place(doing.journal.as_deref())?;
    let mut journal = Journal::open(&path, job.name, admin.name())?;
    // A rotation has a step of its own before those of the plan.
    let of_plan = || plan.steps.iter().map(|step| journal.of_step(step.n));
    let before = of_plan().filter(|past| past.when(Event::Proven).is_some()).count();
    if of_plan().any(|past| !past.is_empty()) {
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
        inventory: &inventory,
        journal: &mut journal,
        patience: Duration::from_secs(doing.prove_for),
        asked: BTreeSet::new(),
    };
    let differences = block_on(work.differences());
    let begun;
    if !differences.is_empty() {
        begun = Plan { steps: work.begun(), ..plan.clone() };
        may_end(&begun, &differences, work.journal)?;
        work.plan = &begun;
    }
    match &plan.account {
        Some(whole) => confirm::account(job.confirm, &whole.account_sid, &page::question(work.plan))?,
        None => confirm::yes(doing.yes, &page::question(work.plan))?,
    }
    let ended = block_on(work.run(job.goes_on, &mut tell_step))?;
    let is_begun = !work.asked.is_empty() || ended.states.iter().any(|(_, state)| state.is_done());
    match ended.stopped {
        // Nothing was asked for: it did not start.
        Some(error) if !is_begun => Err(error.into()),
        stopped => {
            let outcome = tell_all(plan, &ended.states, stopped.as_ref(), &path, job);
            Ok(if differences.is_empty() { outcome } else { Outcome::Found })
        }
    }
}

/// Refuses a plan that does not fit any more. What an earlier run of it began is brought to its end, or it would stay open for ever;
/// and so would a run that began nothing, which is closed.
fn may_end(begun: &Plan, differences: &[String], journal: &mut Journal) -> Result<(), Failure> {
    let list = differences.join("\n  ");
    let words = format!("accounts or keys are not as they were when the plan was made\n  {list}\n");
    if begun.steps.is_empty() {
        journal.end_stopped("the plan does not fit any more, and nothing of it was begun")?;
        return Err(Failure(format!(
            "nothing was changed: {words}Make a new plan with `sidsweep revoke plan`."
        )));
    }
    output::complain(&format!(
        "{words}Only what an earlier run began is looked into. For the rest make a new plan with `sidsweep revoke plan`."
    ));
    Ok(())
}

/// Refuses a plan whose proof would make access tokens that nobody agreed to.
fn may_ask(plan: &Plan, twilio: &twilio::Asking) -> Result<(), Failure> {
    let asks = |step: &&Step| step.action == Action::DeleteOauthApp && step.credential.is_some();
    match plan.steps.iter().find(asks) {
        Some(step) if !twilio.mint => Err(Failure(format!(
            "nothing was changed: step {}: whether the leaked secret opens {} is told only by asking for an access token, which makes one; --mint agrees to that",
            step.n,
            step.target.as_deref().unwrap_or("the OAuth app")
        ))),
        _ => Ok(()),
    }
}

/// Accounts and keys as they are now, with the keys of the plan that the classic lists do not show.
async fn look(
    client: &Client,
    admin: &Admin,
    plan: &Plan,
    twilio: &twilio::Asking,
) -> Result<Inventory, inventory::Error> {
    let mut regions = twilio.all_regions();
    let deletes = || plan.steps.iter().filter(|step| step.action == Action::DeleteKey);
    for step in deletes() {
        if !regions.contains(&step.region) {
            regions.push(step.region);
        }
    }
    let mut inventory = inventory::read(client, admin, &regions, false).await?;
    let hidden = deletes().filter(|step| {
        step.region == Region::Us1 && step.key_sid.as_deref().is_some_and(|key| inventory.key(key).is_none())
    });
    let (keys, accounts): (BTreeSet<String>, BTreeSet<String>) =
        hidden.filter_map(|step| Some((step.key_sid.clone()?, step.account_sid.clone()))).unzip();
    inventory::find_keys(client, admin, &mut inventory, keys, Among::Only(&accounts)).await;
    let has = |action| plan.steps.iter().any(|step| step.action == action);
    let whole = plan.account.as_ref().map(|whole| whole.account_sid.as_str());
    let wanted = Wanted {
        keys: whole.is_some(),
        apps: whole.is_some() || has(Action::DeleteOauthApp),
        shared_keys: has(Action::DeleteSharedKey),
    };
    let is_of_step =
        |sid: &str| plan.steps.iter().any(|step| step.target.is_some() && step.account_sid == sid);
    let accounts: Vec<String> = inventory.accounts.iter().map(|own| own.account.sid.clone()).collect();
    for sid in accounts.iter().filter(|sid| whole == Some(sid.as_str()) || is_of_step(sid)) {
        resources::add(client, admin, &mut inventory, wanted, Some(sid)).await;
    }
    Ok(inventory)
}

/// What all steps came to, beginning with what stays live. What was done is said even if there is nowhere to write it.
fn tell_all(
    plan: &Plan,
    states: &[(u32, State)],
    stopped: Option<&log::Error>,
    record: &Path,
    job: Job<'_>,
) -> Outcome {
    let done = states.iter().filter(|(_, state)| state.is_done()).count();
    let count = |wanted: fn(&State) -> bool| states.iter().filter(|(_, state)| wanted(state)).count();
    let left = page::Left {
        manual: count(|state| matches!(state, State::ByHand(_))),
        failed: count(|state| matches!(state, State::Failed(_) | State::Unproven(_))),
        ..page::Left::of(plan)
    };
    output::tell("", &page::headline(plan, left));
    output::tell(
        "",
        &format!("{done} of {} steps done and proven. Record: {}", states.len(), record.display()),
    );
    let open: Vec<String> =
        states.iter().filter(|(_, state)| !state.is_done()).map(|(n, _)| n.to_string()).collect();
    if let Some(error) = stopped {
        output::complain(&format!(
            "error: the record cannot be written any more, so nothing more was changed: {error}\nMake room, then run this again to go on where it was: {}",
            job.goes_on
        ));
    } else if !open.is_empty() {
        output::tell("", &format!("Open: step {}. Applying again goes on there.", open.join(", ")));
    }
    if open.is_empty() && stopped.is_none() { Outcome::Clean } else { Outcome::Found }
}

fn tell_step(step: &Step, state: &State) {
    let (word, words) = ending(step, state);
    output::tell(&format!("{:>3}  {word:<12}", step.n), &words);
}

fn ending(step: &Step, state: &State) -> (&'static str, String) {
    let what = page::subject(step);
    match state {
        State::Revoked(None) => ("REVOKED", format!("{what}: the leaked credential is refused")),
        State::Revoked(Some(at)) => ("REVOKED", format!("{what}: proven before, at {at}")),
        State::Gone(words) => ("DELETED", format!("{what}: {words}")),
        State::Unproven(doubt) => ("NOT PROVEN", format!("{what}: deleted, but {doubt}")),
        State::Failed(reason) => ("NOT DONE", format!("{what}: {reason}")),
        State::ByHand(doubt) => ("BY HAND", format!("{what}: {doubt}")),
    }
}
