//! Base64 of text, found by a long run of letters and digits in it.

use data_encoding::BASE64_NOPAD;

use super::digits::{self, Alphabet, Digits, LONGEST_BREAK, Opened, gap};
use super::{is_base64, is_readable};
use crate::detect::runs::Span;

/// How far before its first long run of letters and digits a base64 text may begin, in bytes.
pub const MOST_BEFORE_RUN: usize = 512;

/// How many digits have to decode to text where it is not known at which of four a group begins.
const SURE: usize = 16;

/// How many breaks before a run are looked over for the beginning of a base64 text.
const MOST_BREAKS: usize = 8;

/// The base64 texts around a run: one, and where it may be several that stand in a list, those too. Says also to where the
/// base64 goes, text or not.
#[must_use]
pub fn base64(text: &[u8], run: &Span, from: usize) -> Option<(usize, Vec<Opened>)> {
    let start = base64_start(text, run);
    let group = start.or_else(|| group_start(text, run))?;
    let start = broken_start(text, group, from).or(start).unwrap_or_else(|| {
        let first = stretch_start(text, group).max(from);
        let aligned = first + (group - first) % 4;
        if is_text_from(text, aligned) { aligned } else { group }
    });
    Some(texts_from(text, start))
}

/// The base64 texts that begin at a place: one, and where it may be several that stand in a list, those too; and to where it goes.
pub fn texts_from(text: &[u8], start: usize) -> (usize, Vec<Opened>) {
    let digits = digits::read(text, start, Alphabet::Base64, true);
    let end = digits.end;
    let mut opened = Vec::new();
    let edges = || std::iter::once(0).chain(digits.seams.iter().copied());
    if !digits.seams.is_empty() {
        let ends = digits.seams.iter().copied().chain([digits.digits.len()]);
        let parts = edges().zip(ends).filter_map(|(from, to)| decoded(text, digits.part(from..to)));
        opened.extend(parts.map(|part| Opened { is_part: true, ..part }));
    }
    if let Some(whole) = decoded(text, digits) {
        opened.insert(0, whole);
    }
    (end, opened)
}

/// What digits decode to, if that is text.
fn decoded(text: &[u8], mut read: Digits) -> Option<Opened> {
    let digits = &mut read.digits;
    digits.truncate(digits.len() / 4 * 4 + if digits.len() % 4 == 1 { 0 } else { digits.len() % 4 });
    let decoded = BASE64_NOPAD
        .decode(digits)
        .or_else(|error| BASE64_NOPAD.decode(&digits[..error.position / 4 * 4]))
        .ok()?;
    let padding = text[read.end..].iter().take(2).take_while(|&&b| b == b'=').count();
    is_readable(&decoded).then(|| Opened {
        span: read.place(0)..read.end + padding,
        text: decoded,
        is_part: false,
        is_begun: false,
        alphabet: Alphabet::Base64,
        digits: read,
    })
}

/// Where the base64 text around a run begins. Text starts with text: most hashes and binaries end here.
pub fn base64_start(text: &[u8], run: &Span) -> Option<usize> {
    let start = stretch_start(text, run.start);
    is_text_at(text, start).then_some(start)
}

/// Whether so many digits that it is no chance are base64 of text.
#[inline]
fn is_text_at(text: &[u8], start: usize) -> bool {
    // The first digit of each group says most of what its first byte is: nearly all that is no text ends here.
    let Some(digits) = text.get(start..).and_then(<[u8]>::first_chunk::<SURE>) else { return false };
    let is_first = |at: usize| OF_TEXT[usize::from(digits[at])];
    is_first(0) && is_first(4) && is_first(8) && is_first(12) && Alphabet::Base64.is_text(*digits)
}

/// The digits that a group may begin with whose first byte is text.
static OF_TEXT: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = matches!(byte as u8, b'C' | b'D' | b'I'..=b'Z' | b'a'..=b'f');
        byte += 1;
    }
    table
};

fn stretch_start(text: &[u8], end: usize) -> usize {
    let from = end.saturating_sub(MOST_BEFORE_RUN);
    text[from..end].iter().rposition(|&b| !is_base64(b)).map_or(from, |at| from + at + 1)
}

/// Whether a run is a piece of the base64 of a text, which may have begun before a break or before a window.
#[must_use]
pub fn is_broken(text: &[u8], run: &Span) -> bool {
    group_start(text, run).is_some()
}

/// Where in a run a group of digits begins, if the run is base64 of text that does not begin with the run.
fn group_start(text: &[u8], run: &Span) -> Option<usize> {
    (run.start..run.start + 4).find(|&start| start + SURE <= run.end && is_text_at(text, start))
}

/// Where a base64 text begins of which a run is a piece, if that is before the run.
fn broken_start(text: &[u8], group: usize, from: usize) -> Option<usize> {
    let (mut start, mut end, mut count) = (stretch_start(text, group), group, 0);
    let mut begin = None;
    for _ in 0..MOST_BREAKS {
        let Some((before, next)) = break_before(text, start) else { break };
        count += end - next;
        (start, end) = (stretch_start(text, before), before);
        if start < from {
            break;
        }
        if (count + end - start) % 4 == 0 && is_text_from(text, start) {
            begin = Some(start);
        }
    }
    begin
}

/// The break that ends where digits begin: where the digits before it end, and where those after it begin.
fn break_before(text: &[u8], at: usize) -> Option<(usize, usize)> {
    (at.saturating_sub(LONGEST_BREAK)..at)
        .rev()
        .filter(|&end| end > 0 && is_base64(text[end - 1]) && !is_base64(text[end]))
        .find_map(|end| {
            let next = end + gap(text, end, Alphabet::Base64)?;
            // After `\n` that is written so, the letter seems to be a digit.
            (next == at || next == at + 1).then_some((end, next))
        })
}

fn is_text_from(text: &[u8], start: usize) -> bool {
    let head = digits::read(&text[..text.len().min(start + 4 * SURE)], start, Alphabet::Base64, true);
    head.digits.len() >= SURE && Alphabet::Base64.is_text(head.digits[..SURE].iter().copied())
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::*;
    use crate::detect::encoded::is_text;

    #[test]
    fn base64_of_text_is_told_from_other_base64_as_decoding_tells_it() {
        let mut random = fastrand::Rng::with_seed(5);
        let (mut texts, mut others) = (0, 0);
        for _ in 0..100_000 {
            let mut bytes = [0; 12].map(|_: u8| *random.choice(b"\t\n\r azAZ09~={}\"").unwrap_or(&b' '));
            if random.bool() {
                bytes[random.usize(..12)] = random.u8(..);
            }
            let expected = bytes.iter().all(|&byte| is_text(byte));
            assert_eq!(is_text_at(BASE64.encode(&bytes).as_bytes(), 0), expected, "{bytes:?}");
            *(if expected { &mut texts } else { &mut others }) += 1;
        }
        assert!(texts > 10_000 && others > 10_000, "{texts} {others}");
    }
}
