//! What stands inside of archives and compressed files, nested to a limit. Nothing is written anywhere; sizes, depth and
//! counts are bounded, so that a bomb costs a bounded time and is named. An entry is shown as `outer.zip!/inner/file`.

mod bounded;
mod bundle;
mod filters;
mod mail;
mod office;
mod patch;
mod pdf;
mod png;
mod sqlite;

use std::cell::Cell;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::rc::Rc;

use super::opaque;
use crate::model::{Tally, Unit};
use bounded::{Frames, Metered};

/// How deep archives in archives are followed.
const MOST_DEPTH: usize = 5;
/// How many entries one outermost archive may have in all.
const MOST_ENTRIES: u32 = 200_000;
const TOO_MANY: &str = "more than 200000 entries: the rest is not read";
/// What one outermost archive may come to, in bytes, however small it is.
const LEAST_BUDGET: u64 = 256 << 20;
/// How many times its own size it may come to beyond that.
const MOST_RATIO: u64 = 100;
/// And what no small archive comes to.
const MOST_BUDGET: u64 = 4 << 30;
/// What is not read from front to back, and stands in an archive, is held in memory.
const LARGEST_HELD: u64 = 128 << 20;
/// What decoding may hold, in KiB.
const MOST_WINDOW: u32 = 128 << 10;
/// Enough to know a tar by.
pub const HEAD: usize = 512;

/// A kind of archive, or of compressed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// zip, jar, whl, nupkg, docx …
    Zip,
    /// tar with a ustar or GNU header.
    Tar,
    /// gzip.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// Zstandard.
    Zstd,
    /// A SQLite database.
    Sqlite,
    /// PDF, for its streams.
    Pdf,
    /// PNG, for its compressed texts.
    Png,
    /// A mail or a mailbox, for its encoded parts.
    Mail,
    /// A patch that git wrote, for its binary files.
    Patch,
    /// A git bundle.
    Bundle,
}

impl Kind {
    /// Whether it is text, which can be searched without being opened.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self, Self::Mail | Self::Patch)
    }

    /// Whether it is read from front to back.
    fn is_stream(self) -> bool {
        matches!(self, Self::Tar | Self::Gzip | Self::Bzip2 | Self::Xz | Self::Zstd)
    }

    /// What it is called where it cannot be read.
    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "a SQLite database",
            Self::Pdf => "a PDF",
            Self::Png => "a PNG",
            Self::Mail => "a mail",
            Self::Patch => "a patch",
            Self::Bundle => "a git bundle",
            _ => "a zip",
        }
    }
}

/// What kind of archive begins like this.
#[must_use]
pub fn kind(head: &[u8]) -> Option<Kind> {
    // Whoever is asked for the head alone must say the same.
    let head = &head[..head.len().min(HEAD)];
    match head {
        [b'P', b'K', 3, 4, ..] => Some(Kind::Zip),
        [0x1f, 0x8b, 8, flags, ..] if *flags < 0x20 => Some(Kind::Gzip),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => Some(Kind::Bzip2),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Kind::Xz),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Kind::Zstd),
        _ if head.starts_with(sqlite::MAGIC) => Some(Kind::Sqlite),
        _ if head.starts_with(pdf::MAGIC) => Some(Kind::Pdf),
        _ if head.starts_with(png::MAGIC) => Some(Kind::Png),
        _ if head.get(257..262) == Some(b"ustar") => Some(Kind::Tar),
        [b'#', ..] if bundle::is_bundle(head) => Some(Kind::Bundle),
        _ if patch::is_patch(head) => Some(Kind::Patch),
        _ if mail::is_mail(head) => Some(Kind::Mail),
        _ => None,
    }
}

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
    let mut walk =
        Walk { visit, tally, left: Rc::new(Cell::new(budget)), entries: MOST_ENTRIES, seen: false };
    if kind.is_stream() {
        walk.stream(kind, source, path, 0);
    } else {
        walk.seekable(kind, source, length, path, 0);
    }
    walk.seen
}

struct Walk<'a> {
    visit: Visit<'a>,
    tally: &'a Tally,
    left: Rc<Cell<u64>>,
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

    fn zip(&mut self, source: &mut (impl Read + Seek), path: &str, depth: usize) {
        let mut archive = match zip::ZipArchive::new(source) {
            Ok(archive) => archive,
            Err(error) => return self.skip(path, format!("a zip that cannot be read: {error}")),
        };
        let strings = self.strings(&mut archive);
        let mut rest = self.tally.know_many(Unit::Entries, path, archive.len() as u64);
        for number in 0..archive.len() {
            if self.entries == 0 {
                return rest.skip(TOO_MANY);
            }
            self.entries -= 1;
            rest.hand_over();
            let mut entry = match archive.by_index(number) {
                Ok(entry) => entry,
                Err(error) => {
                    let encrypted = matches!(error, zip::result::ZipError::UnsupportedArchive(text) if text.contains("assword"));
                    let known = self.tally.know(Unit::Entries, format!("{path}!/(entry {number})"));
                    if encrypted {
                        known.opaque("an encrypted entry of a zip");
                    } else {
                        known.skip(error);
                    }
                    continue;
                }
            };
            if entry.is_dir() {
                continue;
            }
            let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
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

    /// Goes through anything that is read from front to back.
    fn stream(&mut self, kind: Kind, source: &mut dyn Read, path: &str, depth: usize) {
        let left = Rc::clone(&self.left);
        match kind {
            Kind::Tar => self.tar(source, path, depth),
            Kind::Gzip => {
                let inner = flate2::read::MultiGzDecoder::new(source);
                self.layer(&mut Metered { inner, left }, path, depth);
            }
            Kind::Bzip2 => {
                let inner = bzip2::read::MultiBzDecoder::new(source);
                self.layer(&mut Metered { inner, left }, path, depth);
            }
            Kind::Xz => {
                let inner = lzma_rust2::XzReader::new_mem_limit(source, true, MOST_WINDOW);
                self.layer(&mut Metered { inner, left }, path, depth);
            }
            Kind::Zstd => match Frames::new(BufReader::new(source)) {
                Ok(inner) => self.layer(&mut Metered { inner, left }, path, depth),
                Err(error) => self.skip(path, format!("Zstandard that cannot be read: {error}")),
            },
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
                if kind != Kind::Zip {
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
            Kind::Bundle => self.bundle(source, path, depth),
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

    /// One compressed stream: of a tar, or of a file whose name is the outer one's without its ending.
    fn layer(&mut self, source: &mut dyn Read, path: &str, depth: usize) {
        let mut head = [0; HEAD];
        let filled = match fill(source, &mut head) {
            Ok(filled) => filled,
            Err(error) => return self.skip(path, error),
        };
        let mut whole = (&head[..filled]).chain(source);
        if kind(&head[..filled]) == Some(Kind::Tar) {
            return self.tar(&mut whole, path, depth);
        }
        let name = path.rsplit(['/', '!']).next().unwrap_or(path);
        let inner = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        self.entry(&mut whole, &format!("{path}!/{inner}"), depth);
    }

    fn tar(&mut self, source: &mut dyn Read, path: &str, depth: usize) {
        let mut archive = tar::Archive::new(source);
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
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let inner = format!("{path}!/{}", name.trim_start_matches('/'));
            self.entry(&mut entry, &inner, depth);
        }
    }

    /// An entry, which may be an archive itself.
    fn entry(&mut self, source: &mut dyn Read, path: &str, depth: usize) {
        let known = self.tally.know(Unit::Entries, path);
        let mut head = [0; HEAD];
        let filled = match fill(source, &mut head) {
            Ok(filled) => filled,
            Err(error) => return known.skip(error),
        };
        let mut whole = (&head[..filled]).chain(source);
        match kind(&head[..filled]) {
            Some(_) if depth + 1 >= MOST_DEPTH => {
                known.skip(format!("archives in archives, more than {MOST_DEPTH} deep"));
            }
            Some(kind) => {
                self.stream(kind, &mut whole, path, depth + 1);
                known.read();
            }
            None => {
                self.seen = true;
                match ((self.visit)(path, &mut whole), opaque::container(&head[..filled], path)) {
                    (Err(error), _) => known.skip(error),
                    (Ok(()), Some(container)) => known.opaque(container),
                    (Ok(()), None) => known.read(),
                }
            }
        }
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
