//! Characters that are written as escapes: `\u0041`, `\x41`, `%41`, `&#65;`.

use super::View;
use crate::detect::runs::is_alnum;

/// How often to look at eight bytes for escapes: 32 characters in a row take at least 96, so eight that are looked at are all
/// of the row, wherever it begins.
const ESCAPE_STRIDE: usize = 88;

/// So many bytes are looked at together for escapes: the longest.
const LOOK: usize = LONGEST_ESCAPE;

/// A row of this many is worth decoding; of 32 in a row, as many stand before or after any one of them.
const SHORTEST_ROW: usize = 12;

/// A stride at which eight bytes of every row of that length are looked at.
pub const EVERY_ROW: usize = 3 * SHORTEST_ROW - LOOK;

/// What a row of that length takes at most, in bytes.
pub const LONGEST_ROW: usize = LONGEST_ESCAPE * SHORTEST_ROW;

/// The longest escape, `&#x0041;`.
const LONGEST_ESCAPE: usize = 8;

/// The text with `\u0041`, `\x41`, `%41` and `&#65;` decoded, if 32 of the first three stand in a row.
#[must_use]
pub fn escaped(text: &[u8]) -> Option<View> {
    if !has_row(text, ESCAPE_STRIDE) {
        return None;
    }
    let mut view = View::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        if let Some((byte, length)) = escape(&text[at..]) {
            view.push(byte, at);
            view.changed.push(at..at + length);
            at += length;
        } else {
            view.push(text[at], at);
            at += 1;
        }
    }
    view.origin.push(text.len() as u32);
    Some(view)
}

/// Whether a row of escapes stands where it is looked for, every `stride` bytes. A row of [`SHORTEST_ROW`] takes three
/// bytes for each at least, so at [`EVERY_ROW`] none is missed.
pub fn has_row(text: &[u8], stride: usize) -> bool {
    let stands = |from: usize, to: usize| (from..to).any(|start| row_around(text, start));
    let mut at = 0;
    while let Some(bytes) = text.get(at..at + LOOK) {
        if may_escape(bytes) && stands(at, at + LOOK) {
            return true;
        }
        at += stride;
    }
    stands(at, text.len())
}

/// Whether bytes may stand within a row of escapes. Of prose, code and hashes nearly all end at the first look, which takes
/// all eight as one number.
#[inline]
fn may_escape(bytes: &[u8]) -> bool {
    let Ok(eight) = <&[u8; LOOK]>::try_from(bytes) else { return true };
    if !OF_ESCAPES[usize::from(eight[0])] {
        return false;
    }
    let number = u64::from_le_bytes(*eight);
    let begins = zeros(number ^ filled(b'%')) | zeros(number ^ filled(b'\\')) | zeros(number ^ filled(b'&'));
    begins != 0 && eight.iter().all(|&byte| OF_ESCAPES[usize::from(byte)])
}

/// A number of which each byte is that one.
const fn filled(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Not zero if a byte of a number is zero: only of such a byte is the highest bit set by taking one away that it was not
/// set before, or of one that follows such a byte.
const fn zeros(number: u64) -> u64 {
    number.wrapping_sub(filled(1)) & !number & filled(0x80)
}

/// What escapes are written with: `%41`, `\x41`, `\u0041`, `&#65;`, `&#x41;`.
static OF_ESCAPES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] =
            b.is_ascii_hexdigit() || matches!(b, b'%' | b'\\' | b'x' | b'X' | b'u' | b'&' | b'#' | b';');
        byte += 1;
    }
    table
};

/// Whether the escape at `start` is one of a row that is long enough to be worth decoding.
fn row_around(text: &[u8], start: usize) -> bool {
    let (mut before, mut after, mut row) = (start, start, 0);
    while row < SHORTEST_ROW
        && let Some((_, length)) = text.get(after..).and_then(escape)
    {
        after += length;
        row += 1;
    }
    let last = |before: usize| {
        (3..=LONGEST_ESCAPE).find(|&length| {
            before
                .checked_sub(length)
                .is_some_and(|at| escape(&text[at..]).is_some_and(|(_, long)| long == length))
        })
    };
    while (1..SHORTEST_ROW).contains(&row)
        && let Some(length) = last(before)
    {
        before -= length;
        row += 1;
    }
    row == SHORTEST_ROW
}

/// A letter or digit that is written as an escape, and the escape's length.
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    let hex = |from: usize, to: usize| {
        let digits = std::str::from_utf8(text.get(from..to)?).ok()?;
        if digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            u32::from_str_radix(digits, 16).ok()
        } else {
            None
        }
    };
    let (code, length) = match text.first()? {
        b'%' => (hex(1, 3)?, 3),
        b'\\' if text.get(1) == Some(&b'x') => (hex(2, 4)?, 4),
        b'\\' if text.get(1) == Some(&b'u') => (hex(2, 6)?, 6),
        b'&' if text.get(1) == Some(&b'#') => {
            let end = text.iter().take(LONGEST_ESCAPE).position(|&b| b == b';')?;
            let digits = std::str::from_utf8(&text[2..end]).ok()?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            (code, end + 1)
        }
        _ => return None,
    };
    u8::try_from(code).ok().filter(|&b| is_alnum(b) || b == b':').map(|byte| (byte, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "3f9a0c4be1d275863f9b0c4be1d27186";

    #[test]
    fn a_row_of_escapes_is_seen_wherever_it_begins() {
        let written: [fn(u8) -> String; 3] =
            [|b| format!("%{b:02x}"), |b| format!("\\x{b:02X}"), |b| format!("\\u{b:04x}")];
        for write in written {
            let row: String = VALUE.bytes().map(write).collect();
            for before in 0..2 * ESCAPE_STRIDE {
                let text = format!("{}{row}{}", "z".repeat(before), "z".repeat(before % 7));
                assert!(has_row(text.as_bytes(), ESCAPE_STRIDE), "{before} before {row}");
                let short: String = VALUE.bytes().take(SHORTEST_ROW).map(write).collect();
                let text = format!("{}{short}{}", " ".repeat(before), "z".repeat(before % 7));
                assert!(has_row(text.as_bytes(), EVERY_ROW), "{before} before {short}");
            }
        }
    }

    #[test]
    fn escapes_of_whole_values_are_decoded_and_placed() {
        for write in
            [|b: u8| format!("\\x{b:02x}"), |b: u8| format!("\\u{b:04x}"), |b: u8| format!("%{b:02X}")]
        {
            let written: String = VALUE.bytes().map(write).collect();
            let text = format!("token = \"{written}\";");
            let view = escaped(text.as_bytes()).unwrap();
            assert_eq!(view.text, format!("token = \"{VALUE}\";").as_bytes());
            assert_eq!(&text[view.source(&(9..41))], written);
        }
    }
}
