//! The entries of a zip, which may stand behind a program. Of entries with the same name the library tells of the last one alone;
//! each is read here, by a view of the file in which the others have names of their own.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;

use zip::ZipArchive;
use zip::result::ZipError;

use super::memory::Taken;
use super::{MOST_ENTRIES, Metered, TOO_MANY, Walk, office};
use crate::model::Unit;

/// What each entry of the list at a zip's end begins with, and how long that is before its name.
const ENTRY: (&[u8], usize) = (b"PK\x01\x02", 46);
/// A zip whose list has more entries than this is not opened: the library holds all of them, before one can be read.
const MOST_LISTED: u32 = 2 * MOST_ENTRIES;
/// What the library holds of an entry beside its names, in bytes.
const SIZE_OF_LISTED: u64 = 512;

/// Names that are written over others, so that no two entries have the same: the places in the file, and what they were.
#[derive(Default)]
struct Renamed {
    at: Vec<(u64, Vec<u8>)>,
    names: HashMap<Vec<u8>, Vec<u8>>,
    /// How many entries the list has.
    count: u64,
}

impl Walk<'_> {
    pub(super) fn zip(&mut self, source: &mut (impl Read + Seek), path: &str, depth: usize) {
        let mut taken = match self.memory.take(0) {
            Ok(taken) => taken,
            Err(error) => return self.skip(path, error),
        };
        match open(source, &mut taken) {
            Ok((mut archive, Renamed { names, count, .. })) => {
                if let Some(lost) = count.checked_sub(archive.len() as u64).filter(|lost| *lost > 0) {
                    let reason = format!("{lost} of its entries have the names of others and cannot be read");
                    self.skip(path, reason);
                }
                self.zip_entries(&mut archive, &names, path, depth);
            }
            Err(error) => self.skip(path, format!("a zip that cannot be read: {error}")),
        }
    }

    fn zip_entries(
        &mut self,
        archive: &mut ZipArchive<impl Read + Seek>,
        names: &HashMap<Vec<u8>, Vec<u8>>,
        path: &str,
        depth: usize,
    ) {
        let strings = self.strings(archive);
        let mut rest = self.tally.know_many(Unit::Entries, path, archive.len() as u64);
        for number in 0..archive.len() {
            if self.entries == 0 {
                return rest.skip(TOO_MANY);
            }
            self.entries -= 1;
            rest.hand_over();
            let mut entry = match archive.by_index(number) {
                Ok(entry) => entry,
                Err(error) => {
                    self.closed_entry(&format!("{path}!/(entry {number})"), &error);
                    continue;
                }
            };
            if entry.is_dir() {
                continue;
            }
            let name = names.get(entry.name_raw()).map_or_else(|| entry.name_raw(), Vec::as_slice);
            let name = String::from_utf8_lossy(name).into_owned();
            let inner = format!("{path}!/{}", name.trim_start_matches('/'));
            let left = Rc::clone(&self.left);
            let mut entry = Metered { inner: &mut entry, left };
            if office::is_part(&name) {
                self.part(&mut entry, &inner, &strings, depth);
            } else {
                self.entry(&mut entry, &inner, depth);
            }
        }
    }

    /// An entry that the library does not open.
    fn closed_entry(&self, path: &str, error: &ZipError) {
        let known = self.tally.know(Unit::Entries, path);
        match error {
            ZipError::UnsupportedArchive(text) if text.contains("assword") => {
                known.opaque("an encrypted entry of a zip");
            }
            _ => known.skip(error),
        }
    }
}

/// Opens a zip, by a view in which each entry has a name of its own.
fn open<'a, S: Read + Seek>(
    source: &'a mut S,
    taken: &'a mut Taken,
) -> Result<(ZipArchive<View<'a, S>>, Renamed), ZipError> {
    let start = ZipArchive::new(View::of(source, taken, Vec::new()))?.central_directory_start();
    let mut renamed = renamed(source, start)?;
    let patches = std::mem::take(&mut renamed.at);
    Ok((ZipArchive::new(View::of(source, taken, patches))?, renamed))
}

/// Goes through the list at a zip's end, and gives each entry whose name comes again a name of its own.
fn renamed(source: &mut (impl Read + Seek), start: u64) -> io::Result<Renamed> {
    source.seek(SeekFrom::Start(start))?;
    let mut list = BufReader::new(source);
    // Two names may have one hash: then one of them is renamed without need.
    let (hashes, mut known) = (RandomState::new(), HashSet::new());
    let mut renamed = Renamed::default();
    let mut at = start;
    for number in 0..MOST_LISTED {
        let mut head = [0; ENTRY.1];
        if list.read_exact(&mut head).is_err() || !head.starts_with(ENTRY.0) {
            break;
        }
        let length = |at: usize| usize::from(u16::from_le_bytes([head[at], head[at + 1]]));
        let (name_length, rest) = (length(28), length(30) + length(32));
        let mut name = vec![0; name_length];
        if list.read_exact(&mut name).is_err() {
            break;
        }
        if !known.insert(hashes.hash_one(&name)) {
            let own = own_name(number, name_length);
            renamed.at.push((at + ENTRY.1 as u64, own.clone()));
            renamed.names.insert(own, name);
        }
        renamed.count += 1;
        at += (ENTRY.1 + name_length + rest) as u64;
        list.seek_relative(rest as i64)?;
    }
    Ok(renamed)
}

/// A name of that length that no file has: its last bytes count in characters that no name is written with.
fn own_name(number: u32, length: usize) -> Vec<u8> {
    const DIGITS: u32 = 31;
    let mut rest = number;
    let mut name: Vec<u8> = (0..length)
        .map(|_| {
            let digit = 1 + (rest % DIGITS) as u8;
            rest /= DIGITS;
            digit
        })
        .collect();
    name.reverse();
    name
}

/// A file in which some bytes are others. What the library holds of the list that it reads is counted.
struct View<'a, S> {
    source: &'a mut S,
    taken: &'a mut Taken,
    patches: Vec<(u64, Vec<u8>)>,
    position: u64,
    listed: u32,
    size: u64,
}

impl<'a, S> View<'a, S> {
    fn of(source: &'a mut S, taken: &'a mut Taken, patches: Vec<(u64, Vec<u8>)>) -> Self {
        Self { source, taken, patches, position: 0, listed: 0, size: 0 }
    }

    /// Counts an entry of the list, by its head: it is held with its name, in several forms, and all that is said of it.
    fn count_listed(&mut self, head: &[u8; ENTRY.1]) -> io::Result<()> {
        self.listed += 1;
        if self.listed > MOST_LISTED {
            return Err(io::Error::other(TOO_MANY));
        }
        let length = |at: usize| u64::from(u16::from_le_bytes([head[at], head[at + 1]]));
        self.size += SIZE_OF_LISTED + 4 * (length(28) + length(30) + length(32));
        self.taken.grow_to(self.size)
    }
}

impl<S: Read> Read for View<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        // The library reads the head of each entry of the list by itself.
        if let Some(head) = buffer.as_array().filter(|head| count == ENTRY.1 && head.starts_with(ENTRY.0)) {
            self.count_listed(head)?;
        }
        let (from, to) = (self.position, self.position + count as u64);
        let first = self.patches.partition_point(|(at, bytes)| at + bytes.len() as u64 <= from);
        for (at, bytes) in self.patches[first..].iter().take_while(|(at, _)| *at < to) {
            for (place, byte) in (*at..).zip(bytes).filter(|(place, _)| (from..to).contains(place)) {
                buffer[(place - from) as usize] = *byte;
            }
        }
        self.position = to;
        Ok(count)
    }
}

impl<S: Seek> Seek for View<'_, S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = self.source.seek(to)?;
        Ok(self.position)
    }
}
