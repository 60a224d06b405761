//! Whether a credential works, what kind it is and whose. All requests read. The error code decides; what is not
//! Twilio's clear word is unknown, never dead.

use serde::Deserialize;

use super::account::{self, Unreadable};
use super::client::{Client, Pair, Product};
use super::reading::{self, Reading};
use crate::model::{Account, Region, Secret, Verdict, VerdictKind, VerdictState};

/// How many SIDs are tried with one secret whose partner is in doubt, and how many accounts with one key.
pub const MOST_TRIES: usize = 8;

/// What is asked about.
#[derive(Debug, Clone)]
pub enum Question {
    /// An Auth Token with the accounts that it may belong to, most likely first.
    Token {
        /// The token.
        token: Secret,
        /// Account SIDs.
        accounts: Vec<String>,
    },
    /// A key's secret with the key SIDs it may belong to, and the accounts that the key may belong to.
    Key {
        /// The secret.
        secret: Secret,
        /// Key SIDs.
        keys: Vec<String>,
        /// Account SIDs.
        accounts: Vec<String>,
    },
}

impl Question {
    /// The likeliest account.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        let (Self::Token { accounts, .. } | Self::Key { accounts, .. }) = self;
        accounts.first().map(String::as_str)
    }
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The verdict, without the time.
    pub verdict: Verdict,
    /// The account that it belongs to, where asking settled that.
    pub account: Option<String>,
    /// The key that it belongs to, where asking settled that.
    pub key: Option<String>,
    /// It works, and is not of the account that the code names.
    pub foreign: bool,
    /// The pair that works, for looking at what it reaches.
    pub pair: Option<(Pair, Region)>,
}

/// What one attempt came to.
#[derive(Debug, Clone)]
enum Seen {
    Live(Box<Live>),
    Test,
    Inactive { code: Option<u32>, reason: String },
    Unknown { code: Option<u32>, reason: String },
    Refused { code: u32 },
}

#[derive(Debug, Clone)]
struct Live {
    kind: VerdictKind,
    code: Option<u32>,
    reason: Option<String>,
    owner: Option<String>,
    parent: Option<String>,
    /// The account in the code is not this key's.
    not_of: Vec<String>,
}

impl Seen {
    /// Which of several answers counts: one that works, before one that says why not, before one that says nothing,
    /// before a refusal.
    fn rank(&self) -> u8 {
        match self {
            Self::Live(_) => 4,
            Self::Test => 3,
            Self::Inactive { .. } => 2,
            Self::Unknown { .. } => 1,
            Self::Refused { .. } => 0,
        }
    }

    /// Nothing that could still be asked would change it.
    fn settles(&self) -> bool {
        self.rank() >= 2
    }
}

/// What an answer that is no "yes" means for any credential.
fn meaning(unreadable: Unreadable) -> Seen {
    match unreadable {
        Unreadable::Refused(refusal) => match refusal.code {
            20003 if refusal.stripped => Seen::Unknown {
                code: Some(20003),
                reason: "the credentials did not reach Twilio; something on the way took them out".to_owned(),
            },
            20003 => Seen::Refused { code: 20003 },
            20008 => Seen::Test,
            20403 | 20005 | 10001 | 90010 => Seen::Inactive {
                code: Some(refusal.code),
                reason: "its account is suspended, closed or otherwise not active".to_owned(),
            },
            20429 => Seen::Unknown {
                code: Some(20429),
                reason: "Twilio was too busy to answer (429); ask again later".to_owned(),
            },
            code => Seen::Unknown {
                code: Some(code),
                reason: format!("Twilio answered error {code} (status {})", refusal.status),
            },
        },
        Unreadable::Foreign(reason) => Seen::Unknown { code: None, reason },
        Unreadable::Fault(fault) => Seen::Unknown { code: None, reason: fault.to_string() },
    }
}

/// Asks Twilio. `regions` are tried in turn until one settles it.
pub async fn verify(client: &Client, question: &Question, regions: &[Region]) -> Settled {
    let mut best: Option<(Seen, Region, String, Secret)> = None;
    let mut asked: Vec<Region> = Vec::new();
    'regions: for &region in regions {
        asked.push(region);
        let (secret, sids) = match question {
            Question::Token { token, accounts } => (token, accounts),
            Question::Key { secret, keys, .. } => (secret, keys),
        };
        for sid in sids.iter().take(MOST_TRIES).flat_map(|sid| spellings(sid)) {
            let pair = match question {
                Question::Token { .. } => Pair::token(sid.clone(), secret.clone()),
                Question::Key { .. } => Pair::key(sid.clone(), secret.clone(), question.account()),
            };
            let seen = match question {
                Question::Token { .. } => token(client, &pair, region).await,
                Question::Key { accounts, .. } => key(client, &pair, accounts, region).await,
            };
            let settles = seen.settles();
            if best.as_ref().is_none_or(|(known, ..)| known.rank() < seen.rank()) {
                best = Some((seen, region, sid, secret.clone()));
            }
            if settles {
                break 'regions;
            }
        }
    }
    let is_token = matches!(question, Question::Token { .. });
    let Some((seen, region, sid, secret)) = best else {
        let what = if is_token { "Account SID" } else { "key SID" };
        let mut verdict = Verdict::unverified();
        verdict.reason = Some(format!("there is no {what} to ask with"));
        return Settled { verdict, account: None, key: None, foreign: false, pair: None };
    };
    settle(seen, region, &asked, sid, secret, is_token)
}

/// Whether a credential that worked still does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Still {
    /// It does.
    Works,
    /// Twilio's own word that it does not.
    Refused {
        /// Twilio's error code.
        code: u32,
    },
    /// No clear word.
    Unsure(String),
}

/// Asks once whether a pair still works. `account` is the account it belongs to.
pub async fn still(client: &Client, pair: &Pair, region: Region, account: &str) -> Still {
    let seen = if pair.user.starts_with("AC") {
        account::account(client, region, &pair.user, pair).await.map_or_else(meaning, |_| Seen::Test)
    } else if region != Region::Us1 {
        // It is known to be this account's: there a refusal is one.
        match account::is_of_account(client, region, account, pair).await {
            Ok(()) => return Still::Works,
            Err(Unreadable::Refused(refusal)) if refusal.permission.is_some() => return Still::Works,
            Err(unreadable) => meaning(unreadable),
        }
    } else {
        match first(client, pair, &[account.to_owned()], region).await {
            First::Works(_) | First::Lacks(_) => return Still::Works,
            First::Seen(seen) => seen,
        }
    };
    match seen {
        Seen::Live(_) | Seen::Test => Still::Works,
        Seen::Refused { code } => Still::Refused { code },
        Seen::Inactive { reason, .. } | Seen::Unknown { reason, .. } => Still::Unsure(reason),
    }
}

/// A SID as it stands, and with its hex digits in lower case where they are not: which of the two Twilio takes is not
/// stated.
fn spellings(sid: &str) -> Vec<String> {
    let lower = format!("{}{}", &sid[..2], sid[2..].to_ascii_lowercase());
    if lower == sid { vec![lower] } else { vec![sid.to_owned(), lower] }
}

fn settle(
    seen: Seen,
    region: Region,
    asked: &[Region],
    sid: String,
    secret: Secret,
    is_token: bool,
) -> Settled {
    let mut verdict = Verdict::unverified();
    verdict.region = Some(region.to_string());
    let (own_account, own_key) = if is_token { (Some(sid.clone()), None) } else { (None, Some(sid.clone())) };
    let mut settled = Settled { verdict, account: None, key: None, foreign: false, pair: None };
    let verdict = &mut settled.verdict;
    match seen {
        Seen::Live(live) => {
            verdict.state = VerdictState::Live;
            verdict.kind = Some(live.kind);
            verdict.code = live.code;
            verdict.reason = live.reason;
            settled.foreign = !live.not_of.is_empty();
            if settled.foreign {
                let wrong = format!("it does not belong to {}", live.not_of.join(" or "));
                verdict.reason =
                    Some(verdict.reason.take().map_or(wrong.clone(), |reason| format!("{reason}; {wrong}")));
            }
            verdict.owner.clone_from(&live.owner);
            verdict.parent = live.parent;
            settled.account = live.owner.or(own_account);
            settled.key = own_key;
            let of = settled.account.clone();
            settled.pair = Some((Pair { user: sid, secret, account: of }, region));
        }
        Seen::Test => {
            verdict.state = VerdictState::Test;
            verdict.kind = Some(VerdictKind::TestToken);
            verdict.code = Some(20008);
            verdict.reason = Some("test credentials: they work, and cost and reach nothing".to_owned());
            settled.account = own_account;
        }
        Seen::Inactive { code, reason } => {
            verdict.state = VerdictState::Inactive;
            verdict.code = code;
            verdict.reason = Some(reason);
            verdict.owner.clone_from(&own_account);
            settled.account = own_account;
            settled.key = own_key;
        }
        Seen::Unknown { code, reason } => {
            verdict.state = VerdictState::Unknown;
            verdict.code = code;
            verdict.reason = Some(reason);
        }
        Seen::Refused { code } => {
            let regions = asked.iter().map(ToString::to_string).collect::<Vec<_>>();
            verdict.state = VerdictState::Rejected;
            verdict.code = Some(code);
            verdict.region = Some(regions.join(","));
            verdict.reason = Some(format!("not accepted in {}", regions.join(", ")));
        }
    }
    settled
}

/// An Auth Token, by asking for its own account.
async fn token(client: &Client, pair: &Pair, region: Region) -> Seen {
    let account = match account::account(client, region, &pair.user, pair).await {
        Ok(account) => account,
        Err(unreadable) => return meaning(unreadable),
    };
    if account.status != "active" {
        return not_active(&account);
    }
    let kind = match account.token.is_of(&pair.secret) {
        Some(true) => VerdictKind::PrimaryToken,
        Some(false) if region == Region::Us1 => VerdictKind::SecondaryToken,
        // Whether the account's description shows the tokens of other regions is not stated.
        Some(false) | None => VerdictKind::AuthToken,
    };
    let parent = account.parent().map(str::to_owned);
    Seen::Live(Box::new(Live {
        kind,
        code: None,
        reason: account
            .type_
            .as_deref()
            .filter(|type_| *type_ == "Trial")
            .map(|_| "a trial account".to_owned()),
        owner: Some(account.sid),
        parent,
        not_of: Vec::new(),
    }))
}

fn not_active(account: &Account) -> Seen {
    let status = if account.status == "closed" { "closed" } else { "suspended" };
    Seen::Inactive { code: None, reason: format!("its account is {status}") }
}

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
enum First {
    /// It works, and is not known to be Restricted.
    Works(Option<String>),
    /// It works, is Restricted, and lacks this.
    Lacks(String),
    Seen(Seen),
}

/// An API key: whether it works without regard to an account, then what kind it is, then whose.
async fn key(client: &Client, pair: &Pair, accounts: &[String], region: Region) -> Seen {
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
async fn first(client: &Client, pair: &Pair, accounts: &[String], region: Region) -> First {
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
