//! Containers that are known and not opened: what they hold is compressed or encrypted, so that searching their bytes says little.
//! Each is a row of a table, by what its first bytes are; a row goes when a reader of that container comes.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::archive;
use super::entries::{self, Entry};

/// A container.
struct Row {
    name: &'static str,
    /// What it begins with, from `offset` on.
    magic: &'static [u8],
    offset: usize,
    /// What must hold besides, where the magic is short.
    also: Option<fn(&[u8]) -> bool>,
}

const fn row(name: &'static str, magic: &'static [u8]) -> Row {
    at(0, name, magic)
}

const fn at(offset: usize, name: &'static str, magic: &'static [u8]) -> Row {
    Row { name, magic, offset, also: None }
}

const fn sure(name: &'static str, magic: &'static [u8], also: fn(&[u8]) -> bool) -> Row {
    Row { name, magic, offset: 0, also: Some(also) }
}

/// Containers by what they begin with.
#[rustfmt::skip]
const FIRST: &[Row] = &[
    // Archives.
    row("a RAR archive", b"Rar!\x1a\x07"),
    row("an old RAR archive", b"RE~^"),
    row("a cabinet file", b"MSCF\0\0\0\0"),
    row("a WIM image", b"MSWIM\0\0\0"),
    row("a xar archive", b"xar!\0"),
    row("a compiled help file", b"ITSF\x03\0\0\0"),
    row("a StuffIt archive", b"StuffIt "),
    row("a StuffIt archive", b"SIT!"),
    sure("an ARJ archive", b"\x60\xea", is_arj),
    row("a ZPAQ archive", b"7kSt\xa0\x31\x83\xd3"),
    sure("a cpio archive", b"\xc7\x71", is_binary),
    sure("a cpio archive", b"\x71\xc7", is_binary),
    row("a pack200 archive", b"\xca\xfe\xd0\x0d"),
    row("a Unity asset bundle", b"UnityFS\0"),
    // Compressed files.
    row("an lzop file", b"\x89LZO\0\r\n\x1a\n"),
    row("an lrzip file", b"LRZI"),
    row("an rzip file", b"RZIP"),
    sure("a packed file (.z)", b"\x1f\x1e", is_binary),
    row("an LZFSE file", b"bvx2"),
    row("an LZFSE file", b"bvxn"),
    row("a pbzx file", b"pbzx\0"),
    row("a file of Microsoft's compress", b"SZDD\x88\xf0\x27\x33"),
    row("a zchunk file", b"\0ZCK1"),
    sure("a compressed Flash file", b"CWS", is_flash),
    sure("a compressed Flash file", b"ZWS", is_flash),
    sure("a program packed by UPX", b"\x7fELF", is_upx),
    // File systems and disks.
    row("a SquashFS image", b"hsqs"),
    row("a SquashFS image", b"sqsh"),
    row("a cramfs image", b"\x45\x3d\xcd\x28"),
    row("a UBI image", b"UBI#\x01"),
    row("a UBIFS image", b"\x31\x18\x10\x06"),
    row("a U-Boot image", b"\x27\x05\x19\x56"),
    row("an Android boot image", b"ANDROID!"),
    row("a QEMU disk image", b"QFI\xfb"),
    row("a VMware disk image", b"KDMV"),
    row("a VMware disk image", b"COWD"),
    row("a Hyper-V disk image", b"vhdxfile"),
    row("a virtual hard disk", b"conectix"),
    at(64, "a VirtualBox disk image", b"\x7f\x10\xda\xbe"),
    at(32, "a Singularity image", b"SIF_MAGIC"),
    at(1024, "an EROFS image", b"\xe2\xe1\xf5\xe0"),
    at(32_769, "an ISO 9660 image", b"CD001"),
    at(32_769, "a UDF image", b"BEA01"),
    row("a partclone image", b"partclone-image"),
    // Encrypted.
    row("a file encrypted by age", b"age-encryption.org/v1"),
    row("a file encrypted by age", b"-----BEGIN AGE ENCRYPTED FILE-----"),
    row("a file encrypted by GPG", b"-----BEGIN PGP MESSAGE-----"),
    sure("a file encrypted by GPG", b"\x84", is_gpg),
    sure("a file encrypted by GPG", b"\x85", is_gpg),
    sure("a file encrypted by GPG", b"\x8c", is_gpg),
    sure("a file encrypted by GPG", b"\xc1", is_gpg),
    sure("a file encrypted by GPG", b"\xc3", is_gpg),
    row("a file of ansible-vault", b"$ANSIBLE_VAULT;"),
    row("a file of git-crypt", b"\0GITCRYPT\0"),
    row("a file encrypted by OpenSSL", b"Salted__"),
    row("a file encrypted by OpenSSL", b"U2FsdGVkX1"),
    row("a KeePass database", b"\x03\xd9\xa2\x9a"),
    row("a GNOME keyring", b"GnomeKeyring\n\r\0\n"),
    row("a macOS keychain", b"kych\0"),
    row("a Java keystore", b"\xfe\xed\xfe\xed"),
    row("a Java keystore", b"\xce\xce\xce\xce"),
    sure("a PKCS #12 keystore", b"\x30\x82", is_pkcs12),
    row("a secret of Windows' data protection", b"\x01\0\0\0\xd0\x8c\x9d\xdf\x01\x15\xd1\x11"),
    row("a LUKS volume", b"LUKS\xba\xbe"),
    at(3, "a BitLocker volume", b"-FVE-FS-"),
    row("an encrypted disk image", b"encrcdsa"),
    sure("an encrypted Office document", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", is_encrypted_office),
    // Data and backups.
    row("a dump of pg_dump -Fc", b"PGDMP"),
    row("a dump of Redis", b"REDIS0"),
    row("a backup of MySQL (xbstream)", b"XBSTCK01"),
    row("a backup of SQL Server", b"TAPE\0\0"),
    row("an Android backup", b"ANDROID BACKUP\n"),
    row("a segment of a Borg backup", b"BORG_SEG"),
    row("a Parquet file", b"PAR1"),
    row("an encrypted Parquet file", b"PARE"),
    sure("a compressed Avro file", b"Obj\x01", is_compressed_avro),
    sure("an ORC file", b"ORC", is_binary),
    row("an Arrow file", b"ARROW1\0\0"),
    row("a Feather file", b"FEA1"),
    row("an HDF5 file", b"\x89HDF\r\n\x1a\n"),
    row("an Outlook mailbox", b"!BDN"),
    row("an Outlook attachment (TNEF)", b"\x78\x9f\x3e\x22"),
    at(2, "an LHA archive", b"-lh5-"),
    at(2, "an LHA archive", b"-lh7-"),
    at(7, "an ACE archive", b"**ACE**"),
];

/// Containers without a magic at their beginning, by how their names end.
const BY_NAME: &[(&str, &str)] =
    &[("a disk image of macOS", ".dmg"), ("encrypted credentials of Rails", ".yml.enc")];

/// Those endings, to be looked for in the trees of git.
static IN_TREES: LazyLock<Vec<Finder<'static>>> = LazyLock::new(|| {
    let endings = BY_NAME.iter().map(|(_, ending)| *ending).chain([".br"]);
    endings.map(|ending| Finder::new(ending).into_owned()).collect()
});

/// Which bytes a container may begin with: nearly all files are told by this alone.
const FIRST_BYTES: [bool; 256] = {
    let mut bytes = [false; 256];
    let mut number = 0;
    while number < FIRST.len() {
        if FIRST[number].offset == 0 {
            bytes[FIRST[number].magic[0] as usize] = true;
        }
        number += 1;
    }
    bytes
};

/// What container a file is, if it is one that is not opened. `head` is its beginning: the more of it the better, and
/// 512 bytes are enough for all but images of disks.
#[must_use]
pub fn container(head: &[u8], path: &str) -> Option<&'static str> {
    by_bytes(head).or_else(|| by_name(path))
}

/// Whether a blob that begins with these few bytes has to be looked at whole, to tell whether it is a container.
#[must_use]
pub fn may_be(head: &[u8]) -> bool {
    by_bytes(head).is_some() || may_be_disk(head)
}

fn by_bytes(head: &[u8]) -> Option<&'static str> {
    let first = *head.first()?;
    FIRST
        .iter()
        .filter(|row| row.offset > 0 || FIRST_BYTES[usize::from(first)] && row.magic[0] == first)
        .find(|row| {
            head.get(row.offset..).is_some_and(|rest| rest.starts_with(row.magic))
                && row.also.is_none_or(|also| also(head))
        })
        .map(|row| row.name)
}

/// The container that a name alone tells of.
#[must_use]
pub fn by_name(path: &str) -> Option<&'static str> {
    let ends_with = |ending: &str| {
        path.len() > ending.len()
            && path.as_bytes()[path.len() - ending.len()..].eq_ignore_ascii_case(ending.as_bytes())
    };
    BY_NAME.iter().find(|(_, ending)| ends_with(ending)).map(|(name, _)| *name)
}

/// The entries of a tree whose names alone tell of a container, opened or not. Nearly no tree has any, and those cost next to nothing.
pub fn named_in_tree(tree: &[u8], hash: gix::hash::Kind) -> impl Iterator<Item = Entry<'_>> {
    let may_have_any = IN_TREES.iter().any(|ending| ending.find(tree).is_some());
    let entries = may_have_any.then(|| entries::of(tree, hash));
    let is_named = |entry: &Entry<'_>| {
        let name = String::from_utf8_lossy(entry.name());
        !entry.is_tree && (by_name(&name).is_some() || archive::names_brotli(&name))
    };
    entries.into_iter().flatten().filter(is_named)
}

/// An image of a disk begins with nothing, or with code to start from.
fn may_be_disk(head: &[u8]) -> bool {
    head.len() >= 512 && (head[510..512] == [0x55, 0xaa] || head[..512].iter().all(|byte| *byte == 0))
}

/// No text: a control character stands near its beginning.
fn is_binary(head: &[u8]) -> bool {
    head.iter().take(64).any(|byte| *byte < 0x20 && !byte.is_ascii_whitespace())
}

fn is_arj(head: &[u8]) -> bool {
    // The size of the header, which is small and is followed by the size of its first part.
    matches!(head, [_, _, low, high, first, ..] if *first >= 30 && u16::from_le_bytes([*low, *high]) <= 2600)
}

fn is_flash(head: &[u8]) -> bool {
    head.get(3).is_some_and(|version| (6..64).contains(version)) && is_binary(head)
}

fn is_upx(head: &[u8]) -> bool {
    memchr::memmem::find(&head[..head.len().min(512)], b"UPX!").is_some()
}

/// A packet that holds the key of a session: for a public key (with the id of the key and the number of the algorithm), or for a
/// password (with the number of the cipher). RFC 9580, 5.1 and 5.3.
fn is_gpg(head: &[u8]) -> bool {
    let is_algorithm = |byte: Option<&u8>| matches!(byte, Some(1 | 2 | 16 | 18 | 25 | 26));
    let for_key = |at: usize| head.get(at) == Some(&3) && is_algorithm(head.get(at + 9));
    let for_password = |at: usize| matches!(head.get(at..at + 3), Some([4 | 5, cipher, s2k, ..]) if (1..=13).contains(cipher) && matches!(s2k, 0 | 1 | 3 | 4));
    match head {
        [0x84, ..] => for_key(2),
        [0x85, ..] => for_key(3),
        [0x8c, length, ..] if *length < 64 => for_password(2),
        [0xc1, length, ..] => for_key(if *length < 192 { 2 } else { 3 }),
        [0xc3, length, ..] if *length < 64 => for_password(2),
        _ => false,
    }
}

/// A sequence whose first part is the version 3, and whose second one is another sequence.
fn is_pkcs12(head: &[u8]) -> bool {
    matches!(head.get(4..8), Some([2, 1, 3, 0x30]))
}

/// The stream that holds the encrypted document has its name in UTF-16.
fn is_encrypted_office(head: &[u8]) -> bool {
    memchr::memmem::find(head, b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0").is_some()
}

/// The name of the codec stands in the head; without one, or with `null`, blocks are as they are.
fn is_compressed_avro(head: &[u8]) -> bool {
    let head = &head[..head.len().min(16 << 10)];
    let Some(place) = memchr::memmem::find(head, b"avro.codec") else { return false };
    let codec = &head[place + 10..];
    // The length of the name comes first.
    !codec.get(1..).is_some_and(|name| name.starts_with(b"null"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_told_by_its_own_bytes() {
        for row in FIRST.iter().filter(|row| row.also.is_none()) {
            let mut head = vec![0; row.offset];
            head.extend_from_slice(row.magic);
            head.resize(40_000, 1);
            assert_eq!(container(&head, "x"), Some(row.name));
            assert!(row.offset > 512 || may_be(&head[..512]), "{}", row.name);
            // One byte less is something else.
            head.truncate(row.offset + row.magic.len() - 1);
            assert_eq!(container(&head, "x"), None, "{}", row.name);
        }
    }

    #[test]
    fn short_magics_need_more_than_themselves() {
        let told = [
            (&b"\x85\x01\x0c\x03abcdefgh\x01\x07"[..], true),
            (b"\x85\x01\x0c\x03abcdefgh\x21\x07", false),
            (b"\x8c\x0d\x04\x09\x03\x02salt", true),
            (b"\x8c\x0d\x09\x09\x03\x02salt", false),
            (b"Obj\x01\x04\x14avro.codec\x0edeflate", true),
            (b"Obj\x01\x04\x14avro.codec\x08null", false),
            (b"ORC\x0a\x07\x00\x01", true),
            (b"ORCHESTRA of things", false),
            (b"CWS\x09\x01\0\0\0x", true),
            (b"CWS is a word", false),
            (b"\x30\x82\x09\x51\x02\x01\x03\x30", true),
            (b"\x30\x82\x03\x51\x30\x82\x02\x39", false),
            (b"\x7fELF\x02\x01....UPX!", true),
            (b"\x7fELF\x02\x01", false),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", false),
        ];
        for (head, is_container) in told {
            assert_eq!(container(head, "x").is_some(), is_container, "{head:?}");
        }
    }

    #[test]
    fn what_is_no_container_is_none() {
        for head in [
            &b""[..],
            b"PK\x03\x04",
            b"\x89PNG\r\n\x1a\n",
            b"TWILIO_AUTH_TOKEN=",
            b"!<arch>\nx.o/",
            b"# a",
            b"{\"a\":1}",
        ] {
            assert_eq!(container(head, "a/b.json"), None);
        }
        assert_eq!(container(b"\x78\x01", "a/installer.DMG"), Some("a disk image of macOS"));
        assert_eq!(container(b"x", ".dmg"), None);
    }
}
