//! Looking at bytes, in a file or in memory: as they are, or, where they are an archive, at what stands inside.

use std::collections::HashSet;
use std::fmt::Display;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use crate::detect::{Detector, Hit, sieve};
use crate::model::{Confidence, Kind, Known, Tally};
use crate::source::pack::Sieve;
use crate::source::stop::Stop;
use crate::source::stream::{self, Windows, drop_unlikely};
use crate::source::{archive, lfs, opaque};

/// What was found in one text.
#[derive(Debug)]
pub struct Text {
    /// Relative to the root, with `/`.
    pub path: String,
    /// What counts.
    pub hits: Vec<Hit>,
    /// Values that nothing but their shape speaks for: Twilio can be asked about them. Only a thorough detector finds any.
    pub doubtful: Vec<Hit>,
    /// How many more of those there are.
    pub dropped: u64,
}

impl Text {
    /// Parts the doubtful values from what counts, and forgets those that cannot be asked about.
    #[must_use]
    pub fn of(path: &str, hits: Vec<Hit>, dropped: u64) -> Self {
        let (doubtful, hits): (Vec<Hit>, Vec<Hit>) =
            hits.into_iter().partition(|hit| hit.confidence == Confidence::Doubtful);
        let doubtful = doubtful.into_iter().filter(can_be_asked_about).collect();
        Self { path: path.to_owned(), hits, doubtful, dropped }
    }

    /// All values, doubtful ones included.
    pub fn all(&self) -> impl Iterator<Item = &Hit> {
        self.hits.iter().chain(&self.doubtful)
    }

    /// Whether it holds a SID that a secret could belong to.
    #[must_use]
    pub fn has_sid(&self) -> bool {
        self.hits.iter().any(is_sid)
    }

    fn is_empty(&self) -> bool {
        self.hits.is_empty() && self.doubtful.is_empty()
    }
}

/// Whether it is a SID that a secret could belong to.
#[must_use]
pub fn is_sid(hit: &Hit) -> bool {
    matches!(hit.kind, Kind::AccountSid | Kind::ApiKeySid)
}

/// Whether Twilio can say of a value whether it is a secret: an Auth Token's or key secret's that nobody typed by hand.
#[must_use]
pub fn can_be_asked_about(hit: &Hit) -> bool {
    matches!(hit.kind, Kind::AuthToken | Kind::ApiKeySecret)
        && !hit.evidence.first().is_some_and(|evidence| evidence.starts_with("somebody typed it"))
}

/// Texts in which something was found.
pub type Looked = Vec<Text>;

/// What came of looking at something.
pub struct Searched {
    /// What was found.
    pub looked: Looked,
    /// How many bytes were searched.
    pub bytes: u64,
    /// What is left unread of it.
    pub left: Left,
}

impl Searched {
    fn of(path: &str, found: stream::Scanned) -> Self {
        let left = match found.container {
            Some(container) => Left::Container(container),
            None if found.is_pointer => Left::Content,
            None => Left::Nothing,
        };
        Self { looked: one(path, found.hits, found.dropped), bytes: found.bytes, left }
    }
}

/// What is left unread of something whose own bytes were searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "it says whether something counts as read"]
pub enum Left {
    /// Nothing.
    Nothing,
    /// It is a pointer of Git LFS: the content stands elsewhere.
    Content,
    /// It is a container that is not opened.
    Container(&'static str),
}

impl Left {
    /// Says of something what became of it.
    pub fn close(self, known: Known<'_, impl Display>) {
        match self {
            Self::Nothing => known.read(),
            Self::Content => known.skip(lfs::ABSENT),
            Self::Container(container) => known.opaque(container),
        }
    }
}

/// Looks at a file. What stands inside of it is in the tally, and not the file itself.
pub fn file(
    windows: &mut Windows,
    detector: &Detector,
    path: &str,
    file: &mut (impl Read + Seek),
    tally: &Tally,
) -> io::Result<Searched> {
    let mut found = windows.scan(detector, path, &mut *file)?;
    if let Some(kind) = found.archive {
        let length = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        if let Some((looked, bytes)) = unpacked(windows, detector, kind, &mut *file, length, path, tally) {
            return Ok(Searched { looked, bytes, left: Left::Nothing });
        }
        // It only looked like one, or nothing of it can be opened: it is searched as it is.
        file.seek(SeekFrom::Start(0))?;
        found = windows.scan_plain(detector, path, file)?;
    }
    Ok(Searched::of(path, found))
}

/// Looks at a stream as it is, whatever it is.
pub fn stream(
    windows: &mut Windows,
    detector: &Detector,
    path: &str,
    source: impl Read,
) -> io::Result<Searched> {
    Ok(Searched::of(path, windows.scan_plain(detector, path, source)?))
}

/// Looks at bytes in memory. What stands inside of them is in the tally, and not what they are themselves.
pub fn bytes(detector: &Detector, data: &[u8], path: &str, tally: &Tally) -> Searched {
    let length = data.len() as u64;
    let behind = || archive::ends_with_zip(data, data).then_some(archive::Kind::ZipBehind);
    let inside = archive::kind_of(data, path).or_else(behind).and_then(|kind| {
        unpacked(&mut Windows::default(), detector, kind, &mut Cursor::new(data), length, path, tally)
    });
    if let Some((looked, _)) = inside {
        return Searched { looked, bytes: length, left: Left::Nothing };
    }
    let left = match opaque::container(data, path) {
        Some(container) => Left::Container(container),
        None if lfs::pointer(data).is_some() || lfs::is_annexed(data) => Left::Content,
        None => Left::Nothing,
    };
    if data.len() > LARGE {
        // In windows, as a file: decoded views of the whole would take several times its size.
        let found = windows_of(detector, data, path);
        let bytes = found.bytes;
        return Searched { looked: one(path, found.hits, found.dropped), bytes, left };
    }
    Searched { looked: text(detector, data, path), bytes: length, left }
}

/// Bytes in memory above this are looked at in windows.
const LARGE: usize = 8 << 20;

fn windows_of(detector: &Detector, data: &[u8], path: &str) -> stream::Scanned {
    // To read from memory does not fail.
    Windows::default().scan_plain(detector, path, data).unwrap_or_default()
}

/// Looks at bytes that are no archive.
fn text(detector: &Detector, data: &[u8], path: &str) -> Looked {
    named(detector, data, path, path)
}

/// Looks at a message, which has no path that could say something of it, and reports it by this name.
#[must_use]
pub fn message(detector: &Detector, data: &[u8], name: &str) -> Looked {
    named(detector, data, "", name)
}

fn named(detector: &Detector, data: &[u8], path: &str, name: &str) -> Looked {
    let mut hits = detector.detect(data, path);
    let dropped = drop_unlikely(&mut hits);
    one(name, hits, dropped)
}

/// What was found in one text, if anything was.
#[must_use]
pub fn one(path: &str, hits: Vec<Hit>, dropped: u64) -> Looked {
    let text = Text::of(path, hits, dropped);
    if text.is_empty() { Vec::new() } else { vec![text] }
}

/// Looks at what stands in an archive, if anything of it can be read; with how many bytes were searched.
fn unpacked(
    windows: &mut Windows,
    detector: &Detector,
    kind: archive::Kind,
    source: &mut (impl Read + Seek),
    length: u64,
    path: &str,
    tally: &Tally,
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
            .take_while(|text: &&Text| text.path.starts_with(&parts))
            .flat_map(Text::all)
            .map(|hit| hit.value.expose())
            .collect();
        found.hits.retain(|hit| !told.contains(hit.value.expose()));
        looked.extend(one(inner, found.hits, found.dropped));
        Ok(())
    };
    archive::expand(kind, source, length, path, &mut visit, tally).then_some((looked, bytes))
}

/// The same until somebody interrupts: from then on no blob has to be looked at.
pub struct Stoppable<'a>(pub Traces<'a>, pub Stop);

impl Sieve for Stoppable<'_> {
    const REACH: usize = Traces::REACH;
    const FAR_REACH: usize = Traces::FAR_REACH;
    const HEAD: usize = Traces::HEAD;

    fn catches(&self, part: &[u8]) -> bool {
        !self.1.is_set() && self.0.catches(part)
    }

    fn goes_on(&self, part: &[u8]) -> bool {
        !self.1.is_set() && self.0.goes_on(part)
    }

    fn catches_head(&self, head: &[u8]) -> bool {
        !self.1.is_set() && self.0.catches_head(head)
    }
}

/// What detection and archives can begin with.
pub struct Traces<'a>(pub &'a Detector);

impl Sieve for Traces<'_> {
    const REACH: usize = sieve::REACH;
    const FAR_REACH: usize = sieve::FAR_REACH;
    const HEAD: usize = archive::HEAD;

    fn catches(&self, part: &[u8]) -> bool {
        sieve::catches(self.0.rules(), part) || archive::may_end_zip(part)
    }

    fn goes_on(&self, part: &[u8]) -> bool {
        sieve::goes_on(part)
    }

    fn catches_head(&self, head: &[u8]) -> bool {
        archive::kind(head).is_some()
            || sieve::catches_head(head)
            || lfs::is_pointer(head)
            || lfs::may_be_annexed(head)
            || opaque::may_be(head)
    }
}
