//! Readers that end where a bomb would not.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use super::MOST_WINDOW;
use super::memory::Taken;

/// A reader that draws on what is left for the whole archive.
pub struct Metered<R> {
    /// What is read.
    pub inner: R,
    /// What is left, in bytes.
    pub left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let left = self.left.get().checked_sub(count as u64);
        self.left.set(left.unwrap_or(0));
        if left.is_none() {
            return Err(io::Error::other("it unpacks to far more than its size: not read to its end"));
        }
        Ok(count)
    }
}

/// How much a decoder holds of what it decoded, in bytes at most.
pub type Window = Rc<Cell<u64>>;

/// A decoder whose window grows with what it decodes.
pub struct Windowed<R> {
    inner: R,
    taken: Taken,
    window: Window,
    decoded: u64,
}

impl<R: Read> Windowed<R> {
    /// A decoder that has decoded nothing yet.
    pub fn new(inner: R, taken: Taken, window: Window) -> Self {
        Self { inner, taken, window, decoded: 0 }
    }
}

impl<R: Read> Read for Windowed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.decoded += count as u64;
        self.taken.grow_to(self.decoded.min(self.window.get()))?;
        Ok(count)
    }
}

/// A source of lzip's members whose dictionaries may take no more than is held: each says so in its head.
pub struct Lzips<R> {
    source: R,
    last: [u8; 5],
    window: Window,
}

impl<R> Lzips<R> {
    /// A source.
    pub fn new(source: R, window: Window) -> Self {
        Self { source, last: [0; 5], window }
    }
}

impl<R: Read> Read for Lzips<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        for &byte in &buffer[..count] {
            let log = byte & 0x1f;
            if self.last == *b"LZIP\x01" && log < 30 {
                let most = u64::from(MOST_WINDOW) << 10;
                if 1_u64 << log > most {
                    return Err(io::Error::other(format!("a dictionary above {} MB", most >> 20)));
                }
                self.window.set(self.window.get().max(1 << log));
            }
            self.last.rotate_left(1);
            self.last[4] = byte;
        }
        Ok(count)
    }
}
