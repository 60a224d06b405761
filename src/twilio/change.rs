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
    /// There is nothing to change: 404.
    Missing(Told),
    /// Twilio said no: nothing was changed.
    Refused(Told, String),
    /// No clear word came: it must be looked into.
    Unsure(Told, String),
}

impl Change {
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
                let words = format!("Twilio answered error {} (status {})", refusal.code, answer.status);
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
