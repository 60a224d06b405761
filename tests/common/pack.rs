//! Packs as nobody's git would write them: entries whose sizes, bases and bytes may lie, with an index that fits.

use std::io::Write as _;
use std::path::Path;

use gix::ObjectId;

/// What an entry is a delta against.
#[derive(Debug, Clone, Copy)]
pub enum Base {
    /// The entry so many bytes before it.
    Distance(u64),
    /// The object of this id.
    Id(ObjectId),
}

/// An entry as it is written, whether it is true or not.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its id in the index.
    pub id: ObjectId,
    /// 1 to 4: commit, tree, blob, tag; 6 and 7: a delta by distance or by id.
    pub kind: u8,
    /// What it says that it inflates to, in bytes.
    pub size: u64,
    pub base: Option<Base>,
    /// What stands behind the header.
    pub body: Vec<u8>,
}

impl Entry {
    /// A blob that tells the truth.
    pub fn blob(data: &[u8]) -> Self {
        let id =
            gix::objs::compute_hash(gix::hash::Kind::Sha1, gix::object::Kind::Blob, data).expect("a hash");
        Self { id, kind: 3, size: data.len() as u64, base: None, body: deflated(data) }
    }

    /// A delta against a base, under any id.
    pub fn delta(id: ObjectId, base: Base, delta: &[u8]) -> Self {
        let kind = if matches!(base, Base::Distance(_)) { 6 } else { 7 };
        Self { id, kind, size: delta.len() as u64, base: Some(base), body: deflated(delta) }
    }

    /// Its bytes in a pack.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut rest = self.size >> 4;
        bytes.push(u8::from(rest > 0) << 7 | self.kind << 4 | (self.size & 15) as u8);
        while rest > 0 {
            bytes.push(u8::from(rest >> 7 > 0) << 7 | (rest & 0x7f) as u8);
            rest >>= 7;
        }
        match self.base {
            Some(Base::Distance(mut distance)) => {
                let mut reversed = vec![(distance & 0x7f) as u8];
                while distance >> 7 > 0 {
                    distance = (distance >> 7) - 1;
                    reversed.push(0x80 | (distance & 0x7f) as u8);
                }
                bytes.extend(reversed.iter().rev());
            }
            Some(Base::Id(id)) => bytes.extend(id.as_bytes()),
            None => {}
        }
        bytes.extend(&self.body);
        bytes
    }
}

/// Bytes as a pack holds them.
pub fn deflated(data: &[u8]) -> Vec<u8> {
    let mut stream = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    stream.write_all(data).expect("memory");
    stream.finish().expect("memory")
}

/// A length as deltas begin with.
pub fn length(mut length: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while length >= 0x80 {
        bytes.push(0x80 | (length & 0x7f) as u8);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes
}

/// A command that copies.
pub fn copy(from: u32, count: u32) -> Vec<u8> {
    let mut bytes = vec![0xff];
    bytes.extend(from.to_le_bytes());
    bytes.extend(&count.to_le_bytes()[..3]);
    bytes
}

fn sha1(data: &[u8]) -> Vec<u8> {
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(data);
    hasher.try_finalize().expect("no collision").as_bytes().to_vec()
}

/// Writes a pack and its index into a repository's folder of packs.
pub fn write(folder: &Path, name: &str, entries: &[Entry]) {
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    pack.extend((entries.len() as u32).to_be_bytes());
    let mut rows = Vec::new();
    for entry in entries {
        let (offset, bytes) = (pack.len() as u32, entry.bytes());
        rows.push((entry.id, libdeflater::crc32(&bytes), offset));
        pack.extend(bytes);
    }
    let trailer = sha1(&pack);
    pack.extend(&trailer);
    rows.sort();
    let mut index = b"\xfftOc\0\0\0\x02".to_vec();
    for first in 0..=255_u8 {
        let count = rows.iter().filter(|(id, ..)| id.as_bytes()[0] <= first).count();
        index.extend((count as u32).to_be_bytes());
    }
    index.extend(rows.iter().flat_map(|(id, ..)| id.as_bytes()));
    index.extend(rows.iter().flat_map(|(_, sum, _)| sum.to_be_bytes()));
    index.extend(rows.iter().flat_map(|(.., offset)| offset.to_be_bytes()));
    index.extend(&trailer);
    index.extend(sha1(&index));
    std::fs::create_dir_all(folder).expect("a folder");
    std::fs::write(folder.join(format!("pack-{name}.pack")), pack).expect("written");
    std::fs::write(folder.join(format!("pack-{name}.idx")), index).expect("written");
}
