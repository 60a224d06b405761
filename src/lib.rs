//! Finds leaked Twilio credentials in code and git history, proves which still work, and takes them out of
//! service. ARCHITECTURE.md describes the code's layout; each module here is one component.

#[cfg(feature = "audit")]
pub mod audit;
mod authorities;
pub mod cli;
pub mod detect;
pub mod model;
mod private;
pub mod remedy;
pub mod report;
pub mod rules;
pub mod scan;
pub mod source;
#[cfg(feature = "audit")]
pub mod store;
pub mod twilio;
