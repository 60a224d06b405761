//! `sidsweep inventory`: the accounts, subaccounts, keys, OAuth apps and webhook SharedKeys that the administrator's credential sees.

use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use super::{Failure, Outcome, output, twilio, verify};
use crate::model::{CredentialType, Inventory, Leaked, Report};
use crate::report::inventory as page;
use crate::twilio::resources::{self, Wanted};
use crate::twilio::{block_on, inventory};

/// List the accounts, subaccounts, keys, OAuth apps and webhook SharedKeys that the administrator's credential sees
///
/// With --report, says of each SID in a report whose it is and whether it still exists. No token is ever in it.
#[derive(clap::Args)]
pub struct Args {
    /// A report of `scan --format json`, whose SIDs are looked up
    #[arg(long, value_name = "REPORT.json")]
    report: Option<PathBuf>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    format: Form,
    #[command(flatten)]
    twilio: twilio::Asking,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    inventory: &'a Inventory,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Vec<Leaked>>,
}

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    let report = args.report.as_deref().map(verify::load).transpose()?;
    let client = args.twilio.client()?;
    let admin = args.twilio.need_admin(&client)?;
    let mut inventory = block_on(inventory::read(&client, &admin, &args.twilio.all_regions(), true))?;
    let wanted = Wanted { keys: false, apps: true, shared_keys: true };
    block_on(resources::add(&client, &admin, &mut inventory, wanted, None));
    let leaked = report.as_ref().map(|report| leaked(report, &inventory));
    match args.format {
        Form::Text => output::page(|width, out| page::write(&inventory, leaked.as_deref(), width, out))?,
        Form::Json => {
            let document = Document { inventory: &inventory, report: leaked };
            let text = serde_json::to_string_pretty(&document).map_err(|error| Failure(error.to_string()))?;
            output::say(&text)?;
        }
    }
    let mut unread = 0;
    for own in &inventory.accounts {
        let parts = [
            ("keys", &own.keys_unread),
            ("OAuth apps", &own.oauth_apps_unread),
            ("webhook SharedKeys", &own.shared_keys_unread),
        ];
        for (what, reason) in parts.into_iter().filter_map(|(what, reason)| Some((what, reason.as_deref()?)))
        {
            output::complain(&format!("not read: the {what} of {}: {reason}", own.account.sid));
            unread += 1;
        }
    }
    Ok(if unread == 0 { Outcome::Clean } else { Outcome::Incomplete })
}

/// Each SID of a report once: whose it is.
fn leaked(report: &Report, inventory: &Inventory) -> Vec<Leaked> {
    let mut sids: Vec<(&str, bool)> = Vec::new();
    for credential in &report.credentials {
        let key = credential.key_sid.as_deref().filter(|_| {
            credential.type_ == CredentialType::ApiKey || credential.type_ == CredentialType::AccessToken
        });
        sids.extend(key.map(|sid| (sid, true)));
        sids.extend(credential.account_sid.as_deref().map(|sid| (sid, false)));
    }
    sids.sort_unstable();
    sids.dedup();
    sids.into_iter().map(|(sid, is_key)| inventory.whose(sid, is_key)).collect()
}
