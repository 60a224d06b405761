//! What ties a value to its SID: within a text, or across the texts of a folder.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::TextHits;
use crate::detect::Hit;
use crate::detect::pair::Pair;
use crate::model::{Confidence, Kind, Tie};
use crate::rules::{MEDIUM, Observation};
use crate::scan::doubtful::folder;

/// A tie of a value to a SID, from anywhere.
#[derive(Clone)]
pub(super) struct Bond {
    pub sid: String,
    pub weight: i32,
    pub evidence: String,
    pub rivals: Vec<Tie>,
}

/// The strongest tie of each value.
#[derive(Default)]
pub(super) struct Bonds {
    /// Auth Token, or key SID, to Account SID; secret to key SID; OAuth secret to client id.
    of: BTreeMap<(Kind, String), Bond>,
}

impl Bonds {
    pub fn add(&mut self, kind: Kind, value: &str, bond: Bond) {
        match self.of.entry((kind, value.to_owned())) {
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(bond);
            }
            std::collections::btree_map::Entry::Occupied(mut entry) => {
                if entry.get().weight < bond.weight {
                    entry.insert(bond);
                }
            }
        }
    }

    pub fn get(&self, kind: Kind, value: &str) -> Option<&Bond> {
        self.of.get(&(kind, value.to_owned()))
    }
}

pub(super) fn bond(pair: Pair) -> Bond {
    let rivals =
        pair.rivals.into_iter().map(|(sid, evidence)| Tie { sid, evidence: evidence.to_owned() }).collect();
    Bond { sid: pair.sid, weight: pair.weight, evidence: pair.evidence.to_owned(), rivals }
}

/// A SID of a folder.
struct Sid {
    /// The text that names it.
    path: String,
    /// What stands before its name.
    stem: Vec<String>,
    /// The variables and look-ups that are passed with it where its secret would stand.
    partners: Vec<String>,
}

impl Sid {
    /// Whether it is another value's name that is passed with it.
    fn is_served_without(&self, hit: &Hit) -> bool {
        let variable = hit.place.variable.as_deref();
        !self.partners.is_empty() && !self.partners.iter().any(|partner| Some(partner.as_str()) == variable)
    }
}

/// The SIDs of a folder.
type Sids = BTreeMap<String, Sid>;

/// How many folders above its own a secret's SID may stand in, or below one of those.
const MOST_LEVELS: usize = 4;

/// The SIDs of a kind in each folder itself, and in each folder with all that is below it, as far as a secret looks.
fn by_folder(texts: &[TextHits], kind: Kind) -> (HashMap<String, Sids>, HashMap<String, Sids>) {
    let (mut own, mut below) = (HashMap::<String, Sids>::new(), HashMap::<String, Sids>::new());
    for text in texts {
        for hit in text.hits.iter().filter(|hit| hit.kind == kind && hit.confidence >= Confidence::Medium) {
            let place = || Sid {
                path: text.path.clone(),
                stem: hit.place.stem.clone(),
                partners: hit.place.partners.clone(),
            };
            let add = |sid: &mut Sid| {
                if sid.path != text.path && sid.partners.len() < MOST_RIVALS {
                    sid.partners.extend(hit.place.partners.iter().cloned());
                }
            };
            let mut here = folder(&text.path);
            own.entry(here.to_owned())
                .or_default()
                .entry(hit.value.expose().to_owned())
                .and_modify(add)
                .or_insert_with(place);
            for _ in 0..=MOST_LEVELS {
                let sids = below.entry(here.to_owned()).or_default();
                // With so many none is said to be a value's.
                if sids.len() <= MOST_RIVALS + 1 {
                    sids.entry(hit.value.expose().to_owned()).and_modify(add).or_insert_with(place);
                }
                if here.is_empty() {
                    break;
                }
                here = folder(here);
            }
        }
    }
    (own, below)
}

/// A SID, and what is known of it.
type Place<'a> = (&'a String, &'a Sid);

/// The SIDs of a folder that have no secret of their own in their text.
struct Free<'a> {
    all: Vec<Place<'a>>,
    /// For what stands before their names, the only one that is named so.
    by_stem: HashMap<&'a [String], Option<usize>>,
}

impl<'a> Free<'a> {
    fn of(sids: &'a Sids, taken: &BTreeSet<String>) -> Self {
        let all: Vec<Place<'a>> = sids.iter().filter(|(sid, _)| !taken.contains(*sid)).collect();
        let mut by_stem: HashMap<&[String], Option<usize>> = HashMap::new();
        for (place, (_, sid)) in all.iter().enumerate() {
            by_stem.entry(&sid.stem).and_modify(|only| *only = None).or_insert(Some(place));
        }
        Self { all, by_stem }
    }

    /// Of several, the only one that is named like a value; else all of them.
    fn fitting(&self, stem: &[String]) -> &[Place<'a>] {
        match self.by_stem.get(stem) {
            Some(&Some(only)) => &self.all[only..=only],
            _ => &self.all,
        }
    }
}

/// With more SIDs beside it in its folder, none is said to be a value's.
const MOST_RIVALS: usize = 8;

/// Whether a SID in another text of its folder makes a value a secret. One whose name begins alike says more (`SMS_ACCOUNT` and
/// `SMS_PASSWORD`), one that is passed with another value's name nothing.
fn suffices(hit: &Hit, free: &Free<'_>) -> bool {
    let fitting = free.fitting(&hit.place.stem);
    let is_namesake =
        !hit.place.stem.is_empty() && matches!(fitting, [(_, sid)] if sid.stem == hit.place.stem);
    let tie = if is_namesake { Observation::SidInBlock } else { Observation::SidInFolder };
    let is_exact = hit.observed.contains(&Observation::RoleExact);
    let is_open = is_exact || fitting.iter().any(|(_, sid)| !sid.is_served_without(hit));
    is_open && hit.place.odds + tie.weight() >= MEDIUM
}

/// Pairs what is alone in its own text with what stands in the same folder (`.env` beside `config.js`).
pub(super) fn across_folders(texts: &mut [TextHits], bonds: &mut Bonds) {
    for (kind, sid_kind) in [
        (Kind::AuthToken, Kind::AccountSid),
        (Kind::ApiKeySecret, Kind::ApiKeySid),
        (Kind::ApiKeySid, Kind::AccountSid),
    ] {
        let (own, below) = by_folder(texts, sid_kind);
        let taken: BTreeSet<String> = bonds
            .of
            .iter()
            .filter(|((k, _), _)| *k == kind && kind != Kind::ApiKeySid)
            .map(|(_, bond)| bond.sid.clone())
            .collect();
        let mut in_folders: HashMap<(String, bool), Free<'_>> = HashMap::new();
        for text in texts.iter_mut() {
            let mut at = folder(&text.path);
            // The nearest folder in which, or below which, a SID stands.
            let mut here = own.get(at).map(|sids| (sids, true));
            for _ in 0..=MOST_LEVELS {
                here = here.or_else(|| below.get(at).map(|sids| (sids, false)));
                if here.is_some() || at.is_empty() {
                    break;
                }
                at = folder(at);
            }
            let Some((here, is_own)) = here else { continue };
            let free = in_folders.entry((at.to_owned(), is_own)).or_insert_with(|| Free::of(here, &taken));
            for hit in text.hits.iter_mut().filter(|hit| hit.kind == kind) {
                if bonds.get(kind, hit.value.expose()).is_some() {
                    continue;
                }
                let Some(((sid, Sid { path, .. }), others)) = free.fitting(&hit.place.stem).split_first()
                else {
                    continue;
                };
                // A SID in another folder ties a value that is one without it, and speaks for no other.
                if hit.confidence < Confidence::Medium && !(is_own && suffices(hit, free)) {
                    continue;
                }
                // A SID of its own text was weighed there.
                let is_elsewhere = *path != text.path;
                if others.len() > MOST_RIVALS || (hit.confidence < Confidence::Medium && !is_elsewhere) {
                    continue;
                }
                let rivals: Vec<Tie> = others
                    .iter()
                    .map(|(sid, place)| Tie {
                        sid: (*sid).clone(),
                        evidence: format!("stands in {}", place.path),
                    })
                    .collect();
                if hit.confidence < Confidence::Medium && rivals.is_empty() {
                    hit.confidence = Confidence::Medium;
                    hit.evidence
                        .push(format!("an Account SID or key SID stands in {path}, in the same folder"));
                }
                let evidence = if is_own {
                    format!("stands in the same folder, in {path}")
                } else {
                    format!("the nearest one, in {path}")
                };
                bonds.add(
                    kind,
                    hit.value.expose(),
                    Bond { sid: (*sid).clone(), weight: 1, evidence, rivals },
                );
            }
        }
    }
}
