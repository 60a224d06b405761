//! Taking a credential out of service: asking whether it works, and what to do about it.

pub mod ask;
pub mod guide;
