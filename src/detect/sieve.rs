//! Which bytes cannot hold anything: a cheap question that is asked of parts of a text. Everything that detection can begin
//! with leaves a trace that is no longer than [`REACH`] bytes, or [`FAR_REACH`] for a text in base64. So a text in whose
//! every stretch of that length nothing catches holds nothing, and of a text that was put together from stretches of a
//! clear one only the new bytes and the seams have to be asked about. That is how git stores versions.

use std::cell::Cell;

use super::{candidate, encoded, shaped};
use crate::rules::Rules;

/// No trace but that of a long base64 text is longer, in bytes.
pub const REACH: usize = encoded::LONGEST_ROW;

/// No trace at all is longer: base64 is judged by its first characters, and begins so far before its first run.
pub const FAR_REACH: usize = REACH + encoded::MOST_BEFORE_RUN;

/// Whether a row of base64's characters goes on beyond a part, so that it has to be seen with [`FAR_REACH`].
#[must_use]
pub fn goes_on(part: &[u8]) -> bool {
    let is_row = |edge: &[u8; REACH]| edge.iter().all(|&b| encoded::is_base64(b));
    part.first_chunk().is_some_and(is_row) || part.last_chunk().is_some_and(is_row)
}

/// Whether a part of a text holds the beginning of something. Of a part that was cut out of a longer run it may say so
/// without need; it never misses one that lies in the part with what belongs to it.
#[must_use]
pub fn catches(rules: &Rules, part: &[u8]) -> bool {
    let caught = Cell::new(false);
    let catch_if = |is: bool| caught.set(caught.get() || is);
    candidate::all(
        rules,
        part,
        || {
            catch_if(true);
            true
        },
        |_| catch_if(true),
        |run| catch_if(encoded::may_open(part, &run)),
        |run| catch_if(shaped::may_be_in(rules, part, &run) || encoded::is_short_line(part, &run)),
    );
    // What each kind of encoding cannot do without is looked for first.
    caught.get()
        || encoded::may_hold_gzip(part)
        || encoded::has_wide(part)
        || (memchr::memchr3(b'%', b'\\', b'&', part).is_some() && encoded::has_row(part, encoded::EVERY_ROW))
        || encoded::contains_ignore_case(part, encoded::MAIL)
}

/// Whether a text that begins like this is read otherwise than as plain text.
#[must_use]
pub fn catches_head(head: &[u8]) -> bool {
    head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff])
}
