//! Values by shape alone: what a run of letters and digits could be, before anything around it is read.

use super::encoded;
use super::placeholder::{Typed, typed};
use super::runs::{self, Span};
use crate::model::{Encoding, Secret};
use crate::rules::Rules;

/// What a run could be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `AC` and 32 hex digits.
    AccountSid,
    /// `SK` and 32 hex digits.
    KeySid,
    /// `OQ` and 32 letters and digits.
    OauthSid,
    /// 32 lower-case hex digits.
    Hex32,
    /// 32 letters and digits of both cases.
    Base62,
}

impl Shape {
    /// Whether it names an account, a key or an app.
    #[must_use]
    pub fn is_sid(self) -> bool {
        matches!(self, Self::AccountSid | Self::KeySid | Self::OauthSid)
    }
}

/// A run that could be a credential.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// What it could be.
    pub shape: Shape,
    /// How it is written there.
    pub encoding: Encoding,
    /// Where it stands, in bytes of the text.
    pub span: Span,
    /// What was decoded, where it does not stand in the text as it is. Of millions of hashes hardly one comes to be judged, so
    /// none is copied before, and what few have is kept elsewhere.
    pub decoded: Option<Box<Decoded>>,
}

/// What a base64 text holds.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// A value, or the user of `user:password`.
    pub value: Secret,
    /// The password of `user:password`, with its shape.
    pub password: Option<(Shape, Secret)>,
}

impl Candidate {
    /// Its value.
    #[must_use]
    pub fn value<'a>(&'a self, text: &'a [u8]) -> &'a str {
        let plain = || std::str::from_utf8(&text[self.span.clone()]).expect("a run of letters and digits");
        self.decoded.as_ref().map_or_else(plain, |decoded| decoded.value.expose())
    }

    /// The password that stands in the same base64 text, for `user:password`.
    #[must_use]
    pub fn password(&self) -> Option<&(Shape, Secret)> {
        self.decoded.as_ref()?.password.as_ref()
    }
}

/// No run that is one value with what is left of an escape before it is longer, in bytes.
const LONGEST: usize = 48;

/// A run that may be base64 of a value is longer.
const ENCODED_FROM: usize = 41;

/// What a run of letters and digits could be.
#[must_use]
pub fn shape(run: &[u8]) -> Option<Shape> {
    match run.len() {
        34 => {
            let (prefix, body) = run.split_at(2);
            match prefix {
                b"AC" if body.iter().all(u8::is_ascii_hexdigit) => Some(Shape::AccountSid),
                b"SK" if body.iter().all(u8::is_ascii_hexdigit) => Some(Shape::KeySid),
                b"OQ"
                    if body.iter().all(u8::is_ascii_alphanumeric) && body.iter().any(u8::is_ascii_digit) =>
                {
                    Some(Shape::OauthSid)
                }
                _ => None,
            }
        }
        32 if is_hex(run) => Some(Shape::Hex32),
        32 => (!is_of_one_alphabet(run)).then_some(Shape::Base62),
        _ => None,
    }
}

/// Whether they are 32 lower-case hex digits. Without a branch for each byte, so that the compiler can compare them all at once.
fn is_hex(run: &[u8]) -> bool {
    let Ok(run) = <&[u8; 32]>::try_from(run) else { return false };
    run.iter().fold(true, |all, &byte| all & ((byte.wrapping_sub(b'0') < 10) | (byte.wrapping_sub(b'a') < 6)))
}

/// Whether they are hex digits in upper case, or digits alone: of 10¹⁴ random secrets none is.
fn is_of_one_alphabet(run: &[u8]) -> bool {
    run.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
}

/// The candidate in a run of letters and digits, if there is one. SIDs that somebody typed are left out here,
/// since they would speak for what stands beside them; of the many other values only those that come to be judged are
/// looked at so closely ([`how_typed`]).
#[must_use]
pub fn plain(rules: &Rules, text: &[u8], run: &Span) -> Option<Candidate> {
    let mut span = run.clone();
    let mut encoding = Encoding::Plain;
    let found = shape(&text[span.clone()]).or_else(|| {
        let (skipped, written) = escape_prefix(text, run)?;
        span.start += skipped;
        encoding = written;
        shape(&text[span.clone()])
    })?;
    let value = &text[span.clone()];
    if found == Shape::Base62 && (is_in_base64(text, &span) || is_code(text, &span)) {
        return None;
    }
    if found.is_sid() && matches!(typed(rules, &value[2..]), Some(Typed::Certainly(_))) {
        return None;
    }
    Some(Candidate { shape: found, encoding, span, decoded: None })
}

/// Whether a run is a stretch of longer base64, cut out by its `+` and `/`.
fn is_in_base64(text: &[u8], span: &Span) -> bool {
    let at = |place: Option<usize>| place.and_then(|place| text.get(place)).copied().unwrap_or(b' ');
    let joins = |byte: u8, further: u8| matches!(byte, b'+' | b'/') && encoded::is_base64(further);
    joins(at(span.start.checked_sub(1)), at(span.start.checked_sub(2)))
        || joins(at(Some(span.end)), at(Some(span.end + 1)))
        || (at(Some(span.end)) == b'=' && at(Some(span.end + 1)) == b'=')
}

/// Whether letters alone are called or are a member of something, so that they are an identifier of a program. Of 300 secrets one
/// has no digit, and no text puts it so.
fn is_code(text: &[u8], span: &Span) -> bool {
    let before = span.start.checked_sub(1).and_then(|at| text.get(at));
    (text.get(span.end) == Some(&b'(') || before == Some(&b'.'))
        && text[span.clone()].iter().all(u8::is_ascii_alphabetic)
}

/// Whether a value that is no SID was typed by somebody who needed something to stand there.
#[must_use]
pub fn how_typed(rules: &Rules, text: &[u8], candidate: &Candidate) -> Option<Typed> {
    let password = candidate.password();
    let value = password.map_or_else(|| candidate.value(text), |(_, password)| password.expose());
    if candidate.shape.is_sid() && password.is_none() { None } else { typed(rules, value.as_bytes()) }
}

/// How many characters at the start of a run belong to an escape that ends where the value begins.
fn escape_prefix(text: &[u8], run: &Span) -> Option<(usize, Encoding)> {
    let before = *text.get(run.start.checked_sub(1)?)?;
    let value = &text[run.clone()];
    let hex = |count: usize| value.get(..count).is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit));
    let skipped = match before {
        b'\\' => match value[0] {
            b'u' if value[1..5].iter().all(u8::is_ascii_hexdigit) => 5,
            b'x' if value[1..3].iter().all(u8::is_ascii_hexdigit) => 3,
            b'n' | b'r' | b't' | b'b' | b'f' | b'v' | b'0' => 1,
            _ => return None,
        },
        b'%' if hex(2) => return fits(value.len() - 2).then_some((2, Encoding::Percent)),
        b'=' if value.starts_with(b"3D") => 2,
        // A terminal's colour, `ESC [ 32 m value`, also where the escape itself got lost.
        b'[' | b';' => {
            let digits = value.iter().take_while(|b| b.is_ascii_digit()).count();
            (digits <= 2 && value[digits] == b'm').then_some(digits + 1)?
        }
        _ => return None,
    };
    fits(value.len() - skipped).then_some((skipped, Encoding::Plain))
}

fn fits(length: usize) -> bool {
    length == 32 || length == 34
}

/// All candidates that stand in the text as they are, and, by `base64`, the runs that may hold encoded ones. `leave`: whether
/// hashes that nothing names are left out ([`runs::wide`]).
pub fn all(
    rules: &Rules,
    text: &[u8],
    leave: impl FnMut() -> bool,
    mut found: impl FnMut(Candidate),
    mut base64: impl FnMut(Span),
    mut wide: impl FnMut(Span),
) {
    runs::wide(text, leave, |run| {
        wide(run.clone());
        runs::alnum(text, &run, |part| {
            let length = part.len();
            if length <= LONGEST
                && let Some(candidate) = plain(rules, text, &part)
            {
                found(candidate);
            } else if length > ENCODED_FROM {
                base64(part);
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_lengths_and_alphabets_are_candidates() {
        let hex = "3f9a0c4be1d27586".repeat(2);
        assert_eq!(shape(hex.as_bytes()), Some(Shape::Hex32));
        assert_eq!(shape(hex.to_uppercase().as_bytes()), None);
        assert_eq!(shape(&hex.as_bytes()[1..]), None);
        assert_eq!(shape(format!("AC{hex}").as_bytes()), Some(Shape::AccountSid));
        assert_eq!(shape(format!("SM{hex}").as_bytes()), None);
        assert_eq!(shape(format!("sk{hex}").as_bytes()), None);
    }

    #[test]
    fn every_random_secret_is_a_candidate() {
        let each = if cfg!(debug_assertions) { 1_000_000 } else { 10_000_000 };
        let mut random = fastrand::Rng::with_seed(3);
        let mut secret = [0; 32];
        for _ in 0..each {
            secret.fill_with(|| random.alphanumeric() as u8);
            assert_eq!(shape(&secret), Some(Shape::Base62));
        }
    }
}
