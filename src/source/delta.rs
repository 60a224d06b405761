//! What a pack's delta takes from its base and what it adds. The version that it makes can be read in parts, without being
//! put together.

use std::ops::Range;

/// A longer object is not held in memory, in bytes.
pub const LONGEST: u64 = 1 << 30;

/// A version of an object, as its delta makes it.
#[derive(Debug)]
pub struct Delta<'a> {
    base: &'a [u8],
    delta: &'a [u8],
    pieces: &'a [Piece],
}

/// A stretch of a version.
#[derive(Debug, Clone, Copy)]
pub struct Piece {
    /// Where it begins in the version.
    start: usize,
    /// Where it begins in the base, or in the delta.
    from: usize,
    length: usize,
    is_copy: bool,
}

/// A delta that does not fit its base, or not itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Damaged;

impl<'a> Delta<'a> {
    /// Reads a delta. `pieces` is where its pieces are kept.
    pub fn of(base: &'a [u8], delta: &'a [u8], pieces: &'a mut Vec<Piece>) -> Result<Self, Damaged> {
        pieces.clear();
        let mut at = 0;
        let (base_length, length) = (size(delta, &mut at)?, size(delta, &mut at)?);
        if base_length != base.len() {
            return Err(Damaged);
        }
        let mut start = 0;
        while let Some(&command) = delta.get(at) {
            at += 1;
            let is_copy = command & 0x80 != 0;
            let (from, count) = if is_copy { copied(command, delta, &mut at)? } else { (at, command.into()) };
            let source = if is_copy { base } else { delta };
            if count == 0 || from + count > source.len() || length - start < count {
                return Err(Damaged);
            }
            if !is_copy {
                at += count;
            }
            match pieces.last_mut() {
                // git copies no more than 64 KiB by one command: what goes on is one piece.
                Some(last) if is_copy && last.is_copy && last.from + last.length == from => {
                    last.length += count;
                }
                _ => pieces.push(Piece { start, from, length: count, is_copy }),
            }
            start += count;
        }
        if start == length { Ok(Self { base, delta, pieces }) } else { Err(Damaged) }
    }

    /// The version's length, in bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.pieces.last().map_or(0, |piece| piece.start + piece.length)
    }

    /// Appends a part of the version.
    pub fn read(&self, part: Range<usize>, out: &mut Vec<u8>) {
        let first = self.pieces.partition_point(|piece| piece.start + piece.length <= part.start);
        for piece in &self.pieces[first..] {
            let start = piece.start.max(part.start);
            let end = (piece.start + piece.length).min(part.end);
            if start >= end {
                break;
            }
            let from = piece.from + (start - piece.start);
            let source = if piece.is_copy { self.base } else { self.delta };
            out.extend_from_slice(&source[from..from + (end - start)]);
        }
    }

    /// The whole version, if it is not too long to be held.
    #[must_use]
    pub fn whole(&self) -> Option<Vec<u8>> {
        if self.length() as u64 > LONGEST {
            return None;
        }
        let mut data = Vec::with_capacity(self.length());
        self.read(0..self.length(), &mut data);
        Some(data)
    }

    /// Whether the version begins with as many bytes of its base as are asked for.
    #[must_use]
    pub fn keeps_head(&self, length: usize) -> bool {
        self.pieces.first().is_some_and(|piece| piece.is_copy && piece.from == 0 && piece.length >= length)
    }

    /// Of a version that is a list of records: the records that its base does not hold as they are, and where all of them end.
    /// `ends` are those of the base, and `end` tells where the record ends that begins at a place. What is copied is passed over
    /// record by record by the ends that are known, and not read.
    pub fn new_records(
        &self,
        ends: &[u32],
        mut end: impl FnMut(usize) -> Option<usize>,
    ) -> (Vec<Range<usize>>, Vec<u32>) {
        let (mut new, mut found) = (Vec::new(), Vec::with_capacity(ends.len() + 1));
        let mut at = 0;
        for piece in self.pieces {
            let stop = piece.start + piece.length;
            while at < stop {
                if piece.is_copy && at >= piece.start {
                    let here = at - piece.start + piece.from;
                    // A record begins here if one begins, or ends, at the same place in the base.
                    let first = ends.partition_point(|&end| (end as usize) <= here);
                    let is_edge = here == 0 || first > 0 && ends[first - 1] as usize == here;
                    let last = ends.partition_point(|&end| end as usize <= piece.from + piece.length);
                    if is_edge && last > first {
                        let moved = |&end: &u32| (end as usize - piece.from + piece.start) as u32;
                        found.extend(ends[first..last].iter().map(moved));
                        at = found.last().map_or(at, |&end| end as usize);
                        continue;
                    }
                }
                let Some(next) = end(at) else { return (new, found) };
                new.push(at..next);
                found.push(next as u32);
                at = next;
            }
        }
        (new, found)
    }

    /// Calls `new` with each part of the version that its base does not hold in one stretch: what is added and what moved
    /// together, with `reach` bytes on both sides. Those that overlap are one. Ends when `new` says so; says whether it did.
    pub fn any_new(&self, reach: usize, mut new: impl FnMut(Range<usize>) -> bool) -> bool {
        let length = self.length();
        let mut open: Option<Range<usize>> = None;
        let mut add = |start: usize, end: usize| {
            let part = start.saturating_sub(reach)..(end + reach).min(length);
            match &mut open {
                Some(open) if part.start <= open.end => {
                    open.end = part.end;
                    false
                }
                _ => open.replace(part).is_some_and(&mut new),
            }
        };
        // Where the base goes on and the version does not, its edge is new.
        let is_cut = |piece: Option<&Piece>, edge: usize, at: fn(&Piece) -> usize| {
            piece.is_none_or(|piece| !piece.is_copy || at(piece) != edge)
        };
        let (first, last) = (self.pieces.first(), self.pieces.last());
        let found = (is_cut(first, 0, |piece| piece.from) && add(0, 0))
            || self.pieces.iter().any(|piece| match piece.start {
                0 if piece.is_copy => false,
                start if piece.is_copy => add(start, start),
                start => add(start, start + piece.length),
            })
            || (is_cut(last, self.base.len(), |piece| piece.from + piece.length) && add(length, length));
        found || open.is_some_and(new)
    }
}

/// A length at the start of a delta.
fn size(delta: &[u8], at: &mut usize) -> Result<usize, Damaged> {
    let mut size = 0_usize;
    for shift in (0..usize::BITS).step_by(7) {
        let byte = *delta.get(*at).ok_or(Damaged)?;
        *at += 1;
        let part = usize::from(byte & 0x7f);
        if part << shift >> shift != part {
            return Err(Damaged);
        }
        size |= part << shift;
        if byte & 0x80 == 0 {
            return Ok(size);
        }
    }
    Err(Damaged)
}

/// Where a copy begins and how long it is: four and three bytes, of which those that are zero are left out.
fn copied(command: u8, delta: &[u8], at: &mut usize) -> Result<(usize, usize), Damaged> {
    let mut fields = [0; 8];
    let mut bits = command & 0x7f;
    while bits != 0 {
        fields[bits.trailing_zeros() as usize] = *delta.get(*at).ok_or(Damaged)?;
        *at += 1;
        bits &= bits - 1;
    }
    let fields = u64::from_le_bytes(fields);
    let (from, count) = (fields as u32 as usize, (fields >> 32) as usize);
    Ok((from, if count == 0 { 0x1_0000 } else { count }))
}
