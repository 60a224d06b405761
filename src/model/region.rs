//! Where a credential is valid: Twilio keeps tokens and keys apart by region.

use serde::{Deserialize, Serialize};

/// A processing region with its own Auth Tokens and API keys. Others that Twilio had were switched off on 2026-04-28.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// United States: the default.
    Us1,
    /// Ireland.
    Ie1,
    /// Australia.
    Au1,
}

impl Region {
    /// All of them, the default first.
    pub const ALL: [Self; 3] = [Self::Us1, Self::Ie1, Self::Au1];

    /// Its name in hosts, settings and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Us1 => "us1",
            Self::Ie1 => "ie1",
            Self::Au1 => "au1",
        }
    }

    /// The edge that leads to it, as in `api.dublin.ie1.twilio.com`.
    #[must_use]
    pub fn edge(self) -> &'static str {
        match self {
            Self::Us1 => "ashburn",
            Self::Ie1 => "dublin",
            Self::Au1 => "sydney",
        }
    }
}

impl std::str::FromStr for Region {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|region| region.as_str() == name)
            .ok_or_else(|| "no such region; there are us1, ie1 and au1".to_owned())
    }
}

impl std::fmt::Display for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
