//! A property list as Apple writes it in bytes: keys stand apart from their values there, so it is written out as text.
//! <https://opensource.apple.com/source/CF/CF-1153.18/CFBinaryPList.c.auto.html>

use std::io::{self, Cursor, Read};
use std::rc::Rc;

use super::{LARGEST_HELD, Metered, Walk};

/// What it begins with.
pub const MAGIC: &[u8] = b"bplist0";

/// What it ends with, in bytes.
const TRAILER: usize = 32;
/// How deep lists in lists are followed.
const MOST_DEPTH: usize = 64;
/// What its text may come to, as a multiple of its own length and in bytes: one object may stand in many places.
const MOST_RATIO: usize = 16;
const LONGEST_TEXT: usize = 64 << 20;
/// Shorter bytes hold nothing, in bytes.
const SHORTEST_DATA: usize = 32;

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a binary property list that cannot be read to its end")
}

/// A property list with what is written of it so far.
struct List<'a> {
    bytes: &'a [u8],
    offsets: &'a [u8],
    offset_size: usize,
    reference_size: usize,
    /// Lists that were written: one that stands in itself is written once.
    seen: Vec<bool>,
    text: String,
    /// What is kept as bytes.
    data: Vec<&'a [u8]>,
}

impl Walk<'_> {
    pub(super) fn plist(&mut self, source: &mut dyn Read, path: &str, depth: usize) -> io::Result<()> {
        let held = self.memory.hold(source, LARGEST_HELD)?;
        let _text = self.memory.take(held.bytes.len().saturating_mul(MOST_RATIO).min(LONGEST_TEXT) as u64)?;
        let (mut list, top) = List::of(&held.bytes).ok_or_else(damaged)?;
        let read = list.write(top, 0);
        let List { text, data, .. } = list;
        self.plain(&mut text.as_bytes(), &format!("{path}!/text"));
        for (number, data) in data.into_iter().enumerate() {
            if !self.count(path) {
                break;
            }
            // The same bytes may stand in many places.
            let mut data = Metered { inner: Cursor::new(data), left: Rc::clone(&self.left) };
            self.entry(&mut data, &format!("{path}!/data {}", number + 1), depth);
        }
        read.ok_or_else(damaged)
    }
}

/// A number of so many bytes.
fn number(bytes: &[u8]) -> Option<usize> {
    let number =
        bytes.iter().try_fold(0_u64, |number, &byte| Some(number.checked_mul(256)? | u64::from(byte)));
    usize::try_from(number?).ok()
}

impl<'a> List<'a> {
    /// A list by its trailer, and its outermost object.
    fn of(bytes: &'a [u8]) -> Option<(Self, usize)> {
        let trailer = bytes.last_chunk::<TRAILER>()?;
        let (offset_size, reference_size) = (usize::from(trailer[6]), usize::from(trailer[7]));
        let (count, top, at) =
            (number(&trailer[8..16])?, number(&trailer[16..24])?, number(&trailer[24..32])?);
        let offsets = bytes.get(at..at.checked_add(count.checked_mul(offset_size)?)?)?;
        if !(1..=8).contains(&offset_size) || !(1..=8).contains(&reference_size) {
            return None;
        }
        let (seen, text, data) = (vec![false; count], String::new(), Vec::new());
        Some((Self { bytes, offsets, offset_size, reference_size, seen, text, data }, top))
    }

    /// Writes an object; nothing if it is damaged.
    fn write(&mut self, object: usize, depth: usize) -> Option<()> {
        if depth > MOST_DEPTH || !self.has_room(0) {
            return None;
        }
        let offset = self.offsets.chunks_exact(self.offset_size).nth(object).and_then(number)?;
        let (&marker, rest) = self.bytes.get(offset..)?.split_first()?;
        let (kind, low) = (marker >> 4, usize::from(marker & 0xf));
        match (kind, low) {
            (0, 8) => self.text += "false",
            (0, 9) => self.text += "true",
            (0, _) => self.text += "null",
            (1 | 8, _) => {
                let length = if kind == 1 { 1_usize.checked_shl(low as u32)? } else { low + 1 };
                self.text += &number(rest.get(..length)?).unwrap_or(0).to_string();
            }
            (2 | 3, _) => self.text += "0",
            _ => return self.write_long(object, kind, low, rest, depth),
        }
        Some(())
    }

    /// Writes what has a length.
    fn write_long(
        &mut self,
        object: usize,
        kind: u8,
        low: usize,
        rest: &'a [u8],
        depth: usize,
    ) -> Option<()> {
        let (length, rest) = if low == 0xf {
            let (&marker, rest) = rest.split_first()?;
            let (digits, rest) = rest.split_at_checked(1_usize.checked_shl(u32::from(marker & 0xf))?)?;
            (number(digits)?, rest)
        } else {
            (low, rest)
        };
        let references = |count: usize| rest.get(..count.checked_mul(self.reference_size)?);
        match kind {
            4 => {
                let data = rest.get(..length)?;
                self.text += "\"\"";
                if data.len() >= SHORTEST_DATA {
                    self.data.push(data);
                }
            }
            // As text it may take three times as much.
            5 | 7 if !self.has_room(length.saturating_mul(3)) => return None,
            6 if !self.has_room(length.saturating_mul(3)) => return None,
            5 | 7 => self.write_text(&String::from_utf8_lossy(rest.get(..length)?)),
            6 => {
                let units = rest.get(..length.checked_mul(2)?)?.chunks_exact(2);
                let units = units.map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
                let text: String = char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect();
                self.write_text(&text);
            }
            _ if std::mem::replace(self.seen.get_mut(object)?, true) => self.text += "{}",
            0xa..=0xc => {
                let items = references(length)?;
                self.text += "[\n";
                for item in items.chunks_exact(self.reference_size) {
                    self.write(number(item)?, depth + 1)?;
                    self.text += ",\n";
                }
                self.text += "]";
            }
            0xd => {
                let both = references(length.checked_mul(2)?)?;
                let (keys, values) = both.split_at(both.len() / 2);
                self.text += "{\n";
                let values = values.chunks_exact(self.reference_size);
                for (key, value) in keys.chunks_exact(self.reference_size).zip(values) {
                    self.write(number(key)?, depth + 1)?;
                    self.text += ": ";
                    self.write(number(value)?, depth + 1)?;
                    self.text += ",\n";
                }
                self.text += "}";
            }
            _ => return None,
        }
        Some(())
    }

    /// Whether so much more may be written, in bytes.
    fn has_room(&self, more: usize) -> bool {
        let most = self.bytes.len().saturating_mul(MOST_RATIO).min(LONGEST_TEXT);
        self.text.len().saturating_add(more) <= most
    }

    fn write_text(&mut self, text: &str) {
        self.text.push('"');
        self.text += &text.replace('\\', "\\\\").replace('"', "\\\"");
        self.text.push('"');
    }
}
