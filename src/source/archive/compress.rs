//! What `compress` writes, `.Z`: LZW with codes of 9 to 16 bits, whose width grows as its table does.
//! <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/compress.html>

use std::io::{self, BufRead, BufReader, Read};

/// The width of the first codes, in bits.
const FIRST_WIDTH: u32 = 9;
/// The code that empties the table.
const CLEAR: u16 = 256;
/// Codes of the same width come in groups of this many, which are filled up where the width changes.
const GROUP: usize = 8;

/// Whether the third byte says how wide codes become, and nothing that is not known.
#[must_use]
pub fn is_flags(flags: u8) -> bool {
    flags & 0x60 == 0 && (FIRST_WIDTH..=16).contains(&u32::from(flags & 0x1f))
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a code that stands for nothing")
}

/// A stream of codes.
struct Codes<R> {
    source: R,
    width: u32,
    /// The codes of this width that were read, and how many of them were taken.
    group: [u8; 16],
    bits: usize,
    taken: usize,
}

impl<R: BufRead> Codes<R> {
    /// The next code; none at the end.
    fn next(&mut self) -> io::Result<Option<u16>> {
        let width = self.width as usize;
        if self.taken + width > self.bits {
            let bytes = super::fill(&mut self.source, &mut self.group[..width * GROUP / 8])?;
            (self.bits, self.taken) = (bytes * 8, 0);
            if self.bits < width {
                return Ok(None);
            }
        }
        let code = (0..width).fold(0, |code, bit| {
            let at = self.taken + bit;
            code | u16::from(self.group[at / 8] >> (at % 8) & 1) << bit
        });
        self.taken += width;
        Ok(Some(code))
    }

    /// Goes on with codes of another width, which begin with a new group.
    fn set_width(&mut self, width: u32) {
        self.width = width;
        (self.bits, self.taken) = (0, 0);
    }
}

/// A reader of what was compressed.
pub struct Compressed<R: Read> {
    codes: Codes<BufReader<R>>,
    most_width: u32,
    has_clear: bool,
    /// For each code from 256 on, the one that it goes on from, and the byte that it adds.
    table: Vec<(u16, u8)>,
    /// The last code, with the first byte that it stands for.
    last: Option<(u16, u8)>,
    /// What was decoded and not taken, the last byte first.
    decoded: Vec<u8>,
}

impl<R: Read> Compressed<R> {
    /// Reads the head.
    pub fn new(source: R) -> io::Result<Self> {
        let mut source = BufReader::new(source);
        let mut head = [0; 3];
        source.read_exact(&mut head)?;
        let codes = Codes { source, width: FIRST_WIDTH, group: [0; 16], bits: 0, taken: 0 };
        let has_clear = head[2] & 0x80 != 0;
        // The code that empties the table has an entry, which nothing leads to.
        let table = if has_clear { vec![(0, 0)] } else { Vec::new() };
        let most_width = u32::from(head[2] & 0x1f);
        Ok(Self { codes, most_width, has_clear, table, last: None, decoded: Vec::new() })
    }

    /// Decodes the next code; false at the end.
    fn decode(&mut self) -> io::Result<bool> {
        let free = usize::from(CLEAR) + self.table.len();
        let width = self.codes.width;
        if free >= 1 << width && width < self.most_width {
            self.codes.set_width(width + 1);
        }
        let Some(code) = self.codes.next()? else { return Ok(false) };
        if self.has_clear && code == CLEAR {
            self.table.clear();
            self.codes.set_width(FIRST_WIDTH);
            self.last = Some((0, 0));
            return Ok(true);
        }
        let mut at = code;
        if let Some((last, first)) = self.last.filter(|_| usize::from(code) == free) {
            // What the last code stands for, and its first byte again.
            self.decoded.push(first);
            at = last;
        }
        while let Some(entry) = at.checked_sub(CLEAR) {
            let &(before, byte) = self.table.get(usize::from(entry)).ok_or_else(damaged)?;
            self.decoded.push(byte);
            at = before;
        }
        let first = at as u8;
        self.decoded.push(first);
        if let Some((last, _)) = self.last
            && free < 1 << self.most_width
        {
            self.table.push((last, first));
        }
        self.last = Some((code, first));
        Ok(true)
    }
}

impl<R: Read> Read for Compressed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.decoded.is_empty() && !buffer.is_empty() {
            if !self.decode()? {
                return Ok(0);
            }
        }
        let count = buffer.len().min(self.decoded.len());
        for byte in &mut buffer[..count] {
            *byte = self.decoded.pop().expect("as many were counted");
        }
        Ok(count)
    }
}
