//! The search for runs: every maximal run of at least 32 characters of `[0-9A-Za-z_-]`.
//!
//! Of each block of 64 bytes, a number has a bit for each byte of the class. Whether a run is long enough, and where it ends, is
//! then a matter of a few shifts, so most blocks end without a branch that depends on what stands in them. Underscore and
//! hyphen are in the class of the search, since some of Twilio's other secrets hold them, but they are edges of the runs
//! that core credentials are made of: [`alnum`] cuts a run at them.

use fearless_simd::{Simd, dispatch, prelude::*, u8x64};

use super::blocks::{BLOCK, LEVEL, each};
use super::hashes;

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

/// Calls `found` with every maximal run of at least [`MIN`] characters of `[0-9A-Za-z_-]`, in order. Of hashes that nothing
/// names ([`hashes::is_unnamed`]) `leave` is asked once whether they are all left out.
pub fn wide(hay: &[u8], mut leave: impl FnMut() -> bool, mut found: impl FnMut(Span)) {
    if hay.len() >= MIN {
        // By reference, so that what is done with a run is not compiled once for each kind of processor.
        let (leave, found): (&mut dyn FnMut() -> bool, &mut dyn FnMut(Span)) = (&mut leave, &mut found);
        dispatch!(*LEVEL, simd => search(simd, hay, leave, found));
    }
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "see `each`")]
fn search<S: Simd>(simd: S, hay: &[u8], leave: &mut dyn FnMut() -> bool, found: &mut dyn FnMut(Span)) {
    let mut open = 0;
    let mut left_out = None;
    each(
        simd,
        hay,
        #[inline(always)]
        |at, bytes| {
            open = pass(
                of_class(simd, bytes),
                at,
                open,
                #[inline(always)]
                |run| {
                    if !(hashes::is_unnamed(simd, hay, &run) && *left_out.get_or_insert_with(&mut *leave)) {
                        found(run);
                    }
                },
            );
        },
    );
}

/// The kinds of characters that a byte can be of by its lower four bits, and by its upper four: a bit for each row of the ASCII
/// table that has some, in which they follow each other.
static KINDS: ([u8; BLOCK], [u8; BLOCK]) = {
    const DIGIT: u8 = 1; // 30 to 39
    const FIRST: u8 = 2; // 41 to 4f, 61 to 6f
    const LAST: u8 = 4; // 50 to 5a, 70 to 7a
    const UNDERSCORE: u8 = 8; // 5f
    const HYPHEN: u8 = 16; // 2d
    let mut tables = ([0; BLOCK], [0; BLOCK]);
    let mut at = 0;
    while at < BLOCK {
        tables.0[at] = match at % 16 {
            0 => DIGIT | LAST,
            1..=9 => DIGIT | FIRST | LAST,
            0xa => FIRST | LAST,
            0xd => FIRST | HYPHEN,
            0xf => FIRST | UNDERSCORE,
            _ => FIRST,
        };
        tables.1[at] = match at % 16 {
            2 => HYPHEN,
            3 => DIGIT,
            4 | 6 => FIRST,
            5 => LAST | UNDERSCORE,
            7 => LAST,
            _ => 0,
        };
        at += 1;
    }
    tables
};

/// The bytes that are of `[0-9A-Za-z_-]`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "see `each`")]
fn of_class<S: Simd>(simd: S, bytes: u8x64<S>) -> u64 {
    let lower = u8x64::from_slice(simd, &KINDS.0).swizzle_dyn_within_blocks(bytes & 0x0f);
    let upper = u8x64::from_slice(simd, &KINDS.1).swizzle_dyn_within_blocks(bytes >> 4);
    (lower & upper).simd_gt(0).to_bitmask()
}

/// Tells of the runs that end in a block, given how many bytes of the class stand right before it; returns how many it ends with.
#[inline(always)]
#[allow(clippy::inline_always, reason = "see `each`")]
fn pass(block: u64, at: usize, open: usize, mut found: impl FnMut(Span)) -> usize {
    let first = block.trailing_ones() as usize;
    let long = starts(block);
    if open + first >= MIN || long != 0 {
        if block == u64::MAX {
            return open + BLOCK;
        }
        if open + first >= MIN {
            found(at - open..at + first);
        }
        // Beside a shorter one that the block begins with, one run at most is as long.
        if long != 0 && first < MIN {
            let start = long.trailing_zeros() as usize;
            let end = start + (block >> start).trailing_ones() as usize;
            if end < BLOCK {
                found(at + start..at + end);
            }
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
        wide(hay, || false, |run| runs.push(run));
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
                    let block =
                        dispatch!(level, simd => super::of_class(simd, u8x64::from_slice(simd, &block)));
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
