//! What stands inside of archives and compressed files, nested to a limit. Nothing is written anywhere; sizes, depth and
//! counts are bounded, so that a bomb costs a bounded time and is named. An entry is shown as `outer.zip!/inner/file`.

mod ar;
mod bounded;
mod bundle;
mod compress;
mod cpio;
mod kind;
mod layers;
mod mail;
mod office;
mod patch;
mod pdf;
mod plist;
mod png;
mod rpm;
mod seven;
mod sqlite;
mod tarred;
mod zipped;

use std::cell::Cell;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::rc::Rc;

use crate::model::Skipped;
use bounded::Metered;

pub use kind::{Kind, ends_with_zip, kind, may_end_zip, may_stand_before_zip};

/// How deep archives in archives are followed.
const MOST_DEPTH: usize = 5;
/// How many entries one outermost archive may have in all.
const MOST_ENTRIES: u32 = 200_000;
/// What one outermost archive may come to, in bytes, however small it is.
const LEAST_BUDGET: u64 = 256 << 20;
/// How many times its own size it may come to beyond that.
const MOST_RATIO: u64 = 100;
/// And what no small archive comes to.
const MOST_BUDGET: u64 = 4 << 30;
/// What is not read from front to back, and stands in an archive, is held in memory.
const LARGEST_HELD: u64 = 128 << 20;
/// The same for a program in an archive, which seldom has a zip behind it.
const LARGEST_PROGRAM: u64 = 32 << 20;
/// What decoding may hold, in KiB.
const MOST_WINDOW: u32 = 128 << 10;
/// Enough to know a tar by.
pub const HEAD: usize = 512;

/// Looks at an entry: its path and its bytes.
pub type Visit<'a> = &'a mut dyn FnMut(&str, &mut dyn Read) -> io::Result<()>;

/// Goes through an archive of `length` bytes. What cannot be read is named in `skipped`. Says whether there was anything
/// that could be read.
pub fn expand(
    kind: Kind,
    source: &mut (impl Read + Seek),
    length: u64,
    path: &str,
    visit: Visit,
    skipped: &mut Vec<Skipped>,
) -> bool {
    let budget =
        length.saturating_mul(MOST_RATIO).clamp(LEAST_BUDGET, MOST_BUDGET.max(length.saturating_mul(4)));
    let mut walk =
        Walk { visit, skipped, left: Rc::new(Cell::new(budget)), entries: MOST_ENTRIES, seen: false };
    if kind.is_stream() {
        walk.stream(kind, source, path, 0);
    } else {
        walk.seekable(kind, source, length, path, 0);
    }
    walk.seen
}

struct Walk<'a> {
    visit: Visit<'a>,
    skipped: &'a mut Vec<Skipped>,
    left: Rc<Cell<u64>>,
    entries: u32,
    seen: bool,
}

impl Walk<'_> {
    fn skip(&mut self, path: &str, reason: impl std::fmt::Display) {
        self.skipped.push(Skipped { path: path.to_owned(), reason: reason.to_string() });
    }

    /// Whether there may be one entry more.
    fn count(&mut self, path: &str) -> bool {
        if self.entries == 0 {
            self.skip(path, format!("more than {MOST_ENTRIES} entries: the rest is not read"));
            return false;
        }
        self.entries -= 1;
        true
    }

    /// Goes through anything that is read from front to back.
    fn stream(&mut self, kind: Kind, source: &mut dyn Read, path: &str, depth: usize) {
        match kind {
            Kind::Tar => self.tar(source, path, depth),
            Kind::Ar => self.ar(source, path, depth),
            Kind::Cpio => self.cpio(source, path, depth),
            Kind::Rpm => self.rpm(source, path, depth),
            _ if kind.is_stream() => self.compressed(kind, source, path, depth),
            _ => self.held(kind, source, path, depth),
        }
    }

    /// What is not read from front to back, where it cannot be read otherwise.
    fn held(&mut self, kind: Kind, source: &mut dyn Read, path: &str, depth: usize) {
        let mut held = Vec::new();
        match (&mut *source).take(LARGEST_HELD + 1).read_to_end(&mut held) {
            Ok(length) if length as u64 > LARGEST_HELD => {
                let what = kind.name();
                self.skip(path, format!("{what} inside of an archive, above {} MB", LARGEST_HELD >> 20));
                // What it holds as it is can be read all the same.
                if !matches!(kind, Kind::Zip | Kind::SevenZip) {
                    self.plain(&mut Cursor::new(held).chain(source), path);
                }
            }
            Ok(length) => self.seekable(kind, &mut Cursor::new(held), length as u64, path, depth),
            Err(error) => self.skip(path, error),
        }
    }

    fn seekable(
        &mut self,
        kind: Kind,
        source: &mut (impl Read + Seek),
        length: u64,
        path: &str,
        depth: usize,
    ) {
        let read = match kind {
            Kind::Sqlite => self.sqlite(source, length, path),
            Kind::Pdf => self.pdf(source, path),
            Kind::Png => self.png(source, path),
            Kind::Mail => self.mail(source, path, depth),
            Kind::Patch => self.patch(source, path, depth),
            Kind::Bundle | Kind::Pack => self.bundle(source, path, depth),
            Kind::Plist => self.plist(source, path, depth),
            Kind::ZipBehind => {
                self.zip(source, path, depth);
                Ok(())
            }
            Kind::SevenZip => return self.seven(source, path, depth),
            _ => return self.zip(source, path, depth),
        };
        if let Err(error) = read {
            self.skip(path, error);
        }
        // Besides, as it is: a database's deleted rows, what a PDF and an image say of themselves.
        match source.seek(SeekFrom::Start(0)) {
            Ok(_) => self.plain(source, path),
            Err(error) => self.skip(path, error),
        }
    }

    /// Bytes as they are.
    fn plain(&mut self, source: &mut dyn Read, path: &str) {
        self.seen = true;
        if let Err(error) = (self.visit)(path, source) {
            self.skip(path, error);
        }
    }

    fn sqlite(&mut self, source: &mut (impl Read + Seek), length: u64, path: &str) -> io::Result<()> {
        let mut database = sqlite::Database::open(source, length)?;
        let (tables, broken) = database.tables();
        for table in tables {
            let inner = format!("{path}!/{}", table.name);
            if !self.count(path) {
                break;
            }
            let mut rows = Metered { inner: database.rows(&table), left: Rc::clone(&self.left) };
            let read = (self.visit)(&inner, &mut rows);
            if let Err(error) = read.and_then(|()| rows.inner.broken.take().map_or(Ok(()), Err)) {
                self.skip(&inner, error);
            }
        }
        broken.map_or(Ok(()), Err)
    }

    fn pdf(&mut self, source: &mut (impl Read + Seek), path: &str) -> io::Result<()> {
        source.seek(SeekFrom::Start(0))?;
        let mut source = BufReader::new(source);
        let mut number = 0;
        while let Some(head) = pdf::next(&mut source)? {
            if !self.count(path) {
                break;
            }
            number += 1;
            let inner = format!("{path}!/stream {number}");
            let deflated = Cursor::new(head).chain(&mut source);
            let mut stream =
                Metered { inner: flate2::bufread::ZlibDecoder::new(deflated), left: Rc::clone(&self.left) };
            let (text, read) = pdf::joined(&mut stream);
            if text.is_empty() {
                // In another filter, or encrypted: it only began like a deflated one.
                continue;
            }
            let seen = (self.visit)(&inner, &mut Cursor::new(text).chain(&mut stream));
            if let Err(error) = seen.and(read) {
                self.skip(&inner, error);
            }
        }
        Ok(())
    }

    /// An entry, which may be an archive itself.
    fn entry(&mut self, source: &mut dyn Read, path: &str, depth: usize) {
        let mut head = [0; HEAD];
        let filled = match fill(source, &mut head) {
            Ok(filled) => filled,
            Err(error) => return self.skip(path, error),
        };
        let mut whole = (&head[..filled]).chain(source);
        match kind(&head[..filled]) {
            Some(_) if depth + 1 >= MOST_DEPTH => {
                self.skip(path, format!("archives in archives, more than {MOST_DEPTH} deep"));
            }
            Some(kind) => self.stream(kind, &mut whole, path, depth + 1),
            None if may_stand_before_zip(&head[..filled]) => self.program(&mut whole, path, depth + 1),
            None => self.plain(&mut whole, path),
        }
    }

    /// A program or the like, which may have a zip behind it.
    fn program(&mut self, source: &mut dyn Read, path: &str, depth: usize) {
        let mut held = Vec::new();
        let read = (&mut *source).take(LARGEST_PROGRAM).read_to_end(&mut held);
        if read.is_ok() && ends_with_zip(&held, &held) {
            if depth < MOST_DEPTH {
                let length = held.len() as u64;
                return self.seekable(Kind::ZipBehind, &mut Cursor::new(held), length, path, depth);
            }
            self.skip(path, format!("archives in archives, more than {MOST_DEPTH} deep"));
        }
        let is_long = held.len() as u64 == LARGEST_PROGRAM;
        let last = held[held.len().saturating_sub(kind::TAIL)..].to_vec();
        let mut rest = Tail { source, last };
        self.plain(&mut Cursor::new(&held).chain(&mut rest), path);
        if let Err(error) = read {
            self.skip(path, error);
        } else if is_long && ends_with_zip(&held, &rest.last) {
            let most = LARGEST_PROGRAM >> 20;
            self.skip(path, format!("a zip behind a program, inside of an archive, above {most} MB"));
        }
    }
}

/// A reader that remembers the last bytes that were read.
struct Tail<'a> {
    source: &'a mut dyn Read,
    last: Vec<u8>,
}

impl Read for Tail<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.last.extend_from_slice(&buffer[..count]);
        if self.last.len() > 2 * kind::TAIL {
            self.last.drain(..self.last.len() - kind::TAIL);
        }
        Ok(count)
    }
}

fn fill(source: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut at = 0;
    while at < buffer.len() {
        match source.read(&mut buffer[at..]) {
            Ok(0) => break,
            Ok(count) => at += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(at)
}
