//! Taking a credential out of service: asking whether it works, planning, carrying out, proving, and keeping a record.

pub mod account_plan;
pub mod after;
pub mod apply;
pub mod apps;
pub mod ask;
pub mod contain;
mod deletion;
mod differences;
pub mod doubtful;
pub mod guide;
pub mod handover;
pub mod journal;
pub mod least;
pub mod open_ends;
mod ours;
mod partners;
pub mod plan;
pub mod presence;
pub mod proof;
pub mod rca;
pub mod rotate;
pub mod sweep;
pub mod tokens;
