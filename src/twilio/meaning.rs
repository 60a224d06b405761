//! What an answer means for the credential that asked: one table over HTTP status, Twilio's error code, product, region
//! and kind of credential. Dead is 401 with 20003 and nothing else; whatever the table does not name says nothing.

use super::product::Product;
use super::reading::Refusal;
use crate::model::Region;

/// Which kind of credential asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// An Account SID with an Auth Token.
    Token,
    /// A key SID with its secret.
    Key,
}

impl Holder {
    /// By the user name of a Basic pair.
    #[must_use]
    pub fn of(user: &str) -> Self {
        if user.starts_with("AC") { Self::Token } else { Self::Key }
    }
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The credential works, and may do this.
    Accepted,
    /// It works and lacks the permission: a Restricted key.
    Limited,
    /// It is a working test credential.
    Test,
    /// It is not accepted here.
    Refused,
    /// Its account is not active, or it may not do this: another product tells the two apart.
    Inactive,
    /// Nothing about the credential, for this reason.
    Unclear(Why),
}

/// Why an answer says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The account takes signed requests only.
    SignedOnly,
    /// The request arrived without credentials.
    Stripped,
    /// 429.
    Busy,
    /// 20003 with a status that contradicts it.
    Contradiction,
    /// 20003 of a product that the region's list does not name.
    NotOfRegion,
    /// Any other error.
    Other,
}

/// An error as the table sees it.
#[derive(Debug, Clone, Copy)]
pub struct Answered {
    /// HTTP.
    pub status: u16,
    /// Twilio's error code; none for 2xx.
    pub code: Option<u32>,
    /// Whose host answered.
    pub product: Product,
    /// Where.
    pub region: Region,
    /// Who asked.
    pub holder: Holder,
    /// Whether the message names a permission that is missing.
    pub permission: bool,
    /// Whether the message says that no credentials came.
    pub stripped: bool,
}

/// A row: what it asks of an answer. `None` and an empty list ask nothing.
struct Row {
    status: (u16, u16),
    codes: &'static [u32],
    holder: Option<Holder>,
    /// Whether the product counts in the region.
    counts: Option<bool>,
    permission: Option<bool>,
    stripped: Option<bool>,
    meaning: Meaning,
}

const ROW: Row = Row {
    status: (400, 499),
    codes: &[],
    holder: None,
    counts: None,
    permission: None,
    stripped: None,
    meaning: Meaning::Unclear(Why::Other),
};

/// Codes of accounts that are suspended, closed, out of funds, or whose parent is.
const NOT_ACTIVE: &[u32] = &[10001, 20005, 90010];

/// The table: the first row that fits counts.
const ROWS: &[Row] = &[
    Row { status: (200, 299), meaning: Meaning::Accepted, ..ROW },
    Row { status: (429, 429), meaning: Meaning::Unclear(Why::Busy), ..ROW },
    Row { codes: &[20429], meaning: Meaning::Unclear(Why::Busy), ..ROW },
    Row { codes: &[20003], stripped: Some(true), meaning: Meaning::Unclear(Why::Stripped), ..ROW },
    Row {
        status: (401, 401),
        codes: &[20003],
        counts: Some(false),
        meaning: Meaning::Unclear(Why::NotOfRegion),
        ..ROW
    },
    Row { status: (401, 401), codes: &[20003], meaning: Meaning::Refused, ..ROW },
    Row { codes: &[20003], meaning: Meaning::Unclear(Why::Contradiction), ..ROW },
    Row { codes: &[70052], meaning: Meaning::Unclear(Why::SignedOnly), ..ROW },
    // Seen as 401 on the classic API; which status other hosts give is not stated, so the message decides.
    Row {
        codes: &[70051],
        holder: Some(Holder::Key),
        permission: Some(true),
        meaning: Meaning::Limited,
        ..ROW
    },
    Row { status: (403, 403), codes: &[20008], holder: Some(Holder::Token), meaning: Meaning::Test, ..ROW },
    Row { status: (403, 403), codes: &[20403], meaning: Meaning::Inactive, ..ROW },
    Row { codes: NOT_ACTIVE, meaning: Meaning::Inactive, ..ROW },
];

/// What an answer means.
#[must_use]
pub fn meaning(answered: &Answered) -> Meaning {
    let counts = answered.product.counts(answered.region);
    let fits = |row: &&Row| {
        (row.status.0..=row.status.1).contains(&answered.status)
            && (row.codes.is_empty() || answered.code.is_some_and(|code| row.codes.contains(&code)))
            && row.holder.is_none_or(|holder| holder == answered.holder)
            && row.counts.is_none_or(|wanted| wanted == counts)
            && row.permission.is_none_or(|wanted| wanted == answered.permission)
            && row.stripped.is_none_or(|wanted| wanted == answered.stripped)
    };
    ROWS.iter().find(fits).map_or(Meaning::Unclear(Why::Other), |row| row.meaning)
}

impl Answered {
    /// An error that a product gave.
    #[must_use]
    pub fn refusal(refusal: &Refusal, product: Product, region: Region, holder: Holder) -> Self {
        Self {
            status: refusal.status,
            code: Some(refusal.code),
            product,
            region,
            holder,
            permission: refusal.permission.is_some(),
            stripped: refusal.stripped,
        }
    }

    /// The reason in words, for an answer that says nothing.
    #[must_use]
    pub fn words(&self, why: Why) -> String {
        let code = self.code.unwrap_or_default();
        match why {
            Why::SignedOnly => "its account accepts only signed requests (public key client validation), so whether it works cannot be asked".to_owned(),
            Why::Stripped => "the credentials did not reach Twilio; something on the way took them out".to_owned(),
            Why::Busy => "Twilio was too busy to answer (429); ask again later".to_owned(),
            Why::Contradiction => {
                format!("Twilio answered error {code} with status {}, which contradict each other", self.status)
            }
            Why::NotOfRegion => format!("{} is not offered in {}", self.product.name(), self.region),
            Why::Other => format!("Twilio answered error {code} (status {})", self.status),
        }
    }
}
