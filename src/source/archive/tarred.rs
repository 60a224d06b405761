//! The entries of a tar.

use std::io::Read;
use std::rc::Rc;

use tar::EntryType;

use super::{HEAD, Metered, Walk};

/// Whether a file begins like a tar: by its mark, or, as old ones have none, by its header's sum.
#[must_use]
pub fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar") || has_sum(head)
}

fn has_sum(head: &[u8]) -> bool {
    /// Where the sum stands, of which it takes the bytes for blanks.
    const SUM: std::ops::Range<usize> = 148..156;
    let Some(head) = head.first_chunk::<HEAD>().filter(|head| head[0] != 0 && head[154] == 0) else {
        return false;
    };
    let digits = head[SUM].trim_ascii_start().split(|byte| matches!(byte, 0 | b' ')).next();
    let written = digits.and_then(|digits| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
    let blanks = SUM.len() as u32 * u32::from(b' ');
    let bytes = head[..SUM.start].iter().chain(&head[SUM.end..]);
    written == Some(bytes.map(|&byte| u32::from(byte)).sum::<u32>() + blanks)
}

/// Whether an entry of a type has no content: a folder, a link, a device.
fn is_empty(kind: EntryType) -> bool {
    use EntryType::{Block, Char, Directory, Fifo, Link, Symlink};
    matches!(kind, Directory | Link | Symlink | Char | Block | Fifo)
}

impl Walk<'_> {
    pub(super) fn tar(&mut self, source: &mut dyn Read, path: &str, depth: usize) {
        let mut archive = tar::Archive::new(source);
        // Several that were joined have zeros between them.
        archive.set_ignore_zeros(true);
        let entries = match archive.entries() {
            Ok(entries) => entries,
            Err(error) => return self.skip(path, format!("a tar that cannot be read: {error}")),
        };
        for entry in entries {
            if !self.count(path) {
                return;
            }
            let mut entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    return self.skip(path, format!("a tar that cannot be read to its end: {error}"));
                }
            };
            let kind = entry.header().entry_type();
            // What a type that is not known means, its content is read; but for what is said of entries to come.
            if is_empty(kind) || matches!(kind, EntryType::XGlobalHeader) {
                continue;
            }
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let inner = format!("{path}!/{}", name.trim_start_matches('/'));
            if kind.is_gnu_sparse() {
                // Its holes take no room, and come to any size.
                let left = Rc::clone(&self.left);
                self.entry(&mut Metered { inner: &mut entry, left }, &inner, depth);
            } else {
                self.entry(&mut entry, &inner, depth);
            }
        }
    }
}
