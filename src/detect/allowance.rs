//! Comments that allow a value: our own, which need a reason, and those of other tools, where somebody asked for them.

use std::sync::Arc;

use super::hit::Hit;
use crate::model::{Allowed, AllowedBy};

/// Our own comment.
const MARK: &[u8] = b"sidsweep:allow";
/// A longer line is not searched for a comment, in bytes.
const LONGEST_LINE: usize = 4096;
/// What is said of our own comment where it has no reason.
const NO_REASON: &str = "`sidsweep:allow` has no reason here, so it does not count";

/// Comments of other tools that allow a value on their line. They carry no reason.
#[derive(Debug, Clone, Default)]
pub(super) struct Markers(pub Arc<[String]>);

impl Markers {
    /// Says of a value whose line begins at a byte whether a comment allows it.
    pub(super) fn settle(&self, hit: &mut Hit, text: &[u8], line_start: usize) {
        match self.find(text, line_start) {
            Comment::Allows(allowed) => hit.allowed = Some(allowed),
            Comment::HasNoReason if !hit.evidence.iter().any(|said| said == NO_REASON) => {
                hit.evidence.push(NO_REASON.to_owned());
            }
            Comment::HasNoReason => {}
            Comment::None => {}
        }
    }

    /// Looks for `sidsweep:allow REASON` on a line or the line above, then for another tool's comment on the line.
    fn find(&self, text: &[u8], line_start: usize) -> Comment {
        let (own, above) = lines(text, line_start);
        let ours = [(own, false), (above, true)].into_iter().find_map(|(line, is_above)| {
            let at = memchr::memmem::find(line, MARK)?;
            // A comment behind code speaks of that code, not of the next line.
            (!is_above || is_remark(&line[..at])).then(|| reason(&line[at + MARK.len()..]))
        });
        if let Some(Some(reason)) = ours {
            return Comment::Allows(Allowed { by: AllowedBy::Comment, reason });
        }
        let is_here = |marker: &&String| memchr::memmem::find(own, marker.as_bytes()).is_some();
        match (self.0.iter().find(is_here), ours) {
            (Some(marker), _) => {
                let reason = format!("{marker}: no reason given");
                Comment::Allows(Allowed { by: AllowedBy::Marker, reason })
            }
            (None, Some(_)) => Comment::HasNoReason,
            (None, None) => Comment::None,
        }
    }
}

/// What the comments around a value say.
enum Comment {
    Allows(Allowed),
    HasNoReason,
    None,
}

/// The line that begins at a byte, and the one above it.
fn lines(text: &[u8], line_start: usize) -> (&[u8], &[u8]) {
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
    (&text[line_start..own_end], above.get(above_start..).unwrap_or_default())
}

/// The reason behind our own comment, if there is one. In JSON it stands in a string of its own, with a comma behind it.
fn reason(after: &[u8]) -> Option<String> {
    let reason = String::from_utf8_lossy(after);
    let reason = reason
        .trim()
        .trim_end_matches("-->")
        .trim_end_matches("*/")
        .trim_matches([':', ' ', '"', '\'', ','])
        .trim()
        .to_owned();
    (reason.chars().filter(|c| c.is_alphanumeric()).count() >= 3).then_some(reason)
}

/// Whether what stands before a mark is the beginning of a comment and nothing else.
fn is_remark(before: &[u8]) -> bool {
    let before = before.trim_ascii();
    before.eq_ignore_ascii_case(b"rem") || before == b"dnl" || !before.iter().any(u8::is_ascii_alphanumeric)
}
