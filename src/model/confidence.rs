//! How sure the detector is that a value is what it says.

use serde::{Deserialize, Serialize};

/// Confidence in a finding, lowest first so that it can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Nothing but its shape speaks for it. Such a value is in no report; Twilio can be asked about it all the same.
    Doubtful,
    /// The shape fits and little speaks against it.
    Low,
    /// The surroundings speak for it.
    Medium,
    /// The surroundings leave no reasonable doubt.
    High,
}

impl Confidence {
    /// The word used in reports and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Doubtful => "doubtful",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl std::fmt::Display for Confidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
