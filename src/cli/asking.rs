//! Asking Twilio about a report: says first whom it asks and about how many, and shows how far it is.

use std::collections::BTreeSet;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, output, twilio};
use crate::model::{Credential, CredentialType, DoubtfulValues, Inventory, Report, Vault};
use crate::remedy::ask;
use crate::remedy::doubtful::{self, Bounds};
use crate::twilio::inventory::{self, Admin, Among};
use crate::twilio::{Client, block_on};

/// What is ours, and who says so.
pub struct Ours {
    /// The administrator.
    pub admin: Admin,
    /// What it sees.
    pub inventory: Inventory,
}

/// The administrator's view, where there is an administrator.
pub fn ours(args: &twilio::Asking, client: &Client) -> Result<Option<Ours>, Failure> {
    let Some(admin) = args.admin(client)? else { return Ok(None) };
    Ok(Some(look(args, client, admin)?))
}

/// The view of an administrator.
pub fn look(args: &twilio::Asking, client: &Client, admin: Admin) -> Result<Ours, Failure> {
    let inventory = block_on(inventory::read(client, &admin, &args.all_regions(), false))?;
    for own in inventory.unread() {
        output::complain(&format!(
            "not read: the keys of {}: {}",
            own.account.sid,
            own.keys_unread.as_deref().unwrap_or_default()
        ));
    }
    Ok(Ours { admin, inventory })
}

/// The accounts alone, without their keys.
pub fn accounts(client: &Client, admin: Admin) -> Result<Ours, Failure> {
    let inventory = block_on(inventory::accounts(client, &admin))?;
    Ok(Ours { admin, inventory })
}

/// Looks for a key that no list showed.
pub fn find_key(client: &Client, ours: &mut Ours, key: &str) {
    if ours.inventory.key(key).is_none() {
        let wanted = BTreeSet::from([key.to_owned()]);
        let none = BTreeSet::new();
        let among = Among::First(&none);
        block_on(inventory::find_keys(client, &ours.admin, &mut ours.inventory, wanted, among));
    }
}

/// Asks about all credentials of a report.
pub fn ask(
    args: &twilio::Asking,
    client: &Client,
    ours: Option<&mut Ours>,
    report: &mut Report,
    vault: &Vault,
    exposure: bool,
) {
    let count = ask::askable(report, vault, args.mint);
    if count > 0 {
        let what = if count == 1 { "credential" } else { "credentials" };
        let whom = whom(client);
        output::complain(&format!("Asking {whom} about {count} {what}; {}.", effect(args, report)));
    }
    let bar = bar(count);
    let done = || bar.iter().for_each(|bar| bar.inc(1));
    let options = args.options(exposure);
    block_on(ask::ask(
        client,
        ours.map(|ours| (&ours.admin, &mut ours.inventory)),
        report,
        vault,
        &options,
        &done,
    ));
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

/// Asks about the values that nothing but their shape speaks for, after those of the report.
pub fn ask_doubtful(
    args: &twilio::Asking,
    client: &Client,
    ours: Option<&mut Ours>,
    report: &mut Report,
    values: DoubtfulValues,
    bounds: Bounds,
    exposure: bool,
) {
    let (count, pairs) = doubtful::askable(&values, bounds);
    if count > 0 {
        let whom = whom(client);
        let what = if count == 1 { "value that has" } else { "values that have" };
        let pairs_of = if pairs == 1 { "1 pair".to_owned() } else { format!("{pairs} pairs") };
        output::complain(&format!(
            "Asking {whom} about {count} {what} the shape of a secret and a SID nearby ({pairs_of}); nothing is changed by it."
        ));
    }
    let bar = bar(pairs);
    let done = || bar.iter().for_each(|bar| bar.inc(1));
    let options = args.options(exposure);
    let ours = ours.map(|ours| (&ours.admin, &mut ours.inventory));
    block_on(doubtful::ask(client, ours, report, values, bounds, &options, &done));
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

/// What asking does.
fn effect(args: &twilio::Asking, report: &Report) -> &'static str {
    let is_app = |credential: &Credential| credential.type_ == CredentialType::OauthApp;
    if args.mint && report.credentials.iter().any(is_app) {
        "an access token is made for each OAuth app that works, and nothing else is changed by it"
    } else {
        "nothing is changed by it"
    }
}

fn whom(client: &Client) -> String {
    client.test_endpoint().map_or("Twilio (*.twilio.com)".to_owned(), str::to_owned)
}

/// Shows on a terminal how far it is.
fn bar(count: usize) -> Option<ProgressBar> {
    std::io::IsTerminal::is_terminal(&std::io::stderr()).then(|| {
        ProgressBar::new(count as u64).with_style(
            ProgressStyle::with_template("{spinner} asked {pos} of {len}")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        )
    })
}
