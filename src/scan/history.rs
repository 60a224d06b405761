//! All of a repository's history: every object is searched once; where a blob with findings came from is worked out
//! afterwards, in one walk.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use gix::bstr::BString;
use gix::hash::oid;
use gix::object::Kind as ObjectKind;

use super::content;
use super::doubtful::folder;
use super::gather::{Origin, value_key};
use super::ledger::Ledger;
use super::look::{self, Left, Looked};
use super::missing;
use super::provenance::{outer, removals, renamed, stays};
use super::{Found, Progress, Scanned};
use crate::detect::Detector;
use crate::model::{Commit, Stats, Tally, Unit};
use crate::source::commits::{self, Commits};
use crate::source::holdings::{Finder, Holdings};
use crate::source::objects::Objects;
use crate::source::pack::Object;
use crate::source::places::Places;
use crate::source::references::References;
use crate::source::stop::INTERRUPTED;
use crate::source::{opaque, repository, tracked};

/// The path of what stands in a commit's message.
pub(super) const COMMIT_MESSAGE: &str = "(commit message)";

/// How many blobs with doubtful values alone are kept until it is known which of them stand in a folder with a SID.
const MOST_FAINT: usize = 4_096;

/// What the first pass found, by object.
#[derive(Default)]
struct Pass {
    /// Blobs with hits that count.
    blobs: gix::hashtable::HashSet,
    /// Blobs with doubtful values and nothing else.
    faint: gix::hashtable::HashSet,
    /// Doubtful values in more such blobs than are kept.
    dropped: u64,
    /// There is a blob with a SID.
    has_sid: bool,
    /// Commits and tags whose messages have hits.
    messages: Vec<(ObjectKind, ObjectId)>,
    /// All commits.
    commits: Vec<ObjectId>,
    /// Objects that had hits before and are not here any more.
    gone: Vec<ObjectId>,
}

impl Pass {
    /// Looks at one object, outside of the lock.
    fn look(
        pass: &Mutex<Self>,
        detector: &Detector,
        tally: &Tally,
        &Object { kind, id, data, .. }: &Object<'_>,
    ) {
        let lock = || pass.lock().unwrap_or_else(PoisonError::into_inner);
        match kind {
            ObjectKind::Blob => {
                let Some(data) = data else { return };
                let inside = Tally::default();
                let searched = look::bytes(detector, data, "", &inside);
                if searched.looked.is_empty() && inside.is_complete() && searched.left == Left::Nothing {
                    return tally.absorb(inside);
                }
                // What it holds and what of it is not read is told in the second pass, with its path.
                let has_sid = searched.looked.iter().any(look::Text::has_sid);
                let mut pass = lock();
                pass.blobs.insert(id.to_owned());
                pass.has_sid |= has_sid;
            }
            ObjectKind::Commit | ObjectKind::Tag => {
                let found = look::message(detector, &message(data.unwrap_or_default()), COMMIT_MESSAGE);
                let has_hits = found.iter().any(|text| !text.hits.is_empty());
                let mut pass = lock();
                if kind == ObjectKind::Commit {
                    pass.commits.push(id.to_owned());
                }
                if has_hits {
                    pass.messages.push((kind, id.to_owned()));
                }
            }
            ObjectKind::Tree => {
                // What only its name tells is looked at in the second pass, where names are known.
                let named = opaque::named_in_tree(data.unwrap_or_default(), id.kind());
                let named: Vec<ObjectId> = named.map(|entry| entry.id.to_owned()).collect();
                if !named.is_empty() {
                    lock().blobs.extend(named);
                }
            }
        }
    }

    /// Looks at one object once more, for doubtful values where nothing else was found.
    fn look_thoroughly(pass: &Mutex<Self>, detector: &Detector, &Object { kind, id, data, .. }: &Object<'_>) {
        let lock = || pass.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(data) = data.filter(|_| kind == ObjectKind::Blob && !lock().blobs.contains(id)) else {
            return;
        };
        let found = look::bytes(detector, data, "", &Tally::default()).looked;
        if found.is_empty() {
            return;
        }
        let mut pass = lock();
        if pass.faint.len() < MOST_FAINT {
            pass.faint.insert(id.to_owned());
        } else {
            pass.dropped += found.iter().map(|text| text.doubtful.len() as u64 + text.dropped).sum::<u64>();
        }
    }

    /// Enters what was read into the ledger, after what had hits before was added.
    fn enter(
        &mut self,
        repository: &gix::Repository,
        objects: &Objects,
        ledger: &mut Ledger,
        fresh: &[ObjectId],
    ) {
        self.recall(repository, objects, ledger);
        let messages = self.messages.iter().map(|&(_, id)| id);
        ledger.enter(fresh, self.blobs.iter().copied().chain(messages).collect(), &self.gone);
    }

    /// Adds what had hits before, as far as it is still there, and the commits that were read before.
    fn recall(&mut self, repository: &gix::Repository, objects: &Objects, ledger: &Ledger) {
        for &id in ledger.with_hits() {
            match repository.try_find_header(id).ok().flatten().map(|header| header.kind()) {
                Some(ObjectKind::Blob) => {
                    self.blobs.insert(id);
                }
                Some(kind @ (ObjectKind::Commit | ObjectKind::Tag)) => self.messages.push((kind, id)),
                Some(ObjectKind::Tree) => {}
                None => self.gone.push(id),
            }
        }
        if !(ledger.is_empty() || self.blobs.is_empty() && self.messages.is_empty()) {
            self.commits = objects.commits(repository);
        }
    }
}

/// Scans every object of the repository that `root` lies in.
pub fn scan(
    detector: &Detector,
    root: &Path,
    jobs: usize,
    allow_shallow: bool,
    progress: &Progress,
) -> Result<Scanned, repository::Error> {
    scan_on(detector, root, jobs, allow_shallow, progress, None)
}

/// Scans the objects that an earlier scan did not judge, and tells of the whole repository all the same: what had hits
/// then is looked at again, since a commit may have moved it or taken it out. The ledger is kept up to date.
pub fn scan_on(
    detector: &Detector,
    root: &Path,
    jobs: usize,
    allow_shallow: bool,
    progress: &Progress,
    ledger: Option<&mut Ledger>,
) -> Result<Scanned, repository::Error> {
    let mut repository = repository::open_fully(root)?;
    repository.object_cache_size_if_unset(16 << 20);
    let earlier = ledger.as_deref();
    let knows = |id: &oid| earlier.is_some_and(|ledger| ledger.knows(id));
    let fresh: Mutex<Vec<ObjectId>> = Mutex::default();
    let (blobs, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
    let pass: Mutex<Pass> = Mutex::default();
    // A thorough look takes many times as long where there are many hashes, and is of use only if there is a SID.
    let quick = detector.quick();
    let tally = Tally::default();
    tally.add(&repository.unread);
    let objects = Objects::of(&repository, jobs, &tally)?;
    let references = References::of(&repository, &objects);
    let unsearched = AtomicU64::new(0);
    let visit = |object: Object<'_>| {
        // Commits and trees go on: they tell where what was found stands.
        if object.kind == ObjectKind::Blob && progress.stop.is_set() {
            unsearched.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if earlier.is_some() {
            fresh.lock().unwrap_or_else(PoisonError::into_inner).push(object.id.to_owned());
        }
        if object.kind == ObjectKind::Blob {
            blobs.fetch_add(1, Ordering::Relaxed);
            bytes.fetch_add(object.length, Ordering::Relaxed);
            progress.bytes.fetch_add(object.length, Ordering::Relaxed);
            progress.files.fetch_add(1, Ordering::Relaxed);
        }
        references.note(&object);
        Pass::look(&pass, &quick, &tally, &object);
    };
    objects.each(&look::Stoppable(look::Traces(detector), progress.stop), knows, visit, &tally);
    let unsearched = unsearched.into_inner();
    if unsearched > 0 {
        tally.skip(Unit::Objects, format!("({unsearched} blobs)"), INTERRUPTED);
    }
    let has_sid = pass.lock().unwrap_or_else(PoisonError::into_inner).has_sid;
    if detector.is_thorough() && has_sid && unsearched == 0 {
        let visit = |object: Object<'_>| Pass::look_thoroughly(&pass, detector, &object);
        // What cannot be read was named the first time.
        objects.each(&look::Traces(detector), knows, visit, &Tally::default());
    }
    let missing = references.missing();
    missing::name_all(&repository, &objects, &missing, allow_shallow, &tally);
    let mut pass = pass.into_inner().unwrap_or_else(PoisonError::into_inner);
    let stats = Stats {
        blobs: blobs.into_inner(),
        commits: pass.commits.len() as u64,
        bytes: bytes.into_inner(),
        ..Stats::default()
    };
    if let Some(ledger) = ledger {
        let mut fresh = fresh.into_inner().unwrap_or_else(PoisonError::into_inner);
        // What refers to something that is missing is read again, so that a later scan names that too.
        let incomplete: gix::hashtable::HashSet = missing.into_values().collect();
        fresh.retain(|id| !incomplete.contains(id));
        pass.enter(&repository, &objects, ledger, &fresh);
    }
    let mut found = Found { stats, ..Found::default() };
    if !pass.blobs.is_empty() || !pass.messages.is_empty() {
        found.doubtful.drop_values(pass.dropped);
        let (repository, objects, tally, found) = (&*repository, &objects, &tally, &mut found);
        Tracing { detector, repository, objects, tally, found }.trace(pass);
    }
    Ok(found.covering(tally))
}

/// The text of a commit or tag after its headers, and what a commit's headers hold of the tags that it merged.
pub(super) fn message(data: &[u8]) -> Cow<'_, [u8]> {
    let end = memchr::memmem::find(data, b"\n\n");
    let (headers, text) = end.map_or((data, &[][..]), |at| (&data[..at], &data[at + 2..]));
    let Some(merged) = memchr::memmem::find(headers, b"\nmergetag ") else { return Cow::Borrowed(text) };
    Cow::Owned([&headers[merged + 1..], b"\n\n", text].concat())
}

/// The name by which a tag's message is reported.
pub(super) fn name_of_tag(data: &[u8], hash: gix::hash::Kind) -> String {
    let name = gix::objs::TagRef::from_bytes(data, hash).map(|tag| tag.name.to_string()).unwrap_or_default();
    format!("(message of tag {name})")
}

/// The name by which a blob is reported that stands under no path.
pub(super) fn name_of_blob(blob: &gix::oid) -> String {
    format!("(blob {blob})")
}

/// Whether a path is the name of a tag's message, or of a blob that stands under no path.
#[must_use]
pub fn is_name_of_object(path: &str) -> bool {
    path.starts_with("(message of tag ") || path.starts_with("(blob ")
}

/// Works out where blobs with hits came from.
struct Tracing<'a> {
    detector: &'a Detector,
    repository: &'a gix::Repository,
    objects: &'a Objects,
    tally: &'a Tally,
    found: &'a mut Found,
}

impl Tracing<'_> {
    fn trace(&mut self, pass: Pass) {
        let nodes = Commits::all(self.repository, self.objects, pass.commits, self.tally).nodes;
        let sought = pass.blobs.iter().chain(&pass.faint).copied().collect();
        let mut finder = Finder::new(self.repository, sought, self.tally);
        finder.foresee(self.objects);
        let holdings: Vec<Holdings> = nodes.iter().map(|node| finder.below(node.tree)).collect();
        let head = self.repository.head_tree_id().ok().map(|id| finder.below(id.detach()));
        let (mut places, mut looked_at) = (Places::default(), Places::default());
        let stays = stays(&nodes, &holdings, head.as_ref(), &mut places);
        let mut groups: HashMap<(BString, ObjectId), Vec<u64>> = HashMap::new();
        let mut described: HashMap<usize, Option<Commit>> = HashMap::new();
        let placed: gix::hashtable::HashSet = stays.keys().map(|(_, blob)| *blob).collect();
        let mut sid_folders: HashSet<String> = HashSet::new();
        let (faint, full): (Vec<_>, Vec<_>) =
            stays.into_iter().partition(|((_, blob), _)| pass.faint.contains(blob));
        for ((path, blob), stay) in full.into_iter().chain(faint) {
            let is_faint = pass.faint.contains(&blob);
            if is_faint && !sid_folders.contains(folder(&path.to_string())) {
                continue;
            }
            if !looked_at.allow_blob(self.repository, blob) {
                continue;
            }
            let commit = described
                .entry(stay.introduced)
                .or_insert_with(|| commits::describe(self.repository, nodes[stay.introduced].id))
                .clone();
            let origin = Origin {
                order: stay.introduced,
                commit,
                at_head: stay.at_head,
                reachable: stay.reachable,
                removed_by: None,
                renamed: None,
            };
            let looked = self.text(&path.to_string(), blob);
            let hits = || looked.iter().flat_map(look::Text::all);
            let with_sid = looked.iter().filter(|text| text.has_sid());
            sid_folders.extend(with_sid.map(|text| folder(&text.path).to_owned()));
            groups.insert((path, blob), hits().map(value_key).collect());
            self.found.add_looked(looked, &origin);
        }
        places.name(self.tally);
        looked_at.name(self.tally);
        let removals = removals(&nodes, &holdings, &groups);
        let Found { texts, doubtful, .. } = &mut *self.found;
        for text in &mut *texts {
            text.origin.renamed = renamed(text, &nodes, &holdings, &groups);
        }
        for text in texts.iter_mut().chain(doubtful.places_mut()) {
            for hit in &text.hits {
                if let (false, Some(&place)) =
                    (text.origin.at_head, removals.get(&(BString::from(outer(&text.path)), value_key(hit))))
                {
                    text.origin.removed_by = commits::describe(self.repository, nodes[place].id);
                }
            }
        }
        self.unplaced(pass.blobs.difference(&placed).copied().collect());
        self.messages(&pass.messages, &nodes);
    }

    /// Looks at a blob again, now that its path is known. It was counted when it was read; what is not read of it counts besides.
    fn text(&mut self, path: &str, blob: ObjectId) -> Looked {
        let object = match repository::find_intact(self.repository, &blob) {
            Ok(object) => object,
            Err(reason) => {
                self.tally.skip(Unit::Objects, path, reason);
                return Vec::new();
            }
        };
        let searched = look::bytes(self.detector, &object.data, path, self.tally);
        match searched.left {
            Left::Nothing => searched.looked,
            Left::Container(container) => {
                self.tally.know(Unit::Objects, path).opaque(container);
                searched.looked
            }
            Left::Content => {
                let (known, common) = (self.tally.know(Unit::Files, path), self.repository.common_dir());
                let (looked, bytes) =
                    content::read(self.detector, common, &object.data, path, known, self.tally);
                self.found.stats.bytes += bytes;
                looked
            }
        }
    }

    /// Blobs that no commit holds: staged, or left over.
    fn unplaced(&mut self, blobs: Vec<ObjectId>) {
        let index = tracked::index_of(self.repository).ok();
        let staged: HashMap<ObjectId, String> = index
            .iter()
            .flat_map(|index| index.entries().iter().map(|entry| (entry.id, entry.path(index).to_string())))
            .collect();
        for blob in blobs {
            let (path, reachable) = match staged.get(&blob) {
                Some(path) => (path.clone(), true),
                None => (name_of_blob(&blob), false),
            };
            let origin = Origin { reachable, at_head: false, ..Origin::default() };
            let looked = self.text(&path, blob);
            self.found.add_looked(looked, &origin);
        }
    }

    fn messages(&mut self, messages: &[(ObjectKind, ObjectId)], nodes: &[commits::Node]) {
        let reachable: HashMap<ObjectId, (usize, bool)> =
            nodes.iter().enumerate().map(|(place, node)| (node.id, (place, node.reachable))).collect();
        for &(kind, id) in messages {
            let object = match repository::find_intact(self.repository, &id) {
                Ok(object) => object,
                Err(reason) => {
                    self.tally.skip(Unit::Objects, format_args!("object {id}"), reason);
                    continue;
                }
            };
            let (path, origin) = if kind == ObjectKind::Commit {
                let (order, reachable) = reachable.get(&id).copied().unwrap_or_default();
                let commit = commits::describe(self.repository, id);
                (
                    COMMIT_MESSAGE.to_owned(),
                    Origin { order, commit, at_head: false, reachable, removed_by: None, renamed: None },
                )
            } else {
                let name = name_of_tag(&object.data, self.repository.object_hash());
                (name, Origin { reachable: true, ..Origin::default() })
            };
            let looked = look::message(self.detector, &message(&object.data), &path);
            self.found.add_looked(looked, &origin);
        }
    }
}
