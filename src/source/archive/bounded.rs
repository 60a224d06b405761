//! Readers that end where a bomb would not.

use std::cell::Cell;
use std::io::{self, BufRead, Chain, Cursor, Read};
use std::rc::Rc;

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

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

/// A frame that holds no data of the stream: its marks, which differ in four bits.
const SKIPPED: std::ops::RangeInclusive<u32> = 0x184d_2a50..=0x184d_2a5f;

type Frame<R> = StreamingDecoder<Chain<Cursor<[u8; 4]>, R>, FrameDecoder>;

/// Zstandard's frames, one after another, without those that are to be skipped.
pub struct Frames<R: BufRead> {
    decoder: Option<Frame<R>>,
}

impl<R: BufRead> Frames<R> {
    /// Reads the first frame's head.
    pub fn new(source: R) -> io::Result<Self> {
        Ok(Self { decoder: Self::frame(source)? })
    }

    /// The next frame; none at the end.
    fn frame(mut source: R) -> io::Result<Option<Frame<R>>> {
        loop {
            if source.fill_buf()?.is_empty() {
                return Ok(None);
            }
            let mut mark = [0; 4];
            source.read_exact(&mut mark)?;
            if !SKIPPED.contains(&u32::from_le_bytes(mark)) {
                let most = u64::from(MOST_WINDOW) << 10;
                let whole = Cursor::new(mark).chain(source);
                let frame = StreamingDecoder::new_with_max_window_size(whole, most);
                return frame.map(Some).map_err(io::Error::other);
            }
            let mut length = [0; 4];
            source.read_exact(&mut length)?;
            let length = u64::from(u32::from_le_bytes(length));
            if io::copy(&mut source.by_ref().take(length), &mut io::sink())? < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
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
            if let Some(decoder) = self.decoder.take() {
                self.decoder = Self::frame(decoder.into_inner().into_inner().1)?;
            }
        }
    }
}

/// A source of LZ4's frames that remembers how it ended: the decoder itself takes a stream for whole that is cut off between two
/// blocks.
pub struct Ending<R> {
    source: R,
    last: [u8; 8],
    has_ended: bool,
}

impl<R: Read> Ending<R> {
    /// A source.
    pub fn of(source: R) -> Self {
        Self { source, last: [1; 8], has_ended: false }
    }

    /// Whether it ended with an empty block, which may have a sum behind it.
    fn is_whole(&self) -> bool {
        let [sum @ .., _, _, _, _] = self.last;
        !self.has_ended || sum == [0; 4] || self.last.ends_with(&[0; 4])
    }
}

impl<R: Read> Read for Ending<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.has_ended |= count == 0 && !buffer.is_empty();
        let kept = count.min(8);
        self.last.rotate_left(kept);
        self.last[8 - kept..].copy_from_slice(&buffer[count - kept..count]);
        Ok(count)
    }
}

/// LZ4's frames, one after another.
pub struct Lz4<R: Read> {
    frames: lz4_flex::frame::FrameDecoder<Ending<Chain<Cursor<[u8; 4]>, R>>>,
    /// In the format of the first versions the end of the file is the end.
    is_legacy: bool,
}

impl<R: Read> Lz4<R> {
    /// Reads the first frame's mark.
    pub fn new(mut source: R) -> io::Result<Self> {
        let mut mark = [0; 4];
        source.read_exact(&mut mark)?;
        let source = Ending::of(Cursor::new(mark).chain(source));
        let is_legacy = mark == [0x02, 0x21, 0x4c, 0x18];
        Ok(Self { frames: lz4_flex::frame::FrameDecoder::new(source), is_legacy })
    }

    /// Passes over a frame that holds no data of the stream.
    fn pass_over(&mut self, error: io::Error) -> io::Result<()> {
        let frame = error.get_ref().and_then(|error| error.downcast_ref());
        let Some(lz4_flex::frame::Error::SkippableFrame(length)) = frame else { return Err(error) };
        let length = u64::from(*length);
        let skipped = io::copy(&mut self.frames.get_mut().take(length), &mut io::sink())?;
        if skipped < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

impl<R: Read> Read for Lz4<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.frames.read(buffer) {
                Err(error) => self.pass_over(error)?,
                // Between two frames it reads nothing once.
                Ok(0) if !buffer.is_empty() => {
                    let source = self.frames.get_ref();
                    if source.has_ended {
                        let is_whole = self.is_legacy || source.is_whole();
                        return if is_whole { Ok(0) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
                    }
                }
                Ok(count) => return Ok(count),
            }
        }
    }
}

/// A source of lzip's members whose dictionaries may take no more than is held: each says so in its head.
pub struct Lzips<R> {
    source: R,
    last: [u8; 5],
}

impl<R> Lzips<R> {
    /// A source.
    pub fn new(source: R) -> Self {
        Self { source, last: [0; 5] }
    }
}

impl<R: Read> Read for Lzips<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        for &byte in &buffer[..count] {
            let log = byte & 0x1f;
            if self.last == *b"LZIP\x01" && log < 30 && 1_u64 << log > u64::from(MOST_WINDOW) << 10 {
                return Err(io::Error::other("a dictionary above 128 MB"));
            }
            self.last.rotate_left(1);
            self.last[4] = byte;
        }
        Ok(count)
    }
}
