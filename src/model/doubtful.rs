//! Values of which too little is known to report them, and about which Twilio can be asked.

use super::{Finding, Region, Secret};

/// A value that could be a secret.
#[derive(Debug)]
pub struct DoubtfulValue {
    /// Its places, as they are reported if it is a secret: all of one kind and of one credential, and at least one.
    pub findings: Vec<Finding>,
    /// The value itself.
    pub secret: Secret,
    /// The SIDs that it could belong to, the most likely first: at least one.
    pub sids: Vec<String>,
    /// For a key secret: the accounts that the key could belong to.
    pub accounts: Vec<String>,
    /// The log-odds that it is a secret.
    pub odds: f32,
    /// How many bytes lie between it and the nearest SID of its text.
    pub distance: u64,
    /// Regions that the code around it speaks of, the nearest first.
    pub regions: Vec<Region>,
}

/// The doubtful values of a run.
#[derive(Debug, Default)]
pub struct DoubtfulValues {
    /// Those that were kept.
    pub values: Vec<DoubtfulValue>,
    /// How many more there are: less likely, and not kept.
    pub dropped: u64,
}
