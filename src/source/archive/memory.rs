//! What the readers of one archive hold in memory: all that stands in one another at the same time, and no more than is bounded
//! for the whole process.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::rc::Rc;

use super::super::budget::{Budget, MOST_OF_ARCHIVE, Share};

/// An archive whose readers hold more than this, in bytes, waits until no other one does.
const SMALL: u64 = 16 << 20;

/// The memory of the readers of one outermost archive.
#[derive(Default)]
pub struct Memory {
    taken: Cell<u64>,
    share: RefCell<Option<Share<'static>>>,
}

/// Memory that is taken until it is dropped.
pub struct Taken {
    memory: Rc<Memory>,
    size: u64,
}

/// Bytes in memory.
pub struct Held {
    /// The bytes.
    pub bytes: Vec<u8>,
    _taken: Taken,
}

impl Memory {
    /// So many bytes are about to be held.
    pub fn take(self: &Rc<Self>, size: u64) -> io::Result<Taken> {
        let mut taken = Taken { memory: Rc::clone(self), size: 0 };
        taken.grow(size)?;
        Ok(taken)
    }

    /// Reads a source to its end, or no further than `most` bytes.
    pub fn hold(self: &Rc<Self>, source: &mut dyn Read, most: u64) -> io::Result<Held> {
        let mut taken = self.take(0)?;
        let mut bytes = Vec::new();
        let mut part = vec![0; 32 << 10];
        let mut source = source.take(most);
        loop {
            let count = super::fill(&mut source, &mut part)?;
            taken.grow(count as u64)?;
            bytes.extend_from_slice(&part[..count]);
            if count < part.len() {
                return Ok(Held { bytes, _taken: taken });
            }
        }
    }
}

impl Taken {
    /// So many bytes more are about to be held.
    pub fn grow(&mut self, more: u64) -> io::Result<()> {
        let taken = self.memory.taken.get().saturating_add(more);
        if taken > MOST_OF_ARCHIVE {
            let most = MOST_OF_ARCHIVE >> 20;
            return Err(io::Error::other(format!("it takes more than {most} MB of memory to be unpacked")));
        }
        let mut share = self.memory.share.borrow_mut();
        if taken > SMALL && share.is_none() {
            *share = Budget::of_archives().share(MOST_OF_ARCHIVE);
        }
        self.memory.taken.set(taken);
        self.size += more;
        Ok(())
    }

    /// At least so many bytes are held.
    pub fn grow_to(&mut self, size: u64) -> io::Result<()> {
        self.grow(size.saturating_sub(self.size))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.memory.taken.set(self.memory.taken.get() - self.size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_together_is_bounded_and_given_back() {
        let memory = Rc::new(Memory::default());
        let first = memory.take(MOST_OF_ARCHIVE / 2).unwrap();
        let mut second = memory.take(MOST_OF_ARCHIVE / 2).unwrap();
        assert!(second.grow(1).is_err() && second.grow_to(MOST_OF_ARCHIVE / 2).is_ok());
        drop(first);
        assert!(second.grow(1).is_ok());
        let held = memory.hold(&mut io::repeat(7), 100_000).unwrap();
        assert_eq!(held.bytes, vec![7; 100_000]);
        drop((held, second));
        assert_eq!(memory.taken.get(), 0);
    }
}
