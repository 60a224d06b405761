//! What a live credential reaches: counts and states, never contents of messages or calls.

use serde::{Deserialize, Serialize};

/// What could be read with a credential, and what could not.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Exposure {
    /// The account's name.
    pub account_name: Option<String>,
    /// `active`, `suspended` or `closed`.
    pub account_status: Option<String>,
    /// `Full` or `Trial`.
    pub account_type: Option<String>,
    /// How many subaccounts it reaches.
    pub subaccounts: Option<u64>,
    /// How many phone numbers.
    pub numbers: Option<u64>,
    /// How many API keys it could use, change or delete.
    pub keys: Option<u64>,
    /// What the account spent, subaccounts included.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub spend: Vec<Spend>,
    /// Changes to credentials and permissions that Twilio recorded in the last 30 days. Reads and sends are not
    /// recorded at all, so none here never means that it was not used.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub events: Vec<SecurityEvent>,
    /// Whether those changes could be read.
    pub events_read: bool,
    /// What could not be read, and why.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub unread: Vec<Unread>,
}

/// What was spent in a span of time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Spend {
    /// `today`, `yesterday` or `this_month`.
    pub span: String,
    /// As Twilio states it.
    pub price: String,
    /// A currency, e.g. `usd`.
    pub unit: String,
}

/// A recorded change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecurityEvent {
    /// When, RFC 3339.
    pub date: String,
    /// For instance `account-api-keys.created`.
    #[serde(rename = "type")]
    pub type_: String,
    /// What was changed.
    pub resource: Option<String>,
    /// From where.
    pub source_ip: Option<String>,
}

/// Something that could not be read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Unread {
    /// What.
    pub what: String,
    /// Why.
    pub reason: String,
}
