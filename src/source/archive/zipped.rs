//! The entries of a zip, which may stand behind a program. Of entries with the same name the library tells of the last one alone;
//! each is read here, by a view of the file in which the others have names of their own.

use std::collections::{HashMap, HashSet};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;

use zip::ZipArchive;
use zip::result::ZipError;

use super::{MOST_ENTRIES, Metered, Walk, office};

/// What each entry of the list at a zip's end begins with, and how long that is before its name.
const ENTRY: (&[u8], usize) = (b"PK\x01\x02", 46);

/// Names that are written over others, so that no two entries have the same: the places in the file, and what they were.
#[derive(Default)]
struct Renamed {
    at: Vec<(u64, Vec<u8>)>,
    names: HashMap<Vec<u8>, Vec<u8>>,
}

impl Walk<'_> {
    pub(super) fn zip(&mut self, source: &mut (impl Read + Seek), path: &str, depth: usize) {
        let opened = ZipArchive::new(&mut *source).map(|archive| archive.central_directory_start());
        let renamed = opened.and_then(|start| Ok(renamed(source, start)?));
        let archive = renamed.and_then(|renamed| {
            let names = renamed.names;
            Ok((ZipArchive::new(Patched { source, patches: renamed.at, position: 0 })?, names))
        });
        match archive {
            Ok((mut archive, names)) => self.zip_entries(&mut archive, &names, path, depth),
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
        for number in 0..archive.len() {
            if !self.count(path) {
                return;
            }
            let mut entry = match archive.by_index(number) {
                Ok(entry) => entry,
                Err(error) => {
                    let encrypted =
                        matches!(error, ZipError::UnsupportedArchive(text) if text.contains("assword"));
                    let reason = if encrypted { "encrypted".to_owned() } else { error.to_string() };
                    self.skip(&format!("{path}!/(entry {number})"), reason);
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
}

/// Goes through the list at a zip's end, and gives each entry whose name comes again a name of its own.
fn renamed(source: &mut (impl Read + Seek), start: u64) -> io::Result<Renamed> {
    source.seek(SeekFrom::Start(start))?;
    let mut list = BufReader::new(source);
    let mut known: HashSet<Vec<u8>> = HashSet::new();
    let mut renamed = Renamed::default();
    let mut at = start;
    for number in 0..MOST_ENTRIES {
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
        if known.contains(&name) {
            let own = own_name(number, name_length);
            renamed.at.push((at + ENTRY.1 as u64, own.clone()));
            renamed.names.insert(own, name);
        } else {
            known.insert(name);
        }
        at += (ENTRY.1 + name_length + rest) as u64;
        list.seek_relative(rest as i64)?;
    }
    Ok(renamed)
}

/// A name of that length that no file has: its last bytes count in characters that no name is written with.
fn own_name(number: u32, length: usize) -> Vec<u8> {
    let digits = (0..8).rev().map(|digit| 1 + (number >> (4 * digit) & 0xf) as u8);
    let padding = std::iter::repeat_n(1, length.saturating_sub(8));
    padding.chain(digits.skip(8_usize.saturating_sub(length))).collect()
}

/// A file in which some bytes are others.
struct Patched<'a, S> {
    source: &'a mut S,
    patches: Vec<(u64, Vec<u8>)>,
    position: u64,
}

impl<S: Read> Read for Patched<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
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

impl<S: Seek> Seek for Patched<'_, S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = self.source.seek(to)?;
        Ok(self.position)
    }
}
