//! What somebody accepted, and in which way.

use serde::{Deserialize, Serialize};

/// In which way a finding was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllowedBy {
    /// By `sidsweep:allow` with a reason.
    Comment,
    /// By another tool's comment, which has no reason.
    Marker,
    /// By a baseline of values.
    Baseline,
    /// By a policy of paths.
    Policy,
}

impl AllowedBy {
    /// What goes behind "by".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Comment => "a comment with a reason",
            Self::Marker => "another tool's comment",
            Self::Baseline => "the baseline",
            Self::Policy => "the policy",
        }
    }
}

/// That a finding was accepted, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// In which way.
    pub by: AllowedBy,
    /// Why.
    pub reason: String,
}
