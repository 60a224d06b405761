//! A plan: what will be done about each leaked credential, and what not and why. It holds no secret.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{AdminName, Fingerprint, Region, Source, VerdictKind, VerdictState};

/// The schema's name, in every plan.
pub const PLAN_SCHEMA: &str = "sidsweep/plan/1";

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Deletes an API key through the account that owns it.
    DeleteKey,
    /// Deletes an OAuth app of an account, and its access tokens with it.
    DeleteOauthApp,
    /// Deletes a key that signs webhooks.
    DeleteSharedKey,
    /// Deletes the secondary Auth Token of an account.
    DeleteSecondaryToken,
    /// Nothing by itself: a person follows the steps, and the old credential is tried afterwards.
    Manual,
}

/// How the world looked when the plan was made; it must look the same when it is carried out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// `active`, `suspended` or `closed`.
    pub account_status: Option<String>,
    /// What people call the key.
    pub key_name: Option<String>,
    /// When the key was made, as Twilio states it.
    pub key_created: Option<String>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// From 1, in the order in which they are done.
    pub n: u32,
    /// What.
    pub action: Action,
    /// The account that owns the credential.
    pub account_sid: String,
    /// Its parent, where it is a subaccount.
    pub parent_sid: Option<String>,
    /// The key, where it is one.
    pub key_sid: Option<String>,
    /// The OAuth app or SharedKey, where it is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<String>,
    /// The leaked credential; its value is read again where it stands. None only for what is named on the command line, and in plans
    /// for a whole account.
    pub credential: Option<Fingerprint>,
    /// What kind of credential it is.
    pub kind: Option<VerdictKind>,
    /// Where it is valid.
    pub region: Region,
    /// Why it is to be done.
    pub why: String,
    /// What stops working.
    pub breaks: Vec<String>,
    /// What a person does.
    pub manual: Vec<String>,
    /// The world at the time.
    pub seen: Seen,
    /// The files where the credential stands.
    pub places: Vec<String>,
}

/// A credential that the plan does nothing about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// Which.
    pub credential: Fingerprint,
    /// Its key, where known.
    pub key_sid: Option<String>,
    /// Its account, where known.
    pub account_sid: Option<String>,
    /// Why.
    pub reason: String,
    /// Whether it works, as far as that is known; plans of older versions do not say so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<VerdictState>,
    /// Whether its account is one of those that the administrator's credential sees, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ours: Option<bool>,
}

/// A whole account that a plan is for: proof of ownership stands in for proof of leak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WholeAccount {
    /// The account.
    pub account_sid: String,
    /// Only what was made since then, RFC 3339; none: everything.
    pub since: Option<String>,
    /// What of the account stays, and why.
    pub kept: Vec<Kept>,
}

/// A key or OAuth app that a plan for a whole account leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// `SK…` or `OQ…`.
    pub sid: String,
    /// What people call it.
    pub name: Option<String>,
    /// When it was made, as Twilio states it.
    pub created: Option<String>,
    /// Why it stays.
    pub reason: String,
}

/// What will be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`PLAN_SCHEMA`].
    pub schema: String,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// Whose credential it was made with.
    pub admin: AdminName,
    /// SHA-256 of all the rest.
    pub digest: String,
    /// The account, for a plan that deletes all keys and OAuth apps of one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account: Option<WholeAccount>,
    /// Where the credentials were found, with absolute roots.
    pub sources: Vec<Source>,
    /// Most dangerous first; the key that the tool itself runs on last.
    pub steps: Vec<Step>,
    /// What is not done, and why.
    pub left_out: Vec<LeftOut>,
}

impl Plan {
    /// The digest that this plan must have. It shows that a plan is as it was made; that a key is really the leaked one
    /// is shown by its leaked secret, which must work when the plan is carried out.
    #[must_use]
    pub fn right_digest(&self) -> String {
        let bare = Self { digest: String::new(), ..self.clone() };
        // A plan is made of strings and numbers only: writing it cannot fail.
        let text = serde_json::to_vec(&bare).unwrap_or_default();
        data_encoding::HEXLOWER.encode(&Sha256::digest(&text))
    }
}
