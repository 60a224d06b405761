//! `sidsweep revoke oauth-app` and `revoke shared-key`: one thing, by its id.

use super::{Doing, Failure, Job, Outcome, asking, carry_out, journal, twilio};
use crate::model::{Event, Plan, Vault};
use crate::remedy::apps;
use crate::remedy::journal::{self as log};
use crate::twilio::resources::{self, Wanted};
use crate::twilio::{block_on, oauth, webhooks};

/// Delete one OAuth app: plan, prompt and apply in one go
///
/// Its access tokens end with it. Whether it is gone is looked at twice; its secret is not needed, and not tried.
#[derive(clap::Args)]
pub struct AppArgs {
    /// The app's SID, which is its client id
    #[arg(value_name = "OQ…", value_parser = client_id)]
    app: String,
    #[command(flatten)]
    doing: Doing,
    #[command(flatten)]
    twilio: twilio::Asking,
}

/// Delete one key that signs webhooks: plan, prompt and apply in one go
///
/// Webhook settings that still name it must name another first; Twilio takes 30 to 60 seconds for it.
#[derive(clap::Args)]
pub struct SharedKeyArgs {
    /// The key's id
    #[arg(value_name = "webhooks_sharedkey_…", value_parser = shared_key_id)]
    key: String,
    #[command(flatten)]
    doing: Doing,
    #[command(flatten)]
    twilio: twilio::Asking,
}

fn client_id(text: &str) -> Result<String, String> {
    let text = text.trim();
    if oauth::is_client_id(text) {
        Ok(text.to_owned())
    } else {
        Err("an OAuth app's SID is OQ and 32 letters and digits".to_owned())
    }
}

fn shared_key_id(text: &str) -> Result<String, String> {
    let text = text.trim();
    if webhooks::is_shared_key(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("a SharedKey's id begins with {}", webhooks::SHARED_KEY))
    }
}

pub fn app(args: &AppArgs) -> Result<Outcome, Failure> {
    delete("oauth-app", &args.app, &args.doing, &args.twilio)
}

pub fn shared_key(args: &SharedKeyArgs) -> Result<Outcome, Failure> {
    delete("shared-key", &args.key, &args.doing, &args.twilio)
}

fn delete(what: &str, id: &str, doing: &Doing, twilio: &twilio::Asking) -> Result<Outcome, Failure> {
    let client = twilio.client()?;
    let admin = twilio.need_admin(&client)?;
    let mut ours = asking::accounts(&client, admin)?;
    let wanted = Wanted { keys: false, apps: what == "oauth-app", shared_keys: what == "shared-key" };
    block_on(resources::add(&client, &ours.admin, &mut ours.inventory, wanted, None));
    let job = format!("revoke {what} {id}");
    let plan = match apps::plan_for(id, &ours.inventory, &ours.admin) {
        Some(plan) => plan,
        None => begun(id, &ours, doing)?.ok_or_else(|| nowhere(id, &ours))?,
    };
    let goes_on = format!("sidsweep {job}");
    let job = Job { name: &job, goes_on: &goes_on, confirm: None };
    carry_out(&client, &ours.admin, &plan, &Vault::new(), doing, job, twilio)
}

/// The plan of an earlier run, of any command, that was stopped after it may have deleted the thing.
fn begun(id: &str, ours: &asking::Ours, doing: &Doing) -> Result<Option<Plan>, Failure> {
    let path = journal::place(doing.journal.as_deref())?;
    if !path.exists() {
        return Ok(None);
    }
    let lines = log::read(&path)?;
    let is_of_it = |record: &&crate::model::Record| {
        record.event == Event::Intent && record.target.as_deref() == Some(id)
    };
    let account = lines.records.iter().find(is_of_it).and_then(|record| record.account_sid.as_deref());
    let own = account.and_then(|account| ours.inventory.account(account));
    Ok(own.map(|own| apps::plan_for_gone(id, own, &ours.admin)))
}

fn nowhere(id: &str, ours: &asking::Ours) -> Failure {
    let is_unread =
        |own: &&crate::model::OwnAccount| own.oauth_apps_unread.is_some() || own.shared_keys_unread.is_some();
    let unread = ours.inventory.accounts.iter().filter(is_unread).count();
    let but = if unread > 0 { format!(" ({unread} of them could not be asked)") } else { String::new() };
    Failure(format!(
        "none of the accounts that {} sees has {id}{but}: it is deleted, or foreign",
        ours.admin.pair.user
    ))
}
