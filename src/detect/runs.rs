//! The skip search: every maximal run of at least 32 characters of `[0-9A-Za-z_-]`, looking at few of the bytes.
//!
//! A run of 32 holds, wherever it lies, eight bytes that begin at a multiple of 24. So only those are looked at, by
//! arithmetic on all eight at once: no step waits for the one before it, and in ordinary text few of them lie within
//! one word. Underscore and hyphen are in the class of the search, since some of Twilio's other secrets hold them, but
//! they are edges of the runs that core credentials are made of: [`alnum`] cuts a run at them.

/// The shortest run of interest, in bytes.
pub const MIN: usize = 32;

/// A half-open range of bytes.
pub type Span = std::ops::Range<usize>;

const fn table(with_joiners: bool) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = b.is_ascii_alphanumeric() || (with_joiners && (b == b'_' || b == b'-'));
        byte += 1;
    }
    table
}

static WIDE: [bool; 256] = table(true);
static ALNUM: [bool; 256] = table(false);

/// Bytes that are looked at together.
const WORD: usize = 8;
/// How far apart words are looked at: each run of [`MIN`] holds a whole one.
const STRIDE: usize = MIN - WORD;

/// Calls `found` with every maximal run of at least [`MIN`] characters of `[0-9A-Za-z_-]`, in order.
pub fn wide(hay: &[u8], mut found: impl FnMut(Span)) {
    let mut at = 0;
    while let Some(next) = next_word(hay, at) {
        at = next;
        let start = at - length_before(&hay[..at]);
        let end = at + WORD + length_after(&hay[at + WORD..]);
        if end - start >= MIN {
            found(start..end);
        }
        at = end.next_multiple_of(STRIDE);
    }
}

/// The first place at or after `at`, in strides, where a whole word is of the class. A function of its own, so that
/// its loop keeps its constants in registers.
#[inline(never)]
fn next_word(hay: &[u8], mut at: usize) -> Option<usize> {
    const TOGETHER: usize = 4;
    while let Some(stretch) = hay.get(at..at + (TOGETHER - 1) * STRIDE + WORD) {
        let words: [u64; TOGETHER] = std::array::from_fn(|n| others(&stretch[n * STRIDE..n * STRIDE + WORD]));
        if let Some(first) = words.iter().position(|&others| others == 0) {
            return Some(at + first * STRIDE);
        }
        at += TOGETHER * STRIDE;
    }
    while let Some(word) = hay.get(at..at + WORD) {
        if others(word) == 0 {
            return Some(at);
        }
        at += STRIDE;
    }
    None
}

/// How many bytes of the class a text ends with.
fn length_before(text: &[u8]) -> usize {
    let mut length = 0;
    while let Some(word) = text.len().checked_sub(length + WORD).map(|from| &text[from..from + WORD]) {
        match others(word) {
            0 => length += WORD,
            others => return length + others.leading_zeros() as usize / 8,
        }
    }
    let rest = &text[..text.len() - length];
    length + rest.iter().rev().take_while(|&&byte| WIDE[usize::from(byte)]).count()
}

/// How many bytes of the class a text begins with.
fn length_after(text: &[u8]) -> usize {
    let mut length = 0;
    while let Some(word) = text.get(length..length + WORD) {
        match others(word) {
            0 => length += WORD,
            others => return length + others.trailing_zeros() as usize / 8,
        }
    }
    length + text[length..].iter().take_while(|&&byte| WIDE[usize::from(byte)]).count()
}

const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const HIGH: u64 = !LOW;

/// A word of eight times the same byte.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; WORD])
}

/// The highest bit of each of eight bytes that is not of `[0-9A-Za-z_-]`, the first byte lowest.
#[inline]
fn others(bytes: &[u8]) -> u64 {
    let word = u64::from_le_bytes(bytes.try_into().expect("eight bytes were cut"));
    // No sum below carries into the next byte, since every byte is below 0x80.
    let low = word & LOW;
    let folded = low | each(0x20);
    let digit = (low + each(0x80 - b'0')) & !(low + each(0x80 - b'9' - 1));
    let letter = (folded + each(0x80 - b'a')) & !(folded + each(0x80 - b'z' - 1));
    ((!(digit | letter) & differs(low, b'_') & differs(low, b'-')) | word) & HIGH
}

/// The highest bit of each of eight bytes below 0x80 that is not `byte`.
#[inline]
const fn differs(low: u64, byte: u8) -> u64 {
    (low ^ each(byte)) + LOW
}

/// Whether one of eight bytes is `a` or `b`, both below 0x80.
#[inline]
pub(super) fn holds_either(bytes: &[u8], a: u8, b: u8) -> bool {
    let word = u64::from_le_bytes(bytes.try_into().expect("eight bytes were cut"));
    let low = word & LOW;
    !(differs(low, a) & differs(low, b)) & !word & HIGH != 0
}

/// Cuts a run at its underscores and hyphens and calls `found` with the parts of at least [`MIN`] characters.
pub fn alnum(hay: &[u8], run: &Span, mut found: impl FnMut(Span)) {
    let mut start = run.start;
    while start + MIN <= run.end {
        if let Some(length) = hay[start..run.end].iter().position(|&byte| !ALNUM[usize::from(byte)]) {
            if length >= MIN {
                found(start..start + length);
            }
            start += length + 1;
        } else {
            found(start..run.end);
            break;
        }
    }
}

/// Whether a byte is one of `[0-9A-Za-z]`.
#[must_use]
pub fn is_alnum(byte: u8) -> bool {
    ALNUM[usize::from(byte)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(hay: &[u8]) -> Vec<Span> {
        let mut runs = Vec::new();
        let mut start = 0;
        for end in 0..=hay.len() {
            if end == hay.len() || !WIDE[usize::from(hay[end])] {
                if end - start >= MIN {
                    runs.push(start..end);
                }
                start = end + 1;
            }
        }
        runs
    }

    fn skipping(hay: &[u8]) -> Vec<Span> {
        let mut runs = Vec::new();
        wide(hay, |run| runs.push(run));
        runs
    }

    #[test]
    fn arithmetic_on_words_agrees_with_the_table() {
        for byte in 0..=255_u8 {
            for place in 0..8 {
                let mut bytes = [b'x'; 8];
                bytes[place] = byte;
                let expected = if WIDE[usize::from(byte)] { 0 } else { 0x80 << (8 * place) };
                assert_eq!(others(&bytes), expected, "{byte:#x} at {place}");
                assert_eq!(holds_either(&bytes, b'%', b'\\'), matches!(byte, b'%' | b'\\'), "{byte:#x}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn skip_search_equals_naive_search_on_long_runs(parts in prop::collection::vec(("[a-z0-9_-]{0,70}", prop::bool::ANY), 0..12)) {
            let hay: Vec<u8> = parts.iter().flat_map(|(run, space)| {
                let mut bytes = run.clone().into_bytes();
                if *space { bytes.push(b' ') }
                bytes
            }).collect();
            prop_assert_eq!(skipping(&hay), naive(&hay));
        }

        #[test]
        fn skip_search_equals_naive_search_on_arbitrary_bytes(hay in prop::collection::vec(prop::num::u8::ANY, 0..600)) {
            prop_assert_eq!(skipping(&hay), naive(&hay));
        }

        #[test]
        fn cutting_at_joiners_equals_splitting(run in "[a-z0-9_-]{32,200}") {
            let mut cut = Vec::new();
            alnum(run.as_bytes(), &(0..run.len()), |part| cut.push(run[part].to_owned()));
            let split: Vec<_> = run.split(['_', '-']).filter(|part| part.len() >= MIN).map(str::to_owned).collect();
            prop_assert_eq!(cut, split);
        }
    }
}
