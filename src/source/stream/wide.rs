//! The UTF-16 and UTF-32 of a stream, as texts of their own beside the bytes as they are: decoded as they come, and read in windows too.

use super::Sizes;
use super::pass::Pass;
use crate::detect::{Detector, Hit, Wide, wides};

/// So much of a stream's beginning tells whether all of it is UTF-16 or UTF-32, in bytes.
const HEAD: usize = 1024;

/// The texts of a stream, each of which stands in it in another way.
pub struct WideTexts {
    sizes: Sizes,
    texts: [Text; Wide::PHASES],
}

/// One of them.
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
    size: usize,
    /// Bytes that were not decoded yet.
    open: Vec<u8>,
}

impl WideTexts {
    pub fn new(sizes: Sizes) -> Self {
        Self { sizes, texts: Default::default() }
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
            for wide in of_all.into_iter().chain(wides(bytes)) {
                let text = &mut self.texts[wide.phase(base)];
                if text.decoded.is_none() {
                    // About as many bytes stand before as they would have been decoded to.
                    let before = base / wide.size as u64;
                    let pass = Pass::new(self.sizes, Vec::new()).behind(before, text.lines);
                    let (is_little, size) = (wide.is_little, wide.size);
                    let decoded = Decoded { pass, is_little, size, open: Vec::new() };
                    let decoded = text.decoded.insert(decoded);
                    decoded.look(&bytes[wide.start..], ended, detector, path, &mut hits);
                }
            }
            let passed = &bytes[..window.next(ended).unwrap_or_default()];
            for (phase, text) in self.texts.iter_mut().enumerate() {
                let (size, letter) = Wide::of_phase(phase);
                // A place that counts from the stream's beginning, counted from the window's.
                let letter = (letter + size - (base % size as u64) as usize) % size;
                text.lines += lines(passed, size, letter);
            }
        }
        hits
    }
}

impl Decoded {
    fn look(&mut self, bytes: &[u8], ended: bool, detector: &Detector, path: &str, hits: &mut Vec<Hit>) {
        self.open.extend_from_slice(bytes);
        let mut whole = self.open.len() / self.size * self.size;
        // A character in two units may have only its first one here.
        let unit = if self.is_little { u16::from_le_bytes } else { u16::from_be_bytes };
        let is_first = |last: &[u8; 2]| matches!(unit(*last), 0xd800..=0xdbff);
        if !ended && self.size == 2 && self.open[..whole].last_chunk().is_some_and(is_first) {
            whole -= 2;
        }
        let wide = Wide { start: 0, is_little: self.is_little, size: self.size };
        let decoded = wide.decode(&self.open[..whole]);
        self.open.drain(..whole);
        let size = self.size;
        let of_wide = |hit: Hit| hit.of_wide(size);
        let mut rest = &decoded[..];
        while !self.pass.fill_from(&mut rest) {
            hits.extend(self.pass.look(detector, path, false).into_iter().map(of_wide));
        }
        if ended {
            hits.extend(self.pass.look(detector, path, true).into_iter().map(of_wide));
        }
    }
}

/// What all of a stream is by its beginning: it has a mark, or nearly all bytes but one of each unit are zero.
fn whole(bytes: &[u8]) -> Option<Wide> {
    let head = &bytes[..bytes.len().min(HEAD)];
    Wide::marked(bytes).or_else(|| {
        let sizes = [2, 4].into_iter();
        let mut ways =
            sizes.flat_map(|size| [true, false].map(|is_little| Wide { start: 0, is_little, size }));
        ways.find(|wide| {
            let letter = if wide.is_little { 0 } else { wide.size - 1 };
            let is_letter =
                |unit: &[u8]| unit.iter().enumerate().all(|(place, &byte)| (byte != 0) == (place == letter));
            let letters = head.chunks_exact(wide.size).filter(|unit| is_letter(unit)).count();
            head.len() >= HEAD / 2 && letters * wide.size * 10 >= head.len() * 9
        })
    })
}

/// How many line ends there are in units of so many bytes, whose letters' bytes stand at one place of each unit.
fn lines(bytes: &[u8], size: usize, letter: usize) -> u64 {
    let is_zero = |at: Option<usize>| at.and_then(|at| bytes.get(at)) == Some(&0);
    let is_unit =
        |at: usize| (1..size).all(|n| is_zero(at.checked_sub(n))) || (1..size).all(|n| is_zero(Some(at + n)));
    memchr::memchr_iter(b'\n', bytes).filter(|&at| at % size == letter && is_unit(at)).count() as u64
}
