//! What an account has besides keys and tokens: OAuth apps and the keys that sign webhooks.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde::{Deserialize, Deserializer, Serialize};

/// An OAuth app. Its secret is in no answer but the one to its making.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct OauthApp {
    /// `OQ…`, which is also its client id.
    pub sid: String,
    /// What people call it.
    #[serde(default)]
    pub friendly_name: Option<String>,
    /// RFC 3339.
    #[serde(default)]
    pub date_created: Option<String>,
    /// For instance `ACTIVE`.
    #[serde(default)]
    pub status: Option<String>,
    /// What its access tokens may do.
    #[serde(default, deserialize_with = "allowed")]
    pub policy: Vec<String>,
    /// How long its access tokens live, in seconds.
    #[serde(default)]
    pub access_token_ttl: Option<u64>,
}

/// A key that signs webhooks in the place of the Auth Token. Its secret is in no answer but the one to its making.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct SharedKey {
    /// `webhooks_sharedkey_…`.
    pub id: String,
    /// What people call it.
    #[serde(default, alias = "friendlyName")]
    pub friendly_name: Option<String>,
    /// RFC 3339.
    #[serde(default, alias = "createdAt")]
    pub date_created: Option<String>,
}

#[derive(Deserialize)]
struct Policy {
    #[serde(default)]
    allow: Vec<String>,
}

fn allowed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::<Policy>::deserialize(deserializer)?.map(|policy| policy.allow).unwrap_or_default())
}

/// A time as Twilio's APIs write it: RFC 3339 or RFC 2822.
#[must_use]
pub fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().ok().or_else(|| rfc2822::parse(text).ok().map(|time| time.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::instant;

    #[test]
    fn times_are_read_as_each_api_writes_them() {
        for text in ["Tue, 03 Nov 2026 10:00:00 +0000", "2026-11-03T10:00:00Z", " 2026-11-03T11:00:00+01:00"]
        {
            assert_eq!(instant(text).map(|time| time.to_string()).as_deref(), Some("2026-11-03T10:00:00Z"));
        }
        assert!(instant("yesterday").is_none() && instant("").is_none());
    }
}
