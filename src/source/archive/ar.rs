//! The entries of an ar archive, which is what a deb is and a static library.
//! <https://man.freebsd.org/cgi/man.cgi?query=ar&sektion=5>

use std::io::{self, Read};

use super::{LONGEST_NAME, Walk};

/// What it begins with.
pub const MAGIC: &[u8] = b"!<arch>\n";
/// The head of an entry, in bytes.
const ENTRY: usize = 60;
/// No table of long names is longer, in bytes.
const LONGEST_NAMES: u64 = 16 << 20;

impl Walk<'_> {
    pub(super) fn ar(&mut self, source: &mut dyn Read, path: &str, depth: usize) {
        if let Err(error) = self.ar_entries(source, path, depth) {
            self.skip(path, format!("an ar archive that cannot be read to its end: {error}"));
        }
    }

    fn ar_entries(&mut self, source: &mut dyn Read, path: &str, depth: usize) -> io::Result<()> {
        source.read_exact(&mut [0; MAGIC.len()])?;
        let mut names = Vec::new();
        loop {
            let mut head = [0; ENTRY];
            match super::fill(source, &mut head)? {
                0 => return Ok(()),
                // A last byte to make their number even.
                1 if head[0] == b'\n' => return Ok(()),
                ENTRY if head.ends_with(b"`\n") => {}
                _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "a damaged entry")),
            }
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
            let (name, size) = (text(&head[..16]), text(&head[48..58]));
            let size: u64 = size.parse().map_err(|_| io::Error::other("an entry of no size"))?;
            let mut data = source.take(size);
            if name == "//" {
                names.clear();
                (&mut data).take(LONGEST_NAMES).read_to_end(&mut names)?;
            } else {
                let name = long_name(&name, &names, &mut data)?;
                if !self.count(path) {
                    return Ok(());
                }
                self.entry(&mut data, &format!("{path}!/{}", name.trim_matches('/')), depth);
            }
            super::pass_over(&mut data)?;
            if size % 2 == 1 {
                super::fill(source, &mut [0])?;
            }
        }
    }
}

/// An entry's name, which may stand in the table of names (`/7`) or in front of the entry itself (`#1/20`).
fn long_name(name: &str, names: &[u8], data: &mut impl Read) -> io::Result<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned();
    let number = |digits: &str| digits.parse::<u64>().ok();
    if let Some(length) = name.strip_prefix("#1/").and_then(number) {
        let mut own = Vec::new();
        data.take(length.min(LONGEST_NAME)).read_to_end(&mut own)?;
        return Ok(text(&own));
    }
    let place = name.strip_prefix('/').and_then(number).and_then(|place| usize::try_from(place).ok());
    // Many entries may have the same place: a long name would be copied for each.
    let long =
        place.and_then(|place| names.get(place..)).map(|name| &name[..name.len().min(LONGEST_NAME as usize)]);
    let long = long.and_then(|long| long.split(|&byte| byte == b'\n').next());
    Ok(long.map_or_else(|| name.to_owned(), text))
}
