//! One text, read in windows from its beginning to its end.

use std::io::{self, Read};

use super::Sizes;
use crate::detect::{Detector, Hit, Lines, Seam};

/// A text of which one window is in memory.
pub struct Pass {
    sizes: Sizes,
    buffer: Vec<u8>,
    filled: usize,
    /// The window's first byte and the start of the line it stands in, counted from the start of the text.
    base: u64,
    line_start: u64,
    /// The number of that line.
    line: u64,
    /// Where what is the window's own begins.
    own_from: usize,
    end_of_line: Option<u8>,
    /// What is known of the text before the window.
    seam: Seam,
}

impl Pass {
    /// Begins a text, in a buffer that is used again.
    pub fn new(sizes: Sizes, mut buffer: Vec<u8>) -> Self {
        buffer.resize(sizes.window(), 0);
        let (base, line, line_start) = (0, 0, 0);
        let (own_from, end_of_line, seam) = (0, None, Seam::default());
        Self { sizes, buffer, filled: 0, base, line_start, line, own_from, end_of_line, seam }
    }

    /// The same text, of which so much stands before that was not looked at.
    pub fn behind(self, bytes: u64, lines: u64) -> Self {
        Self { base: bytes, line_start: bytes, line: lines, ..self }
    }

    /// The buffer, for the next text.
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// What is in memory.
    pub fn window(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    /// Where the window begins in the text.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// Whether there is no room for more.
    pub fn is_full(&self) -> bool {
        self.filled == self.buffer.len()
    }

    /// Fills the window; says whether the stream has ended.
    pub fn fill(&mut self, stream: &mut impl Read) -> io::Result<bool> {
        while !self.is_full() {
            match stream.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Ok(true),
                Ok(length) => self.filled += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// The same from memory.
    pub fn fill_from(&mut self, bytes: &mut &[u8]) -> bool {
        // Memory is read without an error.
        self.fill(bytes).unwrap_or(true)
    }

    /// Where the next window begins, if the text goes on.
    pub fn next(&self, ended: bool) -> Option<usize> {
        (!ended).then(|| self.filled.saturating_sub(2 * self.sizes.overlap))
    }

    /// Looks at the window, whose own part is told, and moves on to the next.
    pub fn look(&mut self, detector: &Detector, path: &str, ended: bool) -> Vec<Hit> {
        let window = &self.buffer[..self.filled];
        self.end_of_line = self.end_of_line.or_else(|| Lines::end_of_line(window));
        let end = self.end_of_line.unwrap_or(b'\n');
        let next = self.next(ended);
        let (mut hits, seam) = detector.detect_window(window, path, end, &self.seam, next);
        let own = self.own_from..if ended { self.filled } else { self.filled - self.sizes.overlap };
        hits.retain(|hit| own.contains(&hit.span.start));
        for hit in &mut hits {
            if hit.line == 0 {
                hit.column += self.base - self.line_start;
                hit.end_column += self.base - self.line_start;
            }
            hit.line += self.line;
            hit.place.shift(self.base as usize);
            hit.span = hit.span.start + self.base as usize..hit.span.end + self.base as usize;
        }
        if let Some(next) = next {
            self.seam = seam;
            self.pass_over(next, end);
            self.own_from = own.end - next;
        }
        hits
    }

    fn pass_over(&mut self, bytes: usize, end_of_line: u8) {
        let passed = &self.buffer[..bytes];
        if let Some(last) = memchr::memrchr(end_of_line, passed) {
            self.line += memchr::memchr_iter(end_of_line, passed).count() as u64;
            self.line_start = self.base + last as u64 + 1;
        }
        self.buffer.copy_within(bytes..self.filled, 0);
        self.base += bytes as u64;
        self.filled -= bytes;
    }
}
