//! The values that Twilio is to be asked about, each with the SIDs that it could belong to.

use std::collections::HashMap;

use super::drafts::own_id;
use super::{Options, TextHits, finding, once_a_path};
use crate::detect::Hit;
use crate::model::{DoubtfulValue, DoubtfulValues, Finding, Fingerprint, Kind, Vault};
use crate::rules::Rules;
use crate::scan::doubtful::{Candidate, Doubtful, MOST_SIDS, Sids, folder, sid_kind};
use crate::scan::look::{can_be_asked_about, is_sid};

/// The SIDs of the texts of each folder.
type Folders<'a> = HashMap<&'a str, Vec<(Kind, &'a str)>>;

/// The values that have a SID in their text or folder, and that are not asked about anyway, since the vault holds them.
pub(super) fn values(
    rules: &Rules,
    texts: &[TextHits],
    mut doubtful: Doubtful,
    vault: &Vault,
    options: Options,
) -> DoubtfulValues {
    let is_unsure = |hit: &&Hit| hit.confidence < options.min_confidence && can_be_asked_about(hit);
    for text in texts.iter().filter(|text| text.hits.iter().any(|hit| is_unsure(&hit))) {
        let sids = Sids::of(&text.hits);
        for hit in text.hits.iter().filter(is_unsure) {
            doubtful.add(&sids, &text.path, hit.clone(), &text.origin);
        }
    }
    let folders = by_folder(texts);
    let (candidates, dropped) = doubtful.into_parts(|folder| folders.contains_key(folder));
    let values = candidates
        .iter()
        .filter(|candidate| !vault.contains_key(&own_id(candidate.hit())))
        .filter_map(|candidate| value(rules, candidate, &folders, options))
        .collect();
    DoubtfulValues { values, dropped }
}

fn by_folder(texts: &[TextHits]) -> Folders<'_> {
    let mut folders = Folders::new();
    for text in texts.iter().filter(|text| is_file(&text.path)) {
        for hit in text.hits.iter().filter(|hit| is_sid(hit)) {
            let sids = folders.entry(folder(&text.path)).or_default();
            // More than a value is tried with are of no use.
            let of_kind = sids.iter().filter(|(kind, _)| *kind == hit.kind).count();
            let sid = (hit.kind, hit.value.expose());
            if of_kind < MOST_SIDS && !sids.contains(&sid) {
                sids.push(sid);
            }
        }
    }
    folders
}

/// Whether this is the path of a file, and not the name of a message or of a blob without a path.
fn is_file(path: &str) -> bool {
    !path.starts_with('(')
}

fn value(
    rules: &Rules,
    candidate: &Candidate,
    folders: &Folders<'_>,
    options: Options,
) -> Option<DoubtfulValue> {
    let hit = candidate.hit();
    let in_folders = |kind: Kind| {
        let paths = candidate.places.iter().map(|text| text.path.as_str()).filter(|path| is_file(path));
        let sids = paths.filter_map(|path| folders.get(folder(path))).flatten();
        sids.filter(move |(other, _)| *other == kind).map(|(_, sid)| (*sid).to_owned())
    };
    let distance = candidate.sids.first().map_or(u64::MAX, |(_, distance)| *distance as u64);
    let mut sids: Vec<String> = candidate.sids.iter().map(|(sid, _)| sid.clone()).collect();
    for sid in in_folders(sid_kind(hit.kind)) {
        if sids.len() < MOST_SIDS && !sids.contains(&sid) {
            sids.push(sid);
        }
    }
    let mut accounts = candidate.accounts.clone();
    if accounts.is_empty() && hit.kind == Kind::ApiKeySecret {
        // A folder with several accounts does not say whose the key is.
        let mut all = in_folders(Kind::AccountSid);
        accounts.extend(all.next());
        if all.any(|other| !accounts.contains(&other)) {
            accounts.clear();
        }
    }
    (!sids.is_empty()).then(|| DoubtfulValue {
        findings: places(rules, candidate, options),
        secret: hit.value.clone(),
        odds: candidate.odds(),
        distance,
        regions: hit.regions.clone(),
        sids,
        accounts,
    })
}

/// The findings that its places are, if it is a secret.
fn places(rules: &Rules, candidate: &Candidate, options: Options) -> Vec<Finding> {
    let places = candidate.places.iter().flat_map(|text| text.hits.iter().map(move |hit| (text, hit)));
    let findings = places.map(|(text, hit)| {
        let id = Fingerprint::of_finding(hit.kind, &hit.value, &text.path);
        (text.origin.order, finding(rules, text, hit, id, own_id(hit), options))
    });
    let mut findings = once_a_path(findings.collect());
    findings.sort_by(|a, b| a.location.cmp(&b.location));
    findings
}
