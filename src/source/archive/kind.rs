//! Which kind of archive something is, by its first bytes, or by its last ones.

use super::{HEAD, ar, bundle, compress, cpio, mail, patch, pdf, plist, png, sqlite, tarred};

/// A kind of archive, or of compressed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// zip, jar, whl, nupkg, docx …
    Zip,
    /// A zip behind something else: a program, a script, a signature.
    ZipBehind,
    /// 7z.
    SevenZip,
    /// tar: v7, ustar or GNU.
    Tar,
    /// ar: deb, static libraries.
    Ar,
    /// cpio.
    Cpio,
    /// RPM.
    Rpm,
    /// gzip.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// LZMA alone.
    Lzma,
    /// lzip.
    Lzip,
    /// Zstandard.
    Zstd,
    /// LZ4.
    Lz4,
    /// Snappy's frames.
    Snappy,
    /// compress, `.Z`.
    Compress,
    /// Brotli, which is known by its name alone.
    Brotli,
    /// A SQLite database.
    Sqlite,
    /// PDF, for its streams.
    Pdf,
    /// PNG, for its compressed texts.
    Png,
    /// A property list as Apple writes it in bytes.
    Plist,
    /// A mail or a mailbox, for its encoded parts.
    Mail,
    /// A patch that git wrote, for its binary files.
    Patch,
    /// A git bundle.
    Bundle,
    /// A git pack without a repository.
    Pack,
}

impl Kind {
    /// Whether it is text, which can be searched without being opened.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self, Self::Mail | Self::Patch)
    }

    /// Whether it is read from front to back.
    pub(super) fn is_stream(self) -> bool {
        matches!(self, Self::Tar | Self::Ar | Self::Cpio | Self::Rpm) || self.is_layer()
    }

    /// Whether it is one compressed stream.
    fn is_layer(self) -> bool {
        matches!(
            self,
            Self::Gzip
                | Self::Bzip2
                | Self::Xz
                | Self::Lzma
                | Self::Lzip
                | Self::Zstd
                | Self::Lz4
                | Self::Snappy
                | Self::Compress
                | Self::Brotli
        )
    }

    /// What it is called where it cannot be read.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Zip | Self::ZipBehind => "a zip",
            Self::SevenZip => "a 7z",
            Self::Tar => "a tar",
            Self::Ar => "an ar archive",
            Self::Cpio => "a cpio archive",
            Self::Rpm => "an RPM",
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Lzma => "LZMA",
            Self::Lzip => "lzip",
            Self::Zstd => "Zstandard",
            Self::Lz4 => "LZ4",
            Self::Snappy => "Snappy",
            Self::Compress => "a .Z file",
            Self::Brotli => "Brotli",
            Self::Sqlite => "a SQLite database",
            Self::Pdf => "a PDF",
            Self::Png => "a PNG",
            Self::Plist => "a binary property list",
            Self::Mail => "a mail",
            Self::Patch => "a patch",
            Self::Bundle => "a git bundle",
            Self::Pack => "a git pack",
        }
    }
}

/// What kind of archive begins like this.
#[must_use]
pub fn kind(head: &[u8]) -> Option<Kind> {
    // Whoever is asked for the head alone must say the same.
    let head = &head[..head.len().min(HEAD)];
    match head {
        [b'P', b'K', 3, 4, ..] => Some(Kind::Zip),
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Some(Kind::SevenZip),
        [0x1f, 0x8b, 8, flags, ..] if *flags < 0x20 => Some(Kind::Gzip),
        [0x1f, 0x9d, flags, ..] if compress::is_flags(*flags) => Some(Kind::Compress),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => Some(Kind::Bzip2),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Kind::Xz),
        [b'L', b'Z', b'I', b'P', 1, ..] => Some(Kind::Lzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Kind::Zstd),
        [0x04, 0x22, 0x4d, 0x18, ..] | [0x02, 0x21, 0x4c, 0x18, ..] => Some(Kind::Lz4),
        // A frame that is skipped may come first of Zstandard's and of LZ4's: the next one tells.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(behind_skipped(head)),
        [0xff, 6, 0, 0, b's', b'N', b'a', b'P', b'p', b'Y', ..] => Some(Kind::Snappy),
        [0xed, 0xab, 0xee, 0xdb, 3 | 4, ..] => Some(Kind::Rpm),
        [b'P', b'A', b'C', b'K', 0, 0, 0, 2 | 3, ..] => Some(Kind::Pack),
        [b'#', ..] if bundle::is_bundle(head) => Some(Kind::Bundle),
        [0x5d, 0, ..] if is_lzma(head) => Some(Kind::Lzma),
        _ => by_mark(head),
    }
}

/// The same where the name is known, which tells of some kinds.
#[must_use]
pub fn kind_of(head: &[u8], path: &str) -> Option<Kind> {
    kind(head).or_else(|| by_name(&head[..head.len().min(HEAD)], path))
}

fn by_mark(head: &[u8]) -> Option<Kind> {
    const MARKS: [(&[u8], Kind); 5] = [
        (ar::MAGIC, Kind::Ar),
        (sqlite::MAGIC, Kind::Sqlite),
        (pdf::MAGIC, Kind::Pdf),
        (png::MAGIC, Kind::Png),
        (plist::MAGIC, Kind::Plist),
    ];
    let marked = MARKS.into_iter().find(|(mark, _)| head.starts_with(mark));
    match marked {
        Some((_, kind)) => Some(kind),
        _ if cpio::is_cpio(head) => Some(Kind::Cpio),
        _ if tarred::is_tar(head) => Some(Kind::Tar),
        _ if patch::is_patch(head) => Some(Kind::Patch),
        _ if mail::is_mail(head) => Some(Kind::Mail),
        _ => None,
    }
}

/// Zstandard or LZ4, whose first frame is one that is skipped.
fn behind_skipped(head: &[u8]) -> Kind {
    let length = head.get(4..8).and_then(|length| length.try_into().ok()).map(u32::from_le_bytes);
    let next = length.and_then(|length| head.get(8 + length as usize..));
    if next.is_some_and(|next| next.starts_with(&[0x04, 0x22, 0x4d, 0x18])) { Kind::Lz4 } else { Kind::Zstd }
}

/// LZMA alone has no mark: its usual properties, a usual size of its dictionary, the size of the whole, and a zero.
fn is_lzma(head: &[u8]) -> bool {
    let Some(&[_, d0, d1, d2, d3, ref size @ .., 0]) = head.first_chunk::<14>() else { return false };
    let dictionary = u32::from_le_bytes([d0, d1, d2, d3]);
    let is_usual = dictionary.is_power_of_two() || dictionary % 3 == 0 && (dictionary / 3).is_power_of_two();
    is_usual && dictionary >= 1 << 12 && (*size == [0xff; 8] || size[5..] == [0; 3])
}

/// The kind that a name alone tells of, where the file begins like no text.
fn by_name(head: &[u8], path: &str) -> Option<Kind> {
    let is_control = |&byte: &u8| byte < 0x20 && !byte.is_ascii_whitespace();
    let is_text = || is_utf8(head) && !head.iter().any(is_control);
    (names_brotli(path) && !head.is_empty() && !is_text()).then_some(Kind::Brotli)
}

/// Whether a file of this name is compressed by Brotli.
#[must_use]
pub fn names_brotli(path: &str) -> bool {
    let ending = path.len().checked_sub(3).filter(|&at| at > 0).and_then(|at| path.as_bytes().get(at..));
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case(b".br"))
}

/// Whether a part that may be cut off in a character is UTF-8.
fn is_utf8(part: &[u8]) -> bool {
    std::str::from_utf8(part).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// Whether what begins like this is no text.
#[must_use]
pub fn is_binary(head: &[u8]) -> bool {
    !is_utf8(head) || memchr::memchr(0, head).is_some()
}

/// The mark of a zip's end, and how long that is without its comment.
const ZIP_END: (&[u8], usize) = (b"PK\x05\x06", 22);

/// What each entry of a zip's list begins with.
const ZIP_ENTRY: &[u8] = b"PK\x01\x02";

/// A zip's comment is no longer, in bytes.
const LONGEST_COMMENT: usize = 65_535;

/// So many last bytes of a file tell whether a zip ends with it.
pub const TAIL: usize = ZIP_END.1 + LONGEST_COMMENT;

/// Whether what begins like this may have a zip behind it: a program, a script, an extension of Chrome's, a Java module.
#[must_use]
pub fn may_stand_before_zip(head: &[u8]) -> bool {
    [&b"MZ"[..], b"\x7fELF", b"#!", b"Cr24", b"JM\x01\0"].iter().any(|mark| head.starts_with(mark))
}

/// Whether a part of a file may be the end of a zip that stands behind something else.
#[must_use]
pub fn may_end_zip(part: &[u8]) -> bool {
    memchr::memchr(0, part).is_some() && memchr::memmem::find(part, ZIP_END.0).is_some()
}

/// Whether a file ends with a zip, by its last bytes: at least [`TAIL`] of them, if it has so many. What does not look like a
/// program by its head is looked at for a zip without a comment only.
#[must_use]
pub fn ends_with_zip(head: &[u8], tail: &[u8]) -> bool {
    let (mark, length) = ZIP_END;
    let tail = &tail[tail.len().saturating_sub(TAIL)..];
    tail.len().checked_sub(length).is_some_and(|at| is_zip_end(tail, at))
        || (may_stand_before_zip(head)
            && memchr::memmem::find_iter(tail, mark).any(|at| is_zip_end(tail, at)))
}

/// Whether a zip's end stands at a place. Where more follows than its comment, as a signature does, the mark may stand there by
/// chance, as in a program that knows zips: then its numbers have to fit too.
fn is_zip_end(tail: &[u8], at: usize) -> bool {
    let (mark, length) = ZIP_END;
    let Some(end) = tail.get(at..at + length).filter(|end| end.starts_with(mark)) else { return false };
    let number = |at: usize| usize::from(u16::from_le_bytes([end[at], end[at + 1]]));
    let long = |at: usize| u32::from_le_bytes([end[at], end[at + 1], end[at + 2], end[at + 3]]) as usize;
    let (entries, list, comment) = (number(10), long(12), number(20));
    let (end_of_comment, is_zip64) = (at + length + comment, entries == 0xffff || list == 0xffff_ffff);
    if entries == 0 || end_of_comment > tail.len() {
        return false;
    }
    if end_of_comment == tail.len() {
        return true;
    }
    let has_list = || match at.checked_sub(list) {
        Some(list) => tail[list..].starts_with(ZIP_ENTRY),
        // It begins before the last bytes that are here.
        None => tail.len() == TAIL,
    };
    number(4) == number(6)
        && number(8) == entries
        && (is_zip64 || list >= entries * (ZIP_ENTRY.len() + 42) && has_list())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zip_is_known_by_its_end() {
        let end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0";
        let plain = [b"prefix", &end[..], b"\0\0"].concat();
        let commented = [b"prefix", &end[..], b"\x02\0hi"].concat();
        assert!(ends_with_zip(b"prefix", &plain) && ends_with_zip(b"MZ", &commented));
        assert!(!ends_with_zip(b"prefix", &commented) && !ends_with_zip(b"MZ", b"PK\x05\x06"));
        assert!(may_end_zip(&plain) && !may_end_zip(b"PK\x05\x06"));
    }

    #[test]
    fn a_program_that_knows_zips_does_not_end_with_one() {
        let knows = [
            &b"\x7fELF"[..],
            &[7; 3000],
            b"PK\x05\x06PK\x03\x04PK\x01\x02 and more words than a zip's end is long",
        ];
        assert!(!ends_with_zip(b"\x7fELF", &knows.concat()));
        // A zip that has a signature behind it is one.
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zip.start_file("a", zip::write::SimpleFileOptions::default()).unwrap();
        let zip = zip.finish().unwrap().into_inner();
        let signed = [&b"MZ"[..], &[7; 3000], &zip, &[9; 5000]].concat();
        assert!(ends_with_zip(b"MZ", &signed));
    }

    #[test]
    fn brotli_is_known_by_its_name_and_no_text_is() {
        assert_eq!(by_name(b"\x1b\x3c\x0e\0", "a/page.html.BR"), Some(Kind::Brotli));
        for (head, path) in [
            (&b"\x1b\x0e\0"[..], ".br"),
            (b"Ol\xc3\xa1, mundo\n", "readme.br"),
            (b"\x1b\0", "a.brr"),
            (b"", "a.br"),
        ] {
            assert_eq!(by_name(head, path), None, "{path}");
        }
    }

    #[test]
    fn lzma_has_a_usual_dictionary_and_a_zero() {
        let head = |dictionary: u32, size: [u8; 8], last: u8| {
            [&[0x5d][..], &dictionary.to_le_bytes(), &size, &[last]].concat()
        };
        for (dictionary, is) in [(1 << 23, true), (3 << 20, true), (5 << 20, false), (1 << 10, false)] {
            assert_eq!(kind(&head(dictionary, [0xff; 8], 0)) == Some(Kind::Lzma), is, "{dictionary}");
        }
        assert_eq!(kind(&head(1 << 23, [1, 2, 3, 4, 5, 0, 0, 0], 0)), Some(Kind::Lzma));
        assert_eq!(kind(&head(1 << 23, [1, 2, 3, 4, 5, 6, 7, 8], 0)), None);
        assert_eq!(kind(&head(1 << 23, [0xff; 8], 1)), None);
    }
}
