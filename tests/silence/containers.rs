//! Containers that are known and not opened: each is named and counted, and the leak in it does not pass for an all-clear where
//! somebody is strict.

use super::*;

/// Bytes that nobody can read without opening what they are in.
fn sealed(seed: u64) -> Vec<u8> {
    use std::io::Write;
    let mut deflater = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    deflater.write_all(leak(seed).as_bytes()).unwrap();
    deflater.finish().unwrap()
}

/// A container with a leak in it that begins like this, from an offset on.
fn container(offset: usize, begin: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; offset];
    bytes.extend_from_slice(begin);
    bytes.resize(bytes.len() + 64, 1);
    bytes.extend_from_slice(&sealed(1));
    bytes
}

/// Name, where the magic stands, what it is, what is said.
type Row = (&'static str, usize, &'static [u8], &'static str);

const ROWS: &[Row] = &[
    ("a.rar", 0, b"Rar!\x1a\x07\x01\0", "a RAR archive"),
    ("old.rar", 0, b"Rar!\x1a\x07\0", "a RAR archive"),
    ("a.cab", 0, b"MSCF\0\0\0\0", "a cabinet file"),
    ("a.wim", 0, b"MSWIM\0\0\0", "a WIM image"),
    ("a.pkg", 0, b"xar!\0\x1c\0\x01", "a xar archive"),
    ("a.arj", 0, b"\x60\xea\x2b\0\x22\x0b\x01\x02", "an ARJ archive"),
    ("a.lzh", 2, b"-lh5-", "an LHA archive"),
    ("a.lzo", 0, b"\x89LZO\0\r\n\x1a\n\x10", "an lzop file"),
    ("a.lzfse", 0, b"bvx2\x01\x02", "an LZFSE file"),
    ("a.squashfs", 0, b"hsqs\x05\0\0\0", "a SquashFS image"),
    ("a.iso", 32_769, b"CD001\x01", "an ISO 9660 image"),
    ("a.dmg", 0, b"\x78\x01\x73\x0d\x62\x62", "a disk image of macOS"),
    ("a.qcow2", 0, b"QFI\xfb\0\0\0\x03", "a QEMU disk image"),
    ("a.vmdk", 0, b"KDMV\x01\0\0\0", "a VMware disk image"),
    ("a.vhdx", 0, b"vhdxfile", "a Hyper-V disk image"),
    ("a.vdi", 64, b"\x7f\x10\xda\xbe", "a VirtualBox disk image"),
    ("a.age", 0, b"age-encryption.org/v1\n-> X25519 x\n", "encrypted by age"),
    ("armored.age", 0, b"-----BEGIN AGE ENCRYPTED FILE-----\n", "encrypted by age"),
    ("a.asc", 0, b"-----BEGIN PGP MESSAGE-----\n\n", "encrypted by GPG"),
    ("a.gpg", 0, b"\x85\x01\x0c\x03abcdefgh\x01\x08", "encrypted by GPG"),
    ("password.gpg", 0, b"\x8c\x0d\x04\x09\x03\x08salt", "encrypted by GPG"),
    ("vault.yml", 0, b"$ANSIBLE_VAULT;1.1;AES256\n6162", "a file of ansible-vault"),
    ("a.crypt", 0, b"\0GITCRYPT\0", "a file of git-crypt"),
    ("a.enc", 0, b"Salted__saltsalt", "encrypted by OpenSSL"),
    ("credentials.yml.enc", 0, b"AbCdEf+/==--", "encrypted credentials of Rails"),
    ("a.kdbx", 0, b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5", "a KeePass database"),
    ("a.jks", 0, b"\xfe\xed\xfe\xed\0\0\0\x02", "a Java keystore"),
    ("a.p12", 0, b"\x30\x82\x09\x51\x02\x01\x03\x30", "a PKCS #12 keystore"),
    ("a.keychain", 0, b"kych\0\x01\0\0", "a macOS keychain"),
    ("a.luks", 0, b"LUKS\xba\xbe\0\x02", "a LUKS volume"),
    ("a.dump", 0, b"PGDMP\x01\x0e\0", "a dump of pg_dump -Fc"),
    ("dump.rdb", 0, b"REDIS0011\xfa", "a dump of Redis"),
    ("a.ab", 0, b"ANDROID BACKUP\n5\n1\nnone\n", "an Android backup"),
    ("a.parquet", 0, b"PAR1\x15\x04", "a Parquet file"),
    ("a.avro", 0, b"Obj\x01\x04\x14avro.codec\x0edeflate", "a compressed Avro file"),
    ("a.orc", 0, b"ORC\x0a\x03\0\0\0", "an ORC file"),
    ("a.pst", 0, b"!BDN\x01\x02\x03\x04", "an Outlook mailbox"),
    ("winmail.dat", 0, b"\x78\x9f\x3e\x22\x01\0", "an Outlook attachment"),
    (
        "a.docx",
        0,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1..E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0",
        "an encrypted Office document",
    ),
];

/// Holds each container to a scan that is asked for strictness and to one that is not.
fn hold_containers(before: impl Fn(&Path), arguments: &[&str]) {
    let mut failed = Vec::new();
    for (name, offset, magic, words) in ROWS {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        write(at, name, container(*offset, magic));
        before(at);
        for (option, code) in [(&[][..], 0), (&["--fail-on-opaque"], 2)] {
            let output = run(at, &[&["scan", "--format", "json"], arguments, option].concat());
            let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            let list = if code == 0 { "opaque" } else { "skipped" };
            let named: Vec<String> =
                report[list].as_array().into_iter().flatten().map(ToString::to_string).collect();
            let is_named = named.iter().any(|one| one.contains(name) && one.contains(words));
            if !is_named || output.status.code() != Some(code) || !is_balanced(&report) {
                failed.push(format!("{name} {option:?}: {:?}, {named:?}", output.status.code()));
            }
        }
    }
    assert!(failed.is_empty(), "{} of {} failed:\n{}", failed.len(), ROWS.len(), failed.join("\n"));
}

#[test]
fn a_container_in_a_tree_is_named_and_counted() {
    hold_containers(|_| {}, &["."]);
}

#[test]
fn a_container_in_history_is_named_and_counted() {
    // Those that nothing but their name tells are told where names are known.
    hold_containers(
        |at| {
            git(at, &["init", "-q"]);
            commit(at, "here");
            for entry in fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()) {
                let name = entry.file_name().unwrap().to_string_lossy().into_owned();
                if name != ".git" {
                    git(at, &["rm", "-q", &name]);
                }
            }
            commit(at, "gone");
        },
        &["--history"],
    );
}

#[test]
fn a_container_that_is_staged_is_named_and_counted() {
    hold_containers(
        |at| {
            git(at, &["init", "-q"]);
            git(at, &["add", "-A"]);
        },
        &["--staged"],
    );
}

fn rar(at: &Path, name: &str) {
    write(at, name, container(0, ROWS[0].2));
}

fn sealed_zip(at: &Path, name: &str, inner: &str) {
    write(at, name, common::archive::zipped(&[(inner, &container(0, ROWS[0].2))]));
}

/// An encrypted zip: the flag in the local header and in the directory.
fn locked_zip() -> Vec<u8> {
    let mut bytes = common::archive::zipped(&[("near.env", leak(1).as_bytes())]);
    for (mark, at) in [(&b"PK\x03\x04"[..], 6), (b"PK\x01\x02", 8)] {
        let place = memchr::memmem::find(&bytes, mark).unwrap();
        bytes[place + at] |= 1;
    }
    bytes
}

/// A 7z archive of one file in a method of this number, whose header stands as it is.
fn locked_7z(method: [u8; 4]) -> Vec<u8> {
    let sealed = sealed(1);
    let length = sealed.len() as u8;
    let id: Vec<u8> = method.iter().copied().take(if method[3] == 0 { 3 } else { 4 }).collect();
    let header = [
        // Where it is packed, and how.
        &[1, 4, 6, 0, 1, 9][..],
        &[0x80, length, 0, 7, 11, 1, 0, 1, 0x20 | id.len() as u8],
        &id,
        &[5, 6, 0, 0, 0, 1, 12, 0x80, length, 0, 8, 0, 0],
        // One file, and its name.
        &[5, 1, 0x11, 5, 0, b'a', 0, 0, 0, 0, 0],
    ]
    .concat();
    let place = [&(sealed.len() as u64).to_le_bytes()[..], &(header.len() as u64).to_le_bytes()].concat();
    let place = [&place[..], &crc(&header).to_le_bytes()].concat();
    [b"7z\xbc\xaf\x27\x1c\0\x04", &crc(&place).to_le_bytes()[..], &place, &sealed, &header].concat()
}

fn crc(bytes: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    sum.sum()
}

const STRICT: &[&str] = &[".", "--fail-on-opaque"];

#[test]
fn a_container_is_told_wherever_it_stands() {
    hold(&[
        situation("in a zip", |at| sealed_zip(at, "a.zip", "b.rar"), TREE, (0, "a.zip!/b.rar", 0)),
        situation("in a zip, strict", |at| sealed_zip(at, "a.zip", "b.rar"), STRICT, (0, "a RAR archive", 2)),
        situation(
            "in a zip in a zip",
            |at| {
                let inner = common::archive::zipped(&[("b.rar", &container(0, ROWS[0].2))]);
                write(at, "a.zip", common::archive::zipped(&[("c.jar", &inner)]));
            },
            STRICT,
            (0, "a.zip!/c.jar!/b.rar", 2),
        ),
        situation(
            "in a gzip",
            |at| write(at, "b.rar.gz", common::archive::gzipped(&container(0, ROWS[0].2))),
            STRICT,
            (0, "b.rar.gz!/b.rar", 2),
        ),
        situation(
            "an encrypted zip",
            |at| write(at, "a.zip", locked_zip()),
            TREE,
            (0, "an encrypted entry of a zip", 0),
        ),
        situation(
            "an encrypted zip, strict",
            |at| write(at, "a.zip", locked_zip()),
            STRICT,
            (0, "an encrypted entry", 2),
        ),
        situation(
            "an encrypted PDF",
            |at| {
                write(
                    at,
                    "a.pdf",
                    "%PDF-1.4\n1 0 obj\n<< >>\nendobj\ntrailer << /Root 1 0 R /Encrypt 5 0 R >>\n%%EOF\n",
                );
            },
            TREE,
            (0, "an encrypted PDF", 0),
        ),
        situation(
            "an encrypted PDF, strict",
            |at| write(at, "a.pdf", "%PDF-1.4\ntrailer << /Encrypt 5 0 R >>\n%%EOF\n"),
            STRICT,
            (0, "an encrypted PDF", 2),
        ),
        situation(
            "an encrypted 7z",
            |at| write(at, "a.7z", locked_7z([6, 0xf1, 7, 1])),
            TREE,
            (0, "an encrypted 7z archive", 0),
        ),
        situation(
            "an encrypted 7z, strict",
            |at| write(at, "a.7z", locked_7z([6, 0xf1, 7, 1])),
            STRICT,
            (0, "an encrypted 7z archive", 2),
        ),
        situation(
            "a 7z in a method that is not read",
            |at| write(at, "a.7z", locked_7z([3, 4, 1, 0])),
            STRICT,
            (0, "a 7z archive compressed by PPMD", 2),
        ),
        situation(
            "brotli that is none",
            |at| write(at, "page.html.br", [0xff; 64]),
            TREE,
            (0, "Brotli that cannot be read", 2),
        ),
        situation(
            "a text whose name ends like brotli's",
            |at| write(at, "settings.br", leak(1)),
            STRICT,
            (1, "", 1),
        ),
        situation(
            "brotli in history",
            |at| {
                clean(at);
                write(at, "page.env.br", common::archive::brotli(leak(1).as_bytes()));
                commit(at, "more");
                git(at, &["rm", "-q", "page.env.br"]);
                git(at, &["commit", "-q", "-m", "gone"]);
            },
            &["--history", "--fail-on-opaque"],
            (1, "", 1),
        ),
        situation(
            "brotli in history that is none",
            |at| {
                clean(at);
                write(at, "page.env.br", [0xff; 64]);
                commit(at, "more");
                git(at, &["rm", "-q", "page.env.br"]);
                git(at, &["commit", "-q", "-m", "gone"]);
            },
            &["--history", "--fail-on-opaque"],
            (0, "page.env.br", 2),
        ),
        situation(
            "a program that knows zips, and has none behind it",
            |at| {
                let knows = b"PK\x05\x06PK\x03\x04PK\x01\x02 and what else such a program says";
                write(at, "tool", [&b"\x7fELF\x02\x01"[..], &[0; 900], knows, &[7; 900]].concat());
            },
            STRICT,
            (0, "", 0),
        ),
        situation(
            "numbers that begin like a cpio",
            |at| write(at, "a.csv", "070701,070702\n".repeat(40)),
            STRICT,
            (0, "", 0),
        ),
        situation(
            "a file that is named",
            |at| rar(at, "b.rar"),
            &["b.rar", "--fail-on-opaque"],
            (0, "b.rar", 2),
        ),
        situation(
            "a file that another name hides",
            |at| rar(at, "holiday.jpg"),
            STRICT,
            (0, "holiday.jpg", 2),
        ),
        situation(
            "a leak beside it",
            |at| (rar(at, "b.rar"), write(at, "near.env", leak(2))).1,
            STRICT,
            (1, "b.rar", 1),
        ),
        situation(
            "plain text in it",
            |at| write(at, "b.rar", [ROWS[0].2, b"\n", leak(1).as_bytes()].concat()),
            TREE,
            (1, "a RAR archive", 1),
        ),
        situation(
            "in a range",
            |at| {
                clean(at);
                rar(at, "b.rar");
                commit(at, "more");
            },
            &["--range", "HEAD~1..HEAD", "--fail-on-opaque"],
            (0, "b.rar", 2),
        ),
        situation(
            "in a range, and gone again",
            |at| {
                clean(at);
                rar(at, "b.rar");
                commit(at, "more");
                git(at, &["rm", "-q", "b.rar"]);
                git(at, &["commit", "-q", "-m", "gone"]);
            },
            &["--range", "HEAD~2..HEAD", "--fail-on-opaque"],
            (0, "b.rar", 2),
        ),
        situation(
            "in history, in a pack",
            |at| {
                clean(at);
                rar(at, "b.rar");
                commit(at, "more");
                git(at, &["rm", "-q", "b.rar"]);
                git(at, &["commit", "-q", "-m", "gone"]);
                git(at, &["repack", "-adq"]);
            },
            &["--history", "--fail-on-opaque"],
            (0, "b.rar", 2),
        ),
        situation(
            "in a blob that nothing leads to",
            |at| {
                clean(at);
                rar(at, "b.rar");
                git(at, &["hash-object", "-w", "b.rar"]);
                fs::remove_file(at.join("b.rar")).unwrap();
            },
            &["--history", "--fail-on-opaque"],
            (0, "(blob ", 2),
        ),
        situation(
            "in a stash",
            |at| {
                clean(at);
                rar(at, "b.rar");
                git(at, &["stash", "-q", "-u"]);
            },
            &["--history", "--fail-on-opaque"],
            (0, "b.rar", 2),
        ),
        situation(
            "in notes",
            |at| {
                clean(at);
                write(at.parent().unwrap(), "note", container(0, ROWS[16].2));
                git(at, &["notes", "add", "-C", &git(at, &["hash-object", "-w", "../note"])]);
            },
            &["--history", "--fail-on-opaque"],
            (0, "refs/notes/commits:", 2),
        ),
        situation(
            "in the history of a submodule",
            |at| {
                let from = at.parent().unwrap().join("module");
                fs::create_dir_all(&from).unwrap();
                clean(&from);
                rar(&from, "b.rar");
                commit(&from, "more");
                git(&from, &["rm", "-q", "b.rar"]);
                git(&from, &["commit", "-q", "-m", "gone"]);
                clean(at);
                git(at, &["submodule", "--quiet", "add", &from.display().to_string(), "sub"]);
                git(at, &["commit", "-q", "-m", "module"]);
            },
            &["--history", "--fail-on-opaque"],
            (0, "(submodule sub)/b.rar", 2),
        ),
        situation(
            "as what a pointer of Git LFS stands for",
            |at| {
                pointer_to(at, "b.rar", &container(0, ROWS[0].2), true);
            },
            STRICT,
            (0, "b.rar", 2),
        ),
        situation(
            "in a bundle of git's",
            |at| {
                let from = at.parent().unwrap().join("from");
                fs::create_dir(&from).unwrap();
                clean(&from);
                rar(&from, "b.rar");
                commit(&from, "more");
                git(&from, &["bundle", "create", "-q", "../here/a.bundle", "--all"]);
            },
            STRICT,
            (0, "/b.rar", 2),
        ),
        situation(
            "a static library, whose members stand as they are",
            |at| {
                let text = leak(1);
                let head = format!("near.env/       0           0     0     644     {:<10}`\n", text.len());
                write(at, "a.a", format!("!<arch>\n{head}{text}"));
            },
            STRICT,
            (1, "", 1),
        ),
        situation(
            "an image, which is read as it is",
            |at| write(at, "a.jpg", [&b"\xff\xd8\xff\xe0\0\x10JFIF\0"[..], leak(1).as_bytes()].concat()),
            STRICT,
            (1, "", 1),
        ),
        situation(
            "words that begin like one",
            |at| write(at, "a.txt", "ORCHESTRA\nPACKING list\nCWS is a word\n"),
            STRICT,
            (0, "", 0),
        ),
    ]);
}
