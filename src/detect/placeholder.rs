//! Whether a value was generated, or typed by somebody who needed something to stand there.

use crate::rules::Rules;

/// Distinct characters below which 32 random hex digits do not fall (chance below 3 in a million).
const FEWEST_DISTINCT_HEX: u32 = 9;
/// The same for letters and digits.
const FEWEST_DISTINCT_BASE62: u32 = 14;
/// A stretch this long of one character, or counting up or down, was typed.
const LONGEST_CHANCE_STRETCH: usize = 6;

/// Whether these 32 characters are a repeat, a sequence, a word, or a published example.
#[must_use]
pub fn is_placeholder(rules: &Rules, body: &[u8]) -> bool {
    let lower = body.to_ascii_lowercase();
    let hex = lower.iter().all(u8::is_ascii_hexdigit);
    distinct(body) < if hex { FEWEST_DISTINCT_HEX } else { FEWEST_DISTINCT_BASE62 }
        || repeats(&lower)
        || counts(&lower)
        || spells(&lower, u8::is_ascii_alphabetic)
        || spells(&lower, u8::is_ascii_digit)
        || stretch(&lower) >= LONGEST_CHANCE_STRETCH
        || std::str::from_utf8(&lower).is_ok_and(|text| {
            rules.is_published(text) || rules.placeholder_words().any(|word| text.contains(word))
        })
}

fn distinct(body: &[u8]) -> u32 {
    body.iter().fold(0_u128, |seen, &byte| seen | 1 << (byte & 127)).count_ones()
}

/// A period of at most half the length, one character of slack for what was typed at the end.
fn repeats(body: &[u8]) -> bool {
    (1..=body.len() / 2).any(|period| {
        let compared = body.len() - period;
        let equal = body.iter().zip(&body[period..]).filter(|(a, b)| a == b).count();
        equal + 2 >= compared
    })
}

/// `a1b2c3d4…`, `0f1e2d…`, `112233…`: at some small stride, most characters are the next, the same or the previous one.
fn counts(body: &[u8]) -> bool {
    (1..=4).any(|stride| {
        let steps = body.iter().zip(&body[stride..]);
        let (mut up, mut down) = (0, 0);
        for (&a, &b) in steps {
            up += usize::from(successor(a) == Some(b));
            down += usize::from(successor(b) == Some(a));
        }
        up.max(down) * 2 >= body.len() - stride
    })
}

/// `aB1cD2eF3…`: the letters alone, or the digits alone, are the alphabet.
fn spells(body: &[u8], of: fn(&u8) -> bool) -> bool {
    let part: Vec<u8> = body.iter().copied().filter(of).collect();
    let steps = part.windows(2).filter(|pair| successor(pair[0]) == Some(pair[1])).count();
    part.len() >= 12 && steps * 4 >= (part.len() - 1) * 3
}

/// The longest stretch of one character or of neighbours counting up or down.
fn stretch(body: &[u8]) -> usize {
    let (mut same, mut up, mut down, mut longest) = (1, 1, 1, 1);
    for pair in body.windows(2) {
        same = if pair[0] == pair[1] { same + 1 } else { 1 };
        up = if successor(pair[0]) == Some(pair[1]) { up + 1 } else { 1 };
        down = if successor(pair[1]) == Some(pair[0]) { down + 1 } else { 1 };
        longest = longest.max(same).max(up).max(down);
    }
    longest
}

fn successor(byte: u8) -> Option<u8> {
    match byte {
        b'9' => Some(b'0'),
        b'0'..=b'8' | b'a'..=b'y' => Some(byte + 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_values_are_placeholders() {
        let rules = Rules::built_in();
        for typed in [
            "a".repeat(32),
            "0123456789abcdef".repeat(2),
            "1234567890abcdef1234567890abcdef".into(),
            "12345678901234567890123456789012".into(),
            "a1b2c3d4e5f6".repeat(3)[..32].into(),
            "deadbeef".repeat(4),
            "0011223344556677".repeat(2),
            "aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV".into(),
            "00000000000000000000000000000001".into(),
            "thisIsMyExampleSecretForTheDocs1".into(),
            "ffeeddccbbaa99887766554433221100".into(),
        ] {
            assert!(is_placeholder(&rules, typed.as_bytes()), "{typed}");
        }
    }

    #[test]
    fn generated_values_are_not() {
        let rules = Rules::built_in();
        let mut random = fastrand::Rng::with_seed(7);
        let mut wrong = 0;
        for _ in 0..100_000 {
            let hex: Vec<u8> = (0..32).map(|_| b"0123456789abcdef"[random.usize(..16)]).collect();
            wrong += usize::from(is_placeholder(&rules, &hex));
            let base62: Vec<u8> = (0..32).map(|_| random.alphanumeric() as u8).collect();
            wrong += usize::from(is_placeholder(&rules, &base62));
        }
        assert!(wrong < 60, "{wrong} of 200,000 generated values were taken for typed ones");
    }
}
