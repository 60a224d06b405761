//! The accounts, subaccounts and keys that an administrator's credential sees: what is ours.

use super::account::{self, Unreadable};
use super::client::Client;
use super::keys;
use super::pair::Pair;
use crate::model::{Account, AdminName, INVENTORY_SCHEMA, Inventory, OwnAccount, OwnKey, Region};
use futures_util::stream::{self, StreamExt};

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
            let why = if unreadable.is_unauthorized() && pair.user.starts_with("SK") {
                "a Main key is needed, and this is a Standard key or does not work".to_owned()
            } else {
                unreadable.to_string()
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
    let refused = |region, unreadable: &Unreadable| Error::Refused {
        user: admin.pair.user.clone(),
        region,
        reason: unreadable.to_string(),
    };
    let accounts = account::accounts(client, Region::Us1, &admin.pair)
        .await
        .map_err(|unreadable| refused(Region::Us1, &unreadable))?;
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

async fn keys_of(
    client: &Client,
    admin: &Admin,
    regions: &[Region],
    account: Account,
    kinds: bool,
) -> OwnAccount {
    let mut own = OwnAccount { account, keys: Vec::new(), keys_unread: None };
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
