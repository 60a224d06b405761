//! UTF-16 of either byte order, with or without its mark.

use crate::detect::runs::is_alnum;

/// How UTF-16 stands in a text: where its first unit begins, and whether the lower byte of each comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wide {
    /// The first unit.
    pub start: usize,
    /// Little-endian.
    pub is_little: bool,
}

impl Wide {
    /// That of a text that begins with its mark.
    #[must_use]
    pub fn marked(text: &[u8]) -> Option<Self> {
        match text {
            [0xff, 0xfe, ..] => Some(Self { start: 2, is_little: true }),
            [0xfe, 0xff, ..] => Some(Self { start: 2, is_little: false }),
            _ => None,
        }
    }

    /// Whether the bytes of letters stand at odd places. Of a text in letters alone nothing tells which byte order it has, so
    /// that this is what tells two such texts apart.
    #[must_use]
    pub fn is_odd(self) -> bool {
        (self.start % 2 == 1) == self.is_little
    }

    /// The text.
    #[must_use]
    pub fn decode(self, text: &[u8]) -> Vec<u8> {
        let unit = if self.is_little { u16::from_le_bytes } else { u16::from_be_bytes };
        let (pairs, _) = text.get(self.start..).unwrap_or_default().as_chunks();
        let units = pairs.iter().map(|&pair| unit(pair));
        char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect::<String>().into_bytes()
    }
}

/// The UTF-16 of a text, with or without its mark, if it holds a stretch of it that is long enough for a credential. In a program
/// it may begin at even places and at odd ones.
#[must_use]
pub fn utf16(text: &[u8]) -> Vec<Wide> {
    // Plain text holds no zero, and is told by one quick look.
    let marked = Wide::marked(text);
    if marked.is_none() && memchr::memchr(0, text).is_none() {
        return Vec::new();
    }
    let mut all: Vec<Wide> = marked.into_iter().collect();
    let mut at = 0;
    while let Some(found) = utf16_from(text, &mut at) {
        if all.iter().all(|known| known.is_odd() != found.is_odd()) {
            all.push(found);
        }
        if all.len() == 2 {
            break;
        }
    }
    all
}

/// The first UTF-16 that is long enough for a credential.
#[must_use]
pub fn utf16_in(text: &[u8]) -> Option<Wide> {
    memchr::memchr(0, text)?;
    utf16_from(text, &mut 0)
}

/// The same, from a place on, which is moved behind it.
fn utf16_from(text: &[u8], at: &mut usize) -> Option<Wide> {
    // A run of 32 such characters covers 64 bytes, so it covers both bytes of one of these pairs.
    const STRIDE: usize = 60;
    while let Some(&[first, second]) = text.get(*at..*at + 2) {
        let place = *at;
        *at += STRIDE;
        if (first == 0 || second == 0)
            && let Some(run) = utf16_run(text, place)
        {
            return Some(run);
        }
    }
    None
}

/// The alignment and byte order of UTF-16 around a place, if 32 letters or digits of it stand there.
fn utf16_run(text: &[u8], at: usize) -> Option<Wide> {
    let (little, first) = match (text[at], text[at + 1]) {
        (letter, 0) if is_alnum(letter) => {
            // `letter 0` is little-endian here or big-endian one byte on.
            if at > 0
                && text[at - 1] == 0
                && text.get(at + 2).is_none_or(|&b| b != 0)
                && text.get(at + 3).is_none_or(|&b| b != 0)
            {
                (false, at - 1)
            } else {
                (true, at)
            }
        }
        (0, letter) if is_alnum(letter) => (false, at),
        _ => return None,
    };
    [(little, first), (!little, if little { first.wrapping_sub(1) } else { first + 1 })].into_iter().find_map(
        |(little, first)| {
            let unit = |at: usize| {
                let pair = text.get(at..)?.get(..2)?;
                let (letter, zero) = if little { (pair[0], pair[1]) } else { (pair[1], pair[0]) };
                (zero == 0 && is_alnum(letter)).then_some(())
            };
            unit(first)?;
            let after = (1..34).take_while(|n| unit(first + 2 * n).is_some()).count();
            let before =
                (1..34).take_while(|n| first.checked_sub(2 * n).is_some_and(|at| unit(at).is_some())).count();
            (after + before >= 31).then_some(Wide { start: first % 2, is_little: little })
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "3f9a0c4be1d275863f9b0c4be1d27186";

    #[test]
    fn utf16_is_found_in_both_orders_with_and_without_its_mark_at_any_alignment() {
        let decoded = |text: &[u8]| match utf16(text)[..] {
            [wide] => wide.decode(text),
            ref all => panic!("{all:?}"),
        };
        for prefix in 0..70 {
            let text = format!("{}={VALUE}\r\n", "x".repeat(prefix));
            let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            for mut encoded in [little, big] {
                assert_eq!(decoded(&encoded), text.as_bytes());
                encoded.insert(0, b'?');
                assert!(String::from_utf8(decoded(&encoded)).unwrap().contains(VALUE));
            }
        }
        assert!(utf16(VALUE.repeat(20).as_bytes()).is_empty());
    }

    #[test]
    fn utf16_at_even_and_at_odd_places_of_one_text_is_found() {
        let wide: Vec<u8> = format!("={VALUE};").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let text = [&wide[..], b"\x01\x02\x03", &wide].concat();
        let decoded: Vec<Vec<u8>> = utf16(&text).iter().map(|wide| wide.decode(&text)).collect();
        assert_eq!(decoded.len(), 2);
        assert!(decoded.iter().all(|text| memchr::memmem::find(text, VALUE.as_bytes()).is_some()));
    }
}
