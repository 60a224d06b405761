//! A source cannot end without a balance: whatever its reader does, what the source knew of is read, skipped or opaque.

use std::io::{self, Read};

use sidsweep::detect::Detector;
use sidsweep::model::{NOT_TO_ITS_END, Tally, Unit};
use sidsweep::rules::Rules;
use sidsweep::scan::look;
use sidsweep::source::archive;
use sidsweep::source::tree::{self, Opened};

mod common;

const OPTIONS: tree::Options = tree::Options {
    no_ignore: false,
    max_file_size: None,
    jobs: 2,
    stop: sidsweep::source::stop::Stop::NEVER,
};

/// Gives some bytes and then fails.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("the disk is gone")),
            length => Ok(length),
        }
    }
}

#[test]
fn a_walk_whose_visitor_lets_go_of_files_names_each() {
    let folder = tempfile::tempdir().expect("a folder");
    for number in 0..300 {
        common::write(folder.path(), &format!("{}/{number}.txt", number % 7), "words");
    }
    let tally = Tally::default();
    let roots = [folder.path().to_owned()];
    tree::walk(&roots, &OPTIONS, &tally, || {
        |Opened { known, .. }: Opened<'_>| {
            // Every third is read; of the others nothing is said at all.
            if known.name().len() % 3 == 0 {
                known.read();
            }
        }
    })
    .expect("a walk");
    let coverage = tally.end();
    let (unit, count) = coverage.counts().next().expect("files");
    assert_eq!((unit, count.known), (Unit::Files, 300));
    assert!(count.skipped > 50 && count.read > 0 && coverage.is_balanced(), "{count:?}");
    assert_eq!(coverage.skipped().len() as u64, count.skipped);
    assert!(coverage.skipped().iter().all(|unread| unread.reason == NOT_TO_ITS_END));
}

#[test]
fn a_stream_that_fails_is_an_error_and_never_an_end() {
    let detector = Detector::new(Rules::built_in());
    for length in [0, 10, 600, 70_000, 2_000_000] {
        let bytes = vec![b'x'; length];
        assert!(sidsweep::scan::stream(&detector, "a", Failing(&bytes)).is_err(), "{length}");
        // The same of an archive, wherever it fails.
        let archive = common::archive::gzipped(&bytes);
        for end in [12, archive.len() / 2, archive.len() - 1, archive.len()] {
            let part = &archive[..end.min(archive.len())];
            assert!(sidsweep::scan::stream(&detector, "a.gz", Failing(part)).is_err(), "{length} {end}");
        }
    }
}

#[test]
fn an_entry_whose_visitor_fails_is_skipped() {
    let zip = common::archive::zipped(&[("a", b"words"), ("b", b"words"), ("c", b"words")]);
    let tally = Tally::default();
    let mut visit = |path: &str, source: &mut dyn Read| {
        if path.ends_with('b') {
            return Err(io::Error::other("the disk is gone"));
        }
        io::copy(source, &mut io::sink()).map(|_| ())
    };
    let mut source = io::Cursor::new(&zip);
    let was_any = archive::expand(archive::Kind::Zip, &mut source, zip.len() as u64, "z", &mut visit, &tally);
    let coverage = tally.end();
    let counts: Vec<_> = coverage.counts().map(|(unit, c)| (unit, c.known, c.read, c.skipped)).collect();
    assert!(was_any);
    assert_eq!(counts, [(Unit::Entries, 3, 2, 1)]);
    assert_eq!(coverage.skipped()[0].path, "z!/b");
}

#[test]
fn every_thread_of_a_scan_counts_into_one_balance() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    common::git(here, &["init", "-q"]);
    for number in 0..200 {
        common::write(here, &format!("{}/{number}.txt", number % 9), format!("{number}\n"));
    }
    common::commit(here, "all");
    common::git(here, &["repack", "-adq"]);
    let objects: u64 = common::git(here, &["count-objects", "-v"])
        .lines()
        .find_map(|line| line.strip_prefix("in-pack: "))
        .and_then(|number| number.parse().ok())
        .expect("a number");
    let detector = Detector::new(Rules::built_in());
    let progress = sidsweep::scan::Progress::default();
    for jobs in [1, 4] {
        let scanned = sidsweep::scan::history::scan(&detector, here, jobs, false, &progress).expect("a scan");
        let counts: Vec<_> = scanned.coverage.counts().map(|(unit, c)| (unit, c.known, c.read)).collect();
        assert_eq!(counts, [(Unit::Objects, objects, objects), (Unit::References, 1, 1)]);
        let options = tree::Options { jobs, ..OPTIONS };
        let scanned = sidsweep::scan::trees(&detector, &[here.to_owned()], &options, &progress);
        let counts: Vec<_> = scanned.expect("a scan").coverage.counts().collect();
        assert_eq!((counts.len(), counts[0].1.known, counts[0].1.read), (1, 200, 200));
    }
}

#[test]
fn what_is_looked_at_says_what_is_left_of_it() {
    let detector = Detector::new(Rules::built_in());
    let tally = Tally::default();
    let left = |bytes: &[u8], path: &str| look::bytes(&detector, bytes, path, &tally).left;
    assert_eq!(left(b"words", "a.txt"), look::Left::Nothing);
    assert_eq!(left(b"Rar!\x1a\x07\x01\0", "a.txt"), look::Left::Container("a RAR archive"));
    let pointer =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 1\n", "a1".repeat(32));
    assert_eq!(left(pointer.as_bytes(), "a.bin"), look::Left::Content);
    assert!(tally.end().is_balanced());
}
