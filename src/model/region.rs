//! Where a credential is valid: Twilio keeps tokens and keys apart by region.

use serde::{Deserialize, Serialize};

/// Makes the regions from one row each: the name, the edge that leads to it, and where it is.
macro_rules! regions {
    ($($variant:ident $name:literal $edge:literal $place:literal;)+) => {
        /// A processing region with its own Auth Tokens and API keys. us1 is the default.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Region {
            $(#[doc = $place] $variant,)+
        }

        impl Region {
            /// All of them, the default first.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// Its name in hosts, settings and reports.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The edge that leads to it, as in `api.dublin.ie1.twilio.com`.
            #[must_use]
            pub fn edge(self) -> &'static str {
                match self {
                    $(Self::$variant => $edge,)+
                }
            }
        }
    };
}

regions! {
    Us1 "us1" "ashburn" "United States.";
    Ie1 "ie1" "dublin" "Ireland.";
    Au1 "au1" "sydney" "Australia.";
    Jp1 "jp1" "tokyo" "Japan.";
}

impl std::str::FromStr for Region {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|region| region.as_str() == name)
            .ok_or_else(|| format!("no such region; there are {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

impl std::fmt::Display for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
