//! The binary files of a git patch: base85 of deflated bytes, of a whole file or of what a delta adds to one.
//! <https://git-scm.com/docs/diff-format>

use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::rc::Rc;

use super::{LARGEST_HELD, Metered, Walk};

/// Lines are read no further than this, in bytes.
const LONGEST_LINE: u64 = 1 << 20;

/// The digits of base85, as git and RFC 1924 have them.
const DIGITS: &[u8; 85] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

/// Whether a text begins as `git diff` or `git format-patch` writes it.
#[must_use]
pub fn is_patch(head: &[u8]) -> bool {
    let is_mailed = || {
        let id = head.strip_prefix(b"From ")?;
        let length = id.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        Some(matches!(length, 40 | 64) && id[length..].starts_with(b" Mon Sep 17 00:00:00 2001"))
    };
    head.starts_with(b"diff --git ") || is_mailed().unwrap_or(false)
}

impl Walk<'_> {
    pub(super) fn patch(
        &mut self,
        source: &mut (impl Read + Seek),
        path: &str,
        depth: usize,
    ) -> io::Result<()> {
        source.seek(SeekFrom::Start(0))?;
        let mut lines = Lines { source: BufReader::new(source), line: Vec::new() };
        let (mut name, mut is_binary) = (String::from("file"), false);
        while let Some(line) = lines.next()? {
            if let Some(names) = line.strip_prefix(b"diff --git ") {
                let names = String::from_utf8_lossy(names);
                names.rsplit_once(" b/").map_or("file", |(_, name)| name).clone_into(&mut name);
                is_binary = false;
            } else if line == b"GIT binary patch" {
                is_binary = true;
            } else if is_binary && (line.starts_with(b"literal ") || line.starts_with(b"delta ")) {
                let is_delta = line.starts_with(b"delta ");
                if !self.count(path) {
                    break;
                }
                let deflated = lines.body()?;
                let _taken = self.memory.take(deflated.len() as u64)?;
                self.hunk(&deflated, is_delta, &format!("{path}!/{name}"), depth);
            }
        }
        Ok(())
    }

    /// A file, or what a delta adds to one.
    fn hunk(&mut self, deflated: &[u8], is_delta: bool, path: &str, depth: usize) {
        let inner = flate2::bufread::ZlibDecoder::new(deflated);
        let mut inflated = Metered { inner, left: Rc::clone(&self.left) };
        if !is_delta {
            return self.entry(&mut inflated, path, depth);
        }
        let held = self.memory.hold(&mut inflated, LARGEST_HELD);
        let held = held.and_then(|delta| Ok((self.memory.take(delta.bytes.len() as u64)?, delta)));
        match held {
            Ok((_added, delta)) => self.plain(&mut Cursor::new(added(&delta.bytes)), path),
            Err(error) => self.skip(path, error),
        }
    }
}

struct Lines<R> {
    source: R,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        let length = self.source.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut self.line)?;
        Ok((length > 0).then(|| self.line.trim_ascii_end()))
    }

    /// The bytes of a binary hunk, which an empty line ends.
    fn body(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some(line) = self.next()? {
            if !decode(line, &mut bytes) || bytes.len() as u64 > LARGEST_HELD {
                break;
            }
        }
        Ok(bytes)
    }
}

/// Decodes a line: a letter for the number of bytes, and five digits for every four. Says whether it is such a line.
fn decode(line: &[u8], bytes: &mut Vec<u8>) -> bool {
    let Some((&first, digits)) = line.split_first() else { return false };
    let length = match first {
        b'A'..=b'Z' => first - b'A' + 1,
        b'a'..=b'z' => first - b'a' + 27,
        _ => return false,
    };
    let end = bytes.len() + usize::from(length);
    for group in digits.chunks_exact(5) {
        let number = group.iter().try_fold(0_u32, |number, digit| {
            let value = DIGITS.iter().position(|known| known == digit)? as u32;
            number.checked_mul(85)?.checked_add(value)
        });
        let Some(number) = number else { return false };
        bytes.extend(number.to_be_bytes());
    }
    bytes.truncate(end);
    bytes.len() == end
}

/// What a delta adds, a line for each stretch that is copied from the old version.
fn added(delta: &[u8]) -> Vec<u8> {
    let mut added = Vec::new();
    // The two lengths that a delta begins with.
    let mut rest = (0..2).fold(delta, |rest, _| {
        let length = rest.iter().position(|byte| byte & 0x80 == 0).map_or(rest.len(), |last| last + 1);
        &rest[length..]
    });
    while let Some((&command, tail)) = rest.split_first() {
        let is_copy = command & 0x80 != 0;
        let length = if is_copy { (command & 0x7f).count_ones() as usize } else { usize::from(command) };
        let (operand, tail) = tail.split_at(length.min(tail.len()));
        added.extend_from_slice(if is_copy { b"\n" } else { operand });
        rest = tail;
    }
    added
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_base85_are_told_from_others() {
        let mut bytes = Vec::new();
        assert!(decode(b"F|NsC0|NsC0", &mut bytes));
        assert_eq!(bytes, [0xff; 6]);
        for line in [&b""[..], b"D|NsC1", b"E|NsC0", b"5|NsC0", b"D\"NsC0"] {
            assert!(!decode(line, &mut Vec::new()), "{line:?}");
        }
    }

    #[test]
    fn a_patch_is_known_by_its_head() {
        assert!(is_patch(b"diff --git a/x b/x\n"));
        assert!(is_patch(format!("From {} Mon Sep 17 00:00:00 2001\n", "a".repeat(40)).as_bytes()));
        assert!(!is_patch(b"From ada@example.com Mon Sep 17 00:00:00 2001\n") && !is_patch(b"diff"));
    }
}
