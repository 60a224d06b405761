//! What attackers write: each case ends in bounded time and memory, with the right exit code and a clear line; nothing of it
//! runs, nothing of it reaches the terminal as it is, no value is told, and the leak that lies beside it is found all the same.
//! More of the kind stands where it belongs: forges in `forges.rs`, plans and journals in `revoke.rs`, archives in `archives.rs`.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::items_after_statements,
    clippy::type_complexity,
    clippy::semicolon_if_nothing_returned
)] // In helpers of tests.
#![allow(clippy::too_many_lines, reason = "tables of cases")]

mod common;

use std::fs;
use std::io::{Cursor, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::archive::{
    ar, brotli, compressed_codes, cpio, gzipped, lz4, lzipped, lzma, rpm, seven_zipped, skipped, snappy,
    sparse, tar_of, zipped, zstd,
};
use common::fixture::Mint;
use common::pack::{self, Base, Entry};
use common::{commit, git, repository, sidsweep, write};
use gix::ObjectId;
use serde_json::Value;
use zip::write::SimpleFileOptions;

/// No case takes longer, on the slowest machine and beside others.
const LONGEST: Duration = Duration::from_mins(2);
/// What a process may map in all, in KiB; its threads' stacks and git's packs are mapped too.
const MOST_MEMORY: u64 = 3 << 20;

struct Ran {
    code: Option<i32>,
    out: String,
    told: String,
}

impl Ran {
    fn report(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {} {}", self.out, self.told))
    }
}

/// Runs it within bounds. What it prints goes to files, so that no pipe fills up.
fn bounded(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
    let (out, told) = (tempfile::NamedTempFile::new().unwrap(), tempfile::NamedTempFile::new().unwrap());
    let mut child = Command::new("sh")
        .args(["-c", &format!("ulimit -v {MOST_MEMORY}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_sidsweep")])
        .args(arguments)
        .current_dir(folder)
        .envs(sidsweep().get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env_remove("NO_COLOR")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(out.reopen().unwrap())
        .stderr(told.reopen().unwrap())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if start.elapsed() > LONGEST => {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("{arguments:?} does not end");
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let text = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    Ran { code: status.code(), out: text(out.path()), told: text(told.path()) }
}

/// No terminal does anything with it that is not text.
fn is_harmless(text: &str) -> bool {
    text.chars().all(|c| {
        c == '\n'
            || !(c.is_control()
                || "\u{202a}\u{202b}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{200f}".contains(c))
    })
}

/// The leak that lies beside each case.
struct Near {
    text: String,
    token: String,
}

fn near(seed: u64) -> Near {
    let mut mint = Mint::new(seed);
    let text = mint.fill("TWILIO_ACCOUNT_SID={{ac:1}}\nTWILIO_AUTH_TOKEN={{token:1}}\n").0;
    Near { text, token: mint.value("token", "1").clone() }
}

/// What is expected of a case.
struct Expected {
    /// In a `skipped` entry's path or reason, or nothing.
    named: &'static str,
}

const READ: Expected = Expected { named: "" };

const fn named(what: &'static str) -> Expected {
    Expected { named: what }
}

/// Scans a folder with the near leak in it, as JSON and as text, and holds the result to what is expected.
fn hold(case: &str, folder: &Path, near: &Near, arguments: &[&str], expected: &Expected) -> Value {
    let mut all = vec!["scan", "--format", "json"];
    all.extend(arguments);
    let ran = bounded(folder, &all, &[]);
    assert_eq!(ran.code, Some(1), "{case}: {} {}", ran.out, ran.told);
    let report = ran.report();
    let tokens = report["findings"].as_array().unwrap().iter().filter(|f| f["kind"] == "auth_token");
    assert!(tokens.count() >= 1, "{case}: the leak beside it is not found: {report}");
    let skipped = report["skipped"].to_string();
    if expected.named.is_empty() {
        assert_eq!(skipped, "[]", "{case}");
    } else {
        assert!(skipped.contains(expected.named), "{case}: {skipped}");
    }
    let mut all = vec!["scan"];
    all.extend(arguments);
    let text = bounded(folder, &all, &[]);
    assert_eq!(text.code, Some(1), "{case}");
    for told in [&text.out, &text.told, &ran.told] {
        assert!(is_harmless(told), "{case}: {told:?}");
    }
    for told in [&ran.out, &ran.told, &text.out, &text.told] {
        assert!(!told.contains(&near.token), "{case} tells the value");
    }
    assert!(!folder.join("ran").exists(), "{case}: something ran");
    report
}

/// Tries all cases of a group, and tells of all that fail.
fn all<T>(cases: Vec<T>, count: usize, each: impl Fn(T) + std::panic::RefUnwindSafe)
where
    T: std::panic::UnwindSafe,
{
    assert_eq!(cases.len(), count, "cases are counted");
    let held = cases.into_iter().map(|case| std::panic::catch_unwind(|| each(case)).is_ok());
    let failed = held.filter(|held| !held).count();
    assert_eq!(failed, 0, "{failed} of {count} cases failed");
}

/// Zeros, far more than any budget allows, through a compressor that holds little.
fn zeros(stream: &mut impl Write, mebibytes: usize) {
    let part = vec![0; 1 << 20];
    (0..mebibytes).for_each(|_| stream.write_all(&part).unwrap());
}

fn replaced(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    let at: Vec<usize> = memchr::memmem::find_iter(&bytes, from).collect();
    assert!(!at.is_empty(), "there is something to replace");
    for at in at {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

/// A tar's header, its sum put right.
fn header(name: &[u8], kind: u8, size: &[u8; 12]) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..name.len()].copy_from_slice(name);
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(size);
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

#[test]
fn archives() {
    let near = near(1);
    let inner = near.text.as_bytes();
    let mut gzip_bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zeros(&mut gzip_bomb, 300);
    let gzip_bomb = gzip_bomb.finish().unwrap();
    let mut xz_bomb = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(0)).unwrap();
    zeros(&mut xz_bomb, 300);
    let xz_bomb = xz_bomb.finish().unwrap();
    let mut bzip2_bomb = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    zeros(&mut bzip2_bomb, 300);
    let bzip2_bomb = bzip2_bomb.finish().unwrap();
    let mut zip_bomb = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip_bomb.start_file("zeros", SimpleFileOptions::default()).unwrap();
    zeros(&mut zip_bomb, 300);
    let zip_bomb = zip_bomb.finish().unwrap().into_inner();
    let nested = (0..12).fold(gzipped(inner), |inside, _| gzipped(&inside));
    let zips =
        (0..7).fold(zipped(&[("near.env", inner)]), |inside, n| zipped(&[(&format!("{n}.zip"), &inside)]));
    let plain = zipped(&[("near.env", inner)]);
    let stored = {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        archive.start_file("near.env", options).unwrap();
        archive.write_all(inner).unwrap();
        archive.finish().unwrap().into_inner()
    };
    let size = |n: usize| -> [u8; 12] { format!("{n:011o}\0").as_bytes().try_into().unwrap() };
    let tar = |parts: &[Vec<u8>]| [parts.concat(), vec![0; 1024]].concat();
    let file = |name: &[u8], bytes: &[u8]| {
        let padding = bytes.len().next_multiple_of(512) - bytes.len();
        [header(name, b'0', &size(bytes.len())), bytes.to_vec(), vec![0; padding]].concat()
    };
    let length = (inner.len() as u32).to_le_bytes();
    let cases: Vec<(&str, &str, Vec<u8>, Expected)> = vec![
        ("a gzip bomb", "a.gz", gzip_bomb.clone(), named("far more than its size")),
        ("an xz bomb", "a.xz", xz_bomb, named("far more than its size")),
        ("a bzip2 bomb", "a.bz2", bzip2_bomb, named("far more than its size")),
        ("a zip bomb", "a.zip", zip_bomb, named("far more than its size")),
        (
            "a bomb in a zip",
            "b.zip",
            zipped(&[("a.gz", &gzip_bomb), ("near.env", inner)]),
            named("b.zip!/a.gz"),
        ),
        ("gzip in gzip, too deep", "deep.gz", nested, named("deep.gz")),
        ("zip in zip, too deep", "deep.zip", zips, named("deep.zip")),
        (
            "a zip that is cut off in its list",
            "cut.zip",
            plain[..plain.len() - 10].to_vec(),
            named("cut.zip"),
        ),
        ("a zip that is cut off in its data", "half.zip", plain[..40].to_vec(), named("half.zip")),
        ("a zip of nothing but its mark", "mark.zip", b"PK\x03\x04".to_vec(), named("mark.zip")),
        (
            "a zip whose sizes lie low",
            "low.zip",
            replaced(stored.clone(), &length, &1_u32.to_le_bytes()),
            named("low.zip"),
        ),
        (
            "a zip whose sizes lie high",
            "high.zip",
            replaced(stored.clone(), &length, &0x7fff_fff0_u32.to_le_bytes()),
            named("high.zip"),
        ),
        (
            "a zip whose sum is false",
            "sum.zip",
            replaced(stored.clone(), b"AUTH_TOKEN", b"AUTH_TOKEM"),
            named("sum.zip"),
        ),
        (
            "a zip that writes elsewhere",
            "slip.zip",
            zipped(&[("../../../../../tmp/slipped", inner), ("/tmp/slipped", inner)]),
            READ,
        ),
        ("a zip of escapes", "escapes.zip", zipped(&[("\u{1b}[2J\u{202e}name", inner)]), READ),
        (
            "a zip of one name twice",
            "twice.zip",
            replaced(zipped(&[("a.env", inner), ("b.env", inner)]), b"b.env", b"a.env"),
            READ,
        ),
        (
            "a tar whose size lies",
            "lies.tar",
            tar(&[header(b"big", b'0', &size(0o7_777_777_777)), inner.to_vec()]),
            named("lies.tar"),
        ),
        (
            "a tar of a size below zero",
            "below.tar",
            tar(&[header(b"below", b'0', b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")]),
            named("below.tar"),
        ),
        (
            "a tar of links and devices",
            "links.tar",
            tar(&[
                header(b"l", b'2', &size(0)),
                header(b"d", b'3', &size(0)),
                header(b"p", b'6', &size(0)),
                file(b"near.env", inner),
            ]),
            READ,
        ),
        ("a tar that writes elsewhere", "slip.tar", tar(&[file(b"../../../../tmp/slipped", inner)]), READ),
        (
            "a tar whose long name never ends",
            "long.tar",
            tar(&[header(b"././@LongLink", b'L', &size(0o7_000_000_000)), b"x".repeat(4096)]),
            named("long.tar"),
        ),
        ("a gzip that is cut off", "cut.gz", gzipped(&inner.repeat(200))[..60].to_vec(), named("cut.gz")),
        (
            "a gzip with more behind it",
            "more.gz",
            [gzipped(inner), b"more".to_vec()].concat(),
            named("more.gz"),
        ),
        (
            "zstd of a huge window",
            "window.zst",
            b"\x28\xb5\x2f\xfd\x00\xf8\x01\x00\x00".to_vec(),
            named("window.zst"),
        ),
        (
            "noise that calls itself xz",
            "noise.xz",
            [b"\xfd7zXZ\0".to_vec(), vec![0xa5; 4000]].concat(),
            named("noise.xz"),
        ),
        (
            "noise that calls itself bzip2",
            "noise.bz2",
            [b"BZh91AY&SY".to_vec(), vec![0x5a; 4000]].concat(),
            named("noise.bz2"),
        ),
    ];
    all(cases, 26, |(case, name, bytes, expected)| {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "near.env", &near.text);
        write(folder.path(), name, &bytes);
        hold(case, folder.path(), &near, &["."], &expected);
        // The same bytes as a blob.
        let at = folder.path();
        git(at, &["init", "-q"]);
        commit(at, "all");
        git(at, &["repack", "-adq"]);
        hold(case, at, &near, &["--history"], &expected);
        assert!(!Path::new("/tmp/slipped").exists());
    });
}

/// Bytes with others written over them at a place.
fn over(mut bytes: Vec<u8>, at: usize, with: &[u8]) -> Vec<u8> {
    bytes[at..at + with.len()].copy_from_slice(with);
    bytes
}

/// A property list in bytes: its objects, each a marker and what follows, and what its trailer says beyond their places.
fn plist(objects: &[&[u8]], count: u64, top: u64) -> Vec<u8> {
    let mut bytes = b"bplist00".to_vec();
    let mut offsets = Vec::new();
    for object in objects {
        offsets.push(bytes.len() as u8);
        bytes.extend(*object);
    }
    let at = bytes.len() as u64;
    bytes.extend(offsets);
    bytes.extend([0, 0, 0, 0, 0, 0, 1, 1]);
    for number in [count, top, at] {
        bytes.extend(number.to_be_bytes());
    }
    bytes
}

/// An ar in whose table of names there is one that all entries have, and that does not end.
fn one_long_name(count: usize) -> Vec<u8> {
    let head = |name: &str, size: usize| {
        format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 644).into_bytes()
    };
    let names = vec![b'n'; 1 << 20];
    [b"!<arch>\n".to_vec(), head("//", names.len()), names, head("/0", 0).repeat(count)].concat()
}

/// An ar of tables of names, each as long as may be.
fn many_tables(count: usize) -> Vec<u8> {
    let head = format!("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", "//", 0, 0, 0, 644, 16 << 20).into_bytes();
    [b"!<arch>\n".to_vec(), [head, vec![b'n'; 16 << 20]].concat().repeat(count)].concat()
}

/// A tar of a sparse file with so many heads of holes, each of which stands for 21.
fn holes(heads: usize) -> Vec<u8> {
    let mut entry = sparse(b"near.env", 1, b"");
    entry[482] = 1;
    entry[386..420].fill(0);
    entry[148..156].fill(b' ');
    let sum: u32 = entry[..512].iter().map(|&byte| u32::from(byte)).sum();
    entry[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut more = [0; 512];
    for (number, hole) in more[..504].chunks_exact_mut(24).enumerate() {
        hole[..12].copy_from_slice(format!("{number:011o}\0").as_bytes());
        hole[12..].copy_from_slice(b"00000000000\0");
    }
    more[504] = 1;
    let mut last = more;
    last[504] = 0;
    [entry, more.repeat(heads), last.to_vec(), vec![0; 1024]].concat()
}

fn crc(bytes: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    sum.sum()
}

/// A 7z archive with these bytes for a header.
fn seven_of(header: &[u8]) -> Vec<u8> {
    let place =
        [&0_u64.to_le_bytes()[..], &(header.len() as u64).to_le_bytes(), &crc(header).to_le_bytes()].concat();
    [b"7z\xbc\xaf\x27\x1c\0\x04", &crc(&place).to_le_bytes()[..], &place, header].concat()
}

/// A 7z whose header promises so many files, and is as long as that would take.
fn seven_of_files(count: u32) -> Vec<u8> {
    let number = [&[0xf0][..], &count.to_le_bytes()].concat();
    seven_of(&[&[1, 5][..], &number, &vec![0; count as usize]].concat())
}

/// A 7z whose header is compressed, and says that it comes to four gigabytes.
fn seven_of_long_header() -> Vec<u8> {
    let sized = [0xf0, 0xff, 0xff, 0xff, 0xff];
    let head =
        [&[0x17, 6, 0, 1, 9, 1, 0, 7, 11, 1, 0, 1, 0x21, 0x21, 1, 0x18, 12][..], &sized, &[0, 0]].concat();
    seven_of(&head)
}

/// A zip of nothing but a list, of so many entries.
fn long_list(count: u32) -> Vec<u8> {
    let mut entry = [0; 46];
    entry[..4].copy_from_slice(b"PK\x01\x02");
    entry[28] = 4;
    let list: Vec<u8> = (0..count).flat_map(|n| [&entry[..], &n.to_le_bytes()].concat()).collect();
    let (count, size) = (u64::from(count).to_le_bytes(), (list.len() as u64).to_le_bytes());
    let start = b"PK\x03\x04".to_vec();
    let at = (start.len() + list.len()) as u64;
    let end64 = [
        &b"PK\x06\x06"[..],
        &44_u64.to_le_bytes(),
        &[45, 0, 45, 0],
        &[0; 8],
        &count,
        &count,
        &size,
        &(start.len() as u64).to_le_bytes(),
    ]
    .concat();
    let locator = [&b"PK\x06\x07"[..], &[0; 4], &at.to_le_bytes(), &[1, 0, 0, 0]].concat();
    let end = [&b"PK\x05\x06"[..], &[0; 4], &[0xff; 12], &[0; 2]].concat();
    [start, list, end64, locator, end].concat()
}

/// A leak in four streams of xz in one another, each of which may hold 64 MB.
fn nested_xz(inner: &[u8]) -> Vec<u8> {
    let mut bytes = inner.to_vec();
    for _ in 0..4 {
        let mut options = lzma_rust2::XzOptions::with_preset(1);
        options.lzma_options.dict_size = 64 << 20;
        let mut stream = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
        stream.write_all(&bytes).unwrap();
        bytes = stream.finish().unwrap();
    }
    bytes
}

/// A property list whose list names one long string again and again.
fn many_strings() -> Vec<u8> {
    let long = [&b"\x5f\x12\0\x10\0\0"[..], &vec![0xff; 1 << 20]].concat();
    let list = [&b"\xaf\x11\xff\xff"[..], &vec![1; 0xffff]].concat();
    let offsets: Vec<u8> = [8_u32, 8 + list.len() as u32].iter().flat_map(|at| at.to_be_bytes()).collect();
    with_offsets(&[&list[..], &long].concat(), &offsets, 2)
}

/// A property list whose list names one block of bytes again and again.
fn many_data() -> Vec<u8> {
    let long = [&b"\x4f\x12\0\x40\0\0"[..], &vec![b'x'; 4 << 20]].concat();
    let list = [&b"\xaf\x11\xff\xff"[..], &vec![1; 0xffff]].concat();
    let offsets: Vec<u8> = [8_u32, 8 + list.len() as u32].iter().flat_map(|at| at.to_be_bytes()).collect();
    with_offsets(&[&list[..], &long].concat(), &offsets, 2)
}

fn with_offsets(objects: &[u8], offsets: &[u8], count: u64) -> Vec<u8> {
    let at = 8 + objects.len() as u64;
    let numbers = [count, 0, at].map(u64::to_be_bytes).concat();
    [b"bplist00", objects, offsets, &[0, 0, 0, 0, 0, 0, 4, 1], &numbers].concat()
}

/// Archives of the kinds that are seldom met, cut off and with lengths that lie.
#[test]
fn archives_of_other_kinds() {
    let near = near(9);
    let inner = near.text.as_bytes();
    let zeros = vec![0; 300 << 20];
    let long: Vec<u8> = (0..60_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let half = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    let behind = |zip: Vec<u8>| [b"MZ\x90\0".to_vec(), vec![7; 2000], zip].concat();
    let zip = zipped(&[("near.env", inner)]);
    let end = memchr::memmem::rfind(&zip, b"PK\x05\x06").unwrap();
    let files: [(&str, &[u8]); 1] = [("near.env", inner)];
    let (ar, cpio, rpm) = (ar(&files), cpio(&files), rpm(b"x", &gzipped(&cpio(&files))));
    let name_twice = |count: usize| {
        let names: Vec<String> = (0..count).map(|n| format!("{n:06}")).collect();
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (&name[..], inner)).collect();
        names.iter().fold(zipped(&files), |zip, name| replaced(zip, name.as_bytes(), b"000000"))
    };
    let cpio_of_nothing = common::archive::cpio(&[]);
    let long_name_tar = {
        let size: [u8; 12] = format!("{:011o}\0", 200 << 20).as_bytes().try_into().unwrap();
        gzipped(&[header(b"././@LongLink", b'L', &size), vec![b'n'; 200 << 20]].concat())
    };
    let no_header = [&b"7z\xbc\xaf\x27\x1c\0\x04"[..], &[0; 24], &[1, 0].repeat(512 << 10)].concat();
    let cases: Vec<(&str, &str, Vec<u8>, Expected)> = vec![
        ("an LZ4 bomb", "a.lz4", lz4(&zeros), named("far more than its size")),
        ("an lzip bomb", "a.lz", lzipped(&zeros[..30 << 20]).repeat(10), named("far more than its size")),
        ("an LZMA bomb", "a.lzma", lzma(&zeros, None), named("far more than its size")),
        (
            "a .Z bomb",
            "a.Z",
            compressed_codes(&[0].into_iter().chain(257..30_000).collect::<Vec<_>>(), 16),
            named("far more than its size"),
        ),
        ("a 7z bomb", "a.7z", seven_zipped(&[("zeros", &zeros)]), named("far more than its size")),
        ("a sparse file of a huge hole", "a.tar", tar_of(&[sparse(b"near.env", 1 << 32, inner)]), READ),
        ("LZ4 that is cut off", "b.lz4", half(lz4(&long)), named("b.lz4")),
        (
            "LZ4 that is cut off between blocks",
            "c.lz4",
            lz4(inner)[..lz4(inner).len() - 4].to_vec(),
            named("c.lz4"),
        ),
        ("lzip that is cut off", "b.lz", half(lzipped(&long)), named("b.lz")),
        ("lzip of a huge dictionary", "c.lz", over(lzipped(inner), 5, &[29]), named("c.lz")),
        ("LZMA that is cut off", "b.lzma", half(lzma(&long, None)), named("b.lzma")),
        (
            "LZMA of a huge dictionary",
            "c.lzma",
            over(lzma(inner, None), 1, &[0, 0, 0, 0x80]),
            named("c.lzma"),
        ),
        ("Snappy that is cut off", "b.sz", half(snappy(&long)), named("b.sz")),
        (
            ".Z of codes that stand for nothing",
            "b.Z",
            compressed_codes(&[65, 300, 65, 66, 67, 68, 69, 70], 16),
            named("b.Z"),
        ),
        (
            ".Z that begins with a clear code",
            "c.Z",
            compressed_codes(&[256, 256, 65, 258, 256, 66, 67, 256], 16),
            READ,
        ),
        (
            "a skipped frame that goes on for ever",
            "d.zst",
            [&b"\x53\x2a\x4d\x18\xff\xff\xff\x7f"[..], b"x"].concat(),
            named("d.zst"),
        ),
        ("a thousand skipped frames", "e.zst", [skipped(b"x").repeat(1000), zstd(inner)].concat(), READ),
        ("7z that is cut off", "b.7z", half(seven_zipped(&[("x", &long)])), named("b.7z")),
        ("7z of a huge header", "c.7z", over(seven_zipped(&files), 20, &[0xff; 7]), named("c.7z")),
        (
            "7z whose data is damaged",
            "d.7z",
            over(seven_zipped(&[("x", &long)]), 2000, &[0; 64]),
            named("d.7z"),
        ),
        ("an ar whose size lies", "b.a", over(ar.clone(), 8 + 48, b"9999999999"), named("b.a")),
        ("an ar of no size", "c.a", over(ar.clone(), 8 + 48, b"-1        "), named("c.a")),
        ("an ar whose name leads nowhere", "d.a", over(ar, 8, b"/99999999       "), READ),
        ("a cpio whose size lies", "b.cpio", over(cpio.clone(), 120 + 54, b"ffffffff"), named("b.cpio")),
        ("a cpio whose name goes on", "c.cpio", over(cpio.clone(), 94, b"ffffffff"), named("c.cpio")),
        ("a cpio without an end", "d.cpio", half(cpio), named("d.cpio")),
        ("an RPM of a huge header", "b.rpm", over(rpm.clone(), 96 + 8, &[0xff; 8]), named("b.rpm")),
        ("an RPM that is cut off", "c.rpm", half(rpm), named("c.rpm")),
        (
            "a zip behind a program that is cut off",
            "b.exe",
            over(behind(zip.clone()), 2004 + end + 16, &[0xff; 3]),
            named("b.exe"),
        ),
        ("a program that ends like a zip", "c.exe", behind(zip[end..].to_vec()), named("c.exe")),
        ("a zip of one name three hundred times", "many.zip", name_twice(300), READ),
        ("a property list in itself", "a.plist", plist(&[b"\xa2\x00\x00"], 1, 0), READ),
        ("a property list of another object", "b.plist", plist(&[b"\xa1\x09"], 1, 0), named("b.plist")),
        (
            "a property list of a huge string",
            "c.plist",
            plist(&[b"\x5f\x13\x7f\xff\xff\xff\xff\xff\xff\xff"], 1, 0),
            named("c.plist"),
        ),
        (
            "a property list of huge numbers",
            "d.plist",
            plist(&[b"\x09"], u64::MAX, u64::MAX),
            named("d.plist"),
        ),
        ("an ar of one long name for all", "e.a", one_long_name(60_000), READ),
        ("an ar of many tables of names", "f.a", many_tables(3), READ),
        (
            "a cpio of many archives in a row",
            "e.cpio",
            [&cpio_of_nothing[..], &[0; 512]].concat().repeat(5_000),
            named("e.cpio"),
        ),
        ("a cpio and zeros", "f.cpio", [&cpio_of_nothing[..], &vec![0; 64 << 20]].concat(), READ),
        (
            "a tar and zeros",
            "b.tar",
            [tar_of(&[sparse(b"near.env", 1, inner)]), vec![0; 64 << 20]].concat(),
            READ,
        ),
        ("a sparse file of very many holes", "c.tar.gz", gzipped(&holes(2_000)), READ),
        ("a sparse file whose holes go on for ever", "d.tar.gz", gzipped(&holes(400_000)), named("d.tar.gz")),
        (
            "a tar of a long name of 200 MB",
            "e.tar.gz",
            long_name_tar,
            named("the heads of an entry come to more"),
        ),
        ("7z of very many empty headers", "e.7z", no_header, named("e.7z")),
        ("7z whose header promises millions of files", "f.7z", seven_of_files(40_000_000), named("f.7z")),
        ("7z whose header says that it is long when unpacked", "g.7z", seven_of_long_header(), named("g.7z")),
        ("a zip whose list goes on and on", "list.zip", long_list(1_000_000), named("list.zip")),
        ("a brotli bomb", "a.br", brotli(&zeros[..1 << 20]), READ),
        ("Brotli that is cut off", "b.br", half(brotli(&long)), named("b.br")),
        ("noise that is called Brotli", "c.br", long.clone(), named("c.br")),
        ("xz in xz of large dictionaries", "a.xz", nested_xz(inner), READ),
        ("a property list of one string in many places", "e.plist", many_strings(), named("e.plist")),
        ("a property list of one array in many places", "f.plist", many_data(), named("f.plist")),
        ("a pack of nothing", "a.pack", b"PACK\0\0\0\x02\xff\xff\xff\xff".to_vec(), named("a.pack")),
    ];
    all(cases, 54, |(case, name, bytes, expected)| {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "near.env", &near.text);
        write(folder.path(), name, &bytes);
        hold(case, folder.path(), &near, &["."], &expected);
    });
}

fn id(n: u8) -> ObjectId {
    ObjectId::from_bytes_or_panic(&[n; 20])
}

fn blob(size: u64, body: &[u8]) -> Entry {
    Entry { id: id(0x77), kind: 3, size, base: None, body: body.to_vec() }
}

/// A delta against a blob of nine bytes.
fn delta(base: Base, parts: &[&[u8]]) -> Entry {
    Entry::delta(id(0x66), base, &parts.concat())
}

#[test]
fn packs() {
    let near = near(2);
    let base = Entry::blob(b"nine byte");
    let behind = Base::Distance(base.bytes().len() as u64);
    let (nine, lengths) =
        (pack::length(9), |from: u64, to: u64| [pack::length(from), pack::length(to)].concat());
    // Each copies the one before it twice: 9 bytes become 600 MB, and what comes after is longer than anything.
    let mut doubled = vec![base.clone()];
    for n in 0..40_u32 {
        let before = doubled.last().unwrap().bytes().len() as u64;
        let length = 9_u64 << n;
        let copies: Vec<u8> = (0..2)
            .flat_map(|_| {
                (0..length)
                    .step_by(0xff_ffff)
                    .flat_map(|from| pack::copy(from as u32, (length - from).min(0xff_ffff) as u32))
                    .collect::<Vec<u8>>()
            })
            .take(4 << 20)
            .collect();
        doubled.push(Entry::delta(
            id(n as u8 + 1),
            Base::Distance(before),
            &[lengths(length, length * 2), copies].concat(),
        ));
        if n > 28 {
            break;
        }
    }
    let mut chain = vec![base.clone()];
    for n in 0..5_000_u32 {
        let mut name = [0x11; 20];
        name[..4].copy_from_slice(&n.to_be_bytes());
        let before = Base::Distance(chain.last().unwrap().bytes().len() as u64);
        let text = [lengths(9, 9), vec![9], format!("{n:09}").into_bytes()].concat();
        chain.push(Entry::delta(ObjectId::from_bytes_or_panic(&name), before, &text));
    }
    let cases: Vec<(&str, Vec<Entry>, &str)> = vec![
        (
            "a delta of itself",
            vec![delta(Base::Id(id(0x66)), &[&lengths(9, 9), &pack::copy(0, 9)])],
            "66666666",
        ),
        (
            "two deltas of each other",
            vec![
                Entry::delta(id(1), Base::Id(id(2)), &lengths(9, 9)),
                Entry::delta(id(2), Base::Id(id(1)), &lengths(9, 9)),
            ],
            "02020202",
        ),
        (
            "a delta of nothing here",
            vec![delta(Base::Id(id(0x55)), &[&lengths(9, 9), &pack::copy(0, 9)])],
            "66666666",
        ),
        (
            "a base before the pack",
            vec![base.clone(), delta(Base::Distance(1 << 40), &[&lengths(9, 9), &pack::copy(0, 9)])],
            "66666666",
        ),
        (
            "a base between two entries",
            vec![base.clone(), delta(Base::Distance(3), &[&lengths(9, 9), &pack::copy(0, 9)])],
            "66666666",
        ),
        (
            "a base at itself",
            vec![base.clone(), delta(Base::Distance(0), &[&lengths(9, 9), &pack::copy(0, 9)])],
            "66666666",
        ),
        (
            "a copy beyond the base",
            vec![base.clone(), delta(behind, &[&lengths(9, 9), &pack::copy(5, 9)])],
            "66666666",
        ),
        (
            "a copy from far away",
            vec![base.clone(), delta(behind, &[&lengths(9, 9), &pack::copy(u32::MAX, 0xff_ffff)])],
            "66666666",
        ),
        (
            "a result that is shorter than it says",
            vec![base.clone(), delta(behind, &[&lengths(9, 100), &pack::copy(0, 9)])],
            "66666666",
        ),
        (
            "a result that is longer than it says",
            vec![base.clone(), delta(behind, &[&lengths(9, 2), &pack::copy(0, 9)])],
            "66666666",
        ),
        (
            "a result of 2^63 bytes",
            vec![
                base.clone(),
                delta(behind, &[&nine, b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f", &pack::copy(0, 9)]),
            ],
            "66666666",
        ),
        ("a length without an end", vec![base.clone(), delta(behind, &[&[0xff; 40]])], "66666666"),
        (
            "a base of another length",
            vec![base.clone(), delta(behind, &[&lengths(8, 9), &pack::copy(0, 9)])],
            "66666666",
        ),
        (
            "a command that is cut off",
            vec![base.clone(), delta(behind, &[&lengths(9, 9), &[0xff, 1]])],
            "66666666",
        ),
        (
            "an insertion that is cut off",
            vec![base.clone(), delta(behind, &[&lengths(9, 9), &[9, b'x']])],
            "66666666",
        ),
        (
            "the command that is none",
            vec![base.clone(), delta(behind, &[&lengths(9, 9), &[0; 9]])],
            "66666666",
        ),
        ("a delta without commands", vec![base.clone(), delta(behind, &[&lengths(9, 0)])], ""),
        ("a blob that is longer than it says", vec![blob(3, &pack::deflated(b"nine byte"))], "77777777"),
        ("a blob that is shorter than it says", vec![blob(900, &pack::deflated(b"nine byte"))], "77777777"),
        ("a blob of 2^60 bytes", vec![blob(1 << 60, &pack::deflated(b"nine byte"))], "77777777"),
        (
            "a blob of a gigabyte, as it says",
            vec![blob(1_000_000_000, &pack::deflated(b"nine byte"))],
            "77777777",
        ),
        ("a blob that is not deflated", vec![blob(9, b"nine byte nine byte")], "77777777"),
        ("a blob of no bytes at all", vec![blob(9, b"")], "77777777"),
        (
            "an object of a kind that is none",
            vec![Entry { kind: 5, ..blob(9, &pack::deflated(b"nine byte")) }],
            "77777777",
        ),
        (
            "an object of the other kind that is none",
            vec![Entry { kind: 0, ..blob(9, &pack::deflated(b"nine byte")) }],
            "77777777",
        ),
        ("a tree of noise", vec![Entry { kind: 2, ..blob(9, &pack::deflated(b"nine byte")) }], ""),
        ("a commit of noise", vec![Entry { kind: 1, ..blob(9, &pack::deflated(b"nine byte")) }], "77777777"),
        ("a tag of noise", vec![Entry { kind: 4, ..blob(9, &pack::deflated(b"nine byte")) }], ""),
        ("versions that double", doubled, "longer than 1 GiB"),
        ("a chain of 5,000 deltas", chain, ""),
    ];
    all(cases, 30, |(case, entries, expected)| {
        let folder = repository();
        write(folder.path(), "near.env", &near.text);
        commit(folder.path(), "near");
        pack::write(&folder.path().join(".git/objects/pack"), "hostile", &entries);
        hold(case, folder.path(), &near, &["--history"], &named(expected));
    });
}

#[test]
fn files_of_a_repository() {
    let near = near(3);
    type Damage = fn(&Path);
    fn pack_file(git: &Path, extension: &str) -> PathBuf {
        let folder = fs::read_dir(git.join("objects/pack")).unwrap();
        let path = folder
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|e| e == extension))
            .unwrap();
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        #[allow(clippy::permissions_set_readonly_false)]
        permissions.set_readonly(false);
        fs::set_permissions(&path, permissions).unwrap();
        path
    }
    fn bend(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(path).unwrap();
        change(&mut bytes);
        fs::write(path, bytes).unwrap();
    }
    // The near leak is a loose object beside the pack.
    let cases: Vec<(&str, Damage, &str)> = vec![
        (
            "a pack that is cut off",
            |git| bend(&pack_file(git, "pack"), |b| b.truncate(b.len() / 2)),
            "cannot be read",
        ),
        ("a pack of nothing", |git| bend(&pack_file(git, "pack"), Vec::clear), "cannot be opened"),
        ("a pack of another version", |git| bend(&pack_file(git, "pack"), |b| b[7] = 9), "cannot be opened"),
        (
            "an index that is cut off",
            |git| bend(&pack_file(git, "idx"), |b| b.truncate(500)),
            "cannot be opened",
        ),
        ("an index of noise", |git| bend(&pack_file(git, "idx"), |b| b.fill(0xa5)), "cannot be opened"),
        (
            "an index that counts four billion",
            |git| bend(&pack_file(git, "idx"), |b| b[8..8 + 1024].fill(0xff)),
            "cannot be opened",
        ),
        (
            "an index whose fan falls",
            |git| bend(&pack_file(git, "idx"), |b| b[8..12].fill(0xff)),
            "cannot be opened",
        ),
        (
            "an index that points beyond the pack",
            |git| {
                bend(&pack_file(git, "idx"), |b| {
                    let at = b.len() - 44;
                    b[at..at + 4].fill(0x7f)
                })
            },
            "cannot be read",
        ),
        (
            "an index that points far",
            |git| {
                bend(&pack_file(git, "idx"), |b| {
                    let at = b.len() - 44;
                    b[at..at + 4].fill(0xff)
                })
            },
            "pack-",
        ),
        (
            "an index of false sums",
            |git| {
                bend(&pack_file(git, "idx"), |b| {
                    let n = u32::from_be_bytes(b[1028..1032].try_into().unwrap()) as usize;
                    b[1032 + 20 * n..1032 + 24 * n].fill(0)
                })
            },
            // Each object is what its name says, so that all was read.
            "",
        ),
        ("a loose object of noise", |git| loose(git, &"ab".repeat(20), &[0x5a; 300]), "abababab"),
        (
            "a loose object that lies of its length",
            |git| loose(git, &"ab".repeat(20), &pack::deflated(b"blob 999999999\0short")),
            "abababab",
        ),
        (
            "a loose object of 2^63 bytes",
            |git| loose(git, &"ab".repeat(20), &pack::deflated(b"blob 9223372036854775807\0short")),
            "abababab",
        ),
        (
            "a loose bomb",
            |git| {
                let mut bomb = b"blob 2147483648\0".to_vec();
                bomb.resize(64 << 20, 0);
                loose(git, &"ab".repeat(20), &pack::deflated(&bomb))
            },
            "abababab",
        ),
        (
            "a loose object that is a folder",
            |git| fs::create_dir_all(git.join("objects/ab").join("ab".repeat(19))).unwrap(),
            "abababab",
        ),
        (
            "alternates that are not there",
            |git| fs::write(git.join("objects/info/alternates"), "/nonexistent/objects\n").unwrap(),
            "/nonexistent",
        ),
        ("references of noise", |git| fs::write(git.join("packed-refs"), [0x80; 400]).unwrap(), "refs"),
        (
            "a reference without an object",
            |git| fs::write(git.join("refs/heads/gone"), format!("{}\n", "ab".repeat(20))).unwrap(),
            "refs/heads/gone",
        ),
        (
            "a reference that names itself",
            |git| fs::write(git.join("refs/heads/loop"), "ref: refs/heads/loop\n").unwrap(),
            "refs/heads/loop",
        ),
        (
            "a reflog of noise",
            |git| {
                fs::create_dir_all(git.join("logs")).unwrap();
                fs::write(git.join("logs/HEAD"), [0xff; 900]).unwrap()
            },
            "",
        ),
    ];
    all(cases, 20, |(case, damage, expected)| {
        let folder = repository();
        let at = folder.path();
        for n in 0..30 {
            write(at, &format!("f{n}"), format!("{n} {}", "words and more words\n".repeat(40)));
        }
        commit(at, "others");
        git(at, &["repack", "-adq"]);
        write(at, "near.env", &near.text);
        commit(at, "near");
        damage(&at.join(".git"));
        hold(case, at, &near, &["--history"], &named(expected));
    });
}

/// A tree as git would never write it, below a commit that a branch names. Returns the folder.
fn repository_of(entries: &[(&str, &[u8], ObjectId)], author: &str, message: &str) -> tempfile::TempDir {
    let folder = repository();
    let at = folder.path();
    let entry = |(mode, name, id): &(&str, &[u8], ObjectId)| {
        [mode.as_bytes(), b" ", *name, b"\0", id.as_bytes()].concat()
    };
    let tree: Vec<u8> = entries.iter().flat_map(entry).collect();
    let tree = object(at, "tree", &tree);
    let text = format!(
        "tree {tree}\nauthor {author} 1700000000 +0000\ncommitter {author} 1700000000 +0000\n\n{message}"
    );
    let commit = object(at, "commit", text.as_bytes());
    fs::write(at.join(".git/refs/heads/main"), format!("{commit}\n")).unwrap();
    folder
}

/// Writes a loose object, whatever it says.
fn object(at: &Path, kind: &str, data: &[u8]) -> ObjectId {
    let kind = gix::object::Kind::from_bytes(kind.as_bytes()).unwrap();
    let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, kind, data).unwrap();
    let text = [format!("{kind} {}\0", data.len()).as_bytes(), data].concat();
    loose(&at.join(".git"), &id.to_string(), &pack::deflated(&text));
    id
}

/// Writes a loose object's file.
fn loose(git: &Path, hex: &str, bytes: &[u8]) {
    write(git, &format!("objects/{}/{}", &hex[..2], &hex[2..]), bytes);
}

const FORMATS: [&str; 11] =
    ["text", "json", "jsonl", "sarif", "gitlab", "codequality", "github", "junit", "csv", "markdown", "html"];

/// Holds every format of a scan to what its readers must never be told.
fn hold_formats(case: &str, folder: &Path, near: &Near, arguments: &[&str]) {
    for format in FORMATS {
        let ran = bounded(folder, &[&["scan", "--format", format], arguments].concat(), &[]);
        assert_eq!(ran.code, Some(1), "{case} as {format}: {}", ran.told);
        assert!(!ran.out.contains(&near.token), "{case} as {format}");
        // Lines end where the format ends them; nothing else moves a cursor.
        let out = ran.out.replace("\r\n", "\n");
        assert!(!out.contains(['\u{1b}', '\u{7}', '\u{8}', '\r']), "{case} as {format}");
        if matches!(format, "html" | "markdown") {
            assert!(!out.contains("<script>alert") && !out.contains("<img src=x"), "{case} as {format}");
        }
        if format == "csv" {
            let mut rows = csv::Reader::from_reader(ran.out.as_bytes());
            for row in rows.records().map(Result::unwrap) {
                assert!(
                    !row.iter().any(|cell| cell.starts_with(['=', '+', '-', '@', '\t'])),
                    "{case}: {row:?}"
                );
            }
        }
        if format == "github" {
            assert!(!out.lines().any(|line| line.starts_with("::set-output")), "{case}");
        }
    }
}

#[test]
fn names_authors_and_messages() {
    let near = near(4);
    let long = vec![b'n'; 100_000];
    let names: Vec<(&str, &[u8])> = vec![
        ("a name that goes up", b"../../../../tmp/slipped"),
        ("two dots", b".."),
        ("git's own folder", b".git"),
        ("an absolute name", b"/tmp/slipped"),
        ("a name of escapes", b"\x1b[2J\x1b]0;title\x07"),
        ("a name that is turned round", "a\u{202e}vne.\u{2066}b".as_bytes()),
        ("a name of two lines", b"a\nb\r\nc"),
        ("a name that is no UTF-8", b"\xff\xfe\x80"),
        ("a name of nothing", b""),
        ("a name of 100,000 bytes", &long),
        ("a name that is an option", b"--format=csv"),
        ("a name that is a formula", b"=cmd|' /C calc'!A0"),
        ("a name that is a page", b"<script>alert(1)</script>"),
        ("a name that is a command of a workflow", b"a::error::b%0A::set-output name=x::y"),
        ("a name that is a message", b"(commit message)"),
        ("a name that is another's blob", b"(blob aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)"),
    ];
    all(names, 16, |(case, name)| {
        let kind = gix::object::Kind::Blob;
        let blob = gix::objs::compute_hash(gix::hash::Kind::Sha1, kind, near.text.as_bytes()).unwrap();
        let text = String::from_utf8_lossy(name).replace(['\n', '<', '>'], " ");
        let author = format!("{} <\u{1b}[31m@x>", text.get(..4_000).unwrap_or(&text));
        let message = format!("{text}\n\u{1b}[2J<img src=x onerror=alert(1)>\n");
        let folder = repository_of(&[("100644", name, blob), ("100644", name, blob)], &author, &message);
        object(folder.path(), "blob", near.text.as_bytes());
        hold(case, folder.path(), &near, &["--history"], &READ);
        hold_formats(case, folder.path(), &near, &["--history"]);
    });
    assert!(!Path::new("/tmp/slipped").exists());
}

#[test]
fn trees_of_a_repository() {
    let near = near(5);
    let kind = gix::object::Kind::Blob;
    let some = gix::objs::compute_hash(gix::hash::Kind::Sha1, kind, near.text.as_bytes()).unwrap();
    let file: (&str, &[u8], ObjectId) = ("100644", b"near.env", some);
    let cases: Vec<(&str, Vec<(&str, &[u8], ObjectId)>, &str)> = vec![
        ("a mode that is none", vec![("777777", b"a", some), file], ""),
        ("a link that is the leak", vec![("120000", b"link", some)], ""),
        ("a submodule that is the leak", vec![("160000", b"module", some), file], ""),
        ("a folder that is a blob", vec![("40000", b"folder", some), file], ""),
        ("a folder that is not there", vec![("40000", b"gone", id(9)), file], "0909"),
        ("a file that is not there", vec![("100644", b"gone", id(9)), file], "0909"),
        (
            "a file and a folder of one name",
            vec![("100644", b"a", some), ("40000", b"a", id(9)), file],
            "0909",
        ),
    ];
    all(cases, 7, |(case, entries, expected)| {
        let folder = repository_of(&entries, "A <a@x>", "m");
        object(folder.path(), "blob", near.text.as_bytes());
        hold(case, folder.path(), &near, &["--history"], &named(expected));
    });
    // Folders in folders, 3,000 deep; a parent that is not there; a time that is none.
    let folder = repository_of(&[file], "A <a@x>", "m");
    let at = folder.path();
    object(at, "blob", near.text.as_bytes());
    let mut tree = object(at, "tree", &[&b"100644 deep.env\0"[..], some.as_bytes()].concat());
    for _ in 0..3_000 {
        tree = object(at, "tree", &[&b"40000 d\0"[..], tree.as_bytes()].concat());
    }
    let text = format!(
        "tree {tree}\nparent {}\nauthor A <a@x> 99999999999999999999 +9999\ncommitter A <a@x> -1 -0000\n\nm",
        id(8)
    );
    let commit = object(at, "commit", text.as_bytes());
    fs::write(at.join(".git/refs/heads/deep"), format!("{commit}\n")).unwrap();
    hold("folders 3,000 deep", at, &near, &["--history"], &named("0808"));
}

#[test]
fn work_trees() {
    let near = near(6);
    type Make = fn(&Path);
    let text = near.text.clone();
    let cases: Vec<(&str, Make, &str)> = vec![
        ("a link to itself", |at| std::os::unix::fs::symlink("loop", at.join("loop")).unwrap(), ""),
        (
            "two links to each other",
            |at| {
                std::os::unix::fs::symlink("b", at.join("a")).unwrap();
                std::os::unix::fs::symlink("a", at.join("b")).unwrap()
            },
            "",
        ),
        ("a link to the folder above", |at| std::os::unix::fs::symlink("..", at.join("up")).unwrap(), ""),
        ("a link to everything", |at| std::os::unix::fs::symlink("/", at.join("root")).unwrap(), ""),
        (
            "a link to a device without end",
            |at| std::os::unix::fs::symlink("/dev/zero", at.join("zero.env")).unwrap(),
            "",
        ),
        (
            "a pipe",
            |at| assert!(Command::new("mkfifo").arg(at.join("pipe.env")).status().unwrap().success()),
            "",
        ),
        ("a socket", |at| drop(std::os::unix::net::UnixListener::bind(at.join("socket.env")).unwrap()), ""),
        ("a name of escapes", |at| write(at, "\u{1b}[2J\u{202e}x.txt", "x"), ""),
        ("a name that is an option", |at| write(at, "--show-secrets", "x"), ""),
        (
            "a name that is no UTF-8",
            |at| fs::write(at.join(std::ffi::OsStr::from_bytes(b"\xff\xfe")), "x").unwrap(),
            "",
        ),
        (
            "one line of 2 GiB, a hole",
            |at| fs::File::create(at.join("hole")).unwrap().set_len(2 << 30).unwrap(),
            "",
        ),
        ("one line of 200 MB", |at| fs::write(at.join("line.js"), vec![b'a'; 200_000_000]).unwrap(), ""),
        (
            "one line of 100 MB of quotes",
            |at| fs::write(at.join("quotes.js"), b"\"'`\\".repeat(25_000_000)).unwrap(),
            "",
        ),
        (
            "a million opening brackets",
            |at| fs::write(at.join("open.json"), b"[{(<".repeat(250_000)).unwrap(),
            "",
        ),
        (
            "every byte there is, in every order of two",
            |at| {
                fs::write(
                    at.join("bytes"),
                    (0..=255).flat_map(|a| (0..=255).flat_map(move |b| [a, b])).collect::<Vec<u8>>(),
                )
                .unwrap()
            },
            "",
        ),
        (
            "Basic authentication whose password is no text",
            |at| {
                let mut random = fastrand::Rng::with_seed(3);
                let key = format!("SK{:032x}:", random.u128(..));
                let passwords = (0..2_000).map(|_| {
                    let mut password: Vec<u8> = (0..32).map(|_| random.alphanumeric() as u8).collect();
                    password[random.usize(0..32)] = random.u8(128..);
                    let pair = data_encoding::BASE64.encode(&[key.as_bytes(), &password].concat());
                    format!("Authorization: Basic {pair}\n")
                });
                fs::write(at.join("trace.txt"), passwords.collect::<String>()).unwrap()
            },
            "",
        ),
        (
            "10 million hashes",
            |at| {
                let mut random = fastrand::Rng::with_seed(1);
                let mut sums = std::io::BufWriter::new(fs::File::create(at.join("sums")).unwrap());
                for _ in 0..10_000_000 {
                    writeln!(sums, "{:032x}  file", random.u128(..)).unwrap();
                }
                sums.flush().unwrap()
            },
            "",
        ),
        (
            "300,000 hashes in one line beside a SID",
            |at| {
                let mut random = fastrand::Rng::with_seed(2);
                fs::write(
                    at.join("sums.js"),
                    format!(
                        "twilio AC{:032x} {}",
                        random.u128(..),
                        (0..300_000).map(|_| format!("{:032x},", random.u128(..))).collect::<String>()
                    ),
                )
                .unwrap()
            },
            "",
        ),
        (
            "a Markdown table of 3 MB",
            |at| {
                let mut random = fastrand::Rng::with_seed(4);
                let rows = (0..40_000)
                    .map(|_| format!("| AC{:032x} | {:032x} |\n", random.u128(..), random.u128(..)));
                let rows: String = rows.collect();
                fs::write(at.join("table.md"), format!("| account | sum |\n|---|---|\n{rows}")).unwrap()
            },
            "",
        ),
        (
            "50 MB that is base64 of base64 of base64",
            |at| {
                let mut text = vec![b'x'; 12_000_000];
                for _ in 0..5 {
                    text = data_encoding::BASE64.encode(&text[..text.len().min(9_000_000)]).into_bytes()
                }
                fs::write(at.join("nested"), text).unwrap()
            },
            "",
        ),
        (
            "20 MB of escapes",
            |at| fs::write(at.join("escapes"), b"\\x41\\u0042%43&#68;".repeat(1_200_000)).unwrap(),
            "",
        ),
        (
            "UTF-16 that is none",
            |at| {
                fs::write(at.join("u16"), [b"\xff\xfe".to_vec(), b"\x00\xd8".repeat(3_000_000)].concat())
                    .unwrap()
            },
            "",
        ),
        (
            "a policy of noise",
            |at| {
                fs::write(
                    at.join(".gitignore"),
                    b"[[[[[[\\\xff\n**/**/**/**/**/**/**/**/a*b*c*d*e*f*g\n".repeat(300),
                )
                .unwrap()
            },
            "",
        ),
        (
            "a file of the tool's own name",
            |at| {
                fs::write(at.join("git"), "#!/bin/sh\ntouch ran\n").unwrap();
                assert!(Command::new("chmod").args(["+x", "git"]).current_dir(at).status().unwrap().success())
            },
            "",
        ),
    ];
    all(cases, 24, |(case, make, expected)| {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "near.env", &text);
        make(folder.path());
        hold(case, folder.path(), &near, &["."], &named(expected));
    });
}

#[test]
fn folders_in_folders() {
    use rustix::fs::{Mode, OFlags};
    const DEEP: usize = 100_000;
    let near = near(7);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "near.env", &near.text);
    let mut open = rustix::fs::open(folder.path(), OFlags::DIRECTORY, Mode::empty()).unwrap();
    for _ in 0..DEEP {
        rustix::fs::mkdirat(&open, "d", Mode::RWXU).unwrap();
        open = rustix::fs::openat(&open, "d", OFlags::DIRECTORY, Mode::empty()).unwrap();
    }
    drop(open);
    // No path leads to the bottom: what is too deep is named.
    hold("100,000 folders", folder.path(), &near, &["."], &named("/d/d/d/"));
    // Taken away from the top, since nothing that goes down can take them away.
    let (top, aside) = (folder.path().join("d"), folder.path().join("aside"));
    while top.join("d").exists() {
        fs::rename(top.join("d"), &aside).unwrap();
        fs::remove_dir(&top).unwrap();
        fs::rename(&aside, &top).unwrap();
    }
}

#[test]
fn files_that_change_while_they_are_read() {
    let near = near(8);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "near.env", &near.text);
    let at = folder.path().to_owned();
    let ended = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = std::sync::Arc::clone(&ended);
    let writer = std::thread::spawn(move || {
        let mut random = fastrand::Rng::with_seed(1);
        while !flag.load(std::sync::atomic::Ordering::Relaxed) {
            let path = at.join(format!("f{}", random.u8(0..20)));
            match random.u8(0..5) {
                0 => drop(fs::remove_file(&path)),
                1 => drop(fs::create_dir(&path)),
                2 => drop(fs::remove_dir(&path)),
                3 => {
                    if let Ok(mut file) =
                        fs::OpenOptions::new().write(true).create(true).truncate(false).open(&path)
                    {
                        let _ = file
                            .seek(SeekFrom::Start(random.u64(0..3_000_000)))
                            .and_then(|_| file.write_all(b"more"));
                    }
                }
                _ => drop(
                    fs::File::options()
                        .write(true)
                        .open(&path)
                        .and_then(|file| file.set_len(random.u64(0..100))),
                ),
            }
        }
    });
    for _ in 0..40 {
        let ran = bounded(folder.path(), &["scan", "--format", "json", "."], &[]);
        assert_eq!(ran.code, Some(1), "{}", ran.told);
        assert!(ran.out.contains("auth_token") && is_harmless(&ran.told));
    }
    ended.store(true, std::sync::atomic::Ordering::Relaxed);
    writer.join().unwrap();
}

#[test]
fn what_a_repository_and_an_environment_say_of_the_tool() {
    let near = near(9);
    let trap = "touch ran";
    // Policies: paths with a reason, and nothing else.
    let policies: Vec<(&str, String)> = vec![
        ("another host", "endpoint = \"https://evil.example\"\n".into()),
        ("another host in a table", "[twilio]\nhost = \"evil.example\"\n".into()),
        ("everything allowed without a reason", "[[allow]]\npath = \"**\"\n".into()),
        ("a reason of blanks", "[[allow]]\npath = \"**\"\nreason = \"  \"\n".into()),
        ("rules switched off", "disable = [\"auth_token\"]\n".into()),
        ("a command", format!("hook = \"{trap}\"\n")),
        ("noise", "\u{1b}[2J = = =".into()),
        ("tables in tables, 50,000 deep", format!("a = {}", "[".repeat(50_000))),
        ("a pattern that is none", "[[allow]]\npath = \"[z-a\"\nreason = \"because so\"\n".into()),
    ];
    all(policies, 9, |(case, policy)| {
        let folder = repository();
        write(folder.path(), "near.env", &near.text);
        write(folder.path(), ".sidsweep.toml", policy);
        // It is named and followed in nothing.
        let ran = bounded(folder.path(), &["scan", ".", "--format", "json"], &[]);
        assert_eq!(ran.code, Some(1), "{case}: {} {}", ran.out, ran.told);
        assert!(ran.report()["skipped"].to_string().contains(".sidsweep.toml"), "{case}: {}", ran.out);
        assert!(ran.told.contains(".sidsweep.toml") && is_harmless(&ran.told), "{case}: {:?}", ran.told);
        assert!(!folder.path().join("ran").exists(), "{case}");
    });
    // What git would run.
    let folder = repository();
    let at = folder.path();
    write(at, "near.env", &near.text);
    write(at, ".gitattributes", "*.env filter=evil diff=evil\n");
    commit(at, "near");
    for (name, value) in [
        ("core.fsmonitor", trap),
        ("core.sshCommand", trap),
        ("core.editor", trap),
        ("core.pager", trap),
        ("core.hooksPath", "."),
        ("core.alternateRefsCommand", trap),
        ("filter.evil.smudge", trap),
        ("filter.evil.clean", trap),
        ("diff.evil.textconv", trap),
        ("diff.external", trap),
        ("uploadpack.packObjectsHook", trap),
        ("credential.helper", "!touch ran"),
        ("include.path", "../evil.config"),
        ("gpg.program", trap),
        ("alias.scan", "!touch ran"),
    ] {
        git(at, &["config", name, value]);
    }
    write(at, "evil.config", "[core]\n\tfsmonitor = touch ran\n");
    write(at, "other.env", &near.text);
    git(at, &["-c", "core.fsmonitor=", "-c", "filter.evil.clean=cat", "add", "other.env"]);
    for arguments in
        [&["--history"][..], &["--staged"], &["."], &["--range", "HEAD..HEAD", "--fail-on", "never"]]
    {
        let mut all = vec!["scan"];
        all.extend(arguments);
        let ran = bounded(at, &all, &[]);
        assert!(matches!(ran.code, Some(0 | 1)), "{arguments:?}: {}", ran.told);
        assert!(!at.join("ran").exists(), "{arguments:?} runs something");
    }
    // Environments that send it elsewhere, or let git run something.
    let environments: Vec<(&str, &[(&str, &str)], Option<i32>)> = vec![
        ("another host", &[("SIDSWEEP_TWILIO_ENDPOINT", "https://evil.example")], Some(2)),
        (
            "a host that only looks like here",
            &[("SIDSWEEP_TWILIO_ENDPOINT", "https://127.0.0.1.evil.example:443")],
            Some(2),
        ),
        (
            "a user that looks like a host",
            &[("SIDSWEEP_TWILIO_ENDPOINT", "https://127.0.0.1@evil.example")],
            Some(2),
        ),
        ("here, but without TLS", &[("SIDSWEEP_TWILIO_ENDPOINT", "http://127.0.0.1:9")], Some(2)),
        ("an endpoint that is none", &[("SIDSWEEP_TWILIO_ENDPOINT", "\u{1b}[2J")], Some(2)),
    ];
    all(environments, 5, |(case, environment, code)| {
        let ran = bounded(at, &["scan", ".", "--verify"], environment);
        assert_eq!(ran.code, code, "{case}: {} {}", ran.out, ran.told);
        assert!(
            ran.told.contains("SIDSWEEP_TWILIO_ENDPOINT") && is_harmless(&ran.told),
            "{case}: {:?}",
            ran.told
        );
    });
    for environment in [
        [("GIT_EXTERNAL_DIFF", "touch ran")],
        [("GIT_CONFIG_PARAMETERS", "'core.fsmonitor=touch ran'")],
        [("GIT_SSH_COMMAND", "touch ran")],
        [("GIT_TRACE", "1")],
        [("RUST_LOG", "trace")],
        [("COLUMNS", "-1")],
    ] {
        let ran = bounded(at, &["scan", "--history"], &environment);
        assert_eq!(ran.code, Some(1), "{environment:?}: {}", ran.told);
        assert!(
            !at.join("ran").exists() && !ran.told.contains(&near.token) && !ran.out.contains(&near.token)
        );
    }
}

#[test]
fn files_that_are_handed_on() {
    let deep = format!("{{\"findings\":{}", "[".repeat(200_000));
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("noise", (0..=255).collect()),
        ("brackets without an end", deep.into_bytes()),
        ("a number without an end", [b"{\"schema\":".to_vec(), b"9".repeat(1_000_000)].concat()),
        ("another schema", br#"{"schema":"sidsweep/report/99","findings":[]}"#.to_vec()),
        ("a list", b"[]".to_vec()),
        ("a string of escapes", br#"{"schema":"\u001b[2J"}"#.to_vec()),
        ("the wrong types", br#"{"schema":"sidsweep/report/1","findings":{"a":1},"credentials":7}"#.to_vec()),
    ];
    let commands: [&[&str]; 9] = [
        &["report", "file"],
        &["verify", "file"],
        &["revoke", "plan", "file"],
        &["revoke", "apply", "file", "--yes"],
        &["revoke", "status", "--journal", "file"],
        &["scan", ".", "--baseline", "file"],
        &["scan", ".", "--rules", "file"],
        &["scan", ".", "--policy", "file"],
        &["revoke", "guide", "file"],
    ];
    all(files, 8, |(case, bytes)| {
        let folder = tempfile::tempdir().unwrap();
        // A journal's last line without an end is one that was being written.
        let bytes = if bytes.is_empty() { bytes } else { [bytes, b"\n".to_vec()].concat() };
        fs::write(folder.path().join("file"), bytes).unwrap();
        for arguments in commands {
            let endpoint = [
                ("SIDSWEEP_TWILIO_ENDPOINT", "https://127.0.0.1:9"),
                ("SIDSWEEP_ADMIN_USER", "none"),
                ("SIDSWEEP_ADMIN_SECRET", "none"),
            ];
            let ran = bounded(folder.path(), arguments, &endpoint);
            // An empty file is an empty journal, an empty policy and empty rules.
            let is_empty = case == "nothing"
                && (arguments.contains(&"--journal")
                    || arguments.contains(&"--rules")
                    || arguments.contains(&"--policy"));
            assert_eq!(
                ran.code,
                Some(if is_empty { 0 } else { 2 }),
                "{case}, {arguments:?}: {} {}",
                ran.out,
                ran.told
            );
            assert!(
                is_harmless(&ran.told) && ran.told.lines().count() < 20 && ran.told.len() < 5_000,
                "{case}, {arguments:?}: {}",
                ran.told
            );
            assert!(is_empty || !ran.told.trim().is_empty(), "{case}, {arguments:?}");
        }
    });
}

#[test]
fn addresses_of_repositories() {
    let addresses = [
        "ext::sh -c touch% ran",
        "--upload-pack=touch ran",
        "-oProxyCommand=touch ran",
        "fd::17",
        "https://",
        "https:///x",
        "javascript:alert(1)",
        "\u{1b}[2J",
        "https://user:password@host",
        "ssh://-oProxyCommand=touch/x",
    ];
    all(addresses.to_vec(), 10, |address| {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "list", format!("{address}\n"));
        let database = format!("sqlite:{}", folder.path().join("a.db").display());
        let mirrors = folder.path().join("m");
        let ran = bounded(
            folder.path(),
            &["audit", "list:list", "--database", &database, "--mirrors", &mirrors.display().to_string()],
            &[],
        );
        assert_eq!(ran.code, Some(2), "{address}: {} {}", ran.out, ran.told);
        assert!(is_harmless(&ran.told) && !ran.told.trim().is_empty(), "{address}: {:?}", ran.told);
        assert!(!folder.path().join("ran").exists(), "{address}");
        assert!(!ran.told.contains("password"), "{address}");
    });
}
