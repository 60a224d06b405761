//! The skip search: every maximal run of at least 32 characters of `[0-9A-Za-z_-]`, looking at few of the bytes.
//!
//! A run of 32 holds, wherever it lies, sixteen bytes that begin at a multiple of 16. So blocks of sixteen are looked at,
//! each at once, and only where a whole block is of the class is its run followed to its ends. Underscore and hyphen
//! are in the class of the search, since some of Twilio's other secrets hold them, but they are edges of the runs that
//! core credentials are made of: [`alnum`] cuts a run at them.

/// The shortest run of interest, in bytes.
pub const MIN: usize = 32;

/// A half-open range of bytes.
pub type Span = std::ops::Range<usize>;

static ALNUM: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    table
};

/// Bytes that are looked at together.
const BLOCK: usize = MIN / 2;

/// Calls `found` with every maximal run of at least [`MIN`] characters of `[0-9A-Za-z_-]`, in order.
pub fn wide(hay: &[u8], mut found: impl FnMut(Span)) {
    let mut at = 0;
    while let Some(block) = next_block(hay, at) {
        let start = block - ending(&hay[..block]);
        let end = block + BLOCK + beginning(&hay[block + BLOCK..]);
        if end - start >= MIN {
            found(start..end);
        }
        at = end.next_multiple_of(BLOCK);
    }
}

/// The first block at or after `at` that is of the class throughout, and so are eight bytes on one side of it at least.
/// A function of its own, so that the compiler keeps its loop tight.
#[inline(never)]
fn next_block(hay: &[u8], mut at: usize) -> Option<usize> {
    const HALF: usize = BLOCK / 2;
    while let Some(block) = hay.get(at..at + BLOCK) {
        if may_be_whole(block) && is_whole::<BLOCK>(block) {
            let after = hay.get(at + BLOCK..at + BLOCK + HALF).is_some_and(is_whole::<HALF>);
            if after || at.checked_sub(HALF).is_some_and(|from| is_whole::<HALF>(&hay[from..at])) {
                return Some(at);
            }
        }
        at += BLOCK;
    }
    None
}

/// How many bytes of the class a text begins with.
#[inline]
fn beginning(hay: &[u8]) -> usize {
    let (blocks, rest) = hay.as_chunks::<BLOCK>();
    for (number, block) in blocks.iter().enumerate() {
        let gaps = gaps(block);
        if gaps != 0 {
            return number * BLOCK + gaps.trailing_zeros() as usize / 8;
        }
    }
    blocks.len() * BLOCK + rest.iter().take_while(|&&byte| is_wide(byte)).count()
}

/// How many bytes of the class a text ends with.
#[inline]
fn ending(hay: &[u8]) -> usize {
    let (rest, blocks) = hay.as_rchunks::<BLOCK>();
    for (number, block) in blocks.iter().rev().enumerate() {
        let gaps = gaps(block);
        if gaps != 0 {
            return number * BLOCK + gaps.leading_zeros() as usize / 8;
        }
    }
    blocks.len() * BLOCK + rest.iter().rev().take_while(|&&byte| is_wide(byte)).count()
}

/// A number in which the bytes of those places of a block are 1 that are not of the class, its first place lowest.
#[inline]
fn gaps(block: &[u8; BLOCK]) -> u128 {
    u128::from_le_bytes(block.map(|byte| u8::from(!is_wide(byte))))
}

/// Whether a byte is one of `[0-9A-Za-z_-]`. Without a branch, so that the compiler can compare many bytes at once.
#[inline]
#[allow(clippy::needless_bitwise_bool, reason = "a branch for each byte is what this avoids")]
fn is_wide(byte: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit = byte.wrapping_sub(b'0') < 10;
    letter | digit | (byte == b'_') | (byte == b'-')
}

/// Whether all bytes of a block are of a class that is wider than `[0-9A-Za-z_-]`, and tried in half the steps: what is left
/// out with bit 5 set, so that capitals are letters too, is spaces, ends of lines, quotes, `(),:=` and their like.
#[inline]
fn may_be_whole(block: &[u8]) -> bool {
    let block: &[u8; BLOCK] = block.try_into().expect("a block was cut");
    block.iter().fold(true, |all, &byte| {
        let folded = byte | 0x20;
        all & ((folded.wrapping_sub(b'-') < 13) | (folded.wrapping_sub(b'a') < 31))
    })
}

/// Whether all bytes of a block are of `[0-9A-Za-z_-]`.
#[inline]
fn is_whole<const LENGTH: usize>(block: &[u8]) -> bool {
    let block: &[u8; LENGTH] = block.try_into().expect("a block was cut");
    block.iter().fold(true, |all, &byte| all & is_wide(byte))
}

/// Cuts a run at its underscores and hyphens and calls `found` with the parts of at least [`MIN`] characters.
pub fn alnum(hay: &[u8], run: &Span, mut found: impl FnMut(Span)) {
    let mut start = run.start;
    // Most runs are one hash.
    if let Ok(only) = <&[u8; MIN]>::try_from(&hay[run.clone()])
        && !any_of(only, |byte| matches!(byte, b'_' | b'-'))
    {
        return found(run.clone());
    }
    while start + MIN <= run.end {
        if let Some(length) = memchr::memchr2(b'_', b'-', &hay[start..run.end]) {
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

/// Whether one of so many bytes is like that. Without a branch for each byte, so that the compiler can compare many at once.
#[inline]
pub fn any_of<const COUNT: usize>(bytes: &[u8; COUNT], is: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(false, |any, &byte| any | is(byte))
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

    fn of_class(byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
    }

    fn naive(hay: &[u8]) -> Vec<Span> {
        let mut runs = Vec::new();
        let mut start = 0;
        for end in 0..=hay.len() {
            if end == hay.len() || !of_class(hay[end]) {
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
    fn comparing_a_block_agrees_with_the_table() {
        for byte in 0..=255_u8 {
            for place in 0..BLOCK {
                let mut block = [b'x'; BLOCK];
                block[place] = byte;
                assert!(may_be_whole(&block) || !of_class(byte), "{byte:#x} at {place}");
                assert_eq!(is_whole::<BLOCK>(&block), of_class(byte), "{byte:#x} at {place}");
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
