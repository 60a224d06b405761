//! Archives and compressed files, in trees, history, changes and on standard input: what stands inside is found, and what
//! cannot be read is named at a bounded cost.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::io::{Cursor, Write};
use std::process::Stdio;

use common::archive::{
    ar, brotli, bzipped, compressed, cpio, gzipped, lz4, lzipped, lzma, old_cpio, rpm, seven_zipped, skipped,
    snappy, sparse, tar_entry, tar_of, tarred, xzipped, zipped, zstd,
};
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

fn tokens(report: &Value) -> Vec<&Value> {
    report["findings"].as_array().unwrap().iter().filter(|f| f["kind"] == "auth_token").collect()
}

/// Every kind, with the path that its leak is found at.
fn kinds(text: &[u8]) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let mut kinds = common_kinds(text);
    kinds.extend(odd_zips(text));
    kinds.extend(odd_tars(text));
    kinds.extend(other_kinds(text));
    kinds
}

fn common_kinds(text: &[u8]) -> Vec<(&'static str, Vec<u8>, &'static str)> {
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

/// Zips behind something else, and one in which a name comes twice.
fn odd_zips(text: &[u8]) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let zip = zipped(&[("conf/app.env", text)]);
    let mut commented = zip.clone();
    *commented.last_chunk_mut().unwrap() = 7_u16.to_le_bytes();
    commented.extend(b"comment");
    let behind = |head: &[u8], zip: &[u8]| [head, &[0x90; 3000], zip].concat();
    // The list at the zip's end is found by its end, the names by the list.
    let mut twice = zipped(&[("a.env", text), ("b.env", b"nothing"), ("c.env", b"nothing")]);
    for name in [b"b.env", b"c.env"] {
        let places: Vec<usize> = memchr::memmem::find_iter(&twice, name).collect();
        for at in places {
            twice[at..at + 5].copy_from_slice(b"a.env");
        }
    }
    vec![
        ("k.pyz", [b"#!/usr/bin/env python3\n", &zip[..]].concat(), "k.pyz!/conf/app.env"),
        ("l.exe", behind(b"MZ\x90\0\x03\0\0\0", &commented), "l.exe!/conf/app.env"),
        ("m.crx", behind(b"Cr24\x03\0\0\0", &zip), "m.crx!/conf/app.env"),
        ("n.bin", behind(b"anything\n", &zip), "n.bin!/conf/app.env"),
        ("n.exe", [behind(b"MZ\x90\0", &zip), vec![9; 5000]].concat(), "n.exe!/conf/app.env"),
        ("n.jmod", [b"JM\x01\0", &zip[..]].concat(), "n.jmod!/conf/app.env"),
        ("o.zip", twice, "o.zip!/a.env"),
        ("p.tar", tarred(&[("app.jar", &behind(b"#!/bin/sh\n", &zip))]), "p.tar!/app.jar!/conf/app.env"),
    ]
}

/// Tars with entries of other types, joined ones, and one without a mark.
fn odd_tars(text: &[u8]) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let entry = |kind: u8| tar_of(&[tar_entry(b"app.env", kind, text)]);
    let joined = [tarred(&[("readme.txt", b"hello")]), tarred(&[("app.env", text)])].concat();
    let mut old = entry(0);
    old[257..265].fill(0);
    old[148..156].fill(b' ');
    let sum: u32 = old[..512].iter().map(|&byte| u32::from(byte)).sum();
    old[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    vec![
        ("q.tar", tar_of(&[sparse(b"app.env", 1 << 20, text)]), "q.tar!/app.env"),
        ("r.tar", entry(b'7'), "r.tar!/app.env"),
        ("s.tar", entry(b'Z'), "s.tar!/app.env"),
        ("t.tar", joined.clone(), "t.tar!/app.env"),
        ("u.tgz", gzipped(&joined), "u.tgz!/app.env"),
        ("v.tar", old, "v.tar!/app.env"),
    ]
}

/// What is seldom met.
fn other_kinds(text: &[u8]) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let tar = tarred(&[("conf/app.env", text)]);
    let control = tarred(&[("./control", b"Package: sms\n")]);
    let deb = ar(&[
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", &gzipped(&control)),
        ("data.tar.xz", &xzipped(&tar)),
    ]);
    let files = [("readme.txt", &b"hello"[..]), ("conf/app.env", text)];
    // Of rows that repeat and of some that do not, so that all widths of codes are met.
    let mut random = fastrand::Rng::with_seed(7);
    let noise: Vec<u8> = (0..300_000).map(|_| random.alphanumeric() as u8 & 0x4f | 0x20).collect();
    let long = [b"# ", &noise[..], b" ", text].concat();
    vec![
        ("aa.zst", [skipped(b"about"), zstd(b"# x; "), skipped(b""), zstd(text)].concat(), "aa.zst!/aa"),
        ("ab.env.gz", [gzipped(b"# x; "), gzipped(text)].concat(), "ab.env.gz!/ab.env"),
        ("ac.lz4", lz4(text), "ac.lz4!/ac"),
        ("ad.lz4", [skipped(b"x"), lz4(b"# x; "), skipped(b"y"), lz4(text)].concat(), "ad.lz4!/ad"),
        ("ae.tar.sz", snappy(&tar), "ae.tar.sz!/conf/app.env"),
        ("af.lzma", lzma(text, None), "af.lzma!/af"),
        ("ag.tar.lzma", lzma(&tar, Some(tar.len() as u64)), "ag.tar.lzma!/conf/app.env"),
        ("ah.env.lz", [lzipped(b"# x; "), lzipped(text)].concat(), "ah.env.lz!/ah.env"),
        ("ai.tar.Z", compressed(&tar, 16), "ai.tar.Z!/conf/app.env"),
        ("aj.env.Z", compressed(&long, 12), "aj.env.Z!/aj.env"),
        ("ak.env.Z", compressed(&long, 16), "ak.env.Z!/ak.env"),
        ("al.7z", seven_zipped(&files), "al.7z!/conf/app.env"),
        ("at.env.br", brotli(text), "at.env.br!/at.env"),
        ("au.tar.br", brotli(&tar), "au.tar.br!/conf/app.env"),
        ("av.zip", zipped(&[("b.7z", &seven_zipped(&files))]), "av.zip!/b.7z!/conf/app.env"),
        ("am.deb", deb, "am.deb!/data.tar.xz!/conf/app.env"),
        ("an.a", ar(&[("a-file-with-a-long-name.env", text)]), "an.a!/a-file-with-a-long-name.env"),
        ("ao.cpio", cpio(&files), "ao.cpio!/conf/app.env"),
        ("ap.cpio.gz", gzipped(&old_cpio(&files)), "ap.cpio.gz!/conf/app.env"),
        (
            "aq.img",
            [cpio(&[("x", b"x")]), vec![0; 512], gzipped(&cpio(&files))].concat(),
            "aq.img!/rest!/conf/app.env",
        ),
        ("ar.rpm", rpm(b"sms", &gzipped(&cpio(&files))), "ar.rpm!/payload!/conf/app.env"),
        ("as.rpm", rpm(text, &gzipped(&cpio(&[("x", b"x")]))), "as.rpm!/header"),
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
    let kinds = kinds(text.as_bytes());
    let count = kinds.len();
    for (name, bytes, _) in kinds {
        write(here, &format!("dist/{name}"), bytes);
    }
    git(here, &["add", "-A"]);
    let (staged, code) = report(here, &["--staged"]);
    assert_eq!((tokens(&staged).len(), code), (count, 1), "{staged}");
    let brought = commit(here, "Add builds");
    std::fs::remove_dir_all(here.join("dist")).unwrap();
    let removed = commit(here, "Take them out");
    git(here, &["gc", "-q"]);
    let (found, code) = report(here, &["--history"]);
    assert_eq!((tokens(&found).len(), code), (count, 1), "{found}");
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
    assert_eq!(tokens(&range).len(), count, "{range}");
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
