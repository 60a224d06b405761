//! Hashes: of 32 hex digits each, as Auth Tokens are. Lock files and lists of checksums hold millions, so the search for runs
//! asks of each, with the processor's widest instructions, whether anything at it could name a secret at all.

use fearless_simd::{Simd, prelude::*, u8x32, u8x64};

use super::blocks::BLOCK;
use super::runs::Span;
use crate::rules::Rules;

/// How far before a value its own name is looked for at first, in bytes.
pub const BESIDE: usize = 48;

/// Whether a run is 32 lower-case hex digits and nothing right before it can hold a word of [`says_secret`]. Of one near the
/// beginning of a text this is not asked.
#[inline(always)]
#[allow(clippy::inline_always, reason = "see `blocks::each`")]
pub fn is_unnamed<S: Simd>(simd: S, text: &[u8], run: &Span) -> bool {
    let Some(value) = text[run.clone()].as_array() else { return false };
    let Some((_, before)) = text[..run.start].split_last_chunk() else { return false };
    is_hash(simd, value) && !may_be_named(simd, before)
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "see `blocks::each`")]
fn is_hash<S: Simd>(simd: S, value: &[u8; 32]) -> bool {
    let bytes = u8x32::from_slice(simd, value);
    ((bytes - b'0').simd_lt(10) | (bytes - b'a').simd_lt(6)).all_true()
}

/// Whether one of the last [`BESIDE`] of so many bytes is the `t` of one of the words, or begins a short brand: `t.k`, `r.t`, `ut` or
/// `tw`, in any case.
#[inline(always)]
#[allow(clippy::inline_always, reason = "see `blocks::each`")]
fn may_be_named<S: Simd>(simd: S, before: &[u8; BLOCK]) -> bool {
    let letters = u8x64::from_slice(simd, before) | 0x20;
    let is = |letter: u8| letters.simd_eq(letter).to_bitmask();
    let t = is(b't') >> (BLOCK - BESIDE) << (BLOCK - BESIDE);
    // What stands beside a hash seldom holds even that letter.
    t != 0 && t & (is(b'k') >> 2 | is(b'r') << 2 | is(b'u') << 1 | is(b'w') >> 1) != 0
}

/// The words that name a secret in a text that says nothing of Twilio's.
const WORDS: [&str; 3] = ["token", "secret", "auth"];

/// Whether one of [`WORDS`] or a brand stands in a few bytes, in any case.
pub fn says_secret(rules: &Rules, part: &[u8]) -> bool {
    memchr::memchr2_iter(b't', b'T', part).any(|at| {
        let stands = |word: &str, from: Option<usize>| {
            from.and_then(|from| part.get(from..from + word.len()))
                .is_some_and(|there| there.eq_ignore_ascii_case(word.as_bytes()))
        };
        WORDS.iter().any(|word| stands(word, word.find('t').and_then(|offset| at.checked_sub(offset))))
            || rules.short_brands().iter().any(|word| stands(word, Some(at)))
    })
}

#[cfg(test)]
mod tests {
    use fearless_simd::dispatch;

    use super::*;
    use crate::detect::blocks::LEVEL;

    const HASH: &str = "3f9a0c4be1d275863f9b0c4be1d27186";

    fn is_unnamed(text: &[u8], run: &Span) -> bool {
        dispatch!(*LEVEL, simd => super::is_unnamed(simd, text, run))
    }

    #[test]
    fn a_name_is_seen_at_every_place_beside_a_hash() {
        for word in ["token", "SECRET", "Auth", "authToken", "TW_", "twl"] {
            for behind in 0..=BESIDE - word.len() {
                let text = format!("{}{word}{}{HASH}", "x".repeat(BLOCK), "=".repeat(behind));
                let run = text.len() - HASH.len()..text.len();
                assert!(!is_unnamed(text.as_bytes(), &run), "{text}");
                assert!(
                    says_secret(&Rules::built_in(), &text.as_bytes()[run.start - BESIDE..run.start]),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn what_names_nothing_is_told_from_what_does() {
        for (before, unnamed) in [
            ("    \"etag\": \"", true),
            ("  ./usr/share/doc/package0/changelog.gz\n", true),
            ("burst: ", false),
            ("", true),
        ] {
            let text = format!("{}{before}{HASH}", " ".repeat(BLOCK));
            let run = text.len() - HASH.len()..text.len();
            assert_eq!(is_unnamed(text.as_bytes(), &run), unnamed, "{text}");
            assert!(!is_unnamed(
                &text.as_bytes()[BLOCK - before.len()..],
                &(before.len()..before.len() + 32)
            ));
        }
    }

    #[test]
    fn only_32_lower_case_hex_digits_are_a_hash() {
        for byte in 0..=255_u8 {
            let mut text = [b' '; BLOCK + 32];
            text[BLOCK..].copy_from_slice(HASH.as_bytes());
            for place in [0, 15, 16, 31] {
                text[BLOCK + place] = byte;
                let expected = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                assert_eq!(is_unnamed(&text, &(BLOCK..BLOCK + 32)), expected, "{byte:#x} at {place}");
                text[BLOCK + place] = HASH.as_bytes()[place];
            }
        }
        let text = format!("{}{HASH}0", " ".repeat(BLOCK));
        assert!(!is_unnamed(text.as_bytes(), &(BLOCK..text.len())));
    }
}
