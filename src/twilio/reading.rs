//! What an answer says: Twilio's own error code, and never the status alone. An answer that is not in Twilio's form
//! (a proxy's page, a captive portal, half a body) says nothing.

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// An answer, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// 2xx.
    Done,
    /// An error in Twilio's form.
    Refused(Refusal),
    /// Anything else, with the reason in words.
    Foreign(String),
}

/// An error in Twilio's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP.
    pub status: u16,
    /// Twilio's code.
    pub code: u32,
    /// The permission that is missing, for 70051.
    pub permission: Option<String>,
    /// The request came without credentials: something took them out on the way.
    pub stripped: bool,
}

#[derive(Deserialize)]
struct Body {
    code: u32,
    #[serde(default)]
    message: String,
}

impl Reading {
    /// Reads an answer.
    #[must_use]
    pub fn of(status: u16, body: &[u8]) -> Self {
        if (200..300).contains(&status) {
            return Self::Done;
        }
        if (300..400).contains(&status) {
            return Self::Foreign(format!("a redirect ({status}), which is not followed"));
        }
        match serde_json::from_slice::<Body>(body) {
            Ok(body) if status >= 400 => Self::Refused(Refusal {
                status,
                code: body.code,
                permission: (body.code == 70051).then(|| permission(&body.message)).flatten(),
                stripped: body.code == 20003 && body.message.contains("No credentials provided"),
            }),
            _ => Self::Foreign(format!("an answer ({status}) that is not in Twilio's form")),
        }
    }
}

/// A body that must be of a form; what it holds besides is not kept.
pub fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|_| "an answer (200) that is not in Twilio's form".to_owned())
}

/// `… required permission twilio/messaging/messages/list is missing`: the words around it are no contract, so the
/// permission is the first word with slashes after `permission`.
fn permission(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("permission")?;
    let is_permission = |word: &&str| {
        word.contains('/')
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_'))
    };
    let named = rest.split_whitespace().find(is_permission).unwrap_or("one that it does not name");
    Some(named.trim_start_matches('/').chars().take(120).collect())
}

#[cfg(test)]
mod tests {
    use super::{Reading, Refusal};

    #[test]
    fn the_code_decides_and_a_page_says_nothing() {
        let refused = |status, code, permission: Option<&str>, stripped| {
            Reading::Refused(Refusal { status, code, permission: permission.map(str::to_owned), stripped })
        };
        let lacks = br#"{"code":70051,"message":"Authorization Error: required permission twilio/a/b/list is missing","status":401}"#;
        assert_eq!(Reading::of(401, lacks), refused(401, 70051, Some("twilio/a/b/list"), false));
        let other = br#"{"code":70051,"message":"Authorization Error: key is suspended","status":401}"#;
        assert_eq!(Reading::of(401, other), refused(401, 70051, None, false));
        let stripped = br#"{"code":20003,"message":"Authentication Error - No credentials provided"}"#;
        assert_eq!(Reading::of(401, stripped), refused(401, 20003, None, true));
        assert!(matches!(Reading::of(401, b"<html>Sign in</html>"), Reading::Foreign(_)));
        assert!(matches!(Reading::of(302, b""), Reading::Foreign(_)));
        assert!(matches!(Reading::of(401, br#"{"error":"nope"}"#), Reading::Foreign(_)));
    }
}
