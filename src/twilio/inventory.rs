//! The accounts, subaccounts and keys that an administrator's credential sees: what is ours.

use super::account::{self, Unreadable};
use super::client::Client;
use super::pair::Pair;
use super::{keys, tokens};
use crate::model::{Account, AdminName, INVENTORY_SCHEMA, Inventory, Key, OwnAccount, OwnKey, Region};
use futures_util::stream::{self, StreamExt};
use std::collections::BTreeSet;

/// An administrator's credential: it proves who owns an account.
#[derive(Debug, Clone)]
pub struct Admin {
    /// `AC…` and its Auth Token, or a Main key.
    pub pair: Pair,
    /// The account that it administers.
    pub account: String,
}

/// Why an administrator's credential is of no use.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Twilio does not take it.
    #[error("the administrator's credential {user} was not accepted in {region}: {reason}")]
    Refused {
        /// Its user name.
        user: String,
        /// Where.
        region: Region,
        /// Why.
        reason: String,
    },
    /// Twilio did not say whether it takes it.
    #[error(
        "Twilio gave no answer about the administrator's credential {user} in {region}: {reason}. Try again, or leave the administrator out"
    )]
    Unanswered {
        /// Its user name.
        user: String,
        /// Where.
        region: Region,
        /// Why.
        reason: String,
    },
    /// It belongs to another account than was said.
    #[error(
        "the administrator's credential {user} does not see the account {account}; check SIDSWEEP_ADMIN_ACCOUNT"
    )]
    OtherAccount {
        /// Its user name.
        user: String,
        /// The account that was named.
        account: String,
    },
}

fn unanswered(user: &str, region: Region, unreadable: &Unreadable) -> Error {
    Error::Unanswered { user: user.to_owned(), region, reason: unreadable.to_string() }
}

impl Admin {
    /// The administrator without the secret.
    #[must_use]
    pub fn name(&self) -> AdminName {
        AdminName { user: self.pair.user.clone(), account: self.account.clone() }
    }

    /// Settles the account of an administrator whose credential may be a key.
    pub async fn identify(client: &Client, pair: Pair, account: Option<String>) -> Result<Self, Error> {
        let region = Region::Us1;
        let refused =
            |pair: &Pair, reason: String| Error::Refused { user: pair.user.clone(), region, reason };
        let own = if pair.user.starts_with("AC") {
            account::account(client, region, &pair.user, &pair).await.map(Some)
        } else {
            account::owner_by_accounts(client, region, &pair).await
        };
        let own = own.map_err(|unreadable| {
            let why = match (unreadable.is_unauthorized(), pair.user.starts_with("SK")) {
                (true, true) => {
                    "a Main key is needed, and this is a Standard key, was deleted, or does not work".to_owned()
                }
                (true, false) => format!(
                    "{unreadable}. If its Auth Token was rotated or promoted away, give the new one; if the account is suspended, have it reactivated"
                ),
                (false, _) if !unreadable.is_refusal() => return unanswered(&pair.user, region, &unreadable),
                (false, _) => unreadable.to_string(),
            };
            refused(&pair, why)
        })?;
        let own = own.ok_or_else(|| refused(&pair, "it sees no account".to_owned()))?;
        match account {
            Some(account) if account != own.sid => {
                Err(Error::OtherAccount { user: pair.user.clone(), account })
            }
            _ => Ok(Self { pair: Pair { account: Some(own.sid.clone()), ..pair }, account: own.sid }),
        }
    }
}

/// Reads what an administrator sees. `kinds` asks for the policy of each key of the administrator's own account: one
/// request a key.
pub async fn read(
    client: &Client,
    admin: &Admin,
    regions: &[Region],
    kinds: bool,
) -> Result<Inventory, Error> {
    let accounts = account::accounts(client, Region::Us1, &admin.pair).await.map_err(|unreadable| {
        let (user, region) = (admin.pair.user.clone(), Region::Us1);
        if unreadable.is_refusal() {
            Error::Refused { user, region, reason: unreadable.to_string() }
        } else {
            unanswered(&user, region, &unreadable)
        }
    })?;
    let accounts = stream::iter(accounts)
        .map(|account| keys_of(client, admin, regions, account, kinds))
        .buffered(16)
        .collect()
        .await;
    Ok(Inventory { schema: INVENTORY_SCHEMA, admin: admin.name(), accounts })
}

/// The accounts alone, without their keys.
pub async fn accounts(client: &Client, admin: &Admin) -> Result<Inventory, Error> {
    read(client, admin, &[], false).await
}

/// At most this many subaccounts are asked for keys that the classic list does not show.
const MOST_ASKED: usize = 100;

/// Which subaccounts are asked for keys.
#[derive(Debug, Clone, Copy)]
pub enum Among<'a> {
    /// These.
    Only(&'a BTreeSet<String>),
    /// All, and these first.
    First(&'a BTreeSet<String>),
}

/// Looks for keys that the classic lists do not show, in the lists of the accounts themselves: the parent's was read already, and a
/// subaccount is asked with its own token. What is found is added.
pub async fn find_keys(
    client: &Client,
    admin: &Admin,
    inventory: &mut Inventory,
    mut wanted: BTreeSet<String>,
    among: Among<'_>,
) {
    let (Among::Only(likely) | Among::First(likely)) = among;
    let is_likely = |number: usize| likely.contains(&inventory.accounts[number].account.sid);
    let mut order: Vec<usize> = (0..inventory.accounts.len())
        .filter(|&number| {
            let account = &inventory.accounts[number].account;
            account.sid != admin.account && account.status == "active"
        })
        .filter(|&number| matches!(among, Among::First(_)) || is_likely(number))
        .collect();
    order.sort_by_key(|&number| !is_likely(number));
    for number in order.into_iter().take(MOST_ASKED) {
        if wanted.is_empty() {
            return;
        }
        let account = inventory.accounts[number].account.sid.clone();
        let Ok(acting) = tokens::act_as(client, admin, &account).await else { continue };
        let Ok(keys) = account::all_keys(client, &account, &acting).await else { continue };
        let found = keys.into_iter().filter(|key| wanted.remove(&key.sid));
        inventory.accounts[number].keys.extend(found.map(hidden));
    }
}

/// A key of us1 that the classic list does not show: a Restricted one.
fn hidden(key: Key) -> OwnKey {
    OwnKey { key, kind: Some("restricted"), policy: None, region: Region::Us1 }
}

async fn keys_of(
    client: &Client,
    admin: &Admin,
    regions: &[Region],
    account: Account,
    kinds: bool,
) -> OwnAccount {
    let mut own = OwnAccount::bare(account);
    if own.account.status == "closed" {
        // For good: no key of it works again, and Twilio may not list them.
        return own;
    }
    for &region in regions {
        match account::keys(client, region, &own.account.sid, &admin.pair).await {
            Ok(keys) => {
                own.keys.extend(keys.into_iter().map(|key| OwnKey { key, kind: None, policy: None, region }));
            }
            Err(unreadable) => {
                own.keys_unread = Some(why_no_keys(&own.account, admin, region, &unreadable));
            }
        }
    }
    // The classic list need not show Restricted keys; an account's own list shows all, and they exist in us1 only.
    if regions.contains(&Region::Us1)
        && own.account.sid == admin.account
        && let Ok(all) = account::all_keys(client, &admin.account, &admin.pair).await
    {
        let is_new = |key: &Key| own.keys.iter().all(|known| known.key.sid != key.sid);
        let more: Vec<OwnKey> = all.into_iter().filter(is_new).map(hidden).collect();
        own.keys.extend(more);
    }
    if kinds && own.account.sid == admin.account {
        own.keys = stream::iter(std::mem::take(&mut own.keys))
            .map(|key| kind_of(client, admin, key))
            .buffered(16)
            .collect()
            .await;
    }
    own
}

fn why_no_keys(account: &Account, admin: &Admin, region: Region, unreadable: &Unreadable) -> String {
    if unreadable.is_unauthorized() && account.sid != admin.account && admin.pair.user.starts_with("SK") {
        return "the parent's API key may not see this subaccount's keys; use the parent's Auth Token or the subaccount's own credential".to_owned();
    }
    if account.status != "active" {
        return format!("the account is {}: {unreadable}", account.status);
    }
    format!("in {region}: {unreadable}")
}

async fn kind_of(client: &Client, admin: &Admin, mut own: OwnKey) -> OwnKey {
    if own.region != Region::Us1 {
        // Restricted keys exist in us1 only.
        own.kind = Some("main_or_standard");
        return own;
    }
    if let Ok(policy) = keys::policy(client, &own.key.sid, &admin.pair).await {
        own.kind = Some(if policy.is_some() { "restricted" } else { "main_or_standard" });
        own.policy = policy;
    }
    own
}
