//! `sidsweep revoke account`: every key and OAuth app of an account, or all that was made since a date.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::plan::{save, text_of};
use super::{Doing, Failure, Form, Job, Outcome, asking, carry_out, contain, journal, output, since, twilio};
use crate::model::{Event, OwnAccount, Plan, Record, Vault};
use crate::remedy::account_plan;
use crate::remedy::journal::{self as log, Entry, Journal};
use crate::report::plan as page;
use crate::twilio::block_on;
use crate::twilio::resources::{self, Wanted};

/// Delete every key and OAuth app of an account, or all that was made since a date
///
/// For an account that was taken over: what an intruder made does not stand in your code. The administrator's credential, which owns
/// the account, stands in for the proof of a leak, so --yes is not enough: the Account SID is typed. The key that sidsweep runs on is
/// deleted last. With --out the plan is written and nothing is changed; `revoke apply` does it. Exit codes as for apply.
#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(value_name = "AC…", value_parser = contain::account_sid)]
    account: String,
    /// Only what was made since this day (2026-11-03), time (2026-11-03T10:00:00Z) or span (72h, 30d)
    #[arg(long, value_name = "DATE", value_parser = since::since)]
    since: Option<Timestamp>,
    /// Write the plan, and change nothing
    #[arg(long, value_name = "PLAN.json")]
    out: Option<PathBuf>,
    /// How to print the plan; json changes nothing
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    format: Form,
    /// The Account SID once more, instead of typing it
    #[arg(long, value_name = "AC…", conflicts_with = "out")]
    confirm: Option<String>,
    #[command(flatten)]
    doing: Doing,
    #[command(flatten)]
    twilio: twilio::Asking,
}

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    let client = args.twilio.client()?;
    let admin = args.twilio.need_admin(&client)?;
    let mut ours = asking::look(&args.twilio, &client, admin)?;
    let account = &args.account;
    let wanted = Wanted { keys: true, apps: true, shared_keys: false };
    block_on(resources::add(&client, &ours.admin, &mut ours.inventory, wanted, Some(account)));
    let own = ours.inventory.account(account).ok_or_else(|| {
        Failure(format!("{account} is not one of the accounts that {} sees", ours.admin.pair.user))
    })?;
    if own.account.status == "closed" {
        return Err(Failure(format!("{account} is closed, for good: none of its keys works again")));
    }
    let mut plan = account_plan::make(own, args.since, &ours.admin);
    let notes = account_plan::not_part(own, &ours.inventory);
    if args.out.is_some() || args.format == Form::Json {
        return keep(args, &plan, &notes);
    }
    let path = journal::place(args.doing.journal.as_deref())?;
    let name = format!("revoke account {account}");
    let left = go_on(&mut plan, own, &path, &name)?;
    for note in &notes {
        output::tell("", note);
    }
    let job = Job { name: &name, goes_on: &goes_on(args), confirm: args.confirm.as_deref() };
    let ended = carry_out(&client, &ours.admin, &plan, &Vault::new(), &args.doing, job, &args.twilio)?;
    settle(&left, &ours, (&path, &name), account)?;
    Ok(ended)
}

/// Writes or prints the plan, and changes nothing.
fn keep(args: &Args, plan: &Plan, notes: &[String]) -> Result<Outcome, Failure> {
    if let Some(path) = &args.out {
        save(plan, path)?;
    }
    if args.format == Form::Json {
        output::say(&text_of(plan)?)?;
        return Ok(Outcome::Clean);
    }
    for note in notes {
        output::tell("", note);
    }
    output::page(|width, out| page::write(plan, args.doing.all, width, out))?;
    let path = args.out.as_deref().unwrap_or(Path::new("PLAN.json"));
    if plan.steps.is_empty() {
        output::say("Nothing to do.")?;
    } else {
        output::say(&format!("Nothing was changed. To do it: sidsweep revoke apply {}", path.display()))?;
    }
    Ok(Outcome::Clean)
}

fn goes_on(args: &Args) -> String {
    let since = args.since.map(|since| format!(" --since {since}")).unwrap_or_default();
    format!("sidsweep revoke account {}{since}", args.account)
}

/// What an earlier run left open, and which is not open any more.
#[derive(Default)]
struct Left {
    /// The step that was a person's, where all could be listed this time.
    manual: Option<u32>,
    /// It was stopped when nothing was left to do but to say so.
    is_stopped: bool,
}

/// Lets the plan go on where an earlier run was.
fn go_on(plan: &mut Plan, own: &OwnAccount, path: &Path, name: &str) -> Result<Left, Failure> {
    if !path.exists() {
        return Ok(Left::default());
    }
    let lines = log::read(path)?;
    let past: Vec<&Record> = lines.records.iter().filter(|record| record.job == name).collect();
    let manual = account_plan::settled_manual(plan, &past);
    account_plan::go_on(plan, own, &past);
    let last = past.iter().rev().find(|r| matches!(r.event, Event::Started | Event::Finished));
    let is_stopped = plan.steps.is_empty() && last.is_some_and(|record| record.event == Event::Started);
    Ok(Left { manual, is_stopped })
}

/// Notes that what an earlier run left open is not open any more.
fn settle(
    left: &Left,
    ours: &asking::Ours,
    (path, name): (&Path, &str),
    account: &str,
) -> Result<(), Failure> {
    if left.manual.is_none() && !left.is_stopped {
        return Ok(());
    }
    let mut journal = Journal::open(path, name, ours.admin.name())?;
    if let Some(step) = left.manual {
        let entry =
            Entry { action: Some("manual"), step: Some(step), account: Some(account), ..Entry::default() };
        journal.note(Event::Done, &entry, None, Some("all could be listed this time".to_owned()))?;
    }
    if left.is_stopped {
        let note = "nothing of it was left when it was looked at again".to_owned();
        journal.note(Event::Finished, &Entry::default(), None, Some(note))?;
    }
    Ok(())
}
