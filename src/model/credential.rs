//! What findings add up to: something that can be asked about and taken out of service.

use serde::{Deserialize, Serialize};

use super::{Exposure, Fingerprint, Region};

/// What a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialType {
    /// An Auth Token, with the account it belongs to where that is known.
    AuthToken,
    /// An API key: its SID, its secret, or both.
    ApiKey,
    /// An Access Token JWT.
    AccessToken,
    /// An OAuth app.
    OauthApp,
    /// A key that signs webhooks.
    WebhookSharedKey,
    /// A `SendGrid` key.
    SendgridApiKey,
    /// A Segment token.
    SegmentApiToken,
    /// An Authy key.
    AuthyApiKey,
    /// An Account SID that stands alone: an identifier, nothing to revoke.
    AccountSid,
}

/// One possible partner of a value whose partner is in doubt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tie {
    /// The Account SID or key SID.
    pub sid: String,
    /// What ties them, in words.
    pub evidence: String,
}

/// A credential with all its places.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Credential {
    /// Identity across runs.
    pub id: Fingerprint,
    /// What it is.
    #[serde(rename = "type")]
    pub type_: CredentialType,
    /// The account, where known.
    pub account_sid: Option<String>,
    /// The key's SID, where known.
    pub key_sid: Option<String>,
    /// Its findings.
    pub findings: Vec<Fingerprint>,
    /// What tied its parts together, in words.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// Partners that are as likely as the one named, best first; empty where there is no doubt.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub ambiguous: Vec<Tie>,
    /// When an Access Token stops working, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires: Option<String>,
    /// Regions that the code around it speaks of, nearest first; us1 goes without saying.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub region_hints: Vec<Region>,
    /// Whether it works.
    pub verdict: Verdict,
    /// What it reaches, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exposure: Option<Exposure>,
    /// What to do.
    pub remedy: Remedy,
}

/// Whether a credential works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictState {
    /// It works.
    Live,
    /// It is a working test credential.
    Test,
    /// It was refused, in the region named.
    Rejected,
    /// Its account is suspended or closed.
    Inactive,
    /// Asking gave no answer that can be relied on.
    Unknown,
    /// Nobody asked.
    Unverified,
}

/// What kind of credential it turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    /// An Auth Token, whether primary or secondary is not known.
    AuthToken,
    /// The Auth Token that signs webhooks.
    PrimaryToken,
    /// The Auth Token that is to follow the primary.
    SecondaryToken,
    /// The token of test credentials.
    TestToken,
    /// A key that may do everything.
    MainKey,
    /// A key that may do everything but accounts and keys.
    StandardKey,
    /// A key that may do what its policy allows.
    RestrictedKey,
    /// An OAuth app, whose access tokens may do what its policy allows.
    OauthApp,
}

impl VerdictKind {
    /// What a person calls it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::AuthToken => "Auth Token",
            Self::PrimaryToken => "primary Auth Token",
            Self::SecondaryToken => "secondary Auth Token",
            Self::TestToken => "test token",
            Self::MainKey => "Main key",
            Self::StandardKey => "Standard key",
            Self::RestrictedKey => "Restricted key",
            Self::OauthApp => "OAuth app",
        }
    }
}

/// The answer to whether a credential works, and since when that is known.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verdict {
    /// The answer.
    pub state: VerdictState,
    /// What kind of credential it turned out to be.
    pub kind: Option<VerdictKind>,
    /// The regions that were asked, or the one where it works.
    pub region: Option<String>,
    /// Twilio's error code.
    pub code: Option<u32>,
    /// Why, in words.
    pub reason: Option<String>,
    /// The SIDs that it was tried with, where all of them were refused.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tried: Vec<String>,
    /// How many SIDs that it may belong to were not tried: then a refusal says nothing of the credential.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub left: Option<u64>,
    /// The account that owns it.
    pub owner: Option<String>,
    /// The parent of that account, where it is a subaccount.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<String>,
    /// Whether the account is one of those that the administrator's credential sees; left out where nobody looked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ours: Option<bool>,
    /// When it was asked, RFC 3339.
    pub checked_at: Option<String>,
}

impl Verdict {
    /// Adds a reason to those that it gives.
    pub fn add(&mut self, words: &str) {
        self.reason = Some(match self.reason.take() {
            Some(reason) => format!("{reason}; {words}"),
            None => words.to_owned(),
        });
    }

    /// The verdict of a credential that nobody asked about.
    #[must_use]
    pub fn unverified() -> Self {
        Self {
            state: VerdictState::Unverified,
            kind: None,
            region: None,
            code: None,
            reason: None,
            tried: Vec::new(),
            left: None,
            owner: None,
            parent: None,
            ours: None,
            checked_at: None,
        }
    }
}

/// What to do about a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemedyAction {
    /// Delete the API key.
    DeleteKey,
    /// Rotate the Auth Token in the console.
    RotateAuthTokenInConsole,
    /// Delete the secondary Auth Token.
    DeleteSecondaryToken,
    /// Rotate the OAuth app's secret or delete the app.
    RotateOauthSecret,
    /// Delete the key that signs webhooks.
    DeleteSharedKey,
    /// Delete the key at the service that made it.
    DeleteAtVendor,
    /// It works and is somebody else's: tell them.
    TellOwner,
    /// Nothing.
    None,
}

/// What to do about a credential, in steps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Remedy {
    /// The action.
    pub action: RemedyAction,
    /// How, step by step.
    pub steps: Vec<String>,
}
