//! Each source's reader is taken away, by damage or by what is missing: then something is said, and no all-clear. And what somebody
//! accepts as unread is listed and does not count.

use super::*;

/// A Zstandard frame that needs a window of 256 MB, with something in it that cannot be read otherwise.
fn huge_window() -> Vec<u8> {
    let block: Vec<u8> = leak(1).bytes().map(|byte| byte ^ 0xa5).collect();
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x90];
    // The last block, as it is.
    frame.extend_from_slice(&((block.len() as u32) << 3 | 1).to_le_bytes()[..3]);
    frame.extend_from_slice(&block);
    frame
}

fn unreadable(at: &Path) {
    write(at, "fixtures/huge.zst", huge_window());
}

fn accept(path: &str) -> String {
    format!("[[accept_unread]]\npath = \"{path}\"\nreason = \"made for a test\"\n")
}

#[test]
fn what_is_accepted_as_unread_is_listed_and_does_not_count() {
    hold(&[
        situation("a window that is too large", unreadable, TREE, (0, "huge.zst", 2)),
        situation(
            "accepted by name",
            unreadable,
            &[".", "--accept-unread", "fixtures/huge.zst"],
            (0, "\"accepted\": \"--accept-unread fixtures/huge.zst\"", 0),
        ),
        situation(
            "accepted by its ending",
            unreadable,
            &[".", "--accept-unread", "*.zst"],
            (0, "accepted_unread", 0),
        ),
        situation(
            "accepted by its folder",
            unreadable,
            &[".", "--accept-unread", "fixtures/"],
            (0, "accepted_unread", 0),
        ),
        situation(
            "accepted by the second of two",
            unreadable,
            &[".", "--accept-unread", "*.7z", "--accept-unread", "*.zst"],
            (0, "--accept-unread *.7z matches nothing", 0),
        ),
        situation(
            "something else is accepted",
            unreadable,
            &[".", "--accept-unread", "huge.zip"],
            (0, "matches nothing", 2),
        ),
        situation(
            "something of that name in another folder is accepted",
            unreadable,
            &[".", "--accept-unread", "/huge.zst"],
            (0, "matches nothing", 2),
        ),
        situation(
            "a pattern that is none",
            unreadable,
            &[".", "--accept-unread", "[z-a]"],
            (0, "--accept-unread [z-a]", 2),
        ),
        situation(
            "a leak beside what is accepted",
            |at| (unreadable(at), write(at, "near.env", leak(2))).1,
            &[".", "--accept-unread", "*.zst"],
            (1, "accepted_unread", 1),
        ),
        situation(
            "one of two is accepted",
            |at| (unreadable(at), write(at, "other.zst", huge_window())).1,
            &[".", "--accept-unread", "huge.zst"],
            (0, "other.zst", 2),
        ),
        situation(
            "an archive is accepted, and with it what is in it",
            |at| write(at, "a.zip", common::archive::zipped(&[("deep/huge.zst", &huge_window())])),
            &[".", "--accept-unread", "a.zip"],
            (0, "accepted_unread", 0),
        ),
        situation(
            "what is in an archive",
            |at| write(at, "a.zip", common::archive::zipped(&[("deep/huge.zst", &huge_window())])),
            &[".", "--accept-unread", "a.zip/deep/*"],
            (0, "accepted_unread", 0),
        ),
        situation(
            "in a file that is named",
            unreadable,
            &["fixtures/huge.zst", "--accept-unread", "huge.zst"],
            (0, "accepted_unread", 0),
        ),
        situation(
            "in history",
            |at| {
                clean(at);
                unreadable(at);
                commit(at, "more");
                git(at, &["rm", "-q", "fixtures/huge.zst"]);
                git(at, &["commit", "-q", "-m", "gone"]);
            },
            &["--history", "--accept-unread", "*.zst"],
            (0, "accepted_unread", 0),
        ),
        situation(
            "staged",
            |at| {
                clean(at);
                unreadable(at);
                git(at, &["add", "-A"]);
            },
            &["--staged", "--accept-unread", "*.zst"],
            (0, "accepted_unread", 0),
        ),
        situation(
            "a pointer of Git LFS",
            |at| pointer(at, false),
            &[".", "--accept-unread", "settings.env"],
            (0, "accepted_unread", 0),
        ),
        situation(
            "an object that is lost",
            |at| (clean(at), lose(at, "HEAD:a.txt")).1,
            &["--history", "--accept-unread", "a.txt"],
            (0, "accepted_unread", 0),
        ),
        situation(
            "a file above the largest size",
            |at| hole(at, "large.bin", 4),
            &[".", "--max-file-size", "1M", "--accept-unread", "*.bin"],
            (0, "accepted_unread", 0),
        ),
        situation(
            "a container, strictly",
            |at| write(at, "a.rar", b"Rar!\x1a\x07\x01\0"),
            &[".", "--fail-on-opaque", "--accept-unread", "a.rar"],
            (0, "accepted_unread", 0),
        ),
        situation(
            "by a policy",
            |at| {
                clean(at);
                unreadable(at);
                write(at, ".sidsweep.toml", accept("*.zst"));
            },
            TREE,
            (0, ".sidsweep.toml: made for a test", 0),
        ),
        situation(
            "by a policy that says every path",
            |at| {
                clean(at);
                unreadable(at);
                write(at, ".sidsweep.toml", accept("**"));
            },
            TREE,
            (0, "every path of the repository", 0),
        ),
        situation(
            "by a policy whose time is over",
            |at| {
                clean(at);
                unreadable(at);
                write(at, ".sidsweep.toml", accept("*.zst") + "until = 2020-01-01\n");
            },
            TREE,
            (0, "2020-01-01, which is over", 2),
        ),
        situation(
            "by a policy for something else",
            |at| {
                clean(at);
                unreadable(at);
                write(at, ".sidsweep.toml", accept("other.zst"));
            },
            TREE,
            (0, "huge.zst", 2),
        ),
        situation(
            "by a policy without a reason",
            |at| {
                clean(at);
                unreadable(at);
                write(at, ".sidsweep.toml", "[[accept_unread]]\npath = \"*.zst\"\nreason = \" \"\n");
            },
            TREE,
            (0, "followed in nothing", 2),
        ),
        situation(
            "a policy accepts findings, not what is unread",
            |at| {
                clean(at);
                unreadable(at);
                write(at, ".sidsweep.toml", allow("*.zst"));
            },
            TREE,
            (0, "huge.zst", 2),
        ),
        situation(
            "by a policy that comes with it",
            |at| {
                clean(at);
                unreadable(at);
                write(at, ".sidsweep.toml", accept("*.zst"));
                commit(at, "both");
            },
            &["--range", "HEAD~1..HEAD"],
            (0, "huge.zst", 2),
        ),
        situation(
            "by a policy that was there before",
            |at| {
                clean(at);
                write(at, ".sidsweep.toml", accept("*.zst"));
                commit(at, "policy");
                unreadable(at);
                commit(at, "more");
            },
            &["--range", "HEAD~1..HEAD"],
            (0, "accepted_unread", 0),
        ),
        situation(
            "for the second of two roots",
            |at| {
                for name in ["one", "two"] {
                    fs::create_dir(at.join(name)).unwrap();
                    unreadable(&at.join(name));
                }
            },
            &["one", "two", "--accept-unread", "/two/**"],
            (0, "one/fixtures/huge.zst", 2),
        ),
    ]);
}

#[test]
fn a_change_whose_reader_is_taken_away_is_no_all_clear() {
    hold(&[
        situation(
            "a staged blob that is lost",
            |at| {
                clean(at);
                write(at, "more.txt", "more\n");
                git(at, &["add", "-A"]);
                lose(at, ":more.txt");
            },
            &["--staged"],
            (0, "more.txt", 2),
        ),
        situation(
            "a staged blob that is damaged",
            |at| {
                clean(at);
                write(at, "near.env", leak(1));
                git(at, &["add", "-A"]);
                let file = loose(at, &git(at, &["rev-parse", ":near.env"]));
                writable(&file);
                fs::write(file, "noise").unwrap();
            },
            &["--staged"],
            (0, "near.env", 2),
        ),
        situation(
            "a staged blob that is lost beside a leak",
            |at| {
                clean(at);
                write(at, "more.txt", "more\n");
                write(at, "near.env", leak(1));
                git(at, &["add", "-A"]);
                lose(at, ":more.txt");
            },
            &["--staged"],
            (1, "more.txt", 1),
        ),
        situation(
            "a staged pointer of Git LFS",
            |at| {
                pointer(at, false);
                git(at, &["update-ref", "-d", "HEAD"]);
            },
            &["--staged"],
            (0, "Git LFS", 2),
        ),
        situation(
            "a staged pointer of Git LFS whose content is here",
            |at| {
                pointer(at, true);
                git(at, &["update-ref", "-d", "HEAD"]);
            },
            &["--staged"],
            (1, "", 1),
        ),
        situation(
            "a pointer of Git LFS in a range",
            |at| pointer(at, false),
            &["--range", "HEAD~1..HEAD"],
            (0, "Git LFS", 2),
        ),
        situation(
            "a pointer of Git LFS in a range whose content is here",
            |at| pointer(at, true),
            &["--range", "HEAD~1..HEAD"],
            (1, "", 1),
        ),
        situation(
            "a blob of a range that is lost",
            |at| (two(at), lose(at, "HEAD:near.env")).1,
            &["--range", "HEAD~1..HEAD"],
            (0, "near.env", 2),
        ),
        situation(
            "a tree of a range that is lost",
            |at| (two(at), lose(at, "HEAD^{tree}")).1,
            &["--range", "HEAD~1..HEAD"],
            (0, "tree", 2),
        ),
        situation(
            "a folder of a range that is lost",
            |at| {
                clean(at);
                write(at, "sub/deep/near.env", leak(1));
                commit(at, "more");
                lose(at, "HEAD:sub/deep");
            },
            &["--range", "HEAD~1..HEAD"],
            (0, "tree", 2),
        ),
        situation(
            "a commit of a range that is lost",
            |at| {
                two(at);
                write(at, "c.txt", "c\n");
                commit(at, "more");
                lose(at, "HEAD~1");
            },
            &["--range", "HEAD~2..HEAD"],
            (0, "cannot be read", 2),
        ),
        situation(
            "objects that a range borrows from nowhere",
            |at| (two(at), write(at, ".git/objects/info/alternates", "/nonexistent\n")).1,
            &["--range", "HEAD~1..HEAD"],
            (1, "/nonexistent", 1),
        ),
        situation(
            "objects that a change borrows from nowhere",
            |at| {
                clean(at);
                write(at, ".git/objects/info/alternates", "/nonexistent\n");
                write(at, "b.txt", "b\n");
                git(at, &["add", "-A"]);
            },
            &["--staged"],
            (0, "/nonexistent", 2),
        ),
    ]);
}

#[test]
fn a_history_whose_reader_is_taken_away_is_no_all_clear() {
    hold(&[
        situation(
            "a leak in notes",
            |at| {
                clean(at);
                git(at, &["notes", "add", "-m", &leak(1)]);
            },
            HISTORY,
            (1, "", 1),
        ),
        situation(
            "notes that are lost",
            |at| {
                clean(at);
                git(at, &["notes", "add", "-m", "noted"]);
                lose(at, &format!("refs/notes/commits:{}", git(at, &["rev-parse", "HEAD"])));
            },
            HISTORY,
            (0, "is not here", 2),
        ),
        situation(
            "the message of a tag that is damaged",
            |at| {
                clean(at);
                git(at, &["tag", "-a", "v1", "-m", &leak(1)]);
                let file = loose(at, &git(at, &["rev-parse", "v1"]));
                writable(&file);
                fs::write(file, "noise").unwrap();
            },
            HISTORY,
            (0, "object ", 2),
        ),
        situation(
            "a stash that is lost",
            |at| {
                clean(at);
                write(at, "a.txt", leak(1));
                git(at, &["stash", "-q"]);
                lose(at, "stash:a.txt");
            },
            HISTORY,
            (0, "a.txt", 2),
        ),
        situation(
            "the git folder of a submodule that cannot be opened",
            |at| {
                module(at);
                pipe(at, ".git/modules/sub/config");
            },
            HISTORY,
            (0, "named pipe", 2),
        ),
        situation(
            "objects of a submodule that are lost",
            |at| {
                module(at);
                let sub = at.join("sub");
                let id = git(&sub, &["rev-parse", "HEAD~1:near.env"]);
                git(&sub, &["unpack-objects", "--help"]);
                for pack in fs::read_dir(at.join(".git/modules/sub/objects/pack")).unwrap() {
                    fs::remove_file(pack.unwrap().path()).unwrap();
                }
                let file = at.join(".git/modules/sub/objects").join(&id[..2]).join(&id[2..]);
                let _ = fs::remove_file(file);
            },
            HISTORY,
            (0, "(submodule sub)/", 2),
        ),
        situation(
            "an archive in history that is cut off",
            |at| {
                clean(at);
                let whole = common::archive::gzipped(&vec![b'x'; 100_000]);
                write(at, "a.gz", &whole[..whole.len() - 20]);
                commit(at, "more");
                git(at, &["rm", "-q", "a.gz"]);
                git(at, &["commit", "-q", "-m", "gone"]);
            },
            HISTORY,
            (0, "a.gz", 2),
        ),
        situation(
            "a mailbox, whose parts are read",
            |at| {
                let part = data_encoding::BASE64_MIME.encode(&common::archive::gzipped(leak(1).as_bytes()));
                write(
                    at,
                    "a.eml",
                    format!(
                        "From: a@b.c\r\nTo: d@e.f\r\nMIME-Version: 1.0\r\nContent-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n{part}\r\n"
                    ),
                );
            },
            TREE,
            (1, "", 1),
        ),
    ]);
}

/// What is made of a text, by name.
fn wrapped(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    use std::io::Write;

    use common::archive::{ar, brotli, cpio, lz4, lzipped, lzma, rpm, seven_zipped, snappy};
    let files: [(&str, &[u8]); 1] = [("near.env", text)];
    let zip = common::archive::zipped(&[("a.txt", &[b'a'; 900]), ("near.env", text)]);
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    xz.write_all(text).unwrap();
    let mut bz = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bz.write_all(text).unwrap();
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    vec![
        ("a.zip", zip.clone()),
        ("b.gz", common::archive::gzipped(text)),
        ("c.zip.gz", common::archive::gzipped(&zip)),
        ("d.xz", xz.finish().unwrap()),
        ("e.bz2", bz.finish().unwrap()),
        ("f.zst", ruzstd::encoding::compress_to_vec(text, level)),
        ("g.jar", common::archive::zipped(&[("inner.zip", &zip)])),
        ("h.7z", seven_zipped(&files)),
        ("i.lz", lzipped(text)),
        ("j.sz", snappy(text)),
        ("k.deb", ar(&[("debian-binary", b"2.0\n"), ("data.tar.gz", &common::archive::gzipped(text))])),
        ("l.lz4", lz4(text)),
        ("m.lzma", lzma(text, None)),
        ("n.cpio", cpio(&files)),
        ("o.rpm", rpm(b"x", &common::archive::gzipped(&cpio(&files)))),
        ("p.env.br", brotli(text)),
    ]
}

#[test]
fn an_archive_that_is_cut_off_anywhere_or_damaged_is_no_all_clear() {
    let filler: String = Mint::new(9).fill(&"word {{b62:32}}\n".repeat(60)).0;
    let text = format!("{filler}{}{filler}", leak(1));
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (mut silent, mut tried) = (Vec::new(), 0);
    for (name, whole) in wrapped(text.as_bytes()) {
        for part in 1..24 {
            // Shorter ones do not begin like what they are.
            let length = (whole.len() * part / 24).max(16);
            let mut damaged = whole.clone();
            damaged[length - 1] ^= 0x55;
            let mut versions = vec![("cut", whole[..length].to_vec())];
            // Others have no sum here by which damage could be told.
            let has_sum = ["a.zip", "b.gz", "c.zip.gz", "d.xz", "e.bz2", "g.jar", "h.7z", "i.lz", "j.sz"]
                .contains(&name);
            versions.extend(has_sum.then_some(("damaged", damaged)));
            for (how, bytes) in versions {
                write(at, name, bytes);
                let (report, code) = common::report(at, &[name]);
                tried += 1;
                let has = |list: &str| report[list].as_array().is_some_and(|list| !list.is_empty());
                // One bit says that an entry is encrypted, and then it is a container that is not opened.
                let is_said = code == 2 && has("skipped") || code == 0 && has("opaque");
                if !(code == 1 || is_said) || !is_balanced(&report) {
                    silent.push(format!("{name} {how} at {length} of {}: {code}", whole.len()));
                }
            }
            fs::remove_file(at.join(name)).unwrap();
        }
    }
    assert!(tried > 500 && silent.is_empty(), "{} of {tried}: {}", silent.len(), silent.join("\n"));
}
