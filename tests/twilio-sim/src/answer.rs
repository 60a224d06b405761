//! Answers in Twilio's forms.

use serde_json::{Value, json};

/// Status and body; none for 204.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP.
    pub status: u16,
    /// JSON.
    pub body: Option<Value>,
}

impl Answer {
    /// 200.
    pub fn ok(body: Value) -> Self {
        Self { status: 200, body: Some(body) }
    }

    /// 201.
    pub fn created(body: Value) -> Self {
        Self { status: 201, body: Some(body) }
    }

    /// 204, no body.
    pub fn gone() -> Self {
        Self { status: 204, body: None }
    }

    /// An error as Twilio writes it.
    pub fn error(status: u16, code: u32, message: &str) -> Self {
        Self {
            status,
            body: Some(json!({
                "code": code,
                "message": message,
                "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
                "status": status,
            })),
        }
    }

    /// 401/20003.
    pub fn unauthorized() -> Self {
        Self::error(401, 20003, "Authenticate")
    }

    /// 404/20404.
    pub fn not_found(path: &str) -> Self {
        Self::error(404, 20404, &format!("The requested resource {path} was not found"))
    }

    /// 401/70051: a Restricted key without the permission.
    pub fn lacks(status: u16, permission: &str) -> Self {
        Self::error(
            status,
            70051,
            &format!("Authorization Error: required permission {permission} is missing"),
        )
    }

    /// Twilio's error code.
    pub fn code(&self) -> Option<u64> {
        self.body.as_ref()?.get("code")?.as_u64().filter(|_| self.status >= 400)
    }
}

/// v2010 answers XML where the path does not end with `.json`.
pub fn xml(body: &Value) -> String {
    fn element(name: &str, value: &Value) -> String {
        let inner = match value {
            Value::Object(fields) => fields.iter().map(|(name, value)| element(name, value)).collect(),
            Value::Array(list) => list.iter().map(|value| element("item", value)).collect(),
            Value::Null => String::new(),
            Value::String(text) => text.replace('&', "&amp;").replace('<', "&lt;"),
            other => other.to_string(),
        };
        format!("<{name}>{inner}</{name}>")
    }
    format!("<?xml version='1.0' encoding='UTF-8'?>\n{}", element("TwilioResponse", body))
}

/// One page of a list, and the query of the next.
pub fn page<'a, T>(
    all: &'a [T],
    query: &[(String, String)],
    most: usize,
) -> Result<(&'a [T], Option<usize>, usize), Answer> {
    let find = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let size: usize = find("PageSize").and_then(|size| size.parse().ok()).unwrap_or(50);
    if size == 0 || size > most {
        return Err(Answer::error(400, 20007, "Page size too large"));
    }
    let number: usize = find("Page").and_then(|page| page.parse().ok()).unwrap_or(0);
    let begin = (number * size).min(all.len());
    let end = (begin + size).min(all.len());
    Ok((&all[begin..end], (end < all.len()).then_some(number + 1), size))
}

/// A body bent by a seed: one to four of its values are others, and sometimes the text itself is broken.
pub fn bent(body: &Value, seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut body = body.clone();
    for _ in 0..random.u8(1..=4) {
        bend(&mut body, &mut random);
    }
    let mut text = body.to_string().into_bytes();
    match random.u8(0..8) {
        0 => text.truncate(random.usize(0..=text.len())),
        1 => {
            let at = random.usize(0..text.len());
            text[at] = random.u8(..);
        }
        2 => text.splice(0..0, *b"\xef\xbb\xbf").for_each(drop),
        3 => text.extend_from_slice(b"{}"),
        _ => {}
    }
    text
}

/// Goes down to some value, and puts another in its place.
fn bend(value: &mut Value, random: &mut fastrand::Rng) {
    let below: Vec<&mut Value> = match value {
        Value::Object(map) => map.values_mut().collect(),
        Value::Array(list) => list.iter_mut().collect(),
        _ => Vec::new(),
    };
    let count = below.len();
    if count > 0 && random.u8(0..5) > 0 {
        let which = random.usize(0..count);
        return bend(below.into_iter().nth(which).expect("one of them"), random);
    }
    *value = match random.u8(0..10) {
        0 => Value::Null,
        1 => json!(-1),
        2 => json!(u64::MAX),
        3 => json!(1e300),
        4 => json!([]),
        5 => json!({}),
        6 => json!("\u{1b}]0;x\u{7}\u{202e}\u{0}".repeat(20)),
        7 => json!([[[[{"sid": [null]}]]]]),
        8 => json!(""),
        _ => json!("x".repeat(100_000)),
    };
}
