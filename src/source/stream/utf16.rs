//! The UTF-16 of a stream, as texts of their own beside the bytes as they are: decoded as they come, and read in windows too.

use super::Sizes;
use super::pass::Pass;
use crate::detect::{Detector, Hit, Wide, utf16};

/// So much of a stream's beginning tells whether all of it is UTF-16, in bytes.
const HEAD: usize = 1024;

/// The UTF-16 of a stream: whose letters stand at even bytes, and whose stand at odd ones.
pub struct Utf16 {
    sizes: Sizes,
    texts: [Text; 2],
}

/// One of the two.
#[derive(Default)]
struct Text {
    /// Line ends that were passed over before anything was decoded.
    lines: u64,
    /// From where on all is decoded.
    decoded: Option<Decoded>,
}

struct Decoded {
    pass: Pass,
    is_little: bool,
    /// Bytes that were not decoded yet.
    open: Vec<u8>,
}

impl Utf16 {
    pub fn new(sizes: Sizes) -> Self {
        Self { sizes, texts: <[Text; 2]>::default() }
    }

    /// Looks at what a window brings beyond its first `known` bytes. Called before the window is passed over.
    pub fn look(
        &mut self,
        window: &Pass,
        known: usize,
        ended: bool,
        detector: &Detector,
        path: &str,
    ) -> Vec<Hit> {
        let (bytes, base) = (window.window(), window.base());
        let is_decoded = |text: &Text| text.decoded.is_some();
        // Plain text holds no zero, and is told by one quick look.
        if memchr::memchr(0, bytes).is_none() && !self.texts.iter().any(is_decoded) {
            return Vec::new();
        }
        let mut hits = Vec::new();
        for text in self.texts.iter_mut().filter_map(|text| text.decoded.as_mut()) {
            text.look(&bytes[known..], ended, detector, path, &mut hits);
        }
        if !self.texts.iter().all(is_decoded) {
            let of_all = if base == 0 { whole(bytes) } else { None };
            for wide in of_all.into_iter().chain(utf16(bytes)) {
                let text = &mut self.texts[(usize::from(wide.is_odd()) + base as usize) % 2];
                if text.decoded.is_none() {
                    // About as many bytes stand before as they would have been decoded to.
                    let pass = Pass::new(self.sizes, Vec::new()).behind(base / 2, text.lines);
                    let decoded = Decoded { pass, is_little: wide.is_little, open: Vec::new() };
                    let decoded = text.decoded.insert(decoded);
                    decoded.look(&bytes[wide.start..], ended, detector, path, &mut hits);
                }
            }
            let passed = &bytes[..window.next(ended).unwrap_or_default()];
            for (number, text) in self.texts.iter_mut().enumerate() {
                text.lines += lines(passed, (number + base as usize) % 2);
            }
        }
        hits.into_iter().map(Hit::of_utf16).collect()
    }
}

impl Decoded {
    fn look(&mut self, bytes: &[u8], ended: bool, detector: &Detector, path: &str, hits: &mut Vec<Hit>) {
        self.open.extend_from_slice(bytes);
        let mut whole = self.open.len() / 2 * 2;
        // A character in two units may have only its first one here.
        let unit = if self.is_little { u16::from_le_bytes } else { u16::from_be_bytes };
        let is_first = |last: &[u8; 2]| matches!(unit(*last), 0xd800..=0xdbff);
        if !ended && self.open[..whole].last_chunk().is_some_and(is_first) {
            whole -= 2;
        }
        let wide = Wide { start: 0, is_little: self.is_little };
        let decoded = wide.decode(&self.open[..whole]);
        self.open.drain(..whole);
        let mut rest = &decoded[..];
        while !self.pass.fill_from(&mut rest) {
            hits.extend(self.pass.look(detector, path, false));
        }
        if ended {
            hits.extend(self.pass.look(detector, path, true));
        }
    }
}

/// The UTF-16 that a stream is by its beginning: it has a mark, or nearly every other byte is zero.
fn whole(bytes: &[u8]) -> Option<Wide> {
    let marked = Wide::marked(bytes);
    if marked.is_some() {
        return marked;
    }
    let (pairs, _) = bytes[..bytes.len().min(HEAD)].as_chunks::<2>();
    let is_of = |byte: usize| {
        let zeros = pairs.iter().filter(|pair| pair[byte] == 0 && pair[1 - byte] != 0).count();
        pairs.len() >= HEAD / 4 && zeros * 10 >= pairs.len() * 9
    };
    (is_of(0) || is_of(1)).then(|| Wide { start: 0, is_little: is_of(1) })
}

/// How many line ends of UTF-16 there are whose bytes stand at even places (0) or at odd ones (1).
fn lines(bytes: &[u8], odd: usize) -> u64 {
    let is_zero = |at: Option<usize>| at.and_then(|at| bytes.get(at)) == Some(&0);
    let is_end = |at: &usize| at % 2 == odd && (is_zero(at.checked_sub(1)) || is_zero(Some(at + 1)));
    memchr::memchr_iter(b'\n', bytes).filter(is_end).count() as u64
}
