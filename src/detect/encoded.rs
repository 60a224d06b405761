//! Texts inside the text: base64, also of gzip, hexadecimal, UTF-16, characters written as escapes, quoted-printable mail,
//! literals that were cut in two. Each is decoded to a text that remembers where every byte came from.

mod base64;
mod diff;
mod digits;
mod escapes;
mod gzip;
mod hex;
mod mail;
mod wide;

use std::sync::LazyLock;

use regex::bytes::Regex;

pub(super) use base64::MOST_BEFORE_RUN;
pub use diff::{is_diff, unified};
pub use digits::{Alphabet, Opened};
pub use escapes::escaped;
pub(super) use escapes::{EVERY_ROW, LONGEST_ROW, has_row};
pub use gzip::{Gzips, OpenGzip, may_hold_gzip};
pub use mail::{MAIL, is_mail, is_quoted_printable, quoted_printable};
pub use wide::{Wide, has_wide, wides};

use super::runs::{Span, is_alnum};

/// A decoded text, and where each of its bytes stands in the text that it was decoded from.
pub struct View {
    /// The decoded text.
    pub text: Vec<u8>,
    /// For each byte of `text`, and for its end, the place in the source.
    origin: Vec<u32>,
    /// The spans of the source that are written otherwise than they read.
    pub changed: Vec<Span>,
}

impl View {
    fn with_capacity(bytes: usize) -> Self {
        Self { text: Vec::with_capacity(bytes), origin: Vec::with_capacity(bytes + 1), changed: Vec::new() }
    }

    fn push(&mut self, byte: u8, origin: usize) {
        self.text.push(byte);
        self.origin.push(origin as u32);
    }

    fn copy(&mut self, source: &[u8], span: Span) {
        for (&byte, place) in source[span.clone()].iter().zip(span) {
            self.push(byte, place);
        }
    }

    /// Where in the view a place of the source stands, or what follows it.
    #[must_use]
    pub fn place(&self, source: usize) -> usize {
        self.origin.partition_point(|&origin| (origin as usize) < source)
    }

    /// Where in the source a place of the view stands.
    #[must_use]
    pub fn place_in_source(&self, place: usize) -> usize {
        self.origin[place] as usize
    }

    /// The span of the source that a span of the view was decoded from.
    #[must_use]
    pub fn source(&self, span: &Span) -> Span {
        let start = self.origin[span.start] as usize;
        let last = self.origin[span.end - 1] as usize;
        // The last byte may be written as an escape; what was left out after it is not a part of the value.
        let end = match self.changed.binary_search_by_key(&last, |changed| changed.start) {
            Ok(escape) => self.changed[escape].end,
            Err(_) => last + 1,
        };
        start..end
    }
}

/// Whether a byte is one of base64's digits.
#[must_use]
pub fn is_base64(byte: u8) -> bool {
    is_alnum(byte) || matches!(byte, b'+' | b'/')
}

/// The texts that a run is a part of the base64 or hexadecimal of, and to where that goes. Nothing before `from` belongs to it.
#[must_use]
pub fn open(text: &[u8], run: &Span, from: usize) -> Option<(usize, Vec<Opened>)> {
    hex::hex(text, run).or_else(|| base64::base64(text, run, from))
}

/// The texts in base64 or hexadecimal that go on at a place, where a group of digits begins; and to where that goes.
#[must_use]
pub fn open_at(text: &[u8], place: usize, alphabet: Alphabet) -> (usize, Vec<Opened>) {
    let (end, mut opened) = match alphabet {
        _ if place >= text.len() => (place, Vec::new()),
        Alphabet::Hex => hex::text_from(text, place).unwrap_or((place, Vec::new())),
        Alphabet::Base64 | Alphabet::AnyBase64 => base64::texts_from(text, place),
    };
    for opened in &mut opened {
        opened.is_begun = opened.span.start == place;
    }
    (end, opened)
}

/// Whether [`open`] may open anything at a run. It looks at the run alone, and for base64 at what stands before it.
#[must_use]
pub fn may_open(text: &[u8], run: &Span) -> bool {
    base64::base64_start(text, run).is_some()
        || base64::is_broken(text, run)
        || hex::hex_start(text, run).is_some()
}

/// Whether a run that is too short to be base64 alone is a line of base64 of text that is broken in lines as short.
#[must_use]
pub fn is_short_line(text: &[u8], run: &Span) -> bool {
    SHORT_LINES.contains(&run.len()) && base64::is_broken(text, run)
}

/// How long the lines of base64 are that are shorter than what is looked at as base64 otherwise, in bytes.
const SHORT_LINES: std::ops::RangeInclusive<usize> = 35..=41;

/// Whether bytes are text but for a few of them.
fn is_readable(bytes: &[u8]) -> bool {
    bytes.iter().filter(|&&b| is_text(b)).count() * 20 >= bytes.len() * 19
}

fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e)
}

static JOINED: LazyLock<Regex> = LazyLock::new(|| {
    // Literals that are put together where they stand: `"a" + "b"`, `'a' . 'b'`, `"a" "b"`, over lines too.
    Regex::new(r#"["'`][0-9A-Za-z]{1,33}["'`](?:[ \t\r\n\\]*(?:\+|\.\.?|&|<>|\+\+|~|\|\|)?[ \t\r\n\\]*@?["'`][0-9A-Za-z]{1,33}["'`])+"#)
        .expect("a fixed pattern")
});

/// The text with literals that are put together where they stand joined to one, if any add up to a credential.
#[must_use]
pub fn joined(text: &[u8]) -> Option<View> {
    let quote = |b: &u8| matches!(b, b'"' | b'\'' | b'`');
    let mut gaps: Vec<Span> = Vec::new();
    for found in JOINED.find_iter(text) {
        let whole = found.range();
        let letters = text[whole.clone()].iter().filter(|&&b| is_alnum(b)).count();
        if letters != 32 && letters != 34 {
            continue;
        }
        let mut at = whole.start + 1;
        while at < whole.end {
            let close = at + text[at..whole.end].iter().position(quote).unwrap_or(0);
            let Some(open) = text[close + 1..whole.end].iter().position(quote) else { break };
            gaps.push(close..close + 1 + open + 1);
            at = close + 1 + open + 1;
        }
    }
    if gaps.is_empty() {
        return None;
    }
    let mut view = View::with_capacity(text.len());
    let mut at = 0;
    for gap in gaps {
        view.copy(text, at..gap.start);
        at = gap.end;
        view.changed.push(gap);
    }
    view.copy(text, at..text.len());
    view.origin.push(text.len() as u32);
    Some(view)
}

/// Whether the text holds these lower-case letters in any case.
#[must_use]
pub fn contains_ignore_case(text: &[u8], lower: &[u8]) -> bool {
    memchr::memchr2_iter(lower[0], lower[0].to_ascii_uppercase(), text)
        .any(|at| text.get(at..at + lower.len()).is_some_and(|part| part.eq_ignore_ascii_case(lower)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "3f9a0c4be1d275863f9b0c4be1d27186";

    #[test]
    fn cut_literals_are_joined() {
        let (a, b) = VALUE.split_at(16);
        for text in
            [format!("'{a}' + '{b}'"), format!("\"{a}\" .\n  \"{b}\""), format!("(\"{a}\"\n \"{b}\")")]
        {
            let view = joined(text.as_bytes()).unwrap();
            assert!(String::from_utf8(view.text.clone()).unwrap().contains(VALUE), "{text}");
        }
        assert!(joined(format!("['{a}', '{b}']").as_bytes()).is_none());
    }

    #[test]
    fn base64_of_text_is_decoded_and_of_hashes_is_not() {
        let encoded =
            data_encoding::BASE64.encode(format!("TOKEN={VALUE}\nX={}", "y".repeat(100)).as_bytes());
        let text = format!("x: {encoded}\n");
        let (end, opened) = open(text.as_bytes(), &(3..3 + 60), 0).unwrap();
        assert_eq!((&text[opened[0].span.clone()], end, opened.len()), (&encoded[..], text.len() - 1, 1));
        assert!(opened[0].text.starts_with(b"TOKEN="));
        assert!(open(VALUE.repeat(2).as_bytes(), &(0..64), 0).is_none());
    }
}
