//! Taking a credential out of service. So far: what to do by hand.

pub mod guide;
