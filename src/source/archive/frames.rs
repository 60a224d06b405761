//! Streams of frames, one after another, some of which hold no data of the stream.

use std::io::{self, BufRead, Chain, Cursor, Read};

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::MOST_WINDOW;
use super::bounded::Window;

/// A frame that holds no data of the stream: its marks, which differ in four bits.
const SKIPPED: std::ops::RangeInclusive<u32> = 0x184d_2a50..=0x184d_2a5f;

type Frame<R> = StreamingDecoder<Chain<Cursor<Vec<u8>>, R>, FrameDecoder>;

/// Zstandard's frames, without those that are to be skipped.
pub struct Frames<R: BufRead> {
    decoder: Option<Frame<R>>,
    window: Window,
}

impl<R: BufRead> Frames<R> {
    /// Reads the first frame's head.
    pub fn new(source: R, window: Window) -> io::Result<Self> {
        Ok(Self { decoder: Self::frame(source, &window)?, window })
    }

    /// The next frame; none at the end.
    fn frame(mut source: R, window: &Window) -> io::Result<Option<Frame<R>>> {
        loop {
            if source.fill_buf()?.is_empty() {
                return Ok(None);
            }
            let mut mark = [0; 4];
            source.read_exact(&mut mark)?;
            if !SKIPPED.contains(&u32::from_le_bytes(mark)) {
                let head = Self::head(&mut source, mark)?;
                let most = u64::from(MOST_WINDOW) << 10;
                window.set(window_of(&head).unwrap_or(most).min(most).max(window.get()));
                let frame = StreamingDecoder::new_with_max_window_size(Cursor::new(head).chain(source), most);
                return frame.map(Some).map_err(io::Error::other);
            }
            let mut length = [0; 4];
            source.read_exact(&mut length)?;
            super::pass_over(&mut source.by_ref().take(u64::from(u32::from_le_bytes(length))))?;
        }
    }

    /// The head of a frame.
    fn head(source: &mut R, mark: [u8; 4]) -> io::Result<Vec<u8>> {
        let mut head = mark.to_vec();
        source.take(1).read_to_end(&mut head)?;
        let Some(&flags) = head.get(mark.len()) else { return Ok(head) };
        let (window, dictionary, size) = lengths(flags);
        source.take((window + dictionary + size) as u64).read_to_end(&mut head)?;
        Ok(head)
    }
}

/// How long the parts of a frame's head are: its window, the name of a dictionary, and the size of the content.
fn lengths(flags: u8) -> (usize, usize, usize) {
    let is_one_segment = flags & 0x20 != 0;
    let dictionary = [0, 1, 2, 4][usize::from(flags & 3)];
    let size = [usize::from(is_one_segment), 2, 4, 8][usize::from(flags >> 6)];
    (usize::from(!is_one_segment), dictionary, size)
}

/// The size of the window that a frame's head tells: its own, or that of the whole content.
/// <https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1>
fn window_of(head: &[u8]) -> Option<u64> {
    let (&flags, rest) = head.get(4..)?.split_first()?;
    if flags & 0x20 == 0 {
        let &window = rest.first()?;
        let base = 1_u64 << (10 + (window >> 3));
        return Some(base + base / 8 * u64::from(window & 7));
    }
    let (_, dictionary, length) = lengths(flags);
    let more = if length == 2 { 256 } else { 0 };
    let size = rest.get(dictionary..dictionary + length)?;
    let size = size.iter().rev().fold(0, |size, &byte| size << 8 | u64::from(byte));
    Some(size.saturating_add(more))
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
                let (_, source) = decoder.into_inner().into_inner();
                self.decoder = Self::frame(source, &self.window)?;
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
    fn of(source: R) -> Self {
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

/// LZ4's frames.
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
        super::pass_over(&mut self.frames.get_mut().take(length))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_tells_how_much_memory_it_needs() {
        let mark = *b"\x28\xb5\x2f\xfd";
        let head = |rest: &[u8]| [&mark[..], rest].concat();
        assert_eq!(window_of(&head(&[0, 0])), Some(1 << 10));
        assert_eq!(window_of(&head(&[0, 0x89])), Some((1 << 27) + (1 << 24)));
        assert_eq!(window_of(&head(&[0x20, 7])), Some(7));
        assert_eq!(window_of(&head(&[0x61, 9, 1, 0])), Some(257));
        assert_eq!(window_of(&head(&[0xa0, 0, 0, 1, 0])), Some(1 << 16));
        assert_eq!(window_of(&head(&[0xe0, 1])), None);
    }

    #[test]
    fn frames_that_are_shorter_than_a_head_come_one_after_another() {
        // Empty frames of nine bytes each, and one of three bytes.
        let empty = b"\x28\xb5\x2f\xfd\x00\x58\x01\x00\x00";
        let three = b"\x28\xb5\x2f\xfd\x20\x03\x19\x00\x00abc";
        let stream = [&empty[..], empty, three, empty, three].concat();
        let mut out = String::new();
        Frames::new(&stream[..], Window::default()).unwrap().read_to_string(&mut out).unwrap();
        assert_eq!(out, "abcabc");
    }
}
