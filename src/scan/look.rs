//! Looking at bytes, in a file or in memory: as they are, or, where they are an archive, at what stands inside.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use crate::detect::{Detector, Hit, sieve};
use crate::model::Skipped;
use crate::source::archive;
use crate::source::pack::Sieve;
use crate::source::stream::Windows;

/// Texts with hits, by path.
pub type Looked = Vec<(String, Vec<Hit>)>;

/// Looks at a file; says how many bytes were searched.
pub fn file(
    windows: &mut Windows,
    detector: &Detector,
    path: &str,
    file: &mut (impl Read + Seek),
    skipped: &mut Vec<Skipped>,
) -> io::Result<(Looked, u64)> {
    let found = windows.scan(detector, path, &mut *file)?;
    let Some(kind) = found.archive else {
        let looked = if found.hits.is_empty() { Vec::new() } else { vec![(path.to_owned(), found.hits)] };
        return Ok((looked, found.bytes));
    };
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let mut looked = Looked::new();
    let mut bytes = 0;
    let mut visit = |inner: &str, source: &mut dyn Read| {
        let found = windows.scan_plain(detector, inner, source)?;
        bytes += found.bytes;
        if !found.hits.is_empty() {
            looked.push((inner.to_owned(), found.hits));
        }
        Ok(())
    };
    if archive::expand(kind, file, length, path, &mut visit, skipped) {
        return Ok((looked, bytes));
    }
    // It only looked like one, or nothing of it can be opened: it is searched as it is.
    file.seek(SeekFrom::Start(0))?;
    let found = windows.scan_plain(detector, path, file)?;
    let looked = if found.hits.is_empty() { Vec::new() } else { vec![(path.to_owned(), found.hits)] };
    Ok((looked, found.bytes))
}

/// Looks at bytes in memory.
pub fn bytes(detector: &Detector, data: &[u8], path: &str, skipped: &mut Vec<Skipped>) -> Looked {
    let plain = || {
        let hits = detector.detect(data, path);
        if hits.is_empty() { Vec::new() } else { vec![(path.to_owned(), hits)] }
    };
    let Some(kind) = archive::kind(data) else { return plain() };
    let mut looked = Looked::new();
    let mut windows = Windows::default();
    let mut visit = |inner: &str, source: &mut dyn Read| {
        let found = windows.scan_plain(detector, inner, source)?;
        if !found.hits.is_empty() {
            looked.push((inner.to_owned(), found.hits));
        }
        Ok(())
    };
    if archive::expand(kind, &mut Cursor::new(data), data.len() as u64, path, &mut visit, skipped) {
        looked
    } else {
        plain()
    }
}

/// What detection and archives can begin with.
pub struct Traces<'a>(pub &'a Detector);

impl Sieve for Traces<'_> {
    const REACH: usize = sieve::REACH;
    const FAR_REACH: usize = sieve::FAR_REACH;
    const HEAD: usize = archive::HEAD;

    fn catches(&self, part: &[u8]) -> bool {
        sieve::catches(self.0.rules(), part)
    }

    fn goes_on(&self, part: &[u8]) -> bool {
        sieve::goes_on(part)
    }

    fn catches_head(&self, head: &[u8]) -> bool {
        archive::kind(head).is_some() || sieve::catches_head(head)
    }
}
