//! `sidsweep sweep`: what happened in an account since a date.

use std::io::Write as _;
use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::PossibleValuesParser;
use jiff::Timestamp;

use super::{Failure, Outcome, asking, contain, output, since, twilio};
use crate::model::{Secret, Sweep};
use crate::remedy::sweep::{self, Organization, PARTS, Wish};
use crate::report::printable::json;
use crate::report::sweep as page;
use crate::twilio::{block_on, happenings, oauth};

/// Show what happened in an account since a date: recorded changes, and what is new
///
/// Reads all pages of the recorded changes, each with who made it and from which address; and lists keys, OAuth apps, Connect apps,
/// webhook rules, numbers, subaccounts, users and geographic permissions. Changes nothing. Exit codes: 0 nothing was recorded and
/// nothing is new; 1 something is; 2 a part could not be read, and nothing was found in the rest.
#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(value_name = "AC…", value_parser = contain::account_sid)]
    account: String,
    /// A day (2026-11-03), a time (2026-11-03T10:00:00Z) or a span (72h, 30d)
    #[arg(long, value_name = "DATE", value_parser = since::since)]
    since: Timestamp,
    /// How to print it
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    format: Form,
    /// Write it to this file as well, as JSON, for `revoke guide --rca`
    #[arg(long, value_name = "SWEEP.json")]
    out: Option<PathBuf>,
    /// List the users of this organization as well, with an OAuth app of it from `SIDSWEEP_ORGANIZATION_CLIENT_ID` and
    /// `SIDSWEEP_ORGANIZATION_CLIENT_SECRET`; an access token is made
    #[arg(long, value_name = "OR…", value_parser = organization_sid)]
    organization: Option<String>,
    /// Leave a part out; may be given several times
    #[arg(long, value_name = "PART", value_parser = PossibleValuesParser::new(PARTS))]
    without: Vec<String>,
    /// List all of it, however long it is
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    twilio: twilio::Asking,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
}

fn organization_sid(text: &str) -> Result<String, String> {
    let text = text.trim();
    if happenings::is_organization(text) {
        Ok(text.to_owned())
    } else {
        Err("an organization's SID is OR and 32 hex digits".to_owned())
    }
}

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    let organization = args.organization.as_deref().map(organization).transpose()?;
    let client = args.twilio.client()?;
    let admin = args.twilio.need_admin(&client)?;
    let ours = asking::accounts(&client, admin)?;
    let own = ours.inventory.account(&args.account).ok_or_else(|| {
        Failure(format!("{} is not one of the accounts that {} sees", args.account, ours.admin.pair.user))
    })?;
    let wish = Wish { own, since: args.since, organization: organization.as_ref(), without: &args.without };
    let swept = block_on(sweep::sweep(&client, &ours.admin, &ours.inventory, &wish));
    if let Some(path) = &args.out {
        save(&swept, path)?;
    }
    match args.format {
        Form::Text => output::page(|width, out| page::write(&swept, args.all, width, out))?,
        Form::Json => output::page(|_, mut out| {
            json(&mut out, &swept, true)?;
            writeln!(out)
        })?,
    }
    for unread in &swept.unread {
        output::complain(&format!("not read: {}: {}", unread.what, unread.reason));
    }
    Ok(if !swept.events.is_empty() || !swept.new.is_empty() {
        Outcome::Found
    } else if swept.unread.is_empty() {
        Outcome::Clean
    } else {
        Outcome::Incomplete
    })
}

fn organization(sid: &str) -> Result<Organization, Failure> {
    let (id, secret) = ("SIDSWEEP_ORGANIZATION_CLIENT_ID", "SIDSWEEP_ORGANIZATION_CLIENT_SECRET");
    let needed = |name| {
        twilio::variable(name)?
            .ok_or_else(|| Failure(format!("--organization needs {name}, which is not set")))
    };
    let client = needed(id)?;
    if !oauth::is_client_id(client.trim()) {
        return Err(Failure(format!("{id} must be a client id (OQ…) of 34 characters")));
    }
    let secret = Secret::new(needed(secret)?.trim().to_owned());
    Ok(Organization { sid: sid.to_owned(), client: client.trim().to_owned(), secret })
}

/// Writes it whole or not at all, for its owner alone: it names people and addresses.
fn save(swept: &Sweep, path: &std::path::Path) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(std::path::Path::new("."));
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        json(&mut file, swept, true)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)
    });
    written.map(|_| ()).map_err(|error| Failure(format!("{}: {error}", path.display())))
}
