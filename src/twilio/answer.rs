//! An answer of Twilio, or of whatever stands between, and why there is none.

use std::time::Duration;

use zeroize::Zeroizing;

use super::reading::Reading;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It took too long.
    #[error("no answer within {0} s")]
    Timeout(u64),
    /// No connection, or no good certificate.
    #[error("no connection to {host}: {cause}")]
    Connect {
        /// Which host.
        host: String,
        /// The innermost cause.
        cause: String,
    },
    /// The answer broke off.
    #[error("the answer of {0} broke off")]
    Broken(String),
    /// The answer does not end.
    #[error("the answer of {0} is too long to be one")]
    TooLong(String),
}

/// An answer: of Twilio, or of whatever stands between.
#[derive(Debug)]
pub struct Answer {
    /// HTTP.
    pub status: u16,
    /// The body, wiped when dropped.
    pub body: Zeroizing<Vec<u8>>,
    /// `Twilio-Request-Id`, for the journal.
    pub request_id: Option<String>,
    pub(super) retry_after: Option<Duration>,
}

/// Which requests may be tried again after the network failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Safety {
    /// It changes nothing: always.
    Reads,
    /// It changes something: only after 429, which says that it was not processed.
    Changes,
}

impl Answer {
    /// What it says.
    #[must_use]
    pub fn reading(&self) -> Reading {
        Reading::of(self.status, &self.body)
    }
}

/// An attempt that may be worth another.
#[derive(Debug)]
pub(super) enum Failure {
    /// 429 or 5xx.
    Busy(Answer),
    /// No answer.
    Fault(Fault),
}

impl Failure {
    pub(super) fn may_retry(&self, safety: Safety) -> bool {
        match (self, safety) {
            (Self::Busy(answer), _) if answer.status == 429 => true,
            // The same bytes would come again.
            (Self::Fault(Fault::TooLong(_)), _) => false,
            (_, Safety::Reads) => true,
            (_, Safety::Changes) => false,
        }
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy(answer) => answer.retry_after,
            Self::Fault(_) => None,
        }
    }
}

/// Whether a text is a name of a request, and not something to be shown with care.
pub(super) fn is_request_id(id: &str) -> bool {
    id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric())
}
