//! Taking a credential out of service: asking whether it works, planning, carrying out, proving, and keeping a record.

pub mod apply;
pub mod ask;
pub mod guide;
pub mod journal;
pub mod plan;
pub mod proof;
