//! The streams of a PDF: pages' text, attached files and objects. Text that is set by the numbers of a font's glyphs stays unread.

use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::rc::Rc;

use super::filters::{Filter, Filters, undone};
use super::{Metered, Walk};
use crate::model::Unit;

/// What every PDF begins with.
pub const MAGIC: &[u8] = b"%PDF-";

/// Text is put together in streams up to this size, in bytes.
const LARGEST_JOINED: u64 = 16 << 20;

/// So much is kept of what stands before a stream, in bytes: its dictionary.
const LONGEST_DICTIONARY: usize = 64 << 10;

/// Where a stream begins.
struct Begun {
    head: [u8; 2],
    filters: Filters,
}

impl Walk<'_> {
    pub(super) fn pdf(&mut self, source: &mut (impl Read + Seek), path: &str) -> io::Result<()> {
        source.seek(SeekFrom::Start(0))?;
        let mut source = BufReader::new(source);
        let (mut number, mut is_encrypted, mut damaged) = (0, false, Vec::new());
        while let Some(Begun { head, filters }) = next(&mut source, &mut is_encrypted)? {
            let is_said = matches!(filters, Filters::Known(_));
            let filters = match filters {
                Filters::Known(filters) => filters,
                // By its first bytes.
                Filters::Unsaid if head[0] & 0x0f == 8 && u16::from_be_bytes(head) % 31 == 0 => {
                    vec![Filter::Flate]
                }
                Filters::Unsaid | Filters::NoText => continue,
                Filters::Opaque(container) => {
                    self.tally.know(Unit::Entries, path).opaque(container);
                    continue;
                }
            };
            if !self.count(path) {
                break;
            }
            number += 1;
            let inner = format!("{path}!/stream {number}");
            let filtered = Cursor::new(head).chain(&mut source);
            let mut stream = Metered { inner: undone(filtered, &filters), left: Rc::clone(&self.left) };
            let (text, read) = joined(&mut stream);
            if text.is_empty() {
                // Encrypted, or it only began like a deflated one.
                damaged.extend(read.err().filter(|_| is_said).map(|error| (inner, error)));
                continue;
            }
            let known = self.tally.know(Unit::Entries, &inner);
            let seen = (self.visit)(&inner, &mut Cursor::new(text).chain(&mut stream));
            match seen.and(read) {
                Ok(_) => known.read(),
                Err(error) => known.skip(error),
            }
        }
        if is_encrypted {
            self.tally.know(Unit::Entries, path).opaque("an encrypted PDF");
        } else {
            for (inner, error) in damaged {
                self.tally.skip(Unit::Entries, inner, error);
            }
        }
        Ok(())
    }
}

/// Goes to where the next stream begins, and reads its first two bytes. Notes on the way whether the document is encrypted, which
/// its trailer says.
fn next(source: &mut impl BufRead, is_encrypted: &mut bool) -> io::Result<Option<Begun>> {
    let (mut line, mut dictionary) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        // What is not text has lines of any length.
        if source.by_ref().take(1 << 20).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        *is_encrypted |= memchr::memmem::find(&line, b"/Encrypt").is_some();
        let object = memchr::memmem::rfind(&line, b" obj");
        if object.is_some() || dictionary.len() + line.len() > LONGEST_DICTIONARY {
            dictionary.clear();
        }
        let from = object.unwrap_or(line.len().saturating_sub(LONGEST_DICTIONARY));
        dictionary.extend_from_slice(&line[from..]);
        let keyword = line.trim_ascii_end();
        if !keyword.ends_with(b"stream") || keyword.ends_with(b"endstream") {
            continue;
        }
        let mut head = [0; 2];
        return match source.read_exact(&mut head) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            result => result.map(|()| Some(Begun { head, filters: Filters::of(&dictionary) })),
        };
    }
}

/// The beginning of a stream with its text put together, and how reading it went. A line of text is set in parts, moved
/// against each other by a little, as in `[(TWILIO_AU) -12 (TH_TOKEN)] TJ`.
fn joined(stream: &mut impl Read) -> (Vec<u8>, io::Result<usize>) {
    let mut text = Vec::new();
    let read = stream.take(LARGEST_JOINED).read_to_end(&mut text);
    if memchr::memmem::find(&text, b"TJ").is_some() {
        text = join(&text);
    }
    (text, read)
}

/// Leaves out what stands between two parts of a line: `)`, numbers and blanks, `(`.
fn join(text: &[u8]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(close) = memchr::memchr(b')', &text[at..]).map(|place| at + place) {
        joined.extend_from_slice(&text[at..close]);
        let between = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_whitespace() || b"-.".contains(byte);
        let length = text[close + 1..].iter().take(64).take_while(|byte| between(byte)).count();
        let escaped = close > 0 && text[close - 1] == b'\\';
        if !escaped && text.get(close + 1 + length) == Some(&b'(') {
            at = close + 2 + length;
        } else {
            joined.push(b')');
            at = close + 1;
        }
    }
    joined.extend_from_slice(&text[at..]);
    joined
}
