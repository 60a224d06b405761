//! Looking at bytes, in a file or in memory: as they are, or, where they are an archive, at what stands inside.

use std::collections::HashSet;
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
    let mut found = windows.scan(detector, path, &mut *file)?;
    if let Some(kind) = found.archive {
        let length = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        if let Some(inside) = unpacked(windows, detector, kind, &mut *file, length, path, skipped) {
            return Ok(inside);
        }
        // It only looked like one, or nothing of it can be opened: it is searched as it is.
        file.seek(SeekFrom::Start(0))?;
        found = windows.scan_plain(detector, path, file)?;
    }
    Ok((one(path, found.hits), found.bytes))
}

/// Looks at bytes in memory.
pub fn bytes(detector: &Detector, data: &[u8], path: &str, skipped: &mut Vec<Skipped>) -> Looked {
    let inside = archive::kind(data).and_then(|kind| {
        let (mut windows, length) = (Windows::default(), data.len() as u64);
        unpacked(&mut windows, detector, kind, &mut Cursor::new(data), length, path, skipped)
    });
    inside.map_or_else(|| one(path, detector.detect(data, path)), |(looked, _)| looked)
}

fn one(path: &str, hits: Vec<Hit>) -> Looked {
    if hits.is_empty() { Vec::new() } else { vec![(path.to_owned(), hits)] }
}

/// Looks at what stands in an archive, if anything of it can be read; with how many bytes were searched.
fn unpacked(
    windows: &mut Windows,
    detector: &Detector,
    kind: archive::Kind,
    source: &mut (impl Read + Seek),
    length: u64,
    path: &str,
    skipped: &mut Vec<Skipped>,
) -> Option<(Looked, u64)> {
    let (mut looked, mut bytes) = (Looked::new(), 0);
    let mut visit = |inner: &str, source: &mut dyn Read| {
        let mut found = windows.scan_plain(detector, inner, source)?;
        bytes += found.bytes;
        if found.hits.is_empty() {
            return Ok(());
        }
        // What is partly plain is seen once more, after its parts, as it is.
        let parts = format!("{inner}!/");
        let told: HashSet<&str> = looked
            .iter()
            .rev()
            .take_while(|(part, _): &&(String, Vec<Hit>)| part.starts_with(&parts))
            .flat_map(|(_, hits)| hits)
            .map(|hit| hit.value.expose())
            .collect();
        found.hits.retain(|hit| !told.contains(hit.value.expose()));
        looked.extend(one(inner, found.hits));
        Ok(())
    };
    archive::expand(kind, source, length, path, &mut visit, skipped).then_some((looked, bytes))
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
