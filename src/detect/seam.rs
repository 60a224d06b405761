//! What a window of a large text has to know of the text before it. Most of what bears on a value stands near it; an encoding, a
//! statement or a table's head may have begun anywhere before.

use super::encoded::{Alphabet, OpenGzip};
use super::heads::Before;

/// What is known of the text before a window. Before the beginning of a text nothing is known.
#[derive(Debug, Clone, Default)]
pub struct Seam {
    /// The heads of tables that go on here.
    pub(super) heads: Before,
    /// Whether the text begins like a mail.
    pub(super) is_mail: bool,
    /// Whether that mail is, in part, written as quoted-printable.
    pub(super) is_quoted_printable: bool,
    /// Whether a diff stands in a hunk here; none if the text is no diff.
    pub(super) hunk: Option<bool>,
    /// The base64 or hexadecimal that goes on here.
    pub(super) digits: Option<Box<OpenDigits>>,
    /// The gzip in base64 that goes on here.
    pub(super) gzip: Option<OpenGzip>,
}

/// Base64 or hexadecimal of text that was begun in an earlier window.
#[derive(Debug, Clone)]
pub(super) struct OpenDigits {
    /// Where the first group of digits begins that belongs to the next window.
    pub(super) place: usize,
    pub(super) alphabet: Alphabet,
    /// What is known of the decoded text before that group.
    pub(super) inside: Seam,
}

impl Seam {
    /// Whether the text begins here.
    pub(super) fn is_start(&self) -> bool {
        self.heads.first_line.is_none()
    }

    /// The same, with its places counted otherwise.
    pub(super) fn with_places(mut self, place: impl Fn(usize) -> usize) -> Self {
        if let Some(digits) = &mut self.digits {
            digits.place = place(digits.place);
        }
        if let Some(gzip) = &mut self.gzip {
            gzip.place = place(gzip.place);
        }
        self
    }
}

/// A text, or a window of one.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) text: &'a [u8],
    /// What is known of the text before it.
    pub(super) before: &'a Seam,
    /// Where in it the next window begins, if there is one.
    pub(super) next: Option<usize>,
}

impl Part<'_> {
    /// Whether it is a text from its beginning to its end.
    pub(super) fn is_whole(self) -> bool {
        self.before.is_start() && self.next.is_none()
    }
}
