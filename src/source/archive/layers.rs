//! Compressed streams: of a tar, or of one file.

use std::io::{self, BufReader, Read};
use std::rc::Rc;

use brotli_decompressor::Decompressor as Brotli;
use lzma_rust2::{LzipReader, LzmaReader, XzReader};
use snap::read::FrameDecoder as Snappy;

use super::bounded::{Lzips, Metered, Window, Windowed};
use super::compress::Compressed;
use super::frames::{Frames, Lz4};
use super::kind::{Kind, kind};
use super::{HEAD, MOST_WINDOW, Walk, fill, xz};

/// Brotli keeps no more than this of what it decoded, in bytes.
const BROTLI_WINDOW: u64 = 16 << 20;
/// Blocks of xz that come later may need so much, in KiB, even if the first one needs less.
const LEAST_XZ_WINDOW: u32 = 16 << 10;

impl Walk<'_> {
    /// Goes through a compressed stream.
    pub(super) fn compressed(&mut self, kind: Kind, source: &mut dyn Read, path: &str, depth: usize) {
        let window: Window = Rc::default();
        let stream: io::Result<Box<dyn Read + '_>> = match kind {
            Kind::Gzip => Ok(Box::new(flate2::read::MultiGzDecoder::new(source))),
            Kind::Bzip2 => Ok(Box::new(bzip2::read::MultiBzDecoder::new(source))),
            Kind::Snappy => Ok(Box::new(Snappy::new(source))),
            Kind::Lz4 => Lz4::new(source).map(|stream| Box::new(stream) as _),
            Kind::Compress => Compressed::new(source).map(|stream| Box::new(stream) as _),
            Kind::Lzip => Ok(Box::new(LzipReader::new(Lzips::new(source, Rc::clone(&window))))),
            Kind::Xz => xz_stream(source, &window),
            Kind::Lzma => lzma_stream(source, &window),
            Kind::Brotli => {
                window.set(BROTLI_WINDOW);
                Ok(Box::new(Brotli::new(source, 4096)))
            }
            _ => Frames::new(BufReader::new(source), Rc::clone(&window)).map(|stream| Box::new(stream) as _),
        };
        let windowed = stream.and_then(|stream| Ok(Windowed::new(stream, self.memory.take(0)?, window)));
        match windowed {
            Ok(stream) => self.layer(kind, stream, path, depth),
            Err(error) => self.skip(path, format!("{} that cannot be read: {error}", kind.name())),
        }
    }

    /// What one compressed stream holds: entries, or a file whose name is the outer one's without its ending.
    fn layer(&mut self, outer: Kind, inner: impl Read, path: &str, depth: usize) {
        let mut source = Metered { inner, left: Rc::clone(&self.left) };
        let mut head = [0; HEAD];
        let filled = match fill(&mut source, &mut head) {
            Ok(filled) => filled,
            Err(error) => {
                return self.skip(path, format!("{} that cannot be read: {error}", outer.name()));
            }
        };
        let mut whole = (&head[..filled]).chain(source);
        if let Some(kind @ (Kind::Tar | Kind::Cpio)) = kind(&head[..filled]) {
            return self.stream(kind, &mut whole, path, depth);
        }
        let name = path.rsplit(['/', '!']).next().unwrap_or(path);
        let inner = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        self.entry(&mut whole, &format!("{path}!/{inner}"), depth);
    }
}

/// A stream of xz, which may hold no more than its first block says that it does.
fn xz_stream<'s>(mut source: &'s mut dyn Read, window: &Window) -> io::Result<Box<dyn Read + 's>> {
    let mut head = [0; xz::HEAD];
    let filled = fill(&mut source, &mut head)?;
    let most = u64::from(MOST_WINDOW) << 10;
    let dictionary = xz::dictionary(&head[..filled]).unwrap_or(most);
    window.set(dictionary.min(most));
    // What the decoder needs beside the dictionary is less than a mebibyte.
    let limit = (dictionary >> 10).saturating_add(1 << 10).min(u64::from(MOST_WINDOW)) as u32;
    let whole = io::Cursor::new(head).take(filled as u64).chain(source);
    Ok(Box::new(XzReader::new_mem_limit(whole, true, limit.max(LEAST_XZ_WINDOW))))
}

/// A stream of LZMA alone, whose head says how large its dictionary is.
fn lzma_stream<'s>(source: &'s mut dyn Read, window: &Window) -> io::Result<Box<dyn Read + 's>> {
    let mut head = [0; 5];
    source.read_exact(&mut head)?;
    window.set(u64::from(u32::from_le_bytes([head[1], head[2], head[3], head[4]])));
    let whole = io::Cursor::new(head).chain(source);
    Ok(Box::new(LzmaReader::new_mem_limit(whole, MOST_WINDOW, None)?))
}
