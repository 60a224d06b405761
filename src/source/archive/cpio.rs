//! The entries of a cpio archive: RPMs hold one, and so do the first file systems of Linux.
//! <https://man.freebsd.org/cgi/man.cgi?query=cpio&sektion=5>

use std::io::{self, Read};

use super::{LONGEST_NAME, Walk};

/// The name that ends an archive.
const LAST: &[u8] = b"TRAILER!!!";
/// The bits of a mode that say what it is, and a file's.
const FILE: (u64, u64) = (0o170_000, 0o100_000);
/// How long the head of an entry is behind its mark: in the new format, whose numbers are hexadecimal, and in the old one, whose
/// numbers are octal.
const NEW: usize = 104;
const OLD: usize = 70;

/// The head of an entry.
struct Head {
    mode: u64,
    name: u64,
    size: u64,
    /// Name and content are filled up to a multiple of this.
    unit: u64,
    /// How long the head itself is.
    length: u64,
}

/// Whether a file begins with the head of an entry: the mark alone are six digits, which texts begin with too.
#[must_use]
pub fn is_cpio(head: &[u8]) -> bool {
    let Some((mark, rest)) = head.split_first_chunk::<6>() else { return false };
    match mark {
        b"070701" | b"070702" => rest.get(..NEW).is_some_and(|rest| rest.iter().all(u8::is_ascii_hexdigit)),
        b"070707" => {
            rest.get(..OLD).is_some_and(|rest| rest.iter().all(|digit| (b'0'..=b'7').contains(digit)))
        }
        _ => false,
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a damaged entry")
}

impl Walk<'_> {
    pub(super) fn cpio(&mut self, source: &mut dyn Read, path: &str, depth: usize) {
        if let Err(error) = self.cpio_entries(source, path, depth) {
            self.skip(path, format!("a cpio archive that cannot be read to its end: {error}"));
        }
    }

    fn cpio_entries(&mut self, source: &mut dyn Read, path: &str, depth: usize) -> io::Result<()> {
        loop {
            let head = Head::read(source)?;
            let mut name = Vec::new();
            source.take(head.name.min(LONGEST_NAME)).read_to_end(&mut name)?;
            if name.len() as u64 != head.name {
                return Err(damaged());
            }
            fill_up(source, head.length + head.name, head.unit)?;
            let name = name.strip_suffix(b"\0").unwrap_or(&name);
            if name == LAST {
                return self.behind_cpio(source, path, depth);
            }
            let mut data = source.take(head.size);
            if head.mode & FILE.0 == FILE.1 {
                if !self.count(path) {
                    return Ok(());
                }
                let name = String::from_utf8_lossy(name).into_owned();
                let name = name.strip_prefix("./").unwrap_or(&name).trim_start_matches('/');
                self.entry(&mut data, &format!("{path}!/{name}"), depth);
            }
            super::pass_over(&mut data)?;
            fill_up(source, head.size, head.unit)?;
        }
    }

    /// Another archive may stand behind one, which may be compressed: Linux' first file system comes in several.
    fn behind_cpio(&mut self, source: &mut dyn Read, path: &str, depth: usize) -> io::Result<()> {
        let mut part = [0; 512];
        loop {
            let filled = super::fill(source, &mut part)?;
            if filled == 0 {
                return Ok(());
            }
            if let Some(first) = part[..filled].iter().position(|&byte| byte != 0) {
                self.entry(&mut (&part[first..filled]).chain(source), &format!("{path}!/rest"), depth);
                return Ok(());
            }
        }
    }
}

/// Passes over what fills up a length.
fn fill_up(source: &mut dyn Read, length: u64, unit: u64) -> io::Result<()> {
    let padding = length.next_multiple_of(unit) - length;
    io::copy(&mut source.take(padding), &mut io::sink()).map(drop)
}

impl Head {
    fn read(source: &mut dyn Read) -> io::Result<Self> {
        let mut mark = [0; 6];
        source.read_exact(&mut mark)?;
        match &mark {
            b"070701" | b"070702" => {
                let mut fields = [0; NEW];
                source.read_exact(&mut fields)?;
                let field = |number: usize| number_of(&fields[8 * number..8 * number + 8], 16);
                let (mode, size, name) = (field(1)?, field(6)?, field(11)?);
                Ok(Self { mode, name, size, unit: 4, length: 110 })
            }
            b"070707" => {
                let mut fields = [0; OLD];
                source.read_exact(&mut fields)?;
                let field = |from: usize, length: usize| number_of(&fields[from..from + length], 8);
                let (mode, name, size) = (field(12, 6)?, field(53, 6)?, field(59, 11)?);
                Ok(Self { mode, name, size, unit: 1, length: 76 })
            }
            _ => Err(damaged()),
        }
    }
}

fn number_of(digits: &[u8], base: u32) -> io::Result<u64> {
    let digits = std::str::from_utf8(digits).ok();
    digits.and_then(|digits| u64::from_str_radix(digits, base).ok()).ok_or_else(damaged)
}

#[cfg(test)]
mod tests {
    use super::is_cpio;

    #[test]
    fn numbers_that_begin_like_a_cpio_are_text() {
        assert!(is_cpio(format!("070701{}.env", "0".repeat(104)).as_bytes()));
        assert!(is_cpio(format!("070707{}.env", "7".repeat(70)).as_bytes()));
        for text in
            ["070701".to_owned(), "070701,a list of numbers\n".repeat(9), format!("070707{}", "8".repeat(99))]
        {
            assert!(!is_cpio(text.as_bytes()), "{text}");
        }
    }
}
