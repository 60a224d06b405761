//! The entries of a tar.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use tar::EntryType;

use super::{HEAD, LONGEST_NAME, Walk};

/// What stands before an entry's content may come to this, in bytes: names, attributes, and where a sparse file has holes. The
/// library holds all of it.
const MOST_HEADS: u64 = 1 << 20;
/// Where a header's sum stands, of which it takes the bytes for blanks.
const SUM: std::ops::Range<usize> = 148..156;

/// Whether a file begins like a tar: by its mark, or, as old ones have none, by its header's sum.
#[must_use]
pub fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar") || has_sum(head)
}

fn has_sum(head: &[u8]) -> bool {
    let Some(head) = head.first_chunk::<HEAD>().filter(|head| head[0] != 0 && head[154] == 0) else {
        return false;
    };
    let blanks = SUM.len() as u32 * u32::from(b' ');
    let bytes = head[..SUM.start].iter().chain(&head[SUM.end..]);
    written_sum(head) == Some(bytes.map(|&byte| u32::from(byte)).sum::<u32>() + blanks)
}

/// The sum that a header says it has.
fn written_sum(head: &[u8; HEAD]) -> Option<u32> {
    let digits = head[SUM].trim_ascii_start().split(|byte| matches!(byte, 0 | b' ')).next()?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

/// Whether an entry of a type has no content: a folder, a link, a device.
fn is_empty(kind: EntryType) -> bool {
    use EntryType::{Block, Char, Directory, Fifo, Link, Symlink};
    matches!(kind, Directory | Link | Symlink | Char | Block | Fifo)
}

/// A source of a tar. The content of a sparse file is what is left of it without its holes, which come to any size: its head is
/// shown to the library as that of a file which has none.
struct Heads<'a> {
    source: &'a mut dyn Read,
    /// How much may be read for what stands before the next entry's content; nothing while that is read.
    left: Rc<Cell<Option<u64>>>,
}

impl Heads<'_> {
    fn draw(&self, count: usize) -> io::Result<()> {
        let Some(left) = self.left.get() else { return Ok(()) };
        let too_much =
            || io::Error::other(format!("the heads of an entry come to more than {} MB", MOST_HEADS >> 20));
        self.left.set(Some(left.checked_sub(count as u64).ok_or_else(too_much)?));
        Ok(())
    }

    /// Passes over where a sparse file has holes.
    fn pass_over_holes(&mut self, head: &mut [u8; HEAD]) -> io::Result<()> {
        const KIND: usize = 156;
        if head[KIND] != b'S' || !head[257..].starts_with(b"ustar ") {
            return Ok(());
        }
        let (mut more, mut part) = (head[482] != 0, [0; HEAD]);
        while more {
            self.source.read_exact(&mut part)?;
            self.draw(HEAD)?;
            more = part[504] != 0;
        }
        if let Some(sum) = written_sum(head) {
            head[KIND] = b'0';
            let sum = sum + u32::from(b'0') - u32::from(b'S');
            head[SUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        Ok(())
    }
}

impl Read for Heads<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let is_content = self.left.get().is_none();
        let Some(head) = buffer.as_mut_array::<HEAD>().filter(|_| !is_content) else {
            let count = self.source.read(buffer)?;
            self.draw(count)?;
            return Ok(count);
        };
        let count = super::fill(self.source, head)?;
        // Between tars that were joined there may be any number of empty ones.
        if head[..count].iter().any(|&byte| byte != 0) {
            self.draw(count)?;
        }
        if count == HEAD {
            self.pass_over_holes(head)?;
        }
        Ok(count)
    }
}

impl Walk<'_> {
    pub(super) fn tar(&mut self, source: &mut dyn Read, path: &str, depth: usize) {
        if let Err(error) = self.tar_entries(source, path, depth) {
            self.skip(path, format!("a tar that cannot be read to its end: {error}"));
        }
    }

    fn tar_entries(&mut self, source: &mut dyn Read, path: &str, depth: usize) -> io::Result<()> {
        let heads = Rc::new(Cell::new(Some(MOST_HEADS)));
        let mut archive = tar::Archive::new(Heads { source, left: Rc::clone(&heads) });
        // Several that were joined have zeros between them.
        archive.set_ignore_zeros(true);
        let mut entries = archive.entries()?;
        loop {
            heads.set(Some(MOST_HEADS));
            let Some(entry) = entries.next() else { return Ok(()) };
            if !self.count(path) {
                return Ok(());
            }
            let mut entry = entry?;
            heads.set(None);
            // What a type that is not known means, its content is read.
            if !is_empty(entry.header().entry_type()) || entry.size() > 0 {
                let name = entry.path_bytes();
                let name =
                    String::from_utf8_lossy(&name[..name.len().min(LONGEST_NAME as usize)]).into_owned();
                self.entry(&mut entry, &format!("{path}!/{}", name.trim_start_matches('/')), depth);
            }
            // What is passed over here does not count as a head of the next one.
            io::copy(&mut entry, &mut io::sink())?;
        }
    }
}
