//! A line of the journal: what was about to be changed, and what came of it. The audit trail; never a secret.

use serde::{Deserialize, Serialize};

use super::{AdminName, Fingerprint};

/// The schema's name, in every line.
pub const JOURNAL_SCHEMA: &str = "sidsweep/journal/1";

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A run began.
    Started,
    /// A change is about to be asked for.
    Intent,
    /// The change was made.
    Done,
    /// Twilio refused: nothing was changed.
    Refused,
    /// Whether the change was made is not known.
    Unsure,
    /// The old credential was tried and refused.
    Proven,
    /// The old credential was tried and not refused, or nothing could be learned.
    Unproven,
    /// A secret was handed over.
    HandedOver,
    /// A secret could not be handed over.
    HandOverFailed,
    /// A step was not begun: nothing was asked for.
    NotDone,
    /// A run ended by itself.
    Finished,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// [`JOURNAL_SCHEMA`].
    pub schema: String,
    /// When, RFC 3339, UTC.
    pub at: String,
    /// Who, as the machine knows them.
    pub user: String,
    /// On which machine.
    pub host: String,
    /// In which process.
    pub pid: u32,
    /// Which work: a plan's digest, or the command.
    pub job: String,
    /// What happened.
    pub event: Event,
    /// What was done, in a word.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub action: Option<String>,
    /// The step of a plan.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step: Option<u32>,
    /// With whose credential.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub admin: Option<AdminName>,
    /// In which account.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account_sid: Option<String>,
    /// Which key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key_sid: Option<String>,
    /// Which OAuth app or SharedKey.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<String>,
    /// Which leaked credential.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub credential: Option<Fingerprint>,
    /// The answer's HTTP status.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// Twilio's error code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<u32>,
    /// Twilio's name for the request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub note: Option<String>,
    /// SHA-256 of the line before: a line that is taken out or changed shows.
    pub previous: String,
}
