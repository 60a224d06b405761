//! Where a text speaks of Twilio.

use fearless_simd::{Simd, dispatch, prelude::*};

use crate::detect::blocks::{LEVEL, each};

/// How Twilio is spelt, without the letter whose case varies; the last is a mistake that recurs.
const SPELLINGS: [&[u8]; 3] = [b"wilio", b"WILIO", b"willio"];

/// The places of all spellings, in order.
pub fn mentions(text: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    dispatch!(*LEVEL, simd => search(simd, text, &mut |at| {
        if SPELLINGS.iter().any(|word| text[at..].starts_with(word)) {
            found.push(at);
        }
    }));
    found
}

/// Calls `found` with each place where `wi` stands, in any case: few words hold it.
#[inline(always)]
#[allow(clippy::inline_always, reason = "see `each`")]
fn search<S: Simd>(simd: S, text: &[u8], found: &mut dyn FnMut(usize)) {
    // Whether the block before ended with a `w`.
    let mut open = 0;
    each(
        simd,
        text,
        #[inline(always)]
        |at, bytes| {
            let folded = bytes | 0x20;
            let first = folded.simd_eq(b'w').to_bitmask();
            let mut second = folded.simd_eq(b'i').to_bitmask() & (first << 1 | open);
            open = first >> (u64::BITS - 1);
            while second != 0 {
                found(at + second.trailing_zeros() as usize - 1);
                second &= second - 1;
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_found_at_every_place() {
        for word in ["twilio", "Twilio", "TWILIO", "Twillio", "wilio"] {
            let offset = word.len() - word.trim_start_matches(['t', 'T']).len();
            for place in 0..200 {
                let text = format!("{}{word} wi Wilo {word}", "w".repeat(place));
                let second = text.rfind(word).unwrap_or_default();
                assert_eq!(mentions(text.as_bytes()), [place + offset, second + offset], "{word} at {place}");
            }
        }
        assert_eq!(mentions(b"tWiLiO will wilios".as_slice()), [12]);
        assert!(mentions(b"").is_empty());
    }
}
