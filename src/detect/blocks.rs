//! Blocks of 64 bytes, compared at once with whatever the processor has for that. Answers are numbers with a bit for each byte,
//! the first byte's lowest.

use std::sync::LazyLock;

use fearless_simd::{Level, Simd, prelude::*, u8x64};

/// Bytes that are looked at together: as many as a number has bits.
pub const BLOCK: usize = u64::BITS as usize;

/// What this processor compares bytes with: asked once, since asking takes longer than many a text.
pub static LEVEL: LazyLock<Level> = LazyLock::new(Level::new);

/// Calls `look` with each block of a text and where it begins, in order. The last one is filled up with zeros, and there is
/// always one that ends with them.
///
/// What is not inlined is not compiled for the processor's own instructions: hence `always`, also for what calls this.
#[inline(always)]
#[allow(clippy::inline_always)]
pub fn each<S: Simd>(simd: S, hay: &[u8], mut look: impl FnMut(usize, u8x64<S>)) {
    let (blocks, rest) = hay.as_chunks::<BLOCK>();
    let mut at = 0;
    for block in blocks {
        look(at, u8x64::from_slice(simd, block));
        at += BLOCK;
    }
    let mut last = [0; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    look(at, u8x64::from_slice(simd, &last));
}
