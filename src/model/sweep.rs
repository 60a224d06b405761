//! What happened in an account since a date: changes that were recorded, things that are new, and what could not be read.

use serde::{Deserialize, Serialize};

use super::{AdminName, Unread};

/// The schema's name.
pub const SWEEP_SCHEMA: &str = "sidsweep/sweep/1";

/// A recorded change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// When, RFC 3339.
    pub at: String,
    /// For instance `account-api-keys.created`.
    #[serde(rename = "type")]
    pub type_: String,
    /// Whether it is of a kind that whoever holds a leaked credential makes.
    pub telling: bool,
    /// What was changed.
    pub resource_sid: Option<String>,
    /// By whom: `US…` or `AC…`. Twilio records no key.
    pub actor_sid: Option<String>,
    /// `user`, `account` or `admin`.
    pub actor_type: Option<String>,
    /// `web`, `api` or `twilio`.
    pub source: Option<String>,
    /// From which address.
    pub source_ip: Option<String>,
}

/// What a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThingKind {
    /// An API key.
    ApiKey,
    /// An OAuth app.
    OauthApp,
    /// A Connect app of the account's own.
    ConnectApp,
    /// Somebody else's Connect app, which the account let in.
    AuthorizedConnectApp,
    /// A rule that says who signs which webhooks.
    WebhookRule,
    /// A key that signs webhooks.
    SharedKey,
    /// A phone number.
    PhoneNumber,
    /// A subaccount.
    Subaccount,
    /// A user of the organization.
    User,
    /// A country that may be called on numbers that fraud uses.
    CallsTo,
    /// A country that messages may be sent to.
    MessagesTo,
}

impl ThingKind {
    /// What people call one, and several.
    #[must_use]
    pub fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::ApiKey => ("API key", "API keys"),
            Self::OauthApp => ("OAuth app", "OAuth apps"),
            Self::ConnectApp => ("Connect app", "Connect apps"),
            Self::AuthorizedConnectApp => ("authorized Connect app", "authorized Connect apps"),
            Self::WebhookRule => ("webhook rule", "webhook rules"),
            Self::SharedKey => ("webhook SharedKey", "webhook SharedKeys"),
            Self::PhoneNumber => ("phone number", "phone numbers"),
            Self::Subaccount => ("subaccount", "subaccounts"),
            Self::User => ("user", "users"),
            Self::CallsTo => ("country with high-risk calls", "countries with high-risk calls"),
            Self::MessagesTo => ("country with messages", "countries with messages"),
        }
    }
}

/// Something that an account has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thing {
    /// What it is.
    pub kind: ThingKind,
    /// Its SID, its id, or the country's code.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// When it was made, RFC 3339; `null` where Twilio does not say.
    pub created: Option<String>,
}

/// What was read of one kind of thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRead {
    /// What, in words.
    pub what: String,
    /// How many there are.
    pub count: u64,
}

/// How far back recorded changes reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Changes before this were not told of, or are not kept any more; RFC 3339.
    pub from: String,
    /// Whether that covers all of the time that was asked for.
    pub is_whole: bool,
    /// Why it reaches so far, in words.
    pub why: String,
}

/// What happened since.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sweep {
    /// [`SWEEP_SCHEMA`].
    pub schema: String,
    /// Whose eyes it was seen with.
    pub admin: AdminName,
    /// The account.
    pub account_sid: String,
    /// Since when, RFC 3339.
    pub since: String,
    /// When it was asked, RFC 3339.
    pub asked_at: String,
    /// How far back the recorded changes reach; `null` where they could not be read.
    pub reach: Option<Reach>,
    /// Recorded changes, the newest first.
    pub events: Vec<Recorded>,
    /// Things that were made since.
    pub new: Vec<Thing>,
    /// Things of which Twilio does not say when they were made: a person looks at each.
    pub undated: Vec<Thing>,
    /// What was read.
    pub read: Vec<PartRead>,
    /// What could not be read, and why.
    pub unread: Vec<Unread>,
    /// What was left out by the command's own wish.
    pub left_out: Vec<String>,
}
