//! API keys: whether one works without regard to an account, then what kind it is, then whose.

use serde::Deserialize;

use super::round::{Round, Subject, round};
use super::{Live, MOST_TRIES, Seen, not_active, seen};
use crate::model::{Account, Region, VerdictKind};
use crate::twilio::account::{self, Unreadable};
use crate::twilio::client::Client;
use crate::twilio::meaning::Holder;
use crate::twilio::pair::Pair;
use crate::twilio::product::Product;
use crate::twilio::reading::Refusal;

#[derive(Deserialize)]
pub(super) struct Services {
    services: Vec<Service>,
}

#[derive(Deserialize)]
struct Service {
    #[serde(default)]
    account_sid: Option<String>,
}

impl Services {
    /// Verify's list says of every kind of key whether it works, and needs no account.
    pub(super) async fn read(client: &Client, region: Region, pair: &Pair) -> Result<Self, Unreadable> {
        account::read(client, Product::Verify, region, "/v2/Services?PageSize=1", pair).await
    }

    fn account(self) -> Option<String> {
        let first = self.services.into_iter().next();
        first.and_then(|service| service.account_sid).filter(|sid| account::is_sid(sid, "AC"))
    }
}

/// What the first, cheapest question about a key came to.
enum First {
    /// It works, and is not known to be Restricted.
    Works(Option<String>),
    /// It works, is Restricted, and lacks this.
    Lacks(String),
    Seen(Seen),
}

/// An API key: whether it works without regard to an account, then what kind it is, then whose.
pub(super) async fn key(client: &Client, pair: &Pair, accounts: &[String], region: Region) -> Seen {
    match first(client, pair, accounts, region).await {
        First::Works(owner) => works(client, pair, accounts, region, owner, None).await,
        First::Lacks(permission) => works(client, pair, accounts, region, None, Some(permission)).await,
        // 403 is what a key is told that lacks the permission, too: then another product takes it.
        First::Seen(Seen::Inactive { code: Some(20403), reason }) => {
            let guess = accounts.first().map(String::as_str);
            let subject = Subject { pair, region, account: None, guess };
            match round(client, &subject, None, false).await {
                Round::Works { by, .. } => {
                    let lacks =
                        format!("a permission of Verify, which refused it (403); {} accepts it", by.name());
                    let mut seen = works(client, pair, accounts, region, None, Some(lacks)).await;
                    if let Seen::Live(live) = &mut seen {
                        live.code = Some(20403);
                    }
                    seen
                }
                _ => Seen::Inactive { code: Some(20403), reason },
            }
        }
        First::Seen(seen) => seen,
    }
}

/// A key that works: what kind it is, and whose.
pub(super) async fn works(
    client: &Client,
    pair: &Pair,
    accounts: &[String],
    region: Region,
    mut owner: Option<String>,
    lacks: Option<String>,
) -> Seen {
    let mut parent = None;
    let by_accounts = if lacks.is_none() {
        account::owner_by_accounts(client, region, pair).await.map(Some)
    } else {
        Ok(None)
    };
    if let Ok(Some(Some(account))) = &by_accounts {
        if account.status != "active" {
            return not_active(account);
        }
        owner = Some(account.sid.clone());
        parent = account.parent().map(str::to_owned);
    }
    let (kind, limits) = kind(client, pair, region, lacks.as_deref(), &by_accounts).await;
    let mut not_of = Vec::new();
    if owner.is_none() || kind != VerdictKind::MainKey {
        let told = whose(client, pair, accounts, region, owner.is_some(), &mut not_of).await;
        owner = told.or(owner);
    } else if let Some(owner) = &owner {
        not_of.extend(accounts.first().filter(|account| *account != owner).cloned());
    }
    Seen::Live(Box::new(Live {
        kind,
        code: lacks.is_some().then_some(70051),
        reason: limits,
        owner,
        parent,
        not_of,
    }))
}

/// Whether a key works at all. In us1 Verify says so; elsewhere only the classic API counts, where a list of the account's
/// own can say yes, and nothing can say no.
async fn first(client: &Client, pair: &Pair, accounts: &[String], region: Region) -> First {
    if region != Region::Us1 {
        return elsewhere(client, pair, accounts, region).await;
    }
    match Services::read(client, region, pair).await {
        Ok(services) => First::Works(services.account()),
        Err(Unreadable::Refused(Refusal { permission: Some(permission), status: 400..500, .. })) => {
            First::Lacks(permission)
        }
        Err(unreadable) => First::Seen(seen(unreadable, Product::Verify, region, Holder::Key)),
    }
}

async fn elsewhere(client: &Client, pair: &Pair, accounts: &[String], region: Region) -> First {
    for account in accounts.iter().take(MOST_TRIES) {
        match account::is_of_account(client, region, account, pair).await {
            Ok(()) => return First::Works(Some(account.clone())),
            Err(Unreadable::Refused(Refusal { permission: Some(permission), .. })) => {
                return First::Lacks(permission);
            }
            Err(unreadable) if unreadable.is_unauthorized() => {}
            Err(unreadable) => return First::Seen(seen(unreadable, Product::Api, region, Holder::Key)),
        }
    }
    match account::owner_by_accounts(client, region, pair).await {
        Ok(owner) => First::Works(owner.map(|account| account.sid)),
        Err(unreadable) if unreadable.is_unauthorized() => First::Seen(Seen::Unknown {
            code: Some(20003),
            reason: format!(
                "not accepted in {region} for the accounts in the code; {region} has no list that every key may read, so another account's key would be refused as well. It is dead if the list of keys in {region} of the account that owns it does not show the key any more"
            ),
        }),
        Err(unreadable) => First::Seen(seen(unreadable, Product::Api, region, Holder::Key)),
    }
}

#[derive(Deserialize)]
struct KeyPolicy {
    sid: String,
    #[serde(default)]
    policy: Option<Policy>,
}

#[derive(Deserialize)]
struct Policy {
    #[serde(default)]
    allow: Vec<String>,
}

/// What kind of key it is, and what a Restricted one may or may not do.
#[allow(clippy::option_option)] // Not asked; asked, and no account came.
async fn kind(
    client: &Client,
    pair: &Pair,
    region: Region,
    lacks: Option<&str>,
    by_accounts: &Result<Option<Option<Account>>, Unreadable>,
) -> (VerdictKind, Option<String>) {
    let lacking = |permission: &str| format!("it lacks {permission}, among others");
    let path = format!("/v1/Keys/{}", pair.user);
    // Restricted keys exist in us1 only.
    if region == Region::Us1 {
        match account::read::<KeyPolicy>(client, Product::Iam, region, &path, pair).await {
            Ok(key) if key.sid == pair.user => {
                return match key.policy {
                    Some(policy) => (VerdictKind::RestrictedKey, Some(allowed(&policy.allow))),
                    None => (VerdictKind::MainKey, None),
                };
            }
            Err(Unreadable::Refused(refusal)) if refusal.permission.is_some() => {
                let permission = refusal.permission.unwrap_or_default();
                return (VerdictKind::RestrictedKey, Some(lacking(lacks.unwrap_or(&permission))));
            }
            _ => {}
        }
    }
    match (lacks, by_accounts) {
        (Some(permission), _) => (VerdictKind::RestrictedKey, Some(lacking(permission))),
        (None, Ok(_)) => (VerdictKind::MainKey, None),
        (None, Err(Unreadable::Refused(refusal))) if refusal.permission.is_some() => {
            (VerdictKind::RestrictedKey, refusal.permission.as_deref().map(lacking))
        }
        (None, Err(unreadable)) if unreadable.is_unauthorized() => (VerdictKind::StandardKey, None),
        // It works; the question what it may do went unanswered. The lesser kind promises less.
        (None, Err(unreadable)) => {
            (VerdictKind::StandardKey, Some(format!("whether it is a Main key is not known: {unreadable}")))
        }
    }
}

fn allowed(permissions: &[String]) -> String {
    const MOST_SHOWN: usize = 6;
    let shown: Vec<&str> = permissions
        .iter()
        .map(String::as_str)
        .filter(|p| p.len() <= 120 && p.bytes().all(|b| b.is_ascii_graphic()))
        .take(MOST_SHOWN)
        .collect();
    let more = permissions.len().saturating_sub(shown.len());
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("it may {}{rest}", shown.join(", "))
}

#[derive(Deserialize)]
pub(super) struct Settings {
    account_sid: Option<String>,
}

impl Settings {
    /// A setting of Insights, whose answer names the account.
    pub(super) async fn read(client: &Client, region: Region, pair: &Pair) -> Result<Self, Unreadable> {
        account::read(client, Product::Insights, region, "/v1/Voice/Settings", pair).await
    }
}

/// Whose key it is: the accounts in the code first, then a setting whose answer names the account.
async fn whose(
    client: &Client,
    pair: &Pair,
    accounts: &[String],
    region: Region,
    known: bool,
    not_of: &mut Vec<String>,
) -> Option<String> {
    for account in accounts.iter().take(MOST_TRIES / 2) {
        match account::is_of_account(client, region, account, pair).await {
            Ok(()) => {
                not_of.clear();
                return Some(account.clone());
            }
            Err(unreadable) if unreadable.is_unauthorized() => not_of.push(account.clone()),
            Err(_) => {}
        }
    }
    if known || region != Region::Us1 {
        return None;
    }
    Settings::read(client, region, pair)
        .await
        .ok()
        .and_then(|settings| settings.account_sid)
        .filter(|sid| account::is_sid(sid, "AC"))
}
