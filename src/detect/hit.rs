//! A value that was judged to be a credential, with what pairing needs to know of its place.

use super::runs::Span;
use crate::model::{Allowed, Confidence, Encoding, Kind, Region, Secret};
use crate::rules::Observation;

/// A judged value, at a place in bytes of the text.
#[derive(Debug, Clone)]
pub struct Hit {
    /// What it is.
    pub kind: Kind,
    /// Its value.
    pub value: Secret,
    /// Where it stands, in bytes of the source.
    pub span: Span,
    /// 0-based line, and 0-based byte columns.
    pub line: u64,
    /// First byte.
    pub column: u64,
    /// After the last byte.
    pub end_column: u64,
    /// How it is written there.
    pub encoding: Encoding,
    /// How sure we are.
    pub confidence: Confidence,
    /// Why, in words.
    pub evidence: Vec<String>,
    /// What was observed of a token or secret: its log-odds are the sum of their weights.
    pub observed: Vec<Observation>,
    /// What pairing needs.
    pub place: Place,
    /// When it stops working, in seconds since 1970; Access Tokens only.
    pub expires: Option<i64>,
    /// Whether a comment on its line or the line above allows it.
    pub allowed: Option<Allowed>,
    /// Regions that the text around it names, nearest first.
    pub regions: Vec<Region>,
    /// The account and the key that a value names itself; Access Tokens only.
    pub names: Option<(Option<String>, String)>,
}

/// Where a value stands among others.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The words of its name that tell it from its siblings.
    pub stem: Vec<String>,
    /// The identifier that it is assigned to, unless that is too common to be looked for elsewhere.
    pub variable: Option<String>,
    /// The enclosing sections, innermost first, by the byte where they begin.
    pub levels: Vec<usize>,
    /// The call or list that it stands in, by the byte where it begins, and its position there.
    pub list: Option<(usize, usize)>,
    /// The value right before it, by the byte where that begins.
    pub after: Option<usize>,
    /// The calls in which its variable is used: the byte where each begins, and the position.
    pub uses: Vec<(usize, usize)>,
    /// The SID whose variable stands right before its own in a call, by the byte where that SID begins.
    pub used_after: Option<usize>,
    /// It stands in a comment behind the value whose place it could take.
    pub is_alternate: bool,
    /// Of a SID: the variables and look-ups that are passed with it where its secret would stand.
    pub partners: Vec<String>,
    /// It counts only because of a SID nearby, so a better partner of that SID displaces it.
    pub leans_on_sid: bool,
    /// The log-odds that it is a credential, for choosing between two that lean on one SID.
    pub odds: f32,
}

impl Hit {
    /// The same, of a text that was decoded from UTF-16 or UTF-32, whose units have so many bytes.
    #[must_use]
    pub fn of_wide(mut self, size: usize) -> Self {
        if self.encoding == Encoding::Plain {
            self.encoding = if size == 2 { Encoding::Utf16 } else { Encoding::Utf32 };
        }
        self
    }
}

impl Place {
    /// Moves all places of a text that stands inside another at `outer` out of the way of the outer text's own.
    pub(super) fn nest(&mut self, outer: usize) {
        self.shift((outer + 1) << 32);
    }

    /// Moves all places by the same distance: from a window's own count to the whole text's.
    pub(crate) fn shift(&mut self, distance: usize) {
        let shift = |at: &mut usize| *at = at.wrapping_add(distance);
        self.levels.iter_mut().for_each(shift);
        self.uses.iter_mut().for_each(|(list, _)| shift(list));
        [&mut self.after, &mut self.used_after].into_iter().flatten().for_each(shift);
        if let Some((list, _)) = &mut self.list {
            shift(list);
        }
    }
}
