//! The compressed texts of a PNG. What stands uncompressed, here and in the EXIF and XMP of other images, is seen in the file
//! as it is. <https://www.w3.org/TR/png-3/#11textinfo>

use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use super::{Metered, Walk};
use crate::model::Unit;

/// What every PNG begins with.
pub const MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A text above this is not read, in bytes as compressed.
const LARGEST_TEXT: u32 = 16 << 20;

impl Walk<'_> {
    pub(super) fn png(&mut self, source: &mut (impl Read + Seek), path: &str) -> io::Result<()> {
        source.seek(SeekFrom::Start(MAGIC.len() as u64))?;
        while let Some((key, deflated)) = next(source)? {
            if !self.count(path) {
                break;
            }
            let inner = format!("{path}!/{key}");
            let mut text = Metered {
                inner: flate2::bufread::ZlibDecoder::new(&deflated[..]),
                left: Rc::clone(&self.left),
            };
            let known = self.tally.know(Unit::Entries, &inner);
            match (self.visit)(&inner, &mut text) {
                Ok(()) => known.read(),
                Err(error) => known.skip(error),
            }
        }
        Ok(())
    }
}

/// The next compressed text: its key, and its bytes, still deflated.
fn next(source: &mut (impl Read + Seek)) -> io::Result<Option<(String, Vec<u8>)>> {
    loop {
        let mut head = [0; 8];
        match source.read_exact(&mut head) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            result => result?,
        }
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        let kind = &head[4..];
        if !matches!(kind, b"zTXt" | b"iTXt") || length > LARGEST_TEXT {
            if kind == b"IEND" {
                return Ok(None);
            }
            source.seek(SeekFrom::Current(i64::from(length) + 4))?;
            continue;
        }
        let mut chunk = Vec::new();
        source.take(u64::from(length)).read_to_end(&mut chunk)?;
        source.seek(SeekFrom::Current(4))?;
        if let Some((key, text)) = text(kind == b"zTXt", &chunk) {
            return Ok(Some((String::from_utf8_lossy(key).into_owned(), text.to_vec())));
        }
    }
}

/// The key and the deflated text of a chunk.
fn text(latin: bool, chunk: &[u8]) -> Option<(&[u8], &[u8])> {
    let (key, rest) = chunk.split_at_checked(memchr::memchr(0, chunk)?)?;
    if latin {
        return Some((key, rest.get(2..)?));
    }
    // Compressed or not, method, language, the key in that language.
    let [0, 1, 0, rest @ ..] = rest else { return None };
    let rest = rest.get(memchr::memchr(0, rest)? + 1..)?;
    Some((key, rest.get(memchr::memchr(0, rest)? + 1..)?))
}
