//! Whether a credential works, what kind it is and whose. All requests read. The error code decides; what is not
//! Twilio's clear word is unknown, never dead.

mod key;

use super::account::{self, Unreadable};
use super::client::Client;
use super::pair::Pair;
use crate::model::{Account, Region, Secret, Verdict, VerdictKind, VerdictState};
use key::{First, first, key};

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
                verdict.add(&format!("it does not belong to {}", live.not_of.join(" or ")));
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
