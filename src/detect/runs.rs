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
    // Bytes of [start, known) are of the class.
    let mut known = 0;
    while let Some(window) = hay.get(start..start + MIN) {
        let known_in_window = known - start;
        match window[known_in_window..].iter().rposition(|&byte| !WIDE[usize::from(byte)]) {
            Some(last_other) => {
                known = start + MIN;
                start += known_in_window + last_other + 1;
            }
            None => {
                let end = hay[start + MIN..]
                    .iter()
                    .position(|&byte| !WIDE[usize::from(byte)])
                    .map_or(hay.len(), |length| start + MIN + length);
                found(start..end);
                start = end + 1;
                known = start;
            }
        }
    }
}

/// Cuts a run at its underscores and hyphens and calls `found` with the parts of at least [`MIN`] characters.
pub fn alnum(hay: &[u8], run: &Span, mut found: impl FnMut(Span)) {
    let mut start = run.start;
    while start + MIN <= run.end {
        match hay[start..run.end].iter().position(|&byte| !ALNUM[usize::from(byte)]) {
            Some(length) => {
                if length >= MIN {
                    found(start..start + length);
                }
                start += length + 1;
            }
            None => {
                found(start..run.end);
                break;
            }
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
