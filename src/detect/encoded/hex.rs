//! Text that is written in hexadecimal.

use data_encoding::HEXLOWER_PERMISSIVE;

use super::digits::{self, Alphabet, Opened};
use super::is_readable;
use crate::detect::runs::Span;

/// So many digits have to be text: of a hundred million hashes not one begins like that.
const SURE: usize = 32;

/// The text that a run writes in hexadecimal, and to where it goes.
#[must_use]
pub fn hex(text: &[u8], run: &Span) -> Option<(usize, Vec<Opened>)> {
    text_from(text, hex_start(text, run)?)
}

/// The text that is written in hexadecimal from a place on, and to where it goes.
pub fn text_from(text: &[u8], start: usize) -> Option<(usize, Vec<Opened>)> {
    let mut digits = digits::read(text, start, Alphabet::Hex, true);
    digits.digits.truncate(digits.digits.len() / 2 * 2);
    digits.seams.clear();
    let decoded = HEXLOWER_PERMISSIVE.decode(&digits.digits).ok()?;
    let end = digits.end;
    let span = start..end;
    let opened =
        Opened { span, text: decoded, is_part: false, is_begun: false, alphabet: Alphabet::Hex, digits };
    Some((end, if is_readable(&opened.text) { vec![opened] } else { Vec::new() }))
}

/// Where the hexadecimal of text begins in a run. What stands before it says that it is hexadecimal: `0x`, `\x`; and a run may
/// begin in the middle of a byte, where a window does.
#[must_use]
pub fn hex_start(text: &[u8], run: &Span) -> Option<usize> {
    let digits = &text[run.clone()];
    let prefix = match digits {
        [b'0', b'x' | b'X', ..] => 2,
        [b'x' | b'X', ..] => 1,
        _ => 0,
    };
    (prefix..prefix + 2).find(|&start| is_text_at(digits, start)).map(|skipped| run.start + skipped)
}

/// Whether so many digits that it is no chance are text.
#[inline]
fn is_text_at(digits: &[u8], start: usize) -> bool {
    let Some(digits) = digits.get(start..).and_then(<[u8]>::first_chunk::<SURE>) else { return false };
    // The first digit of a byte says whether it can be text: nearly all hashes end here.
    let is_first = |at: usize| matches!(digits[at], b'2'..=b'7' | b'0');
    is_first(0) && is_first(2) && is_first(4) && is_first(6) && Alphabet::Hex.is_text(*digits)
}
