//! An RPM: its headers, in which its scripts stand, and its files in a compressed cpio archive.
//! <https://rpm.org/docs/latest/manual/format_v4.html>

use std::io::{self, Read};

use super::Walk;
use crate::model::Unit;

/// What stands before the headers, in bytes.
const LEAD: usize = 96;
/// What a header begins with.
const MARK: &[u8] = b"\x8e\xad\xe8\x01";
/// No header is longer, in bytes.
const LONGEST_HEADER: u64 = 256 << 20;

impl Walk<'_> {
    pub(super) fn rpm(&mut self, source: &mut dyn Read, path: &str, depth: usize) {
        if let Err(error) = self.rpm_parts(source, path, depth) {
            self.skip(path, format!("an RPM that cannot be read to its end: {error}"));
        }
    }

    fn rpm_parts(&mut self, source: &mut dyn Read, path: &str, depth: usize) -> io::Result<()> {
        source.read_exact(&mut [0; LEAD])?;
        let signature = header(source)?;
        super::pass_over(&mut source.take(signature.next_multiple_of(8)))?;
        let inner = format!("{path}!/header");
        let known = self.tally.know(Unit::Entries, &inner);
        let length = header(source)?;
        let mut texts = source.take(length);
        self.seen = true;
        (self.visit)(&inner, &mut texts)?;
        super::pass_over(&mut texts)?;
        known.read();
        self.entry(source, &format!("{path}!/payload"), depth);
        Ok(())
    }
}

/// Reads the head of a header; returns how long the header is behind it.
fn header(source: &mut dyn Read) -> io::Result<u64> {
    let mut head = [0; 16];
    source.read_exact(&mut head)?;
    let number =
        |at: usize| u64::from(u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
    let length = 16 * number(8) + number(12);
    if head.starts_with(MARK) && length <= LONGEST_HEADER {
        Ok(length)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "a damaged header"))
    }
}
