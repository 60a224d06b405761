//! Requests that change something, and what came of each: made, refused, or not known.

use super::client::{Answer, Fault};
use super::reading::Reading;

/// What Twilio answered, for the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// HTTP.
    pub status: Option<u16>,
    /// Twilio's error code.
    pub code: Option<u32>,
    /// Twilio's name for the request.
    pub request_id: Option<String>,
}

/// What came of a change.
#[derive(Debug)]
pub enum Change {
    /// It was made.
    Made(Answer, Told),
    /// There is nothing to change: 404. That is no proof: it must be looked into.
    Missing(Told),
    /// Twilio said no: nothing was changed.
    Refused(Told, String),
    /// No clear word came: it must be looked into.
    Unsure(Told, String),
}

impl Change {
    /// For a delete, whose only clear answer is 204.
    #[must_use]
    pub fn only_204(self) -> Self {
        match self {
            Self::Made(answer, told) if answer.status != 204 => {
                Self::Unsure(told, format!("an answer ({}) that is not the one to a delete", answer.status))
            }
            change => change,
        }
    }

    /// Reads an answer to a change.
    #[must_use]
    pub fn of(answer: Result<Answer, Fault>) -> Self {
        let answer = match answer {
            Ok(answer) => answer,
            Err(fault) => return Self::Unsure(Told::default(), fault.to_string()),
        };
        let mut told =
            Told { status: Some(answer.status), code: None, request_id: answer.request_id.clone() };
        match answer.reading() {
            Reading::Done => Self::Made(answer, told),
            Reading::Refused(refusal) => {
                told.code = Some(refusal.code);
                let words = format!(
                    "Twilio answered error {} (status {}){}",
                    refusal.code,
                    answer.status,
                    advice(refusal.code)
                );
                match (answer.status, refusal.code) {
                    (404, 20404) => Self::Missing(told),
                    // After 5xx the change may have been made all the same.
                    (500.., _) => Self::Unsure(told, words),
                    // "Never processed", as Twilio's documentation has it.
                    (429, _) => Self::Refused(told, "Twilio was too busy (429)".to_owned()),
                    _ => Self::Refused(told, words),
                }
            }
            Reading::Foreign(reason) => Self::Unsure(told, reason),
        }
    }
}

/// What an error code means for whoever wanted the change, and what to do next.
fn advice(code: u32) -> &'static str {
    match code {
        70151 => {
            ": the account has as many API keys as it may have; delete keys that nobody uses, and run this again"
        }
        70052 => ": the account takes signed requests only (public key client validation); use the console",
        10001 | 20005 | 20403 | 90010 => {
            ": the account is suspended, closed or otherwise not active. While Twilio has it suspended, for instance after a take-over, no new key or token can be made: have it reactivated first; keys can still be deleted in the console"
        }
        _ => "",
    }
}
