//! The entries of a tree as they are written, without a full reading.

use gix::objs::TreeRefIter;
use gix::objs::tree::EntryRef;
use gix::oid;

/// One entry as it is written in a tree: mode, name and id.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    /// All of it.
    pub bytes: &'a [u8],
    /// It is a folder.
    pub is_tree: bool,
    /// Of what it names.
    pub id: &'a oid,
}

impl<'a> Entry<'a> {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &'a [u8] {
        let name = &self.bytes[..self.bytes.len() - self.id.as_bytes().len() - 1];
        // A mode is five or six digits.
        let space = name.iter().position(|&byte| byte == b' ');
        space.map_or(name, |space| &name[space + 1..])
    }

    /// Whether it names a commit of another repository.
    #[must_use]
    pub fn is_submodule(&self) -> bool {
        self.bytes.starts_with(b"160000 ")
    }

    /// A full reading, by git's library; nothing if it is damaged.
    #[must_use]
    pub fn full(&self, hash: gix::hash::Kind) -> Option<EntryRef<'a>> {
        TreeRefIter::from_bytes(self.bytes, hash).next()?.ok()
    }
}

/// The first zero of a few bytes. A name is so short that this is there before a search for long texts has begun.
#[inline]
fn zero(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHEST: u64 = ONES << 7;
    let (eights, rest) = bytes.as_chunks::<8>();
    for (place, eight) in eights.iter().enumerate() {
        let eight = u64::from_le_bytes(*eight);
        // The lowest bit that is set is that of the first zero; above it a one that follows may look like another.
        let zeros = eight.wrapping_sub(ONES) & !eight & HIGHEST;
        if zeros != 0 {
            return Some(place * 8 + zeros.trailing_zeros() as usize / 8);
        }
    }
    Some(eights.len() * 8 + rest.iter().position(|&byte| byte == 0)?)
}

/// The entries of a tree. A full reading of their modes takes three times as long, and most are passed over. Ends where the
/// tree is damaged.
pub fn of(data: &[u8], hash: gix::hash::Kind) -> impl Iterator<Item = Entry<'_>> {
    let mut rest = data;
    std::iter::from_fn(move || {
        let name_end = zero(rest)?;
        let (bytes, after) = rest.split_at_checked(name_end + 1 + hash.len_in_bytes())?;
        rest = after;
        let is_tree = bytes.starts_with(b"40000 ") || bytes.starts_with(b"040000 ");
        Some(Entry { bytes, is_tree, id: oid::try_from_bytes(&bytes[name_end + 1..]).ok()? })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::zero;

    proptest! {
        #[test]
        fn the_first_zero_is_that_of_a_plain_search(bytes in prop::collection::vec(0..4_u8, 0..40)) {
            prop_assert_eq!(zero(&bytes), bytes.iter().position(|&byte| byte == 0));
        }
    }
}
