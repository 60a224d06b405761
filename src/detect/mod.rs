//! Bytes in, judged values out; no input or output of its own.
//!
//! A text is looked at as it stands ([`plain`]) and through the views that [`encoded`] opens: UTF-16 and UTF-32, escapes,
//! quoted-printable, literals cut in two, and texts in base64, hexadecimal and gzip inside it. [`pair`] then ties secrets to their SIDs.

mod allowance;
mod blocks;
mod candidate;
mod classify;
mod context;
mod encoded;
mod hashes;
mod heads;
mod hit;
mod lex;
mod lines;
mod name;
mod page;
pub mod pair;
mod placeholder;
mod plain;
mod region;
pub mod runs;
mod seam;
mod shaped;
pub mod sieve;

use std::cell::Cell;

pub use encoded::{Wide, wides};
pub use hit::{Hit, Place};
pub use lines::Lines;
pub use seam::Seam;

use allowance::Markers;
use encoded::{Gzips, Opened, View};
use heads::Heads;
use plain::Survey;
use runs::Span;
use seam::{OpenDigits, Part};

use crate::model::Encoding;
use crate::rules::Rules;

/// Windows of a large text overlap by this much on each side, in bytes, so that each value is judged with all
/// that can bear on it.
pub const OVERLAP: usize = plain::FAR;

/// Literals that are cut in two are written by hand, in files no larger than this, in bytes.
const LARGEST_SOURCE: usize = 512 * 1024;

/// How deep encoded texts in encoded texts are followed. A chart in a Helm release stands at the fourth level.
const MOST_NESTING: usize = 5;

/// What the encoded texts of one text, and those in them, may come to in all, in bytes.
const MOST_DECODED: usize = 16 << 20;

/// The same as a multiple of the text's own length, where that is more: each level of base64 is three quarters of the one
/// before it.
const DECODED_RATIO: usize = 8;

/// A value so far behind the beginning of its encoded text is reported at its own digits, in bytes. Windows of a large text
/// overlap by more.
const FAR_INSIDE: usize = 16 * 1024;

/// Finds credentials in texts.
#[derive(Debug, Clone)]
pub struct Detector {
    rules: Rules,
    thorough: bool,
    markers: Markers,
}

/// How deep a text stands in others, and how much may still be decoded.
#[derive(Clone, Copy)]
struct Nesting<'a> {
    depth: usize,
    left: &'a Cell<usize>,
}

/// The order in which a text is decoded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Mail,
    Diff,
    Escapes,
    Literals,
    Plain,
}

impl Detector {
    /// A detector with these rules.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { rules, thorough: false, markers: Markers::default() }
    }

    /// The same detector, which also tells of values that nothing but their shape speaks for, as [`Confidence::Doubtful`].
    ///
    /// [`Confidence::Doubtful`]: crate::model::Confidence::Doubtful
    #[must_use]
    pub fn thorough(self) -> Self {
        Self { thorough: true, ..self }
    }

    /// The same detector, which tells of no such values.
    #[must_use]
    pub fn quick(&self) -> Self {
        Self { thorough: false, ..self.clone() }
    }

    /// The same detector, for which these comments of other tools allow a value on their line.
    #[must_use]
    pub fn with_markers(self, markers: &[String]) -> Self {
        Self { markers: Markers(markers.into()), ..self }
    }

    /// Whether it tells of such values.
    #[must_use]
    pub fn is_thorough(&self) -> bool {
        self.thorough
    }

    /// The rules in force.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether a path is that of a program's source.
    #[must_use]
    pub fn is_source(&self, path: &str) -> bool {
        plain::is_source(&self.rules, path)
    }

    /// Whether a text names Twilio.
    #[must_use]
    pub fn speaks_of_twilio(&self, text: &[u8]) -> bool {
        plain::speaks(&self.rules, text)
    }

    /// Every value in a text that could be a credential, of any confidence, with its line and columns. `path` is
    /// evidence too: it is never opened.
    #[must_use]
    pub fn detect(&self, text: &[u8], path: &str) -> Vec<Hit> {
        let part = Part { text, before: &Seam::default(), next: None };
        let mut hits = self.part(part, path, None).0;
        for wide in encoded::wides(text) {
            let decoded = wide.decode(text);
            let part = Part { text: &decoded, ..part };
            hits.extend(self.part(part, path, None).0.into_iter().map(|hit| hit.of_wide(wide.size)));
        }
        hits
    }

    /// The same for a window of a larger text, whose lines are known to end with `end_of_line`, with what is known of the text
    /// before it; and what is known of it at `next`, where the next window begins. UTF-16 and UTF-32 have to be decoded before.
    #[must_use]
    pub fn detect_window(
        &self,
        text: &[u8],
        path: &str,
        end_of_line: u8,
        before: &Seam,
        next: Option<usize>,
    ) -> (Vec<Hit>, Seam) {
        let (hits, seam) = self.part(Part { text, before, next }, path, Some(end_of_line));
        (hits, seam.with_places(|place| place - next.unwrap_or(place)))
    }

    fn part(&self, part: Part, path: &str, end_of_line: Option<u8>) -> (Vec<Hit>, Seam) {
        let left = Cell::new(MOST_DECODED.max(part.text.len().saturating_mul(DECODED_RATIO)));
        let (mut hits, seam) = self.view(part, path, Stage::Mail, Nesting { depth: 0, left: &left });
        self.locate(&mut hits, part.text, end_of_line);
        region::mark(&mut hits, part.text);
        (hits, seam)
    }

    fn view(&self, part: Part, path: &str, stage: Stage, nesting: Nesting) -> (Vec<Hit>, Seam) {
        let Part { text, before, next } = part;
        let on = |view: Option<View>, stage_after: Stage| match view {
            None => self.view(part, path, stage_after, nesting),
            Some(view) => self.through(part, &view, path, stage, stage_after, nesting),
        };
        match stage {
            Stage::Mail => {
                let is_mail = if before.is_start() { encoded::is_mail(text) } else { before.is_mail };
                let is_encoded =
                    is_mail && (before.is_quoted_printable || encoded::is_quoted_printable(text));
                let (hits, seam) = on(is_encoded.then(|| encoded::quoted_printable(text)), Stage::Diff);
                (hits, Seam { is_mail, is_quoted_printable: is_encoded, ..seam })
            }
            Stage::Diff => {
                let is_diff = before.is_start() && encoded::is_diff(text);
                let mut hunk = before.hunk.or(is_diff.then_some(false));
                let view = hunk.as_mut().map(|in_hunk| encoded::unified(text, in_hunk, next));
                let (hits, seam) = on(view, Stage::Escapes);
                (hits, Seam { hunk, ..seam })
            }
            Stage::Escapes => on(encoded::escaped(text), Stage::Literals),
            Stage::Literals | Stage::Plain => self.plain(part, path, stage, nesting),
        }
    }

    /// Looks at a decoded view, and says where in the text its hits stand.
    fn through(
        &self,
        part: Part,
        view: &View,
        path: &str,
        stage: Stage,
        next: Stage,
        nesting: Nesting,
    ) -> (Vec<Hit>, Seam) {
        let before = part.before.clone().with_places(|place| view.place(place));
        let inner = Part { text: &view.text, before: &before, next: part.next.map(|next| view.place(next)) };
        let (mut hits, seam) = self.view(inner, path, next, nesting);
        for hit in &mut hits {
            let source = view.source(&hit.span);
            if source.len() != hit.span.len() && hit.encoding == Encoding::Plain {
                hit.encoding = match stage {
                    Stage::Mail => Encoding::QuotedPrintable,
                    Stage::Escapes if part.text[source.start] == b'%' => Encoding::Percent,
                    Stage::Escapes => Encoding::Escaped,
                    Stage::Diff | Stage::Literals | Stage::Plain => Encoding::Split,
                };
            }
            hit.span = source;
        }
        (hits, seam.with_places(|place| view.place_in_source(place)))
    }

    fn plain(&self, part: Part, path: &str, stage: Stage, nesting: Nesting) -> (Vec<Hit>, Seam) {
        let Part { text, before, next } = part;
        let heads = Heads::of(text, &before.heads);
        let mut survey = Survey::of(&self.rules, part, &heads, path, self.thorough);
        // Of a pair whose one half is cut in two, the other half or the account is nearly always whole: that is what
        // makes the costlier look worth while.
        if stage == Stage::Literals
            && part.is_whole()
            && text.len() <= LARGEST_SOURCE
            && survey.is_quoted(text)
            && let Some(view) = encoded::joined(text)
        {
            return self.through(part, &view, path, stage, Stage::Plain, nesting);
        }
        let inner = std::mem::take(&mut survey.inner);
        let mut hits = survey.judge(&self.rules, text, &heads, path);
        let (mut digits, mut gzip) = (None, None);
        if nesting.depth < MOST_NESTING {
            for opened in inner {
                let open = self.opened(part, &opened, path, nesting, &mut hits);
                digits = digits.or(open);
            }
            let (begun, is_window) = (before.gzip.as_ref(), !part.is_whole());
            gzip = Gzips { text, begun, is_window, next }.each(nesting.left, |span, inflated| {
                let part = Part { text: &inflated, before: &Seam::default(), next: None };
                let (inner, _) = self.view(part, path, Stage::Mail, nesting.deeper());
                hits.extend(
                    inner
                        .into_iter()
                        .map(|hit| self.nested(hit, text, &span, span.clone(), Encoding::Base64)),
                );
            });
        }
        let Some(next) = next else { return (hits, Seam::default()) };
        let (heads, digits) = (heads.before(next), digits.map(Box::new));
        (hits, Seam { heads, digits, gzip, ..Seam::default() })
    }

    /// Looks at a text that was decoded from another; says how it goes on where the next window begins.
    fn opened(
        &self,
        part: Part,
        opened: &Opened,
        path: &str,
        nesting: Nesting,
        hits: &mut Vec<Hit>,
    ) -> Option<OpenDigits> {
        let text = part.text;
        nesting.left.set(nesting.left.get().checked_sub(opened.text.len())?);
        let beginning = Seam::default();
        let begun = part.before.digits.as_ref().filter(|_| opened.is_begun);
        let cut = part.next.and_then(|next| opened.group_from(next));
        let inside = Part {
            text: &opened.text,
            before: begun.map_or(&beginning, |digits| &digits.inside),
            next: cut.map(|(_, byte)| byte),
        };
        let (inner, seam) = self.view(inside, path, Stage::Mail, nesting.deeper());
        for hit in inner {
            // A text that may be several was looked at as one first.
            let is_known = |known: &Hit| {
                known.span.start < opened.span.end
                    && opened.span.start < known.span.end
                    && known.value == hit.value
            };
            if !(opened.is_part && hits.iter().any(is_known)) {
                let digits = opened.source(&hit.span);
                let is_far = digits.start - opened.span.start > FAR_INSIDE
                    || memchr::memchr(b'\n', &text[opened.span.start..digits.start]).is_some();
                let span = if is_far { digits } else { opened.span.clone() };
                hits.push(self.nested(hit, text, &opened.span, span, opened.encoding()));
            }
        }
        let (place, byte) = cut?;
        let inside = seam.with_places(|place| place - byte);
        Some(OpenDigits { place, alphabet: opened.alphabet(), inside })
    }

    /// A hit in a text that stands encoded in another, which is reported at a span of it.
    fn nested(&self, hit: Hit, text: &[u8], outer: &Span, span: Span, encoding: Encoding) -> Hit {
        let line = memchr::memrchr2(b'\n', b'\r', &text[..outer.start]).map_or(0, |end| end + 1);
        let mut hit = Hit { span, encoding, allowed: None, ..hit };
        self.markers.settle(&mut hit, text, line);
        hit.place.nest(outer.start);
        hit
    }

    /// Sets the line and columns of hits by their spans.
    fn locate(&self, hits: &mut [Hit], text: &[u8], end_of_line: Option<u8>) {
        if hits.is_empty() {
            return;
        }
        let lines = match end_of_line {
            Some(end) => Lines::of_kind(text, end),
            None => Lines::of(text),
        };
        for hit in hits {
            let (line, start) = lines.locate(hit.span.start);
            hit.line = line as u64;
            hit.column = (hit.span.start - start) as u64;
            // A value that goes on on another line ends, for a report, with its own first line.
            let (last_line, _) = lines.locate(hit.span.end - 1);
            let end = if last_line == line {
                hit.span.end
            } else {
                text[hit.span.start..]
                    .iter()
                    .position(|b| matches!(b, b'\n' | b'\r'))
                    .map_or(hit.span.end, |n| hit.span.start + n)
            };
            hit.end_column = (end - start) as u64;
            // What allows an encoded text stands where that begins.
            self.markers.settle(hit, text, start);
        }
    }
}

impl Nesting<'_> {
    fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}
