//! Whether a credential works, what kind it is and whose. All requests read. What an answer means is a table
//! (`twilio/meaning.rs`); what is not Twilio's clear word is unknown, never dead.

mod key;
mod round;
mod settle;

use self::key::key;
use self::round::{Round, Subject, round};
use self::settle::{Tried, settle};
use super::account::{self, Unreadable};
use super::client::Client;
use super::meaning::{Answered, Holder, Meaning, meaning};
use super::oauth;
use super::pair::Pair;
use super::product::Product;
use crate::model::{Account, Region, Secret, Verdict, VerdictKind};

/// How many SIDs are tried with one secret whose partner is in doubt, and how many accounts with one key.
pub const MOST_TRIES: usize = 8;

const NOT_ACTIVE: &str = "its account is suspended, closed or otherwise not active";

/// What is asked about.
#[derive(Debug, Clone)]
pub enum Question {
    /// An Auth Token with the accounts that it may belong to, most likely first.
    Token {
        /// The token.
        token: Secret,
        /// Account SIDs.
        accounts: Vec<String>,
        /// How many more it may belong to, which are not tried.
        left: usize,
    },
    /// A key's secret with the key SIDs it may belong to, and the accounts that the key may belong to.
    Key {
        /// The secret.
        secret: Secret,
        /// Key SIDs.
        keys: Vec<String>,
        /// How many more it may belong to, which are not tried.
        left: usize,
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

    fn left(&self) -> usize {
        let (Self::Token { left, .. } | Self::Key { left, .. }) = self;
        *left
    }

    fn holder(&self) -> Holder {
        match self {
            Self::Token { .. } => Holder::Token,
            Self::Key { .. } => Holder::Key,
        }
    }

    /// Every pair that is tried, region by region.
    fn tries(&self, regions: &[Region]) -> Vec<Try> {
        let (Self::Token { accounts: sids, .. } | Self::Key { keys: sids, .. }) = self;
        let of = |region: Region, sid: String| Try {
            region,
            pair: match self {
                Self::Token { token, .. } => Pair::token(sid, token.clone()),
                Self::Key { secret, .. } => Pair::key(sid, secret.clone(), self.account()),
            },
        };
        let spelt: Vec<String> = sids.iter().flat_map(|sid| spellings(sid)).collect();
        regions.iter().flat_map(|&region| spelt.iter().map(move |sid| of(region, sid.clone()))).collect()
    }
}

/// One pair in one region.
struct Try {
    region: Region,
    pair: Pair,
}

/// How sure a refusal must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// One refusal is enough to go on to the next value: nothing is concluded from it.
    Glance,
    /// A verdict of rejected closes an incident: two products refuse it, twice.
    Verdict,
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

/// What an answer that is no "yes" means for the credential that asked.
fn seen(unreadable: Unreadable, product: Product, region: Region, holder: Holder) -> Seen {
    let refusal = match unreadable {
        Unreadable::Refused(refusal) => refusal,
        Unreadable::Foreign(reason) => return Seen::Unknown { code: None, reason },
        Unreadable::Fault(fault) => return Seen::Unknown { code: None, reason: fault.to_string() },
    };
    let answered = Answered::refusal(&refusal, product, region, holder);
    let code = answered.code;
    match meaning(&answered) {
        Meaning::Refused => Seen::Refused { code: refusal.code },
        Meaning::Test => Seen::Test,
        Meaning::Inactive => Seen::Inactive { code, reason: NOT_ACTIVE.to_owned() },
        Meaning::Unclear(why) => Seen::Unknown { code, reason: answered.words(why) },
        // Both are told apart before; here nothing more is known of it.
        Meaning::Accepted | Meaning::Limited => {
            Seen::Unknown { code, reason: format!("Twilio answered error {}", refusal.code) }
        }
    }
}

/// Asks Twilio. `regions` are tried in turn until one settles it.
pub async fn verify(client: &Client, question: &Question, regions: &[Region], depth: Depth) -> Settled {
    let tries = question.tries(regions);
    let mut best: Option<(Seen, usize)> = None;
    let mut asked = 0;
    for (number, Try { region, pair }) in tries.iter().enumerate() {
        let seen = match question {
            Question::Token { .. } => token(client, pair, *region).await,
            Question::Key { accounts, .. } => key(client, pair, accounts, *region).await,
        };
        asked = number + 1;
        let settles = seen.settles();
        if best.as_ref().is_none_or(|(known, _)| known.rank() < seen.rank()) {
            best = Some((seen, number));
        }
        if settles {
            break;
        }
    }
    let Some((mut seen, mut number)) = best else { return settle::unasked(question.holder()) };
    let is_final = matches!(seen, Seen::Refused { .. }) && question.left() == 0;
    if is_final && depth == Depth::Verdict {
        (seen, number) = doubted(client, question, &tries).await.unwrap_or((seen, number));
    }
    let tried = Tried::of(&tries[..asked], question);
    settle(seen, &tries[number], &tried)
}

/// Asks about what was refused by other products, and after a pause again by two; `None` if it is refused each time.
async fn doubted(client: &Client, question: &Question, tries: &[Try]) -> Option<(Seen, usize)> {
    let (known, guess) = match question {
        Question::Token { .. } => (Product::Api, None),
        Question::Key { .. } => (Product::Verify, question.account()),
    };
    for again in [false, true] {
        if again {
            tokio::time::sleep(client.pause()).await;
        }
        let mut unclear = None;
        for (number, Try { region, pair }) in tries.iter().enumerate() {
            let subject = Subject { pair, region: *region, account: None, guess };
            let seen = match round(client, &subject, (!again).then_some(known), false).await {
                Round::Refused => continue,
                Round::Works { by, refused } => {
                    accepted_after_all(client, question, pair, *region, by, &refused).await
                }
                Round::Test => Seen::Test,
                Round::Inactive { code, reason } => Seen::Inactive { code, reason },
                Round::Unclear { code, reason } => {
                    unclear = unclear.or(Some((Seen::Unknown { code, reason }, number)));
                    continue;
                }
            };
            return Some((seen, number));
        }
        if unclear.is_some() {
            return unclear;
        }
    }
    None
}

/// A pair that one product refused and another accepts: it works, and one of them has not heard yet.
async fn accepted_after_all(
    client: &Client,
    question: &Question,
    pair: &Pair,
    region: Region,
    by: Product,
    refused: &[Product],
) -> Seen {
    let mut seen = match question {
        Question::Token { .. } => match token(client, pair, region).await {
            live @ (Seen::Live(_) | Seen::Inactive { .. }) => live,
            _ => Seen::Live(Box::new(Live {
                kind: VerdictKind::AuthToken,
                code: None,
                reason: None,
                owner: Some(pair.user.clone()),
                parent: None,
                not_of: Vec::new(),
            })),
        },
        Question::Key { accounts, .. } => key::works(client, pair, accounts, region, None, None).await,
    };
    if let Seen::Live(live) = &mut seen {
        let words = not_everywhere(by, refused);
        live.reason = Some(live.reason.take().map_or(words.clone(), |reason| format!("{reason}; {words}")));
    }
    seen
}

/// What is said of a credential that is refused and accepted at the same time.
fn not_everywhere(by: Product, refused: &[Product]) -> String {
    let names: Vec<&str> = refused.iter().map(|product| product.name()).collect();
    let who = if names.is_empty() { "one answer".to_owned() } else { names.join(" and ") };
    format!("not yet everywhere: {who} refused it (20003), and {} accepts it", by.name())
}

/// Whether a credential that worked still does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Still {
    /// It does.
    Works,
    /// One product refuses it and another accepts it.
    Partly(String),
    /// All products that were asked refuse it: Twilio's own word that it does not, at this moment.
    Refused {
        /// Twilio's error code.
        code: u32,
    },
    /// No clear word.
    Unsure(String),
}

/// Asks two of Twilio's products once whether a pair still works. `account` is the account it belongs to. `all` asks both
/// even if the first accepts it.
pub async fn still(client: &Client, pair: &Pair, region: Region, account: &str, all: bool) -> Still {
    if oauth::is_client_id(&pair.user) {
        // One product alone knows OAuth apps.
        return oauth::still(client, &pair.user, &pair.secret).await;
    }
    let subject = Subject { pair, region, account: Some(account), guess: None };
    match round(client, &subject, None, all).await {
        Round::Works { refused, .. } if refused.is_empty() => Still::Works,
        Round::Works { by, refused } => Still::Partly(not_everywhere(by, &refused)),
        Round::Test => Still::Works,
        Round::Refused => Still::Refused { code: 20003 },
        Round::Inactive { reason, .. } | Round::Unclear { reason, .. } => Still::Unsure(reason),
    }
}

/// A SID as it stands, and with its hex digits in lower case where they are not: which of the two Twilio takes is not
/// stated.
fn spellings(sid: &str) -> Vec<String> {
    let lower = format!("{}{}", &sid[..2], sid[2..].to_ascii_lowercase());
    if lower == sid { vec![lower] } else { vec![sid.to_owned(), lower] }
}

/// An Auth Token, by asking for its own account.
async fn token(client: &Client, pair: &Pair, region: Region) -> Seen {
    let account = match account::account(client, region, &pair.user, pair).await {
        Ok(account) => account,
        Err(unreadable) => return seen(unreadable, Product::Api, region, Holder::Token),
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
