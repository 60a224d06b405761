//! Readers that end where a bomb would not.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use super::MOST_WINDOW;

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

/// Zstandard's frames, one after another.
pub struct Frames<R: BufRead> {
    decoder: Option<ruzstd::decoding::StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>,
}

impl<R: BufRead> Frames<R> {
    /// Reads the first frame's head.
    pub fn new(source: R) -> io::Result<Self> {
        Ok(Self { decoder: Some(Self::frame(source)?) })
    }

    fn frame(source: R) -> io::Result<ruzstd::decoding::StreamingDecoder<R, ruzstd::decoding::FrameDecoder>> {
        let most = u64::from(MOST_WINDOW) << 10;
        ruzstd::decoding::StreamingDecoder::new_with_max_window_size(source, most).map_err(io::Error::other)
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(decoder) = &mut self.decoder else { return Ok(0) };
            let count = decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let Some(mut source) = self.decoder.take().map(ruzstd::decoding::StreamingDecoder::into_inner)
            else {
                return Ok(0);
            };
            if source.fill_buf()?.is_empty() {
                return Ok(0);
            }
            self.decoder = Some(Self::frame(source)?);
        }
    }
}
