//! Gzip in base64: Helm's releases, instances' user data, Terraform's `base64gzip`.

use std::cell::Cell;
use std::io::Read;
use std::sync::LazyLock;

use data_encoding::BASE64_NOPAD;
use flate2::bufread::MultiGzDecoder;
use memchr::memmem;

use super::digits::{self, Alphabet, Digits, LONGEST_BREAK};
use crate::detect::runs::Span;

/// What base64 of gzip begins with: the three bytes that every gzip begins with are four digits.
static MAGIC: LazyLock<memmem::Finder> = LazyLock::new(|| memmem::Finder::new("H4sI"));

/// A shorter one holds no credential, in digits.
const SHORTEST: usize = 64;

/// Whether gzip in base64 may begin in a text.
#[must_use]
pub fn may_hold_gzip(text: &[u8]) -> bool {
    MAGIC.find(text).is_some()
}

/// No more digits are held of one that goes on from window to window, in bytes.
const MOST_HELD: usize = 16 << 20;

/// One of more digits is reported, in a window, where it ends: each end stands in one window's own part. Windows overlap by as much.
const LONG: usize = 64 * 1024;

/// Gzip in base64 that was begun in an earlier window.
#[derive(Debug, Clone)]
pub struct OpenGzip {
    /// Its digits so far.
    digits: Vec<u8>,
    /// Where the next one stands.
    pub place: usize,
}

/// A text, or a window of one, that may hold gzip.
pub struct Gzips<'a> {
    /// The text.
    pub text: &'a [u8],
    /// What goes on from the window before.
    pub begun: Option<&'a OpenGzip>,
    /// Whether it is a window.
    pub is_window: bool,
    /// Where the next window begins.
    pub next: Option<usize>,
}

impl Gzips<'_> {
    /// Calls `found` with each gzip in base64: where it stands, and what it inflates to. `left`: how many bytes may still be
    /// inflated. Returns what goes on where the next window begins.
    pub fn each(&self, left: &Cell<usize>, mut found: impl FnMut(Span, Vec<u8>)) -> Option<OpenGzip> {
        let (mut to, mut open) = (0, None);
        if let Some(begun) = self.begun.filter(|begun| begun.place < self.text.len()) {
            let read = digits::read(self.text, begun.place, Alphabet::AnyBase64, false);
            to = read.end;
            open = self.one(&begun.digits, &read, left, &mut found);
        }
        for start in MAGIC.find_iter(self.text) {
            if start < to {
                continue;
            }
            let read = digits::read(self.text, start, Alphabet::AnyBase64, false);
            to = read.end;
            open = self.one(&[], &read, left, &mut found).or(open);
        }
        open
    }

    /// Inflates one, given the digits of it that stand before the window; returns it if it goes on in the next.
    fn one(
        &self,
        before: &[u8],
        read: &Digits,
        left: &Cell<usize>,
        found: &mut impl FnMut(Span, Vec<u8>),
    ) -> Option<OpenGzip> {
        let (start, end) = (read.place(0), read.end);
        let open = self.next.filter(|&next| start < next && next < end).map(|next| {
            let count = read.from(next);
            OpenGzip { digits: [before, &read.digits[..count]].concat(), place: read.place(count) }
        });
        let is_cut = self.next.is_some() && end + LONGEST_BREAK >= self.text.len();
        let held = before.len() + read.digits.len();
        if is_cut && held <= MOST_HELD {
            return open;
        }
        let is_long = !before.is_empty() || end - start > LONG;
        let span = if self.is_window && is_long { end - 1..end } else { start..end };
        if let Some(inflated) = inflated([before, &read.digits].concat(), left) {
            found(span, inflated);
        }
        open.filter(|_| held <= MOST_HELD)
    }
}

/// What digits inflate to, if they are gzip; as far as it goes, where it is damaged or cut off.
fn inflated(mut digits: Vec<u8>, left: &Cell<usize>) -> Option<Vec<u8>> {
    if digits.len() < SHORTEST {
        return None;
    }
    for digit in &mut digits {
        *digit = match *digit {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        };
    }
    let length = digits.len() / 4 * 4;
    // Bits that are left over at the end are no reason to drop the rest.
    let bytes = BASE64_NOPAD.decode(&digits).or_else(|_| BASE64_NOPAD.decode(&digits[..length])).ok()?;
    let mut inflated = Vec::new();
    let _ = MultiGzDecoder::new(&bytes[..]).take(left.get() as u64).read_to_end(&mut inflated);
    left.set(left.get() - inflated.len());
    (!inflated.is_empty()).then_some(inflated)
}
