//! Reading of accounts, their keys and lists, page by page.

use serde::Deserialize;

use super::change::Change;
use super::client::{Client, Fault};
use super::pair::Pair;
use super::product::Product;
use super::reading::{self, Reading, Refusal};
use crate::model::{Account, Key, Region, TokenDigest};

/// A page of a classic list may have up to 1000 rows.
const PAGE: usize = 1000;
/// A list that goes on for longer than this is no list.
const MOST_PAGES: usize = 1000;

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Twilio said no.
    #[error("Twilio refused it (error {}, status {})", .0.code, .0.status)]
    Refused(Refusal),
    /// Something else answered.
    #[error("{0}")]
    Foreign(String),
    /// Nothing answered.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Unreadable {
    /// Twilio's error code.
    #[must_use]
    pub fn code(&self) -> Option<u32> {
        match self {
            Self::Refused(refusal) => Some(refusal.code),
            _ => None,
        }
    }

    /// Whether it is Twilio's word, and no fault of a moment: no pause that it asks for, and no error of its own.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status < 500 && refusal.status != 429)
    }

    /// Whether it is Twilio's word that the pair is not accepted here.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.is(401, 20003)
    }

    /// Whether there is no such thing.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.is(404, 20404)
    }

    /// A code counts with its own status only: with another the two contradict each other.
    fn is(&self, status: u16, code: u32) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == status && refusal.code == code && !refusal.stripped)
    }
}

/// Reads one thing.
pub async fn read<T: serde::de::DeserializeOwned>(
    client: &Client,
    product: Product,
    region: Region,
    path: &str,
    pair: &Pair,
) -> Result<T, Unreadable> {
    let answer = client.get(product, region, path, pair).await?;
    match answer.reading() {
        Reading::Done => reading::body(&answer.body).map_err(Unreadable::Foreign),
        Reading::Refused(refusal) => Err(Unreadable::Refused(refusal)),
        Reading::Foreign(reason) => Err(Unreadable::Foreign(reason)),
    }
}

/// A page of a classic list; `R` names the rows.
#[derive(Deserialize)]
struct Page<R> {
    #[serde(flatten)]
    rows: R,
    #[serde(default)]
    next_page_uri: Option<String>,
}

/// A list's rows under the list's own name.
trait Rows: serde::de::DeserializeOwned {
    type Row;
    fn into_rows(self) -> Vec<Self::Row>;
}

#[derive(Deserialize)]
struct Accounts {
    accounts: Vec<Account>,
}

impl Rows for Accounts {
    type Row = Account;
    fn into_rows(self) -> Vec<Account> {
        self.accounts
    }
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<Key>,
}

impl Rows for Keys {
    type Row = Key;
    fn into_rows(self) -> Vec<Key> {
        self.keys
    }
}

#[derive(Deserialize)]
struct NumberRow {
    #[serde(rename = "sid")]
    _sid: String,
}

#[derive(Deserialize)]
struct Numbers {
    incoming_phone_numbers: Vec<NumberRow>,
}

impl Rows for Numbers {
    type Row = NumberRow;
    fn into_rows(self) -> Vec<NumberRow> {
        self.incoming_phone_numbers
    }
}

/// Follows `next_page_uri` on the same host until it ends.
async fn list<R: Rows>(
    client: &Client,
    region: Region,
    path: &str,
    pair: &Pair,
) -> Result<Vec<R::Row>, Unreadable> {
    let mut rows = Vec::new();
    let mut path = path.to_owned();
    for _ in 0..MOST_PAGES {
        let page: Page<R> = read(client, Product::Api, region, &path, pair).await?;
        rows.extend(page.rows.into_rows());
        match page.next_page_uri {
            None => return Ok(rows),
            // It is relative to the host; anything else could lead away from it.
            Some(next) if next.starts_with("/2010-04-01/") && next != path => path = next,
            Some(_) => return Err(Unreadable::Foreign("a next page that leads elsewhere".to_owned())),
        }
    }
    Err(Unreadable::Foreign(format!("a list of more than {MOST_PAGES} pages")))
}

/// One account.
pub async fn account(client: &Client, region: Region, sid: &str, pair: &Pair) -> Result<Account, Unreadable> {
    let account: Account =
        read(client, Product::Api, region, &format!("/2010-04-01/Accounts/{sid}.json"), pair).await?;
    if account.sid.eq_ignore_ascii_case(sid) {
        Ok(account)
    } else {
        Err(Unreadable::Foreign("an answer about another account".to_owned()))
    }
}

/// All accounts that the pair sees, its own first.
pub async fn accounts(client: &Client, region: Region, pair: &Pair) -> Result<Vec<Account>, Unreadable> {
    let mut all =
        list::<Accounts>(client, region, &format!("/2010-04-01/Accounts.json?PageSize={PAGE}"), pair).await?;
    all.sort_by_key(|account| (account.parent().is_some(), account.sid.clone()));
    Ok(all)
}

/// The account that a key belongs to, if the key may read accounts: a subaccount's key sees its own row only, the
/// parent's key sees all of its rows.
pub async fn owner_by_accounts(
    client: &Client,
    region: Region,
    pair: &Pair,
) -> Result<Option<Account>, Unreadable> {
    let page: Page<Accounts> =
        read(client, Product::Api, region, "/2010-04-01/Accounts.json?PageSize=1", pair).await?;
    let Some(first) = page.rows.accounts.into_iter().next() else { return Ok(None) };
    if first.parent().is_none() || page.next_page_uri.is_none() {
        return Ok(Some(first));
    }
    // More rows than one: the parent's list, of which a subaccount happened to come first.
    let parent = first.owner_account_sid.clone();
    Ok(Some(Account {
        sid: parent.clone(),
        owner_account_sid: parent,
        token: TokenDigest::default(),
        ..first
    }))
}

/// All keys of an account.
pub async fn keys(
    client: &Client,
    region: Region,
    account: &str,
    pair: &Pair,
) -> Result<Vec<Key>, Unreadable> {
    list::<Keys>(client, region, &format!("/2010-04-01/Accounts/{account}/Keys.json?PageSize={PAGE}"), pair)
        .await
}

/// A page of a product's list of keys.
#[derive(Deserialize)]
struct ProductPage {
    keys: Vec<Key>,
    meta: Meta,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    next_page_url: Option<String>,
}

/// All keys of the account that asks, Restricted ones too; us1 only.
pub async fn all_keys(client: &Client, account: &str, pair: &Pair) -> Result<Vec<Key>, Unreadable> {
    let home = format!("https://{}", Product::Iam.host(Region::Us1));
    let mut keys = Vec::new();
    let mut path = format!("/v1/Keys?AccountSid={account}&PageSize={PAGE}");
    for _ in 0..MOST_PAGES {
        let page: ProductPage = read(client, Product::Iam, Region::Us1, &path, pair).await?;
        keys.extend(page.keys);
        let Some(next) = page.meta.next_page_url else { return Ok(keys) };
        // It is absolute, and must not lead away.
        match next.strip_prefix(&home) {
            Some(next) if next.starts_with("/v1/Keys") && next != path => next.clone_into(&mut path),
            _ => return Err(Unreadable::Foreign("a next page that leads elsewhere".to_owned())),
        }
    }
    Err(Unreadable::Foreign(format!("a list of more than {MOST_PAGES} pages")))
}

/// How many phone numbers an account has.
pub async fn numbers(client: &Client, region: Region, account: &str, pair: &Pair) -> Result<u64, Unreadable> {
    let path = format!("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json?PageSize={PAGE}");
    Ok(list::<Numbers>(client, region, &path, pair).await?.len() as u64)
}

/// Whether a key belongs to an account, asked with the cheapest list that every kind of key but Restricted may read.
pub async fn is_of_account(
    client: &Client,
    region: Region,
    account: &str,
    pair: &Pair,
) -> Result<(), Unreadable> {
    let path = format!("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json?PageSize=1");
    read::<Page<Numbers>>(client, Product::Api, region, &path, pair).await.map(|_| ())
}

/// A part of a path that was checked: SIDs are letters and digits, whatever a report or an answer says.
#[must_use]
pub fn is_sid(text: &str, prefix: &str) -> bool {
    text.len() == 34 && text.starts_with(prefix) && text[2..].bytes().all(|b| b.is_ascii_hexdigit())
}

/// What a subaccount's status may be set to. Closing is for good, and is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It works.
    Active,
    /// No traffic, and no credential of its own works; its numbers are kept.
    Suspended,
}

impl Status {
    /// Twilio's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

/// Sets a subaccount's status with its parent's credential.
pub async fn set_status(client: &Client, account: &str, status: Status, pair: &Pair) -> Change {
    let path = format!("/2010-04-01/Accounts/{account}.json");
    Change::of(client.post(Product::Api, Region::Us1, &path, pair, &[("Status", status.as_str())]).await)
}
