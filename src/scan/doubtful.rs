//! Values that nothing but their shape speaks for. They are in no report, but Twilio can be asked about those that have a SID in
//! their file or folder. A tree may hold millions of them, so only the likeliest of a run are kept, and the others are counted.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::gather::{Origin, TextHits, value_key};
use super::look::{Text, can_be_asked_about, is_sid};
use crate::detect::Hit;
use crate::model::Kind;

/// How many values with a SID in their text are kept, and how many without one.
const MOST_KEPT: usize = 8_192;
/// So many values of one SID, or of one folder, are kept before others of it: a list of hashes beside one account does not push
/// out the values of all other accounts.
const FAIR_SHARE: usize = 32;
/// How many SIDs a value is thought to go with.
pub(super) const MOST_SIDS: usize = 32;
/// How many accounts a key is tried on.
const MOST_ACCOUNTS: usize = 4;
/// How many SIDs around a value are looked at, repeated ones included.
const MOST_STEPS: usize = 256;
/// How many places of one value are kept.
const MOST_PLACES: usize = 64;

/// A value that could be a secret, with the SIDs that it could belong to.
#[derive(Debug)]
pub(super) struct Candidate {
    /// Where it stands; each text holds this value alone.
    pub places: Vec<TextHits>,
    /// The SIDs of the right kind in its texts, the nearest first, with the distance in bytes.
    pub sids: Vec<(String, usize)>,
    /// For a key secret: the accounts in its texts, the nearest first.
    pub accounts: Vec<String>,
}

impl Candidate {
    /// The value itself, at its first place.
    pub fn hit(&self) -> &Hit {
        &self.places[0].hits[0]
    }

    /// The log-odds that it is a secret: those of its likeliest place.
    pub fn odds(&self) -> f32 {
        self.places.iter().map(|text| text.hits[0].place.odds).fold(f32::MIN, f32::max)
    }

    fn distance(&self) -> usize {
        self.sids.first().map_or(usize::MAX, |(_, distance)| *distance)
    }

    /// What it shares its bounds with: the SIDs, or where it has none the folder.
    fn groups(&self) -> Vec<&str> {
        if self.sids.is_empty() {
            return vec![folder(&self.places[0].path)];
        }
        self.sids.iter().map(|(sid, _)| sid.as_str()).collect()
    }

    /// Adds the places and SIDs of the same value.
    fn merge(&mut self, other: Self) {
        for place in other.places {
            self.add_place(place);
        }
        for (sid, distance) in other.sids {
            match self.sids.iter_mut().find(|(known, _)| *known == sid) {
                Some((_, known)) => *known = distance.min(*known),
                None => self.sids.push((sid, distance)),
            }
        }
        self.sids.sort_by_key(|(_, distance)| *distance);
        self.sids.truncate(MOST_SIDS);
        for account in other.accounts {
            if self.accounts.len() < MOST_ACCOUNTS && !self.accounts.contains(&account) {
                self.accounts.push(account);
            }
        }
    }

    /// Adds a place, unless it is known. Of the versions of one file in history the one that brought the value stays.
    fn add_place(&mut self, place: TextHits) {
        let is_of_history = |text: &TextHits| text.origin.order != usize::MAX;
        let at = |text: &TextHits| (text.hits[0].line, text.hits[0].column);
        let same = |known: &TextHits| {
            known.path == place.path
                && is_of_history(known) == is_of_history(&place)
                && (is_of_history(known) || at(known) == at(&place))
        };
        let Some(at) = self.places.iter().position(same) else {
            if self.places.len() < MOST_PLACES {
                self.places.push(place);
            }
            return;
        };
        let known = &mut self.places[at];
        let at_head = known.origin.at_head || place.origin.at_head;
        let reachable = known.origin.reachable || place.origin.reachable;
        if place.origin.order < known.origin.order {
            *known = place;
        }
        (known.origin.at_head, known.origin.reachable) = (at_head, reachable);
    }
}

/// The doubtful values of a run.
#[derive(Debug, Default)]
pub struct Doubtful {
    candidates: HashMap<u64, Candidate>,
    /// Values with a SID in their text that were not kept.
    dropped: u64,
    /// Values without one that were not kept, by folder: whether there is a SID in the folder is known at the end only.
    dropped_in: HashMap<String, u64>,
}

impl Doubtful {
    /// Adds the values of one text, in which these hits count and so many more values were dropped.
    pub fn add_text(&mut self, path: &str, hits: &[Hit], doubtful: Vec<Hit>, dropped: u64, origin: &Origin) {
        if doubtful.is_empty() && dropped == 0 {
            return;
        }
        let sids = Sids::of(hits);
        if sids.is_empty() {
            self.drop_in(folder(path), dropped);
        } else {
            self.dropped += dropped;
        }
        for hit in doubtful {
            self.add(&sids, path, hit, origin);
        }
    }

    /// Adds all values of one text that can be asked about: those that count are known already if they were found by a detector
    /// that is not thorough.
    pub(super) fn add_all(&mut self, text: Text) {
        let counting = text.hits.iter().filter(|hit| can_be_asked_about(hit)).cloned();
        let values = text.doubtful.into_iter().chain(counting).collect();
        self.add_text(&text.path, &text.hits, values, text.dropped, &Origin::default());
    }

    /// Adds one value of a text with these SIDs.
    pub(super) fn add(&mut self, sids: &Sids, path: &str, hit: Hit, origin: &Origin) {
        let is_key = hit.kind == Kind::ApiKeySecret;
        let accounts = if is_key { sids.nearest(Kind::AccountSid, &hit, MOST_ACCOUNTS) } else { Vec::new() };
        let candidate = Candidate {
            sids: sids.nearest(sid_kind(hit.kind), &hit, MOST_SIDS),
            accounts: accounts.into_iter().map(|(sid, _)| sid).collect(),
            places: vec![TextHits { path: path.to_owned(), hits: vec![hit], origin: origin.clone() }],
        };
        self.insert(candidate);
    }

    fn insert(&mut self, candidate: Candidate) {
        match self.candidates.entry(value_key(candidate.hit())) {
            std::collections::hash_map::Entry::Occupied(mut known) => known.get_mut().merge(candidate),
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(candidate);
            }
        }
        if self.candidates.len() > 4 * MOST_KEPT {
            self.prune();
        }
    }

    /// Counts values that were not kept.
    pub fn drop_values(&mut self, count: u64) {
        self.dropped += count;
    }

    fn drop_in(&mut self, folder: &str, count: u64) {
        if count > 0 {
            *self.dropped_in.entry(folder.to_owned()).or_default() += count;
        }
    }

    /// Adds the values of another part of the same run.
    pub fn append(&mut self, other: Self) {
        self.dropped += other.dropped;
        for (folder, count) in other.dropped_in {
            self.drop_in(&folder, count);
        }
        for candidate in other.candidates.into_values() {
            self.insert(candidate);
        }
    }

    /// The same values, their paths below a prefix.
    #[must_use]
    pub fn below(mut self, prefix: &str) -> Self {
        if !prefix.is_empty() {
            for place in self.places_mut() {
                place.path.insert_str(0, prefix);
            }
            let dropped_in = std::mem::take(&mut self.dropped_in);
            let below = |name: String| format!("{prefix}{name}").trim_end_matches('/').to_owned();
            self.dropped_in = dropped_in.into_iter().map(|(name, count)| (below(name), count)).collect();
        }
        self
    }

    /// Where the values stand: each text holds one of them.
    pub fn places_mut(&mut self) -> impl Iterator<Item = &mut TextHits> {
        self.candidates.values_mut().flat_map(|candidate| &mut candidate.places)
    }

    /// The values.
    pub fn values(&self) -> impl Iterator<Item = &Hit> {
        self.candidates.values().map(Candidate::hit)
    }

    /// The candidates, and how many values were dropped though they have a SID in their text or, as this says, in their folder.
    pub(super) fn into_parts(self, has_sid: impl Fn(&str) -> bool) -> (Vec<Candidate>, u64) {
        let in_folders: u64 =
            self.dropped_in.iter().filter(|(folder, _)| has_sid(folder)).map(|(_, count)| count).sum();
        (self.candidates.into_values().collect(), self.dropped + in_folders)
    }

    /// Keeps the likeliest, of those with a SID in their text and of those without.
    fn prune(&mut self) {
        let all = std::mem::take(&mut self.candidates);
        let (near, alone): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(_, candidate)| !candidate.sids.is_empty());
        for mut list in [near, alone] {
            for (_, candidate) in fair(&mut list) {
                if candidate.sids.is_empty() {
                    self.drop_in(folder(&candidate.places[0].path), 1);
                } else {
                    self.dropped += 1;
                }
            }
            self.candidates.extend(list);
        }
    }
}

/// Leaves the likeliest [`MOST_KEPT`] in a list, a [`FAIR_SHARE`] of each SID or folder before the others; returns the rest.
fn fair(list: &mut Vec<(u64, Candidate)>) -> Vec<(u64, Candidate)> {
    if list.len() <= MOST_KEPT {
        return Vec::new();
    }
    list.sort_by(|(a_key, a), (b_key, b)| {
        b.odds().total_cmp(&a.odds()).then((a.distance(), a_key).cmp(&(b.distance(), b_key)))
    });
    let mut taken: HashMap<String, usize> = HashMap::new();
    let mut is_fair: Vec<bool> = Vec::with_capacity(list.len());
    for (_, candidate) in list.iter() {
        let mut fair = false;
        for group in candidate.groups() {
            let count = taken.entry(group.to_owned()).or_default();
            *count += 1;
            fair |= *count <= FAIR_SHARE;
        }
        is_fair.push(fair);
    }
    let mut order: Vec<((u64, Candidate), bool)> = std::mem::take(list).into_iter().zip(is_fair).collect();
    order.sort_by_key(|(_, fair)| Reverse(*fair));
    let mut kept: Vec<(u64, Candidate)> = order.into_iter().map(|(candidate, _)| candidate).collect();
    let rest = kept.split_off(MOST_KEPT);
    *list = kept;
    rest
}

/// The kind of SID that a secret of this kind goes with. 32 hex digits are never tried with a key: of 10¹⁹ key secrets not one
/// looks like that.
pub(super) fn sid_kind(kind: Kind) -> Kind {
    if kind == Kind::ApiKeySecret { Kind::ApiKeySid } else { Kind::AccountSid }
}

/// The folder of a path.
pub(super) fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |at| &path[..at])
}

/// The folders in which a SID stands.
pub(super) struct Folders {
    folders: HashSet<String>,
    /// Those of them that are inside of archives.
    inside: Vec<String>,
}

impl Folders {
    /// Those of some texts.
    pub fn of(texts: &[TextHits]) -> Self {
        let with_sid = texts.iter().filter(|text| text.hits.iter().any(is_sid));
        let folders: HashSet<String> = with_sid.map(|text| folder(&text.path).to_owned()).collect();
        let inside = folders.iter().filter(|folder| folder.contains('!')).cloned().collect();
        Self { folders, inside }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty()
    }

    /// Whether a file stands in one of them, or is an archive with one of them inside.
    pub fn hold(&self, path: &str) -> bool {
        let is_inside = |folder: &String| folder.strip_prefix(path).is_some_and(|rest| rest.starts_with('!'));
        self.folders.contains(folder(path)) || self.inside.iter().any(is_inside)
    }
}

/// The SIDs of one text, in order.
pub(super) struct Sids<'a> {
    accounts: Vec<(usize, &'a str)>,
    keys: Vec<(usize, &'a str)>,
}

impl<'a> Sids<'a> {
    pub fn of(hits: &'a [Hit]) -> Self {
        let of_kind = |kind: Kind| {
            let mut all: Vec<(usize, &str)> = hits
                .iter()
                .filter(|hit| hit.kind == kind)
                .map(|hit| (hit.span.start, hit.value.expose()))
                .collect();
            all.sort_unstable();
            all
        };
        Self { accounts: of_kind(Kind::AccountSid), keys: of_kind(Kind::ApiKeySid) }
    }

    fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.keys.is_empty()
    }

    /// The nearest different SIDs of a kind, the nearest first, with their distance in bytes.
    fn nearest(&self, kind: Kind, hit: &Hit, most: usize) -> Vec<(String, usize)> {
        let all = if kind == Kind::AccountSid { &self.accounts } else { &self.keys };
        let (mut left, mut right) = all.split_at(all.partition_point(|(at, _)| *at < hit.span.start));
        let distance = |(at, _): &(usize, &str)| at.abs_diff(hit.span.start);
        let mut nearest: Vec<(String, usize)> = Vec::new();
        for _ in 0..MOST_STEPS {
            if nearest.len() == most {
                break;
            }
            let is_left = match (left.last(), right.first()) {
                (None, None) => break,
                (Some(before), Some(after)) => distance(before) <= distance(after),
                (before, _) => before.is_some(),
            };
            let found = if is_left { left.split_off_last() } else { right.split_off_first() };
            let Some(found) = found else { break };
            if !nearest.iter().any(|(known, _)| known == found.1) {
                nearest.push((found.1.to_owned(), distance(found)));
            }
        }
        nearest
    }
}
