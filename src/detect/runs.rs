//! The skip search: every maximal run of at least 32 characters of `[0-9A-Za-z_-]`, looking at few of the bytes.
//!
//! A run of 32 must cover every 32nd byte. So look at byte i+31 and walk back while it is one of the class; the
//! first byte that is not moves i past it. In ordinary text most bytes are never looked at. Underscore and hyphen
//! are in the class of the search, since some of Twilio's other secrets hold them, but they are edges of the runs
//! that core credentials are made of: [`alnum`] cuts a run at them.

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

/// Calls `found` with every maximal run of at least [`MIN`] characters of `[0-9A-Za-z_-]`, in order.
pub fn wide(hay: &[u8], mut found: impl FnMut(Span)) {
    // Everything before `start` is settled, and the byte before it is not of the class.
    let mut start = 0;
    while let Some(window) = hay.get(start..start + MIN) {
        // From the end of the window: the later the byte that is not of the class, the further the jump.
        if let Some(last_other) = (0..MIN / 8)
            .rev()
            .find_map(|eighth| last_other(&window[eighth * 8..eighth * 8 + 8]).map(|at| eighth * 8 + at))
        {
            start += last_other + 1;
        } else {
            let end = hay[start + MIN..]
                .iter()
                .position(|&byte| !WIDE[usize::from(byte)])
                .map_or(hay.len(), |length| start + MIN + length);
            found(start..end);
            start = end + 1;
        }
    }
}

const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const HIGH: u64 = !LOW;

/// A word of eight times the same byte.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The place of the last of eight bytes that is not of `[0-9A-Za-z_-]`, by arithmetic on all eight at once: a loop
/// over bytes ends at another place each time, which processors predict badly.
#[inline]
fn last_other(bytes: &[u8]) -> Option<usize> {
    let word = u64::from_le_bytes(bytes.try_into().expect("eight bytes were cut"));
    // No sum below carries into the next byte, since every byte is below 0x80.
    let low = word & LOW;
    let folded = low | each(0x20);
    let digit = (low + each(0x80 - b'0')) & !(low + each(0x80 - b'9' - 1));
    let letter = (folded + each(0x80 - b'a')) & !(folded + each(0x80 - b'z' - 1));
    let not_joiner = ((low ^ each(b'_')) + LOW) & ((low ^ each(b'-')) + LOW);
    let other = ((!(digit | letter) & not_joiner) | word) & HIGH;
    (other != 0).then(|| 7 - other.leading_zeros() as usize / 8)
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
                assert_eq!(
                    last_other(&bytes),
                    (!WIDE[usize::from(byte)]).then_some(place),
                    "{byte:#x} at {place}"
                );
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
