//! Where a text speaks of Twilio.

use fearless_simd::{Simd, dispatch, prelude::*};

use crate::detect::blocks::{LEVEL, each};
use crate::rules::Rules;

/// The letters that every built-in brand begins with: what is looked for first, 64 bytes at once.
const BEGINNING: [u8; 2] = *b"tw";

/// The places of all spellings of the brand, in any case, in order.
pub fn mentions(rules: &Rules, text: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    dispatch!(*LEVEL, simd => search(simd, text, &mut |at| {
        let is_spelt = |word: &&str| text.get(at..at + word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word.as_bytes()));
        if rules.mentions().iter().any(is_spelt) {
            found.push(at);
        }
    }));
    if let Some(own) = rules.own_mentions() {
        found.extend(own.find_iter(text).map(|word| word.start()));
        found.sort_unstable();
    }
    found
}

/// Calls `found` with each place where the brands' first two letters stand, in any case.
#[inline(always)]
#[allow(clippy::inline_always, reason = "see `each`")]
fn search<S: Simd>(simd: S, text: &[u8], found: &mut dyn FnMut(usize)) {
    let [first, second] = BEGINNING;
    // Whether the block before ended with the first letter.
    let mut open = 0;
    each(
        simd,
        text,
        #[inline(always)]
        |at, bytes| {
            let folded = bytes | 0x20;
            let firsts = folded.simd_eq(first).to_bitmask();
            let mut seconds = folded.simd_eq(second).to_bitmask() & (firsts << 1 | open);
            open = firsts >> (u64::BITS - 1);
            while seconds != 0 {
                found(at + seconds.trailing_zeros() as usize - 1);
                seconds &= seconds - 1;
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_found_at_every_place_in_any_case() {
        let mut rules = Rules::built_in();
        for word in rules.mentions() {
            assert!(word.as_bytes().starts_with(&BEGINNING), "{word} would never be found");
            for word in [
                (*word).to_owned(),
                word.to_uppercase(),
                format!("{}{}", word[..1].to_uppercase(), &word[1..]),
            ] {
                for place in 0..140 {
                    let text = format!("{}{word} wi two Wilo {word}", "w".repeat(place));
                    let second = text.rfind(&word).unwrap_or_default();
                    assert_eq!(mentions(&rules, text.as_bytes()), [place, second], "{word} at {place}");
                }
            }
        }
        assert!(mentions(&rules, b"").is_empty());
        rules.add("my.toml", "twilio_names = [\"notifyhub\"]").unwrap();
        assert_eq!(mentions(&rules, b"twilio NOTIFYHUB_PASSWORD twilio"), [0, 7, 26]);
    }
}
