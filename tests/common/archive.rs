//! Archives, made in memory.

use std::collections::HashMap;
use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;

/// A zip of these files.
pub fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(*name, SimpleFileOptions::default()).expect("memory");
        archive.write_all(bytes).expect("memory");
    }
    archive.finish().expect("memory").into_inner()
}

/// Bytes, gzipped.
pub fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut stream = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    stream.write_all(bytes).expect("memory");
    stream.finish().expect("memory")
}

pub fn bzipped(bytes: &[u8]) -> Vec<u8> {
    let mut stream = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    stream.write_all(bytes).expect("memory");
    stream.finish().expect("memory")
}

pub fn xzipped(bytes: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut stream = lzma_rust2::XzWriter::new(Vec::new(), options).expect("memory");
    stream.write_all(bytes).expect("memory");
    stream.finish().expect("memory")
}

/// Brotli, each block of which holds its bytes as they are.
pub fn brotli(bytes: &[u8]) -> Vec<u8> {
    const LARGEST: usize = 1 << 16;
    // A window of 16 bits is one bit; then come a block that is not the last one, four digits of its length, and that it is
    // not compressed.
    let (mut out, mut first) = (Vec::new(), 1);
    for block in bytes.chunks(LARGEST) {
        let head = (block.len() as u32 - 1) << 3 | 1 << 19;
        let head = if first == 1 { head << 1 } else { head };
        out.extend(&head.to_le_bytes()[..3]);
        out.extend(block);
        first = 0;
    }
    // An empty last block.
    out.push(3);
    out
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// A frame of Zstandard or LZ4 that is to be skipped.
pub fn skipped(bytes: &[u8]) -> Vec<u8> {
    [b"\x53\x2a\x4d\x18", &(bytes.len() as u32).to_le_bytes()[..], bytes].concat()
}

pub fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut stream = lz4_flex::frame::FrameEncoder::new(Vec::new());
    stream.write_all(bytes).expect("memory");
    stream.finish().expect("memory")
}

pub fn snappy(bytes: &[u8]) -> Vec<u8> {
    let mut stream = snap::write::FrameEncoder::new(Vec::new());
    stream.write_all(bytes).expect("memory");
    stream.into_inner().expect("memory")
}

/// LZMA alone; `size` says how large the content is, or that an end mark follows it.
pub fn lzma(bytes: &[u8], size: Option<u64>) -> Vec<u8> {
    let options = lzma_rust2::LzmaOptions::with_preset(1);
    let mut stream = lzma_rust2::LzmaWriter::new_use_header(Vec::new(), &options, size).expect("memory");
    stream.write_all(bytes).expect("memory");
    stream.finish().expect("memory")
}

pub fn lzipped(bytes: &[u8]) -> Vec<u8> {
    let mut stream = lzma_rust2::LzipWriter::new(Vec::new(), lzma_rust2::LzipOptions::with_preset(1));
    stream.write_all(bytes).expect("memory");
    stream.finish().expect("memory")
}

pub fn seven_zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = sevenz_rust2::ArchiveWriter::new(Cursor::new(Vec::new())).expect("memory");
    for (name, bytes) in files {
        let entry = sevenz_rust2::ArchiveEntry::new_file(name);
        archive.push_archive_entry(entry, Some(*bytes)).expect("memory");
    }
    archive.finish().expect("memory").into_inner()
}

/// What `compress` writes, with codes of at most so many bits.
pub fn compressed(bytes: &[u8], most_width: u32) -> Vec<u8> {
    let mut table: HashMap<(u32, u8), u32> = HashMap::new();
    let mut codes = Vec::new();
    let mut last = u32::from(bytes[0]);
    for &byte in &bytes[1..] {
        if let Some(&longer) = table.get(&(last, byte)) {
            last = longer;
            continue;
        }
        codes.push(last);
        let free = 257 + table.len() as u32;
        if free < 1 << most_width {
            table.insert((last, byte), free);
        }
        last = u32::from(byte);
    }
    codes.push(last);
    compressed_codes(&codes, most_width)
}

/// A `.Z` file of these codes, none of which empties the table. Codes of one width come in groups of eight; a group is filled up
/// where the width changes, which it does once the table holds more than codes of it can name.
pub fn compressed_codes(codes: &[u32], most_width: u32) -> Vec<u8> {
    let mut out = vec![0x1f, 0x9d, 0x80 | most_width as u8];
    let mut width = 9;
    let mut group: Vec<u32> = Vec::new();
    let bytes = |group: &[u32], width: u32, length: u32| {
        let codes = group.iter().enumerate();
        let bits = codes.fold(0_u128, |bits, (n, &code)| bits | u128::from(code) << (n as u32 * width));
        bits.to_le_bytes()[..length as usize].to_vec()
    };
    for (number, &code) in codes.iter().enumerate() {
        group.push(code);
        let is_last_of_width = number + 257 >= 1 << width && width < most_width;
        if group.len() == 8 || is_last_of_width {
            out.extend(bytes(&group, width, width));
            group.clear();
        }
        width += u32::from(is_last_of_width);
    }
    out.extend(bytes(&group, width, (group.len() as u32 * width).div_ceil(8)));
    out
}

/// A tar's entry of any type.
pub fn tar_entry(name: &[u8], kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_entry_type(tar::EntryType::new(kind));
    // As hostile archives have it: the library itself refuses such a name.
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_cksum();
    padded([header.as_bytes(), bytes].concat(), 512)
}

/// A file of which a hole comes first, as `tar -S` writes it.
pub fn sparse(name: &[u8], hole: u64, bytes: &[u8]) -> Vec<u8> {
    let mut entry = tar_entry(name, b'S', bytes);
    let octal = |number: u64| format!("{number:011o}\0").into_bytes();
    let size = bytes.len() as u64;
    let fields = [(386, hole), (398, size), (483, hole + size)];
    for (at, number) in fields {
        entry[at..at + 12].copy_from_slice(&octal(number));
    }
    let header: &mut [u8; 512] = entry.first_chunk_mut().expect("a header");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    entry
}

/// A tar of these entries.
pub fn tar_of(entries: &[Vec<u8>]) -> Vec<u8> {
    [entries.concat(), vec![0; 1024]].concat()
}

pub fn tarred(files: &[(&str, &[u8])]) -> Vec<u8> {
    tar_of(&files.iter().map(|(name, bytes)| tar_entry(name.as_bytes(), b'0', bytes)).collect::<Vec<_>>())
}

fn padded(mut bytes: Vec<u8>, unit: usize) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(unit), 0);
    bytes
}

/// An ar archive, as GNU writes it where a name is long.
pub fn ar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let entry = |name: &str, bytes: &[u8]| {
        let head = format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 100_644, bytes.len());
        let mut entry = [head.as_bytes(), bytes].concat();
        if bytes.len() % 2 == 1 {
            entry.push(b'\n');
        }
        entry
    };
    let long: String =
        files.iter().filter(|(name, _)| name.len() > 15).map(|(n, _)| format!("{n}/\n")).collect();
    let mut archive = b"!<arch>\n".to_vec();
    if !long.is_empty() {
        archive.extend(entry("//", long.as_bytes()));
    }
    for (name, bytes) in files {
        let short = match long.find(&format!("{name}/\n")) {
            Some(at) => format!("/{at}"),
            None => format!("{name}/"),
        };
        archive.extend(entry(&short, bytes));
    }
    archive
}

/// A cpio archive in the new ASCII format.
pub fn cpio(files: &[(&str, &[u8])]) -> Vec<u8> {
    let entry = |name: &str, mode: u32, bytes: &[u8]| {
        let (size, length) = (bytes.len(), name.len() + 1);
        let head =
            format!("070701{:08x}{mode:08x}{:032x}{size:08x}{:032x}{length:08x}{:08x}{name}\0", 1, 0, 0, 0);
        [padded(head.into_bytes(), 4), padded(bytes.to_vec(), 4)].concat()
    };
    let files = files.iter().map(|(name, bytes)| entry(name, 0o100_644, bytes)).collect::<Vec<_>>().concat();
    [entry("conf", 0o040_755, b""), files, entry("TRAILER!!!", 0, b"")].concat()
}

/// The same in the old one.
pub fn old_cpio(files: &[(&str, &[u8])]) -> Vec<u8> {
    let entry = |name: &str, bytes: &[u8]| {
        let (length, size) = (name.len() + 1, bytes.len());
        let head =
            format!("070707{:012o}{:06o}{:024o}{:011o}{length:06o}{size:011o}{name}\0", 1, 0o100_644, 0, 0);
        [head.as_bytes(), bytes].concat()
    };
    let files = files.iter().map(|(name, bytes)| entry(name, bytes)).collect::<Vec<_>>().concat();
    [files, entry("TRAILER!!!", b"")].concat()
}

/// An RPM with these texts in its header, and a payload.
pub fn rpm(texts: &[u8], payload: &[u8]) -> Vec<u8> {
    let header = |bytes: &[u8]| {
        let head = [b"\x8e\xad\xe8\x01\0\0\0\0\0\0\0\0", &(bytes.len() as u32).to_be_bytes()[..]].concat();
        [head, bytes.to_vec()].concat()
    };
    let lead = padded(b"\xed\xab\xee\xdb\x03\0".to_vec(), 96);
    [lead, padded(header(b"signature"), 8), header(texts), payload.to_vec()].concat()
}
