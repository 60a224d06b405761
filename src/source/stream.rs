//! A file or stream of any size in a fixed memory: windows that overlap, so that each value is seen whole and with
//! all that can bear on it. What does not stand near it is carried from window to window: the encoding, a table's head.

mod pass;
mod wide;

use std::io::{self, Read};

use super::archive;
use super::lfs;
use super::opaque;
use crate::detect::{Detector, Hit, OVERLAP};
use crate::model::Confidence;
use pass::Pass;
use wide::WideTexts;

/// The part of a window that is its own, in bytes.
const CORE: usize = 1 << 20;
/// How many doubtful values of one text are kept. Of more only the likeliest can ever be asked about.
const MOST_DOUBTFUL: usize = 2_048;

/// How large windows are.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    /// What is their own.
    core: usize,
    /// What they have on each side of it.
    overlap: usize,
}

impl Sizes {
    fn window(self) -> usize {
        self.core + 2 * self.overlap
    }
}

/// A buffer for one thread, used for one file after another.
pub struct Windows {
    buffer: Vec<u8>,
    sizes: Sizes,
}

impl Default for Windows {
    fn default() -> Self {
        Self::with_sizes(CORE, OVERLAP)
    }
}

/// What reading a stream came to.
#[derive(Debug, Default)]
pub struct Scanned {
    /// What was found; lines, columns and places count from the start of the stream.
    pub hits: Vec<Hit>,
    /// How many doubtful values were dropped, since too many others are likelier.
    pub dropped: u64,
    /// Bytes read.
    pub bytes: u64,
    /// It is an archive, and was not searched.
    pub archive: Option<archive::Kind>,
    /// It stands for content that Git LFS or git-annex keeps.
    pub is_pointer: bool,
    /// It is a container that is not opened; its bytes were searched as they are.
    pub container: Option<&'static str>,
}

impl Windows {
    /// Windows of other sizes, for tests.
    #[must_use]
    pub fn with_sizes(core: usize, overlap: usize) -> Self {
        Self { buffer: Vec::new(), sizes: Sizes { core, overlap } }
    }

    /// Reads a stream to its end and looks at all of it; but only at the beginning of an archive, which is told.
    pub fn scan(&mut self, detector: &Detector, path: &str, stream: impl Read) -> io::Result<Scanned> {
        self.read(detector, path, stream, true)
    }

    /// The same, whatever it is.
    pub fn scan_plain(&mut self, detector: &Detector, path: &str, stream: impl Read) -> io::Result<Scanned> {
        self.read(detector, path, stream, false)
    }

    fn read(
        &mut self,
        detector: &Detector,
        path: &str,
        mut stream: impl Read,
        tell_archives: bool,
    ) -> io::Result<Scanned> {
        let mut scanned = Scanned::default();
        let mut pass = Pass::new(self.sizes, std::mem::take(&mut self.buffer));
        let mut ended = pass.fill(&mut stream)?;
        let first = pass.window();
        scanned.bytes = first.len() as u64;
        if tell_archives {
            let behind =
                || (ended && archive::ends_with_zip(first, first)).then_some(archive::Kind::ZipBehind);
            scanned.archive = archive::kind_of(first, path).or_else(behind);
        }
        scanned.container = opaque::container(first, path);
        if scanned.archive.is_none() && ended {
            scanned.is_pointer = lfs::pointer(first).is_some() || lfs::is_annexed(first);
            scanned.hits = detector.detect(first, path);
            scanned.dropped = drop_unlikely(&mut scanned.hits);
        } else if scanned.archive.is_none() {
            let head = first[..first.len().min(archive::HEAD)].to_vec();
            let mut wide = WideTexts::new(self.sizes);
            let mut known = 0;
            loop {
                scanned.add(wide.look(&pass, known, ended, detector, path));
                scanned.add(pass.look(detector, path, ended));
                if ended {
                    break;
                }
                known = pass.window().len();
                ended = pass.fill(&mut stream)?;
                scanned.bytes += (pass.window().len() - known) as u64;
                // The last window is longer than what tells of a zip's end.
                if tell_archives && ended && archive::ends_with_zip(&head, pass.window()) {
                    scanned.archive = Some(archive::Kind::ZipBehind);
                }
            }
        }
        self.buffer = pass.into_buffer();
        Ok(scanned)
    }
}

impl Scanned {
    fn add(&mut self, hits: Vec<Hit>) {
        self.hits.extend(hits);
        self.dropped += drop_unlikely(&mut self.hits);
    }
}

/// Drops the doubtful values of one text beyond the likeliest [`MOST_DOUBTFUL`], so that a list of millions of hashes takes no more
/// memory than a short one; returns how many were dropped.
pub fn drop_unlikely(hits: &mut Vec<Hit>) -> u64 {
    let is_doubtful = |hit: &Hit| hit.confidence == Confidence::Doubtful;
    let mut odds: Vec<f32> = hits.iter().filter(|hit| is_doubtful(hit)).map(|hit| hit.place.odds).collect();
    if odds.len() <= MOST_DOUBTFUL {
        return 0;
    }
    odds.sort_unstable_by(|a, b| b.total_cmp(a));
    let least = odds[MOST_DOUBTFUL - 1];
    let above = odds.iter().take_while(|&&odds| odds > least).count();
    // Of those that are as likely as the last one that is kept, the first in the text stay.
    let mut equal = MOST_DOUBTFUL - above;
    let before = hits.len();
    hits.retain(|hit| {
        if !is_doubtful(hit) || hit.place.odds > least {
            return true;
        }
        let stays = hit.place.odds >= least && equal > 0;
        equal -= usize::from(stays);
        stays
    });
    (before - hits.len()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;

    fn random_text(random: &mut fastrand::Rng) -> Vec<u8> {
        let end = ["\n", "\r\n", "\r"][random.usize(..3)];
        let hex = |random: &mut fastrand::Rng| -> String {
            (0..32).map(|_| char::from(b"0123456789abcdef"[random.usize(..16)])).collect()
        };
        let mut text = String::new();
        for n in 0..random.usize(20..120) {
            match random.usize(..12) {
                0 => text += &format!("twilio_sid_{n} = AC{}", hex(random)),
                1 => text += &format!("TWILIO_AUTH_TOKEN = '{}'", hex(random)),
                2 => text += &format!("md5: {}", hex(random)),
                3 => text += &format!("Client(\"AC{}\", \"{}\")", hex(random), hex(random)),
                4 => text += &"é".repeat(random.usize(..40)),
                _ => text += &"lorem ipsum ".repeat(random.usize(..12)),
            }
            if random.usize(..4) > 0 {
                text += end;
            }
        }
        text.into_bytes()
    }

    #[test]
    fn windowed_reading_equals_whole_reading() {
        let detector = Detector::new(Rules::built_in());
        let mut random = fastrand::Rng::with_seed(11);
        let mut compared = 0;
        for _ in 0..150 {
            let text = random_text(&mut random);
            let key = |hits: Vec<Hit>| -> Vec<_> {
                hits.iter()
                    .map(|h| (h.line, h.column, h.end_column, h.kind, h.value.expose().to_owned()))
                    .collect()
            };
            let whole = key(detector.detect(&text, "x.txt"));
            // The judgement may look further than a small overlap; which values there are may not differ.
            let windowed =
                key(Windows::with_sizes(700, 1_500).scan(&detector, "x.txt", &text[..]).unwrap().hits);
            let sids = |list: Vec<(u64, u64, u64, crate::model::Kind, String)>| -> Vec<_> {
                list.into_iter().filter(|entry| !entry.3.is_secret() || entry.4.is_empty()).collect()
            };
            assert_eq!(sids(windowed), sids(whole.clone()));
            let full =
                key(Windows::with_sizes(700, OVERLAP).scan(&detector, "x.txt", &text[..]).unwrap().hits);
            assert_eq!(full, whole);
            compared += whole.len();
        }
        assert!(compared > 1_000, "only {compared} values were compared");
    }

    #[test]
    fn a_long_line_has_exact_columns() {
        let detector = Detector::new(Rules::built_in());
        let mut text = b"first\n".to_vec();
        text.extend(std::iter::repeat_n(b"word ", 700_000).flatten());
        text.extend(format!("AC{}", "3f9a0c4be1d27586bd41907ce62fa835").bytes());
        let hits = Windows::default().scan(&detector, "x", &text[..]).unwrap().hits;
        assert_eq!(
            (hits.len(), hits[0].line, hits[0].column, hits[0].end_column),
            (1, 1, 3_500_000, 3_500_034)
        );
    }
}
