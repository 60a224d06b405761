//! The accounts, subaccounts and keys that an administrator's credential sees: what is ours.

use futures_util::stream::{self, StreamExt};
use serde::{Deserialize, Serialize};

use super::account::{self, Account, Key, Unreadable};
use super::client::{Client, Pair, Product};
use crate::model::{Region, Secret};

/// The schema's name.
pub const SCHEMA: &str = "sidsweep/inventory/1";

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

/// A key that is ours.
#[derive(Debug, Clone, Serialize)]
pub struct OwnKey {
    /// What Twilio says of it.
    #[serde(flatten)]
    pub key: Key,
    /// `restricted`, or `main_or_standard`: no answer of Twilio's tells these two apart. `null` where a key's policy
    /// cannot be read, as in subaccounts.
    pub kind: Option<&'static str>,
    /// What a Restricted key may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Vec<String>>,
    /// Where it is valid.
    pub region: Region,
}

/// An account that is ours.
#[derive(Debug, Clone, Serialize)]
pub struct OwnAccount {
    /// What Twilio says of it.
    #[serde(flatten)]
    pub account: Account,
    /// Its keys.
    pub keys: Vec<OwnKey>,
    /// Why its keys could not be listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys_unread: Option<String>,
}

/// What is ours.
#[derive(Debug, Clone, Serialize)]
pub struct Inventory {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Whose eyes it was seen with.
    pub admin: AdminName,
    /// The parent first.
    pub accounts: Vec<OwnAccount>,
}

/// An administrator without the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminName {
    /// The user name of the credential.
    pub user: String,
    /// The account.
    pub account: String,
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
            _ => Ok(Self { pair, account: own.sid }),
        }
    }
}

#[derive(Deserialize)]
struct Policy {
    #[serde(default)]
    policy: Option<Allow>,
}

#[derive(Deserialize)]
struct Allow {
    #[serde(default)]
    allow: Vec<String>,
}

impl Inventory {
    /// Reads it. `kinds` asks for the policy of each key of the administrator's own account: one request a key.
    pub async fn read(
        client: &Client,
        admin: &Admin,
        regions: &[Region],
        kinds: bool,
    ) -> Result<Self, Error> {
        let refused = |region, unreadable: &Unreadable| Error::Refused {
            user: admin.pair.user.clone(),
            region,
            reason: unreadable.to_string(),
        };
        let accounts = account::accounts(client, Region::Us1, &admin.pair)
            .await
            .map_err(|unreadable| refused(Region::Us1, &unreadable))?;
        let accounts = stream::iter(accounts)
            .map(|account| Self::keys_of(client, admin, regions, account, kinds))
            .buffered(16)
            .collect()
            .await;
        Ok(Self { schema: SCHEMA, admin: admin.name(), accounts })
    }

    async fn keys_of(
        client: &Client,
        admin: &Admin,
        regions: &[Region],
        account: Account,
        kinds: bool,
    ) -> OwnAccount {
        let mut own = OwnAccount { account, keys: Vec::new(), keys_unread: None };
        for &region in regions {
            match account::keys(client, region, &own.account.sid, &admin.pair).await {
                Ok(keys) => own.keys.extend(keys.into_iter().map(|key| OwnKey {
                    key,
                    kind: None,
                    policy: None,
                    region,
                })),
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

    /// An account that is ours.
    #[must_use]
    pub fn account(&self, sid: &str) -> Option<&OwnAccount> {
        self.accounts.iter().find(|own| own.account.sid.eq_ignore_ascii_case(sid))
    }

    /// A key that is ours, with its account.
    #[must_use]
    pub fn key(&self, sid: &str) -> Option<(&OwnAccount, &OwnKey)> {
        self.accounts.iter().find_map(|own| {
            own.keys.iter().find(|key| key.key.sid.eq_ignore_ascii_case(sid)).map(|key| (own, key))
        })
    }

    /// The account whose primary token this is. It is compared in memory; the token is sent nowhere.
    #[must_use]
    pub fn owner_of_token(&self, token: &Secret) -> Option<&OwnAccount> {
        self.accounts.iter().find(|own| own.account.token.is_of(token) == Some(true))
    }

    /// Whether tokens could be compared: a key does not see them.
    #[must_use]
    pub fn sees_tokens(&self) -> bool {
        self.accounts.iter().any(|own| own.account.token.is_of(&Secret::new("?".to_owned())).is_some())
    }

    /// Accounts whose keys could not be listed.
    #[must_use]
    pub fn unread(&self) -> Vec<&OwnAccount> {
        self.accounts.iter().filter(|own| own.keys_unread.is_some()).collect()
    }
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
    let path = format!("/v1/Keys/{}", own.key.sid);
    if let Ok(read) = account::read::<Policy>(client, Product::Iam, Region::Us1, &path, &admin.pair).await {
        own.kind = Some(if read.policy.is_some() { "restricted" } else { "main_or_standard" });
        own.policy = read.policy.map(|policy| policy.allow);
    }
    own
}
