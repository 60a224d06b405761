//! The vocabulary of the whole program, with no input or output of its own: what kinds of credential there are,
//! where one stands, how sure we are, and what a report says about it.

mod account;
mod allowed;
mod audit;
mod confidence;
mod coverage;
mod credential;
mod doubtful;
mod exposure;
mod finding;
mod fingerprint;
mod inventory;
mod journal;
mod kind;
mod plan;
mod region;
mod report;
mod resources;
mod secret;
mod sweep;
mod tally;

pub use account::{Account, Key, TokenDigest, is_token};
pub use allowed::{Allowed, AllowedBy};
pub use audit::{FailedWork, Holding, Place, Repository, STATUS_SCHEMA, Status, WorkState, WorkerStatus};
pub use confidence::Confidence;
pub use coverage::{Acceptance, AcceptedUnread, Count, Coverage, NotRead, Opaque, Unit};
pub use credential::{
    Credential, CredentialType, Remedy, RemedyAction, Tie, Verdict, VerdictKind, VerdictState,
};
pub use doubtful::{DoubtfulValue, DoubtfulValues};
pub use exposure::{Exposure, SecurityEvent, Spend, Unread};
pub use finding::{Commit, Encoding, Finding, Location, Redacted};
pub use fingerprint::Fingerprint;
pub use inventory::{AdminName, INVENTORY_SCHEMA, Inventory, Leaked, OwnAccount, OwnKey};
pub use journal::{Event, JOURNAL_SCHEMA, Record};
pub use kind::Kind;
pub use plan::{Action, Kept, LeftOut, PLAN_SCHEMA, Plan, Seen, Step, WholeAccount};
pub use region::Region;
pub use report::{
    Asked, AskedDoubtful, Report, SCHEMA, Skipped, Source, SourceMode, Stats, Suppressed, Tool,
};
pub use resources::{OauthApp, SharedKey, instant};
pub use secret::{Secret, Vault};
pub use sweep::{PartRead, Reach, Recorded, SWEEP_SCHEMA, Sweep, Thing, ThingKind};
pub use tally::{Known, NOT_TO_ITS_END, Tally, named};
