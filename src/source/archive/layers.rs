//! Compressed streams: of a tar, or of one file.

use std::io::{self, BufReader, Read};
use std::rc::Rc;

use lzma_rust2::{LzipReader, LzmaReader, XzReader};
use snap::read::FrameDecoder as Snappy;

use super::bounded::{Frames, Lz4, Lzips, Metered};
use super::compress::Compressed;
use super::kind::{Kind, kind};
use super::{HEAD, MOST_WINDOW, Walk, fill};

impl Walk<'_> {
    /// Goes through a compressed stream.
    pub(super) fn compressed(&mut self, kind: Kind, source: &mut dyn Read, path: &str, depth: usize) {
        match kind {
            Kind::Gzip => self.layer(flate2::read::MultiGzDecoder::new(source), path, depth),
            Kind::Bzip2 => self.layer(bzip2::read::MultiBzDecoder::new(source), path, depth),
            Kind::Xz => self.layer(XzReader::new_mem_limit(source, true, MOST_WINDOW), path, depth),
            Kind::Lzip => self.layer(LzipReader::new(Lzips::new(source)), path, depth),
            Kind::Snappy => self.layer(Snappy::new(source), path, depth),
            Kind::Lzma => {
                self.opened(kind, LzmaReader::new_mem_limit(source, MOST_WINDOW, None), path, depth);
            }
            Kind::Lz4 => self.opened(kind, Lz4::new(source), path, depth),
            Kind::Compress => self.opened(kind, Compressed::new(source), path, depth),
            _ => self.opened(kind, Frames::new(BufReader::new(source)), path, depth),
        }
    }

    fn opened(&mut self, kind: Kind, stream: io::Result<impl Read>, path: &str, depth: usize) {
        match stream {
            Ok(stream) => self.layer(stream, path, depth),
            Err(error) => self.skip(path, format!("{} that cannot be read: {error}", kind.name())),
        }
    }

    /// What one compressed stream holds: entries, or a file whose name is the outer one's without its ending.
    fn layer(&mut self, inner: impl Read, path: &str, depth: usize) {
        let mut source = Metered { inner, left: Rc::clone(&self.left) };
        let mut head = [0; HEAD];
        let filled = match fill(&mut source, &mut head) {
            Ok(filled) => filled,
            Err(error) => return self.skip(path, error),
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
