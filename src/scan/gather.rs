//! From the hits of many texts to findings and credentials: one credential however often it stands somewhere, with
//! its partner from the text that ties them best, or from a text in the same folder.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::detect::Hit;
use crate::detect::pair::{self, Pair};
use crate::model::{
    Commit, Confidence, Credential, CredentialType, Finding, Fingerprint, Kind, Location, Redacted, Region,
    Remedy, RemedyAction, Report, SCHEMA, Skipped, Source, Stats, Tie, Tool, Vault, Verdict,
};
use crate::remedy::guide;
use crate::rules::Rules;

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

/// What a report shows of it all.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Values at places.
    pub findings: Vec<Finding>,
    /// What they add up to.
    pub credentials: Vec<Credential>,
    /// The values of the secrets, by credential: for asking Twilio, and for nothing else.
    pub vault: Vault,
}

impl Gathered {
    /// The report of a run; [`super::accept::settle`] is still to come.
    #[must_use]
    pub fn report(self, sources: Vec<Source>, stats: Stats, skipped: Vec<Skipped>) -> Report {
        Report {
            schema: SCHEMA.to_owned(),
            tool: Tool {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            sources,
            stats,
            skipped,
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

/// A tie of a value to a SID, from anywhere.
#[derive(Clone)]
struct Bond {
    sid: String,
    weight: i32,
    evidence: String,
    rivals: Vec<Tie>,
}

#[derive(Default)]
struct Bonds {
    /// Auth Token, or key SID, to Account SID; secret to key SID; OAuth secret to client id.
    of: BTreeMap<(Kind, String), Bond>,
}

impl Bonds {
    fn add(&mut self, kind: Kind, value: &str, bond: Bond) {
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

    fn get(&self, kind: Kind, value: &str) -> Option<&Bond> {
        self.of.get(&(kind, value.to_owned()))
    }
}

/// Gathers the hits of all texts.
#[must_use]
pub fn gather(rules: &Rules, mut texts: Vec<TextHits>, options: Options) -> Gathered {
    texts.sort_by(|a, b| a.path.cmp(&b.path));
    let mut bonds = Bonds::default();
    for text in &mut texts {
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
    across_folders(&mut texts, &mut bonds);
    findings(rules, &texts, &bonds, options)
}

fn bond(pair: Pair) -> Bond {
    let rivals =
        pair.rivals.into_iter().map(|(sid, evidence)| Tie { sid, evidence: evidence.to_owned() }).collect();
    Bond { sid: pair.sid, weight: pair.weight, evidence: pair.evidence.to_owned(), rivals }
}

fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |at| &path[..at])
}

/// Pairs what is alone in its own text with what stands in the same folder (`.env` beside `config.js`).
fn across_folders(texts: &mut [TextHits], bonds: &mut Bonds) {
    for (kind, sid_kind) in [
        (Kind::AuthToken, Kind::AccountSid),
        (Kind::ApiKeySecret, Kind::ApiKeySid),
        (Kind::ApiKeySid, Kind::AccountSid),
    ] {
        let mut sids: HashMap<String, BTreeMap<String, (String, Vec<String>)>> = HashMap::new();
        for text in texts.iter() {
            for hit in
                text.hits.iter().filter(|hit| hit.kind == sid_kind && hit.confidence >= Confidence::Medium)
            {
                sids.entry(folder(&text.path).to_owned())
                    .or_default()
                    .entry(hit.value.expose().to_owned())
                    .or_insert_with(|| (text.path.clone(), hit.place.stem.clone()));
            }
        }
        let taken: BTreeSet<String> = bonds
            .of
            .iter()
            .filter(|((k, _), _)| *k == kind && kind != Kind::ApiKeySid)
            .map(|(_, bond)| bond.sid.clone())
            .collect();
        for text in texts.iter_mut() {
            let Some(here) = sids.get(folder(&text.path)) else { continue };
            for hit in text.hits.iter_mut().filter(|hit| hit.kind == kind) {
                if bonds.get(kind, hit.value.expose()).is_some() {
                    continue;
                }
                let well_named = hit.place.rank >= 4;
                if hit.confidence < Confidence::Medium && !well_named {
                    continue;
                }
                let mut free: Vec<_> = here.iter().filter(|(sid, _)| !taken.contains(*sid)).collect();
                if free.len() > 1 {
                    let same: Vec<_> =
                        free.iter().filter(|(_, (_, stem))| *stem == hit.place.stem).copied().collect();
                    if same.len() == 1 {
                        free = same;
                    }
                }
                let Some((sid, (path, _))) = free.first() else { continue };
                let rivals: Vec<Tie> = free[1..]
                    .iter()
                    .map(|(sid, (path, _))| Tie {
                        sid: (*sid).clone(),
                        evidence: format!("stands in {path}"),
                    })
                    .collect();
                if rivals.len() > 8 {
                    continue;
                }
                if hit.confidence < Confidence::Medium && rivals.is_empty() {
                    hit.confidence = Confidence::Medium;
                    hit.evidence
                        .push(format!("an Account SID or key SID stands in {path}, in the same folder"));
                }
                let evidence = format!("stands in the same folder, in {path}");
                bonds.add(
                    kind,
                    hit.value.expose(),
                    Bond { sid: (*sid).clone(), weight: 1, evidence, rivals },
                );
            }
        }
    }
}

/// A credential in the making.
struct Draft {
    type_: CredentialType,
    account: Option<String>,
    key: Option<String>,
    evidence: Vec<String>,
    ambiguous: Vec<Tie>,
    expires: Option<i64>,
    regions: Vec<Region>,
    has_secret: bool,
    findings: BTreeSet<Fingerprint>,
}

impl Draft {
    fn of(type_: CredentialType, account: Option<String>, key: Option<String>, hit: &Hit) -> Self {
        let has_secret = hit.kind.is_secret();
        Self {
            type_,
            account,
            key,
            evidence: Vec::new(),
            ambiguous: Vec::new(),
            expires: hit.expires,
            regions: hit.regions.clone(),
            has_secret,
            findings: BTreeSet::new(),
        }
    }

    /// The credential that a secret is.
    fn of_secret(hit: &Hit, bonds: &Bonds) -> Self {
        let bond = bonds.get(hit.kind, hit.value.expose());
        let sid = || bond.map(|b| b.sid.clone());
        let (type_, account, key) = match hit.kind {
            Kind::AuthToken => (CredentialType::AuthToken, sid(), None),
            Kind::ApiKeySecret => {
                let account = bond.and_then(|b| bonds.get(Kind::ApiKeySid, &b.sid)).map(|b| b.sid.clone());
                (CredentialType::ApiKey, account, sid())
            }
            Kind::AccessTokenJwt => {
                let (account, key) =
                    hit.names.clone().map_or((None, None), |(account, key)| (account, Some(key)));
                (CredentialType::AccessToken, account, key)
            }
            Kind::OauthClientSecret => (CredentialType::OauthApp, None, sid()),
            Kind::SendgridApiKey => (CredentialType::SendgridApiKey, None, None),
            Kind::SegmentApiToken => (CredentialType::SegmentApiToken, None, None),
            _ => (CredentialType::AuthyApiKey, None, None),
        };
        let mut draft = Self::of(type_, account, key, hit);
        if let Some(bond) = bond {
            draft.evidence.push(bond.evidence.clone());
            draft.ambiguous.clone_from(&bond.rivals);
        }
        draft
    }

    /// The credential, or bare identifier, that a SID is where no secret claims it.
    fn of_sid(hit: &Hit, bonds: &Bonds) -> Self {
        let value = hit.value.expose().to_owned();
        match hit.kind {
            Kind::AccountSid => Self::of(CredentialType::AccountSid, Some(value), None, hit),
            Kind::ApiKeySid => {
                let account = bonds.get(hit.kind, &value).map(|b| b.sid.clone());
                Self::of(CredentialType::ApiKey, account, Some(value), hit)
            }
            _ => Self::of(CredentialType::OauthApp, None, Some(value), hit),
        }
    }

    fn finish(mut self, id: Fingerprint, accounts: &HashMap<&str, Vec<&Fingerprint>>) -> Credential {
        // The account's places stand with the key's or token's, so that one look shows all parts.
        if self.type_ != CredentialType::AccountSid
            && let Some(places) = self.account.as_deref().and_then(|account| accounts.get(account))
        {
            self.findings.extend(places.iter().map(|&id| id.clone()));
        }
        let expires = self.expires.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        let mut credential = Credential {
            id,
            type_: self.type_,
            account_sid: self.account,
            key_sid: self.key,
            findings: self.findings.into_iter().collect(),
            evidence: self.evidence,
            ambiguous: self.ambiguous,
            expires: expires.map(|time| time.to_string()),
            region_hints: self.regions,
            verdict: Verdict::unverified(),
            exposure: None,
            remedy: Remedy { action: RemedyAction::None, steps: Vec::new() },
        };
        credential.remedy = guide::remedy(&credential, self.has_secret);
        credential
    }
}

fn own_id(hit: &Hit) -> Fingerprint {
    Fingerprint::of_credential(&[hit.kind.as_str(), hit.value.expose()])
}

/// All credentials in the making, and which of them an account's or key's SID belongs to.
#[derive(Default)]
struct Drafts {
    drafts: BTreeMap<Fingerprint, Draft>,
    of_account: HashMap<String, Fingerprint>,
    of_key: HashMap<String, Fingerprint>,
}

impl Drafts {
    fn add_secret(&mut self, hit: &Hit, bonds: &Bonds) {
        let id = own_id(hit);
        let draft = Draft::of_secret(hit, bonds);
        // An account's SID is shown with its token if there is one, else with a key.
        match (&draft.account, draft.type_) {
            (Some(sid), CredentialType::AuthToken) => {
                self.of_account.insert(sid.clone(), id.clone());
            }
            (Some(sid), _) => {
                self.of_account.entry(sid.clone()).or_insert_with(|| id.clone());
            }
            (None, _) => {}
        }
        if let Some(sid) = &draft.key {
            self.of_key.entry(sid.clone()).or_insert_with(|| id.clone());
        }
        let regions = draft.regions.clone();
        let known = self.drafts.entry(id).or_insert(draft);
        for region in regions {
            if !known.regions.contains(&region) {
                known.regions.push(region);
            }
        }
    }

    /// Adds a finding to its credential and says which that is.
    fn claim(&mut self, hit: &Hit, finding: &Fingerprint, bonds: &Bonds) -> Fingerprint {
        let claimed = match hit.kind {
            Kind::AccountSid => self.of_account.get(hit.value.expose()),
            Kind::ApiKeySid | Kind::OauthClientId => self.of_key.get(hit.value.expose()),
            _ => None,
        };
        let id = claimed.cloned().unwrap_or_else(|| own_id(hit));
        self.drafts
            .entry(id.clone())
            .or_insert_with(|| Draft::of_sid(hit, bonds))
            .findings
            .insert(finding.clone());
        id
    }
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
    Gathered { findings, credentials, vault }
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
        rule: rules.of(hit.kind).id.clone(),
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
