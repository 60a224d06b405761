//! What stands inside of archives and compressed files, nested to a limit. Nothing is written anywhere; sizes, depth and
//! counts are bounded, so that a bomb costs a bounded time and is named. An entry is shown as `outer.zip!/inner/file`.

mod ar;
mod bounded;
mod bundle;
mod compress;
mod cpio;
mod filters;
mod frames;
mod kind;
mod layers;
mod mail;
mod memory;
mod office;
mod patch;
mod pdf;
mod plist;
mod png;
mod rpm;
mod seven;
mod sqlite;
mod tarred;
mod xz;
mod zipped;

use std::cell::Cell;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::rc::Rc;

use super::opaque;
use crate::model::{Known, Tally, Unit};
use bounded::Metered;
use memory::Memory;

pub use kind::{
    Kind, ends_with_zip, is_binary, kind, kind_of, may_end_zip, may_stand_before_zip, names_brotli,
};

/// How deep archives in archives are followed.
const MOST_DEPTH: usize = 5;
/// How many entries one outermost archive may have in all.
const MOST_ENTRIES: u32 = 200_000;
const TOO_MANY: &str = "more than 200000 entries: the rest is not read";
const TOO_DEEP: &str = "archives in archives, more than 5 deep";
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
/// No name of an entry is longer, in bytes.
const LONGEST_NAME: u64 = 4 << 10;
/// What one decoder may hold, in KiB.
const MOST_WINDOW: u32 = 128 << 10;
/// Enough to know a tar by.
pub const HEAD: usize = 512;

/// Looks at an entry: its path and its bytes.
pub type Visit<'a> = &'a mut dyn FnMut(&str, &mut dyn Read) -> io::Result<()>;

/// Goes through an archive of `length` bytes. What becomes of each entry is in the tally. Says whether there was anything that
/// could be read.
pub fn expand(
    kind: Kind,
    source: &mut (impl Read + Seek),
    length: u64,
    path: &str,
    visit: Visit,
    tally: &Tally,
) -> bool {
    let budget =
        length.saturating_mul(MOST_RATIO).clamp(LEAST_BUDGET, MOST_BUDGET.max(length.saturating_mul(4)));
    let mut walk = Walk {
        visit,
        tally,
        left: Rc::new(Cell::new(budget)),
        memory: Rc::default(),
        entries: MOST_ENTRIES,
        seen: false,
    };
    if kind.is_stream() {
        walk.stream(kind, &mut BufReader::with_capacity(64 << 10, source), path, 0);
    } else {
        walk.seekable(kind, source, length, path, 0);
    }
    walk.seen
}

struct Walk<'a> {
    visit: Visit<'a>,
    tally: &'a Tally,
    left: Rc<Cell<u64>>,
    memory: Rc<Memory>,
    entries: u32,
    seen: bool,
}

impl Walk<'_> {
    fn skip(&self, path: &str, reason: impl std::fmt::Display) {
        self.tally.skip(Unit::Entries, path, reason);
    }

    /// Whether there may be one entry more.
    fn count(&mut self, path: &str) -> bool {
        if self.entries == 0 {
            self.skip(path, TOO_MANY);
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
        match self.memory.hold(source, LARGEST_HELD + 1) {
            Ok(held) if held.bytes.len() as u64 > LARGEST_HELD => {
                let what = kind.name();
                self.skip(path, format!("{what} inside of an archive, above {} MB", LARGEST_HELD >> 20));
                // What it holds as it is can be read all the same.
                if !matches!(kind, Kind::Zip | Kind::SevenZip) {
                    self.plain(&mut Cursor::new(&held.bytes).chain(source), path);
                }
            }
            Ok(held) => {
                let length = held.bytes.len() as u64;
                self.seekable(kind, &mut Cursor::new(&held.bytes), length, path, depth);
            }
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
            let known = self.tally.know(Unit::Entries, &inner);
            let mut rows = Metered { inner: database.rows(&table), left: Rc::clone(&self.left) };
            let read = (self.visit)(&inner, &mut rows);
            match read.and_then(|()| rows.inner.broken.take().map_or(Ok(()), Err)) {
                Ok(()) => known.read(),
                Err(error) => known.skip(error),
            }
        }
        broken.map_or(Ok(()), Err)
    }

    /// An entry, which may be an archive itself.
    fn entry(&mut self, source: &mut dyn Read, path: &str, depth: usize) {
        let known = self.tally.know(Unit::Entries, path);
        let mut head = [0; HEAD];
        let filled = match fill(source, &mut head) {
            Ok(filled) => filled,
            Err(error) => return known.skip(error),
        };
        let head = &head[..filled];
        let mut whole = head.chain(source);
        match kind_of(head, path) {
            Some(_) if depth + 1 >= MOST_DEPTH => known.skip(TOO_DEEP),
            Some(kind) => {
                self.stream(kind, &mut whole, path, depth + 1);
                known.read();
            }
            None if may_stand_before_zip(head) => {
                let read = self.program(&mut whole, path, depth + 1);
                finish(known, read, opaque::container(head, path));
            }
            None => {
                self.seen = true;
                let read = (self.visit)(path, &mut whole);
                finish(known, read, opaque::container(head, path));
            }
        }
    }

    /// A program or the like, which may have a zip behind it.
    fn program(&mut self, source: &mut dyn Read, path: &str, depth: usize) -> io::Result<()> {
        let held = self.memory.hold(source, LARGEST_PROGRAM)?;
        let bytes = &held.bytes[..];
        if ends_with_zip(bytes, bytes) {
            if depth < MOST_DEPTH {
                self.seekable(Kind::ZipBehind, &mut Cursor::new(bytes), bytes.len() as u64, path, depth);
                return Ok(());
            }
            self.skip(path, TOO_DEEP);
        }
        let is_long = bytes.len() as u64 == LARGEST_PROGRAM;
        let mut whole = Tail::new(Cursor::new(bytes).chain(source));
        self.seen = true;
        (self.visit)(path, &mut whole)?;
        if is_long && ends_with_zip(bytes, whole.last()) {
            let most = LARGEST_PROGRAM >> 20;
            self.skip(path, format!("a zip behind a program, inside of an archive, above {most} MB"));
        }
        Ok(())
    }
}

/// Says of an entry that is no archive what became of it.
fn finish(known: Known<'_, &str>, read: io::Result<()>, container: Option<&str>) {
    match (read, container) {
        (Err(error), _) => known.skip(error),
        (Ok(()), Some(container)) => known.opaque(container),
        (Ok(()), None) => known.read(),
    }
}

/// A reader that remembers the last bytes that were read: enough to tell whether a zip ends with them.
pub struct Tail<R> {
    source: R,
    last: Vec<u8>,
}

impl<R> Tail<R> {
    /// A reader that has read nothing yet.
    pub fn new(source: R) -> Self {
        Self { source, last: Vec::new() }
    }

    /// The last bytes that were read.
    pub fn last(&self) -> &[u8] {
        &self.last
    }
}

impl<R: Read> Read for Tail<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.last.extend_from_slice(&buffer[..count]);
        if self.last.len() > 2 * kind::TAIL {
            self.last.drain(..self.last.len() - kind::TAIL);
        }
        Ok(count)
    }
}

/// A name, as much of it as is shown: many entries may have one that is as long as the archive.
fn short(name: &str) -> &str {
    &name[..name.floor_char_boundary(LONGEST_NAME as usize)]
}

/// Reads what is left of a part, which has to be there.
fn pass_over(part: &mut io::Take<impl Read>) -> io::Result<()> {
    io::copy(part, &mut io::sink())?;
    if part.limit() > 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
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
