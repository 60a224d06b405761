//! `sidsweep revoke`: plan, apply, prove; one key; and what the journal says.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Subcommand, ValueEnum};

use super::{Failure, Outcome, asking, confirm, journal, output, scan, twilio, verify};
use crate::model::{
    Credential, CredentialType, Event, Key, OwnAccount, OwnKey, PLAN_SCHEMA, Plan, Region, Report, Step,
    Vault, VerdictState,
};
use crate::remedy::apply::{State, Work};
use crate::remedy::journal::{self as log, Journal};
use crate::remedy::{after, ask, plan};
use crate::report::after as steps;
use crate::report::plan as page;
use crate::scan::again::Wanted;
use crate::twilio::inventory::{self, Admin};
use crate::twilio::{Client, account, block_on};

/// Take leaked credentials out of service: plan, then apply
///
/// A plan shows every step and changes nothing. Applying does just what the plan says, and calls a key revoked only
/// when its leaked secret was tried and refused.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Plan(PlanArgs),
    Apply(ApplyArgs),
    Status(StatusArgs),
    Key(KeyArgs),
    Guide(GuideArgs),
}

/// Work out what to do about each leaked credential, and change nothing
///
/// Values are read again where they stand, and Twilio is asked afresh. What is foreign, in doubt, not asked about or not
/// found is left out, with the reason.
#[derive(clap::Args)]
struct PlanArgs {
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
    #[command(flatten)]
    twilio: twilio::Asking,
}

/// Do what a plan says, and prove it
///
/// The plan is shown, and asked about. It is refused if it was changed, if the world differs from when it was made, or
/// if it was made for another account. Exit codes: 0 every step was done and proven; 1 some were not, each named; 2 it
/// did not start.
#[derive(clap::Args)]
struct ApplyArgs {
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

/// Delete one key: plan, prompt and apply in one go
#[derive(clap::Args)]
struct KeyArgs {
    /// The key's SID
    #[arg(value_name = "SK…", value_parser = key_sid)]
    key: String,
    /// A report that has its secret, which is then tried until it is refused
    #[arg(long, value_name = "REPORT.json")]
    report: Option<PathBuf>,
    /// Where the scanned folder is now [default: where the report says]
    #[arg(long, value_name = "PATH", requires = "report")]
    root: Option<PathBuf>,
    #[command(flatten)]
    doing: Doing,
    #[command(flatten)]
    twilio: twilio::Asking,
}

/// Say what the journal says
///
/// Exit codes: 0 all that was begun is done and proven; 1 something is open, each named.
#[derive(clap::Args)]
struct StatusArgs {
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

/// After the fire: move the code to API keys, clean history, watch the account
///
/// Asks and changes nothing.
#[derive(clap::Args)]
struct GuideArgs {
    /// A report of `scan --format json`
    #[arg(value_name = "REPORT.json")]
    report: PathBuf,
}

// No doc comment: clap would take it for the command's own.
#[derive(clap::Args, Clone)]
pub struct Doing {
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Where to keep the record [default: `SIDSWEEP_JOURNAL`, or the user's state folder]
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// How long to try a credential until it is refused (or a new one until it works), in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    pub prove_for: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
}

pub fn key_sid(text: &str) -> Result<String, String> {
    let text = text.trim();
    if account::is_sid(text, "SK") {
        Ok(text.to_owned())
    } else {
        Err("a key's SID is SK and 32 hex digits".to_owned())
    }
}

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    match &args.command {
        Command::Plan(args) => make(args),
        Command::Apply(args) => apply(args),
        Command::Status(args) => status(args),
        Command::Key(args) => key(args),
        Command::Guide(args) => guide(args),
    }
}

fn make(args: &PlanArgs) -> Result<Outcome, Failure> {
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
    let ours = asking::look(&args.twilio, &client, admin)?;
    asking::ask(&args.twilio, &client, Some(&ours), &mut report, &vault, false);
    let plan = plan::make(&report, &vault, &ours.admin, &ours.inventory);
    if let Some(path) = &args.out {
        save(&plan, path)?;
    }
    match args.format {
        Form::Text => output::page(|width, out| page::write(&plan, width, out))?,
        Form::Json => output::say(&text_of(&plan)?)?,
    }
    if plan.steps.is_empty() && !report.skipped.is_empty() {
        output::complain(&format!("{} things could not be read by the scan", report.skipped.len()));
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

fn text_of(plan: &Plan) -> Result<String, Failure> {
    serde_json::to_string_pretty(plan).map_err(|error| Failure(error.to_string()))
}

/// Writes a plan whole or not at all.
fn save(plan: &Plan, path: &Path) -> Result<(), Failure> {
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

/// Loads a plan, and holds it to its digest and to what can be asked of Twilio.
fn load(path: &Path) -> Result<Plan, Failure> {
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

fn apply(args: &ApplyArgs) -> Result<Outcome, Failure> {
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
        if step.action == crate::model::Action::DeleteKey && !regions.contains(&step.region) {
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
    let done = states.iter().filter(|(_, state)| state.is_done()).count();
    let left: Vec<String> =
        states.iter().filter(|(_, state)| !state.is_done()).map(|(n, _)| n.to_string()).collect();
    output::say(&format!("{done} of {} steps done and proven. Record: {}", states.len(), path.display()))?;
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

fn key(args: &KeyArgs) -> Result<Outcome, Failure> {
    let client = args.twilio.client()?;
    let admin = args.twilio.need_admin(&client)?;
    let ours = asking::look(&args.twilio, &client, admin)?;
    let leak = match &args.report {
        Some(path) => leak(&args.key, &args.twilio, &client, &ours, path, args.root.as_deref())?,
        None => None,
    };
    let job = format!("revoke key {}", args.key);
    let (own, found) = find(&args.key, &job, &ours, &args.doing)?;
    let known = leak.as_ref().map(|leak| (&leak.credential, &leak.report));
    let plan = plan::for_key(&own, &found, known, &ours.admin);
    let empty = Vault::new();
    let vault = leak.as_ref().map_or(&empty, |leak| &leak.vault);
    carry_out(&client, &ours.admin, &plan, vault, &args.doing, &job, &args.twilio)
}

/// No account has the key.
pub fn nowhere(key: &str, ours: &asking::Ours) -> Failure {
    let unread = ours.inventory.unread().len();
    let but =
        if unread > 0 { format!(" ({unread} accounts' keys could not be listed)") } else { String::new() };
    Failure(format!(
        "no account that {} sees has the key {key}{but}: it is deleted, foreign, or of another region",
        ours.admin.pair.user
    ))
}

/// A key with its account: as it is, or as an earlier run of this job left it, which may have deleted it and been
/// stopped before it could say so.
pub fn find(
    key: &str,
    job: &str,
    ours: &asking::Ours,
    doing: &Doing,
) -> Result<(OwnAccount, OwnKey), Failure> {
    if let Some((own, found)) = ours.inventory.key(key) {
        return Ok((own.clone(), found.clone()));
    }
    let journal = Journal::open(&journal::place(doing.journal.as_deref())?, job, ours.admin.name())?;
    let began = journal
        .past()
        .find(|record| record.event == Event::Intent && record.key_sid.as_deref() == Some(key))
        .and_then(|record| ours.inventory.account(record.account_sid.as_deref()?));
    let own = began.ok_or_else(|| nowhere(key, ours))?;
    let gone = Key { sid: key.to_owned(), friendly_name: None, date_created: None };
    Ok((own.clone(), OwnKey { key: gone, kind: None, policy: None, region: Region::Us1 }))
}

/// A key's leaked secret.
pub struct Leak {
    pub credential: Credential,
    pub report: Report,
    pub vault: Vault,
}

/// The credential of a report whose secret opens the key.
pub fn leak(
    key: &str,
    twilio: &twilio::Asking,
    client: &Client,
    ours: &asking::Ours,
    path: &Path,
    root: Option<&Path>,
) -> Result<Option<Leak>, Failure> {
    let mut report = verify::load(path)?;
    report.credentials.retain(|credential| {
        credential.type_ == CredentialType::ApiKey && credential.key_sid.as_deref() == Some(key)
    });
    let kept: BTreeSet<_> = report.credentials.iter().map(|credential| credential.id.clone()).collect();
    report.findings.retain(|finding| kept.contains(&finding.credential));
    if let Some(root) = root {
        report.sources.iter_mut().for_each(|source| source.root = root.display().to_string());
    }
    let (vault, _) = verify::read_again(&Wanted::of(&report, None));
    let asked = ask::Options { regions: twilio.regions.clone(), exposure: false };
    block_on(ask::ask(client, Some((&ours.admin, &ours.inventory)), &mut report, &vault, &asked, &|| {}));
    let of = |state| report.credentials.iter().find(|credential| credential.verdict.state == state);
    // Once the key is gone its secret is refused, and that is what is to be shown.
    let gone = ours.inventory.key(key).is_none();
    let found = of(VerdictState::Live).or(of(VerdictState::Rejected).filter(|_| gone)).cloned();
    if found.is_none() {
        output::complain(&format!(
            "{}: no secret in it opens {key}; the key is known by its SID alone",
            path.display()
        ));
    }
    Ok(found.map(|credential| Leak { credential, report, vault }))
}

fn guide(args: &GuideArgs) -> Result<Outcome, Failure> {
    let report = verify::load(&args.report)?;
    let advice = after::advice(&report);
    let leaks: Vec<steps::Leak> = advice
        .iter()
        .map(|advice| steps::Leak {
            name: format!(
                "{} {}",
                match advice.credential.type_ {
                    CredentialType::AuthToken => "Auth Token",
                    _ => "API key secret",
                },
                advice.redacted
            ),
            places: &advice.places,
            change: advice.change,
            code: advice.languages.iter().map(|language| (language.title(), language.client())).collect(),
        })
        .collect();
    if leaks.is_empty() {
        output::say("The report holds no Auth Token and no key secret.")?;
        return Ok(Outcome::Clean);
    }
    output::page(|width, out| steps::write(&leaks, &after::history(), &after::watch(), width, out))?;
    Ok(Outcome::Clean)
}

fn status(args: &StatusArgs) -> Result<Outcome, Failure> {
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
    let open = log::open_ends(&lines.records);
    for end in &open {
        output::complain(&format!("open: {end}"));
    }
    if args.format == Form::Text && open.is_empty() {
        output::say(&format!("{}: nothing is open.", path.display()))?;
    }
    Ok(if open.is_empty() { Outcome::Clean } else { Outcome::Found })
}
