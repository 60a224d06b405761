//! API keys: whether one works without regard to an account, then what kind it is, then whose.

use serde::Deserialize;

use super::{Live, MOST_TRIES, Seen, meaning, not_active};
use crate::model::{Account, Region, VerdictKind};
use crate::twilio::account::{self, Unreadable};
use crate::twilio::client::Client;
use crate::twilio::pair::Pair;
use crate::twilio::product::Product;
use crate::twilio::reading::{self, Reading};

#[derive(Deserialize)]
struct Services {
    services: Vec<Service>,
}

#[derive(Deserialize)]
struct Service {
    #[serde(default)]
    account_sid: Option<String>,
}

/// What the first, cheapest question about a key came to.
pub(super) enum First {
    /// It works, and is not known to be Restricted.
    Works(Option<String>),
    /// It works, is Restricted, and lacks this.
    Lacks(String),
    Seen(Seen),
}

/// An API key: whether it works without regard to an account, then what kind it is, then whose.
pub(super) async fn key(client: &Client, pair: &Pair, accounts: &[String], region: Region) -> Seen {
    let (mut owner, lacks) = match first(client, pair, accounts, region).await {
        First::Works(owner) => (owner, None),
        First::Lacks(permission) => (None, Some(permission)),
        First::Seen(seen) => return seen,
    };
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

/// Whether a key works at all. In us1 a list of Verify's says so for every kind of key and needs no account; elsewhere
/// that product may not exist, and then only a list of the account's own can say yes, and nothing can say no.
pub(super) async fn first(client: &Client, pair: &Pair, accounts: &[String], region: Region) -> First {
    let answer = match client.get(Product::Verify, region, "/v2/Services?PageSize=1", pair).await {
        Ok(answer) => answer,
        Err(fault) if region == Region::Us1 => return First::Seen(meaning(fault.into())),
        Err(_) => return elsewhere(client, pair, accounts, region).await,
    };
    match answer.reading() {
        Reading::Done => match reading::body::<Services>(&answer.body) {
            Ok(list) => First::Works(
                list.services
                    .into_iter()
                    .next()
                    .and_then(|s| s.account_sid)
                    .filter(|sid| account::is_sid(sid, "AC")),
            ),
            Err(reason) => First::Seen(Seen::Unknown { code: None, reason }),
        },
        Reading::Refused(refusal) => match refusal.permission {
            Some(permission) => First::Lacks(permission),
            None if region != Region::Us1 && refusal.code == 20404 => {
                elsewhere(client, pair, accounts, region).await
            }
            None => First::Seen(meaning(Unreadable::Refused(refusal))),
        },
        Reading::Foreign(_) if region != Region::Us1 => elsewhere(client, pair, accounts, region).await,
        Reading::Foreign(reason) => First::Seen(Seen::Unknown { code: None, reason }),
    }
}

async fn elsewhere(client: &Client, pair: &Pair, accounts: &[String], region: Region) -> First {
    for account in accounts.iter().take(MOST_TRIES) {
        match account::is_of_account(client, region, account, pair).await {
            Ok(()) => return First::Works(Some(account.clone())),
            Err(Unreadable::Refused(refusal)) if refusal.permission.is_some() => {
                return First::Lacks(refusal.permission.unwrap_or_default());
            }
            Err(unreadable) if unreadable.is_unauthorized() => {}
            Err(unreadable) => return First::Seen(meaning(unreadable)),
        }
    }
    match account::owner_by_accounts(client, region, pair).await {
        Ok(owner) => First::Works(owner.map(|account| account.sid)),
        Err(unreadable) if unreadable.is_unauthorized() => First::Seen(Seen::Unknown {
            code: Some(20003),
            reason: format!(
                "not accepted in {region} for the accounts in the code; {region} has no list that every key may read, so another account's key would be refused as well"
            ),
        }),
        Err(unreadable) => First::Seen(meaning(unreadable)),
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
struct Settings {
    account_sid: Option<String>,
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
    if known {
        return None;
    }
    account::read::<Settings>(client, Product::Insights, region, "/v1/Voice/Settings", pair)
        .await
        .ok()
        .and_then(|settings| settings.account_sid)
        .filter(|sid| account::is_sid(sid, "AC"))
}
