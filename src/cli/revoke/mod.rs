//! `sidsweep revoke`: plan, apply, prove; one key; a whole account; what the journal says; and what to do afterwards.

mod account;
mod apply;
mod guide;
mod key;
mod plan;
mod status;
mod thing;

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::{Failure, Outcome, asking, confirm, contain, journal, output, scan, since, twilio, verify};
use crate::twilio::account as sids;

pub use apply::{Job, carry_out};
pub use key::{Leak, find, leak};

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
    Plan(plan::Args),
    Apply(apply::Args),
    Status(status::Args),
    Key(key::Args),
    OauthApp(thing::AppArgs),
    SharedKey(thing::SharedKeyArgs),
    Account(account::Args),
    Guide(guide::Args),
}

// No doc comment: clap would take it for the command's own.
#[derive(clap::Args, Clone)]
pub struct Doing {
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// List what is left out as well, each with the reason
    #[arg(long)]
    pub all: bool,
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
    if sids::is_sid(text, "SK") {
        Ok(text.to_owned())
    } else {
        Err("a key's SID is SK and 32 hex digits".to_owned())
    }
}

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    match &args.command {
        Command::Plan(args) => plan::run(args),
        Command::Apply(args) => apply::run(args),
        Command::Status(args) => status::run(args),
        Command::Key(args) => key::run(args),
        Command::OauthApp(args) => thing::app(args),
        Command::SharedKey(args) => thing::shared_key(args),
        Command::Account(args) => account::run(args),
        Command::Guide(args) => guide::run(args),
    }
}
