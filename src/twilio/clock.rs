//! Twilio's clock, as the header `Date` of its answers has it.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{DATE, HeaderMap};

/// No answer told the time yet.
const UNKNOWN: i64 = i64::MIN;

/// How far Twilio's clock is ahead of this machine's, in seconds.
#[derive(Debug)]
pub(super) struct Clock(AtomicI64);

impl Default for Clock {
    fn default() -> Self {
        Self(AtomicI64::new(UNKNOWN))
    }
}

impl Clock {
    /// The time; `None` if no answer told it.
    pub(super) fn now(&self) -> Option<Timestamp> {
        match self.0.load(Ordering::Relaxed) {
            UNKNOWN => None,
            seconds => Timestamp::now().checked_add(SignedDuration::from_secs(seconds)).ok(),
        }
    }

    /// Takes the time from an answer.
    pub(super) fn read(&self, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        if let Some(date) = date.and_then(|date| DateTimeParser::new().parse_timestamp(date).ok()) {
            self.0.store(date.duration_since(Timestamp::now()).as_secs(), Ordering::Relaxed);
        }
    }
}
