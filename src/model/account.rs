//! An account as Twilio describes it, without its Auth Token: of that only a digest is kept, for comparing in memory.

use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Secret;

/// The SHA-256 of an Auth Token, read in the place of the token itself. Tokens are 128 random bits, so it gives
/// nothing away; it is not written anywhere all the same.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TokenDigest(Option<[u8; 32]>);

impl TokenDigest {
    /// The digest of a token. A field that is blank or masked holds none.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(is_token(token).then(|| Sha256::digest(token.as_bytes()).into()))
    }

    /// Whether this is the digest of that token; `None` where Twilio left it blank or masked, as it does for API keys.
    #[must_use]
    pub fn is_of(&self, token: &Secret) -> Option<bool> {
        self.0.map(|digest| Self(Some(digest)) == Self::of(token.expose()))
    }
}

impl std::fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenDigest")
    }
}

impl<'de> Deserialize<'de> for TokenDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let token: Option<Zeroizing<String>> =
            Option::<String>::deserialize(deserializer)?.map(Zeroizing::new);
        Ok(token.map_or_else(Self::default, |token| Self::of(&token)))
    }
}

/// Whether a text is an Auth Token: 32 hex digits, and nothing that stands in the place of one.
#[must_use]
pub fn is_token(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// An account or subaccount.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Account {
    /// `AC…`.
    pub sid: String,
    /// Its parent, or itself.
    pub owner_account_sid: String,
    /// What people call it.
    #[serde(default)]
    pub friendly_name: Option<String>,
    /// `active`, `suspended` or `closed`.
    pub status: String,
    /// `Full` or `Trial`.
    #[serde(rename = "type", default)]
    pub type_: Option<String>,
    /// For comparing only.
    #[serde(default, skip_serializing, rename = "auth_token")]
    pub token: TokenDigest,
}

impl Account {
    /// Its parent, where it is a subaccount.
    #[must_use]
    pub fn parent(&self) -> Option<&str> {
        (self.owner_account_sid != self.sid).then_some(self.owner_account_sid.as_str())
    }
}

/// A key as the classic API describes it.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Key {
    /// `SK…`.
    pub sid: String,
    /// What people call it.
    #[serde(default)]
    pub friendly_name: Option<String>,
    /// RFC 2822.
    #[serde(default)]
    pub date_created: Option<String>,
}
