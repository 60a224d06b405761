//! Archives and compressed files, in trees, history, changes and on standard input: what stands inside is found, and what
//! cannot be read is named at a bounded cost.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::io::{Cursor, Write};
use std::process::Stdio;

use common::archive::{gzipped, zipped};
use common::{commit, git, report, run, sidsweep, stderr, write};
use serde_json::Value;
use zip::write::SimpleFileOptions;

/// A file with a leak, and its token.
fn leak(seed: u64) -> (String, String) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut hex = || (0..32).map(|_| char::from(b"0123456789abcdef"[random.usize(..16)])).collect::<String>();
    let (account, token) = (hex(), hex());
    (format!("TWILIO_ACCOUNT_SID=AC{account}\nTWILIO_AUTH_TOKEN={token}\n"), token)
}

fn tarred(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        // As hostile archives have it: the library itself refuses such a name.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        archive.append(&header, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

fn bzipped(bytes: &[u8]) -> Vec<u8> {
    let mut stream = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    stream.write_all(bytes).unwrap();
    stream.finish().unwrap()
}

fn xzipped(bytes: &[u8]) -> Vec<u8> {
    let mut stream = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    stream.write_all(bytes).unwrap();
    stream.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn tokens(report: &Value) -> Vec<&Value> {
    report["findings"].as_array().unwrap().iter().filter(|f| f["kind"] == "auth_token").collect()
}

/// Every kind, with the path that its leak is found at.
fn kinds(text: &[u8]) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let tar = tarred(&[("readme.txt", b"hello"), ("conf/app.env", text)]);
    vec![
        ("a.zip", zipped(&[("x.txt", b"x"), ("conf/app.env", text)]), "a.zip!/conf/app.env"),
        ("b.jar", zipped(&[("inner.zip", &zipped(&[("app.env", text)]))]), "b.jar!/inner.zip!/app.env"),
        ("c.tar", tar.clone(), "c.tar!/conf/app.env"),
        ("d.tar.gz", gzipped(&tar), "d.tar.gz!/conf/app.env"),
        ("e.env.gz", gzipped(text), "e.env.gz!/e.env"),
        ("f.env.bz2", bzipped(text), "f.env.bz2!/f.env"),
        ("g.tar.xz", xzipped(&tar), "g.tar.xz!/conf/app.env"),
        ("h.env.zst", [zstd(b"# first frame; "), zstd(text)].concat(), "h.env.zst!/h.env"),
        (
            "i.bin",
            zipped(&[("deep.tar.gz", &gzipped(&tarred(&[("z.zip", &zipped(&[("app.env", text)]))])))]),
            "i.bin!/deep.tar.gz!/z.zip!/app.env",
        ),
        ("j.tgz", gzipped(&tarred(&[("../../etc/cron.d/x", text)])), "j.tgz!/../../etc/cron.d/x"),
    ]
}

#[test]
fn what_stands_in_an_archive_is_found_with_its_path() {
    let (text, token) = leak(1);
    for (name, bytes, expected) in kinds(text.as_bytes()) {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), name, &bytes);
        let (found, code) = report(folder.path(), &["--show-secrets"]);
        let all = tokens(&found);
        assert_eq!((all.len(), code), (1, 1), "{name}: {found}");
        assert_eq!(all[0]["path"], expected);
        assert_eq!(
            (&all[0]["line"], &all[0]["value"]),
            (&Value::from(2), &Value::from(token.clone())),
            "{name}"
        );
        assert_eq!(found["skipped"], serde_json::json!([]), "{name}");
        let here: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(here.len(), 1, "{name}: nothing is written");
        let mut child = sidsweep()
            .args(["scan", "--stdin", "--stdin-path", name, "--format", "json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&bytes).unwrap();
        let output = child.wait_with_output().unwrap();
        let piped: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(tokens(&piped)[0]["path"], expected, "standard input");
    }
}

#[test]
fn archives_in_history_and_in_changes_are_opened_too() {
    let (text, _) = leak(2);
    let folder = common::repository();
    let here = folder.path();
    write(here, "readme.md", "hello\n");
    let first = commit(here, "First");
    for (name, bytes, _) in kinds(text.as_bytes()) {
        write(here, &format!("dist/{name}"), bytes);
    }
    git(here, &["add", "-A"]);
    let (staged, code) = report(here, &["--staged"]);
    assert_eq!((tokens(&staged).len(), code), (10, 1), "{staged}");
    let brought = commit(here, "Add builds");
    std::fs::remove_dir_all(here.join("dist")).unwrap();
    let removed = commit(here, "Take them out");
    git(here, &["gc", "-q"]);
    let (found, code) = report(here, &["--history"]);
    assert_eq!((tokens(&found).len(), code), (10, 1), "{found}");
    for finding in tokens(&found) {
        assert!(finding["path"].as_str().unwrap().starts_with("dist/"), "{finding}");
        assert_eq!(finding["commit"]["id"], Value::from(brought.clone()), "{finding}");
        assert_eq!(finding["removed_by"]["id"], Value::from(removed.clone()), "{finding}");
        assert_eq!(finding["at_head"], false);
    }
    assert_eq!(
        found["credentials"].as_array().unwrap().iter().filter(|c| c["type"] == "auth_token").count(),
        1
    );
    let (range, _) = report(here, &["--range", &format!("{first}..HEAD")]);
    assert_eq!(tokens(&range).len(), 10, "{range}");
    // A saved report finds its value in the archive again; what a newer version adds is all that is new.
    write(here, "one.zip", zipped(&[("app.env", text.as_bytes())]));
    commit(here, "One");
    write(here, "one.zip", zipped(&[("app.env", text.as_bytes()), ("more.txt", b"nothing")]));
    git(here, &["add", "-A"]);
    assert_eq!(report(here, &["--staged"]).1, 0, "the value was there before");
}

fn encrypted(mut bytes: Vec<u8>) -> Vec<u8> {
    // The flag in the local header and in the directory.
    for (mark, at) in [(&b"PK\x03\x04"[..], 6), (b"PK\x01\x02", 8)] {
        let place = memchr::memmem::find(&bytes, mark).unwrap();
        bytes[place + at] |= 1;
    }
    bytes
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_read() {
    let (text, _) = leak(3);
    let text = text.as_bytes();
    let bomb = gzipped(&vec![0; 300 << 20]);
    assert!(bomb.len() < 4 << 20);
    let mut deep = text.to_vec();
    for _ in 0..8 {
        deep = zipped(&[("inner.zip", &deep)]);
    }
    let tar = tarred(&[("app.env", text), ("big.bin", &[b'x'; 4096])]);
    let gz = gzipped(&tar);
    let cases: Vec<(&str, Vec<u8>, usize, &str)> = vec![
        ("bomb.gz", bomb.clone(), 0, "far more than its size"),
        ("bomb.zip", zipped(&[("app.env", text), ("bomb.gz", &bomb)]), 1, "far more than its size"),
        ("deep.zip", deep, 0, "more than 5 deep"),
        ("short.tar", tar[..1200].to_vec(), 1, "to its end"),
        ("short.tar.gz", gz[..gz.len() - 40].to_vec(), 1, ""),
        (
            "short.zip",
            zipped(&[("app.env", b"nothing"), ("b", b"nothing")])[..60].to_vec(),
            0,
            "a zip that cannot be read",
        ),
        ("short.xz", xzipped(&vec![b'y'; 100_000])[..60].to_vec(), 0, ""),
        ("short.zst", zstd(&vec![b'z'; 100_000])[..8].to_vec(), 0, ""),
    ];
    for (name, bytes, found, words) in cases {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), name, &bytes);
        let (seen, code) = report(folder.path(), &[]);
        assert_eq!(tokens(&seen).len(), found, "{name}: {seen}");
        let skipped = seen["skipped"].as_array().unwrap();
        assert!(!skipped.is_empty(), "{name}");
        assert!(skipped.iter().any(|s| s["reason"].as_str().unwrap().contains(words)), "{name}: {skipped:?}");
        assert!(skipped.iter().all(|s| s["path"].as_str().unwrap().starts_with(name)), "{name}: {skipped:?}");
        assert_eq!(code, if found > 0 { 1 } else { 2 }, "{name}: no all-clear");
        let output = run(folder.path(), &["scan"]);
        assert!(stderr(&output).is_empty() && !output.stdout.is_empty(), "{name}: named in the text");
    }
}

#[test]
fn an_encrypted_zip_is_a_container_that_is_not_opened() {
    let (text, _) = leak(3);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "locked.zip", encrypted(zipped(&[("app.env", text.as_bytes())])));
    let (seen, code) = report(folder.path(), &[]);
    assert_eq!((code, &seen["skipped"]), (0, &serde_json::json!([])), "{seen}");
    let opaque = &seen["opaque"][0];
    assert_eq!(opaque["container"], "an encrypted entry of a zip");
    assert!(opaque["path"].as_str().unwrap().starts_with("locked.zip!/"), "{opaque}");
    assert_eq!(report(folder.path(), &["--fail-on-opaque"]).1, 2);
}

#[test]
fn what_only_begins_like_an_archive_is_searched_as_it_is() {
    let (text, _) = leak(4);
    for begin in [
        &b"PK\x03\x04 "[..],
        b"\x1f\x8b\x08\x00 ",
        b"BZh9 is a name\n",
        b"\xfd7zXZ\x00 ",
        b"\x28\xb5\x2f\xfd ",
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "notes.txt", [begin, b"\n", text.as_bytes()].concat());
        let (found, code) = report(folder.path(), &[]);
        assert_eq!((tokens(&found).len(), code), (1, 1), "{begin:?}: {found}");
        assert_eq!(tokens(&found)[0]["path"], "notes.txt");
    }
}

#[test]
fn a_zip_of_very_many_entries_costs_a_bounded_time() {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for number in 0..210_000 {
        archive.start_file(format!("{number}"), options).unwrap();
    }
    let bytes = archive.finish().unwrap().into_inner();
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "many.zip", bytes);
    let (found, code) = report(folder.path(), &[]);
    assert_eq!(code, 2);
    assert!(found["skipped"].to_string().contains("more than 200000 entries"), "{}", found["skipped"]);
}
