//! Twilio's other secrets: the ones whose shape alone says what they are.

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;

use super::hit::{Hit, Place};
use super::runs::Span;
use crate::model::{Confidence, Encoding, Kind, Region, Secret};
use crate::rules::{OwnShape, Rules};

/// Their longest part is no shorter, in bytes.
pub const SHORTEST: usize = 36;

/// Whether a run is long enough and begins like a part of such a credential.
#[must_use]
pub fn may_be_in(rules: &Rules, text: &[u8], run: &Span) -> bool {
    run.len() >= SHORTEST
        && (is_token(text, run)
            || rules
                .all()
                .iter()
                .filter_map(|rule| rule.shape.as_ref())
                .any(|shape| start(shape, text, run).is_some()))
}

fn is_token(text: &[u8], run: &Span) -> bool {
    text[run.clone()].starts_with(b"eyJ")
}

/// Where a credential of this shape would begin, if its literal stands there.
fn start(shape: &OwnShape, text: &[u8], run: &Span) -> Option<usize> {
    let start = run.start.checked_sub(shape.offset)?;
    text[start..].starts_with(shape.literal.as_bytes()).then_some(start)
}

/// The credential with a shape of its own that this run of `[0-9A-Za-z_-]` is a part of, if there is one.
#[must_use]
pub fn in_run(rules: &Rules, text: &[u8], run: &Span) -> Option<Hit> {
    if is_token(text, run) {
        return access_token(text, run);
    }
    rules.all().iter().find_map(|rule| {
        let shape = rule.shape.as_ref()?;
        let start = start(shape, text, run)?;
        let found = shape.regex().find(&text[start..(start + 256).min(text.len())])?;
        let span = start..start + found.end();
        let edge = |place: Option<usize>| {
            place
                .and_then(|p| text.get(p))
                .is_none_or(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')))
        };
        (found.start() == 0
            && span.end > run.start
            && edge(span.start.checked_sub(1))
            && edge(Some(span.end)))
        .then(|| hit(rule.kind, text, span, vec![format!("shape of a {}", rule.kind.title())]))?
    })
}

fn hit(kind: Kind, text: &[u8], span: Span, evidence: Vec<String>) -> Option<Hit> {
    let value = std::str::from_utf8(&text[span.clone()]).ok()?;
    let distinct = value.bytes().fold(0_u128, |seen, byte| seen | 1 << (byte & 127)).count_ones();
    // `SG.xxxxxxxxxxxxxxxxxxxxxx.xxxx…` stands in every tutorial.
    if distinct < 18 {
        return None;
    }
    Some(Hit {
        kind,
        value: Secret::new(value.to_owned()),
        span,
        line: 0,
        column: 0,
        end_column: 0,
        encoding: Encoding::Plain,
        confidence: Confidence::High,
        evidence,
        observed: Vec::new(),
        place: Place::default(),
        expires: None,
        allowed: None,
        regions: Vec::new(),
        names: None,
    })
}

#[derive(Deserialize)]
struct Header {
    #[serde(default)]
    cty: String,
    #[serde(default)]
    twr: Option<String>,
}

#[derive(Deserialize)]
struct Payload {
    iss: String,
    #[serde(default)]
    sub: Option<String>,
    #[serde(default)]
    exp: Option<i64>,
}

/// A JWT whose header says that Twilio made it, read without checking its signature.
fn access_token(text: &[u8], run: &Span) -> Option<Hit> {
    let header: Header = segment(&text[run.clone()])?;
    if !header.cty.starts_with("twilio-") {
        return None;
    }
    let part = |from: usize| -> Option<Span> {
        let length = text
            .get(from..)?
            .iter()
            .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')))
            .unwrap_or(text.len() - from);
        (length > 0).then(|| from..from + length)
    };
    let payload_span = part((text.get(run.end)? == &b'.').then_some(run.end + 1)?)?;
    let signature = part((text.get(payload_span.end)? == &b'.').then_some(payload_span.end + 1)?)?;
    let payload: Payload = segment(&text[payload_span])?;
    let mut evidence = vec![format!("signed by the API key {}", sid_only(&payload.iss)?)];
    if let Some(account) = payload.sub.as_deref().and_then(sid_only) {
        evidence.push(format!("of the account {account}"));
    }
    let mut regions = Vec::new();
    if let Some(region) =
        header.twr.filter(|region| region.len() <= 8 && region.bytes().all(|b| b.is_ascii_alphanumeric()))
    {
        evidence.push(format!("region {region}"));
        regions.extend(region.parse::<Region>().ok());
    }
    let mut hit = hit(Kind::AccessTokenJwt, text, run.start..signature.end, evidence)?;
    hit.regions = regions;
    hit.expires = payload.exp;
    hit.names = Some((payload.sub.filter(|sub| sid_only(sub).is_some()), payload.iss));
    Some(hit)
}

fn segment<T: for<'a> Deserialize<'a>>(text: &[u8]) -> Option<T> {
    serde_json::from_slice(&BASE64URL_NOPAD.decode(text).ok()?).ok()
}

/// A SID, and nothing else that a hostile token might carry.
fn sid_only(text: &str) -> Option<&str> {
    (text.len() == 34 && text.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(text)
}
