//! The objects of a git bundle, which is a head of text and a pack, and of a pack without its repository. Each blob is looked at,
//! and each message.
//! <https://git-scm.com/docs/gitformat-bundle>

use std::collections::HashMap;
use std::io::{self, Cursor, Read};
use std::rc::Rc;

use gix::ObjectId;
use gix::object::Kind;
use gix::objs::TreeRefIter;
use gix::odb::pack::data::{self, entry::Header};

use super::super::delta::Delta;
use super::memory::Taken;
use super::{Metered, Walk};

/// Objects are held up to this, in bytes, since one may be made of any that came before it.
const MOST_HELD: usize = 128 << 20;

/// What a pack begins with.
const PACK: &[u8] = b"PACK";

fn too_large() -> io::Error {
    let most = MOST_HELD >> 20;
    io::Error::other(format!(
        "the objects of a git bundle or pack come to more than {most} MB: bring them into a repository (git clone, git index-pack --stdin) and scan its history"
    ))
}

/// Whether a file begins like a bundle.
#[must_use]
pub fn is_bundle(head: &[u8]) -> bool {
    head.starts_with(b"# v2 git bundle\n") || head.starts_with(b"# v3 git bundle\n")
}

struct Object {
    kind: Kind,
    id: ObjectId,
    data: Vec<u8>,
}

/// The objects of a pack that are read.
struct Objects {
    taken: Taken,
    all: Vec<Object>,
    by_offset: HashMap<u64, usize>,
    by_id: HashMap<ObjectId, usize>,
    held: usize,
}

impl Walk<'_> {
    pub(super) fn bundle(&mut self, source: &mut dyn Read, path: &str, depth: usize) -> io::Result<()> {
        let held = self.memory.hold(source, MOST_HELD as u64 + 1)?;
        let held = &held.bytes[..];
        if held.len() > MOST_HELD {
            return Err(too_large());
        }
        let damaged = || io::Error::other("a git bundle that cannot be read");
        let start = if held.starts_with(PACK) {
            0
        } else {
            memchr::memmem::find(held, b"\n\nPACK").ok_or_else(damaged)? + 2
        };
        let hash = if memchr::memmem::find(&held[..start], b"object-format=sha256").is_some() {
            gix::hash::Kind::Sha256
        } else {
            gix::hash::Kind::Sha1
        };
        let mut objects = Objects {
            taken: self.memory.take(0)?,
            all: Vec::new(),
            by_offset: HashMap::new(),
            by_id: HashMap::new(),
            held: 0,
        };
        let read = self.objects(&held[start..], hash, &mut objects);
        let names = objects.names(hash);
        for object in &objects.all {
            let name = match object.kind {
                Kind::Tree => continue,
                Kind::Blob => names.get(&object.id).map_or("blob", String::as_str),
                Kind::Commit | Kind::Tag => "message",
            };
            if !self.count(path) {
                break;
            }
            let inner = format!("{path}!/{}/{name}", object.id.to_hex_with_len(12));
            self.entry(&mut Cursor::new(&object.data), &inner, depth);
        }
        read
    }

    /// Reads a pack's objects, one after another.
    fn objects(&mut self, pack: &[u8], hash: gix::hash::Kind, objects: &mut Objects) -> io::Result<()> {
        let damaged = || io::Error::other("a git bundle or pack that cannot be read to its end");
        let count = pack.get(8..12).and_then(|count| count.try_into().ok()).map(u32::from_be_bytes);
        let mut at = 12;
        let mut missing = 0;
        for _ in 0..count.ok_or_else(damaged)? {
            let rest = pack.get(at..).filter(|rest| !rest.is_empty()).ok_or_else(damaged)?;
            let entry = data::Entry::from_bytes(rest, at as u64, hash).map_err(|_| damaged())?;
            let deflated = rest.get(entry.header_size()..).ok_or_else(damaged)?;
            let mut inflater =
                Metered { inner: flate2::bufread::ZlibDecoder::new(deflated), left: Rc::clone(&self.left) };
            let mut data = Vec::new();
            let most = (MOST_HELD - objects.held) as u64;
            inflater.by_ref().take(most).read_to_end(&mut data)?;
            if data.len() as u64 == most {
                return Err(too_large());
            }
            objects.taken.grow(data.len() as u64)?;
            let offset = at as u64;
            at += entry.header_size() + deflated.len() - inflater.inner.get_ref().len();
            missing += usize::from(!objects.add(offset, &entry.header, data, hash)?);
        }
        match missing {
            0 => Ok(()),
            _ => Err(io::Error::other(format!(
                "{missing} objects of a git bundle or pack are made of others that it does not hold"
            ))),
        }
    }
}

impl Objects {
    /// Adds an object; says whether all is there that it is made of.
    fn add(
        &mut self,
        offset: u64,
        header: &Header,
        data: Vec<u8>,
        hash: gix::hash::Kind,
    ) -> io::Result<bool> {
        let base = match *header {
            Header::OfsDelta { base_distance } => {
                offset.checked_sub(base_distance).and_then(|base| self.by_offset.get(&base))
            }
            Header::RefDelta { base_id } => self.by_id.get(&base_id),
            _ => None,
        };
        let (kind, data) = match (header.as_kind(), base) {
            (Some(kind), _) => (kind, data),
            (None, None) => return Ok(false),
            (None, Some(&base)) => {
                let base = &self.all[base];
                let mut pieces = Vec::new();
                let made = Delta::of(&base.data, &data, &mut pieces).ok();
                let made =
                    made.filter(|made| made.length() <= MOST_HELD - self.held).and_then(|made| made.whole());
                (base.kind, made.ok_or_else(|| io::Error::other("a damaged delta in a git bundle or pack"))?)
            }
        };
        let id = gix::objs::compute_hash(hash, kind, &data).map_err(io::Error::other)?;
        self.held += data.len();
        self.by_offset.insert(offset, self.all.len());
        self.by_id.insert(id, self.all.len());
        self.all.push(Object { kind, id, data });
        Ok(true)
    }

    /// The names that the trees give their entries.
    fn names(&self, hash: gix::hash::Kind) -> HashMap<ObjectId, String> {
        let trees = self.all.iter().filter(|object| object.kind == Kind::Tree);
        let entries = trees.flat_map(|tree| TreeRefIter::from_bytes(&tree.data, hash).map_while(Result::ok));
        entries.map(|entry| (entry.oid.to_owned(), entry.filename.to_string())).collect()
    }
}
