//! What accounts have besides the keys of the classic lists: Restricted keys that these do not show, OAuth apps, and keys that sign
//! webhooks. Each is listed by its own account only, so a parent asks with the subaccount's token.

use super::account::{self, Unreadable};
use super::client::Client;
use super::inventory::Admin;
use super::pair::Pair;
use super::{oauth, tokens, webhooks};
use crate::model::{Inventory, OwnAccount, OwnKey, Region};

/// What is to be read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// Keys that the classic list does not show.
    pub keys: bool,
    /// OAuth apps.
    pub apps: bool,
    /// Keys that sign webhooks.
    pub shared_keys: bool,
}

/// A pair that acts as an account: the administrator's own, or the subaccount's token.
pub async fn acting(client: &Client, admin: &Admin, account: &str) -> Result<Pair, tokens::Error> {
    if account == admin.account {
        return Ok(admin.pair.clone());
    }
    tokens::act_as(client, admin, account).await
}

/// Adds to an inventory what its accounts have, or why that could not be read. `only` is the one account that is asked.
pub async fn add(
    client: &Client,
    admin: &Admin,
    inventory: &mut Inventory,
    wanted: Wanted,
    only: Option<&str>,
) {
    for own in &mut inventory.accounts {
        let is_meant = only.is_none_or(|sid| own.account.sid == sid);
        // A closed account is closed for good: nothing of it works again.
        if !is_meant || own.account.status == "closed" {
            continue;
        }
        match acting(client, admin, &own.account.sid).await {
            Ok(pair) => add_one(client, own, wanted, &pair).await,
            Err(error) => note(own, wanted, &error.to_string()),
        }
    }
}

fn note(own: &mut OwnAccount, wanted: Wanted, reason: &str) {
    if wanted.keys {
        own.keys_unread.get_or_insert_with(|| format!("Restricted keys: {reason}"));
    }
    if wanted.apps {
        own.oauth_apps_unread = Some(reason.to_owned());
    }
    if wanted.shared_keys {
        own.shared_keys_unread = Some(reason.to_owned());
    }
}

async fn add_one(client: &Client, own: &mut OwnAccount, wanted: Wanted, pair: &Pair) {
    let status = own.account.status.clone();
    let why = |unreadable: &Unreadable| {
        if status == "active" {
            unreadable.to_string()
        } else {
            format!("the account is {status}: {unreadable}")
        }
    };
    if wanted.keys {
        match account::all_keys(client, &own.account.sid, pair).await {
            Ok(all) => {
                for key in all {
                    if own.keys.iter().all(|known| known.key.sid != key.sid) {
                        own.keys.push(OwnKey {
                            key,
                            kind: Some("restricted"),
                            policy: None,
                            region: Region::Us1,
                        });
                    }
                }
            }
            Err(unreadable) => {
                own.keys_unread.get_or_insert_with(|| format!("Restricted keys: {}", why(&unreadable)));
            }
        }
    }
    if wanted.apps {
        match oauth::list(client, pair).await {
            Ok(apps) => own.oauth_apps = Some(apps),
            Err(unreadable) => own.oauth_apps_unread = Some(why(&unreadable)),
        }
    }
    if wanted.shared_keys {
        match webhooks::shared_keys(client, pair).await {
            Ok(keys) => own.shared_keys = Some(keys),
            // The beta is not open to this account, so it has none.
            Err(unreadable) if unreadable.is_missing() => own.shared_keys = Some(Vec::new()),
            Err(unreadable) => own.shared_keys_unread = Some(why(&unreadable)),
        }
    }
}
