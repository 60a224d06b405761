//! Texts that are written in digits, of base64 or hexadecimal: the digits are read over what breaks them, such as line ends,
//! blanks and literals that are put together, and every decoded byte knows where its first digit stands.

use super::is_text;
use crate::detect::runs::Span;
use crate::model::Encoding;

/// A longer break does not belong to the digits, in bytes.
pub const LONGEST_BREAK: usize = 64;

/// So many digits after a break must decode to text, or it ends the digits: words follow base64 too.
const LOOK_AHEAD: usize = 16;

/// A string in a string in a string has so many backslashes before what it escapes.
const MOST_BACKSLASHES: usize = 15;

/// A text that may stand alone between two breaks holds a value, in digits.
const SHORTEST_PART: usize = 40;

/// What comes after a break is no shorter, unless it is the last of all.
const SHORTEST_PIECE: usize = 4;

/// The digits of an encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// The alphabet of RFC 4648, section 4.
    Base64,
    /// The same and that of section 5, for URLs.
    AnyBase64,
    /// Digits of either case.
    Hex,
}

impl Alphabet {
    /// How many bits a digit holds.
    fn bits(self) -> u32 {
        if self == Self::Hex { 4 } else { 6 }
    }

    /// How many digits make whole bytes.
    fn group(self) -> usize {
        if self == Self::Hex { 2 } else { 4 }
    }

    fn has(self, byte: u8) -> bool {
        match self {
            Self::Base64 => super::is_base64(byte),
            Self::AnyBase64 => super::is_base64(byte) || matches!(byte, b'-' | b'_'),
            Self::Hex => byte.is_ascii_hexdigit(),
        }
    }

    /// A digit that JSON or a URL writes as an escape, and the length of the escape. JSON in JSON has more backslashes.
    fn escaped(self, text: &[u8]) -> Option<(u8, usize)> {
        const ESCAPES: [(&[u8], u8); 4] = [(b"u002b", b'+'), (b"u002f", b'/'), (b"2b", b'+'), (b"2f", b'/')];
        let mark = *text.first().filter(|mark| matches!(mark, b'\\' | b'%') && self != Self::Hex)?;
        let marks = text.iter().take(MOST_BACKSLASHES).take_while(|&&byte| byte == mark).count();
        let rest = &text[marks..];
        if mark == b'\\' && rest.first() == Some(&b'/') {
            return Some((b'/', marks + 1));
        }
        let stands = |escape: &[u8]| {
            (escape[0] == b'u') == (mark == b'\\')
                && rest.get(..escape.len()).is_some_and(|there| there.eq_ignore_ascii_case(escape))
        };
        ESCAPES
            .into_iter()
            .find(|(escape, _)| stands(escape))
            .map(|(escape, digit)| (digit, marks + escape.len()))
    }

    /// Whether the bytes that these digits decode to are all text.
    pub fn is_text(self, digits: impl IntoIterator<Item = u8>) -> bool {
        let (mut number, mut count) = (0_u32, 0);
        digits.into_iter().all(|digit| {
            let Some(value) = value(digit, self) else { return false };
            number = number << self.bits() | u32::from(value);
            count += self.bits();
            if count < 8 {
                return true;
            }
            count -= 8;
            is_text((number >> count) as u8)
        })
    }
}

fn value(digit: u8, alphabet: Alphabet) -> Option<u8> {
    Some(match digit {
        b'0'..=b'9' if alphabet == Alphabet::Hex => digit - b'0',
        b'a'..=b'f' | b'A'..=b'F' if alphabet == Alphabet::Hex => (digit | 0x20) - b'a' + 10,
        _ if alphabet == Alphabet::Hex => return None,
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// Digits that were read, without what breaks them.
#[derive(Debug, Default)]
pub struct Digits {
    /// The digits.
    pub digits: Vec<u8>,
    /// Stretches without a break: the number of their first digit, and its place in the source.
    pieces: Vec<(usize, usize)>,
    /// The numbers of digits after a break where a text of its own may begin: nothing but the eye can tell two base64 texts
    /// in a list from one that is broken there.
    pub seams: Vec<usize>,
    /// Where the last digit ends in the source.
    pub end: usize,
}

impl Digits {
    /// Where a digit stands in the source.
    #[must_use]
    pub fn place(&self, digit: usize) -> usize {
        let piece = self.pieces.partition_point(|(first, _)| *first <= digit).saturating_sub(1);
        self.pieces.get(piece).map_or(0, |(first, at)| at + (digit - first))
    }

    /// The number of the first digit that stands at a place or behind it.
    #[must_use]
    pub fn from(&self, place: usize) -> usize {
        let after = self.pieces.partition_point(|&(_, at)| at <= place);
        let Some((first, at)) = after.checked_sub(1).map(|last| self.pieces[last]) else { return 0 };
        let next = self.pieces.get(after).map_or(self.digits.len(), |&(next, _)| next);
        (first + (place - at)).min(next)
    }

    /// The digits in a range, as if they had been read alone.
    #[must_use]
    pub fn part(&self, part: Span) -> Self {
        let after = |digit: usize| self.pieces.partition_point(|(first, _)| *first < digit);
        let inside = &self.pieces[after(part.start + 1)..after(part.end)];
        let pieces = inside.iter().map(|&(first, at)| (first - part.start, at));
        Self {
            pieces: std::iter::once((0, self.place(part.start))).chain(pieces).collect(),
            seams: Vec::new(),
            end: self.place(part.end - 1) + 1,
            digits: self.digits[part].to_vec(),
        }
    }
}

/// Reads digits from a place on. Where they do not have to be text, a break is passed over whatever follows.
#[must_use]
pub fn read(text: &[u8], start: usize, alphabet: Alphabet, has_to_be_text: bool) -> Digits {
    let mut read = Digits { pieces: vec![(0, start)], end: start, ..Digits::default() };
    let (mut at, mut line) = (start, start);
    loop {
        let stretch = text[at..].iter().position(|&byte| !alphabet.has(byte)).unwrap_or(text.len() - at);
        read.digits.extend_from_slice(&text[at..at + stretch]);
        at += stretch;
        read.end = at;
        let rest = &text[at..];
        if let Some((digit, length)) = alphabet.escaped(rest) {
            read.pieces.push((read.digits.len(), at));
            read.digits.push(digit);
            at += length;
            read.end = at;
            read.pieces.push((read.digits.len(), at));
            continue;
        }
        let newline = if rest.starts_with(b"\r\n") { 2 } else { usize::from(rest.starts_with(b"\n")) };
        let is_wrapped = newline > 0
            && matches!(at - line, 60 | 64 | 72 | 76)
            && text.get(at + newline).is_some_and(|&byte| alphabet.has(byte));
        if is_wrapped {
            at += newline;
        } else {
            let Some(length) = gap(text, at, alphabet) else { return read };
            if has_to_be_text {
                let Some(is_seam) = goes_on(&read.digits, text, at + length, alphabet) else { return read };
                if is_seam && read.digits.len() - read.seams.last().unwrap_or(&0) >= SHORTEST_PART {
                    read.seams.push(read.digits.len());
                }
            }
            at += length;
        }
        line = at;
        read.pieces.push((read.digits.len(), at));
    }
}

/// Whether digits go on at a place behind a break, and then whether a text of its own may begin there too.
fn goes_on(digits: &[u8], text: &[u8], at: usize, alphabet: Alphabet) -> Option<bool> {
    let ahead = ahead(text, at, alphabet)?;
    let open = &digits[digits.len() / alphabet.group() * alphabet.group()..];
    if !alphabet.is_text(open.iter().chain(&ahead).copied()) {
        return None;
    }
    Some(open.is_empty() && ahead.len() == LOOK_AHEAD)
}

/// The next digits, over breaks; nothing if what stands there is a word.
fn ahead(text: &[u8], mut at: usize, alphabet: Alphabet) -> Option<Vec<u8>> {
    let mut ahead = Vec::with_capacity(LOOK_AHEAD);
    loop {
        let stretch = text[at..].iter().take(LOOK_AHEAD).take_while(|&&byte| alphabet.has(byte)).count();
        ahead.extend(text[at..at + stretch].iter().take(LOOK_AHEAD - ahead.len()));
        at += stretch;
        if ahead.len() == LOOK_AHEAD {
            return Some(ahead);
        }
        match gap(text, at, alphabet) {
            Some(length) if stretch >= SHORTEST_PIECE => at += length,
            Some(_) => return None,
            None => break,
        }
    }
    let is_end = text.get(at).is_none_or(|byte| {
        byte.is_ascii_whitespace() || matches!(byte, b'=' | b'"' | b'\'' | b'`' | b'\\' | b'<')
    });
    (is_end && ahead.len() > 1).then_some(ahead)
}

/// How long the break is that begins at a place: blanks and line ends, as they are or as escapes, what a line of a quotation or
/// a comment begins with, and a literal's end with the next one's beginning. Digits follow it.
#[must_use]
pub fn gap(text: &[u8], at: usize, alphabet: Alphabet) -> Option<usize> {
    let window = &text[at..text.len().min(at + LONGEST_BREAK)];
    // A quotation mark in a string has backslashes before it.
    let first = window.iter().position(|&byte| byte != b'\\')?;
    let quote = window.get(first).copied().filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    let mut length = if quote.is_some() { first + 1 } else { 0 };
    let (mut is_line, mut is_joined) = (false, false);
    loop {
        let (byte, next) = (*window.get(length)?, window.get(length + 1));
        length += match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {
                is_line |= byte == b'\n';
                1
            }
            b'\\' => match next? {
                b'n' | b'r' | b't' => {
                    is_line = true;
                    2
                }
                b'\\' | b'\r' | b'\n' => 1,
                _ if next.copied() == quote => 1,
                _ => return None,
            },
            b'+' | b'.' | b',' | b'&' if quote.is_some() && !is_joined => {
                is_joined = true;
                1
            }
            b'>' | b'#' | b'*' | b'|' if is_line => 1,
            _ if Some(byte) == quote => return next.is_some_and(|&n| alphabet.has(n)).then_some(length + 1),
            _ => return (quote.is_none() && length > 0 && alphabet.has(byte)).then_some(length),
        };
    }
}

/// A text that was decoded from digits.
#[derive(Debug)]
pub struct Opened {
    /// Where the digits stand, with their padding.
    pub span: Span,
    /// What they decode to.
    pub text: Vec<u8>,
    /// Whether it is a part of a text that was opened as a whole before.
    pub is_part: bool,
    /// Whether it goes on from the text before.
    pub is_begun: bool,
    pub(super) alphabet: Alphabet,
    pub(super) digits: Digits,
}

impl Opened {
    /// How it is written.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        if self.alphabet == Alphabet::Hex { Encoding::Hex } else { Encoding::Base64 }
    }

    /// Where the first group of digits begins behind a place, and with which byte of the decoded text; none if that ends before.
    #[must_use]
    pub fn group_from(&self, place: usize) -> Option<(usize, usize)> {
        let group = self.alphabet.group();
        let digit = self.digits.from(place).next_multiple_of(group);
        let byte = digit * self.alphabet.bits() as usize / 8;
        (self.span.start < place && byte < self.text.len()).then(|| (self.digits.place(digit), byte))
    }

    /// Of which alphabet the digits are.
    #[must_use]
    pub fn alphabet(&self) -> Alphabet {
        self.alphabet
    }

    /// The span of the digits that a span of the text was decoded from.
    #[must_use]
    pub fn source(&self, span: &Span) -> Span {
        let bits = self.alphabet.bits() as usize;
        self.digits.place(span.start * 8 / bits)..self.digits.place((span.end * 8 - 1) / bits) + 1
    }
}
