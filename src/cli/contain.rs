//! `sidsweep contain`: stop a subaccount's traffic, and take that back.

use std::path::{Path, PathBuf};

use super::{Failure, Outcome, confirm, journal, output, twilio};
use crate::remedy::contain;
use crate::remedy::journal::Journal;
use crate::twilio::account::{self, Status};
use crate::twilio::{block_on, inventory};

/// Suspend a subaccount, which stops new traffic and is reversible
///
/// Its numbers are kept, and calls in progress go on: the output says how to end them. None of its credentials works while it is
/// suspended, and all work again afterwards, so what leaked has to be revoked all the same: a plan deletes its leaked keys
/// meanwhile. Needs the parent's credential.
#[derive(clap::Args)]
pub struct Args {
    /// The subaccount
    #[arg(value_name = "AC…", value_parser = account_sid)]
    account: String,
    /// Reactivate it
    #[arg(long)]
    release: bool,
    /// The Account SID once more, instead of typing it
    #[arg(long, value_name = "AC…")]
    confirm: Option<String>,
    /// Where to keep the record [default: `SIDSWEEP_JOURNAL`, or the user's state folder]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    #[command(flatten)]
    twilio: twilio::Asking,
}

pub fn account_sid(text: &str) -> Result<String, String> {
    let text = text.trim();
    if account::is_sid(text, "AC") {
        Ok(text.to_owned())
    } else {
        Err("an Account SID is AC and 32 hex digits".to_owned())
    }
}

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    let client = args.twilio.client()?;
    let admin = args.twilio.need_admin(&client)?;
    let to = if args.release { Status::Active } else { Status::Suspended };
    let accounts = block_on(inventory::accounts(&client, &admin))?;
    let path = journal::place(args.journal.as_deref())?;
    let job = format!("contain {}", args.account);
    if let Some(status) = accounts.account(&args.account).map(|own| own.account.status.as_str())
        && (status == to.as_str() || status == "closed")
        && path.exists()
    {
        let mut journal = Journal::open(&path, &job, admin.name())?;
        if contain::is_open(journal.past(), to) {
            contain::seen(&mut journal, &args.account, to, status)?;
            return ended(args, status, &path);
        }
    }
    contain::check(&accounts, &admin, &args.account, to).map_err(Failure)?;
    let name = accounts.account(&args.account).and_then(|own| own.account.friendly_name.clone());
    let name = name.map(|name| format!(" ({})", name.escape_debug())).unwrap_or_default();
    let account = &args.account;
    let (does, then) = if args.release {
        ("Traffic and all credentials of its own work again", "active")
    } else {
        (
            "No new calls and messages, and none of its own credentials works; calls in progress go on; numbers stay, and stay billed",
            "suspended",
        )
    };
    output::say(&format!("{account}{name} is to be {then}. {does}."))?;
    confirm::named(args.confirm.as_deref(), account, "Type the Account SID to do this")?;
    let mut journal = Journal::open(&path, &job, admin.name())?;
    let before = journal.past().count();
    if let Err(error) = block_on(contain::set(&client, &admin, &mut journal, account, to)) {
        // Without a line in the journal nothing was asked for.
        if journal.past().count() == before {
            return Err(error.into());
        }
        output::complain(&format!("error: {error}"));
        return Ok(Outcome::Found);
    }
    ended(args, then, &path)
}

/// Says what the account is now, and what a suspension does not stop.
fn ended(args: &Args, status: &str, path: &Path) -> Result<Outcome, Failure> {
    let account = &args.account;
    output::tell("", &format!("{account} is {status}, as Twilio shows it. Record: {}", path.display()));
    if status == "suspended" {
        for line in contain::what_goes_on(account) {
            output::tell("", &line);
        }
    }
    Ok(Outcome::Clean)
}
