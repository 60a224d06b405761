//! Reading the archives and packages of a release.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use flate2::read::GzDecoder;

/// What an archive holds: its bytes and mode, by name.
pub type Held = BTreeMap<String, (Vec<u8>, u32)>;

/// Of a `.tar.gz`.
pub fn untarred(bytes: &[u8]) -> Held {
    let mut archive = tar::Archive::new(GzDecoder::new(bytes));
    let read = |entry: std::io::Result<tar::Entry<'_, GzDecoder<&[u8]>>>| {
        let mut entry = entry.unwrap();
        let (name, mode) = (entry.path().unwrap().display().to_string(), entry.header().mode().unwrap());
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (name, (bytes, mode))
    };
    archive.entries().unwrap().map(read).collect()
}

/// Of a `.zip` or a wheel.
pub fn unzipped(bytes: &[u8]) -> Held {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let count = archive.len();
    let read = |number| {
        let mut entry = archive.by_index(number).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.name().unwrap().into_owned(), (bytes, entry.unix_mode().unwrap()))
    };
    (0..count).map(read).collect()
}

/// The members of a Debian package.
pub fn unpacked(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut members = BTreeMap::new();
    let mut rest = bytes.strip_prefix(b"!<arch>\n").unwrap();
    while !rest.is_empty() {
        let (head, after) = rest.split_at(60);
        let head = std::str::from_utf8(head).unwrap();
        assert!(head.ends_with("`\n"), "{head:?}");
        let size: usize = head[48..58].trim().parse().unwrap();
        members.insert(head[..16].trim().to_owned(), after[..size].to_vec());
        rest = &after[size + size % 2..];
    }
    members
}
