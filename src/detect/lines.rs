//! Line and column of a place in a text, exact for LF, CRLF and CR alone.

use memchr::{memchr, memchr_iter};

/// Where lines begin.
pub struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    /// Finds the lines of a text. Lone CR ends lines only where the text has no LF at all.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        Self::of_kind(text, Self::end_of_line(text).unwrap_or(b'\n'))
    }

    /// The byte that ends lines in this text, if it has any.
    #[must_use]
    pub fn end_of_line(text: &[u8]) -> Option<u8> {
        [b'\n', b'\r'].into_iter().find(|&end| memchr(end, text).is_some())
    }

    /// Finds the lines of a text whose lines are ended by `end`.
    #[must_use]
    pub fn of_kind(text: &[u8], end: u8) -> Self {
        let mut starts = vec![0];
        starts.extend(memchr_iter(end, text).map(|at| at + 1));
        Self { starts }
    }

    /// The 0-based line of a place, and the place where that line starts.
    #[must_use]
    pub fn locate(&self, place: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|&start| start <= place) - 1;
        (line, self.starts[line])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_exact_for_every_line_end() {
        for (text, place, line, start) in [
            ("a\nbb\nc", 3, 1, 2),
            ("a\r\nbb\r\nc", 7, 2, 7),
            ("a\rbb\rc", 5, 2, 5),
            ("a\rb\nc", 2, 0, 0),
            ("", 0, 0, 0),
        ] {
            assert_eq!(Lines::of(text.as_bytes()).locate(place), (line, start), "{text:?}");
        }
    }
}
