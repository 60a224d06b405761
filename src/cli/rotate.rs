//! `sidsweep rotate`: a successor first, then the old credential goes.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};

use super::least::{self, Wish};
use super::receivers::Receivers;
use super::revoke::{self, Doing, Job, Leak};
use super::{Failure, Outcome, asking, confirm, contain, journal, output, twilio};
use crate::model::{OwnAccount, OwnKey, Region, Secret, Vault, VerdictKind};
use crate::remedy::journal::Journal;
use crate::remedy::rotate::{self, Kind, Rotation};
use crate::remedy::tokens::Tokens;
use crate::remedy::{guide, plan};
use crate::twilio::{Client, block_on};

/// Replace a key or an Auth Token without downtime
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Key(KeyArgs),
    AuthToken(TokenArgs),
}

/// Make a key's successor, hand its secret over, try it, then delete the old key
///
/// The successor is of the same kind: a Restricted key keeps its policy. With --least-privilege it is a Restricted key that may do
/// what the code's calls need. A Main key cannot be made by the API; the steps
/// are printed. If the secret cannot be handed over, the successor is deleted again and the old key stays.
#[derive(clap::Args)]
struct KeyArgs {
    /// The key's SID
    #[arg(value_name = "SK…", value_parser = revoke::key_sid)]
    key: String,
    #[command(flatten)]
    to: Receivers,
    /// The key's kind, which Twilio does not tell: Main and Standard look the same
    #[arg(long, value_name = "KIND", value_enum)]
    kind: Option<Named>,
    #[command(flatten)]
    least: least::Args,
    /// Delete the old key after this time, e.g. 10m, without asking
    #[arg(long, value_name = "TIME", value_parser = time)]
    grace: Option<Duration>,
    /// A report that has the old secret: it tells the kind, and is tried until it is refused
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

/// Replace an account's Auth Token in two steps: --begin, then --finish
///
/// --begin makes a secondary token and hands it over; both work. Put it into every client and webhook validator, then
/// --finish tries it, promotes it, and shows that the old one is dead. By default sidsweep only prints the console's
/// steps for Auth Tokens; this changes them by the API. Twilio e-mails the account's owners on each change.
#[derive(clap::Args)]
struct TokenArgs {
    /// The account
    #[arg(value_name = "AC…", value_parser = contain::account_sid)]
    account: String,
    /// Make the secondary token
    #[arg(long, required_unless_present = "finish", conflicts_with = "finish")]
    begin: bool,
    /// Promote it
    #[arg(long)]
    finish: bool,
    #[command(flatten)]
    to: Receivers,
    /// With --finish: the file that --begin wrote
    #[arg(long, value_name = "FILE", conflicts_with = "begin")]
    new_file: Option<PathBuf>,
    /// With --finish: a command that prints the new token
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["begin", "new_file"])]
    new_from: Option<String>,
    /// The Account SID once more, instead of typing it
    #[arg(long, value_name = "AC…")]
    confirm: Option<String>,
    /// Where to keep the record [default: `SIDSWEEP_JOURNAL`, or the user's state folder]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// How long to try a token until it works or is refused, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    prove_for: u64,
    #[command(flatten)]
    twilio: twilio::Asking,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Named {
    Standard,
    Main,
}

fn time(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration =
        text.parse().map_err(|_| "write a time such as 90s, 10m or 2h".to_owned())?;
    Duration::try_from(span).map_err(|_| "a time that lies ahead".to_owned())
}

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    match &args.command {
        Command::Key(args) => key(args),
        Command::AuthToken(args) if args.begin => begin(args),
        Command::AuthToken(args) => finish(args),
    }
}

fn key(args: &KeyArgs) -> Result<Outcome, Failure> {
    let allow = match args.least.wish(&args.key, args.doing.yes || args.grace.is_some())? {
        Wish::Written => return Ok(Outcome::Clean),
        Wish::AsBefore => None,
        Wish::Allow(allow) => Some(allow),
    };
    let client = args.twilio.client()?;
    let admin = args.twilio.need_admin(&client)?;
    let mut ours = asking::look(&args.twilio, &client, admin)?;
    asking::find_key(&client, &mut ours, &args.key);
    let job = format!("rotate key {}", args.key);
    let (own, found) = revoke::find(&args.key, &job, &ours, &args.doing)?;
    let (own, found) = (&own, &found);
    let leak = match &args.report {
        Some(path) => revoke::leak(&args.key, &args.twilio, &client, &mut ours, path, args.root.as_deref())?,
        None => None,
    };
    // A key that is gone was deleted by an earlier run: what is left is to show that.
    let successor = if ours.inventory.key(&args.key).is_some() {
        match succeed(args, &client, &ours, (own, found), leak.as_ref(), (allow, &job))? {
            Ok(sid) => sid,
            Err(outcome) => return Ok(outcome),
        }
    } else {
        "the successor that an earlier run made".to_owned()
    };
    let known = leak.as_ref().map(|leak| (&leak.credential, &leak.report));
    let mut plan = plan::for_key(own, found, known, &ours.admin);
    for step in &mut plan.steps {
        step.n = rotate::DELETE;
        step.why = format!("{successor} follows it");
    }
    let empty = Vault::new();
    let vault = leak.as_ref().map_or(&empty, |leak| &leak.vault);
    let doing = Doing { yes: args.doing.yes || args.grace.is_some(), ..args.doing.clone() };
    let goes_on = format!("sidsweep {job}");
    let job = Job { name: &job, goes_on: &goes_on, confirm: None };
    match revoke::carry_out(&client, &ours.admin, &plan, vault, &doing, job, &args.twilio) {
        Err(Failure(reason)) => {
            output::complain(&format!(
                "{reason}\nThe new key works, and so does the old one: run this again, or `sidsweep revoke key {}`, to delete it.",
                args.key
            ));
            Ok(Outcome::Found)
        }
        ended => ended,
    }
}

/// Makes the successor and waits out the grace; its SID, or how the command ends.
fn succeed(
    args: &KeyArgs,
    client: &Client,
    ours: &asking::Ours,
    (own, found): (&OwnAccount, &OwnKey),
    leak: Option<&Leak>,
    (allow, job): (Option<Vec<String>>, &str),
) -> Result<Result<String, Outcome>, Failure> {
    let status = ours.inventory.status(own);
    if status != "active" {
        return Err(Failure(format!(
            "nothing was changed: {} is {status}, and while it is no new key can be made. Have it reactivated first (Twilio Support, where Twilio suspended it for a take-over; `sidsweep contain {} --release`, where you did). `sidsweep revoke key {}` deletes the key without a successor",
            own.account.sid, own.account.sid, args.key
        )));
    }
    let kind = match allow {
        Some(_) if found.region != Region::Us1 => {
            return Err(Failure(format!(
                "nothing was changed: {} is of {}, and Restricted keys exist in us1 only",
                args.key, found.region
            )));
        }
        Some(allow) => Kind::Restricted(allow),
        None => {
            let policy = block_on(rotate::policy(client, &ours.admin, &own.account.sid, found));
            if ours.admin.pair.user == args.key && matches!(policy, Ok(None)) {
                // It has just listed accounts and keys, which no Standard key may.
                output::complain(&format!(
                    "nothing was changed: sidsweep itself runs on {}, which listed keys and is no Restricted key, so it is a Main key; a Standard one could not follow it",
                    args.key
                ));
                return by_hand(own, found).map(Err);
            }
            let Some(kind) = settle(args, leak, policy)? else { return by_hand(own, found).map(Err) };
            kind
        }
    };
    let path = journal::place(args.doing.journal.as_deref())?;
    let mut journal = Journal::open(&path, job, ours.admin.name())?;
    // An earlier run may have written the file already: then it must be there.
    let receivers = if journal.past().next().is_some() {
        args.to.checked().or_else(|failure| args.to.again().ok_or(failure))?
    } else {
        args.to.checked()?
    };
    let what = match &kind {
        Kind::Standard => "Standard key".to_owned(),
        Kind::Restricted(allow) => format!("Restricted key with {} permissions", allow.len()),
    };
    output::say(&format!(
        "A new {what} is made in {}; {} works until it is deleted.",
        own.account.sid, args.key
    ))?;
    if !args.doing.yes && args.grace.is_none() {
        confirm::yes(false, "Type yes to make it")?;
    }
    let mut rotation = Rotation {
        client,
        admin: &ours.admin,
        own,
        key: found,
        kind,
        receivers: &receivers,
        journal: &mut journal,
        patience: Duration::from_secs(args.doing.prove_for),
        left: Vec::new(),
    };
    let successor = block_on(rotation.successor());
    for left in rotation.left {
        output::complain(&format!("note: {left}"));
    }
    drop(journal);
    let successor = match successor {
        Ok(sid) => sid,
        Err(error) => {
            output::complain(&format!("error: {error}"));
            if let rotate::Error::Journal(_) = error {
                output::complain(
                    "What was asked for last may have been made, and is not recorded: make room, then run this again, which looks and clears up.",
                );
            }
            return Ok(Err(Outcome::Found));
        }
    };
    output::say(&format!("{successor} was handed over, and works."))?;
    if let Some(grace) = args.grace {
        output::say(&format!("{} is deleted in {} s.", args.key, grace.as_secs()))?;
        std::thread::sleep(grace);
    }
    Ok(Ok(successor))
}

/// What the successor is to be; `None` for a Main key.
fn settle(
    args: &KeyArgs,
    leak: Option<&Leak>,
    policy: Result<Option<Vec<String>>, rotate::Error>,
) -> Result<Option<Kind>, Failure> {
    let told = leak.and_then(|leak| leak.credential.verdict.kind);
    let policy = match policy {
        Ok(policy) => policy,
        // A key whose secret shows that it is no Restricted one needs no policy.
        Err(_) if matches!(told, Some(VerdictKind::StandardKey | VerdictKind::MainKey)) => None,
        Err(error) => return Err(Failure(format!("nothing was changed: {error}"))),
    };
    Ok(match (policy, told, args.kind) {
        (Some(allow), ..) => Some(Kind::Restricted(allow)),
        (None, Some(VerdictKind::MainKey), _) | (None, None, Some(Named::Main)) => None,
        (None, Some(VerdictKind::StandardKey), _) | (None, None, Some(Named::Standard)) => {
            Some(Kind::Standard)
        }
        (None, ..) => {
            return Err(Failure(format!(
                "nothing was changed: Twilio does not tell whether {} is a Main or a Standard key; give --kind standard or --kind main, or --report with its secret",
                args.key
            )));
        }
    })
}

fn by_hand(own: &OwnAccount, key: &OwnKey) -> Result<Outcome, Failure> {
    output::say(&format!("{} is a Main key, and those are made in the console only:", key.key.sid))?;
    for (number, step) in (1..).zip(guide::main_key(&own.account.sid, &key.key.sid, key.region)) {
        output::say(&format!("{number}. {step}"))?;
    }
    Ok(Outcome::Incomplete)
}

fn begin(args: &TokenArgs) -> Result<Outcome, Failure> {
    let receivers = args.to.checked()?;
    let client = args.twilio.client()?;
    let admin = args.twilio.need_admin(&client)?;
    let account = &args.account;
    output::say(&format!(
        "A secondary Auth Token is made for {account}; the primary works as before. Twilio e-mails the account's owners."
    ))?;
    confirm::named(args.confirm.as_deref(), account, "Type the Account SID to do this")?;
    let path = journal::place(args.journal.as_deref())?;
    let mut journal = Journal::open(&path, &format!("rotate auth-token {account}"), admin.name())?;
    let mut tokens = Tokens {
        client: &client,
        admin: &admin,
        account,
        journal: &mut journal,
        patience: Duration::from_secs(args.prove_for),
    };
    if let Err(error) = block_on(tokens.begin(&receivers)) {
        output::complain(&format!("error: {error}"));
        return Ok(Outcome::Found);
    }
    output::say(&format!(
        "The secondary token was handed over, and works. Record: {}\nPut it into every client and webhook validator, then: sidsweep rotate auth-token {account} --finish --new-file FILE",
        path.display()
    ))?;
    Ok(Outcome::Clean)
}

fn finish(args: &TokenArgs) -> Result<Outcome, Failure> {
    let new = new_token(args)?;
    let client = args.twilio.client()?;
    let admin = args.twilio.need_admin(&client)?;
    let account = &args.account;
    let path = journal::place(args.journal.as_deref())?;
    let mut journal = Journal::open(&path, &format!("rotate auth-token {account}"), admin.name())?;
    let mut tokens = Tokens {
        client: &client,
        admin: &admin,
        account,
        journal: &mut journal,
        patience: Duration::from_secs(args.prove_for),
    };
    if !block_on(tokens.ready(&new))? {
        tokens.already()?;
        output::say(&format!("The new token is the primary of {account} already."))?;
        return Ok(Outcome::Clean);
    }
    output::say(&format!(
        "The new token of {account} works. Promoting it kills the old one at once: every client that still uses it stops, and webhooks are signed with the new one. API keys are not touched."
    ))?;
    for line in block_on(tokens.signed()) {
        output::tell("", &line);
    }
    confirm::named(args.confirm.as_deref(), account, "Type the Account SID to promote it")?;
    if let Err(error) = block_on(tokens.finish(&new)) {
        output::complain(&format!("error: {error}"));
        return Ok(Outcome::Found);
    }
    output::say(&format!("Promoted, and the old token is refused. Record: {}", path.display()))?;
    if admin.account == *account {
        output::say("sidsweep's own SIDSWEEP_ADMIN_SECRET was that token: give it the new one.")?;
    }
    Ok(Outcome::Clean)
}

/// The new token, from where `--begin` put it.
fn new_token(args: &TokenArgs) -> Result<Secret, Failure> {
    let text = if let Some(path) = &args.new_file {
        std::fs::read_to_string(path).map_err(|error| Failure(format!("{}: {error}", path.display())))?
    } else if let Some(command) = &args.new_from {
        let output = twilio::shell(command)
            .stderr(std::process::Stdio::inherit())
            .output()
            .map_err(|error| Failure(format!("--new-from: {error}")))?;
        if !output.status.success() {
            return Err(Failure(format!("--new-from: the command failed ({})", output.status)));
        }
        String::from_utf8(output.stdout)
            .map_err(|_| Failure("--new-from: the command did not print text".to_owned()))?
    } else {
        return Err(Failure(
            "--finish tries the new token first: give --new-file with the file that --begin wrote, or --new-from COMMAND"
                .to_owned(),
        ));
    };
    let text = zeroize::Zeroizing::new(text);
    let line =
        text.lines().find_map(|line| line.trim().strip_prefix("TWILIO_AUTH_TOKEN=")).unwrap_or(text.trim());
    let line = line.trim().trim_matches(['"', '\'']);
    if line.len() == 32 && line.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(Secret::new(line.to_owned()))
    } else {
        Err(Failure(
            "an Auth Token is 32 hex digits, alone or after TWILIO_AUTH_TOKEN=; there is none".to_owned(),
        ))
    }
}
