//! UTF-16 and UTF-32 of either byte order, with or without their marks.

use crate::detect::runs::is_alnum;

/// How UTF-16 or UTF-32 stands in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wide {
    /// Where the first unit begins.
    pub start: usize,
    /// The lowest byte of each unit comes first.
    pub is_little: bool,
    /// The bytes of a unit: 2 or 4.
    pub size: usize,
}

impl Wide {
    /// How many texts there can be in one: UTF-16 whose letters stand at even bytes and at odd ones, and UTF-32 in four such ways.
    pub const PHASES: usize = 2 + 4;

    /// That of a text that begins with its mark.
    #[must_use]
    pub fn marked(text: &[u8]) -> Option<Self> {
        match text {
            [0xff, 0xfe, 0, 0, ..] => Some(Self { start: 4, is_little: true, size: 4 }),
            [0, 0, 0xfe, 0xff, ..] => Some(Self { start: 4, is_little: false, size: 4 }),
            [0xff, 0xfe, ..] => Some(Self { start: 2, is_little: true, size: 2 }),
            [0xfe, 0xff, ..] => Some(Self { start: 2, is_little: false, size: 2 }),
            _ => None,
        }
    }

    /// In which of the ways it stands in a text of which `base` bytes go before: by the places of the letters' bytes. Of a text in
    /// letters alone nothing tells which byte order it has, so that this is what tells two such texts apart.
    #[must_use]
    pub fn phase(self, base: u64) -> usize {
        let letter = self.start + if self.is_little { 0 } else { self.size - 1 };
        let place = (letter as u64 + base) as usize % self.size;
        if self.size == 2 { place } else { 2 + place }
    }

    /// The bytes of a unit, and the place of its letter's byte, of what stands in one of the ways.
    #[must_use]
    pub fn of_phase(phase: usize) -> (usize, usize) {
        if phase < 2 { (2, phase) } else { (4, phase - 2) }
    }

    /// The text.
    #[must_use]
    pub fn decode(self, text: &[u8]) -> Vec<u8> {
        let text = text.get(self.start..).unwrap_or_default();
        let decoded: String = if self.size == 2 {
            let unit = if self.is_little { u16::from_le_bytes } else { u16::from_be_bytes };
            let units = text.as_chunks().0.iter().map(|&pair| unit(pair));
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        } else {
            let unit = if self.is_little { u32::from_le_bytes } else { u32::from_be_bytes };
            let units = text.as_chunks().0.iter().map(|&four| unit(four));
            units.map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        };
        decoded.into_bytes()
    }
}

/// The UTF-16 and UTF-32 of a text, with or without its mark, if it holds a stretch of it that is long enough for a credential. In a
/// program it may begin at any place.
#[must_use]
pub fn wides(text: &[u8]) -> Vec<Wide> {
    // Plain text holds no zero, and is told by one quick look.
    let marked = Wide::marked(text);
    if marked.is_none() && memchr::memchr(0, text).is_none() {
        return Vec::new();
    }
    let mut all: Vec<Wide> = marked.into_iter().collect();
    let mut at = 0;
    while let Some(found) = wide_from(text, &mut at) {
        if all.iter().all(|known| known.phase(0) != found.phase(0)) {
            all.push(found);
        }
        if all.len() == Wide::PHASES {
            break;
        }
    }
    all
}

/// Whether there is UTF-16 or UTF-32 that is long enough for a credential.
#[must_use]
pub fn has_wide(text: &[u8]) -> bool {
    memchr::memchr(0, text).is_some() && wide_from(text, &mut 0).is_some()
}

/// The first that is long enough, from a place on, which is moved behind it.
fn wide_from(text: &[u8], at: &mut usize) -> Option<Wide> {
    // A run of 32 such characters covers 64 bytes, so it covers both bytes of one of these pairs.
    const STRIDE: usize = 60;
    while let Some(&[first, second]) = text.get(*at..*at + 2) {
        let place = *at;
        *at += STRIDE;
        if (first == 0 || second == 0)
            && let Some(run) = utf16_run(text, place).or_else(|| utf32_run(text, place))
        {
            return Some(run);
        }
    }
    None
}

/// The alignment of UTF-32 around a place, if 32 letters or digits of it stand there. Between two of them three bytes are zero in both
/// byte orders; by its place the order is guessed, which makes a difference to other characters alone.
fn utf32_run(text: &[u8], at: usize) -> Option<Wide> {
    let is_letter = |at: usize| text.get(at).is_some_and(|&byte| is_alnum(byte));
    let is_gap = |from: usize| text.get(from..from + 3) == Some(&[0; 3]);
    (at..at + 4).filter(|&letter| is_letter(letter)).find_map(|letter| {
        let after =
            (0..32).take_while(|n| is_gap(letter + 4 * n + 1) && is_letter(letter + 4 * (n + 1))).count();
        let before = (1..33)
            .take_while(|n| {
                letter.checked_sub(4 * n).is_some_and(|before| is_letter(before) && is_gap(before + 1))
            })
            .count();
        let is_little = letter % 4 != 3;
        let start = if is_little { letter % 4 } else { 0 };
        (after + before >= 31).then_some(Wide { start, is_little, size: 4 })
    })
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
            (after + before >= 31).then_some(Wide { start: first % 2, is_little: little, size: 2 })
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "3f9a0c4be1d275863f9b0c4be1d27186";

    #[test]
    fn utf16_is_found_in_both_orders_with_and_without_its_mark_at_any_alignment() {
        let decoded = |text: &[u8]| match wides(text)[..] {
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
        assert!(wides(VALUE.repeat(20).as_bytes()).is_empty());
    }

    #[test]
    fn utf16_at_even_and_at_odd_places_of_one_text_is_found() {
        let wide: Vec<u8> = format!("={VALUE};").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let text = [&wide[..], b"\x01\x02\x03", &wide].concat();
        let decoded: Vec<Vec<u8>> = wides(&text).iter().map(|wide| wide.decode(&text)).collect();
        assert_eq!(decoded.len(), 2);
        assert!(decoded.iter().all(|text| memchr::memmem::find(text, VALUE.as_bytes()).is_some()));
    }

    #[test]
    fn utf32_is_found_in_both_orders_with_and_without_its_mark_at_any_alignment() {
        let holds = |text: &[u8]| {
            let decoded: Vec<Vec<u8>> = wides(text).iter().map(|wide| wide.decode(text)).collect();
            decoded.iter().filter(|text| memchr::memmem::find(text, VALUE.as_bytes()).is_some()).count()
        };
        for prefix in 0..70 {
            let text = format!("{}={VALUE}\r\n", "x".repeat(prefix));
            for mark in ["", "\u{feff}"] {
                let units: Vec<u32> = mark.chars().chain(text.chars()).map(u32::from).collect();
                let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
                let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
                for mut encoded in [little, big] {
                    for _ in 0..4 {
                        assert_eq!(holds(&encoded), 1, "{prefix} {mark:?}");
                        encoded.insert(0, b'?');
                    }
                }
            }
        }
        assert_eq!(holds(VALUE.repeat(20).as_bytes()), 0);
    }
}
