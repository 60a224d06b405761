//! The entries of a 7z archive. <https://py7zr.readthedocs.io/en/latest/archive_format.html>

use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use sevenz_rust2::{Archive, ArchiveEntry, BlockDecoder, Error, Password};

use super::bounded::Metered;
use super::memory::Taken;
use super::{MOST_WINDOW, Walk};
use crate::model::{Known, Unit};

/// What a file begins with: where the header stands, and how long it is.
const START: usize = 32;
/// How often the header's length the library holds in memory, at most: each byte may stand for an entry or a block.
const RATIO: u64 = 200;
/// A header that is compressed says so in less, in bytes.
const LONGEST_ENCODED: u64 = 64 << 10;

impl Walk<'_> {
    pub(super) fn seven(&mut self, source: &mut (impl Read + Seek), path: &str, depth: usize) {
        let length = match header_length(source) {
            Ok(0) => return,
            Ok(length) => length,
            Err(error) => return self.skip(path, format!("a 7z that cannot be read: {error}")),
        };
        let taken = self.memory.take(length.saturating_mul(RATIO));
        let opened = taken.map_err(Error::from).and_then(|taken| {
            let limit = MOST_WINDOW as usize;
            Ok((Archive::read_with_memory_limit(source, &Password::empty(), limit)?, taken))
        });
        let (archive, _taken) = match opened {
            Ok(opened) => opened,
            Err(error) => return closed(self.tally.know(Unit::Entries, path), &error),
        };
        let count = archive.files.iter().filter(|file| file.has_stream()).count();
        let mut rest = self.tally.know_many(Unit::Entries, path, count as u64);
        for block in 0..archive.blocks.len() {
            if !self.block(source, &archive, block, path, depth, &mut rest) {
                return;
            }
        }
    }

    /// Goes through the entries that were compressed together; says whether to go on with others.
    fn block(
        &mut self,
        source: &mut (impl Read + Seek),
        archive: &Archive,
        block: usize,
        path: &str,
        depth: usize,
        rest: &mut Known<'_, &str>,
    ) -> bool {
        let password = Password::empty();
        let limit = MOST_WINDOW as usize;
        let decoder = BlockDecoder::new_with_memory_limit(1, limit, block, archive, &password, source);
        let entries = decoder.entries().iter().filter(|entry| entry.has_stream());
        let inner =
            |entry: &ArchiveEntry| format!("{path}!/{}", super::short(entry.name()).trim_start_matches('/'));
        let mut waiting = entries.map(inner).collect::<Vec<_>>().into_iter();
        // What was decoded last is held, as far as the window reaches.
        let (mut decoded, window) = (0_u64, u64::from(MOST_WINDOW) << 10);
        let mut taken = None;
        let mut goes_on = true;
        let read = decoder.for_each_entries(&mut |entry, data| {
            if !entry.has_stream() {
                return Ok(true);
            }
            let Some(inner) = waiting.next().filter(|_| self.entries > 0) else {
                goes_on = false;
                return Ok(false);
            };
            self.entries -= 1;
            rest.hand_over();
            decoded = decoded.saturating_add(entry.size()).min(window);
            let more = match &mut taken {
                Some(taken) => Taken::grow_to(taken, decoded),
                None => self.memory.take(decoded).map(|first| taken = Some(first)),
            };
            if let Err(error) = more {
                self.skip(&inner, error);
                return Ok(false);
            }
            let mut data = Metered { inner: data, left: Rc::clone(&self.left) };
            self.entry(&mut data, &inner, depth);
            // What is left of it would be unpacked to its end by the library, whatever it comes to.
            let is_over = io::copy(&mut data, &mut io::sink()).is_err();
            goes_on = self.left.get() > 0;
            Ok(goes_on && !is_over)
        });
        match read {
            Err(error) => {
                for inner in waiting {
                    rest.hand_over();
                    closed(self.tally.know(Unit::Entries, inner), &error);
                }
                if !matches!(error, Error::UnsupportedCompressionMethod(_)) {
                    self.skip(path, format!("a 7z that cannot be read to its end: {error}"));
                }
            }
            Ok(_) if self.entries == 0 => self.skip(path, super::TOO_MANY),
            Ok(_) => {}
        }
        goes_on
    }
}

/// What an error says of what cannot be read.
fn closed(known: Known<'_, impl std::fmt::Display>, error: &Error) {
    match error {
        Error::UnsupportedCompressionMethod(method) if method.starts_with("AES") => {
            known.opaque("an encrypted 7z archive");
        }
        Error::PasswordRequired => known.opaque("an encrypted 7z archive"),
        Error::UnsupportedCompressionMethod(method) => {
            known.opaque(format!("a 7z archive compressed by {method}"));
        }
        _ => known.skip(format!("a 7z that cannot be read: {error}")),
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a damaged header")
}

/// How long the header is, in bytes, once it is unpacked; nothing where there are no entries. The library would look for a header
/// that is missing at each byte of the file.
fn header_length(source: &mut (impl Read + Seek)) -> io::Result<u64> {
    source.seek(SeekFrom::Start(0))?;
    let mut start = [0; START];
    source.read_exact(&mut start)?;
    if start[8..] == [0; START - 8] {
        return Err(io::Error::other("it has no header, since it was not written to its end"));
    }
    let number =
        |at: usize| start[at..at + 8].iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte));
    let (offset, length) = (number(12), number(20));
    if length == 0 {
        return Ok(0);
    }
    let at = offset.checked_add(START as u64).ok_or_else(damaged)?;
    source.seek(SeekFrom::Start(at))?;
    let mut header = Vec::new();
    source.take(length.min(LONGEST_ENCODED)).read_to_end(&mut header)?;
    if header.first() == Some(&Bytes::ENCODED) {
        // What says how it is compressed takes memory too.
        Ok(Bytes(&header).unpacked_length().ok_or_else(damaged)?.max(length))
    } else {
        Ok(length)
    }
}

/// A header that is compressed: where it stands, by what it is compressed, and what it comes to.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    const ENCODED: u8 = 0x17;
    const PACKED: u8 = 6;
    const UNPACKED: u8 = 7;
    const SIZES: u8 = 9;
    const SUMS: u8 = 10;
    const FOLDER: u8 = 11;
    const UNPACKED_SIZES: u8 = 12;
    /// No header is compressed by more methods one after another.
    const MOST_METHODS: u64 = 32;

    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn is(&mut self, byte: u8) -> Option<()> {
        (self.byte()? == byte).then_some(())
    }

    fn skip(&mut self, count: u64) -> Option<()> {
        self.0 = self.0.get(usize::try_from(count).ok()?..)?;
        Some(())
    }

    /// A number: the first byte has a bit set for each byte that follows.
    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        let more = first.leading_ones().min(8);
        let mut number = 0;
        for place in 0..more {
            number |= u64::from(self.byte()?) << (8 * place);
        }
        let high = u64::from(first) & ((0x80_u64 >> more) - u64::from(more < 8));
        Some(if more < 8 { number | high << (8 * more) } else { number })
    }

    fn unpacked_length(&mut self) -> Option<u64> {
        self.is(Self::ENCODED)?;
        self.is(Self::PACKED)?;
        self.number()?;
        let streams = self.number().filter(|streams| *streams <= Self::MOST_METHODS)?;
        loop {
            match self.byte()? {
                0 => break,
                Self::SIZES => (0..streams).try_for_each(|_| self.number().map(drop))?,
                Self::SUMS => {
                    self.is(1)?;
                    self.skip(4 * streams)?;
                }
                _ => return None,
            }
        }
        self.is(Self::UNPACKED)?;
        self.is(Self::FOLDER)?;
        self.is(1)?;
        self.is(0)?;
        let sizes = self.methods()?;
        self.is(Self::UNPACKED_SIZES)?;
        let mut longest = 0;
        for _ in 0..sizes {
            longest = longest.max(self.number()?);
        }
        Some(longest)
    }

    /// Passes over the methods; returns how many sizes follow.
    fn methods(&mut self) -> Option<u64> {
        let count = self.number().filter(|count| (1..=Self::MOST_METHODS).contains(count))?;
        let (mut from, mut to) = (0_u64, 0_u64);
        for _ in 0..count {
            let flags = self.byte()?;
            self.skip(u64::from(flags & 0xf))?;
            let ends = if flags & 0x10 == 0 { (1, 1) } else { (self.number()?, self.number()?) };
            (from, to) = (from.checked_add(ends.0)?, to.checked_add(ends.1)?);
            if flags & 0x20 != 0 {
                let properties = self.number()?;
                self.skip(properties)?;
            }
        }
        let pairs = to.checked_sub(1).filter(|_| from.max(to) <= Self::MOST_METHODS)?;
        let packed = from.checked_sub(pairs)?;
        let numbers = 2 * pairs + if packed > 1 { packed } else { 0 };
        (0..numbers).try_for_each(|_| self.number().map(drop))?;
        Some(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_7z_writes_them() {
        for (bytes, number) in [
            (&[0x7f][..], Some(0x7f)),
            (&[0x80, 0xff], Some(0xff)),
            (&[0xbf, 0xff], Some(0x3fff)),
            (&[0xc1, 2, 3], Some(0x1_0302)),
            (&[0xfe, 1, 2, 3, 4, 5, 6, 7], Some(0x07_0605_0403_0201)),
            (&[0xff, 1, 2, 3, 4, 5, 6, 7, 8], Some(0x0807_0605_0403_0201)),
            (&[0xff, 1], None),
        ] {
            assert_eq!(Bytes(bytes).number(), number, "{bytes:x?}");
        }
    }
}
