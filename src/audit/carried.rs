//! Findings of earlier looks that this look could not read again, since what they stand in is not here any more: a branch was
//! rewritten and the mirror had to make room, or lies on another machine. What leaked stays leaked, so they stay in the report.

use std::collections::{BTreeSet, HashSet};

use gix::ObjectId;

use crate::model::{Credential, Finding, Fingerprint};
use crate::scan::history::is_name_of_object;
use crate::scan::nested;
use crate::source::repository;
use crate::store::FoundBefore;

/// Adds the findings of an earlier look, and their credentials, that a look at a repository's history could not read again.
pub(super) fn carry(
    repository: &gix::Repository,
    before: FoundBefore,
    findings: &mut Vec<Finding>,
    credentials: &mut Vec<Credential>,
) {
    let known: HashSet<Fingerprint> = findings.iter().map(|finding| finding.id.clone()).collect();
    let has_gone = before.hits.iter().any(|id| is_gone(repository, id));
    let stands_in_what_is_gone = |finding: &Finding| match &finding.commit {
        Some(commit) => match nested::module_of(&finding.location.path) {
            None => is_gone(repository, &commit.id),
            Some(name) => {
                let module = repository::open(&repository.common_dir().join("modules").join(name));
                !module.is_ok_and(|module| !is_gone(&module, &commit.id))
            }
        },
        // Which tag or blob it was is not stored. Files of a work tree are as they are now.
        None => has_gone && is_name_of_object(&finding.location.path),
    };
    let mut carried: Vec<Finding> = before.findings;
    carried.retain(|finding| !known.contains(&finding.id) && stands_in_what_is_gone(finding));
    if carried.is_empty() {
        return;
    }
    for finding in &mut carried {
        finding.not_read_again = true;
        finding.at_head = false;
        finding.reachable = false;
    }
    let ids: BTreeSet<Fingerprint> = carried.iter().map(|finding| finding.id.clone()).collect();
    for mut credential in before.credentials {
        credential.findings.retain(|id| ids.contains(id));
        if credential.findings.is_empty() {
            continue;
        }
        match credentials.iter_mut().find(|known| known.id == credential.id) {
            Some(known) => known.findings.append(&mut credential.findings),
            None => credentials.push(credential),
        }
    }
    findings.append(&mut carried);
}

fn is_gone(repository: &gix::Repository, id: &str) -> bool {
    ObjectId::from_hex(id.as_bytes()).is_ok_and(|id| !repository.has_object(id))
}
