//! Bytes in, judged values out; no input or output of its own.
//!
//! A text is looked at as it stands ([`plain`]) and through the views that [`encoded`] opens: UTF-16, escapes,
//! quoted-printable, literals cut in two, and base64 texts inside it. [`pair`] then ties secrets to their SIDs.

mod blocks;
mod candidate;
mod classify;
mod context;
mod encoded;
mod hashes;
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
mod shaped;
pub mod sieve;

pub use hit::{Hit, Place};
pub use lines::Lines;

use encoded::View;
use plain::Survey;

use crate::model::Encoding;
use crate::rules::Rules;

/// Windows of a large text overlap by this much on each side, in bytes, so that each value is judged with all
/// that can bear on it.
pub const OVERLAP: usize = plain::FAR;

/// Literals that are cut in two are written by hand, in files no larger than this, in bytes.
const LARGEST_SOURCE: usize = 512 * 1024;

/// How deep base64 in base64 is followed.
const MOST_NESTING: usize = 3;

/// Finds credentials in texts.
#[derive(Debug, Clone)]
pub struct Detector {
    rules: Rules,
    thorough: bool,
}

/// The order in which a text is decoded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Mail,
    Escapes,
    Literals,
    Plain,
}

impl Detector {
    /// A detector with these rules.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { rules, thorough: false }
    }

    /// The same detector, which also tells of values that nothing but their shape speaks for, as [`Confidence::Doubtful`].
    ///
    /// [`Confidence::Doubtful`]: crate::model::Confidence::Doubtful
    #[must_use]
    pub fn thorough(self) -> Self {
        Self { thorough: true, ..self }
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

    /// Every value in a text that could be a credential, of any confidence, with its line and columns. `path` is
    /// evidence too: it is never opened.
    #[must_use]
    pub fn detect(&self, text: &[u8], path: &str) -> Vec<Hit> {
        self.detect_window(text, path, None)
    }

    /// The same for a window of a larger text whose lines are known to end with `end_of_line`.
    #[must_use]
    pub fn detect_window(&self, text: &[u8], path: &str, end_of_line: Option<u8>) -> Vec<Hit> {
        let mut hits = self.view(text, path, Stage::Mail, 0);
        locate(&mut hits, text, end_of_line);
        region::mark(&mut hits, text);
        if let Some(decoded) = encoded::utf16(text) {
            let mut inner = self.view(&decoded, path, Stage::Escapes, 0);
            for hit in &mut inner {
                if hit.encoding == Encoding::Plain {
                    hit.encoding = Encoding::Utf16;
                }
            }
            locate(&mut inner, &decoded, None);
            region::mark(&mut inner, &decoded);
            hits.extend(inner);
        }
        hits
    }

    fn view(&self, text: &[u8], path: &str, stage: Stage, depth: usize) -> Vec<Hit> {
        let (opened, next) = match stage {
            Stage::Mail => (encoded::quoted_printable(text), Stage::Escapes),
            Stage::Escapes => (encoded::escaped(text), Stage::Literals),
            Stage::Literals | Stage::Plain => return self.plain(text, path, stage, depth),
        };
        match opened {
            None => self.view(text, path, next, depth),
            Some(view) => self.through(text, &view, path, stage, next, depth),
        }
    }

    /// Looks at a decoded view, and says where in the text its hits stand.
    fn through(
        &self,
        text: &[u8],
        view: &View,
        path: &str,
        stage: Stage,
        next: Stage,
        depth: usize,
    ) -> Vec<Hit> {
        let mut hits = self.view(&view.text, path, next, depth);
        for hit in &mut hits {
            let source = view.source(&hit.span);
            if source.len() != hit.span.len() && hit.encoding == Encoding::Plain {
                hit.encoding = match stage {
                    Stage::Mail => Encoding::QuotedPrintable,
                    Stage::Escapes if text[source.start] == b'%' => Encoding::Percent,
                    Stage::Escapes => Encoding::Escaped,
                    Stage::Literals | Stage::Plain => Encoding::Split,
                };
            }
            hit.span = source;
        }
        hits
    }

    fn plain(&self, text: &[u8], path: &str, stage: Stage, depth: usize) -> Vec<Hit> {
        let mut survey = Survey::of(&self.rules, text, path, self.thorough);
        // Of a pair whose one half is cut in two, the other half or the account is nearly always whole: that is what
        // makes the costlier look worth while.
        if stage == Stage::Literals
            && text.len() <= LARGEST_SOURCE
            && survey.is_quoted(text)
            && let Some(view) = encoded::joined(text)
        {
            return self.through(text, &view, path, stage, Stage::Plain, depth);
        }
        let inner = std::mem::take(&mut survey.inner);
        let mut hits = survey.judge(&self.rules, text, path);
        if depth < MOST_NESTING {
            for (span, decoded) in inner {
                for mut hit in self.view(&decoded, path, Stage::Escapes, depth + 1) {
                    hit.place.nest(span.start);
                    hit.span = span.clone();
                    hit.encoding = Encoding::Base64;
                    hits.push(hit);
                }
            }
        }
        hits
    }
}

/// Sets the line and columns of hits by their spans.
fn locate(hits: &mut [Hit], text: &[u8], end_of_line: Option<u8>) {
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
        hit.allowed = allowance(text, start);
    }
}

/// What allows a value: `sidsweep:allow REASON` on its line or the line above. Without a reason it does not count.
fn allowance(text: &[u8], line_start: usize) -> Option<String> {
    const MARK: &[u8] = b"sidsweep:allow";
    /// A longer line is not searched for a remark.
    const LONGEST_LINE: usize = 4096;
    let is_end = |b: &u8| matches!(b, b'\n' | b'\r');
    let own_end = text[line_start..]
        .iter()
        .take(LONGEST_LINE)
        .position(is_end)
        .map_or(text.len().min(line_start + LONGEST_LINE), |n| line_start + n);
    let above = &text[..line_start];
    let above = above.strip_suffix(b"\n").unwrap_or(above);
    let above = above.strip_suffix(b"\r").unwrap_or(above);
    let above_start = above.iter().rev().take(LONGEST_LINE).position(is_end).map_or(0, |n| above.len() - n);
    let lines = [(&text[line_start..own_end], false), (above.get(above_start..).unwrap_or_default(), true)];
    lines.into_iter().find_map(|(line, is_above)| {
        let at = memchr::memmem::find(line, MARK)?;
        // A remark behind code speaks of that code, not of the next line.
        if is_above && !is_remark(&line[..at]) {
            return None;
        }
        let reason = String::from_utf8_lossy(&line[at + MARK.len()..]);
        let reason = reason
            .trim()
            .trim_end_matches("-->")
            .trim_end_matches("*/")
            .trim_matches([':', ' ', '"', '\''])
            .trim()
            .to_owned();
        (reason.chars().filter(|c| c.is_alphanumeric()).count() >= 3).then_some(reason)
    })
}

/// Whether what stands before a mark is the beginning of a remark and nothing else.
fn is_remark(before: &[u8]) -> bool {
    let before = before.trim_ascii();
    before.eq_ignore_ascii_case(b"rem") || before == b"dnl" || !before.iter().any(u8::is_ascii_alphanumeric)
}
