//! Whether a value was generated, or typed by somebody who needed something to stand there.
//!
//! What certainly was typed is no credential, whatever stands around it, so a generated value must never be taken for one: of
//! 10⁷ random values not one may be. What only may have been typed is an observation among others.

use crate::rules::Rules;

/// What speaks for a value's having been typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// One generated value in some thousands looks like this.
    Perhaps,
    /// A generated value does not look like this: why, in words for a report.
    Certainly(&'static str),
}

/// Distinct characters up to which 32 random hex digits do not come (chance 2 in 10¹⁰), and up to which they seldom come.
const FEWEST_DISTINCT_HEX: [u32; 2] = [6, 8];
/// The same for letters and digits.
const FEWEST_DISTINCT_BASE62: [u32; 2] = [11, 13];
/// A stretch of one character, or counting up or down, that is this long was typed, or may have been.
const LONGEST_STRETCH: [usize; 2] = [11, 6];
/// A made-up word that is this long does not come by chance among letters of both cases and digits.
const LONG_WORD: usize = 7;
/// So many characters of 32 that belong to words, sequences and keyboard rows were typed.
const MOST_COVERED: usize = 18;
/// Shorter words and sequences come by chance.
const SHORTEST_PIECE: usize = 4;

/// Whether these 32 characters are a repeat, a sequence, words, a keyboard's row, or a published example.
#[must_use]
pub fn typed(rules: &Rules, body: &[u8]) -> Option<Typed> {
    let lower = body.to_ascii_lowercase();
    let hex = lower.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(&lower).unwrap_or_default();
    let [fewest, few] = if hex { FEWEST_DISTINCT_HEX } else { FEWEST_DISTINCT_BASE62 };
    let distinct = distinct(body);
    let stretch = stretch(&lower);
    let words = || rules.placeholder_words().filter(|word| text.contains(word));
    let certainly = |reason| Some(Typed::Certainly(reason));
    if rules.is_published(text) {
        certainly("a published example")
    } else if distinct <= fewest {
        certainly("few different characters")
    } else if repeats(&lower) {
        certainly("it repeats itself")
    } else if counts(&lower) || spells(&lower, hex) || stretch >= LONGEST_STRETCH[0] {
        certainly("a sequence")
    } else if is_camel_case(body) {
        certainly("an identifier, put together from words")
    } else if !hex && words().any(|word| word.len() >= LONG_WORD) {
        certainly("it says that it is made up")
    } else if covered(rules, &lower) >= MOST_COVERED {
        certainly("words and sequences")
    } else if distinct <= few || stretch >= LONGEST_STRETCH[1] || words().next().is_some() {
        Some(Typed::Perhaps)
    } else {
        None
    }
}

/// Whether they are letters alone, in words of three and more that each begin with a capital and hold a vowel:
/// `scryRenderedComponentsWithTypes`. Of 10⁹ random secrets two are so.
fn is_camel_case(body: &[u8]) -> bool {
    const SHORTEST_WORD: usize = 3;
    let is_word = |word: &[u8]| {
        word.len() >= SHORTEST_WORD
            && word.iter().any(|byte| b"aeiouyAEIOUY".contains(byte))
            && word[1..].iter().all(u8::is_ascii_lowercase)
    };
    body.iter().all(u8::is_ascii_alphabetic)
        && body.iter().filter(|byte| byte.is_ascii_uppercase()).count() >= 2
        && body.chunk_by(|_, next| next.is_ascii_lowercase()).all(is_word)
}

/// How many characters belong to words of the vocabulary, to sequences or to a keyboard's rows.
fn covered(rules: &Rules, lower: &[u8]) -> usize {
    const ROWS: [&[u8]; 3] = [b"qwertyuiop", b"asdfghjkl", b"zxcvbnm"];
    let next_on_row =
        |a: u8, b: u8| ROWS.iter().any(|row| row.windows(2).any(|pair| pair == [a, b] || pair == [b, a]));
    let mut is_covered = [false; 34];
    let mut cover = |span: std::ops::Range<usize>| {
        if span.len() >= SHORTEST_PIECE {
            is_covered[span].fill(true);
        }
    };
    let steps: [&dyn Fn(u8, u8) -> bool; 4] =
        [&|a, b| a == b, &|a, b| successor(a) == Some(b), &|a, b| successor(b) == Some(a), &next_on_row];
    for step in steps {
        let mut start = 0;
        for at in 1..=lower.len() {
            if at == lower.len() || !step(lower[at - 1], lower[at]) {
                cover(start..at);
                start = at;
            }
        }
    }
    for piece in rules.placeholder_pieces().iter().filter(|piece| piece.len() >= SHORTEST_PIECE) {
        for at in memchr::memmem::find_iter(lower, piece.as_bytes()) {
            cover(at..at + piece.len());
        }
    }
    let mut start = 0;
    while start + SHORTEST_PIECE <= lower.len() {
        let longest = (start + SHORTEST_PIECE..=lower.len().min(start + 14)).rev().find(|&end| {
            std::str::from_utf8(&lower[start..end]).is_ok_and(|word| {
                word.bytes().all(|b| b.is_ascii_alphabetic())
                    && (!rules.word(word).is_unknown() || rules.placeholder_words().any(|w| w == word))
            })
        });
        if let Some(end) = longest {
            cover(start..end);
        }
        start = longest.unwrap_or(start + 1);
    }
    is_covered.iter().filter(|&&is| is).count()
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

/// `aB1cD2eF3…`: the letters alone, or the digits alone, are the alphabet. Of hex digits six are letters, so that many of them
/// follow each other by chance.
fn spells(body: &[u8], hex: bool) -> bool {
    let parts: [fn(&u8) -> bool; 2] = [u8::is_ascii_alphabetic, u8::is_ascii_digit];
    parts.into_iter().any(|of| {
        let part: Vec<u8> = body.iter().copied().filter(of).collect();
        let steps = part.windows(2).filter(|pair| successor(pair[0]) == Some(pair[1])).count();
        let (shortest, missing) = if hex { (14, 1) } else { (12, part.len() / 4) };
        part.len() >= shortest && steps + 1 + missing >= part.len()
    })
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
    fn typed_values_are_told() {
        let rules = Rules::built_in();
        for value in [
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
            "qwertyuiopasdfghjklzxcvbnm123456".into(),
            "yourTwilioAuthTokenGoesRightHere".into(),
            "WorkersRealTimeStatisticsContext".into(),
            "getAuthenticationTokenFromHeader".into(),
            "cafebabecafed00ddeadbeef0badf00d".into(),
        ] {
            assert!(matches!(typed(&rules, value.as_bytes()), Some(Typed::Certainly(_))), "{value}");
        }
    }

    #[test]
    fn of_ten_million_generated_values_none_is_taken_for_typed() {
        let each = if cfg!(debug_assertions) { 500_000 } else { 5_000_000 };
        let rules = Rules::built_in();
        let mut random = fastrand::Rng::with_seed(7);
        let (mut certainly, mut perhaps) = (0, 0);
        let mut value = [0; 32];
        for round in 0..2 * each {
            let digit = |random: &mut fastrand::Rng| {
                if round % 2 == 0 {
                    b"0123456789abcdef"[random.usize(..16)]
                } else {
                    random.alphanumeric() as u8
                }
            };
            value.fill_with(|| digit(&mut random));
            match typed(&rules, &value) {
                Some(Typed::Certainly(_)) => certainly += 1,
                Some(Typed::Perhaps) => perhaps += 1,
                None => {}
            }
        }
        assert_eq!(certainly, 0, "of {} generated values", 2 * each);
        assert!(perhaps * 500 < each, "{perhaps} of {}", 2 * each);
    }
}
