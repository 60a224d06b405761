//! One entry of a pack as it stands there.

use gix::odb::pack::{Bundle, data};
use libdeflater::Decompressor;

use super::super::delta::LONGEST;

/// Deflate makes of one byte no more than this.
const MOST_RATIO: u64 = 1032;

/// The header of the entry at a place.
#[must_use]
pub fn header(bundle: &Bundle, offset: u64) -> Option<data::Entry> {
    data::Entry::from_bytes(from(bundle, offset)?, offset, bundle.index.object_hash()).ok()
}

/// Where the entry stands that a delta is made on; nothing if it is no delta, or its base is not in the pack.
#[must_use]
pub fn base(bundle: &Bundle, offset: u64, header: &data::entry::Header) -> Option<u64> {
    match *header {
        data::entry::Header::OfsDelta { base_distance } => offset.checked_sub(base_distance),
        data::entry::Header::RefDelta { base_id } => {
            bundle.index.lookup(base_id).map(|number| bundle.index.pack_offset_at_index(number))
        }
        _ => None,
    }
}

/// What a pack holds from a place on.
#[must_use]
pub fn from(bundle: &Bundle, offset: u64) -> Option<&[u8]> {
    bundle.pack.entry_slice(offset..(bundle.pack.pack_end() as u64).max(offset))
}

/// What bytes inflate to that begin with an entry's data, in a buffer, if it is of that size.
pub fn inflate<'b>(
    bytes: &[u8],
    size: u64,
    inflater: &mut Decompressor,
    buffer: &'b mut Vec<u8>,
) -> Option<&'b [u8]> {
    // What a header promises is believed as far as it can be true.
    if size > LONGEST.min(bytes.len() as u64 * MOST_RATIO) {
        return None;
    }
    let size = size as usize;
    if buffer.len() < size {
        buffer.resize(size, 0);
    }
    let data = &mut buffer[..size];
    let length = inflater.zlib_decompress(bytes, data).ok()?;
    (length == size).then_some(data)
}
