//! Gzip in base64: Helm's releases, instances' user data, Terraform's `base64gzip`.

use std::cell::Cell;
use std::io::Read;
use std::sync::LazyLock;

use data_encoding::BASE64_NOPAD;
use flate2::bufread::MultiGzDecoder;
use memchr::memmem;

use super::digits::{self, Alphabet};
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

/// Calls `found` with each gzip in base64: where it stands, and what it inflates to. `left`: how many bytes may still be
/// inflated.
pub fn gzipped(text: &[u8], left: &Cell<usize>, mut found: impl FnMut(Span, Vec<u8>)) {
    if !may_hold_gzip(text) {
        return;
    }
    let mut to = 0;
    for start in MAGIC.find_iter(text) {
        if start < to {
            continue;
        }
        let mut read = digits::read(text, start, Alphabet::AnyBase64, false);
        to = read.end;
        if read.digits.len() < SHORTEST {
            continue;
        }
        for digit in &mut read.digits {
            *digit = match *digit {
                b'-' => b'+',
                b'_' => b'/',
                other => other,
            };
        }
        let length = read.digits.len() / 4 * 4;
        // Bits that are left over at the end are no reason to drop the rest.
        let Ok(bytes) =
            BASE64_NOPAD.decode(&read.digits).or_else(|_| BASE64_NOPAD.decode(&read.digits[..length]))
        else {
            continue;
        };
        let mut inflated = Vec::new();
        // What is damaged or cut off is read as far as it goes.
        let _ = MultiGzDecoder::new(&bytes[..]).take(left.get() as u64).read_to_end(&mut inflated);
        left.set(left.get() - inflated.len());
        if !inflated.is_empty() {
            found(start..read.end, inflated);
        }
    }
}
