//! From the hits of many texts to findings and credentials: one credential however often it stands somewhere, with
//! its partner from the text that ties them best, or from a text in the same folder.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::detect::Hit;
use crate::detect::pair::{self, Pair};
use crate::model::{
    Confidence, Credential, CredentialType, Finding, Fingerprint, Kind, Location, Redacted, Tie, Verdict,
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
}

/// What a report shows of it all.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Values at places.
    pub findings: Vec<Finding>,
    /// What they add up to.
    pub credentials: Vec<Credential>,
}

/// What to leave out and what to show.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The least confidence that is reported.
    pub min_confidence: Confidence,
    /// Put values into findings.
    pub show_secrets: bool,
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
    has_secret: bool,
    findings: BTreeSet<Fingerprint>,
}

fn findings(rules: &Rules, texts: &[TextHits], bonds: &Bonds, options: Options) -> Gathered {
    let reported = |hit: &&Hit| hit.confidence >= options.min_confidence;
    let all = || texts.iter().flat_map(|text| text.hits.iter().filter(reported).map(move |hit| (text, hit)));
    // Which values are there at all: a bond to one that is not reported is still a bond.
    let mut drafts: BTreeMap<Fingerprint, Draft> = BTreeMap::new();
    let mut of_account: HashMap<String, Fingerprint> = HashMap::new();
    let mut of_key: HashMap<String, Fingerprint> = HashMap::new();
    for (_, hit) in all().filter(|(_, hit)| hit.kind.is_secret()) {
        let value = hit.value.expose();
        let bond = bonds.get(hit.kind, value);
        let (type_, account, key) = match hit.kind {
            Kind::AuthToken => (CredentialType::AuthToken, bond.map(|b| b.sid.clone()), None),
            Kind::ApiKeySecret => {
                let key = bond.map(|b| b.sid.clone());
                let account =
                    key.as_ref().and_then(|key| bonds.get(Kind::ApiKeySid, key)).map(|b| b.sid.clone());
                (CredentialType::ApiKey, account, key)
            }
            Kind::AccessTokenJwt => {
                let (account, key) =
                    hit.names.clone().map_or((None, None), |(account, key)| (account, Some(key)));
                (CredentialType::AccessToken, account, key)
            }
            Kind::OauthClientSecret => (CredentialType::OauthApp, None, bond.map(|b| b.sid.clone())),
            Kind::SendgridApiKey => (CredentialType::SendgridApiKey, None, None),
            Kind::SegmentApiToken => (CredentialType::SegmentApiToken, None, None),
            _ => (CredentialType::AuthyApiKey, None, None),
        };
        let id = Fingerprint::of_credential(&[hit.kind.as_str(), value]);
        if let (CredentialType::AuthToken, Some(sid)) = (type_, &account) {
            of_account.insert(sid.clone(), id.clone());
        } else if let Some(sid) = &account {
            of_account.entry(sid.clone()).or_insert_with(|| id.clone());
        }
        if let Some(sid) = &key {
            of_key.entry(sid.clone()).or_insert_with(|| id.clone());
        }
        drafts.entry(id).or_insert_with(|| Draft {
            type_,
            account,
            key,
            evidence: bond.map(|b| b.evidence.clone()).into_iter().collect(),
            ambiguous: bond.map(|b| b.rivals.clone()).unwrap_or_default(),
            expires: hit.expires,
            has_secret: true,
            findings: BTreeSet::new(),
        });
    }
    let mut findings = Vec::new();
    for (text, hit) in all() {
        let value = hit.value.expose();
        let id = Fingerprint::of_finding(hit.kind, &hit.value, &text.path);
        let credential = match hit.kind {
            Kind::AccountSid => of_account.get(value).cloned(),
            Kind::ApiKeySid | Kind::OauthClientId => of_key.get(value).cloned(),
            _ => None,
        };
        let credential =
            credential.unwrap_or_else(|| Fingerprint::of_credential(&[hit.kind.as_str(), value]));
        let draft = drafts.entry(credential.clone()).or_insert_with(|| {
            let (type_, account, key) = match hit.kind {
                Kind::AccountSid => (CredentialType::AccountSid, Some(value.to_owned()), None),
                Kind::ApiKeySid => (
                    CredentialType::ApiKey,
                    bonds.get(hit.kind, value).map(|b| b.sid.clone()),
                    Some(value.to_owned()),
                ),
                _ => (CredentialType::OauthApp, None, Some(value.to_owned())),
            };
            Draft {
                type_,
                account,
                key,
                evidence: Vec::new(),
                ambiguous: Vec::new(),
                expires: None,
                has_secret: false,
                findings: BTreeSet::new(),
            }
        });
        draft.findings.insert(id.clone());
        findings.push(Finding {
            id,
            rule: rules.of(hit.kind).id.clone(),
            kind: hit.kind,
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
            value: options.show_secrets.then(|| value.to_owned()),
            credential,
            at_head: true,
            commit: None,
        });
    }
    // A key's or token's account stands in its findings too, so that one look shows all its parts.
    let mut accounts: HashMap<&str, Vec<&Fingerprint>> = HashMap::new();
    for finding in findings.iter().filter(|finding| finding.kind == Kind::AccountSid) {
        accounts.entry(finding.redacted.as_str()).or_default().push(&finding.id);
    }
    let credentials = drafts
        .into_iter()
        .filter(|(_, draft)| !draft.findings.is_empty())
        .map(|(id, mut draft)| {
            if draft.type_ != CredentialType::AccountSid
                && let Some(account) = &draft.account
            {
                draft
                    .findings
                    .extend(accounts.get(account.as_str()).into_iter().flatten().map(|&id| id.clone()));
            }
            Credential {
                remedy: guide::remedy(
                    draft.type_,
                    draft.account.as_deref(),
                    draft.key.as_deref(),
                    draft.has_secret,
                ),
                id,
                type_: draft.type_,
                account_sid: draft.account,
                key_sid: draft.key,
                findings: draft.findings.into_iter().collect(),
                evidence: draft.evidence,
                ambiguous: draft.ambiguous,
                expires: draft
                    .expires
                    .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
                    .map(|time| time.to_string()),
                verdict: Verdict::unverified(),
            }
        })
        .collect();
    Gathered { findings, credentials }
}
