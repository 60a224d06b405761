//! Packs made by git: every object is told of once, as git has it, and what is told of without its bytes holds nothing.

mod common;

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use common::fixture::Mint;
use fastrand::Rng;
use gix::ObjectId;
use gix::object::Kind;
use sidsweep::detect::Detector;
use sidsweep::model::Tally;
use sidsweep::rules::Rules;
use sidsweep::scan::look::{self, Traces};
use sidsweep::source::entries;
use sidsweep::source::objects::Objects;
use sidsweep::source::pack::Sieve as _;
use sidsweep::source::versions::{Packs, Versions};

/// A word that detection begins with, ends with, or nearly does: whole ones come together where edits join their parts.
fn word(random: &mut Rng, mint: &mut Mint) -> String {
    let n = random.u32(0..40);
    let value = match random.u8(0..20) {
        0 => mint.fill(&format!("{{{{token:{n}}}}}")).0,
        1 => mint.fill(&format!("{{{{ac:{n}}}}}")).0,
        2 => mint.fill(&format!("{{{{secret:{n}}}}}")).0,
        3 => mint.fill(&format!("AUTH_TOKEN={{{{token:{n}}}}}")).0,
        // Its first long run stands far behind its start.
        4 => {
            let text = format!("{}{{{{token:{n}}}}} ", "T>?>?>?=?>".repeat(random.usize(1..30)));
            data_encoding::BASE64.encode(mint.fill(&text).0.repeat(2).as_bytes())
        }
        5 => mint.fill(&format!("{{{{token:{n}}}}}")).0.bytes().map(|b| format!("\\x{b:02x}")).collect(),
        6 => mint.fill(&format!("{{{{token:{n}}}}}")).0.bytes().map(|b| format!("&#{b};")).collect(),
        7 => mint.fill(&format!("{{{{token:{n}}}}}")).0.chars().flat_map(|c| [c, '\0']).collect(),
        8 => "Content-Transfer-Encoding: quoted-printable".into(),
        9 => (0..random.usize(20..90)).map(|_| random.alphanumeric()).collect(),
        10 => "eyJhbGciOiJIUzI1NiIsImN0eSI6InR3aWxpby1mcGE7dj0xIn0.eyJhIjoxfQ.c2ln".into(),
        11 => "sgp_".into(),
        12..15 => {
            hidden(random.u8(0..6), &mint.fill(&format!("AUTH_TOKEN={{{{token:{n}}}}} AC {{{{ac:{n}}}}}")).0)
        }
        _ => "const twilio = require('twilio');".into(),
    };
    // Cut in two, or only a part of it.
    let at = random.usize(0..=value.chars().count());
    let (start, end): (String, String) = (value.chars().take(at).collect(), value.chars().skip(at).collect());
    match random.u8(0..8) {
        0 => start,
        1 => end,
        2 => value,
        _ => format!("{start}{CUT}{end}"),
    }
}

/// A text as it is hidden: gzip in base64, base64 in short pieces, hexadecimal.
fn hidden(kind: u8, text: &str) -> String {
    let encoded = data_encoding::BASE64.encode(text.repeat(2).as_bytes());
    let pieces = |width: usize, between: &str| {
        let lines: Vec<&str> =
            encoded.as_bytes().chunks(width).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        lines.join(between)
    };
    match kind {
        0 | 1 => data_encoding::BASE64.encode(&common::archive::gzipped(text.as_bytes())),
        2 => pieces(37, "\n"),
        3 => pieces(61, " "),
        4 => format!("0x{}", data_encoding::HEXLOWER.encode(text.as_bytes())),
        _ => pieces(76, "\\n"),
    }
}

/// Where a word is cut in two, until an edit takes it away.
const CUT: &str = "|~|";

fn line(random: &mut Rng, mint: &mut Mint) -> Vec<u8> {
    let separators = [" ", "", "\n", "=", "'", "\"", "+", "/", "-", "_", "\r\n", ": "];
    let mut line = Vec::new();
    let plain = random.u8(0..10) < 6;
    for _ in 0..random.usize(1..8) {
        if plain {
            line.extend(format!("word{} ", random.u16(..)).bytes());
        } else {
            line.extend(word(random, mint).bytes());
            line.extend(random.choice(separators).unwrap_or(" ").bytes());
        }
    }
    line
}

/// The next version of a file: lines are put in, taken out, moved, and cut in the middle.
fn edit(text: &[u8], random: &mut Rng, mint: &mut Mint) -> Vec<u8> {
    let mut text = text.to_vec();
    for _ in 0..random.usize(1..5) {
        let at = random.usize(0..=text.len());
        let to = (at + random.usize(0..120)).min(text.len());
        let cuts: Vec<usize> = memchr::memmem::find_iter(&text, CUT).collect();
        match random.u8(0..8) {
            5.. if !cuts.is_empty() => {
                let cut = cuts[random.usize(0..cuts.len())];
                text.drain(cut..cut + CUT.len());
            }
            0 | 1 => drop(text.splice(at..at, line(random, mint))),
            2 => drop(text.drain(at..to)),
            3 => {
                let part = text[at..to].to_vec();
                let place = random.usize(0..=text.len());
                text.splice(place..place, part);
            }
            _ => drop(text.splice(at..to, line(random, mint))),
        }
    }
    if random.u8(0..60) == 0 {
        text.splice(
            0..0,
            [
                &b"PK\x03\x04"[..],
                b"\x1f\x8b\x08\0",
                b"\xff\xfe",
                b"BZh9",
                b"From: a\nTo: b\n",
                b"diff --git a/x b/x\n",
            ][random.usize(0..6)]
            .iter()
            .copied(),
        );
    }
    text
}

fn git(at: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(at)
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    command
}

fn run(at: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = git(at, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("git runs");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input).expect("git reads"));
    let output = child.wait_with_output().expect("git ends");
    writer.join().expect("written");
    assert!(output.status.success(), "git {arguments:?}");
    output.stdout
}

/// A repository of some files with many versions each, in packs with long chains of deltas.
fn repository(seed: u64, hash: &str, traces: &Traces<'_>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    run(at, &["init", "-q", "--bare", &format!("--object-format={hash}"), "."], b"");
    let (mut random, mut mint) = (Rng::with_seed(seed), Mint::new(seed));
    let mut files: Vec<Vec<u8>> =
        (0..6).map(|n| if n < 4 { b"// quiet\n".repeat(200) } else { Vec::new() }).collect();
    let (mut quiet, mut stream) = (files.clone(), Vec::new());
    for n in 0..400 {
        stream.extend(
            format!(
                "commit refs/heads/main\ncommitter A <a@example.org> {} +0000\ndata 1\nx",
                1_700_000_000 + n
            )
            .bytes(),
        );
        let file = random.usize(0..files.len());
        // A version in which something is caught is followed by quiet ones, so that most steps begin at a quiet one.
        if traces.catches(&files[file]) && random.bool() {
            files[file].clone_from(&quiet[file]);
        }
        files[file] = edit(&files[file], &mut random, &mut mint);
        if !traces.catches(&files[file]) {
            quiet[file].clone_from(&files[file]);
        }
        stream
            .extend(format!("\nM 100644 inline d{}/f{file}\ndata {}\n", file % 2, files[file].len()).bytes());
        stream.extend(&files[file]);
        stream.push(b'\n');
    }
    run(at, &["fast-import", "--quiet"], &stream);
    let depth = ["1", "5", "50", "400"][random.usize(0..4)];
    // Deltas by offset as git makes them, and by id as it may.
    let by_offset = format!("repack.useDeltaBaseOffset={}", random.bool());
    run(at, &["-c", &by_offset, "repack", "-qadf", "--window=30", &format!("--depth={depth}")], b"");
    folder
}

/// All objects of a repository as `git cat-file` has them.
fn as_git_has_them(at: &Path) -> HashMap<ObjectId, (String, Vec<u8>)> {
    let mut all = HashMap::new();
    let output = run(at, &["cat-file", "--batch-all-objects", "--batch"], b"");
    let mut rest = &output[..];
    while let Some(end) = rest.iter().position(|&b| b == b'\n') {
        let header = String::from_utf8_lossy(&rest[..end]).into_owned();
        let fields: Vec<&str> = header.split(' ').collect();
        let length: usize = fields[2].parse().expect("a length");
        let data = rest[end + 1..end + 1 + length].to_vec();
        all.insert(ObjectId::from_hex(fields[0].as_bytes()).expect("an id"), (fields[1].to_owned(), data));
        rest = &rest[end + 1 + length + 1..];
    }
    all
}

#[test]
fn objects_that_are_read_one_by_one_are_as_git_has_them_or_not_read() {
    let detector = Detector::new(Rules::built_in());
    let traces = Traces(&detector);
    let (mut right, mut unread) = (0, 0);
    for seed in 0..8 {
        let folder = repository(seed, if seed % 4 == 3 { "sha256" } else { "sha1" }, &traces);
        let mut random = Rng::with_seed(seed);
        let mut expected: Vec<_> = as_git_has_them(folder.path()).into_iter().collect();
        expected.sort_unstable_by_key(|(id, _)| *id);
        for is_damaged in [false, true] {
            if is_damaged {
                let packs = std::fs::read_dir(folder.path().join("objects/pack")).expect("packs");
                let paths = packs.map(|entry| entry.expect("an entry").path());
                let pack = paths.into_iter().find(|path| path.extension().is_some_and(|kind| kind == "pack"));
                let pack = pack.expect("a pack");
                let mut bytes = std::fs::read(&pack).expect("read");
                for _ in 0..20 {
                    let at = random.usize(12..bytes.len() - 20);
                    bytes[at] ^= 1 << random.u8(0..8);
                }
                std::fs::remove_file(&pack).expect("removed");
                std::fs::write(&pack, bytes).expect("written");
            }
            let repository = gix::open(folder.path()).expect("a repository");
            let packs = Packs::of(&repository);
            let mut versions = Versions::of(&repository, &packs);
            random.shuffle(&mut expected);
            for (id, (_, data)) in expected.iter().chain(expected.iter().rev().take(20)) {
                match versions.read(id) {
                    Ok(read) => {
                        assert_eq!(&*read, data, "{id} of seed {seed}");
                        right += 1;
                    }
                    Err(reason) => {
                        assert!(is_damaged && !reason.is_empty(), "{id} of seed {seed}: {reason}");
                        unread += 1;
                    }
                }
            }
        }
    }
    assert!(right > 5_000 && unread > 100, "{right} {unread}");
}

/// An object's kind, length and, if they were shown, bytes.
type Told = (Kind, u64, Option<Vec<u8>>);

#[test]
fn every_object_is_told_of_as_git_has_it_and_what_is_not_shown_holds_nothing() {
    let detector = Detector::new(Rules::built_in());
    let traces = Traces(&detector);
    let (mut shown, mut clear, mut with_hits) = (0, 0, 0);
    for seed in 0..std::env::var("SEEDS").map_or(40, |n| n.parse().expect("a number")) {
        let folder = repository(seed, if seed % 4 == 3 { "sha256" } else { "sha1" }, &traces);
        let expected = as_git_has_them(folder.path());
        let repository = gix::open(folder.path()).expect("a repository");
        let tally = Tally::default();
        let objects = Objects::of(&repository, 2, &tally).expect("objects");
        let told: Mutex<HashMap<ObjectId, Told>> = Mutex::default();
        objects.each(
            &traces,
            |_| false,
            |object| {
                let entry = (object.kind, object.length, object.data.map(<[u8]>::to_vec));
                assert!(
                    told.lock().unwrap().insert(object.id.to_owned(), entry).is_none(),
                    "told of twice: {}",
                    object.id
                );
            },
            &tally,
        );
        let coverage = tally.end();
        assert!(coverage.is_complete() && coverage.is_balanced(), "{coverage:?}");
        let told = told.into_inner().unwrap();
        assert_eq!(told.len(), expected.len(), "seed {seed}");
        for (id, (kind, data)) in expected {
            let (told_kind, length, bytes) = &told[&id];
            assert_eq!(told_kind.to_string(), kind);
            if *told_kind == Kind::Tree {
                // Told by whole entries that it brings.
                let bytes = bytes.as_deref().expect("entries");
                let of =
                    |data| entries::of(data, id.kind()).map(|entry| entry.bytes.to_vec()).collect::<Vec<_>>();
                let all = of(&data);
                assert!(of(bytes).iter().all(|entry| all.contains(entry)), "{id} of seed {seed}");
                assert_eq!(of(bytes).concat(), bytes);
                assert_eq!(*length, data.len() as u64, "{id} of seed {seed}");
                continue;
            }
            assert_eq!(*length, data.len() as u64, "{id} of seed {seed}");
            if *told_kind == Kind::Blob {
                // Asked piece by piece, the sieve says what it says of the whole.
                let head = &data[..data.len().min(Traces::HEAD)];
                let caught = traces.catches_head(head) || traces.catches(&data);
                assert_eq!(bytes.is_some(), caught, "{id} of seed {seed}");
            }
            if let Some(bytes) = bytes {
                assert_eq!(bytes, &data, "{id} of seed {seed}");
                shown += usize::from(*told_kind == Kind::Blob);
                with_hits += usize::from(!detector.detect(&data, "").is_empty());
            } else {
                let unread = Tally::default();
                let found = look::bytes(&detector, &data, "twilio.env", &unread).looked;
                assert!(found.is_empty() && unread.is_complete(), "{id} of seed {seed}: {found:?}");
                clear += 1;
            }
        }
    }
    println!("{shown} shown, {with_hits} of them with hits, {clear} clear");
    assert!(clear > 500 && with_hits > 500, "{clear} {with_hits}");
}
