//! One round of asking: what Twilio's products say about a pair at one time. A refusal is one product's word, and one
//! replica's; dead is what two products refuse, twice.

use super::key::{Services, Settings};
use crate::model::Region;
use crate::twilio::account::{self, Unreadable};
use crate::twilio::client::Client;
use crate::twilio::meaning::{Answered, Holder, Meaning, meaning};
use crate::twilio::pair::Pair;
use crate::twilio::product::Product;

/// How many products must refuse where more than one counts.
const PRODUCTS: usize = 2;

/// What is asked about.
pub(super) struct Subject<'a> {
    pub pair: &'a Pair,
    pub region: Region,
    /// The account that a key is known to belong to.
    pub account: Option<&'a str>,
    /// The account that a key is thought to belong to.
    pub guess: Option<&'a str>,
}

/// What a round came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Round {
    /// A product accepts it; others may have refused it before.
    Works { by: Product, refused: Vec<Product> },
    /// All refuse it that were asked, and enough were asked.
    Refused,
    /// It is a test credential.
    Test,
    /// Its account is not active.
    Inactive { code: Option<u32>, reason: String },
    /// Not enough of them gave a clear answer.
    Unclear { code: Option<u32>, reason: String },
}

/// A question that reads something small.
enum Probe<'a> {
    /// The account itself, by its token.
    Account,
    /// Verify's services: every kind of key, and no account in the path.
    Services,
    /// An account's numbers.
    Numbers(&'a str),
    /// The list of accounts: a Standard key is refused here though it works.
    Accounts,
    /// A setting of Insights: no account in the path.
    Settings,
}

impl Probe<'_> {
    fn product(&self) -> Product {
        match self {
            Self::Account | Self::Numbers(_) | Self::Accounts => Product::Api,
            Self::Services => Product::Verify,
            Self::Settings => Product::Insights,
        }
    }

    async fn ask(&self, client: &Client, region: Region, pair: &Pair) -> Result<(), Unreadable> {
        match self {
            Self::Account => account::account(client, region, &pair.user, pair).await.map(|_| ()),
            Self::Services => Services::read(client, region, pair).await.map(|_| ()),
            Self::Numbers(account) => account::is_of_account(client, region, account, pair).await,
            Self::Accounts => account::owner_by_accounts(client, region, pair).await.map(|_| ()),
            Self::Settings => Settings::read(client, region, pair).await.map(|_| ()),
        }
    }
}

impl Subject<'_> {
    /// What is asked, and how many of these are asked whatever the others say; the rest fill in.
    fn probes(&self) -> (Vec<Probe<'_>>, usize) {
        let of_account = self.account.or(self.guess).map_or(Probe::Accounts, Probe::Numbers);
        match (Holder::of(&self.pair.user), self.region) {
            (Holder::Token, Region::Us1) => (vec![Probe::Account, Probe::Services, Probe::Settings], 2),
            (Holder::Token, _) => (vec![Probe::Account], 1),
            // A key that is refused beside another's account may work: one more product is asked.
            (Holder::Key, Region::Us1) => (
                vec![Probe::Services, of_account, Probe::Settings],
                if self.account.is_some() { 2 } else { 3 },
            ),
            (Holder::Key, _) => (vec![of_account], 1),
        }
    }

    /// Whether a refusal outside of us1 says anything: only if the key is known to be of the account that was asked.
    fn can_be_refused(&self) -> bool {
        self.region == Region::Us1 || Holder::of(&self.pair.user) == Holder::Token || self.account.is_some()
    }
}

/// Asks product after product until one accepts the pair. `known` has refused it a moment ago and is not asked again.
/// `all` asks all of them, and does not stop at the first that accepts.
pub(super) async fn round(
    client: &Client,
    subject: &Subject<'_>,
    known: Option<Product>,
    all: bool,
) -> Round {
    let (probes, always) = subject.probes();
    let enough = if subject.region == Region::Us1 { PRODUCTS } else { 1 };
    let mut refused: Vec<Product> = Vec::new();
    let mut accepted: Option<Product> = None;
    let (mut inactive, mut unclear): (Option<Round>, Option<Round>) = (None, None);
    for (number, probe) in probes.iter().enumerate() {
        let product = probe.product();
        let heard = refused.len() + usize::from(accepted.is_some());
        if (number >= always && heard >= enough) || (accepted.is_some() && !all) {
            break;
        }
        if known == Some(product) {
            refused.push(product);
            continue;
        }
        match told(probe.ask(client, subject.region, subject.pair).await, product, subject) {
            Told::Accepted => accepted = accepted.or(Some(product)),
            Told::Refused => refused.push(product),
            Told::Test => return Round::Test,
            Told::Inactive(code) => {
                let reason = super::NOT_ACTIVE.to_owned();
                inactive = inactive.or(Some(Round::Inactive { code, reason }));
            }
            Told::Unclear(code, reason) => unclear = unclear.or(Some(Round::Unclear { code, reason })),
        }
    }
    if let Some(by) = accepted {
        return Round::Works { by, refused };
    }
    if let Some(inactive) = inactive {
        return inactive;
    }
    if refused.len() >= enough && subject.can_be_refused() {
        return Round::Refused;
    }
    let only = refused.iter().map(|product| product.name()).collect::<Vec<_>>().join(" and ");
    match unclear {
        Some(Round::Unclear { code, reason }) if !only.is_empty() => {
            Round::Unclear { code, reason: format!("only {only} refused it, and of the others: {reason}") }
        }
        Some(unclear) => unclear,
        None => Round::Unclear { code: Some(20003), reason: format!("only {only} refused it") },
    }
}

/// What one product said.
enum Told {
    Accepted,
    Refused,
    Test,
    Inactive(Option<u32>),
    Unclear(Option<u32>, String),
}

fn told(answer: Result<(), Unreadable>, product: Product, subject: &Subject<'_>) -> Told {
    match answer {
        Ok(()) => Told::Accepted,
        Err(Unreadable::Refused(refusal)) => {
            let answered =
                Answered::refusal(&refusal, product, subject.region, Holder::of(&subject.pair.user));
            match meaning(&answered) {
                Meaning::Accepted | Meaning::Limited => Told::Accepted,
                Meaning::Refused => Told::Refused,
                Meaning::Test => Told::Test,
                Meaning::Inactive => Told::Inactive(answered.code),
                Meaning::Unclear(why) => Told::Unclear(answered.code, answered.words(why)),
            }
        }
        Err(other) => Told::Unclear(None, other.to_string()),
    }
}
