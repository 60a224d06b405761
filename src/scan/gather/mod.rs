//! From the hits of many texts to findings and credentials: one credential however often it stands somewhere, with
//! its partner from the text that ties them best, or from a text in the same folder.

mod bonds;
mod doubtful;
mod drafts;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::doubtful::Doubtful;
use crate::detect::Hit;
use crate::detect::pair;
use crate::model::{
    Commit, Confidence, Coverage, Credential, DoubtfulValues, Finding, Fingerprint, Kind, Location, Redacted,
    Report, SCHEMA, Source, Stats, Tool, Vault,
};
use crate::rules::Rules;
use bonds::{Bonds, across_folders, bond};
use drafts::{Drafts, own_id};

/// The hits of one text.
#[derive(Debug)]
pub struct TextHits {
    /// Relative to the root, with `/`.
    pub path: String,
    /// What was found there.
    pub hits: Vec<Hit>,
    /// Where it came from.
    pub origin: Origin,
}

/// Where a text came from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Its place in time: lower is earlier.
    pub order: usize,
    /// The commit that brought it.
    pub commit: Option<Commit>,
    /// It stands in what is checked out, or in HEAD.
    pub at_head: bool,
    /// A branch, tag, HEAD or stash leads to it.
    pub reachable: bool,
    /// The commit that took it out.
    pub removed_by: Option<Commit>,
    /// The commit that brought it moved it here from another path.
    pub renamed: Option<Rename>,
}

/// A file that a commit moved, with values that stood in it before.
#[derive(Debug, Clone)]
pub struct Rename {
    /// The path before.
    pub from: String,
    /// The values, by [`value_key`].
    pub values: Vec<u64>,
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            order: usize::MAX,
            commit: None,
            at_head: true,
            reachable: true,
            removed_by: None,
            renamed: None,
        }
    }
}

/// A short identity of a hit's value and kind, for telling values apart within one run.
#[must_use]
pub fn value_key(hit: &Hit) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (hit.kind, hit.value.expose()).hash(&mut hasher);
    hasher.finish()
}

/// The identity of the credential that a value is, if it is one.
#[must_use]
pub fn credential_id(hit: &Hit) -> Fingerprint {
    own_id(hit)
}

/// What a report shows of it all.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Values at places.
    pub findings: Vec<Finding>,
    /// What they add up to.
    pub credentials: Vec<Credential>,
    /// The values of the secrets, by credential: for asking Twilio, and for nothing else.
    pub vault: Vault,
    /// Values that Twilio can be asked about although too little speaks for them to report them.
    pub doubtful: DoubtfulValues,
}

impl Gathered {
    /// The report of a run; [`super::accept::settle`] is still to come.
    #[must_use]
    pub fn report(self, sources: Vec<Source>, stats: Stats, coverage: Coverage) -> Report {
        Report {
            schema: SCHEMA.to_owned(),
            tool: Tool::this(),
            sources,
            stats,
            coverage,
            not_covered: Vec::new(),
            findings: self.findings,
            credentials: self.credentials,
            asked: None,
            suppressed: Vec::new(),
        }
    }
}

/// What to leave out and what to show.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// The least confidence that is reported.
    pub min_confidence: Confidence,
    /// Put values into findings.
    pub show_secrets: bool,
    /// The repository, where an audit looks at many: the same path in two of them is two places.
    pub repository: Option<&'a str>,
}

/// Gathers the hits of all texts.
#[must_use]
pub fn gather(rules: &Rules, mut texts: Vec<TextHits>, options: Options) -> Gathered {
    let bonds = tie(&mut texts);
    findings(rules, &texts, &bonds, options)
}

/// The same, with the values that Twilio is to be asked about: the doubtful ones, and those whose confidence is too low to be
/// reported.
#[must_use]
pub fn gather_all(rules: &Rules, mut texts: Vec<TextHits>, doubtful: Doubtful, options: Options) -> Gathered {
    let bonds = tie(&mut texts);
    let mut gathered = findings(rules, &texts, &bonds, options);
    gathered.doubtful = doubtful::values(rules, &texts, doubtful, &gathered.vault, options);
    gathered
}

/// Ties the secrets of all texts to their SIDs.
fn tie(texts: &mut [TextHits]) -> Bonds {
    texts.sort_by(|a, b| a.path.cmp(&b.path));
    let mut bonds = Bonds::default();
    for text in texts.iter_mut() {
        text.hits.sort_by_key(|hit| (hit.line, hit.column, hit.kind));
        let pairs = pair::pair(&mut text.hits);
        for (kind, list) in [
            (Kind::AuthToken, pairs.tokens),
            (Kind::ApiKeySecret, pairs.secrets),
            (Kind::ApiKeySid, pairs.keys),
            (Kind::OauthClientSecret, pairs.oauth),
        ] {
            for pair in list {
                let value = text.hits[pair.of].value.expose().to_owned();
                bonds.add(kind, &value, bond(pair));
            }
        }
    }
    across_folders(texts, &mut bonds);
    bonds
}

fn findings(rules: &Rules, texts: &[TextHits], bonds: &Bonds, options: Options) -> Gathered {
    let counts = |hit: &&Hit| hit.confidence >= options.min_confidence;
    let all = || texts.iter().flat_map(|text| text.hits.iter().filter(counts).map(move |hit| (text, hit)));
    let mut drafts = Drafts::default();
    let mut vault = Vault::new();
    for (_, hit) in all().filter(|(_, hit)| hit.kind.is_secret()) {
        drafts.add_secret(hit, bonds);
        vault.entry(own_id(hit)).or_insert_with(|| hit.value.clone());
    }
    let places: Vec<(usize, Finding)> = all()
        .map(|(text, hit)| {
            let place = match options.repository {
                Some(repository) => format!("{repository}/{}", text.path),
                None => text.path.clone(),
            };
            let id = Fingerprint::of_finding(hit.kind, &hit.value, &place);
            let credential = drafts.claim(hit, &id, bonds);
            (text.origin.order, finding(rules, text, hit, id, credential, options))
        })
        .collect();
    let mut findings = once_a_path(places);
    findings.sort_by(|a, b| (&a.location, a.kind).cmp(&(&b.location, b.kind)));
    let mut accounts: HashMap<&str, Vec<&Fingerprint>> = HashMap::new();
    for finding in findings.iter().filter(|finding| finding.kind == Kind::AccountSid) {
        accounts.entry(finding.redacted.as_str()).or_default().push(&finding.id);
    }
    let credentials = drafts
        .drafts
        .into_iter()
        .filter(|(_, draft)| !draft.findings.is_empty())
        .map(|(id, draft)| draft.finish(id, &accounts))
        .collect();
    Gathered { findings, credentials, vault, doubtful: DoubtfulValues::default() }
}

fn finding(
    rules: &Rules,
    text: &TextHits,
    hit: &Hit,
    id: Fingerprint,
    credential: Fingerprint,
    options: Options,
) -> Finding {
    Finding {
        id,
        rule: rules.of(hit.kind).id.to_owned(),
        kind: hit.kind,
        repository: options.repository.map(str::to_owned),
        location: Location {
            path: text.path.clone(),
            line: hit.line + 1,
            column: hit.column + 1,
            end_column: hit.end_column + 1,
        },
        confidence: hit.confidence,
        evidence: hit.evidence.clone(),
        encoding: hit.encoding,
        redacted: Redacted::of(hit.kind, &hit.value),
        value: options.show_secrets.then(|| hit.value.expose().to_owned()),
        allowed: hit.allowed.clone(),
        credential,
        at_head: text.origin.at_head,
        reachable: text.origin.reachable,
        commit: text.origin.commit.clone(),
        renamed_from: text
            .origin
            .renamed
            .as_ref()
            .filter(|rename| rename.values.contains(&value_key(hit)))
            .map(|rename| rename.from.clone()),
        owners: Vec::new(),
        first_seen: None,
        removed_by: text.origin.removed_by.clone(),
        not_read_again: false,
    }
}

/// One finding for each value at a path, however many versions of the file hold it: from what is checked out if it
/// stands there, else from the commit that brought it first.
fn once_a_path(findings: Vec<(usize, Finding)>) -> Vec<Finding> {
    let mut first: BTreeMap<Fingerprint, usize> = BTreeMap::new();
    let mut kept: Vec<(usize, Finding)> = Vec::new();
    let mut plain: Vec<Finding> = Vec::new();
    for (order, finding) in findings {
        if order == usize::MAX && finding.commit.is_none() {
            plain.push(finding);
            continue;
        }
        match first.get(&finding.id) {
            None => {
                first.insert(finding.id.clone(), kept.len());
                kept.push((order, finding));
            }
            Some(&place) => {
                let (known_order, known) = &mut kept[place];
                let at_head = known.at_head || finding.at_head;
                let reachable = known.reachable || finding.reachable;
                // What stands there now says whether it is allowed.
                let allowed = if finding.at_head { finding.allowed.clone() } else { known.allowed.take() };
                if order < *known_order {
                    let removed_by = known.removed_by.take();
                    *known = finding;
                    *known_order = order;
                    known.removed_by = known.removed_by.take().or(removed_by);
                }
                known.at_head = at_head;
                known.reachable = reachable;
                known.allowed = allowed;
            }
        }
    }
    // What is checked out tells the line of today; history tells since when.
    for finding in &mut plain {
        if let Some(&place) = first.get(&finding.id) {
            let known = &mut kept[place].1;
            finding.commit.clone_from(&known.commit);
            finding.renamed_from.clone_from(&known.renamed_from);
            known.id = finding.id.clone();
        }
    }
    let today: BTreeSet<Fingerprint> = plain.iter().map(|finding| finding.id.clone()).collect();
    plain.extend(kept.into_iter().map(|(_, finding)| finding).filter(|finding| !today.contains(&finding.id)));
    for finding in &mut plain {
        if finding.at_head {
            finding.removed_by = None;
        }
    }
    plain
}
