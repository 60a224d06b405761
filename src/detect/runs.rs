//! The search for runs: every maximal run of at least 32 characters of `[0-9A-Za-z_-]`.
//!
//! Of each block of 64 bytes, a number has a bit for each byte of the class. Whether a run is long enough, and where it ends, is
//! then a matter of a few shifts, so most blocks end without a branch that depends on what stands in them. Underscore and
//! hyphen are in the class of the search, since some of Twilio's other secrets hold them, but they are edges of the runs
//! that core credentials are made of: [`alnum`] cuts a run at them.

use fearless_simd::{Simd, dispatch, prelude::*, u8x64};

use super::blocks::{BLOCK, LEVEL, each};

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

/// Calls `found` with every maximal run of at least [`MIN`] characters of `[0-9A-Za-z_-]`, in order.
pub fn wide(hay: &[u8], mut found: impl FnMut(Span)) {
    if hay.len() >= MIN {
        // By reference, so that what is done with a run is not compiled once for each kind of processor.
        let found: &mut dyn FnMut(Span) = &mut found;
        dispatch!(*LEVEL, simd => search(simd, hay, found));
    }
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "see `each`")]
fn search<S: Simd>(simd: S, hay: &[u8], found: &mut dyn FnMut(Span)) {
    let mut open = 0;
    each(
        simd,
        hay,
        #[inline(always)]
        |at, bytes| open = pass(of_class(bytes), at, open, found),
    );
}

/// The bytes that are of `[0-9A-Za-z_-]`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "see `each`")]
fn of_class<S: Simd>(bytes: u8x64<S>) -> u64 {
    // Subtraction wraps, so what is below the first of a range is above its last.
    let letter = ((bytes | 0x20) - b'a').simd_lt(26);
    let digit = (bytes - b'0').simd_lt(10);
    (letter | digit | bytes.simd_eq(b'_') | bytes.simd_eq(b'-')).to_bitmask()
}

/// Tells of the runs that end in a block, given how many bytes of the class stand right before it; returns how many it ends with.
#[inline(always)]
#[allow(clippy::inline_always, reason = "see `each`")]
fn pass(block: u64, at: usize, open: usize, found: &mut dyn FnMut(Span)) -> usize {
    let first = block.trailing_ones() as usize;
    if (open + first >= MIN) | (starts(block) != 0) {
        return ends(block, at, open, found);
    }
    block.leading_ones() as usize
}

/// The same for a block in which a run is long enough.
#[inline(never)]
fn ends(block: u64, at: usize, open: usize, found: &mut dyn FnMut(Span)) -> usize {
    if block == u64::MAX {
        return open + BLOCK;
    }
    let first = block.trailing_ones() as usize;
    if open + first >= MIN {
        found(at - open..at + first);
    }
    // Beside it, one run at most is as long and ends in this block.
    let long = starts(block >> first << first);
    if long != 0 {
        let start = long.trailing_zeros() as usize;
        let end = start + (block >> start).trailing_ones() as usize;
        if end < BLOCK {
            found(at + start..at + end);
        }
    }
    block.leading_ones() as usize
}

/// The places of a block from which on [`MIN`] bits are 1.
#[inline]
fn starts(mut block: u64) -> u64 {
    let mut length = 1;
    while length < MIN {
        block &= block >> length;
        length *= 2;
    }
    block
}

/// Cuts a run at its underscores and hyphens and calls `found` with the parts of at least [`MIN`] characters.
pub fn alnum(hay: &[u8], run: &Span, mut found: impl FnMut(Span)) {
    let mut start = run.start;
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

    use fearless_simd::Level;

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

    fn searched(hay: &[u8]) -> Vec<Span> {
        let mut runs = Vec::new();
        wide(hay, |run| runs.push(run));
        runs
    }

    #[test]
    fn every_byte_ends_a_run_or_not_at_every_place_on_every_kind_of_processor() {
        let mut levels = vec![Level::baseline(), *LEVEL];
        #[cfg(target_arch = "x86_64")]
        levels.extend(
            [
                LEVEL.as_sse2().map(Level::Sse2),
                LEVEL.as_sse4_2().map(Level::Sse4_2),
                LEVEL.as_avx2().map(Level::Avx2),
            ]
            .into_iter()
            .flatten(),
        );
        for level in levels {
            for byte in 0..=255_u8 {
                for place in 0..BLOCK {
                    let mut block = [b'x'; BLOCK];
                    block[place] = byte;
                    let expected = if of_class(byte) { u64::MAX } else { !(1 << place) };
                    let block = dispatch!(level, simd => super::of_class(u8x64::from_slice(simd, &block)));
                    assert_eq!(block, expected, "{byte:#x} at {place}, {level:?}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn the_search_equals_a_naive_one_on_long_runs(parts in prop::collection::vec(("[a-z0-9_-]{0,70}", prop::bool::ANY), 0..12)) {
            let hay: Vec<u8> = parts.iter().flat_map(|(run, space)| {
                let mut bytes = run.clone().into_bytes();
                if *space { bytes.push(b' ') }
                bytes
            }).collect();
            prop_assert_eq!(searched(&hay), naive(&hay));
        }

        #[test]
        fn the_search_equals_a_naive_one_on_arbitrary_bytes(hay in prop::collection::vec(prop::num::u8::ANY, 0..600)) {
            prop_assert_eq!(searched(&hay), naive(&hay));
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
